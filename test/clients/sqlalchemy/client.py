# SQLAlchemy 2, two recipes. usage: client.py setup | work WORKER SINGLE BULK | bench ROWS ROUNDS
import sys
import time
from datetime import datetime, timedelta, timezone

from sqlalchemy import BigInteger, Identity, create_engine, event, func, insert, inspect, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, orm_insert_sentinel
from sqlalchemy.schema import DDL


class Base(DeclarativeBase):
    pass


class Row:
    worker: Mapped[int]
    n: Mapped[int]
    item: Mapped[str | None]


class Order(Row, Base):
    """The default is the table's own and the model does not name it."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)


event.listen(
    Order.__table__, "after_create",
    DDL("ALTER TABLE orders ALTER id SET DEFAULT snowflake_id(); DROP SEQUENCE orders_id_seq"))


class Parcel(Row, Base):
    """The model names the default. The sentinel says which key belongs to which row."""

    __tablename__ = "parcels"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, server_default=func.snowflake_id())
    sentinel: Mapped[int] = orm_insert_sentinel()


class Counted(Row, Base):
    __tablename__ = "counted"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)


def make_engine():
    # Prepared statements belong to one connection of the pooler, so none are made.
    return create_engine("postgresql+psycopg://", connect_args={"prepare_threshold": None})


def setup(engine):
    Base.metadata.create_all(engine)
    # Reflection with a schema takes no default for a sequence's.
    columns = {c["name"]: c for c in inspect(engine).get_columns("orders", schema="public")}
    assert columns["id"]["default"] in ("snowflake_id()", "idgen.snowflake_id()"), columns["id"]["default"]
    assert not columns["id"]["autoincrement"], "reflection"


def add_many(engine, model, worker, first, count):
    """Adds rows by the unit of work and returns the keys, and how many statements that took."""
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with Session(engine) as session:
        rows = [model(worker=worker, n=first + n, item="many") for n in range(count)]
        session.add_all(rows)
        session.flush()
        keys = [row.id for row in rows]
        session.commit()
    return keys, sum(s.startswith("INSERT") for s in statements)


def work(engine, worker, single, bulk):
    keys = []
    for n in range(single):
        with Session(engine) as session:
            order = Order(worker=worker, n=n, item="one")
            session.add(order)
            session.commit()
            keys.append(order.id)
    for model, keys, first in ((Order, keys, single), (Parcel, [], 0)):
        added, statements = add_many(engine, model, worker, first, bulk)
        assert statements <= (bulk + 999) // 1000, f"{statements} statements"
        keys += added
        with Session(engine) as session:
            read = session.scalars(select(model.id).where(model.worker == worker).order_by(model.n)).all()
            assert keys == read == sorted(keys), "keys read back"
            hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
            found = session.scalar(
                select(func.count()).where(model.id >= func.snowflake_min_id(hour_ago), model.worker == worker))
            assert found == len(keys), "time range"


def bench(engine, rows, rounds):
    for n in range(rounds):
        models = [("identity", Counted), ("idgen", Order), ("sentinel", Parcel)]
        for name, model in reversed(models) if n % 2 else models:
            with Session(engine) as session:
                session.execute(text(f"TRUNCATE {model.__tablename__}"))
                session.commit()
                began = time.perf_counter()
                session.add_all([model(worker=1, n=i, item="many") for i in range(rows)])
                session.commit()
                print(name, time.perf_counter() - began, flush=True)


engine = make_engine()
{"setup": setup, "work": work, "bench": bench}[sys.argv[1]](engine, *map(int, sys.argv[2:]))

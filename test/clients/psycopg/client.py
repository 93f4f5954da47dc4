# psycopg 3. usage: client.py setup | work WORKER SINGLE BULK
import sys
from datetime import datetime, timedelta, timezone

import psycopg

INSERT = "INSERT INTO orders (worker, n, item) VALUES (%s, %s, %s) RETURNING id"


def connect():
    # Prepared statements belong to one connection of the pooler, so none are made.
    return psycopg.connect("", prepare_threshold=None)


def setup():
    with connect() as db:
        db.execute("""CREATE TABLE orders (
            id bigint PRIMARY KEY DEFAULT snowflake_id(), worker int NOT NULL, n int NOT NULL, item text)""")


def work(worker, single, bulk):
    with connect() as db:
        keys = []
        for n in range(single):
            with db.transaction():
                keys.append(db.execute(INSERT, (worker, n, "one")).fetchone()[0])
        rows = [(worker, single + n, "many") for n in range(bulk)]
        with db.transaction(), db.cursor() as cursor:
            cursor.executemany(INSERT, rows, returning=True)
            while True:
                keys.append(cursor.fetchone()[0])
                if not cursor.nextset():
                    break
        read = [row[0] for row in db.execute("SELECT id FROM orders WHERE worker = %s ORDER BY n", (worker,))]
        assert keys == read == sorted(keys), "keys read back"
        hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
        found = db.execute("SELECT count(*) FROM orders WHERE id >= snowflake_min_id(%s) AND worker = %s", (hour_ago, worker))
        assert found.fetchone()[0] == single + bulk, "time range"


if sys.argv[1] == "setup":
    setup()
else:
    work(*map(int, sys.argv[2:]))

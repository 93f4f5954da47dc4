-- A shop of rentals, as the application under test has it. psql variables: key (a key column's type and
-- default), ref (the type of a reference to it), rows (customers).
--
-- Foreign keys in three levels (address, customer, rental, payment), a reference to the table itself, a table
-- whose primary key is a foreign key, names that need quoting, unique, partial and multi-column indexes, actions
-- of foreign keys, a view and a view on it. Every row has a token: what the application knows it by, whatever
-- its key is. The order of tokens is random; a row with token zz is never deleted, so that "the next one" is there.

-- Roles keeper (owns the tables and migrates them) and app (the application) are there.

CREATE SCHEMA shop AUTHORIZATION keeper;
SET ROLE keeper;
GRANT USAGE ON SCHEMA shop TO app;

CREATE TABLE shop.address (
  id         :key PRIMARY KEY,
  token      text NOT NULL UNIQUE,
  street     text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE shop.customer (
  id          :key PRIMARY KEY,
  token       text NOT NULL UNIQUE,
  address_id  :ref NOT NULL REFERENCES shop.address,
  referred_by :ref REFERENCES shop.customer ON DELETE SET NULL,
  name        text NOT NULL,
  active      boolean NOT NULL DEFAULT true,
  created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX customer_by_place ON shop.customer (address_id, name);
CREATE INDEX customer_active ON shop.customer (id, address_id) WHERE active;
CREATE INDEX ON shop.customer (referred_by);

CREATE TABLE shop.profile (
  customer_id :ref PRIMARY KEY REFERENCES shop.customer ON DELETE CASCADE,
  token       text NOT NULL UNIQUE,
  bio         text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE shop."Film Copy" (
  "Copy Id"  :key PRIMARY KEY,
  token      text NOT NULL UNIQUE,
  title      text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE shop.rental (
  id          :key PRIMARY KEY,
  token       text NOT NULL UNIQUE,
  customer_id :ref NOT NULL REFERENCES shop.customer,
  "Copy Id"   :ref NOT NULL CONSTRAINT "rental's copy" REFERENCES shop."Film Copy",
  returned_at timestamptz,
  created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX rental_of ON shop.rental (customer_id, created_at DESC);
CREATE INDEX "open ""rentals""" ON shop.rental ("Copy Id") INCLUDE (token) WHERE returned_at IS NULL;
CREATE UNIQUE INDEX rental_once ON shop.rental (customer_id, token) WHERE returned_at IS NULL;

CREATE TABLE shop.payment (
  id          :key PRIMARY KEY,
  token       text NOT NULL UNIQUE,
  rental_id   :ref NOT NULL REFERENCES shop.rental,
  customer_id :ref NOT NULL REFERENCES shop.customer DEFERRABLE INITIALLY DEFERRED,
  amount      numeric NOT NULL CHECK (amount > 0),
  created_at  timestamptz NOT NULL DEFAULT now(),
  UNIQUE (rental_id, token)
);
CREATE INDEX ON shop.payment (customer_id);

-- Append-only. A bulk load left many rows with one and the same time in it.
CREATE TABLE shop.event (
  id         :key PRIMARY KEY,
  token      text NOT NULL UNIQUE,
  what       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE VIEW shop.rental_list AS
SELECT r.id AS rental, r.token, r.customer_id, c.name, f."Copy Id", f.title, r.returned_at
FROM shop.rental r
JOIN shop.customer c ON c.id = r.customer_id
JOIN shop."Film Copy" f USING ("Copy Id");

CREATE VIEW shop."Open Rentals" AS
SELECT rental, token, customer_id, name FROM shop.rental_list WHERE returned_at IS NULL;
GRANT SELECT ON shop."Open Rentals" TO PUBLIC;

COMMENT ON COLUMN shop.customer.id IS 'how we know a customer';
COMMENT ON INDEX shop.customer_active IS 'for the list of the day';
ALTER TABLE shop.rental ALTER customer_id SET STATISTICS 200;
ALTER TABLE shop.customer CLUSTER ON customer_by_place;

-- The user's own trigger. It must not run for what a migration writes.
CREATE FUNCTION shop.on_update() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog
AS $$ BEGIN
  IF session_user <> 'app' THEN INSERT INTO ledger.fired VALUES (TG_TABLE_NAME, session_user); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER on_update BEFORE UPDATE ON shop.customer FOR EACH ROW EXECUTE FUNCTION shop.on_update();
CREATE TRIGGER on_update BEFORE UPDATE ON shop.rental FOR EACH ROW EXECUTE FUNCTION shop.on_update();
-- Only what is there now: the application has no right to a table or a sequence that a migration makes.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA shop TO app;
RESET ROLE;

-- What the application committed, written in the same transactions: the tokens of each row and of the rows that
-- it refers to. The migration does not know of it.
CREATE SCHEMA ledger;
CREATE TABLE ledger.entry (
  kind    text,
  token   text,
  parents text[] NOT NULL,
  PRIMARY KEY (kind, token)
);
CREATE INDEX ON ledger.entry ((parents[2])) WHERE kind = 'customer';
CREATE TABLE ledger.fired (relation name, by name);
GRANT USAGE ON SCHEMA ledger TO app, keeper;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ledger TO app;
GRANT INSERT ON ledger.fired TO keeper;

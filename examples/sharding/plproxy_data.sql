-- PL/Proxy, the servers with the data. See docs/sharding.md, and plproxy_proxy.sql for the
-- functions that clients call. Run it once in the data's database of each server:
--
--   psql -v partitions='{0,3,6,9,12,15}' -f plproxy_data.sql
--
-- partitions    which of the cluster's 16 partitions this server is, as in plproxy_proxy.sql

CREATE EXTENSION IF NOT EXISTS idgen;

-- 8,192 shards in 16 partitions: PL/Proxy takes the lowest four bits of what RUN ON says, the
-- shard here. The check refuses a row that came to the wrong server.
CREATE TABLE orders (
  id       bigint PRIMARY KEY CHECK (instagram_shard(id) & 15 = ANY (:'partitions')),
  customer text NOT NULL,
  item     text
);
CREATE INDEX ON orders (customer);

-- The server that has the customer's shard makes the ID, and no other.
CREATE FUNCTION insert_order(customer text, item text) RETURNS bigint LANGUAGE sql
  BEGIN ATOMIC
    INSERT INTO orders VALUES (instagram_nextval_for(customer, 8192), customer, item)
    RETURNING id;
  END;

CREATE FUNCTION insert_orders(customers text[], items text[]) RETURNS SETOF bigint LANGUAGE sql
  BEGIN ATOMIC
    INSERT INTO orders
    SELECT instagram_nextval_for(customer, 8192), customer, item
    FROM unnest(customers, items) AS new (customer, item)
    RETURNING id;
  END;

CREATE FUNCTION get_order(order_id bigint) RETURNS SETOF orders LANGUAGE sql STABLE
  BEGIN ATOMIC
    SELECT * FROM orders WHERE id = order_id;
  END;

CREATE FUNCTION orders_of(whom text) RETURNS SETOF orders LANGUAGE sql STABLE
  BEGIN ATOMIC
    SELECT * FROM orders WHERE customer = whom;
  END;

CREATE FUNCTION count_orders() RETURNS bigint LANGUAGE sql STABLE
  BEGIN ATOMIC
    SELECT count(*) FROM orders;
  END;

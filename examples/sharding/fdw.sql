-- One partitioned table over three servers, with postgres_fdw. See docs/sharding.md.
-- Run it once in the database of each server:
--
--   psql -v server=1 -v host1=... -v port1=... -v host2=... -v port2=... \
--        -v host3=... -v port3=... -f fdw.sql
--
-- server    which of the three this one is: 1, 2 or 3. No two servers may have one number.
-- hostN, portN    where the others reach server N; its database is of the same name

CREATE EXTENSION IF NOT EXISTS idgen;
CREATE EXTENSION IF NOT EXISTS postgres_fdw;

SELECT :server = 1 AS is_server1, :server = 2 AS is_server2, :server = 3 AS is_server3 \gset

-- The IDs ---------------------------------------------------------------------------------

-- A row may be inserted on any server and belong to any other, but only one server may make
-- the IDs of a shard. So the 13 bits of the shard are two numbers here:
--
--   11 bits   the customer's shard, which says where the row belongs
--    2 bits   the writer: the number of the server that makes the ID
CREATE FUNCTION order_id(customer text) RETURNS bigint
  LANGUAGE sql VOLATILE PARALLEL SAFE
  RETURN instagram_nextval(idgen_shard(customer, 2048) * 4 + :server);

-- The table ---------------------------------------------------------------------------------

-- All IDs of a customer are in one partition: the bounds are multiples of 4.
CREATE TABLE orders (
  id       bigint NOT NULL,
  customer text NOT NULL,
  item     text
) PARTITION BY RANGE (instagram_shard(id));

-- extensions: conditions with idgen's functions are sent along.
-- batch_size: that many rows go to another server in one message.
CREATE SERVER server1 FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
  host :'host1', port :'port1', dbname :'DBNAME', extensions 'idgen', batch_size '100');
CREATE SERVER server2 FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
  host :'host2', port :'port2', dbname :'DBNAME', extensions 'idgen', batch_size '100');
CREATE SERVER server3 FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
  host :'host3', port :'port3', dbname :'DBNAME', extensions 'idgen', batch_size '100');

-- Roles that are no superusers need a password here.
CREATE USER MAPPING FOR CURRENT_USER SERVER server1 OPTIONS (user :'USER');
CREATE USER MAPPING FOR CURRENT_USER SERVER server2 OPTIONS (user :'USER');
CREATE USER MAPPING FOR CURRENT_USER SERVER server3 OPTIONS (user :'USER');

-- The same three partitions everywhere: the own one a table, the others foreign tables.
-- The key of each makes the ID unique in all of them, since the ID says which one it is.
\if :is_server1
CREATE TABLE orders_1 PARTITION OF orders (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (2732);
\else
CREATE FOREIGN TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (2732) SERVER server1;
\endif
\if :is_server2
CREATE TABLE orders_2 PARTITION OF orders (PRIMARY KEY (id)) FOR VALUES FROM (2732) TO (5464);
\else
CREATE FOREIGN TABLE orders_2 PARTITION OF orders FOR VALUES FROM (2732) TO (5464) SERVER server2;
\endif
\if :is_server3
CREATE TABLE orders_3 PARTITION OF orders (PRIMARY KEY (id)) FOR VALUES FROM (5464) TO (8192);
\else
CREATE FOREIGN TABLE orders_3 PARTITION OF orders FOR VALUES FROM (5464) TO (8192) SERVER server3;
\endif
CREATE INDEX ON orders (customer);

-- Reading it ----------------------------------------------------------------------------------

-- The second condition says which partition it is. As long as the function is this simple,
-- the planner sees through it, and asks one server.
CREATE FUNCTION get_order(bigint) RETURNS SETOF orders LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT * FROM orders WHERE id = $1 AND instagram_shard(id) = instagram_shard($1);
  END;

-- All orders of a customer are on one server too.
CREATE FUNCTION orders_of(text) RETURNS SETOF orders LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT * FROM orders
    WHERE customer = $1
      AND instagram_shard(id) BETWEEN idgen_shard($1, 2048) * 4 AND idgen_shard($1, 2048) * 4 + 3;
  END;

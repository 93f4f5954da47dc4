-- PL/Proxy, the database that clients connect to. It has no data, so there may be several.
-- See docs/sharding.md, and plproxy_data.sql for the servers with the data.
--
--   psql -v server1='host=... port=... dbname=...' -v server2=... -v server3=... \
--        -f plproxy_proxy.sql

CREATE EXTENSION IF NOT EXISTS idgen;     -- for idgen_shard() and instagram_shard()
CREATE EXTENSION IF NOT EXISTS plproxy;

-- What RUN ON says is taken & 15 here: their number has to be a power of two. (The option
-- modular_mapping allows any number, but it could not grow by doubling.)
-- More partitions than servers, so that one can be given to a fourth.
CREATE SERVER orders FOREIGN DATA WRAPPER plproxy OPTIONS (
  p0  :'server1', p1  :'server2', p2  :'server3',
  p3  :'server1', p4  :'server2', p5  :'server3',
  p6  :'server1', p7  :'server2', p8  :'server3',
  p9  :'server1', p10 :'server2', p11 :'server3',
  p12 :'server1', p13 :'server2', p14 :'server3',
  p15 :'server1');
CREATE USER MAPPING FOR CURRENT_USER SERVER orders OPTIONS (user :'USER');

-- These run the functions of the same names in plproxy_data.sql. By the key:
CREATE FUNCTION insert_order(customer text, item text) RETURNS bigint LANGUAGE plproxy AS $$
  CLUSTER 'orders';
  RUN ON idgen_shard(customer, 8192);
$$;

CREATE FUNCTION orders_of(whom text) RETURNS TABLE (id bigint, customer text, item text)
  LANGUAGE plproxy AS $$
  CLUSTER 'orders';
  RUN ON idgen_shard(whom, 8192);
$$;

-- By the shard in the ID:
CREATE FUNCTION get_order(order_id bigint) RETURNS TABLE (id bigint, customer text, item text)
  LANGUAGE plproxy AS $$
  CLUSTER 'orders';
  RUN ON instagram_shard(order_id);
$$;

-- Each server gets its part of the arrays, all at the same time. Each commits by itself.
CREATE FUNCTION insert_orders(customers text[], items text[]) RETURNS SETOF bigint
  LANGUAGE plproxy AS $$
  CLUSTER 'orders';
  SPLIT customers, items;
  RUN ON idgen_shard(customers, 8192);
$$;

-- On all partitions: one row for each server.
CREATE FUNCTION count_orders() RETURNS SETOF bigint LANGUAGE plproxy AS $$
  CLUSTER 'orders';
  RUN ON ALL;
$$;

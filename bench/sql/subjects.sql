-- What is measured: the one list of idgen's functions and of their rivals, for every workload.
-- To add a subject is to add a line. Also what the workloads share.
\set QUIET on
SET client_min_messages = warning;
CREATE SCHEMA bench;
SELECT count(*) AS uuid_ossp FROM pg_available_extensions WHERE name = 'uuid-ossp' \gset
\if :uuid_ossp
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
\endif
CREATE SEQUENCE bench.cache_1;
CREATE SEQUENCE bench.cache_32 CACHE 32;
CREATE SEQUENCE bench.cache_1000 CACHE 1000;
CREATE SEQUENCE bench.tickets;
SELECT idgen_create_layout('bench', 'timestamp:41, shard:8, machine:2, sequence:12') \g /dev/null
SELECT idgen_create_generator('bench_named', 'snowflake', machine_id => 5) \g /dev/null

-- IDs as Instagram published them in 2012, by a function and a sequence in each shard's schema:
-- 41 bits of milliseconds, 13 of the shard, 10 of the sequence.
CREATE SEQUENCE bench.recipe_sequence;
CREATE FUNCTION bench.recipe(OUT id bigint) LANGUAGE plpgsql AS $$
DECLARE
  epoch constant bigint := 1314220021721;
  shard constant int := 5;
  number bigint;
  ms bigint;
BEGIN
  SELECT nextval('bench.recipe_sequence') % 1024 INTO number;
  SELECT floor(extract(epoch FROM clock_timestamp()) * 1000) INTO ms;
  id := ((ms - epoch) << 23) | (shard << 10) | number;
END $$;

CREATE TABLE bench.subject (
  n        int GENERATED ALWAYS AS IDENTITY,
  name     text NOT NULL,
  parts    text NOT NULL,             -- the workloads it is in
  call     text,                      -- i is the number of the call
  argument text NOT NULL DEFAULT '1', -- what of the call is not the subject's; its cost is taken off
  batch    text,                      -- a statement for $1 IDs
  block    int NOT NULL DEFAULT 1,    -- idgen.block_size
  type     text NOT NULL DEFAULT 'bigint',
  key      text,                      -- the key's clause; if not given: DEFAULT call
  needs    text NOT NULL DEFAULT 'true'
);

-- idgen, and what costs the least. In `one` and `sessions` stands what meets no limit on the way.
INSERT INTO bench.subject (name, call, parts) VALUES
  ('clock_timestamp()', 'clock_timestamp()', 'one generators batches limit sessions transactions parallel'),
  ('snowflake_nextval()', 'snowflake_nextval()', 'generators limit sessions transactions inserts rows parallel index');
INSERT INTO bench.subject (name, call, argument, parts) VALUES
  ('idgen_nextval(), a name of one''s own', 'idgen_nextval(''bench_named'')', '1', 'generators transactions'),
  ('idgen_nextval(), a layout of one''s own, 256 shards', 'idgen_nextval(''bench'', i & 255)', 'i & 255', 'generators'),
  ('instagram_nextval(), one shard', 'instagram_nextval(7)', '1', 'generators sessions transactions'),
  ('instagram_nextval(), 8,192 shards in turn', 'instagram_nextval(i & 8191)', 'i & 8191', 'generators sessions');
INSERT INTO bench.subject (name, call, block, parts, needs) VALUES
  ('idgen_nextval(''wide'')', 'idgen_nextval(''wide'')', 1, 'one generators sessions rows',
   $$EXISTS (SELECT FROM idgen_layouts WHERE layout = 'wide')$$),
  ('idgen_nextval(''tso'')', 'idgen_nextval(''tso'')', 1, 'one generators batches sessions transactions', 'true'),
  ('idgen_nextval(''tso''), block_size 64', 'idgen_nextval(''tso'')', 64, 'one generators sessions', 'true'),
  ('hlc_now()', 'hlc_now()', 1, 'one generators sessions', $$to_regprocedure('hlc_now()') IS NOT NULL$$);
INSERT INTO bench.subject (name, batch, parts, needs) VALUES
  ('idgen_nextval_batch(''tso'', n)', 'SELECT count(*) FROM idgen_nextval_batch(''tso'', $1)', 'batches', 'true'),
  ('idgen_nextval_array(''tso'', n)', 'SELECT cardinality(idgen_nextval_array(''tso'', $1))', 'batches',
   $$to_regprocedure('idgen_nextval_array(text, int)') IS NOT NULL$$);
INSERT INTO bench.subject (name, batch, call, parts, needs) VALUES
  ('snowflake_nextval_batch(n)', 'SELECT count(*) FROM snowflake_nextval_batch($1)', 'snowflake_nextval_batch(%s)',
   'limit batches', 'true'),
  ('snowflake_nextval_array(n)', 'SELECT cardinality(snowflake_nextval_array($1))', NULL, 'batches',
   $$to_regprocedure('snowflake_nextval_array(int)') IS NOT NULL$$);
-- Numbers without time: beside nextval(), of which each is one.
INSERT INTO bench.subject (name, call, parts, needs) VALUES
  ('ticket_nextval()', 'ticket_nextval(''bench.tickets'')', 'one generators sessions transactions inserts rows parallel',
   $$to_regprocedure('ticket_nextval(regclass)') IS NOT NULL$$);
INSERT INTO bench.subject (name, batch, parts, needs) VALUES
  ('ticket_nextval_batch(n)', 'SELECT count(*) FROM ticket_nextval_batch(''bench.tickets'', $1)', 'batches',
   $$to_regprocedure('ticket_nextval_batch(regclass, int)') IS NOT NULL$$),
  ('ticket_nextval_array(n)', 'SELECT cardinality(ticket_nextval_array(''bench.tickets'', $1))', 'batches',
   $$to_regprocedure('ticket_nextval_array(regclass, int)') IS NOT NULL$$);

-- IDs of 128 bits.
INSERT INTO bench.subject (name, call, type, parts) VALUES
  ('uuidv7_nextval()', 'uuidv7_nextval()', 'uuid', 'one generators sessions transactions inserts rows parallel index'),
  ('uuidv8_nextval()', 'uuidv8_nextval()', 'uuid', 'one generators'),
  ('ulid_nextval()', 'ulid_nextval()', 'uuid', 'one generators rows'),
  ('id128_nextval()', 'id128_nextval()', 'uuid', 'one generators'),
  ('uuidv6_nextval()', 'uuidv6_nextval()', 'uuid', 'one generators'),
  ('uuidv1_nextval()', 'uuidv1_nextval()', 'uuid', 'generators rows'),
  ('uuidv4_nextval()', 'uuidv4_nextval()', 'uuid', 'one generators rows');
INSERT INTO bench.subject (name, batch, parts) VALUES
  ('uuidv7_nextval_array(n)', 'SELECT cardinality(uuidv7_nextval_array($1))', 'batches');

-- The rivals.
INSERT INTO bench.subject (name, call, parts) VALUES
  ('nextval(), CACHE 1', 'nextval(''bench.cache_1'')',
   'one generators batches sessions transactions inserts rows parallel index'),
  ('nextval(), CACHE 32', 'nextval(''bench.cache_32'')', 'one generators sessions inserts rows'),
  ('nextval(), CACHE 1000', 'nextval(''bench.cache_1000'')', 'one generators batches sessions inserts rows'),
  ('Instagram''s PL/pgSQL recipe', 'bench.recipe()', 'generators transactions inserts rows');
INSERT INTO bench.subject (name, call, type, parts, needs) VALUES
  ('gen_random_uuid()', 'gen_random_uuid()', 'uuid', 'one generators transactions inserts rows parallel index', 'true'),
  ('uuidv7()', 'uuidv7()', 'uuid', 'one generators transactions inserts rows parallel index',
   $$to_regprocedure('uuidv7()') IS NOT NULL$$),
  ('uuid-ossp v1', 'uuid_generate_v1()', 'uuid', 'generators inserts rows',
   $$to_regprocedure('uuid_generate_v1()') IS NOT NULL$$),
  ('uuid-ossp v4', 'uuid_generate_v4()', 'uuid', 'generators inserts rows',
   $$to_regprocedure('uuid_generate_v4()') IS NOT NULL$$);
INSERT INTO bench.subject (name, key, parts) VALUES
  ('identity column', 'GENERATED BY DEFAULT AS IDENTITY', 'inserts rows'),
  ('key given', '', 'inserts rows');

-- Reading. The ID, or the time, is the argument.
INSERT INTO bench.subject (name, call, argument, parts) SELECT name, format(call, argument), argument, 'reading'
FROM (VALUES
  ('id >> 22', '(%s) >> 22'),
  ('snowflake_timestamp(id)', 'snowflake_timestamp(%s)'),
  ('to_timestamp() of id >> 22', 'to_timestamp((((%s) >> 22) + 1577836800000) / 1000.0)'),
  ('snowflake_machine(id)', 'snowflake_machine(%s)'),
  ('snowflake_parse(id)', 'snowflake_parse(%s)'),
  ('idgen_timestamp(id, ''bench'')', 'idgen_timestamp(%s, ''bench'')'),
  ('idgen_encode(id, ''base62'')', 'idgen_encode(%s, ''base62'')')
) s(name, call), (VALUES ('912576742512656384 + i')) id(argument);
INSERT INTO bench.subject (name, call, argument, parts) VALUES
  ('snowflake_min_id(ts)', 'snowflake_min_id(now())', 'now()', 'reading'),
  ('idgen_min_id(ts, ''bench'')', 'idgen_min_id(now(), ''bench'')', 'now()', 'reading');

-- What this server has not is left out, and said.
CREATE FUNCTION bench.is_here(needs text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
  here bool;
BEGIN
  EXECUTE 'SELECT ' || needs INTO here;
  RETURN here;
END $$;
\pset format unaligned
\pset tuples_only on
DELETE FROM bench.subject WHERE NOT bench.is_here(needs) RETURNING 'skip  ' || name || ' is not here';

CREATE FUNCTION bench.subjects(part text) RETURNS SETOF bench.subject STABLE LANGUAGE sql AS $$
  SELECT * FROM bench.subject WHERE part = ANY (string_to_array(parts, ' ')) ORDER BY n
$$;

-- What the workloads in SQL found, until dev/bench writes it to a file.
CREATE TABLE bench.result (
  n       int GENERATED ALWAYS AS IDENTITY,
  part    text,
  subject text,
  x       text,
  round   int,
  value   float8
);

-- An empty table with the subject's key.
CREATE PROCEDURE bench.new_table(subject_n int) LANGUAGE plpgsql AS $$
DECLARE
  s bench.subject;
BEGIN
  SELECT * INTO STRICT s FROM bench.subject WHERE n = subject_n;
  DROP TABLE IF EXISTS bench.rows;
  EXECUTE format('CREATE TABLE bench.rows (id %s %s PRIMARY KEY, value int)', s.type,
                 coalesce(s.key, 'DEFAULT ' || s.call));
END $$;

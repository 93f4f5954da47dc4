-- Whether another server uses an identity of this one, as far as one server can show it.
-- (Rows that were replicated: test/t/009_replication.pl.)
SET idgen.datacenter_id = 29;
SET idgen.machine_id = 1;
SET idgen.max_clock_wait = '20s';

CREATE TABLE check_orders (id bigint DEFAULT snowflake_nextval(), item int);
SELECT * FROM idgen_check_identity('check_orders', 'id');
INSERT INTO check_orders (item) SELECT generate_series(1, 1000);
-- What two other servers made.
INSERT INTO check_orders
SELECT idgen_compose('snowflake', '2026-01-01Z', 29, machine, NULL, n), n
FROM generate_series(2, 3) machine, generate_series(1, machine) n;
INSERT INTO check_orders VALUES (NULL, 0), (NULL, 1);
SELECT datacenter_id, machine_id, shard_id, ids, own, problem
FROM idgen_check_identity('check_orders', 'id');
SELECT machine_id, first_id = first AS first, last_id = last AS last
FROM idgen_check_identity('check_orders', 'id')
JOIN (SELECT snowflake_machine(id) AS machine_id, min(id) AS first, max(id) AS last
      FROM check_orders GROUP BY 1) orders USING (machine_id)
ORDER BY machine_id;
-- Where rows come from is known with track_commit_timestamp only.
SELECT DISTINCT replicated IS NULL AS unknown, current_setting('track_commit_timestamp')::bool AS tracked
FROM idgen_check_identity('check_orders', 'id')
WHERE (replicated IS NULL) = current_setting('track_commit_timestamp')::bool;
-- In a transaction that may not write.
BEGIN READ ONLY;
SELECT machine_id, ids, own, problem FROM idgen_check_identity('check_orders', 'id');
COMMIT;

-- IDs later than any that this server made.
SELECT idgen_compose('snowflake', clock_timestamp() + interval '300 ms', 29, 1) AS seen \gset
INSERT INTO check_orders VALUES (:seen, 0);
SELECT machine_id, ids, own, problem FROM idgen_check_identity('check_orders', 'id');
-- Once it makes no earlier ones, that is no problem.
SELECT idgen_observe('snowflake', :seen) >= :seen AS observed;
SELECT machine_id, ids, own, problem FROM idgen_check_identity('check_orders', 'id');
-- Another server's may be later.
SELECT idgen_compose('snowflake', clock_timestamp() + interval '1 h', 29, 2) AS other,
       idgen_compose('snowflake', clock_timestamp() + interval '1 h', 29, 1) AS own \gset
INSERT INTO check_orders VALUES (:other, 0);
SELECT machine_id, ids, own, problem FROM idgen_check_identity('check_orders', 'id');
INSERT INTO check_orders VALUES (:own, 0);
SELECT machine_id, ids, own, problem FROM idgen_check_identity('check_orders', 'id');

-- Only IDs since a time.
SELECT machine_id, ids, own, first_id IN (:own, :other) AS first, problem
FROM idgen_check_identity('check_orders', 'id', since => clock_timestamp() + interval '30 min');
SELECT count(*) FROM idgen_check_identity('check_orders', 'id', since => clock_timestamp() + interval '2 h');
SELECT count(*) FROM idgen_check_identity('check_orders', 'id', since => 'infinity');
SELECT sum(ids) FROM idgen_check_identity('check_orders', 'id', since => '2020-01-01Z');
SELECT sum(ids) FROM idgen_check_identity('check_orders', 'id', since => '1999-01-01Z');
SELECT sum(ids) FROM idgen_check_identity('check_orders', 'id', since => '4000-01-01 BC');
SELECT sum(ids) FROM idgen_check_identity('check_orders', 'id', since => '294276-12-31Z');
-- With another machine ID: what it made before is still its own, and what was made later with
-- the old one is not.
SET idgen.machine_id = 4;
SELECT machine_id, ids, own, problem FROM idgen_check_identity('check_orders', 'id');
SELECT machine_id, ids, own, problem
FROM idgen_check_identity('check_orders', 'id', since => clock_timestamp() + interval '30 min');
-- To look does not make an identity one's own.
SET idgen.machine_id = 2;
SELECT machine_id, own FROM idgen_check_identity('check_orders', 'id');
SET idgen.machine_id = 1;
SELECT machine_id, own FROM idgen_check_identity('check_orders', 'id');

-- Numbers that are no IDs.
CREATE TABLE check_numbers (id bigint);
INSERT INTO check_numbers VALUES (-1), (-9223372036854775808), (idgen_nextval('js53')), (1::bigint << 53);
SELECT machine_id, ids, first_id, last_id, own, problem
FROM idgen_check_identity('check_numbers', 'id', 'js53') WHERE machine_id IS NULL;
SELECT machine_id, ids, own, problem FROM idgen_check_identity('check_numbers', 'id', 'js53');
SELECT ids, problem FROM idgen_check_identity('check_numbers', 'id', 'snowflake') WHERE machine_id IS NULL;
-- Without an identity.
INSERT INTO check_numbers SELECT idgen_nextval('tso') FROM generate_series(1, 10);
SELECT datacenter_id, machine_id, shard_id, ids, own, problem
FROM idgen_check_identity('check_numbers', 'id', 'tso', '2024-01-01Z');

-- By shard: of a layout that has never been used, whatever ran on this server before.
SELECT idgen_create_layout('check_shard', 'timestamp:40, shard:13, sequence:10', epoch => clock_timestamp() - interval '1 year');
CREATE TABLE check_shards (id bigint);
INSERT INTO check_shards SELECT idgen_nextval('check_shard', shard) FROM generate_series(8000, 8003) shard, generate_series(1, 100);
INSERT INTO check_shards VALUES (idgen_compose('check_shard', clock_timestamp() + interval '1 h', shard_id => 8004));
SELECT datacenter_id, machine_id, shard_id, ids, own, problem
FROM idgen_check_identity('check_shards', 'id', 'check_shard');
INSERT INTO check_shards VALUES (idgen_compose('check_shard', clock_timestamp() + interval '1 h', shard_id => 8002));
SELECT shard_id, ids, own, problem FROM idgen_check_identity('check_shards', 'id', 'check_shard');
SET idgen.shard_id = 8004;
SELECT shard_id, own, problem FROM idgen_check_identity('check_shards', 'id', 'check_shard') WHERE problem IS NOT NULL;
RESET idgen.shard_id;

-- Layouts and generators of users; the sequence above the identity.
SELECT idgen_create_layout('check_layout', 'timestamp:40, sequence:9, machine:5, shard:3', epoch => '2024-01-01Z');
SELECT idgen_create_generator('check_fixed', 'check_layout', machine_id => 7, shard_id => 5);
CREATE TABLE check_layouts (id bigint);
INSERT INTO check_layouts SELECT idgen_nextval('check_layout', n % 8) FROM generate_series(1, 800) n;
INSERT INTO check_layouts SELECT idgen_nextval_batch('check_fixed', 50);
INSERT INTO check_layouts VALUES (idgen_compose('check_layout', clock_timestamp() + interval '1 h', machine_id => 7, shard_id => 6));
SELECT datacenter_id, machine_id, shard_id, ids, own, problem
FROM idgen_check_identity('check_layouts', 'id', 'check_fixed');
INSERT INTO check_layouts VALUES (idgen_compose('check_layout', clock_timestamp() + interval '1 h', machine_id => 7, shard_id => 5));
SELECT machine_id, shard_id, ids, problem
FROM idgen_check_identity('check_layouts', 'id', 'check_layout') WHERE problem IS NOT NULL;
DROP TABLE check_layouts;
SELECT idgen_drop_generator('check_fixed');
SELECT idgen_drop_layout('check_layout');

-- Many identities, of a layout that no other test uses.
SELECT idgen_create_layout('check_wide', 'timestamp:41, machine:10, sequence:12', epoch => '2021-03-04Z');
CREATE TABLE check_many AS
SELECT idgen_compose('check_wide', '2026-01-01Z', machine_id => n % 1024, sequence => 1) AS id FROM generate_series(0, 4095) n;
SELECT count(*), sum(ids), min(machine_id), max(machine_id), bool_or(own AND machine_id <> 1) AS others
FROM idgen_check_identity('check_many', 'id', 'check_wide');
SELECT idgen_drop_layout('check_wide');

-- Partitions, whose columns stand in another order; inheritance; odd names.
CREATE SCHEMA "check "" schema";
CREATE TABLE "check "" schema"."t" (part int, "select" text, "Id "";--" bigint DEFAULT snowflake_nextval())
  PARTITION BY LIST (part);
SELECT count(*) FROM idgen_check_identity('"check "" schema".t', 'Id ";--');
CREATE TABLE "check "" schema"."t.1" PARTITION OF "check "" schema"."t" FOR VALUES IN (1);
CREATE TABLE "check "" schema"."t 2" ("Id "";--" bigint, gone int, part int, "select" text);
ALTER TABLE "check "" schema"."t 2" DROP COLUMN gone;
ALTER TABLE "check "" schema"."t" ATTACH PARTITION "check "" schema"."t 2" FOR VALUES IN (2);
INSERT INTO "check "" schema"."t" SELECT n FROM generate_series(1, 2) n, generate_series(1, 5);
SELECT machine_id, ids, own, problem FROM idgen_check_identity('"check "" schema".t', 'Id ";--');
SELECT machine_id, ids, own, problem FROM idgen_check_identity('"check "" schema"."t 2"', 'Id ";--');
CREATE TABLE check_heirs (more int) INHERITS (check_shards);
INSERT INTO check_heirs SELECT idgen_nextval('check_shard', 8003), 1 FROM generate_series(1, 100);
SELECT ids FROM idgen_check_identity('check_shards', 'id', 'check_shard') WHERE shard_id = 8003;
-- A column that is called as the query calls the table.
CREATE TABLE check_t (t bigint DEFAULT snowflake_nextval(), id int);
INSERT INTO check_t VALUES (DEFAULT, 1);
SELECT machine_id, ids, own, problem FROM idgen_check_identity('check_t', 't');
-- The table is the one that was meant, also where another one of its name hides it.
CREATE TEMP TABLE check_t AS SELECT generate_series(1, 50)::bigint AS t;
SELECT ids FROM idgen_check_identity('public.check_t', 't');
SELECT ids FROM idgen_check_identity('check_t', 't');
DROP TABLE pg_temp.check_t;

-- Names in a search_path that comes first are not used.
CREATE SCHEMA check_hostile;
CREATE FUNCTION check_hostile.steal(bigint, bigint) RETURNS bigint LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'stolen'; END$$;
CREATE FUNCTION check_hostile.steal_bool(bigint, bigint) RETURNS bool LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'stolen'; END$$;
CREATE FUNCTION check_hostile.min(bigint) RETURNS bigint LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'stolen'; END$$;
CREATE FUNCTION check_hostile.max(bigint) RETURNS bigint LANGUAGE plpgsql AS
  $$BEGIN RAISE EXCEPTION 'stolen'; END$$;
CREATE AGGREGATE check_hostile.count(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '1000');
CREATE FUNCTION check_hostile.pg_xact_commit_timestamp_origin(xid, OUT "timestamp" timestamptz, OUT roident oid)
  LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'stolen'; END$$;
CREATE OPERATOR check_hostile.& (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = check_hostile.steal);
CREATE OPERATOR check_hostile.>= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = check_hostile.steal_bool);
CREATE OPERATOR check_hostile.<= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = check_hostile.steal_bool);
CREATE OPERATOR check_hostile.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = check_hostile.steal_bool);
CREATE DOMAIN check_hostile.int8 AS text CHECK (VALUE = 'stolen');
CREATE TABLE check_hostile.check_t (t bigint);
SET search_path = check_hostile, pg_catalog;
SELECT machine_id, ids, own, problem FROM public.idgen_check_identity('public.check_t', 't');
SELECT machine_id, public.idgen_timestamp(first_id, 'snowflake') IS NULL AS no_id
FROM public.idgen_check_identity('check_t', 't');
RESET search_path;

-- Rights are the caller's.
CREATE ROLE regress_idgen_check;
GRANT SELECT ON check_orders TO regress_idgen_check;
SET ROLE regress_idgen_check;
SELECT count(*) > 0 AS may FROM idgen_check_identity('check_orders', 'id');
\set VERBOSITY sqlstate
SELECT * FROM idgen_check_identity('check_shards', 'id', 'check_shard');
SELECT * FROM idgen_check_identity('check_numbers', 'no_such_column');
\set VERBOSITY default
RESET ROLE;
-- So are the rows that it may see.
CREATE POLICY check_policy ON check_orders USING (snowflake_machine(id) = 3);
ALTER TABLE check_orders ENABLE ROW LEVEL SECURITY;
SET ROLE regress_idgen_check;
SELECT machine_id, ids, own, problem FROM idgen_check_identity('check_orders', 'id');
RESET ROLE;
ALTER TABLE check_orders DISABLE ROW LEVEL SECURITY;

-- Bad input.
SELECT * FROM idgen_check_identity('check_orders', 'item');
SELECT * FROM idgen_check_identity('check_orders', 'Id');
SELECT * FROM idgen_check_identity('check_orders', 'xmin');
SELECT * FROM idgen_check_identity('check_orders', 'id', 'nothing');
CREATE VIEW check_view AS SELECT id FROM check_orders;
SELECT * FROM idgen_check_identity('check_view', 'id');
CREATE SEQUENCE check_sequence;
SELECT * FROM idgen_check_identity('check_sequence', 'last_value');
CREATE INDEX check_index ON check_orders (id);
SELECT * FROM idgen_check_identity('check_index', 'id');
SELECT * FROM idgen_check_identity('pg_class', 'oid');
SELECT * FROM idgen_check_identity(0, 'id');
ALTER TABLE check_numbers RENAME id TO gone;
ALTER TABLE check_numbers DROP COLUMN gone;
SELECT * FROM idgen_check_identity('check_numbers', 'gone');
\set VERBOSITY sqlstate
SELECT * FROM idgen_check_identity('check_orders', 'id', 'mastodon');
\set VERBOSITY default
SELECT count(*) FROM idgen_check_identity(NULL, 'id');
SELECT count(*) FROM idgen_check_identity('check_orders', NULL);
SELECT count(*) FROM idgen_check_identity('check_orders', 'id', NULL);
SELECT count(*) FROM idgen_check_identity('check_orders', 'id', since => NULL);

SET client_min_messages = warning;
DROP SCHEMA check_hostile, "check "" schema" CASCADE;
DROP VIEW check_view;
DROP SEQUENCE check_sequence;
DROP TABLE check_orders, check_numbers, check_shards, check_heirs, check_many, check_t;
DROP ROLE regress_idgen_check;
SELECT idgen_drop_layout('check_shard');

-- Partitions of the time ahead, and old ones. (What is made and refused: partitions.sql.)
\set SHOW_CONTEXT never
\set VERBOSITY default
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE EXTENSION idgen_tools;
CREATE SCHEMA parts;
SET search_path = parts, public;

-- The step is that of the last partition; the lead of IDs counts.
CREATE TABLE visits (id bigint DEFAULT snowflake_nextval() PRIMARY KEY) PARTITION BY RANGE (id);
CALL idgen_maintain_partitions('visits', ahead => '40 days', as_of => '2026-11-26Z');
CALL idgen_maintain_partitions('visits', ahead => '40 days', step => '1 month', as_of => '2026-11-26Z');
CALL idgen_maintain_partitions('visits', ahead => '40 days', as_of => '2026-11-26Z');
CALL idgen_maintain_partitions('visits', ahead => '0', as_of => '2027-01-31 23:59:50Z');
CALL idgen_maintain_partitions('visits', ahead => '0', as_of => '2027-02-28 23:59:49.9Z');
SET idgen.max_clock_lead = '1h';
CALL idgen_maintain_partitions('visits', ahead => '0', as_of => '2027-02-28 23:00:00Z');
RESET idgen.max_clock_lead;
-- By the clock.
SET client_min_messages = warning;
CALL idgen_maintain_partitions('visits', ahead => '0');
RESET client_min_messages;
SELECT count(*) FROM idgen_partitions WHERE parent = 'visits'::regclass AND clock_timestamp() BETWEEN from_ts AND to_ts;
INSERT INTO visits DEFAULT VALUES;
-- The settings are the session's again.
SHOW search_path;
SHOW lock_timeout;

-- Old ones are detached, or dropped; nothing is detached because of a part of it.
CREATE TABLE aged (id bigint DEFAULT snowflake_nextval() PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE aged_first PARTITION OF aged FOR VALUES FROM (MINVALUE) TO (snowflake_min_id('2026-01-01Z'));
SELECT count(*) FROM idgen_create_partitions('aged', '2026-01-01Z', '2026-12-01Z', '1 month');
INSERT INTO aged SELECT snowflake_min_id(ts) FROM generate_series('2025-12-01Z'::timestamptz, '2026-11-01Z', '1 month') ts;
CALL idgen_maintain_partitions('aged', ahead => '1 day', keep => '8 months', as_of => '2026-11-01 00:00:00Z');
CALL idgen_maintain_partitions('aged', ahead => '1 day', keep => '8 months', as_of => '2026-11-30 23:59:59.999Z');
CALL idgen_maintain_partitions('aged', ahead => '1 day', keep => '8 months', as_of => '2026-12-01 00:00:00Z', drop_old => true);
SELECT partition, from_ts FROM idgen_partitions WHERE parent = 'aged'::regclass;
SELECT to_regclass('aged_2026_02') AS kept, (SELECT count(*) FROM aged_first) AS rows, to_regclass('aged_2026_03') AS dropped;
-- Before the layout began there was nothing.
CALL idgen_maintain_partitions('aged', ahead => '1 day', keep => '20 years', as_of => '2026-12-01Z');
-- Rows that are referred to stay, and the rest of the work is done.
CREATE TABLE refers (id bigint REFERENCES aged);
INSERT INTO refers SELECT snowflake_min_id('2026-05-01Z');
\set VERBOSITY sqlstate
CALL idgen_maintain_partitions('aged', ahead => '2 months', keep => '1 month', as_of => '2026-12-01Z');
\set VERBOSITY default
SELECT count(*) FROM idgen_partitions WHERE parent = 'aged'::regclass;
DROP TABLE refers;
-- A name that is taken does no harm to what was detached.
SET client_min_messages = warning;
DO $$ BEGIN
  PERFORM idgen_create_partitions('aged', '2026-02-01Z', '2026-03-01Z', '1 month');
EXCEPTION WHEN duplicate_table THEN RAISE WARNING '%', SQLERRM;
END $$;
RESET client_min_messages;

-- Rows in the default partition are told of, and do not keep the other partitions from being made.
CREATE TABLE strays (id bigint DEFAULT snowflake_nextval() PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE strays_default PARTITION OF strays DEFAULT;
SELECT count(*) FROM idgen_create_partitions('strays', '2026-11-01Z', '2026-12-01Z', '1 month');
INSERT INTO strays SELECT snowflake_min_id('2026-12-24Z') + n FROM generate_series(1, 1500) n;
CALL idgen_maintain_partitions('strays', ahead => '2 months', as_of => '2026-11-26Z');
SELECT partition, from_ts FROM idgen_partitions WHERE parent = 'strays'::regclass;
SELECT partition, created, moved FROM idgen_create_partitions('strays', '2026-12-01Z', '2027-01-01Z', '1 month', move_default => true);
CALL idgen_maintain_partitions('strays', ahead => '2 months', as_of => '2026-11-26Z');
INSERT INTO strays VALUES (1), (2);
CALL idgen_maintain_partitions('strays', ahead => '2 months', as_of => '2026-11-26Z');

-- Steps: told from the last partition, whatever its layout; another one goes on where the old one ends.
CREATE FUNCTION step_of(time_zone text, step interval, key_type text, layout text) RETURNS interval LANGUAGE plpgsql AS $$
DECLARE scheme text := CASE key_type WHEN 'bigint' THEN idgen_tools_layout_scheme(layout) ELSE layout END;
BEGIN
  EXECUTE format('CREATE TABLE s (id %s) PARTITION BY RANGE (id)', key_type);
  PERFORM idgen_create_partitions('s', '2026-03-29 12:00Z', '2026-03-29 12:00:01Z', step, time_zone, layout);
  step := idgen_tools_last_step('s'::regclass, scheme, time_zone);
  DROP TABLE s;
  RETURN step;
END $$;
SELECT s AS step, array_agg(DISTINCT step_of(z, s, k, l)) AS told
FROM unnest('{1 hour,2 hours,12 hours,1 day,7 days,1 month,2 months,3 months,6 months,1 year,2 years}'::interval[]) s,
     (VALUES ('UTC', 'bigint', 'snowflake'), ('UTC', 'uuid', 'ulid'), ('Europe/Berlin', 'bigint', 'sonyflake')) v(z, k, l)
WHERE s >= '1 day' OR z = 'UTC' GROUP BY s ORDER BY s;
SELECT step_of('Europe/Berlin', '1 month', 'bigint', 'timestamp:41, sequence:10, tick:7ms, epoch:2020-01-01T00:00:00.003Z');
CREATE TABLE mixed (id bigint DEFAULT snowflake_nextval()) PARTITION BY RANGE (id);
SELECT count(*) FROM idgen_create_partitions('mixed', '2026-11-01Z', '2026-12-01Z', '1 month');
CALL idgen_maintain_partitions('mixed', ahead => '6 days', step => '1 day', as_of => '2026-11-26Z');
CALL idgen_maintain_partitions('mixed', ahead => '6 days', step => '1 month', as_of => '2026-11-27Z');
CALL idgen_maintain_partitions('mixed', ahead => '6 days', step => '1 week', as_of => '2026-11-27Z');
-- A layout that ends, and one that has ended.
SELECT idgen_create_layout('parts_short', 'timestamp:32, sequence:16', '1 ms', '2025-11-15Z');
CREATE TABLE short (id bigint DEFAULT idgen_nextval('parts_short')) PARTITION BY RANGE (id);
CALL idgen_maintain_partitions('short', ahead => '1 year', step => '1 month', as_of => '2025-11-20Z');
CALL idgen_maintain_partitions('short', ahead => '1 year', step => '1 month', as_of => '2026-02-20Z', keep => '1 month');

-- What is refused.
CALL idgen_maintain_partitions(NULL, ahead => '1 day');
CALL idgen_maintain_partitions('visits', ahead => NULL);
CALL idgen_maintain_partitions('visits', ahead => '-1 day');
CALL idgen_maintain_partitions('visits', ahead => '1 day', keep => '-1 day');
CALL idgen_maintain_partitions('visits', ahead => '1 day', time_zone => NULL);
CALL idgen_maintain_partitions('visits', ahead => '1 day', time_zone => 'Nowhere');
CALL idgen_maintain_partitions('visits', ahead => '1 day', time_zone => 'Asia/Tokyo');
CALL idgen_maintain_partitions('visits', ahead => '1 day', step => '5 days');
CALL idgen_maintain_partitions('visits', ahead => '1 day', drop_old => NULL);
CALL idgen_maintain_partitions('visits', ahead => '1 day', lock_timeout => NULL);
CALL idgen_maintain_partitions('visits', ahead => '1 day', lock_timeout => '-1 s');
CALL idgen_maintain_partitions('visits', ahead => '1 day', as_of => 'infinity');
CALL idgen_maintain_partitions('visits', ahead => '1000 years', as_of => '2027-01-01Z', step => '1 hour');
BEGIN;
CALL idgen_maintain_partitions('visits', ahead => '1 year');
ROLLBACK;
SET search_path = pg_catalog;
CALL public.idgen_maintain_partitions('parts.visits', ahead => '0', as_of => '2026-11-26Z');
-- Each transaction sees what others have made, whatever is the default.
SET default_transaction_isolation = 'serializable';
CALL public.idgen_maintain_partitions('parts.visits', ahead => '1 month', as_of => '2028-11-26Z');
RESET default_transaction_isolation;

SELECT public.idgen_drop_layout('parts_short');
DROP EXTENSION idgen_tools;
SET client_min_messages = warning;
DROP SCHEMA parts CASCADE;

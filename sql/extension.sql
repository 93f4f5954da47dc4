-- The extension as an object: what it brings, moving it, dropping and making it again.

-- Every function, and how the planner may treat it.
SELECT p.oid::regprocedure AS function,
       CASE provolatile WHEN 'i' THEN 'immutable' WHEN 'v' THEN 'volatile' ELSE 'stable' END AS volatility,
       CASE proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
       proisstrict AS strict,
       coalesce(has_function_privilege('pg_monitor', p.oid, 'EXECUTE'), false) AS everybody
FROM pg_depend d
JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'idgen' AND d.deptype = 'e'
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- Every function has a comment.
SELECT p.oid::regprocedure AS without_comment
FROM pg_depend d
JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'idgen' AND obj_description(p.oid, 'pg_proc') IS NULL;

-- The high-water mark is part of a dump, and so is the hold.
SELECT array_agg(relation::regclass ORDER BY relation::regclass::text) AS dumped
FROM pg_extension, unnest(extconfig) relation WHERE extname = 'idgen';

-- Moved to another schema while a session uses it.
SELECT snowflake_nextval() AS before \gset
CREATE SCHEMA elsewhere;
ALTER EXTENSION idgen SET SCHEMA elsewhere;
\set VERBOSITY sqlstate
SELECT snowflake_nextval();
\set VERBOSITY default
SELECT elsewhere.snowflake_nextval() > :before AS goes_on;
SELECT count(elsewhere.snowflake_nextval()) FROM generate_series(1, 10000);
ALTER EXTENSION idgen SET SCHEMA public;
DROP SCHEMA elsewhere;

-- Made in a transaction that is rolled back, used inside it; then made again.
SELECT snowflake_nextval() AS before \gset
DROP EXTENSION idgen;
\set VERBOSITY sqlstate
SELECT snowflake_nextval();
\set VERBOSITY default
BEGIN;
CREATE EXTENSION idgen;
SELECT snowflake_nextval() > :before AS goes_on;
ROLLBACK;
CREATE EXTENSION idgen;
SELECT snowflake_nextval() > :before AS goes_on;
-- The new sequence takes over what the server knows.
SELECT to_timestamp(last_value / 1000.0) > clock_timestamp() AS ahead_of_the_clock
FROM idgen_high_water_mark;

-- Functions of somebody else that were there first are not what the views call.
DROP EXTENSION idgen;
CREATE FUNCTION idgen_get_layouts() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION idgen_get_layouts(int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION idgen_get_layouts(anyelement) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION idgen_get_layouts(record) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION idgen_get_layouts(VARIADIC text[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION idgen_get_generators() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION idgen_get_generators(int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION idgen_get_generators(anycompatible, int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE EXTENSION idgen;
SELECT count(*) > 15 AS layouts FROM idgen_layouts;
SELECT count(*) > 10 AS generators FROM idgen_generators;
DROP FUNCTION idgen_get_layouts(), idgen_get_layouts(int), idgen_get_layouts(anyelement),
  idgen_get_layouts(record), idgen_get_layouts(text[]), idgen_get_generators(),
  idgen_get_generators(int), idgen_get_generators(anycompatible, int);

-- Somebody sets the mark back: the next session writes it anew.
SELECT setval('idgen_high_water_mark', 5) AS set_back;
\c -
SELECT snowflake_nextval() > :before AS goes_on;
SELECT to_timestamp(last_value / 1000.0) > clock_timestamp() - interval '1 min' AS written_anew
FROM idgen_high_water_mark;
ALTER SEQUENCE idgen_high_water_mark RESTART;
SELECT snowflake_nextval() > :before AS goes_on;
SELECT to_timestamp(last_value / 1000.0) > clock_timestamp() - interval '1 min' AS written_anew
FROM idgen_high_water_mark;

-- A mark that would not survive a crash is refused.
ALTER SEQUENCE idgen_high_water_mark SET UNLOGGED;
SELECT snowflake_nextval();
ALTER SEQUENCE idgen_high_water_mark SET LOGGED;
SELECT snowflake_nextval() > :before AS goes_on;

-- An ordinary role makes and reads IDs, and does no more.
CREATE ROLE regress_idgen_user;
SET ROLE regress_idgen_user;
SELECT snowflake_nextval() > :before AS may_generate, snowflake_machine(0) AS may_decode;
SELECT idgen_observe('snowflake', 1);
SELECT setval('idgen_high_water_mark', 1);
SET idgen.machine_id = 1;
SET idgen.clock_regression = lead;
SET idgen.max_clock_lead = '1h';
SET idgen.reserve_window = '1h';
SET idgen.max_clock_wait = '1s';
SET idgen.shard_id = 5;
SET idgen.block_size = 10;
RESET ROLE;
DROP ROLE regress_idgen_user;

-- Who may do what, and that nobody's objects are called by idgen's own code, whatever stands
-- first in search_path.
SET client_min_messages = warning;
CREATE ROLE regress_idgen_user;
CREATE ROLE regress_idgen_designer;
CREATE ROLE regress_idgen_operator;
CREATE ROLE regress_idgen_attacker;
CREATE ROLE regress_idgen_app;
GRANT CREATE ON SCHEMA public TO regress_idgen_user;

-- What there is, and what of it an ordinary role may not use --------------------------------

CREATE VIEW public.regress_members AS
  SELECT classid, objid FROM pg_depend
  WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'idgen');
SELECT objid::regprocedure AS not_for_everybody FROM regress_members
WHERE classid = 'pg_proc'::regclass AND NOT has_function_privilege('regress_idgen_user', objid, 'EXECUTE')
ORDER BY objid::regprocedure::text COLLATE "C";
SELECT objid::regprocedure AS with_the_owners_rights FROM regress_members
JOIN pg_proc ON pg_proc.oid = objid AND classid = 'pg_proc'::regclass WHERE prosecdef;
SELECT relkind, relname,
       has_table_privilege('regress_idgen_user', oid, 'SELECT') AS may_read,
       has_table_privilege('regress_idgen_user', oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') AS may_write,
       relkind = 'S' AND has_sequence_privilege('regress_idgen_user', oid, 'USAGE, UPDATE') AS may_call_nextval
FROM regress_members JOIN pg_class ON pg_class.oid = objid AND classid = 'pg_class'::regclass
ORDER BY relkind, relname;
SELECT fdwname, has_foreign_data_wrapper_privilege('regress_idgen_user', fdwname, 'USAGE') AS may_create
FROM pg_foreign_data_wrapper WHERE fdwname LIKE 'idgen%' ORDER BY fdwname;
-- The settings are there once the module is.
SELECT snowflake_machine(0);
SELECT name, context FROM pg_settings WHERE name LIKE 'idgen.%' ORDER BY name;

-- An ordinary role --------------------------------------------------------------------------

SELECT idgen_create_layout('regress_access', 'timestamp:41, machine:8, shard:4, sequence:10');
SELECT idgen_create_generator('regress_access_7', 'regress_access', machine_id => 7);
SET ROLE regress_idgen_user;
\set VERBOSITY sqlstate

-- makes and reads IDs of everything,
SELECT snowflake_nextval() IS NOT NULL AND instagram_nextval(1) IS NOT NULL
   AND instagram_nextval_for('x', 5) IS NOT NULL AND idgen_nextval('tsid') IS NOT NULL
   AND idgen_nextval('regress_access', 3) IS NOT NULL AND idgen_nextval('regress_access_7', 3) IS NOT NULL
   AND idgen_reserve('snowflake', 10) IS NOT NULL AND idgen_currval('tsid') IS NOT NULL
   AND snowflake_currval() IS NOT NULL AS may_make;
SELECT count(*) FROM snowflake_nextval_batch(3), idgen_nextval_batch('regress_access', 2, 1);
SELECT snowflake_machine(0), instagram_shard(0), idgen_timestamp(0, 'regress_access') IS NOT NULL AS may_read,
       idgen_shard('x', 4) IS NOT NULL AS may_shard, idgen_decode(idgen_encode(5, 'hex'), 'hex');
SELECT count(*) > 10 AS sees_layouts FROM idgen_layouts;
SELECT count(*) > 10 AS sees_generators FROM idgen_generators;
SELECT has_table_privilege('pg_foreign_server', 'SELECT') AS sees_the_catalog;

-- sets what concerns the session,
SET idgen.shard_id = 2;
SET idgen.block_size = 16;
SET idgen.max_clock_wait = '3s';
SELECT instagram_shard(instagram_nextval());
ALTER ROLE CURRENT_USER SET idgen.shard_id = 3;
ALTER ROLE CURRENT_USER RESET idgen.shard_id;
RESET idgen.shard_id;
RESET idgen.block_size;
RESET idgen.max_clock_wait;

-- checks its own tables,
CREATE TABLE public.regress_own (id bigint PRIMARY KEY DEFAULT snowflake_nextval());
INSERT INTO public.regress_own SELECT FROM generate_series(1, 3);
SELECT ids, own FROM idgen_check_identity('public.regress_own', 'id');

-- and no more: no setting that concerns others,
SET idgen.datacenter_id = 1;
SET idgen.machine_id = 1;
SET idgen.clock_regression = lead;
SET idgen.max_clock_lead = '1h';
SET idgen.reserve_window = '1h';
SELECT set_config('idgen.machine_id', '1', true);
ALTER ROLE CURRENT_USER SET idgen.machine_id = 1;
ALTER SYSTEM SET idgen.shard_id = 1;
UPDATE pg_settings SET setting = 1 WHERE name = 'idgen.machine_id';
-- no moving of IDs,
SELECT idgen_observe('snowflake', 1);
SELECT idgen_observe('regress_access', 1);
SELECT idgen_start_over(9);
SELECT idgen_accept_clock();
-- a look at the mark, which pg_dump has too, but no hand on it,
SELECT last_value >= 0 AS shown FROM idgen_high_water_mark;
SELECT mark_ms >= 0 AS shown FROM idgen_get_mark();
SELECT count(*) FROM idgen_restore;
SELECT nextval('idgen_high_water_mark');
SELECT setval('idgen_high_water_mark', 1);
INSERT INTO idgen_restore VALUES ('1');
TRUNCATE idgen_restore;
BEGIN; LOCK TABLE idgen_restore IN ACCESS EXCLUSIVE MODE; ROLLBACK;
SELECT idgen_restore_mark();
ALTER SEQUENCE idgen_high_water_mark RESTART;
ALTER SEQUENCE idgen_high_water_mark RENAME TO mark;
DROP SEQUENCE idgen_high_water_mark;
SELECT last_value >= 0 AS shown FROM pg_sequences WHERE sequencename = 'idgen_high_water_mark';
-- no layouts and generators, by whichever way,
SELECT idgen_create_layout('theirs', 'timestamp:41, sequence:10');
SELECT idgen_create_generator('theirs', 'snowflake', machine_id => 3);
SELECT idgen_alter_generator('regress_access_7', machine_id => 8);
SELECT idgen_drop_generator('regress_access_7');
SELECT idgen_drop_layout('regress_access');
CREATE SERVER idgen_theirs FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake', machine_id '3');
ALTER SERVER idgen_regress_access_7 OPTIONS (SET machine_id '8');
ALTER SERVER idgen_regress_access_7 OWNER TO regress_idgen_user;
DROP SERVER idgen_regress_access_7;
ALTER FOREIGN DATA WRAPPER idgen NO VALIDATOR;
CREATE FOREIGN TABLE public.theirs (id bigint) SERVER idgen_regress_access;
-- no check of tables that it may not read,
RESET ROLE;
CREATE TABLE public.regress_secret (id bigint);
INSERT INTO public.regress_secret VALUES (snowflake_nextval());
SET ROLE regress_idgen_user;
SELECT * FROM idgen_check_identity('public.regress_secret', 'id');
-- and nothing of the extension itself.
CREATE OR REPLACE FUNCTION snowflake_nextval() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE OR REPLACE VIEW idgen_layouts AS SELECT 1;
ALTER EXTENSION idgen SET SCHEMA pg_temp;
DROP EXTENSION idgen;
CREATE FUNCTION public.regress_hijack() RETURNS bigint LANGUAGE c AS '$libdir/idgen', 'idgen_observe';
RESET ROLE;

-- A setting that is granted ------------------------------------------------------------------

GRANT SET ON PARAMETER idgen.machine_id, idgen.max_clock_lead TO regress_idgen_operator;
GRANT EXECUTE ON FUNCTION idgen_observe(text, bigint) TO regress_idgen_operator;
SET ROLE regress_idgen_operator;
SET idgen.machine_id = 30;
SELECT snowflake_machine(snowflake_nextval());
SET idgen.max_clock_lead = '11s';
SET idgen.clock_regression = lead;
SELECT idgen_observe('snowflake', snowflake_nextval()) IS NOT NULL AS may_observe;
ALTER ROLE CURRENT_USER SET idgen.machine_id = 29;
ALTER ROLE CURRENT_USER RESET idgen.machine_id;
RESET idgen.machine_id;
RESET idgen.max_clock_lead;
RESET ROLE;
REVOKE SET ON PARAMETER idgen.machine_id, idgen.max_clock_lead FROM regress_idgen_operator;
REVOKE EXECUTE ON FUNCTION idgen_observe(text, bigint) FROM regress_idgen_operator;
SET ROLE regress_idgen_operator;
SET idgen.machine_id = 30;
SELECT idgen_observe('snowflake', 1);
RESET ROLE;

-- USAGE on a wrapper: its owner's layouts and generators, and nobody else's ------------------

GRANT USAGE ON FOREIGN DATA WRAPPER idgen TO regress_idgen_designer;
SET ROLE regress_idgen_designer;
SELECT idgen_create_layout('regress_designed', 'timestamp:41, machine:10, sequence:12');
SELECT idgen_drop_layout('regress_access');
SELECT idgen_create_generator('regress_designed_1', 'regress_designed', machine_id => 1);
SELECT idgen_alter_generator('regress_designed_1', machine_id => 2);
SELECT idgen_alter_generator('regress_access_7', machine_id => 2);
SELECT idgen_drop_generator('regress_access_7');
RESET ROLE;
SELECT layout, owner = 'regress_idgen_designer'::regrole AS theirs FROM idgen_layouts WHERE owner IS NOT NULL ORDER BY layout;
SELECT generator, machine_id, owner FROM idgen_generators WHERE generator LIKE '%\_1' ORDER BY generator;
-- A server of another wrapper is no layout and no generator.
CREATE FOREIGN DATA WRAPPER regress_idgen_other;
CREATE SERVER idgen_squat TYPE 'generator' FOREIGN DATA WRAPPER regress_idgen_other OPTIONS (layout 'snowflake');
SELECT idgen_nextval('squat');
SELECT idgen_timestamp(5, 'squat');
SELECT count(*) AS squatters FROM idgen_generators WHERE generator = 'squat';
DROP FOREIGN DATA WRAPPER regress_idgen_other CASCADE;
-- What was made stays its owner's when the right to make more is gone.
REVOKE USAGE ON FOREIGN DATA WRAPPER idgen FROM regress_idgen_designer;
SET ROLE regress_idgen_designer;
SELECT idgen_create_layout('regress_designed_too', 'timestamp:41, sequence:12');
SELECT idgen_drop_generator('regress_designed_1');
SELECT idgen_drop_layout('regress_designed');
RESET ROLE;

-- Defaults, and REVOKE ------------------------------------------------------------------------

-- What makes IDs, all of it: a REVOKE of one leaves the others.
CREATE VIEW public.regress_makers AS
  SELECT objid, objid::regprocedure AS maker FROM regress_members
  WHERE classid = 'pg_proc'::regclass AND objid::regprocedure::text ~ '_(nextval|reserve|segment|tick|now)|(?<!_min|_max)_id(_for)?\(|lamport_observe';
SELECT maker FROM regress_makers ORDER BY maker::text COLLATE "C";
SELECT 'REVOKE EXECUTE ON FUNCTION ' || string_agg(maker::text, ', ' ORDER BY maker::text COLLATE "C") || ' FROM PUBLIC'
  AS statement FROM regress_makers \gset
:statement;
SELECT maker AS still_there FROM regress_makers WHERE has_function_privilege('regress_idgen_user', objid, 'EXECUTE');
SET ROLE regress_idgen_user;
SELECT snowflake_nextval();
SELECT count(*) FROM snowflake_nextval_batch(2);
SELECT instagram_nextval();
SELECT instagram_nextval(1);
SELECT instagram_nextval_for('x', 2);
SELECT idgen_nextval('snowflake');
SELECT idgen_nextval('instagram', 1);
SELECT count(*) FROM idgen_nextval_batch('snowflake', 2);
SELECT count(*) FROM idgen_nextval_batch('instagram', 2, 1);
SELECT snowflake_nextval_array(2);
SELECT idgen_nextval_array('snowflake', 2);
SELECT idgen_nextval_array('instagram', 2, 1);
SELECT idgen_reserve('snowflake', 2);
SELECT uuidv7_nextval();
SELECT snowflake_id();
SELECT idgen_id('snowflake');
SELECT count(*) FROM ulid_nextval_batch(2);
SELECT snowflake_machine(0) AS may_still_read;
-- A default is evaluated with the rights of who inserts, not of who owns the table.
INSERT INTO public.regress_own DEFAULT VALUES;
INSERT INTO public.regress_own VALUES (1);
RESET ROLE;
GRANT EXECUTE ON FUNCTION snowflake_nextval() TO regress_idgen_user;
GRANT USAGE ON SCHEMA public TO regress_idgen_app;
SET ROLE regress_idgen_user;
INSERT INTO public.regress_own DEFAULT VALUES;
GRANT INSERT ON public.regress_own TO regress_idgen_app;
-- A function lends its owner's rights.
CREATE FUNCTION public.regress_add() RETURNS boolean LANGUAGE sql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
  AS 'INSERT INTO public.regress_own DEFAULT VALUES RETURNING id IS NOT NULL';
SET ROLE regress_idgen_app;
INSERT INTO public.regress_own DEFAULT VALUES;
SELECT public.regress_add() AS lent;
RESET ROLE;
-- A prepared statement does not outlive a REVOKE.
SET ROLE regress_idgen_user;
PREPARE make AS SELECT snowflake_nextval() IS NOT NULL AS made;
EXECUTE make;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION snowflake_nextval() FROM regress_idgen_user;
SET ROLE regress_idgen_user;
EXECUTE make;
DEALLOCATE make;
RESET ROLE;
GRANT EXECUTE ON FUNCTION snowflake_nextval(), snowflake_nextval_batch(int), snowflake_nextval_array(int),
  instagram_nextval(), instagram_nextval(int), instagram_nextval_for(text, int),
  idgen_nextval(text), idgen_nextval(text, int),
  idgen_nextval_batch(text, int), idgen_nextval_batch(text, int, int),
  idgen_nextval_array(text, int), idgen_nextval_array(text, int, int), idgen_reserve(text, int),
  ticket_nextval(regclass), ticket_nextval_batch(regclass, int), ticket_nextval_array(regclass, int),
  ticket_reserve(regclass, int), lamport_tick(regclass), lamport_observe(regclass, bigint)
TO PUBLIC;

SELECT idgen_drop_generator('regress_access_7');
SELECT idgen_drop_layout('regress_access');

-- Traps ------------------------------------------------------------------------------------------

-- A schema of operators, functions, aggregates, types and tables that are named as PostgreSQL's,
-- and end the statement that calls them.
GRANT CREATE ON DATABASE :"DBNAME" TO regress_idgen_attacker;
SET ROLE regress_idgen_attacker;
CREATE SCHEMA regress_idgen_trap;
CREATE FUNCTION regress_idgen_trap.spring() RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'SPRNG'; END $$;
DO $$
DECLARE
  made record;
  number int := 0;
BEGIN
  -- Every binary operator that the queries could want, and those that would fit better.
  FOR made IN
    SELECT DISTINCT name, l, r, result FROM (
      SELECT oprname::text AS name, oprleft::regtype::text AS l, oprright::regtype::text AS r,
             oprresult::regtype::text AS result
      FROM pg_operator
      WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b' AND oprcode <> 0
        AND oprname IN ('=', '<>', '<', '<=', '>', '>=', '&', '|', '||', '+', '-', '*', '/', '%', '~', '~~')
        AND oprleft <> 'record'::regtype AND oprright <> 'record'::regtype
      UNION ALL
      SELECT name, l, r, CASE WHEN name IN ('+', '-', '*', '/', '&') THEN l WHEN name = '||' THEN 'text' ELSE 'boolean' END
      FROM unnest(ARRAY['=', '<>', '<', '<=', '>', '>=', '&', '||', '+', '-', '*', '/']) AS name,
           unnest(ARRAY['integer', 'bigint', 'numeric', 'text', 'oid', 'double precision']) AS l,
           unnest(ARRAY['integer', 'bigint', 'numeric', 'text', 'oid', 'regclass', '"char"']) AS r
      WHERE NOT EXISTS (SELECT FROM pg_operator
                        WHERE oprname = name AND oprleft = l::regtype AND oprright = r::regtype)
    ) AS wanted
  LOOP
    CONTINUE WHEN 'any' IN (left(made.result, 3), left(made.l, 3), left(made.r, 3));
    number := number + 1;
    EXECUTE format('CREATE FUNCTION regress_idgen_trap.operate_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS
      $f$ BEGIN RAISE EXCEPTION USING ERRCODE = ''SPRNG''; END $f$', number, made.l, made.r, made.result);
    EXECUTE format('CREATE OPERATOR regress_idgen_trap.%s (LEFTARG = %s, RIGHTARG = %s,
      FUNCTION = regress_idgen_trap.operate_%s)', made.name, made.l, made.r, number);
  END LOOP;

  -- The functions.
  FOR made IN
    SELECT proname::text AS name, pg_get_function_identity_arguments(oid) AS arguments,
           pg_get_function_result(oid) AS result
    FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND provariadic = 0
      AND NOT EXISTS (SELECT FROM unnest(proargtypes) a JOIN pg_type t ON t.oid = a WHERE t.typtype = 'p')
      AND (proname IN ('quote_literal', 'quote_ident', 'strpos', 'round', 'trim_scale', 'clock_timestamp', 'now',
                       'extract', 'date_part', 'lower', 'replace', 'format_type', 'setval', 'nextval', 'currval',
                       'set_config', 'current_setting', 'pg_describe_object', 'regclass', 'int8', 'numeric', 'text')
           OR proname LIKE 'pg\_get\_%' OR proname LIKE 'pg\_xact\_%' OR proname LIKE 'int8%' OR proname LIKE 'numeric%')
      AND pg_get_function_result(oid) !~ '^(TABLE|SETOF)' AND proargmodes IS NULL
      AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = prorettype AND t.typtype = 'p')
  LOOP
    EXECUTE format('CREATE FUNCTION regress_idgen_trap.%I(%s) RETURNS %s LANGUAGE plpgsql AS
      $f$ BEGIN RAISE EXCEPTION USING ERRCODE = ''SPRNG''; END $f$', made.name, made.arguments, made.result);
  END LOOP;
END $$;
CREATE FUNCTION regress_idgen_trap.concat(text, text) RETURNS text LANGUAGE sql AS 'SELECT regress_idgen_trap.spring()::text';
CREATE FUNCTION regress_idgen_trap.coalesce(text, text) RETURNS text LANGUAGE sql AS 'SELECT regress_idgen_trap.spring()::text';
CREATE FUNCTION regress_idgen_trap.unnest(bigint[]) RETURNS SETOF bigint LANGUAGE sql AS 'SELECT regress_idgen_trap.spring()::bigint';
CREATE FUNCTION regress_idgen_trap.step(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT regress_idgen_trap.spring()::bigint';
CREATE FUNCTION regress_idgen_trap.step(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT regress_idgen_trap.spring()::bigint';
CREATE AGGREGATE regress_idgen_trap.count(*) (SFUNC = regress_idgen_trap.step, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE regress_idgen_trap.min(bigint) (SFUNC = regress_idgen_trap.step, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE regress_idgen_trap.max(bigint) (SFUNC = regress_idgen_trap.step, STYPE = bigint, INITCOND = '0');
-- What is meant for the callers of idgen.
CREATE FUNCTION regress_idgen_trap.idgen_nextval(varchar) RETURNS bigint LANGUAGE sql AS 'SELECT regress_idgen_trap.spring()::bigint';
CREATE FUNCTION regress_idgen_trap.idgen_timestamp(bigint, varchar) RETURNS timestamptz LANGUAGE sql AS 'SELECT (''now'' || regress_idgen_trap.spring())::timestamptz';
-- Tables, as views that spring.
DO $$
DECLARE
  named text;
BEGIN
  FOREACH named IN ARRAY ARRAY['pg_extension', 'pg_depend', 'pg_class', 'pg_proc', 'pg_type', 'pg_index', 'pg_attrdef',
      'pg_constraint', 'pg_rewrite', 'pg_trigger', 'pg_policy', 'pg_statistic_ext', 'pg_publication_rel',
      'pg_foreign_server', 'pg_foreign_data_wrapper', 'pg_namespace', 'pg_database', 'pg_sequence'] LOOP
    EXECUTE format('CREATE VIEW regress_idgen_trap.%I AS
      SELECT c.*, regress_idgen_trap.spring() AS sprung FROM pg_catalog.%I c', named, named);
  END LOOP;
END $$;
RESET ROLE;
-- The statements of idgen under attack. They have no operator and no unqualified name of their own.
CREATE TABLE public.regress_attacked (n int, statement text);
INSERT INTO public.regress_attacked VALUES
  (1, 'SELECT SCHEMA.snowflake_nextval() IS NOT NULL AS made'),
  (2, 'SELECT SCHEMA.idgen_nextval(''instagram'', 5) IS NOT NULL AS made'),
  (3, 'SELECT FROM SCHEMA.idgen_nextval_batch(''tsid'', 3), SCHEMA.idgen_nextval_array(''tsid'', 3)'),
  (4, 'SELECT SCHEMA.idgen_reserve(''snowflake'', 5) IS NOT NULL AS made'),
  (5, 'SELECT SCHEMA.idgen_observe(''snowflake'', SCHEMA.snowflake_nextval()) IS NOT NULL AS observed'),
  (6, 'SELECT SCHEMA.idgen_create_layout(''trapped'', ''timestamp:41, machine:6, sequence:12'') IS NOT NULL AS made'),
  (7, 'SELECT SCHEMA.idgen_create_generator(''trapped_1'', ''trapped'', machine_id => 1) IS NOT NULL AS made'),
  (8, 'SELECT SCHEMA.idgen_alter_generator(''trapped_1'', machine_id => 2) IS NOT NULL AS altered'),
  (9, 'SELECT SCHEMA.idgen_nextval(''trapped_1'') IS NOT NULL AS made'),
  (10, 'CREATE TABLE regress_idgen_mine.users (id bigint DEFAULT SCHEMA.idgen_nextval(''trapped_1''),
         made_at timestamptz GENERATED ALWAYS AS (SCHEMA.idgen_timestamp(id, ''trapped''::SCHEMA.idgen_layout)) STORED)'),
  (11, 'CREATE INDEX users_made_at ON regress_idgen_mine.users (SCHEMA.idgen_timestamp(id, ''trapped''::SCHEMA.idgen_layout))'),
  (12, 'INSERT INTO regress_idgen_mine.users DEFAULT VALUES'),
  (13, 'SELECT own FROM SCHEMA.idgen_check_identity(''regress_idgen_mine.users'', ''id'', ''trapped_1'')'),
  (16, 'DROP TABLE regress_idgen_mine.users'),
  (17, 'SELECT life_used IS NOT NULL AS listed FROM SCHEMA.idgen_layouts LIMIT 1'),
  (18, 'SELECT ids_per_second IS NOT NULL AS listed FROM SCHEMA.idgen_layouts LIMIT 1'),
  (19, 'SELECT owner IS NULL AS listed FROM SCHEMA.idgen_generators LIMIT 1'),
  (20, 'SELECT SCHEMA.idgen_drop_generator(''trapped_1'') IS NOT NULL AS dropped'),
  (21, 'SELECT SCHEMA.idgen_drop_layout(''trapped'') IS NOT NULL AS dropped'),
  (22, 'SELECT machine_id FROM SCHEMA.snowflake_parse(0)'),
  (23, 'SELECT SCHEMA.idgen_inspect(5, ''tsid'') IS NOT NULL AND SCHEMA.idgen_inspect_json(5) IS NOT NULL AS shown'),
  (24, 'SELECT SCHEMA.idgen_decode(SCHEMA.idgen_encode(5, ''base62''), ''base62'') AS five'),
  (30, 'SELECT SCHEMA.hlc_observe(SCHEMA.hlc_from_text(SCHEMA.hlc_to_text(SCHEMA.hlc_now()))) IS NOT NULL AS observed'),
  (31, 'SELECT SCHEMA.vclock_compare(SCHEMA.vclock_increment(''{"a": 1}'', ''a''), SCHEMA.vclock_merge(''{"a": 1}'', ''{"b": 1}'')),
         SCHEMA.vclock_merge_agg(''{"a": 1}'')');
CREATE SCHEMA regress_idgen_mine;
CREATE SCHEMA regress_idgen_home;

-- The traps are set.
\set hostile 'SET search_path = regress_idgen_trap, pg_temp, pg_catalog, public'
BEGIN;
:hostile;
SAVEPOINT s;
SELECT 1::bigint >= 1::bigint;
ROLLBACK TO s;
SELECT 'pg_class'::regclass = 1::oid;
ROLLBACK TO s;
SELECT quote_literal('x'::text);
ROLLBACK TO s;
SELECT count(*) FROM (VALUES (1)) v;
ROLLBACK TO s;
SELECT extname FROM pg_extension;
ROLLBACK TO s;
SELECT ids / 2::numeric FROM (VALUES (5::bigint)) v(ids);
ROLLBACK TO s;
SELECT idgen_nextval('snowflake'::varchar);
ROLLBACK;

-- And none of them springs: the extension in public,
:hostile;
SELECT pg_catalog.replace(statement, 'SCHEMA', 'public') FROM public.regress_attacked ORDER BY n \gexec
RESET search_path;
-- moved elsewhere,
ALTER EXTENSION idgen SET SCHEMA regress_idgen_home;
:hostile;
SELECT pg_catalog.replace(statement, 'SCHEMA', 'regress_idgen_home') FROM public.regress_attacked ORDER BY n \gexec
RESET search_path;
-- or made in the attacker's own schema, with all of it there before.
DROP VIEW public.regress_makers, public.regress_members;
DROP TABLE public.regress_own CASCADE;
DROP FUNCTION public.regress_add;
DROP EXTENSION idgen;
CREATE EXTENSION idgen SCHEMA regress_idgen_trap;
:hostile;
SELECT pg_catalog.replace(statement, 'SCHEMA', 'regress_idgen_trap') FROM public.regress_attacked ORDER BY n \gexec
RESET search_path;
ALTER EXTENSION idgen SET SCHEMA public;

-- Types and temporary tables of the same names; a temporary table is found first of all.
CREATE TYPE pg_temp.regclass AS ENUM ('trap');
CREATE TYPE pg_temp.text AS ENUM ('trap');
CREATE TYPE pg_temp.oid AS ENUM ('trap');
CREATE TYPE pg_temp.xid AS ENUM ('trap');
CREATE TYPE pg_temp.int8 AS ENUM ('trap');
CREATE TEMP SEQUENCE idgen_high_water_mark;
CREATE TEMP TABLE idgen_restore (trap int);
CREATE TEMP TABLE pg_extension (extname pg_catalog.text, trap int);
CREATE TEMP TABLE pg_depend (trap int);
CREATE TEMP TABLE pg_foreign_server (trap int);
CREATE TEMP VIEW idgen_layouts AS SELECT 'trap'::pg_catalog.text AS layout;
SET search_path = pg_temp, regress_idgen_trap, pg_catalog, public;
SELECT pg_catalog.replace(statement, 'SCHEMA', 'public') FROM public.regress_attacked ORDER BY n \gexec
RESET search_path;
SELECT is_called AS temporary_mark_was_used FROM pg_temp.idgen_high_water_mark;
SELECT last_value > 1000000000000 AS mark_was_used FROM public.idgen_high_water_mark;
DISCARD TEMP;

-- The mark's name in a schema of somebody else's, before the extension's own.
SET ROLE regress_idgen_attacker;
CREATE SEQUENCE regress_idgen_trap.idgen_high_water_mark MINVALUE 0 START 5;
RESET ROLE;
SET search_path = regress_idgen_trap, pg_catalog, public;
\c -
\set VERBOSITY sqlstate
SET client_min_messages = warning;
SET search_path = regress_idgen_trap, pg_catalog, public;
SELECT public.snowflake_nextval() IS NOT NULL AS made;
RESET search_path;
SELECT last_value, is_called FROM regress_idgen_trap.idgen_high_water_mark;

-- Which function a caller's own statement calls is for its search_path to say; what is stored
-- in a default was found once and for all.
CREATE TABLE public.regress_stored (id bigint DEFAULT idgen_nextval('snowflake'));
SET search_path = regress_idgen_trap, public;
INSERT INTO public.regress_stored DEFAULT VALUES RETURNING id IS NOT NULL AS made;
RESET search_path;

-- Names that are pieces of SQL.
SELECT idgen_create_layout('x"; SELECT spring(); --', 'timestamp:41, sequence:12');
SELECT idgen_create_layout('x'' OR true --', 'timestamp:41, sequence:12');
SELECT idgen_create_generator('x"; SELECT spring(); --', 'snowflake');
SELECT idgen_create_generator('fine', 'x'' OR true --');
SELECT idgen_drop_layout('x'' OR true --');
CREATE SCHEMA "regress_idgen ""; x";
CREATE TABLE "regress_idgen ""; x"."t"" WHERE regress_idgen_trap.spring() > 0 --" (
  "id"" OR regress_idgen_trap.spring() > 0 --" bigint DEFAULT snowflake_nextval());
INSERT INTO "regress_idgen ""; x"."t"" WHERE regress_idgen_trap.spring() > 0 --" DEFAULT VALUES;
SELECT ids, own FROM idgen_check_identity(
  '"regress_idgen ""; x"."t"" WHERE regress_idgen_trap.spring() > 0 --"',
  'id" OR regress_idgen_trap.spring() > 0 --');
-- A column that is named as the query's own table.
CREATE TABLE public.regress_t (t bigint DEFAULT snowflake_nextval(), id text DEFAULT 'x');
INSERT INTO public.regress_t DEFAULT VALUES;
SELECT ids, own FROM idgen_check_identity('public.regress_t', 't');
-- With row-level security the caller sees what a query of theirs would.
SET ROLE regress_idgen_attacker;
CREATE TABLE regress_idgen_trap.rows (id bigint DEFAULT public.snowflake_nextval(), of_role name DEFAULT current_user);
ALTER TABLE regress_idgen_trap.rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON regress_idgen_trap.rows USING (of_role = current_user);
GRANT USAGE ON SCHEMA regress_idgen_trap TO regress_idgen_user;
GRANT SELECT, INSERT ON regress_idgen_trap.rows TO regress_idgen_user;
INSERT INTO regress_idgen_trap.rows SELECT FROM generate_series(1, 5);
SET ROLE regress_idgen_user;
INSERT INTO regress_idgen_trap.rows SELECT FROM generate_series(1, 2);
SELECT ids, own FROM idgen_check_identity('regress_idgen_trap.rows', 'id');
RESET ROLE;

DROP TABLE public.regress_attacked, public.regress_secret, public.regress_stored, public.regress_t;
DROP SCHEMA regress_idgen_mine, regress_idgen_home, regress_idgen_trap, "regress_idgen ""; x" CASCADE;
REVOKE CREATE ON DATABASE :"DBNAME" FROM regress_idgen_attacker;
REVOKE CREATE ON SCHEMA public FROM regress_idgen_user;
REVOKE USAGE ON SCHEMA public FROM regress_idgen_app;
DROP ROLE regress_idgen_user, regress_idgen_designer, regress_idgen_operator, regress_idgen_attacker, regress_idgen_app;

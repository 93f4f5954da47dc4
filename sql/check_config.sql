-- idgen_check_config(): each finding once there, and gone again.

-- What depends on the machine that runs this test is left out.
CREATE VIEW findings AS
  SELECT severity, topic, message, hint FROM idgen_check_config() WITH ORDINALITY f(severity, topic, message, hint, n)
  WHERE topic <> 'durability' AND message !~ '^(kernel|clock of this machine|idgen is in shared_preload)'
  ORDER BY n;
SELECT * FROM findings;

-- Generators that defaults name.
CREATE SCHEMA "Odd schema";
SELECT idgen_create_generator('check_gone', 'snowflake');
SELECT idgen_create_generator('check_here', 'snowflake', machine_id => 3);
CREATE TABLE "Odd schema"."Odd table" (
  "Id" bigint PRIMARY KEY DEFAULT idgen_nextval('check_gone'),
  twice bigint DEFAULT idgen_nextval('check_here') + idgen_nextval('check_gone', 1),
  never bigint DEFAULT idgen_nextval('it''s'),
  later bigint DEFAULT idgen_nextval(current_setting('no.name')));
CREATE DOMAIN check_key AS bigint DEFAULT idgen_nextval('check_gone');
CREATE TABLE check_parent (id bigint DEFAULT idgen_nextval('check_gone')) PARTITION BY RANGE (id);
CREATE TABLE check_part PARTITION OF check_parent DEFAULT;
CREATE FUNCTION "Odd schema".idgen_nextval(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE TABLE check_other (id bigint DEFAULT "Odd schema".idgen_nextval('no generator') + snowflake_nextval());
CREATE SCHEMA a_public;
CREATE FUNCTION a_public.idgen_nextval(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE TABLE check_both (id bigint DEFAULT a_public.idgen_nextval('no generator') + idgen_nextval('check_here'));
SELECT severity, topic, message FROM findings;
SELECT idgen_drop_generator('check_gone');
SELECT severity, topic, message, hint FROM findings;
DROP SCHEMA "Odd schema" CASCADE;
DROP TABLE check_both;
DROP SCHEMA a_public CASCADE;
DROP DOMAIN check_key;
DROP TABLE check_parent;
SELECT count(*) FROM findings;

-- Types of columns. A layout that is small enough fits into smaller ones.
SELECT idgen_create_generator('check_small', 'timestamp:25, sequence:6, tick:1min, epoch:2024-01-01Z');
SELECT idgen_create_generator('check_middle', 'timestamp:41, machine:4, sequence:8, epoch:2020-01-01Z');
CREATE DOMAIN check_int AS int;
CREATE TABLE check_types (
  wrong1 int DEFAULT snowflake_nextval(),
  wrong2 smallint DEFAULT (instagram_nextval(3))::smallint,
  wrong3 check_int DEFAULT idgen_nextval('check_middle'),
  wrong4 oid DEFAULT snowflake_nextval(),
  wrong5 real DEFAULT idgen_nextval('check_small'),
  wrong6 double precision DEFAULT snowflake_nextval(),
  wrong7 numeric(18, 1) DEFAULT snowflake_nextval(),
  wrong8 varchar(10) DEFAULT snowflake_nextval(),
  wrong9 char(32) DEFAULT uuidv7_nextval(),
  poor1 text DEFAULT snowflake_nextval(),
  poor2 numeric DEFAULT snowflake_nextval(),
  poor3 numeric(20, -1) DEFAULT snowflake_nextval(),
  poor4 double precision DEFAULT idgen_nextval('check_middle'),
  poor5 varchar(36) DEFAULT uuidv4_nextval(),
  poor6 text DEFAULT instagram_nextval_for('a', 3),
  right1 int DEFAULT idgen_nextval('check_small'),
  right2 int DEFAULT (snowflake_nextval() % 1000)::int,
  right3 text DEFAULT idgen_encode(snowflake_nextval(), 'base62'),
  right4 uuid DEFAULT uuidv7_nextval(),
  right5 bigint DEFAULT instagram_nextval(5),
  right6 text DEFAULT 'ID ' || snowflake_nextval(),
  right7 timestamptz DEFAULT snowflake_timestamp(snowflake_nextval()));
CREATE SEQUENCE check_tickets;
ALTER TABLE check_types ADD right8 int DEFAULT ticket_nextval('check_tickets');
SELECT severity, topic, message, hint FROM findings;
DROP TABLE check_types;
DROP SEQUENCE check_tickets;
DROP DOMAIN check_int;
DROP TABLE check_other;
SELECT count(*) FROM findings;

-- Layouts that end. One that nothing uses may have ended.
SELECT idgen_create_layout('check_reading', 'timestamp:10, sequence:8', tick => '1 s', epoch => '2024-01-01Z');
DO $$
DECLARE
  life record;
BEGIN
  FOR life IN SELECT * FROM (VALUES ('check_5', 5), ('check_1', 1), ('check_15', 15), ('check_over', -1)) v(name, years) LOOP
    -- 2^24 minutes are 31.9 years.
    PERFORM idgen_create_generator(life.name, format('timestamp:24, machine:5, sequence:10, tick:1min, epoch:%sZ',
      to_char(now() AT TIME ZONE 'UTC' + make_interval(years => life.years) - 16777216 * interval '1 min', 'YYYY-MM-DD'))::idgen_layout);
  END LOOP;
END $$;
SELECT severity, topic, regexp_replace(message, ' (at) .*', ' \1 ...') AS message, hint FROM findings;
SELECT idgen_drop_generator(n) FROM unnest(ARRAY['check_5', 'check_1', 'check_15', 'check_over']) n;
SELECT idgen_drop_layout('check_reading');

-- The identity of the settings, and blocks.
SET idgen.machine_id = 16;
SELECT severity, topic, message, hint FROM findings;
SET idgen.machine_id = 32;
SET idgen.block_size = 64;
CREATE TABLE check_use (id bigint DEFAULT snowflake_nextval());
SELECT severity, topic, message, hint FROM findings;
DROP TABLE check_use;
RESET idgen.block_size;
RESET idgen.machine_id;
SELECT idgen_drop_generator('check_small');
SELECT idgen_drop_generator('check_middle');
SELECT idgen_drop_generator('check_here');
SELECT count(*) FROM findings;

-- Waits and leads.
SET idgen.max_clock_wait = '500ms';
SELECT severity, topic, message, hint FROM findings;
SET idgen.clock_regression = lead;
SET idgen.max_clock_lead = '2h';
SELECT severity, topic, message, hint FROM findings;
SET idgen.max_clock_lead = '200ms';
SELECT severity, topic, message FROM findings;
SET idgen.clock_regression = error;
SELECT severity, topic, message FROM findings;
SET idgen.reserve_window = '2min';
SELECT severity, topic, message, hint FROM findings;
RESET idgen.max_clock_wait; RESET idgen.max_clock_lead; RESET idgen.clock_regression; RESET idgen.reserve_window;
SELECT count(*) FROM findings;

-- Settings of roles and databases.
CREATE ROLE regress_check;
CREATE ROLE "regress Check";
CREATE TABLE check_use (id bigint DEFAULT snowflake_nextval());
ALTER ROLE regress_check SET idgen.machine_id = 77;
ALTER ROLE regress_check SET idgen.clock_regression = lead;
SELECT current_database() AS here \gset
ALTER ROLE "regress Check" IN DATABASE :"here" SET idgen.datacenter_id = 99;
ALTER DATABASE template1 SET idgen.machine_id = 44;
ALTER DATABASE template1 SET idgen.shard_id = -1;
INSERT INTO pg_db_role_setting
SELECT 0, oid, '{idgen.machne_id=3,IDGEN.max_clock_wait=soon,idgen.registry=etcd://a,search_path=x}' FROM pg_roles WHERE rolname = 'regress Check';
SELECT severity, topic, message, hint FROM findings;
ALTER DATABASE template1 RESET idgen.machine_id;
ALTER DATABASE template1 RESET idgen.shard_id;
DROP ROLE regress_check, "regress Check";
DROP TABLE check_use;
SELECT count(*) FROM findings;

-- What everybody may do.
BEGIN;
GRANT EXECUTE ON FUNCTION idgen_observe(text, bigint), idgen_registry_ban(int, boolean, int, int), hlc_observe(bigint) TO PUBLIC;
GRANT USAGE ON FOREIGN DATA WRAPPER idgen TO PUBLIC;
GRANT SET ON PARAMETER idgen.machine_id TO PUBLIC;
GRANT CREATE ON SCHEMA public TO PUBLIC;
SELECT severity, topic, message, hint FROM findings;
ROLLBACK;

-- The extension itself; a ticket server that is not named; a restore that would fail; a name that is broken.
BEGIN;
UPDATE pg_extension SET extversion = '0.9' WHERE extname = 'idgen';
ALTER TABLE idgen_restore DISABLE TRIGGER idgen_restore_mark;
CREATE SEQUENCE check_segments;
SELECT ticket_attach('check_segments');
SELECT idgen_create_generator('check_broken', 'snowflake');
UPDATE pg_foreign_server SET srvoptions = '{layout=nothing}' WHERE srvname = 'idgen_check_broken';
SELECT severity, topic, message, hint FROM findings;
SET LOCAL idgen.ticket_servers = 'postgresql:///?service=none';
SELECT severity, topic, message FROM findings WHERE topic = 'segments';
ROLLBACK;

-- A mark that is far ahead, and a hold. (Not of this database: the function takes them as arguments.)
SELECT severity, topic, regexp_replace(message, '\d\d\d+\.\d+ s|until .*', '...') AS message
FROM idgen_get_findings(NULL, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + 86400000, 0, NULL) WHERE topic = 'mark';
SELECT severity, topic, regexp_replace(message, '\d\d\d+\.\d+ s|until .*', '...') AS message
FROM (VALUES (9), (0), (NULL)) v(fresh),
     idgen_get_findings(NULL, 0, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + 86400000, fresh) WHERE topic = 'mark';

-- Anybody may call it. Nobody's objects are called by it.
CREATE ROLE regress_check;
SET client_min_messages = error;
CREATE SCHEMA check_trap AUTHORIZATION regress_check;
CREATE FUNCTION check_trap.caught(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE OPERATOR check_trap.= (FUNCTION = check_trap.caught, LEFTARG = oid, RIGHTARG = oid);
CREATE FUNCTION check_trap.lower(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE TEMP TABLE pg_settings (name text);
SET client_min_messages = default;
SET search_path = check_trap, pg_temp, public, pg_catalog;
SELECT severity, topic, message FROM public.findings;
SET SESSION AUTHORIZATION regress_check;
SELECT severity, topic, message, hint FROM idgen_check_config() WHERE topic = 'not checked' AND message ~ 'privileges';
RESET SESSION AUTHORIZATION;
RESET search_path;
DROP SCHEMA check_trap CASCADE;
DROP ROLE regress_check;

-- In a schema whose name needs quoting.
CREATE SCHEMA "Check it";
DROP VIEW findings;
ALTER EXTENSION idgen SET SCHEMA "Check it";
CREATE TABLE check_moved (id int DEFAULT "Check it".snowflake_nextval(), other bigint DEFAULT "Check it".idgen_nextval('nobody'));
SELECT severity, topic, message FROM "Check it".idgen_check_config() WHERE topic IN ('column', 'generator');
ALTER EXTENSION idgen SET SCHEMA public;
DROP TABLE check_moved;
DROP SCHEMA "Check it";

-- The helpers alone.
SELECT idgen_check_setting('idgen.machine_id', '3') IS NULL AS good, idgen_check_setting('work_mem', 'x') IS NULL AS not_ours;
SELECT idgen_check_setting('idgen.block_size', '0');
SELECT count(*) FROM idgen_check_generator(NULL, NULL, NULL, NULL, NULL);
SELECT * FROM idgen_check_generator(NULL, 'snowflke', NULL, NULL, NULL);
SELECT * FROM idgen_check_generator(NULL, 'mastodon', NULL, NULL, NULL);
SELECT severity, topic, message FROM idgen_check_generator(NULL, 'snowflake', 0, -1, 7);

-- Extension idgen_compat: what clients call as nextval(), currval(), lastval() and setval(), for IDs of idgen.
SET client_min_messages = warning;
CREATE ROLE regress_idgen_owner;
CREATE ROLE regress_idgen_user;
CREATE ROLE regress_idgen_none;
GRANT CREATE ON SCHEMA public TO regress_idgen_owner;

-- Somebody who may create schemas cannot prepare one for it. Whoever may create in the database can install it.
CREATE SCHEMA idgen_compat AUTHORIZATION regress_idgen_owner;
-- PostgreSQL 17 and later show a context.
\set SHOW_CONTEXT never
CREATE EXTENSION idgen_compat;
\set SHOW_CONTEXT errors
DROP SCHEMA idgen_compat;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_idgen_owner', current_database()) \gexec
SET ROLE regress_idgen_owner;
CREATE EXTENSION idgen_compat;
CREATE FUNCTION idgen_compat.lower(text) RETURNS text LANGUAGE sql RETURN 'planted';
RESET ROLE;
-- What is in it; nothing runs with rights other than the caller's, and nothing else may be put there.
SELECT p.oid::regprocedure, p.prosecdef, p.proparallel, p.provolatile, p.proacl FROM pg_proc p
WHERE pronamespace = 'idgen_compat'::regnamespace ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT relname, relkind, relacl::text ~ '(^|[{,])=' AS anybody_may FROM pg_class WHERE relnamespace = 'idgen_compat'::regnamespace;
SELECT count(*) FILTER (WHERE a.grantee = 0) AS to_public, count(*) FILTER (WHERE a.grantee <> n.nspowner AND a.privilege_type <> 'USAGE') AS more,
       n.nspowner = 10 AS is_a_superusers
FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'idgen_compat' GROUP BY n.nspowner;

SELECT idgen_create_layout('dense', 'timestamp:34, machine:5, sequence:24', tick => '1 s');
SELECT idgen_create_layout('low_machine', 'timestamp:41, sequence:12, machine:10');
CREATE SEQUENCE compat_plain INCREMENT 7;
CREATE SEQUENCE compat_ids INCREMENT 50;
CREATE SEQUENCE compat_one;
COMMENT ON SEQUENCE compat_ids IS 'idgen: dense';
COMMENT ON SEQUENCE compat_one IS 'idgen: snowflake';

-- --- Which function is called ------------------------------------------------------------------------
-- In any path: literals, texts, and parameters whose type a driver gives or leaves out. lastval() has the same arguments
-- as PostgreSQL's, so its schema must come first.
SET search_path = public, idgen_compat;
SELECT nextval('compat_one') > 1000000 AS literal, nextval('compat_one'::text) > 1000000 AS text,
       nextval('compat_one'::varchar) > 1000000 AS varchar, nextval('compat_one'::name::text) > 1000000 AS name,
       nextval('compat_one'::regclass) AS not_ours;
PREPARE as_varchar(varchar) AS SELECT nextval($1) > 1000000;
PREPARE as_unknown AS SELECT nextval($1) > 1000000;
PREPARE as_text(text) AS SELECT nextval($1) > 1000000;
EXECUTE as_varchar('compat_one');
EXECUTE as_unknown('compat_one');
EXECUTE as_text('compat_one');
SELECT lastval() < -9000000000000000000 AS not_ours;
SET search_path = idgen_compat, pg_catalog, public;
SELECT lastval() > 1000000 AS ours;
SELECT nextval('compat_one') = lastval() AS ours, nextval(NULL) IS NULL AS null_is_null;
-- A default that was there before, an identity column and a serial stay PostgreSQL's.
CREATE TABLE public.compat_serial (id serial, x int);
INSERT INTO compat_serial (x) VALUES (1), (2) RETURNING id;
-- Names as PostgreSQL reads them.
CREATE SCHEMA "Compat";
CREATE SEQUENCE "Compat"."Odd ""Name"".x" INCREMENT 10;
CREATE SEQUENCE "Compat".compat_ids START 5;
COMMENT ON SEQUENCE "Compat"."Odd ""Name"".x" IS 'idgen: "dense"';
SELECT nextval('"Compat"."Odd ""Name"".x"') > 1000000 AS quoted, nextval('"Compat".compat_ids') AS same_name_elsewhere,
       nextval('public.compat_ids') > 1000000 AS with_schema, nextval('COMPAT_ONE') > 1000000 AS folded,
       nextval('compat_one'::regclass::oid::text) > 1000000 AS oid;
SET search_path = "Compat", idgen_compat, public;
SELECT nextval('compat_ids');
SET search_path = idgen_compat, pg_catalog, public;
SELECT nextval('nowhere');
SELECT nextval('a.b.c.d');
SELECT nextval('');
\set VERBOSITY sqlstate
SELECT nextval('pg_class');
SELECT currval('pg_class');
\set VERBOSITY default
SELECT nextval('4294967295');
-- A sequence that is renamed, moved, dropped and made again.
ALTER SEQUENCE compat_one RENAME TO compat_two;
SELECT nextval('compat_one');
SELECT nextval('compat_two') > 1000000 AS renamed, currval('compat_two') = lastval() AS same;
ALTER SEQUENCE compat_two SET SCHEMA "Compat";
SELECT nextval('"Compat".compat_two') > 1000000 AS moved;
DROP SEQUENCE "Compat".compat_two;
SELECT lastval();
CREATE SEQUENCE public.compat_one;
SELECT nextval('compat_one'), currval('compat_one'), lastval();
COMMENT ON SEQUENCE compat_one IS 'idgen: snowflake';
SELECT currval('compat_one');

-- --- Blocks ------------------------------------------------------------------------------------------
-- Three kinds of caller, each with the numbers that he takes for his, and another writer in between.
CREATE FUNCTION public.compat_claims(sequence text, ends text[]) RETURNS TABLE (claimed bigint, n int) LANGUAGE plpgsql AS $$
DECLARE v bigint;
BEGIN
  FOR n IN 1 .. 300 LOOP
    v := nextval(sequence);
    RETURN QUERY SELECT v + CASE ends[1 + n % cardinality(ends)] WHEN 'first' THEN i WHEN 'last' THEN i - 49 ELSE i - 50 END, n
                 FROM generate_series(0, 49) i;
    RETURN QUERY SELECT idgen_nextval('dense'), n;
  END LOOP;
END $$;
SELECT count(*), count(DISTINCT claimed) FROM compat_claims('compat_ids', '{first, last, before}');
CREATE SEQUENCE public.compat_first INCREMENT 50;
CREATE SEQUENCE public.compat_last INCREMENT 50;
COMMENT ON SEQUENCE compat_first IS '  IDGEN : dense   first 
Keys of the orders.';
COMMENT ON SEQUENCE compat_last IS E'idgen:dense\tlast';
SELECT count(*), count(DISTINCT claimed) FROM compat_claims('compat_first', '{first}');
SELECT count(*), count(DISTINCT claimed) FROM compat_claims('compat_last', '{last}');
-- The wrong end.
SELECT count(*) > count(DISTINCT claimed) AS collide FROM compat_claims('compat_first', '{last}');
SELECT count(*) > count(DISTINCT claimed) AS collide FROM compat_claims('compat_last', '{first}');
-- In order, across calls of either kind.
SELECT bool_and(claimed > before) FROM (SELECT claimed, lag(claimed, 1, 0::bigint) OVER (ORDER BY n, claimed) AS before
                                        FROM compat_claims('compat_ids', '{first, last, before}')) o;
-- As large as a tick has room for.
ALTER SEQUENCE compat_one INCREMENT 2048;
SELECT nextval('compat_one') > 0 AS fits;
ALTER SEQUENCE compat_one INCREMENT 2049;
SELECT nextval('compat_one');
COMMENT ON SEQUENCE compat_one IS 'idgen: snowflake last';
SELECT nextval('compat_one') > 0 AS fits;
ALTER SEQUENCE compat_one INCREMENT 4096;
SELECT snowflake_sequence(nextval('compat_one'));
ALTER SEQUENCE compat_one INCREMENT 4097;
SELECT nextval('compat_one');
ALTER SEQUENCE compat_one INCREMENT 9223372036854775807;
SELECT nextval('compat_one');
ALTER SEQUENCE compat_one INCREMENT -50 MINVALUE -1000;
SELECT nextval('compat_one');
COMMENT ON SEQUENCE compat_one IS 'idgen: low_machine';
ALTER SEQUENCE compat_one INCREMENT 1;
SELECT nextval('compat_one') > 0 AS single;
ALTER SEQUENCE compat_one INCREMENT 2;
SELECT nextval('compat_one');
-- A size in the comment, where the increment says none.
COMMENT ON SEQUENCE compat_one IS 'idgen: dense 50';
SELECT nextval('compat_one');
ALTER SEQUENCE compat_one INCREMENT 1;
SELECT count(*), count(DISTINCT claimed) FROM compat_claims('compat_one', '{first, last, before}');
COMMENT ON SEQUENCE compat_one IS 'idgen: dense 50 first';
SELECT count(*), count(DISTINCT claimed) FROM compat_claims('compat_one', '{first}');

-- --- Comments ----------------------------------------------------------------------------------------
-- Whatever begins like a marker is one, or an error. Nothing falls back to PostgreSQL's numbers.
CREATE FUNCTION public.compat_try(comment text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text;
BEGIN
  EXECUTE format('COMMENT ON SEQUENCE compat_one IS %L', comment);
  RETURN CASE WHEN nextval('compat_one') > 1000000 THEN 'ID' ELSE 'number' END;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT comment, compat_try(comment) FROM unnest(ARRAY[
  NULL, '', 'Keys of orders', 'idgenerator: x', 'not idgen: snowflake', 'idgen', 'idgen snowflake',
  'idgen:snowflake', 'Idgen:  snowflake  ', E'\n idgen: snowflake', E'idgen: snowflake\r\nfor orders', 'idgen: "snowflake"',
  'idgen: snowflake 1', 'idgen: snowflake 1 first', 'idgen: snowflake last',
  'idgen:', 'idgen: ""', 'idgen: "', 'idgen: "snowflake', 'idgen: "snowflake"first', 'idgen: snow"flake', E'idgen:\nsnowflake',
  'idgen: snowflake First', 'idgen: snowflake middle', 'idgen: snowflake first last', 'idgen: snowflake first 50', 'idgen: snowflake 50 50',
  'idgen: snowflake 0', 'idgen: snowflake -1', 'idgen: snowflake 01', 'idgen: snowflake 1000000', 'idgen: snowflake 5x', 'idgen: snowflake, first',
  'idgen: tickets first', 'idgen: Snowflake', 'idgen: "tickets"', 'idgen: snowflake;',
  'idgen: ' || repeat('x', 64), 'idgen: "' || repeat('""', 63) || '"']) comment;
COMMENT ON SEQUENCE compat_one IS 'idgen: snowflake fist';
SELECT nextval('compat_one');
SELECT currval('compat_one');
SELECT setval('compat_one', 1);
-- A comment counts as long as its transaction sees it.
COMMENT ON SEQUENCE compat_one IS NULL;
SELECT nextval('compat_one') < 1000000 AS number;
BEGIN;
COMMENT ON SEQUENCE compat_one IS 'idgen: snowflake';
SELECT nextval('compat_one') > 1000000 AS id;
SAVEPOINT a;
COMMENT ON SEQUENCE compat_one IS 'of no meaning';
SELECT nextval('compat_one') < 1000000 AS number;
ROLLBACK TO a;
SELECT nextval('compat_one') > 1000000 AS id;
ROLLBACK;
SELECT nextval('compat_one') < 1000000 AS number;

-- --- Tickets -----------------------------------------------------------------------------------------
CREATE SEQUENCE public.compat_tickets INCREMENT 50;
COMMENT ON SEQUENCE compat_tickets IS 'idgen: tickets';
SELECT nextval('compat_tickets'), nextval('compat_tickets'), currval('compat_tickets'), lastval(), ticket_nextval('compat_tickets'), lastval();
SELECT setval('compat_tickets', 1000), nextval('compat_tickets');
CREATE SEQUENCE public.compat_blocks;
COMMENT ON SEQUENCE compat_blocks IS 'idgen: tickets 50';
SELECT nextval('compat_blocks'), nextval('compat_blocks'), ticket_nextval('compat_blocks'), nextval('compat_blocks');
COMMENT ON SEQUENCE compat_blocks IS 'idgen: tickets 50 first';
SELECT nextval('compat_blocks'), nextval('compat_blocks');
COMMENT ON SEQUENCE compat_blocks IS 'idgen: tickets 50 last';
SELECT nextval('compat_blocks'), nextval('compat_blocks');
-- One that is attached to a ticket server needs no comment. Here there is no such server, and no other numbers come.
CREATE SEQUENCE public.compat_fed;
SELECT ticket_attach('compat_fed');
SELECT nextval('compat_fed');
COMMENT ON SEQUENCE compat_fed IS 'idgen: snowflake';
SELECT nextval('compat_fed');
COMMENT ON SEQUENCE compat_fed IS 'idgen: tickets 50 last';
SELECT nextval('compat_fed');

-- --- The last value ----------------------------------------------------------------------------------
CREATE TABLE public.compat_t (id bigint PRIMARY KEY DEFAULT snowflake_id(), x int);
CREATE TABLE public.compat_a (id int GENERATED ALWAYS AS IDENTITY, x int);
CREATE TABLE public.compat_b (id int GENERATED ALWAYS AS IDENTITY, x int);
DISCARD SEQUENCES;
SELECT lastval();
SELECT currval('compat_ids');
INSERT INTO compat_t (x) VALUES (1) RETURNING id \gset
SELECT lastval() = :id AS same, lastval() = :id AS again;
INSERT INTO compat_t (x) SELECT generate_series(1, 10);
SELECT lastval() = max(id) AS last_of_many FROM compat_t;
INSERT INTO compat_a (x) VALUES (1);
SELECT lastval() AS identity, lastval() AS again;
-- The same number, from another sequence: a new value all the same.
INSERT INTO compat_t (x) VALUES (2) RETURNING id \gset
SELECT lastval() = :id AS same;
INSERT INTO compat_b (x) VALUES (1);
SELECT lastval() AS of_the_other;
INSERT INTO compat_t (x) VALUES (3) RETURNING id \gset
SELECT lastval() = :id AS same;
TRUNCATE compat_b RESTART IDENTITY;
INSERT INTO compat_b (x) VALUES (1);
SELECT lastval() AS of_the_same_again;
-- Also by our own nextval(), of either source, and a ticket.
SELECT nextval('compat_ids') = lastval() AS same, nextval('compat_plain') = lastval() AS passed_on, nextval('compat_ids') = lastval() AS same;
SELECT pg_catalog.nextval('compat_plain'::regclass) = lastval() AS direct, idgen_nextval('dense') = lastval() AS by_name,
       ticket_nextval('compat_tickets') = lastval() AS ticket;
-- What makes no key of 64 bits does not count.
SELECT nextval('compat_ids') AS before, uuidv7_nextval() IS NULL AS a, hlc_now() IS NULL AS b \gset
SELECT lastval() = :before AS same;
-- An error takes nothing back, nor does a rollback.
BEGIN;
INSERT INTO compat_t (x) VALUES (4) RETURNING id \gset
ROLLBACK;
SELECT lastval() = :id AS same;
-- Values that nobody asked for in between, of one kind and the other.
INSERT INTO compat_t (x) VALUES (5);
INSERT INTO compat_a (x) VALUES (5) RETURNING id \gset
SELECT lastval() = :id AS same;
INSERT INTO compat_b (x) VALUES (5);
INSERT INTO compat_t (x) VALUES (5) RETURNING id \gset
SELECT lastval() = :id AS same;
DO $$ BEGIN INSERT INTO compat_t (x) VALUES (5); INSERT INTO compat_a (x) VALUES (6); END $$;
SELECT lastval() = max(id) AS same FROM compat_a;
COPY compat_b (x) FROM stdin;
6
\.
COPY compat_t (x) FROM stdin;
6
\.
SELECT lastval() = max(id) AS same FROM compat_t;
INSERT INTO compat_t (x) VALUES (8);
SELECT nextval('compat_plain') = lastval() AS passed_on;
-- A trigger that inserts elsewhere: the last value is his, as it always was.
CREATE FUNCTION public.compat_audit() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO compat_a (x) VALUES (NEW.x); RETURN NEW; END $$;
CREATE TRIGGER audit AFTER INSERT ON compat_t FOR EACH ROW EXECUTE FUNCTION compat_audit();
INSERT INTO compat_t (x) VALUES (7);
SELECT lastval() = max(id) AS audits FROM compat_a;
DROP TRIGGER audit ON compat_t;
DROP FUNCTION compat_audit();
-- One statement with both: which was the last?
CREATE TABLE public.compat_both (id bigint PRIMARY KEY DEFAULT snowflake_id(), n int GENERATED ALWAYS AS IDENTITY, x int);
INSERT INTO compat_both (x) VALUES (1);
SELECT lastval();
SELECT lastval();
SELECT idgen_nextval('dense') > snowflake_nextval() AS two_generators \gset
SELECT lastval();
INSERT INTO compat_a (x) VALUES (6) RETURNING id \gset
SELECT lastval() = :id AS known_again;
DROP TABLE compat_both;
-- A session that has just begun.
\c -
SET client_min_messages = warning;
SET search_path = idgen_compat, pg_catalog, public;
INSERT INTO compat_a (x) VALUES (1);
INSERT INTO compat_t (x) VALUES (1) RETURNING id \gset
SELECT lastval() = :id AS same;
\c -
SET client_min_messages = warning;
SET search_path = idgen_compat, pg_catalog, public;
INSERT INTO compat_t (x) VALUES (1);
INSERT INTO compat_a (x) VALUES (1) RETURNING id \gset
SELECT lastval() = :id AS same;
-- One that had another path.
\c -
SET client_min_messages = warning;
INSERT INTO compat_t (x) VALUES (1);
INSERT INTO compat_a (x) VALUES (1);
SET search_path = idgen_compat, pg_catalog, public;
SELECT lastval();
INSERT INTO compat_t (x) VALUES (1);
INSERT INTO compat_a (x) VALUES (1) RETURNING id \gset
SELECT lastval() = :id AS known_again;
-- In a transaction that is read-only a look is not noted.
BEGIN READ ONLY;
SELECT snowflake_nextval() = lastval() AS made, lastval() = snowflake_currval() AS again;
SELECT nextval('compat_ids');
ROLLBACK;
BEGIN READ ONLY;
SELECT setval('compat_one', 1);
ROLLBACK;
SELECT lastval() = snowflake_currval() AS still;
-- PostgreSQL's own does not see IDs; it is no number that could be a key.
SELECT pg_catalog.lastval() < -9000000000000000000 AS no_key;
-- Test clocks repeat their IDs.
SET idgen.test_clock_commit = on;
SET idgen.test_clock = '2026-01-01Z';
INSERT INTO compat_t (x) VALUES (9) RETURNING id \gset
SELECT lastval() = :id AS same;
INSERT INTO compat_a (x) VALUES (9) RETURNING id AS a \gset
SELECT lastval() = :a AS same;
RESET idgen.test_clock;
SET idgen.test_clock = '2026-01-01Z';
DELETE FROM compat_t WHERE x = 9;
INSERT INTO compat_t (x) VALUES (9) RETURNING id = :id AS repeated;
SELECT lastval() = :id AS same;
RESET idgen.test_clock;
RESET idgen.test_clock_commit;
-- DISCARD forgets as it does for sequences.
SELECT nextval('compat_ids') > 0 AS made;
DISCARD ALL;
SET client_min_messages = warning;
SET search_path = idgen_compat, pg_catalog, public;
SELECT lastval();
SELECT currval('compat_ids');
INSERT INTO compat_t (x) VALUES (10) RETURNING id \gset
SELECT lastval() = :id AS same;

-- --- setval() ----------------------------------------------------------------------------------------
SELECT setval('compat_plain', 100), nextval('compat_plain'), setval('compat_plain', 200, false), nextval('compat_plain');
SELECT nextval('compat_ids') > 1000000 AS unmoved, setval('compat_ids', 1), setval('compat_ids', 1000, false),
       setval('compat_ids', currval('compat_ids')) = currval('compat_ids') AS behind, lastval() = currval('compat_ids') AS setval_makes_none;
SELECT setval('compat_ids', 9223372036854775807);
SELECT setval('compat_ids', -1);

-- --- Rights ------------------------------------------------------------------------------------------
GRANT USAGE ON SEQUENCE compat_ids, compat_tickets TO regress_idgen_user;
GRANT UPDATE ON SEQUENCE compat_first TO regress_idgen_user;
GRANT SELECT ON SEQUENCE compat_last TO regress_idgen_user;
SET ROLE regress_idgen_user;
SELECT nextval('compat_ids') = currval('compat_ids') AS may, nextval('compat_tickets') = lastval() AS may;
SELECT nextval('compat_first') > 0 AS may;
SELECT currval('compat_first');
SELECT lastval();
SELECT nextval('compat_last');
SELECT currval('compat_last');
SELECT setval('compat_first', 1);
SELECT setval('compat_ids', 1);
SELECT nextval('compat_plain');
SELECT pg_catalog.lastval();
SELECT pg_catalog.nextval('idgen_compat_looks'::regclass);
SET ROLE regress_idgen_none;
SELECT nextval('compat_ids');
SELECT currval('compat_ids');
SELECT setval('compat_ids', 1);
-- What another role got is not his.
RESET ROLE;
INSERT INTO compat_a (x) VALUES (10);
SELECT lastval() > 0 AS mine;
SET ROLE regress_idgen_none;
SELECT lastval();
RESET ROLE;
-- Nobody else's functions are called in their place, and nobody can forge what the extension has.
SET ROLE regress_idgen_owner;
CREATE FUNCTION public.nextval(text) RETURNS bigint LANGUAGE sql RETURN -1::bigint;
CREATE FUNCTION public.lastval() RETURNS bigint LANGUAGE sql RETURN -1::bigint;
CREATE SEQUENCE public.idgen_compat_looks;
SELECT nextval('compat_plain') = -1 AS planted;
RESET ROLE;
GRANT USAGE ON SEQUENCE compat_plain TO regress_idgen_owner;
SET ROLE regress_idgen_owner;
SELECT nextval('compat_plain') = -1 AS planted, lastval() = -1 AS planted;
COMMENT ON SEQUENCE compat_plain IS 'idgen: snowflake';
COMMENT ON FUNCTION idgen_compat.nextval(text) IS 'mine';
DROP SEQUENCE idgen_compat.idgen_compat_looks;
ALTER EXTENSION idgen_compat SET SCHEMA public;
-- The owner of a sequence may have a generator's IDs, as anybody may who may call this function.
COMMENT ON SEQUENCE public.idgen_compat_looks IS 'idgen: snowflake';
SELECT nextval('public.idgen_compat_looks') > 1000000 AS id;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION idgen_compat.nextval(text) FROM PUBLIC;
SET ROLE regress_idgen_owner;
SELECT nextval('public.idgen_compat_looks');
RESET ROLE;
GRANT EXECUTE ON FUNCTION idgen_compat.nextval(text) TO PUBLIC;
-- A schema that comes first is where new objects go: only to somebody who may.
SET ROLE regress_idgen_owner;
CREATE TABLE compat_new (a int);
RESET ROLE;

-- What runs out: only sequences that count by themselves.
COMMENT ON SEQUENCE compat_one IS 'idgen: snowflake';
CREATE EXTENSION idgen_tools SCHEMA public;
SELECT DISTINCT sequence FROM idgen_exhaustion WHERE sequence::text ~ 'compat_(one|ids|tickets|plain|fed)$|looks' ORDER BY 1;
DROP EXTENSION idgen_tools;

-- --- Without it --------------------------------------------------------------------------------------
SET search_path = public;
DROP SEQUENCE public.idgen_compat_looks;
DROP FUNCTION public.nextval(text), public.lastval();
DROP EXTENSION idgen_compat;
SELECT nextval('compat_ids') < 1000000 AS postgresql;
SET ROLE regress_idgen_none;
CREATE EXTENSION idgen_compat;
RESET ROLE;
DROP TABLE compat_serial, compat_t, compat_a, compat_b;
DROP SEQUENCE compat_plain, compat_ids, compat_one, compat_first, compat_last, compat_tickets, compat_blocks, compat_fed;
DROP FUNCTION compat_claims(text, text[]), compat_try(text);
DROP SCHEMA "Compat" CASCADE;
SELECT idgen_drop_layout('dense'), idgen_drop_layout('low_machine');
DROP OWNED BY regress_idgen_owner, regress_idgen_user, regress_idgen_none;
DROP ROLE regress_idgen_owner, regress_idgen_user, regress_idgen_none;

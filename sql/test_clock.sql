-- The test clock: a session's own time, and positions of its own. The IDs here are printed: they
-- are the same everywhere and each time.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

SELECT idgen_create_layout('testclock_wide', 'timestamp:40, shard:10, sequence:13', epoch => '2024-01-01Z');
SELECT idgen_create_generator('testclock_5', 'snowflake', datacenter_id => 1, machine_id => 5);

-- Before anything else: what this server knows.
SELECT snowflake_nextval() AS real_before \gset
CREATE FUNCTION server_state() RETURNS text LANGUAGE sql AS $$
  SELECT md5(string_agg(s::text, E'\n' ORDER BY s::text))
  FROM (SELECT kind, datacenter_id, machine_id, shard_id, ids, batches, tick_waits, used_up_ticks,
               clock_waits, largest_lead, clock_errors, observe_errors, last_id, first_used, last_used
        FROM idgen_stat) s $$;
CREATE FUNCTION mark() RETURNS bigint LANGUAGE sql AS $$ SELECT mark_ms FROM idgen_get_mark() $$;
SELECT server_state() AS state_before, mark() AS mark_before \gset

-- The same calls, the same IDs --------------------------------------------------------------

CREATE FUNCTION one_of_each() RETURNS TABLE (made text, id text) LANGUAGE sql AS $$
  SELECT * FROM (VALUES
    ('snowflake', snowflake_nextval()::text), ('again', snowflake_nextval()::text),
    ('batch', (SELECT string_agg(b::text, ' ') FROM snowflake_nextval_batch(2) b)),
    ('array', snowflake_nextval_array(2)::text), ('reserve', idgen_reserve('snowflake', 10)::text),
    ('after it', snowflake_nextval()::text), ('currval', snowflake_currval()::text),
    ('own generator', idgen_nextval('testclock_5')::text), ('own layout', idgen_nextval('testclock_wide', 700)::text),
    ('of a shard', instagram_nextval(5)::text), ('of a key', instagram_nextval_for('a key', 100)::text),
    ('sonyflake', idgen_nextval('sonyflake')::text), ('array of a shard', idgen_nextval_array('instagram', 2, 5)::text),
    ('uuidv1', uuidv1_nextval()::text), ('uuidv4', uuidv4_nextval()::text), ('uuidv6', uuidv6_nextval()::text),
    ('uuidv7', uuidv7_nextval()::text), ('again', uuidv7_nextval()::text),
    ('shifted', uuidv7_nextval(interval '-1 day')::text), ('uuidv7 batch', (SELECT string_agg(b::text, ' ') FROM uuidv7_nextval_batch(2) b)),
    ('uuidv8', uuidv8_nextval()::text), ('ulid', ulid_nextval()::text), ('id128', id128_nextval()::text),
    ('uuidv4 array', uuidv4_nextval_array(2)::text), ('hlc', hlc_now()::text),
    ('hlc observed', hlc_observe(hlc_now() + 1000)::text),
    ('observed', idgen_observe('snowflake', snowflake_min_id('2026-01-01 00:00:05Z'))::text)) ids (made, id) $$;
BEGIN;
SELECT idgen_test_clock('2026-01-01 00:00:00Z');
SELECT * FROM one_of_each();
ROLLBACK;
BEGIN;
SELECT idgen_test_clock('2026-01-01 00:00:00Z') IS NOT NULL AS is_on;
SELECT md5(string_agg(made || id, ',')) AS first FROM one_of_each() \gset
ROLLBACK;
BEGIN;
SET LOCAL idgen.test_clock = '2026-01-01 00:00:00Z';
SELECT md5(string_agg(made || id, ',')) = :'first' AS same FROM one_of_each();
-- With the clock where the observed ID is, they go on from there.
SELECT idgen_test_clock_advance('5 s') IS NOT NULL AS later;
SELECT md5(string_agg(made || id, ',')) = :'first' AS repeated FROM one_of_each();
ROLLBACK;
SELECT server_state() = :'state_before' AS same_positions, mark() = :mark_before AS same_mark;
\c -
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET idgen.test_clock = '2026-01-01T00:00:00Z';
SELECT md5(string_agg(made || id, ',')) = :'first' AS same_in_another_session FROM one_of_each();
-- Local identities count as ever, and blocks are not used.
SET idgen.machine_id = 9;
SET idgen.shard_id = 3;
SET idgen.block_size = 100;
SELECT snowflake_machine(snowflake_nextval()), instagram_shard(instagram_nextval()), idgen_nextval('testclock_wide');
SELECT snowflake_sequence(snowflake_nextval()), snowflake_sequence(snowflake_nextval());
RESET idgen.test_clock;
RESET idgen.machine_id;
RESET idgen.shard_id;
RESET idgen.block_size;

-- The time, and steps -----------------------------------------------------------------------

SELECT idgen_test_clock() IS NULL AS off;
BEGIN;
SELECT idgen_test_clock('2026-01-01 12:00:00+03');
SELECT idgen_test_clock_advance('1 day'), idgen_test_clock_advance('-1.5 s');
SELECT idgen_test_clock(), current_setting('idgen.test_clock');
SELECT snowflake_timestamp(snowflake_nextval());
-- It stands still.
SELECT count(DISTINCT snowflake_timestamp(snowflake_nextval())) FROM generate_series(1, 1000);
-- A used-up sequence is waited for at once.
SELECT count(*), count(DISTINCT id) AS ids, count(DISTINCT snowflake_timestamp(id)) AS ticks, max(snowflake_timestamp(id))
FROM snowflake_nextval_batch(10000) id;
SELECT idgen_test_clock();
-- So is a clock that went back, for idgen.max_clock_wait,
SELECT idgen_test_clock_advance('-2 s');
SELECT snowflake_timestamp(snowflake_nextval()), idgen_test_clock();
SELECT idgen_test_clock_advance('-3 s');
SAVEPOINT behind;
SELECT snowflake_nextval();
ROLLBACK TO behind;
-- at the end of which a call fails. What it waited has passed: the next call has less to wait for.
SELECT idgen_test_clock();
SELECT snowflake_timestamp(snowflake_nextval());
-- Mode error does not wait for a clock, but for a used-up sequence.
SET LOCAL idgen.clock_regression = error;
SELECT idgen_test_clock_advance('-1 ms');
SAVEPOINT behind;
SELECT snowflake_nextval();
ROLLBACK TO behind;
SELECT idgen_test_clock_advance('1 s');
SELECT count(DISTINCT snowflake_timestamp(id)) AS ticks FROM snowflake_nextval_batch(10000) id;
-- Mode lead goes on.
SET LOCAL idgen.clock_regression = lead;
SELECT snowflake_nextval() AS before \gset
SELECT idgen_test_clock_advance('-9 s');
SELECT snowflake_nextval() - :before AS next, idgen_test_clock();
SELECT idgen_test_clock_advance('-2 s');
SELECT snowflake_nextval() > :before AS greater, idgen_test_clock();
SELECT idgen_test_clock_advance('-4 s');
SAVEPOINT behind;
SELECT snowflake_nextval();
ROLLBACK TO behind;
-- Another ID space of the session is at the clock.
SELECT snowflake_timestamp(idgen_nextval('testclock_5'));
-- A layout that has run out of time, and one whose epoch is to come.
SAVEPOINT ends;
SELECT idgen_test_clock('2090-01-01Z');
SELECT snowflake_nextval();
ROLLBACK TO ends;
SELECT idgen_test_clock('2010-01-01Z');
SELECT instagram_nextval(3);
ROLLBACK TO ends;
-- The hybrid logical clock, ahead by no more than idgen.max_clock_offset.
SELECT hlc_now() AS before \gset
SELECT idgen_test_clock_advance('-400 ms') IS NOT NULL AS back;
SELECT hlc_now() - :before AS next;
SELECT hlc_observe(:before + (400::bigint << 17));
ROLLBACK;
BEGIN;
SELECT idgen_test_clock('2026-01-01Z') IS NOT NULL AS is_on;
SELECT idgen_observe('snowflake', snowflake_min_id('2026-01-01 00:01Z'));
ROLLBACK;

-- On and off --------------------------------------------------------------------------------

CREATE FUNCTION shown() RETURNS text LANGUAGE sql AS
  $$ SELECT coalesce(extract(epoch FROM idgen_test_clock() - '2026-01-01Z')::int::text, 'off') $$;
CREATE FUNCTION number() RETURNS int LANGUAGE sql AS $$ SELECT snowflake_sequence(snowflake_nextval()) $$;
-- Outside of a transaction it would be of no use.
SELECT idgen_test_clock('2026-01-01Z');
SELECT shown();
-- For the session. A rollback takes back what was set in it; positions go on.
SELECT idgen_test_clock('2026-01-01Z', local => false) IS NOT NULL AS is_on;
SELECT shown(), number();
BEGIN;
SELECT idgen_test_clock_advance('5 s') IS NOT NULL AS later;
SELECT shown(), number();
SAVEPOINT s;
SELECT idgen_test_clock('2026-01-01 00:00:07Z') IS NOT NULL AS later;
SELECT shown();
ROLLBACK TO s;
SELECT shown(), number();
ROLLBACK;
SELECT shown(), (snowflake_parse(snowflake_nextval())).sequence;
BEGIN;
SELECT idgen_test_clock_advance('5 s') IS NOT NULL AS later;
COMMIT;
SELECT shown(), number();
-- Off in a transaction that is rolled back, and on again: as it was.
BEGIN;
SELECT idgen_test_clock_off();
SELECT shown(), snowflake_nextval() > :real_before AS real;
ROLLBACK;
SELECT shown(), number();
-- Each turning on begins anew.
SELECT idgen_test_clock_off();
SELECT idgen_test_clock('2026-01-01 00:00:05Z', local => false) IS NOT NULL AS is_on;
SELECT shown(), number();
RESET ALL;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SELECT shown();
SET idgen.test_clock = '2026-01-01Z';
SELECT shown();
DISCARD ALL;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SELECT shown();
SET idgen.test_clock = '2026-01-01Z';
SET idgen.test_clock = '';
SELECT shown();
-- The last ID of a session is not carried over, in either direction.
SELECT snowflake_nextval() > 0 AS made, uuidv7_nextval() IS NOT NULL AS made_too;
SET idgen.test_clock = '2026-01-01Z';
SELECT snowflake_currval();
SELECT uuidv7_currval();
SELECT snowflake_nextval() = snowflake_currval() AS is_it, uuidv7_nextval() = uuidv7_currval() AS is_it_too;
RESET idgen.test_clock;
SELECT snowflake_currval();
SELECT uuidv7_currval();
-- Nor random bits.
SELECT count(DISTINCT uuidv4_nextval()) FROM generate_series(1, 3);
BEGIN;
SET LOCAL idgen.test_clock = '2026-01-01Z';
SELECT uuidv4_nextval(), uuidv4_nextval();
ROLLBACK;
SELECT uuidv4_nextval() IN ('6e789e6a-a1b9-45f4-86c4-5d188009454f', '06c45d18-8009-454f-b88b-b8a8724c81ec') AS known;
-- In a function with a clock of its own: each call begins anew, but within a session's run.
CREATE FUNCTION at_noon() RETURNS int LANGUAGE sql SET idgen.test_clock = '2026-01-01 12:00Z' AS
  $$ SELECT snowflake_sequence(idgen_nextval('testclock_5'))
          + 10 * extract(hour FROM idgen_test_clock_advance('1 hour'))::int $$;
SELECT at_noon(), at_noon(), shown();
SELECT idgen_test_clock('2026-01-01Z', local => false) IS NOT NULL AS is_on;
SELECT at_noon(), at_noon(), shown(), number();
DROP FUNCTION at_noon;
RESET idgen.test_clock;
-- What is left of a batch is of the test clock, and so is the transaction.
BEGIN;
CREATE TABLE testclock_batch (id bigint);
SELECT idgen_test_clock('2026-01-01Z') IS NOT NULL AS is_on;
DECLARE batch CURSOR FOR SELECT snowflake_nextval_batch(5);
FETCH batch;
SELECT idgen_test_clock_off();
FETCH batch;
COMMIT;

-- Committing ---------------------------------------------------------------------------------

CREATE TABLE testclock_t (id bigint DEFAULT snowflake_nextval(), note text);
-- A transaction that writes nothing is none's business.
BEGIN;
SELECT idgen_test_clock('2026-01-01Z') IS NOT NULL AS is_on;
SELECT number();
COMMIT;
-- One that has made no such IDs neither.
BEGIN;
SELECT idgen_test_clock('2026-01-01Z') IS NOT NULL AS is_on;
INSERT INTO testclock_t VALUES (1);
COMMIT;
BEGIN;
INSERT INTO testclock_t VALUES (DEFAULT, 'before it is on');
SELECT idgen_test_clock('2026-01-01Z') IS NOT NULL AS is_on;
COMMIT;
\set VERBOSITY terse
BEGIN;
SELECT idgen_test_clock('2026-01-01Z') IS NOT NULL AS is_on;
INSERT INTO testclock_t DEFAULT VALUES RETURNING id;
COMMIT;
-- Turned off before the end.
BEGIN;
SELECT idgen_test_clock('2026-01-01Z') IS NOT NULL AS is_on;
INSERT INTO testclock_t DEFAULT VALUES;
SELECT idgen_test_clock_off();
INSERT INTO testclock_t DEFAULT VALUES;
COMMIT;
-- Written to before, and in a savepoint that is rolled back: the client may have kept the ID.
BEGIN;
INSERT INTO testclock_t VALUES (2);
SAVEPOINT s;
SELECT idgen_test_clock('2026-01-01Z') IS NOT NULL AS is_on;
SELECT snowflake_nextval() AS kept \gset
ROLLBACK TO s;
SELECT shown();
INSERT INTO testclock_t VALUES (:kept);
COMMIT;
-- A single statement, random bits alone, a function that catches the error of another.
SET idgen.test_clock = '2026-01-01Z';
INSERT INTO testclock_t DEFAULT VALUES;
INSERT INTO testclock_t VALUES (3, uuidv4_nextval());
DO $$ BEGIN PERFORM uuidv4_nextval(); END $$;
INSERT INTO testclock_t VALUES (4, 'no ID of the test clock');
SELECT uuidv4_nextval() IS NOT NULL AS made;
INSERT INTO testclock_t VALUES (5, ulid_nextval()), (6, hlc_now());
CREATE TABLE testclock_made AS SELECT snowflake_nextval_batch(3);
-- Whoever only observes or reserves.
DO $$ BEGIN PERFORM idgen_observe('snowflake', 1); INSERT INTO testclock_t VALUES (7); END $$;
DO $$ BEGIN PERFORM idgen_reserve('snowflake', 1); INSERT INTO testclock_t VALUES (8); END $$;
-- A deferred trigger makes it, at the end.
CREATE FUNCTION makes_one() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM snowflake_nextval(); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON testclock_t DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION makes_one();
INSERT INTO testclock_t VALUES (9);
DROP TRIGGER late ON testclock_t;
-- A procedure's own commit.
CREATE PROCEDURE commits() LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO testclock_t DEFAULT VALUES; COMMIT; INSERT INTO testclock_t VALUES (10); END $$;
CALL commits();
-- Prepared transactions.
BEGIN;
INSERT INTO testclock_t DEFAULT VALUES;
PREPARE TRANSACTION 'testclock';
SELECT 'ROLLBACK PREPARED ''testclock''' FROM pg_prepared_xacts WHERE gid = 'testclock' \gexec
-- Other kinds of ID are real, and committed.
CREATE SEQUENCE testclock_tickets;
INSERT INTO testclock_t VALUES (ticket_nextval('testclock_tickets'), 'ticket');
SELECT id, note FROM testclock_t WHERE note IS DISTINCT FROM 'before it is on' ORDER BY id;
-- Where the session says so.
BEGIN;
SET LOCAL idgen.test_clock_commit = on;
INSERT INTO testclock_t VALUES (DEFAULT, 'committed');
COMMIT;
INSERT INTO testclock_t DEFAULT VALUES;
SET idgen.test_clock_commit = on;
INSERT INTO testclock_t VALUES (DEFAULT, 'committed'), (DEFAULT, 'committed');
CALL commits();
RESET idgen.test_clock;
RESET idgen.test_clock_commit;
SELECT id, note FROM testclock_t WHERE note = 'committed' OR id >= 10 AND note IS NULL ORDER BY id;
\set VERBOSITY default
-- The next transaction has nothing to do with it.
INSERT INTO testclock_t VALUES (DEFAULT, 'real');
SELECT id > :real_before AS real FROM testclock_t WHERE note = 'real';

-- Queries -------------------------------------------------------------------------------------

-- Parallel workers have no positions of the session: while the clock is on, nothing is planned for
-- them, and what was planned is planned anew.
CREATE TABLE testclock_rows AS SELECT i FROM generate_series(1, 3000) i;
ALTER TABLE testclock_rows SET (parallel_workers = 2);
CREATE FUNCTION is_parallel(query text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) ' || query LOOP
    IF line LIKE '%Gather%' THEN RETURN true; END IF;
  END LOOP;
  RETURN false;
END $$;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET plan_cache_mode = force_generic_plan;
PREPARE counted AS SELECT count(DISTINCT id) FROM (SELECT snowflake_nextval() AS id FROM testclock_rows OFFSET 0) s;
SELECT is_parallel('EXECUTE counted') AS prepared, is_parallel('SELECT max(snowflake_nextval()) FROM testclock_rows') AS new;
EXECUTE counted;
BEGIN;
SELECT idgen_test_clock('2026-01-01Z') IS NOT NULL AS is_on;
SELECT is_parallel('EXECUTE counted') AS prepared, is_parallel('SELECT max(snowflake_nextval()) FROM testclock_rows') AS new;
EXECUTE counted;
SELECT count(DISTINCT snowflake_timestamp(snowflake_nextval())) AS ticks FROM testclock_rows;
ROLLBACK;
SELECT is_parallel('EXECUTE counted') AS prepared, is_parallel('SELECT max(snowflake_nextval()) FROM testclock_rows') AS new;
DEALLOCATE counted;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
RESET plan_cache_mode;

-- What a function in SQL does after its first statement may be planned already (up to 17): then a
-- worker refuses.
CREATE FUNCTION turns_it_on() RETURNS SETOF bigint LANGUAGE sql AS $$
  SELECT idgen_test_clock('2026-01-01Z');
  SELECT count(DISTINCT id) FROM (SELECT snowflake_nextval() AS id FROM testclock_rows OFFSET 0) s $$;
DO $$
DECLARE ids bigint; refusal text;
BEGIN
  SET LOCAL parallel_setup_cost = 0;
  SET LOCAL parallel_tuple_cost = 0;
  SET LOCAL min_parallel_table_scan_size = 0;
  SET LOCAL max_parallel_workers_per_gather = 2;
  SET LOCAL parallel_leader_participation = off;
  BEGIN
    SELECT * INTO ids FROM turns_it_on();
  EXCEPTION WHEN feature_not_supported THEN refusal := SQLERRM;
  END;
  RAISE NOTICE '%', ids IS NOT DISTINCT FROM 3000 OR refusal = 'parallel workers cannot make IDs of a test clock';
END $$;
DROP FUNCTION turns_it_on;

-- Who may -------------------------------------------------------------------------------------

CREATE ROLE regress_idgen_testclock_tester;
CREATE ROLE regress_idgen_testclock_app;
SET ROLE regress_idgen_testclock_app;
SELECT idgen_test_clock(), idgen_test_clock_off();
SELECT idgen_test_clock('2026-01-01Z');
SET idgen.test_clock = '2026-01-01Z';
SET idgen.test_clock_commit = on;
RESET ROLE;
GRANT SET ON PARAMETER idgen.test_clock TO regress_idgen_testclock_tester;
SET ROLE regress_idgen_testclock_tester;
BEGIN;
SELECT idgen_test_clock('2026-01-01Z');
SELECT idgen_test_clock_advance('1 s');
SELECT snowflake_nextval();
SELECT idgen_test_clock_off();
-- On by somebody else's right: another role may not move it, but ends it with everything.
SELECT idgen_test_clock('2026-01-01Z', local => false) IS NOT NULL AS is_on;
COMMIT;
SET idgen.test_clock_commit = on;
RESET ROLE;
SET ROLE regress_idgen_testclock_app;
SELECT idgen_test_clock_advance('1 s');
SELECT idgen_test_clock_off();
SELECT shown();
RESET ALL;
SELECT shown();
RESET ROLE;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- From where it cannot come -----------------------------------------------------------------------

ALTER DATABASE :DBNAME SET idgen.test_clock = '2026-01-01Z';
ALTER ROLE regress_idgen_testclock_tester SET idgen.test_clock = '2026-01-01Z';
ALTER ROLE ALL IN DATABASE :DBNAME SET "IDGEN.Test_Clock" TO '2026-01-01Z';
SET idgen.test_clock = '2026-01-01Z';
ALTER ROLE regress_idgen_testclock_tester SET idgen.test_clock FROM CURRENT;
RESET idgen.test_clock;
-- Off is no harm.
ALTER ROLE regress_idgen_testclock_tester SET idgen.test_clock FROM CURRENT;
ALTER ROLE regress_idgen_testclock_tester SET idgen.test_clock = '';
ALTER ROLE regress_idgen_testclock_tester SET idgen.test_clock_commit = off;
ALTER DATABASE :DBNAME SET idgen.test_clock_commit = on;
ALTER ROLE regress_idgen_testclock_tester RESET idgen.test_clock;
ALTER ROLE regress_idgen_testclock_tester SET idgen.shard_id = 1;
ALTER ROLE regress_idgen_testclock_tester RESET idgen.shard_id;
\set VERBOSITY sqlstate
ALTER SYSTEM SET idgen.test_clock = '2026-01-01Z';
ALTER SYSTEM SET idgen.test_clock_commit = on;
\set VERBOSITY default
-- A session that gives it before the module is there. (Without the right to: placeholder.sql.)
\c -
SET idgen.test_clock = '2026-01-01Z';
SELECT snowflake_nextval();
\c -
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- Bad input.
SELECT idgen_test_clock(NULL);
SELECT idgen_test_clock('2026-01-01Z', local => NULL);
SELECT idgen_test_clock('infinity');
SELECT idgen_test_clock_advance('1 s');
BEGIN;
SELECT idgen_test_clock('2026-01-01Z') IS NOT NULL AS is_on;
SAVEPOINT s;
SELECT idgen_test_clock_advance(NULL);
ROLLBACK TO s;
SELECT idgen_test_clock_advance('300000 years');
ROLLBACK TO s;
SELECT idgen_test_clock('294276-12-31Z');
ROLLBACK TO s;
-- Years that the written form has no place for.
SELECT idgen_test_clock('4713-01-01Z BC');
SHOW idgen.test_clock;
SELECT idgen_test_clock('10000-01-01Z');
SHOW idgen.test_clock;
SELECT * FROM idgen_check_identity('testclock_t', 'id');
ROLLBACK;
SET idgen.test_clock = 'yesterday';
SET idgen.test_clock = '2026-01-01';
SET idgen.test_clock = '2026-01-01 00:00:00+01';
SET idgen.test_clock = '-9223372036854775807us';
SET idgen.test_clock_commit = 'perhaps';

-- And this server knows nothing of all that ---------------------------------------------------------

BEGIN;
SELECT server_state() AS state_before, mark() AS mark_before \gset
SELECT idgen_test_clock('2040-01-01 00:00:00Z') IS NOT NULL AS is_on;
SELECT count(*) FROM one_of_each();
COMMIT;
SELECT server_state() = :'state_before' AS same_positions, mark() = :mark_before AS same_mark;
SELECT snowflake_timestamp(snowflake_nextval()) < now() + interval '1 minute' AS real,
       snowflake_nextval() > :real_before AS greater;

DROP TABLE testclock_t, testclock_rows;
DROP SEQUENCE testclock_tickets;
DROP FUNCTION one_of_each, server_state, mark, shown, number, is_parallel, makes_one;
DROP PROCEDURE commits;
SELECT idgen_drop_generator('testclock_5');
SELECT idgen_drop_layout('testclock_wide');
REVOKE SET ON PARAMETER idgen.test_clock FROM regress_idgen_testclock_tester;
DROP ROLE regress_idgen_testclock_tester, regress_idgen_testclock_app;

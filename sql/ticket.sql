-- Tickets: the numbers of a sequence, handed out from shared memory.
SET client_min_messages = warning;
CREATE SEQUENCE ticket_a;
SELECT ticket_nextval('ticket_a'), ticket_nextval('ticket_a'), ticket_currval('ticket_a');
SELECT array_agg(n) FROM ticket_nextval_batch('ticket_a', 5) n;
SELECT ticket_nextval_array('ticket_a', 4), ticket_currval('ticket_a');
SELECT ticket_reserve('ticket_a', 3), ticket_currval('ticket_a'), ticket_nextval('ticket_a');
-- Many: each once, in order, without a gap.
SELECT count(DISTINCT n), max(n) - min(n) AS span, bool_and(n > before) AS in_order
FROM (SELECT n, lag(n, 1, 0::bigint) OVER () AS before
      FROM (SELECT ticket_nextval('ticket_a') AS n FROM generate_series(1, 100000)) s) s;
SELECT count(DISTINCT n), max(n) - min(n) AS span FROM unnest(ticket_nextval_array('ticket_a', 100000)) n;
SELECT count(DISTINCT n), max(n) - min(n) AS span FROM ticket_nextval_batch('ticket_a', 100000) n;
-- As a default; the sequence is the table's, and cannot be dropped without it.
CREATE TABLE ticket_t (id serial PRIMARY KEY, x int);
ALTER TABLE ticket_t ALTER id SET DEFAULT ticket_nextval('ticket_t_id_seq');
INSERT INTO ticket_t (x) SELECT generate_series(1, 5);
SELECT array_agg(id ORDER BY id) FROM ticket_t;
DROP SEQUENCE ticket_t_id_seq;
-- NULL, and counts.
SELECT ticket_nextval(NULL) IS NULL AS none, ticket_reserve(NULL, 1) IS NULL AS none;
SELECT ticket_reserve('ticket_a', 0);
SELECT ticket_nextval_array('ticket_a', 10000001);
SELECT * FROM ticket_nextval_batch('ticket_a', -1);

-- Options of the sequence.
CREATE SEQUENCE ticket_odd START 1 INCREMENT 2;
CREATE SEQUENCE ticket_even START 2 INCREMENT 2;
CREATE SEQUENCE ticket_down INCREMENT -3 MINVALUE -20 MAXVALUE 5 START 5;
SELECT ticket_nextval_array('ticket_odd', 4), ticket_nextval_array('ticket_even', 4);
SELECT ticket_reserve('ticket_odd', 10), ticket_nextval('ticket_odd'), ticket_currval('ticket_odd');
SELECT ticket_nextval_array('ticket_down', 8);
SELECT ticket_reserve('ticket_down', 2);
SELECT ticket_nextval('ticket_down');
\set VERBOSITY sqlstate
SELECT ticket_nextval('ticket_down');
\set VERBOSITY default
SELECT last_value, is_called FROM ticket_down;
CREATE SEQUENCE ticket_small AS smallint START 32760;
SELECT ticket_nextval_array('ticket_small', 8);
SELECT ticket_nextval('ticket_small');
SELECT nextval('ticket_small');
-- Extremes of bigint.
CREATE SEQUENCE ticket_top START 9223372036854775806;
SELECT ticket_nextval('ticket_top'), ticket_nextval('ticket_top');
SELECT ticket_nextval('ticket_top');
CREATE SEQUENCE ticket_bottom INCREMENT -9223372036854775808 START 9223372036854775807
  MAXVALUE 9223372036854775807 MINVALUE -9223372036854775808;
SELECT ticket_nextval('ticket_bottom'), ticket_nextval('ticket_bottom');
SELECT ticket_nextval('ticket_bottom');

-- What gives no tickets.
CREATE TEMP SEQUENCE ticket_temp;
CREATE UNLOGGED SEQUENCE ticket_unlogged;
CREATE SEQUENCE ticket_cycle MAXVALUE 10 CYCLE;
SELECT ticket_nextval('ticket_temp');
SELECT ticket_nextval('ticket_unlogged');
SELECT ticket_nextval('ticket_cycle');
SELECT ticket_nextval('idgen_high_water_mark');
SELECT ticket_nextval('pg_class');
SELECT ticket_nextval('ticket_t');
SELECT ticket_nextval(0);
SELECT ticket_nextval('ticket_nowhere');
ALTER SEQUENCE ticket_unlogged SET LOGGED;
ALTER SEQUENCE ticket_cycle NO CYCLE;
SELECT ticket_nextval('ticket_unlogged'), ticket_nextval('ticket_cycle');
ALTER SEQUENCE ticket_cycle CYCLE;
SELECT ticket_nextval('ticket_cycle');
BEGIN READ ONLY;
SELECT ticket_nextval('ticket_a');
ROLLBACK;
BEGIN;
SELECT ticket_nextval('ticket_a') > 0 AS works;
SET TRANSACTION READ ONLY;
SELECT ticket_nextval('ticket_a');
ROLLBACK;

-- Beside plain nextval() and setval().
CREATE SEQUENCE ticket_mix;
SELECT ticket_nextval('ticket_mix'), nextval('ticket_mix'), ticket_nextval('ticket_mix'), nextval('ticket_mix');
SELECT setval('ticket_mix', 1000), ticket_nextval('ticket_mix'), ticket_nextval('ticket_mix');
SELECT setval('ticket_mix', 2000, false), ticket_nextval('ticket_mix');
-- Set to the very end of the reserve.
SELECT last_value AS reserved FROM ticket_mix \gset
SELECT setval('ticket_mix', :reserved), ticket_nextval('ticket_mix') - :reserved AS beyond;
-- In one statement, in any order: each number once.
SELECT count(DISTINCT n), count(n) FROM (
  SELECT unnest(ARRAY[ticket_nextval('ticket_mix'), nextval('ticket_mix'), ticket_nextval('ticket_mix')]) AS n
  FROM generate_series(1, 200)) s;
-- Set back: what was handed out does not come again, and nothing is skipped.
SELECT setval('ticket_mix', 100000), ticket_nextval_array('ticket_mix', 3);
SELECT setval('ticket_mix', 5);
SELECT ticket_nextval_array('ticket_mix', 3);
SELECT setval('ticket_mix', 5, false), ticket_nextval('ticket_mix');
-- In the steps of the sequence.
SELECT setval('ticket_odd', 6), ticket_nextval('ticket_odd') % 2 AS even_now;
ALTER SEQUENCE ticket_mix RESTART;
SELECT ticket_nextval('ticket_mix');
INSERT INTO ticket_t (x) VALUES (6) RETURNING id;
TRUNCATE ticket_t RESTART IDENTITY;
INSERT INTO ticket_t (x) VALUES (7), (8) RETURNING id;
-- To really begin anew.
SELECT ticket_restart('ticket_t_id_seq', 3), ticket_nextval_array('ticket_t_id_seq', 3);
SELECT ticket_restart('ticket_small', 32768);
SELECT ticket_restart('ticket_t', 1);
-- Other options take effect.
CREATE SEQUENCE ticket_alter;
SELECT ticket_nextval('ticket_alter');
ALTER SEQUENCE ticket_alter INCREMENT 10;
SELECT ticket_nextval_array('ticket_alter', 2);
SELECT last_value + 20 AS limit FROM ticket_alter \gset
ALTER SEQUENCE ticket_alter MAXVALUE :limit;
SELECT ticket_nextval('ticket_alter'), ticket_nextval('ticket_alter') = :limit AS last;
SELECT ticket_reserve('ticket_alter', 1) > 0 AS more;
-- Turned round: it passes over what was handed out.
CREATE SEQUENCE ticket_turn MINVALUE -100 START 10;
SELECT ticket_nextval_array('ticket_turn', 3);
ALTER SEQUENCE ticket_turn INCREMENT -1;
SELECT ticket_nextval_array('ticket_turn', 3);

-- Transactions that are rolled back, or a part of them.
CREATE SEQUENCE ticket_tx;
-- psql keeps what the transaction forgets. How far apart the numbers are depends on the time that all
-- this takes, and the warnings name them.
SET client_min_messages = error;
SELECT ticket_nextval_array('ticket_tx', 3) AS seen_1 \gset
BEGIN;
ALTER SEQUENCE ticket_tx RESTART;
SELECT ticket_nextval_array('ticket_tx', 100) AS seen_2 \gset
ROLLBACK;
SELECT ticket_nextval_array('ticket_tx', 100) AS seen_3 \gset
BEGIN;
ALTER SEQUENCE ticket_tx RESTART 50 INCREMENT 3;
SELECT ticket_nextval_array('ticket_tx', 50) AS seen_4 \gset
SAVEPOINT a;
ALTER SEQUENCE ticket_tx RESTART 7;
SELECT ticket_nextval_array('ticket_tx', 50) AS seen_5 \gset
ROLLBACK TO a;
SELECT ticket_nextval_array('ticket_tx', 100) AS seen_6 \gset
ROLLBACK;
SELECT ticket_nextval_array('ticket_tx', 100) || ARRAY[nextval('ticket_tx'), ticket_nextval('ticket_tx')] AS seen_7 \gset
BEGIN;
SAVEPOINT a;
ALTER SEQUENCE ticket_tx INCREMENT 1;
SELECT ticket_nextval_array('ticket_tx', 100) AS seen_8 \gset
ROLLBACK TO a;
SELECT nextval('ticket_tx') || ticket_nextval_array('ticket_tx', 100) AS seen_9 \gset
COMMIT;
SELECT count(*), count(DISTINCT n)
FROM unnest(:'seen_1'::bigint[] || :'seen_2'::bigint[] || :'seen_3'::bigint[] || :'seen_4'::bigint[] || :'seen_5'::bigint[]
  || :'seen_6'::bigint[] || :'seen_7'::bigint[] || :'seen_8'::bigint[] || :'seen_9'::bigint[]) n;
SET client_min_messages = warning;
-- Made and used in one transaction.
BEGIN;
CREATE SEQUENCE ticket_new;
SELECT ticket_nextval_array('ticket_new', 3);
SAVEPOINT a;
ALTER SEQUENCE ticket_new RESTART 100;
SELECT ticket_nextval('ticket_new');
ROLLBACK TO a;
SELECT ticket_nextval('ticket_new') > 3 AS goes_on;
COMMIT;
SELECT ticket_nextval('ticket_new') > 3 AS goes_on;
BEGIN;
DROP SEQUENCE ticket_new;
CREATE SEQUENCE ticket_new;
SELECT ticket_nextval('ticket_new');
COMMIT;
SELECT ticket_nextval('ticket_new');
-- Errors in between leave nothing behind.
DO $$ BEGIN
  FOR i IN 1..50 LOOP
    BEGIN
      PERFORM ticket_nextval('ticket_new');
      PERFORM 1 / (i % 2);
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
  END LOOP;
END $$;
SELECT ticket_nextval('ticket_new');
CREATE PROCEDURE ticket_commits() LANGUAGE plpgsql AS $$ BEGIN
  FOR i IN 1..5 LOOP
    PERFORM ticket_nextval('ticket_new');
    IF i % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF;
  END LOOP;
END $$;
CALL ticket_commits();
SELECT ticket_nextval('ticket_new');

-- Privileges: those of nextval(), for whoever calls at the moment.
CREATE ROLE regress_idgen_ticket;
SET ROLE regress_idgen_ticket;
SELECT ticket_nextval('ticket_new');
SELECT ticket_currval('ticket_new');
SELECT ticket_restart('ticket_new', 1);
RESET ROLE;
CREATE FUNCTION ticket_of_owner() RETURNS bigint LANGUAGE sql SECURITY DEFINER RETURN ticket_nextval('ticket_new');
GRANT USAGE ON SEQUENCE ticket_new TO regress_idgen_ticket;
SET ROLE regress_idgen_ticket;
SELECT ticket_nextval('ticket_new') - ticket_of_owner() AS step, ticket_currval('ticket_new') > 0 AS known;
SELECT ticket_restart('ticket_new', 1);
RESET ROLE;
REVOKE USAGE ON SEQUENCE ticket_new FROM regress_idgen_ticket;
GRANT SELECT ON SEQUENCE ticket_new TO regress_idgen_ticket;
SET ROLE regress_idgen_ticket;
SELECT ticket_of_owner() > 0 AS by_the_owner, ticket_currval('ticket_new') > 0 AS known;
SELECT ticket_nextval('ticket_new');
-- In one statement, the owner's right does not become the caller's.
SELECT ticket_of_owner() > 0 AS by_the_owner, ticket_nextval('ticket_new');
RESET ROLE;
-- In one transaction, whatever becomes of the rights.
BEGIN;
GRANT UPDATE ON SEQUENCE ticket_new TO regress_idgen_ticket;
SET LOCAL ROLE regress_idgen_ticket;
SELECT ticket_nextval('ticket_new') > 0 AS works;
RESET ROLE;
REVOKE UPDATE ON SEQUENCE ticket_new FROM regress_idgen_ticket;
SET LOCAL ROLE regress_idgen_ticket;
SELECT ticket_nextval('ticket_new');
ROLLBACK;
CREATE ROLE regress_idgen_ticket_group;
GRANT UPDATE ON SEQUENCE ticket_new TO regress_idgen_ticket_group;
BEGIN;
GRANT regress_idgen_ticket_group TO regress_idgen_ticket;
SET LOCAL ROLE regress_idgen_ticket;
SELECT ticket_nextval('ticket_new') > 0 AS works;
RESET ROLE;
REVOKE regress_idgen_ticket_group FROM regress_idgen_ticket;
SET LOCAL ROLE regress_idgen_ticket;
SELECT ticket_nextval('ticket_new');
ROLLBACK;
DROP OWNED BY regress_idgen_ticket_group;
DROP ROLE regress_idgen_ticket_group;
GRANT UPDATE ON SEQUENCE ticket_new TO regress_idgen_ticket;
SET ROLE regress_idgen_ticket;
SELECT ticket_nextval('ticket_new') > 0 AS works;
RESET ROLE;
DROP FUNCTION ticket_of_owner;
REVOKE ALL ON SEQUENCE ticket_new FROM regress_idgen_ticket;
DROP ROLE regress_idgen_ticket;

-- DISCARD: what a pooler sends between two clients.
SELECT ticket_nextval('ticket_new') = ticket_currval('ticket_new') AS same;
DISCARD SEQUENCES;
SELECT ticket_currval('ticket_new');
SELECT ticket_nextval('ticket_new') = ticket_currval('ticket_new') AS same;
DISCARD ALL;
SELECT ticket_currval('ticket_new');
SELECT ticket_currval('ticket_t');

-- In parallel workers, of a sequence that this transaction has made too.
SET client_min_messages = warning;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
CREATE TABLE ticket_many AS SELECT generate_series(1, 50000) AS i;
ALTER TABLE ticket_many SET (parallel_workers = 2);
ANALYZE ticket_many;
CREATE SEQUENCE ticket_p;
EXPLAIN (COSTS OFF) CREATE TABLE ticket_c AS SELECT ticket_nextval('ticket_p') AS n FROM ticket_many;
CREATE TABLE ticket_c AS SELECT ticket_nextval('ticket_p') AS n FROM ticket_many;
SELECT count(*), count(DISTINCT n) FROM ticket_c;
BEGIN;
ALTER SEQUENCE ticket_p INCREMENT 2;
CREATE TABLE ticket_d AS SELECT ticket_nextval('ticket_p') AS n FROM ticket_many;
SELECT count(*), count(DISTINCT n) AS different FROM (TABLE ticket_c UNION ALL TABLE ticket_d) s;
SELECT max(n) AS most FROM ticket_d \gset
ROLLBACK;
SELECT nextval('ticket_p') > :most AS beyond, ticket_nextval('ticket_p') > :most AS beyond;

DROP TABLE ticket_t, ticket_many, ticket_c;
DROP PROCEDURE ticket_commits;
DROP SEQUENCE ticket_a, ticket_odd, ticket_even, ticket_down, ticket_small, ticket_top, ticket_bottom, ticket_unlogged,
  ticket_cycle, ticket_mix, ticket_alter, ticket_turn, ticket_tx, ticket_new, ticket_p;

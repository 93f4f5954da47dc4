-- IDs that are in several tables. (On several servers: test/t/028_analyze.pl.)
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT setseed(0.5);
CREATE FUNCTION co_id(machine int, n int) RETURNS bigint LANGUAGE sql AS
  $$ SELECT idgen_compose('snowflake', '2026-01-01Z'::timestamptz + n * interval '1 ms', 0, machine, NULL, 0) $$;

-- Without a mistake nothing but one row for each identity is looked at.
CREATE TABLE co_1 AS SELECT co_id(1, n) AS id FROM generate_series(1, 3000) n;
CREATE TABLE co_2 AS SELECT co_id(2, n) AS id FROM generate_series(1, 2000) n;
CREATE TABLE co_3 AS SELECT co_id(3, n) AS id FROM generate_series(1, 1000) n;
SET client_min_messages = notice;
SELECT id, found_in FROM idgen_find_collisions('{co_1,co_2,co_3}');
-- Two tables share an identity, and some IDs; others are in all three.
INSERT INTO co_2 SELECT co_id(1, n) FROM generate_series(3001, 4500) n;
INSERT INTO co_2 SELECT co_id(1, n) FROM generate_series(100, 2000, 500) n;
INSERT INTO co_3 SELECT co_id(1, n) FROM generate_series(100, 1000, 500) n;
INSERT INTO co_3 VALUES (NULL), (co_id(2, 77)), (co_id(2, 77)), (-5);
INSERT INTO co_2 VALUES (NULL), (-5);
SELECT id, uuid, found_in FROM idgen_find_collisions('{co_1,co_2,co_3}');
SELECT * FROM idgen_find_collisions('{co_3,co_1}', error_rate => 0.5);
-- With a layout that knows nothing of the identity, more is looked at, and the result is the same.
SELECT count(*) FROM idgen_find_collisions('{co_1,co_2,co_3}', layout => 'tso');
SET client_min_messages = warning;

-- Against a plain query: random IDs of few identities in five tables, and a plain table beside views.
DO $$ BEGIN
  FOR i IN 1..5 LOOP
    EXECUTE format('CREATE TABLE co_random_%s AS SELECT co_id((random() * 3)::int, (random() * %s)::int) AS id FROM generate_series(1, %s) n',
                   i, 30000, i * 1500);
  END LOOP;
END $$;
CREATE VIEW co_view AS SELECT id FROM co_random_2;
CREATE VIEW co_expected AS
SELECT id, array_agg(DISTINCT place ORDER BY place) AS places
FROM (SELECT id, 1 AS place FROM co_random_1 UNION ALL SELECT id, 2 FROM co_random_2 UNION ALL SELECT id, 3 FROM co_random_3
      UNION ALL SELECT id, 4 FROM co_random_4 UNION ALL SELECT id, 5 FROM co_random_5) x
GROUP BY id HAVING count(DISTINCT place) > 1;
SELECT error_rate, count(*) > 500 AS many,
       (SELECT count(*) FROM co_expected) = count(*) AS all_of_them,
       count(*) FILTER (WHERE (e.id, e.places) IS DISTINCT FROM (f.id, f.places)) AS wrong
FROM unnest(ARRAY[0.0001, 0.01, 0.9]) error_rate,
  LATERAL (SELECT id, (SELECT array_agg(array_position('{co_random_1,co_view,co_random_3,co_random_4,co_random_5}'::regclass[], r) ORDER BY 1)
                       FROM unnest(found_in) r) AS places
           FROM idgen_find_collisions('{co_random_1,co_view,co_random_3,co_random_4,co_random_5}', error_rate => error_rate)) f
LEFT JOIN co_expected e USING (id) GROUP BY error_rate ORDER BY error_rate;
-- UUIDs.
CREATE TABLE co_uuid_1 AS SELECT idgen_to_uuid(n) AS id FROM generate_series(1, 1000) n;
CREATE TABLE co_uuid_2 AS SELECT idgen_to_uuid(n) AS id FROM generate_series(998, 3000) n;
SELECT idgen_from_uuid(uuid), id, found_in FROM idgen_find_collisions('{co_uuid_2,co_uuid_1}');
-- Empty tables, and more identities than are counted.
CREATE TABLE co_empty (id bigint);
SELECT * FROM idgen_find_collisions('{co_empty,co_1}');
SELECT * FROM idgen_find_collisions('{co_1,co_empty,co_2}') LIMIT 1;
CREATE TABLE co_many AS SELECT n::bigint << 12 AS id FROM generate_series(1, 100100) n;
INSERT INTO co_empty VALUES (4096), (4097);
SELECT id, found_in FROM idgen_find_collisions('{co_empty,co_many}', layout => 'timestamp:33, shard:18, sequence:12, epoch:2020-01-01Z');

-- What cannot be.
SELECT * FROM idgen_find_collisions('{}');
SELECT * FROM idgen_find_collisions('{co_1}');
SELECT * FROM idgen_find_collisions('{co_1,co_1}');
SELECT * FROM idgen_find_collisions('{co_1,NULL}');
SELECT * FROM idgen_find_collisions('{co_1,co_missing}');
SELECT * FROM idgen_find_collisions('{co_1,co_uuid_1}');
SELECT * FROM idgen_find_collisions('{co_1,co_2}', 'missing');
SELECT * FROM idgen_find_collisions('{co_1,co_2}', error_rate => 0);
SELECT * FROM idgen_find_collisions('{co_1,co_2}', error_rate => 1);
SELECT * FROM idgen_find_collisions('{co_1,co_2}', error_rate => 'NaN');
CREATE ROLE regress_idgen_finder;
GRANT SELECT ON co_1 TO regress_idgen_finder;
GRANT USAGE ON SCHEMA public TO regress_idgen_finder;
SET ROLE regress_idgen_finder;
\set VERBOSITY terse
SELECT * FROM idgen_find_collisions('{co_1,co_2}');
RESET ROLE;
REVOKE USAGE ON SCHEMA public FROM regress_idgen_finder;

DROP VIEW co_view, co_expected;
DROP TABLE co_1, co_2, co_3, co_random_1, co_random_2, co_random_3, co_random_4, co_random_5, co_uuid_1, co_uuid_2, co_empty, co_many;
DROP FUNCTION co_id;
DROP ROLE regress_idgen_finder;

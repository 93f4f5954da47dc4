-- Making IDs in all the places where SQL makes rows.
SET idgen.datacenter_id = 1;
SET idgen.machine_id = 11;

-- A column default.
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), item text);
INSERT INTO orders (item) VALUES ('tea') RETURNING id > 0 AS has_id, item;
INSERT INTO orders (item) VALUES ('milk'), ('bread') RETURNING id = snowflake_currval() AS is_last;
SELECT count(*), count(DISTINCT id) AS ids, min(snowflake_datacenter(id)) AS datacenter,
       min(snowflake_machine(id)) AS machine
FROM orders;

-- COPY.
COPY orders (item) FROM stdin;
sugar
salt
\.
SELECT item FROM orders ORDER BY id;

-- A million rows.
INSERT INTO orders (item) SELECT 'bulk' FROM generate_series(1, 1000000);
SELECT count(*), count(DISTINCT id) AS ids FROM orders;
-- In the order in which they were made, none twice, none of another identity.
SELECT count(*) FILTER (WHERE id <= before) AS steps_back,
       count(*) FILTER (WHERE snowflake_machine(id) <> 11 OR snowflake_datacenter(id) <> 1) AS foreign_ids
FROM (SELECT id, lag(id) OVER (ORDER BY ctid) AS before FROM orders) o;
-- Never ahead of the clock.
SELECT max(snowflake_timestamp(id)) <= clock_timestamp() AS honest FROM orders;
TRUNCATE orders;

-- Prepared statements, the same generator through its name, expressions as names.
PREPARE one AS INSERT INTO orders (item) VALUES ($1) RETURNING item;
EXECUTE one('a');
EXECUTE one('b');
PREPARE named(text) AS SELECT idgen_nextval($1) > 0 AS made;
EXECUTE named('snowflake');
EXECUTE named('tso');
EXECUTE named('nothing');
EXECUTE named('snowflake');
DEALLOCATE ALL;
-- One call site, two generators in turn: each row's ID is of the generator it names.
SELECT g, count(*) AS rows,
       count(*) FILTER (WHERE snowflake_machine(id) = 11 AND snowflake_datacenter(id) = 1
                        AND snowflake_timestamp(id) < clock_timestamp() + interval '1 h') AS like_snowflake
FROM (SELECT g, idgen_nextval(g) AS id
      FROM (SELECT CASE WHEN i % 2 = 0 THEN 'snowflake' ELSE 'tso' END AS g
            FROM generate_series(1, 1000) i) names) ids
GROUP BY g ORDER BY g;

-- PL/pgSQL, with the generator in a variable.
CREATE FUNCTION make(generators text[]) RETURNS TABLE (generator text, increases boolean)
LANGUAGE plpgsql AS $$
DECLARE
  last bigint := 0;
  id bigint;
BEGIN
  FOREACH generator IN ARRAY generators LOOP
    id := idgen_nextval(generator);
    increases := id = idgen_currval(generator) AND (last = 0 OR id <> last);
    last := id;
    RETURN NEXT;
  END LOOP;
END $$;
SELECT * FROM make(ARRAY['snowflake', 'tso', 'snowflake', 'tso']);

-- A trigger.
CREATE TABLE audit (id bigint PRIMARY KEY, of_order bigint);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit VALUES (snowflake_nextval(), NEW.id);
  RETURN NEW;
END $$;
CREATE TRIGGER note AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO orders (item) SELECT 'noted' FROM generate_series(1, 1000);
SELECT count(*), bool_and(audit.id > of_order) AS later FROM audit;
SELECT count(*) AS in_both FROM audit JOIN orders USING (id);

-- A CTE; ON CONFLICT.
WITH new AS (INSERT INTO orders (item) VALUES ('cte'), ('cte') RETURNING id)
SELECT count(*), count(DISTINCT id) AS ids FROM new;
INSERT INTO orders (id, item) SELECT id, 'again' FROM orders WHERE item = 'cte'
ON CONFLICT (id) DO UPDATE SET item = 'updated';
SELECT count(*) FROM orders WHERE item = 'updated';

-- A rolled-back transaction gives nothing back.
BEGIN;
SELECT snowflake_nextval() AS lost \gset
ROLLBACK;
SELECT snowflake_nextval() > :lost AS greater;
BEGIN;
SAVEPOINT inside;
SELECT snowflake_nextval() AS lost \gset
ROLLBACK TO inside;
SELECT snowflake_nextval() > :lost AS greater;
COMMIT;

-- Read-only transactions may make IDs: no table is changed.
BEGIN READ ONLY;
SELECT snowflake_nextval() > :lost AS greater;
COMMIT;

-- Parallel plans stay parallel, with the IDs made by the workers.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
CREATE TABLE numbers AS SELECT generate_series(1, 50000) AS n;
ANALYZE numbers;
EXPLAIN (COSTS OFF) CREATE TABLE copied AS SELECT snowflake_nextval() AS id, n FROM numbers;
CREATE TABLE copied AS SELECT snowflake_nextval() AS id, n FROM numbers;
SELECT count(DISTINCT id) FROM copied;
EXPLAIN (COSTS OFF) SELECT count(snowflake_timestamp(id)) FROM copied;
-- What this session made is the leader's to tell.
EXPLAIN (COSTS OFF, VERBOSE) SELECT n, snowflake_currval() > 0 FROM numbers;
-- A generic plan.
SET plan_cache_mode = force_generic_plan;
PREPARE bulk(int) AS INSERT INTO copied SELECT snowflake_nextval(), n FROM numbers WHERE n <= $1;
EXECUTE bulk(100);
EXECUTE bulk(100);
SELECT count(*), count(DISTINCT id) AS ids FROM copied;
RESET ALL;

-- The session's last ID: none in a new session, of each generator its own.
\c -
SELECT snowflake_currval();
SELECT idgen_currval('tso');
SELECT idgen_nextval('tso') = idgen_currval('tso') AS same;
SELECT snowflake_currval();
SELECT snowflake_nextval() = snowflake_currval() AS same;

-- Blocks: fewer looks at shared memory, the same promises within the session.
SET idgen.machine_id = 12;
SET idgen.block_size = 100;
SELECT count(*), count(DISTINCT id) AS ids, count(*) FILTER (WHERE id <= before) AS steps_back
FROM (SELECT id, lag(id) OVER () AS before
      FROM (SELECT snowflake_nextval() AS id FROM generate_series(1, 100000)) i) o;
-- A block larger than a tick ends with the tick.
SET idgen.block_size = 1048576;
SELECT count(*), count(DISTINCT id) AS ids, count(*) FILTER (WHERE id <= before) AS steps_back
FROM (SELECT id, lag(id) OVER () AS before
      FROM (SELECT snowflake_nextval() AS id FROM generate_series(1, 20000)) i) o;
-- What is left of a block of one identity is not used with another.
SET idgen.machine_id = 13;
SELECT snowflake_machine(snowflake_nextval());
RESET idgen.block_size;
SELECT snowflake_machine(snowflake_nextval());

-- Bad input.
SELECT idgen_nextval('Snowflake');
SELECT idgen_nextval('');
SELECT idgen_currval('nothing');
SELECT idgen_nextval(NULL) IS NULL AS null_in_null_out;
SELECT snowflake_nextval() > 0 AS works_after_all_that;

DROP TABLE orders, audit, numbers, copied;
DROP FUNCTION make, note;

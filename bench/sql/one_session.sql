-- The cost of one call in one session: interleaved rounds, medians, the cost of the loop
-- taken off, everything as a ratio to clock_timestamp() in the same rounds.
-- psql variables: rows (calls a round), rounds.
\set QUIET on
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET work_mem = '512MB';
SET client_min_messages = warning;
CREATE TEMP TABLE subject (n int, name text, call text);
INSERT INTO subject VALUES
  (0, 'empty loop', '1'),
  (1, 'clock_timestamp()', 'clock_timestamp()'),
  (2, 'idgen_nextval(''tso'')', 'idgen_nextval(''tso'')'),
  (3, 'idgen_nextval(''tso''), block_size 64', 'idgen_nextval(''tso'')'),
  (4, 'nextval(), CACHE 1', 'nextval(''pg_temp.cache_1'')'),
  (5, 'nextval(), CACHE 1000', 'nextval(''pg_temp.cache_1000'')'),
  (6, 'gen_random_uuid()', 'gen_random_uuid()'),
  (7, 'snowflake_timestamp(id)', 'snowflake_timestamp(912576742512656384 + i)'),
  (8, 'id >> 22', '(912576742512656384 + i) >> 22');
CREATE SEQUENCE pg_temp.cache_1;
CREATE SEQUENCE pg_temp.cache_1000 CACHE 1000;
CREATE TEMP TABLE run (n int, ns float8);

CREATE FUNCTION pg_temp.measure(rows int, rounds int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s record;
  began timestamptz;
BEGIN
  FOR round IN 0..rounds LOOP  -- the first is for warming up
    FOR s IN SELECT * FROM subject ORDER BY n LOOP
      PERFORM set_config('idgen.block_size', CASE s.n WHEN 3 THEN '64' ELSE '1' END, true);
      began := clock_timestamp();
      EXECUTE format('SELECT count(%s) FROM generate_series(1, %s) i', s.call, rows);
      IF round > 0 THEN
        INSERT INTO run VALUES (s.n, extract(epoch FROM clock_timestamp() - began) * 1e9 / rows);
      END IF;
    END LOOP;
  END LOOP;
END $$;
SELECT pg_temp.measure(:rows, :rounds) \g /dev/null

WITH loop AS (
  SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ns) AS ns FROM run WHERE n = 0
), cost AS (
  SELECT n, percentile_cont(0.5) WITHIN GROUP (ORDER BY run.ns) - loop.ns AS ns,
         percentile_cont(0.75) WITHIN GROUP (ORDER BY run.ns)
           - percentile_cont(0.25) WITHIN GROUP (ORDER BY run.ns) AS spread
  FROM run, loop GROUP BY n, loop.ns
)
SELECT name AS "one call", round(c.ns::numeric, 1) AS "ns",
       round(c.spread::numeric, 1) AS "spread",
       round((c.ns / clock.ns)::numeric, 2) AS "x clock_timestamp()",
       round((c.ns / id.ns)::numeric, 2) AS "x idgen"
FROM cost c JOIN subject USING (n), cost clock, cost id
WHERE clock.n = 1 AND id.n = 2 AND c.n > 0 ORDER BY c.n;

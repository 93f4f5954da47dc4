-- The cost of one call in one session: SELECT count(f()) FROM generate_series(), the cost of the
-- loop and of the argument, measured in the same round, taken off. Long loops for what meets no
-- limit; else many bursts of 1,000 calls, fewer than the limit of any layout in a millisecond, and
-- as a round's value the mean of the middle half of them. No two subjects share an ID space.
-- psql variables: part (which subjects), calls, bursts, rounds.
\set QUIET on
SET client_min_messages = warning;
CREATE TEMP TABLE called AS
  SELECT n, name, call, argument, block FROM bench.subjects(:'part')
  UNION ALL
  SELECT -row_number() OVER (), NULL, argument, argument, 1
  FROM (SELECT DISTINCT argument FROM bench.subjects(:'part')) a;
CREATE TEMP TABLE burst (round int, n int, ns float8);

CREATE FUNCTION pg_temp.measure(calls int, bursts int, rounds int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s record;
  began timestamptz;
  first int := 0;
BEGIN
  FOR s IN SELECT * FROM called LOOP
    EXECUTE format('PREPARE bench_%s (int) AS SELECT count(%s) FROM generate_series($1, $1 + %s) i',
                   s.n + 1000, s.call, calls - 1);
  END LOOP;
  FOR round IN 0..rounds LOOP  -- the first is for warming up
    FOR burst IN 1..bursts LOOP
      FOR s IN SELECT * FROM called ORDER BY n LOOP
        PERFORM set_config('idgen.block_size', s.block::text, true);
        began := clock_timestamp();
        EXECUTE format('EXECUTE bench_%s (%s)', s.n + 1000, first);
        INSERT INTO burst VALUES (round, s.n, extract(epoch FROM clock_timestamp() - began) * 1e9 / calls);
      END LOOP;
      first := (first + calls) % 1000000000;
    END LOOP;
  END LOOP;
END $$;
SELECT pg_temp.measure(:calls, :bursts, :rounds) \g /dev/null

WITH ranked AS (
  SELECT *, percent_rank() OVER (PARTITION BY round, n ORDER BY ns) AS p FROM burst WHERE round > 0
), cost AS (
  SELECT round, n, name, call, argument, avg(ns) AS ns FROM ranked JOIN called USING (n)
  WHERE :bursts < 4 OR p BETWEEN 0.25 AND 0.75 GROUP BY 1, 2, 3, 4, 5
)
INSERT INTO bench.result (part, subject, x, round, value)
SELECT :'part', c.name, '-', round, c.ns - base.ns
FROM cost c JOIN cost base USING (round)
WHERE c.n > 0 AND base.n < 0 AND base.call = c.argument ORDER BY c.n, round;

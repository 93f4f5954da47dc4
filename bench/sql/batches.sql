-- The cost of an ID where a prepared statement, run from PL/pgSQL, makes n of them, one by one or as
-- a batch; the statement's own cost is in it. 1,000 IDs at least between two looks at the clock.
-- psql variables: bursts (such measurements of each in a round), rounds.
\set QUIET on
SET client_min_messages = warning;
CREATE TEMP TABLE batch AS
  SELECT s.n, name, coalesce(batch, format('SELECT count(%s) FROM generate_series(1, $1) i', call)) AS statement
  FROM bench.subjects('batches') s;
CREATE TEMP TABLE burst (round int, ids int, n int, ns float8);

CREATE FUNCTION pg_temp.measure(bursts int, rounds int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s record;
  ids int;
  statements int;
  began timestamptz;
BEGIN
  FOR s IN SELECT * FROM batch LOOP
    EXECUTE format('PREPARE bench_%s (int) AS %s', s.n, s.statement);
  END LOOP;
  FOR round IN 0..rounds LOOP  -- the first is for warming up
    FOREACH ids IN ARRAY ARRAY[10, 100, 1000, 10000] LOOP
      statements := greatest(1000 / ids, 1);
      FOR burst IN 1..bursts LOOP
        FOR s IN SELECT * FROM batch ORDER BY n LOOP
          -- Nor may what shares a position with others here meet the limit of a millisecond.
          CONTINUE WHEN s.name LIKE 'snowflake%' AND ids > 1000;
          began := clock_timestamp();
          FOR statement IN 1..statements LOOP
            EXECUTE format('EXECUTE bench_%s (%s)', s.n, ids);
          END LOOP;
          INSERT INTO burst
          VALUES (round, ids, s.n, extract(epoch FROM clock_timestamp() - began) * 1e9 / statements);
        END LOOP;
      END LOOP;
    END LOOP;
  END LOOP;
END $$;
SELECT pg_temp.measure(:bursts, :rounds) \g /dev/null

INSERT INTO bench.result (part, subject, x, round, value)
SELECT 'batches', name, ids, round, avg(ns) / ids
FROM (SELECT *, percent_rank() OVER (PARTITION BY round, ids, n ORDER BY ns) AS p FROM burst WHERE round > 0) b
JOIN batch USING (n)
WHERE :bursts < 4 OR p BETWEEN 0.25 AND 0.75 GROUP BY n, name, ids, round ORDER BY n, ids, round;

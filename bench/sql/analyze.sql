-- What reads a whole table of IDs, against count(), min() and max() of it, with as many workers: the IDs of
-- a month, of five machines in turn, in the order in which they were made. psql variables: rows, rounds.
\set QUIET on
SET client_min_messages = warning;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
CREATE UNLOGGED TABLE bench.month AS
SELECT idgen_compose('snowflake', '2026-01-01Z'::timestamptz + i * (interval '30 days' / :rows), 1, i % 5, NULL, i % 3) AS id
FROM generate_series(1, :rows) i;
VACUUM ANALYZE bench.month;

CREATE PROCEDURE pg_temp.measure(rows int, rounds int) LANGUAGE plpgsql AS $$
DECLARE
  s record;
  began timestamptz;
BEGIN
  FOR round IN 0..rounds LOOP  -- the first is for warming up
    FOR s IN
      SELECT name, workers, format(statement, rows) AS statement
      FROM (VALUES (1, 'count(), min(), max()', 'SELECT count(id), min(id), max(id) FROM bench.month'),
                   (2, 'idgen_analyze()', 'SELECT count(*) FROM idgen_analyze(''bench.month'')'),
                   (3, 'idgen_bloom_agg()', 'SELECT idgen_bloom_agg(id, %s, 0.01) IS NULL FROM bench.month')) q(n, name, statement),
        unnest(ARRAY[0, 1]) workers ORDER BY workers, n
    LOOP
      PERFORM set_config('max_parallel_workers_per_gather', s.workers::text, false);
      began := clock_timestamp();
      EXECUTE s.statement;
      IF round > 0 THEN
        INSERT INTO bench.result (part, subject, x, round, value)
        VALUES ('analyze', s.name, s.workers, round, extract(epoch FROM clock_timestamp() - began) * 1e3);
      END IF;
    END LOOP;
  END LOOP;
END $$;
CALL pg_temp.measure(:rows, :rounds);
DROP TABLE bench.month;

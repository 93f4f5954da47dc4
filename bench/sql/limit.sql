-- How much of the snowflake layout's 4,096 IDs a millisecond one session gets: by the IDs
-- themselves, which say what milliseconds they span.
\set QUIET on
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET work_mem = '512MB';
CREATE FUNCTION pg_temp.rate(source text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  part numeric;
BEGIN
  EXECUTE 'SELECT count(id) / (4096.0 * ((max(id) >> 22) - (min(id) >> 22) + 1)) FROM ' || source INTO part;
  RETURN part;
END $$;
SELECT name AS "one session", round(percentile_cont(0.5) WITHIN GROUP (ORDER BY r)::numeric, 3) AS "of the limit"
FROM (
  SELECT name, pg_temp.rate(source) AS r
  FROM generate_series(1, :rounds) round,
       (VALUES ('snowflake_nextval()',
                '(SELECT snowflake_nextval() AS id FROM generate_series(1, 2000000) OFFSET 0) i'),
               ('snowflake_nextval_batch()', 'snowflake_nextval_batch(2000000) id')) s(name, source)
) m GROUP BY name ORDER BY name;

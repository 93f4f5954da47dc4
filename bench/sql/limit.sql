-- How much of the snowflake layout's 4,096 IDs a millisecond one session gets.
\set QUIET on
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET work_mem = '512MB';
CREATE FUNCTION pg_temp.rate(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  first bigint := idgen_nextval('snowflake');
  last bigint;
  ids bigint;
BEGIN
  EXECUTE query INTO ids;
  last := idgen_nextval('snowflake');
  -- By the IDs themselves: the milliseconds that they span.
  RETURN ids / (4096.0 * ((last >> 22) - (first >> 22)));
END $$;
SELECT name AS "one session", round(percentile_cont(0.5) WITHIN GROUP (ORDER BY r)::numeric, 3) AS "of the limit"
FROM (
  SELECT name, pg_temp.rate(query) AS r
  FROM generate_series(1, :rounds) round,
       (VALUES ('snowflake_nextval()', 'SELECT count(snowflake_nextval()) FROM generate_series(1, 2000000)'),
               ('snowflake_nextval_batch()', 'SELECT count(*) FROM snowflake_nextval_batch(2000000)')) s(name, query)
) m GROUP BY name ORDER BY name;

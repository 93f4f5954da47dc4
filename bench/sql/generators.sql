-- What a name, a shard and a layout of one's own cost over snowflake_nextval(), and reading over
-- `id >> 22`. In bursts that stay below the 4,096 IDs of a millisecond, for no session may wait
-- here: interleaved rounds, medians, the cost of the loop and of the argument taken off.
-- psql variables: rounds.
\set QUIET on
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET client_min_messages = warning;
SELECT idgen_create_layout('bench', 'timestamp:41, shard:8, machine:2, sequence:12') \g /dev/null
SELECT idgen_create_generator('bench_named', 'snowflake', machine_id => 5) \g /dev/null
CREATE TEMP TABLE subject (n int, name text, call text, base int, compare int);
INSERT INTO subject VALUES
  (0, 'empty loop', '1', 0, 0),
  (1, 'i & 8191', 'i & 8191', 0, 0),
  (2, '1 + i', '912576742512656384 + i', 0, 0),
  (3, 'snowflake_nextval()', 'snowflake_nextval()', 0, 3),
  (4, 'idgen_nextval(name)', 'idgen_nextval(''bench_named'')', 0, 3),
  (5, 'instagram_nextval(shard), 8192 shards in turn', 'instagram_nextval(i & 8191)', 1, 3),
  (6, 'idgen_nextval(name, shard), a layout of one''s own', 'idgen_nextval(''bench'', i & 255)', 1, 3),
  (7, 'id >> 22', '(912576742512656384 + i) >> 22', 2, 7),
  (8, 'snowflake_timestamp(id)', 'snowflake_timestamp(912576742512656384 + i)', 2, 7),
  (9, 'snowflake_machine(id)', 'snowflake_machine(912576742512656384 + i)', 2, 7),
  (10, 'idgen_timestamp(id, ''bench'')', 'idgen_timestamp(912576742512656384 + i, ''bench'')', 2, 7),
  (11, 'idgen_encode(id, ''base62'')', 'idgen_encode(912576742512656384 + i, ''base62'')', 2, 7),
  (12, 'snowflake_parse(id)', 'snowflake_parse(912576742512656384 + i)', 2, 7);
CREATE TEMP TABLE run (n int, ns float8);

CREATE FUNCTION pg_temp.measure(rounds int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s record;
  began timestamptz;
  -- Above 8,191 of the first burst, so that every shard is used; each burst begins elsewhere.
  first int;
BEGIN
  FOR round IN -20..rounds LOOP  -- the first are for warming up
    first := (round + 20) * 2000;
    FOR s IN SELECT * FROM subject ORDER BY n LOOP
      began := clock_timestamp();
      EXECUTE format('SELECT count(%s) FROM generate_series(%s, %s) i', s.call, first, first + 1999);
      IF round > 0 THEN
        INSERT INTO run VALUES (s.n, extract(epoch FROM clock_timestamp() - began) * 1e9 / 2000);
      END IF;
    END LOOP;
  END LOOP;
END $$;
SELECT pg_temp.measure(:rounds * 40) \g /dev/null

WITH median AS (
  SELECT n, percentile_cont(0.5) WITHIN GROUP (ORDER BY ns) AS ns FROM run GROUP BY n
), cost AS (
  SELECT s.*, m.ns AS whole, m.ns - b.ns AS ns
  FROM subject s JOIN median m USING (n) JOIN median b ON b.n = s.base
)
SELECT c.name AS "one call", round(c.ns::numeric, 1) AS "ns",
       o.name AS "against", round((c.ns - o.ns)::numeric, 1) AS "ns more",
       round((c.ns / o.ns)::numeric, 2) AS "x", round((c.whole / o.whole)::numeric, 2) AS "x with the loop"
FROM cost c JOIN cost o ON o.n = c.compare WHERE c.n > 2 ORDER BY c.n;

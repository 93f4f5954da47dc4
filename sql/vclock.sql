-- Vector clocks.
SELECT vclock_increment('{}', 'a'), vclock_increment('{"a": 1, "b": 7}', 'a'), vclock_increment('{"a": 0}', '');
SELECT vclock_merge('{"a": 2, "b": 1}', '{"b": 3, "c": 0}'), vclock_merge('{}', '{}');
SELECT * FROM vclock_each('{"b": 3, "a": 9223372036854775807}') ORDER BY node;
SELECT a, b, vclock_compare(a, b)
FROM (VALUES ('{"a": 1}'::jsonb, '{"a": 1}'::jsonb), ('{}', '{}'), ('{"a": 0}', '{}'), ('{}', '{"a": 1}'),
             ('{"a": 2}', '{"a": 2, "b": 1}'), ('{"a": 3, "b": 1}', '{"a": 2, "b": 1}'),
             ('{"a": 1}', '{"b": 1}'), ('{"a": 1, "b": 2}', '{"a": 2, "b": 1}')) v(a, b);
SELECT vclock_merge_agg(clock), vclock_merge_agg(clock) FILTER (WHERE false) AS of_none
FROM (VALUES ('{"a": 1}'::jsonb), ('{"b": 2}'), ('{"a": 3}')) v(clock);

-- What must hold of all clocks: random ones of few nodes and small counters, so that all four answers occur.
-- (The mention of i makes each of them another.)
CREATE TEMP TABLE clocks AS
  SELECT i, (SELECT coalesce(jsonb_object_agg(node, (random() * 3)::int) FILTER (WHERE random() < 0.8 OR i < 0), '{}')
             FROM unnest(ARRAY['a', 'b', 'c']) node) AS clock
  FROM generate_series(1, 500) i;
CREATE TEMP TABLE triples AS
  SELECT x.clock AS x, y.clock AS y, z.clock AS z, vclock_compare(x.clock, y.clock) AS x_y
  FROM clocks x JOIN clocks y ON y.i = x.i % 500 + 1 JOIN clocks z ON z.i = (x.i + 1) % 500 + 1;
SELECT count(DISTINCT x_y) AS answers, count(*) AS triples,
  count(*) FILTER (WHERE vclock_merge(x, y) = vclock_merge(y, x)) AS commutative,
  count(*) FILTER (WHERE vclock_merge(vclock_merge(x, y), z) = vclock_merge(x, vclock_merge(y, z))) AS associative,
  count(*) FILTER (WHERE vclock_merge(x, x) = x) AS idempotent,
  count(*) FILTER (WHERE vclock_compare(x, x) = 'equal') AS reflexive,
  count(*) FILTER (WHERE vclock_compare(y, x) = CASE x_y WHEN 'before' THEN 'after' WHEN 'after' THEN 'before' ELSE x_y END) AS antisymmetric,
  count(*) FILTER (WHERE vclock_compare(vclock_increment(x, 'a'), x) = 'after'
                     AND vclock_compare(x, vclock_increment(x, 'new')) = 'before') AS increments,
  count(*) FILTER (WHERE vclock_compare(vclock_merge(x, y), x) IN ('after', 'equal')
                     AND vclock_compare(y, vclock_merge(x, y)) IN ('before', 'equal')) AS upper_bound,
  -- The least one: it is not after any other.
  count(*) FILTER (WHERE vclock_compare(vclock_merge(x, y), vclock_merge(vclock_merge(x, y), z)) IN ('before', 'equal')) AS least,
  count(*) FILTER (WHERE x_y <> 'before' OR vclock_compare(y, z) <> 'before' OR vclock_compare(x, z) = 'before') AS transitive,
  count(*) FILTER (WHERE (x_y = 'equal') = (vclock_merge(x, '{"a": 0, "b": 0, "c": 0}') = vclock_merge(y, '{"a": 0, "b": 0, "c": 0}'))) AS equal
FROM triples;
-- Against the definition, on counters side by side.
SELECT count(*) AS wrong
FROM (SELECT x_y, coalesce((x ->> 'a')::int, 0) AS xa, coalesce((x ->> 'b')::int, 0) AS xb, coalesce((x ->> 'c')::int, 0) AS xc,
             coalesce((y ->> 'a')::int, 0) AS ya, coalesce((y ->> 'b')::int, 0) AS yb, coalesce((y ->> 'c')::int, 0) AS yc FROM triples) t
WHERE x_y <> CASE WHEN (xa, xb, xc) = (ya, yb, yc) THEN 'equal'
                  WHEN xa <= ya AND xb <= yb AND xc <= yc THEN 'before'
                  WHEN xa >= ya AND xb >= yb AND xc >= yc THEN 'after' ELSE 'concurrent' END;
-- The aggregate.
SELECT vclock_merge_agg(clock) = '{"a": 3, "b": 3, "c": 3}' AS all_of_them FROM clocks;

-- In an index, and a generated column.
CREATE TABLE vclock_rows (clock jsonb, other jsonb,
  relation text GENERATED ALWAYS AS (vclock_compare(clock, other)) STORED);
CREATE INDEX ON vclock_rows (vclock_merge(clock, other));
INSERT INTO vclock_rows VALUES ('{"a": 1}', '{"b": 1}') RETURNING relation;
DROP TABLE vclock_rows;

-- Bad input, in either place.
SELECT vclock_increment('{"a": -1}', 'b');
SELECT vclock_increment('{"a": 1.5}', 'b');
SELECT vclock_increment('{"a": "1"}', 'b');
SELECT vclock_increment('{"a": null}', 'b');
SELECT vclock_increment('{"a": [1]}', 'b');
SELECT vclock_increment('{"a": {"b": 1}}', 'b');
SELECT vclock_increment('{"a": 9223372036854775808}', 'b');
SELECT vclock_increment('{"a": 9223372036854775807}', 'a');
SELECT vclock_increment('[]', 'a');
SELECT vclock_increment('3', 'a');
SELECT vclock_increment('null', 'a');
SELECT vclock_increment(NULL, 'a');
SELECT vclock_increment('{}', NULL);
\set VERBOSITY sqlstate
SELECT vclock_merge('{"a": -1}', '{}');
SELECT vclock_merge('{}', '{"a": true}');
SELECT vclock_merge('{}', NULL);
SELECT vclock_merge(NULL, '{}');
SELECT vclock_compare('{"a": 1, "b": -1}', '{"a": 2}');
SELECT vclock_compare('{}', '[1]');
SELECT vclock_compare(NULL, '{}');
SELECT vclock_compare('{}', NULL);
SELECT vclock_each(NULL);
SELECT vclock_merge_agg(clock) FROM (VALUES ('{}'::jsonb), (NULL)) v(clock);

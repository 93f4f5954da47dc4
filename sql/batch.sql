-- Many IDs in one call: rows and arrays.

-- As rows.
SELECT count(*), count(DISTINCT id) AS ids, max(id) = snowflake_currval() AS last_is_currval
FROM snowflake_nextval_batch(10000) AS id;
SELECT count(*) FILTER (WHERE id <= before) AS steps_back
FROM (SELECT id, lag(id) OVER (ORDER BY n) AS before
      FROM snowflake_nextval_batch(10000) WITH ORDINALITY AS b(id, n)) o;
SELECT count(id) FROM (SELECT snowflake_nextval_batch(3) AS id FROM generate_series(1, 3)) b;
SELECT count(*) FROM idgen_nextval_batch('tso', 300000) AS id;
-- Read in parts, with other IDs made between.
BEGIN;
DECLARE part CURSOR FOR SELECT snowflake_nextval_batch(5) > 0 AS made;
FETCH 2 FROM part;
SELECT snowflake_nextval() > 0 AS made;
FETCH ALL FROM part;
COMMIT;

-- As an array.
SELECT snowflake_nextval() AS before \gset
SELECT array_ndims(ids) AS dimensions, array_lower(ids, 1) AS first, cardinality(ids) AS count,
       ids[10000] = snowflake_currval() AS last_is_currval, ids[1] > :before AS later
FROM (SELECT snowflake_nextval_array(10000) AS ids OFFSET 0) a;
SELECT count(*) FILTER (WHERE id <= before) AS steps_back, bool_and(snowflake_machine(id) = 0) AS of_machine_0
FROM (SELECT id, lag(id) OVER (ORDER BY n) AS before
      FROM unnest(snowflake_nextval_array(10000)) WITH ORDINALITY AS b(id, n)) o;
-- Of any layout, also where the sequence is not the lowest field; and the parts are the identity's.
SET idgen.machine_id = 21;
SELECT layout, cardinality(ids) AS count, cardinality(ids) = count(DISTINCT id) AS differ,
       bool_and(coalesce((idgen_parse(id, layout::idgen_layout)).machine_id, 21) = 21) AS of_machine_21
FROM (SELECT layout, idgen_nextval_array(layout, 3000) AS ids
      FROM unnest(ARRAY['snowflake', 'tsid', 'hazelcast', 'tso', 'wide']) layout OFFSET 0) a,
     unnest(ids) id
GROUP BY layout, ids ORDER BY layout;
RESET idgen.machine_id;
-- In a shard, and across the ends of ticks.
SELECT cardinality(ids) AS count, count(DISTINCT id) AS ids, min(instagram_shard(id)) AS shard, max(instagram_shard(id)) AS shard
FROM (SELECT idgen_nextval_array('instagram', 5000, 77) AS ids OFFSET 0) a, unnest(ids) id GROUP BY ids;
SELECT count(DISTINCT instagram_shard(i)) AS shards FROM generate_series(1, 50) s, unnest(idgen_nextval_array('instagram', 3, s)) i;
SELECT cardinality(idgen_nextval_array('wide', 1000000)) AS count;
-- One for each row.
SELECT count(DISTINCT id) AS ids FROM generate_series(1, 1000) s, unnest(snowflake_nextval_array(s % 7 + 1)) id;
-- What is left of a block is older than the array, and is not used after it.
SET idgen.block_size = 100;
SELECT snowflake_nextval() AS before \gset
SELECT snowflake_nextval_array(10) AS made \gset
SELECT :before < (:'made'::bigint[])[1] AND (:'made'::bigint[])[10] < snowflake_nextval() AS in_order;
RESET idgen.block_size;
-- In a default: more than one ID a row.
CREATE TABLE batch_rows (ids bigint[] NOT NULL DEFAULT snowflake_nextval_array(2), n int);
INSERT INTO batch_rows (n) SELECT generate_series(1, 100);
SELECT count(DISTINCT id) AS ids FROM batch_rows, unnest(ids) id;
DROP TABLE batch_rows;

-- The wide layout has its time where snowflake has it, and many more IDs in a millisecond.
SELECT fields, ids_per_second, identities FROM idgen_layouts WHERE layout = 'wide';
SELECT idgen_min_id('2026-01-01Z', 'wide') = snowflake_min_id('2026-01-01Z') AS same_least,
       idgen_max_id('2026-01-01Z', 'wide') = snowflake_max_id('2026-01-01Z') AS same_most;
SELECT sum(ids) AS ids, max(ids) AS most_in_a_millisecond
FROM (SELECT count(DISTINCT id) AS ids FROM unnest(idgen_nextval_array('wide', 300000)) id GROUP BY id >> 22) ms;

-- Bad input.
SELECT snowflake_nextval_batch(0);
SELECT snowflake_nextval_batch(-1);
SELECT snowflake_nextval_batch(10000001);
SELECT idgen_nextval_batch('tso', 0);
SELECT idgen_nextval_batch('nothing', 1);
SELECT snowflake_nextval_array(0);
SELECT snowflake_nextval_array(-1);
SELECT snowflake_nextval_array(10000001);
SELECT idgen_nextval_array('tso', 0);
SELECT idgen_nextval_array('nothing', 1);
SELECT idgen_nextval_array('mastodon', 1);
SELECT idgen_nextval_array('instagram', 1);
SELECT idgen_nextval_array('instagram', 1, 8192);
SELECT idgen_nextval_array('tso', 1, 0);
SET idgen.machine_id = 100;
SELECT idgen_nextval_array('wide', 1);
RESET idgen.machine_id;
SELECT count(*) AS no_rows FROM snowflake_nextval_batch(NULL);
SELECT snowflake_nextval_array(NULL) IS NULL AND idgen_nextval_array('tso', NULL) IS NULL
  AND idgen_nextval_array('tso', 1, NULL) IS NULL AS null_in_null_out;

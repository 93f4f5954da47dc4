-- Digests of IDs: the same on every server, united, looked into, and damaged.
SET client_min_messages = warning;
CREATE TABLE bl_ids AS SELECT n, idgen_compose('snowflake', '2026-01-01Z'::timestamptz + n * interval '3 ms', 1, 1, NULL, n % 4) AS id
FROM generate_series(1, 20011) n;
CREATE TABLE bl_others AS SELECT idgen_compose('snowflake', '2026-01-01Z'::timestamptz + n * interval '3 ms', 1, 2, NULL, n % 4) AS id
FROM generate_series(1, 20000) n;

-- Which bits an ID sets must never change: these texts are in other people's tables.
SELECT idgen_bloom_agg(n::bigint, 40, 0.05) FROM generate_series(1, 5) n;
SELECT idgen_bloom_agg(n, 40, 0.05) FROM unnest('{017F22E2-79B0-7CC3-98C4-DC0C0C07398F,c56a4180-65aa-42ec-a945-5fd21dec0538}'::uuid[]) n;

SELECT i.id_type, i.added, i.bytes, i.hashes, round(i.fill::numeric, 2) AS fill, round(i.error_rate::numeric, 4) AS error_rate
FROM (SELECT idgen_bloom_agg(id, 20000, 0.01) AS digest FROM bl_ids) d, idgen_bloom_info(digest) i;
-- Whatever is in it is found; of others about as many as the error rate says.
CREATE TABLE bl_digests AS SELECT 1 AS half, idgen_bloom_agg(id, 20000, 0.01) AS digest FROM bl_ids WHERE n % 2 = 1
UNION ALL SELECT 0, idgen_bloom_agg(id, 20000, 0.01) FROM bl_ids WHERE n % 2 = 0;
SELECT half, count(*) FILTER (WHERE n % 2 = half AND NOT idgen_bloom_contains(digest, id)) AS lost,
       count(*) FILTER (WHERE n % 2 <> half AND idgen_bloom_contains(digest, id)) < 50 AS few
FROM bl_digests, bl_ids GROUP BY half ORDER BY half;
SELECT count(*) BETWEEN 100 AND 300 AS about_1_percent FROM bl_others
WHERE idgen_bloom_contains((SELECT idgen_bloom_agg(id, 20000, 0.01) FROM bl_ids), id);
-- The union is what one pass makes.
SELECT (SELECT idgen_bloom_union_agg(digest)::text FROM bl_digests) = (SELECT idgen_bloom_agg(id, 20000, 0.01)::text FROM bl_ids) AS same,
       (SELECT idgen_bloom_union(a.digest, b.digest)::text FROM bl_digests a, bl_digests b WHERE a.half < b.half)
       = (SELECT idgen_bloom_agg(id, 20000, 0.01)::text FROM bl_ids) AS united;
-- So is what parallel workers make.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE bl_ids SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT idgen_bloom_agg(id, 20000, 0.01) FROM bl_ids;
CREATE TABLE bl_parallel AS SELECT idgen_bloom_agg(id, 20000, 0.01) AS digest FROM bl_ids;
SELECT digest::text = (SELECT idgen_bloom_union_agg(digest)::text FROM bl_digests) AS same,
       (idgen_bloom_info(digest)).added FROM bl_parallel;
ALTER TABLE bl_ids SET (parallel_workers = 0);
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- NULLs, no rows, groups, windows.
SELECT idgen_bloom_agg(id) IS NULL AS nothing FROM bl_ids WHERE n < 0;
SELECT idgen_bloom_agg(NULL::bigint) IS NULL AS nothing FROM bl_ids;
SELECT (idgen_bloom_info(idgen_bloom_agg(CASE WHEN n > 19990 THEN id END))).added FROM bl_ids;
SELECT n % 3 AS third, (idgen_bloom_info(idgen_bloom_agg(id, 100, 0.1))).added FROM bl_ids GROUP BY 1 ORDER BY 1;
SELECT n, (idgen_bloom_info(digest)).added
FROM (SELECT n, idgen_bloom_agg(id, 10, 0.1) OVER (ORDER BY n) AS digest FROM bl_ids WHERE n < 5) w ORDER BY n;
SELECT half, (idgen_bloom_info(digest)).added
FROM (SELECT half, idgen_bloom_union_agg(digest) OVER (ORDER BY half) AS digest FROM bl_digests) w ORDER BY half;
SELECT idgen_bloom_contains(NULL, 5) IS NULL AS unknown;
-- More IDs than expected: it errs more often, and says so.
SELECT added, bytes, round(error_rate::numeric, 2) AS error_rate
FROM (SELECT idgen_bloom_agg(id, 2000, 0.01) AS digest FROM bl_ids) d, idgen_bloom_info(digest);
-- UUIDs.
SELECT count(*) FILTER (WHERE idgen_bloom_contains(digest, idgen_to_uuid(id))) AS found,
       count(*) FILTER (WHERE idgen_bloom_contains(digest, idgen_to_uuid(id + 1))) < 20 AS few
FROM (SELECT idgen_bloom_agg(idgen_to_uuid(id), 1000, 0.01) AS digest FROM bl_ids WHERE n <= 1000) d, bl_ids WHERE n <= 1000;
-- As text and in binary it arrives as it was sent.
SELECT digest::text::idgen_bloom::text = digest::text AS same FROM bl_parallel;
SELECT encode(idgen_bloom_send(digest), 'hex') LIKE '696467620107%' AS header, length(idgen_bloom_send(digest)) AS bytes FROM bl_parallel;

-- What cannot be ---------------------------------------------------------------------------

SELECT idgen_bloom_agg(id, 0, 0.01) FROM bl_ids;
SELECT idgen_bloom_agg(id, -1, 0.01) FROM bl_ids;
SELECT idgen_bloom_agg(id, 9223372036854775807, 0.01) FROM bl_ids;
SELECT idgen_bloom_agg(id, 1000000000, 0.001) FROM bl_ids;
SELECT idgen_bloom_agg(id, 10, 0) FROM bl_ids;
SELECT idgen_bloom_agg(id, 10, 1) FROM bl_ids;
SELECT idgen_bloom_agg(id, 10, -0.5) FROM bl_ids;
SELECT idgen_bloom_agg(id, 10, 'NaN') FROM bl_ids;
SELECT idgen_bloom_agg(id, 10, 1e-300) FROM bl_ids;
SELECT idgen_bloom_union(a.digest, b.digest) FROM (SELECT idgen_bloom_agg(id, 1000, 0.01) AS digest FROM bl_ids) a,
  (SELECT idgen_bloom_agg(id, 100000, 0.01) AS digest FROM bl_ids) b;
SELECT idgen_bloom_union_agg(d) FROM (SELECT idgen_bloom_agg(id, 10, 0.01) FROM bl_ids UNION ALL SELECT idgen_bloom_agg(id, 10, 0.1) FROM bl_ids) x(d);
SELECT idgen_bloom_union(a.digest, b.digest) FROM (SELECT idgen_bloom_agg(1::bigint, 1000, 0.01) AS digest) a,
  (SELECT idgen_bloom_agg(idgen_to_uuid(1), 1000, 0.01) AS digest) b;
SELECT idgen_bloom_contains(idgen_bloom_agg(idgen_to_uuid(id), 10, 0.1), 5) FROM bl_ids;
SELECT idgen_bloom_contains(idgen_bloom_agg(id, 10, 0.1), idgen_to_uuid(5)) FROM bl_ids;
-- Minor releases of PostgreSQL refuse it in two ways.
DO $$
BEGIN
  PERFORM idgen_bloom_combine(NULL::internal, NULL::internal);
  RAISE EXCEPTION 'it was called';
EXCEPTION WHEN cannot_coerce OR feature_not_supported THEN NULL;
END $$;
-- Damaged digests: clear errors, and never more.
SELECT ''::idgen_bloom;
SELECT 'x'::idgen_bloom;
SELECT '%%%%'::idgen_bloom;
SELECT encode('idgb', 'base64')::idgen_bloom;
CREATE TABLE bl_small AS SELECT idgen_bloom_agg(n::bigint, 1, 0.1) AS digest FROM generate_series(1, 3) n;
CREATE FUNCTION bl_damaged(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  digest idgen_bloom;
  detail text;
BEGIN
  digest := translate(encode(bytes, 'base64'), E'\n', '');
  -- What is taken for a digest must be usable as one.
  PERFORM idgen_bloom_info(digest), idgen_bloom_union(digest, digest);
  BEGIN
    PERFORM idgen_bloom_contains(digest, 5);
  EXCEPTION WHEN invalid_parameter_value THEN
    PERFORM idgen_bloom_contains(digest, idgen_to_uuid(5));
  END;
  RETURN 'read';
EXCEPTION WHEN invalid_binary_representation THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN regexp_replace(detail, '\d+', 'N', 'g');
END $$;
SELECT bl_damaged(idgen_bloom_send(digest)) FROM bl_small;
-- Every byte of the header changed to every value, and every shorter and some longer texts.
SELECT CASE WHEN byte < 4 THEN '0 to 3' ELSE byte::text END AS byte, bl_damaged(set_byte(bytes, byte, value)) AS result, count(*)
FROM (SELECT idgen_bloom_send(digest) AS bytes FROM bl_small) d, generate_series(0, 23) byte, generate_series(0, 255) value
WHERE byte < 8 OR value % 17 = 0 GROUP BY byte < 4, 1, 2 ORDER BY byte < 4 DESC, length(CASE WHEN min(byte) < 4 THEN '0 to 3' ELSE min(byte)::text END), min(byte), 2;
SELECT bl_damaged(substr(bytes, 1, length)) AS result, count(*)
FROM (SELECT idgen_bloom_send(digest) || '\x0000'::bytea AS bytes FROM bl_small) d, generate_series(0, length(bytes)) length
GROUP BY 1 ORDER BY 1;
-- Random bytes behind a good beginning.
SELECT bl_damaged('\x69646762'::bytea || decode(substr(repeat(md5(n::text), 4), 1, 2 * (n % 60)), 'hex')) <> 'read' AS refused, count(*)
FROM generate_series(1, 3000) n GROUP BY 1;
-- In binary.
CREATE TABLE bl_copied (digest idgen_bloom);
COPY bl_copied FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\004idgb\\377\\377"' (FORMAT binary);

DROP TABLE bl_ids, bl_others, bl_digests, bl_parallel, bl_small, bl_copied;
DROP FUNCTION bl_damaged;

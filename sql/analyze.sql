-- What a table of IDs tells: figures of each identity, findings, and a picture. The figures are compared
-- with those of plain queries.
SET client_min_messages = warning;
SET timezone = 'UTC';
SELECT setseed(0.14);

CREATE TABLE an_ids (n int, id bigint, at timestamptz, local_at timestamp);
-- Ten machines over half an hour, with hot seconds, quiet minutes and both ends of the sequence.
INSERT INTO an_ids
SELECT n, idgen_compose('snowflake', t, (n % 3 / 2), (random() * 4)::int, NULL, s), t + lag * interval '1 ms', t + lag * interval '1 ms'
FROM (SELECT n, timestamptz '2026-02-03 04:00Z'
               + CASE WHEN random() < 0.2 THEN 1000 ELSE floor(random() * random() * 1800)::int END * interval '1 s'
               + (random() * 999)::int * interval '1 ms' AS t,
             CASE WHEN random() < 0.3 THEN 0 WHEN random() < 0.1 THEN 4095 ELSE floor(random() * 4096)::int END AS s,
             (random() * 500 - 100)::int AS lag
      FROM generate_series(1, 20000) n) made;

-- The same figures by plain queries, for intervals of a length in seconds.
CREATE FUNCTION an_figures(seconds int) RETURNS TABLE (
  datacenter_id int, machine_id int, ids bigint, first timestamptz, last timestamptz, first_id bigint, last_id bigint,
  rate_median float8, rate_peak float8, peak_at timestamptz, bursts bigint, gap interval, gap_from timestamptz,
  sequence_zero bigint, sequence_full bigint, sequence_max bigint, sequence_parts bigint[],
  compared bigint, lag_min interval, lag_max interval) LANGUAGE sql AS $$
WITH counts AS (
  SELECT snowflake_datacenter(id) d, snowflake_machine(id) m,
         floor(extract(epoch FROM snowflake_timestamp(id) - '2020-01-01Z') / seconds) AS i, count(*) AS c
  FROM an_ids WHERE id IS NOT NULL GROUP BY 1, 2, 3),
with_gaps AS (SELECT *, i - lag(i) OVER (PARTITION BY d, m ORDER BY i) - 1 AS g FROM counts),
rates AS (
  SELECT d, m, percentile_disc(0.5) WITHIN GROUP (ORDER BY c) AS median, max(c) AS peak,
         (array_agg(i ORDER BY c DESC, i))[1] AS peak_i, max(nullif(g, 0)) AS gap,
         (array_agg(i - g ORDER BY g DESC NULLS LAST, i))[1] AS gap_i
  FROM with_gaps GROUP BY d, m),
bursts AS (SELECT d, m, count(*) FILTER (WHERE c >= 10 * median) AS bursts FROM counts JOIN rates USING (d, m) GROUP BY d, m),
parts AS (
  SELECT d, m, array_agg(n ORDER BY part) AS parts
  FROM (SELECT d, m, part, count(id) AS n
        FROM rates CROSS JOIN generate_series(0, 15) part
        LEFT JOIN an_ids ON snowflake_datacenter(id) = d AND snowflake_machine(id) = m AND snowflake_sequence(id) / 256 = part
        GROUP BY 1, 2, 3) s GROUP BY d, m)
SELECT d, m, count(*), min(snowflake_timestamp(id)), max(snowflake_timestamp(id)), min(id), max(id),
       round(max(median) * 1.0 / seconds, 3)::float8, round(max(peak) * 1.0 / seconds, 3)::float8,
       timestamptz '2020-01-01Z' + max(peak_i)::float8 * seconds * interval '1 s', max(bursts),
       justify_hours(max(gap)::float8 * seconds * interval '1 s'),
       CASE WHEN max(gap) IS NOT NULL THEN timestamptz '2020-01-01Z' + max(gap_i)::float8 * seconds * interval '1 s' END,
       count(*) FILTER (WHERE snowflake_sequence(id) = 0), count(*) FILTER (WHERE snowflake_sequence(id) = 4095),
       max(snowflake_sequence(id)), max(parts), count(at),
       min(at - snowflake_timestamp(id)), max(at - snowflake_timestamp(id))
FROM an_ids JOIN rates ON d = snowflake_datacenter(id) AND m = snowflake_machine(id)
JOIN bursts USING (d, m) JOIN parts USING (d, m)
WHERE id IS NOT NULL GROUP BY d, m
$$;
CREATE FUNCTION an_difference() RETURNS TABLE (identities bigint, seconds int, missing bigint, wrong bigint) LANGUAGE plpgsql AS $$
BEGIN
  CREATE TEMP TABLE found AS SELECT * FROM idgen_analyze_identities('an_ids', order_by => 'at');
  SELECT count(*), extract(epoch FROM max(rate_interval)) INTO identities, seconds FROM found;
  CREATE TEMP TABLE expected AS SELECT * FROM an_figures(seconds);
  CREATE TEMP VIEW comparable AS SELECT datacenter_id, machine_id, ids, first, last, first_id, last_id, rate_median,
    rate_peak, peak_at, bursts, gap, gap_from, sequence_zero, sequence_full, sequence_max, sequence_parts, compared,
    lag_min, lag_max FROM found;
  SELECT count(*) INTO missing FROM (SELECT * FROM expected EXCEPT SELECT * FROM comparable) x;
  SELECT count(*) INTO wrong FROM (SELECT * FROM comparable EXCEPT SELECT * FROM expected) x;
  DROP TABLE found, expected CASCADE;
  RETURN NEXT;
END $$;
SELECT * FROM an_difference();
SELECT identity, shard_id, future FROM idgen_analyze_identities('an_ids') ORDER BY 1 LIMIT 2;

-- In parallel workers.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE an_ids SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT idgen_analyze_agg(id, 'snowflake', at) FROM an_ids;
SELECT * FROM an_difference();
-- Without a worker that has rows, and with one that has none.
SELECT idgen_analyze_agg(id, 'snowflake', NULL) IS NULL AS nothing FROM an_ids WHERE n < 0;
SELECT idgen_analyze_agg(id, 'snowflake', NULL) -> 'rows' AS rows FROM an_ids WHERE n = 7;

-- More seconds with IDs than are counted one by one, in an order that is not that of time.
TRUNCATE an_ids;
INSERT INTO an_ids
SELECT n, idgen_compose('snowflake', '2026-02-03Z'::timestamptz + (n * 7919 % 200003) * interval '1 s', 0, n % 7, NULL, n % 5),
       '2026-02-03Z'::timestamptz + (n * 7919 % 200003) * interval '1.00001 s'
FROM generate_series(1, 200000) n;
SELECT * FROM an_difference();
CREATE TABLE an_parallel AS SELECT * FROM idgen_analyze_identities('an_ids', order_by => 'at');
ALTER TABLE an_ids SET (parallel_workers = 0);
SELECT count(*) AS different FROM (SELECT * FROM idgen_analyze_identities('an_ids', order_by => 'at') EXCEPT TABLE an_parallel) x;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT severity, finding, detail FROM idgen_analyze('an_ids') WHERE finding = 'long intervals';

-- More identities than are followed.
SELECT idgen_create_layout('an_many', 'timestamp:40, machine:18, sequence:5', epoch => '2024-01-01Z');
CREATE TABLE an_many AS
SELECT idgen_compose('an_many', '2026-01-01Z', NULL, n % 20000, NULL, 0) AS id FROM generate_series(0, 29999) n;
SELECT count(*), sum(ids) AS ids FROM idgen_analyze_identities('an_many', layout => 'an_many');
SELECT severity, finding, detail FROM idgen_analyze('an_many', layout => 'an_many');
ALTER TABLE an_many SET (parallel_workers = 2);
SELECT count(*) FROM idgen_analyze_identities('an_many', layout => 'an_many');
-- Random numbers.
SELECT (doc -> 'rows')::int AS rows, jsonb_array_length(doc -> 'identities') AS identities,
       (doc ->> 'negative')::int + (doc ->> 'beyond')::int + (doc ->> 'small')::int + (doc ->> 'not_followed')::int
       + (SELECT sum((i ->> 'ids')::int) FROM jsonb_array_elements(doc -> 'identities') i) AS accounted_for
FROM (SELECT idgen_analyze_agg(('x' || substr(md5(n::text), 1, 16))::bit(64)::bigint, 'an_many', NULL) AS doc
      FROM generate_series(1, 100000) n) random;

-- Findings -----------------------------------------------------------------------------------

CREATE TABLE an_found (id bigint, made timestamptz);
SELECT * FROM idgen_analyze('an_found');
SELECT * FROM idgen_analyze_identities('an_found');
SELECT * FROM idgen_histogram('an_found');
INSERT INTO an_found VALUES (NULL, NULL), (NULL, now());
SELECT severity, finding, detail FROM idgen_analyze('an_found');
SELECT * FROM idgen_histogram('an_found');
INSERT INTO an_found VALUES (-1, now()), (-9223372036854775808, now()), (1, NULL), (99, NULL);
-- One ID a minute, a gap of a day, then all of a tick, and one of the future.
INSERT INTO an_found
SELECT idgen_compose('snowflake', '2026-03-01Z'::timestamptz + n * interval '1 min', 1, 1, NULL, 0) FROM generate_series(1, 200) n
UNION ALL
SELECT idgen_compose('snowflake', '2026-03-02Z', 1, 2, NULL, n % 4096) FROM generate_series(0, 4095) n
UNION ALL
SELECT idgen_compose('snowflake', '2026-03-02Z'::timestamptz + n * interval '1 ms', 1, 2, NULL, 3) FROM generate_series(2000, 20000, 1000) n
UNION ALL
SELECT idgen_compose('snowflake', '2026-03-03Z'::timestamptz + n * interval '1 min', 1, 1, NULL, 0) FROM generate_series(1, 5) n
UNION ALL
SELECT idgen_compose('snowflake', '2026-03-02Z'::timestamptz + n * interval '1 s', 1, 3, NULL, 7) FROM generate_series(1, 150) n
UNION ALL
SELECT idgen_compose('snowflake', '2080-01-01Z', 1, 3, NULL, 1);
SELECT severity, finding, identity, regexp_replace(detail, 'the last by .*', '...') AS detail FROM idgen_analyze('an_found');
SELECT identity, future, last FROM idgen_analyze_identities('an_found') WHERE future > 0;
-- At the layout's limit for a whole second.
CREATE TABLE an_full AS
SELECT idgen_compose('sonyflake', '2026-03-02 00:00:01Z'::timestamptz + t * interval '10 ms', NULL, 5, NULL, s) AS id
FROM generate_series(0, 99) t, generate_series(0, 255) s;
SELECT severity, finding, detail, hint FROM idgen_analyze('an_full', layout => 'sonyflake');
-- An ID of this moment is not of the future.
SELECT count(*) FROM (SELECT idgen_analyze_agg(snowflake_nextval(), 'snowflake', clock_timestamp()) AS doc) a,
  jsonb_array_elements(doc -> 'findings') f WHERE f ->> 'finding' LIKE '%future%';
-- Numbers beyond a layout that is shorter than 63 bits; a layout without a sequence, or an identity.
SELECT severity, finding, detail FROM idgen_analyze('an_found', layout => 'js53') WHERE finding LIKE 'numbers%';
SELECT identity, ids, first, sequence_max, sequence_parts, rate_interval FROM idgen_analyze_identities('an_full', layout => 'timestamp:48, tail:8, epoch:2020-01-01Z');
SELECT identity, ids, rate_interval FROM idgen_analyze_identities('an_full', layout => 'timestamp:25, tail:38, tick:1h, epoch:2020-01-01Z');
-- Many identities with the same finding.
SELECT finding, identity, regexp_replace(detail, 'the last by .*', '...') AS detail
FROM (SELECT idgen_analyze_agg(idgen_compose('snowflake', '2070-01-01Z', 0, n, NULL, 0), 'snowflake', NULL) AS doc FROM generate_series(1, 13) n) a,
  jsonb_to_recordset(doc -> 'findings') AS f(finding text, identity text, detail text)
WHERE finding LIKE '%future';
-- The order of another column.
TRUNCATE an_ids;
INSERT INTO an_ids SELECT n, id, at, at - interval '1 h'
FROM (SELECT n, idgen_compose('snowflake', '2026-02-03Z'::timestamptz + n * interval '1 s', 0, n % 7, NULL, n % 5) AS id,
             '2026-02-03Z'::timestamptz + n * interval '1.00001 s' AS at FROM generate_series(1, 20000) n) made;
SELECT severity, detail FROM idgen_analyze('an_ids', order_by => 'at') WHERE finding = 'order';
SELECT severity, detail FROM idgen_analyze('an_ids', order_by => 'local_at') WHERE finding = 'order';
UPDATE an_ids SET at = at - interval '3 min' WHERE n = 5;
SELECT severity, detail FROM idgen_analyze('an_ids', order_by => 'at') WHERE finding = 'order';
UPDATE an_ids SET at = 'infinity';
SELECT count(*) FROM idgen_analyze('an_ids', order_by => 'at') WHERE finding = 'order';

-- Other relations ----------------------------------------------------------------------------

CREATE DOMAIN an_id AS bigint CHECK (VALUE > 0);
CREATE SCHEMA "an "".x";
CREATE TABLE "an "".x"."t "".a" ("id "".b" an_id, "at "".c" timestamptz) PARTITION BY RANGE ("id "".b");
CREATE TABLE "an "".x".low PARTITION OF "an "".x"."t "".a" FOR VALUES FROM (1) TO (800000000000000000);
CREATE TABLE "an "".x".high PARTITION OF "an "".x"."t "".a" FOR VALUES FROM (800000000000000000) TO (MAXVALUE);
INSERT INTO "an "".x"."t "".a" SELECT idgen_compose('snowflake', t, 0, 1, NULL, 0), t FROM generate_series(timestamptz '2026-01-01Z', '2026-02-01Z', '1 day') t;
SELECT finding, detail FROM idgen_analyze('"an "".x"."t "".a"', 'id ".b', order_by => 'at ".c', sample_percent => 100);
SELECT * FROM idgen_histogram('"an "".x"."t "".a"', 'id ".b', buckets => 6);
CREATE VIEW an_view AS SELECT "id "".b" AS id FROM "an "".x"."t "".a" WHERE "id "".b" > snowflake_min_id('2026-01-15Z');
SELECT ids, first FROM idgen_analyze_identities('an_view');
CREATE MATERIALIZED VIEW an_matview AS SELECT * FROM an_view;
SELECT ids, first FROM idgen_analyze_identities('an_matview', sample_percent => 100);
SELECT count(*) FROM idgen_analyze('an_ids', sample_percent => 0.001) WHERE finding = 'sample';
SELECT sum(ids) BETWEEN 100 AND 19900 AS a_part FROM idgen_analyze_identities('an_ids', sample_percent => 20);
-- What the aggregate does for any query.
SELECT n % 2 AS half, idgen_analyze_agg(id, 'snowflake', NULL) -> 'rows' AS rows,
       idgen_analyze_agg(id, 'snowflake', NULL) FILTER (WHERE n < 0) AS none FROM an_ids GROUP BY 1 ORDER BY 1;
SELECT n, idgen_analyze_agg(id, 'snowflake', NULL) OVER (ORDER BY n) -> 'rows' AS rows FROM an_ids WHERE n < 4;

-- UUIDs.
CREATE TABLE an_uuids (kind text, id uuid, made timestamptz);
INSERT INTO an_uuids
SELECT 'v7', overlay(uuidv7_min_id(t)::text PLACING lpad(to_hex(n), 4, '0') FROM 20)::uuid, t + interval '2 ms'
FROM generate_series(32768, 32770) n, generate_series(timestamptz '2026-01-01Z', '2026-01-01 00:01Z', '10 s') t;
INSERT INTO an_uuids VALUES ('v1', 'C232AB00-9414-11EC-B3C8-9F6BDECED846', NULL), ('v6', '1EC9414C-232A-6B00-B3C8-9F6BDECED846', NULL),
  ('v4', 'c56a4180-65aa-42ec-a945-5fd21dec0538', NULL), ('nil', '00000000-0000-0000-0000-000000000000', NULL), ('null', NULL, NULL);
SELECT identity, machine_id, ids, first, last, first_id, rate_peak, gap, compared, lag_max FROM idgen_analyze_identities('an_uuids', order_by => 'made');
SELECT severity, finding, detail FROM idgen_analyze('an_uuids') WHERE finding <> 'gap';
CREATE TABLE an_ulids AS SELECT ulid_decode('01ARYZ6S41TSV4RRFFQ69G5FAV') AS id;
SELECT identity, ids, first FROM idgen_analyze_identities('an_ulids', ulid => true);
SELECT finding, detail, hint FROM idgen_analyze('an_ulids');
SELECT * FROM idgen_histogram('an_ulids');

-- Pictures -------------------------------------------------------------------------------------

SELECT * FROM idgen_histogram('an_full', layout => 'sonyflake', buckets => 5);
TRUNCATE an_ids;
INSERT INTO an_ids SELECT n, idgen_compose('snowflake', timestamptz '2026-02-03Z' + n % 100 * n * interval '1 s', 0, 0, NULL, 0) FROM generate_series(1, 5000) n;
SELECT * FROM idgen_histogram('an_ids', buckets => 8);
-- Every ID is in one bucket, and the buckets are those of date_bin().
SELECT buckets, count(*) <= buckets AS few_enough, sum(h.ids) AS ids, max(length(bar)) AS longest,
       (SELECT count(*) FROM (SELECT bucket, ids FROM idgen_histogram('an_ids', buckets => b.buckets) WHERE ids > 0 EXCEPT
          SELECT date_bin(width, snowflake_timestamp(id), '1970-01-01Z'), count(*) FROM an_ids GROUP BY 1) x) AS wrong
FROM (SELECT buckets, (SELECT min(d) FROM (SELECT bucket - lag(bucket) OVER (ORDER BY bucket) AS d
                                           FROM idgen_histogram('an_ids', buckets => buckets)) x) AS width
      FROM unnest(ARRAY[2, 7, 24, 100, 10000]) buckets) b, idgen_histogram('an_ids', buckets => b.buckets) h
GROUP BY buckets, width ORDER BY buckets;
SELECT * FROM idgen_histogram('an_many', layout => 'an_many', buckets => 1);

-- What cannot be --------------------------------------------------------------------------------

\set VERBOSITY default
CREATE SEQUENCE an_sequence;
CREATE INDEX an_index ON an_ids (id);
SELECT * FROM idgen_analyze('an_missing');
SELECT * FROM idgen_analyze(4294967295::regclass);
SELECT * FROM idgen_analyze('an_sequence');
SELECT * FROM idgen_analyze('an_index');
SELECT * FROM idgen_analyze('an_ids', 'missing');
SELECT * FROM idgen_analyze('an_ids', 'n');
SELECT * FROM idgen_analyze('an_ids', 'at');
SELECT * FROM idgen_analyze('an_ids', order_by => 'n');
SELECT * FROM idgen_analyze('an_ids', order_by => 'missing');
SELECT * FROM idgen_analyze('an_ids', layout => 'missing');
SELECT * FROM idgen_analyze('an_ids', layout => NULL);
SELECT * FROM idgen_analyze(NULL);
SELECT * FROM idgen_analyze('an_ids', NULL);
SELECT * FROM idgen_analyze('an_ids', sample_percent => 0);
SELECT * FROM idgen_analyze('an_ids', sample_percent => 100.1);
SELECT * FROM idgen_analyze('an_ids', sample_percent => 'NaN');
SELECT * FROM idgen_analyze('an_view', sample_percent => 5);
SELECT * FROM idgen_histogram('an_ids', buckets => 0);
SELECT * FROM idgen_histogram('an_ids', buckets => 10001);
SELECT * FROM idgen_histogram('an_ids', 'at');
SELECT idgen_analyze_agg(id, NULL::idgen_layout, NULL) FROM an_ids;
SELECT idgen_analyze_agg(id, CASE WHEN n < 4 THEN 'snowflake'::idgen_layout END, NULL) FROM an_ids;
SELECT idgen_analyze_agg(id, CASE WHEN n < 0 THEN NULL WHEN n > 3 THEN 'tsid' ELSE 'snowflake' END::idgen_layout, NULL) FROM an_ids;
-- Minor releases of PostgreSQL refuse it in two ways.
DO $$
DECLARE call text;
BEGIN
  FOREACH call IN ARRAY ARRAY['idgen_analyze_accum(NULL::internal, 5, ''snowflake'', NULL)', 'idgen_analyze_combine(NULL::internal, NULL::internal)',
                              'idgen_analyze_deserialize(''\x00'', NULL::internal)', 'idgen_analyze_final(NULL::internal)'] LOOP
    BEGIN
      EXECUTE 'SELECT ' || call;
      RAISE EXCEPTION '% was called', call;
    EXCEPTION WHEN cannot_coerce OR feature_not_supported THEN NULL;
    END;
  END LOOP;
END $$;
-- Rows and tables that the caller may not read.
CREATE ROLE regress_idgen_analyst;
GRANT USAGE ON SCHEMA public TO regress_idgen_analyst;
GRANT SELECT (n) ON an_ids TO regress_idgen_analyst;
GRANT SELECT ON an_found TO regress_idgen_analyst;
ALTER TABLE an_found ENABLE ROW LEVEL SECURITY;
CREATE POLICY an_some ON an_found USING (snowflake_machine(abs(greatest(id, -9e18::bigint))) = 1);
SET ROLE regress_idgen_analyst;
\set VERBOSITY terse
SELECT * FROM idgen_analyze('an_ids');
SELECT * FROM idgen_analyze_identities('an_ids');
SELECT * FROM idgen_histogram('an_ids');
SELECT identity, ids FROM idgen_analyze_identities('an_found');
RESET ROLE;
-- Names of PostgreSQL's functions and operators that are somebody else's.
CREATE SCHEMA an_trap;
CREATE FUNCTION an_trap.jsonb_to_recordset(jsonb) RETURNS SETOF record LANGUAGE sql AS 'SELECT 1/0';
CREATE FUNCTION an_trap.width_bucket(bigint, bigint[]) RETURNS int LANGUAGE sql AS 'SELECT 1/0';
CREATE FUNCTION an_trap.ge(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT 1/0 = 1';
CREATE OPERATOR an_trap.>= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = an_trap.ge);
SET search_path = an_trap, pg_catalog, public;
SELECT count(*) FROM idgen_analyze('an_ids');
SELECT count(*) > 1 AS drawn FROM idgen_histogram('an_ids');
RESET search_path;
-- In a transaction that may not write.
BEGIN READ ONLY;
SELECT count(*) FROM idgen_analyze('an_ids');
SELECT count(*) > 1 AS drawn FROM idgen_histogram('an_ids');
COMMIT;

REVOKE USAGE ON SCHEMA public FROM regress_idgen_analyst;
DROP MATERIALIZED VIEW an_matview;
DROP VIEW an_view;
DROP TABLE an_ids, an_parallel, an_many, an_found, an_full, an_uuids, an_ulids;
DROP SCHEMA an_trap, "an "".x" CASCADE;
DROP DOMAIN an_id;
DROP SEQUENCE an_sequence;
DROP FUNCTION an_figures, an_difference;
DROP ROLE regress_idgen_analyst;
SELECT idgen_drop_layout('an_many');

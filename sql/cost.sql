-- What keys cost: the arithmetic against sums that go day by day, and the sizes against real indexes.
SET client_min_messages = warning;
CREATE EXTENSION idgen_tools;
SET client_min_messages = notice;

SELECT kind, type, key_bytes, align, times, key_gb, index_gb, hot_gb, log_gb_month, requests_month, cost_month
FROM idgen_cost(1000000, 5);
SELECT kind, type, storage_month, memory_month, log_month, requests_cost_month, servers_month, cost_month, cost_total, cost_per_million
FROM idgen_cost(1000000, 5, keep_years => 2, indexes => 2, copies => 3, price_storage => 0.1, price_memory => 4, price_log => 0.05,
                price_requests => 100, price_server => 0.1);
SELECT kind, type, advice
FROM idgen_cost(5000000, 5, price_storage => 0.1, price_requests => 100, price_server => 0.1);

-- An index that rows were inserted into one by one has the size that is computed.
CREATE TABLE cost_keys (snowflake bigint, number int, v7 uuid, v4 uuid, ulid text, v4_text text);
CREATE INDEX cost_snowflake ON cost_keys (snowflake);
CREATE INDEX cost_number ON cost_keys (number);
CREATE INDEX cost_v7 ON cost_keys (v7);
CREATE INDEX cost_v4 ON cost_keys (v4);
CREATE INDEX cost_ulid ON cost_keys (ulid COLLATE "C");
CREATE INDEX cost_v4_text ON cost_keys (v4_text COLLATE "C");
CREATE INDEX cost_half ON cost_keys (snowflake) WITH (fillfactor = 50);
INSERT INTO cost_keys
SELECT snowflake_nextval(), n, uuidv7_nextval(), uuidv4_nextval(), ulid_encode(ulid_nextval()), uuidv4_nextval()
FROM generate_series(1, 60000) n;
CREATE TABLE cost_sizes (kind text, type text, fillfactor int, index text);
INSERT INTO cost_sizes VALUES ('snowflake', 'bigint', 90, 'cost_snowflake'), ('sequence', 'integer', 90, 'cost_number'),
  ('uuidv7 or ULID', 'uuid', 90, 'cost_v7'), ('uuidv4', 'uuid', 90, 'cost_v4'), ('ULID', 'text', 90, 'cost_ulid'),
  ('uuidv4', 'text', 90, 'cost_v4_text'), ('snowflake', 'bigint', 50, 'cost_half');
-- 60,000 rows are too few for exact figures: splits of pages come in waves where keys are at random.
SELECT s.kind, s.type, s.fillfactor, abs(pg_relation_size(s.index::regclass) / c.size - 1) < 0.15 AS as_computed
FROM cost_sizes s, LATERAL (SELECT index_gb * 1e9 / rows * 60000 AS size
  FROM idgen_cost(1e9, 1, fillfactor => s.fillfactor) c WHERE (c.kind, c.type) = (s.kind, s.type)) c;
DROP TABLE cost_keys, cost_sizes;

-- Day by day: rows come, and rows that are old enough go.
CREATE FUNCTION pg_temp.sum_of_days(bytes numeric, price numeric, rows_per_day numeric, days int, keep int) RETURNS numeric
LANGUAGE sql RETURN (SELECT sum(least(day - 0.5, keep) * rows_per_day * bytes / 1e9 * price * 12 / 365.25) FROM generate_series(1, days) day);
SELECT years, keep, abs(pg_temp.sum_of_days(8 + 22.46, 0.7, 3e6, (years * 365.25)::int, (coalesce(keep, years) * 365.25)::int) / c.cost_total - 1) < 0.01 AS same
FROM (VALUES (1, NULL), (4, NULL), (4, 1), (8, 8), (4, 12)) v(years, keep),
     idgen_cost(3e6, years, keep, price_storage => 0.7) c WHERE kind = 'snowflake';
-- Sums, and prices that double. What is made in the database asks no service.
WITH c AS (
  SELECT a.*, b.cost_month AS twice, b.cost_total AS twice_total
  FROM idgen_cost(1e6, 3, 2, 2, 1.5, price_storage => 1, price_memory => 5, price_log => 2, price_requests => 3, price_server => 4) a
  JOIN idgen_cost(1e6, 3, 2, 2, 1.5, price_storage => 2, price_memory => 10, price_log => 4, price_requests => 6, price_server => 8) b
    USING (kind, type))
SELECT count(*) AS kinds,
       count(*) FILTER (WHERE abs(storage_month + memory_month + log_month + requests_cost_month + servers_month - cost_month) > 0.03) AS wrong_sums,
       count(*) FILTER (WHERE abs(twice / cost_month - 2) > 0.001 OR abs(twice_total / cost_total - 2) > 0.001) AS not_linear,
       count(*) FILTER (WHERE abs(cost_per_million * 1e6 * 365.25 * 3 / 1e6 / cost_total - 1) > 0.001) AS per_million,
       count(*) FILTER (WHERE (requests_month > 0) <> (kind LIKE 'service%')) AS requests,
       count(*) FILTER (WHERE (hot_gb > 0) <> (kind = 'uuidv4')) AS hot
FROM c;
SELECT bool_and(cost_month = 0 AND cost_total = 0 AND cost_per_million = 0) AS free, count(*) FILTER (WHERE advice ~ 'a month, .* in all') AS prices FROM idgen_cost(1e6);
-- What is said is what the numbers say: the integer's days, and what snowflake saves.
SELECT rows_per_day, c.advice IS NOT NULL AND c.advice ~ 'values last' AS ends,
       (regexp_match(c.advice, 'last ([\d.]+) days'))[1]::numeric = round(2147483647 / rows_per_day, 1) AS right
FROM unnest('{1000, 1000000, 30000000}'::numeric[]) rows_per_day, idgen_cost(rows_per_day, 5) c WHERE c.type = 'integer';
SELECT c.type, (regexp_match(c.advice, 'snowflake saves ([\d.]+) GB'))[1]::numeric - (c.key_gb + c.index_gb - s.key_gb - s.index_gb) BETWEEN -0.002 AND 0.002 AS gb,
       (regexp_match(c.advice, 'GB and ([\d.]+) a month'))[1]::numeric - (c.cost_month - s.cost_month) BETWEEN -0.01 AND 0.01 AS price
FROM idgen_cost(2e6, price_storage => 1) c, idgen_cost(2e6, price_storage => 1) s
WHERE s.kind = 'snowflake' AND c.kind = 'uuidv4';

-- Mistakes.
\set VERBOSITY terse
SELECT idgen_cost(NULL);
SELECT idgen_cost(0);
SELECT idgen_cost(-1);
SELECT idgen_cost('NaN');
SELECT idgen_cost('Infinity');
SELECT idgen_cost(1e16);
SELECT idgen_cost(1, NULL);
SELECT idgen_cost(1, 0);
SELECT idgen_cost(1, 1e9);
SELECT idgen_cost(1, keep_years => 0);
SELECT idgen_cost(1, indexes => -1);
SELECT idgen_cost(1, copies => '-Infinity');
SELECT idgen_cost(1, fillfactor => 101);
SELECT idgen_cost(1, block => 0);
SELECT idgen_cost(1, service_servers => -1);
SELECT idgen_cost(1, price_storage => -0.1);
SELECT idgen_cost(1, price_memory => NULL);
SELECT idgen_cost(1, price_log => 'NaN');
SELECT idgen_cost(1, price_requests => '-Infinity');
SELECT idgen_cost(1, price_server => 1e16);
\set VERBOSITY default
-- The limits themselves.
SELECT bool_and(cost_total > 0) AS large FROM idgen_cost(1e15, 1000, indexes => 1000, copies => 1e6, fillfactor => 10, price_storage => 1e15, price_requests => 1e15);
SELECT count(*) AS small FROM idgen_cost(1, 0.01, 0.001, 0, 0);
SET client_min_messages = warning;
DROP EXTENSION idgen_tools;

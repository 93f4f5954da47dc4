-- The hybrid logical clock. Several servers, clocks that step and restarts: test/t/024_hlc.pl.

-- Its values are known: the time in milliseconds since 1970, and 17 bits for the logical number.
SELECT hlc, ts AT TIME ZONE 'UTC' AS utc, unix_ms, logical, unix_ms << 17 | logical = hlc AS composed
FROM unnest(ARRAY[0, 131071, 131072, 215686568341635114, 9223372036854775807]) AS hlc, hlc_parse(hlc);
SELECT hlc_timestamp(215686568341635114) AT TIME ZONE 'UTC' AS utc, hlc_logical(215686568341635114);
SELECT hlc_min_id('2022-02-22 19:22:22.001Z'), hlc_max_id('2022-02-22 19:22:22.001Z'),
       hlc_max_id('2022-02-22 19:22:22.001Z') - hlc_min_id('2022-02-22 19:22:22.001Z') + 1 AS in_a_millisecond;
SELECT hlc_min_id('1970-01-01Z'), hlc_max_id('4199-11-24 01:22:57.663Z');

-- As text, which sorts as the numbers do, in any collation.
SELECT hlc, hlc_to_text(hlc), hlc_from_text(hlc_to_text(hlc)) = hlc AS same
FROM unnest(ARRAY[0, 131071, 131072, 215686568341635114, 9223372036854775807]) AS hlc;
CREATE TEMP TABLE hlcs AS
  SELECT hlc, hlc_to_text(hlc) AS txt
  FROM (SELECT (random() * 2.0 ^ (20 + i % 43))::bigint + offs AS hlc
        FROM generate_series(1, 2000) i, (VALUES (0), (1)) o(offs)) h;
SELECT count(*) FILTER (WHERE hlc_from_text(txt) <> hlc) AS wrong, count(*) FILTER (WHERE length(txt) <> 31) AS other_width
FROM hlcs;
SELECT count(*) AS out_of_order
FROM (SELECT hlc, lag(hlc) OVER (ORDER BY txt COLLATE "C") AS in_c, lag(hlc) OVER (ORDER BY txt COLLATE "default") AS in_default
      FROM hlcs) h
WHERE in_c > hlc OR in_default > hlc;
DROP TABLE hlcs;

-- It never goes back and never stands still, and it is near the clock.
SELECT count(*) FILTER (WHERE hlc <= before) AS not_after, count(DISTINCT hlc)
FROM (SELECT hlc, lag(hlc) OVER (ORDER BY i) AS before
      FROM (SELECT i, hlc_now() AS hlc FROM generate_series(1, 300000) i) n) h;
SELECT hlc_timestamp(hlc_now()) - clock_timestamp() BETWEEN '-1 min' AND '501 ms' AS near;
-- Blocks would not be in order across sessions: it has none.
SET idgen.block_size = 64;
SELECT hlc_now() AS first \gset
\c -
SELECT hlc_now() AS second \gset
SELECT :second > :first AS in_order;
-- The settings for IDs do not concern it.
SET idgen.clock_regression = error;
SET idgen.max_clock_lead = 0;
SELECT hlc_observe(seen) - seen AS after_it, hlc_now() - seen AS after_that
FROM (SELECT hlc_min_id(clock_timestamp() + interval '490 ms') | 7 AS seen OFFSET 0) s;
RESET idgen.clock_regression;
RESET idgen.max_clock_lead;

-- What was received lies behind, with this server, and ahead of both.
SELECT hlc_now() AS now \gset
SELECT hlc_observe(hlc_min_id('2026-01-01Z')) > :now AS after_ones_own;
SELECT hlc_now() AS now \gset
SELECT hlc_observe(:now) > :now AS after_an_equal_one;
SELECT seen, hlc_observe(seen) - seen AS after_it
FROM (SELECT hlc_max_id(clock_timestamp() + interval '500 ms') AS seen OFFSET 0) s \gset
SELECT :after_it AS in_the_next_millisecond;
-- The mark covers it, so that it survives a restart.
SELECT last_value > (hlc_parse(:seen)).unix_ms AS covered FROM idgen_high_water_mark;
SELECT hlc_timestamp(hlc_now()) - clock_timestamp() < '501 ms' AS within_the_offset;

-- Beyond the maximum offset.
\set VERBOSITY sqlstate
SELECT hlc_observe(hlc_min_id(clock_timestamp() + interval '10 s'));
SELECT hlc_observe(9223372036854775807);
SET idgen.max_clock_offset = '20s';
SET idgen.max_clock_wait = 0;
SELECT hlc_observe(hlc_min_id(clock_timestamp() + interval '1.2 s')) IS NOT NULL AS accepted, hlc_now() IS NOT NULL AS made,
  set_config('idgen.max_clock_offset', '500ms', false), hlc_now() AS further_ahead_than_is_allowed;
RESET idgen.max_clock_offset;
SET idgen.max_clock_wait = '20s';
SELECT hlc_now() IS NOT NULL AS waited;
RESET idgen.max_clock_wait;
SET idgen.max_clock_offset = 0;

-- It has an ID space of its own: nothing else has moved, or moves it.
\set VERBOSITY default
SELECT idgen_create_layout('regress_like_hlc', 'timestamp:46, sequence:17', epoch => '1970-01-01Z');
SET idgen.max_clock_wait = 0;
SELECT hlc_timestamp(idgen_nextval('regress_like_hlc')) <= clock_timestamp() AS not_ahead;
RESET idgen.max_clock_wait;
SELECT idgen_drop_layout('regress_like_hlc');
SELECT idgen_nextval('hlc');

-- Read-only transactions, parallel workers.
BEGIN READ ONLY;
SELECT hlc_now() < hlc_observe(1) AS in_order;
COMMIT;
CREATE TABLE hlc_rows (i int);
INSERT INTO hlc_rows SELECT generate_series(1, 20000);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) CREATE TABLE hlc_made AS SELECT hlc_now() AS hlc, hlc_observe(1) AS observed FROM hlc_rows;
CREATE TABLE hlc_made AS SELECT hlc_now() AS hlc, hlc_observe(1) AS observed FROM hlc_rows;
SELECT count(*), count(DISTINCT hlc), count(DISTINCT observed) FROM hlc_made;
DROP TABLE hlc_rows, hlc_made;

-- Bad input.
SELECT hlc_observe(NULL) IS NULL AND hlc_to_text(NULL) IS NULL AND hlc_parse(NULL) IS NULL AS null_in_null_out;
SELECT hlc_observe(-1);
SELECT hlc_to_text(-1);
SELECT hlc_parse(-9223372036854775808);
SELECT hlc_min_id('1969-12-31 23:59:59.999Z');
SELECT hlc_max_id('4199-11-24 01:22:57.664Z');
SELECT hlc_min_id('infinity');
SELECT hlc_from_text('2022-02-22T19:22:22.001Z');
SELECT hlc_from_text('2022-02-30T19:22:22.001Z-000042');
SELECT hlc_from_text('2022-02-22T19:22:22.001Z-131072');
SELECT hlc_from_text(repeat('x', 1000000));
SELECT hlc_from_text('');

-- Who may observe.
CREATE ROLE regress_idgen_clock;
SET ROLE regress_idgen_clock;
SELECT hlc_now() IS NOT NULL AS may_ask;
SELECT hlc_observe(1);
SET idgen.max_clock_offset = '1 min';
RESET ROLE;
GRANT EXECUTE ON FUNCTION hlc_observe(bigint) TO regress_idgen_clock;
SET ROLE regress_idgen_clock;
SELECT hlc_observe(1) IS NOT NULL AS may_observe;
RESET ROLE;
REVOKE EXECUTE ON FUNCTION hlc_observe(bigint) FROM regress_idgen_clock;
DROP ROLE regress_idgen_clock;

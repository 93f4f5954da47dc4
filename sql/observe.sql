-- Going on after an ID that another server made.
SET idgen.machine_id = 15;
SET idgen.max_clock_wait = '20s';

-- One of the past changes nothing.
SELECT snowflake_nextval() AS before \gset
SELECT idgen_observe('snowflake', snowflake_min_id('2026-01-01Z')) >= :before AS still_there;

-- One slightly ahead of the clock: the next is greater.
SELECT snowflake_min_id(clock_timestamp() + interval '300 ms') AS seen \gset
SELECT idgen_observe('snowflake', :seen) <= :seen AS not_above;
SELECT snowflake_nextval() > :seen AS greater;
-- Of another machine, with a larger and with a smaller machine ID, and the last of its tick.
SELECT snowflake_min_id(clock_timestamp() + interval '100 ms') | (31 << 12) | 4095 AS seen \gset
SELECT idgen_observe('snowflake', :seen) > 0 AS seen;
SELECT snowflake_nextval() > :seen AS greater;
SELECT snowflake_min_id(clock_timestamp() + interval '100 ms') | (1 << 12) | 4095 AS seen \gset
SELECT idgen_observe('snowflake', :seen) > 0 AS seen;
SELECT snowflake_nextval() > :seen AS greater;
SELECT snowflake_min_id(clock_timestamp() + interval '100 ms') | (15 << 12) | 4095 AS seen \gset
SELECT idgen_observe('snowflake', :seen) = :seen AS exactly;
SELECT snowflake_nextval() > :seen AS greater;
SELECT idgen_observe('tso', (extract(epoch FROM clock_timestamp()) * 1000)::bigint << 18) > 0 AS other_layout;

-- The mark covers what was observed: it survives a restart.
SELECT snowflake_min_id(clock_timestamp() + interval '9 s') AS seen \gset
SET idgen.machine_id = 16;
SELECT idgen_observe('snowflake', :seen) > 0 AS seen;
SELECT last_value > (snowflake_parse(:seen)).unix_ms AS covered FROM idgen_high_water_mark;

-- Bad input.
\set VERBOSITY sqlstate
SELECT idgen_observe('snowflake', snowflake_min_id(clock_timestamp() + interval '1 min'));
SELECT idgen_observe('snowflake', 9223372036854775807);
\set VERBOSITY default
SELECT idgen_observe('snowflake', -1);
SELECT idgen_observe('nothing', 1);
SELECT idgen_observe('snowflake', NULL) IS NULL AS null_in_null_out;

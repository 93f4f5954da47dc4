-- The guard, with the position moved ahead of the clock by idgen_observe(): to a generator
-- that looks the same as a clock that went back. (Real clocks that step: test/t.)
SET idgen.machine_id = 17;

-- What an error says, its numbers and times made equal.
CREATE FUNCTION error_of(sql text, OUT state text, OUT message text, OUT detail text)
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE sql;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  message := regexp_replace(message, '\d+\.\d{3} s', '<time> s', 'g');
  detail := regexp_replace(detail, '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.0-9]*\+00', '<instant>', 'g');
END $$;
SET DateStyle = 'ISO';
SET TimeZone = 'UTC';

SELECT idgen_observe('snowflake', snowflake_min_id(clock_timestamp() + interval '9 s')) AS ahead \gset

-- wait: at most max_clock_wait, by a clock that nobody sets.
SET idgen.max_clock_wait = '50ms';
\x on
SELECT * FROM error_of('SELECT snowflake_nextval()');
SELECT * FROM error_of('SELECT idgen_reserve(''snowflake'', 10)');
SELECT * FROM error_of('SELECT snowflake_nextval_batch(10)');
SET idgen.max_clock_wait = 0;
SELECT * FROM error_of('SELECT snowflake_nextval()');

-- error: at once.
SET idgen.clock_regression = error;
SET idgen.max_clock_wait = '1h';
SELECT * FROM error_of('SELECT snowflake_nextval()');
\x off
-- A used-up sequence is no regression: it is waited for in this mode too.
SET idgen.machine_id = 18;
SELECT count(DISTINCT id) FROM snowflake_nextval_batch(20000) id;

-- lead: on from the last tick, and from a used-up one into the next after a tick's length, up
-- to max_clock_lead.
SET idgen.machine_id = 17;
SET idgen.clock_regression = lead;
SET idgen.max_clock_lead = '20s';
SELECT snowflake_nextval() > :ahead AS greater;
SELECT count(*), count(DISTINCT id) AS ids, min(id) > :ahead AS greater,
       max(snowflake_timestamp(id)) < clock_timestamp() + interval '20 s' AS within_the_lead,
       max(snowflake_timestamp(id)) - min(snowflake_timestamp(id)) >= interval '4 ms' AS over_several_ticks
FROM snowflake_nextval_batch(20000) id;
SELECT count(DISTINCT snowflake_nextval()) FROM generate_series(1, 20000);
SET idgen.max_clock_wait = 0;
SET idgen.max_clock_lead = '1s';
SET idgen.machine_id = 17;
\x on
SELECT * FROM error_of('SELECT snowflake_nextval()');
\x off

-- A burst is no reason to lead: a session in mode error finds the clock right afterwards.
RESET ALL;
SET idgen.machine_id = 19;
SET idgen.clock_regression = lead;
SELECT count(DISTINCT id) FROM snowflake_nextval_batch(400000) id;
SELECT count(idgen_reserve('snowflake', 3000)) FROM generate_series(1, 100);
SET idgen.clock_regression = error;
SELECT snowflake_nextval() > 0 AS works;

-- After all of that the server and the other ID spaces work as before.
RESET ALL;
SET idgen.machine_id = 20;
SELECT snowflake_nextval() > 0 AS works;
DROP FUNCTION error_of;

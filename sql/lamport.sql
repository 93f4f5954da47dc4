-- Lamport clocks: tickets above, the machine ID in the lowest 10 bits.
SET idgen.machine_id = 7;
CREATE SEQUENCE lamport_a MINVALUE 0 START 0;
SELECT lamport_tick('lamport_a') AS v, lamport_tick('lamport_a') >> 10 AS counter, lamport_tick('lamport_a') & 1023 AS machine;
-- What was received is greater, smaller, far ahead.
SELECT lamport_observe('lamport_a', (10 << 10) | 99) >> 10 AS counter;
SELECT lamport_observe('lamport_a', 3 << 10) >> 10 AS counter;
SELECT lamport_observe('lamport_a', 1000000000::bigint << 10) >> 10 AS counter;
SELECT lamport_observe('lamport_a', 8000000000000::bigint << 10) >> 10 AS counter;
SELECT lamport_tick('lamport_a') >> 10 AS counter, lamport_observe('lamport_a', 0) >> 10 AS counter;
-- In order and each once, whatever is observed.
CREATE TABLE lamport_seen AS
  SELECT i, CASE WHEN i % 3 = 0 THEN lamport_observe('lamport_a', lamport_tick('lamport_a') + ((i % 7) << 12)) ELSE lamport_tick('lamport_a') END AS v
  FROM generate_series(1, 20000) i;
SELECT count(*), count(DISTINCT v), count(*) FILTER (WHERE v <= before) AS steps_back
FROM (SELECT v, lag(v) OVER (ORDER BY i) AS before FROM lamport_seen) s;
-- Errors.
SELECT lamport_observe('lamport_a', -1);
SELECT lamport_observe('lamport_a', 9223372036854775807);
CREATE SEQUENCE lamport_down INCREMENT -1;
SELECT lamport_observe('lamport_down', 5);
SELECT lamport_tick('lamport_down');
SET idgen.machine_id = 1024;
SELECT lamport_tick('lamport_a');
RESET idgen.machine_id;
SELECT lamport_tick('lamport_a') & 1023 AS machine;
-- Ticking needs USAGE, and observing UPDATE, as setval() does.
CREATE ROLE regress_idgen_lamport;
GRANT USAGE ON SEQUENCE lamport_a TO regress_idgen_lamport;
SET ROLE regress_idgen_lamport;
SELECT lamport_tick('lamport_a') > 0 AS ticks;
SELECT lamport_observe('lamport_a', 1);
RESET ROLE;
DROP TABLE lamport_seen;
DROP SEQUENCE lamport_a, lamport_down;
DROP ROLE regress_idgen_lamport;

-- Which sequences and keys run out, and when.
SET client_min_messages = warning;
CREATE EXTENSION idgen_tools;
CREATE SCHEMA exhaustion;
SET search_path = exhaustion, public;
CREATE VIEW mine AS
  SELECT kind, relation::text, column_name, type, sequence::text, refers_to, last_value, limit_value, limited_by, percent_used, cycles, problem
  FROM idgen_exhaustion WHERE kind <> 'layout' AND coalesce(sequence, relation) IN (
    SELECT c.oid FROM pg_class c WHERE relnamespace IN ('exhaustion'::regnamespace, pg_my_temp_schema()));

CREATE TABLE orders (id serial PRIMARY KEY, n int);
CREATE TABLE lines (id bigserial PRIMARY KEY, order_id int REFERENCES orders);
CREATE TABLE parts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line_id int REFERENCES lines, kind smallint UNIQUE);
CREATE TABLE wrong (id int PRIMARY KEY DEFAULT snowflake_nextval());
CREATE TABLE wrong_too (id int PRIMARY KEY DEFAULT snowflake_id());
CREATE TABLE right_one (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), n int);
CREATE SEQUENCE wide_numbers;
CREATE TABLE "Odd ""name" ("Id ;--" int PRIMARY KEY DEFAULT nextval('wide_numbers'));
CREATE TABLE shared (id smallint UNIQUE DEFAULT ticket_nextval('wide_numbers'));
CREATE TABLE shared_too (id smallint UNIQUE DEFAULT ticket_id('wide_numbers'));
CREATE SEQUENCE down AS smallint INCREMENT -5 MINVALUE -100 CACHE 4;
CREATE SEQUENCE around AS int MAXVALUE 10 CYCLE;
CREATE TABLE rounds (id smallint PRIMARY KEY DEFAULT nextval('around'));
CREATE SEQUENCE attached;
SELECT ticket_attach('attached');
CREATE TABLE fetched (id int PRIMARY KEY DEFAULT ticket_nextval('attached'));
CREATE DOMAIN order_number AS int CHECK (value > 0);
CREATE TABLE numbered (id order_number PRIMARY KEY, other text, real_key float4 UNIQUE);
CREATE TABLE logs (id int GENERATED ALWAYS AS IDENTITY, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM ('2021-01-01') TO ('2030-01-01');
CREATE TABLE tree (id bigserial PRIMARY KEY, parent int REFERENCES tree);
CREATE TEMP TABLE passing (id serial PRIMARY KEY);
CREATE TABLE big_logs (id bigint, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE big_logs_1 PARTITION OF big_logs DEFAULT;
CREATE TABLE notes (log_id int, day date, FOREIGN KEY (log_id, day) REFERENCES big_logs);
CREATE TABLE composed (line_id bigint REFERENCES lines, n smallint, PRIMARY KEY (line_id, n));

-- Nothing is used yet.
SELECT * FROM mine ORDER BY relation, column_name, sequence;
SELECT setval('orders_id_seq', 1610612736), setval('lines_id_seq', 3000000000), setval('wide_numbers', 32767),
       setval('parts_id_seq', 10), setval('around', 9), setval('tree_id_seq', 1000);
SELECT nextval('down'), nextval('passing_id_seq');
SELECT relation, column_name, sequence, last_value, percent_used, problem FROM mine WHERE last_value IS NOT NULL ORDER BY 1, 2, 3;
-- The percentages are the share of the numbers.
SELECT setval('down', -51);
SELECT percent_used = round(100.0 * 51 / 100, 2) AS down FROM mine WHERE sequence = 'down';
SELECT setval('down', -100);
SELECT percent_used, days_left, problem FROM idgen_exhaustion WHERE sequence = 'down'::regclass;

-- Rates: from samples whose times and values are known.
INSERT INTO idgen_exhaustion_history SELECT 'orders_id_seq'::regclass, 0, now() - d * interval '1 day', 1610612736 - d * 1000
FROM generate_series(2, 10) d;
SELECT per_day, recent_per_day, days_left = round((2147483647 - 1610612736) / 1000.0, 2) AS days
FROM idgen_exhaustion WHERE relation = 'orders'::regclass;
-- The faster one of the two counts. (The last sample is older with every second that the test takes.)
INSERT INTO idgen_exhaustion_history VALUES ('orders_id_seq'::regclass, 0, now() - interval '1 day', 1610612736);
SELECT round(per_day) AS per_day, round(recent_per_day) AS recent_per_day, abs(days_left - (2147483647 - 1610612736) / 2000.0) < 20 AS days,
       exhausts_at BETWEEN now() + (days_left - 0.1) * interval '1 day' AND now() + (days_left + 0.1) * interval '1 day' AS instant
FROM idgen_exhaustion WHERE relation = 'orders'::regclass;
-- Numbers that began anew: what was before does not count.
INSERT INTO idgen_exhaustion_history
SELECT 'down'::regclass, 0, now() - d * interval '1 day', v FROM (VALUES (9, -60), (8, -70), (7, -1), (6, -11), (5, -21)) s(d, v);
SELECT per_day, recent_per_day, days_left FROM idgen_exhaustion WHERE sequence = 'down'::regclass;
SELECT setval('down', -20);
SELECT per_day, recent_per_day, days_left FROM idgen_exhaustion WHERE sequence = 'down'::regclass;
-- One sample has no rate; two equal ones have the rate 0.
INSERT INTO idgen_exhaustion_history VALUES ('tree_id_seq'::regclass, 0, now() - interval '9 days', 1000);
SELECT column_name, per_day, days_left, exhausts_at FROM idgen_exhaustion WHERE relation = 'tree'::regclass ORDER BY 1;
INSERT INTO idgen_exhaustion_history VALUES ('tree_id_seq'::regclass, 0, now() - interval '1 days', 1000);
SELECT column_name, per_day, days_left, exhausts_at FROM idgen_exhaustion WHERE relation = 'tree'::regclass ORDER BY 1;

-- Samples. Values that somebody wrote beyond the sequence are seen by a look at the index.
SELECT idgen_exhaustion_sample() = (SELECT count(*) FROM pg_sequences WHERE last_value IS NOT NULL AND sequencename NOT IN ('idgen_high_water_mark', 'attached')) AS all_sampled;
INSERT INTO parts OVERRIDING SYSTEM VALUE VALUES (5000, NULL, 32000), (4000, NULL, 7);
INSERT INTO numbered SELECT 2147483000 - n FROM generate_series(0, 999) n;
INSERT INTO logs (day) VALUES ('2020-05-05'), ('2022-05-05');
INSERT INTO logs OVERRIDING SYSTEM VALUE VALUES (77, '2020-05-05');
INSERT INTO fetched VALUES (1000000);
SELECT relation, column_name, last_value, problem FROM mine WHERE relation IN ('parts', 'numbered', 'logs', 'fetched') ORDER BY 1, 2;
CALL idgen_exhaustion_probe();
SELECT relation, column_name, last_value, problem FROM mine WHERE relation IN ('parts', 'numbered', 'logs', 'fetched') ORDER BY 1, 2;
-- It is one look at each index, and not at each row.
BEGIN;
SELECT idgen_tools_extreme('numbered'::regclass, 'id', true), idgen_tools_extreme('numbered'::regclass, 'id', false);
SELECT seq_tup_read + idx_tup_fetch < 10 AS few FROM pg_stat_xact_user_tables WHERE relid = 'numbered'::regclass;
COMMIT;
-- Where no index tells, nothing is known.
ALTER TABLE parts DROP CONSTRAINT parts_kind_key;
CREATE UNIQUE INDEX some_parts ON parts (kind) WHERE kind > 100;
TRUNCATE idgen_exhaustion_history;
CALL idgen_exhaustion_probe();
SELECT column_name, last_value FROM mine WHERE relation = 'parts' ORDER BY 1;

-- Old samples go, and those of relations that are gone.
INSERT INTO idgen_exhaustion_history VALUES ('tree_id_seq'::regclass, 0, now() - interval '91 days', 1), ('tree_id_seq'::regclass, 0, now() - interval '89 days', 2),
  (1, 0, now(), 1);
SELECT idgen_exhaustion_sample() > 5 AS sampled;
SELECT value FROM idgen_exhaustion_history WHERE relation = 'tree_id_seq'::regclass AND taken_at < now() - interval '1 day' OR relation = 1;
SELECT idgen_exhaustion_sample(keep => '10 days') > 5 AS sampled;
SELECT count(*) FROM idgen_exhaustion_history WHERE taken_at < now() - interval '1 day';

-- Layouts.
SELECT idgen_create_layout('exhaustion_layout', 'timestamp:40, machine:3, sequence:5', epoch => '2010-01-01Z');
SELECT idgen_create_generator('exhaustion_generator', 'exhaustion_layout');
SELECT l.kind, l.type, l.limited_by, l.percent_used - g.life_used BETWEEN -0.01 AND 0.01 AS used, l.exhausts_at = g.ends AS ends,
       l.days_left BETWEEN 1000 AND 10000 AS days, l.problem
FROM idgen_exhaustion l JOIN idgen_layouts g ON g.layout = l.type WHERE g.layout = 'exhaustion_layout';
SELECT idgen_drop_generator('exhaustion_generator'), idgen_drop_layout('exhaustion_layout');

-- Privileges. Who may not read a sequence has its rows, and no values; who reads all statistics has those of the samples.
CREATE ROLE regress_idgen_reader;
CREATE ROLE regress_idgen_collector IN ROLE pg_monitor;
GRANT USAGE ON SCHEMA exhaustion TO regress_idgen_reader, regress_idgen_collector;
GRANT SELECT ON SEQUENCE orders_id_seq TO regress_idgen_reader;
GRANT SELECT ON mine TO regress_idgen_reader, regress_idgen_collector;
SELECT setval('lines_id_seq', 3000000001);
SET ROLE regress_idgen_reader;
SELECT relation, column_name, last_value, percent_used, per_day FROM idgen_exhaustion
WHERE relation IN ('orders'::regclass, 'lines'::regclass) ORDER BY relation::text, 2;
SELECT DISTINCT relation FROM idgen_exhaustion_samples;
SELECT idgen_exhaustion_sample();
SELECT count(*) FROM idgen_exhaustion_history;
RESET ROLE;
SET ROLE regress_idgen_collector;
SELECT relation, column_name, last_value, percent_used FROM idgen_exhaustion
WHERE relation IN ('orders'::regclass, 'lines'::regclass) ORDER BY relation::text, 2;
RESET ROLE;
-- A role that may take samples, of what it may read.
GRANT SELECT, INSERT, DELETE ON idgen_exhaustion_history TO regress_idgen_reader;
GRANT EXECUTE ON FUNCTION idgen_exhaustion_sample TO regress_idgen_reader;
GRANT EXECUTE ON PROCEDURE idgen_exhaustion_probe TO regress_idgen_reader;
TRUNCATE idgen_exhaustion_history;
-- Row security would run the table owner's functions.
ALTER TABLE numbered ENABLE ROW LEVEL SECURITY;
CREATE POLICY hidden ON numbered USING (id / 0 = 1);
GRANT SELECT ON numbered, logs TO regress_idgen_reader;
SET ROLE regress_idgen_reader;
SELECT idgen_exhaustion_sample();
CALL idgen_exhaustion_probe();
RESET ROLE;
SELECT relation::regclass, attnum, value FROM idgen_exhaustion_history ORDER BY 1, 2;

-- Mistakes.
\set VERBOSITY terse
SELECT idgen_exhaustion_sample(NULL);
SELECT idgen_exhaustion_sample(keep => '-1 day');
BEGIN READ ONLY;
SELECT count(*) > 10 AS some FROM idgen_exhaustion;
SELECT idgen_exhaustion_sample();
ROLLBACK;
BEGIN;
CALL idgen_exhaustion_probe();
ROLLBACK;
\set VERBOSITY default
-- Whatever the search_path has.
CREATE FUNCTION exhaustion.greatest(numeric, numeric) RETURNS numeric LANGUAGE sql RETURN 7;
CREATE FUNCTION exhaustion.round(numeric, int) RETURNS numeric LANGUAGE sql RETURN 7;
CREATE FUNCTION exhaustion.max(int) RETURNS int LANGUAGE sql RETURN 7;
SET search_path = exhaustion, pg_catalog, public;
CALL idgen_exhaustion_probe();
SHOW search_path;
SELECT last_value FROM mine WHERE relation = 'numbered';
SELECT percent_used FROM mine WHERE relation = 'orders';
RESET search_path;
DROP SCHEMA exhaustion CASCADE;
DROP OWNED BY regress_idgen_reader, regress_idgen_collector;
DROP ROLE regress_idgen_reader, regress_idgen_collector;
DROP EXTENSION idgen_tools;

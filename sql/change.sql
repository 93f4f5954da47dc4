-- A generator goes over to another layout: the check, the errors, what a transaction can and cannot do.
-- That IDs are right when everybody writes is in test/t/039_change.pl.
\set VERBOSITY terse
\set wide '''timestamp:41, machine:8, sequence:14, tick:1ms, epoch:2020-01-01Z'''
-- The type: text in, the same text out.
SELECT 'snowflake until 2027-01-01Z, then timestamp:41, machine:8, sequence:14, tick:1ms, epoch:2020-01-01Z'::idgen_layout;
SELECT E'\tsnowflake  Until 2027-01-01T00:00:00Z ,  THEN\ttwitter'::idgen_layout;
SELECT 'snowflake  uNTIL 2027-01-01T00:00:00Z ,  THEN timestamp : 41,machine:8, sequence:14 , epoch:2020-01-01Z'::idgen_layout AS layout \gset
SELECT :'layout'::idgen_layout = :'layout'::idgen_layout AS equal, :'layout'::idgen_layout > 'snowflake' AS greater,
       :'layout'::idgen_layout::text = :'layout' AS same_text;
SELECT count(DISTINCT l) FROM unnest(ARRAY[:'layout', 'snowflake', :wide, replace(:'layout', '2027', '2028')]::idgen_layout[]) l;
-- What is wrong with a text.
SELECT text, (SELECT 'read' FROM (SELECT text::idgen_layout) x) FROM (VALUES ('snowflake until 2027-01-01Z, then snowflake')) t(text);
SELECT 'snowflake until 2027-01-01Z'::idgen_layout;
SELECT 'snowflake until 2027-01-01Z, then '::idgen_layout;
SELECT 'snowflake until 2027-01-01, then twitter'::idgen_layout;
SELECT 'snowflake until 2027-01-01Z, and twitter'::idgen_layout;
SELECT ' until 2027-01-01Z, then twitter'::idgen_layout;
SELECT 'snowflake until 2027-01-01Z, then nowhere'::idgen_layout;
SELECT 'snowflake until 2027-01-01Z, then timestamp:x'::idgen_layout;
SELECT 'snowflake until 2027-01-01Z, then snowflake until 2026-01-01Z, then snowflake'::idgen_layout;
SELECT 'snowflake until 2100-01-01Z, then snowflake'::idgen_layout;
SELECT (repeat('snowflake until 2027-01-01Z, then ', 200) || 'snowflake')::idgen_layout;

-- Decoders know both periods. The instants around the change, and the largest ID before it.
SELECT ts, idgen_timestamp(idgen_min_id(ts, :'layout'), :'layout') = ts AS same,
       idgen_max_id(ts, :'layout') < idgen_min_id(ts + interval '1 ms', :'layout') AS in_order,
       (idgen_parse(idgen_compose(:'layout', ts, NULL, 3, NULL, 7), :'layout')).*
FROM unnest(ARRAY['2026-12-31 23:59:59.999Z', '2027-01-01Z', '2030-01-01Z']::timestamptz[]) ts;
SELECT idgen_inspect(idgen_min_id('2027-01-01Z', :'layout') - 1, :'layout');
SELECT idgen_parse(-1, :'layout');
SELECT idgen_min_id('2019-01-01Z', :'layout');
SELECT idgen_min_id('infinity', :'layout');
-- Different layouts in one call site.
SELECT count(*), count(*) FILTER (WHERE idgen_timestamp(idgen_min_id('2028-01-01Z', l), l) <> '2028-01-01Z') AS wrong
FROM unnest(ARRAY[:'layout', 'snowflake', replace(:'layout', '2027', '2029'), 'twitter', :'layout']::idgen_layout[]) l,
     generate_series(1, 3);
-- An index keeps the value.
CREATE TEMP TABLE indexed (id bigint);
CREATE INDEX ON indexed (idgen_timestamp(id, :'layout'));
SELECT pg_get_indexdef('indexed_idgen_timestamp_idx'::regclass) LIKE '%until 2027-01-01Z, then timestamp:41%' AS by_value;

-- The check tells beforehand. The mistake: a later epoch with the same fields.
SELECT * FROM idgen_check_change('snowflake', :wide, '2027-01-01Z');
SELECT * FROM idgen_check_change('snowflake', 'timestamp:41, datacenter:5, machine:5, sequence:12, tick:1ms, epoch:2021-01-01Z', '2027-01-01Z') \gx
SELECT * FROM idgen_check_change('twitter', 'snowflake', '2027-01-01Z') \gx
SELECT possible, earliest FROM idgen_check_change('snowflake', 'timestamp:41, machine:8, sequence:13, tick:1ms, epoch:2000-01-01Z', '2027-01-01Z');
SELECT possible, earliest FROM idgen_check_change('snowflake', 'timestamp:40, machine:8, sequence:15, tick:1ms, epoch:2023-01-01Z', '2024-01-01Z');
SELECT possible FROM idgen_check_change('snowflake', 'timestamp:40, machine:8, sequence:15, tick:1ms, epoch:2023-01-01Z', '2025-12-30 23:59:59.999999Z');
SELECT * FROM idgen_check_change('snowflake', 'twitter', 'infinity');
SELECT * FROM idgen_check_change('snowflake', :'layout', '2027-01-01Z');

-- The errors.
SET idgen.reserve_window = '100 ms';
SELECT idgen_create_generator('regress_change', 'snowflake', machine_id => 200);
SELECT idgen_create_generator('regress_change', 'snowflake', datacenter_id => 1, machine_id => 3);
SELECT idgen_change_layout('nobody', :wide);
SELECT idgen_change_layout('snowflake', :wide);
SELECT idgen_change_layout(NULL, :wide);
SELECT idgen_change_layout('regress_change', NULL);
-- A field that the generator fixes and the new layout lacks.
SELECT idgen_change_layout('regress_change', :wide);
SELECT idgen_alter_generator('regress_change', datacenter_id => NULL);
SELECT idgen_change_layout('regress_change', 'timestamp:41, machine:1, sequence:21, epoch:2020-01-01Z');
SELECT idgen_change_layout('regress_change', 'timestamp:41, machine:8, sequence:14, epoch:2021-01-01Z', '2040-01-01Z');
SELECT idgen_change_layout('regress_change', 'timestamp:41, machine:22, epoch:2020-01-01Z', '2040-01-01Z');
SELECT idgen_change_layout('regress_change', :wide, '2020-01-01Z');
SELECT idgen_change_layout('regress_change', :wide, 'infinity');
SELECT idgen_change_layout('regress_change', :'layout', '2040-01-01Z');
SELECT idgen_cancel_change('regress_change');
CREATE ROLE regress_idgen_changer;
SET ROLE regress_idgen_changer;
SELECT idgen_change_layout('regress_change', :wide, '2040-01-01Z');
RESET ROLE;

-- Later changes one after the other, and back.
SELECT idgen_change_layout('regress_change', :wide, '2040-01-01Z') = '2040-01-01Z' AS at;
SELECT idgen_change_layout('regress_change', 'snowflake', '2039-01-01Z');
SELECT idgen_change_layout('regress_change', 'snowflake', '2041-01-01 00:00:00.0001Z') = '2041-01-01 00:00:00.001Z' AS at;
SELECT layout FROM idgen_generators WHERE generator = 'regress_change';
SELECT idgen_cancel_change('regress_change') = '2041-01-01 00:00:00.001Z' AS at;
SELECT idgen_timestamp(idgen_min_id('2050-01-01Z', 'regress_change'), 'regress_change') AT TIME ZONE 'UTC';
SELECT idgen_cancel_change('regress_change') = '2040-01-01Z' AS at;
SELECT layout FROM idgen_generators WHERE generator = 'regress_change';
-- By default in about a minute, at a whole second.
BEGIN;
SELECT idgen_change_layout('regress_change', :wide) AS at \gset
SELECT :'at'::timestamptz = date_trunc('second', :'at'::timestamptz) AS whole,
       :'at'::timestamptz > clock_timestamp() + interval '30 s' AS ahead;
-- The transaction sees its change, and makes IDs of the old layout until the instant.
SELECT count(DISTINCT idgen_nextval('regress_change')) FROM generate_series(1, 5000);
SELECT (idgen_parse(idgen_nextval('regress_change'), 'regress_change')).machine_id;
-- It cannot be prepared.
PREPARE TRANSACTION 'regress_change';
SELECT layout FROM idgen_generators WHERE generator = 'regress_change';
-- A savepoint takes it back.
BEGIN;
SAVEPOINT s;
SELECT idgen_change_layout('regress_change', :wide, now() + interval '1500 ms') > now() AS planned;
ROLLBACK TO s;
SELECT count(pg_sleep(1.6));
SELECT count(DISTINCT idgen_nextval('regress_change')) FROM generate_series(1, 5000);
COMMIT;
-- A transaction that is not over by the instant makes no ID of that time, and does not commit.
BEGIN;
SELECT idgen_change_layout('regress_change', :wide, now() + interval '1500 ms') > now() AS planned;
SELECT count(pg_sleep(1.6));
SAVEPOINT s;
SELECT idgen_nextval('regress_change');
ROLLBACK TO s;
-- Others' generators go on.
SELECT snowflake_nextval() > 0 AS made;
\set VERBOSITY sqlstate
COMMIT;
\set VERBOSITY terse
SELECT layout FROM idgen_generators WHERE generator = 'regress_change';
-- Two generators in one transaction.
SELECT idgen_create_generator('regress_other', 'snowflake');
BEGIN;
SELECT idgen_change_layout('regress_change', :wide) > now() AS planned;
SELECT idgen_change_layout('regress_other', :wide) > now() AS planned;
COMMIT;
-- currval stays across a change, the IDs grow, and the last one is of the new layout.
SELECT idgen_change_layout('regress_change', :wide, now() + interval '1500 ms') AS at \gset
SELECT idgen_nextval('regress_change') AS before \gset
SELECT count(pg_sleep(1.6));
SELECT idgen_currval('regress_change') = :before AS kept;
SELECT idgen_nextval('regress_change') AS after \gset
SELECT :after > :before AS greater, idgen_timestamp(:before, 'regress_change') < :'at' AS was_before,
       idgen_timestamp(:after, 'regress_change') >= :'at' AS is_after,
       idgen_timestamp(:after, :wide) = idgen_timestamp(:after, 'regress_change') AS of_new_layout;
SELECT idgen_cancel_change('regress_change');
-- An ID of the old layout was seen elsewhere: nothing to do.
SELECT idgen_observe('regress_change', :before) >= :before AS greater;
SELECT idgen_nextval('regress_change') > :after AS greater;
-- An ID of a layout to come is too far ahead; one that is near moves the generator on.
SELECT idgen_change_layout('regress_change', 'snowflake', now() + interval '1 h') AS at \gset
\set VERBOSITY sqlstate
SELECT idgen_observe('regress_change', idgen_min_id(:'at', 'regress_change'));
\set VERBOSITY terse
SELECT idgen_cancel_change('regress_change') = :'at' AS called_off;
SELECT idgen_change_layout('regress_change', 'snowflake', now() + interval '2 s') AS at \gset
SELECT idgen_observe('regress_change', idgen_min_id(:'at', 'regress_change')) >= idgen_min_id(:'at', 'regress_change') AS observed;
SET idgen.max_clock_wait = '10 s';
SELECT idgen_timestamp(idgen_nextval('regress_change'), 'regress_change') >= :'at' AS after;
RESET idgen.max_clock_wait;
SELECT idgen_drop_generator('regress_change');
SELECT idgen_drop_generator('regress_other');
DROP ROLE regress_idgen_changer;

-- Under a test clock: exact.
SELECT idgen_create_generator('regress_change', 'snowflake until 2040-01-01Z, then timestamp:41, machine:8, sequence:14, tick:1ms, epoch:2020-01-01Z', machine_id => 3);
BEGIN;
SELECT idgen_test_clock('2039-12-31 23:59:59.999Z');
SELECT count(DISTINCT id), count(*) FILTER (WHERE idgen_timestamp(id, 'snowflake') < '2040-01-01Z') AS of_old,
       bool_and((idgen_parse(id, 'regress_change')).machine_id = 3) AS right
FROM (SELECT idgen_nextval('regress_change') AS id FROM generate_series(1, 4099)) made;
SELECT idgen_test_clock() AT TIME ZONE 'UTC';
-- Back before the change: the new layout all the same.
SELECT idgen_test_clock_advance('-1 s') AT TIME ZONE 'UTC';
SET LOCAL idgen.clock_regression = lead;
SELECT p.* FROM idgen_nextval('regress_change') id, idgen_parse(id, 'regress_change') p;
ROLLBACK;
-- An ID of the future is observed.
BEGIN;
SELECT idgen_test_clock('2039-12-31 23:59:59Z');
SET LOCAL idgen.clock_regression = lead;
SELECT idgen_timestamp(idgen_nextval('regress_change'), 'regress_change') AT TIME ZONE 'UTC';
SELECT idgen_observe('regress_change', idgen_min_id('2040-01-01 00:00:01Z', 'regress_change')) < idgen_min_id('2040-01-01 00:00:01Z', 'regress_change') AS not_above;
SELECT p.* FROM idgen_nextval('regress_change') id, idgen_parse(id, 'regress_change') p;
SAVEPOINT s;
SELECT idgen_observe('regress_change', idgen_min_id('2040-01-01 00:01:00Z', 'regress_change'));
ROLLBACK;
SELECT idgen_drop_generator('regress_change');

-- A block is reserved by the layout that it is of: one whose IDs are no consecutive integers, or too
-- few, may begin while it is looked for.
SELECT idgen_create_generator('regress_change', 'snowflake until 2040-01-01Z, then timestamp:41, sequence:14, machine:8, tick:1ms, epoch:2020-01-01Z', machine_id => 3);
SELECT idgen_create_generator('regress_other', 'snowflake until 2040-01-01Z, then timestamp:41, machine:12, sequence:10, tick:1ms, epoch:2020-01-01Z', machine_id => 4);
BEGIN;
SELECT idgen_test_clock('2039-12-31 23:59:59.999Z');
SELECT idgen_reserve('regress_change', 4000) % 4096 AS first, idgen_reserve('regress_other', 4000) % 4096 AS other_first;
SAVEPOINT s;
SELECT idgen_reserve('regress_change', 4000);
ROLLBACK TO s;
SELECT idgen_reserve('regress_other', 4000);
ROLLBACK TO s;
SELECT (idgen_parse(idgen_reserve('regress_other', 1000), 'regress_other')).sequence;
ROLLBACK;
SELECT idgen_drop_generator('regress_change');
SELECT idgen_drop_generator('regress_other');

-- The check of identities looks at IDs of the present layout.
SELECT idgen_create_generator('regress_change', 'snowflake until 2024-01-01Z, then timestamp:41, machine:8, sequence:14, tick:1ms, epoch:2020-01-01Z', machine_id => 3);
CREATE TEMP TABLE both_layouts (id bigint);
INSERT INTO both_layouts VALUES (idgen_compose('regress_change', '2023-12-31Z', 9, 9, NULL, 9)), (idgen_nextval('regress_change'));
SELECT count(*) FROM idgen_check_identity('both_layouts', 'id', 'regress_change', '-infinity') WHERE machine_id IS NOT NULL;
SELECT idgen_drop_generator('regress_change');
-- The check of the configuration looks at all of them.
SELECT idgen_create_generator('regress_change', 'snowflake until 2040-01-01Z, then timestamp:41, machine:1, sequence:21, tick:1ms, epoch:2020-01-01Z');
SET idgen.machine_id = 3;
SELECT severity, topic, message FROM idgen_check_config() WHERE message LIKE '%regress_change%';
RESET idgen.machine_id;
SELECT idgen_drop_generator('regress_change');

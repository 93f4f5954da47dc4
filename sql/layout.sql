-- Layouts: the built-in ones, those of users, and every mistake in describing one.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- What each built-in layout is. The end is the first instant without an ID.
SELECT layout, fields, tick, ids_per_second, identities, generates FROM idgen_layouts;
SELECT layout, epoch, ends FROM idgen_layouts;
SELECT count(*) AS layouts, bool_and(note <> '') AS noted, bool_and(owner IS NULL) AS nobody_s,
       bool_and(life_used BETWEEN 0 AND 100 OR layout = 'uidgenerator') AS in_their_life,
       bool_and(life_used > 100) FILTER (WHERE layout = 'uidgenerator') AS over
FROM idgen_layouts;

-- Each reads and puts together what it should: IDs from public documentation.
SELECT layout, p.* FROM (VALUES
  ('discord', 175928847299117063), ('twitter', 1541815603606036480)) v(layout, id),
  idgen_parse(id, layout) p;
SELECT layout, idgen_min_id(epoch, layout) AS least,
       idgen_max_id(ends - tick, layout) = 2::numeric ^ 63 - 1 AS fills_63_bits,
       idgen_timestamp(idgen_min_id(epoch, layout), layout) = epoch AS begins,
       idgen_timestamp(idgen_max_id(ends - interval '1 us', layout), layout) + tick = ends AS ends
FROM idgen_layouts;

-- Compose is the inverse of parse, for every layout and any ID (a tail is not known to it).
SELECT l.layout, count(*) AS ids, count(*) FILTER (
         WHERE idgen_compose(l.layout, p.ts, p.datacenter_id, p.machine_id, p.shard_id, p.sequence)
               <> CASE l.layout WHEN 'mastodon' THEN id >> 16 << 16 ELSE id END) AS differ
FROM idgen_layouts l
CROSS JOIN LATERAL (
  SELECT (random() * (idgen_max_id(ends - tick, l.layout) - 512))::bigint AS id
  FROM generate_series(1, 200)) i
CROSS JOIN LATERAL idgen_parse(id, l.layout) p
GROUP BY l.layout ORDER BY l.layout COLLATE "C";

-- Those that can make IDs do, in order and now, except the one whose time is up.
SET idgen.shard_id = 3;
SELECT layout, bool_and(id > before) AS ordered,
       bool_and(abs(extract(epoch FROM clock_timestamp() - idgen_timestamp(id, layout))) < 60) AS is_now
FROM (SELECT layout, id, lag(id, 1, 0::bigint) OVER (PARTITION BY layout ORDER BY n) AS before
      FROM (SELECT layout, n, idgen_nextval(layout) AS id
            FROM idgen_layouts, generate_series(1, 100) n
            WHERE generates AND layout <> 'uidgenerator' OFFSET 0) made) pairs
GROUP BY layout ORDER BY layout COLLATE "C";
\set VERBOSITY terse
SELECT idgen_nextval('uidgenerator');
\set VERBOSITY default
SELECT idgen_nextval('mastodon');
SELECT idgen_nextval('cockroach');
RESET idgen.shard_id;

-- js53 stays below what JavaScript keeps exactly.
SELECT max(id) < 9007199254740992 AS exact FROM idgen_nextval_batch('js53', 1000) id;

-- One of a user's own.
SELECT idgen_create_layout('orders', 'timestamp:42, machine:6, sequence:15', tick => '1 ms', epoch => '2024-01-01Z');
SELECT layout, fields, tick, epoch, ends, ids_per_second, identities, generates, life_used < 100 AS alive,
       owner = current_user::regrole AS mine, note
FROM idgen_layouts WHERE owner IS NOT NULL;
SET idgen.machine_id = 63;
SELECT ts - clock_timestamp() < '1 min' AS now, datacenter_id, machine_id, shard_id, sequence < 32768 AS fits
FROM idgen_parse(idgen_nextval('orders'), 'orders');
SET idgen.machine_id = 64;
SELECT idgen_nextval('orders');
SELECT idgen_nextval('sonyflake') > 0 AS wide_enough;
RESET idgen.machine_id;
-- The defaults are a millisecond and 2020.
SELECT idgen_create_layout('plain', 'timestamp:41,sequence:22');
SELECT tick, epoch, ids_per_second FROM idgen_layouts WHERE layout = 'plain';
-- Any order after the timestamp, any case and space, from 1 us to 24 hours.
SELECT idgen_create_layout('all_of_them', E' Timestamp : 46,\n\tSHARD:3 ,sequence:5, datacenter:4,machine:5', tick => '10 us');
SELECT idgen_create_layout('microseconds', 'timestamp:52, sequence:1', tick => '1 us');
SELECT idgen_create_layout('days', 'timestamp:15, machine:16, sequence:31', tick => '1 day', epoch => '2000-01-01Z');
SELECT idgen_create_layout('hours', 'timestamp:20, sequence:31', tick => '6 hours', epoch => '1950-06-01 12:34:56.789012Z');
SELECT layout, fields, tick, epoch, ends, ids_per_second FROM idgen_layouts WHERE owner IS NOT NULL ORDER BY layout;
SET idgen.shard_id = 5;
SELECT layout, count(DISTINCT id) AS ids, bool_and(idgen_timestamp(id, layout) <= clock_timestamp()) AS honest,
       bool_and(idgen_timestamp(id, layout) > clock_timestamp() - tick - interval '1 min') AS is_now
FROM (SELECT layout, tick, idgen_nextval(layout) AS id FROM idgen_layouts, generate_series(1, 50)
      WHERE owner IS NOT NULL OFFSET 0) made
GROUP BY layout ORDER BY layout;
RESET idgen.shard_id;
-- Fields that idgen does not know, and none at all but the time: only for reading, and that is said.
SELECT idgen_create_layout('foreign_ids', 'timestamp:40, machine:3, tail:20', tick => '1 ms', epoch => '2016-02-29Z');
SELECT idgen_create_layout('times', 'timestamp:50', tick => '1 us', epoch => '2020-01-01Z');
SELECT * FROM idgen_parse(5::bigint << 20, 'foreign_ids');
SELECT idgen_timestamp(86400000000, 'times');
SELECT idgen_nextval('foreign_ids');
SELECT idgen_nextval('times');
-- One whose time is up: it can read.
SELECT idgen_create_layout('old', 'timestamp:30, sequence:20', tick => '1 ms', epoch => '1999-01-01Z');
SELECT idgen_timestamp(1 << 20, 'old');
\set VERBOSITY terse
SELECT idgen_nextval('old');
\set VERBOSITY default

-- A decoder of it in an index, a generated column, a check, a partition.
CREATE TABLE orders (
  id bigint PRIMARY KEY DEFAULT idgen_nextval('orders'),
  made_at timestamptz GENERATED ALWAYS AS (idgen_timestamp(id, 'orders')) STORED,
  CONSTRAINT of_machine_0 CHECK ((idgen_parse(id, 'orders')).machine_id = 0));
CREATE INDEX orders_made_at ON orders (idgen_timestamp(id, 'orders'));
INSERT INTO orders SELECT FROM generate_series(1, 1000);
SELECT bool_and(made_at = idgen_timestamp(id, 'orders')) AS generated FROM orders;
SET idgen.machine_id = 1;
\set VERBOSITY sqlstate
INSERT INTO orders DEFAULT VALUES;
\set VERBOSITY default
RESET idgen.machine_id;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM orders WHERE idgen_timestamp(id, 'orders') < '2020-01-01';
RESET enable_seqscan;
CREATE VIEW times_of_orders AS SELECT idgen_timestamp(id, 'orders') AS made_at FROM orders;
-- What uses a layout keeps it from being dropped, whoever drops it.
SELECT idgen_drop_layout('orders');
DROP VIEW times_of_orders;
ALTER TABLE orders DROP COLUMN made_at, DROP CONSTRAINT of_machine_0, ALTER id DROP DEFAULT;
SELECT idgen_drop_layout('orders');
DROP INDEX orders_made_at;
SELECT idgen_create_generator('orders_7', 'orders', machine_id => 7);
SELECT idgen_drop_layout('orders');
\set VERBOSITY sqlstate
DROP SERVER idgen_layout_orders;
\set VERBOSITY default
SELECT idgen_drop_generator('orders_7');
SELECT idgen_drop_layout('orders');
SELECT idgen_parse(1, 'orders');
SELECT idgen_nextval('orders');
DROP TABLE orders;

-- Made anew with other fields in the same session: nothing of the old one is left.
SELECT idgen_timestamp(1::bigint << 22, 'plain');
SELECT idgen_nextval('plain') > 0 AS made;
CREATE FUNCTION decode_plain(id bigint) RETURNS timestamptz LANGUAGE plpgsql AS
  $$ BEGIN RETURN idgen_timestamp(id, 'plain'); END $$;
BEGIN;
SELECT decode_plain(1::bigint << 22);
SELECT idgen_drop_layout('plain');
SELECT idgen_create_layout('plain', 'timestamp:42, machine:6, sequence:12', tick => '10 ms', epoch => '2021-01-01Z');
SELECT idgen_timestamp(1::bigint << 22, 'plain'), idgen_timestamp(1::bigint << 18, 'plain');
SELECT decode_plain(1::bigint << 22), decode_plain(1::bigint << 18);
ROLLBACK;
SELECT decode_plain(1::bigint << 22);
DROP FUNCTION decode_plain;
SELECT idgen_timestamp(1::bigint << 22, 'plain');
SELECT idgen_drop_layout('plain');
SELECT idgen_create_layout('plain', 'timestamp:42, machine:6, sequence:12', tick => '10 ms', epoch => '2021-01-01Z');
SELECT idgen_currval('plain');
SELECT (idgen_parse(idgen_nextval('plain'), 'plain')).machine_id;
PREPARE when_made AS SELECT idgen_timestamp($1, 'plain');
EXECUTE when_made(1::bigint << 18);
SELECT idgen_drop_layout('plain');
EXECUTE when_made(1::bigint << 18);
SELECT idgen_create_layout('plain', 'timestamp:41, sequence:22');
EXECUTE when_made(1::bigint << 22);
-- Even while a statement runs that decodes with it.
CREATE FUNCTION another_plain() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM idgen_drop_layout('plain');
  PERFORM idgen_create_layout('plain', 'timestamp:41, sequence:21, machine:1', epoch => '2022-01-01Z');
  RETURN true;
END $$;
BEGIN;
SELECT i, CASE WHEN i = 2 THEN another_plain() END AS changed, idgen_timestamp((1::bigint << 22) + 0 * i, 'plain') AS decoded,
       extract(year FROM idgen_timestamp(idgen_nextval('plain'), 'plain')) >= 2026 AS is_now
FROM generate_series(1, 3) i;
ROLLBACK;
DROP FUNCTION another_plain;
-- The name need not be a constant.
SELECT layout, idgen_min_id('2024-01-01Z', layout) FROM (VALUES ('snowflake'), ('plain'), ('snowflake'), ('times')) v(layout);
CREATE FUNCTION decode_with(id bigint, layout text) RETURNS timestamptz LANGUAGE plpgsql AS
  'BEGIN RETURN idgen_timestamp(id, layout); END';
SELECT layout, decode_with(1::bigint << 22, layout) FROM (VALUES ('snowflake'), ('plain'), ('discord')) v(layout);
DROP FUNCTION decode_with;

-- Never altered, by whatever command.
ALTER SERVER idgen_layout_plain OPTIONS (SET fields 'timestamp:40, sequence:20');
ALTER SERVER idgen_layout_plain OPTIONS (SET epoch_us '0');
ALTER SERVER idgen_layout_plain OPTIONS (DROP fields);
ALTER SERVER idgen_layout_plain RENAME TO idgen_layout_simple;
ALTER SERVER idgen_layout_plain OWNER TO CURRENT_USER;
CREATE SERVER other FOREIGN DATA WRAPPER idgen_layout
  OPTIONS (layout 'name', fields 'timestamp:40, sequence:20', tick_us '1000', epoch_us '0');
CREATE SERVER idgen_layout_x FOREIGN DATA WRAPPER idgen_layout;
CREATE SERVER idgen_layout_x FOREIGN DATA WRAPPER idgen_layout OPTIONS (layout 'x', colour 'red');
CREATE SERVER idgen_layout_x FOREIGN DATA WRAPPER idgen_layout
  OPTIONS (layout 'x', fields 'timestamp:40, sequence:20', tick_us '0', epoch_us '0');
-- A server of somebody else's wrapper is no layout, whatever it is called.
CREATE FOREIGN DATA WRAPPER regress_wrapper;
CREATE SERVER idgen_layout_fake FOREIGN DATA WRAPPER regress_wrapper
  OPTIONS (layout 'fake', fields 'timestamp:40', tick_us '1000', epoch_us '0');
SELECT idgen_timestamp(1, 'fake');
DROP FOREIGN DATA WRAPPER regress_wrapper CASCADE;

-- Who may: not everybody, until granted.
CREATE ROLE regress_idgen_maker;
SET ROLE regress_idgen_maker;
SELECT idgen_create_layout('theirs', 'timestamp:41, sequence:22');
SELECT idgen_drop_layout('plain');
SELECT count(*) > 16 AS may_look FROM idgen_layouts;
RESET ROLE;
GRANT USAGE ON FOREIGN DATA WRAPPER idgen_layout TO regress_idgen_maker;
SET ROLE regress_idgen_maker;
SELECT idgen_create_layout('theirs', 'timestamp:41, sequence:22');
SELECT idgen_drop_layout('theirs');
RESET ROLE;
REVOKE USAGE ON FOREIGN DATA WRAPPER idgen_layout FROM regress_idgen_maker;
DROP ROLE regress_idgen_maker;

-- The wrong word, pointed at.
SELECT idgen_create_layout('bad', '');
SELECT idgen_create_layout('bad', '  ,');
SELECT idgen_create_layout('bad', 'timestamp:42, mashine:6, sequence:15');
SELECT idgen_create_layout('bad', 'timestamp:42, colour:6, sequence:15');
SELECT idgen_create_layout('bad', 'machine:6, sequence:15');
SELECT idgen_create_layout('bad', 'machine:6, timestamp:42, sequence:15');
SELECT idgen_create_layout('bad', 'timestamp:42, machine:6, machine:2, sequence:10');
SELECT idgen_create_layout('bad', 'timestamp:42, machine:10, sequence:12');
SELECT idgen_create_layout('bad', 'timestamp:42, machine:0, sequence:12');
SELECT idgen_create_layout('bad', 'timestamp:30, machine:1, sequence:32');
SELECT idgen_create_layout('bad', 'timestamp:99999999999999999999, sequence:12');
SELECT idgen_create_layout('bad', 'timestamp:-42, sequence:12');
SELECT idgen_create_layout('bad', 'timestamp:x, sequence:12');
SELECT idgen_create_layout('bad', 'timestamp 42, sequence:12');
SELECT idgen_create_layout('bad', 'timestamp:42 sequence:12');
SELECT idgen_create_layout('bad', 'timestamp:42, sequence:12,');
SELECT idgen_create_layout('bad', 'timestamp:42, sequence:');
SELECT idgen_create_layout('bad', 'timestamp:42, sequence');
-- Ticks and epochs.
SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', tick => '0');
SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', tick => '-1 ms');
SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', tick => '1 month');
SELECT idgen_create_layout('bad', 'timestamp:20, sequence:12', tick => '24 hours 1 us');
SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', tick => '1 hour');
SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', epoch => 'infinity');
SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', epoch => '-infinity');
\set VERBOSITY terse
SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', epoch => now() + '1 hour');
\set VERBOSITY default
-- Names.
SELECT idgen_create_layout('', 'timestamp:41, sequence:12');
SELECT idgen_create_layout('two words', 'timestamp:41, sequence:12');
SELECT idgen_create_layout(repeat('x', 48), 'timestamp:41, sequence:12');
SELECT idgen_create_layout(repeat('x', 47), 'timestamp:41, sequence:12');
SELECT idgen_timestamp(0, repeat('x', 47)), idgen_drop_layout(repeat('x', 47));
SELECT idgen_create_layout('snowflake', 'timestamp:41, sequence:12');
SELECT idgen_create_layout('times', 'timestamp:41, sequence:12');
SELECT idgen_create_layout(NULL, 'timestamp:41, sequence:12');
SELECT idgen_create_layout('bad', NULL);
SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', tick => NULL);
SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', epoch => NULL);
SELECT idgen_drop_layout('snowflake');
SELECT idgen_drop_layout('snowflak');
SELECT idgen_drop_layout(NULL);
-- Unknown ones, with what may have been meant.
SELECT idgen_parse(1, 'snowflke');
SELECT idgen_timestamp(1, 'Discord');
SELECT idgen_min_id(now(), 'time');
SELECT idgen_max_id(now(), 'nothing like any of them');
SELECT idgen_compose('', now());
SELECT idgen_parse(1, repeat('long', 1000)) \g /dev/null
-- IDs that are not the layout's; parts that do not fit it.
SELECT idgen_parse(-1, 'discord');
SELECT idgen_parse(9007199254740992, 'js53');
SELECT idgen_timestamp(1::bigint << 62, 'js53');
SELECT idgen_min_id('2010-01-01Z', 'discord');
SELECT idgen_max_id('2047-01-01Z', 'instagram');
SELECT idgen_compose('instagram', '2020-01-01Z', shard_id => 8192);
SELECT idgen_compose('instagram', '2020-01-01Z', shard_id => -1);
SELECT idgen_compose('instagram', '2020-01-01Z', machine_id => 0);
SELECT idgen_compose('instagram', '2020-01-01Z', sequence => 1024);
SELECT idgen_compose('instagram', '2010-01-01Z');
-- NULL in, NULL out.
SELECT idgen_parse(NULL, 'discord') IS NULL AND idgen_timestamp(1, NULL) IS NULL
   AND idgen_compose(NULL, now()) IS NULL AND idgen_compose('discord', NULL) IS NULL
   AND idgen_min_id(NULL, 'discord') IS NULL AND idgen_max_id(now(), NULL) IS NULL AS all_null;

SELECT idgen_drop_layout(layout) FROM (SELECT layout FROM idgen_layouts WHERE owner IS NOT NULL) mine \g /dev/null
SELECT count(*) AS left_over FROM idgen_layouts WHERE owner IS NOT NULL;

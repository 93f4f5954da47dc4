-- Layouts: the built-in ones, those of users, and every mistake in describing one.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- What each built-in layout is. The end is the first instant without an ID.
SELECT layout, value::text = layout AS reserved, fields, tick, ids_per_second, identities, generates FROM idgen_layouts;
SELECT layout, epoch, ends FROM idgen_layouts;
SELECT count(*) AS layouts, bool_and(note <> '') AS noted, bool_and(owner IS NULL) AS nobody_s,
       bool_and(life_used BETWEEN 0 AND 100 OR layout = 'uidgenerator') AS in_their_life,
       bool_and(life_used > 100) FILTER (WHERE layout = 'uidgenerator') AS over
FROM idgen_layouts;

-- Each reads and puts together what it should: IDs from public documentation.
SELECT layout, p.* FROM (VALUES
  ('discord', 175928847299117063), ('twitter', 1541815603606036480)) v(layout, id),
  idgen_parse(id, layout::idgen_layout) p;
SELECT layout, idgen_min_id(epoch, value) AS least,
       idgen_max_id(ends - tick, value) = 2::numeric ^ 63 - 1 AS fills_63_bits,
       idgen_timestamp(idgen_min_id(epoch, value), value) = epoch AS begins,
       idgen_timestamp(idgen_max_id(ends - interval '1 us', value), value) + tick = ends AS ends
FROM idgen_layouts;

-- Compose is the inverse of parse, for every layout and any ID (a tail is not known to it).
SELECT l.layout, count(*) AS ids, count(*) FILTER (
         WHERE idgen_compose(l.value, p.ts, p.datacenter_id, p.machine_id, p.shard_id, p.sequence)
               <> CASE l.layout WHEN 'mastodon' THEN id >> 16 << 16 ELSE id END) AS differ
FROM idgen_layouts l
CROSS JOIN LATERAL (
  SELECT (random() * (idgen_max_id(ends - tick, l.value) - 512))::bigint AS id
  FROM generate_series(1, 200)) i
CROSS JOIN LATERAL idgen_parse(id, l.value) p
GROUP BY l.layout ORDER BY l.layout COLLATE "C";

-- Those that can make IDs do, in order and now, except the one whose time is up.
SET idgen.shard_id = 3;
SELECT layout, bool_and(id > before) AS ordered,
       bool_and(abs(extract(epoch FROM clock_timestamp() - idgen_timestamp(id, value))) < 60) AS is_now
FROM (SELECT layout, value, id, lag(id, 1, 0::bigint) OVER (PARTITION BY layout ORDER BY n) AS before
      FROM (SELECT layout, value, n, idgen_nextval(layout) AS id
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
SELECT layout, count(DISTINCT id) AS ids, bool_and(idgen_timestamp(id, value) <= clock_timestamp()) AS honest,
       bool_and(idgen_timestamp(id, value) > clock_timestamp() - tick - interval '1 min') AS is_now
FROM (SELECT layout, value, tick, idgen_nextval(layout) AS id FROM idgen_layouts, generate_series(1, 50)
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
-- What is stored has the layout by value, so that nothing that is done to its name changes it.
\d orders
SELECT substring(pg_get_viewdef('times_of_orders') FROM '''.*idgen_layout');
SELECT idgen_create_generator('orders_7', 'orders', machine_id => 7);
SELECT idgen_drop_layout('orders');
SELECT idgen_create_layout('orders', 'timestamp:40, machine:3, sequence:20', tick => '10 ms', epoch => '2000-01-01Z');
SELECT bool_and(made_at = idgen_timestamp(id, 'timestamp:42, machine:6, sequence:15, tick:1ms, epoch:2024-01-01Z')) AS same,
       bool_and(made_at = idgen_timestamp(id, 'orders')) AS other
FROM orders;
SET enable_seqscan = off;
SELECT count(*) FROM orders WHERE made_at > '2024-01-02Z' AND idgen_timestamp(id,
  'timestamp:42, machine:6, sequence:15, tick:1ms, epoch:2024-01-01Z') > '2024-01-02Z';
SET enable_indexscan = off; SET enable_bitmapscan = off; RESET enable_seqscan;
SELECT count(*) FROM orders WHERE idgen_timestamp(id,
  'timestamp:42, machine:6, sequence:15, tick:1ms, epoch:2024-01-01Z') > '2024-01-02Z';
RESET enable_indexscan; RESET enable_bitmapscan;
SELECT count(*) FROM times_of_orders WHERE made_at > '2024-01-02Z';
SELECT machine_id, ts > '2024-01-02Z' AS now FROM idgen_parse(idgen_nextval('orders_7'), 'orders_7');
SELECT layout FROM idgen_generators WHERE generator = 'orders_7';
SELECT idgen_drop_generator('orders_7');
SELECT idgen_drop_layout('orders');
SELECT idgen_parse(1, 'orders');
SELECT idgen_nextval('orders');
DROP TABLE orders CASCADE;

-- The type. Its texts read back as the same value.
SELECT layout FROM idgen_layouts WHERE value::text::idgen_layout <> value OR value::text::idgen_layout::text <> value::text;
SELECT ' Timestamp : 42,machine:6 , SEQUENCE:15, epoch: 2024-01-01 00:00z'::idgen_layout;
SELECT 'timestamp:41, datacenter:5, machine:5, sequence:12, epoch:2020-01-01Z'::idgen_layout AS snowflake,
       'plain'::idgen_layout = 'timestamp:41, sequence:22, epoch:2020-01-01Z' AS plain;
SELECT 'snowflake'::idgen_layout = 'twitter'::idgen_layout AS equal, 'snowflake'::idgen_layout <> 'twitter'::idgen_layout AS differ;
SELECT count(*) AS layouts, count(DISTINCT value) AS different FROM idgen_layouts, generate_series(1, 3) GROUP BY ();
SELECT count(*) AS ordered FROM (SELECT value, lag(value) OVER (ORDER BY value) AS before FROM idgen_layouts) l
WHERE (before < value AND before <= value AND NOT before >= value AND NOT before > value) IS NOT true;
SELECT bool_and((hashtext(a.value::text) = hashtext(b.value::text)) = (a.value = b.value)) AS consistent
FROM idgen_layouts a, idgen_layouts b;
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) FROM idgen_layouts a JOIN idgen_layouts b ON a.value = b.value;
SET enable_hashjoin = off; RESET enable_mergejoin;
SELECT count(*) FROM idgen_layouts a JOIN idgen_layouts b ON a.value = b.value;
RESET enable_hashjoin; RESET enable_nestloop;
CREATE TABLE kept (layout idgen_layout PRIMARY KEY, name text);
INSERT INTO kept SELECT value, layout FROM idgen_layouts ON CONFLICT DO NOTHING;
SELECT count(*) AS kept, bool_and(layout = name::idgen_layout) AS same FROM kept;
COPY (SELECT layout FROM kept WHERE name = 'plain') TO STDOUT;
SELECT pg_column_size(layout) FROM kept LIMIT 1;
ALTER TABLE kept ALTER layout SET STORAGE extended;
CREATE TABLE parts_of (layout idgen_layout, id bigint) PARTITION BY HASH (layout);
CREATE TABLE parts_of_0 PARTITION OF parts_of FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_of_1 PARTITION OF parts_of FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts_of SELECT layout, 1 FROM kept;
SELECT count(*) > 0 AS both FROM parts_of_0 HAVING count(*) < (SELECT count(*) FROM parts_of);
DROP TABLE kept, parts_of;
-- Not immutable: what a text means may change. It needs a cast.
CREATE TABLE texts (id bigint, layout text);
\set VERBOSITY sqlstate
SELECT idgen_timestamp(1, layout) FROM idgen_layouts;
CREATE INDEX ON texts (idgen_timestamp(id, layout::idgen_layout));
\set VERBOSITY default
DROP TABLE texts;
-- Bad descriptions.
SELECT 'timestamp:41, sequence:12'::idgen_layout;
SELECT 'timestamp:41, sequence:12, tick:1ms'::idgen_layout;
SELECT 'timestamp:41, sequence:12, tick:1 day, epoch:2024-01-01Z'::idgen_layout;
SELECT 'timestamp:41, sequence:12, tick:25h, epoch:2024-01-01Z'::idgen_layout;
SELECT 'timestamp:41, sequence:12, epoch:2024-02-30Z'::idgen_layout;
SELECT 'timestamp:41, sequence:12, epoch:2024-01-01'::idgen_layout;
SELECT 'timestamp:41, epoch:2024-01-01Z, sequence:12'::idgen_layout;
SELECT 'timestamp:41, epoch 2024-01-01Z'::idgen_layout;
SELECT 'timestamp:41, sequence:12, tick:1ms, tick:2ms, epoch:2024-01-01Z'::idgen_layout;
SELECT 'timestamp:41, sequence:12, tick:1h, epoch:2024-01-01Z'::idgen_layout;
SELECT 'timestamp:41, colour:12, epoch:2024-01-01Z'::idgen_layout;
SELECT ''::idgen_layout;
SELECT repeat('timestamp:41, ', 100)::idgen_layout;

-- A user's name wins over a built-in one that is not reserved, as one of a later version is for those
-- who had the name before: only CREATE SERVER, and so a restored dump, can make such a one.
SELECT idgen_create_layout('js53', 'timestamp:41, sequence:12');
SELECT idgen_timestamp(1::bigint << 12, 'js53') AS built_in;
CREATE SERVER idgen_js53 TYPE 'layout' FOREIGN DATA WRAPPER idgen
  OPTIONS (layout 'timestamp:41, sequence:12, tick:1s, epoch:2001-01-01Z');
SELECT idgen_timestamp(1::bigint << 12, 'js53') AS user_s;
SELECT layout, value, note FROM idgen_layouts WHERE layout = 'js53';
SELECT idgen_timestamp(idgen_nextval('js53'), 'js53') > '2026-01-01Z' AS made;
SELECT idgen_drop_layout('js53');
SELECT idgen_timestamp(1::bigint << 12, 'js53') AS built_in;
-- Not over a reserved one.
CREATE SERVER idgen_snowflake TYPE 'layout' FOREIGN DATA WRAPPER idgen
  OPTIONS (layout 'timestamp:41, sequence:12, tick:1s, epoch:2001-01-01Z');
SELECT 'snowflake'::idgen_layout;
SELECT snowflake_timestamp(idgen_nextval('snowflake')) > '2026-01-01Z' AS made;
SELECT layout, owner FROM idgen_layouts WHERE layout = 'snowflake';
DROP SERVER idgen_snowflake;

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
SELECT layout, idgen_min_id('2024-01-01Z', layout::idgen_layout) FROM (VALUES ('snowflake'), ('plain'), ('snowflake'), ('times')) v(layout);
CREATE FUNCTION decode_with(id bigint, layout text) RETURNS timestamptz LANGUAGE plpgsql AS
  'BEGIN RETURN idgen_timestamp(id, layout::idgen_layout); END';
SELECT layout, decode_with(1::bigint << 22, layout) FROM (VALUES ('snowflake'), ('plain'), ('discord')) v(layout);
DROP FUNCTION decode_with;

-- A name is a server's, and follows ALTER SERVER. (A prepared statement is parsed again, as with a regclass.)
PREPARE decode AS SELECT idgen_timestamp(1::bigint << 22, 'plain');
EXECUTE decode;
ALTER SERVER idgen_plain RENAME TO idgen_simple;
SELECT idgen_timestamp(1::bigint << 22, 'plain');
SELECT idgen_timestamp(1::bigint << 22, 'simple');
ALTER SERVER idgen_simple OPTIONS (SET layout 'timestamp:40, sequence:20, tick:1s, epoch:2021-01-01Z');
SELECT idgen_timestamp(1::bigint << 20, 'simple');
EXECUTE decode;
DEALLOCATE decode;
ALTER SERVER idgen_simple RENAME TO hidden;
SELECT count(*) FROM idgen_layouts WHERE value = 'timestamp:40, sequence:20, tick:1s, epoch:2021-01-01Z';
ALTER SERVER hidden RENAME TO idgen_plain;
ALTER SERVER idgen_plain OPTIONS (SET layout 'timestamp:41, sequence:22, epoch:2020-01-01Z');
ALTER SERVER idgen_plain OPTIONS (SET layout 'plain');
ALTER SERVER idgen_plain OPTIONS (SET layout 'timestamp:40');
ALTER SERVER idgen_plain OPTIONS (DROP layout);
ALTER SERVER idgen_plain OWNER TO CURRENT_USER;
CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen;
CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake', colour 'red');
CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen OPTIONS (layout 'timestamp:40, sequence:20, tick:0ms, epoch:2020-01-01Z');
ALTER FOREIGN DATA WRAPPER idgen OPTIONS (colour 'red');
-- A server of somebody else's wrapper is no layout, whatever it is called.
CREATE FOREIGN DATA WRAPPER regress_wrapper;
CREATE SERVER idgen_fake TYPE 'layout' FOREIGN DATA WRAPPER regress_wrapper OPTIONS (layout 'snowflake');
SELECT idgen_timestamp(1, 'fake');
DROP FOREIGN DATA WRAPPER regress_wrapper CASCADE;

-- Who may: not everybody, until granted.
CREATE ROLE regress_idgen_maker;
SET ROLE regress_idgen_maker;
SELECT idgen_create_layout('theirs', 'timestamp:41, sequence:22');
SELECT idgen_drop_layout('plain');
SELECT count(*) > 16 AS may_look FROM idgen_layouts;
RESET ROLE;
GRANT USAGE ON FOREIGN DATA WRAPPER idgen TO regress_idgen_maker;
SET ROLE regress_idgen_maker;
SELECT idgen_create_layout('theirs', 'timestamp:41, sequence:22');
SELECT idgen_drop_layout('theirs');
RESET ROLE;
REVOKE USAGE ON FOREIGN DATA WRAPPER idgen FROM regress_idgen_maker;
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
SELECT idgen_create_layout(repeat('x', 58), 'timestamp:41, sequence:12');
SELECT idgen_create_layout(repeat('x', 57), 'timestamp:41, sequence:12');
SELECT idgen_timestamp(0, repeat('x', 57)::idgen_layout), idgen_drop_layout(repeat('x', 57));
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
SELECT idgen_parse(1, repeat('long', 1000)::idgen_layout) \g /dev/null
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

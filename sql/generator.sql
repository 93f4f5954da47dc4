-- Named generators: made, altered, dropped; where their identity comes from; what they share.
SELECT generator, layout, datacenter_id, machine_id, shard_id, owner FROM idgen_generators;

-- An identity that is fixed, or inherited from the settings, field by field.
SELECT idgen_create_generator('orders', 'snowflake', datacenter_id => 3, machine_id => 7);
SELECT idgen_create_generator('lines', 'snowflake', machine_id => 9);
SELECT idgen_create_generator('plain', 'snowflake');
SELECT idgen_create_generator('shard_5', 'instagram', shard_id => 5);
SELECT generator, layout, datacenter_id, machine_id, shard_id, owner = current_user::regrole AS mine
FROM idgen_generators WHERE owner IS NOT NULL;
SET idgen.datacenter_id = 20;
SET idgen.machine_id = 30;
SELECT generator, datacenter_id, machine_id
FROM (VALUES ('orders'), ('lines'), ('plain'), ('snowflake')) v(generator), snowflake_parse(idgen_nextval(generator));
SELECT instagram_shard(idgen_nextval('shard_5')), instagram_shard(idgen_nextval('shard_5', 5));
-- It takes effect at once when the settings change, where it is inherited.
SET idgen.machine_id = 31;
SELECT generator, datacenter_id, machine_id
FROM (VALUES ('orders'), ('lines'), ('plain')) v(generator), snowflake_parse(idgen_nextval(generator));
RESET idgen.datacenter_id;
RESET idgen.machine_id;

-- All the verbs.
SELECT snowflake_machine(idgen_nextval('orders')) AS machine, idgen_currval('orders') = idgen_currval('orders') AS current;
SELECT count(DISTINCT id) AS ids, bool_and(snowflake_machine(id) = 7) AS of_machine_7 FROM idgen_nextval_batch('orders', 5000) id;
SELECT snowflake_machine(first) AS machine, snowflake_machine(first + 99) AS last_machine FROM (SELECT idgen_reserve('orders', 100) AS first) r;
SELECT snowflake_machine(idgen_observe('orders', idgen_nextval('lines'))) AS machine;
SELECT count(DISTINCT instagram_shard(id)) AS shards, min(instagram_shard(id)) AS shard FROM idgen_nextval_batch('shard_5', 3000, 5) id;

-- Two generators of one ID space share its position: their IDs cannot be the same.
SELECT idgen_create_generator('twin', 'snowflake', datacenter_id => 3, machine_id => 7);
SELECT count(*) AS ids, count(DISTINCT id) AS different
FROM (SELECT idgen_nextval(CASE WHEN i % 2 = 0 THEN 'orders' ELSE 'twin' END) AS id FROM generate_series(1, 10000) i) made;
SELECT count(*) AS steps_back FROM (
  SELECT id, lag(id) OVER (ORDER BY i) AS before
  FROM (SELECT i, idgen_nextval(CASE WHEN i % 2 = 0 THEN 'orders' ELSE 'twin' END) AS id
        FROM generate_series(1, 1000) i OFFSET 0) made) pairs WHERE id <= before;
-- So do two layouts of one shape.
SELECT idgen_create_layout('same', 'timestamp:41, datacenter:5, machine:5, sequence:12', epoch => '2020-01-01Z');
SELECT count(*) AS ids, count(DISTINCT id) AS different
FROM (SELECT idgen_nextval(CASE WHEN i % 2 = 0 THEN 'same' ELSE 'snowflake' END) AS id FROM generate_series(1, 10000) i) made;

-- As a default, which names it.
CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT idgen_nextval('orders'), item text);
INSERT INTO orders (item) SELECT 'tea' FROM generate_series(1, 100);
SELECT DISTINCT snowflake_machine(id) FROM orders;
BEGIN;
SELECT idgen_drop_generator('orders');
INSERT INTO orders (item) VALUES ('tea');
ROLLBACK;
INSERT INTO orders (item) VALUES ('tea');

-- Altered: the next ID has the new identity. What is left out stays, NULL is from the settings.
SELECT idgen_alter_generator('orders', machine_id => 8, datacenter_id => 3);
INSERT INTO orders (item) VALUES ('milk') RETURNING snowflake_datacenter(id), snowflake_machine(id);
SELECT idgen_alter_generator('orders', machine_id => 10);
INSERT INTO orders (item) VALUES ('milk') RETURNING snowflake_datacenter(id), snowflake_machine(id);
SELECT idgen_alter_generator('orders');
SELECT idgen_alter_generator('orders', -1, -1, -1);
SELECT datacenter_id, machine_id, shard_id FROM idgen_generators WHERE generator = 'orders';
BEGIN;
SELECT idgen_alter_generator('orders', NULL, NULL, NULL);
INSERT INTO orders (item) VALUES ('milk') RETURNING snowflake_datacenter(id), snowflake_machine(id);
ROLLBACK;
INSERT INTO orders (item) VALUES ('milk') RETURNING snowflake_datacenter(id), snowflake_machine(id);
SELECT idgen_alter_generator('orders', datacenter_id => NULL);
SELECT datacenter_id, machine_id FROM idgen_generators WHERE generator = 'orders';
SELECT idgen_alter_generator('orders', datacenter_id => 3);
SELECT datacenter_id, machine_id FROM idgen_generators WHERE generator = 'orders';
SELECT idgen_alter_generator('orders', datacenter_id => NULL);
SELECT idgen_alter_generator('orders', machine_id => -2);
SELECT idgen_alter_generator('orders', shard_id => 1);
ALTER SERVER idgen_orders OPTIONS (SET machine_id '11');
INSERT INTO orders (item) VALUES ('milk') RETURNING snowflake_datacenter(id), snowflake_machine(id);
ALTER SERVER idgen_orders OPTIONS (SET machine_id '32');
ALTER SERVER idgen_orders OPTIONS (SET layout 'instagram');
ALTER SERVER idgen_orders RENAME TO idgen_bestellungen;
SELECT snowflake_machine(idgen_nextval('bestellungen'));
ALTER SERVER idgen_bestellungen RENAME TO idgen_orders;

-- Dropped and made anew over another layout, in a session that has used it.
ALTER TABLE orders ALTER id DROP DEFAULT;
SELECT idgen_drop_generator('orders');
SELECT idgen_nextval('orders');
SELECT idgen_currval('orders');
SELECT idgen_create_generator('orders', 'instagram', shard_id => 77);
SELECT idgen_currval('orders');
SELECT instagram_shard(idgen_nextval('orders'));
DROP TABLE orders;

-- Bad input.
SELECT idgen_create_generator('orders', 'snowflake');
SELECT idgen_create_generator('snowflake', 'snowflake');
SELECT idgen_create_generator('same', 'snowflake');
SELECT idgen_create_layout('orders', 'timestamp:41, sequence:12');
SELECT idgen_create_generator('bad', 'snowfall');
SELECT idgen_create_generator('bad', 'mastodon');
SELECT idgen_create_generator('bad', 'snowflake', machine_id => 32);
SELECT idgen_create_generator('bad', 'snowflake', machine_id => -1);
SELECT idgen_create_generator('bad', 'snowflake', shard_id => 1);
SELECT idgen_create_generator('bad', 'instagram', shard_id => 8192);
SELECT idgen_create_generator('bad name', 'snowflake');
SELECT idgen_create_generator(NULL, 'snowflake');
SELECT idgen_create_generator('bad', NULL);
SELECT idgen_alter_generator('snowflake', machine_id => 1);
SELECT idgen_alter_generator('order', machine_id => 1);
SELECT idgen_alter_generator('orders', machine_id => 1);
SELECT idgen_drop_generator('snowflake');
SELECT idgen_drop_generator('nonesuch_at_all');
SELECT idgen_nextval('order');
SELECT idgen_nextval('Snowflake');
SELECT idgen_nextval('');
SELECT idgen_nextval(repeat('x', 64));
SELECT idgen_nextval('orders', 78);
SELECT idgen_nextval('snowflake', 1);
SELECT idgen_nextval(NULL) IS NULL AS null_in_null_out;

-- Another layout, in a session that has used it: what a generator stands for may be altered.
SELECT idgen_create_generator('parts', 'timestamp:41, machine:5, sequence:17, epoch:2020-01-01Z', machine_id => 9);
SELECT machine_id FROM idgen_parse(idgen_nextval('parts'), 'parts');
ALTER SERVER idgen_parts OPTIONS (SET layout 'snowflake');
SELECT snowflake_machine(idgen_nextval('parts'));
ALTER SERVER idgen_parts OPTIONS (SET layout 'instagram');
ALTER SERVER idgen_parts OPTIONS (SET layout 'mastodon');
SELECT idgen_drop_generator('parts');

-- One that is broken breaks nothing but itself. Only who writes to the catalog can do that.
SELECT idgen_create_generator('broken', 'snowflake', machine_id => 9);
CREATE PROCEDURE break(options text[]) LANGUAGE sql AS
  $$ UPDATE pg_foreign_server SET srvoptions = options WHERE srvname = 'idgen_broken' $$;
CREATE VIEW broken AS SELECT generator, layout, datacenter_id, machine_id, shard_id, problem
  FROM idgen_generators WHERE generator = 'broken';
SELECT * FROM broken;
CALL break('{layout=instagram,datacenter_id=9}');
SELECT * FROM broken;
SELECT count(*) > 15 AS others, count(problem) AS problems FROM idgen_generators;
SELECT idgen_nextval('broken');
SELECT idgen_currval('broken');
SELECT 'broken'::idgen_layout;
-- The error of a name that is misspelt is about that.
SELECT idgen_nextval('line');
SELECT idgen_create_generator('broken', 'snowflake');
SELECT idgen_create_layout('broken', 'timestamp:41, sequence:12');
-- What is broken can be mended,
SELECT idgen_alter_generator('broken', datacenter_id => NULL);
SELECT * FROM broken;
SELECT idgen_nextval('broken', 5) > 0 AS made;
-- or else dropped. Also in a session that has used it.
CALL break('{layout=snowflake,machine_id=32}');
SELECT * FROM broken;
SELECT idgen_nextval('broken');
CALL break('{layout=gone,machine_id=9}');
SELECT * FROM broken;
SELECT idgen_alter_generator('broken', machine_id => 8);
CALL break('{layout=mastodon}');
SELECT * FROM broken;
CALL break('{layout=snowflake,machine_id=ten}');
SELECT * FROM broken;
CALL break('{layout=snowflake,machine_id=-1}');
SELECT * FROM broken;
CALL break('{layout=snowflake,colour=red}');
SELECT * FROM broken;
CALL break('{}');
SELECT * FROM broken;
CALL break('{"layout=timestamp:99, epoch:2020-01-01Z"}');
SELECT * FROM broken;
SELECT idgen_drop_generator('broken');
-- So is a layout.
SELECT idgen_create_layout('parts', 'timestamp:41, machine:5, sequence:17');
UPDATE pg_foreign_server SET srvoptions = '{"layout=timestamp:99, epoch:2020-01-01Z"}' WHERE srvname = 'idgen_parts';
SELECT count(*) AS parts FROM idgen_layouts WHERE layout = 'parts';
SELECT count(*) > 15 AS others FROM idgen_generators;
SELECT idgen_timestamp(1, 'parts');
SELECT idgen_nextval('line');
SELECT idgen_nextval('parts');
SELECT idgen_drop_layout('parts');
DROP VIEW broken;
DROP PROCEDURE break;

-- Who may make one: not everybody, for it could take the identity of another server.
CREATE ROLE regress_idgen_maker;
SET ROLE regress_idgen_maker;
SELECT snowflake_machine(idgen_nextval('lines')) AS may_use;
\set VERBOSITY terse
SELECT idgen_create_generator('theirs', 'snowflake', machine_id => 1);
SELECT idgen_alter_generator('lines', machine_id => 1);
SELECT idgen_alter_generator('lines', machine_id => 9);
SELECT idgen_drop_generator('lines');
\set VERBOSITY default
RESET ROLE;
GRANT USAGE ON FOREIGN DATA WRAPPER idgen TO regress_idgen_maker;
SET ROLE regress_idgen_maker;
SELECT idgen_create_generator('theirs', 'snowflake', machine_id => 1);
RESET ROLE;
SELECT generator, owner FROM idgen_generators WHERE owner = 'regress_idgen_maker'::regrole;
SELECT idgen_drop_generator('theirs');
REVOKE USAGE ON FOREIGN DATA WRAPPER idgen FROM regress_idgen_maker;
DROP ROLE regress_idgen_maker;

SELECT idgen_drop_generator(generator) FROM (SELECT generator FROM idgen_generators WHERE owner IS NOT NULL AND generator <> 'same') mine \g /dev/null
SELECT idgen_drop_layout('same');
SELECT count(*) AS left_over FROM idgen_generators WHERE owner IS NOT NULL;

-- The type idgen_layout as a type: equality, order, hashes, binary form, damaged values, and the codes
-- of all its errors. (What its texts mean: layout.sql.)
SET client_min_messages = warning;

-- Values that differ in one thing only, each read twice.
CREATE TABLE layouts AS
  SELECT n, t, t::idgen_layout AS v
  FROM (VALUES (1, 'timestamp:41, machine:10, sequence:12, epoch:2020-01-01Z'),
               (2, 'timestamp:41, machine:10, sequence:12, epoch:2020-01-01T00:00:00.000001Z'),
               (3, 'timestamp:41, machine:10, sequence:12, epoch:1900-01-01Z'),
               (4, 'timestamp:41, machine:10, sequence:12, epoch:0300-01-01Z'),
               (5, 'timestamp:41, machine:10, sequence:12, epoch:2020-01-01Z, tick:1us'),
               (6, 'timestamp:31, machine:10, sequence:12, epoch:2020-01-01Z, tick:1h'),
               (7, 'timestamp:41, shard:10, sequence:12, epoch:2020-01-01Z'),
               (8, 'timestamp:41, sequence:12, machine:10, epoch:2020-01-01Z'),
               (9, 'timestamp:41, machine:10, sequence:11, epoch:2020-01-01Z'),
               (10, 'timestamp:41, machine:10, epoch:2020-01-01Z'),
               (11, 'timestamp:41, epoch:2020-01-01Z'),
               (12, 'timestamp:31, machine:10, sequence:12, epoch:2020-01-01Z'),
               (13, 'timestamp:41, datacenter:1, machine:1, shard:1, sequence:12, tail:1, epoch:2020-01-01Z'),
               (14, 'timestamp:41, datacenter:1, machine:1, shard:1, sequence:12, tail:2, epoch:2020-01-01Z'),
               (15, 'timestamp:41, datacenter:1, machine:1, shard:1, tail:12, sequence:1, epoch:2020-01-01Z')) v(n, t),
       generate_series(1, 2);
CREATE TABLE pairs AS
  SELECT a.v AS a, b.v AS b, a.n = b.n AS same, idgen_layout_cmp(a.v, b.v) AS cmp FROM layouts a, layouts b;
SELECT count(*) AS pairs, count(*) FILTER (WHERE same) AS same,
       bool_and((a = b) = same AND (a <> b) <> same AND (cmp = 0) = same) AS equality,
       bool_and((a < b) = (cmp < 0) AND (a <= b) = (cmp <= 0) AND (a > b) = (cmp > 0) AND (a >= b) = (cmp >= 0)) AS operators,
       bool_and(sign(cmp) = -sign(idgen_layout_cmp(b, a))) AS both_ways,
       bool_and((idgen_layout_hash(a) = idgen_layout_hash(b)) = same) AS hash,
       bool_and((idgen_layout_hash_extended(a, 1) = idgen_layout_hash_extended(b, 1)) = same) AS extended
FROM pairs;
-- With the seed 0 the lower half of an extended hash is the hash; another seed gives another one.
SELECT bool_and((idgen_layout_hash_extended(v, 0) & 4294967295) = (idgen_layout_hash(v) & 4294967295::bigint)) AS lower_half,
       bool_and(idgen_layout_hash_extended(v, 0) <> idgen_layout_hash_extended(v, 1)) AS seeded
FROM layouts;
-- One order for all: what is before what is before a third is before that.
SELECT count(*) AS out_of_order FROM pairs x JOIN pairs y ON x.b = y.a WHERE x.cmp <= 0 AND y.cmp <= 0 AND x.a > y.b;
-- Whatever the planner makes of them: NOT, and the sides exchanged.
SELECT oprname, oprcom::regoper, oprnegate::regoper, oprcanmerge, oprcanhash
FROM pg_operator WHERE oprleft = 'idgen_layout'::regtype ORDER BY oprname COLLATE "C";

-- The binary form is the text.
SELECT bool_and(convert_from(idgen_layout_send(v), 'SQL_ASCII') = v::text) AS is_text FROM layouts;

-- What a damaged page may contain is refused, and not decoded with. The bytes are those after the length:
-- the version, the number of parts, and in a part from the 28th on the fields.
CREATE TYPE layout_bytes;
CREATE FUNCTION layout_bytes_in(cstring) RETURNS layout_bytes LANGUAGE internal IMMUTABLE STRICT AS 'byteain';
CREATE FUNCTION layout_bytes_out(layout_bytes) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'byteaout';
CREATE TYPE layout_bytes (INPUT = layout_bytes_in, OUTPUT = layout_bytes_out,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = plain);
CREATE CAST (idgen_layout AS layout_bytes) WITHOUT FUNCTION;
CREATE CAST (layout_bytes AS idgen_layout) WITHOUT FUNCTION;
CREATE FUNCTION bytes() RETURNS bytea LANGUAGE sql STABLE
  AS $$ SELECT 'snowflake'::idgen_layout::layout_bytes::text::bytea $$;
CREATE FUNCTION layout_of(bytes bytea) RETURNS idgen_layout LANGUAGE sql STABLE
  AS $$ SELECT bytes::text::layout_bytes::idgen_layout $$;
SELECT length(bytes()), get_byte(bytes(), 0) AS version, get_byte(bytes(), 1) AS parts, get_byte(bytes(), 29) AS timestamp_bits;
SELECT layout_of(bytes());
SELECT layout_of(set_byte(bytes(), 0, 2));
SELECT layout_of(set_byte(bytes(), 1, 2));
SELECT layout_of(set_byte(bytes(), 28, 5));
SELECT layout_of(set_byte(bytes(), 29, 60));
SELECT layout_of(bytes() || '\x00');
SELECT layout_of(substr(bytes(), 1, 2));
SELECT idgen_timestamp(1, layout_of(set_byte(bytes(), 29, 60)));
SELECT idgen_layout_send(layout_of(set_byte(bytes(), 0, 2)));

-- The codes of errors: what a program sees of them.
SELECT idgen_create_layout('of_ours', 'timestamp:41, machine:5, sequence:17');
SELECT idgen_create_generator('generator_of_ours', 'of_ours', machine_id => 1);
CREATE FUNCTION code_of(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE command;
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT code_of(command) AS code, command FROM (VALUES
  ($$SELECT 'of_ours'::idgen_layout$$),
  ($$SELECT 'generator_of_ours'::idgen_layout$$),
  ($$SELECT 'of_others'::idgen_layout$$),
  ($$SELECT ''::idgen_layout$$),
  ($$SELECT repeat('x', 1001)::idgen_layout$$),
  ($$SELECT 'timestamp:41, sequence:12'::idgen_layout$$),
  ($$SELECT 'timestamp:41, sequence:12, tick:0s, epoch:2024-01-01Z'::idgen_layout$$),
  ($$SELECT 'timestamp:41, colour:12, epoch:2024-01-01Z'::idgen_layout$$),
  ($$SELECT layout_of(set_byte(bytes(), 0, 2))::text$$),
  ($$SELECT idgen_create_layout('of_ours', 'timestamp:41, sequence:12')$$),
  ($$SELECT idgen_create_layout('snowflake', 'timestamp:41, sequence:12')$$),
  ($$SELECT idgen_create_layout('not:this', 'timestamp:41, sequence:12')$$),
  ($$SELECT idgen_create_layout('bad', 'timestamp:41, colour:12')$$),
  ($$SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', tick => '1 month')$$),
  ($$SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', epoch => 'infinity')$$),
  ($$SELECT idgen_create_layout('bad', 'timestamp:41, sequence:12', epoch => now() + '1 day')$$),
  ($$SELECT idgen_create_layout(NULL, 'timestamp:41, sequence:12')$$),
  ($$SELECT idgen_create_layout(repeat('x', 1001), 'timestamp:41, sequence:12')$$),
  ($$SELECT idgen_drop_layout('of_others')$$),
  ($$SELECT idgen_drop_layout('snowflake')$$),
  ($$SELECT idgen_drop_layout('generator_of_ours')$$),
  ($$SELECT idgen_create_generator('of_ours', 'snowflake')$$),
  ($$SELECT idgen_create_generator('bad', 'mastodon')$$),
  ($$SELECT idgen_create_generator('bad', 'snowflake', machine_id => 32)$$),
  ($$SELECT idgen_create_generator('bad', 'snowflake', machine_id => -1)$$),
  ($$SELECT idgen_create_generator('bad', 'snowflake', shard_id => 1)$$),
  ($$SELECT idgen_create_generator('bad', NULL)$$),
  ($$SELECT idgen_alter_generator('of_ours', machine_id => 1)$$),
  ($$SELECT idgen_alter_generator('of_others', machine_id => 1)$$),
  ($$SELECT idgen_drop_generator('of_ours')$$),
  ($$SELECT idgen_drop_generator('snowflake')$$),
  ($$SELECT idgen_nextval('of_others')$$),
  ($$SELECT idgen_nextval('mastodon')$$),
  ($$CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen$$),
  ($$CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake', colour 'red')$$),
  ($$CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen OPTIONS (layout 'of_ours')$$),
  ($$CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen OPTIONS (layout 'js53')$$),
  ($$CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake', machine_id '32')$$),
  ($$CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake', machine_id '3x')$$),
  ($$CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake', machine_id '4294967299')$$),
  ($$CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake', machine_id ' 3')$$),
  ($$CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake', machine_id '')$$),
  ($$ALTER FOREIGN DATA WRAPPER idgen OPTIONS (colour 'red')$$),
  ($$CREATE USER MAPPING FOR CURRENT_USER SERVER idgen_of_ours OPTIONS (user 'me')$$)) c(command);
-- A text that nobody needs is not read, and not shown.
SELECT most, code_of(format('CREATE SERVER idgen_x%s FOREIGN DATA WRAPPER idgen OPTIONS (layout %L)', most,
                    repeat(' ', most) || 'timestamp:41, sequence:12, epoch:2024-01-01Z')) AS code
FROM (VALUES (0), (5000)) v(most);
DROP SERVER idgen_x0;
-- A layout that a description gave is called by it.
CREATE SERVER idgen_x FOREIGN DATA WRAPPER idgen
  OPTIONS (layout 'Timestamp:41,sequence:12,epoch:2024-01-01Z', machine_id '1');
-- What may have been meant can do what was asked for.
SELECT idgen_nextval('mastodo');
SELECT 'mastodo'::idgen_layout;
-- What is broken in the catalog.
UPDATE pg_foreign_server SET srvoptions = '{layout=gone}' WHERE srvname = 'idgen_generator_of_ours';
SELECT code_of($$SELECT idgen_nextval('generator_of_ours')$$) AS generator, code_of($$SELECT 'generator_of_ours'::idgen_layout$$) AS layout;
-- What is only asked for a value says that there is none, without an error. (PostgreSQL asks so from 16 on.)
DO $$
DECLARE
  wrong text;
BEGIN
  IF current_setting('server_version_num')::int < 160000 THEN RETURN; END IF;
  FOREACH wrong IN ARRAY '{of_others,"","timestamp:41, sequence:12","timestamp:41, colour:2, epoch:2024-01-01Z"}'::text[] || repeat('x', 1001) LOOP
    IF pg_input_is_valid(wrong, 'idgen_layout') THEN RAISE EXCEPTION '% is valid', wrong; END IF;
  END LOOP;
  IF NOT pg_input_is_valid('snowflake', 'idgen_layout') OR NOT pg_input_is_valid('of_ours', 'idgen_layout') THEN
    RAISE EXCEPTION 'names are not valid';
  END IF;
  IF (SELECT sql_error_code FROM pg_input_error_info('of_others', 'idgen_layout')) <> '42704' THEN
    RAISE EXCEPTION 'another code';
  END IF;
END $$;

-- A server's type, and its options, say what its name is. One with an identity is a generator.
CREATE SERVER idgen_typeless FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake');
CREATE SERVER idgen_identified TYPE 'layout' FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake', machine_id '7');
CREATE SERVER idgen_odd TYPE 'Layout' FOREIGN DATA WRAPPER idgen OPTIONS (layout 'snowflake');
SELECT generator, layout, machine_id, (SELECT count(*) FROM idgen_layouts l WHERE l.layout = generator) AS layouts
FROM idgen_generators WHERE owner IS NOT NULL;
SET idgen.machine_id = 3;
SELECT generator, snowflake_machine(idgen_nextval(generator)) AS machine
FROM (VALUES ('typeless'), ('identified'), ('odd')) v(generator);
-- The largest identity and the smallest are kept like any other.
SELECT idgen_create_generator('zero', 'snowflake', 0, 0), idgen_create_generator('largest', 'snowflake', 31, 31),
       idgen_create_generator('shard', 'instagram', shard_id => 8191);
SELECT generator, datacenter_id, machine_id FROM (VALUES ('zero'), ('largest')) v(generator), snowflake_parse(idgen_nextval(generator));
SELECT instagram_shard(idgen_nextval('shard'));
SELECT idgen_alter_generator('largest', machine_id => 0), idgen_alter_generator('shard', shard_id => 0);
SELECT datacenter_id, machine_id FROM snowflake_parse(idgen_nextval('largest'));
SELECT instagram_shard(idgen_nextval('shard'));
RESET idgen.machine_id;
-- Names that SQL would have to quote.
SELECT idgen_create_generator('Drop; -- "', 'snowflake');
SELECT idgen_create_layout('Big-1.0', 'timestamp:41, machine:5, sequence:17');
SELECT idgen_create_generator('Big.Maker-2', 'Big-1.0', machine_id => 1);
SELECT idgen_alter_generator('Big.Maker-2', machine_id => 2);
SELECT machine_id FROM idgen_parse(idgen_nextval('Big.Maker-2'), 'Big-1.0');
SELECT 'big-1.0'::idgen_layout;
SELECT idgen_drop_generator('Big.Maker-2'), idgen_drop_layout('Big-1.0');

SELECT idgen_drop_generator(generator) FROM (SELECT generator FROM idgen_generators WHERE owner IS NOT NULL AND generator <> 'of_ours') mine \g /dev/null
SELECT idgen_drop_layout('of_ours');
SELECT count(*) AS left_over FROM idgen_generators WHERE owner IS NOT NULL;
DROP TABLE layouts, pairs;
DROP FUNCTION bytes, layout_of, code_of;
\set VERBOSITY terse
DROP TYPE layout_bytes CASCADE;

\echo Use "CREATE EXTENSION idgen" to load this file. \quit

-- The library --------------------------------------------------------------------------

-- Every script begins with this call, with its own version. (No operator or cast of another schema can come
-- between: the argument's type is exact.)
CREATE FUNCTION idgen_library_version(version text) RETURNS text
  LANGUAGE C STABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_library_version';
COMMENT ON FUNCTION idgen_library_version(text) IS
  'the release of the library that is loaded; an error if that version of the extension needs a later one';
SELECT idgen_library_version('1.0'::pg_catalog.text);

-- The high-water mark ------------------------------------------------------------------

-- A time in milliseconds since 1970. No ID handed out in this database has a later time. The functions
-- below write it ahead of use. The sequence's value only shows it: the record that counts is on the
-- sequence's page, where no statement reaches it. So setval(), grants and the replication of sequences
-- change nothing.
CREATE SEQUENCE idgen_high_water_mark AS bigint MINVALUE 0 START WITH 0 NO CYCLE;
COMMENT ON SEQUENCE idgen_high_water_mark IS
  'idgen: no ID of a later time (milliseconds since 1970) was handed out in this database';
REVOKE ALL ON SEQUENCE idgen_high_water_mark FROM PUBLIC;
GRANT SELECT ON SEQUENCE idgen_high_water_mark TO PUBLIC;

CREATE FUNCTION idgen_get_mark(
    OUT mark_ms bigint, OUT held_until_ms bigint, OUT fresh_machine bigint)
  LANGUAGE C STABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_get_mark';
COMMENT ON FUNCTION idgen_get_mark() IS
  'the high-water mark of this database, and what idgen_start_over() left behind';

-- Through this table a dump carries the mark. The table is always empty: inserting a row raises the
-- mark instead. Its type reads the text 'current' as the mark of the current database. pg_dump adds the
-- condition to its query and so finds that text as a row. A literal in a UNION has the type of the
-- other side, so the condition needs no type name, which pg_dump would not find without a search_path.
CREATE TYPE idgen_mark;
CREATE FUNCTION idgen_mark_in(cstring) RETURNS idgen_mark
  LANGUAGE C STABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_mark_in';
COMMENT ON FUNCTION idgen_mark_in(cstring) IS 'reads a high-water mark; current means this database''s';
CREATE FUNCTION idgen_mark_out(idgen_mark) RETURNS cstring
  LANGUAGE C STABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_mark_out';
COMMENT ON FUNCTION idgen_mark_out(idgen_mark) IS 'writes a high-water mark';
CREATE TYPE idgen_mark (
  INPUT = idgen_mark_in, OUTPUT = idgen_mark_out, INTERNALLENGTH = 24, ALIGNMENT = double);
COMMENT ON TYPE idgen_mark IS
  'idgen: a high-water mark: MARK_MS, or MARK_MS,HELD_UNTIL_MS,FRESH_MACHINE; or current';
-- If the trigger is disabled (pg_restore --disable-triggers), the row is an error: the mark is not raised.
CREATE TABLE idgen_restore (mark idgen_mark CONSTRAINT idgen_restore_needs_its_trigger CHECK (false));
COMMENT ON TABLE idgen_restore IS
  'idgen: always empty; a row that is inserted by a restore raises the high-water mark';
REVOKE ALL ON idgen_restore FROM PUBLIC;
GRANT SELECT ON idgen_restore TO PUBLIC;
GRANT INSERT ON idgen_restore TO pg_database_owner;
CREATE FUNCTION idgen_restore_mark() RETURNS trigger
  LANGUAGE C
  AS 'MODULE_PATHNAME', 'idgen_restore_mark';
COMMENT ON FUNCTION idgen_restore_mark() IS 'raises the high-water mark; for idgen_restore only';
REVOKE EXECUTE ON FUNCTION idgen_restore_mark() FROM PUBLIC;
-- The condition is always true. Its constant prints as the mark of the moment, so that pg_upgrade carries
-- it (src/pg/sql/restore.cpp).
CREATE TRIGGER idgen_restore_mark BEFORE INSERT ON idgen_restore
  FOR EACH ROW WHEN ('upgrade'::idgen_mark IS NOT NULL) EXECUTE FUNCTION idgen_restore_mark();
ALTER TABLE idgen_restore ENABLE ALWAYS TRIGGER idgen_restore_mark;
INSERT INTO idgen_restore VALUES ('0');
SELECT pg_catalog.pg_extension_config_dump('idgen_restore', $$WHERE false UNION ALL SELECT 'current'$$);

-- Layouts -------------------------------------------------------------------------------

-- A layout as a value. A name is looked up once, when the text is read. A stored expression keeps the
-- layout that the name stood for then.
CREATE TYPE idgen_layout;
CREATE FUNCTION idgen_layout_in(cstring) RETURNS idgen_layout
  LANGUAGE C STABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_in';
COMMENT ON FUNCTION idgen_layout_in(cstring) IS 'reads a layout: its name, or its description';
CREATE FUNCTION idgen_layout_out(idgen_layout) RETURNS cstring
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_out';
COMMENT ON FUNCTION idgen_layout_out(idgen_layout) IS 'writes a layout: a built-in name, or the description';
CREATE FUNCTION idgen_layout_recv(internal) RETURNS idgen_layout
  LANGUAGE C STABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_recv';
COMMENT ON FUNCTION idgen_layout_recv(internal) IS 'receives a layout, as text';
CREATE FUNCTION idgen_layout_send(idgen_layout) RETURNS bytea
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_send';
COMMENT ON FUNCTION idgen_layout_send(idgen_layout) IS 'sends a layout, as text';
CREATE TYPE idgen_layout (
  INPUT = idgen_layout_in, OUTPUT = idgen_layout_out,
  RECEIVE = idgen_layout_recv, SEND = idgen_layout_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = plain);
COMMENT ON TYPE idgen_layout IS
  'a layout of IDs, by value: snowflake, or timestamp:42, machine:6, sequence:15, tick:1ms, epoch:2024-01-01Z';

CREATE FUNCTION idgen_layout_eq(idgen_layout, idgen_layout) RETURNS boolean
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_eq';
COMMENT ON FUNCTION idgen_layout_eq(idgen_layout, idgen_layout) IS 'implementation of an operator of idgen_layout';
CREATE FUNCTION idgen_layout_ne(idgen_layout, idgen_layout) RETURNS boolean
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_ne';
COMMENT ON FUNCTION idgen_layout_ne(idgen_layout, idgen_layout) IS 'implementation of an operator of idgen_layout';
CREATE FUNCTION idgen_layout_lt(idgen_layout, idgen_layout) RETURNS boolean
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_lt';
COMMENT ON FUNCTION idgen_layout_lt(idgen_layout, idgen_layout) IS 'implementation of an operator of idgen_layout';
CREATE FUNCTION idgen_layout_le(idgen_layout, idgen_layout) RETURNS boolean
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_le';
COMMENT ON FUNCTION idgen_layout_le(idgen_layout, idgen_layout) IS 'implementation of an operator of idgen_layout';
CREATE FUNCTION idgen_layout_gt(idgen_layout, idgen_layout) RETURNS boolean
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_gt';
COMMENT ON FUNCTION idgen_layout_gt(idgen_layout, idgen_layout) IS 'implementation of an operator of idgen_layout';
CREATE FUNCTION idgen_layout_ge(idgen_layout, idgen_layout) RETURNS boolean
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_ge';
COMMENT ON FUNCTION idgen_layout_ge(idgen_layout, idgen_layout) IS 'implementation of an operator of idgen_layout';
CREATE FUNCTION idgen_layout_cmp(idgen_layout, idgen_layout) RETURNS int
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_cmp';
COMMENT ON FUNCTION idgen_layout_cmp(idgen_layout, idgen_layout) IS 'for B-tree indexes';
CREATE FUNCTION idgen_layout_hash(idgen_layout) RETURNS int
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_hash';
COMMENT ON FUNCTION idgen_layout_hash(idgen_layout) IS 'for hashing';
CREATE FUNCTION idgen_layout_hash_extended(idgen_layout, bigint) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_layout_hash_extended';
COMMENT ON FUNCTION idgen_layout_hash_extended(idgen_layout, bigint) IS 'for hashing';
CREATE OPERATOR = (
  FUNCTION = idgen_layout_eq, LEFTARG = idgen_layout, RIGHTARG = idgen_layout,
  COMMUTATOR = =, NEGATOR = <>,
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR <> (
  FUNCTION = idgen_layout_ne, LEFTARG = idgen_layout, RIGHTARG = idgen_layout,
  COMMUTATOR = <>, NEGATOR = =,
  RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR < (
  FUNCTION = idgen_layout_lt, LEFTARG = idgen_layout, RIGHTARG = idgen_layout,
  COMMUTATOR = >, NEGATOR = >=,
  RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR <= (
  FUNCTION = idgen_layout_le, LEFTARG = idgen_layout, RIGHTARG = idgen_layout,
  COMMUTATOR = >=, NEGATOR = >,
  RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR > (
  FUNCTION = idgen_layout_gt, LEFTARG = idgen_layout, RIGHTARG = idgen_layout,
  COMMUTATOR = <, NEGATOR = <=,
  RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR >= (
  FUNCTION = idgen_layout_ge, LEFTARG = idgen_layout, RIGHTARG = idgen_layout,
  COMMUTATOR = <=, NEGATOR = <,
  RESTRICT = scalargesel, JOIN = scalargejoinsel);
-- The order has no meaning. It exists for indexes, DISTINCT and GROUP BY.
CREATE OPERATOR CLASS idgen_layout_ops DEFAULT FOR TYPE idgen_layout USING btree AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
  FUNCTION 1 idgen_layout_cmp(idgen_layout, idgen_layout);
CREATE OPERATOR CLASS idgen_layout_hash_ops DEFAULT FOR TYPE idgen_layout USING hash AS
  OPERATOR 1 =,
  FUNCTION 1 idgen_layout_hash(idgen_layout),
  FUNCTION 2 idgen_layout_hash_extended(idgen_layout, bigint);

-- The names that users give to layouts and generators ------------------------------------

-- They are foreign servers, which pg_dump writes before all tables. They never have foreign tables.
-- GRANT USAGE ON FOREIGN DATA WRAPPER idgen lets a role create them.
CREATE FUNCTION idgen_validator(options text[], catalog oid) RETURNS void
  LANGUAGE C STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_validator';
COMMENT ON FUNCTION idgen_validator(text[], oid) IS 'checks the options of a layout or a generator';
CREATE FOREIGN DATA WRAPPER idgen NO HANDLER VALIDATOR idgen_validator;
COMMENT ON FOREIGN DATA WRAPPER idgen IS 'idgen: its servers are layouts and generators of users';

CREATE FUNCTION idgen_create_layout(
    name text, fields text,
    tick interval DEFAULT '1 ms', epoch timestamptz DEFAULT '2020-01-01 00:00:00+00')
  RETURNS void
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_create_layout';
COMMENT ON FUNCTION idgen_create_layout(text, text, interval, timestamptz) IS
  'creates a layout from fields like timestamp:42, machine:6, sequence:15';

CREATE FUNCTION idgen_drop_layout(name text) RETURNS void
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_drop_layout';
COMMENT ON FUNCTION idgen_drop_layout(text) IS
  'drops the name of a layout; stored uses of the layout stay as they are';

-- Each function behind a view takes an argument of a type of ours, which is NULL. So no function that somebody created
-- before can capture the view's call or make it ambiguous.
CREATE FUNCTION idgen_get_layouts(
    idgen_layout, OUT layout text, OUT value idgen_layout, OUT fields text, OUT tick interval, OUT epoch timestamptz,
    OUT ends timestamptz, OUT ids_per_tick bigint, OUT identities bigint, OUT generates boolean, OUT owner oid,
    OUT note text)
  RETURNS SETOF record
  LANGUAGE C STABLE PARALLEL SAFE ROWS 20
  AS 'MODULE_PATHNAME', 'idgen_get_layouts';
COMMENT ON FUNCTION idgen_get_layouts(idgen_layout) IS 'the rows of the view idgen_layouts';

-- ends: the first instant without an ID. life_used: percent of the time from epoch to end.
CREATE VIEW idgen_layouts AS
  SELECT layout, value, fields, tick, epoch, ends,
         CASE WHEN generates
              THEN pg_catalog.trim_scale(pg_catalog.round(ids_per_tick::pg_catalog.numeric OPERATOR(pg_catalog./)
                                                     extract(epoch FROM tick), 3))
         END AS ids_per_second,
         identities, generates,
         pg_catalog.round(100::pg_catalog.numeric
           OPERATOR(pg_catalog.*) extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) epoch)
           OPERATOR(pg_catalog./) extract(epoch FROM ends OPERATOR(pg_catalog.-) epoch), 2) AS life_used,
         owner::pg_catalog.regrole AS owner, note
  FROM idgen_get_layouts(NULL::idgen_layout);
COMMENT ON VIEW idgen_layouts IS 'idgen: every layout, built in (without an owner) or a user''s';
GRANT SELECT ON idgen_layouts TO PUBLIC;

CREATE FUNCTION idgen_create_generator(
    name text, layout idgen_layout,
    datacenter_id int DEFAULT NULL, machine_id int DEFAULT NULL, shard_id int DEFAULT NULL)
  RETURNS void
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_create_generator';
COMMENT ON FUNCTION idgen_create_generator(text, idgen_layout, int, int, int) IS
  'creates a generator; a NULL part of its identity comes from the settings';

-- -1, the value of an argument left out, leaves the field unchanged.
CREATE FUNCTION idgen_alter_generator(
    name text, datacenter_id int DEFAULT -1, machine_id int DEFAULT -1, shard_id int DEFAULT -1)
  RETURNS void
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_alter_generator';
COMMENT ON FUNCTION idgen_alter_generator(text, int, int, int) IS
  'changes a generator''s identity: an argument left out keeps its value, NULL means the settings';

CREATE FUNCTION idgen_drop_generator(name text) RETURNS void
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_drop_generator';
COMMENT ON FUNCTION idgen_drop_generator(text) IS 'drops a generator';

CREATE FUNCTION idgen_get_generators(
    idgen_layout, OUT generator text, OUT layout idgen_layout, OUT datacenter_id int, OUT machine_id int, OUT shard_id int,
    OUT owner oid, OUT problem text)
  RETURNS SETOF record
  LANGUAGE C STABLE PARALLEL SAFE ROWS 20
  AS 'MODULE_PATHNAME', 'idgen_get_generators';
COMMENT ON FUNCTION idgen_get_generators(idgen_layout) IS 'the rows of the view idgen_generators';

CREATE VIEW idgen_generators AS
  SELECT generator, layout, datacenter_id, machine_id, shard_id,
         owner::pg_catalog.regrole AS owner, problem
  FROM idgen_get_generators(NULL::idgen_layout);
COMMENT ON VIEW idgen_generators IS
  'idgen: every name that idgen_nextval() accepts, and the fixed part of its identity';
GRANT SELECT ON idgen_generators TO PUBLIC;

-- Identities ------------------------------------------------------------------------------------

CREATE FUNCTION idgen_get_leases(
    idgen_layout, OUT source text, OUT datacenter_id int, OUT machine_id int, OUT shard_id int, OUT state text,
    OUT granted_until timestamptz, OUT renewed_at timestamptz, OUT error text)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10
  AS 'MODULE_PATHNAME', 'idgen_get_leases';
COMMENT ON FUNCTION idgen_get_leases(idgen_layout) IS 'the rows of the view idgen_identity';

CREATE VIEW idgen_identity AS
  SELECT source, datacenter_id, machine_id, shard_id, state, granted_until, renewed_at, error
  FROM idgen_get_leases(NULL::idgen_layout);
COMMENT ON VIEW idgen_identity IS
  'idgen: the identities that this server has, where they come from, and until when it holds them';
GRANT SELECT ON idgen_identity TO PUBLIC;

CREATE FUNCTION idgen_registry_schema() RETURNS text
  LANGUAGE C IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_registry_schema';
COMMENT ON FUNCTION idgen_registry_schema() IS
  'the SQL that a PostgreSQL database needs to be a registry of identities';

CREATE FUNCTION idgen_registry_list(
    OUT datacenter_id int, OUT machine_id int, OUT shard_id int, OUT state text,
    OUT holder text, OUT used_until timestamptz, OUT expires_in interval,
    OUT clock_offset interval, OUT clock_error interval)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 50
  AS 'MODULE_PATHNAME', 'idgen_registry_list';
COMMENT ON FUNCTION idgen_registry_list() IS
  'every identity of this server''s pool in the registry that was ever held or banned';
REVOKE EXECUTE ON FUNCTION idgen_registry_list() FROM PUBLIC;

-- Who may not call the function gets nothing from the view.
CREATE VIEW idgen_fleet_clock AS
  SELECT holder, clock_offset, clock_error,
         pg_catalog.max(clock_offset) OVER () OPERATOR(pg_catalog.-) pg_catalog.min(clock_offset) OVER () AS spread
  FROM (SELECT DISTINCT holder, clock_offset, clock_error
        FROM idgen_registry_list() WHERE expires_in > '0') living;
COMMENT ON VIEW idgen_fleet_clock IS
  'idgen: how far the clocks of this server''s pool are ahead of the registry''s, and apart';
GRANT SELECT ON idgen_fleet_clock TO PUBLIC;

CREATE FUNCTION idgen_registry_release(
    machine_id int DEFAULT NULL, shard_id int DEFAULT NULL, datacenter_id int DEFAULT NULL)
  RETURNS int
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_registry_release';
COMMENT ON FUNCTION idgen_registry_release(int, int, int) IS
  'takes a machine ID or a shard from the server that holds it, with all that this server holds; returns how many holders it ended';
REVOKE EXECUTE ON FUNCTION idgen_registry_release(int, int, int) FROM PUBLIC;

CREATE FUNCTION idgen_registry_ban(
    machine_id int DEFAULT NULL, banned boolean DEFAULT true, shard_id int DEFAULT NULL,
    datacenter_id int DEFAULT NULL)
  RETURNS void
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_registry_ban';
COMMENT ON FUNCTION idgen_registry_ban(int, boolean, int, int) IS
  'bans a machine ID or a shard, so that no server is given it any more, or allows it again';
REVOKE EXECUTE ON FUNCTION idgen_registry_ban(int, boolean, int, int) FROM PUBLIC;

-- Generating --------------------------------------------------------------------------

CREATE FUNCTION snowflake_nextval() RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_snowflake_nextval';
COMMENT ON FUNCTION snowflake_nextval() IS 'the next ID of generator snowflake';

CREATE FUNCTION snowflake_nextval_batch(count int) RETURNS SETOF bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_snowflake_nextval_batch';
COMMENT ON FUNCTION snowflake_nextval_batch(int) IS
  'count IDs of generator snowflake, increasing';

CREATE FUNCTION snowflake_nextval_array(count int) RETURNS bigint[]
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_snowflake_nextval_array';
COMMENT ON FUNCTION snowflake_nextval_array(int) IS
  'an array of count IDs of generator snowflake, increasing';

-- A parallel worker does not know what this session made, so the leader has to run it.
CREATE FUNCTION snowflake_currval() RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_snowflake_currval';
COMMENT ON FUNCTION snowflake_currval() IS
  'the last ID of generator snowflake that this session made';

CREATE FUNCTION idgen_nextval(generator text) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_nextval';
COMMENT ON FUNCTION idgen_nextval(text) IS 'the next ID of a generator';

CREATE FUNCTION idgen_nextval(generator text, shard_id int) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_nextval_of_shard';
COMMENT ON FUNCTION idgen_nextval(text, int) IS 'the next ID of a generator in a shard';

CREATE FUNCTION idgen_nextval_batch(generator text, count int) RETURNS SETOF bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_nextval_batch';
COMMENT ON FUNCTION idgen_nextval_batch(text, int) IS 'count IDs of a generator, increasing';

CREATE FUNCTION idgen_nextval_batch(generator text, count int, shard_id int)
  RETURNS SETOF bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_nextval_batch_of_shard';
COMMENT ON FUNCTION idgen_nextval_batch(text, int, int) IS
  'count IDs of a generator in a shard, increasing';

CREATE FUNCTION idgen_nextval_array(generator text, count int) RETURNS bigint[]
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_nextval_array';
COMMENT ON FUNCTION idgen_nextval_array(text, int) IS
  'an array of count IDs of a generator, increasing';

CREATE FUNCTION idgen_nextval_array(generator text, count int, shard_id int)
  RETURNS bigint[]
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_nextval_array_of_shard';
COMMENT ON FUNCTION idgen_nextval_array(text, int, int) IS
  'an array of count IDs of a generator in a shard, increasing';

CREATE FUNCTION idgen_currval(generator text) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_currval';
COMMENT ON FUNCTION idgen_currval(text) IS
  'the last ID of a generator that this session made';

CREATE FUNCTION idgen_reserve(generator text, count int) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_reserve';
COMMENT ON FUNCTION idgen_reserve(text, int) IS
  'the first of count consecutive integers that only this caller gets';

CREATE FUNCTION idgen_observe(generator text, id bigint) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_observe';
COMMENT ON FUNCTION idgen_observe(text, bigint) IS
  'makes the next ID of a generator greater than id';
-- It moves the IDs of all users of the generator, so not everybody may call it.
REVOKE EXECUTE ON FUNCTION idgen_observe(text, bigint) FROM PUBLIC;

-- Shards ------------------------------------------------------------------------------

CREATE FUNCTION idgen_shard(key text, shards int) RETURNS int
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_shard';
COMMENT ON FUNCTION idgen_shard(text, int) IS
  'the shard of a key, from 0 to shards - 1, by jump consistent hash';

CREATE FUNCTION instagram_nextval() RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_nextval';
COMMENT ON FUNCTION instagram_nextval() IS
  'the next ID of generator instagram in the shard that idgen.shard_id names';

CREATE FUNCTION instagram_nextval(shard_id int) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_nextval_of_shard';
COMMENT ON FUNCTION instagram_nextval(int) IS 'the next ID of generator instagram in a shard';

CREATE FUNCTION instagram_nextval_for(key text, shards int) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_nextval_for';
COMMENT ON FUNCTION instagram_nextval_for(text, int) IS
  'the next ID of generator instagram in the shard of a key';

-- Two servers, one identity -------------------------------------------------------------

CREATE FUNCTION idgen_check_identity(
    relation regclass, id_column name,
    generator text DEFAULT 'snowflake', since timestamptz DEFAULT '-infinity',
    OUT datacenter_id int, OUT machine_id int, OUT shard_id int, OUT ids bigint,
    OUT first_id bigint, OUT last_id bigint, OUT own boolean, OUT replicated bigint,
    OUT problem text)
  RETURNS SETOF record
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_check_identity';
COMMENT ON FUNCTION idgen_check_identity(regclass, name, text, timestamptz) IS
  'the identities in a table of IDs, and whether another server uses one of this server''s';

CREATE FUNCTION idgen_get_identity(generator text) RETURNS text
  LANGUAGE C STABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_get_identity';
COMMENT ON FUNCTION idgen_get_identity(text) IS
  'this node''s identity, as idgen_check_identity() asks the nodes of a Citus cluster for it';

-- A clock that was far ahead --------------------------------------------------------------

CREATE FUNCTION idgen_start_over(machine_id int) RETURNS void
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_start_over';
COMMENT ON FUNCTION idgen_start_over(int) IS
  'sets the high-water mark back to now for a machine ID that was never used';
-- Nothing else can lower a mark.
REVOKE EXECUTE ON FUNCTION idgen_start_over(int) FROM PUBLIC;

CREATE FUNCTION idgen_accept_clock() RETURNS void
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_accept_clock';
COMMENT ON FUNCTION idgen_accept_clock() IS
  'accepts the clock, so that IDs are made again after a step longer than idgen.max_clock_step';
REVOKE EXECUTE ON FUNCTION idgen_accept_clock() FROM PUBLIC;

-- Decoding ----------------------------------------------------------------------------

CREATE FUNCTION idgen_parse(
    id bigint, layout idgen_layout,
    OUT ts timestamptz, OUT unix_ms bigint, OUT datacenter_id int, OUT machine_id int,
    OUT shard_id int, OUT sequence int)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_parse';
COMMENT ON FUNCTION idgen_parse(bigint, idgen_layout) IS 'the fields of an ID of a layout';

CREATE FUNCTION idgen_timestamp(id bigint, layout idgen_layout) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_timestamp';
COMMENT ON FUNCTION idgen_timestamp(bigint, idgen_layout) IS
  'when an ID of a layout was made';

CREATE FUNCTION idgen_min_id(ts timestamptz, layout idgen_layout) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_min_id';
COMMENT ON FUNCTION idgen_min_id(timestamptz, idgen_layout) IS
  'the smallest ID of the tick of a layout that holds an instant';

CREATE FUNCTION idgen_max_id(ts timestamptz, layout idgen_layout) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_max_id';
COMMENT ON FUNCTION idgen_max_id(timestamptz, idgen_layout) IS
  'the largest ID of the tick of a layout that holds an instant';

-- Not STRICT: a field that the layout lacks is NULL, as in the result of idgen_parse().
CREATE FUNCTION idgen_compose(
    layout idgen_layout, ts timestamptz, datacenter_id int DEFAULT NULL, machine_id int DEFAULT NULL,
    shard_id int DEFAULT NULL, sequence int DEFAULT NULL)
  RETURNS bigint
  LANGUAGE C IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_compose';
COMMENT ON FUNCTION idgen_compose(idgen_layout, timestamptz, int, int, int, int) IS
  'the ID of these fields: the inverse of idgen_parse()';

CREATE FUNCTION idgen_inspect(id bigint, layout idgen_layout DEFAULT 'snowflake') RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_inspect';
COMMENT ON FUNCTION idgen_inspect(bigint, idgen_layout) IS
  'an ID for a person to read: its bits under the names of its fields';

CREATE FUNCTION idgen_inspect_json(id bigint, layout idgen_layout DEFAULT 'snowflake') RETURNS jsonb
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_inspect_json';
COMMENT ON FUNCTION idgen_inspect_json(bigint, idgen_layout) IS
  'what idgen_inspect() shows, for programs';

CREATE FUNCTION idgen_encode(id bigint, form text) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_encode';
COMMENT ON FUNCTION idgen_encode(bigint, text) IS
  'an ID as text: base62, base32, base58, hex or decimal, of fixed width';

CREATE FUNCTION idgen_decode(text text, form text) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_decode';
COMMENT ON FUNCTION idgen_decode(text, text) IS
  'the ID of a text that idgen_encode() made';

CREATE FUNCTION snowflake_parse(
    id bigint,
    OUT ts timestamptz, OUT unix_ms bigint, OUT datacenter_id int, OUT machine_id int,
    OUT shard_id int, OUT sequence int)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_snowflake_parse';
COMMENT ON FUNCTION snowflake_parse(bigint) IS 'the fields of a snowflake ID';

CREATE FUNCTION snowflake_timestamp(id bigint) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_snowflake_timestamp';
COMMENT ON FUNCTION snowflake_timestamp(bigint) IS 'when a snowflake ID was made';

CREATE FUNCTION snowflake_datacenter(id bigint) RETURNS int
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_snowflake_datacenter';
COMMENT ON FUNCTION snowflake_datacenter(bigint) IS 'the datacenter ID in a snowflake ID';

CREATE FUNCTION snowflake_machine(id bigint) RETURNS int
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_snowflake_machine';
COMMENT ON FUNCTION snowflake_machine(bigint) IS 'the machine ID in a snowflake ID';

CREATE FUNCTION snowflake_sequence(id bigint) RETURNS int
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_snowflake_sequence';
COMMENT ON FUNCTION snowflake_sequence(bigint) IS 'the sequence number in a snowflake ID';

CREATE FUNCTION snowflake_min_id(ts timestamptz) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_snowflake_min_id';
COMMENT ON FUNCTION snowflake_min_id(timestamptz) IS
  'the smallest snowflake ID of that millisecond';

CREATE FUNCTION snowflake_max_id(ts timestamptz) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_snowflake_max_id';
COMMENT ON FUNCTION snowflake_max_id(timestamptz) IS
  'the largest snowflake ID of that millisecond';

CREATE FUNCTION instagram_parse(
    id bigint,
    OUT ts timestamptz, OUT unix_ms bigint, OUT datacenter_id int, OUT machine_id int,
    OUT shard_id int, OUT sequence int)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_parse';
COMMENT ON FUNCTION instagram_parse(bigint) IS 'the fields of an instagram ID';

CREATE FUNCTION instagram_timestamp(id bigint) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_timestamp';
COMMENT ON FUNCTION instagram_timestamp(bigint) IS
  'when an instagram ID was made';

CREATE FUNCTION instagram_shard(id bigint) RETURNS int
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_shard';
COMMENT ON FUNCTION instagram_shard(bigint) IS
  'the shard in an instagram ID';

CREATE FUNCTION instagram_sequence(id bigint) RETURNS int
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_sequence';
COMMENT ON FUNCTION instagram_sequence(bigint) IS
  'the sequence number in an instagram ID';

CREATE FUNCTION instagram_min_id(ts timestamptz) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_min_id';
COMMENT ON FUNCTION instagram_min_id(timestamptz) IS
  'the smallest instagram ID of that millisecond';

CREATE FUNCTION instagram_max_id(ts timestamptz) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_max_id';
COMMENT ON FUNCTION instagram_max_id(timestamptz) IS
  'the largest instagram ID of that millisecond';

-- IDs of 128 bits --------------------------------------------------------------------------

CREATE FUNCTION uuidv7_nextval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv7_nextval';
COMMENT ON FUNCTION uuidv7_nextval() IS 'a UUID of version 7, greater than any before';

CREATE FUNCTION uuidv7_nextval(shift interval) RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv7_nextval_shifted';
COMMENT ON FUNCTION uuidv7_nextval(interval) IS 'a UUID of version 7 whose time is moved by an interval';

CREATE FUNCTION uuidv7_nextval_batch(count int) RETURNS SETOF uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_uuidv7_nextval_batch';
COMMENT ON FUNCTION uuidv7_nextval_batch(int) IS 'count UUIDs of version 7, increasing';

CREATE FUNCTION uuidv7_nextval_array(count int) RETURNS uuid[]
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv7_nextval_array';
COMMENT ON FUNCTION uuidv7_nextval_array(int) IS 'an array of count UUIDs of version 7, increasing';

CREATE FUNCTION uuidv7_currval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_uuidv7_currval';
COMMENT ON FUNCTION uuidv7_currval() IS 'the last ID that uuidv7_nextval() or its batches made in this session';

CREATE FUNCTION uuidv8_nextval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv8_nextval';
COMMENT ON FUNCTION uuidv8_nextval() IS 'a UUID of version 8 with this server''s identity, greater than any before';

CREATE FUNCTION uuidv8_nextval_batch(count int) RETURNS SETOF uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_uuidv8_nextval_batch';
COMMENT ON FUNCTION uuidv8_nextval_batch(int) IS 'count UUIDs of version 8 with this server''s identity, increasing';

CREATE FUNCTION uuidv8_nextval_array(count int) RETURNS uuid[]
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv8_nextval_array';
COMMENT ON FUNCTION uuidv8_nextval_array(int) IS 'an array of count UUIDs of version 8 with this server''s identity, increasing';

CREATE FUNCTION uuidv8_currval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_uuidv8_currval';
COMMENT ON FUNCTION uuidv8_currval() IS 'the last ID that uuidv8_nextval() or its batches made in this session';

CREATE FUNCTION uuidv6_nextval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv6_nextval';
COMMENT ON FUNCTION uuidv6_nextval() IS 'a UUID of version 6, greater than any before';

CREATE FUNCTION uuidv6_nextval_batch(count int) RETURNS SETOF uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_uuidv6_nextval_batch';
COMMENT ON FUNCTION uuidv6_nextval_batch(int) IS 'count UUIDs of version 6, increasing';

CREATE FUNCTION uuidv6_nextval_array(count int) RETURNS uuid[]
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv6_nextval_array';
COMMENT ON FUNCTION uuidv6_nextval_array(int) IS 'an array of count UUIDs of version 6, increasing';

CREATE FUNCTION uuidv6_currval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_uuidv6_currval';
COMMENT ON FUNCTION uuidv6_currval() IS 'the last ID that uuidv6_nextval() or its batches made in this session';

CREATE FUNCTION uuidv1_nextval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv1_nextval';
COMMENT ON FUNCTION uuidv1_nextval() IS 'a UUID of version 1';

CREATE FUNCTION uuidv1_nextval_batch(count int) RETURNS SETOF uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_uuidv1_nextval_batch';
COMMENT ON FUNCTION uuidv1_nextval_batch(int) IS 'count UUIDs of version 1';

CREATE FUNCTION uuidv1_nextval_array(count int) RETURNS uuid[]
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv1_nextval_array';
COMMENT ON FUNCTION uuidv1_nextval_array(int) IS 'an array of count UUIDs of version 1';

CREATE FUNCTION uuidv1_currval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_uuidv1_currval';
COMMENT ON FUNCTION uuidv1_currval() IS 'the last ID that uuidv1_nextval() or its batches made in this session';

CREATE FUNCTION uuidv4_nextval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv4_nextval';
COMMENT ON FUNCTION uuidv4_nextval() IS 'a random UUID, version 4';

CREATE FUNCTION uuidv4_nextval_batch(count int) RETURNS SETOF uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_uuidv4_nextval_batch';
COMMENT ON FUNCTION uuidv4_nextval_batch(int) IS 'count random UUIDs, version 4';

CREATE FUNCTION uuidv4_nextval_array(count int) RETURNS uuid[]
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv4_nextval_array';
COMMENT ON FUNCTION uuidv4_nextval_array(int) IS 'an array of count random UUIDs, version 4';

CREATE FUNCTION ulid_nextval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ulid_nextval';
COMMENT ON FUNCTION ulid_nextval() IS 'a ULID, greater than any before';

CREATE FUNCTION ulid_nextval_batch(count int) RETURNS SETOF uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_ulid_nextval_batch';
COMMENT ON FUNCTION ulid_nextval_batch(int) IS 'count ULIDs, increasing';

CREATE FUNCTION ulid_nextval_array(count int) RETURNS uuid[]
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ulid_nextval_array';
COMMENT ON FUNCTION ulid_nextval_array(int) IS 'an array of count ULIDs, increasing';

CREATE FUNCTION ulid_currval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_ulid_currval';
COMMENT ON FUNCTION ulid_currval() IS 'the last ID that ulid_nextval() or its batches made in this session';

CREATE FUNCTION id128_nextval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_id128_nextval';
COMMENT ON FUNCTION id128_nextval() IS 'an ID of 128 bits: nanoseconds, node, sequence, greater than any before';

CREATE FUNCTION id128_nextval_batch(count int) RETURNS SETOF uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_id128_nextval_batch';
COMMENT ON FUNCTION id128_nextval_batch(int) IS 'count IDs of 128 bits, increasing';

CREATE FUNCTION id128_nextval_array(count int) RETURNS uuid[]
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_id128_nextval_array';
COMMENT ON FUNCTION id128_nextval_array(int) IS 'an array of count IDs of 128 bits, increasing';

CREATE FUNCTION id128_currval() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_id128_currval';
COMMENT ON FUNCTION id128_currval() IS 'the last ID that id128_nextval() or its batches made in this session';

CREATE FUNCTION uuidv7_timestamp(id uuid) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv7_timestamp';
COMMENT ON FUNCTION uuidv7_timestamp(uuid) IS 'when a UUID of version 7 was made';

CREATE FUNCTION uuidv7_parse(
    id uuid, OUT ts timestamptz, OUT unix_ms bigint, OUT microsecond int, OUT sequence int)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv7_parse';
COMMENT ON FUNCTION uuidv7_parse(uuid) IS 'the fields of a UUID of version 7';

CREATE FUNCTION uuidv7_min_id(ts timestamptz) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv7_min_id';
COMMENT ON FUNCTION uuidv7_min_id(timestamptz) IS 'the smallest UUID of version 7 of that millisecond';

CREATE FUNCTION uuidv7_max_id(ts timestamptz) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv7_max_id';
COMMENT ON FUNCTION uuidv7_max_id(timestamptz) IS 'the largest UUID of version 7 of that millisecond';

CREATE FUNCTION uuidv8_timestamp(id uuid) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv8_timestamp';
COMMENT ON FUNCTION uuidv8_timestamp(uuid) IS 'when a UUID of uuidv8_nextval() was made';

CREATE FUNCTION uuidv8_parse(
    id uuid, OUT ts timestamptz, OUT unix_ms bigint, OUT microsecond int, OUT datacenter_id int, OUT machine_id int,
    OUT sequence int)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv8_parse';
COMMENT ON FUNCTION uuidv8_parse(uuid) IS 'the fields of a UUID of uuidv8_nextval()';

CREATE FUNCTION uuidv8_min_id(ts timestamptz) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv8_min_id';
COMMENT ON FUNCTION uuidv8_min_id(timestamptz) IS 'the smallest UUID of uuidv8_nextval() of that millisecond';

CREATE FUNCTION uuidv8_max_id(ts timestamptz) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv8_max_id';
COMMENT ON FUNCTION uuidv8_max_id(timestamptz) IS 'the largest UUID of uuidv8_nextval() of that millisecond';

CREATE FUNCTION uuidv6_timestamp(id uuid) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv6_timestamp';
COMMENT ON FUNCTION uuidv6_timestamp(uuid) IS 'when a UUID of version 6 was made';

CREATE FUNCTION uuidv6_parse(
    id uuid, OUT ts timestamptz, OUT clock_sequence int, OUT node macaddr)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv6_parse';
COMMENT ON FUNCTION uuidv6_parse(uuid) IS 'the fields of a UUID of version 6';

CREATE FUNCTION uuidv6_min_id(ts timestamptz) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv6_min_id';
COMMENT ON FUNCTION uuidv6_min_id(timestamptz) IS 'the smallest UUID of version 6 of that microsecond';

CREATE FUNCTION uuidv6_max_id(ts timestamptz) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv6_max_id';
COMMENT ON FUNCTION uuidv6_max_id(timestamptz) IS 'the largest UUID of version 6 of that microsecond';

CREATE FUNCTION uuidv1_timestamp(id uuid) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv1_timestamp';
COMMENT ON FUNCTION uuidv1_timestamp(uuid) IS 'when a UUID of version 1 was made';

CREATE FUNCTION uuidv1_parse(
    id uuid, OUT ts timestamptz, OUT clock_sequence int, OUT node macaddr)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv1_parse';
COMMENT ON FUNCTION uuidv1_parse(uuid) IS 'the fields of a UUID of version 1';

CREATE FUNCTION ulid_timestamp(id uuid) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ulid_timestamp';
COMMENT ON FUNCTION ulid_timestamp(uuid) IS 'when a ULID was made';

CREATE FUNCTION ulid_parse(
    id uuid, OUT ts timestamptz, OUT unix_ms bigint, OUT random bytea)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ulid_parse';
COMMENT ON FUNCTION ulid_parse(uuid) IS 'the fields of a ULID';

CREATE FUNCTION ulid_min_id(ts timestamptz) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ulid_min_id';
COMMENT ON FUNCTION ulid_min_id(timestamptz) IS 'the smallest ULID of that millisecond';

CREATE FUNCTION ulid_max_id(ts timestamptz) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ulid_max_id';
COMMENT ON FUNCTION ulid_max_id(timestamptz) IS 'the largest ULID of that millisecond';

CREATE FUNCTION id128_timestamp(id uuid) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_id128_timestamp';
COMMENT ON FUNCTION id128_timestamp(uuid) IS 'when an ID of id128_nextval() was made';

CREATE FUNCTION id128_parse(
    id uuid, OUT ts timestamptz, OUT nanosecond int, OUT node bigint, OUT datacenter_id int, OUT machine_id int,
    OUT sequence int)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_id128_parse';
COMMENT ON FUNCTION id128_parse(uuid) IS 'the fields of an ID of id128_nextval()';

CREATE FUNCTION id128_min_id(ts timestamptz) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_id128_min_id';
COMMENT ON FUNCTION id128_min_id(timestamptz) IS 'the smallest ID of id128_nextval() of that microsecond';

CREATE FUNCTION id128_max_id(ts timestamptz) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_id128_max_id';
COMMENT ON FUNCTION id128_max_id(timestamptz) IS 'the largest ID of id128_nextval() of that microsecond';

CREATE FUNCTION idgen_parse(
    id uuid, OUT version int, OUT variant text, OUT ts timestamptz, OUT clock_sequence int,
    OUT node macaddr)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuid_parse';
COMMENT ON FUNCTION idgen_parse(uuid) IS 'what any UUID says; NULL for what it does not';

CREATE FUNCTION idgen_timestamp(id uuid) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuid_timestamp';
COMMENT ON FUNCTION idgen_timestamp(uuid) IS 'when a UUID of version 1, 6 or 7 was made';

CREATE FUNCTION idgen_to_uuid(id bigint) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_to_uuid';
COMMENT ON FUNCTION idgen_to_uuid(bigint) IS 'a UUID of version 8 that carries an ID of 64 bits; sorts as the IDs do';

CREATE FUNCTION idgen_from_uuid(id uuid) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_from_uuid';
COMMENT ON FUNCTION idgen_from_uuid(uuid) IS 'the ID in a UUID that idgen_to_uuid() returned';

-- Text: prefixes, uuid, ULIDs, TypeIDs, and IDs of other systems --------------------------

CREATE FUNCTION idgen_encode(id bigint, form text, prefix text) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_encode_with_prefix';
COMMENT ON FUNCTION idgen_encode(bigint, text, text) IS
  'an ID as text with a prefix, as in ord_15Pbss5oLZo';

CREATE FUNCTION idgen_encode(id uuid, form text) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_encode_uuid';
COMMENT ON FUNCTION idgen_encode(uuid, text) IS
  'a uuid as text: base62, base32, base58, hex or decimal, of fixed width';

CREATE FUNCTION idgen_encode(id uuid, form text, prefix text) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_encode_uuid_with_prefix';
COMMENT ON FUNCTION idgen_encode(uuid, text, text) IS
  'a uuid as text with a prefix';

CREATE FUNCTION idgen_decode(text text, form text, prefix text) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_decode_with_prefix';
COMMENT ON FUNCTION idgen_decode(text, text, text) IS
  'the ID of a text with this prefix';

CREATE FUNCTION idgen_decode_uuid(text text, form text) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_decode_uuid';
COMMENT ON FUNCTION idgen_decode_uuid(text, text) IS
  'the uuid of a text that idgen_encode() made';

CREATE FUNCTION idgen_decode_uuid(text text, form text, prefix text) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_decode_uuid_with_prefix';
COMMENT ON FUNCTION idgen_decode_uuid(text, text, text) IS
  'the uuid of a text with this prefix';

-- For texts of strangers, in an address for example: NULL where the others report an error.
CREATE FUNCTION idgen_try_decode(text text, form text) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_try_decode';
COMMENT ON FUNCTION idgen_try_decode(text, text) IS
  'the ID of a text that idgen_encode() made, or NULL';

CREATE FUNCTION idgen_try_decode(text text, form text, prefix text) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_try_decode_with_prefix';
COMMENT ON FUNCTION idgen_try_decode(text, text, text) IS
  'the ID of a text with this prefix, or NULL';

CREATE FUNCTION idgen_try_decode_uuid(text text, form text) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_try_decode_uuid';
COMMENT ON FUNCTION idgen_try_decode_uuid(text, text) IS
  'the uuid of a text that idgen_encode() made, or NULL';

CREATE FUNCTION idgen_try_decode_uuid(text text, form text, prefix text) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_try_decode_uuid_with_prefix';
COMMENT ON FUNCTION idgen_try_decode_uuid(text, text, text) IS
  'the uuid of a text with this prefix, or NULL';

CREATE FUNCTION ulid_encode(id uuid) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ulid_encode';
COMMENT ON FUNCTION ulid_encode(uuid) IS
  'a ULID as its text of 26 characters';

CREATE FUNCTION ulid_decode(text text) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ulid_decode';
COMMENT ON FUNCTION ulid_decode(text) IS
  'the ULID of a text of 26 characters';

CREATE FUNCTION ulid_try_decode(text text) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ulid_try_decode';
COMMENT ON FUNCTION ulid_try_decode(text) IS
  'the ULID of a text of 26 characters, or NULL';

CREATE FUNCTION typeid_encode(prefix text, id uuid) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_typeid_encode';
COMMENT ON FUNCTION typeid_encode(text, uuid) IS
  'a TypeID: a prefix and a uuid';

CREATE FUNCTION typeid_decode(text text) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_typeid_decode';
COMMENT ON FUNCTION typeid_decode(text) IS
  'the uuid of a TypeID of any prefix';

CREATE FUNCTION typeid_decode(text text, prefix text) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_typeid_decode_with_prefix';
COMMENT ON FUNCTION typeid_decode(text, text) IS
  'the uuid of a TypeID of this prefix';

CREATE FUNCTION typeid_try_decode(text text) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_typeid_try_decode';
COMMENT ON FUNCTION typeid_try_decode(text) IS
  'the uuid of a TypeID of any prefix, or NULL';

CREATE FUNCTION typeid_try_decode(text text, prefix text) RETURNS uuid
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_typeid_try_decode_with_prefix';
COMMENT ON FUNCTION typeid_try_decode(text, text) IS
  'the uuid of a TypeID of this prefix, or NULL';

CREATE FUNCTION typeid_prefix(text text) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_typeid_prefix';
COMMENT ON FUNCTION typeid_prefix(text) IS
  'the prefix of a TypeID, which may be empty';

CREATE FUNCTION ksuid_parse(text text, OUT ts timestamptz, OUT payload bytea)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ksuid_parse';
COMMENT ON FUNCTION ksuid_parse(text) IS
  'the fields of a KSUID';

CREATE FUNCTION xid_parse(
    text text,
    OUT ts timestamptz, OUT machine bytea, OUT process int, OUT counter int)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_xid_parse';
COMMENT ON FUNCTION xid_parse(text) IS
  'the fields of an XID';

CREATE FUNCTION objectid_parse(
    text text, OUT ts timestamptz, OUT process bytea, OUT counter int)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_objectid_parse';
COMMENT ON FUNCTION objectid_parse(text) IS
  'the fields of a MongoDB ObjectId';

CREATE FUNCTION ksuid_timestamp(text text) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ksuid_timestamp';
COMMENT ON FUNCTION ksuid_timestamp(text) IS
  'when a KSUID was made';

CREATE FUNCTION ksuid_min_id(ts timestamptz) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ksuid_min_id';
COMMENT ON FUNCTION ksuid_min_id(timestamptz) IS
  'the text of the smallest KSUID of that second';

CREATE FUNCTION ksuid_max_id(ts timestamptz) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ksuid_max_id';
COMMENT ON FUNCTION ksuid_max_id(timestamptz) IS
  'the text of the largest KSUID of that second';

CREATE FUNCTION xid_timestamp(text text) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_xid_timestamp';
COMMENT ON FUNCTION xid_timestamp(text) IS
  'when an XID was made';

CREATE FUNCTION xid_min_id(ts timestamptz) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_xid_min_id';
COMMENT ON FUNCTION xid_min_id(timestamptz) IS
  'the text of the smallest XID of that second';

CREATE FUNCTION xid_max_id(ts timestamptz) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_xid_max_id';
COMMENT ON FUNCTION xid_max_id(timestamptz) IS
  'the text of the largest XID of that second';

CREATE FUNCTION objectid_timestamp(text text) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_objectid_timestamp';
COMMENT ON FUNCTION objectid_timestamp(text) IS
  'when an ObjectId was made';

CREATE FUNCTION objectid_min_id(ts timestamptz) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_objectid_min_id';
COMMENT ON FUNCTION objectid_min_id(timestamptz) IS
  'the text of the smallest ObjectId of that second';

CREATE FUNCTION objectid_max_id(ts timestamptz) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_objectid_max_id';
COMMENT ON FUNCTION objectid_max_id(timestamptz) IS
  'the text of the largest ObjectId of that second';

-- Hybrid logical clock -------------------------------------------------------------------

CREATE FUNCTION hlc_now() RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_hlc_now';
COMMENT ON FUNCTION hlc_now() IS
  'the time by the hybrid logical clock of this server, greater than any before';

CREATE FUNCTION hlc_observe(hlc bigint) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_hlc_observe';
COMMENT ON FUNCTION hlc_observe(bigint) IS
  'the time by the hybrid logical clock of this server, greater than any before and than a received one';
-- It moves the clock of all users, so not everybody may call it.
REVOKE EXECUTE ON FUNCTION hlc_observe(bigint) FROM PUBLIC;

CREATE FUNCTION hlc_parse(hlc bigint, OUT ts timestamptz, OUT unix_ms bigint, OUT logical int)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_hlc_parse';
COMMENT ON FUNCTION hlc_parse(bigint) IS 'the fields of an HLC timestamp';

CREATE FUNCTION hlc_timestamp(hlc bigint) RETURNS timestamptz
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_hlc_timestamp';
COMMENT ON FUNCTION hlc_timestamp(bigint) IS 'the time in an HLC timestamp';

CREATE FUNCTION hlc_logical(hlc bigint) RETURNS int
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_hlc_logical';
COMMENT ON FUNCTION hlc_logical(bigint) IS 'the logical number in an HLC timestamp';

CREATE FUNCTION hlc_min_id(ts timestamptz) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_hlc_min_id';
COMMENT ON FUNCTION hlc_min_id(timestamptz) IS 'the smallest HLC timestamp of that millisecond';

CREATE FUNCTION hlc_max_id(ts timestamptz) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_hlc_max_id';
COMMENT ON FUNCTION hlc_max_id(timestamptz) IS 'the largest HLC timestamp of that millisecond';

CREATE FUNCTION hlc_to_text(hlc bigint) RETURNS text
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_hlc_to_text';
COMMENT ON FUNCTION hlc_to_text(bigint) IS 'an HLC timestamp as text, which sorts as the number does';

CREATE FUNCTION hlc_from_text(hlc text) RETURNS bigint
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_hlc_from_text';
COMMENT ON FUNCTION hlc_from_text(text) IS 'the HLC timestamp of a text that hlc_to_text() wrote';

-- Vector clocks ----------------------------------------------------------------------------

-- A JSON object of nodes and their counters. A node that is not in it has the counter 0. Functions in
-- SQL cannot report errors of their own. So what is wrong, NULL included, is left to fail in
-- jsonb_each() or in the cast of a counter.
CREATE DOMAIN vclock_counter AS bigint
  CONSTRAINT vclock_counter_is_not_negative CHECK (VALUE >= 0);
COMMENT ON DOMAIN vclock_counter IS 'idgen: the counter of a node in a vector clock';

CREATE FUNCTION vclock_each(clock jsonb, OUT node text, OUT counter bigint) RETURNS SETOF record
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT e.key, e.value::text::vclock_counter FROM pg_catalog.jsonb_each(coalesce(clock, 'null'::jsonb)) e;
END;
COMMENT ON FUNCTION vclock_each(jsonb) IS 'the nodes of a vector clock, and their counters';

CREATE FUNCTION vclock_increment(clock jsonb, node text) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT c.checked || pg_catalog.jsonb_build_object(node, coalesce((c.checked ->> node)::bigint, 0::bigint) + 1)
  FROM (SELECT coalesce(pg_catalog.jsonb_object_agg(e.node, e.counter), '{}'::jsonb) AS checked
        FROM vclock_each(clock) e) c;
END;
COMMENT ON FUNCTION vclock_increment(jsonb, text) IS 'a vector clock after an event of a node';

CREATE FUNCTION vclock_merge(clock_1 jsonb, clock_2 jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(pg_catalog.jsonb_object_agg(m.node, m.counter), '{}'::jsonb)
  FROM (SELECT e.node, pg_catalog.max(e.counter) AS counter
        FROM (SELECT * FROM vclock_each(clock_1) UNION ALL SELECT * FROM vclock_each(clock_2)) e
        GROUP BY e.node) m;
END;
COMMENT ON FUNCTION vclock_merge(jsonb, jsonb) IS 'the vector clock that knows what either knows';

CREATE FUNCTION vclock_compare(clock_1 jsonb, clock_2 jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN d.less AND d.more THEN 'concurrent' WHEN d.less THEN 'before'
              WHEN d.more THEN 'after' ELSE 'equal' END
  FROM (SELECT pg_catalog.bool_or(coalesce(e1.counter, 0::bigint) < coalesce(e2.counter, 0::bigint)) AS less,
               pg_catalog.bool_or(coalesce(e1.counter, 0::bigint) > coalesce(e2.counter, 0::bigint)) AS more
        FROM vclock_each(clock_1) e1 FULL JOIN vclock_each(clock_2) e2 ON e1.node = e2.node) d;
END;
COMMENT ON FUNCTION vclock_compare(jsonb, jsonb) IS
  'whether a vector clock is before another, after it, equal or concurrent';

CREATE AGGREGATE vclock_merge_agg(clock jsonb) (
  SFUNC = vclock_merge, STYPE = jsonb, INITCOND = '{}', COMBINEFUNC = vclock_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE vclock_merge_agg(jsonb) IS 'the vector clock that knows what any of them knows';

-- Tickets -----------------------------------------------------------------------------

CREATE FUNCTION ticket_nextval(sequence regclass) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ticket_nextval';
COMMENT ON FUNCTION ticket_nextval(regclass) IS
  'the next number of a sequence, handed out from shared memory';

CREATE FUNCTION ticket_nextval_batch(sequence regclass, count int) RETURNS SETOF bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_ticket_nextval_batch';
COMMENT ON FUNCTION ticket_nextval_batch(regclass, int) IS
  'many tickets of a sequence, in order';

CREATE FUNCTION ticket_nextval_array(sequence regclass, count int) RETURNS bigint[]
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ticket_nextval_array';
COMMENT ON FUNCTION ticket_nextval_array(regclass, int) IS
  'many tickets of a sequence as an array, in order';

CREATE FUNCTION ticket_currval(sequence regclass) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_ticket_currval';
COMMENT ON FUNCTION ticket_currval(regclass) IS
  'the last ticket of a sequence that this session has taken';

CREATE FUNCTION ticket_reserve(sequence regclass, count int) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ticket_reserve';
COMMENT ON FUNCTION ticket_reserve(regclass, int) IS
  'the first of as many consecutive tickets of a sequence, all this caller''s';

CREATE FUNCTION ticket_restart(sequence regclass, value bigint) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_ticket_restart';
COMMENT ON FUNCTION ticket_restart(regclass, bigint) IS
  'begins a sequence anew, so that its tickets may come again; for its owner';

CREATE FUNCTION ticket_segment(sequence regclass, count int,
                               OUT first bigint, OUT last bigint, OUT increment bigint)
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ticket_segment';
COMMENT ON FUNCTION ticket_segment(regclass, int) IS
  'as many consecutive tickets of a sequence, all this caller''s: what a ticket server gives';

CREATE FUNCTION ticket_attach(sequence regclass) RETURNS void
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_ticket_attach';
COMMENT ON FUNCTION ticket_attach(regclass) IS
  'makes a sequence take its numbers from the ticket server (idgen.ticket_servers); for its owner';

CREATE FUNCTION ticket_status(sequence regclass,
                              OUT remaining bigint, OUT lasts interval,
                              OUT first bigint, OUT last bigint,
                              OUT next_first bigint, OUT next_last bigint,
                              OUT step bigint, OUT fetched_at timestamptz, OUT ordered boolean,
                              OUT failed_at timestamptz, OUT error text)
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_ticket_status';
COMMENT ON FUNCTION ticket_status(regclass) IS
  'what is left here of the numbers that a ticket server gave, and how long it lasts';

CREATE FUNCTION lamport_tick(sequence regclass) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_lamport_tick';
COMMENT ON FUNCTION lamport_tick(regclass) IS
  'the next value of a Lamport clock: a ticket of the sequence above, the machine ID in the lowest 10 bits';

CREATE FUNCTION lamport_observe(sequence regclass, value bigint) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_lamport_observe';
COMMENT ON FUNCTION lamport_observe(regclass, bigint) IS
  'the value of a Lamport clock for an event after one of another server: greater than both';

-- Statistics ----------------------------------------------------------------------------

CREATE FUNCTION idgen_get_stat(
    idgen_layout, OUT kind text, OUT layout idgen_layout, OUT datacenter_id int, OUT machine_id int, OUT shard_id int,
    OUT ids bigint, OUT batches bigint, OUT tick_waits bigint, OUT tick_wait_time float8,
    OUT used_up_ticks bigint, OUT clock_waits bigint, OUT clock_wait_time float8, OUT lead float8,
    OUT largest_lead float8, OUT clock_errors bigint, OUT held_errors bigint, OUT end_errors bigint,
    OUT observe_errors bigint, OUT last_id bigint, OUT last_id_at timestamptz, OUT first_used timestamptz,
    OUT last_used timestamptz, OUT stats_reset timestamptz)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 20
  AS 'MODULE_PATHNAME', 'idgen_get_stat';
COMMENT ON FUNCTION idgen_get_stat(idgen_layout) IS 'the rows of the view idgen_stat';

CREATE VIEW idgen_stat AS
  SELECT kind, layout, datacenter_id, machine_id, shard_id, ids, batches, tick_waits, tick_wait_time,
         used_up_ticks, clock_waits, clock_wait_time, lead, largest_lead, clock_errors, held_errors,
         end_errors, observe_errors, last_id, last_id_at, first_used, last_used, stats_reset
  FROM idgen_get_stat(NULL::idgen_layout);
COMMENT ON VIEW idgen_stat IS 'idgen: what was made in each ID space of this server since its start';
GRANT SELECT ON idgen_stat TO PUBLIC;

CREATE FUNCTION idgen_get_stat_database(
    idgen_layout, OUT datid oid, OUT mark timestamptz, OUT ahead float8, OUT mark_writes bigint, OUT flush_time float8,
    OUT replication_time float8, OUT stats_reset timestamptz)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10
  AS 'MODULE_PATHNAME', 'idgen_get_stat_database';
COMMENT ON FUNCTION idgen_get_stat_database(idgen_layout) IS
  'the rows of the view idgen_stat_database';

CREATE VIEW idgen_stat_database AS
  SELECT s.datid, d.datname, s.mark, s.ahead, s.mark_writes, s.flush_time, s.replication_time, s.stats_reset
  FROM idgen_get_stat_database(NULL::idgen_layout) s
  JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.datid;
COMMENT ON VIEW idgen_stat_database IS
  'idgen: the high-water mark of each database in which IDs were made since the server''s start';
GRANT SELECT ON idgen_stat_database TO PUBLIC;

CREATE FUNCTION idgen_get_stat_server(
    idgen_layout, OUT clock_steps bigint, OUT largest_step float8, OUT last_step float8, OUT last_step_at timestamptz,
    OUT step_errors bigint, OUT clock_shift float8, OUT clock_state text, OUT clock_max_error float8,
    OUT spaces bigint, OUT databases bigint, OUT memory bigint, OUT lease_state text,
    OUT lease_until timestamptz, OUT lease_renewed_at timestamptz, OUT lease_renewals bigint,
    OUT lease_failures bigint, OUT lease_worker boolean, OUT stats_reset timestamptz,
    OUT registry_clock_offset float8, OUT registry_clock_error float8)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 1
  AS 'MODULE_PATHNAME', 'idgen_get_stat_server';
COMMENT ON FUNCTION idgen_get_stat_server(idgen_layout) IS
  'the row of the view idgen_stat_server';

CREATE VIEW idgen_stat_server AS
  SELECT clock_steps, largest_step, last_step, last_step_at, step_errors, clock_shift, clock_state,
         clock_max_error, spaces, databases, memory, lease_state, lease_until, lease_renewed_at,
         lease_renewals, lease_failures, lease_worker, registry_clock_offset, registry_clock_error,
         stats_reset
  FROM idgen_get_stat_server(NULL::idgen_layout);
COMMENT ON VIEW idgen_stat_server IS 'idgen: the clock, the memory and the lease of this server';
GRANT SELECT ON idgen_stat_server TO PUBLIC;

CREATE FUNCTION idgen_stat_reset() RETURNS void
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_stat_reset';
COMMENT ON FUNCTION idgen_stat_reset() IS 'sets the counters of all idgen_stat views to zero';
REVOKE EXECUTE ON FUNCTION idgen_stat_reset() FROM PUBLIC;

CREATE FUNCTION idgen_clock(
    OUT state text, OUT synchronized boolean, OUT "offset" float8, OUT estimated_error float8,
    OUT max_error float8, OUT frequency float8, OUT tick bigint, OUT tai_offset int, OUT leap text)
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_clock';
COMMENT ON FUNCTION idgen_clock() IS
  'what the kernel knows about how right its clock is; times in milliseconds, frequency in ppm';

CREATE FUNCTION idgen_get_registry(
    OUT kind text, OUT hosts text, OUT port text, OUT database text, OUT service text)
  LANGUAGE C STABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_get_registry';
COMMENT ON FUNCTION idgen_get_registry() IS
  'where the registry is, without passwords; NULL for roles that may not read all settings';

CREATE FUNCTION idgen_diagnostics() RETURNS jsonb
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  SET search_path = pg_catalog, pg_temp
  AS 'MODULE_PATHNAME', 'idgen_diagnostics';
COMMENT ON FUNCTION idgen_diagnostics() IS
  'everything for a support case, without passwords; what the caller may not see is left out';

-- In JSON inside of a script, "<" is written as an escape.
CREATE FUNCTION idgen_report() RETURNS text LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
  SELECT pg_catalog.replace(
           pg_catalog.replace(page.text, '@layouts@', pg_catalog.replace(layouts.json::pg_catalog.text, '<', page.less)),
           '@data@', pg_catalog.replace(idgen_diagnostics()::pg_catalog.text, '<', page.less))
  FROM (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                 'layout', l.layout, 'value', l.value::pg_catalog.text, 'epoch', l.epoch, 'ends', l.ends,
                 'ids_per_second', l.ids_per_second)) AS json
        FROM idgen_layouts l) layouts,
       (SELECT pg_catalog.chr(92) OPERATOR(pg_catalog.||) 'u003c' AS less, $page$<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>idgen</title>
<style>
:root { color-scheme: light dark; --line: #8883; --bar: #3b7dd8; --good: #2e8b57; --warn: #c77700; --bad: #c0392b; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.about { color: #888; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.date { white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.bar { background: var(--line); width: 6rem; height: .6rem; display: inline-block; border-radius: .3rem; overflow: hidden; }
.bar > i { display: block; height: 100%; background: var(--bar); }
li.good::marker { color: var(--good); content: "\2713\a0"; } li.warn::marker { color: var(--warn); content: "!\a0"; }
li.bad::marker { color: var(--bad); content: "\2717\a0"; } li.warn { color: var(--warn); } li.bad { color: var(--bad); }
</style>
</head>
<body>
<h1>idgen</h1>
<p class="about" id="about"></p>
<ul id="findings"></ul>
<div id="sections"></div>
<script>
"use strict";
const data = @data@;
const layouts = @layouts@;
const now = Date.parse(data.made_at);
const element = (name, text, kind) => {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
const number = value => value === null || value === undefined ? "" :
  Number(value).toLocaleString("en", {maximumFractionDigits: value < 10 ? 2 : 0});
const duration = ms => ms === null || ms === undefined ? "" : ms < 1000 ? number(ms) + " ms" : number(ms / 1000) + " s";
const date = text => text ? text.replace("T", " ").replace(/\.\d+/, "").replace("+00:00", "Z") : "";
const nameOf = space => (layoutOf(space) || {layout: space.layout}).layout;
const bar = part => {
  const made = element("span", null, "bar"), inner = element("i");
  inner.style.width = Math.min(100, Math.max(0, 100 * part)) + "%";
  made.append(inner);
  made.title = (100 * part).toFixed(1) + " %";
  return made;
};
const table = (title, columns, rows) => {
  if (!rows || !rows.length) return;
  const made = element("table"), head = element("tr"), frame = element("div", null, "scroll");
  for (const [name, , kind] of columns) head.append(element("th", name, kind));
  made.append(head);
  for (const row of rows) {
    const line = element("tr");
    for (const [, value, kind] of columns) {
      const cell = element("td", null, kind), content = value(row);
      cell.append(content === null || content === undefined ? "" : content);
      line.append(cell);
    }
    made.append(line);
  }
  frame.append(made);
  document.getElementById("sections").append(element("h2", title), frame);
};
const finding = (kind, text) => document.getElementById("findings").append(element("li", text, kind));

const postgresql = data.postgresql || {}, server = (data.stat_server || {}), spaces = data.stat || [];
document.getElementById("about").textContent = [
  "Version " + (data.idgen ? data.idgen.version : "?"), (postgresql.version || "").split(" on ")[0],
  "database " + postgresql.database, date(data.made_at)].join(" · ");

const layoutOf = space => space.kind === "id" ? layouts.find(layout => layout.value === space.layout) : undefined;
const errorsOf = space => space.clock_errors + space.held_errors + space.end_errors + space.observe_errors;
const rateOf = space => {
  const ms = Date.parse(space.last_used) - Date.parse(space.first_used);
  return ms > 1000 ? space.ids / ms * 1000 : null;
};
const lifeOf = layout => (now - Date.parse(layout.epoch)) / (Date.parse(layout.ends) - Date.parse(layout.epoch));

if (data.clock) {
  finding(data.clock.state === "synchronized" ? "good" : "warn", "Clock: " + data.clock.state +
    (data.clock.max_error === null ? "" : ", at most " + duration(data.clock.max_error) + " wrong"));
}
if (server.clock_steps) finding("warn", "Clock: " + server.clock_steps + " steps, the largest of " + duration(server.largest_step));
if (server.lease_state && server.lease_state !== "none") {
  finding(server.lease_state === "granted" ? "good" : "bad", "Lease: " + server.lease_state + ", until " + date(server.lease_until));
}
const failed = spaces.reduce((sum, space) => sum + errorsOf(space), 0);
finding(failed ? "bad" : "good", "Errors: " + number(failed));
for (const space of spaces) {
  const layout = layoutOf(space);
  if (space.lead > 1000) finding("warn", "Layout " + nameOf(space) + " is " + duration(space.lead) + " ahead of the clock");
  if (layout && Date.parse(layout.ends) - now < 365 * 86400e3) finding("warn", "Layout " + nameOf(space) + " ends at " + date(layout.ends));
}
// The clock has a line of its own.
for (const found of Array.isArray(data.config) ? data.config : []) {
  if (found.topic === "clock" && found.severity === "notice") continue;
  finding(found.severity === "error" ? "bad" : "warn", "Configuration: " + found.message + (found.hint ? ". " + found.hint : ""));
}
for (const segment of data.segments || []) {
  if (segment.failed_at) finding("bad", "Sequence " + segment.sequence + ": " + segment.error);
}

const most = Math.max(1, ...spaces.map(space => space.ids));
table("ID spaces", [
  ["kind", space => space.kind], ["layout", nameOf],
  ["datacenter", space => space.datacenter_id, "number"], ["machine", space => space.machine_id, "number"],
  ["shard", space => space.shard_id, "number"], ["IDs", space => number(space.ids), "number"], ["", space => bar(space.ids / most)],
  ["a second", space => number(rateOf(space)), "number"],
  ["waits for a tick", space => number(space.tick_waits), "number"], ["for the clock", space => number(space.clock_waits), "number"],
  ["largest lead", space => duration(space.largest_lead), "number"], ["errors", space => number(errorsOf(space)), "number"],
  ["last used", space => date(space.last_used), "date"]], spaces);
table("Layouts in use", [
  ["layout", layout => layout.layout], ["IDs a second at most", layout => number(layout.ids_per_second), "number"],
  ["begins", layout => date(layout.epoch), "date"], ["ends", layout => date(layout.ends), "date"], ["life", layout => bar(lifeOf(layout))]],
  [...new Set(spaces.map(layoutOf).filter(layout => layout))]);
table("High-water marks", [
  ["database", mark => mark.datname], ["mark", mark => date(mark.mark)], ["ahead", mark => duration(mark.ahead), "number"],
  ["writes", mark => number(mark.mark_writes), "number"],
  ["a flush", mark => mark.mark_writes ? duration(mark.flush_time / mark.mark_writes) : "", "number"]], data.stat_database);
table("Identities", [
  ["source", identity => identity.source], ["datacenter", identity => identity.datacenter_id, "number"],
  ["machine", identity => identity.machine_id, "number"], ["shard", identity => identity.shard_id, "number"],
  ["state", identity => identity.state], ["until", identity => date(identity.granted_until)], ["error", identity => identity.error]],
  data.identities);
table("Segments from ticket servers", [
  ["sequence", segment => segment.sequence], ["numbers left", segment => number(segment.remaining), "number"],
  ["last", segment => segment.lasts], ["step", segment => number(segment.step), "number"], ["error", segment => segment.error]],
  data.segments);
table("Settings that were changed", [
  ["setting", ([name]) => name], ["value", ([, setting]) => setting.setting + (setting.unit ? " " + setting.unit : "")],
  ["source", ([, setting]) => setting.source]],
  Object.entries(data.settings || {}).filter(([, setting]) => setting.source !== "default").sort());
</script>
</body>
</html>
$page$ AS text) page;
END;
COMMENT ON FUNCTION idgen_report() IS
  'idgen_diagnostics() as a page of HTML: rates, leads, clock, identities, the life of layouts';

-- What a table of IDs tells ------------------------------------------------------------

CREATE FUNCTION idgen_analyze_accum(internal, bigint, idgen_layout, timestamptz) RETURNS internal
  LANGUAGE C STABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_analyze_accum';
COMMENT ON FUNCTION idgen_analyze_accum(internal, bigint, idgen_layout, timestamptz) IS
  'implementation of idgen_analyze_agg()';
CREATE FUNCTION idgen_analyze_accum_uuid(internal, uuid, boolean, timestamptz) RETURNS internal
  LANGUAGE C STABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_analyze_accum_uuid';
COMMENT ON FUNCTION idgen_analyze_accum_uuid(internal, uuid, boolean, timestamptz) IS
  'implementation of idgen_analyze_agg()';
CREATE FUNCTION idgen_analyze_combine(internal, internal) RETURNS internal
  LANGUAGE C IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_analyze_combine';
COMMENT ON FUNCTION idgen_analyze_combine(internal, internal) IS 'implementation of idgen_analyze_agg()';
CREATE FUNCTION idgen_analyze_serialize(internal) RETURNS bytea
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_analyze_serialize';
COMMENT ON FUNCTION idgen_analyze_serialize(internal) IS 'implementation of idgen_analyze_agg()';
CREATE FUNCTION idgen_analyze_deserialize(bytea, internal) RETURNS internal
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_analyze_deserialize';
COMMENT ON FUNCTION idgen_analyze_deserialize(bytea, internal) IS 'implementation of idgen_analyze_agg()';
CREATE FUNCTION idgen_analyze_final(internal) RETURNS jsonb
  LANGUAGE C STABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_analyze_final';
COMMENT ON FUNCTION idgen_analyze_final(internal) IS 'implementation of idgen_analyze_agg()';

CREATE AGGREGATE idgen_analyze_agg(id bigint, layout idgen_layout, other_time timestamptz) (
  SFUNC = idgen_analyze_accum, STYPE = internal, SSPACE = 1048576, FINALFUNC = idgen_analyze_final,
  COMBINEFUNC = idgen_analyze_combine, SERIALFUNC = idgen_analyze_serialize,
  DESERIALFUNC = idgen_analyze_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE idgen_analyze_agg(bigint, idgen_layout, timestamptz) IS
  'what the IDs of a query tell: totals, findings, figures of each identity';
CREATE AGGREGATE idgen_analyze_agg(id uuid, ulid boolean, other_time timestamptz) (
  SFUNC = idgen_analyze_accum_uuid, STYPE = internal, SSPACE = 1048576, FINALFUNC = idgen_analyze_final,
  COMBINEFUNC = idgen_analyze_combine, SERIALFUNC = idgen_analyze_serialize,
  DESERIALFUNC = idgen_analyze_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE idgen_analyze_agg(uuid, boolean, timestamptz) IS
  'what the UUIDs of versions 1, 6 and 7 of a query tell, or its ULIDs';

CREATE FUNCTION idgen_analyze(
    relation regclass, column_name name DEFAULT 'id', layout idgen_layout DEFAULT 'snowflake',
    sample_percent float8 DEFAULT NULL, order_by name DEFAULT NULL, ulid boolean DEFAULT false,
    OUT severity text, OUT finding text, OUT identity text, OUT detail text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_analyze';
COMMENT ON FUNCTION idgen_analyze(regclass, name, idgen_layout, float8, name, boolean) IS
  'what is worth knowing about the IDs of a table';

CREATE FUNCTION idgen_analyze_identities(
    relation regclass, column_name name DEFAULT 'id', layout idgen_layout DEFAULT 'snowflake',
    sample_percent float8 DEFAULT NULL, order_by name DEFAULT NULL, ulid boolean DEFAULT false,
    OUT identity text, OUT datacenter_id int, OUT machine_id int, OUT shard_id int, OUT ids bigint,
    OUT first timestamptz, OUT last timestamptz, OUT first_id bigint, OUT last_id bigint,
    OUT rate_median float8, OUT rate_peak float8, OUT peak_at timestamptz, OUT bursts bigint,
    OUT gap interval, OUT gap_from timestamptz, OUT future bigint, OUT sequence_zero bigint,
    OUT sequence_full bigint, OUT sequence_max bigint, OUT sequence_parts bigint[],
    OUT compared bigint, OUT lag_min interval, OUT lag_max interval, OUT rate_interval interval)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_analyze_identities';
COMMENT ON FUNCTION idgen_analyze_identities(regclass, name, idgen_layout, float8, name, boolean) IS
  'the figures of each identity in a table of IDs';

CREATE FUNCTION idgen_histogram(
    relation regclass, column_name name DEFAULT 'id', layout idgen_layout DEFAULT 'snowflake',
    buckets int DEFAULT 24,
    OUT bucket timestamptz, OUT ids bigint, OUT bar text)
  RETURNS SETOF record
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_histogram';
COMMENT ON FUNCTION idgen_histogram(regclass, name, idgen_layout, int) IS
  'how many IDs of a table are of each of at most so many equal periods';

-- Digests of IDs, and IDs that are in several tables ------------------------------------------

CREATE TYPE idgen_bloom;
CREATE FUNCTION idgen_bloom_in(cstring) RETURNS idgen_bloom
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_in';
COMMENT ON FUNCTION idgen_bloom_in(cstring) IS 'reads a digest of IDs, in base64';
CREATE FUNCTION idgen_bloom_out(idgen_bloom) RETURNS cstring
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_out';
COMMENT ON FUNCTION idgen_bloom_out(idgen_bloom) IS 'writes a digest of IDs, in base64';
CREATE FUNCTION idgen_bloom_recv(internal) RETURNS idgen_bloom
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_recv';
COMMENT ON FUNCTION idgen_bloom_recv(internal) IS 'receives a digest of IDs';
CREATE FUNCTION idgen_bloom_send(idgen_bloom) RETURNS bytea
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_send';
COMMENT ON FUNCTION idgen_bloom_send(idgen_bloom) IS 'sends a digest of IDs';
-- Its bits look random, so compression would only take time.
CREATE TYPE idgen_bloom (
  INPUT = idgen_bloom_in, OUTPUT = idgen_bloom_out, RECEIVE = idgen_bloom_recv, SEND = idgen_bloom_send,
  INTERNALLENGTH = VARIABLE, STORAGE = external);
COMMENT ON TYPE idgen_bloom IS 'a digest of IDs: a Bloom filter, the same on all servers';

CREATE FUNCTION idgen_bloom_union(digest_1 idgen_bloom, digest_2 idgen_bloom) RETURNS idgen_bloom
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_union';
COMMENT ON FUNCTION idgen_bloom_union(idgen_bloom, idgen_bloom) IS
  'the digest of the IDs that are in either of two digests of the same size';

CREATE FUNCTION idgen_bloom_contains(digest idgen_bloom, id bigint) RETURNS boolean
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_contains';
COMMENT ON FUNCTION idgen_bloom_contains(idgen_bloom, bigint) IS
  'false if an ID is certainly not in a digest';
CREATE FUNCTION idgen_bloom_contains(digest idgen_bloom, id uuid) RETURNS boolean
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_contains_uuid';
COMMENT ON FUNCTION idgen_bloom_contains(idgen_bloom, uuid) IS
  'false if an ID is certainly not in a digest';

CREATE FUNCTION idgen_bloom_info(
    digest idgen_bloom, OUT id_type text, OUT added bigint, OUT bytes bigint, OUT hashes int,
    OUT fill float8, OUT error_rate float8)
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_info';
COMMENT ON FUNCTION idgen_bloom_info(idgen_bloom) IS
  'what a digest holds: IDs added, its size, the share of bits that are set, how often it errs';

CREATE FUNCTION idgen_bloom_accum(internal, bigint) RETURNS internal
  LANGUAGE C IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_accum';
COMMENT ON FUNCTION idgen_bloom_accum(internal, bigint) IS 'implementation of idgen_bloom_agg()';
CREATE FUNCTION idgen_bloom_accum(internal, bigint, bigint, float8) RETURNS internal
  LANGUAGE C IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_accum';
COMMENT ON FUNCTION idgen_bloom_accum(internal, bigint, bigint, float8) IS 'implementation of idgen_bloom_agg()';
CREATE FUNCTION idgen_bloom_accum(internal, uuid) RETURNS internal
  LANGUAGE C IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_accum_uuid';
COMMENT ON FUNCTION idgen_bloom_accum(internal, uuid) IS 'implementation of idgen_bloom_agg()';
CREATE FUNCTION idgen_bloom_accum(internal, uuid, bigint, float8) RETURNS internal
  LANGUAGE C IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_accum_uuid';
COMMENT ON FUNCTION idgen_bloom_accum(internal, uuid, bigint, float8) IS 'implementation of idgen_bloom_agg()';
CREATE FUNCTION idgen_bloom_combine(internal, internal) RETURNS internal
  LANGUAGE C IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_combine';
COMMENT ON FUNCTION idgen_bloom_combine(internal, internal) IS 'implementation of idgen_bloom_agg()';
CREATE FUNCTION idgen_bloom_serialize(internal) RETURNS bytea
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_serialize';
COMMENT ON FUNCTION idgen_bloom_serialize(internal) IS 'implementation of idgen_bloom_agg()';
CREATE FUNCTION idgen_bloom_deserialize(bytea, internal) RETURNS internal
  LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_deserialize';
COMMENT ON FUNCTION idgen_bloom_deserialize(bytea, internal) IS 'implementation of idgen_bloom_agg()';
CREATE FUNCTION idgen_bloom_final(internal) RETURNS idgen_bloom
  LANGUAGE C IMMUTABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_bloom_final';
COMMENT ON FUNCTION idgen_bloom_final(internal) IS 'implementation of idgen_bloom_agg()';

CREATE AGGREGATE idgen_bloom_agg(id bigint) (
  SFUNC = idgen_bloom_accum, STYPE = internal, SSPACE = 1200000, FINALFUNC = idgen_bloom_final,
  COMBINEFUNC = idgen_bloom_combine, SERIALFUNC = idgen_bloom_serialize,
  DESERIALFUNC = idgen_bloom_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE idgen_bloom_agg(bigint) IS
  'a digest of about a million IDs';
CREATE AGGREGATE idgen_bloom_agg(id bigint, expected bigint, error_rate float8) (
  SFUNC = idgen_bloom_accum, STYPE = internal, SSPACE = 1200000, FINALFUNC = idgen_bloom_final,
  COMBINEFUNC = idgen_bloom_combine, SERIALFUNC = idgen_bloom_serialize,
  DESERIALFUNC = idgen_bloom_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE idgen_bloom_agg(bigint, bigint, float8) IS
  'a digest of as many IDs as expected, which errs for that share of others';
CREATE AGGREGATE idgen_bloom_agg(id uuid) (
  SFUNC = idgen_bloom_accum, STYPE = internal, SSPACE = 1200000, FINALFUNC = idgen_bloom_final,
  COMBINEFUNC = idgen_bloom_combine, SERIALFUNC = idgen_bloom_serialize,
  DESERIALFUNC = idgen_bloom_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE idgen_bloom_agg(uuid) IS
  'a digest of about a million UUIDs';
CREATE AGGREGATE idgen_bloom_agg(id uuid, expected bigint, error_rate float8) (
  SFUNC = idgen_bloom_accum, STYPE = internal, SSPACE = 1200000, FINALFUNC = idgen_bloom_final,
  COMBINEFUNC = idgen_bloom_combine, SERIALFUNC = idgen_bloom_serialize,
  DESERIALFUNC = idgen_bloom_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE idgen_bloom_agg(uuid, bigint, float8) IS
  'a digest of as many UUIDs as expected, which errs for that share of others';
CREATE AGGREGATE idgen_bloom_union_agg(digest idgen_bloom) (
  SFUNC = idgen_bloom_union, STYPE = idgen_bloom, SSPACE = 1200000, COMBINEFUNC = idgen_bloom_union, PARALLEL = SAFE);
COMMENT ON AGGREGATE idgen_bloom_union_agg(idgen_bloom) IS
  'the digest of the IDs that are in any of several digests of the same size';

CREATE FUNCTION idgen_find_collisions(
    relations regclass[], column_name name DEFAULT 'id', layout idgen_layout DEFAULT 'snowflake',
    error_rate float8 DEFAULT 0.01,
    OUT id bigint, OUT uuid uuid, OUT found_in regclass[])
  RETURNS SETOF record
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_find_collisions';
COMMENT ON FUNCTION idgen_find_collisions(regclass[], name, idgen_layout, float8) IS
  'the IDs that are in several tables, which may be on several servers';

-- Test clock ----------------------------------------------------------------------------

CREATE FUNCTION idgen_test_clock() RETURNS timestamptz
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_test_clock';
COMMENT ON FUNCTION idgen_test_clock() IS 'the time of this session''s test clock; NULL if it is off';
CREATE FUNCTION idgen_test_clock(at timestamptz, local boolean DEFAULT true) RETURNS timestamptz
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_test_clock_set';
COMMENT ON FUNCTION idgen_test_clock(timestamptz, boolean) IS
  'has this session make IDs of that time, from positions of its own; until the end of the transaction, if local';
CREATE FUNCTION idgen_test_clock_advance(by interval) RETURNS timestamptz
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_test_clock_advance';
COMMENT ON FUNCTION idgen_test_clock_advance(interval) IS
  'moves the test clock forward, or back; returns its time';
CREATE FUNCTION idgen_test_clock_off() RETURNS void
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_test_clock_off';
COMMENT ON FUNCTION idgen_test_clock_off() IS 'turns the test clock off';

-- Changes of a generator's layout ---------------------------------------------------------

CREATE FUNCTION idgen_check_change(
    "from" idgen_layout, "to" idgen_layout, at timestamptz DEFAULT pg_catalog.now(),
    OUT possible boolean, OUT earliest timestamptz, OUT largest_before bigint, OUT smallest_from bigint,
    OUT reason text)
  LANGUAGE C STABLE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_check_change';
COMMENT ON FUNCTION idgen_check_change(idgen_layout, idgen_layout, timestamptz) IS
  'whether all IDs of a layout from an instant on are greater than all that another one can have made before, and from when on';

CREATE FUNCTION idgen_change_layout(generator text, "to" idgen_layout, at timestamptz DEFAULT NULL)
  RETURNS timestamptz
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_change_layout';
COMMENT ON FUNCTION idgen_change_layout(text, idgen_layout, timestamptz) IS
  'lets a generator go over to another layout at an instant, which is returned; by default in a minute';

CREATE FUNCTION idgen_cancel_change(generator text)
  RETURNS timestamptz
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_cancel_change';
COMMENT ON FUNCTION idgen_cancel_change(text) IS
  'calls off a change of a generator''s layout that is still ahead; returns its instant';

-- The scheme of a fleet --------------------------------------------------------------------------

CREATE FUNCTION idgen_scheme(
    OUT kind text, OUT name text, OUT value text, OUT at timestamptz, OUT proposed_by_version bigint)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20
  AS 'MODULE_PATHNAME', 'idgen_scheme';
COMMENT ON FUNCTION idgen_scheme() IS
  'the scheme of this server''s pool: the settings, layouts, generators and proposed changes that all its servers go by';
REVOKE EXECUTE ON FUNCTION idgen_scheme() FROM PUBLIC;

CREATE FUNCTION idgen_scheme_history(
    OUT version bigint, OUT changed_at timestamptz, OUT changed_by text, OUT scheme text)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20
  AS 'MODULE_PATHNAME', 'idgen_scheme_history';
COMMENT ON FUNCTION idgen_scheme_history() IS 'all versions of the scheme, the first one first';
REVOKE EXECUTE ON FUNCTION idgen_scheme_history() FROM PUBLIC;

CREATE FUNCTION idgen_scheme_set(setting text, value text) RETURNS void
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_scheme_set';
COMMENT ON FUNCTION idgen_scheme_set(text, text) IS
  'sets a setting for all servers of the pool that do not set it themselves; NULL takes it out of the scheme';
REVOKE EXECUTE ON FUNCTION idgen_scheme_set(text, text) FROM PUBLIC;

CREATE FUNCTION idgen_scheme_add(name text) RETURNS void
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_scheme_add';
COMMENT ON FUNCTION idgen_scheme_add(text) IS
  'adds a layout or generator of this database to the scheme: servers on which it is another one make no IDs with it';
REVOKE EXECUTE ON FUNCTION idgen_scheme_add(text) FROM PUBLIC;

CREATE FUNCTION idgen_scheme_remove(name text) RETURNS void
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_scheme_remove';
COMMENT ON FUNCTION idgen_scheme_remove(text) IS
  'takes a layout or generator out of the scheme; a generator whose layout has changed has to stay';
REVOKE EXECUTE ON FUNCTION idgen_scheme_remove(text) FROM PUBLIC;

CREATE FUNCTION idgen_scheme_restore(version bigint) RETURNS void
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_scheme_restore';
COMMENT ON FUNCTION idgen_scheme_restore(bigint) IS
  'takes the settings and layouts of an earlier version of the scheme again; generators stay as they are';
REVOKE EXECUTE ON FUNCTION idgen_scheme_restore(bigint) FROM PUBLIC;

CREATE FUNCTION idgen_propose_change(generator text, "to" idgen_layout, at timestamptz DEFAULT NULL)
  RETURNS timestamptz
  LANGUAGE C VOLATILE PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_propose_change';
COMMENT ON FUNCTION idgen_propose_change(text, idgen_layout, timestamptz) IS
  'proposes that a generator goes over to another layout at an instant, on all servers of the pool; it does once all have agreed';
REVOKE EXECUTE ON FUNCTION idgen_propose_change(text, idgen_layout, timestamptz) FROM PUBLIC;

CREATE FUNCTION idgen_withdraw_change(generator text) RETURNS timestamptz
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_withdraw_change';
COMMENT ON FUNCTION idgen_withdraw_change(text) IS
  'calls off a proposed change of a generator''s layout, or proposes to call off one that was agreed on and is still ahead';
REVOKE EXECUTE ON FUNCTION idgen_withdraw_change(text) FROM PUBLIC;

CREATE FUNCTION idgen_fleet(
    OUT holder text, OUT lives boolean, OUT used_until timestamptz, OUT expires_in interval,
    OUT scheme_version bigint, OUT is_latest boolean, OUT agrees boolean)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20
  AS 'MODULE_PATHNAME', 'idgen_fleet';
COMMENT ON FUNCTION idgen_fleet() IS
  'the servers of this server''s pool: until when they may make IDs, by which version of the scheme they go, and whether they agree to the changes that are proposed';
REVOKE EXECUTE ON FUNCTION idgen_fleet() FROM PUBLIC;

CREATE FUNCTION idgen_scheme_file() RETURNS text
  LANGUAGE C STABLE PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_scheme_file';
COMMENT ON FUNCTION idgen_scheme_file() IS
  'the file with the settings of the scheme; postgresql.conf has to include it';
REVOKE EXECUTE ON FUNCTION idgen_scheme_file() FROM PUBLIC;

-- Who may not call the function gets nothing from the view.
CREATE VIEW idgen_fleet_setting AS
  SELECT 'idgen.' || s.name AS setting, s.value AS fleet, pg_catalog.current_setting('idgen.' || s.name) AS here,
         p.source, p.sourcefile, p.sourceline,
         p.sourcefile IS NOT DISTINCT FROM idgen_scheme_file() AS is_from_fleet
  FROM idgen_scheme() s JOIN pg_catalog.pg_settings p ON p.name = 'idgen.' || s.name
  WHERE s.kind = 'setting';
COMMENT ON VIEW idgen_fleet_setting IS
  'idgen: the settings of the scheme, what is in force here, and where that comes from';
GRANT SELECT ON idgen_fleet_setting TO PUBLIC;
-- Names for the defaults of columns --------------------------------------------------------------

-- Functions of above once more. Many clients take a default that contains "nextval(" for that of a sequence.

CREATE FUNCTION snowflake_id() RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_snowflake_nextval';
COMMENT ON FUNCTION snowflake_id() IS
  'the next ID of generator snowflake; for defaults of columns';

CREATE FUNCTION idgen_id(generator text) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_nextval';
COMMENT ON FUNCTION idgen_id(text) IS
  'the next ID of a generator; for defaults of columns';

CREATE FUNCTION idgen_id(generator text, shard_id int) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_nextval_of_shard';
COMMENT ON FUNCTION idgen_id(text, int) IS
  'the next ID of a generator in a shard; for defaults of columns';

CREATE FUNCTION instagram_id() RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_nextval';
COMMENT ON FUNCTION instagram_id() IS
  'the next ID of generator instagram in the shard that idgen.shard_id names; for defaults of columns';

CREATE FUNCTION instagram_id(shard_id int) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_nextval_of_shard';
COMMENT ON FUNCTION instagram_id(int) IS
  'the next ID of generator instagram in a shard; for defaults of columns';

CREATE FUNCTION instagram_id_for(key text, shards int) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_instagram_nextval_for';
COMMENT ON FUNCTION instagram_id_for(text, int) IS
  'the next ID of generator instagram in the shard of a key; for defaults of columns';

CREATE FUNCTION uuidv7_id() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv7_nextval';
COMMENT ON FUNCTION uuidv7_id() IS
  'a UUID of version 7, greater than any before; for defaults of columns';

CREATE FUNCTION uuidv7_id(shift interval) RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv7_nextval_shifted';
COMMENT ON FUNCTION uuidv7_id(interval) IS
  'a UUID of version 7 whose time is moved by an interval; for defaults of columns';

CREATE FUNCTION uuidv8_id() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv8_nextval';
COMMENT ON FUNCTION uuidv8_id() IS
  'a UUID of version 8 with this server''s identity, greater than any before; for defaults of columns';

CREATE FUNCTION uuidv6_id() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv6_nextval';
COMMENT ON FUNCTION uuidv6_id() IS
  'a UUID of version 6, greater than any before; for defaults of columns';

CREATE FUNCTION uuidv1_id() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv1_nextval';
COMMENT ON FUNCTION uuidv1_id() IS
  'a UUID of version 1; for defaults of columns';

CREATE FUNCTION uuidv4_id() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_uuidv4_nextval';
COMMENT ON FUNCTION uuidv4_id() IS
  'a random UUID, version 4; for defaults of columns';

CREATE FUNCTION ulid_id() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ulid_nextval';
COMMENT ON FUNCTION ulid_id() IS
  'a ULID, greater than any before; for defaults of columns';

CREATE FUNCTION id128_id() RETURNS uuid
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_id128_nextval';
COMMENT ON FUNCTION id128_id() IS
  'an ID of 128 bits: nanoseconds, node, sequence, greater than any before; for defaults of columns';

CREATE FUNCTION ticket_id(sequence regclass) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ticket_nextval';
COMMENT ON FUNCTION ticket_id(regclass) IS
  'the next number of a sequence, handed out from shared memory; for defaults of columns';

-- The other end of a block ------------------------------------------------------------------

-- Some optimizers of ORMs take the value that they get for the first of a block, some for the last.
CREATE FUNCTION idgen_reserve_last(generator text, count int) RETURNS bigint
  LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
  RETURN idgen_reserve(generator, count) OPERATOR(pg_catalog.+) (count::pg_catalog.int8 OPERATOR(pg_catalog.-) 1::pg_catalog.int8);
COMMENT ON FUNCTION idgen_reserve_last(text, int) IS
  'the last of count consecutive integers that only this caller gets';

CREATE FUNCTION ticket_reserve_last(sequence regclass, count int) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_ticket_reserve_last';
COMMENT ON FUNCTION ticket_reserve_last(regclass, int) IS
  'the last of as many consecutive tickets of a sequence, all this caller''s';

-- Checking the configuration -------------------------------------------------------------------

CREATE FUNCTION idgen_get_findings(
    idgen_layout, mark_ms bigint, held_until_ms bigint, fresh_machine bigint,
    OUT severity text, OUT topic text, OUT message text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10
  SET search_path = pg_catalog, pg_temp
  AS 'MODULE_PATHNAME', 'idgen_get_findings';
COMMENT ON FUNCTION idgen_get_findings(idgen_layout, bigint, bigint, bigint) IS
  'what idgen_check_config() says of settings, clock, mark, registry and the server''s files';
CREATE FUNCTION idgen_check_generator(
    idgen_layout, generator text, datacenter_id int, machine_id int, shard_id int,
    OUT severity text, OUT topic text, OUT message text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1
  AS 'MODULE_PATHNAME', 'idgen_check_generator';
COMMENT ON FUNCTION idgen_check_generator(idgen_layout, text, int, int, int) IS
  'what idgen_check_config() says of a generator, with the identity of the settings or, where one is given, with that';
CREATE FUNCTION idgen_check_setting(name text, value text) RETURNS text
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_check_setting';
COMMENT ON FUNCTION idgen_check_setting(text, text) IS
  'why a session refuses a setting of idgen that its database or role has; NULL: it does not';

-- Columns and domains whose default makes an ID by a call of idgen, and nothing but that ID. `generator` is NULL where
-- no constant names it. With the search_path of this function all names in an expression have their schema.
CREATE FUNCTION idgen_get_defaults(
    OUT relation oid, OUT place text, OUT base_type oid, OUT type_modifier int, OUT type_name text,
    OUT generator text, OUT is_uuid boolean, OUT is_direct boolean)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH makers AS (
    SELECT p.oid, p.proname::text AS name, m.generator, m.is_uuid,
           pg_catalog.format('%I.%I(', n.nspname, p.proname) AS call
    FROM (VALUES
        ('snowflake_nextval()'::regprocedure::oid, 'snowflake_id()'::regprocedure::oid, 'snowflake'::text, false),
        ('instagram_nextval()'::regprocedure::oid, 'instagram_id()'::regprocedure::oid, 'instagram', false),
        ('instagram_nextval(int)'::regprocedure::oid, 'instagram_id(int)'::regprocedure::oid, 'instagram', false),
        ('instagram_nextval_for(text, int)'::regprocedure::oid, 'instagram_id_for(text, int)'::regprocedure::oid, 'instagram', false),
        ('idgen_nextval(text)'::regprocedure::oid, 'idgen_id(text)'::regprocedure::oid, NULL, false),
        ('idgen_nextval(text, int)'::regprocedure::oid, 'idgen_id(text, int)'::regprocedure::oid, NULL, false),
        ('uuidv7_nextval()'::regprocedure::oid, 'uuidv7_id()'::regprocedure::oid, NULL, true),
        ('uuidv7_nextval(interval)'::regprocedure::oid, 'uuidv7_id(interval)'::regprocedure::oid, NULL, true),
        ('uuidv8_nextval()'::regprocedure::oid, 'uuidv8_id()'::regprocedure::oid, NULL, true),
        ('uuidv6_nextval()'::regprocedure::oid, 'uuidv6_id()'::regprocedure::oid, NULL, true),
        ('uuidv1_nextval()'::regprocedure::oid, 'uuidv1_id()'::regprocedure::oid, NULL, true),
        ('uuidv4_nextval()'::regprocedure::oid, 'uuidv4_id()'::regprocedure::oid, NULL, true),
        ('ulid_nextval()'::regprocedure::oid, 'ulid_id()'::regprocedure::oid, NULL, true),
        ('id128_nextval()'::regprocedure::oid, 'id128_id()'::regprocedure::oid, NULL, true)) m(oid, alias, generator, is_uuid)
    JOIN pg_catalog.pg_proc p ON p.oid = ANY (ARRAY[m.oid, m.alias])
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  ), expressions AS (
    SELECT d.adrelid AS relation,
           pg_catalog.format('%s.%I', d.adrelid::regclass, a.attname) AS place,
           a.atttypid AS type, a.atttypmod AS modifier,
           pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expression, m.generator, m.is_uuid, m.name, m.call
    FROM makers m
    JOIN pg_catalog.pg_depend dep
      ON dep.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::regclass::oid AND dep.refobjid = m.oid
         AND dep.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::regclass::oid
    JOIN pg_catalog.pg_attrdef d ON d.oid = dep.objid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND NOT a.attisdropped
    UNION ALL
    SELECT 0::oid, pg_catalog.format('domain %s', pg_catalog.format_type(t.oid, NULL)), t.oid, -1,
           pg_catalog.pg_get_expr(t.typdefaultbin, 0::oid), m.generator, m.is_uuid, m.name, m.call
    FROM makers m
    JOIN pg_catalog.pg_depend dep
      ON dep.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::regclass::oid AND dep.refobjid = m.oid
         AND dep.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::regclass::oid
    JOIN pg_catalog.pg_type t ON t.oid = dep.objid
  )
  SELECT e.relation, e.place, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END,
         CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE e.modifier END,
         pg_catalog.format_type(e.type, e.modifier),
         coalesce(e.generator, pg_catalog.replace(named.part[1], '''''', '''')), e.is_uuid,
         pg_catalog.starts_with(pg_catalog.ltrim(e.expression, '('), e.call)
           AND pg_catalog.regexp_match(
                 pg_catalog.substr(pg_catalog.ltrim(e.expression, '('), pg_catalog.length(e.call) OPERATOR(pg_catalog.+) 1),
                 '^[^()]*\)+(::[a-z0-9 ]+(\([0-9,]+\))?\)*)*$') IS NOT NULL
  FROM expressions e
  JOIN pg_catalog.pg_type t ON t.oid = e.type
  LEFT JOIN LATERAL pg_catalog.regexp_matches(
      pg_catalog.replace(e.expression, e.call, pg_catalog.chr(1)),
      -- No identifier goes on before the call, and the first argument is a constant.
      '(?:^|[^[:alnum:]_$".])\u0001''((?:[^'']|'''')*)''::text', 'g') AS named(part)
    ON e.name = ANY (ARRAY['idgen_nextval', 'idgen_id']);
END;
COMMENT ON FUNCTION idgen_get_defaults() IS
  'the columns and domains of this database whose default makes an ID, and the generators that these name';

-- What a statement can see depends on its rights: none of this fails for lack of them.
CREATE FUNCTION idgen_check_config(
    OUT severity text, OUT topic text, OUT message text, OUT hint text)
  RETURNS SETOF record
  LANGUAGE sql VOLATILE PARALLEL UNSAFE
  SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH server AS MATERIALIZED (
    SELECT f.severity, f.topic, f.message, f.hint
    FROM idgen_get_mark() m,
         idgen_get_findings(NULL::idgen_layout, m.mark_ms, m.held_until_ms, m.fresh_machine) f
  ), defaults AS MATERIALIZED (
    SELECT d.relation, d.place, d.base_type, d.type_modifier, d.type_name, d.generator, d.is_uuid, d.is_direct
    FROM idgen_get_defaults() d
  ), generators AS MATERIALIZED (
    SELECT g.generator, g.problem, g.owner IS NOT NULL AND l.layout IS NULL AS is_users,
           (SELECT pg_catalog.sum(part[1]::int)::int
            FROM pg_catalog.regexp_matches(
                coalesce(b.fields, pg_catalog.split_part(g.layout::text, ', tick:', 1)), ':([0-9]+)', 'g') AS field(part)) AS bits
    FROM idgen_generators g
    LEFT JOIN idgen_layouts b ON b.owner IS NULL AND b.layout = g.layout::text
    LEFT JOIN idgen_layouts l ON l.owner IS NOT NULL AND l.layout = g.generator
  ), used AS MATERIALIZED (
    SELECT d.generator FROM defaults d WHERE d.generator IS NOT NULL
    UNION
    SELECT g.generator FROM generators g WHERE g.is_users AND g.problem IS NULL
  ), settings AS MATERIALIZED (
    SELECT s.setdatabase, s.setrole, pg_catalog.lower(pg_catalog.split_part(c.text, '=', 1)) AS name,
           pg_catalog.substr(c.text, pg_catalog.strpos(c.text, '=') OPERATOR(pg_catalog.+) 1) AS value,
           pg_catalog.concat_ws(' in ',
             CASE WHEN s.setrole <> 0::oid THEN pg_catalog.format('role %s', s.setrole::regrole) END,
             CASE WHEN s.setdatabase <> 0::oid THEN pg_catalog.format('database %I', b.datname) END) AS place
    FROM pg_catalog.pg_db_role_setting s
    LEFT JOIN pg_catalog.pg_database b ON b.oid = s.setdatabase,
         pg_catalog.unnest(s.setconfig) AS c(text)
    WHERE pg_catalog.starts_with(pg_catalog.lower(c.text), 'idgen.')
  ), identities AS (
    SELECT s.place, s.name, s.value, s.setdatabase = 0::oid OR b.oid IS NOT NULL AS is_here,
           CASE WHEN s.name = 'idgen.datacenter_id' THEN s.value::int END AS datacenter_id,
           CASE WHEN s.name = 'idgen.machine_id' THEN s.value::int END AS machine_id,
           CASE WHEN s.name = 'idgen.shard_id' THEN s.value::int END AS shard_id
    FROM settings s
    LEFT JOIN pg_catalog.pg_database b ON b.oid = s.setdatabase AND b.datname = pg_catalog.current_database()
    WHERE s.name = ANY (ARRAY['idgen.datacenter_id', 'idgen.machine_id', 'idgen.shard_id'])
      AND pg_catalog.regexp_match(s.value, '^[0-9]{1,9}$') IS NOT NULL
  ), findings(severity, topic, message, hint) AS (
    SELECT s.severity, s.topic, s.message, s.hint FROM server s

    -- Identities that others hold, where the registry itself was not asked.
    UNION ALL
    SELECT 'error', 'registry',
           pg_catalog.format('machine ID %s, shard %s, datacenter %s: %s',
                             coalesce(i.machine_id::text, '-'), coalesce(i.shard_id::text, '-'),
                             coalesce(i.datacenter_id::text, '-'), coalesce(i.error, i.state)),
           'See the view idgen_identity.'
    FROM idgen_identity i
    WHERE i.state = ANY (ARRAY['held by another', 'banned', 'none is free'])
      AND NOT EXISTS (SELECT FROM server s WHERE s.topic = 'registry')

    -- Rows of other writers come in, and nobody has given this server an identity.
    UNION ALL
    SELECT 'warning', 'identity',
           pg_catalog.format('%s receives rows by a subscription, and idgen.machine_id was never set', pg_catalog.min(d.place)),
           'Each server that writes needs a machine ID of its own. Set it, also where 0 is meant; and see idgen_check_identity().'
    FROM defaults d
    JOIN pg_catalog.pg_subscription_rel r ON r.srrelid = d.relation
    WHERE NOT d.is_uuid
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_settings p
                      WHERE p.name = ANY (ARRAY['idgen.machine_id', 'idgen.datacenter_id']) AND p.source <> 'default')
      AND EXISTS (SELECT FROM idgen_identity i WHERE i.source = 'setting' AND i.state = 'without a lease')
    HAVING pg_catalog.count(*) > 0::bigint

    -- Generators.
    UNION ALL
    SELECT f.severity, f.topic, pg_catalog.format('default of %s: %s', d.place, f.message), f.hint
    FROM used u, idgen_check_generator(NULL::idgen_layout, u.generator, NULL::int, NULL::int, NULL::int) f, defaults d
    WHERE f.topic = 'generator' AND d.generator = u.generator
    UNION ALL
    SELECT f.severity, f.topic, f.message, f.hint
    FROM used u, idgen_check_generator(NULL::idgen_layout, u.generator, NULL::int, NULL::int, NULL::int) f
    WHERE f.topic <> 'generator'
    UNION ALL
    SELECT 'error', 'generator', pg_catalog.format('generator "%s" is not valid: %s', g.generator, g.problem),
           'Use idgen_alter_generator() or idgen_drop_generator().'
    FROM generators g WHERE g.problem IS NOT NULL

    -- Columns that do not hold what their default makes.
    UNION ALL
    SELECT c.severity, 'column', pg_catalog.format('%s of type %s %s', d.place, d.type_name, c.what), c.hint
    FROM defaults d
    LEFT JOIN generators g ON g.generator = d.generator,
    LATERAL (SELECT CASE WHEN d.is_uuid THEN 36
                         ELSE pg_catalog.ceil(coalesce(g.bits, 63)::float8 * 0.30103::float8)::int END AS digits,
                    coalesce(g.bits, 63) AS bits) n,
    LATERAL (
      SELECT 'error', pg_catalog.format('cannot hold its default''s IDs of %s bits', n.bits),
             'Inserts fail, or will. Make it bigint.'
      WHERE NOT d.is_uuid AND ((d.base_type = 'int2'::regtype::oid AND n.bits > 15)
        OR (d.base_type = 'int4'::regtype::oid AND n.bits > 31) OR (d.base_type = 'oid'::regtype::oid AND n.bits > 32))
      UNION ALL
      SELECT 'error', pg_catalog.format('rounds its default''s IDs of %s bits', n.bits),
             'Different IDs become equal. Make it bigint.'
      WHERE NOT d.is_uuid AND ((d.base_type = 'float4'::regtype::oid AND n.bits > 24)
        OR (d.base_type = 'float8'::regtype::oid AND n.bits > 53))
      UNION ALL
      SELECT 'error', pg_catalog.format('has no room for its default''s IDs of %s digits', n.digits),
             'Inserts fail, or will. Make it bigint.'
      WHERE d.base_type = 'numeric'::regtype::oid AND d.type_modifier >= 4 AND NOT d.is_uuid
        AND ((d.type_modifier - 4) >> 16) - ((((d.type_modifier - 4) & 2047) # 1024) - 1024) < n.digits
      UNION ALL
      SELECT 'error', pg_catalog.format('has no room for its default''s IDs of %s characters', n.digits),
             CASE WHEN d.is_uuid THEN 'Inserts fail. Make it uuid.' ELSE 'Inserts fail, or will. Make it bigint.' END
      WHERE d.base_type = ANY (ARRAY['varchar'::regtype::oid, 'bpchar'::regtype::oid])
        AND d.type_modifier >= 4 AND d.type_modifier - 4 < n.digits
      UNION ALL
      SELECT 'notice', 'keeps its IDs as text',
             CASE WHEN d.is_uuid THEN 'The type uuid takes less than half of the space.'
                  ELSE 'bigint takes 8 bytes, and sorts as the IDs were made; texts of numbers do not.' END
      WHERE d.base_type = 'text'::regtype::oid OR (d.base_type = ANY (ARRAY['varchar'::regtype::oid, 'bpchar'::regtype::oid])
        AND (d.type_modifier < 4 OR d.type_modifier - 4 >= n.digits))
      UNION ALL
      SELECT 'notice', 'keeps integers in a type for fractions', 'bigint takes 8 bytes, and is faster to compare.'
      WHERE NOT d.is_uuid AND ((d.base_type = 'float8'::regtype::oid AND n.bits <= 53)
        OR (d.base_type = 'numeric'::regtype::oid AND (d.type_modifier < 4
            OR ((d.type_modifier - 4) >> 16) - ((((d.type_modifier - 4) & 2047) # 1024) - 1024) >= n.digits)))
    ) c(severity, what, hint)
    WHERE d.is_direct

    -- Settings of databases and roles.
    UNION ALL
    SELECT 'error', 'settings', pg_catalog.format('%s: %s', s.place, p.problem),
           pg_catalog.format('Its sessions make no IDs. Reset %s there.', s.name)
    FROM settings s, LATERAL (SELECT idgen_check_setting(s.name, s.value)) p(problem)
    WHERE p.problem IS NOT NULL
    UNION ALL
    SELECT f.severity, f.topic, pg_catalog.format('%s: %s', i.place, f.message), f.hint
    FROM identities i, used u,
         idgen_check_generator(NULL::idgen_layout, u.generator, i.datacenter_id, i.machine_id, i.shard_id) f
    WHERE i.is_here AND f.topic = 'identity'
    UNION ALL
    SELECT 'notice', f.topic, pg_catalog.format('%s: %s', i.place, f.message),
           'Call idgen_check_config() in that database.'
    FROM identities i,
         idgen_check_generator(NULL::idgen_layout, 'snowflake'::text, i.datacenter_id, i.machine_id, i.shard_id) f
    WHERE NOT i.is_here AND f.topic = 'identity'
    UNION ALL
    SELECT 'warning', 'clock', pg_catalog.format('%s: idgen.clock_regression is lead', s.place),
           'Sessions in other modes fail when these are ahead of the clock. Set it for the whole server.'
    FROM settings s WHERE s.name = 'idgen.clock_regression' AND s.value = 'lead'

    -- Sequences of ticket servers.
    UNION ALL
    SELECT 'error', 'segments',
           pg_catalog.format('sequence %s takes its numbers from a ticket server, and idgen.ticket_servers is not set', q.seqrelid::regclass),
           'Set it, or ALTER SEQUENCE ... MINVALUE 1 RESTART beyond all numbers in use.'
    FROM pg_catalog.pg_sequence q, pg_catalog.pg_settings p
    WHERE q.seqmin = 9223372036854775806::bigint AND p.name = 'idgen.ticket_servers' AND p.setting = ''

    -- A standby. Only a clock that is behind is certain: messages take time.
    UNION ALL
    SELECT 'warning', 'standby', 'clock of this standby is behind its primary''s',
           pg_catalog.format('By %s at least. After a promotion IDs have to wait for the time that the primary had reached.',
                             w.last_msg_send_time - w.last_msg_receipt_time)
    FROM pg_catalog.pg_stat_wal_receiver w
    WHERE w.last_msg_send_time - w.last_msg_receipt_time > '500 ms'::interval

    -- The extension itself.
    UNION ALL
    SELECT 'notice', 'version', pg_catalog.format('extension idgen is version %s, and %s is installed', e.extversion, a.default_version),
           'Use ALTER EXTENSION idgen UPDATE.'
    FROM pg_catalog.pg_extension e
    JOIN pg_catalog.pg_available_extensions a ON a.name = e.extname
    WHERE e.extname = 'idgen' AND e.extversion <> a.default_version
    UNION ALL
    SELECT 'error', 'mark', 'trigger of table idgen_restore does not always fire',
           'Restoring a dump here fails. Use ALTER TABLE idgen_restore ENABLE ALWAYS TRIGGER idgen_restore_mark.'
    FROM pg_catalog.pg_trigger t
    WHERE t.tgrelid OPERATOR(pg_catalog.=) 'idgen_restore'::regclass::oid AND t.tgname = 'idgen_restore_mark' AND t.tgenabled <> 'A'
    UNION ALL
    SELECT 'warning', 'privileges', pg_catalog.format('everybody may %s', p.what), p.hint
    FROM (
      SELECT pg_catalog.format('call %s', f.oid::regprocedure), 'It concerns all users. REVOKE EXECUTE FROM PUBLIC.', f.proacl, 'EXECUTE'
      FROM pg_catalog.pg_proc f
      WHERE f.oid = ANY (ARRAY['idgen_observe(text, bigint)'::regprocedure::oid, 'hlc_observe(bigint)'::regprocedure::oid,
        'idgen_start_over(int)'::regprocedure::oid, 'idgen_accept_clock()'::regprocedure::oid,
        'idgen_registry_list()'::regprocedure::oid, 'idgen_registry_release(int, int, int)'::regprocedure::oid,
        'idgen_registry_ban(int, boolean, int, int)'::regprocedure::oid])
      UNION ALL
      SELECT 'create layouts and generators', 'With a generator one can take another server''s identity. REVOKE USAGE ON FOREIGN DATA WRAPPER idgen FROM PUBLIC.',
             w.fdwacl, 'USAGE'
      FROM pg_catalog.pg_foreign_data_wrapper w WHERE w.fdwname = 'idgen'
      UNION ALL
      SELECT pg_catalog.format('set %s', a.parname), 'It concerns all users. REVOKE SET ON PARAMETER FROM PUBLIC.', a.paracl, 'SET'
      FROM pg_catalog.pg_parameter_acl a WHERE pg_catalog.starts_with(a.parname, 'idgen.')
      UNION ALL
      SELECT pg_catalog.format('create functions in schema %I, which is idgen''s', n.nspname),
             'Calls without the schema may then go to another function. REVOKE CREATE ON SCHEMA FROM PUBLIC.', n.nspacl, 'CREATE'
      FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'idgen'
    ) p(what, hint, acl, privilege), pg_catalog.aclexplode(p.acl) AS a
    WHERE a.grantee OPERATOR(pg_catalog.=) 0::oid AND a.privilege_type = p.privilege
  )
  SELECT f.severity, f.topic, f.message, f.hint
  FROM (SELECT DISTINCT x.severity, x.topic, x.message, x.hint FROM findings x) f
  ORDER BY pg_catalog.array_position(ARRAY['error', 'warning', 'notice'], f.severity),
           f.topic COLLATE pg_catalog."C", f.message COLLATE pg_catalog."C", f.hint COLLATE pg_catalog."C";
END;
COMMENT ON FUNCTION idgen_check_config() IS
  'what is wrong or unwise about the configuration of this server and database, worst first; no rows: nothing';

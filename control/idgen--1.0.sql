\echo Use "CREATE EXTENSION idgen" to load this file. \quit

-- The high-water mark: a time in milliseconds since 1970 that no ID handed out in this
-- database is later than. Written ahead of use by the functions below; part of a dump.
CREATE SEQUENCE idgen_high_water_mark AS bigint MINVALUE 0 START WITH 0 NO CYCLE;
COMMENT ON SEQUENCE idgen_high_water_mark IS
  'idgen: no ID of a later time (milliseconds since 1970) was handed out in this database';
SELECT pg_catalog.pg_extension_config_dump('idgen_high_water_mark', '');

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

-- What this session made is not known to a parallel worker: restricted to the leader.
CREATE FUNCTION snowflake_currval() RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_snowflake_currval';
COMMENT ON FUNCTION snowflake_currval() IS
  'the last ID of generator snowflake that this session made';

CREATE FUNCTION idgen_nextval(generator text) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_nextval';
COMMENT ON FUNCTION idgen_nextval(text) IS 'the next ID of a generator';

CREATE FUNCTION idgen_nextval_batch(generator text, count int) RETURNS SETOF bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000
  AS 'MODULE_PATHNAME', 'idgen_nextval_batch';
COMMENT ON FUNCTION idgen_nextval_batch(text, int) IS 'count IDs of a generator, increasing';

CREATE FUNCTION idgen_currval(generator text) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
  AS 'MODULE_PATHNAME', 'idgen_currval';
COMMENT ON FUNCTION idgen_currval(text) IS
  'the last ID of a generator that this session made';

CREATE FUNCTION idgen_reserve(generator text, count int) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_reserve';
COMMENT ON FUNCTION idgen_reserve(text, int) IS
  'the first of count consecutive integers, all this caller''s';

CREATE FUNCTION idgen_observe(generator text, id bigint) RETURNS bigint
  LANGUAGE C VOLATILE STRICT PARALLEL SAFE
  AS 'MODULE_PATHNAME', 'idgen_observe';
COMMENT ON FUNCTION idgen_observe(text, bigint) IS
  'makes the next ID of a generator greater than id';
-- It moves the IDs of all users of the generator: not for everybody.
REVOKE EXECUTE ON FUNCTION idgen_observe(text, bigint) FROM PUBLIC;

-- Decoding ----------------------------------------------------------------------------

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

\echo Use "CREATE EXTENSION idgen_compat" to load this file. \quit

SELECT idgen_library_version('1.0'::pg_catalog.text);

-- Applications put this schema into their search_path, before pg_catalog even. So it must not be there yet, it belongs
-- to whoever owns PostgreSQL's own schemas, and nobody else may create anything in it.
CREATE SCHEMA idgen_compat;
COMMENT ON SCHEMA idgen_compat IS 'idgen: functions that clients find by their search_path';
GRANT USAGE ON SCHEMA idgen_compat TO PUBLIC;

CREATE FUNCTION idgen_compat.nextval(sequence pg_catalog.text) RETURNS pg_catalog.int8
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_compat_nextval';
COMMENT ON FUNCTION idgen_compat.nextval(pg_catalog.text) IS
  'the next number of a sequence; of one whose comment is idgen: GENERATOR, a block of the generator''s IDs';
CREATE FUNCTION idgen_compat.currval(sequence pg_catalog.text) RETURNS pg_catalog.int8
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_compat_currval';
COMMENT ON FUNCTION idgen_compat.currval(pg_catalog.text) IS
  'the number that nextval() returned last for a sequence in this session';
CREATE FUNCTION idgen_compat.lastval() RETURNS pg_catalog.int8
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_compat_lastval';
COMMENT ON FUNCTION idgen_compat.lastval() IS
  'the last number of any sequence, and the last ID of any generator, whichever this session got last';
CREATE FUNCTION idgen_compat.setval(sequence pg_catalog.text, value pg_catalog.int8) RETURNS pg_catalog.int8
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_compat_setval';
COMMENT ON FUNCTION idgen_compat.setval(pg_catalog.text, pg_catalog.int8) IS
  'sets a sequence; of one whose comment names a generator, checks that the next numbers are greater';
CREATE FUNCTION idgen_compat.setval(sequence pg_catalog.text, value pg_catalog.int8, is_called pg_catalog.bool)
  RETURNS pg_catalog.int8
  LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
  AS 'MODULE_PATHNAME', 'idgen_compat_setval_called';
COMMENT ON FUNCTION idgen_compat.setval(pg_catalog.text, pg_catalog.int8, pg_catalog.bool) IS
  'sets a sequence; of one whose comment names a generator, checks that the next numbers are greater';

-- lastval() takes a number of it at each look (src/pg/compat/last_value.h). No other sequence has such numbers. It is not
-- logged, so that a look writes nothing; nobody may use it, so that nobody can take them for keys.
CREATE UNLOGGED SEQUENCE idgen_compat.idgen_compat_looks AS pg_catalog.int8
  MINVALUE -9223372036854775808 MAXVALUE -9200000000000000000 START WITH -9223372036854775808 CACHE 1000 CYCLE;
COMMENT ON SEQUENCE idgen_compat.idgen_compat_looks IS 'idgen_compat: of no use to anybody else';
REVOKE ALL ON SEQUENCE idgen_compat.idgen_compat_looks FROM PUBLIC;

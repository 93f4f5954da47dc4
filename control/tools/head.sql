\echo Use "CREATE EXTENSION idgen_tools" to load this file. \quit

-- SQL and PL/pgSQL only. The functions call idgen's, which must not be found by a search_path: SQL bodies are bound
-- when they are created (BEGIN ATOMIC), in the one schema that both extensions are in.
DO $$
DECLARE
  wanted pg_catalog.name := (SELECT n.nspname FROM pg_catalog.pg_extension e
                             JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
                             WHERE e.extname OPERATOR(pg_catalog.=) 'idgen');
BEGIN
  IF wanted OPERATOR(pg_catalog.<>) '@extschema@' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = 'extension "idgen_tools" must be in the schema of extension "idgen"',
      HINT = pg_catalog.format('Use CREATE EXTENSION idgen_tools SCHEMA %I.', wanted);
  END IF;
END $$;

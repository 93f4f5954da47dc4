
-- Migration of keys: the way back, and the end -----------------------------------------------------------

-- Takes the triggers away. What is gone already does no harm.
CREATE FUNCTION idgen_tools_drop_triggers(m idgen_migration) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  k @extschema@.idgen_migration_column;
  schema name := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = m.relation);
BEGIN
  FOR k IN SELECT * FROM @extschema@.idgen_migration_column s
           WHERE s.relation = m.relation AND s.column_name = m.column_name AND s.new_number IS NOT NULL LOOP
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = k.member) THEN
      EXECUTE format('DROP TRIGGER IF EXISTS zz_idgen_%s ON %s', k.old_number, k.member::regclass);
    END IF;
    EXECUTE format('DROP FUNCTION IF EXISTS %I.%I()', schema, k.function_name);
  END LOOP;
END $$;
COMMENT ON FUNCTION idgen_tools_drop_triggers(idgen_migration) IS 'idgen: takes the triggers of a migration away';

CREATE FUNCTION idgen_tools_forget(m idgen_migration) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM @extschema@.idgen_migration_object s WHERE s.relation = m.relation AND s.column_name = m.column_name;
  DELETE FROM @extschema@.idgen_migration_column s WHERE s.relation = m.relation AND s.column_name = m.column_name;
  DELETE FROM @extschema@.idgen_migration s WHERE s.relation = m.relation AND s.column_name = m.column_name;
END $$;
COMMENT ON FUNCTION idgen_tools_forget(idgen_migration) IS 'idgen: deletes the state of a migration';

-- Keeps the mapping, without the defaults that made keys.
CREATE FUNCTION idgen_tools_keep_mapping(m idgen_migration) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_class c WHERE c.oid = m.mapping) THEN
    EXECUTE format('ALTER TABLE %s ALTER COLUMN old_key DROP DEFAULT, ALTER COLUMN new_key DROP DEFAULT', m.mapping::regclass);
    RAISE NOTICE 'table % has the old and the new keys', m.mapping::regclass;
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_keep_mapping(idgen_migration) IS 'idgen: leaves the mapping to its owner';

-- Drops one of each pair of columns, with the indexes and constraints on it.
CREATE FUNCTION idgen_tools_drop_columns(m idgen_migration, old boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  statement text;
BEGIN
  FOREACH statement IN ARRAY ARRAY(
    SELECT format('ALTER TABLE %s DROP COLUMN %I', k.member::regclass, a.attname)
    FROM @extschema@.idgen_migration_column k
    JOIN pg_attribute a ON a.attrelid = k.member AND a.attnum = CASE WHEN old THEN k.old_number ELSE k.new_number END
      AND NOT a.attisdropped AND a.attname = CASE WHEN old THEN k.old_name ELSE k.new_name END
    WHERE k.relation = m.relation AND k.column_name = m.column_name
    ORDER BY k.number DESC) LOOP
    EXECUTE statement;
  END LOOP;
END $$;
COMMENT ON FUNCTION idgen_tools_drop_columns(idgen_migration, boolean) IS 'idgen: drops the old or the new columns';

CREATE FUNCTION idgen_tools_roll_back(relation regclass, column_name name, lock_timeout interval) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  m @extschema@.idgen_migration := @extschema@.idgen_tools_lock(relation, column_name);
  was_live boolean := m.state = 'cut over';
  statement text;
BEGIN
  IF m.state = 'rolled back' THEN
    RETURN true;
  END IF;
  IF was_live AND m.old_default IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('the migration of column "%s" of table %s cannot be rolled back after the cutover', column_name, relation),
      DETAIL = 'The old key had no default, so rows that were written since have no old key.';
  END IF;
  BEGIN
    PERFORM @extschema@.idgen_tools_lock_tables(m, was_live, lock_timeout);
    IF was_live THEN
      PERFORM @extschema@.idgen_tools_check(m);
      FOREACH statement IN ARRAY ARRAY(SELECT s.statement FROM @extschema@.idgen_tools_swap_statements(m, true) s) LOOP
        EXECUTE statement;
      END LOOP;
      PERFORM @extschema@.idgen_tools_keep_mapping(m);
    ELSE
      FOREACH statement IN ARRAY ARRAY(
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', o.member::regclass, o.new_name)
        FROM @extschema@.idgen_migration_object o
        JOIN pg_constraint c ON c.conrelid = o.member AND c.conname = o.new_name AND c.contype = 'f'
        WHERE o.relation = relation AND o.column_name = column_name AND o.kind = 'foreign key') LOOP
        EXECUTE statement;
      END LOOP;
    END IF;
    PERFORM @extschema@.idgen_tools_drop_triggers(m);
    PERFORM @extschema@.idgen_tools_drop_columns(m, false);
    IF NOT was_live THEN
      FOREACH statement IN ARRAY ARRAY(
        SELECT format('DROP INDEX %s', c.oid::regclass)
        FROM @extschema@.idgen_migration_object o JOIN pg_index i ON i.indrelid = o.member
        JOIN pg_class c ON c.oid = i.indexrelid AND c.relname = @extschema@.idgen_tools_name(o.name::text, '_idgen_back', o.number::bigint)
        WHERE o.relation = relation AND o.column_name = column_name AND o.back_statement IS NOT NULL
        UNION ALL
        SELECT format('DROP TABLE %s', c.oid::regclass) FROM pg_class c WHERE c.oid IN (m.mapping, m.work)) LOOP
        EXECUTE statement;
      END LOOP;
    END IF;
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = m.new_sequence) THEN
      EXECUTE format('DROP SEQUENCE %s', m.new_sequence::regclass);
    END IF;
    PERFORM set_config('lock_timeout', '0', true);
  EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN false;
  END;
  IF was_live THEN
    UPDATE @extschema@.idgen_migration s SET state = 'rolled back' WHERE s.relation = relation AND s.column_name = column_name;
  ELSE
    PERFORM @extschema@.idgen_tools_forget(m);
    RAISE NOTICE 'migration of % of % is rolled back', column_name, relation;
  END IF;
  RETURN true;
END $$;
COMMENT ON FUNCTION idgen_tools_roll_back(regclass, name, interval) IS 'idgen: one attempt to roll back';

-- After a way back from the cutover the old foreign keys still have to be validated. That takes no lock that writers wait for.
CREATE FUNCTION idgen_tools_validate(relation regclass, column_name name) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  m @extschema@.idgen_migration;
  statement text;
BEGIN
  IF @extschema@.idgen_tools_state(relation, column_name) IS NULL THEN
    RETURN true;
  END IF;
  m := @extschema@.idgen_tools_lock(relation, column_name);
  SELECT format('ALTER TABLE %s VALIDATE CONSTRAINT %I', o.member::regclass, o.name) INTO statement
  FROM @extschema@.idgen_migration_object o
  JOIN pg_constraint c ON c.conrelid = o.member AND c.conname = o.name AND c.contype = 'f' AND NOT c.convalidated
  WHERE o.relation = relation AND o.column_name = column_name ORDER BY o.number LIMIT 1;
  IF statement IS NOT NULL THEN
    EXECUTE statement;
    RETURN false;
  END IF;
  PERFORM @extschema@.idgen_tools_forget(m);
  RAISE NOTICE 'migration of % of % is rolled back', column_name, relation;
  RETURN true;
END $$;
COMMENT ON FUNCTION idgen_tools_validate(regclass, name) IS 'idgen: validates one foreign key after the way back';

CREATE PROCEDURE idgen_migration_roll_back(
    relation regclass, column_name name, lock_timeout interval DEFAULT '1 s', attempts int DEFAULT 60)
LANGUAGE plpgsql
AS $$
BEGIN
  CALL @extschema@.idgen_tools_attempts(
    'SELECT @extschema@.idgen_tools_roll_back($1, $2, $3)', relation, column_name, lock_timeout, attempts, 'all tables at once');
  COMMIT;
  SET LOCAL search_path = pg_catalog, pg_temp;
  WHILE NOT @extschema@.idgen_tools_validate(relation, column_name) LOOP
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
  END LOOP;
END $$;
COMMENT ON PROCEDURE idgen_migration_roll_back(regclass, name, interval, int) IS
  'undoes a migration, at any time before its end';

CREATE FUNCTION idgen_tools_finish(relation regclass, column_name name, drop_mapping boolean, lock_timeout interval) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  m @extschema@.idgen_migration := @extschema@.idgen_tools_lock(relation, column_name);
  wanted text;
  shared oid;
BEGIN
  PERFORM @extschema@.idgen_tools_require(m, '{cut over}'::text[], 'A migration is finished after its cutover.');
  BEGIN
    PERFORM @extschema@.idgen_tools_lock_tables(m, false, lock_timeout);
    PERFORM @extschema@.idgen_tools_check(m);
    PERFORM @extschema@.idgen_tools_drop_triggers(m);
    IF drop_mapping THEN
      EXECUTE format('DROP TABLE %s', m.mapping::regclass);
    ELSE
      PERFORM @extschema@.idgen_tools_keep_mapping(m);
    END IF;
    -- A sequence that others use too stays.
    SELECT s.objid INTO shared
    FROM @extschema@.idgen_migration_column k
    JOIN pg_depend s ON s.classid = 'pg_class'::regclass AND s.refclassid = 'pg_class'::regclass AND s.refobjid = k.member
      AND s.refobjsubid = k.old_number AND s.deptype = 'a'
    JOIN pg_class c ON c.oid = s.objid AND c.relkind = 'S'
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.objid AND d.deptype = 'n'
    LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
    WHERE k.relation = relation AND k.column_name = column_name AND (f.adrelid, f.adnum) IS DISTINCT FROM (k.member, k.old_number)
    LIMIT 1;
    IF shared IS NOT NULL THEN
      EXECUTE format('ALTER SEQUENCE %s OWNED BY NONE', shared::regclass);
      RAISE NOTICE 'sequence % stays, since others use it', shared::regclass;
    END IF;
    PERFORM @extschema@.idgen_tools_drop_columns(m, true);
    IF m.new_sequence IS NOT NULL THEN
      EXECUTE format('ALTER SEQUENCE %s OWNED BY %s.%I', m.new_sequence::regclass, relation, column_name);
      SELECT @extschema@.idgen_tools_name(c.relname || '_' || column_name, '_seq', 1::bigint) INTO wanted FROM pg_class c WHERE c.oid = relation;
      IF NOT EXISTS (SELECT FROM pg_class c JOIN pg_class r ON r.relnamespace = c.relnamespace
                     WHERE c.oid = m.new_sequence AND r.relname = wanted) THEN
        EXECUTE format('ALTER SEQUENCE %s RENAME TO %I', m.new_sequence::regclass, wanted);
      END IF;
    END IF;
    PERFORM set_config('lock_timeout', '0', true);
  EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN false;
  END;
  PERFORM @extschema@.idgen_tools_forget(m);
  RAISE NOTICE 'migration of % of % is finished', column_name, relation;
  RETURN true;
END $$;
COMMENT ON FUNCTION idgen_tools_finish(regclass, name, boolean, interval) IS 'idgen: one attempt to finish';

CREATE PROCEDURE idgen_migration_finish(
    relation regclass, column_name name, drop_mapping boolean DEFAULT false, lock_timeout interval DEFAULT '1 s',
    attempts int DEFAULT 60)
LANGUAGE plpgsql
AS $$
BEGIN
  CALL @extschema@.idgen_tools_attempts(
    'SELECT @extschema@.idgen_tools_finish($1, $2, $4::boolean, $3)', relation, column_name, lock_timeout, attempts,
    'all tables at once', drop_mapping::pg_catalog.text);
END $$;
COMMENT ON PROCEDURE idgen_migration_finish(regclass, name, boolean, interval, int) IS
  'drops the old columns; after this there is no way back';

-- What the next step would complain about, or NULL.
CREATE FUNCTION idgen_tools_complaint(m idgen_migration) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  detail text;
BEGIN
  IF m.state <> 'rolled back' THEN
    PERFORM @extschema@.idgen_tools_check(m);
  END IF;
  RETURN NULL;
EXCEPTION WHEN object_not_in_prerequisite_state OR undefined_table OR undefined_column THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN coalesce(nullif(detail, ''), SQLERRM);
END $$;
COMMENT ON FUNCTION idgen_tools_complaint(idgen_migration) IS 'idgen: what is wrong with the tables of a migration';

CREATE VIEW idgen_migrations WITH (security_invoker = true) AS
  SELECT s.relation::pg_catalog.regclass AS relation, s.column_name, s.target, s.state, s.rows_done, s.rows_estimated, s.started,
         CASE WHEN s.spent OPERATOR(pg_catalog.>) '0'::pg_catalog.interval
              THEN pg_catalog.round(s.rows_done::pg_catalog.numeric OPERATOR(pg_catalog./) extract(epoch FROM s.spent)) END AS rate,
         s.mapping::pg_catalog.regclass AS mapping,
         idgen_tools_complaint(s) AS problems
  FROM idgen_migration s;
COMMENT ON VIEW idgen_migrations IS 'idgen: the migrations of keys that are under way, of tables that are yours';
GRANT SELECT ON idgen_migrations TO PUBLIC;

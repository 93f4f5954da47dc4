
-- Migration of keys: constraints of the new columns, and whether all is right --------------------------

CREATE FUNCTION idgen_tools_require(m idgen_migration, states text[], hint text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF m.state <> ALL (states) THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('migration of column "%s" of table %s is in state "%s"', m.column_name, m.relation::regclass, m.state),
      HINT = hint;
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_require(idgen_migration, text[], text) IS 'idgen: reports an error if a step comes at the wrong time';

-- Reports the indexes that are missing or not valid. They are made by statements of the plan.
CREATE FUNCTION idgen_tools_check_indexes(m idgen_migration) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  missing text := (
    SELECT string_agg(s.name, ', ') FROM (
      SELECT o.new_name AS name, o.member FROM @extschema@.idgen_migration_object o
      WHERE o.relation = m.relation AND o.column_name = m.column_name AND o.kind <> 'foreign key'
      UNION ALL
      SELECT @extschema@.idgen_tools_name(o.name::text, '_idgen_back', o.number::bigint), o.member FROM @extschema@.idgen_migration_object o
      WHERE o.relation = m.relation AND o.column_name = m.column_name AND o.back_statement IS NOT NULL) s
    WHERE NOT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                      WHERE i.indrelid = s.member AND c.relname = s.name AND i.indisvalid AND i.indisready AND i.indislive));
BEGIN
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('indexes are missing or not valid: %s', missing),
      HINT = 'Run the plan of idgen_plan_migration() again: it has the statements that make them.';
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_check_indexes(idgen_migration) IS 'idgen: reports indexes of a migration that are missing';

-- The statements that are still needed for the constraints, in their order. The last one of a pair of columns sees that they always
-- say the same, in both directions; for columns that are not null anyway, that nobody writes a row without a new key.
CREATE FUNCTION idgen_tools_next_constraint(m idgen_migration, OUT statement text, OUT tables oid[], OUT mode text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT s.statement, s.tables,
         CASE WHEN s.validates THEN 'SHARE UPDATE EXCLUSIVE' WHEN s.part = 1 THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END
  INTO statement, tables, mode
  FROM (
    SELECT k.number AS n, 1 AS part, ARRAY[k.member] AS tables, c.oid IS NOT NULL AND NOT c.convalidated AS validates, CASE
      WHEN k.not_null AND a.attnotnull AND c.oid IS NULL THEN NULL
      WHEN k.not_null AND a.attnotnull THEN format('ALTER TABLE %s DROP CONSTRAINT %I', k.member::regclass, k.check_name)
      WHEN c.oid IS NULL THEN format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s) NOT VALID', k.member::regclass, k.check_name,
             CASE WHEN k.not_null THEN format('%I IS NOT NULL', k.new_name)
                  ELSE format('(%I IS NULL) = (%I IS NULL)', k.name, k.new_name) END)
      WHEN NOT c.convalidated THEN format('ALTER TABLE %s VALIDATE CONSTRAINT %I', k.member::regclass, k.check_name)
      WHEN k.not_null THEN format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', k.member::regclass, k.new_name) END AS statement
    FROM @extschema@.idgen_migration_column k
    JOIN pg_attribute a ON a.attrelid = k.member AND a.attnum = k.new_number
    LEFT JOIN pg_constraint c ON c.conrelid = k.member AND c.conname = k.check_name AND c.contype = 'c'
    WHERE k.relation = m.relation AND k.column_name = m.column_name
    UNION ALL
    SELECT o.number, 2, CASE WHEN c.oid IS NULL THEN ARRAY[o.member, f.confrelid] ELSE ARRAY[o.member] END, c.oid IS NOT NULL, CASE
      WHEN c.oid IS NULL THEN o.statement
      WHEN NOT c.convalidated THEN format('ALTER TABLE %s VALIDATE CONSTRAINT %I', o.member::regclass, o.new_name) END
    FROM @extschema@.idgen_migration_object o
    LEFT JOIN pg_constraint f ON f.conrelid = o.member AND f.conname = o.name AND f.contype = 'f'
    LEFT JOIN pg_constraint c ON c.conrelid = o.member AND c.conname = o.new_name AND c.contype = 'f'
    WHERE o.relation = m.relation AND o.column_name = m.column_name AND o.kind = 'foreign key') s
  WHERE s.statement IS NOT NULL
  ORDER BY s.part, s.n LIMIT 1;
END $$;
COMMENT ON FUNCTION idgen_tools_next_constraint(idgen_migration) IS 'idgen: the next statement for a migration''s constraints';

-- Adds or validates one constraint. Returns what is to be done again because a lock was not to be had, or NULL after the last.
CREATE FUNCTION idgen_tools_constrain(
    relation regclass, column_name name, lock_timeout interval, OUT finished boolean, OUT locked boolean)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  m @extschema@.idgen_migration := @extschema@.idgen_tools_lock(relation, column_name);
  wanted record;
BEGIN
  PERFORM @extschema@.idgen_tools_require(m, '{filled,constrained,verified,cut over}'::text[], 'Run idgen_migration_backfill() to its end.');
  locked := true;
  finished := m.state <> 'filled';
  IF finished THEN
    RETURN;
  END IF;
  PERFORM @extschema@.idgen_tools_check_triggers(m);
  wanted := @extschema@.idgen_tools_next_constraint(m);
  finished := wanted.statement IS NULL;
  IF NOT finished THEN
    PERFORM @extschema@.idgen_tools_check_indexes(m);
    locked := @extschema@.idgen_tools_try(wanted.statement, wanted.tables, wanted.mode, lock_timeout);
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_constrain(regclass, name, interval) IS 'idgen: adds or validates one constraint';

CREATE PROCEDURE idgen_migration_constrain(
    relation regclass, column_name name, lock_timeout interval DEFAULT '1 s', attempts int DEFAULT 60)
LANGUAGE plpgsql
AS $$
DECLARE
  attempt int;
  step pg_catalog.record;
BEGIN
  COMMIT;
  SET LOCAL search_path = pg_catalog, pg_temp;
  PERFORM @extschema@.idgen_tools_check(@extschema@.idgen_tools_lock(relation, column_name));
  attempt := 1;
  LOOP
    SELECT * INTO step FROM @extschema@.idgen_tools_constrain(relation, column_name, lock_timeout);
    EXIT WHEN step.finished;
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
    IF step.locked THEN
      attempt := 1;
    ELSE
      PERFORM @extschema@.idgen_tools_retry(attempt, attempts, 'the tables');
      attempt := attempt + 1;
      COMMIT;
      SET LOCAL search_path = pg_catalog, pg_temp;
    END IF;
  END LOOP;
  PERFORM @extschema@.idgen_tools_advance(relation, column_name, 'filled', 'constrained');
END $$;
COMMENT ON PROCEDURE idgen_migration_constrain(regclass, name, interval, int) IS
  'adds the constraints of the new columns: NOT NULL and the foreign keys';

-- Compares every row with the mapping, and the rows of every foreign key by old and by new keys.
CREATE FUNCTION idgen_tools_compare(relation regclass, column_name name) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  m @extschema@.idgen_migration;
  k @extschema@.idgen_migration_column;
  o @extschema@.idgen_migration_object;
  root @extschema@.idgen_migration_column;
  counted record;
  total bigint := 0;
  problems text[] := '{}';
BEGIN
  SELECT * INTO m FROM @extschema@.idgen_migration s WHERE s.relation = relation AND s.column_name = column_name;
  FOR k IN SELECT * FROM @extschema@.idgen_migration_column s WHERE s.relation = relation AND s.column_name = column_name
           ORDER BY s.number LOOP
    IF k.number = 1 THEN
      root := k;
    END IF;
    EXECUTE format(
      'SELECT count(*) AS all_rows, count(member.%1$I) AS old_keys, count(member.%2$I) AS new_keys,
              count(*) FILTER (WHERE member.%2$I IS DISTINCT FROM map.new_key) AS different, count(there.%5$I) AS joined
       FROM ONLY %3$s AS member LEFT JOIN %4$s AS map ON map.old_key = member.%1$I
       LEFT JOIN ONLY %7$s AS there ON there.%5$I = member.%1$I AND there.%6$I = member.%2$I',
      k.name, k.new_name, k.member::regclass, m.mapping::regclass, root.name, root.new_name, root.member::regclass)
    INTO counted;
    total := total + counted.all_rows;
    RAISE NOTICE '%.%: % rows, % old and % new keys', k.member::regclass, quote_ident(k.name), counted.all_rows, counted.old_keys,
      counted.new_keys;
    IF counted.different > 0 THEN
      problems := problems || format('%s rows of table %s have a new key in %s that is not that of the mapping.', counted.different,
                                     k.member::regclass, k.name);
    END IF;
    IF counted.old_keys <> counted.new_keys OR counted.joined <> counted.new_keys THEN
      problems := problems || format('Column %s of table %s has %s old and %s new keys, of which %s are those of a row of table %s.',
                                     k.name, k.member::regclass, counted.old_keys, counted.new_keys, counted.joined, relation);
    END IF;
  END LOOP;
  IF cardinality(problems) > 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'data_exception',
      MESSAGE = format('the new keys of column "%s" of table %s are not right', column_name, relation),
      DETAIL = array_to_string(problems, E'\n'),
      HINT = 'Somebody wrote into the new columns, or past the triggers. Setting a new column to NULL fills it anew. Or roll back.';
  END IF;
  RETURN total;
END $$;
COMMENT ON FUNCTION idgen_tools_compare(regclass, name) IS 'idgen: compares all rows with the mapping of a migration';

CREATE FUNCTION idgen_tools_begin_verify(relation regclass, column_name name) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  m @extschema@.idgen_migration := @extschema@.idgen_tools_lock(relation, column_name);
BEGIN
  IF m.state = 'cut over' THEN
    RETURN false;
  END IF;
  PERFORM @extschema@.idgen_tools_require(m, '{constrained,verified}'::text[], 'Run idgen_migration_constrain() to its end.');
  PERFORM @extschema@.idgen_tools_check(m);
  PERFORM @extschema@.idgen_tools_check_indexes(m);
  RETURN true;
END $$;
COMMENT ON FUNCTION idgen_tools_begin_verify(regclass, name) IS 'idgen: whether a migration can be verified';

-- It also waits for transactions that began before the tables were full: for them the new columns would be empty.
CREATE PROCEDURE idgen_migration_verify(relation regclass, column_name name, max_wait interval DEFAULT NULL)
LANGUAGE plpgsql
AS $$
BEGIN
  COMMIT;
  SET LOCAL search_path = pg_catalog, pg_temp;
  IF @extschema@.idgen_tools_begin_verify(relation, column_name) THEN
    COMMIT;
    CALL @extschema@.idgen_tools_wait(relation, column_name, max_wait);
    SET LOCAL search_path = pg_catalog, pg_temp;
    PERFORM @extschema@.idgen_tools_compare(relation, column_name);
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
    PERFORM @extschema@.idgen_tools_advance(relation, column_name, 'constrained', 'verified');
  END IF;
END $$;
COMMENT ON PROCEDURE idgen_migration_verify(regclass, name, interval) IS
  'compares all rows with the mapping and all foreign keys by old and new keys';


-- Migration of keys: the triggers -----------------------------------------------------------------
--
-- One function for each column, SECURITY DEFINER and owned by the owner of the tables: a role that may only insert into a
-- table needs no right to the mapping. It fills one column from the other: new = mapping(old) before the cutover, the
-- other way round after it. The mapping only grows, so both columns always say the same.
--
-- While the keys that are there are still being mapped, a trigger makes entries for new keys only: others would get an ID of now
-- instead of one of their time. It leaves NULL then, which the backfill finds. From state "filling" on all keys are mapped. A key that
-- is not belongs to a row that comes later in the same statement or transaction, or the foreign key will refuse it. It gets
-- its entry here. That this state is read as data, and not by another version of the function, lets the backfill
-- wait for transactions with an older snapshot.
CREATE FUNCTION idgen_tools_fill_function(m idgen_migration, k idgen_migration_column, reverse boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $maker$
DECLARE
  schema name := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = m.relation);
  given text := quote_ident(k.name);
  filled text := quote_ident(CASE WHEN reverse THEN k.old_name ELSE k.new_name END);
  from_key text := CASE WHEN reverse THEN 'new_key' ELSE 'old_key' END;
  to_key text := CASE WHEN reverse THEN 'old_key' ELSE 'new_key' END;
  root boolean := k.number = 1;
  make text;
BEGIN
  IF reverse AND m.old_default IS NULL THEN
    make := 'NULL;';
  ELSE
    -- Of two that make the entry of one key at a time, one waits for the other. If then it cannot see the other's, because its
    -- transaction has one snapshot, it has to be tried again.
    make := format($f$
    FOR attempt IN 1 .. 100 LOOP
      INSERT INTO %1$s AS map (%2$s) VALUES (%3$s) ON CONFLICT DO NOTHING RETURNING map.%4$s INTO key;
      EXIT WHEN FOUND;
      SELECT map.%4$s INTO key FROM %1$s AS map WHERE map.%5$s = NEW.%6$s;
      EXIT WHEN FOUND;
    END LOOP;
    IF key IS NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
        MESSAGE = 'could not serialize access due to concurrent migration of keys';
    END IF;$f$,
      m.mapping::regclass, from_key, 'NEW.' || given, to_key, from_key, given);
    IF reverse AND root THEN
      -- The old column may have a value from its own default, which is as good as another if it was never used.
      make := format($f$
    IF NEW.%1$s IS NOT NULL AND TG_OP = 'INSERT' THEN
      INSERT INTO %2$s AS map (old_key, new_key) VALUES (NEW.%1$s, NEW.%3$s) ON CONFLICT DO NOTHING RETURNING map.old_key INTO key;
    END IF;
    IF key IS NULL THEN%4$s
    END IF;$f$, filled, m.mapping::regclass, given, replace(make, E'\n', E'\n  '));
    END IF;
    IF NOT reverse THEN
      make := CASE WHEN root THEN format($f$
    IF TG_OP = 'UPDATE' AND NEW.%1$s = OLD.%1$s OR EXISTS (SELECT FROM ONLY %2$s AS other WHERE other.%1$s = NEW.%1$s) THEN
      -- A row that is there and is not mapped yet.
      NEW.%4$s := NULL;
      RETURN NEW;
    END IF;%3$s$f$, given, m.relation::regclass, make, filled)
      ELSE format($f$
    IF NOT EXISTS (SELECT FROM %1$s AS migration
                   WHERE migration.relation = %2$s AND migration.column_name = %3$L AND migration.state NOT IN ('preparing', 'mapping', 'ordering')) THEN
      NEW.%5$s := NULL;
      RETURN NEW;
    END IF;%4$s$f$, '@extschema@.idgen_migration', m.relation, m.column_name, make, filled) END;
    END IF;
  END IF;
  RETURN format($f$CREATE OR REPLACE FUNCTION %1$I.%2$I() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = on
AS $function$
#variable_conflict use_column
DECLARE
  key %3$s;
BEGIN
  IF NEW.%4$s IS NULL THEN
    NEW.%5$s := NULL;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF NEW.%4$s = OLD.%4$s AND NEW.%5$s IS NOT NULL AND (OLD.%5$s IS NULL OR NEW.%5$s = OLD.%5$s) THEN
      RETURN NEW;
    END IF;
  END IF;
  SELECT map.%6$s INTO key FROM %7$s AS map WHERE map.%8$s = NEW.%4$s;
  IF NOT FOUND THEN%9$s
  END IF;
  NEW.%5$s := key;
  RETURN NEW;
END $function$$f$,
    schema, k.function_name, CASE WHEN reverse THEN m.old_type ELSE m.new_type END, given, filled, to_key,
    m.mapping::regclass, from_key, E'\n    ' || ltrim(make, E'\n '));
END $maker$;
COMMENT ON FUNCTION idgen_tools_fill_function(idgen_migration, idgen_migration_column, boolean) IS
  'idgen: the trigger function that fills one of a pair of columns';

CREATE FUNCTION idgen_tools_trigger_reasons(m idgen_migration, OUT reason text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT format('trigger zz_idgen_%s of table %s is gone or was disabled, so rows may have been missed', k.old_number,
                k.member::regclass)
  FROM @extschema@.idgen_migration_column k
  WHERE k.relation = m.relation AND k.column_name = m.column_name AND k.new_number IS NOT NULL
    AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = k.member AND g.tgname = 'zz_idgen_' || k.old_number
                      AND g.tgenabled = 'A');
END $$;
COMMENT ON FUNCTION idgen_tools_trigger_reasons(idgen_migration) IS 'idgen: triggers of a migration that are gone or disabled';

-- The part of the check that is cheap enough for each batch.
CREATE FUNCTION idgen_tools_check_triggers(m idgen_migration) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM @extschema@.idgen_tools_trigger_reasons(m)) THEN
    PERFORM @extschema@.idgen_tools_check(m);
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_check_triggers(idgen_migration) IS 'idgen: whether the triggers of a migration are there';

-- Reports an error if the tables are not as they were when the migration began.
CREATE FUNCTION idgen_tools_check(m idgen_migration) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  number int2 := @extschema@.idgen_tools_column_number(m.relation::regclass, m.column_name);
  swapped boolean := m.state = 'cut over';
  reasons text[];
BEGIN
  reasons := ARRAY(SELECT f.reason FROM (
    SELECT p.problem FROM @extschema@.idgen_tools_problems(m.relation, number, m.old_type = m.new_type) p
    UNION ALL
    SELECT format('column %s of table %s refers to the key now', a.attname, f.member::regclass)
    FROM @extschema@.idgen_tools_members(m.relation, number) f
    JOIN pg_attribute a ON a.attrelid = f.member AND a.attnum = f.attnum
    WHERE NOT EXISTS (SELECT FROM @extschema@.idgen_migration_column k
                      WHERE k.relation = m.relation AND k.column_name = m.column_name AND k.member = f.member
                        AND f.attnum = CASE WHEN swapped THEN k.new_number ELSE k.old_number END)
    UNION ALL
    SELECT format('column %s of table %s is gone, or has another name, or does not refer to the key any more', k.name,
                  coalesce(c.relname, k.member::text))
    FROM @extschema@.idgen_migration_column k LEFT JOIN pg_class c ON c.oid = k.member
    WHERE k.relation = m.relation AND k.column_name = m.column_name
      AND NOT EXISTS (SELECT FROM @extschema@.idgen_tools_members(m.relation, number) f
                      JOIN pg_attribute a ON a.attrelid = f.member AND a.attnum = f.attnum
                      WHERE f.member = k.member AND a.attname = k.name
                        AND f.attnum = CASE WHEN swapped THEN k.new_number ELSE k.old_number END)
    UNION ALL
    SELECT format('%s %s of table %s is new or has changed', o.kind, o.name, o.member::regclass)
    FROM @extschema@.idgen_tools_objects(m.relation, number) o
    WHERE NOT EXISTS (SELECT FROM @extschema@.idgen_migration_object s
                      WHERE s.relation = m.relation AND s.column_name = m.column_name AND s.member = o.member
                        AND (s.kind = o.kind AND s.name = o.name AND (s.definition = o.definition OR swapped)
                             OR o.name = @extschema@.idgen_tools_name(s.name::text, '_idgen_back', s.number::bigint)))
    UNION ALL
    SELECT format('%s %s of table %s is gone or has changed', s.kind, s.name, s.member::regclass)
    FROM @extschema@.idgen_migration_object s
    WHERE s.relation = m.relation AND s.column_name = m.column_name
      AND NOT EXISTS (SELECT FROM @extschema@.idgen_tools_objects(m.relation, number) o
                      WHERE s.member = o.member AND s.kind = o.kind AND s.name = o.name
                        AND (s.definition = o.definition OR swapped))
    UNION ALL
    SELECT format('column %s of table %s is gone or has another name', k.new_name, k.member::regclass)
    FROM @extschema@.idgen_migration_column k
    WHERE k.relation = m.relation AND k.column_name = m.column_name AND k.new_number IS NOT NULL
      AND NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = k.member AND NOT a.attisdropped
                        AND a.attname = CASE WHEN swapped THEN k.name ELSE k.new_name END AND a.attnum = k.new_number)
    UNION ALL
    SELECT t.reason FROM @extschema@.idgen_tools_trigger_reasons(m) t
    UNION ALL
    SELECT 'the mapping table is gone'
    WHERE m.mapping IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = m.mapping AND c.relkind = 'r')) f(reason)
    ORDER BY f.reason COLLATE "C");
  IF cardinality(reasons) > 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('table %s has changed since the migration of column "%s" began', m.relation::regclass, m.column_name),
      DETAIL = array_to_string(ARRAY(SELECT upper(left(r, 1)) || substr(r, 2) || '.' FROM unnest(reasons) r), E'\n'),
      HINT = 'Undo the change, or use idgen_migration_roll_back() and begin again.';
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_check(idgen_migration) IS 'idgen: whether the tables are as a migration left them';


-- Migration of keys: the first step -------------------------------------------------------------------

CREATE FUNCTION idgen_tools_column_number(relation regclass, column_name name) RETURNS int2
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  result int2 := (SELECT a.attnum FROM pg_attribute a
                  WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped);
BEGIN
  IF relation IS NULL OR column_name IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'relation and column must not be null';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = relation) THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('relation with OID %s does not exist', relation::oid);
  END IF;
  IF result IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_column',
      MESSAGE = format('column "%s" of relation %s does not exist', column_name, relation);
  END IF;
  RETURN result;
END $$;
COMMENT ON FUNCTION idgen_tools_column_number(regclass, name) IS 'idgen: a column''s number, or an error';

-- The triggers of the members that a backfill would fire.
CREATE FUNCTION idgen_tools_update_triggers(relation oid, number int2, OUT member oid, OUT name name, OUT always boolean)
RETURNS SETOF record
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Triggers on the update of certain columns do not fire: the backfill changes only its own.
  RETURN QUERY
  SELECT g.tgrelid, g.tgname, g.tgenabled IN ('A', 'R')
  FROM pg_trigger g
  WHERE g.tgrelid IN (SELECT m.member FROM @extschema@.idgen_tools_members(relation, number) m)
    AND NOT g.tgisinternal AND g.tgtype & 16 <> 0 AND g.tgattr = ''::int2vector AND g.tgenabled <> 'D'
    AND g.tgname !~ '^zz_idgen_\d+$'
  ORDER BY g.tgrelid::regclass::text, g.tgname;
END $$;
COMMENT ON FUNCTION idgen_tools_update_triggers(oid, int2) IS 'idgen: the triggers that a backfill would fire';

-- All reasons why a table's key cannot be converted. Notes begin with "note:".
CREATE FUNCTION idgen_tools_reasons(
    relation regclass, column_name name, target text, created name, datacenter_id int, machine_id int, shard_id int,
    fire_triggers boolean, OUT reason text)
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  number int2 := @extschema@.idgen_tools_column_number(relation, column_name);
  wanted record;
  old_type oid;
  created_type oid;
BEGIN
  wanted := @extschema@.idgen_tools_target(target);
  SELECT a.atttypid INTO old_type FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum = number;
  RETURN QUERY SELECT p.problem FROM @extschema@.idgen_tools_problems(relation::oid, number, old_type = wanted.type) p;

  RETURN QUERY
  SELECT format('table %s is part of the migration of %s of table %s', k.member::regclass, k.column_name, k.relation::regclass)
  FROM @extschema@.idgen_migration_column k
  WHERE k.member IN (SELECT m.member FROM @extschema@.idgen_tools_members(relation::oid, number) m)
    AND (k.relation, k.column_name) <> (relation::oid, column_name) 
    AND (SELECT c.relowner FROM pg_class c WHERE c.oid = k.relation) = current_user::regrole;

  RETURN QUERY
  SELECT format('trigger %s of table %s would fire for each row: GRANT SET ON PARAMETER session_replication_role TO %I, or say'
                ' fire_triggers => true if that does no harm', g.name, g.member::regclass, current_user)
  FROM @extschema@.idgen_tools_update_triggers(relation::oid, number) g
  WHERE NOT fire_triggers AND (g.always OR NOT has_parameter_privilege('session_replication_role', 'SET'));

  IF created IS NULL THEN
    IF num_nonnulls(datacenter_id, machine_id, shard_id) > 0 THEN
      RETURN QUERY SELECT 'an identity is only for IDs of the past: name the column of creation times, or leave the identity out'::text;
    END IF;
    RETURN;
  END IF;
  SELECT a.atttypid INTO created_type FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = created AND a.attnum > 0;
  IF created_type IS NULL THEN
    RETURN QUERY SELECT format('column "%s" of relation %s does not exist', created, relation);
  ELSIF created_type NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) THEN
    RETURN QUERY SELECT format('column %s is of type %s: creation times are timestamptz, timestamp or date', created,
                               format_type(created_type, NULL));
  END IF;
  IF wanted.layout IS NOT NULL THEN
    RETURN QUERY SELECT p.problem FROM @extschema@.idgen_tools_identity_problems(
      target, wanted.layout, datacenter_id, machine_id, shard_id) p;
  ELSIF target NOT IN ('uuidv7', 'ulid') THEN
    RETURN QUERY SELECT format('keys of %s have no time in them: leave out the column of creation times', target);
  ELSIF num_nonnulls(datacenter_id, machine_id, shard_id) > 0 THEN
    RETURN QUERY SELECT format('IDs of %s have no identity', target);
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_reasons(regclass, name, text, name, int, int, int, boolean) IS
  'idgen: why a key cannot be converted, and what cannot be seen';

CREATE FUNCTION idgen_tools_refuse(relation regclass, column_name name, reasons text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF cardinality(reasons) > 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
      MESSAGE = format('cannot migrate column "%s" of table %s', column_name, relation),
      DETAIL = array_to_string(ARRAY(SELECT upper(left(r, 1)) || substr(r, 2) || '.' FROM unnest(reasons) r), E'\n');
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_refuse(regclass, name, text[]) IS 'idgen: reports why a key cannot be converted';

-- The state of a migration, locked until the end of the transaction, so that two sessions that run one step share its work.
CREATE FUNCTION idgen_tools_lock(relation regclass, column_name name) RETURNS idgen_migration
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  m @extschema@.idgen_migration;
BEGIN
  SELECT * INTO m FROM @extschema@.idgen_migration s
  WHERE s.relation = relation AND s.column_name = column_name FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM @extschema@.idgen_tools_column_number(relation, column_name);
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('no migration of column "%s" of table %s is under way', column_name, relation),
      HINT = 'Begin one with idgen_plan_migration(). Migrations are shown to the owner of the table.';
  END IF;
  IF (SELECT c.relowner FROM pg_class c WHERE c.oid = relation) <> current_user::regrole THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
      MESSAGE = format('must be owner of table %s', relation),
      HINT = 'Use SET ROLE: triggers and expressions of the table run with your rights.';
  END IF;
  RETURN m;
END $$;
COMMENT ON FUNCTION idgen_tools_lock(regclass, name) IS 'idgen: a migration, locked';

-- Writes down what has to be done. Everything after this works from these rows.
CREATE FUNCTION idgen_tools_begin(
    relation regclass, column_name name, target text, created name, datacenter_id int, machine_id int, shard_id int,
    fire_triggers boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  number int2 := @extschema@.idgen_tools_column_number(relation, column_name);
  m @extschema@.idgen_migration;
  wanted record;
  base text;
  schema oid;
  taken text;
BEGIN
  fire_triggers := coalesce(fire_triggers, false);
  SELECT * INTO m FROM @extschema@.idgen_migration s
  WHERE s.relation = relation AND s.column_name = column_name FOR UPDATE;
  IF FOUND THEN
    IF (m.target, m.created, m.datacenter_id, m.machine_id, m.shard_id, m.fire_triggers)
        IS DISTINCT FROM (target, created, datacenter_id, machine_id, shard_id, fire_triggers) THEN
      RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = format('another migration of column "%s" of table %s is under way, to %s', column_name, relation, m.target),
        HINT = 'Go on with its arguments, or end it with idgen_migration_roll_back().';
    END IF;
    RETURN;
  END IF;
  PERFORM @extschema@.idgen_tools_refuse(relation, column_name, ARRAY(
    SELECT r.reason FROM @extschema@.idgen_tools_reasons(relation, column_name, target, created, datacenter_id, machine_id, shard_id,
                                                         fire_triggers) r
    WHERE r.reason NOT LIKE 'note:%'));
  wanted := @extschema@.idgen_tools_target(target);
  IF wanted.layout IS NOT NULL THEN
    -- What is wrong with the generator or the server shows now, and not in the first insert.
    PERFORM @extschema@.idgen_tools_next(target);
  END IF;
  SELECT c.relname, c.relnamespace INTO base, schema FROM pg_class c WHERE c.oid = relation;

  m.relation := relation;
  m.column_name := column_name;
  m.target := target;
  m.created := created;
  m.time_zone := current_setting('TimeZone');
  m.datacenter_id := datacenter_id;
  m.machine_id := machine_id;
  m.shard_id := shard_id;
  m.fire_triggers := fire_triggers;
  SELECT a.atttypid,
         CASE WHEN a.attidentity <> '' THEN
                format('pg_catalog.nextval(%L::pg_catalog.regclass)', pg_get_serial_sequence(relation::text, column_name))
              ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), CASE a.atttypid WHEN 'uuid'::regtype THEN 'pg_catalog.gen_random_uuid()' END)
         END
  INTO m.old_type, m.old_default
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = relation AND a.attnum = number;
  m.new_type := wanted.type;
  m.new_default := coalesce(wanted.expression, '');
  m.state := 'preparing';
  m.rows_done := 0;
  m.rows_estimated := (SELECT sum(CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE pg_relation_size(c.oid) / 100 END
                                  * CASE WHEN c.oid <> relation THEN 1 WHEN created IS NULL THEN 2 ELSE 3 END)
                       FROM @extschema@.idgen_tools_members(relation::oid, number) f JOIN pg_class c ON c.oid = f.member);
  m.started := clock_timestamp();
  m.spent := '0';
  INSERT INTO @extschema@.idgen_migration SELECT m.*;

  INSERT INTO @extschema@.idgen_migration_column
  SELECT relation, column_name, row_number() OVER (), f.member, a.attname,
         @extschema@.idgen_tools_name(a.attname::text, '_idgen_new', a.attnum::bigint),
         @extschema@.idgen_tools_name(a.attname::text, '_idgen_old', a.attnum::bigint),
         a.attnum, NULL, a.attnotnull,
         @extschema@.idgen_tools_name(c.relname || '_' || a.attname, '_idgen_fill', a.attnum::bigint),
         @extschema@.idgen_tools_name(c.relname || '_' || a.attname, '_idgen_check', a.attnum::bigint)
  FROM @extschema@.idgen_tools_members(relation::oid, number) f
  JOIN pg_attribute a ON a.attrelid = f.member AND a.attnum = f.attnum
  JOIN pg_class c ON c.oid = f.member;

  WITH column_names AS (
    SELECT k.member, jsonb_object_agg(k.old_number, k.new_name) AS names, jsonb_object_agg(k.old_number, k.name) AS back
    FROM @extschema@.idgen_migration_column k
    WHERE k.relation = relation AND k.column_name = column_name GROUP BY k.member),
  table_names AS (
    SELECT jsonb_object_agg(n.member, n.names) AS names FROM column_names n),
  object AS (
    SELECT o.*, row_number() OVER (ORDER BY o.kind = 'foreign key', o.member::regclass::text, o.name) AS n
    FROM @extschema@.idgen_tools_objects(relation::oid, number) o)
  INSERT INTO @extschema@.idgen_migration_object
  SELECT relation, column_name, o.n, o.kind, o.member, o.name, named.new_name,
         @extschema@.idgen_tools_name(o.name::text, '_idgen_old', o.n::bigint), o.definition,
         CASE WHEN o.kind = 'foreign key'
              THEN @extschema@.idgen_tools_foreign_key_statement(o.object, named.new_name, t.names)
              ELSE @extschema@.idgen_tools_index_statement(o.object, named.new_name, c.names, m.old_type = m.new_type) END,
         CASE WHEN o.kind = 'primary key'
              THEN @extschema@.idgen_tools_index_statement(o.object, @extschema@.idgen_tools_name(o.name::text, '_idgen_back', o.n::bigint),
                                                           c.back, true) END,
         coalesce(i.indisreplident, false), coalesce(i.indisclustered, false)
  FROM object o JOIN column_names c ON c.member = o.member CROSS JOIN table_names t
  CROSS JOIN LATERAL (SELECT @extschema@.idgen_tools_name(o.name::text, '_idgen_new', o.n::bigint) AS new_name) named
  LEFT JOIN pg_index i ON o.kind <> 'foreign key' AND i.indexrelid = o.object;

  SELECT string_agg(s.shown, ', ') INTO taken FROM (
    SELECT format('column %s of table %s', a.attname, a.attrelid::regclass) AS shown
    FROM @extschema@.idgen_migration_column k JOIN pg_attribute a ON a.attrelid = k.member AND a.attname IN (k.new_name, k.old_name)
    WHERE k.relation = relation AND k.column_name = column_name
    UNION ALL
    SELECT format('relation %s', c.oid::regclass) FROM pg_class c
    WHERE c.relnamespace = schema AND c.relname IN (
      @extschema@.idgen_tools_name(base || '_' || column_name, '_idgen_map', number::bigint),
      @extschema@.idgen_tools_name(base || '_' || column_name, '_idgen_work', number::bigint),
      @extschema@.idgen_tools_name(base || '_' || column_name, '_idgen_seq', number::bigint))
    UNION ALL
    SELECT format('relation %s', c.oid::regclass)
    FROM @extschema@.idgen_migration_object o
    JOIN pg_class t ON t.oid = o.member
    JOIN pg_class c ON c.relnamespace = t.relnamespace AND c.relname IN (o.new_name, o.old_name)
    WHERE o.relation = relation AND o.column_name = column_name AND o.kind <> 'foreign key'
    UNION ALL
    SELECT format('constraint %s of table %s', c.conname, c.conrelid::regclass)
    FROM @extschema@.idgen_migration_column k JOIN pg_constraint c ON c.conrelid = k.member AND c.conname = k.check_name
    WHERE k.relation = relation AND k.column_name = column_name
    UNION ALL
    SELECT format('constraint %s of table %s', c.conname, c.conrelid::regclass)
    FROM @extschema@.idgen_migration_object o JOIN pg_constraint c ON c.conrelid = o.member AND c.conname = o.new_name
    WHERE o.relation = relation AND o.column_name = column_name
    UNION ALL
    SELECT format('trigger %s of table %s', g.tgname, g.tgrelid::regclass)
    FROM @extschema@.idgen_migration_column k JOIN pg_trigger g ON g.tgrelid = k.member AND g.tgname = 'zz_idgen_' || k.old_number
    WHERE k.relation = relation AND k.column_name = column_name
    UNION ALL
    SELECT format('function %s', p.oid::regprocedure)
    FROM @extschema@.idgen_migration_column k JOIN pg_proc p ON p.pronamespace = schema AND p.proname = k.function_name
    WHERE k.relation = relation AND k.column_name = column_name) s;
  IF taken IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
      MESSAGE = format('names that a migration of column "%s" of table %s needs are in use', column_name, relation),
      DETAIL = format('They are those of %s.', taken),
      HINT = 'Rename or drop these objects. An earlier migration may have left its mapping table.';
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_begin(regclass, name, text, name, int, int, int, boolean) IS
  'idgen: writes down what a migration has to do';

-- Makes the mapping of old keys to new ones. Its defaults make keys on both sides, so that they are bound by OID.
CREATE FUNCTION idgen_tools_create_mapping(m idgen_migration) RETURNS idgen_migration
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  schema name;
  base text;
  number int2 := @extschema@.idgen_tools_column_number(m.relation::regclass, m.column_name);
  shown text;
BEGIN
  IF m.mapping IS NOT NULL THEN
    RETURN m;
  END IF;
  SELECT n.nspname, c.relname || '_' || m.column_name INTO schema, base
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = m.relation;
  IF m.new_default = '' THEN
    shown := format('%I.%I', schema, @extschema@.idgen_tools_name(base::text, '_idgen_seq', number::bigint));
    EXECUTE format('CREATE SEQUENCE %s', shown);
    m.new_sequence := shown::regclass;
    m.new_default := format('pg_catalog.nextval(%L::pg_catalog.regclass)', shown);
  END IF;
  shown := format('%I.%I', schema, @extschema@.idgen_tools_name(base::text, '_idgen_map', number::bigint));
  EXECUTE format('CREATE TABLE %s (old_key %s%s PRIMARY KEY, new_key %s UNIQUE NOT NULL DEFAULT %s)', shown, m.old_type,
                 coalesce(' DEFAULT ' || m.old_default, ''), m.new_type, m.new_default);
  EXECUTE format('COMMENT ON TABLE %s IS %L', shown, format('the old and the new keys of %s', m.relation::regclass));
  m.mapping := shown::regclass;
  IF m.created IS NOT NULL THEN
    shown := format('%I.%I', schema, @extschema@.idgen_tools_name(base::text, '_idgen_work', number::bigint));
    EXECUTE format('CREATE TABLE %s (created timestamptz, old_key %s)', shown, m.old_type);
    m.work := shown::regclass;
  END IF;
  UPDATE @extschema@.idgen_migration s SET mapping = m.mapping, work = m.work, new_sequence = m.new_sequence, new_default = m.new_default
  WHERE s.relation = m.relation AND s.column_name = m.column_name;
  RETURN m;
END $$;
COMMENT ON FUNCTION idgen_tools_create_mapping(idgen_migration) IS 'idgen: makes the mapping of old keys to new ones';

-- Gives one table its new columns and the triggers that fill them. Returns false if the table could not be locked.
CREATE FUNCTION idgen_tools_add_columns(relation regclass, column_name name, lock_timeout interval) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  m @extschema@.idgen_migration := @extschema@.idgen_tools_lock(relation, column_name);
  k @extschema@.idgen_migration_column;
  schema name := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation);
  new_number int2;
BEGIN
  SELECT * INTO k FROM @extschema@.idgen_migration_column s
  WHERE s.relation = relation AND s.column_name = column_name AND s.new_number IS NULL ORDER BY s.number LIMIT 1;
  IF NOT FOUND THEN
    RETURN true;
  END IF;
  PERFORM @extschema@.idgen_tools_check_triggers(m);
  m := @extschema@.idgen_tools_create_mapping(m);
  IF NOT @extschema@.idgen_tools_try(format('ALTER TABLE %s ADD COLUMN %I %s', k.member::regclass, k.new_name, m.new_type),
                                     ARRAY[k.member], 'ACCESS EXCLUSIVE', lock_timeout) THEN
    RETURN false;
  END IF;
  EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', k.member::regclass, k.new_name,
                 format('column %s while it is migrated by idgen', k.name));
  EXECUTE @extschema@.idgen_tools_fill_function(m, k, false);
  EXECUTE format('REVOKE ALL ON FUNCTION %I.%I() FROM PUBLIC', schema, k.function_name);
  EXECUTE format('ALTER FUNCTION %I.%I() DEPENDS ON EXTENSION idgen_tools', schema, k.function_name);
  EXECUTE format('CREATE TRIGGER zz_idgen_%s BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %I.%I()',
                 k.old_number, k.member::regclass, schema, k.function_name);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER zz_idgen_%s', k.member::regclass, k.old_number);
  SELECT a.attnum INTO new_number FROM pg_attribute a WHERE a.attrelid = k.member AND a.attname = k.new_name;
  UPDATE @extschema@.idgen_migration_column s SET new_number = new_number
  WHERE s.relation = relation AND s.column_name = column_name AND s.number = k.number;
  RETURN true;
END $$;
COMMENT ON FUNCTION idgen_tools_add_columns(regclass, name, interval) IS 'idgen: gives a table its new column and trigger';

-- Makes the views with columns of the new type, and takes it all back: a view that compares the key with a number cannot be made with
-- a uuid, and that must not first show at the cutover. Returns false if the tables could not be locked.
CREATE FUNCTION idgen_tools_try_views(relation regclass, column_name name, lock_timeout interval) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  m @extschema@.idgen_migration := @extschema@.idgen_tools_lock(relation, column_name);
  number int2 := @extschema@.idgen_tools_column_number(relation, column_name);
  befores text[];
  afters text[];
  statement text;
BEGIN
  IF m.state <> 'preparing' OR m.old_type = m.new_type
      OR NOT EXISTS (SELECT FROM @extschema@.idgen_tools_views(relation::oid, number)) THEN
    RETURN true;
  END IF;
  BEGIN
    PERFORM @extschema@.idgen_tools_lock_tables(m, true, lock_timeout);
    SELECT array_agg(v.before ORDER BY v.n DESC) FILTER (WHERE v.before IS NOT NULL), array_agg(v.after ORDER BY v.n)
    INTO befores, afters
    FROM @extschema@.idgen_tools_view_statements(m) WITH ORDINALITY AS v(before, after, n);
    FOREACH statement IN ARRAY befores || ARRAY(
        SELECT format('ALTER TABLE %s RENAME COLUMN %I TO %I', k.member::regclass, k.name, k.old_name)
        FROM @extschema@.idgen_migration_column k WHERE k.relation = relation AND k.column_name = column_name) || ARRAY(
        SELECT format('ALTER TABLE %s ADD COLUMN %I %s', k.member::regclass, k.name, m.new_type)
        FROM @extschema@.idgen_migration_column k WHERE k.relation = relation AND k.column_name = column_name) || afters LOOP
      EXECUTE statement;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'IDGEN';
  EXCEPTION
    -- There is no primary key now that a view could group by.
    WHEN SQLSTATE 'IDGEN' OR grouping_error THEN
      RETURN true;
    WHEN lock_not_available OR deadlock_detected THEN
      RETURN false;
    WHEN syntax_error_or_access_rule_violation OR feature_not_supported THEN
      PERFORM @extschema@.idgen_tools_refuse(relation, column_name, ARRAY[
        format('a view cannot be made with columns of type %s: %s, in: %s', m.new_type, SQLERRM, statement)]);
  END;
  RETURN true;
END $$;
COMMENT ON FUNCTION idgen_tools_try_views(regclass, name, interval) IS 'idgen: whether the views can be made with the new type';

CREATE PROCEDURE idgen_migration_prepare(
    relation regclass, column_name name, target text, created name DEFAULT NULL,
    datacenter_id int DEFAULT NULL, machine_id int DEFAULT NULL, shard_id int DEFAULT NULL,
    fire_triggers boolean DEFAULT false, lock_timeout interval DEFAULT '1 s', attempts int DEFAULT 60)
LANGUAGE plpgsql
AS $$
DECLARE
  attempt int;
  missing int;
BEGIN
  -- An error if this is inside a transaction: nothing has been changed yet.
  COMMIT;
  SET LOCAL search_path = pg_catalog, pg_temp;
  attempt := 1;
  LOOP
    PERFORM @extschema@.idgen_tools_begin(relation, column_name, target, created, datacenter_id, machine_id, shard_id, fire_triggers);
    EXIT WHEN @extschema@.idgen_tools_try_views(relation, column_name, lock_timeout);
    ROLLBACK;
    SET LOCAL search_path = pg_catalog, pg_temp;
    PERFORM @extschema@.idgen_tools_retry(attempt, attempts, 'the tables');
    attempt := attempt + 1;
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
  END LOOP;
  COMMIT;
  attempt := 1;
  LOOP
    SET LOCAL search_path = pg_catalog, pg_temp;
    missing := @extschema@.idgen_tools_columns_missing(relation, column_name);
    EXIT WHEN missing = 0;
    IF @extschema@.idgen_tools_add_columns(relation, column_name, lock_timeout) THEN
      attempt := 1;
      COMMIT;
    ELSE
      ROLLBACK;
      SET LOCAL search_path = pg_catalog, pg_temp;
      PERFORM @extschema@.idgen_tools_retry(attempt, attempts, 'the tables');
      attempt := attempt + 1;
      COMMIT;
    END IF;
  END LOOP;
  PERFORM @extschema@.idgen_tools_check(@extschema@.idgen_tools_lock(relation, column_name));
  PERFORM @extschema@.idgen_tools_advance(relation, column_name, 'preparing', 'mapping');
END $$;
COMMENT ON PROCEDURE idgen_migration_prepare(regclass, name, text, name, int, int, int, boolean, interval, int) IS
  'begins a migration: new columns, and triggers that fill them';

CREATE FUNCTION idgen_tools_columns_missing(relation regclass, column_name name) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
  RETURN (SELECT count(*) FROM @extschema@.idgen_migration_column s
          WHERE s.relation = relation AND s.column_name = column_name AND s.new_number IS NULL);
END $$;
COMMENT ON FUNCTION idgen_tools_columns_missing(regclass, name) IS 'idgen: how many columns a migration still has to add';

-- Goes on to the next state, if this is the one before it.
CREATE FUNCTION idgen_tools_advance(relation regclass, column_name name, from_state text, to_state text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
  PERFORM @extschema@.idgen_tools_lock(relation, column_name);
  UPDATE @extschema@.idgen_migration s SET state = to_state
  WHERE s.relation = relation AND s.column_name = column_name AND s.state = from_state;
  RAISE NOTICE 'migration of % of %: %', column_name, relation, @extschema@.idgen_tools_state(relation, column_name);
END $$;
COMMENT ON FUNCTION idgen_tools_advance(regclass, name, text, text) IS 'idgen: writes down that a step of a migration is done';

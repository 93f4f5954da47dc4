
-- Making partitions ---------------------------------------------------------------------------

SET LOCAL search_path = pg_catalog, pg_temp;

-- CREATE TABLE ... PARTITION OF would lock all readers and writers of the parent out. ATTACH does not; it needs a table
-- that looks like the parent. Indexes, foreign keys, triggers and identities come from the parent with ATTACH. The owner
-- changes before it, so that the indexes are built with the rights of the parent's owner, whoever calls this. (Constant
-- parts of their expressions PostgreSQL evaluates as the caller all the same, as for any statement on a table.)
CREATE FUNCTION @extschema@.idgen_tools_add_partition(
    parent regclass, schema_name name, partition_name name, owner oid, options text, from_id text, to_id text)
  RETURNS regclass
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  partition text := format('%I.%I', schema_name, partition_name);
BEGIN
  EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS'
                 ' INCLUDING STORAGE INCLUDING COMPRESSION)%s', partition, parent, options);
  IF owner <> (SELECT r.oid FROM pg_roles r WHERE r.rolname = current_user) THEN
    EXECUTE format('ALTER TABLE %s OWNER TO %s', partition, owner::regrole);
  END IF;
  EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)', parent, partition,
                 CASE from_id WHEN 'MINVALUE' THEN from_id ELSE quote_literal(from_id) END,
                 CASE to_id WHEN 'MAXVALUE' THEN to_id ELSE quote_literal(to_id) END);
  RETURN partition::regclass;
END $$;
COMMENT ON FUNCTION @extschema@.idgen_tools_add_partition(regclass, name, name, oid, text, text, text) IS
  'for partitions: creates a table like its parent and attaches it';

CREATE FUNCTION @extschema@.idgen_tools_in_range(column_name name, from_id text, to_id text) RETURNS text
  STABLE STRICT PARALLEL SAFE
  RETURN format('%I IS NOT NULL', column_name)
    || CASE from_id WHEN 'MINVALUE' THEN '' ELSE format(' AND %I >= %L', column_name, from_id) END
    || CASE to_id WHEN 'MAXVALUE' THEN '' ELSE format(' AND %I < %L', column_name, to_id) END;
COMMENT ON FUNCTION @extschema@.idgen_tools_in_range(name, text, text) IS 'for partitions: the condition of a range of keys';

-- Enables or disables the triggers of a table that users made and that fire in an ordinary session.
CREATE FUNCTION @extschema@.idgen_tools_switch_triggers(relation regclass, names name[], modes "char"[])
  RETURNS void
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
  SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  FOR i IN 1 .. cardinality(names) LOOP
    EXECUTE format('ALTER TABLE %s %s TRIGGER %I', relation,
                   CASE modes[i] WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, names[i]);
  END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@.idgen_tools_switch_triggers(regclass, name[], "char"[]) IS
  'for partitions: enables or disables triggers';

CREATE FUNCTION @extschema@.idgen_tools_check_moved(counted bigint, expected bigint, default_partition regclass)
  RETURNS void
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF counted <> expected THEN
    RAISE EXCEPTION USING
      ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('only %s of %s rows could be moved from default partition %s', counted, expected, default_partition),
      HINT = 'See whether it has rules.';
  END IF;
END $$;
COMMENT ON FUNCTION @extschema@.idgen_tools_check_moved(bigint, bigint, regclass) IS
  'for partitions: reports rows that stayed behind';

-- Moves the rows of a range from the default partition to a new one. They must have left the default partition before
-- the new one is attached, and enter it afterwards: what is written to a table that is not a partition yet would not be
-- published. So they wait in a temporary table. To triggers this is no change of the data.
CREATE FUNCTION @extschema@.idgen_tools_add_and_move(
    parent regclass, schema_name name, partition_name name, owner oid, options text, from_id text, to_id text,
    column_name name, default_partition regclass, OUT partition regclass, OUT moved bigint)
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
AS $$
DECLARE
  in_range text := @extschema@.idgen_tools_in_range(column_name, from_id, to_id);
  columns  text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
                    WHERE a.attrelid = default_partition AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '');
  triggers record;
  counted  bigint;
BEGIN
  EXECUTE format('CREATE TEMPORARY TABLE idgen_tools_moved ON COMMIT DROP AS SELECT %s FROM ONLY %s WHERE %s',
                 columns, default_partition, in_range);
  GET DIAGNOSTICS moved = ROW_COUNT;

  SELECT coalesce(array_agg(t.tgname), '{}') AS names, coalesce(array_agg(t.tgenabled), '{}') AS modes,
         coalesce(array_agg('D'::"char"), '{}') AS off INTO triggers
  FROM pg_trigger t WHERE t.tgrelid = default_partition AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A');
  PERFORM @extschema@.idgen_tools_switch_triggers(default_partition, triggers.names, triggers.off);
  EXECUTE format('DELETE FROM ONLY %s WHERE %s', default_partition, in_range);
  GET DIAGNOSTICS counted = ROW_COUNT;
  PERFORM @extschema@.idgen_tools_check_moved(counted, moved, default_partition);
  PERFORM @extschema@.idgen_tools_switch_triggers(default_partition, triggers.names, triggers.modes);

  partition := @extschema@.idgen_tools_add_partition(
    parent, schema_name, partition_name, owner, options, from_id, to_id);
  SELECT coalesce(array_agg(t.tgname), '{}') AS names, coalesce(array_agg(t.tgenabled), '{}') AS modes,
         coalesce(array_agg('D'::"char"), '{}') AS off INTO triggers
  FROM pg_trigger t WHERE t.tgrelid = partition AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A');
  PERFORM @extschema@.idgen_tools_switch_triggers(partition, triggers.names, triggers.off);
  EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM pg_temp.idgen_tools_moved',
                 partition, columns);
  GET DIAGNOSTICS counted = ROW_COUNT;
  PERFORM @extschema@.idgen_tools_check_moved(counted, moved, default_partition);
  PERFORM @extschema@.idgen_tools_switch_triggers(partition, triggers.names, triggers.modes);
  DROP TABLE pg_temp.idgen_tools_moved;
END $$;
COMMENT ON FUNCTION @extschema@.idgen_tools_add_and_move(regclass, name, name, oid, text, text, text, name, regclass) IS
  'for partitions: adds a partition and moves its rows out of the default partition';

CREATE FUNCTION @extschema@.idgen_create_partitions(
    parent regclass, from_ts timestamptz, to_ts timestamptz, step interval, time_zone text DEFAULT 'UTC',
    layout text DEFAULT NULL, move_default boolean DEFAULT false, tablespace name DEFAULT NULL,
    prefix name DEFAULT NULL,
    OUT partition regclass, OUT starts timestamptz, OUT ends timestamptz, OUT created boolean, OUT moved bigint)
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 12
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
AS $$
#variable_conflict use_variable
DECLARE
  t        record;
  s        record;
  calendar interval;
  plan     record;
  plans    jsonb := '[]';
  in_way   text[] := '{}';
  counted  bigint;
  name     text;
  options  text;
  default_name name;
  default_kind "char";
BEGIN
  t := @extschema@.idgen_tools_time_table(parent, layout);
  IF num_nulls(from_ts, to_ts, step, time_zone, move_default) > 0 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'null_value_not_allowed',
      MESSAGE = format('%s must not be null', CASE WHEN from_ts IS NULL THEN 'from_ts' WHEN to_ts IS NULL THEN 'to_ts'
        WHEN step IS NULL THEN 'step' WHEN time_zone IS NULL THEN 'time_zone' ELSE 'move_default' END);
  ELSIF from_ts >= to_ts THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value', MESSAGE = format('from_ts "%s" is not before to_ts "%s"', from_ts, to_ts);
  ELSIF NOT (isfinite(from_ts) AND isfinite(to_ts)) THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value', MESSAGE = format('from_ts "%s" or to_ts "%s" is not finite', from_ts, to_ts);
  END IF;
  calendar := @extschema@.idgen_tools_check_step(step, time_zone, to_ts - from_ts);

  -- Only one session at a time. It excludes neither readers nor writers.
  EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', parent);
  FOR s IN SELECT p.*, c.relname AS other_name
           FROM @extschema@.idgen_tools_plan(parent::oid, t.scheme, from_ts, to_ts, calendar, time_zone) p
           LEFT JOIN pg_class c ON c.oid = p.other ORDER BY p.starts LOOP
    IF s.from_id = s.to_id THEN
      PERFORM @extschema@.idgen_tools_min_id(t.scheme, s.starts);
      RAISE EXCEPTION USING
        ERRCODE = 'invalid_parameter_value',
        MESSAGE = format('step "%s" is shorter than a tick of layout "%s"', step, t.scheme);
    END IF;
    -- The suffix is never cut off.
    name := coalesce(prefix, t.table_name);
    WHILE octet_length(name || '_' || s.suffix) > 63 LOOP
      name := left(name, -1);
    END LOOP;
    name := name || '_' || s.suffix;

    IF s.other IS NULL THEN
      IF EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE c.relname = name AND n.nspname = t.schema_name) THEN
        RAISE EXCEPTION USING
          ERRCODE = 'duplicate_table',
          MESSAGE = format('relation "%s" already exists, and is not the partition from "%s" to "%s"', name, s.starts, s.ends),
          HINT = 'Rename it, or use the argument prefix for other names of partitions. A partition that was detached can be attached again.';
      END IF;
    ELSIF s.other_from_id <> s.from_id OR s.other_to_id <> s.to_id THEN
      RAISE EXCEPTION USING
        ERRCODE = 'invalid_object_definition',
        MESSAGE = format('partition "%s" would overlap partition "%s"', name, s.other_name),
        DETAIL = format('The new one would be from %s to %s (%s to %s), the existing one is from %s to %s (%s to %s).',
          s.starts, s.ends, s.from_id, s.to_id, coalesce(s.other_from_ts::text, '?'), coalesce(s.other_to_ts::text, '?'),
          s.other_from_id, s.other_to_id),
        HINT = 'Begin where the existing partitions end, or use their step and time zone. The view idgen_partitions lists them.';
    END IF;
    plans := plans || jsonb_build_object('name', name, 'starts', s.starts, 'ends', s.ends, 'from_id', s.from_id,
                                         'to_id', s.to_id, 'partition', s.other::bigint);
  END LOOP;

  -- The default partition must have no rows of a new one, or ATTACH fails after its work.
  IF t.default_partition IS NOT NULL THEN
    SELECT c.relname, c.relkind INTO default_name, default_kind FROM pg_class c WHERE c.oid = t.default_partition;
    IF move_default THEN
      EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', t.default_partition::regclass);
    END IF;
    FOR plan IN SELECT * FROM jsonb_to_recordset(plans) AS p(name text, from_id text, to_id text, partition oid)
                WHERE p.partition IS NULL LOOP
      EXECUTE format('SELECT count(*) FROM %s WHERE %s', t.default_partition::regclass,
                     @extschema@.idgen_tools_in_range(t.column_name, plan.from_id, plan.to_id)) INTO counted;
      IF counted > 0 THEN
        in_way := in_way || format('%s of "%s"', counted, plan.name);
      END IF;
    END LOOP;
    IF in_way <> '{}' AND NOT move_default THEN
      RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = format('default partition "%s" has rows of new partitions', default_name),
        DETAIL = format('Rows: %s.', array_to_string(in_way, ', ')),
        HINT = 'With move_default => true they are moved, while nobody can use the default partition.';
    ELSIF in_way <> '{}' AND EXISTS (SELECT FROM pg_constraint c WHERE c.confrelid = t.default_partition) THEN
      RAISE EXCEPTION USING
        ERRCODE = 'feature_not_supported',
        MESSAGE = format('rows of default partition "%s" cannot be moved', default_name),
        DETAIL = format('Foreign keys of other tables, such as "%s", refer to them, and might delete what refers to a row that moves.',
          (SELECT c.conrelid::regclass FROM pg_constraint c WHERE c.confrelid = t.default_partition ORDER BY c.oid LIMIT 1)),
        HINT = 'Drop the foreign keys, move the rows, and create them again as NOT VALID.';
    ELSIF in_way <> '{}' AND default_kind <> 'r' THEN
      RAISE EXCEPTION USING
        ERRCODE = 'feature_not_supported',
        MESSAGE = format('rows of default partition "%s" cannot be moved', default_name),
        DETAIL = 'It is not an ordinary table.';
    END IF;
  END IF;

  options := t.method || CASE WHEN tablespace IS NULL THEN t.tablespace ELSE format(' TABLESPACE %I', tablespace) END;
  FOR plan IN SELECT * FROM jsonb_to_recordset(plans)
                AS p(name text, starts timestamptz, ends timestamptz, from_id text, to_id text, partition oid) LOOP
    partition := plan.partition;
    starts := plan.starts;
    ends := plan.ends;
    created := plan.partition IS NULL;
    moved := 0;
    IF created AND in_way <> '{}' THEN
      SELECT m.partition, m.moved INTO partition, moved FROM @extschema@.idgen_tools_add_and_move(
        parent, t.schema_name, plan.name::name, t.owner, options, plan.from_id, plan.to_id, t.column_name, t.default_partition) m;
    ELSIF created THEN
      partition := @extschema@.idgen_tools_add_partition(
        parent, t.schema_name, plan.name::name, t.owner, options, plan.from_id, plan.to_id);
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION @extschema@.idgen_create_partitions(
    regclass, timestamptz, timestamptz, interval, text, text, boolean, name, name) IS
  'creates those partitions by the time in the key that are missing';

SET LOCAL search_path = @extschema@, pg_temp;

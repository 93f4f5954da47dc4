
-- Migration of keys: the plan ------------------------------------------------------------------------------

-- A call of a procedure with these and more arguments, those that are NULL left out.
CREATE FUNCTION idgen_tools_call(procedure text, relation regclass, column_name name, more text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN format('CALL @extschema@.%s(%L, %L%s)', procedure, relation, column_name,
                (SELECT string_agg(', ' || x, '' ORDER BY n) FROM unnest(more) WITH ORDINALITY AS u(x, n) WHERE x IS NOT NULL));
END $$;
COMMENT ON FUNCTION idgen_tools_call(text, regclass, name, text[]) IS 'idgen: a call of a procedure, as text';

-- One step of a plan, as a row.
CREATE TYPE idgen_tools_step AS (statement text, what text, locks text, takes text, undo text);
COMMENT ON TYPE idgen_tools_step IS 'idgen: a step of a plan of a migration';

-- The steps of a migration whose state is written down.
CREATE FUNCTION idgen_tools_steps(m idgen_migration) RETURNS idgen_tools_step[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  steps @extschema@.idgen_tools_step[] := '{}';
  undo text := @extschema@.idgen_tools_call('idgen_migration_roll_back', m.relation::regclass, m.column_name, '{}'::text[]);
  o record;
  tables text;
  list text;
  total bigint;
  bytes bigint;
  copies bigint;
BEGIN
  SELECT string_agg(k.member::regclass::text, ', ' ORDER BY k.number), string_agg(k.member::regclass || '.' || quote_ident(k.name), ', '
         ORDER BY k.number), sum(pg_table_size(k.member))
  INTO tables, list, bytes
  FROM (SELECT DISTINCT ON (s.member) s.* FROM @extschema@.idgen_migration_column s
        WHERE s.relation = m.relation AND s.column_name = m.column_name ORDER BY s.member, s.number) k;
  SELECT string_agg(k.member::regclass || '.' || quote_ident(k.name), ', ' ORDER BY k.number), count(*) INTO list, total
  FROM @extschema@.idgen_migration_column k WHERE k.relation = m.relation AND k.column_name = m.column_name;
  SELECT sum(pg_relation_size(i.oid)) INTO copies
  FROM @extschema@.idgen_migration_object s JOIN pg_class t ON t.oid = s.member
  JOIN pg_class i ON i.relnamespace = t.relnamespace AND i.relname = s.name
  WHERE s.relation = m.relation AND s.column_name = m.column_name AND s.kind <> 'foreign key';

  steps := steps || ROW(NULL, format('Converts %s columns to %s (%s): %s', total, m.target, m.new_type, list), NULL,
    format('space: every row is written once more, at most %s on top of the tables'' %s, indexes about %s, the mapping about %s',
           pg_size_pretty(bytes), pg_size_pretty(bytes), pg_size_pretty(coalesce(copies, 0)),
           pg_size_pretty((m.rows_estimated * 100)::bigint)), NULL)::@extschema@.idgen_tools_step;
  steps := steps || ROW(
    @extschema@.idgen_tools_call('idgen_migration_prepare', m.relation::regclass, m.column_name, ARRAY[format('%L', m.target),
      'created => ' || quote_literal(m.created), 'datacenter_id => ' || m.datacenter_id, 'machine_id => ' || m.machine_id,
      'shard_id => ' || m.shard_id, CASE WHEN m.fire_triggers THEN 'fire_triggers => true' END]),
    'Adds the new columns, empty, and triggers that fill them in every row that is written from now on. Makes the mapping table.',
    'ACCESS EXCLUSIVE on each table in turn', 'milliseconds, once the lock is there', undo)::@extschema@.idgen_tools_step;
  steps := steps || ROW(
    @extschema@.idgen_tools_call('idgen_migration_backfill', m.relation::regclass, m.column_name, '{}'::text[]),
    'Maps all old keys and fills the new columns, in batches, with waits for older transactions. Resumes after a crash.',
    'rows of one batch', format('about %s rows and keys: %s at 20,000 a second', m.rows_estimated,
                                make_interval(secs => round(m.rows_estimated / 20000.0)::int)), undo)::@extschema@.idgen_tools_step;
  IF m.state <> ALL ('{cut over,rolled back}') THEN
    FOR o IN SELECT s.name, s.statement, s.what, t.relnamespace::regnamespace AS schema, t.oid::regclass AS shown, s.bytes
             FROM (SELECT x.number, x.member, x.new_name AS name, x.statement, format('Takes the place of index %I', x.name) AS what,
                          x.name AS of
                   FROM @extschema@.idgen_migration_object x
                   WHERE x.relation = m.relation AND x.column_name = m.column_name AND x.kind <> 'foreign key'
                   UNION ALL
                   SELECT x.number, x.member, @extschema@.idgen_tools_name(x.name::text, '_idgen_back', x.number::bigint), x.back_statement,
                          format('Keeps the old keys of primary key %I unique, for the way back', x.name), x.name
                   FROM @extschema@.idgen_migration_object x
                   WHERE x.relation = m.relation AND x.column_name = m.column_name AND x.back_statement IS NOT NULL) y
             JOIN pg_class t ON t.oid = y.member
             CROSS JOIN LATERAL (SELECT y.*, (SELECT pg_relation_size(i.oid) FROM pg_class i
                                              WHERE i.relnamespace = t.relnamespace AND i.relname = y.of) AS bytes) s
             ORDER BY s.number, s.what DESC LOOP
      -- What a crash left half done would keep its name.
      IF EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                 WHERE i.indrelid = o.shown AND c.relname = o.name AND NOT (i.indisvalid AND i.indisready)) THEN
        steps := steps || ROW(format('DROP INDEX CONCURRENTLY IF EXISTS %s.%I', o.schema, o.name),
          'Drops what is left of an index that was not completed', format('SHARE UPDATE EXCLUSIVE on %s', o.shown), NULL,
          undo)::@extschema@.idgen_tools_step;
      END IF;
      steps := steps || ROW(o.statement, o.what, format('SHARE UPDATE EXCLUSIVE on %s: writers go on', o.shown),
        format('two scans of %s, %s', o.shown, pg_size_pretty(coalesce(o.bytes, 0))), undo)::@extschema@.idgen_tools_step;
    END LOOP;
    steps := steps || ROW(format('ANALYZE %s', tables), 'Statistics for the new columns, so that plans stay good after the cutover',
      'SHARE UPDATE EXCLUSIVE', 'a sample of each table', undo)::@extschema@.idgen_tools_step;
  END IF;
  steps := steps || ROW(@extschema@.idgen_tools_call('idgen_migration_constrain', m.relation::regclass, m.column_name, '{}'::text[]),
    'NOT NULL and foreign keys of the new columns: added without a scan, then validated',
    'ACCESS EXCLUSIVE or SHARE ROW EXCLUSIVE to add; SHARE UPDATE EXCLUSIVE to validate',
    'milliseconds to add; a scan of each table to validate', undo)::@extschema@.idgen_tools_step;
  steps := steps || ROW(@extschema@.idgen_tools_call('idgen_migration_verify', m.relation::regclass, m.column_name, '{}'::text[]),
    'Compares all rows with the mapping, and all foreign keys by old and by new keys', 'none that anybody waits for',
    'a scan of each table, and joins', undo)::@extschema@.idgen_tools_step;
  steps := steps || ROW(@extschema@.idgen_tools_call('idgen_migration_cut_over', m.relation::regclass, m.column_name, '{}'::text[]),
    'New and old columns change places, with defaults, constraints, indexes, views and privileges',
    format('ACCESS EXCLUSIVE on %s, all at once', tables), 'milliseconds, once the locks are there',
    CASE WHEN m.old_default IS NOT NULL THEN undo END)::@extschema@.idgen_tools_step;
  IF m.old_default IS NULL THEN
    steps := steps || ROW(NULL, 'The old key has no default, so nothing can fill the old columns after the cutover:'
      ' there is no way back from there', NULL, NULL, NULL)::@extschema@.idgen_tools_step;
  END IF;
  steps := steps || ROW(NULL, format('When you are sure: %s. It drops the old columns and ends the way back. The mapping stays.',
    @extschema@.idgen_tools_call('idgen_migration_finish', m.relation::regclass, m.column_name, '{}'::text[])),
    format('ACCESS EXCLUSIVE on %s, all at once', tables), 'milliseconds, once the locks are there', NULL)::@extschema@.idgen_tools_step;
  RETURN steps;
END $$;
COMMENT ON FUNCTION idgen_tools_steps(idgen_migration) IS 'idgen: the steps of a migration';

-- What an operator should know before. It is no reason not to migrate.
CREATE FUNCTION idgen_tools_notes(
    relation regclass, column_name name, target text, created name, rewrite boolean, OUT note text)
RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  number int2 := @extschema@.idgen_tools_column_number(relation, column_name);
  wanted record := @extschema@.idgen_tools_target(target);
  sequence oid := @extschema@.idgen_tools_owned_sequence(relation::oid, number);
  used record;
  counted record;
BEGIN
  IF wanted.layout IS NOT NULL THEN
    RETURN QUERY SELECT 'The new keys are above 2^53: JavaScript numbers and some spreadsheets lose their last digits. Send them as text.'::text
    WHERE @extschema@.idgen_tools_min_id(now(), wanted.layout) > 9007199254740992;
  END IF;
  IF sequence IS NOT NULL AND target <> 'bigserial' THEN
    RETURN QUERY SELECT format('Applications that call nextval(''%s'') themselves must be changed: they would go on with old keys.',
                               sequence::regclass);
  END IF;
  IF NOT rewrite THEN
    EXECUTE format('SELECT max(%I) AS largest FROM %s', column_name, relation) INTO counted;
    IF wanted.layout IS NOT NULL THEN
      RETURN QUERY SELECT format('The largest key is %s, and those to come are above %s. This is checked again under the lock.',
        coalesce(counted.largest::text, 'none'), @extschema@.idgen_tools_min_id(now(), wanted.layout));
    ELSE
      RETURN QUERY SELECT format('Sequence %s goes on where it was, below the IDs, and ends before the first of them.', sequence::regclass);
    END IF;
    RETURN;
  END IF;
  RETURN QUERY
  SELECT 'The new columns are the last of their tables, also after the cutover: SELECT *, and INSERT and COPY without a list of columns, see'
         ' another order, and a column more until the end.'::text;
  IF sequence IS NOT NULL THEN
    SELECT s.seqmax AS last, coalesce(pg_sequence_last_value(s.seqrelid), s.seqstart) AS now, a.atttypid INTO used
    FROM pg_sequence s, pg_attribute a WHERE s.seqrelid = sequence AND a.attrelid = relation AND a.attnum = number;
    RETURN QUERY SELECT format('Sequence %s is used until the end: for the old keys, which keep the way back open. It has %s values left.',
                               sequence::regclass,
                               least(used.last, CASE used.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                                                                   ELSE used.last END) - used.now);
  END IF;
  RETURN QUERY
  SELECT format('Trigger %s of table %s fires for each row that is filled.', g.name, g.member::regclass)
  FROM @extschema@.idgen_tools_update_triggers(relation::oid, number) g
  WHERE g.always OR NOT has_parameter_privilege('session_replication_role', 'SET');
  RETURN QUERY
  SELECT format('View %s is made again at the cutover.', v.view::regclass)
  FROM @extschema@.idgen_tools_views(relation::oid, number) v;
  IF created IS NOT NULL THEN
    EXECUTE format(
      'SELECT count(*) FILTER (WHERE c IS NULL) AS missing, count(*) FILTER (WHERE c > now()) AS later, count(*) FILTER (WHERE c < $1) AS earlier
       FROM (SELECT %s AS c FROM ONLY %s) s',
      @extschema@.idgen_tools_created(relation, created, current_setting('TimeZone')), relation)
    INTO counted USING CASE WHEN wanted.layout IS NULL THEN '1970-01-01Z' ELSE @extschema@.idgen_tools_id_time(0::bigint, wanted.layout) END;
    IF counted.missing + counted.later > 0 THEN
      RETURN QUERY SELECT format('%s rows without a creation time and %s of the future get IDs of the time of the migration.',
                                 counted.missing, counted.later);
    END IF;
    IF counted.earlier > 0 THEN
      RETURN QUERY SELECT format('%s rows that are older than the first time of %s get IDs of that time, in their order.',
                                 counted.earlier, target);
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_notes(regclass, name, text, name, boolean) IS 'idgen: what one should know before a migration';

CREATE FUNCTION idgen_plan_migration(
    relation regclass, column_name name, target text, created name DEFAULT NULL,
    datacenter_id int DEFAULT NULL, machine_id int DEFAULT NULL, shard_id int DEFAULT NULL,
    method text DEFAULT 'auto', fire_triggers boolean DEFAULT false)
RETURNS TABLE (step int, statement text, what text, locks text, takes text, undo text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  number int2 := @extschema@.idgen_tools_column_number(relation, column_name);
  m @extschema@.idgen_migration;
  steps @extschema@.idgen_tools_step[] := '{}';
  reasons text[] := '{}';
  note text;
BEGIN
  PERFORM @extschema@.idgen_tools_target(target);
  IF method IS NULL OR method NOT IN ('auto', 'default', 'rewrite') THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('unknown method "%s"', method),
      HINT = 'A method is auto, default or rewrite.';
  END IF;
  SELECT * INTO m FROM @extschema@.idgen_migration s WHERE s.relation = relation AND s.column_name = column_name;
  IF NOT FOUND AND method <> 'rewrite' THEN
    IF @extschema@.idgen_tools_has_default(relation::oid, number, target) THEN
      RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = format('column "%s" of table %s has the default of %s already', column_name, relation, target),
        HINT = 'Nothing is left to do. To convert old keys all the same, say method => ''rewrite''.';
    END IF;
    reasons := ARRAY(SELECT r.reason FROM @extschema@.idgen_tools_cheap_reasons(relation, column_name, target) r);
    IF created IS NOT NULL OR num_nonnulls(datacenter_id, machine_id, shard_id) > 0 THEN
      reasons := reasons || 'old keys that stay as they are have no creation time'::text;
    END IF;
    IF method = 'default' THEN
      PERFORM @extschema@.idgen_tools_refuse(relation, column_name, reasons);
    END IF;
  END IF;

  IF m.state IS NULL AND method <> 'rewrite' AND cardinality(reasons) = 0 THEN
    FOR note IN SELECT n.note FROM @extschema@.idgen_tools_notes(relation, column_name, target, created, false) n LOOP
      steps := steps || ROW(NULL, note, NULL, NULL, NULL)::@extschema@.idgen_tools_step;
    END LOOP;
    steps := steps || ROW(@extschema@.idgen_tools_call('idgen_migration_set_default', relation, column_name, ARRAY[format('%L', target)]),
      'Changes the default. All keys stay, and those to come are above them.', format('ACCESS EXCLUSIVE on %s', relation),
      'milliseconds, once the lock is there',
      CASE WHEN @extschema@.idgen_tools_owned_sequence(relation::oid, number) IS NOT NULL AND target <> 'bigserial'
           THEN @extschema@.idgen_tools_call('idgen_migration_set_default', relation, column_name, ARRAY['''bigserial''']) END
      )::@extschema@.idgen_tools_step;
  ELSE
    IF m.state = 'rolled back' THEN
      PERFORM @extschema@.idgen_tools_require(m, '{}'::text[], 'Run idgen_migration_roll_back() to its end.');
    END IF;
    FOR note IN SELECT r.reason FROM @extschema@.idgen_tools_reasons(relation, column_name, target, created, datacenter_id, machine_id,
                                                                     shard_id, fire_triggers) r
                WHERE m.state IS NULL AND r.reason LIKE 'note:%' LOOP
      steps := steps || ROW(NULL, upper(substr(note, 7, 1)) || substr(note, 8), NULL, NULL, NULL)::@extschema@.idgen_tools_step;
    END LOOP;
    FOR note IN SELECT n.note FROM @extschema@.idgen_tools_notes(relation, column_name, target, created, true) n WHERE m.state IS NULL LOOP
      steps := steps || ROW(NULL, note, NULL, NULL, NULL)::@extschema@.idgen_tools_step;
    END LOOP;
    -- What a migration would write down shows its steps. Then it is taken back.
    BEGIN
      PERFORM @extschema@.idgen_tools_begin(relation, column_name, target, created, datacenter_id, machine_id, shard_id, fire_triggers);
      SELECT * INTO m FROM @extschema@.idgen_migration s WHERE s.relation = relation AND s.column_name = column_name;
      steps := steps || @extschema@.idgen_tools_steps(m);
      RAISE EXCEPTION USING ERRCODE = 'IDGEN';
    EXCEPTION WHEN SQLSTATE 'IDGEN' THEN
    END;
  END IF;
  RETURN QUERY SELECT u.n::int, u.statement, u.what, u.locks, u.takes, u.undo
  FROM unnest(steps) WITH ORDINALITY AS u(statement, what, locks, takes, undo, n);
END $$;
COMMENT ON FUNCTION idgen_plan_migration(regclass, name, text, name, int, int, int, text, boolean) IS
  'the steps that give a table other keys while it is in use';


-- Migration of keys: the rows that are there -----------------------------------------------------------
--
-- First all old keys get their entry in the mapping, in the order of the keys or of their creation times. Then comes state
-- "filling", and a wait until all transactions have ended that began before it: what they write may lack a new key. From
-- then on nobody writes a row without one, so one pass over the blocks of each table finds all that are left.

-- When a row of the table was made, as an expression. Times without a time zone are of the zone in which the migration began.
CREATE FUNCTION idgen_tools_created(relation regclass, created name, time_zone text) RETURNS text
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT CASE a.atttypid WHEN 'timestamptz'::regtype THEN format('%I', created)
                                 ELSE format('(%I::timestamp AT TIME ZONE %L)', created, time_zone) END
          FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = created);
END $$;
COMMENT ON FUNCTION idgen_tools_created(regclass, name, text) IS 'idgen: when a row was made, as an expression';

-- Maps a batch of old keys, from the one after the last. Keys with a creation time only go to the work table. Times after the
-- begin of the migration count as unknown, and rows of unknown times get IDs of now. Returns how many keys it saw.
CREATE FUNCTION idgen_tools_map_keys(m idgen_migration, batch int) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  seen bigint;
  last_key text;
BEGIN
  EXECUTE format(
    'WITH key AS MATERIALIZED (SELECT %1$I AS k, %2$s AS t FROM ONLY %3$s WHERE %4$s ORDER BY %1$I LIMIT $2)%5$s,
          entry AS (INSERT INTO %6$s (old_key) SELECT k FROM key WHERE %7$s ORDER BY k ON CONFLICT DO NOTHING)
     SELECT count(*), (SELECT key.k::text AS last FROM key ORDER BY key.k DESC LIMIT 1) FROM key',
    m.column_name, coalesce(@extschema@.idgen_tools_created(m.relation::regclass, m.created, m.time_zone), 'NULL'), m.relation::regclass,
    CASE WHEN m.copied IS NULL THEN 'true' ELSE format('%I > $1::%s', m.column_name, m.old_type) END,
    CASE WHEN m.work IS NULL THEN '' ELSE format(
      ', later AS (INSERT INTO %s (created, old_key) SELECT t, k FROM key
                   WHERE t <= $3 AND NOT EXISTS (SELECT FROM %s AS map WHERE map.old_key = k))', m.work::regclass, m.mapping::regclass) END,
    m.mapping::regclass, CASE WHEN m.work IS NULL THEN 'true' ELSE '(t <= $3) IS NOT TRUE' END)
  INTO seen, last_key USING m.copied, batch, m.started;
  UPDATE @extschema@.idgen_migration s SET copied = coalesce(last_key, s.copied), rows_done = s.rows_done + seen
  WHERE s.relation = m.relation AND s.column_name = m.column_name;
  RETURN seen;
END $$;
COMMENT ON FUNCTION idgen_tools_map_keys(idgen_migration, int) IS 'idgen: maps a batch of old keys';

-- Gives a batch of old keys IDs of their creation times. In order of the times, a key has the first position of its tick or the
-- one after the key before it, whichever is later. So positions are unique and in order. No position of a live generator is
-- equal, since its identity is another.
CREATE FUNCTION idgen_tools_map_times(m idgen_migration, batch int) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  layout @extschema@.idgen_layout;
  shape record;
  first_id bigint;
  step bigint;
  seen bigint;
  last_time timestamptz;
  last_key text;
  new_position bigint;
  earliest text;
  new_key text;
BEGIN
  layout := (@extschema@.idgen_tools_target(m.target)).layout;
  IF layout IS NULL THEN
    earliest := '0';
    new_key := format('@extschema@.idgen_tools_uuid(%L, greatest(b.created, timestamptz ''1970-01-01Z''))', m.target);
  ELSE
    shape := @extschema@.idgen_tools_shape(layout);
    earliest := format('((extract(epoch FROM greatest(b.created, %1$L::timestamptz)) - extract(epoch FROM %1$L::timestamptz)) * 1000000)::bigint'
                       ' / %2$s << %3$s', shape.epoch, shape.tick_us, shape.sequence_bits);
    first_id := @extschema@.idgen_tools_compose(layout, shape.epoch, m.datacenter_id, m.machine_id, m.shard_id, 0);
    step := @extschema@.idgen_tools_compose(layout, shape.epoch, m.datacenter_id, m.machine_id, m.shard_id, 1) - first_id;
    new_key := format('%s + ((p.position >> %s) << %s) + (p.position & %s) * %s', first_id, shape.sequence_bits, shape.time_shift,
                      (1::bigint << shape.sequence_bits) - 1, step);
  END IF;
  EXECUTE format(
    'WITH batch AS MATERIALIZED (
       SELECT w.created, w.old_key, row_number() OVER (ORDER BY w.created, w.old_key) AS n
       FROM (SELECT * FROM %1$s AS work WHERE %2$s ORDER BY work.created, work.old_key LIMIT $4) w),
     position AS MATERIALIZED (
       SELECT b.*, b.n + max(greatest(%3$s, CASE WHEN b.n = 1 THEN $3 + 1 END) - b.n) OVER (ORDER BY b.n) AS position FROM batch b),
     entry AS (INSERT INTO %4$s (old_key, new_key) SELECT b.old_key, %5$s FROM position b CROSS JOIN LATERAL (SELECT b.position) p
               ORDER BY b.n ON CONFLICT (old_key) DO NOTHING)
     SELECT count(*), max(b.position), (SELECT x.created FROM batch x ORDER BY x.n DESC LIMIT 1),
            (SELECT x.old_key::text FROM batch x ORDER BY x.n DESC LIMIT 1) FROM position b',
    m.work::regclass,
    CASE WHEN m.assigned IS NULL THEN 'true' ELSE format('(work.created, work.old_key) > ($1, $2::%s)', m.old_type) END,
    earliest, m.mapping::regclass, new_key)
  INTO seen, new_position, last_time, last_key USING m.assigned_time, m.assigned, coalesce(m.last_position, -1), batch;
  UPDATE @extschema@.idgen_migration s
  SET assigned_time = coalesce(last_time, s.assigned_time), assigned = coalesce(last_key, s.assigned),
      last_position = coalesce(new_position, s.last_position), rows_done = s.rows_done + seen
  WHERE s.relation = m.relation AND s.column_name = m.column_name;
  RETURN seen;
END $$;
COMMENT ON FUNCTION idgen_tools_map_times(idgen_migration, int) IS 'idgen: gives a batch of old keys IDs of their creation times';

-- One batch of the mapping. Returns whether it was the last.
CREATE FUNCTION idgen_tools_map(relation regclass, column_name name, batch int) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  begun timestamptz := clock_timestamp();
  m @extschema@.idgen_migration := @extschema@.idgen_tools_lock(relation, column_name);
  next_state text;
BEGIN
  IF m.state = 'preparing' THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('migration of column "%s" of table %s is not prepared', column_name, relation),
      HINT = 'Run idgen_migration_prepare() to its end.';
  END IF;
  IF m.state NOT IN ('mapping', 'ordering') THEN
    RETURN true;
  END IF;
  PERFORM @extschema@.idgen_tools_check_triggers(m);
  IF m.state = 'mapping' THEN
    IF @extschema@.idgen_tools_map_keys(m, batch) = 0 THEN
      next_state := CASE WHEN m.work IS NULL THEN 'filling' ELSE 'ordering' END;
      IF m.work IS NOT NULL THEN
        EXECUTE format('CREATE INDEX ON %s (created, old_key)', m.work::regclass);
        EXECUTE format('ANALYZE %s', m.work::regclass);
      END IF;
    END IF;
  ELSIF @extschema@.idgen_tools_map_times(m, batch) = 0 THEN
    next_state := 'filling';
    EXECUTE format('DROP TABLE %s', m.work::regclass);
    m.work := NULL;
  END IF;
  UPDATE @extschema@.idgen_migration s
  SET state = coalesce(next_state, s.state), work = m.work, spent = s.spent + (clock_timestamp() - begun)
  WHERE s.relation = relation AND s.column_name = column_name;
  RETURN coalesce(next_state = 'filling', false);
END $$;
COMMENT ON FUNCTION idgen_tools_map(regclass, name, int) IS 'idgen: one batch of the mapping of old keys';

-- Remembers which transactions are old: those whose snapshot cannot see what was committed before this call.
CREATE FUNCTION idgen_tools_mark(relation regclass, column_name name) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
  UPDATE @extschema@.idgen_migration s SET wait_for = pg_current_xact_id()
  WHERE s.relation = relation AND s.column_name = column_name AND s.wait_for IS NULL;
  RETURN FOUND;
END $$;
COMMENT ON FUNCTION idgen_tools_mark(regclass, name) IS 'idgen: remembers which transactions are old';

-- A transaction of this database that may not see what was committed before the mark, or NULL.
CREATE FUNCTION idgen_tools_old_transaction(relation regclass, column_name name) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  mark xid := (SELECT s.wait_for::xid FROM @extschema@.idgen_migration s WHERE s.relation = relation AND s.column_name = column_name);
BEGIN
  -- VACUUM writes no rows.
  RETURN (SELECT format('process %s', a.pid)
          FROM pg_stat_activity a
          WHERE a.datid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND a.pid <> pg_backend_pid()
            AND (age(a.backend_xmin) >= age(mark) OR age(a.backend_xid) >= age(mark))
            AND a.pid NOT IN (SELECT v.pid FROM pg_stat_progress_vacuum v)
          LIMIT 1);
END $$;
COMMENT ON FUNCTION idgen_tools_old_transaction(regclass, name) IS 'idgen: a transaction that began before the mark';

-- The prepared transactions that have written to the tables. Their snapshots are not known any more.
CREATE FUNCTION idgen_tools_prepared(relation regclass, column_name name) RETURNS text[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
  RETURN ARRAY(
    SELECT DISTINCT l.virtualtransaction FROM pg_locks l
    JOIN @extschema@.idgen_migration_column k ON k.member = l.relation
    WHERE k.relation = relation AND k.column_name = column_name AND l.pid IS NULL AND l.locktype = 'relation'
      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()));
END $$;
COMMENT ON FUNCTION idgen_tools_prepared(regclass, name) IS 'idgen: the prepared transactions that use the tables of a migration';

-- Waits until no transaction is left that began before the mark. Holds nothing meanwhile.
CREATE PROCEDURE idgen_tools_wait(relation regclass, column_name name, max_wait interval)
LANGUAGE plpgsql
AS $$
DECLARE
  begun pg_catalog.timestamptz;
  told pg_catalog.timestamptz;
  older pg_catalog.text;
  prepared pg_catalog.text[];
  waited boolean;
BEGIN
  SET LOCAL search_path = pg_catalog, pg_temp;
  waited := @extschema@.idgen_tools_mark(relation, column_name);
  COMMIT;
  SET LOCAL search_path = pg_catalog, pg_temp;
  begun := clock_timestamp();
  LOOP
    -- Whoever is prepared between the two looks was old in the first, or is not in the second.
    IF prepared IS NULL THEN
      older := @extschema@.idgen_tools_old_transaction(relation, column_name);
      IF older IS NULL THEN
        prepared := @extschema@.idgen_tools_prepared(relation, column_name);
      END IF;
    END IF;
    IF prepared IS NOT NULL THEN
      SELECT 'prepared transaction ' || split_part(p, '/', 2) INTO older
      FROM unnest(prepared) p
      WHERE p = ANY (@extschema@.idgen_tools_prepared(relation, column_name)) LIMIT 1;
    END IF;
    EXIT WHEN older IS NULL;
    IF clock_timestamp() - begun > max_wait THEN
      RAISE EXCEPTION USING ERRCODE = 'lock_not_available',
        MESSAGE = format('%s is older than the migration''s last step', older),
        DETAIL = 'Rows that it writes may lack their new keys.',
        HINT = 'Let it end, and run this step again.';
    END IF;
    IF told IS NULL OR clock_timestamp() - told > '10 s' THEN
      RAISE NOTICE 'waiting for the end of older transactions: %', older;
      told := clock_timestamp();
    END IF;
    COMMIT;
    PERFORM pg_catalog.pg_sleep(0.1);
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
  END LOOP;
  COMMIT;
END $$;
COMMENT ON PROCEDURE idgen_tools_wait(regclass, name, interval) IS 'idgen: waits for older transactions';

-- Fills a range of blocks of the first table that is not full. It waits for no row's lock while it has some itself, so that no
-- application's transaction can be the victim of a deadlock with it: rows that are locked are left, and one of them is returned.
CREATE FUNCTION idgen_tools_fill(
    relation regclass, column_name name, batch int, OUT done boolean, OUT busy_table oid, OUT busy_row tid)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  begun timestamptz := clock_timestamp();
  m @extschema@.idgen_migration := @extschema@.idgen_tools_lock(relation, column_name);
  k @extschema@.idgen_migration_column;
  range_from text;
  range_to text;
  to_block bigint;
  filled bigint;
  orphan text;
BEGIN
  done := m.state <> 'filling';
  IF done THEN
    RETURN;
  END IF;
  PERFORM @extschema@.idgen_tools_check_triggers(m);
  SELECT * INTO k FROM @extschema@.idgen_migration_column s
  WHERE s.relation = relation AND s.column_name = column_name AND NOT s.filled ORDER BY s.number LIMIT 1;
  IF NOT FOUND THEN
    PERFORM @extschema@.idgen_tools_check(m);
    UPDATE @extschema@.idgen_migration s SET state = 'filled', wait_for = NULL
    WHERE s.relation = relation AND s.column_name = column_name;
    done := true;
    RETURN;
  END IF;
  -- A table that was rewritten has its rows elsewhere. While this lock is held it is not.
  IF NOT @extschema@.idgen_tools_try(format('LOCK TABLE ONLY %s IN ROW EXCLUSIVE MODE', k.member::regclass), '{}'::oid[], NULL::text, '1 s'::interval) THEN
    RETURN;
  END IF;
  IF k.file IS DISTINCT FROM pg_relation_filenode(k.member)::oid THEN
    k.file := pg_relation_filenode(k.member);
    k.next_block := 0;
    k.blocks := pg_relation_size(k.member) / current_setting('block_size')::int;
  END IF;
  to_block := (SELECT least(k.blocks, k.next_block + greatest(1, batch / greatest(1, CASE WHEN c.relpages > 0 AND c.reltuples > 0
                                                                                  THEN c.reltuples / c.relpages ELSE 100 END)::int))
               FROM pg_class c WHERE c.oid = k.member);
  range_from := format('(%s,0)', k.next_block);
  range_to := format('(%s,0)', to_block);

  PERFORM set_config('enable_tidscan', 'on', true), set_config('enable_nestloop', 'on', true),
          set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
          set_config('enable_mergejoin', 'off', true);
  IF NOT m.fire_triggers AND has_parameter_privilege('session_replication_role', 'SET') THEN
    PERFORM set_config('session_replication_role', 'replica', true);
  END IF;
  EXECUTE format(
    'WITH todo AS MATERIALIZED (
       SELECT ctid AS tid, %1$I AS k FROM ONLY %3$s
       WHERE ctid >= $1 AND ctid < $2 AND %2$I IS NULL AND %1$I IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED)
     UPDATE ONLY %3$s AS member SET %2$I = map.new_key
     FROM todo JOIN %4$s AS map ON map.old_key = todo.k WHERE member.ctid = todo.tid',
    k.name, k.new_name, k.member::regclass, m.mapping::regclass)
  USING range_from::tid, range_to::tid;
  GET DIAGNOSTICS filled = ROW_COUNT;
  EXECUTE format(
    'SELECT member.ctid, CASE WHEN map.old_key IS NULL THEN member.%1$I::text END FROM ONLY %3$s AS member
     LEFT JOIN %4$s AS map ON map.old_key = member.%1$I
     WHERE member.ctid >= $1 AND member.ctid < $2 AND member.%2$I IS NULL AND member.%1$I IS NOT NULL LIMIT 1',
    k.name, k.new_name, k.member::regclass, m.mapping::regclass)
  INTO busy_row, orphan USING range_from::tid, range_to::tid;
  IF orphan IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation',
      MESSAGE = format('column "%s" of table %s has a value that is no key of table %s', k.name, k.member::regclass, relation),
      DETAIL = format('The value is %s.', orphan),
      HINT = 'Somebody wrote past the foreign key. Delete the row or correct it, and run this step again.';
  END IF;
  busy_table := CASE WHEN busy_row IS NOT NULL THEN k.member END;
  UPDATE @extschema@.idgen_migration_column s
  SET file = k.file, blocks = k.blocks, next_block = CASE WHEN busy_row IS NULL THEN to_block ELSE k.next_block END,
      filled = busy_row IS NULL AND to_block >= k.blocks
  WHERE s.relation = relation AND s.column_name = column_name AND s.number = k.number;
  UPDATE @extschema@.idgen_migration s SET rows_done = s.rows_done + filled, spent = s.spent + (clock_timestamp() - begun)
  WHERE s.relation = relation AND s.column_name = column_name;
END $$;
COMMENT ON FUNCTION idgen_tools_fill(regclass, name, int) IS 'idgen: fills a batch of rows';

-- Waits for the lock of a row, without a lock of its own that others wait for.
CREATE FUNCTION idgen_tools_await_row(busy_table oid, busy_row tid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('SELECT FROM ONLY %s WHERE ctid = $1 FOR NO KEY UPDATE', busy_table::regclass) USING busy_row;
END $$;
COMMENT ON FUNCTION idgen_tools_await_row(oid, tid) IS 'idgen: waits for the lock of a row';

-- Whether a standby has not yet replayed the log up to a place.
CREATE FUNCTION idgen_tools_lagging(place pg_lsn) RETURNS boolean
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM pg_stat_replication r WHERE r.replay_lsn < place);
END $$;
COMMENT ON FUNCTION idgen_tools_lagging(pg_lsn) IS 'idgen: whether a standby is behind a place in the log';

CREATE PROCEDURE idgen_migration_backfill(
    relation regclass, column_name name, batch int DEFAULT 5000, pause interval DEFAULT '0',
    max_replication_lag interval DEFAULT '10 s', max_wait interval DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
  done boolean := false;
  mapped boolean := false;
  busy_table pg_catalog.oid;
  busy_row pg_catalog.tid;
  told pg_catalog.timestamptz;
  behind pg_catalog.timestamptz;
  place pg_catalog.pg_lsn;
  next_place pg_catalog.pg_lsn;
  next_time pg_catalog.timestamptz;
BEGIN
  COMMIT;
  SET LOCAL search_path = pg_catalog, pg_temp;
  IF batch NOT BETWEEN 1 AND 1000000 OR num_nulls(batch, pause, max_replication_lag) > 0 OR pause < '0' OR max_replication_lag < '0' THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = 'a batch has 1 to 1000000 rows, and the pause and the replication lag must not be null or negative';
  END IF;
  PERFORM @extschema@.idgen_tools_check(@extschema@.idgen_tools_lock(relation, column_name));
  COMMIT;
  SET LOCAL search_path = pg_catalog, pg_temp;
  LOOP
    IF NOT mapped THEN
      mapped := @extschema@.idgen_tools_map(relation, column_name, batch);
      COMMIT;
      SET LOCAL search_path = pg_catalog, pg_temp;
      IF mapped AND @extschema@.idgen_tools_state(relation, column_name) = 'filling' THEN
        COMMIT;
        CALL @extschema@.idgen_tools_wait(relation, column_name, max_wait);
      END IF;
    ELSE
      SELECT f.done, f.busy_table, f.busy_row INTO done, busy_table, busy_row
      FROM @extschema@.idgen_tools_fill(relation, column_name, batch) f;
      EXIT WHEN done;
      COMMIT;
      IF busy_row IS NOT NULL THEN
        SET LOCAL search_path = pg_catalog, pg_temp;
        PERFORM @extschema@.idgen_tools_await_row(busy_table, busy_row);
      END IF;
    END IF;
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
    IF told IS NULL THEN
      told := clock_timestamp();
      IF EXISTS (SELECT FROM pg_stat_replication r WHERE r.state IS NULL) THEN
        RAISE NOTICE 'the lag of standbys cannot be seen without the role pg_read_all_stats';
      END IF;
    ELSIF clock_timestamp() - told > '30 s' THEN
      RAISE NOTICE '%', @extschema@.idgen_tools_progress(relation, column_name);
      told := clock_timestamp();
    END IF;
    -- Two places in the log are remembered. The older one was written so long ago that every standby should have it.
    IF next_time IS NULL OR clock_timestamp() - next_time > max_replication_lag THEN
      place := next_place;
      next_place := pg_current_wal_insert_lsn();
      next_time := clock_timestamp();
    END IF;
    behind := NULL;
    WHILE @extschema@.idgen_tools_lagging(place) LOOP
      IF behind IS NULL OR clock_timestamp() - behind > '30 s' THEN
        RAISE NOTICE 'waiting for a standby that is behind';
        behind := clock_timestamp();
      END IF;
      COMMIT;
      PERFORM pg_catalog.pg_sleep(0.2);
      COMMIT;
      SET LOCAL search_path = pg_catalog, pg_temp;
    END LOOP;
    COMMIT;
    PERFORM pg_catalog.pg_sleep_for(pause);
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
  END LOOP;
  RAISE NOTICE '%', @extschema@.idgen_tools_progress(relation, column_name);
END $$;
COMMENT ON PROCEDURE idgen_migration_backfill(regclass, name, int, interval, interval, interval) IS
  'gives the rows that are there their new keys, in batches; can be run again after it was stopped';

CREATE FUNCTION idgen_tools_state(relation regclass, column_name name) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
  RETURN (SELECT s.state FROM @extschema@.idgen_migration s WHERE s.relation = relation AND s.column_name = column_name);
END $$;
COMMENT ON FUNCTION idgen_tools_state(regclass, name) IS 'idgen: the state of a migration';

CREATE FUNCTION idgen_tools_progress(relation regclass, column_name name) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
  RETURN (SELECT format('migration of %s of %s: %s', column_name, relation, s.state)
                 || CASE WHEN s.state IN ('mapping', 'ordering', 'filling')
                         THEN format(', %s of about %s', s.rows_done, s.rows_estimated) ELSE '' END
          FROM @extschema@.idgen_migration s WHERE s.relation = relation AND s.column_name = column_name);
END $$;
COMMENT ON FUNCTION idgen_tools_progress(regclass, name) IS 'idgen: how far a migration is';


-- Keeping partitions --------------------------------------------------------------------------

SET LOCAL search_path = pg_catalog, pg_temp;

-- The last partition is one step of a calendar if its bounds are in the ticks in which that step begins and ends.
CREATE FUNCTION @extschema@.idgen_tools_last_step(parent oid, scheme text, time_zone text) RETURNS interval
  STABLE STRICT PARALLEL SAFE
  RETURN (
    SELECT c.step
    FROM (SELECT b.* FROM @extschema@.idgen_tools_time_bounds(parent, scheme) b
          WHERE isfinite(b.from_ts) AND isfinite(b.to_ts) ORDER BY b.from_key DESC LIMIT 1) last,
         unnest('{1 year,6 months,4 months,3 months,2 months,1 month,7 days,1 day,12:00,8:00,6:00,4:00,3:00,2:00,1:00}'::interval[])
           WITH ORDINALITY c(step, n),
         LATERAL @extschema@.idgen_tools_steps(last.from_ts, last.from_ts + c.step, c.step, time_zone) s
    WHERE (c.step >= '1 day'::interval OR time_zone = 'UTC') AND last.from_is_start AND last.to_is_start
      AND @extschema@.idgen_tools_tick_of(scheme, s.starts) = last.from_ts
      AND @extschema@.idgen_tools_tick_of(scheme, s.ends) = last.to_ts
    ORDER BY c.n LIMIT 1);
COMMENT ON FUNCTION @extschema@.idgen_tools_last_step(oid, text, text) IS
  'for partitions: the step of the calendar that the last partition is; NULL if it is none';

-- What is to be made, oldest first, and what is to go, oldest first.
CREATE FUNCTION @extschema@.idgen_tools_maintenance(
    parent regclass, ahead interval, keep interval, step interval, time_zone text, layout text, as_of timestamptz,
    OUT step_used interval, OUT missing timestamptz[], OUT missing_ends timestamptz[], OUT old oid[])
  LANGUAGE plpgsql STABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  t     record;
  until timestamptz;
  gone  bytea;
BEGIN
  t := @extschema@.idgen_tools_time_table(parent, layout);
  IF ahead IS NULL OR time_zone IS NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'null_value_not_allowed',
      MESSAGE = format('%s must not be null', CASE WHEN ahead IS NULL THEN 'ahead' ELSE 'time_zone' END);
  ELSIF ahead < '0'::interval OR keep < '0'::interval THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value',
      MESSAGE = CASE WHEN ahead < '0'::interval THEN format('ahead "%s" is negative', ahead)
                     ELSE format('keep "%s" is negative', keep) END;
  ELSIF NOT isfinite(as_of) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('as_of "%s" is not finite', as_of);
  END IF;
  as_of := coalesce(as_of, clock_timestamp());
  -- IDs may be ahead of the clock.
  until := as_of + ahead + coalesce(nullif(current_setting('idgen.max_clock_lead', true), ''), '10 s')::interval;
  step_used := @extschema@.idgen_tools_check_step(coalesce(step, '1 year'), time_zone, until - as_of);
  IF step IS NULL THEN
    step_used := @extschema@.idgen_tools_last_step(parent::oid, t.scheme, time_zone);
    IF step_used IS NULL THEN
      RAISE EXCEPTION USING
        ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = format('cannot tell the step of the partitions of "%s"', t.table_name),
        DETAIL = CASE WHEN EXISTS (SELECT FROM @extschema@.idgen_tools_bounds(parent::oid) b WHERE NOT b.is_default)
          THEN format('The last one is no year, month, week, day or hour of time zone "%s".', time_zone)
          ELSE 'There is none yet.' END,
        HINT = 'Name the step, and the time zone if it is another.';
    END IF;
    PERFORM @extschema@.idgen_tools_check_step(step_used, time_zone, until - as_of);
  END IF;

  SELECT coalesce(array_agg(p.starts ORDER BY p.starts), '{}'), coalesce(array_agg(p.ends ORDER BY p.starts), '{}')
  INTO missing, missing_ends
  FROM @extschema@.idgen_tools_plan(parent::oid, t.scheme, as_of, until, step_used, time_zone) p
  WHERE p.from_id <> p.to_id AND NOT p.is_covered;

  SELECT @extschema@.idgen_tools_bound_key(@extschema@.idgen_tools_bound_at(t.scheme, as_of - keep, l.first_ts, l.last_ts))
  INTO gone FROM @extschema@.idgen_tools_life(t.scheme) l;
  SELECT coalesce(array_agg(b.partition ORDER BY b.from_key), '{}') INTO old
  FROM @extschema@.idgen_tools_bounds(parent::oid) b WHERE b.to_key <= gone;
END $$;
COMMENT ON FUNCTION @extschema@.idgen_tools_maintenance(regclass, interval, interval, interval, text, text, timestamptz) IS
  'for partitions: which are missing, and which are old';

-- Whether a partition is still one: another session may have been faster. Locks the parent as DETACH does, at once: a lock
-- that grows may deadlock.
CREATE FUNCTION @extschema@.idgen_tools_detach(parent regclass, partition oid, drop_old boolean) RETURNS text
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name text;
BEGIN
  EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', parent);
  SELECT c.relname INTO name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhrelid = partition AND i.inhparent = parent;
  IF FOUND THEN
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', parent, partition::regclass);
    IF drop_old THEN
      EXECUTE format('DROP TABLE %s', partition::regclass);
    END IF;
  END IF;
  RETURN name;
END $$;
COMMENT ON FUNCTION @extschema@.idgen_tools_detach(regclass, oid, boolean) IS
  'for partitions: detaches one, and drops it if asked to';

-- At most a thousand rows are counted: it must not take long.
CREATE FUNCTION @extschema@.idgen_tools_stray_rows(parent regclass, OUT partition name, OUT strays text)
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
  SET row_security = off
AS $$
DECLARE
  found_default regclass := (SELECT nullif(t.partdefid, 0) FROM pg_partitioned_table t WHERE t.partrelid = parent);
  counted       bigint;
BEGIN
  IF found_default IS NOT NULL THEN
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s LIMIT 1001) r', found_default) INTO counted;
    SELECT c.relname INTO partition FROM pg_class c WHERE c.oid = found_default;
    strays := CASE WHEN counted > 1000 THEN 'more than 1000 rows' WHEN counted > 0 THEN format('%s rows', counted) END;
  END IF;
END $$;
COMMENT ON FUNCTION @extschema@.idgen_tools_stray_rows(regclass) IS
  'for partitions: how many rows the default partition has; NULL if none';

-- Each partition is made or detached in a transaction of its own, so that locks are short. Variables are set after the
-- search_path is safe.
CREATE PROCEDURE @extschema@.idgen_maintain_partitions(
    parent regclass, ahead interval, keep interval DEFAULT NULL, step interval DEFAULT NULL, time_zone text DEFAULT 'UTC',
    layout text DEFAULT NULL, drop_old boolean DEFAULT false, lock_timeout interval DEFAULT '5 s',
    tablespace name DEFAULT NULL, prefix name DEFAULT NULL, as_of timestamptz DEFAULT NULL)
  LANGUAGE plpgsql
AS $$
#variable_conflict use_variable
DECLARE
  work    pg_catalog.record;
  s       pg_catalog.record;
  name    pg_catalog.text;
  waits   pg_catalog.text;
  message pg_catalog.text;
  detail  pg_catalog.text;
  failed  int;
BEGIN
  SET LOCAL search_path = pg_catalog, pg_temp;
  IF drop_old IS NULL OR lock_timeout IS NULL OR lock_timeout < '0'::interval OR lock_timeout > '1 day'::interval THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value',
      MESSAGE = CASE WHEN drop_old IS NULL THEN 'drop_old must not be null'
                     ELSE format('lock_timeout "%s" is not from 0 to 1 day', coalesce(lock_timeout::text, 'NULL')) END;
  END IF;
  waits := round(extract(epoch FROM lock_timeout) * 1000)::text;
  failed := 0;
  work := @extschema@.idgen_tools_maintenance(parent, ahead, keep, step, time_zone, layout, as_of);

  FOR i IN 1 .. cardinality(work.missing) LOOP
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
    -- Under a snapshot of the transaction, what another session has made meanwhile would not be seen.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    PERFORM set_config('lock_timeout', waits, true);
    BEGIN
      FOR s IN SELECT c.partition, c.created FROM @extschema@.idgen_create_partitions(
                 parent, work.missing[i], work.missing_ends[i], work.step_used, time_zone, layout, false, tablespace, prefix) c LOOP
        IF s.created THEN
          RAISE NOTICE 'created partition "%"', (SELECT c.relname FROM pg_class c WHERE c.oid = s.partition);
        END IF;
      END LOOP;
    EXCEPTION WHEN check_violation THEN
      -- The other ones are not to be missing for it.
      GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
      failed := failed + 1;
      RAISE WARNING USING MESSAGE = concat_ws(': ', message, nullif(detail, ''));
    END;
  END LOOP;

  FOR i IN 1 .. cardinality(work.old) LOOP
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    PERFORM set_config('lock_timeout', waits, true);
    name := @extschema@.idgen_tools_detach(parent, work.old[i], drop_old);
    IF name IS NOT NULL THEN
      RAISE NOTICE '% partition "%"', CASE WHEN drop_old THEN 'dropped' ELSE 'detached' END, name;
    END IF;
  END LOOP;

  COMMIT;
  SET LOCAL search_path = pg_catalog, pg_temp;
  SELECT * INTO s FROM @extschema@.idgen_tools_stray_rows(parent);
  IF s.strays IS NOT NULL THEN
    RAISE WARNING USING
      MESSAGE = format('default partition "%s" has %s', s.partition, s.strays),
      HINT = 'idgen_create_partitions() with move_default => true moves them to partitions of their time.';
  END IF;
  IF failed > 0 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      MESSAGE = format('%s partitions of %s could not be created', failed, parent),
      HINT = 'Their rows are in the default partition. idgen_create_partitions() with move_default => true moves them.';
  END IF;
  -- The settings of this transaction are not to reach the caller's next statements.
  COMMIT;
END $$;
COMMENT ON PROCEDURE @extschema@.idgen_maintain_partitions(
    regclass, interval, interval, interval, text, text, boolean, interval, name, name, timestamptz) IS
  'creates the partitions of the time ahead, and detaches or drops old ones';

SET LOCAL search_path = @extschema@, pg_temp;

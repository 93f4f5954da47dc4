
-- Migration of keys: where its state is ------------------------------------------------------------
--
-- One row for each migration, one for each column that it converts, one for each index and foreign key that it makes
-- again. Everybody may write to these tables, but sees and writes only the migrations of tables that are his. So an
-- ordinary owner can migrate his tables, and nobody can disturb another's migration. A row only says what its owner
-- could do himself, since each step runs as the owner of the tables.
CREATE TABLE idgen_migration (
  relation oid NOT NULL,
  column_name name NOT NULL,
  target text NOT NULL,
  created name,
  time_zone text NOT NULL,
  datacenter_id int,
  machine_id int,
  shard_id int,
  fire_triggers boolean NOT NULL,
  old_type regtype NOT NULL,
  new_type regtype NOT NULL,
  new_default text NOT NULL,
  old_default text,
  mapping oid,
  work oid,
  new_sequence oid,
  state text NOT NULL,
  copied text,
  assigned_time timestamptz,
  assigned text,
  last_position bigint,
  wait_for xid8,
  rows_done bigint NOT NULL DEFAULT 0,
  rows_estimated bigint NOT NULL,
  started timestamptz NOT NULL,
  spent interval NOT NULL DEFAULT '0',
  PRIMARY KEY (relation, column_name));
COMMENT ON TABLE idgen_migration IS 'idgen: migrations of keys that are under way';

-- new_number and old_number are the columns' numbers, which a new name does not change.
CREATE TABLE idgen_migration_column (
  relation oid NOT NULL,
  column_name name NOT NULL,
  number int NOT NULL,
  member oid NOT NULL,
  name name NOT NULL,
  new_name name NOT NULL,
  old_name name NOT NULL,
  old_number int2 NOT NULL,
  new_number int2,
  not_null boolean NOT NULL,
  function_name name NOT NULL,
  check_name name NOT NULL,
  file oid,
  next_block bigint NOT NULL DEFAULT 0,
  blocks bigint,
  filled boolean NOT NULL DEFAULT false,
  PRIMARY KEY (relation, column_name, number));
COMMENT ON TABLE idgen_migration_column IS 'idgen: the columns that a migration converts';

-- kind is index, unique, primary key or foreign key. statement makes the new one, back_statement an index for the
-- primary key of the old column, which keeps the way back open.
CREATE TABLE idgen_migration_object (
  relation oid NOT NULL,
  column_name name NOT NULL,
  number int NOT NULL,
  kind text NOT NULL,
  member oid NOT NULL,
  name name NOT NULL,
  new_name name NOT NULL,
  old_name name NOT NULL,
  definition text NOT NULL,
  statement text NOT NULL,
  back_statement text,
  replica_identity boolean NOT NULL,
  clustered boolean NOT NULL,
  PRIMARY KEY (relation, column_name, number));
COMMENT ON TABLE idgen_migration_object IS 'idgen: the indexes and foreign keys that a migration makes again';

ALTER TABLE idgen_migration ENABLE ROW LEVEL SECURITY;
ALTER TABLE idgen_migration_column ENABLE ROW LEVEL SECURITY;
ALTER TABLE idgen_migration_object ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner ON idgen_migration USING (EXISTS (
  SELECT FROM pg_catalog.pg_class c
  WHERE c.oid OPERATOR(pg_catalog.=) relation AND pg_catalog.pg_has_role(c.relowner, 'USAGE'::text)));
CREATE POLICY owner ON idgen_migration_column USING (EXISTS (
  SELECT FROM pg_catalog.pg_class c
  WHERE c.oid OPERATOR(pg_catalog.=) relation AND pg_catalog.pg_has_role(c.relowner, 'USAGE'::text)));
CREATE POLICY owner ON idgen_migration_object USING (EXISTS (
  SELECT FROM pg_catalog.pg_class c
  WHERE c.oid OPERATOR(pg_catalog.=) relation AND pg_catalog.pg_has_role(c.relowner, 'USAGE'::text)));
GRANT SELECT, INSERT, UPDATE, DELETE ON idgen_migration, idgen_migration_column, idgen_migration_object TO PUBLIC;

-- Returns a name of at most 63 bytes, made of a base and a suffix. A base that has to be cut gets the number, so that two
-- long names of one table stay apart.
CREATE FUNCTION idgen_tools_name(base text, suffix text, number bigint) RETURNS name
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  cut text := base;
BEGIN
  IF octet_length(base || suffix) > 63 THEN
    WHILE octet_length(cut || '_' || number || suffix) > 63 LOOP
      cut := left(cut, -1);
    END LOOP;
    cut := cut || '_' || number;
  END IF;
  RETURN (cut || suffix)::name;
END $$;
COMMENT ON FUNCTION idgen_tools_name(text, text, bigint) IS 'idgen: a name of at most 63 bytes';

-- Limits how long the statements to come wait for a lock.
CREATE FUNCTION idgen_tools_limit(longest interval) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM set_config('lock_timeout', greatest(1, round(extract(epoch FROM longest) * 1000))::text, true);
END $$;
COMMENT ON FUNCTION idgen_tools_limit(interval) IS 'idgen: sets lock_timeout';

-- Locks views, and tables in a mode, within a time; an error otherwise.
--
-- An autovacuum gives way only to somebody who has waited for deadlock_timeout. So first comes a lock that is in nobody's way but
-- its, and that may be waited for as long. After that no vacuum begins.
--
-- Then the time runs from the first request to the last lock, and ends before deadlock_timeout: applications' transactions queue behind
-- the first request. Where one of them has locked the tables in another order, this one has given up when the other looks for a deadlock,
-- and cannot make it the victim.
--
-- A query locks a view before the tables in it, and so does this. LOCK TABLE on a view would lock all its tables.
CREATE FUNCTION idgen_tools_lock_relations(views oid[], tables oid[], mode text, lock_timeout interval) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  patience interval := current_setting('deadlock_timeout')::interval;
  until timestamptz;
  statement text;
BEGIN
  PERFORM @extschema@.idgen_tools_limit(patience + lock_timeout);
  FOR statement IN SELECT format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', t::regclass) FROM unnest(tables) t LOOP
    EXECUTE statement;
  END LOOP;
  until := clock_timestamp() + least(lock_timeout, patience * 0.8);
  FOREACH statement IN ARRAY ARRAY(
      SELECT format('ALTER VIEW %s OWNER TO %I', c.oid::regclass, pg_get_userbyid(c.relowner))
      FROM unnest(views) WITH ORDINALITY v(view, n) JOIN pg_class c ON c.oid = v.view ORDER BY v.n) || ARRAY(
      SELECT format('LOCK TABLE ONLY %s IN %s MODE', t::regclass, mode) FROM unnest(tables) WITH ORDINALITY u(t, n) ORDER BY u.n) LOOP
    PERFORM @extschema@.idgen_tools_limit(until - clock_timestamp());
    EXECUTE statement;
  END LOOP;
  PERFORM @extschema@.idgen_tools_limit(until - clock_timestamp());
END $$;
COMMENT ON FUNCTION idgen_tools_lock_relations(oid[], oid[], text, interval) IS
  'idgen: locks tables and views, without a deadlock for others';

-- Runs a statement that locks these tables in this mode. Returns false if it did not get the locks in time. A deadlock is
-- the same: somebody else had to go on. What it had locked is then free again.
CREATE FUNCTION idgen_tools_try(statement text, tables oid[], mode text, lock_timeout interval) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@.idgen_tools_lock_relations('{}'::oid[], tables, mode, lock_timeout);
  EXECUTE statement;
  PERFORM set_config('lock_timeout', '0', true);
  RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
  RETURN false;
END $$;
COMMENT ON FUNCTION idgen_tools_try(text, oid[], text, interval) IS 'idgen: runs a statement, if it gets its locks in time';

-- Waits before the next attempt to get a lock. Reports an error after the last one.
CREATE FUNCTION idgen_tools_retry(attempt int, attempts int, what text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF attempt >= attempts THEN
    RAISE EXCEPTION USING ERRCODE = 'lock_not_available',
      MESSAGE = format('could not lock %s in %s attempts', what, attempts),
      HINT = 'Look for long transactions that use the tables in pg_stat_activity and pg_locks. Then run the step again.';
  END IF;
  IF attempt = 1 THEN
    RAISE NOTICE 'waiting for a lock on %', what;
  END IF;
  PERFORM pg_sleep(least(0.1 * attempt, 2) * (0.5 + random()));
END $$;
COMMENT ON FUNCTION idgen_tools_retry(int, int, text) IS 'idgen: waits between two attempts to get a lock';

-- Makes one attempt after the other, each in a transaction of its own, until one gets its locks. `attempt_sql` returns
-- whether it did; its parameters are the relation, the column, the lock_timeout, and what else the step needs, as text.
CREATE PROCEDURE idgen_tools_attempts(
    attempt_sql text, relation regclass, column_name name, lock_timeout interval, attempts int, what text,
    more text DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
  attempt int;
  done boolean;
BEGIN
  -- An error if this is inside a transaction: nothing has been changed yet.
  COMMIT;
  SET LOCAL search_path = pg_catalog, pg_temp;
  attempt := 1;
  LOOP
    EXECUTE attempt_sql INTO done USING relation, column_name, lock_timeout, more;
    EXIT WHEN done;
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
    PERFORM @extschema@.idgen_tools_retry(attempt, attempts, what);
    attempt := attempt + 1;
    COMMIT;
    SET LOCAL search_path = pg_catalog, pg_temp;
  END LOOP;
END $$;
COMMENT ON PROCEDURE idgen_tools_attempts(text, regclass, name, interval, int, text, text) IS
  'idgen: attempts a step until it gets its locks';

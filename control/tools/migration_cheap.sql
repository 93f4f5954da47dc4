
-- Migration of keys: the cheap way, which keeps all keys and changes the default -------------------------------

-- The sequence that belongs to a column, by SERIAL, IDENTITY or OWNED BY.
CREATE FUNCTION idgen_tools_owned_sequence(relation oid, number int2) RETURNS oid
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT d.objid FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
          WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation
            AND d.refobjsubid = number AND d.deptype IN ('a', 'i') ORDER BY d.objid LIMIT 1);
END $$;
COMMENT ON FUNCTION idgen_tools_owned_sequence(oid, int2) IS 'idgen: the sequence of a column';

-- Whether a default is that of the target, by either name of the function: snowflake_nextval() is snowflake_id().
CREATE FUNCTION idgen_tools_has_default(relation oid, number int2, target text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  schema text := @extschema@.idgen_tools_schema() || '.';
BEGIN
  RETURN coalesce((
    SELECT starts_with(v.shown, schema)
           AND schema || regexp_replace(substr(v.shown, length(schema) + 1), '^([a-z0-9]+)_nextval\(', '\1_id(')
               = (@extschema@.idgen_tools_target(target)).expression
    FROM pg_attrdef d, LATERAL pg_get_expr(d.adbin, d.adrelid) v(shown)
    WHERE d.adrelid = relation AND d.adnum = number), false);
END $$;
COMMENT ON FUNCTION idgen_tools_has_default(oid, int2, text) IS 'idgen: whether a column has a target''s default';

-- Why keys cannot simply go on with the target. Reads the largest key, and for the way back the smallest one above the sequence.
CREATE FUNCTION idgen_tools_cheap_reasons(relation regclass, column_name name, target text, OUT reason text)
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  number int2 := @extschema@.idgen_tools_column_number(relation, column_name);
  wanted record := @extschema@.idgen_tools_target(target);
  kind "char";
  owner oid;
  type oid;
  generated "char";
  sequence oid := @extschema@.idgen_tools_owned_sequence(relation::oid, number);
  least_id bigint;
  nearest bigint;
  last bigint;
BEGIN
  SELECT c.relkind, c.relowner, a.atttypid, a.attgenerated INTO kind, owner, type, generated
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.oid = relation AND a.attnum = number;
  IF kind NOT IN ('r', 'p') THEN
    RETURN QUERY SELECT format('%s is not an ordinary table', relation);
    RETURN;
  END IF;
  IF owner <> current_user::regrole THEN
    RETURN QUERY SELECT format('table %s is owned by %s: run this as its owner (SET ROLE)', relation, pg_get_userbyid(owner));
    RETURN;
  END IF;
  IF generated <> '' THEN
    RETURN QUERY SELECT format('column %s is generated', column_name);
  END IF;
  IF wanted.type <> 'int8'::regtype THEN
    RETURN QUERY SELECT format('keys of %s are of type %s', target, wanted.type);
    RETURN;
  END IF;
  RETURN QUERY
  SELECT format('column %s of table %s is of type %s, and keys of %s need bigint', a.attname, m.member::regclass,
                format_type(a.atttypid, NULL), target)
  FROM @extschema@.idgen_tools_members(relation::oid, number) m
  JOIN pg_attribute a ON a.attrelid = m.member AND a.attnum = m.attnum WHERE a.atttypid <> 'int8'::regtype;
  IF NOT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
                 WHERE i.indrelid = relation AND i.indkey[0] = number AND i.indisvalid AND i.indpred IS NULL AND am.amname = 'btree') THEN
    RETURN QUERY SELECT format('no index begins with column %s, so the largest key would take a scan under a lock', column_name);
    RETURN;
  END IF;
  IF type <> 'int8'::regtype THEN
    RETURN;
  END IF;
  IF sequence IS NOT NULL THEN
    EXECUTE format('SELECT last_value FROM %s', sequence::regclass) INTO last;
  END IF;
  IF wanted.layout IS NOT NULL THEN
    -- A day is more than what clocks are off, and the keys of a sequence are far below.
    least_id := @extschema@.idgen_tools_min_id(
      greatest(@extschema@.idgen_tools_id_time(@extschema@.idgen_tools_next(target), wanted.layout) - interval '1 day',
               @extschema@.idgen_tools_id_time(0::bigint, wanted.layout)), wanted.layout);
    EXECUTE format('SELECT max(%I) FROM %s', column_name, relation) INTO nearest;
    IF nearest >= least_id THEN
      RETURN QUERY SELECT format('the largest key, %s, is not below the IDs to come, from %s on', nearest, least_id);
    END IF;
    IF last >= least_id THEN
      RETURN QUERY SELECT format('sequence %s, at %s, is not below the IDs to come, from %s on', sequence::regclass, last, least_id);
    END IF;
    RETURN;
  END IF;
  IF sequence IS NULL THEN
    RETURN QUERY SELECT format('column %s has no sequence to go back to', column_name);
    RETURN;
  END IF;
  IF (SELECT s.seqincrement FROM pg_sequence s WHERE s.seqrelid = sequence) < 0 THEN
    RETURN QUERY SELECT format('sequence %s descends', sequence::regclass);
  END IF;
  EXECUTE format('SELECT min(%1$I) FROM %2$s WHERE %1$I > $1', column_name, relation) INTO nearest USING last;
  IF nearest - last < 1000000 * (SELECT s.seqincrement FROM pg_sequence s WHERE s.seqrelid = sequence) THEN
    RETURN QUERY SELECT format('sequence %s, at %s, would soon meet key %s', sequence::regclass, last, nearest);
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_cheap_reasons(regclass, name, text) IS 'idgen: why a new default is not enough';

CREATE FUNCTION idgen_tools_set_default(relation regclass, column_name name, target text, lock_timeout interval) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  number int2 := @extschema@.idgen_tools_column_number(relation, column_name);
  wanted record := @extschema@.idgen_tools_target(target);
  identity "char" := (SELECT a.attidentity FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum = number);
  sequence oid := @extschema@.idgen_tools_owned_sequence(relation::oid, number);
  s record;
  statement text;
  last bigint;
  nearest bigint;
BEGIN
  IF @extschema@.idgen_tools_state(relation, column_name) IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = format('a migration of column "%s" of table %s is under way', column_name, relation),
      HINT = 'End it with idgen_migration_finish() or idgen_migration_roll_back().';
  END IF;
  IF @extschema@.idgen_tools_has_default(relation::oid, number, target) THEN
    RAISE NOTICE 'column % of % has this default already', column_name, relation;
    RETURN true;
  END IF;
  PERFORM @extschema@.idgen_tools_refuse(relation, column_name, ARRAY(
    SELECT r.reason FROM @extschema@.idgen_tools_cheap_reasons(relation, column_name, target) r));
  IF NOT @extschema@.idgen_tools_try(format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation),
                                     ARRAY[relation::oid], 'ACCESS EXCLUSIVE', lock_timeout) THEN
    RETURN false;
  END IF;
  -- Nobody can write now. What was right a moment ago may have changed.
  PERFORM @extschema@.idgen_tools_refuse(relation, column_name, ARRAY(
    SELECT r.reason FROM @extschema@.idgen_tools_cheap_reasons(relation, column_name, target) r));
  IF wanted.layout IS NOT NULL THEN
    IF identity <> '' THEN
      -- The sequence of an identity goes with it. One like it keeps the way back.
      SELECT n.nspname, c.relname, q.seqincrement, q.seqmin, q.seqmax, q.seqcache INTO s
      FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE q.seqrelid = sequence;
      EXECUTE format('SELECT last_value FROM %s', sequence::regclass) INTO last;
      EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY', relation, column_name);
      EXECUTE format('CREATE SEQUENCE %I.%I INCREMENT %s MINVALUE %s MAXVALUE %s START %s CACHE %s OWNED BY %s.%I', s.nspname, s.relname,
                     s.seqincrement, s.seqmin, s.seqmax, last, s.seqcache, relation, column_name);
      PERFORM setval(format('%I.%I', s.nspname, s.relname)::regclass, last);
    END IF;
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', relation, column_name, wanted.expression);
  ELSE
    -- The sequence ends before the first ID.
    EXECUTE format('SELECT last_value FROM %s', sequence::regclass) INTO last;
    EXECUTE format('SELECT min(%1$I) FROM %2$s WHERE %1$I > $1', column_name, relation) INTO nearest USING last;
    IF nearest IS NOT NULL THEN
      EXECUTE format('ALTER SEQUENCE %s AS bigint MAXVALUE %s', sequence::regclass, nearest - 1);
    END IF;
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT pg_catalog.nextval(%L::pg_catalog.regclass)', relation, column_name,
                   sequence::regclass);
    FOREACH statement IN ARRAY ARRAY(SELECT g FROM @extschema@.idgen_tools_sequence_grants(relation::oid, sequence) g) LOOP
      EXECUTE statement;
    END LOOP;
  END IF;
  RAISE NOTICE 'column % of % has its new default', column_name, relation;
  RETURN true;
END $$;
COMMENT ON FUNCTION idgen_tools_set_default(regclass, name, text, interval) IS 'idgen: one attempt to change a default';

CREATE PROCEDURE idgen_migration_set_default(
    relation regclass, column_name name, target text, lock_timeout interval DEFAULT '1 s', attempts int DEFAULT 60)
LANGUAGE plpgsql
AS $$
BEGIN
  CALL @extschema@.idgen_tools_attempts(
    'SELECT @extschema@.idgen_tools_set_default($1, $2, $4, $3)', relation, column_name, lock_timeout, attempts, 'the table', target);
END $$;
COMMENT ON PROCEDURE idgen_migration_set_default(regclass, name, text, interval, int) IS
  'the cheap migration: keys that are there stay, new ones come from the target';

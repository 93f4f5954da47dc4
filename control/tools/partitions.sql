
-- Partitions by the time in the key ---------------------------------------------------------

SET LOCAL search_path = pg_catalog, pg_temp;

-- Not only idgen's tables: for a parent whose keys an application makes, the caller names the scheme.
CREATE FUNCTION @extschema@.idgen_tools_partitions(
    parent oid, scheme text, OUT partition regclass, OUT is_default boolean, OUT from_ts timestamptz,
    OUT to_ts timestamptz, OUT from_id text, OUT to_id text, OUT rows_estimate bigint, OUT size bigint, OUT note text)
  RETURNS SETOF record STABLE STRICT PARALLEL SAFE ROWS 100
BEGIN ATOMIC
  SELECT b.partition::regclass, b.is_default, b.from_ts, b.to_ts, b.from_id, b.to_id, leaves.rows, leaves.bytes,
         CASE
           WHEN b.is_leaving THEN 'DETACH PARTITION CONCURRENTLY was interrupted: use FINALIZE'
           WHEN b.is_default THEN NULL
           WHEN b.from_ts IS NULL OR b.to_ts IS NULL THEN 'a bound is no key of this kind'
           WHEN NOT coalesce(b.from_is_start, true) OR NOT coalesce(b.to_is_start, true)
             THEN 'a bound is not the first key of its tick'
         END
  FROM @extschema@.idgen_tools_time_bounds(parent, scheme) b,
  LATERAL (SELECT coalesce(sum(greatest(c.reltuples, 0)::bigint)::bigint, 0), coalesce(sum(pg_total_relation_size(c.oid))::bigint, 0)
           FROM pg_partition_tree(b.partition) p JOIN pg_class c ON c.oid = p.relid WHERE p.isleaf) leaves(rows, bytes)
  ORDER BY b.is_default, b.from_key;
END;
COMMENT ON FUNCTION @extschema@.idgen_tools_partitions(oid, text) IS 'for partitions: rows of the view idgen_partitions';

CREATE VIEW @extschema@.idgen_partitions AS
  SELECT c.oid::regclass AS parent, p.partition, p.is_default, p.from_ts, p.to_ts, p.from_id, p.to_id,
         p.rows_estimate, p.size, p.note
  FROM pg_partitioned_table t
  JOIN pg_class c ON c.oid = t.partrelid
  JOIN pg_attribute a ON a.attrelid = t.partrelid AND a.attnum = t.partattrs[0]
    AND a.atttypid IN ('bigint'::regtype, 'uuid'::regtype),
  LATERAL @extschema@.idgen_tools_default_scheme(a.attrelid, a.attnum) s(scheme),
  LATERAL @extschema@.idgen_tools_partitions(c.oid, s.scheme) p
  WHERE t.partstrat = 'r' AND t.partnatts = 1 AND s.scheme NOT IN ('sequence', 'uuidv1', 'uuidv4');
COMMENT ON VIEW @extschema@.idgen_partitions IS
  'idgen: the partitions of tables that are partitioned by a key of idgen, and the times of their bounds';
GRANT SELECT ON @extschema@.idgen_partitions TO PUBLIC;

-- The steps of a calendar. Each begins at a local time of a time zone.

CREATE FUNCTION @extschema@.idgen_tools_step_floor(local_ts timestamp, step interval) RETURNS timestamp
  IMMUTABLE STRICT PARALLEL SAFE
  RETURN CASE
    WHEN step >= '1 year'::interval THEN
      date_trunc('year', local_ts) - make_interval(years => (extract(year FROM local_ts) % extract(year FROM step))::int)
    WHEN step >= '1 month'::interval THEN
      date_trunc('month', local_ts)
      - make_interval(months => ((extract(month FROM local_ts) - 1) % extract(month FROM step))::int)
    WHEN step = '7 days'::interval THEN date_trunc('week', local_ts)
    WHEN step = '1 day'::interval THEN date_trunc('day', local_ts)
    ELSE date_trunc('hour', local_ts) - make_interval(hours => (extract(hour FROM local_ts) % extract(hour FROM step))::int)
  END;
COMMENT ON FUNCTION @extschema@.idgen_tools_step_floor(timestamp, interval) IS 'for partitions: when a step begins';

-- An hour that occurs twice, or never, does not matter: only midnights are asked for, and hours of UTC. A day that a time
-- zone left out has no length.
CREATE FUNCTION @extschema@.idgen_tools_steps(
    from_ts timestamptz, to_ts timestamptz, step interval, time_zone text,
    OUT starts timestamptz, OUT ends timestamptz, OUT suffix text)
  RETURNS SETOF record STABLE STRICT PARALLEL SAFE ROWS 100
BEGIN ATOMIC
  SELECT s.starts, s.ends, s.suffix
  FROM (
    SELECT l AT TIME ZONE time_zone, (l + step) AT TIME ZONE time_zone,
           to_char(l, CASE WHEN step >= '1 year'::interval THEN 'YYYY'
                           WHEN step >= '1 month'::interval THEN 'YYYY_MM'
                           WHEN step = '7 days'::interval THEN 'IYYY"_w"IW'
                           WHEN step = '1 day'::interval THEN 'YYYY_MM_DD'
                           ELSE 'YYYY_MM_DD_HH24' END)
    FROM generate_series(@extschema@.idgen_tools_step_floor(from_ts AT TIME ZONE time_zone, step) - step,
                         to_ts AT TIME ZONE time_zone, step) l) s(starts, ends, suffix)
  WHERE s.starts < s.ends AND s.starts < to_ts AND s.ends > from_ts;
END;
COMMENT ON FUNCTION @extschema@.idgen_tools_steps(timestamptz, timestamptz, interval, text) IS
  'for partitions: the steps of a calendar that hold a range of time';

-- What a parent has and lacks of the steps that hold a range of time. A bound that is there, and in front of all keys of
-- the same tick, is taken as it is: first that of a neighbour.
CREATE FUNCTION @extschema@.idgen_tools_plan(
    parent oid, scheme text, from_ts timestamptz, to_ts timestamptz, step interval, time_zone text,
    OUT starts timestamptz, OUT ends timestamptz, OUT suffix text, OUT from_id text, OUT to_id text,
    OUT is_covered boolean, OUT other oid, OUT other_from_id text, OUT other_to_id text, OUT other_from_ts timestamptz,
    OUT other_to_ts timestamptz)
  RETURNS SETOF record STABLE STRICT PARALLEL SAFE ROWS 100
BEGIN ATOMIC
  WITH known AS MATERIALIZED (
    SELECT * FROM @extschema@.idgen_tools_time_bounds($1, $2) b WHERE NOT b.is_default
  ), runs AS MATERIALIZED (  -- partitions side by side
    SELECT (array_agg(r.from_key ORDER BY r.from_key))[1] AS from_key,
           (array_agg(r.to_key ORDER BY r.to_key DESC))[1] AS to_key
    FROM (SELECT k.from_key, k.to_key, count(*) FILTER (WHERE k.begins) OVER (ORDER BY k.from_key) AS run
          FROM (SELECT known.from_key, known.to_key,
                       lag(known.to_key) OVER (ORDER BY known.from_key) IS DISTINCT FROM known.from_key AS begins
                FROM known) k) r
    GROUP BY r.run
  ), steps AS MATERIALIZED (
    SELECT s.*,
           coalesce((SELECT k.to_id FROM known k WHERE k.to_ts = s.starts AND k.to_is_start LIMIT 1),
                    (SELECT k.from_id FROM known k WHERE k.from_ts = s.starts AND k.from_is_start LIMIT 1),
                    @extschema@.idgen_tools_bound_at($2, s.starts, life.first_ts, life.last_ts)) AS from_id,
           coalesce((SELECT k.from_id FROM known k WHERE k.from_ts = s.ends AND k.from_is_start LIMIT 1),
                    (SELECT k.to_id FROM known k WHERE k.to_ts = s.ends AND k.to_is_start LIMIT 1),
                    @extschema@.idgen_tools_bound_at($2, s.ends, life.first_ts, life.last_ts)) AS to_id
    FROM (SELECT * FROM @extschema@.idgen_tools_life($2) OFFSET 0) life,
         @extschema@.idgen_tools_steps($3, $4, $5, $6) s
  ), keys AS MATERIALIZED (
    SELECT steps.*, @extschema@.idgen_tools_bound_key(steps.from_id) AS from_key,
           @extschema@.idgen_tools_bound_key(steps.to_id) AS to_key
    FROM steps
  )
  SELECT s.starts, s.ends, s.suffix, s.from_id, s.to_id,
         EXISTS (SELECT FROM runs r WHERE r.from_key <= s.from_key AND r.to_key >= s.to_key),
         other.partition, other.from_id, other.to_id, other.from_ts, other.to_ts
  FROM keys s
  LEFT JOIN LATERAL (SELECT * FROM known k WHERE k.from_key < s.to_key AND k.to_key > s.from_key
                     ORDER BY k.from_key LIMIT 1) other ON true
  ORDER BY s.starts;
END;
COMMENT ON FUNCTION @extschema@.idgen_tools_plan(oid, text, timestamptz, timestamptz, interval, text) IS
  'for partitions: the steps that hold a range of time, and which partitions are there';

-- The length is that of the time to be divided.
CREATE FUNCTION @extschema@.idgen_tools_check_step(step interval, time_zone text, length interval) RETURNS interval
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  months numeric := extract(year FROM step) * 12 + extract(month FROM step);
  days   numeric := extract(day FROM step);
  hours  numeric := (extract(hour FROM step) * 3600 + extract(minute FROM step) * 60 + extract(second FROM step)) / 3600;
  normal interval;
BEGIN
  PERFORM now() AT TIME ZONE time_zone;
  normal := CASE
    WHEN months > 0 AND days = 0 AND hours = 0 AND (12 % months = 0 OR months % 12 = 0) THEN
      make_interval(months => months::int)
    WHEN months = 0 AND hours = 0 AND days IN (1, 7) THEN make_interval(days => days::int)
    WHEN months = 0 AND days = 0 AND hours = 24 THEN make_interval(days => 1)
    WHEN months = 0 AND days = 0 AND hours > 0 AND 24 % hours = 0 AND hours = trunc(hours) THEN
      make_interval(hours => hours::int)
  END;
  IF normal IS NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('step "%s" is no part of a calendar', step),
      HINT = 'Use 1 year or a number of years, a number of months that divides 12, 1 week, 1 day, or a number of hours that divides 24.';
  ELSIF normal < '1 day'::interval AND time_zone <> 'UTC' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('a step of hours cannot be in time zone "%s"', time_zone),
      HINT = 'Hours are counted in UTC. Leave time_zone out.';
  ELSIF extract(epoch FROM length) / extract(epoch FROM normal) > 10000 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'program_limit_exceeded',
      MESSAGE = format('in "%s" there are more than 10000 steps of "%s"', length, step),
      HINT = 'Use a longer step, or a shorter time.';
  END IF;
  RETURN normal;
END $$;
COMMENT ON FUNCTION @extschema@.idgen_tools_check_step(interval, text, interval) IS
  'for partitions: a step in its normal form, or an error';

-- Everything that could be wrong with the table is told here, before anything is changed.
CREATE FUNCTION @extschema@.idgen_tools_time_table(
    parent regclass, layout text, OUT schema_name name, OUT table_name name, OUT owner oid, OUT column_name name,
    OUT scheme text, OUT default_partition oid, OUT method text,
    OUT tablespace text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  class   pg_class%ROWTYPE;
  part    pg_partitioned_table%ROWTYPE;
  key     pg_attribute%ROWTYPE;
  makes   text;
  problem text;
BEGIN
  IF parent IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the parent of partitions must not be null';
  END IF;
  SELECT * INTO class FROM pg_class c WHERE c.oid = parent;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('relation with OID %s does not exist', parent::oid);
  ELSIF class.relkind <> 'p' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'wrong_object_type',
      MESSAGE = format('"%s" is not a partitioned table', class.relname),
      DETAIL = format('It is %s.', CASE class.relkind WHEN 'r' THEN 'an ordinary table' WHEN 'v' THEN 'a view'
        WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table' WHEN 'S' THEN 'a sequence'
        WHEN 'c' THEN 'a composite type' ELSE 'an index' END),
      HINT = 'Create it with PARTITION BY RANGE over its key. PostgreSQL cannot make an existing table a partitioned one.';
  ELSIF class.relpersistence = 't' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'feature_not_supported',
      MESSAGE = format('"%s" is a temporary table', class.relname);
  ELSIF NOT pg_has_role(class.relowner, 'USAGE') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', class.relname);
  ELSIF NOT has_schema_privilege(class.relnamespace, 'CREATE') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'insufficient_privilege',
      MESSAGE = format('permission denied for schema %s', class.relnamespace::regnamespace),
      HINT = 'Partitions are created in the schema of their parent.';
  END IF;

  SELECT * INTO STRICT part FROM pg_partitioned_table t WHERE t.partrelid = parent;
  SELECT * INTO key FROM pg_attribute a WHERE a.attrelid = parent AND a.attnum = part.partattrs[0] AND a.attnum > 0;
  problem := CASE
    WHEN part.partstrat <> 'r' THEN format('It is partitioned by %s.', CASE part.partstrat WHEN 'l' THEN 'LIST' ELSE 'HASH' END)
    WHEN part.partnatts > 1 THEN format('Its partition key has %s columns.', part.partnatts)
    WHEN part.partattrs[0] = 0 THEN 'It is partitioned by an expression.'
    WHEN key.atttypid NOT IN ('bigint'::regtype, 'uuid'::regtype) THEN
      format('Its partition key "%s" is of type %s.', key.attname, format_type(key.atttypid, key.atttypmod))
    WHEN NOT (SELECT o.opcdefault FROM pg_opclass o WHERE o.oid = part.partclass[0]) THEN
      format('Its partition key "%s" has an operator class of its own.', key.attname)
  END;
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'wrong_object_type',
      MESSAGE = format('"%s" is not partitioned by the range of a key', class.relname),
      DETAIL = problem,
      HINT = 'Its key must be one column of type bigint or uuid: PARTITION BY RANGE (id).';
  END IF;

  makes := @extschema@.idgen_tools_default_scheme(parent::oid, key.attnum);
  IF layout IS NULL THEN
    scheme := makes;
    IF scheme IS NULL THEN
      RAISE EXCEPTION USING
        ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = format('cannot tell the layout of column "%s" of table "%s" from its default', key.attname, class.relname),
        DETAIL = coalesce('The default is ' || (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
                                                WHERE d.adrelid = parent AND d.adnum = key.attnum) || '.', 'There is none.'),
        HINT = format('Name it: layout => %L.', CASE key.atttypid WHEN 'uuid'::regtype THEN 'uuidv7' ELSE 'snowflake' END);
    END IF;
  ELSIF key.atttypid = 'bigint'::regtype THEN
    scheme := @extschema@.idgen_tools_layout_scheme(layout);
  ELSE
    scheme := layout;
  END IF;

  problem := CASE
    WHEN scheme = 'sequence' THEN 'Numbers of a sequence have no time.'
    WHEN scheme = 'uuidv4' THEN 'UUIDs of version 4 have no time.'
    WHEN scheme = 'uuidv1' THEN 'UUIDs of version 1 do not sort by their time.'
  END;
  IF problem IS NOT NULL AND (layout IS NULL OR key.atttypid = 'uuid'::regtype) THEN
    RAISE EXCEPTION USING
      ERRCODE = 'wrong_object_type',
      MESSAGE = format('column "%s" of table "%s" cannot be partitioned by time', key.attname, class.relname),
      DETAIL = problem,
      HINT = CASE key.atttypid WHEN 'uuid'::regtype
        THEN 'Use uuidv7_nextval(), ulid_nextval() or another kind that sorts by time.'
        ELSE 'Use snowflake_nextval() or another generator. If its keys are of such a layout already, name it: layout => ''snowflake''.' END;
  ELSIF key.atttypid = 'uuid'::regtype AND scheme NOT IN ('uuidv6', 'uuidv7', 'uuidv8', 'ulid', 'id128') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('"%s" is no kind of uuid that sorts by time', scheme),
      HINT = 'These are uuidv6, uuidv7, uuidv8, ulid and id128.';
  ELSIF makes <> scheme AND makes NOT IN ('sequence', 'uuidv1', 'uuidv4') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('layout "%s" is not that of column "%s" of table "%s"', layout, key.attname, class.relname),
      DETAIL = format('Its default makes keys of %s.', makes),
      HINT = 'Leave layout out.';
  END IF;

  SELECT n.nspname INTO schema_name FROM pg_namespace n WHERE n.oid = class.relnamespace;
  table_name := class.relname;
  owner := class.relowner;
  column_name := key.attname;
  default_partition := nullif(part.partdefid, 0);
  -- What CREATE TABLE ... PARTITION OF takes from the parent.
  method := coalesce((SELECT format(' USING %I', m.amname) FROM pg_am m WHERE m.oid = class.relam), '');
  tablespace := coalesce((SELECT format(' TABLESPACE %I', s.spcname) FROM pg_tablespace s WHERE s.oid = class.reltablespace), '');
END $$;
COMMENT ON FUNCTION @extschema@.idgen_tools_time_table(regclass, text) IS
  'for partitions: what is to be known of a table that is partitioned by its key, or an error';

SET LOCAL search_path = @extschema@, pg_temp;

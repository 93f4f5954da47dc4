
-- Keys that begin with their time ----------------------------------------------------------

-- A *scheme* is a text that says how a key holds its time: for a bigint the layout, as idgen_layout prints it; for a
-- uuid one of uuidv6, uuidv7, uuidv8, ulid, id128. What a bound is in a partition's definition is a text too: a key,
-- MINVALUE or MAXVALUE. Only the functions of this section call those of idgen.

-- Operators and functions of others must not come before PostgreSQL's while the bodies below are bound.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION @extschema@.idgen_tools_min_id(scheme text, ts timestamptz) RETURNS text
  STABLE STRICT PARALLEL SAFE
  RETURN CASE scheme
    WHEN 'uuidv6' THEN @extschema@.uuidv6_min_id(ts)::text
    WHEN 'uuidv7' THEN @extschema@.uuidv7_min_id(ts)::text
    WHEN 'uuidv8' THEN @extschema@.uuidv8_min_id(ts)::text
    WHEN 'ulid' THEN @extschema@.ulid_min_id(ts)::text
    WHEN 'id128' THEN @extschema@.id128_min_id(ts)::text
    ELSE @extschema@.idgen_min_id(ts, scheme::@extschema@.idgen_layout)::text
  END;
COMMENT ON FUNCTION @extschema@.idgen_tools_min_id(text, timestamptz) IS
  'for partitions: the smallest key of the tick that holds an instant';

-- The text of a layout has the widths of its fields, unless it is a built-in name. It takes a while, so it is found once for
-- many bounds.
CREATE FUNCTION @extschema@.idgen_tools_largest_id(scheme text) RETURNS bigint
  STABLE STRICT PARALLEL SAFE
  RETURN (
    SELECT coalesce((2::numeric ^ sum(part[1]::int) - 1)::bigint, 0)
    FROM (SELECT coalesce((SELECT l.fields FROM @extschema@.idgen_layouts l WHERE l.layout = scheme), scheme)) v(fields),
         regexp_matches(v.fields, '(?:timestamp|datacenter|machine|shard|sequence|tail):(\d+)', 'g') part);
COMMENT ON FUNCTION @extschema@.idgen_tools_largest_id(text) IS 'for partitions: the largest ID of a layout; 0 for kinds of uuid';

-- Bounds need not be keys: somebody may have written 5, or a UUID without a version.
CREATE FUNCTION @extschema@.idgen_tools_time_of(scheme text, bound text, largest bigint) RETURNS timestamptz
  STABLE STRICT PARALLEL SAFE
  RETURN CASE
    WHEN bound = 'MINVALUE' THEN '-infinity'::timestamptz
    WHEN bound = 'MAXVALUE' THEN 'infinity'::timestamptz
    WHEN scheme IN ('uuidv7', 'uuidv8', 'ulid') THEN @extschema@.ulid_timestamp(bound::uuid)
    WHEN scheme = 'uuidv6' THEN
      @extschema@.uuidv6_timestamp(overlay(overlay(bound PLACING '6' FROM 15) PLACING '8' FROM 20)::uuid)
    WHEN scheme = 'id128' THEN @extschema@.id128_timestamp(bound::uuid)
    WHEN bound::bigint BETWEEN 0 AND largest THEN
      @extschema@.idgen_timestamp(bound::bigint, scheme::@extschema@.idgen_layout)
  END;
COMMENT ON FUNCTION @extschema@.idgen_tools_time_of(text, text, bigint) IS
  'for partitions: the time in a bound; NULL if it has none';

-- A layout that a user named hlc comes first, as everywhere.
CREATE FUNCTION @extschema@.idgen_tools_layout_scheme(layout text) RETURNS text
  STABLE STRICT PARALLEL SAFE
  RETURN CASE
    WHEN layout = 'hlc' AND NOT EXISTS (SELECT FROM @extschema@.idgen_layouts l WHERE l.layout = 'hlc')
      THEN 'timestamp:46, sequence:17, tick:1ms, epoch:1970-01-01Z'
    ELSE layout::@extschema@.idgen_layout::text
  END;
COMMENT ON FUNCTION @extschema@.idgen_tools_layout_scheme(text) IS 'for partitions: the scheme of bigint keys of a layout';

CREATE FUNCTION @extschema@.idgen_tools_generator_scheme(generator text) RETURNS text
  STABLE STRICT PARALLEL SAFE
  RETURN (SELECT g.layout::text FROM @extschema@.idgen_generators g WHERE g.generator = $1);
COMMENT ON FUNCTION @extschema@.idgen_tools_generator_scheme(text) IS
  'for partitions: the scheme of the IDs of a generator; NULL if there is none of that name';

-- The default must be one call and nothing around it. The names are those that pg_get_expr() writes: a name without a
-- schema is PostgreSQL's own. What has no time, or does not sort by it, is a scheme here that nobody accepts.
CREATE FUNCTION @extschema@.idgen_tools_default_scheme(relation oid, number smallint) RETURNS text
  STABLE STRICT PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE
      WHEN a.attidentity <> '' OR d.call LIKE 'nextval(%' THEN 'sequence'
      WHEN d.call LIKE 'uuidv7(%' THEN 'uuidv7'
      WHEN d.call LIKE ANY ('{gen_random_uuid(%,uuidv4(%}') THEN 'uuidv4'
      WHEN f.name ~ '^(snowflake|instagram|uuidv[14678]|ulid|id128)_(nextval|id)(_for)?$' THEN split_part(f.name, '_', 1)
      WHEN f.name = 'hlc_now' THEN @extschema@.idgen_tools_layout_scheme('hlc')
      WHEN f.name IN ('ticket_nextval', 'ticket_id', 'lamport_tick') THEN 'sequence'
      WHEN f.name IN ('idgen_nextval', 'idgen_id') THEN
        @extschema@.idgen_tools_generator_scheme((regexp_match(d.call, '^[^(]*\(''([^'']+)''::text[,)]'))[1])
    END
  FROM pg_attribute a
  LEFT JOIN (SELECT adrelid, adnum, oid, pg_get_expr(adbin, adrelid) FROM pg_attrdef) d(relation, number, oid, call)
    ON d.relation = a.attrelid AND d.number = a.attnum AND d.call LIKE '%(%)' AND a.attgenerated = ''
  LEFT JOIN LATERAL (
    SELECT p.proname::text
    FROM pg_depend used
    JOIN pg_proc p ON p.oid = used.refobjid
    JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_depend made ON made.classid = 'pg_proc'::regclass AND made.objid = p.oid AND made.deptype = 'e'
    JOIN pg_extension e ON made.refclassid = 'pg_extension'::regclass AND e.oid = made.refobjid AND e.extname = 'idgen'
    WHERE used.classid = 'pg_attrdef'::regclass AND used.objid = d.oid AND used.refclassid = 'pg_proc'::regclass
      AND starts_with(d.call, format('%I.%I(', n.nspname, p.proname))
    LIMIT 1) f(name) ON true
  WHERE a.attrelid = $1 AND a.attnum = $2;
END;
COMMENT ON FUNCTION @extschema@.idgen_tools_default_scheme(oid, smallint) IS
  'for partitions: the scheme of the keys that a column''s default makes; NULL if that cannot be told';

-- Bytes that sort as the bounds of one type do.
CREATE FUNCTION @extschema@.idgen_tools_bound_key(bound text) RETURNS bytea
  IMMUTABLE STRICT PARALLEL SAFE
  RETURN CASE
    WHEN bound = 'MINVALUE' THEN '\x'::bytea
    WHEN bound = 'MAXVALUE' THEN '\xffffffffffffffffffffffffffffffffff'::bytea
    WHEN bound LIKE '%-%-%-%-%' THEN uuid_send(bound::uuid)
    ELSE int8send(bound::bigint # (-9223372036854775808))
  END;
COMMENT ON FUNCTION @extschema@.idgen_tools_bound_key(text) IS 'for partitions: bytes that sort as the bounds do';

CREATE FUNCTION @extschema@.idgen_tools_bounds(
    parent oid, OUT partition oid, OUT is_default boolean, OUT is_leaving boolean, OUT from_id text, OUT to_id text,
    OUT from_key bytea, OUT to_key bytea)
  RETURNS SETOF record STABLE STRICT PARALLEL SAFE ROWS 100
  SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.oid, b.bound = 'DEFAULT', i.inhdetachpending, v.ends[1], v.ends[2],
         @extschema@.idgen_tools_bound_key(v.ends[1]), @extschema@.idgen_tools_bound_key(v.ends[2])
  FROM pg_inherits i
  JOIN pg_class c ON c.oid = i.inhrelid,
  pg_get_expr(c.relpartbound, c.oid) b(bound),
  LATERAL (SELECT regexp_match(b.bound, '^FOR VALUES FROM \(''?([^'']+?)''?\) TO \(''?([^'']+?)''?\)$')) v(ends)
  WHERE i.inhparent = $1;
END;
COMMENT ON FUNCTION @extschema@.idgen_tools_bounds(oid) IS
  'for partitions: the partitions of a table and their bounds';

-- The same with the times of the bounds, and whether they are in front of all keys of their ticks. (So is a UUID whose
-- version and variant are 0.)
CREATE FUNCTION @extschema@.idgen_tools_time_bounds(
    parent oid, scheme text, OUT partition oid, OUT is_default boolean, OUT is_leaving boolean, OUT from_id text,
    OUT to_id text, OUT from_key bytea, OUT to_key bytea, OUT from_ts timestamptz, OUT to_ts timestamptz,
    OUT from_is_start boolean, OUT to_is_start boolean)
  RETURNS SETOF record STABLE STRICT PARALLEL SAFE ROWS 100
BEGIN ATOMIC
  WITH b AS MATERIALIZED (
    SELECT b.*, @extschema@.idgen_tools_time_of($2, b.from_id, l.largest) AS from_ts,
           @extschema@.idgen_tools_time_of($2, b.to_id, l.largest) AS to_ts
    FROM @extschema@.idgen_tools_bounds($1) b, (SELECT @extschema@.idgen_tools_largest_id($2) OFFSET 0) l(largest))
  SELECT b.partition, b.is_default, b.is_leaving, b.from_id, b.to_id, b.from_key, b.to_key, b.from_ts, b.to_ts,
         CASE WHEN isfinite(b.from_ts) THEN
           b.from_key <= @extschema@.idgen_tools_bound_key(@extschema@.idgen_tools_min_id($2, b.from_ts)) END,
         CASE WHEN isfinite(b.to_ts) THEN
           b.to_key <= @extschema@.idgen_tools_bound_key(@extschema@.idgen_tools_min_id($2, b.to_ts)) END
  FROM b;
END;
COMMENT ON FUNCTION @extschema@.idgen_tools_time_bounds(oid, text) IS
  'for partitions: the partitions of a table, their bounds, and the times of these';

-- The first and the last tick of a scheme.
CREATE FUNCTION @extschema@.idgen_tools_life(scheme text, OUT first_ts timestamptz, OUT last_ts timestamptz)
  STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE largest WHEN 0 THEN '-infinity' ELSE @extschema@.idgen_tools_time_of($1, '0', largest) END,
         CASE largest WHEN 0 THEN 'infinity' ELSE @extschema@.idgen_tools_time_of($1, largest::text, largest) END
  FROM (SELECT @extschema@.idgen_tools_largest_id($1) OFFSET 0) l(largest);
END;
COMMENT ON FUNCTION @extschema@.idgen_tools_life(text) IS 'for partitions: from when to when a layout has keys';

-- A step that begins before a layout does has all that is smaller, too, and one that ends later all that is larger. For
-- other instants without a key, idgen_tools_min_id() reports an error.
CREATE FUNCTION @extschema@.idgen_tools_bound_at(scheme text, ts timestamptz, first_ts timestamptz, last_ts timestamptz)
  RETURNS text STABLE STRICT PARALLEL SAFE
  RETURN CASE
    WHEN ts < first_ts THEN 'MINVALUE'
    WHEN ts > last_ts THEN 'MAXVALUE'
    ELSE @extschema@.idgen_tools_min_id(scheme, ts)
  END;
COMMENT ON FUNCTION @extschema@.idgen_tools_bound_at(text, timestamptz, timestamptz, timestamptz) IS
  'for partitions: the bound of an instant';

CREATE FUNCTION @extschema@.idgen_tools_tick_of(scheme text, ts timestamptz) RETURNS timestamptz
  STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT @extschema@.idgen_tools_time_of($1, @extschema@.idgen_tools_bound_at($1, $2, l.first_ts, l.last_ts),
                                         @extschema@.idgen_tools_largest_id($1))
  FROM @extschema@.idgen_tools_life($1) l;
END;
COMMENT ON FUNCTION @extschema@.idgen_tools_tick_of(text, timestamptz) IS 'for partitions: the beginning of a tick';

SET LOCAL search_path = @extschema@, pg_temp;

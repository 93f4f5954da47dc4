
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

-- The text of a layout has the widths of its fields, unless it is a built-in name.
CREATE FUNCTION @extschema@.idgen_tools_largest_id(scheme text) RETURNS bigint
  STABLE STRICT PARALLEL SAFE
  RETURN (
    SELECT (2::numeric ^ sum(part[1]::int) - 1)::bigint
    FROM (SELECT coalesce((SELECT l.fields FROM @extschema@.idgen_layouts l WHERE l.layout = scheme), scheme)) v(fields),
         regexp_matches(v.fields, '(?:timestamp|datacenter|machine|shard|sequence|tail):(\d+)', 'g') part);
COMMENT ON FUNCTION @extschema@.idgen_tools_largest_id(text) IS 'for partitions: the largest ID of a layout';

-- Bounds need not be keys: somebody may have written 5, or a UUID without a version.
CREATE FUNCTION @extschema@.idgen_tools_time_of(scheme text, bound text) RETURNS timestamptz
  STABLE STRICT PARALLEL SAFE
  RETURN CASE
    WHEN bound = 'MINVALUE' THEN '-infinity'::timestamptz
    WHEN bound = 'MAXVALUE' THEN 'infinity'::timestamptz
    WHEN scheme IN ('uuidv7', 'uuidv8', 'ulid') THEN @extschema@.ulid_timestamp(bound::uuid)
    WHEN scheme = 'uuidv6' THEN
      @extschema@.uuidv6_timestamp(overlay(overlay(bound PLACING '6' FROM 15) PLACING '8' FROM 20)::uuid)
    WHEN scheme = 'id128' THEN @extschema@.id128_timestamp(bound::uuid)
    WHEN bound::bigint BETWEEN 0 AND @extschema@.idgen_tools_largest_id(scheme) THEN
      @extschema@.idgen_timestamp(bound::bigint, scheme::@extschema@.idgen_layout)
  END;
COMMENT ON FUNCTION @extschema@.idgen_tools_time_of(text, text) IS
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
      WHEN f.name IN ('snowflake_nextval', 'instagram_nextval', 'instagram_nextval_for') THEN split_part(f.name, '_', 1)
      WHEN f.name IN ('uuidv1_nextval', 'uuidv4_nextval', 'uuidv6_nextval', 'uuidv7_nextval', 'uuidv8_nextval',
                      'ulid_nextval', 'id128_nextval') THEN split_part(f.name, '_', 1)
      WHEN f.name = 'hlc_now' THEN @extschema@.idgen_tools_layout_scheme('hlc')
      WHEN f.name IN ('ticket_nextval', 'lamport_tick') THEN 'sequence'
      WHEN f.name = 'idgen_nextval' THEN
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

-- A UUID whose version and variant are 0 is in front of all keys of its tick, too.
CREATE FUNCTION @extschema@.idgen_tools_is_start(scheme text, bound text) RETURNS boolean
  STABLE STRICT PARALLEL SAFE
  RETURN CASE
    WHEN isfinite(@extschema@.idgen_tools_time_of(scheme, bound)) THEN
      @extschema@.idgen_tools_bound_key(bound) <= @extschema@.idgen_tools_bound_key(
        @extschema@.idgen_tools_min_id(scheme, @extschema@.idgen_tools_time_of(scheme, bound)))
  END;
COMMENT ON FUNCTION @extschema@.idgen_tools_is_start(text, text) IS
  'for partitions: whether a bound is in front of all keys of its tick; NULL if it has no time';

-- Outside the life of a layout there are no keys: a step that begins before it has all that is smaller, too.
CREATE FUNCTION @extschema@.idgen_tools_bound_at(scheme text, ts timestamptz) RETURNS text
  STABLE STRICT PARALLEL SAFE
  RETURN CASE
    WHEN scheme IN ('uuidv6', 'uuidv7', 'uuidv8', 'ulid', 'id128') THEN @extschema@.idgen_tools_min_id(scheme, ts)
    WHEN ts < @extschema@.idgen_tools_time_of(scheme, '0') THEN 'MINVALUE'
    WHEN ts > @extschema@.idgen_tools_time_of(scheme, @extschema@.idgen_tools_largest_id(scheme)::text) THEN 'MAXVALUE'
    ELSE @extschema@.idgen_tools_min_id(scheme, ts)
  END;
COMMENT ON FUNCTION @extschema@.idgen_tools_bound_at(text, timestamptz) IS
  'for partitions: the bound of an instant';

SET LOCAL search_path = @extschema@, pg_temp;

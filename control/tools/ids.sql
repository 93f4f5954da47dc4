
-- Two IDs beside each other -----------------------------------------------------------------

-- What a person reads: "1.500 ms", "12.345 s", "3 days 02:03:04.005".
CREATE FUNCTION idgen_tools_duration(seconds numeric) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
  WHEN seconds < 1::numeric THEN pg_catalog.round(seconds * 1000::numeric, 3)::text || ' ms'
  WHEN seconds < 60::numeric THEN pg_catalog.round(seconds, 3)::text || ' s'
  ELSE pg_catalog.format('%s%s:%s:%s',
    CASE WHEN seconds >= 172800::numeric THEN pg_catalog.format('%s days ', pg_catalog.div(seconds, 86400::numeric))
         WHEN seconds >= 86400::numeric THEN '1 day ' ELSE '' END,
    pg_catalog.lpad(pg_catalog.div(pg_catalog.mod(seconds, 86400::numeric), 3600::numeric)::text, 2, '0'),
    pg_catalog.lpad(pg_catalog.div(pg_catalog.mod(seconds, 3600::numeric), 60::numeric)::text, 2, '0'),
    pg_catalog.lpad(pg_catalog.round(pg_catalog.mod(seconds, 60::numeric), 3)::text, 6, '0'))
END;
COMMENT ON FUNCTION idgen_tools_duration(numeric) IS 'a number of seconds as a person reads it';

CREATE FUNCTION idgen_compare(
    a bigint, b bigint, layout idgen_layout DEFAULT 'snowflake',
    OUT "order" text, OUT time_between interval, OUT same_tick boolean, OUT same_datacenter boolean,
    OUT same_machine boolean, OUT same_shard boolean, OUT sequence_distance int)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN a < b THEN 'before' WHEN a > b THEN 'after' ELSE 'same' END,
         q.ts - p.ts, p.ts = q.ts,
         p.datacenter_id = q.datacenter_id, p.machine_id = q.machine_id, p.shard_id = q.shard_id,
         CASE WHEN p.ts = q.ts AND p.datacenter_id IS NOT DISTINCT FROM q.datacenter_id
                AND p.machine_id IS NOT DISTINCT FROM q.machine_id AND p.shard_id IS NOT DISTINCT FROM q.shard_id
              THEN q.sequence - p.sequence END
  FROM idgen_parse(a, layout) p, idgen_parse(b, layout) q;
END;
COMMENT ON FUNCTION idgen_compare(bigint, bigint, idgen_layout) IS
  'how two IDs of a layout are to each other: which is smaller, the time from a to b, whether one server made both';

CREATE FUNCTION idgen_compare_text(a bigint, b bigint, layout idgen_layout DEFAULT 'snowflake') RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT pg_catalog.concat_ws(pg_catalog.chr(10),
    pg_catalog.format('%s (%s), made at %s', a, p.json ->> 'layout', p.json ->> 'time'),
    pg_catalog.format('%s (%s), made at %s', b, q.json ->> 'layout', q.json ->> 'time'), '',
    CASE WHEN a = b THEN 'They are the same ID.'
         WHEN c.same_tick AND c.sequence_distance IS NOT NULL THEN pg_catalog.format(
           'Both are of one tick and one identity. The %s was made first; their sequences are %s apart.',
           CASE WHEN a < b THEN 'first' ELSE 'second' END, pg_catalog.abs(c.sequence_distance))
         WHEN c.same_tick THEN 'Both are of one tick. Which was made first they do not tell.'
         ELSE pg_catalog.format('The second was made %s the first%s.',
           CASE WHEN a < b THEN 'after' ELSE 'before' END,
           ', by ' || idgen_tools_duration(pg_catalog.abs(extract(epoch FROM c.time_between)))) END,
    (SELECT pg_catalog.string_agg(
              CASE WHEN f.value ->> 'value' = g.value ->> 'value'
                   THEN pg_catalog.format('%s: %s in both', f.value ->> 'name', f.value ->> 'value')
                   ELSE pg_catalog.format('%s: %s and %s', f.value ->> 'name', f.value ->> 'value', g.value ->> 'value') END,
              pg_catalog.chr(10) ORDER BY f.n)
     FROM pg_catalog.jsonb_array_elements(p.json -> 'fields') WITH ORDINALITY AS f(value, n)
     JOIN pg_catalog.jsonb_array_elements(q.json -> 'fields') WITH ORDINALITY AS g(value, n) ON g.n = f.n
     WHERE f.n > 1::bigint))
  FROM idgen_compare(a, b, layout) c,
       LATERAL (SELECT idgen_inspect_json(a, layout)) p(json), LATERAL (SELECT idgen_inspect_json(b, layout)) q(json);
END;
COMMENT ON FUNCTION idgen_compare_text(bigint, bigint, idgen_layout) IS
  'two IDs of a layout beside each other, for a person to read';

-- A UUID or, if that is said, a ULID, which looks like any UUID. NULL: it does not say. Version 8 is read as
-- uuidv8_nextval() makes it, but for those that carry a 64-bit ID.
CREATE FUNCTION idgen_tools_carries_id(id uuid) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.regexp_match(id::text, '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][3b]4b-233b2b700000$') IS NOT NULL;
COMMENT ON FUNCTION idgen_tools_carries_id(uuid) IS 'whether idgen_to_uuid() made it';
CREATE FUNCTION idgen_tools_parse(
    id uuid, ulid boolean, OUT kind text, OUT ts timestamptz, OUT datacenter_id int, OUT machine_id int, OUT node text)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN ulid THEN 'ULID' WHEN p.version IS NULL THEN p.variant ELSE pg_catalog.format('version %s', p.version) END,
         coalesce(u.ts, v.ts, CASE WHEN NOT ulid THEN p.ts END), v.datacenter_id, v.machine_id,
         CASE WHEN NOT ulid THEN p.node::text END
  FROM idgen_parse(id) p, ulid_parse(CASE WHEN ulid THEN id END) u,
       uuidv8_parse(CASE WHEN p.version = 8 AND NOT ulid AND NOT idgen_tools_carries_id(id) THEN id END) v;
END;
COMMENT ON FUNCTION idgen_tools_parse(uuid, boolean) IS 'what a UUID or a ULID says of when and where it was made';

CREATE FUNCTION idgen_compare(
    a uuid, b uuid, ulid boolean DEFAULT false,
    OUT "order" text, OUT time_between interval, OUT same_kind boolean, OUT same_datacenter boolean,
    OUT same_machine boolean, OUT same_node boolean)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN a < b THEN 'before' WHEN a > b THEN 'after' ELSE 'same' END,
         q.ts - p.ts, p.kind = q.kind,
         p.datacenter_id = q.datacenter_id, p.machine_id = q.machine_id, p.node = q.node
  FROM idgen_tools_parse(a, ulid) p, idgen_tools_parse(b, ulid) q;
END;
COMMENT ON FUNCTION idgen_compare(uuid, uuid, boolean) IS
  'how two UUIDs or ULIDs are to each other: which sorts first, the time from a to b, whether one machine made both';

CREATE FUNCTION idgen_compare_text(a uuid, b uuid, ulid boolean DEFAULT false) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  SET timezone = 'UTC'
  SET datestyle = 'ISO'
BEGIN ATOMIC
  SELECT pg_catalog.concat_ws(pg_catalog.chr(10),
    pg_catalog.format('%s (%s)%s', a, p.kind, ', made at ' || p.ts::text),
    pg_catalog.format('%s (%s)%s', b, q.kind, ', made at ' || q.ts::text), '',
    CASE WHEN a = b THEN 'They are the same.'
         WHEN c.time_between IS NULL THEN 'They do not say which was made first.'
         WHEN p.ts = q.ts THEN 'Both say the same time.'
         ELSE pg_catalog.format('The second was made %s the first, by %s.',
           CASE WHEN p.ts < q.ts THEN 'after' ELSE 'before' END,
           idgen_tools_duration(pg_catalog.abs(extract(epoch FROM c.time_between)))) END,
    CASE WHEN (c."order" = 'before' AND p.ts > q.ts) OR (c."order" = 'after' AND p.ts < q.ts)
         THEN 'They sort the other way.' END,
    (SELECT pg_catalog.string_agg(CASE WHEN f.a = f.b THEN pg_catalog.format('%s: %s in both', f.name, f.a)
                                       ELSE pg_catalog.format('%s: %s and %s', f.name, f.a, f.b) END, pg_catalog.chr(10) ORDER BY f.n)
     FROM (VALUES (1, 'datacenter', p.datacenter_id::text, q.datacenter_id::text),
                  (2, 'machine', p.machine_id::text, q.machine_id::text), (3, 'node', p.node, q.node)) f(n, name, a, b)
     WHERE f.a IS NOT NULL AND f.b IS NOT NULL))
  FROM idgen_compare(a, b, ulid) c, idgen_tools_parse(a, ulid) p, idgen_tools_parse(b, ulid) q;
END;
COMMENT ON FUNCTION idgen_compare_text(uuid, uuid, boolean) IS 'two UUIDs or ULIDs beside each other, for a person to read';

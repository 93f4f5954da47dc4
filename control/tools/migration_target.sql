
-- Migration of keys: what the new keys are -----------------------------------------------------------

-- Functions of idgen, bound when this script runs. idgen may be moved to another schema afterwards.
CREATE FUNCTION idgen_tools_generator(generator text,
    OUT layout idgen_layout, OUT datacenter_id int, OUT machine_id int, OUT shard_id int, OUT problem text)
RETURNS SETOF record
LANGUAGE sql STABLE STRICT
BEGIN ATOMIC
  SELECT g.layout, g.datacenter_id, g.machine_id, g.shard_id, g.problem FROM idgen_generators g
  WHERE g.generator OPERATOR(pg_catalog.=) idgen_tools_generator.generator;
END;
COMMENT ON FUNCTION idgen_tools_generator(text) IS 'idgen: a generator''s layout and its fixed identity';

CREATE FUNCTION idgen_tools_generators(
    OUT generator text, OUT layout idgen_layout, OUT datacenter_id int, OUT machine_id int, OUT shard_id int)
RETURNS SETOF record
LANGUAGE sql STABLE STRICT
BEGIN ATOMIC
  SELECT g.generator, g.layout, g.datacenter_id, g.machine_id, g.shard_id FROM idgen_generators g WHERE g.problem IS NULL;
END;
COMMENT ON FUNCTION idgen_tools_generators() IS 'idgen: all generators, as the tools see them';

CREATE FUNCTION idgen_tools_next(generator text) RETURNS bigint
LANGUAGE sql VOLATILE STRICT RETURN idgen_nextval(generator);
COMMENT ON FUNCTION idgen_tools_next(text) IS 'idgen: an ID, for the tools';

CREATE FUNCTION idgen_tools_min_id(ts timestamptz, layout idgen_layout) RETURNS bigint
LANGUAGE sql STABLE STRICT RETURN idgen_min_id(ts, layout);
COMMENT ON FUNCTION idgen_tools_min_id(timestamptz, idgen_layout) IS 'idgen: the smallest ID of a tick, for the tools';

CREATE FUNCTION idgen_tools_id_time(id bigint, layout idgen_layout) RETURNS timestamptz
LANGUAGE sql STABLE STRICT RETURN idgen_timestamp(id, layout);
COMMENT ON FUNCTION idgen_tools_id_time(bigint, idgen_layout) IS 'idgen: the time in an ID, for the tools';

CREATE FUNCTION idgen_tools_compose(
    layout idgen_layout, ts timestamptz, datacenter_id int, machine_id int, shard_id int, sequence int) RETURNS bigint
LANGUAGE sql STABLE RETURN idgen_compose(layout, ts, datacenter_id, machine_id, shard_id, sequence);
COMMENT ON FUNCTION idgen_tools_compose(idgen_layout, timestamptz, int, int, int, int) IS 'idgen: an ID of these fields, for the tools';

CREATE FUNCTION idgen_tools_own_identity(generator text) RETURNS text
LANGUAGE sql STABLE STRICT RETURN idgen_get_identity(generator);
COMMENT ON FUNCTION idgen_tools_own_identity(text) IS 'idgen: this server''s identity, for the tools';

CREATE FUNCTION idgen_tools_leases(OUT datacenter_id int, OUT machine_id int, OUT shard_id int)
RETURNS SETOF record
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT i.datacenter_id, i.machine_id, i.shard_id FROM idgen_identity i;
END;
COMMENT ON FUNCTION idgen_tools_leases() IS 'idgen: the identities that this server has, for the tools';

-- A UUID with the time of a moment, and else random.
CREATE FUNCTION idgen_tools_uuid(kind text, ts timestamptz) RETURNS uuid
LANGUAGE sql VOLATILE STRICT
RETURN CASE kind
  WHEN 'uuidv7' THEN pg_catalog.concat(pg_catalog.substr(uuidv7_min_id(ts)::pg_catalog.text, 1, 15),
                                       pg_catalog.substr(pg_catalog.gen_random_uuid()::pg_catalog.text, 16))::pg_catalog.uuid
  WHEN 'ulid' THEN pg_catalog.concat(pg_catalog.substr(ulid_min_id(ts)::pg_catalog.text, 1, 14),
                                     pg_catalog.substr(pg_catalog.gen_random_uuid()::pg_catalog.text, 15))::pg_catalog.uuid
  END;
COMMENT ON FUNCTION idgen_tools_uuid(text, timestamptz) IS 'idgen: a UUID of version 7 or a ULID of a moment';

-- The schema that idgen's functions are in now.
CREATE FUNCTION idgen_tools_schema() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'idgen');
END $$;
COMMENT ON FUNCTION idgen_tools_schema() IS 'idgen: the schema of extension idgen';

-- The new keys: their type, the default that makes them, and the layout if they have one. A name that is not known is an error.
CREATE FUNCTION idgen_tools_target(target text, OUT type regtype, OUT expression text, OUT layout idgen_layout)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  generator record;
BEGIN
  IF target IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'target must not be null';
  END IF;
  SELECT * INTO generator FROM @extschema@.idgen_tools_generator(target);
  IF FOUND THEN
    IF generator.problem IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = format('generator "%s" cannot be used: %s', target, generator.problem);
    END IF;
    type := 'int8'::regtype;
    layout := generator.layout;
    expression := @extschema@.idgen_tools_schema()
      || CASE WHEN target = 'snowflake' THEN '.snowflake_id()' ELSE format('.idgen_id(%L::text)', target) END;
  ELSIF target IN ('uuidv7', 'ulid', 'uuidv4') THEN
    type := 'uuid'::regtype;
    expression := format('%s.%I()', @extschema@.idgen_tools_schema(), target || '_id');
  ELSIF target = 'bigserial' THEN
    type := 'int8'::regtype;
  ELSE
    RAISE EXCEPTION USING ERRCODE = 'undefined_object',
      MESSAGE = format('unknown target "%s"', target),
      HINT = 'A target is a generator (see the view idgen_generators), uuidv7, ulid, uuidv4 or bigserial.';
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_target(text) IS 'idgen: the type and the default of a migration''s new keys';

-- How a layout counts: bits of its sequence, its tick in microseconds, its epoch, and which parts an identity has.
CREATE FUNCTION idgen_tools_shape(layout idgen_layout, OUT sequence_bits int, OUT time_shift int, OUT tick_us bigint, OUT epoch timestamptz,
    OUT datacenters int, OUT machines int, OUT shards int)
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  fields text := @extschema@.idgen_tools_fields(layout);
BEGIN
  sequence_bits := substring(fields, 'sequence:(\d+)')::int;
  datacenters := 1 << substring(fields, 'datacenter:(\d+)')::int;
  machines := 1 << substring(fields, 'machine:(\d+)')::int;
  shards := 1 << substring(fields, 'shard:(\d+)')::int;
  SELECT sum(f[1]::int) INTO time_shift FROM regexp_matches(fields, '(?:datacenter|machine|shard|sequence):(\d+)', 'g') f;
  epoch := @extschema@.idgen_tools_id_time(0::bigint, layout);
  tick_us := (extract(epoch FROM @extschema@.idgen_tools_id_time(1::bigint << time_shift, layout)) - extract(epoch FROM epoch)) * 1000000;
END $$;
COMMENT ON FUNCTION idgen_tools_shape(idgen_layout) IS 'idgen: how a layout counts';

CREATE FUNCTION idgen_tools_fields(layout idgen_layout) RETURNS text
LANGUAGE sql STABLE STRICT
BEGIN ATOMIC
  SELECT COALESCE((SELECT l.fields FROM idgen_layouts l WHERE l.value OPERATOR(@extschema@.=) $1 LIMIT 1),
                             pg_catalog.regexp_replace($1::pg_catalog.text, ', (tick|epoch):.*'::pg_catalog.text, ''::pg_catalog.text));
END;
COMMENT ON FUNCTION idgen_tools_fields(idgen_layout) IS 'idgen: the fields of a layout';

CREATE FUNCTION idgen_tools_registry(OUT datacenter_id int, OUT machine_id int, OUT shard_id int, OUT state text)
RETURNS SETOF record
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT r.datacenter_id, r.machine_id, r.shard_id, r.state FROM idgen_registry_list() r;
END;
COMMENT ON FUNCTION idgen_tools_registry() IS 'idgen: the identities in the registry, for the tools';

-- What is wrong with an identity for IDs of the past: no server may ever make IDs with it. The rows that begin with "note:"
-- are what cannot be seen from here.
CREATE FUNCTION idgen_tools_identity_problems(
    target text, layout idgen_layout, datacenter_id int, machine_id int, shard_id int, OUT problem text)
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  shape record;
  given int[] := ARRAY[datacenter_id, machine_id, shard_id];
  counts int[];
  names text[] := '{datacenter,machine,shard}';
  own int[];
  shown text;
  registered record;
  banned boolean := false;
BEGIN
  shape := @extschema@.idgen_tools_shape(layout);
  counts := ARRAY[shape.datacenters, shape.machines, shape.shards];
  IF counts IS NOT DISTINCT FROM ARRAY[NULL, NULL, NULL]::int[] THEN
    RETURN QUERY SELECT format('target %s has no identity in its IDs, so IDs of the past could not be told from new ones: leave out'
                               ' the column of creation times', target);
    RETURN;
  END IF;
  FOR n IN 1 .. 3 LOOP
    IF counts[n] IS NULL AND given[n] IS NOT NULL THEN
      RETURN QUERY SELECT format('IDs of %s have no %s', target, names[n]);
    ELSIF counts[n] IS NOT NULL AND given[n] IS NULL THEN
      RETURN QUERY SELECT format('IDs of the past need a %s_id (0 to %s) that no server uses', names[n], counts[n] - 1);
    ELSIF given[n] NOT BETWEEN 0 AND counts[n] - 1 THEN
      RETURN QUERY SELECT format('%s ID %s is out of range: 0 to %s', names[n], given[n], counts[n] - 1);
    END IF;
  END LOOP;
  -- Fields that the layout lacks are NULL on both sides.
  shown := (SELECT string_agg(names[n] || ' ' || given[n], ', ' ORDER BY n) FROM generate_series(1, 3) n WHERE given[n] IS NOT NULL);
  own := string_to_array(@extschema@.idgen_tools_own_identity(target), ' ', '-')::int[];
  FOR n IN 1 .. 3 LOOP
    own[n] := CASE WHEN counts[n] IS NULL THEN NULL ELSE own[n] END;
  END LOOP;
  IF own IS NOT DISTINCT FROM given THEN
    RETURN QUERY SELECT format('the identity %s is this server''s', shown);
  END IF;
  RETURN QUERY
  SELECT format('the identity %s is fixed in generator %s', shown, g.generator)
  FROM @extschema@.idgen_tools_generators() g
  WHERE @extschema@.idgen_tools_fields(g.layout) = @extschema@.idgen_tools_fields(layout)
    AND num_nonnulls(g.datacenter_id, g.machine_id, g.shard_id) > 0
    AND ARRAY[CASE WHEN counts[1] IS NOT NULL THEN coalesce(g.datacenter_id, own[1]) END,
              CASE WHEN counts[2] IS NOT NULL THEN coalesce(g.machine_id, own[2]) END,
              CASE WHEN counts[3] IS NOT NULL THEN coalesce(g.shard_id, own[3]) END] IS NOT DISTINCT FROM given;
  BEGIN
    RETURN QUERY
    SELECT DISTINCT format('this server holds the identity %s', shown)
    FROM @extschema@.idgen_tools_leases() l
    WHERE (counts[2] IS NOT NULL AND l.machine_id = given[2] AND (counts[1] IS NULL OR l.datacenter_id = given[1])
           OR counts[3] IS NOT NULL AND l.shard_id = given[3])
      AND own IS DISTINCT FROM given;
    IF coalesce(current_setting('idgen.registry', true), '') <> '' THEN
      FOR registered IN SELECT * FROM @extschema@.idgen_tools_registry() LOOP
        IF registered.state = 'banned'
            AND (registered.shard_id = given[3]
                 OR registered.machine_id = given[2] AND (counts[1] IS NULL OR registered.datacenter_id = given[1])) THEN
          banned := true;
        END IF;
      END LOOP;
      IF NOT banned THEN
        RETURN QUERY SELECT format('the registry could give the identity %s to a server: ban it first, with idgen_registry_ban()', shown);
      END IF;
    END IF;
  EXCEPTION
  WHEN insufficient_privilege THEN
    RETURN QUERY SELECT format('note: whether there is a registry that could give the identity %s to a server, this role cannot see: if so,'
                               ' have it banned there, with idgen_registry_ban()', shown);
  WHEN OTHERS THEN
    RETURN QUERY SELECT format('note: whether the registry could give the identity %s to a server cannot be seen (%s): have it banned'
                               ' there, with idgen_registry_ban()', shown, SQLERRM);
  END;
END $$;
COMMENT ON FUNCTION idgen_tools_identity_problems(text, idgen_layout, int, int, int) IS
  'idgen: why an identity cannot be that of IDs of the past';

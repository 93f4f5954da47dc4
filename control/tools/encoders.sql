
-- Encoders and decoders for pg_partman --------------------------------------------------------

SET LOCAL search_path = pg_catalog, pg_temp;

-- The functions that read keys of a scheme, found by OID: the extension idgen may have moved to another schema. The
-- decoder of a uuid takes a text, as pg_partman calls it.
CREATE FUNCTION @extschema@.idgen_tools_codec(
    scheme text, OUT key_type regtype, OUT encoder regprocedure, OUT decoder regprocedure, OUT layout_type regtype)
  STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN c.kind IS NULL THEN 'bigint'::regtype ELSE 'uuid'::regtype END,
         coalesce(c.encoder, '@extschema@.idgen_min_id(timestamptz, @extschema@.idgen_layout)'::regprocedure),
         coalesce(c.decoder, '@extschema@.idgen_timestamp(bigint, @extschema@.idgen_layout)'::regprocedure),
         CASE WHEN c.kind IS NULL THEN '@extschema@.idgen_layout'::regtype END
  FROM (VALUES
    ('uuidv6', '@extschema@.uuidv6_min_id(timestamptz)'::regprocedure, '@extschema@.uuidv6_timestamp(uuid)'::regprocedure),
    ('uuidv7', '@extschema@.uuidv7_min_id(timestamptz)'::regprocedure, '@extschema@.uuidv7_timestamp(uuid)'::regprocedure),
    ('uuidv8', '@extschema@.uuidv8_min_id(timestamptz)'::regprocedure, '@extschema@.uuidv8_timestamp(uuid)'::regprocedure),
    ('ulid', '@extschema@.ulid_min_id(timestamptz)'::regprocedure, '@extschema@.ulid_timestamp(uuid)'::regprocedure),
    ('id128', '@extschema@.id128_min_id(timestamptz)'::regprocedure, '@extschema@.id128_timestamp(uuid)'::regprocedure)
  ) c(kind, encoder, decoder) RIGHT JOIN (SELECT) one ON c.kind = $1;
END;
COMMENT ON FUNCTION @extschema@.idgen_tools_codec(text) IS 'for encoders: the functions of idgen that make and read bounds';

-- pg_partman splits the names at the dot, and some versions quote them and some do not.
CREATE FUNCTION @extschema@.idgen_create_encoders(
    layout text, prefix text, schema regnamespace DEFAULT quote_ident(current_schema())::regnamespace,
    OUT encoder text, OUT decoder text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  scheme   text := layout;
  codec    record;
  argument text;
  name     text;
  second   timestamptz;
BEGIN
  IF num_nulls(layout, prefix, schema) > 0 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'null_value_not_allowed',
      MESSAGE = format('%s must not be null', CASE WHEN layout IS NULL THEN 'layout' WHEN prefix IS NULL THEN 'prefix'
                                                   ELSE 'schema' END);
  ELSIF layout IN ('uuidv1', 'uuidv4') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('"%s" is no kind of uuid that sorts by time', layout),
      HINT = 'These are uuidv6, uuidv7, uuidv8, ulid and id128.';
  ELSIF schema::text || '.' || prefix !~ '^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$' OR length(prefix || '_encoder') > 63 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_name',
      MESSAGE = format('"%s" and "%s" are no names for encoders', schema, prefix),
      HINT = 'pg_partman needs a schema and a prefix of lower-case letters, digits and underscores, the prefix of 55 at most.';
  END IF;
  IF (@extschema@.idgen_tools_codec(layout)).key_type = 'bigint'::regtype THEN
    scheme := @extschema@.idgen_tools_layout_scheme(layout);
  END IF;
  codec := @extschema@.idgen_tools_codec(scheme);
  FOREACH name IN ARRAY ARRAY[prefix || '_encoder', prefix || '_decoder'] LOOP
    IF EXISTS (SELECT FROM pg_proc p WHERE p.proname = name AND p.pronamespace = schema) THEN
      RAISE EXCEPTION USING
        ERRCODE = 'duplicate_function',
        MESSAGE = format('there is a function "%s" in schema "%s" already', name, schema),
        HINT = 'pg_partman needs names that only one function has. Use another prefix.';
    END IF;
  END LOOP;

  argument := CASE codec.key_type WHEN 'bigint'::regtype THEN format(', %L::%s', scheme, codec.layout_type) ELSE '' END;
  encoder := format('%s.%s_encoder', schema, prefix);
  decoder := format('%s.%s_decoder', schema, prefix);
  EXECUTE format('CREATE FUNCTION %s(ts timestamptz) RETURNS %s IMMUTABLE STRICT PARALLEL SAFE RETURN %s(ts%s)',
                 encoder, codec.key_type, codec.encoder::oid::regproc, argument);
  EXECUTE format('CREATE FUNCTION %s(id %s) RETURNS timestamptz IMMUTABLE STRICT PARALLEL SAFE RETURN %s(id%s)', decoder,
                 CASE codec.key_type WHEN 'uuid'::regtype THEN 'text' ELSE 'bigint' END, codec.decoder::oid::regproc,
                 CASE codec.key_type WHEN 'uuid'::regtype THEN '::uuid' ELSE argument END);
  EXECUTE format('COMMENT ON FUNCTION %s(timestamptz) IS %L', encoder, format('the smallest key of %s of an instant', scheme));
  EXECUTE format('COMMENT ON FUNCTION %s IS %L', decoder, format('when a key of %s was made', scheme));

  second := date_trunc('second', greatest((SELECT l.first_ts FROM @extschema@.idgen_tools_life(scheme) l),
                                          'epoch'::timestamptz)) + '1 s'::interval;
  IF EXISTS (SELECT FROM generate_series(second, second + '1 s'::interval, '1 s'::interval) t
             WHERE @extschema@.idgen_tools_tick_of(scheme, t) <> t) THEN
    RAISE WARNING USING
      MESSAGE = format('not every whole second is the beginning of a tick of layout "%s"', layout),
      DETAIL = format('Of another instant, %s(%s(ts)) is the beginning of its tick.', decoder, encoder);
  END IF;
END $$;
COMMENT ON FUNCTION @extschema@.idgen_create_encoders(text, text, regnamespace) IS
  'creates the two functions by which pg_partman reads and makes keys of a layout';

SET LOCAL search_path = @extschema@, pg_temp;

-- Encoders and decoders for pg_partman. (With pg_partman: test/t/036_partitions.pl.)
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE EXTENSION idgen_tools;
CREATE SCHEMA codecs;

-- Round trips for every layout and kind, of seconds that begin ticks: all of them, for what is built in.
SELECT idgen_create_layout('codecs_day', 'timestamp:20, machine:10, sequence:12', '1 day', '2024-01-01Z');
SELECT idgen_create_layout('codecs_odd', 'timestamp:41, sequence:10', '7 ms', '2020-01-01 00:00:00.003Z');
CREATE FUNCTION codecs.check_codec(layout text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE c record; wrong int; text_type boolean;
BEGIN
  SELECT * INTO c FROM idgen_create_encoders(layout, 'x', 'codecs');
  text_type := (SELECT proargtypes[0] = 'text'::regtype FROM pg_proc WHERE proname = 'x_decoder');
  EXECUTE format('SELECT count(*) FROM generate_series(%L::timestamptz, %1$L::timestamptz + interval ''1 hour'', ''1 s'') t
                  WHERE %s(%s(t)%s) IS DISTINCT FROM t', CASE layout WHEN 'uidgenerator' THEN '2024-11-01Z' ELSE '2026-11-01Z' END,
                 c.decoder, c.encoder, CASE WHEN text_type THEN '::text' ELSE '' END) INTO wrong;
  EXECUTE format('DROP FUNCTION %s, %s', c.encoder, c.decoder);
  RETURN format('%s of 3601 seconds wrong', wrong);
END $$;
SELECT codecs.check_codec(layout), string_agg(layout, ' ' ORDER BY layout) FROM (
  SELECT layout FROM idgen_layouts UNION ALL SELECT unnest('{hlc,uuidv6,uuidv7,uuidv8,ulid,id128}'::text[])) l GROUP BY 1 ORDER BY 1;

-- Those that were there already, and those that are made, keep pg_partman's contract: a schema's only function of the
-- name, IMMUTABLE, STRICT, PARALLEL SAFE, of exactly these types.
SELECT * FROM idgen_create_encoders('sonyflake', 'sonyflake', 'codecs');
SELECT * FROM idgen_create_encoders('uuidv7', 'visits', 'codecs');
SELECT p.oid::regprocedure AS function, p.prorettype::regtype AS returns, p.provolatile, p.proisstrict, p.proparallel, p.pronargdefaults,
       (SELECT count(*) FROM pg_proc o WHERE o.proname = p.proname AND o.pronamespace = p.pronamespace) AS of_that_name
FROM pg_proc p WHERE p.proname IN ('snowflake_min_id', 'snowflake_timestamp', 'instagram_min_id', 'instagram_timestamp', 'hlc_min_id', 'hlc_timestamp')
  OR p.proname LIKE 'sonyflake\___coder' OR p.proname LIKE 'visits\___coder' ORDER BY p.proname COLLATE "C";
SELECT codecs.sonyflake_encoder('2026-11-01Z') = idgen_min_id('2026-11-01Z', 'sonyflake') AS encoder,
       codecs.visits_encoder('2026-11-01Z') = uuidv7_min_id('2026-11-01Z') AS uuid_encoder,
       codecs.sonyflake_decoder(NULL) IS NULL AND codecs.visits_encoder(NULL) IS NULL AS null_is_null;
-- They need idgen, and not idgen_tools. What a layout's name stood for is in them.
SELECT * FROM idgen_create_encoders('codecs_day', 'daily', 'codecs');
SELECT idgen_drop_layout(l) FROM unnest('{codecs_day,codecs_odd}'::text[]) l;
DROP EXTENSION idgen_tools;
SELECT codecs.daily_decoder(codecs.daily_encoder('2026-11-01Z'));
CREATE EXTENSION idgen_tools;
CREATE TABLE codecs.t (id bigint);
CREATE INDEX ON codecs.t (codecs.sonyflake_decoder(id));

-- The schema is the first of the search_path.
SET search_path = codecs, public;
SELECT encoder FROM idgen_create_encoders('leaf', 'here');
SET search_path = '';
SELECT public.idgen_create_encoders('leaf', 'nowhere');
RESET search_path;
-- What is refused.
SELECT idgen_create_encoders(NULL, 'x', 'codecs');
SELECT idgen_create_encoders('leaf', NULL, 'codecs');
SELECT idgen_create_encoders('nothing', 'x', 'codecs');
SELECT idgen_create_encoders('uuidv4', 'x', 'codecs');
SELECT idgen_create_encoders('leaf', 'Größe', 'codecs');
SELECT idgen_create_encoders('leaf', 'a.b', 'codecs');
SELECT idgen_create_encoders('leaf', repeat('a', 56), 'codecs');
SELECT idgen_create_encoders('leaf', 'sonyflake', 'codecs');
CREATE FUNCTION codecs.y_decoder(text, text) RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT idgen_create_encoders('leaf', 'y', 'codecs');
SELECT to_regproc('codecs.y_encoder');
CREATE ROLE regress_idgen_codecs;
SET ROLE regress_idgen_codecs;
SELECT idgen_create_encoders('leaf', 'z', 'codecs');
RESET ROLE;
DROP ROLE regress_idgen_codecs;

DROP EXTENSION idgen_tools;
SET client_min_messages = warning;
DROP SCHEMA codecs CASCADE;

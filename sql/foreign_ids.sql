-- IDs of other systems, read from their texts: the examples of each one's documents and tests.
SET timezone = 'UTC';
SELECT text, (ksuid_parse(text)).*
FROM unnest('{0ujtsYcgvSTl8PAuAdqWYSMnLOv,0ujzPyRiIAffKhBux4PvQdDqMHY,0uk1Hbc9dQ9pxyTqJ93IUrfhdGq,
              000000000000000000000000000,aWgEPTl1tmebfsQzFP4bxwgy80V}'::text[]) text;
SELECT text, (xid_parse(text)).*
FROM unnest('{9m4e2mr0ui3e8a215n4g,00000000000000000000,0000005anf6drrg0000g,vvvvvvvvvvvvvvvvvvvg}'::text[]) text;
SELECT text, (objectid_parse(text)).*
FROM unnest('{507c7f79bcf86cd7994f6c0e,507C7F79BCF86CD7994F6C0E,0000002a0000000000000000,7fffffff0000000000000000,
              800000000000000000000000,ffffffffffffffffffffffff}'::text[]) text;
SELECT ksuid_timestamp('0ujtsYcgvSTl8PAuAdqWYSMnLOv'), xid_timestamp('9m4e2mr0ui3e8a215n4g'), objectid_timestamp('507c7f79bcf86cd7994f6c0e');

-- The first and the last ID of a second.
SELECT ksuid_min_id('2017-10-10 04:00:47.9Z') AS first, ksuid_max_id('2017-10-10 04:00:47Z') AS last
UNION ALL SELECT xid_min_id('2011-03-22 17:50:19Z'), xid_max_id('2011-03-22 17:50:19.999999Z')
UNION ALL SELECT objectid_min_id('2012-10-15 21:26:17Z'), objectid_max_id('2012-10-15 21:26:17Z');
-- They hold that second, and are next to those of the seconds beside it.
SELECT count(*) AS seconds,
       count(*) FILTER (WHERE ksuid_timestamp(ksuid_min_id(ts)) <> date_trunc('second', ts) OR ksuid_timestamp(ksuid_max_id(ts)) <> date_trunc('second', ts)
                           OR ksuid_max_id(ts) COLLATE "C" >= ksuid_min_id(ts + interval '1 s')) AS ksuids_wrong,
       count(*) FILTER (WHERE xid_timestamp(xid_min_id(ts)) <> date_trunc('second', ts) OR xid_timestamp(xid_max_id(ts)) <> date_trunc('second', ts)
                           OR xid_max_id(ts) COLLATE "C" >= xid_min_id(ts + interval '1 s')) AS xids_wrong,
       count(*) FILTER (WHERE objectid_timestamp(objectid_min_id(ts)) <> date_trunc('second', ts) OR objectid_timestamp(objectid_max_id(ts)) <> date_trunc('second', ts)
                           OR objectid_max_id(ts) COLLATE "C" >= objectid_min_id(ts + interval '1 s')) AS objectids_wrong
FROM generate_series('2014-05-14Z'::timestamptz, '2106-01-01Z', interval '100 d 1.7 s') ts;
-- A range of time on an index of texts.
CREATE TABLE documents (id text COLLATE "C" PRIMARY KEY);
INSERT INTO documents SELECT encode(int4send(1350336377 + i) || '\xbcf86cd7994f6c0e', 'hex') FROM generate_series(0, 9999) i;
ANALYZE documents;
EXPLAIN (COSTS off)
SELECT count(*) FROM documents WHERE id BETWEEN objectid_min_id('2012-10-15 21:27Z') AND objectid_max_id('2012-10-15 21:27:59Z');
SELECT count(*), min(objectid_timestamp(id)), max(objectid_timestamp(id)) FROM documents
WHERE id BETWEEN objectid_min_id('2012-10-15 21:27Z') AND objectid_max_id('2012-10-15 21:27:59Z');
DROP TABLE documents;

-- Bad input.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text; result text;
BEGIN
  EXECUTE statement INTO result;
  RETURN 'no error: ' || coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(' / ', sqlstate, message, nullif(detail, ''), nullif(hint, ''));
END $$;
\pset format unaligned
\pset tuples_only on
SELECT text, error_of(format('SELECT ksuid_parse(%L)', text))
FROM unnest('{"",0ujtsYcgvSTl8PAuAdqWYSMnLO,0ujtsYcgvSTl8PAuAdqWYSMnLOv0,0ujtsYcgvSTl8PAu-dqWYSMnLOv,
              aWgEPTl1tmebfsQzFP4bxwgy80W,zzzzzzzzzzzzzzzzzzzzzzzzzzz,"0ujtsYcgvSTl8PAuAdqWYSMnLO "}'::text[]) text;
SELECT text, error_of(format('SELECT xid_parse(%L)', text))
FROM unnest('{"",9m4e2mr0ui3e8a215n4,9m4e2mr0ui3e8a215n4g0,9M4E2MR0UI3E8A215N4G,w0000000000000000000,
              c6e52g2mrqcjl44hf179,9m4e2mr0ui3e8a215n4v,9m4e2mr0ui3e8a215n4h,9m4e2mr0ui3e8a215n4w}'::text[]) text;
SELECT text, error_of(format('SELECT objectid_parse(%L)', text))
FROM unnest('{"",507c7f79bcf86cd7994f6c0,507c7f79bcf86cd7994f6c0e0,507c7f79bcf86cd7994f6c0g,"ObjectId(507c7f79bcf86cd7994f6c0e)"}'::text[]) text;
SELECT s, error_of('SELECT ' || s)
FROM unnest(ARRAY[$$ksuid_timestamp('x')$$, $$xid_timestamp('x')$$, $$objectid_timestamp('x')$$, $$length(ksuid_timestamp(repeat('0', 10000))::text)$$,
                  $$ksuid_min_id('2014-05-13 16:53:19.999999Z')$$, $$ksuid_min_id('2014-05-13 16:53:20Z')$$,
                  $$ksuid_max_id('2150-06-19 23:21:35.9Z')$$, $$ksuid_max_id('2150-06-19 23:21:36Z')$$,
                  $$xid_min_id('1969-12-31 23:59:59.999999Z')$$, $$xid_min_id('1970-01-01Z')$$, $$xid_max_id('2106-02-07 06:28:15.9Z')$$,
                  $$xid_max_id('2106-02-07 06:28:16Z')$$, $$objectid_min_id('1901-01-01Z')$$, $$objectid_max_id('2106-02-07 06:28:16Z')$$,
                  $$objectid_min_id('infinity')$$, $$ksuid_min_id('-infinity')$$, $$xid_max_id('294276-12-31Z')$$, $$objectid_min_id('4714-11-24 BC'::timestamptz)$$]) s;
\pset tuples_only off
\pset format aligned
SELECT ksuid_parse(NULL) IS NULL AND xid_timestamp(NULL) IS NULL AND objectid_min_id(NULL) IS NULL AS all_null;
DROP FUNCTION error_of(text);

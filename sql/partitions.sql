-- Partitions by the time in the key: which are made, for which keys, and what is refused.
-- (Keeping them: partition_maintain.sql. Sessions at once: the isolation test and test/t/036_partitions.pl.)
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
CREATE EXTENSION idgen_tools;
CREATE SCHEMA parts;
SET search_path = parts, public;
CREATE FUNCTION fails(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text;
BEGIN
  EXECUTE statement;
  RETURN 'done';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;

CREATE TABLE visits (id bigint DEFAULT snowflake_nextval() PRIMARY KEY, page text NOT NULL DEFAULT '/',
                     length int GENERATED ALWAYS AS (length(page)) STORED, CHECK (page <> '')) PARTITION BY RANGE (id);
CREATE INDEX ON visits (page);
SELECT * FROM idgen_create_partitions('visits', '2026-10-15Z', '2027-01-01Z', '1 month');
-- Again, and further.
SELECT * FROM idgen_create_partitions('visits', '2026-12-31 23:59:59.999Z', '2027-01-01 00:00:00.001Z', '1 month');
SELECT parent, partition, is_default, from_ts, to_ts, from_id = snowflake_min_id(from_ts)::text AS first,
       to_id = snowflake_min_id(to_ts)::text AS next, rows_estimate, size > 0 AS has_size, note
FROM idgen_partitions;
-- A partition is what CREATE TABLE ... PARTITION OF makes.
CREATE TABLE visits_made PARTITION OF visits FOR VALUES FROM (snowflake_min_id('2028-01-01Z')) TO (snowflake_min_id('2028-02-01Z'));
CREATE VIEW described AS
SELECT c.relname, string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated,
                                       pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attstorage, a.attcompression), ', ' ORDER BY attnum) AS columns,
       (SELECT string_agg(regexp_replace(pg_get_constraintdef(k.oid), 'visits_\w+', 'x'), ', ' ORDER BY contype, conname) FROM pg_constraint k
        WHERE k.conrelid = c.oid AND k.contype <> 'n') AS constraints,
       (SELECT string_agg(regexp_replace(pg_get_indexdef(i.indexrelid), c.relname, 'x', 'g'), ', ' ORDER BY indisprimary) FROM pg_index i
        WHERE i.indrelid = c.oid) AS indexes
FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 LEFT JOIN pg_attrdef d ON adrelid = c.oid AND adnum = attnum
GROUP BY c.oid, c.relname;
SELECT a.columns = b.columns AS columns, a.constraints = b.constraints AS constraints, a.indexes = b.indexes AS indexes
FROM described a, described b WHERE a.relname = 'visits_2026_11' AND b.relname = 'visits_made';
DROP TABLE visits_made;

-- Pruning: when it is planned, and when it begins.
SET enable_bitmapscan = off;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM visits WHERE id >= snowflake_min_id('2026-12-24Z');
PREPARE since(timestamptz) AS SELECT count(*) FROM visits WHERE id >= snowflake_min_id($1) AND id < snowflake_min_id($1 + interval '7 days');
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE since('2026-11-24Z');
DEALLOCATE since;
RESET plan_cache_mode;
RESET enable_bitmapscan;
RESET enable_indexscan;
RESET enable_indexonlyscan;

-- Calendars -----------------------------------------------------------------------------------
-- Local months: the ones in which the clocks change are an hour shorter and longer.
CREATE FUNCTION calendar(step interval, from_ts timestamptz, to_ts timestamptz, time_zone text) RETURNS TABLE (
    name regclass, starts timestamptz, length interval) LANGUAGE plpgsql AS $$
BEGIN
  DROP TABLE IF EXISTS c;
  CREATE TABLE c (id bigint) PARTITION BY RANGE (id);
  RETURN QUERY SELECT p.partition, p.starts, p.ends - p.starts
               FROM idgen_create_partitions('c', $2, $3, $1, $4, 'twitter') p;
END $$;
SELECT * FROM calendar('1 month', '2025-02-28 23:00Z', '2025-05-01Z', 'Europe/Berlin');
SELECT * FROM calendar('1 month', '2025-10-01Z', '2025-11-30Z', 'Europe/Berlin');
SELECT * FROM calendar('1 day', '2025-03-30Z', '2025-03-31Z', 'Europe/Berlin');
-- No midnight on that day; a day that was left out; an hour after midnight that was twice.
SELECT * FROM calendar('1 day', '2018-11-03 12:00Z', '2018-11-05Z', 'America/Sao_Paulo');
SELECT * FROM calendar('1 day', '2011-12-29 12:00Z', '2011-12-31 12:00Z', 'Pacific/Apia');
SELECT * FROM calendar('1 day', '2019-11-03 04:30Z', '2019-11-03 05:30Z', 'America/Havana');
SELECT * FROM calendar('3 months', '2026-02-15Z', '2026-09-01Z', 'UTC');
SELECT * FROM calendar('1 year', '2026-02-15Z', '2026-02-16Z', 'Asia/Kolkata');
SELECT * FROM calendar('5 years', '2026-02-15Z', '2026-02-16Z', 'UTC');
SELECT * FROM calendar('1 week', '2026-12-30Z', '2027-01-05Z', 'UTC');
SELECT * FROM calendar('6 hours', '2026-11-24 05:00Z', '2026-11-24 12:01Z', 'UTC');
SELECT * FROM calendar('24 hours', '2026-11-24 05:00Z', '2026-11-24 12:01Z', 'UTC');
-- Whatever the session's time zone.
SET timezone = 'Asia/Tokyo';
SELECT * FROM calendar('1 day', '2026-11-24 05:00Z', '2026-11-24 12:01Z', 'UTC');
SET timezone = 'UTC';

-- Kinds of key --------------------------------------------------------------------------------
-- For every layout: each partition holds its first and its last ID, and no others.
SELECT idgen_create_layout('parts_day', 'timestamp:20, machine:10, sequence:12', '1 day', '2024-01-01Z');
SELECT idgen_create_layout('parts_odd', 'timestamp:41, sequence:10', '7 ms', '2020-01-01 00:00:00.003Z');
CREATE FUNCTION check_kind(scheme text, key_type text, from_ts timestamptz, min_id text, max_id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE made int; wrong int;
BEGIN
  EXECUTE format('CREATE TABLE k (id %s PRIMARY KEY) PARTITION BY RANGE (id)', key_type);
  EXECUTE format('SELECT count(*) FROM idgen_create_partitions(''k'', %L, %L::timestamptz + interval ''70 days'', ''1 month'', layout => %L)',
                 from_ts, from_ts, scheme) INTO made;
  EXECUTE format('INSERT INTO k SELECT %s FROM generate_series(%L::timestamptz, %2$L::timestamptz + interval ''60 days'', interval ''1 day'') ts', min_id, from_ts);
  EXECUTE format('INSERT INTO k SELECT %s FROM generate_series(%L::timestamptz, %2$L::timestamptz + interval ''60 days'', interval ''1 day'') ts', max_id, from_ts);
  EXECUTE format('SELECT count(*) FROM k, idgen_tools_partitions(''k''::regclass, %L) p
                  WHERE p.partition = k.tableoid AND NOT (p.from_id::%s <= k.id AND k.id < p.to_id::%2$s AND p.note IS NULL)',
                 CASE key_type WHEN 'bigint' THEN idgen_tools_layout_scheme(scheme) ELSE scheme END, key_type) INTO wrong;
  DROP TABLE k;
  RETURN format('%s partitions, %s rows wrong', made, wrong);
END $$;
SELECT check_kind(layout, 'bigint', v.from_ts, format('idgen_min_id(ts, %L)', layout), format('idgen_max_id(ts, %L)', layout)), string_agg(layout, ' ' ORDER BY layout)
FROM idgen_layouts, LATERAL (SELECT CASE WHEN ends < '2027-02-01Z' THEN '2024-08-01Z'::timestamptz ELSE '2026-10-01Z' END) v(from_ts)
GROUP BY 1;
SELECT check_kind('hlc', 'bigint', '2026-10-01Z', 'hlc_min_id(ts)', 'hlc_max_id(ts)');
SELECT kind, check_kind(kind, 'uuid', '2026-10-01Z', kind || '_min_id(ts)', kind || '_max_id(ts)')
FROM unnest('{uuidv6,uuidv7,uuidv8,ulid,id128}'::text[]) kind;

-- What the default tells.
SELECT idgen_create_generator('parts_gen', 'sonyflake');
CREATE FUNCTION wrapped() RETURNS bigint LANGUAGE sql AS 'SELECT public.snowflake_nextval()';
CREATE FUNCTION snowflake_nextval() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION snowflake_id() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE SEQUENCE numbers;
CREATE TABLE made_by (id bigint, u uuid);
CREATE FUNCTION scheme_of(number int, made_by text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE made_by ALTER %I SET DEFAULT %s', CASE number WHEN 1 THEN 'id' ELSE 'u' END, made_by);
  RETURN idgen_tools_default_scheme('made_by'::regclass, number::smallint);
END $$;
SELECT d, scheme_of(1, d) FROM unnest(ARRAY[
  'public.snowflake_nextval()', 'instagram_nextval()', 'instagram_nextval(5)', $$instagram_nextval_for('a', 3)$$, $$idgen_nextval('wide')$$,
  $$idgen_nextval('parts_day')$$, $$idgen_nextval('parts_gen', 3)$$, 'hlc_now()', $$ticket_nextval('numbers')$$, $$nextval('numbers')$$,
  $$idgen_nextval('no' || 'name')$$, $$idgen_nextval('gone')$$, 'public.snowflake_nextval() + 1', 'wrapped()', 'snowflake_nextval()',
  'public.snowflake_id()', 'instagram_id()', 'instagram_id(5)', $$instagram_id_for('a', 3)$$, $$idgen_id('wide')$$, $$idgen_id('parts_gen', 3)$$,
  $$ticket_id('numbers')$$, 'snowflake_id()', '5', 'NULL']) d;
SELECT d, scheme_of(2, d) FROM unnest(ARRAY[
  'uuidv1_nextval()', 'uuidv4_nextval()', 'uuidv6_nextval()', 'uuidv7_nextval()', $$uuidv7_nextval('1 day')$$, 'uuidv8_nextval()', 'ulid_nextval()', 'id128_nextval()',
  'uuidv1_id()', 'uuidv4_id()', 'uuidv6_id()', 'uuidv7_id()', $$uuidv7_id('1 day')$$, 'uuidv8_id()', 'ulid_id()', 'id128_id()',
  'gen_random_uuid()', $$'5b30857f-0bfa-48b5-ac0b-5c64e28078d1'$$]) d;
DROP FUNCTION snowflake_nextval();
DROP FUNCTION snowflake_id();

-- The bounds of others are taken as they are, if no key is between them and idgen's.
CREATE TABLE u (id uuid DEFAULT uuidv7_nextval()) PARTITION BY RANGE (id);
CREATE TABLE u_10 PARTITION OF u FOR VALUES FROM ('01a0f4c2-c400-0000-0000-000000000000') TO ('01a19467-e800-0000-0000-000000000000');
CREATE TABLE u_12 PARTITION OF u FOR VALUES FROM ('01a22ee6-b000-0000-0000-000000000000') TO ('01a2ce8b-d401-0000-0000-000000000000');
CREATE TABLE u_default PARTITION OF u DEFAULT;
SELECT partition, from_ts, to_ts, from_id, to_id, note FROM idgen_partitions WHERE parent = 'u'::regclass;
SELECT * FROM idgen_create_partitions('u', '2026-10-01Z', '2026-12-01Z', '1 month');
SELECT partition, from_id, to_id FROM idgen_partitions WHERE parent = 'u'::regclass AND partition::text LIKE '%2026%';
SELECT fails($$SELECT idgen_create_partitions('u', '2026-12-01Z', '2026-12-02Z', '1 month')$$);
-- Bounds that are no keys.
CREATE TABLE odd (id bigint DEFAULT public.snowflake_nextval()) PARTITION BY RANGE (id);
CREATE TABLE odd_1 PARTITION OF odd FOR VALUES FROM (MINVALUE) TO (-5);
CREATE TABLE odd_2 PARTITION OF odd FOR VALUES FROM (-5) TO (5);
CREATE TABLE odd_3 PARTITION OF odd FOR VALUES FROM (893286088704000000) TO (MAXVALUE) PARTITION BY LIST (id);
SELECT partition, from_ts, to_ts, rows_estimate, size, note FROM idgen_partitions WHERE parent = 'odd'::regclass;

-- Names ---------------------------------------------------------------------------------------
CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."Größe ""der"" Tabelle: so lang, daß nichts mehr dahinter" ("the ""id""" bigint DEFAULT public.snowflake_nextval()) PARTITION BY RANGE ("the ""id""");
CREATE TABLE "Odd Schema"."The ""Default""" PARTITION OF "Odd Schema"."Größe ""der"" Tabelle: so lang, daß nichts mehr dahinter" DEFAULT;
INSERT INTO "Odd Schema"."The ""Default""" VALUES (snowflake_min_id('2026-11-02Z')), (snowflake_min_id('2026-11-30Z'));
SELECT partition, octet_length((parse_ident(partition::text))[2]), created, moved
FROM idgen_create_partitions('"Odd Schema"."Größe ""der"" Tabelle: so lang, daß nichts mehr dahinter"', '2026-11-01Z', '2026-11-03Z', '1 day', move_default => true);
SELECT partition FROM idgen_create_partitions('"Odd Schema"."Größe ""der"" Tabelle: so lang, daß nichts mehr dahinter"', '2026-11-24Z', '2026-11-25Z', '1 day', prefix => 'A "b"');
CREATE TABLE visits_2029_01 (id int);
CREATE VIEW visits_2029_02 AS SELECT 1 AS id;
SELECT fails(format($$SELECT idgen_create_partitions('visits', %L, %L, '1 month')$$, d, d + interval '1 day')) FROM unnest('{2029-01-01Z,2029-02-01Z}'::timestamptz[]) d;
SELECT partition FROM idgen_create_partitions('visits', '2029-01-01Z', '2029-01-02Z', '1 month', prefix => 'other');

-- Rows in the default partition -------------------------------------------------------------------
CREATE TABLE moved (id bigint DEFAULT public.snowflake_nextval() PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, double int GENERATED ALWAYS AS (id % 10 * 2) STORED,
                    page text) PARTITION BY RANGE (id);
CREATE TABLE moved_default PARTITION OF moved DEFAULT;
CREATE TABLE fired (what text);
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO fired VALUES (TG_OP || ' ' || TG_NAME); RETURN coalesce(NEW, OLD); END $$;
CREATE TRIGGER fires BEFORE INSERT OR DELETE ON moved FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER off BEFORE INSERT OR DELETE ON moved FOR EACH ROW EXECUTE FUNCTION fire();
ALTER TABLE moved DISABLE TRIGGER off;
ALTER TABLE moved ENABLE ALWAYS TRIGGER fires;
ALTER TABLE moved_default ENABLE ALWAYS TRIGGER fires;
ALTER TABLE moved_default DISABLE TRIGGER off;
INSERT INTO moved (id, page) SELECT idgen_compose('snowflake', '2026-11-01Z'::timestamptz + n * interval '10 days', sequence => n), 'p' || n FROM generate_series(0, 9) n;
TRUNCATE fired;
SELECT fails($$SELECT idgen_create_partitions('moved', '2026-10-01Z', '2027-01-01Z', '1 month')$$);
SELECT count(*) FROM idgen_partitions WHERE parent = 'moved'::regclass;
SELECT md5(string_agg(m::text, '|' ORDER BY id)) AS before FROM moved m \gset
SELECT * FROM idgen_create_partitions('moved', '2026-10-01Z', '2027-01-01Z', '1 month', move_default => true);
SELECT md5(string_agg(m::text, '|' ORDER BY id)) = :'before' AS the_same FROM moved m;
SELECT tableoid::regclass, count(*) FROM moved GROUP BY 1 ORDER BY 1;
SELECT count(*) AS fired FROM fired;
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgname IN ('fires', 'off') ORDER BY tgrelid::regclass::text COLLATE "C", tgname;
-- Rows that are referred to would take their referrers along.
CREATE TABLE refers (id bigint REFERENCES moved ON DELETE CASCADE);
INSERT INTO refers SELECT id FROM moved;
SELECT fails($$SELECT idgen_create_partitions('moved', '2027-01-01Z', '2027-02-01Z', '1 month', move_default => true)$$);
SELECT count(*) FROM refers;
-- Other partitions can still be made.
SELECT count(*) FROM idgen_create_partitions('moved', '2028-01-01Z', '2028-02-01Z', '1 month', move_default => true);
DROP TABLE refers;
-- A rule is in the way, and nothing is lost.
CREATE RULE keep AS ON DELETE TO moved_default DO INSTEAD NOTHING;
SELECT fails($$SELECT idgen_create_partitions('moved', '2027-01-01Z', '2027-02-01Z', '1 month', move_default => true)$$);
DROP RULE keep ON moved_default;
-- The caller must see all rows.
CREATE ROLE regress_idgen_owner;
GRANT CREATE, USAGE ON SCHEMA parts TO regress_idgen_owner;
ALTER TABLE moved OWNER TO regress_idgen_owner;
ALTER TABLE moved_default OWNER TO regress_idgen_owner;
ALTER TABLE moved_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE moved_default FORCE ROW LEVEL SECURITY;
SET ROLE regress_idgen_owner;
SELECT fails($$SELECT idgen_create_partitions('moved', '2027-01-01Z', '2027-02-01Z', '1 month', move_default => true)$$);
RESET ROLE;
SELECT moved FROM idgen_create_partitions('moved', '2027-01-01Z', '2027-02-01Z', '1 month', move_default => true);
SELECT count(*) FROM moved;

-- Rights --------------------------------------------------------------------------------------
-- A partition belongs to the owner of its parent, whoever makes it.
CREATE ROLE regress_idgen_other;
CREATE ROLE regress_idgen_member IN ROLE regress_idgen_owner;
GRANT CREATE, USAGE ON SCHEMA parts TO regress_idgen_member;
GRANT USAGE ON SCHEMA parts TO regress_idgen_other;
SET ROLE regress_idgen_owner;
CREATE TABLE owned (id bigint DEFAULT public.snowflake_nextval()) PARTITION BY RANGE (id);
RESET ROLE;
SELECT count(*) FROM idgen_create_partitions('owned', '2026-11-01Z', '2026-11-02Z', '1 day');
SET ROLE regress_idgen_member;
SELECT count(*) FROM idgen_create_partitions('owned', '2026-11-02Z', '2026-11-03Z', '1 day');
SET ROLE regress_idgen_other;
SELECT fails($$SELECT idgen_create_partitions('owned', '2026-11-03Z', '2026-11-04Z', '1 day')$$);
SELECT partition, from_ts FROM idgen_partitions WHERE parent = 'owned'::regclass;
RESET ROLE;
REVOKE CREATE ON SCHEMA parts FROM regress_idgen_owner;
SET ROLE regress_idgen_owner;
SELECT fails($$SELECT idgen_create_partitions('owned', '2026-11-03Z', '2026-11-04Z', '1 day')$$);
RESET ROLE;
SELECT c.relname, c.relowner::regrole FROM pg_class c WHERE relname LIKE 'owned_2%' AND relkind = 'r' ORDER BY 1;

\pset format unaligned
-- What is refused -------------------------------------------------------------------------------
CREATE TABLE plain (id bigint);
CREATE VIEW seen AS SELECT * FROM plain;
CREATE TABLE by_list (id bigint DEFAULT public.snowflake_nextval()) PARTITION BY LIST (id);
CREATE TABLE by_hash (id bigint DEFAULT public.snowflake_nextval()) PARTITION BY HASH (id);
CREATE TABLE by_two (id bigint DEFAULT public.snowflake_nextval(), n int) PARTITION BY RANGE (id, n);
CREATE TABLE by_expression (id bigint DEFAULT public.snowflake_nextval()) PARTITION BY RANGE (snowflake_timestamp(id));
CREATE TABLE by_text (id text) PARTITION BY RANGE (id);
CREATE TABLE by_int (id int) PARTITION BY RANGE (id);
CREATE TEMPORARY TABLE by_temp (id bigint DEFAULT public.snowflake_nextval()) PARTITION BY RANGE (id);
CREATE TABLE serial (id bigserial) PARTITION BY RANGE (id);
CREATE TABLE v1 (id uuid DEFAULT uuidv1_nextval()) PARTITION BY RANGE (id);
CREATE TABLE v4 (id uuid DEFAULT gen_random_uuid()) PARTITION BY RANGE (id);
CREATE TABLE any_uuid (id uuid) PARTITION BY RANGE (id);
CREATE TABLE any_bigint (id bigint DEFAULT wrapped()) PARTITION BY RANGE (id);
SELECT coalesce(t, 'NULL') AS t, fails(format($$SELECT idgen_create_partitions(%L, '2026-11-01Z', '2026-12-01Z', '1 month')$$, t::regclass)) AS fails
FROM unnest('{NULL,plain,seen,numbers,by_list,by_hash,by_two,by_expression,by_text,by_int,by_temp,serial,v1,v4,any_uuid,any_bigint}'::text[]) t;
SELECT fails($$SELECT idgen_create_partitions(4294967295::oid::regclass, '2026-11-01Z', '2026-12-01Z', '1 month')$$);
SELECT a, fails(format($$SELECT idgen_create_partitions(%s)$$, a)) AS fails FROM unnest(ARRAY[
  $$'visits', NULL, '2026-12-01Z', '1 month'$$, $$'visits', '2026-12-01Z', NULL, '1 month'$$, $$'visits', '2026-11-01Z', '2026-12-01Z', NULL$$,
  $$'visits', '2026-11-01Z', '2026-12-01Z', '1 month', NULL$$, $$'visits', '2026-11-01Z', '2026-12-01Z', '1 month', move_default => NULL$$,
  $$'visits', '2026-12-01Z', '2026-11-01Z', '1 month'$$, $$'visits', '2026-12-01Z', '2026-12-01Z', '1 month'$$,
  $$'visits', '2026-12-01Z', 'infinity', '1 month'$$, $$'visits', '-infinity', '2026-12-01Z', '1 month'$$,
  $$'visits', '2026-11-01Z', '2046-12-01Z', '1 hour'$$,
  $$'visits', '2026-11-01Z', '2026-12-01Z', '5 months'$$, $$'visits', '2026-11-01Z', '2026-12-01Z', '30 days'$$,
  $$'visits', '2026-11-01Z', '2026-12-01Z', '0'$$, $$'visits', '2026-11-01Z', '2026-12-01Z', '-1 day'$$, $$'visits', '2026-11-01Z', '2026-12-01Z', '-1 month'$$,
  $$'visits', '2026-11-01Z', '2026-12-01Z', '1 month 1 day'$$, $$'visits', '2026-11-01Z', '2026-11-02Z', '5 hours'$$,
  $$'visits', '2026-11-01Z', '2026-11-02Z', '90 minutes'$$, $$'visits', '2026-11-01Z', '2026-11-02Z', '1 hour', 'Europe/Berlin'$$,
  $$'visits', '2026-11-01Z', '2026-12-01Z', '1 month', 'Nowhere/Land'$$,
  $$'visits', '2019-11-01Z', '2019-12-01Z', '1 month'$$, $$'visits', '2095-11-01Z', '2095-12-01Z', '1 month'$$,
  $$'visits', '2026-11-01Z', '2026-12-01Z', '1 month', layout => 'sonyflake'$$, $$'visits', '2026-11-01Z', '2026-12-01Z', '1 month', layout => 'nothing'$$,
  $$'visits', '2026-11-01Z', '2026-12-01Z', '1 month', layout => 'uuidv7'$$,
  $$'any_uuid', '2026-11-01Z', '2026-12-01Z', '1 month', layout => 'uuidv4'$$, $$'any_uuid', '2026-11-01Z', '2026-12-01Z', '1 month', layout => 'snowflake'$$,
  $$'any_uuid', '1969-11-01Z', '1969-12-01Z', '1 month', layout => 'ulid'$$,
  $$'any_bigint', '2026-11-01Z', '2026-11-02Z', '1 hour', layout => 'parts_day'$$,
  $$'visits', '2029-06-01Z', '2029-06-02Z', '1 month', tablespace => 'nowhere'$$,
  $$'visits', '2026-09-01Z', '2026-11-01Z', '1 day'$$, $$'visits', '2026-10-01Z', '2026-12-01Z', '1 month', 'Europe/Berlin'$$]) a;
\pset format aligned
-- Named, they can be partitioned.
SELECT partition, starts FROM idgen_create_partitions('serial', '2026-11-01Z', '2026-12-01Z', '1 month', layout => 'snowflake');
SELECT partition, starts FROM idgen_create_partitions('any_uuid', '2026-11-01Z', '2026-12-01Z', '1 month', layout => 'ulid');
-- The first and the last step of a layout have its beginning and its end.
SELECT idgen_create_layout('parts_short', 'timestamp:32, sequence:16', '1 ms', '2025-11-15Z');
SELECT ends FROM idgen_layouts WHERE layout = 'parts_short';
CREATE TABLE short (id bigint DEFAULT idgen_nextval('parts_short')) PARTITION BY RANGE (id);
SELECT * FROM idgen_create_partitions('short', '2025-11-20Z', '2026-01-03Z', '1 month');
SELECT partition, from_ts, to_ts, from_id, to_id FROM idgen_partitions WHERE parent = 'short'::regclass;
-- A generator that is gone leaves the view alone.
DROP TABLE short_2025_12;
SELECT idgen_drop_layout('parts_short');
SELECT count(*) FROM idgen_partitions WHERE parent = 'short'::regclass;
SELECT fails($$SELECT idgen_create_partitions('short', '2025-12-01Z', '2025-12-02Z', '1 month')$$);

-- Bounds of both types sort as their bytes do.
SELECT count(*) FROM unnest('{-9223372036854775808,-5,-1,0,1,5,9223372036854775807}'::bigint[]) a, unnest('{-9223372036854775808,-5,-1,0,1,5,9223372036854775807}'::bigint[]) b
WHERE (a < b) <> (idgen_tools_bound_key(a::text) < idgen_tools_bound_key(b::text))
   OR idgen_tools_bound_key('MINVALUE') >= idgen_tools_bound_key(a::text) OR idgen_tools_bound_key('MAXVALUE') <= idgen_tools_bound_key(a::text);

-- The extension idgen may move; the tools still find it.
CREATE SCHEMA moved_to;
ALTER EXTENSION idgen SET SCHEMA moved_to;
SELECT count(*) FROM idgen_create_partitions('visits', '2031-01-01Z', '2031-02-01Z', '1 month');
SELECT encoder FROM idgen_create_encoders('sonyflake', 'e', 'parts');
ALTER EXTENSION idgen SET SCHEMA public;

SELECT idgen_drop_generator('parts_gen');
SELECT idgen_drop_layout(l) FROM unnest('{parts_day,parts_odd}'::text[]) l;
DROP EXTENSION idgen_tools;
DROP SCHEMA parts, "Odd Schema", moved_to CASCADE;
DROP ROLE regress_idgen_owner, regress_idgen_other, regress_idgen_member;

-- idgen_compare() and idgen_guess() of idgen_tools.
CREATE EXTENSION idgen_tools;
SET timezone = 'UTC';
SET intervalstyle = postgres;
SET datestyle = ISO;
\set SHOW_CONTEXT never

-- Two IDs ------------------------------------------------------------------------------------------

SELECT layout, what, (idgen_compare(a, b, layout)).*
FROM (VALUES
  ('snowflake'::idgen_layout, 'the same', ARRAY['2025-03-01Z', '2025-03-01Z'], ARRAY[1, 1], ARRAY[2, 2], ARRAY[5, 5]),
  ('snowflake', 'one tick', ARRAY['2025-03-01Z', '2025-03-01Z'], ARRAY[1, 1], ARRAY[2, 2], ARRAY[5, 9]),
  ('snowflake', 'one tick, back', ARRAY['2025-03-01Z', '2025-03-01Z'], ARRAY[1, 1], ARRAY[2, 2], ARRAY[9, 5]),
  ('snowflake', 'another machine', ARRAY['2025-03-01Z', '2025-03-01Z'], ARRAY[1, 1], ARRAY[2, 3], ARRAY[5, 5]),
  ('snowflake', 'another datacenter', ARRAY['2025-03-01Z', '2025-03-01Z'], ARRAY[0, 1], ARRAY[2, 2], ARRAY[5, 5]),
  ('snowflake', 'a year', ARRAY['2024-03-01Z', '2025-03-01 00:00:00.001Z'], ARRAY[1, 1], ARRAY[2, 2], ARRAY[0, 4095])) v(layout, what, ts, d, m, s),
  LATERAL (SELECT idgen_compose(layout, ts[1]::timestamptz, d[1], m[1], NULL, s[1]) AS a, idgen_compose(layout, ts[2]::timestamptz, d[2], m[2], NULL, s[2]) AS b) ids;
-- NULL where the layout has no such field.
SELECT l.layout, (idgen_compare(idgen_min_id(ts, value), idgen_max_id(ts + interval '12 h', value), value)).*
FROM idgen_layouts l, LATERAL (SELECT least(ends - interval '1 year', '2025-06-01Z')) t(ts) WHERE owner IS NULL;
SELECT (idgen_compare(0, 9223372036854775807, 'tso')).*;
SELECT idgen_compare(NULL, 1) IS NULL AS a, idgen_compare(1, NULL) IS NULL AS b, idgen_compare(1, 1, NULL) IS NULL AS c, idgen_compare_text(NULL, 1::bigint) IS NULL AS d;
SELECT idgen_compare(-1, 1);
SELECT idgen_compare(1, 9007199254740992, 'js53');
-- Turned round, everything turns round.
SELECT count(*) AS compared, count(*) FILTER (WHERE (x.time_between, x.same_tick, x.same_datacenter, x.same_machine, x.same_shard, x.sequence_distance)
           IS DISTINCT FROM (- y.time_between, y.same_tick, y.same_datacenter, y.same_machine, y.same_shard, - y.sequence_distance)
         OR (x."order", y."order") NOT IN (('before', 'after'), ('after', 'before'), ('same', 'same'))) AS wrong
FROM idgen_layouts, generate_series(1, 20) i,
     LATERAL (SELECT idgen_min_id(least(ends - interval '1 year', '2025-06-01Z'), value)) base(id),
     LATERAL (SELECT base.id + (hashint4(i) & 1048575) AS a, base.id + (hashint4(-i) & 1048575) AS b) ids,
     idgen_compare(a, b, value) x, idgen_compare(b, a, value) y
WHERE owner IS NULL;

\pset format unaligned
\pset tuples_only on
\pset recordsep '\n\n'
SELECT idgen_compare_text(idgen_compose(layout, a::timestamptz, d[1], m[1], s[1], q[1]), idgen_compose(layout, b::timestamptz, d[2], m[2], s[2], q[2]), layout)
FROM (VALUES
  ('snowflake'::idgen_layout, '2025-03-01Z', '2025-03-01Z', '{1,1}'::int[], '{2,2}'::int[], NULL::int[], '{5,5}'::int[]),
  ('snowflake', '2025-03-01Z', '2025-03-01Z', '{1,1}', '{2,2}', NULL, '{5,9}'),
  ('snowflake', '2025-03-01Z', '2025-03-01Z', '{1,1}', '{3,2}', NULL, '{5,9}'),
  ('snowflake', '2025-03-01Z', '2025-03-01 00:00:00.250Z', '{1,1}', '{2,2}', NULL, '{5,9}'),
  ('instagram', '2025-03-01 00:00:12.345Z', '2025-03-01Z', NULL, NULL, '{17,1341}', '{5,9}'),
  ('sonyflake', '2025-03-01Z', '2025-03-02 02:03:04.56Z', NULL, '{1,1}', NULL, '{5,9}'),
  ('wide', '2021-03-01Z', '2025-03-01Z', NULL, '{1,1}', NULL, '{5,9}')) v(layout, a, b, d, m, s, q);
SELECT idgen_compare_text(idgen_min_id('2025-03-01Z', 'mastodon') + 3, idgen_min_id('2025-03-01Z', 'mastodon'), 'mastodon');
-- UUIDs and ULIDs.
SELECT idgen_compare_text(a, b, ulid) FROM (VALUES
  ('019b76da-a801-7800-8010-0000000000ff'::uuid, '019b76da-a801-7800-8010-0000000000ff'::uuid, false),
  ('019b76da-a801-7800-8010-0000000000ff', '019b76da-b801-7800-8010-0000000000ff', false),
  ('c232ab00-9414-11ec-b3c8-9f6bdeced846', 'd132ab00-9413-11ec-b3c8-9f6bdeced846', false),
  ('c232ab00-9414-11ec-b3c8-9f6bdeced846', 'c232ab01-9414-11ed-b3c8-9f6bdeced847', false),
  ('919108f7-52d1-4320-9bac-f847db4148a8', '019b76da-a801-7800-8010-0000000000ff', false),
  ('019b76da-a801-8800-8010-00000000ffff', '019b76da-a802-8800-8010-00004000ffff', false),
  ('19543f61-2780-8000-834b-233b2b700000', '019b76da-a802-8800-8010-00004000ffff', false),
  ('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', false),
  ('01563df3-6481-d676-4c61-efb99302bd5b', '01563df3-6482-d676-4c61-efb99302bd5b', true)) v(a, b, ulid);
\pset recordsep '\n'
SELECT idgen_compare(a, b, ulid) FROM (VALUES
  ('019b76da-a801-8800-8010-00000000ffff'::uuid, '019b76da-a802-8800-8010-00004000ffff'::uuid, false),
  ('c232ab00-9414-11ec-b3c8-9f6bdeced846', 'd132ab00-9413-11ec-b3c8-9f6bdeced846', false),
  ('919108f7-52d1-4320-9bac-f847db4148a8', '919108f7-52d1-4320-9bac-f847db4148a8', false),
  ('01563df3-6481-d676-4c61-efb99302bd5b', '01563df3-6482-d676-4c61-efb99302bd5b', true)) v(a, b, ulid);
\pset format aligned
\pset tuples_only off
SELECT idgen_compare(NULL::uuid, NULL) IS NULL AS null_uuid;

-- What a stranger's ID might be -----------------------------------------------------------------------

-- An ID of 2025 of each layout (of the last year of one that has ended) is guessed: its own layout is in the list,
-- with the right fields, and first but for layouts of the same shape and epoch.
CREATE VIEW samples AS
  SELECT layout, value, fields, CASE WHEN ends < '2026-01-01Z' THEN ends - interval '700 days' ELSE '2025-01-02Z' END AS begins
  FROM idgen_layouts WHERE owner IS NULL;
CREATE FUNCTION sample_id(layout text, value idgen_layout, fields text, ts timestamptz, i int) RETURNS bigint LANGUAGE sql
RETURN CASE WHEN layout = 'mastodon' THEN idgen_min_id(ts, value) + (hashint4(i) & 65535)
  ELSE idgen_compose(value, ts, CASE WHEN fields ~ 'datacenter' THEN 3 END, CASE WHEN fields ~ 'machine' THEN CASE WHEN i % 7 = 1 THEN 12 ELSE 4 END END,
    CASE WHEN fields ~ 'shard' THEN 5 + i % 4 END,
    CASE WHEN fields ~ 'sequence' THEN CASE WHEN layout = 'instagram' THEN i % 1024 WHEN i % 3 = 0 THEN i % 20 ELSE 0 END END) END;
SELECT s.layout, g.rank, g.ts = idgen_timestamp(i.id, s.value) AND (g.datacenter_id, g.machine_id, g.shard_id, g.sequence)
         IS NOT DISTINCT FROM (p.datacenter_id, p.machine_id, p.shard_id, p.sequence) AS same_fields,
       CASE WHEN g.rank > 1 THEN (SELECT string_agg(guess, ', ' ORDER BY rank) FROM idgen_guess(i.id, '2026-06-01Z') x WHERE x.rank < g.rank) END AS before_it
FROM samples s, LATERAL (SELECT sample_id(s.layout, value, fields, begins + interval '200 days 12:34:56.789', 3)) i(id), idgen_parse(i.id, s.value) p,
     idgen_guess(i.id, '2026-06-01Z') g
WHERE g.layout = s.value AND g.guess = s.layout;
-- A sample of 300 finds it.
CREATE TABLE sample_arrays AS
  SELECT layout, value, array_agg(sample_id(layout, value, fields, begins + i * interval '1 day 1.237 s', i)) AS ids
  FROM samples, generate_series(1, 300) i GROUP BY layout, value;
SELECT s.layout, g.rank, g.share, g.first::date, g.last::date, g.identities, g.largest_sequence,
       CASE WHEN g.rank > 1 THEN (SELECT string_agg(guess, ', ' ORDER BY rank) FROM idgen_guess(s.ids, '2026-06-01Z') x WHERE x.rank < g.rank) END AS before_it
FROM sample_arrays s, idgen_guess(s.ids, '2026-06-01Z') g WHERE g.layout = s.value AND g.guess = s.layout
ORDER BY s.layout COLLATE "C";
-- Ranks go from 1 on, by score, and the result is the same each time.
SELECT count(*) > 50 AS many, bool_and(g.score <= before) AS by_score, bool_and(g.rank = place) AS counted
FROM (SELECT g.*, lag(g.score, 1, 2147483647) OVER w AS before, row_number() OVER w AS place
      FROM sample_arrays s, idgen_guess(s.ids, '2026-06-01Z') g WHERE s.layout IN ('snowflake', 'sonyflake', 'mastodon', 'instagram', 'tso', 'pgedge', 'js53', 'discord') WINDOW w AS (PARTITION BY s.layout ORDER BY g.rank)) g;
SELECT count(*) AS differ FROM sample_arrays s
WHERE layout IN ('snowflake', 'cockroach') AND (SELECT array_agg(g) FROM idgen_guess(s.ids, '2026-06-01Z') g)::text
   <> (SELECT array_agg(g) FROM idgen_guess((SELECT array_agg(id ORDER BY id DESC) FROM unnest(s.ids || s.ids) id), '2026-06-01Z') g)::text;

-- With their reasons.
\pset format unaligned
SELECT rank, guess, ts, sequence, score, reasons FROM idgen_guess(722066616778911746, '2026-06-01Z') WHERE rank < 5;
SELECT rank, guess, share, last, identities, largest_sequence, score, reasons
FROM idgen_guess((SELECT ids FROM sample_arrays WHERE layout = 'sonyflake'), '2026-06-01Z') WHERE rank < 4;
-- One machine that makes an ID a day: a sequence that stays where it is speaks against the old order of fields.
SELECT rank, guess, score, reasons
FROM idgen_guess((SELECT array_agg(idgen_compose('pgedge', '2025-06-01Z'::timestamptz + i * interval '1 day 1.234 s', machine_id => 1)) FROM generate_series(1, 50) i),
                 '2026-06-01Z') WHERE guess LIKE 'pgedge%';
-- No IDs with a time.
SELECT id, g.rank, g.guess, g.ts, g.score, g.reasons
FROM unnest(ARRAY[0, 1, 42, 2147483647, 2147483648, 1099511627775, 1099511627776, 1748736000, 1748736000123, 1748736000123456]) id,
     LATERAL (SELECT * FROM idgen_guess(id, '2026-06-01Z') WHERE layout IS NULL) g;
SELECT id, count(g) FROM unnest(ARRAY[-1, -9223372036854775808, 9223372036854775807, NULL]) id LEFT JOIN LATERAL idgen_guess(id, '2026-06-01Z') g ON true
GROUP BY id ORDER BY id;
-- A tool asks with the clock of today.
SELECT guess FROM idgen_guess(snowflake_nextval()) WHERE rank = 1;
SELECT guess, score > 0 AS likely FROM idgen_guess(hlc_now()) WHERE guess = 'hlc';

-- Samples that are none, and parts of one.
SELECT what, g.rank, g.guess, g.share, g.reasons
FROM (VALUES
  ('serial', (SELECT array_agg(i) FROM generate_series(1, 900) i)),
  ('serial with gaps', (SELECT array_agg(i * 30000::bigint) FROM generate_series(1, 900) i)),
  ('big serial, dense', (SELECT array_agg(5000000000000::bigint + i) FROM generate_series(1, 900) i)),
  ('one number', ARRAY[7]),
  ('milliseconds', (SELECT array_agg(1748736000123 - i * 86400000::bigint) FROM generate_series(1, 100) i)),
  ('random', (SELECT array_agg((hashint8extended(i, 1) >> 1) & 9223372036854775807) FROM generate_series(1, 100) i)),
  ('random, signed', (SELECT array_agg(hashint8extended(i, 1)) FROM generate_series(1, 100) i))) v(what, ids),
  LATERAL (SELECT * FROM idgen_guess(ids, '2026-06-01Z') g WHERE g.layout IS NULL AND g.rank < 3) g;
SELECT g.rank, g.guess, g.share, g.reasons
FROM (SELECT ids || ARRAY[1, 2, 3, -1, NULL] AS ids FROM sample_arrays WHERE layout = 'discord') s, idgen_guess(ids, '2026-06-01Z') g WHERE g.rank = 1;
SELECT count(*) FROM idgen_guess('{}'::bigint[]);
SELECT count(*) FROM idgen_guess(ARRAY[NULL, NULL]::bigint[]);
SELECT count(*) FROM idgen_guess(NULL::bigint[]);
SELECT count(*) FROM idgen_guess(ARRAY[-5, -6]::bigint[], '2026-06-01Z');

-- What this database uses comes first: a user's layout, a generator without a layout's name, a default.
SELECT idgen_create_layout('mine', 'timestamp:41, machine:10, sequence:12');
SELECT rank, guess, reasons FROM idgen_guess(722066616778911746, '2026-06-01Z') WHERE rank < 3;
SELECT idgen_drop_layout('mine');
SELECT idgen_create_generator('ours', 'timestamp:41, machine:4, sequence:18, epoch:2020-01-01Z', machine_id => 1);
SELECT rank, guess, reasons FROM idgen_guess(722066616778911746, '2026-06-01Z') WHERE guess = 'ours';
CREATE TABLE "Our orders" (id bigint DEFAULT idgen_nextval('ours'), other bigint DEFAULT idgen_nextval('discord'));
SELECT rank, guess, reasons FROM idgen_guess(722066616778911746, '2026-06-01Z') WHERE rank < 3 ;
SELECT rank, guess, reasons FROM idgen_guess(ARRAY[722066616778911746], '2026-06-01Z') WHERE rank < 3;
DROP TABLE "Our orders";
SELECT idgen_drop_generator('ours');

-- UUIDs.
SELECT id, g.rank, g.guess, g.layout, g.ts, g.datacenter_id, g.machine_id, g.sequence, g.score, g.reasons
FROM (VALUES
  ('019679a8-1c00-7800-8010-0000000000ff'::uuid), ('c232ab00-9414-11ec-b3c8-9f6bdeced846'), ('1ec9414c-232a-6b00-b3c8-9f6bdeced846'),
  ('919108f7-52d1-4320-9bac-f847db4148a8'), ('01963df3-6481-d676-4c61-efb99302bd5b'), ('019679a8-1c00-8800-8010-000008000003'),
  ('19543f61-2780-8000-834b-233b2b700000'), ('183b8e8c-0ea4-c000-0000-000000010002'), ('00000000-0000-0000-0000-000000000000'),
  ('ffffffff-ffff-ffff-ffff-ffffffffffff')) v(id), LATERAL (SELECT * FROM idgen_guess(id, '2026-06-01Z') WHERE rank < 4) g;
SELECT what, guess FROM (VALUES ('uuidv7', uuidv7_nextval()), ('uuidv8', uuidv8_nextval()), ('uuidv6', uuidv6_nextval()), ('uuidv1', uuidv1_nextval()),
  ('uuidv4', uuidv4_nextval()), ('id128', id128_nextval()), ('carried', idgen_to_uuid(snowflake_nextval()))) v(what, id), idgen_guess(id) WHERE rank = 1;
SELECT bool_or(guess = 'ulid') AS ulid FROM idgen_guess(ulid_nextval());
SELECT count(*) FROM idgen_guess(NULL::uuid);

-- Texts.
SELECT id, g.rank, g.form, g.guess, g.value, g.ts, g.score, g.reasons
FROM unnest(ARRAY[
  '722066616778911746', ' 722066616778911746 ', idgen_encode(722066616778911746, 'base62'), idgen_encode(722066616778911746, 'base62', 'sk_live'),
  idgen_encode(722066616778911746, 'base32'), idgen_encode(722066616778911746, 'base58'), idgen_encode(722066616778911746, 'hex'),
  '019679a8-1c00-7800-8010-0000000000ff', '{019679A8-1C00-7800-8010-0000000000FF}', idgen_encode('019679a8-1c00-7800-8010-0000000000ff'::uuid, 'base58'),
  idgen_encode('019679a8-1c00-7800-8010-0000000000ff'::uuid, 'hex'), typeid_encode('user', '019679a8-1c00-7800-8010-0000000000ff'),
  ulid_encode('01963df3-6481-d676-4c61-efb99302bd5b'), lower(ulid_encode('01963df3-6481-d676-4c61-efb99302bd5b')), '0ujtsYcgvSTl8PAuAdqWYSMnLOv', '9m4e2mr0ui3e8a215n4g', '507c7f79bcf86cd7994f6c0e', '5', '1748736000'
]) WITH ORDINALITY i(id, n), LATERAL (SELECT * FROM idgen_guess(id, '2026-06-01Z') WHERE rank = 1) g ORDER BY n;
SELECT id, count(g) FROM unnest(ARRAY['', ' ', 'hello world', '-5', '1.5', '../../etc/passwd', 'zzzzzzzzzzzzzzzzzzzzzzzzzzz', 'ffffffffffffffffffffffff', 'user_', '_', 'é', repeat('x', 100000)]) id
LEFT JOIN LATERAL idgen_guess(id, '2026-06-01Z') g ON true GROUP BY id HAVING length(id) < 1000 ORDER BY id COLLATE "C";
SELECT count(*) FROM idgen_guess(NULL::text);
\pset format aligned

DROP TABLE sample_arrays;
DROP VIEW samples;
DROP FUNCTION sample_id(text, idgen_layout, text, timestamptz, int);

-- An ordinary role, and objects in the way.
CREATE ROLE regress_ids;
SET client_min_messages = error;
CREATE SCHEMA ids_trap AUTHORIZATION regress_ids;
SET ROLE regress_ids;
CREATE FUNCTION ids_trap.caught(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE OPERATOR ids_trap.< (FUNCTION = ids_trap.caught, LEFTARG = bigint, RIGHTARG = bigint);
CREATE FUNCTION ids_trap.idgen_parse(bigint, idgen_layout) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE FUNCTION ids_trap.concat_ws(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
SET client_min_messages = default;
SET search_path = ids_trap, public, pg_catalog;
SELECT guess FROM public.idgen_guess(722066616778911746, '2026-06-01Z') WHERE rank OPERATOR(pg_catalog.=) 1;
SELECT public.idgen_compare(1, 2);
RESET search_path;
RESET ROLE;
DROP SCHEMA ids_trap CASCADE;
DROP ROLE regress_ids;

DROP EXTENSION idgen_tools;

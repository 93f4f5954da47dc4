-- An ID as a person wants to see it, and as a program does. No setting changes it.
\pset format unaligned
\pset tuples_only on
SELECT idgen_inspect(((1795392000123 - 1577836800000) << 22) | (21 << 17) | (10 << 12) | 1234);
SELECT idgen_inspect(0, 'instagram');
SELECT idgen_inspect(9223372036854775807, 'instagram');
SELECT idgen_inspect(9007199254740991, 'js53');
SELECT idgen_inspect(116000000000000000, 'mastodon');
SELECT idgen_inspect(612345678901234567, 'sonyflake');
SELECT idgen_inspect(1000000000000000000, 'cockroach');
SELECT idgen_create_layout('micro', 'timestamp:55, machine:2, sequence:1', tick => '1 us', epoch => '1969-12-31 23:59:59.999999Z');
SELECT idgen_inspect(9, 'micro');
SELECT jsonb_pretty(idgen_inspect_json(((1795392000123 - 1577836800000) << 22) | (21 << 17) | (10 << 12) | 1234));
SELECT idgen_inspect_json(9, 'micro');
SET TimeZone = 'Asia/Kolkata';
SET DateStyle = 'German';
SELECT idgen_inspect(1);
RESET TimeZone;
RESET DateStyle;
SELECT idgen_drop_layout('micro');
\pset tuples_only off
\pset format aligned
-- The bits are the ID, the values are what idgen_parse() says.
SELECT layout, count(*) FILTER (WHERE id <> bits) AS differ,
       count(*) FILTER (WHERE (datacenter, machine, shard, l.sequence) IS DISTINCT FROM (datacenter_id, machine_id, shard_id, p.sequence)) AS parts_differ
FROM (SELECT layout, id,
             (SELECT string_agg(f->>'binary', '' ORDER BY n) FROM jsonb_array_elements(j->'fields') WITH ORDINALITY f(f, n)) AS text,
             (SELECT (f->>'value')::int FROM jsonb_array_elements(j->'fields') f WHERE f->>'name' = 'datacenter') AS datacenter,
             (SELECT (f->>'value')::int FROM jsonb_array_elements(j->'fields') f WHERE f->>'name' = 'machine') AS machine,
             (SELECT (f->>'value')::int FROM jsonb_array_elements(j->'fields') f WHERE f->>'name' = 'shard') AS shard,
             (SELECT (f->>'value')::int FROM jsonb_array_elements(j->'fields') f WHERE f->>'name' = 'sequence') AS sequence
      FROM (SELECT layout, value, id, idgen_inspect_json(id, value) AS j
            FROM idgen_layouts, LATERAL (SELECT (random() * (idgen_max_id(ends - tick, value) - 512))::bigint AS id FROM generate_series(1, 20)) i) k) l,
     LATERAL (SELECT lpad(text, 64, '0')::bit(64)::bigint AS bits) b,
     LATERAL idgen_parse(id, value) p
GROUP BY layout ORDER BY layout COLLATE "C";
SELECT idgen_inspect(NULL) IS NULL AND idgen_inspect_json(1, NULL) IS NULL AS all_null;
SELECT idgen_inspect(-1);
SELECT idgen_inspect(9007199254740992, 'js53');
SELECT idgen_inspect_json(1, 'js35');


-- What a stranger's ID might be ---------------------------------------------------------------------

-- A guess is a score, and reasons that a person can check. In the score:
--   - A time in the last years: up to 30, 2 less for each year. Most IDs that somebody asks about are of tables in use.
--   - Low fields. With the right layout the bits of sequence and identity are small numbers, few of them; with a wrong one
--     they are bits of the time, which are any. So what is saved against random bits counts, one for each bit, to a limit.
--   - A layout that this database uses, or that was made here.
--   - A time near the epoch: small numbers are of that time under every layout.
-- Layouts that say the same of the IDs are in the order of the view idgen_layouts.

CREATE FUNCTION idgen_tools_candidates(
    OUT n bigint, OUT name text, OUT layout idgen_layout, OUT begins timestamptz, OUT largest bigint, OUT bits int,
    OUT datacenter_bits int, OUT machine_bits int, OUT shard_bits int, OUT sequence_bits int,
    OUT known_points int, OUT known_reason text)
  RETURNS SETOF record
  LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
BEGIN ATOMIC
  WITH used(layout, place) AS (
    SELECT g.layout::text, pg_catalog.min(d.place)
    FROM idgen_get_defaults() d JOIN idgen_generators g ON g.generator = d.generator
    WHERE g.layout IS NOT NULL
    GROUP BY g.layout::text
  ), known AS (
    SELECT l.layout AS name, l.value AS layout, l.fields, l.epoch, l.owner IS NOT NULL AS is_users FROM idgen_layouts l
    UNION ALL
    -- A generator's layout that has no name of its own.
    (SELECT DISTINCT ON (g.layout::text) g.generator, g.layout, pg_catalog.split_part(g.layout::text, ', tick:', 1),
            idgen_timestamp(0::bigint, g.layout), true
     FROM idgen_generators g
     WHERE g.layout IS NOT NULL AND NOT EXISTS (SELECT FROM idgen_layouts l WHERE l.value = g.layout)
     ORDER BY g.layout::text, g.generator)
  ), fields AS (
    SELECT k.*,
           (SELECT pg_catalog.sum(f.part[1]::int)::int FROM pg_catalog.regexp_matches(k.fields, ':([0-9]+)', 'g') f(part)) AS bits,
           coalesce((pg_catalog.regexp_match(k.fields, 'datacenter:([0-9]+)'))[1]::int, 0) AS datacenter_bits,
           coalesce((pg_catalog.regexp_match(k.fields, 'machine:([0-9]+)'))[1]::int, 0) AS machine_bits,
           coalesce((pg_catalog.regexp_match(k.fields, 'shard:([0-9]+)'))[1]::int, 0) AS shard_bits,
           coalesce((pg_catalog.regexp_match(k.fields, 'sequence:([0-9]+)'))[1]::int, 0) AS sequence_bits,
           pg_catalog.row_number() OVER () AS place
    FROM known k
  )
  SELECT pg_catalog.row_number() OVER (ORDER BY f.place, f.name COLLATE pg_catalog."C"), f.name, f.layout,
         -- Before there was the system, nobody made IDs of it.
         CASE WHEN f.is_users THEN f.epoch
              ELSE greatest(f.epoch, CASE f.name WHEN 'mastodon' THEN '2016-11-01 00:00:00+00'::timestamptz
                                                 WHEN 'tso' THEN '2015-09-01 00:00:00+00'::timestamptz END) END,
         CASE WHEN f.bits >= 63 THEN 9223372036854775807 ELSE (1::bigint << f.bits) - 1::bigint END, f.bits,
         f.datacenter_bits, f.machine_bits, f.shard_bits, f.sequence_bits,
         CASE WHEN u.place IS NOT NULL THEN 40 WHEN f.is_users THEN 15 ELSE 0 END,
         coalesce('used by the default of ' || u.place, CASE WHEN f.is_users THEN 'made in this database' END)
  FROM fields f
  LEFT JOIN used u ON u.layout = f.layout::text;
END;
COMMENT ON FUNCTION idgen_tools_candidates() IS 'the layouts that an ID may be of, and whether this database uses them';

CREATE FUNCTION idgen_tools_age(ts timestamptz, now timestamptz) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
  WHEN now - ts < '2 min'::interval THEN 'made just now'
  WHEN now - ts < '3 h'::interval THEN pg_catalog.format('made %s minutes ago', pg_catalog.div(extract(epoch FROM now - ts), 60::numeric))
  WHEN now - ts < '3 days'::interval THEN pg_catalog.format('made %s hours ago', pg_catalog.div(extract(epoch FROM now - ts), 3600::numeric))
  WHEN now - ts < '100 days'::interval THEN pg_catalog.format('made %s days ago', pg_catalog.div(extract(epoch FROM now - ts), 86400::numeric))
  ELSE pg_catalog.format('made %s years ago', pg_catalog.round(extract(epoch FROM now - ts) / 31557600::numeric, 1))
END;
COMMENT ON FUNCTION idgen_tools_age(timestamptz, timestamptz) IS 'how long ago, for a person';

-- Up to 30 for a time in the last 15 years.
CREATE FUNCTION idgen_tools_recent(ts timestamptz, now timestamptz) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN greatest(0::float8, 30::float8 - greatest(0::float8, extract(epoch FROM now - ts)::float8) / 15778800::float8);
COMMENT ON FUNCTION idgen_tools_recent(timestamptz, timestamptz) IS 'the points of a time for a guess';

-- The bits that a small value saves: all of them for 0.
CREATE FUNCTION idgen_tools_saved(bits int, value float8) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN bits > 0 AND value IS NOT NULL
            THEN greatest(0::float8, bits::float8 - pg_catalog.ln(value + 1::float8) / 0.6931471805599453::float8) ELSE 0::float8 END;
COMMENT ON FUNCTION idgen_tools_saved(int, float8) IS 'how many of the bits of a field its value does not need';

-- Numbers that are no IDs with a time, or not of a layout.
-- Not STRICT, so that it is inlined.
CREATE FUNCTION idgen_tools_numbers(id bigint, now timestamptz)
  RETURNS TABLE (n int, guess text, ts timestamptz, sequence int, score float8, reasons text)
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT 1, 'sequence', NULL::timestamptz, NULL::int,
         CASE WHEN id < 4294967296 THEN 60::float8 ELSE 20::float8 END,
         CASE WHEN id < 2147483648 THEN 'so small that it fits into integer: a number that is counted up'
              ELSE 'a small number, as a sequence gives it' END
  WHERE id >= 0::bigint AND id < 1099511627776
  UNION ALL
  SELECT 2, 'unix ' || u.unit, t.ts, NULL::int, 10::float8 + idgen_tools_recent(t.ts, now) / 2::float8,
         pg_catalog.format('a time since 1970 in %s, %s', u.unit, idgen_tools_age(t.ts, now))
  FROM (VALUES ('seconds', 1::bigint), ('milliseconds', 1000::bigint), ('microseconds', 1000000::bigint),
               ('nanoseconds', 1000000000::bigint)) u(unit, divisor),
       LATERAL (SELECT pg_catalog.to_timestamp(id::float8 / u.divisor::float8)
                WHERE id / u.divisor >= 946684800::bigint AND id / u.divisor < 10000000000::bigint) t(ts)
  WHERE t.ts <= now + '1 min'::interval
  UNION ALL
  SELECT 3, 'hlc', h.ts, h.logical,
         idgen_tools_recent(h.ts, now) + least(idgen_tools_saved(17, h.logical::float8), 12::float8) - 5::float8,
         pg_catalog.concat_ws('; ', idgen_tools_age(h.ts, now), 'a timestamp of hlc_now()')
  FROM hlc_parse(CASE WHEN id >= 0::bigint THEN id END) h
  WHERE h.ts >= '2014-01-01 00:00:00+00'::timestamptz AND h.ts <= now + '1 min'::interval;
END;
COMMENT ON FUNCTION idgen_tools_numbers(bigint, timestamptz) IS 'what a number may be that is of no layout';

CREATE FUNCTION idgen_guess(id bigint, now timestamptz DEFAULT pg_catalog.clock_timestamp())
  RETURNS TABLE (
    rank int, guess text, layout idgen_layout, ts timestamptz, datacenter_id int, machine_id int, shard_id int, sequence int,
    score int, reasons text)
  LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 5
BEGIN ATOMIC
  WITH guesses AS (
    SELECT c.n, c.name AS guess, c.layout, p.ts, p.datacenter_id, p.machine_id, p.shard_id, p.sequence,
           idgen_tools_recent(p.ts, now) + least(f.saved, 20::float8) + c.known_points::float8
             - CASE WHEN f.is_early THEN 40::float8 ELSE 0::float8 END
             + CASE WHEN c.bits <= 53 AND NOT f.is_early THEN 8::float8 ELSE 0::float8 END AS score,
           pg_catalog.concat_ws('; ', idgen_tools_age(p.ts, now), c.known_reason,
             CASE WHEN f.is_early THEN 'near the epoch, as every small number is' END,
             CASE WHEN f.bits > 0 AND f.saved >= 0.6::float8 * f.bits::float8 AND NOT f.is_early THEN 'small sequence and identity'
                  WHEN f.bits > 0 AND f.saved < 0.2::float8 * f.bits::float8 THEN 'large sequence or identity' END,
             CASE WHEN c.bits <= 53 AND NOT f.is_early THEN 'of no more bits than the layout has' END) AS reasons
    FROM idgen_tools_candidates() c,
         idgen_parse(CASE WHEN id >= 0::bigint AND id <= c.largest THEN id END, c.layout) p,
         LATERAL (SELECT idgen_tools_saved(c.datacenter_bits, p.datacenter_id::float8) + idgen_tools_saved(c.machine_bits, p.machine_id::float8)
                       + idgen_tools_saved(c.shard_bits, p.shard_id::float8) + idgen_tools_saved(c.sequence_bits, p.sequence::float8) AS saved,
                         c.datacenter_bits + c.machine_bits + c.shard_bits + c.sequence_bits AS bits,
                         p.ts < c.begins + '30 days'::interval AND now > c.begins + '60 days'::interval AS is_early) f
    WHERE p.ts >= c.begins AND p.ts <= now + '1 min'::interval
    UNION ALL
    SELECT 1000::bigint + u.n::bigint, u.guess, NULL, u.ts, NULL, NULL, NULL, u.sequence, u.score, u.reasons
    FROM idgen_tools_numbers(id, now) u
  )
  SELECT (pg_catalog.row_number() OVER (ORDER BY pg_catalog.round(g.score) DESC, g.n))::int, g.guess, g.layout, g.ts,
         g.datacenter_id, g.machine_id, g.shard_id, g.sequence, pg_catalog.round(g.score)::int, g.reasons
  FROM guesses g
  ORDER BY 1;
END;
COMMENT ON FUNCTION idgen_guess(bigint, timestamptz) IS
  'the layouts under which an ID makes sense, likeliest first, with reasons';

CREATE FUNCTION idgen_guess(ids bigint[], now timestamptz DEFAULT pg_catalog.clock_timestamp())
  RETURNS TABLE (
    rank int, guess text, layout idgen_layout, share numeric, first timestamptz, last timestamptz, identities bigint,
    largest_sequence int, score int, reasons text)
  LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 5
BEGIN ATOMIC
  WITH sample AS MATERIALIZED (
    SELECT DISTINCT u.id FROM pg_catalog.unnest(ids) AS u(id) WHERE u.id IS NOT NULL
  ), whole AS MATERIALIZED (
    SELECT pg_catalog.count(*) AS n, pg_catalog.min(s.id) AS least, pg_catalog.max(s.id) AS most,
           pg_catalog.count(*) FILTER (WHERE s.id < 0::bigint) AS negative
    FROM sample s
  ), parsed AS (
    SELECT c.n, c.name, c.layout, c.begins, c.bits, c.known_points, c.known_reason, c.sequence_bits,
           c.datacenter_bits + c.machine_bits + c.shard_bits AS identity_bits,
           a.*
    FROM idgen_tools_candidates() c,
         LATERAL (
           SELECT pg_catalog.count(*) AS good, pg_catalog.min(p.ts) AS first, pg_catalog.max(p.ts) AS last,
                  pg_catalog.count(DISTINCT (((coalesce(p.datacenter_id, 0)::bigint << c.machine_bits) | coalesce(p.machine_id, 0)::bigint)
                                          << c.shard_bits) | coalesce(p.shard_id, 0)::bigint) AS identities,
                  pg_catalog.count(DISTINCT p.sequence) AS sequences,
                  pg_catalog.avg(p.sequence)::float8 AS average, pg_catalog.min(p.sequence) AS least_sequence,
                  pg_catalog.max(p.sequence) AS largest_sequence
           FROM sample s, idgen_parse(CASE WHEN s.id >= 0::bigint AND s.id <= c.largest THEN s.id END, c.layout) p
           WHERE p.ts >= c.begins AND p.ts <= now + '1 min'::interval) a
    WHERE a.good > 0::bigint
  ), measured AS (
    SELECT p.*, p.good::numeric / w.n::numeric AS share,
           p.last < p.begins + '30 days'::interval AND now > p.begins + '60 days'::interval AS is_early,
           -- How many identities random bits would show.
           CASE WHEN p.identity_bits = 0 THEN 1::float8
                ELSE pg_catalog.power(2::float8, p.identity_bits::float8)
                     * (1::float8 - pg_catalog.exp(- p.good::float8 / pg_catalog.power(2::float8, p.identity_bits::float8))) END AS expected
    FROM parsed p, whole w
  ), points AS (
    -- From 0, as random bits would have it, to 1. Two IDs or three show nothing of identities.
    SELECT m.*,
           CASE WHEN m.expected < 2::float8 THEN 0.5::float8
                ELSE greatest(0::float8, 1::float8 - pg_catalog.ln(m.identities::float8) / pg_catalog.ln(m.expected)) END AS few_identities,
           -- Twice the average of random bits is their largest value.
           idgen_tools_saved(m.sequence_bits, 2::float8 * m.average) / greatest(1, m.sequence_bits)::float8 AS small_sequences,
           -- A counter begins with 0 in most ticks, or goes through all its values. One that stays where it is is none.
           m.good >= 5::bigint AND m.sequences = 1::bigint AND m.least_sequence > 0 AS is_stuck
    FROM measured m
  ), guesses AS (
    SELECT p.n, p.name AS guess, p.layout, p.share, p.first, p.last, CASE WHEN p.identity_bits > 0 THEN p.identities END AS identities,
           p.largest_sequence,
           (idgen_tools_recent(p.last, now) + p.known_points::float8
             + CASE WHEN p.identity_bits + p.sequence_bits = 0 THEN 12::float8
                    ELSE 24::float8 * (p.few_identities * p.identity_bits::float8 + p.small_sequences * p.sequence_bits::float8)
                         / (p.identity_bits + p.sequence_bits)::float8 END
             - CASE WHEN p.is_stuck THEN 6::float8 ELSE 0::float8 END
             + CASE WHEN p.bits <= 53 AND NOT p.is_early THEN 8::float8 ELSE 0::float8 END) * p.share::float8
             - CASE WHEN p.is_early THEN 40::float8 ELSE 0::float8 END AS score,
           pg_catalog.concat_ws('; ', 'the last one ' || idgen_tools_age(p.last, now), p.known_reason,
             CASE WHEN p.share < 1::numeric THEN pg_catalog.format('%s%% make no sense', pg_catalog.round(100::numeric - 100::numeric * p.share, 1)) END,
             CASE WHEN p.is_early THEN 'near the epoch, as all small numbers are' END,
             CASE WHEN p.identity_bits > 0 AND p.good >= 5::bigint AND p.few_identities >= 0.5::float8 THEN pg_catalog.format('only %s identities of %s IDs', p.identities, p.good)
                  WHEN p.identity_bits > 0 AND p.good >= 10::bigint AND p.few_identities < 0.1::float8 THEN 'as many identities as random bits would show' END,
             CASE WHEN p.sequence_bits > 0 AND p.small_sequences >= 0.4::float8 THEN 'small sequences' END,
             CASE WHEN p.is_stuck THEN 'always the same sequence' END) AS reasons
    FROM points p
    WHERE p.share >= 0.5::numeric
    UNION ALL
    SELECT 2000::bigint, 'sequence', NULL, 1::numeric - w.negative::numeric / w.n::numeric, NULL, NULL, NULL, NULL,
           CASE WHEN w.most < 4294967296 THEN 60::float8 ELSE 20::float8 END
             + CASE WHEN w.n::float8 / greatest(1::float8, w.most::float8 - w.least::float8) > 0.001::float8 AND w.n > 1::bigint THEN 30::float8 ELSE 0::float8 END,
           pg_catalog.format('from %s to %s: numbers that are counted up', w.least, w.most)
    FROM whole w
    WHERE w.n > 0::bigint AND w.least >= 0::bigint AND (w.most < 1099511627776
      OR (w.n >= 10::bigint AND w.n::float8 / greatest(1::float8, w.most::float8 - w.least::float8) > 0.5::float8))
    UNION ALL
    SELECT 2001::bigint, 'random', NULL, 1::numeric, NULL, NULL, NULL, NULL, 50::float8,
           CASE WHEN w.negative > 0::bigint THEN 'half of them are negative, and they are all over the range'
                ELSE 'all over the range of bigint' END
    FROM whole w
    WHERE w.n >= 10::bigint AND w.most > 6917529027641081856 AND (w.least < -6917529027641081856 OR (w.negative = 0::bigint AND w.least < 2305843009213693952))
    UNION ALL
    SELECT 2002::bigint, x.guess, NULL, x.good::numeric / w.n::numeric, x.first, x.last, NULL, NULL,
           (x.score * x.good::float8) / w.n::float8, 'the last one ' || idgen_tools_age(x.last, now)
    FROM whole w, (SELECT u.guess, pg_catalog.count(*) AS good, pg_catalog.min(u.ts) AS first, pg_catalog.max(u.ts) AS last, pg_catalog.max(u.score) AS score
                   FROM sample s, idgen_tools_numbers(s.id, now) u WHERE u.guess <> 'sequence' GROUP BY u.guess) x
    WHERE 2::bigint * x.good >= w.n
  )
  SELECT (pg_catalog.row_number() OVER (ORDER BY pg_catalog.round(g.score) DESC, g.n, g.guess COLLATE pg_catalog."C"))::int,
         g.guess, g.layout, pg_catalog.round(g.share, 3), g.first, g.last, g.identities, g.largest_sequence, pg_catalog.round(g.score)::int, g.reasons
  FROM guesses g
  ORDER BY 1;
END;
COMMENT ON FUNCTION idgen_guess(bigint[], timestamptz) IS
  'the layouts under which a sample of IDs makes sense, likeliest first, with reasons';

CREATE FUNCTION idgen_guess(id uuid, now timestamptz DEFAULT pg_catalog.clock_timestamp())
  RETURNS TABLE (
    rank int, guess text, layout idgen_layout, ts timestamptz, datacenter_id int, machine_id int, shard_id int, sequence int,
    score int, reasons text)
  LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 5
BEGIN ATOMIC
  WITH guesses(n, guess, layout, ts, datacenter_id, machine_id, shard_id, sequence, score, reasons) AS (
    SELECT 1::bigint, pg_catalog.format('uuid version %s', p.version), NULL::idgen_layout, p.ts, NULL::int, NULL::int, NULL::int, NULL::int,
           CASE WHEN p.ts IS NULL THEN 55::float8 WHEN p.ts <= now + '1 min'::interval THEN 60::float8 + idgen_tools_recent(p.ts, now) ELSE 5::float8 END,
           pg_catalog.concat_ws('; ', 'version and variant say it',
             CASE WHEN p.ts <= now + '1 min'::interval THEN idgen_tools_age(p.ts, now) WHEN p.ts IS NOT NULL THEN 'in the future' END,
             'node ' || p.node::text, CASE p.version WHEN 3 THEN 'a hash of a name' WHEN 4 THEN 'random' WHEN 5 THEN 'a hash of a name'
                                                     WHEN 8 THEN 'everybody''s own' END)
    FROM idgen_parse(id) p WHERE p.variant = 'rfc9562' AND NOT idgen_tools_carries_id(id)
    UNION ALL
    SELECT 2::bigint, 'uuidv8_nextval', NULL, v.ts, v.datacenter_id, v.machine_id, NULL, v.sequence,
           60::float8 + idgen_tools_recent(v.ts, now) + CASE WHEN v.machine_id < 1024 AND v.datacenter_id < 32 THEN 10::float8 ELSE -10::float8 END,
           pg_catalog.concat_ws('; ', 'version 8, as idgen makes it', idgen_tools_age(v.ts, now))
    FROM idgen_parse(id) p, uuidv8_parse(CASE WHEN p.version = 8 AND NOT idgen_tools_carries_id(id) THEN id END) v
    WHERE v.ts >= '2020-01-01 00:00:00+00'::timestamptz AND v.ts <= now + '1 min'::interval
    UNION ALL
    SELECT 10::bigint + g.rank::bigint, g.guess || ' in a uuid', g.layout, g.ts, g.datacenter_id, g.machine_id, g.shard_id, g.sequence,
           g.score::float8 + 60::float8, 'idgen_to_uuid() made it; ' || g.reasons
    FROM idgen_guess(CASE WHEN idgen_tools_carries_id(id) THEN idgen_from_uuid(id) END, now) g
    UNION ALL
    SELECT 3::bigint, 'ulid', NULL, u.ts, NULL, NULL, NULL, NULL, 20::float8 + idgen_tools_recent(u.ts, now),
           pg_catalog.concat_ws('; ', idgen_tools_age(u.ts, now), 'the first 48 bits are milliseconds')
    FROM ulid_parse(id) u
    WHERE u.ts >= '2010-01-01 00:00:00+00'::timestamptz AND u.ts <= now + '1 min'::interval
    UNION ALL
    SELECT 4::bigint, 'id128', NULL, i.ts, i.datacenter_id, i.machine_id, NULL, i.sequence,
           15::float8 + idgen_tools_recent(i.ts, now) + CASE WHEN i.machine_id < 1024 AND i.datacenter_id < 32 AND i.sequence < 2048 THEN 20::float8 ELSE 0::float8 END,
           pg_catalog.concat_ws('; ', idgen_tools_age(i.ts, now), 'the first 64 bits are nanoseconds')
    FROM id128_parse(id) i
    WHERE i.ts >= '2010-01-01 00:00:00+00'::timestamptz AND i.ts <= now + '1 min'::interval
    UNION ALL
    SELECT 5::bigint, p.variant, NULL, NULL, NULL, NULL, NULL, NULL, 10::float8, 'all its variant says'
    FROM idgen_parse(id) p WHERE p.variant <> 'rfc9562'
  )
  SELECT (pg_catalog.row_number() OVER (ORDER BY pg_catalog.round(g.score) DESC, g.n))::int, g.guess, g.layout, g.ts,
         g.datacenter_id, g.machine_id, g.shard_id, g.sequence, pg_catalog.round(g.score)::int, g.reasons
  FROM guesses g
  ORDER BY 1;
END;
COMMENT ON FUNCTION idgen_guess(uuid, timestamptz) IS 'what kind of ID a uuid may be, likeliest first, with reasons';

-- A text is read in every form that it can have, and what it says is guessed.
CREATE FUNCTION idgen_guess(id text, now timestamptz DEFAULT pg_catalog.clock_timestamp())
  RETURNS TABLE (
    rank int, form text, guess text, layout idgen_layout, value text, ts timestamptz, datacenter_id int, machine_id int, shard_id int,
    sequence int, score int, reasons text)
  LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 5
BEGIN ATOMIC
  WITH parts AS (
    -- A prefix, as idgen_encode() and TypeIDs have it.
    SELECT pg_catalog.btrim(id) AS text, pg_catalog.regexp_match(pg_catalog.btrim(id), '^([a-z](?:[a-z_]*[a-z])?)_([^_]+)$') AS prefixed
  ), bodies AS (
    SELECT p.text AS body, p.prefixed[1] AS prefix, 0::float8 AS points FROM parts p WHERE p.prefixed IS NULL
    UNION ALL
    SELECT p.prefixed[2], p.prefixed[1], 10::float8 FROM parts p WHERE p.prefixed IS NOT NULL
  ), numbers AS (
    SELECT f.form, idgen_try_decode(b.body, f.form) AS id, f.points + b.points AS points
    FROM bodies b, (VALUES ('decimal', 20::float8), ('base62', 0::float8), ('base32', 0::float8), ('base58', 0::float8), ('hex', 0::float8)) f(form, points)
    -- A hexadecimal number of digits alone is a decimal one, unless it has the width of one.
    WHERE pg_catalog.length(b.body) <= 40
      AND (f.form <> 'hex' OR pg_catalog.length(b.body) = 16 OR pg_catalog.regexp_match(b.body, '^[0-9]+$') IS NULL)
  ), uuids AS (
    SELECT f.form, idgen_try_decode_uuid(b.body, f.form) AS id, f.points + b.points AS points
    FROM bodies b, (VALUES ('base62', 0::float8), ('base32', 0::float8), ('base58', 0::float8), ('hex', 0::float8)) f(form, points)
    WHERE pg_catalog.length(b.body) = ANY (ARRAY[22, 26, 32])
    UNION ALL
    SELECT 'uuid', b.body::uuid, 30::float8 + b.points FROM bodies b
    WHERE pg_catalog.regexp_match(b.body, '^\{?[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}?$') IS NOT NULL
    UNION ALL
    SELECT 'TypeID', typeid_try_decode(p.text), 40::float8 FROM parts p WHERE p.prefixed IS NOT NULL
  ), guesses AS (
    SELECT n.form, g.guess, g.layout, n.id::text AS value, g.ts, g.datacenter_id, g.machine_id, g.shard_id, g.sequence,
           g.score::float8 + n.points AS score, g.reasons, g.rank AS n
    FROM numbers n, idgen_guess(n.id, now) g WHERE n.id IS NOT NULL
    UNION ALL
    SELECT u.form, g.guess, g.layout, u.id::text, g.ts, g.datacenter_id, g.machine_id, g.shard_id, g.sequence,
           g.score::float8 + u.points + CASE WHEN u.form = 'base32' AND g.guess = 'ulid' THEN 40::float8
                                             WHEN u.form = 'TypeID' AND g.guess = 'uuid version 7' THEN 10::float8 ELSE 0::float8 END,
           g.reasons, g.rank
    FROM uuids u, idgen_guess(u.id, now) g WHERE u.id IS NOT NULL
    UNION ALL
    SELECT 'KSUID', 'ksuid', NULL, p.text, k.ts, NULL, NULL, NULL, NULL, 40::float8 + idgen_tools_recent(k.ts, now), idgen_tools_age(k.ts, now), 1
    FROM parts p, ksuid_parse(CASE WHEN pg_catalog.regexp_match(p.text, '^[0-9A-Za-z]{27}$') IS NOT NULL
                                   AND p.text COLLATE pg_catalog."C" <= 'aWgEPTl1tmebfsQzFP4bxwgy80V' COLLATE pg_catalog."C" THEN p.text END) k
    WHERE k.ts <= now + '1 min'::interval
    UNION ALL
    SELECT 'XID', 'xid', NULL, p.text, x.ts, NULL, NULL, NULL, x.counter, 40::float8 + idgen_tools_recent(x.ts, now), idgen_tools_age(x.ts, now), 1
    FROM parts p, xid_parse(CASE WHEN pg_catalog.regexp_match(p.text, '^[0-9a-v]{19}[0g]$') IS NOT NULL THEN p.text END) x
    WHERE x.ts <= now + '1 min'::interval
    UNION ALL
    SELECT 'ObjectId', 'objectid', NULL, p.text, o.ts, NULL, NULL, NULL, o.counter, 40::float8 + idgen_tools_recent(o.ts, now), idgen_tools_age(o.ts, now), 1
    FROM parts p, objectid_parse(CASE WHEN pg_catalog.regexp_match(p.text, '^[0-9A-Fa-f]{24}$') IS NOT NULL THEN p.text END) o
    WHERE o.ts <= now + '1 min'::interval
  )
  SELECT (pg_catalog.row_number() OVER (ORDER BY pg_catalog.round(g.score) DESC, g.form COLLATE pg_catalog."C", g.n))::int,
         g.form, g.guess, g.layout, g.value, g.ts, g.datacenter_id, g.machine_id, g.shard_id, g.sequence,
         pg_catalog.round(g.score)::int, g.reasons
  FROM guesses g
  ORDER BY 1;
END;
COMMENT ON FUNCTION idgen_guess(text, timestamptz) IS
  'the forms in which a text may be an ID, and what ID that is, likeliest first, with reasons';

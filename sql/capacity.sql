-- Whether a layout is enough: against the layouts' own figures, against brute force, and against itself.
SET client_min_messages = warning;
CREATE EXTENSION idgen_tools;
SET client_min_messages = notice;

-- The figures are those of idgen_layouts, for a name and for the description alone.
SELECT idgen_create_layout('capacity_odd', 'timestamp:30, shard:3, sequence:11, machine:4, datacenter:2', tick => '1 h', epoch => '2001-02-03 04:05:06.789Z');
SELECT idgen_create_layout('capacity_fine', 'timestamp:55, sequence:3', tick => '7 us', epoch => '1001-02-03Z');
SELECT count(*) > 15 AS layouts,
       count(*) FILTER (WHERE c.layout <> l.layout) AS name,
       count(*) FILTER (WHERE c.ends <> l.ends) AS ends,
       count(*) FILTER (WHERE c.limit_per_second IS DISTINCT FROM l.ids_per_second) AS rate,
       count(*) FILTER (WHERE c.identities <> l.identities) AS identities,
       count(*) FILTER (WHERE c.tick <> l.tick) AS tick
FROM idgen_layouts l, idgen_capacity(l.value, 1) c;
CREATE TABLE capacity_named AS
SELECT l.value, c.ends, c.limit_per_second, c.identities, c.tick FROM idgen_layouts l, idgen_capacity(l.value, 1) c
WHERE l.layout LIKE 'capacity%';
SELECT idgen_drop_layout('capacity_odd'), idgen_drop_layout('capacity_fine');
SELECT c.layout, (n.ends, n.limit_per_second, n.identities, n.tick) = (c.ends, c.limit_per_second, c.identities, c.tick) AS same
FROM capacity_named n, idgen_capacity(n.value, 1) c ORDER BY 1;
DROP TABLE capacity_named;
-- ends is where the IDs end, and there are ids_per_tick of them.
DO $$
DECLARE
  l record;
  seen int := 0;
BEGIN
  FOR l IN SELECT value, c.ends, c.tick, c.ids_per_tick FROM idgen_layouts, idgen_capacity(value, 1) c LOOP
    ASSERT idgen_timestamp(idgen_max_id(l.ends - l.tick, l.value), l.value) = l.ends - l.tick;
    BEGIN
      PERFORM idgen_compose(l.value, l.ends);
      RAISE EXCEPTION '% has IDs after its end', l.value;
    EXCEPTION WHEN datetime_field_overflow OR invalid_parameter_value THEN
      seen := seen + 1;
    END;
  END LOOP;
  ASSERT seen > 15;
END $$;
SELECT idgen_stat_reset();
SELECT idgen_create_layout('capacity_small', 'timestamp:41, shard:4, sequence:3');
SELECT max(ids) = min(c.ids_per_tick) AS full_tick
FROM (SELECT count(*) AS ids FROM idgen_nextval_batch('capacity_small', 400, 5) id GROUP BY idgen_timestamp(id, 'capacity_small')) t,
     idgen_capacity('capacity_small', 1) c;

-- Many demands against every layout: what fits, by the plain conditions.
CREATE TABLE capacity_demand AS
SELECT rate, servers, years, peak, shards
FROM unnest('{0.01, 3e3, 3e7, 2e9}'::numeric[]) rate, unnest('{1, 32, 33}'::int[]) servers,
     unnest('{0.5, 20, 90}'::numeric[]) years, unnest('{20}'::numeric[]) peak, unnest('{700}'::int[] || NULL::int) shards;
CREATE TABLE capacity_answer AS
SELECT d.*, l.value, c.fits, c.advice, c.instead, c.rate_used, c.identities_used, c.years_used,
       l.generates
       AND d.servers <= l.identities
       AND coalesce(d.shards, 1) <= CASE WHEN l.fields ~ 'shard' THEN l.identities ELSE 1 END
       AND d.rate * d.peak / greatest(d.servers, coalesce(d.shards, 1)) <= 0.9 * l.ids_per_second
       AND l.ends >= now() + d.years * interval '365.25 days' AS expected
FROM capacity_demand d, idgen_layouts l, idgen_tools_capacity(l.value, d.rate, d.servers, d.years, d.peak, NULL, d.shards) c
WHERE l.owner IS NULL;
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE fits) > 100 AS fits, count(*) FILTER (WHERE fits IS DISTINCT FROM expected) AS wrong,
       count(*) FILTER (WHERE fits <> (advice IS NULL)) AS unexplained,
       count(*) FILTER (WHERE fits AND greatest(rate_used, identities_used, years_used) > 100) AS overfull
FROM capacity_answer;
-- The list for NULL: those that fit, and perhaps one made for it. Each fits when asked again.
SET client_min_messages = warning;
CREATE TABLE capacity_list AS
SELECT d.*, c.layout, c.n, c.full FROM capacity_demand d,
  LATERAL (SELECT layout, row_number() OVER () AS n, greatest(rate_used, identities_used, years_used) AS full
           FROM idgen_capacity(NULL, d.rate, d.servers, d.years, d.peak, NULL, d.shards)) c
WHERE d.peak = 20 AND d.years IN (20, 90);
SET client_min_messages = notice;
SELECT count(*) > 50 AS many, count(*) FILTER (WHERE l.layout LIKE 'timestamp%') > 10 AS made,
       count(*) FILTER (WHERE NOT c.fits) AS misfits, count(*) FILTER (WHERE c.instead IS NOT NULL) AS needless,
       count(*) FILTER (WHERE l.layout LIKE 'timestamp%' AND (SELECT sum(m[1]::int) FROM regexp_matches(l.layout, ':(\d+),', 'g') m) > 63) AS wide
FROM capacity_list l, idgen_capacity(l.layout::idgen_layout, rate, servers, years, peak, NULL, shards) c;
SELECT count(*) AS missing FROM capacity_answer a
WHERE fits AND peak = 20 AND years IN (20, 90) AND NOT EXISTS (
  SELECT FROM capacity_list l WHERE (l.rate, l.servers, l.years, l.peak) = (a.rate, a.servers, a.years, a.peak)
    AND l.shards IS NOT DISTINCT FROM a.shards AND l.layout::idgen_layout = a.value);
SELECT count(*) AS out_of_order FROM capacity_list a JOIN capacity_list b ON (a.rate, a.servers, a.years, a.peak, coalesce(a.shards, 0))
  = (b.rate, b.servers, b.years, b.peak, coalesce(b.shards, 0)) AND a.n < b.n AND greatest(a.full, 50) > greatest(b.full, 50);
-- What does not fit is told what does. Where nothing is named, nothing is in the list.
WITH asked AS (
  SELECT a.rate, a.servers, a.years, a.peak, a.shards, c.instead, c.advice
  FROM capacity_answer a, idgen_capacity(a.value, a.rate, a.servers, a.years, a.peak, NULL, a.shards) c
  WHERE NOT a.fits AND a.value IN ('js53', 'instagram') AND a.peak = 20 AND a.years IN (20, 90))
SELECT count(*) > 20 AS many, count(*) FILTER (WHERE instead IS NULL) > 0 AS hopeless,
       count(*) FILTER (WHERE instead IS NOT NULL AND NOT (SELECT fits FROM idgen_capacity(instead::idgen_layout, rate, servers, years, peak, NULL, shards))) AS misfits,
       count(*) FILTER (WHERE (instead IS NULL) <> (advice LIKE '%128 bits%')) AS unsaid,
       count(*) FILTER (WHERE instead IS NULL AND EXISTS (
         SELECT FROM capacity_list l WHERE (l.rate, l.servers, l.years, l.peak, coalesce(l.shards, 0))
           = (asked.rate, asked.servers, asked.years, asked.peak, coalesce(asked.shards, 0)))) AS kept_back
FROM asked;
-- The numbers in an advice are the least that do.
WITH tight AS (
  SELECT a.rate, a.servers, a.peak, (regexp_match(advice, 'use (\d+) ID spaces'))[1]::numeric AS spaces,
         (regexp_match(advice, '(\d+) bits for the sequence'))[1]::int AS bits
  FROM capacity_answer a WHERE value = 'snowflake' AND shards IS NULL AND advice LIKE 'at its peak%' AND years = 0.5)
SELECT count(*) > 1 AS many,
       bool_and(rate * peak / spaces <= 0.9 * 4096000 AND rate * peak / (spaces - 1) > 0.9 * 4096000) AS spaces,
       bool_and(rate * peak / servers <= 900 * 2.0 ^ bits AND rate * peak / servers > 900 * 2.0 ^ (bits - 1)) AS bits
FROM tight;
DROP TABLE capacity_demand, capacity_answer, capacity_list;
-- Datacenters.
SELECT c.layout, c.fits, c.identities_used, c.advice FROM (VALUES (64, 2), (66, 2), (40, 33), (33, 33), (200, 2)) d(servers, datacenters),
  idgen_capacity('snowflake', 1000, servers, 5, datacenters => d.datacenters) c;
SELECT split_part(c.instead, ', epoch', 1) AS instead FROM idgen_capacity('sonyflake', 1e6, 40, 300, peak => 1, datacenters => 7) c;
SELECT fits, advice, instead FROM idgen_capacity('mastodon', 1);
SELECT fits, advice, instead, years_left < -2 AS over, years_used FROM idgen_capacity('uidgenerator', 1, years => 0);
-- Only nine tenths of a tick are planned with, and no bit is left for more.
SELECT split_part(layout, ', epoch', 1) AS layout, rate_used FROM idgen_capacity(NULL, 2097152 * 890.0, 1, 60, 1) WHERE layout <> 'tso';
SELECT split_part(layout, ', epoch', 1) AS layout, rate_used FROM idgen_capacity(NULL, 2097152 * 480.0, 1, 60, 1) WHERE layout <> 'tso';
SELECT fits, advice FROM idgen_capacity('tso', 1, 2);
SELECT fits, advice FROM idgen_capacity('wide', 1, 1, 5, shards => 2);
SELECT fits, right(advice, 70) AS advice, instead FROM idgen_capacity('snowflake', 1e15, 2000000000, 100000);
SELECT count(*) FROM idgen_capacity(NULL, 1e15, 2000000000, 100000);

-- The queue at a tick's end. One ID in a tick: known in closed form.
SELECT bool_and(abs(q.overflow - (1 - (1 - a) * exp(a))) < 1e-9 AND abs(q.waiting * 2 * (1 - a) / (a * a) - 1) < 1e-8) AS closed_form
FROM unnest('{0.01, 0.3, 0.5, 0.9, 0.99}'::float8[]) a, idgen_tools_queue(1, a) q;
-- By brute force: the distribution of those that wait, until it changes no more; and their mean wait.
CREATE FUNCTION pg_temp.queue(c int, a float8, OUT overflow float8, OUT waiting float8, OUT wait float8) LANGUAGE plpgsql AS $$
DECLARE
  most constant int := 60;
  arrive float8[] := ARRAY[exp(-a)];
  q float8[] := array_fill(0::float8, ARRAY[most + 1]);
  fresh float8[];
  part float8[];
  at int;
  s float8;
BEGIN
  FOR n IN 1..40 LOOP arrive := arrive || arrive[n] * a / n; END LOOP;
  q[1] := 1;
  FOR round IN 1..60 LOOP
    fresh := array_fill(0::float8, ARRAY[most + 1]);
    FOR i IN 0..most LOOP
      CONTINUE WHEN q[i + 1] < 1e-13;
      FOR n IN 0..40 LOOP
        at := least(greatest(i + n - c, 0), most) + 1;
        fresh[at] := fresh[at] + q[i + 1] * arrive[n + 1];
      END LOOP;
    END LOOP;
    q := fresh;
  END LOOP;
  overflow := 1 - q[1];
  waiting := (SELECT sum((i - 1) * p) FROM unnest(q) WITH ORDINALITY t(p, i));
  -- Those that wait in the middle of a tick, averaged over 40 moments of it.
  wait := 0;
  FOR m IN 0..39 LOOP
    s := a * (m + 0.5) / 40;
    wait := wait + (SELECT sum(p * greatest(i - 1 + n - c, 0) * exp(-s + n * ln(s) - f)) / 40
      FROM unnest(q) WITH ORDINALITY t(p, i), (SELECT n, sum(ln(greatest(n, 1))) OVER (ORDER BY n) AS f FROM generate_series(0, 30) n) k WHERE p > 1e-13);
  END LOOP;
  wait := wait / a;
END $$;
SELECT c, a, abs(q.overflow - f.overflow) < 1e-7 AS overflow, abs(q.waiting - f.waiting) < 1e-6 AS waiting,
       f.wait <= q.wait * 1.001 AS at_most, f.wait > q.wait / 2 AS not_much_less
FROM (VALUES (2, 1.2::float8), (4, 2.8), (16, 12)) v(c, a), pg_temp.queue(c, a) f, idgen_tools_queue(c, a) q;
SELECT * FROM idgen_tools_queue(4096, 4096);
SELECT * FROM idgen_tools_queue(4096, 100);
SELECT overflow BETWEEN 0.9 AND 1 AS nearly_always, waiting > 100 AS many FROM idgen_tools_queue(4096, 4096 * 0.9989);
SELECT * FROM idgen_tools_queue(4096, 4096 * 0.9999);
-- Waits grow with the load.
SELECT bool_and(overflow >= before AND wait >= shorter) AS grows, max(wait) > 0 AS some
FROM (SELECT overflow, wait, lag(overflow, 1, 0) OVER w AS before, lag(wait, 1, 0) OVER w AS shorter
      FROM generate_series(1, 99) n, idgen_tools_queue(256, 256 * n / 100.0) WINDOW w AS (ORDER BY n)) q;

-- What was measured.
SELECT ids, limit_per_second, rate_used = round(100 * ids_per_second / limit_per_second, 4) AS share, peak_used, full_ticks > 0 AS full,
       wait > 0 AS waited, since <= now() AS past FROM idgen_capacity() WHERE layout = 'capacity_small';
SELECT count(*) AS differ FROM (SELECT kind, machine_id, shard_id, ids FROM idgen_capacity()
  EXCEPT SELECT kind, machine_id, shard_id, ids FROM idgen_stat) d;
SELECT idgen_drop_layout('capacity_small');

-- Mistakes.
\set VERBOSITY terse
SELECT idgen_capacity('snowflake', NULL);
SELECT idgen_capacity('snowflake', 0);
SELECT idgen_capacity('snowflake', -5);
SELECT idgen_capacity('snowflake', 'NaN');
SELECT idgen_capacity('snowflake', 'Infinity');
SELECT idgen_capacity('snowflake', 1, 0);
SELECT idgen_capacity('snowflake', 1, NULL);
SELECT idgen_capacity('snowflake', 1, 1, -1);
SELECT idgen_capacity('snowflake', 1, 1, 'Infinity');
SELECT idgen_capacity('snowflake', 1, 1, 1, 0.5);
SELECT idgen_capacity('snowflake', 1, 3, datacenters => 4);
SELECT idgen_capacity('snowflake', 1, 3, datacenters => 0);
SELECT idgen_capacity('snowflake', 1, 3, shards => 0);
SELECT idgen_capacity('nothing', 1);
SELECT idgen_capacity('snowflake', 1, 3000000000);
\set VERBOSITY default
-- For everybody, and whatever the search_path has.
CREATE ROLE regress_idgen_planner;
CREATE SCHEMA capacity_hostile AUTHORIZATION regress_idgen_planner;
CREATE FUNCTION capacity_hostile.round(numeric, int) RETURNS numeric LANGUAGE sql RETURN 7;
SET ROLE regress_idgen_planner;
SET search_path = capacity_hostile, pg_catalog, public;
SELECT fits, rate_used FROM public.idgen_capacity('snowflake', 4e6, 1, peak => 2);
SELECT count(*) >= 0 AS measured FROM public.idgen_capacity();
RESET search_path;
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA capacity_hostile CASCADE;
DROP ROLE regress_idgen_planner;
DROP EXTENSION idgen_tools;

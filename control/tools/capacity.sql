
-- Capacity: whether a layout is enough, when it ends, what to use instead ------------------------------
-- What is of idgen is called by SQL functions, which are bound when they are created. So idgen may be moved to
-- another schema.

CREATE FUNCTION idgen_tools_layouts() RETURNS TABLE (
    name text, value idgen_layout, fields text, tick numeric, epoch timestamptz, ends timestamptz, generates boolean,
    builtin boolean)
  LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT layout, value, fields, extract(epoch FROM tick), epoch, ends, generates, owner IS NULL
  FROM @extschema@.idgen_layouts;
END;
COMMENT ON FUNCTION idgen_tools_layouts() IS 'idgen_tools: the layouts that have names; tick in seconds';

CREATE FUNCTION idgen_tools_epoch(layout idgen_layout) RETURNS timestamptz
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
  RETURN @extschema@.idgen_timestamp(0::bigint, layout);
COMMENT ON FUNCTION idgen_tools_epoch(idgen_layout) IS 'idgen_tools: the epoch of a layout';

CREATE FUNCTION idgen_tools_to_layout(description text) RETURNS idgen_layout
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
  RETURN description::@extschema@.idgen_layout;
COMMENT ON FUNCTION idgen_tools_to_layout(text) IS 'idgen_tools: the layout that a text describes';

CREATE FUNCTION idgen_tools_stat() RETURNS TABLE (
    kind text, layout idgen_layout, datacenter_id int, machine_id int, shard_id int, ids bigint, used_up_ticks bigint,
    tick_wait_time float8, since timestamptz, last_used timestamptz)
  LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
  SELECT kind, layout, datacenter_id, machine_id, shard_id, ids, used_up_ticks, tick_wait_time,
         greatest(first_used, stats_reset), last_used
  FROM @extschema@.idgen_stat;
END;
COMMENT ON FUNCTION idgen_tools_stat() IS 'idgen_tools: idgen_stat, with the time since which it counts';

-- Checks an argument of a function for people. An argument without an upper limit still has to be finite.
CREATE FUNCTION idgen_tools_check_number(value numeric, name text, smallest numeric, largest numeric, hint text)
  RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF value IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = format('%s must not be null', name);
  END IF;
  -- NaN is greater than every number.
  IF value < smallest OR value > largest THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('%s must be between %s and %s, not %s', name, smallest, largest, value),
      HINT = hint;
  END IF;
END $$;
COMMENT ON FUNCTION idgen_tools_check_number(numeric, text, numeric, numeric, text) IS
  'idgen_tools: an error if an argument is NULL or out of range';

-- The queue at one ID space. Each tick has `ids_per_tick` IDs, and those that nobody takes are lost. Requests for one ID
-- come at random (Poisson), `arrivals` in a tick on average; those beyond the tick's IDs wait for the next tick. With
-- Q the number that wait when a tick ends, Q' = max(Q + arrivals - ids_per_tick, 0). Its distribution is that of the
-- maximum of a random walk, of which Spitzer's identity gives the cumulants as sums over n of E[f((S_n - n c)+)] / n.
-- Here each sum is an integral around a circle,
--   ln P(Q = 0) = 1/2pi int ln(1 - w) / (v - 1) dt,     v = r e^(it),  w = e^(a (v - 1)) v^(-c),
--   E[Q] = -1/2pi int ln(1 - w) v / (v - 1)^2 dt,       Var[Q] = -1/2pi int ln(1 - w) v (v + 1) / (v - 1)^3 dt,
-- through the saddle point r = c/a, where the trapezoidal rule converges exponentially.
--   overflow  the share of ticks at whose end somebody waits: 1 - P(Q = 0)
--   waiting   how many wait then, on average over all ticks: E[Q]
--   wait      the mean wait of an ID in ticks, at most. (What waits within a tick adds up to
--             (E[Q (Q-1)] - E[(Q-c)+ ((Q-c)+ - 1)]) / 2a; each ID waits at most from its arrival to E[Q]'s. The smaller
--             of the two bounds that follow: E[Q (Q-1)] / 2a^2 and E[Q] / a.)
-- Values below 1e-12 are 0. NULL: above 99.9 % of the limit there are too many points.
CREATE FUNCTION idgen_tools_queue(ids_per_tick float8, arrivals float8, OUT overflow float8, OUT waiting float8, OUT wait float8)
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c constant float8 := ids_per_tick;
  load constant float8 := arrivals / ids_per_tick;
  depth float8;
  points bigint;
  step float8;
  log_empty float8;
  variance float8;
  tiny constant float8 := 1e-12;
BEGIN
  IF load >= 1 THEN
    overflow := 1;
    waiting := 'infinity';
    wait := 'infinity';
    RETURN;
  END IF;
  IF load > 0.999 THEN
    RETURN;
  END IF;
  overflow := 0;
  waiting := 0;
  wait := 0;
  IF load < 1e-9 THEN
    RETURN;
  END IF;
  depth := c * (1 - load + ln(load));
  IF depth < -50 THEN
    RETURN;
  END IF;
  points := 50 + ceil(48 / -ln(load))::bigint;
  step := pi() / points;
  -- OFFSET 0 keeps the planner from computing each value anew wherever it is used.
  SELECT sum(log_re * b_re - log_im * b_im),
         -sum(log_re * (b_re + b2_re) - log_im * (b_im + b2_im)),
         -sum(log_re * (b_re + 3 * b2_re + 2 * b3_re) - log_im * (b_im + 3 * b2_im + 2 * b3_im))
  INTO log_empty, waiting, variance
  FROM (
    SELECT *, b2_re * b_re - b2_im * b_im AS b3_re, b2_re * b_im + b2_im * b_re AS b3_im
    FROM (
      -- b = 1 / (v - 1), and the logarithm of 1 - w.
      SELECT b_re, b_im, b_re * b_re - b_im * b_im AS b2_re, 2 * b_re * b_im AS b2_im,
             ln(1 - 2 * size * cos(angle) + size * size) / 2 AS log_re,
             atan2(-size * sin(angle), 1 - size * cos(angle)) AS log_im
      FROM (
        SELECT (cos(t) / load - 1) / (power(cos(t) / load - 1, 2) + power(sin(t) / load, 2)) AS b_re,
               -(sin(t) / load) / (power(cos(t) / load - 1, 2) + power(sin(t) / load, 2)) AS b_im,
               exp(depth - 2 * c * power(sin(t / 2), 2)) AS size, c * (sin(t) - t) AS angle
        FROM (SELECT (n + 0.5) * step AS t FROM generate_series(0, points - 1) n) at
        -- Beyond, w is nothing.
        WHERE 2 * c * power(sin(t / 2), 2) < 50
        OFFSET 0
      ) w
      OFFSET 0
    ) l
    OFFSET 0
  ) g;
  -- The other half of the circle is the mirror image.
  log_empty := coalesce(log_empty, 0) / points;
  waiting := coalesce(waiting, 0) / points;
  variance := coalesce(variance, 0) / points;
  overflow := 1 - exp(log_empty);
  IF overflow < tiny OR waiting < tiny THEN
    overflow := 0;
    waiting := 0;
    RETURN;
  END IF;
  wait := least(waiting / arrivals, greatest(variance + waiting * waiting - waiting, 0) / (2 * arrivals * arrivals));
END $$;
COMMENT ON FUNCTION idgen_tools_queue(float8, float8) IS
  'idgen_tools: how often the IDs of a tick are used up, how many requests wait then, and for how many ticks at most';

-- Returns the bits that so many values need.
CREATE FUNCTION idgen_tools_bits(count numeric) RETURNS int
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  bits int := 0;
  values numeric := 1;
BEGIN
  WHILE values < count LOOP
    bits := bits + 1;
    values := values * 2;
  END LOOP;
  RETURN bits;
END $$;
COMMENT ON FUNCTION idgen_tools_bits(numeric) IS 'idgen_tools: how many bits so many values need';

CREATE TYPE idgen_capacity_row AS (
  layout text, fits boolean, advice text, instead text,
  ids_per_tick bigint, tick interval, spaces bigint, limit_per_second numeric, total_per_second numeric,
  peak_per_second numeric, rate_used numeric,
  identities bigint, identities_used numeric, ends timestamptz, years_left numeric, years_used numeric,
  overflow_mean float8, wait_mean float8, overflow_peak float8, wait_peak float8);
COMMENT ON TYPE idgen_capacity_row IS 'idgen_tools: a row of idgen_capacity()';

-- One layout against the demand, without the column instead. Times are UTC's; a year has 365.25 days.
CREATE FUNCTION idgen_tools_capacity(
    layout idgen_layout, rate_per_second numeric, servers int, years numeric, peak numeric, datacenters int, shards int)
  RETURNS idgen_capacity_row
  LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  year constant numeric := 31557600;
  -- The part of the limit that may be planned with: docs/performance.md, "Large machines and many servers".
  planned constant numeric := 0.9;
  r @extschema@.idgen_capacity_row;
  named record;
  description constant text := layout::text;
  fields text;
  tick_s numeric;
  epoch timestamptz;
  generates boolean;
  datacenter_values numeric := 1;
  machine_values numeric := 1;
  shard_values numeric := 1;
  has_datacenter boolean := false;
  has_shard boolean := false;
  has_server boolean := false;
  timestamp_bits int;
  sequence_bits int := 0;
  field record;
  servers_here numeric;
  life_s numeric;
  ends_s numeric;
  now_s numeric;
  years_left numeric;
  needed numeric;
  problems text[] := '{}';
BEGIN
  SELECT * INTO named FROM @extschema@.idgen_tools_layouts() l WHERE l.value::text = description ORDER BY l.builtin DESC LIMIT 1;
  r.layout := coalesce(named.name, description);
  fields := coalesce(named.fields, split_part(description, ', tick:', 1));
  tick_s := coalesce(named.tick, extract(epoch FROM substring(description FROM 'tick:(\w+)')::interval));
  epoch := @extschema@.idgen_tools_epoch(layout);
  generates := fields ~ 'sequence:' AND fields !~ 'tail:';
  FOR field IN SELECT m[1] AS name, m[2]::int AS bits FROM regexp_matches(fields, '(\w+):(\d+)', 'g') m LOOP
    CASE field.name
      WHEN 'timestamp' THEN timestamp_bits := field.bits;
      WHEN 'sequence' THEN sequence_bits := field.bits;
      WHEN 'datacenter' THEN
        datacenter_values := 1::bigint << field.bits;
        has_datacenter := true;
        has_server := true;
      WHEN 'machine' THEN
        machine_values := 1::bigint << field.bits;
        has_server := true;
      WHEN 'shard' THEN
        shard_values := 1::bigint << field.bits;
        has_shard := true;
      ELSE NULL;
    END CASE;
  END LOOP;
  r.ids_per_tick := CASE WHEN generates THEN 1::bigint << sequence_bits END;
  r.tick := make_interval(secs => tick_s::float8);

  -- Identities. Without a machine or datacenter in the IDs, a server is told by its shards.
  servers_here := CASE WHEN has_server THEN datacenter_values * machine_values ELSE shard_values END;
  r.identities := datacenter_values * machine_values * shard_values;
  r.spaces := greatest(servers, coalesce(shards, 1));
  r.identities_used := 100::numeric * servers / servers_here;
  IF has_server AND servers > servers_here THEN
    problems := problems || format('%s servers need an identity each, and datacenter and machine have %s values together',
                                   servers, servers_here);
  ELSIF has_shard AND servers > servers_here THEN
    problems := problems || format('%s servers need a shard each, and there are %s', servers, servers_here);
  ELSIF servers > servers_here THEN
    problems := problems || format('%s servers, and nothing in the IDs tells them apart', servers);
  ELSIF datacenters > 1 AND has_datacenter THEN
    needed := ceil(servers::numeric / datacenters);
    r.identities_used := greatest(r.identities_used, 100::numeric * datacenters / datacenter_values, 100 * needed / machine_values);
    IF datacenters > datacenter_values THEN
      problems := problems || format('%s datacenters, and the field datacenter has %s values', datacenters, datacenter_values);
    END IF;
    IF needed > machine_values THEN
      problems := problems || format('%s servers in a datacenter, and the field machine has %s values', needed, machine_values);
    END IF;
  END IF;
  IF shards > 1 AND NOT has_shard THEN
    problems := problems || format('%s shards, and there is no field shard', shards);
  ELSIF has_shard AND shards IS NOT NULL THEN
    r.identities_used := greatest(r.identities_used, 100::numeric * shards / shard_values);
    IF shards > shard_values THEN
      problems := problems || format('%s shards, and the field shard has %s values', shards, shard_values);
    END IF;
  END IF;
  r.identities_used := round(r.identities_used, 2);

  -- The rate.
  r.peak_per_second := trim_scale(round(rate_per_second / r.spaces * peak, 3));
  IF NOT generates THEN
    problems := problems || 'IDs of this layout can be read and not made'::text;
  ELSE
    r.limit_per_second := trim_scale(round(r.ids_per_tick / tick_s, 3));
    r.total_per_second := trim_scale(round(r.spaces::numeric * r.ids_per_tick / tick_s, 3));
    needed := rate_per_second / r.spaces * peak * tick_s / r.ids_per_tick;
    r.rate_used := round(100 * needed, 2);
    IF needed > planned THEN
      problems := problems || format(
        'at its peak an ID space makes %s IDs in a tick of %s, and %s can be planned with: use %s ID spaces (servers or '
        'shards), or %s bits for the sequence',
        trim_scale(round(needed * r.ids_per_tick, 2)), substring(r.tick::text FROM '^(?:00:)*0?(.*)$') || ' s',
        trim_scale(round(planned * r.ids_per_tick, 1)), ceil(rate_per_second * peak * tick_s / (planned * r.ids_per_tick)),
        @extschema@.idgen_tools_bits(needed * r.ids_per_tick / planned));
    END IF;
    SELECT q.overflow, q.wait * tick_s::float8 * 1000 INTO r.overflow_mean, r.wait_mean
    FROM @extschema@.idgen_tools_queue(r.ids_per_tick::float8, (rate_per_second / r.spaces * tick_s)::float8) q;
    SELECT q.overflow, q.wait * tick_s::float8 * 1000 INTO r.overflow_peak, r.wait_peak
    FROM @extschema@.idgen_tools_queue(r.ids_per_tick::float8, (rate_per_second / r.spaces * peak * tick_s)::float8) q;
  END IF;

  -- Time. The last tick is one that PostgreSQL can hold; the instant after it may not be.
  now_s := extract(epoch FROM clock_timestamp());
  life_s := power(2::numeric, timestamp_bits) * tick_s;
  ends_s := extract(epoch FROM epoch) + life_s;
  r.ends := CASE WHEN greatest(ends_s, life_s) < 9.2e12 THEN epoch + (life_s || ' s')::interval ELSE 'infinity' END;
  years_left := (ends_s - now_s) / year;
  r.years_left := round(years_left, 2);
  r.years_used := CASE WHEN years_left > 0 THEN round(100 * years / years_left, 2) END;
  IF years_left <= 0 THEN
    problems := problems || format('its time is over since %s', to_char(r.ends AT TIME ZONE 'UTC', 'YYYY-MM-DD'));
  ELSIF years_left < years THEN
    problems := problems || format('it ends on %s, in %s years: only more bits for the timestamp, a longer tick or a later '
                                   'epoch change that', to_char(r.ends AT TIME ZONE 'UTC', 'YYYY-MM-DD'), round(years_left, 1));
  END IF;
  r.fits := cardinality(problems) = 0;
  r.advice := nullif(array_to_string(problems, '; '), '');
  RETURN r;
END $$;
COMMENT ON FUNCTION idgen_tools_capacity(idgen_layout, numeric, int, numeric, numeric, int, int) IS
  'idgen_tools: one layout against a demand';

-- Returns the description of a layout that is made for the demand; NULL if 63 bits do not suffice.
CREATE FUNCTION idgen_tools_propose(
    rate_per_second numeric, servers int, years numeric, peak numeric, datacenters int, shards int)
  RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  year constant numeric := 31557600;
  now constant timestamp := clock_timestamp() AT TIME ZONE 'UTC';
  epoch constant timestamp := date_trunc('year', now);
  -- A little more than wanted, since time goes on.
  life constant numeric := extract(epoch FROM now - epoch) + years * year + 86400;
  spaces constant numeric := greatest(servers, coalesce(shards, 1));
  datacenter_bits constant int := CASE WHEN datacenters > 1 AND shards IS NULL THEN @extschema@.idgen_tools_bits(datacenters::numeric) ELSE 0 END;
  machine_bits int := CASE WHEN shards IS NOT NULL THEN 0
                           WHEN datacenters > 1 THEN @extschema@.idgen_tools_bits(ceil(servers::numeric / datacenters))
                           ELSE @extschema@.idgen_tools_bits(servers::numeric) END;
  shard_bits int := CASE WHEN shards IS NOT NULL THEN greatest(@extschema@.idgen_tools_bits(spaces::numeric), 1) ELSE 0 END;
  sequence_bits int;
  timestamp_bits int;
  spare int;
  tick_s numeric;
BEGIN
  -- A longer tick helps where a millisecond has less than one ID.
  FOREACH tick_s IN ARRAY ARRAY[0.001, 0.01, 0.1, 1] LOOP
    sequence_bits := greatest(@extschema@.idgen_tools_bits(rate_per_second / spaces * peak * tick_s / 0.9), 1);
    timestamp_bits := @extschema@.idgen_tools_bits(life / tick_s);
    spare := 63 - timestamp_bits - datacenter_bits - machine_bits - shard_bits - sequence_bits;
    EXIT WHEN spare >= 0 AND sequence_bits <= 31;
  END LOOP;
  IF spare < 0 OR sequence_bits > 31 THEN
    RETURN NULL;
  END IF;
  -- What is left: twice the servers or shards, twice the years or sixty, and the rest for bursts.
  IF spare > 0 AND machine_bits BETWEEN 1 AND 30 THEN
    machine_bits := machine_bits + 1;
    spare := spare - 1;
  ELSIF spare > 0 AND shard_bits BETWEEN 1 AND 30 THEN
    shard_bits := shard_bits + 1;
    spare := spare - 1;
  END IF;
  WHILE spare > 0 AND power(2::numeric, timestamp_bits) * tick_s < greatest(2 * life, 60 * year) LOOP
    timestamp_bits := timestamp_bits + 1;
    spare := spare - 1;
  END LOOP;
  sequence_bits := least(sequence_bits + spare, 20 + greatest(sequence_bits - 20, 0));
  RETURN format('timestamp:%s', timestamp_bits)
    || CASE WHEN datacenter_bits > 0 THEN format(', datacenter:%s', datacenter_bits) ELSE '' END
    || CASE WHEN machine_bits > 0 THEN format(', machine:%s', machine_bits) ELSE '' END
    || CASE WHEN shard_bits > 0 THEN format(', shard:%s', shard_bits) ELSE '' END
    || format(', sequence:%s, tick:%sms, epoch:%sZ', sequence_bits, round(tick_s * 1000), to_char(epoch, 'YYYY-MM-DD'));
END $$;
COMMENT ON FUNCTION idgen_tools_propose(numeric, int, numeric, numeric, int, int) IS
  'idgen_tools: a layout made for a demand, as a description';

-- The layout given; for NULL every built-in layout that fits, and one made for the demand. Those that are at most half
-- full come first, in the order of idgen_layouts, the default before all; then the others, the least full first.
CREATE FUNCTION idgen_capacity(
    layout idgen_layout, rate_per_second numeric, servers int DEFAULT 1, years numeric DEFAULT 10,
    peak numeric DEFAULT 10, datacenters int DEFAULT NULL, shards int DEFAULT NULL)
  RETURNS SETOF idgen_capacity_row
  LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED ROWS 1
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  r @extschema@.idgen_capacity_row;
  fitting @extschema@.idgen_capacity_row[];
  proposal text;
BEGIN
  PERFORM @extschema@.idgen_tools_check_number(rate_per_second, 'rate_per_second', 0.000001, 1e15,
    'It is the number of IDs that all servers make together in a second, on average.');
  PERFORM @extschema@.idgen_tools_check_number(servers::numeric, 'servers', 1::numeric, 2147483647::numeric, 'Each has an identity of its own.');
  PERFORM @extschema@.idgen_tools_check_number(years, 'years', 0::numeric, 100000::numeric, 'They are counted from now on.');
  PERFORM @extschema@.idgen_tools_check_number(peak, 'peak', 1::numeric, 1e6,
    'It is how many times the average rate the busiest seconds have. 1: the rate is always the same.');
  IF datacenters IS NOT NULL THEN
    PERFORM @extschema@.idgen_tools_check_number(datacenters::numeric, 'datacenters', 1::numeric, servers::numeric, 'There is at least one server in each.');
  END IF;
  IF shards IS NOT NULL THEN
    PERFORM @extschema@.idgen_tools_check_number(shards::numeric, 'shards', 1::numeric, 2147483647::numeric, 'Each has an identity of its own.');
  END IF;
  IF layout IS NOT NULL THEN
    r := @extschema@.idgen_tools_capacity(layout, rate_per_second, servers, years, peak, datacenters, shards);
    IF r.fits THEN
      RETURN NEXT r;
      RETURN;
    END IF;
  END IF;

  proposal := @extschema@.idgen_tools_propose(rate_per_second, servers, years, peak, datacenters, shards);
  fitting := ARRAY(
    SELECT c
    FROM (SELECT l.name, l.value, row_number() OVER () AS n FROM @extschema@.idgen_tools_layouts() l WHERE l.builtin
          UNION ALL
          SELECT proposal, @extschema@.idgen_tools_to_layout(proposal), 1000 WHERE proposal IS NOT NULL) l,
         @extschema@.idgen_tools_capacity(l.value, rate_per_second, servers, years, peak, datacenters, shards) c
    WHERE c.fits
    ORDER BY greatest(c.rate_used, c.identities_used, c.years_used, 50), l.n);
  IF layout IS NULL THEN
    RETURN QUERY SELECT * FROM unnest(fitting);
    IF NOT FOUND THEN
      RAISE NOTICE USING
        MESSAGE = 'no layout of 63 bits fits',
        HINT = 'IDs of 128 bits have no such limits: uuidv7_nextval().';
    END IF;
    RETURN;
  END IF;
  r.instead := (fitting[1]).layout;
  r.advice := r.advice || CASE WHEN r.instead IS NULL
    THEN '; no layout of 63 bits fits: use IDs of 128 bits, uuidv7_nextval()' ELSE '' END;
  RETURN NEXT r;
END $$;
COMMENT ON FUNCTION idgen_capacity(idgen_layout, numeric, int, numeric, numeric, int, int) IS
  'whether a layout is enough for a rate, servers and years, how full it is, when it ends, and what to use instead';

-- The same from what was measured on this server.
CREATE FUNCTION idgen_capacity() RETURNS TABLE (
    kind text, layout text, datacenter_id int, machine_id int, shard_id int,
    ids bigint, since timestamptz, ids_per_second numeric, limit_per_second numeric, rate_used numeric,
    full_ticks numeric, peak_used numeric, wait float8, ends timestamptz, years_left numeric)
  LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED
  SET search_path = pg_catalog, pg_temp
AS $$
  -- Rates count up to now, idle time included.
  #variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT s.kind, c.layout, s.datacenter_id, s.machine_id, s.shard_id, s.ids, s.since,
         round(s.ids / s.seconds, 3), c.limit_per_second, round(100 * s.ids / s.seconds / c.limit_per_second, 4),
         round(100 * s.used_up_ticks * extract(epoch FROM c.tick) / s.seconds, 4),
         CASE WHEN s.used_up_ticks > 0 THEN 100.0 END,
         s.tick_wait_time / nullif(s.ids, 0), c.ends, c.years_left
  FROM (SELECT *, nullif(greatest(extract(epoch FROM clock_timestamp() - since), 0), 0) AS seconds
        FROM @extschema@.idgen_tools_stat()) s,
       @extschema@.idgen_tools_capacity(s.layout, 1::numeric, 1, 0::numeric, 1::numeric, NULL::int, NULL::int) c
  WHERE s.kind <> 'uuid'
  ORDER BY 10 DESC NULLS LAST, 2, 3, 4, 5;
END $$;
COMMENT ON FUNCTION idgen_capacity() IS
  'how much of its layout each ID space of this server uses, from the statistics, and when the layout ends';

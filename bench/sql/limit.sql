-- For bench/sql/clients: what one session, of several at once, got and spent.
\set QUIET on
CREATE TABLE bench.spent (cpu_ns float8, first text, last text);

-- Nanoseconds of CPU time of this backend, in user and kernel mode. Linux says it exactly, or else
-- in hundredths of a second.
CREATE FUNCTION bench.cpu_ns() RETURNS float8 LANGUAGE sql AS $$
  SELECT coalesce(
    split_part(pg_read_file('/proc/self/schedstat', 0, 1000, true), ' ', 1)::float8,
    (SELECT (f[12]::float8 + f[13]::float8) * 1e7
     FROM regexp_split_to_array(regexp_replace(pg_read_file('/proc/self/stat', 0, 1000), '^.*\) ', ''), ' ') f))
$$;

CREATE FUNCTION bench.spend(subject text, ids int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  call text := (SELECT s.call FROM bench.subject s WHERE s.name = subject);
  cpu float8 := bench.cpu_ns();
  first text;
  last text;
BEGIN
  EXECUTE CASE
    WHEN call LIKE '%\%s%' THEN format('SELECT min(id), max(id) FROM ' || call || ' id', ids)
    ELSE format('SELECT min(id), max(id) FROM (SELECT %s AS id FROM generate_series(1, %s) OFFSET 0) i', call, ids)
  END INTO first, last;
  INSERT INTO bench.spent VALUES (bench.cpu_ns() - cpu, first, last);
END $$;

-- The share of the snowflake layout's 4,096 IDs a millisecond, by the IDs themselves, which say
-- what milliseconds they span; and CPU time for an ID.
CREATE FUNCTION bench.limit_reached(ids float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT ids / (4096 * (max(last::bigint >> 22) - min(first::bigint >> 22) + 1)) FROM bench.spent
$$;
CREATE FUNCTION bench.limit_cpu(ids float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT sum(cpu_ns) / ids FROM bench.spent
$$;

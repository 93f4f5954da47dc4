-- CREATE TABLE AS over a scan that is worth workers: an expensive filter over many rows, one in
-- sixteen of which gets an ID. The settings of the planner are PostgreSQL's defaults. The plans go
-- to standard output. psql variables: rows, rounds.
\set QUIET on
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 2;
CREATE TABLE bench.big AS SELECT i AS value, repeat('x', 40) AS filler FROM generate_series(1, :rows) i;
VACUUM ANALYZE bench.big;

CREATE FUNCTION pg_temp.statement(call text) RETURNS text LANGUAGE sql AS $$
  SELECT format('CREATE TABLE bench.copy AS SELECT %s AS id, value FROM bench.big '
                'WHERE get_byte(sha256((value || filler)::bytea), 0) %% 16 = 0', call)
$$;

CREATE PROCEDURE pg_temp.measure(rounds int) LANGUAGE plpgsql AS $$
DECLARE
  s bench.subject;
  began timestamptz;
BEGIN
  FOR round IN 0..rounds LOOP  -- the first is for warming up
    FOR s IN SELECT * FROM bench.subjects('parallel') LOOP
      began := clock_timestamp();
      EXECUTE pg_temp.statement(s.call);
      COMMIT;
      IF round > 0 THEN
        INSERT INTO bench.result (part, subject, x, round, value)
        VALUES ('parallel', s.name, '-', round, extract(epoch FROM clock_timestamp() - began) * 1e3);
      END IF;
      DROP TABLE bench.copy;
      COMMIT;
    END LOOP;
  END LOOP;
END $$;
CALL pg_temp.measure(:rounds);

CREATE FUNCTION pg_temp.plans() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  s bench.subject;
BEGIN
  FOR s IN SELECT * FROM bench.subjects('parallel') LOOP
    RETURN NEXT pg_temp.statement(s.call) || ';';
    RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || pg_temp.statement(s.call);
    RETURN NEXT '';
  END LOOP;
END $$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.plans();

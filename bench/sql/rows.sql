-- Many rows into an empty table by one statement, the key by its default: INSERT ... SELECT, and
-- COPY from a file. A checkpoint before each. psql variables: rows, rounds, directory (the server
-- writes the files there).
\set QUIET on
SET client_min_messages = warning;
\set values :directory /values
\set keys :directory /keys
COPY (SELECT i FROM generate_series(1, :rows) i) TO :'values';
COPY (SELECT 900000000000000000 + i, i FROM generate_series(1, :rows) i) TO :'keys';

CREATE PROCEDURE pg_temp.measure(rows int, rounds int, value_file text, key_file text) LANGUAGE plpgsql AS $$
DECLARE
  s bench.subject;
  way text;
  statement text;
  began timestamptz;
BEGIN
  FOR round IN 0..rounds LOOP  -- the first is for warming up
    FOREACH way IN ARRAY ARRAY['INSERT ... SELECT', 'COPY'] LOOP
      FOR s IN SELECT * FROM bench.subjects('rows') LOOP
        CALL bench.new_table(s.n);
        COMMIT;
        CHECKPOINT;
        statement := CASE
          WHEN way = 'COPY' AND s.key = '' THEN format('COPY bench.rows FROM %L', key_file)
          WHEN way = 'COPY' THEN format('COPY bench.rows (value) FROM %L', value_file)
          WHEN s.key = '' THEN
            format('INSERT INTO bench.rows SELECT 900000000000000000 + i, i FROM generate_series(1, %s) i', rows)
          ELSE format('INSERT INTO bench.rows (value) SELECT i FROM generate_series(1, %s) i', rows)
        END;
        began := clock_timestamp();
        EXECUTE statement;
        COMMIT;
        IF round > 0 THEN
          INSERT INTO bench.result (part, subject, x, round, value)
          VALUES ('rows', s.name, way, round, extract(epoch FROM clock_timestamp() - began) * 1e3);
        END IF;
      END LOOP;
    END LOOP;
  END LOOP;
  DROP TABLE bench.rows;
END $$;
CALL pg_temp.measure(:rows, :rounds, :'values', :'keys');

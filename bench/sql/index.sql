-- What a key costs while its table grows: rows in transactions of 10,000, ten checkpoints on the
-- way, full_page_writes on, shared_buffers smaller than the index on random keys. Size of the
-- key's index, the write-ahead log of table and index, pages of the index that were found in
-- shared buffers and that were not, time. psql variables: rows, rounds.
\set QUIET on
SET client_min_messages = warning;
CREATE TABLE bench.growth (wal pg_lsn, seconds float8);

CREATE PROCEDURE pg_temp.grow(subject_n int, rows int) LANGUAGE plpgsql AS $$
DECLARE
  batch constant int := 10000;
  began timestamptz;
BEGIN
  CALL bench.new_table(subject_n);
  TRUNCATE bench.growth;
  COMMIT;
  CHECKPOINT;
  INSERT INTO bench.growth VALUES (pg_current_wal_insert_lsn());
  began := clock_timestamp();
  FOR i IN 1..rows / batch LOOP
    INSERT INTO bench.rows (value) SELECT generate_series(1, batch);
    COMMIT;
    IF i % greatest(rows / batch / 10, 1) = 0 THEN
      CHECKPOINT;
    END IF;
  END LOOP;
  UPDATE bench.growth SET seconds = extract(epoch FROM clock_timestamp() - began);
  PERFORM pg_stat_force_next_flush();
END $$;

-- In a statement of its own: the server counts a session's pages when a statement is over.
CREATE PROCEDURE pg_temp.note(subject_n int, round int) LANGUAGE sql AS $$
  INSERT INTO bench.result (part, subject, x, round, value)
  SELECT 'index', s.name, v.x, round, v.value
  FROM bench.subject s, bench.growth, pg_statio_user_indexes i, LATERAL (VALUES
    ('index, MB', pg_relation_size(indexrelid) / 1e6),
    ('log, MB', (pg_current_wal_insert_lsn() - wal) / 1e6),
    ('pages found in buffers, million', idx_blks_hit / 1e6),
    ('pages not found, million', idx_blks_read / 1e6),
    ('seconds', seconds)) v(x, value)
  WHERE s.n = subject_n AND i.relid = to_regclass('bench.rows')
$$;

SELECT format('CALL pg_temp.grow(%s, %s)', n, :rows), format('CALL pg_temp.note(%s, %s)', n, round)
FROM generate_series(1, :rounds) round, bench.subjects('index') ORDER BY round, n \gexec
DROP TABLE bench.rows;

-- Shards: IDs of a logical shard, the shard of a key, and moving from N to N + 1.

-- The shard is in the ID, and each shard has a position of its own.
SELECT instagram_shard(instagram_nextval(0)) AS first, instagram_shard(instagram_nextval(8191)) AS last;
SELECT count(*) AS ids, count(DISTINCT id) AS different, count(DISTINCT instagram_shard(id)) AS shards,
       count(*) FILTER (WHERE instagram_shard(id) <> shard) AS misplaced
FROM (SELECT i % 8192 AS shard, instagram_nextval(i % 8192) AS id FROM generate_series(1, 40000) i) made;
SELECT count(*) AS steps_back FROM (
  SELECT id, lag(id) OVER (PARTITION BY shard ORDER BY i) AS before
  FROM (SELECT i, i % 7 AS shard, instagram_nextval(i % 7) AS id FROM generate_series(1, 20000) i OFFSET 0) made) pairs
WHERE id <= before;
SELECT instagram_shard(instagram_nextval(9)) = 9 AND instagram_shard(idgen_currval('instagram')) = 9 AS current;

\c -
-- From the setting: of the session, a transaction, a function, a role, a database.
SELECT instagram_nextval();
SET idgen.shard_id = 12;
SELECT instagram_shard(instagram_nextval()), instagram_shard(idgen_nextval('instagram')), instagram_shard(instagram_nextval(13));
BEGIN;
SET LOCAL idgen.shard_id = 14;
SELECT instagram_shard(instagram_nextval());
COMMIT;
SELECT instagram_shard(instagram_nextval());
CREATE FUNCTION on_shard_15() RETURNS bigint LANGUAGE sql SET idgen.shard_id = 15 AS 'SELECT instagram_nextval()';
SELECT instagram_shard(on_shard_15()), instagram_shard(instagram_nextval());
DROP FUNCTION on_shard_15;
SELECT count(*) FILTER (WHERE instagram_shard(id) <> 12) AS misplaced FROM idgen_nextval_batch('instagram', 3000) id;
SELECT instagram_shard(idgen_reserve('instagram', 100));
-- Calls that name a shard, many of them, and calls that do not, in one session.
SELECT count(*) FILTER (WHERE instagram_shard(named) <> i % 8192) AS misplaced,
       count(*) FILTER (WHERE instagram_shard(unnamed) <> 12) AS misplaced_too, count(DISTINCT unnamed) AS different
FROM (SELECT i, instagram_nextval(i % 8192) AS named, instagram_nextval() AS unnamed FROM generate_series(1, 9000) i) made;
SET idgen.shard_id = -1;
SELECT instagram_nextval();
SET idgen.shard_id = 9000;
SELECT instagram_nextval();
SELECT instagram_shard(instagram_nextval(16)) AS named;
RESET idgen.shard_id;
SELECT current_database() AS db \gset
ALTER ROLE CURRENT_USER IN DATABASE :"db" SET idgen.shard_id = 21;
ALTER DATABASE :"db" SET idgen.shard_id = 22;
\c -
SELECT instagram_shard(instagram_nextval());
SET idgen.shard_id = 23;
SELECT instagram_shard(instagram_nextval());
ALTER ROLE CURRENT_USER IN DATABASE :"db" RESET idgen.shard_id;
\c -
SELECT instagram_shard(instagram_nextval());
ALTER DATABASE :"db" SET idgen.shard_id = -1;
\c -

-- Observed: the shard in the ID is the one that is moved.
SELECT instagram_nextval(1) AS one, instagram_nextval(2) AS two \gset
SELECT idgen_observe('instagram', idgen_compose('instagram', clock_timestamp() + '500 ms', shard_id => 1, sequence => 9)) AS seen \gset
SELECT instagram_shard(:seen) AS shard, instagram_nextval(1) > :seen AS beyond,
       instagram_timestamp(instagram_nextval(2)) < instagram_timestamp(:seen) + '1 min' AS other_goes_on;

-- A layout of machine and shard: every server may write to every shard.
SELECT idgen_create_layout('both', 'timestamp:41, shard:10, machine:3, sequence:9');
SET idgen.machine_id = 5;
SELECT machine_id, shard_id FROM generate_series(1020, 1023) s, idgen_parse(idgen_nextval('both', s), 'both');
SET idgen.machine_id = 6;
SELECT machine_id, shard_id FROM generate_series(1020, 1023) s, idgen_parse(idgen_nextval('both', s), 'both');
SELECT count(DISTINCT (machine_id, shard_id)) AS spaces, count(DISTINCT id) AS ids
FROM (SELECT set_config('idgen.machine_id', (i % 3)::text, true) AS set, idgen_nextval('both', i % 100) AS id
      FROM generate_series(1, 3000) i OFFSET 0) made, idgen_parse(id, 'both');
SET idgen.machine_id = 1;
SELECT machine_id, shard_id, count(*) AS ids
FROM (SELECT idgen_nextval('both', i % 2) AS id FROM generate_series(1, 100) i OFFSET 0) made, idgen_parse(id, 'both')
GROUP BY 1, 2 ORDER BY 1, 2;
RESET idgen.machine_id;
SELECT idgen_nextval('both', 1024);
SELECT idgen_drop_layout('both');

-- No ID of a time that was over before the call, whatever was set in between: a shard that was
-- not used for a while begins at now.
SELECT idgen_create_layout('many', 'timestamp:41, shard:8, sequence:12');
CREATE FUNCTION late_ids() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  before timestamptz;
  late int := 0;
BEGIN
  FOR round IN 1..60 LOOP
    PERFORM set_config('idgen.block_size', (1 + round % 3)::text, true);
    FOR shard IN 1..4 LOOP
      FOR n IN 1..3 LOOP
        before := clock_timestamp();
        late := late + (idgen_timestamp(idgen_nextval('many', (round + shard) % 5), 'many') < before - interval '1.5 ms')::int;
      END LOOP;
    END LOOP;
    PERFORM pg_sleep(0.003);
  END LOOP;
  RETURN late;
END $$;
SELECT late_ids();
DROP FUNCTION late_ids;
RESET idgen.block_size;
SELECT idgen_drop_layout('many');

-- The shard of a key, by jump consistent hash. These values never change: they say where
-- rows are.
SELECT key, idgen_shard(key, 1) AS of_1, idgen_shard(key, 2) AS of_2, idgen_shard(key, 10) AS of_10,
       idgen_shard(key, 1000) AS of_1000, idgen_shard(key, 8192) AS of_8192, idgen_shard(key, 2147483647) AS of_most
FROM (VALUES (''), ('a'), ('1'), ('2'), ('customer:42'), ('Zoe'), ('01890a5d-ac96-774b-bcce-b302099a8057')) v(key);
-- From N to N + 1 shards a key stays or goes to the new shard, and 1/(N + 1) of them go.
SELECT n, count(*) FILTER (WHERE after <> before) AS moved,
       count(*) FILTER (WHERE after <> before AND after <> n) AS moved_elsewhere,
       round(count(*) FILTER (WHERE after <> before) * (n + 1) / 100000.0, 1) AS of_what_was_due
FROM (VALUES (1), (2), (7), (31)) v(n), generate_series(1, 100000) k,
     LATERAL (SELECT idgen_shard(k::text, n) AS before, idgen_shard(k::text, n + 1) AS after) s
GROUP BY n ORDER BY n;
-- Every shard gets its part.
SELECT count(*) AS shards, min(keys) > 850 AND max(keys) < 1150 AS even
FROM (SELECT idgen_shard('user ' || k, 100) AS shard, count(*) AS keys FROM generate_series(1, 100000) k GROUP BY 1) s;
SELECT count(*) FILTER (WHERE instagram_shard(instagram_nextval_for(k::text, 8192)) <> idgen_shard(k::text, 8192)) AS misplaced
FROM generate_series(1, 20000) k;

-- Bad input.
SELECT instagram_nextval(8192);
SELECT instagram_nextval(-1);
SELECT instagram_nextval(-2147483648);
SELECT instagram_nextval_for('key', 0);
SELECT instagram_nextval_for('key', 8193);
SELECT idgen_shard('key', 0);
SELECT idgen_shard('key', -5);
SELECT idgen_nextval('instagram', 9999);
SELECT * FROM idgen_nextval_batch('instagram', 5, 8192);
SELECT * FROM idgen_nextval_batch('tso', 5, 0);
SELECT instagram_nextval(NULL) IS NULL AND instagram_nextval_for(NULL, 5) IS NULL AND idgen_shard('key', NULL) IS NULL
   AND idgen_nextval('instagram', NULL) IS NULL AS all_null;
SELECT instagram_shard(-1);

-- Reading.
SELECT * FROM instagram_parse(idgen_compose('instagram', '2026-01-01Z', shard_id => 1341, sequence => 77)) p(ts, ms, datacenter, machine, shard, sequence) \gset
SELECT :'ts' = '2026-01-01Z'::timestamptz AS ts, :ms AS ms, :shard AS shard, :sequence AS sequence;
SELECT instagram_min_id(instagram_timestamp(id)) <= id AND id <= instagram_max_id(instagram_timestamp(id)) AS between,
       instagram_sequence(id) AS sequence
FROM (SELECT idgen_compose('instagram', '2026-01-01Z', shard_id => 8191, sequence => 1023) AS id) i;

-- Blocks of many shards at once: a session's IDs of one shard increase, whether its calls name the
-- shard or leave it to the setting.
SET idgen.block_size = 8;
SET idgen.shard_id = 3;
CREATE TEMP TABLE made AS
  SELECT i, CASE i % 3 WHEN 0 THEN instagram_nextval() ELSE instagram_nextval(i * 7919 % 64) END AS id
  FROM generate_series(1, 6000) i;
SELECT count(DISTINCT id) AS ids, count(DISTINCT shard) AS shards, count(*) FILTER (WHERE id <= before) AS unordered
FROM (SELECT id, shard, lag(id) OVER (PARTITION BY shard ORDER BY i) AS before
      FROM (SELECT i, id, instagram_shard(id) AS shard FROM made) made) made;
DROP TABLE made;
RESET idgen.shard_id;
RESET idgen.block_size;

-- IDs of 128 bits: UUIDs, ULIDs and the ID of the case study.

-- Made --------------------------------------------------------------------------------------

-- Of each kind in a loop, as rows and as an array: none twice, and each greater than the one before.
CREATE TABLE made (kind text, how text, at bigint, id uuid);
DO $$
DECLARE
  kind text;
BEGIN
  FOREACH kind IN ARRAY '{uuidv7,uuidv8,uuidv6,ulid,id128,uuidv1,uuidv4}'::text[] LOOP
    EXECUTE format('INSERT INTO made SELECT %L, ''one'', n, %I() FROM generate_series(1, 3000) n',
                   kind, kind || '_nextval');
    EXECUTE format('INSERT INTO made SELECT %L, ''rows'', n, id FROM %I(3000) WITH ORDINALITY AS b (id, n)',
                   kind, kind || '_nextval_batch');
    EXECUTE format('INSERT INTO made SELECT %L, ''array'', n, id FROM unnest(%I(3000)) WITH ORDINALITY AS b (id, n)',
                   kind, kind || '_nextval_array');
  END LOOP;
END $$;
SELECT kind, how, count(id), count(DISTINCT id) AS different,
       bool_and(id > before) FILTER (WHERE kind NOT IN ('uuidv1', 'uuidv4')) AS increasing,
       bool_and(CASE kind WHEN 'uuidv1' THEN uuidv1_timestamp(id) >= uuidv1_timestamp(before) END) AS later
FROM (SELECT *, lag(id) OVER (PARTITION BY kind, how ORDER BY at) AS before FROM made) m
GROUP BY kind, how ORDER BY kind, how;
-- What came later is greater; how an ID was made does not matter. None is of two kinds.
SELECT kind, max(id::text) FILTER (WHERE how = 'one') < min(id::text) FILTER (WHERE how = 'rows') AS rows_greater,
       max(id::text) FILTER (WHERE how = 'rows') < min(id::text) FILTER (WHERE how = 'array') AS array_greater
FROM made WHERE kind NOT IN ('uuidv1', 'uuidv4') GROUP BY kind ORDER BY kind;
SELECT count(*) = count(DISTINCT id) AS all_different FROM made;

-- Versions and variants.
SELECT DISTINCT kind, (idgen_parse(id)).version, (idgen_parse(id)).variant
FROM made WHERE kind LIKE 'uuid%' ORDER BY kind;

-- Version 4 has a random number in every bit that is not the version or the variant.
SELECT bit FROM generate_series(0, 127) bit, made WHERE kind = 'uuidv4'
GROUP BY bit HAVING count(DISTINCT get_bit(uuid_send(id), bit)) < 2 ORDER BY bit;
-- Version 7 and ULIDs end with random bits.
SELECT kind, count(*) FILTER (WHERE bits = 1) AS constant_bits
FROM (SELECT kind, bit, count(DISTINCT get_bit(uuid_send(id), bit)) AS bits
      FROM generate_series(77, 127) n, LATERAL (SELECT n / 8 * 8 + 7 - n % 8 AS bit) b, made
      WHERE kind IN ('uuidv7', 'ulid') GROUP BY kind, bit) b
GROUP BY kind ORDER BY kind;

-- The time in an ID is the clock's, and late by the age of a reading at most.
CREATE TABLE looked AS
  SELECT clock_timestamp() AS before, uuidv7_nextval() AS v7, uuidv8_nextval() AS v8,
         uuidv6_nextval() AS v6, uuidv1_nextval() AS v1, ulid_nextval() AS ulid,
         id128_nextval() AS id128, clock_timestamp() AS after;
SELECT before - interval '1.008 ms' < uuidv7_timestamp(v7) AND uuidv7_timestamp(v7) <= after AS v7,
       before - interval '1.008 ms' < uuidv8_timestamp(v8) AND uuidv8_timestamp(v8) <= after AS v8,
       before - interval '1.008 ms' < ulid_timestamp(ulid) AND ulid_timestamp(ulid) <= after AS ulid,
       before <= uuidv6_timestamp(v6) AND uuidv6_timestamp(v6) <= after AS v6,
       before <= uuidv1_timestamp(v1) AND uuidv1_timestamp(v1) <= after AS v1,
       before - interval '8 us' <= id128_timestamp(id128) AND id128_timestamp(id128) <= after AS id128
FROM looked;
SELECT uuidv7_timestamp(v7) + (uuidv7_parse(v7)).microsecond * interval '1 us'
         BETWEEN before - interval '8 us' AND after AS to_8_microseconds
FROM looked;

-- As a default, the order of the keys is that of the rows.
CREATE TABLE events (id uuid PRIMARY KEY DEFAULT uuidv7_nextval(), n int);
INSERT INTO events (n) SELECT generate_series(1, 1000);
INSERT INTO events (n) VALUES (1001);
SELECT count(*), bool_and(n = position) AS in_order
FROM (SELECT n, row_number() OVER (ORDER BY id) AS position FROM events) e;
SELECT count(*) FROM events WHERE id >= uuidv7_min_id(now() - interval '1 hour') AND id <= uuidv7_max_id(clock_timestamp());
SELECT count(*) FROM events WHERE id < uuidv7_min_id(now() - interval '1 day');

-- In parallel workers, and in a read-only transaction.
BEGIN READ ONLY;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT count(id) FROM
  (SELECT uuidv7_nextval() AS id FROM made UNION ALL SELECT ulid_nextval() FROM made
   UNION ALL SELECT uuidv4_nextval() FROM made) i;
SELECT count(DISTINCT id) = count(*) AS different FROM
  (SELECT uuidv7_nextval() AS id FROM made UNION ALL SELECT ulid_nextval() FROM made
   UNION ALL SELECT uuidv4_nextval() FROM made) i;
COMMIT;

-- The last one of the session.
SELECT uuidv7_nextval() AS id \gset
SELECT uuidv7_currval() = :'id' AS v7;
SELECT max(id::text)::uuid = uuidv7_currval() AS of_a_batch FROM uuidv7_nextval_batch(10) id;
SELECT (uuidv7_nextval_array(10))[10] = uuidv7_currval() AS of_an_array;
SELECT uuidv7_nextval('1 day') = uuidv7_currval() AS of_a_shift;
SELECT ulid_nextval() = ulid_currval() AS ulid, uuidv8_nextval() = uuidv8_currval() AS v8,
       uuidv6_nextval() = uuidv6_currval() AS v6, uuidv1_nextval() = uuidv1_currval() AS v1,
       id128_nextval() = id128_currval() AS id128;
DISCARD ALL;
SELECT uuidv7_currval();
SELECT ulid_currval();

-- Moved in time, as PostgreSQL 18's uuidv7() does it.
SELECT uuidv7_timestamp(uuidv7_nextval('-1 year')) BETWEEN now() - interval '1 year 1 min' AND now() - interval '1 year -1 min' AS a_year_ago,
       uuidv7_timestamp(uuidv7_nextval('0')) >= now() - interval '1 ms' AS now,
       (idgen_parse(uuidv7_nextval('3 days'))).version;
SELECT uuidv7_nextval('-100 years');
SELECT uuidv7_nextval('9000 years');
SELECT uuidv7_nextval(NULL) IS NULL AS null;

-- The count of a batch.
SELECT count(*) FROM uuidv7_nextval_batch(0);
SELECT ulid_nextval_array(-1);
SELECT uuidv4_nextval_array(10000001);

-- Who made it -------------------------------------------------------------------------------

SET idgen.datacenter_id = 255;
SET idgen.machine_id = 65535;
SELECT datacenter_id, machine_id FROM uuidv8_parse(uuidv8_nextval());
SELECT node, datacenter_id, machine_id FROM id128_parse(id128_nextval());
SELECT count(DISTINCT (uuidv8_parse(id)).machine_id) FROM uuidv8_nextval_batch(100) id;
SET idgen.machine_id = 65536;
SELECT uuidv8_nextval();
SELECT id128_nextval();
SELECT uuidv7_nextval() IS NOT NULL AS has_no_machine;
SET idgen.datacenter_id = 256;
SET idgen.machine_id = 1;
SELECT uuidv8_nextval();
SET idgen.datacenter_id = 2;
-- The node of versions 1 and 6 is random: a node with the multicast bit, which no card has. It is
-- the same in every session until the server starts again.
SELECT get_bit(uuid_send(id), 80) AS multicast, (uuidv6_parse(id)).node <> macaddr '01:00:00:02:00:01' AS random
FROM uuidv6_nextval() id;
SELECT (uuidv6_parse(uuidv6_nextval())).node AS node, (uuidv6_parse(uuidv6_nextval())).clock_sequence AS clock_sequence \gset
\c -
SELECT (uuidv6_parse(uuidv6_nextval())).node = :'node' AS same_node,
       (uuidv1_parse(uuidv1_nextval())).node = :'node' AS of_version_1,
       (uuidv6_parse(uuidv6_nextval())).clock_sequence = :clock_sequence AS same_sequence;
SET idgen.datacenter_id = 2;
SET idgen.machine_id = 1;
SET idgen.uuid_node = identity;
SELECT (uuidv6_parse(uuidv6_nextval())).node AS v6, (uuidv1_parse(uuidv1_nextval())).node AS v1;
-- IDs of one run of positions have the node with which it was taken, whatever is set meanwhile.
RESET idgen.uuid_node;
BEGIN;
DECLARE run CURSOR FOR SELECT uuidv6_nextval_batch(2) AS id;
FETCH run \gset first_
SET LOCAL idgen.uuid_node = identity;
SELECT (uuidv6_parse(uuidv6_nextval())).node AS others;
FETCH run \gset second_
SELECT (uuidv6_parse(:'second_id')).node = (uuidv6_parse(:'first_id')).node AS same_node;
COMMIT;
SET idgen.uuid_node = cpu;
RESET idgen.uuid_node;
SELECT (uuidv6_parse(uuidv6_nextval())).node = :'node' AS random_again;
RESET idgen.datacenter_id;
RESET idgen.machine_id;

-- Read --------------------------------------------------------------------------------------

-- The examples of RFC 9562 and of the ULID specification.
SELECT p.* FROM (VALUES
  (1, uuid 'C232AB00-9414-11EC-B3C8-9F6BDECED846'), (2, '1EC9414C-232A-6B00-B3C8-9F6BDECED846'),
  (3, '017F22E2-79B0-7CC3-98C4-DC0C0C07398F'), (4, '2489E9AD-2EE2-8E00-8EC9-32D5F69181C0'),
  (5, '919108f7-52d1-4320-9bac-f847db4148a8'), (6, '5df41881-3aed-3515-88a7-2f4a814cf09e'),
  (7, '00000000-0000-0000-0000-000000000000'), (8, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
  (9, '017F22E2-79B0-7CC3-18C4-DC0C0C07398F'), (10, '017F22E2-79B0-7CC3-D8C4-DC0C0C07398F'),
  (11, '017F22E2-79B0-7CC3-F8C4-DC0C0C07398F')) v (n, id), idgen_parse(id) p ORDER BY n;
SELECT idgen_timestamp(uuid 'C232AB00-9414-11EC-B3C8-9F6BDECED846') AS v1,
       idgen_timestamp(uuid '1EC9414C-232A-6B00-B3C8-9F6BDECED846') AS v6,
       idgen_timestamp(uuid '017F22E2-79B0-7CC3-98C4-DC0C0C07398F') AS v7;
SELECT * FROM uuidv1_parse('C232AB00-9414-11EC-B3C8-9F6BDECED846');
SELECT * FROM uuidv6_parse('1EC9414C-232A-6B00-B3C8-9F6BDECED846');
SELECT * FROM uuidv7_parse('017F22E2-79B0-7CC3-98C4-DC0C0C07398F');
SELECT * FROM ulid_parse('01563df3-6481-d676-4c61-efb99302bd5b');
SELECT * FROM id128_parse('17d0a10a-5d5c-2e9b-ffff-ffffffff0007');
SELECT * FROM id128_parse('17d0a10a-5d5c-2e9b-0000-00ff000a0007');
-- The first and the last instants.
SELECT uuidv1_timestamp('00000000-0000-1000-8000-000000000000'),
       uuidv6_timestamp('ffffffff-ffff-6fff-bfff-ffffffffffff'),
       uuidv7_timestamp('ffffffff-ffff-7fff-bfff-ffffffffffff'),
       id128_timestamp('ffffffff-ffff-ffff-ffff-ffffffffffff');

-- What does not say when it was made, or is of another version.
SELECT idgen_timestamp(uuid '919108f7-52d1-4320-9bac-f847db4148a8');
SELECT idgen_timestamp(uuid '2489E9AD-2EE2-8E00-8EC9-32D5F69181C0');
SELECT idgen_timestamp(uuid '00000000-0000-0000-0000-000000000000');
SELECT uuidv7_timestamp('919108f7-52d1-4320-9bac-f847db4148a8');
SELECT uuidv7_parse('1EC9414C-232A-6B00-B3C8-9F6BDECED846');
SELECT uuidv6_timestamp('017F22E2-79B0-7CC3-98C4-DC0C0C07398F');
SELECT uuidv1_parse('ffffffff-ffff-ffff-ffff-ffffffffffff');
SELECT uuidv8_parse(idgen_to_uuid(5));

-- Ranges.
SELECT uuidv7_min_id('2026-01-01 00:00:00.0015Z') AS v7_min, uuidv7_max_id('2026-01-01 00:00:00.0015Z') AS v7_max;
SELECT uuidv8_min_id('2026-01-01 00:00:00Z') AS v8_min, uuidv8_max_id('2026-01-01 00:00:00Z') AS v8_max;
SELECT ulid_min_id('2026-01-01 00:00:00Z') AS ulid_min, ulid_max_id('2026-01-01 00:00:00Z') AS ulid_max;
SELECT uuidv6_min_id('2026-01-01 00:00:00Z') AS v6_min, uuidv6_max_id('2026-01-01 00:00:00Z') AS v6_max;
SELECT id128_min_id('2026-01-01 00:00:00Z') AS id128_min, id128_max_id('2026-01-01 00:00:00Z') AS id128_max;
SELECT bool_and(CASE kind
         WHEN 'uuidv7' THEN id BETWEEN uuidv7_min_id(uuidv7_timestamp(id)) AND uuidv7_max_id(uuidv7_timestamp(id))
         WHEN 'uuidv8' THEN id BETWEEN uuidv8_min_id(uuidv8_timestamp(id)) AND uuidv8_max_id(uuidv8_timestamp(id))
         WHEN 'uuidv6' THEN id BETWEEN uuidv6_min_id(uuidv6_timestamp(id)) AND uuidv6_max_id(uuidv6_timestamp(id))
         WHEN 'ulid' THEN id BETWEEN ulid_min_id(ulid_timestamp(id)) AND ulid_max_id(ulid_timestamp(id))
         WHEN 'id128' THEN id BETWEEN id128_min_id(id128_timestamp(id)) AND id128_max_id(id128_timestamp(id))
       END) AS within FROM made;
SELECT uuidv7_min_id('1969-12-31 23:59:59Z');
SELECT ulid_max_id('infinity');
SELECT id128_min_id('2600-01-01');
SELECT uuidv6_min_id('1582-10-14');

-- A 64-bit ID in a UUID.
SELECT idgen_to_uuid(0) AS first, idgen_to_uuid(9223372036854775807) AS last;
SELECT bool_and(idgen_from_uuid(idgen_to_uuid(id)) = id) AS same,
       bool_and(idgen_to_uuid(id) > before) AS ordered
FROM (SELECT id, lag(idgen_to_uuid(id)) OVER (ORDER BY id) AS before
      FROM unnest(snowflake_nextval_array(2000)) id) i;
SELECT idgen_to_uuid(-1);
SELECT idgen_from_uuid(uuidv8_min_id('2026-01-01Z'));

DROP TABLE made, looked, events;

-- Reading IDs. Expected values computed by hand from the constants in the documentation:
-- id = (unix_ms - 1577836800000) << 22 | datacenter << 17 | machine << 12 | sequence, with
-- the shifts before the ors.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

SELECT * FROM snowflake_parse(0);
SELECT * FROM snowflake_parse(1);
SELECT * FROM snowflake_parse(4095);
SELECT * FROM snowflake_parse(4096);
SELECT * FROM snowflake_parse(1 << 17);
SELECT * FROM snowflake_parse((1::bigint << 22));
SELECT * FROM snowflake_parse(9223372036854775807);
\x on
SELECT * FROM snowflake_parse(((1795392000123 - 1577836800000) << 22) | (21 << 17) | (10 << 12) | 1234);
\x off
SELECT snowflake_timestamp(id), snowflake_datacenter(id), snowflake_machine(id), snowflake_sequence(id)
FROM (VALUES (((1795392000123 - 1577836800000) << 22) | (21 << 17) | (10 << 12) | 1234)) v(id);

-- Fields out, fields in: every bit of an ID is in one field.
SELECT count(*) AS ids,
       count(*) FILTER (WHERE id <> (((unix_ms - 1577836800000) << 22) | (datacenter_id::bigint << 17)
                                     | (machine_id << 12) | sequence)) AS differ
FROM (SELECT (random() * 9223372036854774784)::bigint AS id FROM generate_series(1, 10000)) i,
     snowflake_parse(id);

-- The smallest and the largest ID of a millisecond.
SELECT snowflake_min_id('2020-01-01Z') AS first, snowflake_max_id('2020-01-01Z') AS last_of_first_ms,
       snowflake_max_id('2089-09-06 15:47:35.551Z') AS last;
SELECT snowflake_min_id('2026-01-01Z') = (1767225600000 - 1577836800000) << 22 AS min,
       snowflake_max_id('2026-01-01Z') = ((1767225600001 - 1577836800000) << 22) - 1 AS max;
-- An instant inside a millisecond counts as that millisecond.
SELECT snowflake_min_id('2026-01-01 00:00:00.000999Z') = snowflake_min_id('2026-01-01Z') AS same;
SELECT count(*) FILTER (WHERE snowflake_timestamp(snowflake_min_id(ts)) <> ts
                        OR snowflake_timestamp(snowflake_max_id(ts)) <> ts) AS differ
FROM generate_series('2020-01-01Z'::timestamptz, '2089-09-06Z', '100 days 00:00:00.001') ts;

-- IMMUTABLE: an expression index, a generated column, a partition bound.
CREATE TABLE orders (
  id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
  made_at timestamptz GENERATED ALWAYS AS (snowflake_timestamp(id)) STORED);
CREATE INDEX ON orders (snowflake_machine(id));
INSERT INTO orders SELECT FROM generate_series(1, 1000);
SELECT bool_and(made_at = snowflake_timestamp(id)) AS generated FROM orders;
CREATE TABLE events (id bigint NOT NULL DEFAULT snowflake_nextval(), what text) PARTITION BY RANGE (id);
CREATE TABLE events_2025 PARTITION OF events
  FOR VALUES FROM (snowflake_min_id('2025-01-01Z')) TO (snowflake_min_id('2026-01-01Z'));
CREATE TABLE events_later PARTITION OF events
  FOR VALUES FROM (snowflake_min_id('2026-01-01Z')) TO (MAXVALUE);
INSERT INTO events (what) VALUES ('now');
INSERT INTO events VALUES (snowflake_min_id('2025-06-01Z'), 'then');
SELECT tableoid::regclass AS partition, what FROM events ORDER BY what;
EXPLAIN (COSTS OFF) SELECT * FROM events WHERE id < snowflake_min_id('2025-07-01Z');

-- A time range on the key uses the key's index.
INSERT INTO orders (id)
SELECT snowflake_min_id('2025-01-01Z'::timestamptz + i * interval '1 min') FROM generate_series(0, 20000) i;
VACUUM ANALYZE orders;
EXPLAIN (COSTS OFF)
SELECT count(*) FROM orders
WHERE id BETWEEN snowflake_min_id('2025-01-02Z') AND snowflake_max_id('2025-01-02 00:59:59.999Z');
SELECT count(*) FROM orders
WHERE id BETWEEN snowflake_min_id('2025-01-02Z') AND snowflake_max_id('2025-01-02 00:59:59.999Z');
EXPLAIN (COSTS OFF)
SELECT count(*) FROM orders WHERE id >= snowflake_min_id('2025-01-14Z') AND id < snowflake_min_id('2025-01-14 01:00Z');
SELECT count(*) FROM orders WHERE id >= snowflake_min_id('2025-01-14Z') AND id < snowflake_min_id('2025-01-14 01:00Z');

-- NULL in, NULL out.
SELECT snowflake_timestamp(NULL) IS NULL AND snowflake_datacenter(NULL) IS NULL
   AND snowflake_machine(NULL) IS NULL AND snowflake_sequence(NULL) IS NULL
   AND snowflake_min_id(NULL) IS NULL AND snowflake_max_id(NULL) IS NULL AS all_null;
SELECT * FROM snowflake_parse(NULL);

-- Bad input.
\set VERBOSITY sqlstate
SELECT snowflake_parse(-1);
SELECT snowflake_min_id('2019-12-31Z');
SELECT snowflake_min_id('infinity');
\set VERBOSITY default
SELECT snowflake_parse(-1);
SELECT snowflake_timestamp(-1);
SELECT snowflake_datacenter(-9223372036854775808);
SELECT snowflake_machine(-5);
SELECT snowflake_sequence(-5);
SELECT snowflake_min_id('2019-12-31 23:59:59.999Z');
SELECT snowflake_max_id('2089-09-06 15:47:35.552Z');
SELECT snowflake_min_id('infinity');
SELECT snowflake_max_id('-infinity');
SELECT snowflake_min_id('4714-11-24 00:00:00 BC');
SELECT snowflake_min_id('294276-12-31 23:59:59.999999Z');

DROP TABLE orders, events;

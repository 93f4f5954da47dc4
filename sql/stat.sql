-- What is counted. Other tests use other ID spaces: this one has layouts of its own.
SET client_min_messages = warning;
SELECT idgen_stat_reset();
SELECT idgen_create_layout('counted', 'timestamp:41, machine:6, sequence:16', epoch => '2021-03-04Z');
SELECT idgen_create_layout('sharded', 'timestamp:40, shard:10, sequence:13', epoch => '2021-03-04Z');
SET idgen.shard_id = 5;
CREATE VIEW public.counted AS
  SELECT sum(ids) AS ids, sum(batches) AS batches FROM idgen_stat
  WHERE layout = 'counted'::idgen_layout OR layout = 'sharded'::idgen_layout;

-- Every ID that a call returns is counted: singly, of shards in turn, in rows, in arrays, reserved.
SELECT count(idgen_nextval('counted')) FROM generate_series(1, 1000);
SELECT count(idgen_nextval('sharded')) FROM generate_series(1, 10);
SELECT count(idgen_nextval('sharded', i % 64)) FROM generate_series(1, 1000) i;
SELECT count(*) FROM idgen_nextval_batch('counted', 500);
SELECT count(*) FROM idgen_nextval_batch('sharded', 100, 7);
SELECT cardinality(idgen_nextval_array('counted', 200)), cardinality(idgen_nextval_array('sharded', 300, 8));
SELECT idgen_reserve('counted', 40) > 0 AS reserved;
TABLE counted;
SELECT shard_id, ids, batches FROM idgen_stat WHERE layout = 'sharded'::idgen_layout AND shard_id IN (4, 5, 7, 8)
ORDER BY shard_id;

-- Those of a batch that nobody fetches are not, nor those of a call that fails.
SELECT count(*) FROM (SELECT idgen_nextval_batch('counted', 1000) LIMIT 3) b;
SELECT count(a), count(b) FROM (SELECT idgen_nextval_batch('sharded', 10, 1) AS a, idgen_nextval_batch('sharded', 7, 2) AS b) r;
SELECT idgen_nextval_array('counted', 0);
TABLE counted;

-- What is rolled back was made all the same, and DISCARD forgets no count.
BEGIN;
SELECT count(idgen_nextval('counted')) FROM generate_series(1, 5);
SAVEPOINT s;
SELECT count(idgen_nextval('counted')) FROM generate_series(1, 6);
ROLLBACK TO s;
SELECT ids FROM counted;
ROLLBACK;
BEGIN;
SELECT idgen_nextval('counted') > 0 AS made;
SELECT 1 / 0;
COMMIT;
SELECT idgen_nextval('counted') > 0 AS made;
DISCARD ALL;
SET client_min_messages = warning;
SELECT ids FROM counted;

-- What is left of a block is not made.
SET idgen.block_size = 64;
SELECT count(idgen_nextval('counted')) FROM generate_series(1, 70);
SELECT count(idgen_nextval('sharded', i % 3)) FROM generate_series(1, 30) i;
SET idgen.block_size = 1;
SELECT count(idgen_nextval('sharded', i % 3)) FROM generate_series(1, 10) i;
SELECT ids FROM counted;

-- The session's identity changes: another ID space, or (no machine ID) none.
SELECT idgen_create_generator('counted7', 'counted', machine_id => 7);
SELECT count(idgen_nextval('counted7')) FROM generate_series(1, 9);
SELECT machine_id, ids FROM idgen_stat WHERE layout = 'counted'::idgen_layout AND machine_id = 7;
SELECT idgen_alter_generator('counted7', machine_id => 8);
SELECT count(idgen_nextval('counted7')) FROM generate_series(1, 4);
SELECT machine_id, ids FROM idgen_stat WHERE layout = 'counted'::idgen_layout AND machine_id IN (7, 8) ORDER BY 1;

-- Parallel workers count as well.
CREATE TABLE public.counted_rows AS SELECT i FROM generate_series(1, 20000) i;
ANALYZE counted_rows;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT count(idgen_nextval('counted7')) FROM counted_rows;
SELECT count(id), count(DISTINCT id) FROM (SELECT idgen_nextval('counted7') AS id FROM counted_rows) r;
RESET max_parallel_workers_per_gather;
SELECT ids FROM idgen_stat WHERE layout = 'counted'::idgen_layout AND machine_id = 8;

-- The other kinds, against what there was before.
CREATE TEMP TABLE before AS SELECT kind, layout, datacenter_id, machine_id, ids, batches FROM idgen_stat;
SELECT count(uuidv7_nextval()), count(ulid_nextval()), count(uuidv4_nextval()), count(hlc_now()) FROM generate_series(1, 3);
SELECT count(*), cardinality(uuidv7_nextval_array(5)) FROM uuidv7_nextval_batch(20);
SELECT count(*) FROM (SELECT uuidv7_nextval_batch(20) LIMIT 2) b;
SELECT uuidv7_nextval('1000000 years');
SELECT hlc_observe(hlc_now()) > 0 AS observed;
SELECT kind, layout, s.ids - coalesce(b.ids, 0) AS ids, s.batches - coalesce(b.batches, 0) AS batches
FROM idgen_stat s LEFT JOIN before b USING (kind, layout) WHERE kind <> 'id' AND s.ids > coalesce(b.ids, 0) ORDER BY 1, 2;

-- Waits: an ID space of 4 IDs in 20 ms.
SELECT idgen_create_layout('slow', 'timestamp:41, sequence:2', tick => '20 ms', epoch => '2021-03-04Z');
SELECT cardinality(idgen_nextval_array('slow', 40));
SELECT ids, batches, tick_waits BETWEEN 2 AND 10 AS waited, tick_wait_time BETWEEN 20 AND 60000 AS for_long,
       used_up_ticks BETWEEN 2 AND 10 AS used_up, clock_waits, clock_wait_time, largest_lead, clock_errors
FROM idgen_stat WHERE layout = 'slow'::idgen_layout;

-- An ID that is refused, and a layout without time. (Leads are in test/t/027_stat.pl: they would hold up
-- other tests.)
\set VERBOSITY sqlstate
SELECT idgen_observe('slow', idgen_max_id(clock_timestamp() + '1 h', 'slow'));
SELECT ids, clock_errors, held_errors, end_errors, observe_errors FROM idgen_stat WHERE layout = 'slow'::idgen_layout;
SELECT idgen_create_layout('over', 'timestamp:30, sequence:10', epoch => '2021-03-04Z');
SELECT idgen_nextval('over');
SELECT ids, end_errors, last_id, last_id_at, first_used, last_used FROM idgen_stat WHERE layout = 'over'::idgen_layout;

-- The last ID and its time; when the space was used.
\set VERBOSITY default
SELECT idgen_nextval('counted') AS id \gset
SELECT last_id = :id AS is_last, last_id_at = idgen_timestamp(:id, 'counted') AS is_its_time,
       first_used < last_used AS was_used_before, last_used > clock_timestamp() - interval '1 min' AS lately
FROM idgen_stat WHERE layout = 'counted'::idgen_layout AND machine_id = 0;

-- Databases, and the server. (Tests before may have left the mark so far ahead that none is written.)
SELECT datname = current_database() AS this_one, mark > now() AS is_ahead, ahead BETWEEN -60000 AND 60000 AS by_little,
       replication_time
FROM idgen_stat_database WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database());
SELECT clock_steps >= 0 AS steps, abs(clock_shift) < 60000 AS shift, spaces = (SELECT count(*) FROM idgen_stat) AS spaces,
       databases >= 1 AS databases, coalesce(memory, 1) > 0 AS memory, lease_state, lease_until, lease_worker
FROM idgen_stat_server;

-- Who sees what, and who may reset.
CREATE ROLE regress_idgen_reader;
CREATE ROLE regress_idgen_monitor IN ROLE pg_monitor;
SET ROLE regress_idgen_reader;
SELECT ids > 0 AS counts, last_id, last_id_at IS NOT NULL AS has_time FROM idgen_stat
WHERE layout = 'counted'::idgen_layout AND machine_id = 0;
SELECT count(*) FROM idgen_stat_server;
SELECT count(*) > 0 AS some FROM idgen_stat_database;
SELECT idgen_stat_reset();
SET ROLE regress_idgen_monitor;
SELECT last_id IS NOT NULL AS sees_id FROM idgen_stat WHERE layout = 'counted'::idgen_layout AND machine_id = 0;
SELECT idgen_stat_reset();
RESET ROLE;
GRANT EXECUTE ON FUNCTION idgen_stat_reset() TO regress_idgen_monitor;
SELECT idgen_nextval('counted') > 0 AS made;
SET ROLE regress_idgen_monitor;
SELECT idgen_stat_reset();
RESET ROLE;
SELECT ids, batches, tick_waits, tick_wait_time, used_up_ticks, clock_waits, largest_lead, clock_errors, end_errors, observe_errors,
       stats_reset > now() - interval '1 min' AS reset, first_used IS NOT NULL AS used
FROM idgen_stat WHERE layout IN ('slow'::idgen_layout, 'over'::idgen_layout) ORDER BY layout;
SELECT idgen_nextval('counted') > 0 AS made;
TABLE counted;
SELECT clock_steps, largest_step, last_step, last_step_at, step_errors, lease_renewals, lease_failures, stats_reset IS NOT NULL AS reset
FROM idgen_stat_server;

-- Everything at once: for an ordinary role what it may see, and no error.
SELECT idgen_diagnostics() AS d \gset
SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_object_keys(:'d'::jsonb) key;
SELECT string_agg(key, ' ' ORDER BY key) FILTER (WHERE value ? 'error') AS failed FROM jsonb_each(:'d'::jsonb) WHERE jsonb_typeof(value) = 'object';
SELECT :'d'::jsonb #>> '{settings,idgen.block_size,setting}' AS block_size, :'d'::jsonb -> 'settings' ? 'idgen.registry' AS has_address,
       jsonb_array_length(:'d'::jsonb -> 'generators') > 10 AS generators, jsonb_array_length(:'d'::jsonb -> 'layouts') >= 4 AS layouts;
REVOKE SELECT ON idgen_stat_server FROM PUBLIC;
SET ROLE regress_idgen_reader;
SELECT idgen_diagnostics() AS d \gset
SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_object_keys(:'d'::jsonb) key;
SELECT jsonb_path_exists(:'d'::jsonb, '$.stat[*].last_id ? (@ != null)') AS sees_ids, :'d'::jsonb -> 'settings' ? 'shared_preload_libraries' AS sees_settings;
SELECT * FROM idgen_get_registry();
-- Nobody's objects are called.
RESET ROLE;
CREATE SCHEMA regress_idgen_traps;
CREATE FUNCTION regress_idgen_traps.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
CREATE FUNCTION regress_idgen_traps.version() RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
SET search_path = regress_idgen_traps, pg_catalog, public;
SELECT d -> 'made_at' ? 'error' AS made_at, d -> 'postgresql' ? 'error' AS postgresql FROM public.idgen_diagnostics() d;
RESET search_path;
GRANT SELECT ON idgen_stat_server TO PUBLIC;

DROP SCHEMA regress_idgen_traps CASCADE;
DROP VIEW counted;
DROP TABLE counted_rows;
SELECT idgen_drop_generator('counted7');
SELECT idgen_drop_layout(layout) FROM unnest(ARRAY['counted', 'sharded', 'slow', 'over']) layout;
REVOKE EXECUTE ON FUNCTION idgen_stat_reset() FROM regress_idgen_monitor;
DROP ROLE regress_idgen_reader, regress_idgen_monitor;
-- Every row can be shown: UUIDs with a node are of no layout that the type could hold.
SET idgen.machine_id = 9;
SELECT uuidv8_nextval() IS NOT NULL AS made;
\c -
SELECT count(layout::text) < count(*) AS shown FROM idgen_stat;

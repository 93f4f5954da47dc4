-- The settings: units, limits, who may set what.
SELECT snowflake_machine(0) AS load_the_module;
SELECT name, setting, unit, vartype, context, min_val, max_val, enumvals, reset_val
FROM pg_settings WHERE name LIKE 'idgen.%' ORDER BY name;

-- An identity may fit one layout and not another: it is refused where it does not.
SET idgen.machine_id = 32;
SELECT snowflake_nextval();
SELECT (idgen_parse(idgen_nextval('sonyflake'), 'sonyflake')).machine_id;
RESET idgen.machine_id;
SET idgen.datacenter_id = 32;
SELECT snowflake_nextval();
SELECT * FROM snowflake_nextval_batch(2);
SELECT idgen_reserve('snowflake', 2);
SELECT idgen_nextval('sonyflake') > 0 AS has_no_datacenter;
RESET idgen.datacenter_id;
SELECT snowflake_datacenter(snowflake_nextval());
SET idgen.clock_regression = 'ignore';
-- Beyond the limits of their definition (the words differ between versions).
\set VERBOSITY sqlstate
SET idgen.machine_id = -1;
SET idgen.shard_id = -2;
SET idgen.datacenter_id = 'one';
SET idgen.max_clock_wait = '-1s';
SET idgen.max_clock_wait = '2d';
SET idgen.max_clock_lead = '2d';
SET idgen.reserve_window = '1ms';
SET idgen.reserve_window = '2h';
SET idgen.block_size = 0;
SET idgen.block_size = 1048577;
SET idgen.block_size = '1kB';
SET idgen.no_such_setting = 1;
\set VERBOSITY default

-- Units.
SET idgen.max_clock_wait = '1min';
SHOW idgen.max_clock_wait;
SET idgen.reserve_window = 500;
SHOW idgen.reserve_window;

-- The identity is taken from the settings at each ID, also when they change in between.
SET idgen.datacenter_id = 3;
SET idgen.machine_id = 7;
SELECT snowflake_datacenter(id), snowflake_machine(id) FROM (SELECT snowflake_nextval() AS id OFFSET 0) i;
BEGIN;
SET LOCAL idgen.machine_id = 8;
SELECT snowflake_machine(snowflake_nextval());
ROLLBACK;
SELECT snowflake_machine(snowflake_nextval());
SELECT set_config('idgen.machine_id', i::text, false) AS machine_id, snowflake_machine(snowflake_nextval())
FROM generate_series(20, 22) i;
CREATE FUNCTION on_machine_9() RETURNS bigint LANGUAGE sql SET idgen.machine_id = 9
AS 'SELECT snowflake_nextval()';
SELECT snowflake_machine(on_machine_9()), snowflake_machine(snowflake_nextval());
DROP FUNCTION on_machine_9;
RESET ALL;

-- By database and by role.
SELECT current_database() AS db \gset
ALTER DATABASE :"db" SET idgen.machine_id = 5;
\c -
SELECT snowflake_machine(snowflake_nextval());
ALTER DATABASE :"db" SET idgen.machine_id = 0;

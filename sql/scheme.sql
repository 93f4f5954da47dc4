-- The scheme of a fleet, without a registry: what is refused before anybody is asked. The rest is in
-- test/t/040_scheme.pl and 041_fleet_change.pl.
\set VERBOSITY terse
SELECT * FROM idgen_scheme();
SELECT * FROM idgen_scheme_history();
SELECT idgen_scheme_set('max_clock_wait', '5s');
SELECT idgen_scheme_set('idgen.max_clock_wait', NULL);
SELECT idgen_scheme_set('max_clock_wait', '5 parsecs');
SELECT idgen_scheme_set('max_clock_wait', '');
SELECT idgen_scheme_set('idgen.machine_id', '5');
SELECT idgen_scheme_set(NULL, '5s');
SELECT idgen_scheme_add(NULL);
SELECT idgen_scheme_add('nothing');
SELECT idgen_scheme_add('snowflake');
SELECT idgen_scheme_remove('nothing');
SELECT idgen_scheme_restore(1);
SELECT idgen_propose_change('snowflake', 'twitter');
SELECT idgen_propose_change('nothing', 'twitter');
SELECT idgen_create_generator('scheme_orders', 'snowflake');
SELECT idgen_scheme_add('scheme_orders');
SELECT idgen_propose_change('scheme_orders', NULL);
SELECT idgen_propose_change('scheme_orders', 'twitter');
SELECT idgen_withdraw_change('scheme_orders');
SELECT idgen_drop_generator('scheme_orders');
SELECT * FROM idgen_fleet();
SELECT * FROM idgen_fleet_setting;
SELECT idgen_scheme_file() = current_setting('data_directory') || '/idgen_fleet.conf' AS file;

-- Settings that a session gives before it loads the module, and that are refused then. A preloaded module refuses
-- them at once, so dev/test leaves this test out of the preloaded run.
CREATE ROLE regress_idgen_placeholder;
\c -
SET ROLE regress_idgen_placeholder;
SET idgen.test_clock = '2026-01-01Z';
SELECT snowflake_nextval();
RESET ROLE;
\c -
SET idgen.mashine_id = 3;
SELECT severity, topic, message, hint FROM idgen_check_config() WHERE topic = 'settings';
\c -
SELECT count(*) FROM idgen_check_config() WHERE topic = 'settings';
DROP ROLE regress_idgen_placeholder;

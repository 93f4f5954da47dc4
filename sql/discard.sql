-- What a pooler sends between two clients: the next one must not see the last IDs of the one before.
SELECT idgen_create_generator('discard_7', 'snowflake', machine_id => 7);
CREATE FUNCTION last_ids(OUT snowflake text, OUT instagram text, OUT discard_7 text) LANGUAGE plpgsql AS $$
DECLARE state text[] := '{}'; name text;
BEGIN
  FOREACH name IN ARRAY '{snowflake, instagram, discard_7}'::text[] LOOP
    BEGIN
      PERFORM idgen_currval(name);
      state := state || 'known'::text;
    EXCEPTION WHEN object_not_in_prerequisite_state THEN
      state := state || 'none'::text;
    END;
  END LOOP;
  snowflake := state[1]; instagram := state[2]; discard_7 := state[3];
END $$;
CREATE PROCEDURE make_ids() LANGUAGE sql AS
  $$ SELECT snowflake_nextval(), instagram_nextval(1), idgen_nextval('discard_7') $$;

CALL make_ids();
SELECT * FROM last_ids();
DISCARD SEQUENCES;
SELECT * FROM last_ids();
SELECT snowflake_currval();

CALL make_ids();
DISCARD ALL;
SELECT * FROM last_ids();

-- Nothing else forgets them.
CALL make_ids();
DISCARD PLANS;
DISCARD TEMP;
RESET ALL;
RESET idgen.shard_id;
SELECT * FROM last_ids();
-- A command that fails does not, as it does not forget those of sequences.
BEGIN;
SELECT count(*) FROM last_ids();
DISCARD ALL;
ROLLBACK;
SELECT * FROM last_ids();
-- In a transaction, and in one that is rolled back: as for sequences.
BEGIN;
DISCARD SEQUENCES;
SELECT * FROM last_ids();
ROLLBACK;
SELECT * FROM last_ids();
-- Inside a function.
CALL make_ids();
DO 'BEGIN EXECUTE ''DISCARD SEQUENCES''; END';
SELECT * FROM last_ids();
-- And the session makes IDs as before.
SELECT snowflake_nextval() < snowflake_nextval() AS goes_on, snowflake_currval() > 0 AS known;

-- UUIDs, tickets, and what defaults made.
CREATE SEQUENCE discard_tickets;
CREATE TEMP TABLE discard_rows (id bigint DEFAULT snowflake_id());
INSERT INTO discard_rows DEFAULT VALUES;
SELECT uuidv7_id() = uuidv7_currval() AS uuidv7, ulid_id() = ulid_currval() AS ulid, ticket_id('discard_tickets') = ticket_currval('discard_tickets') AS ticket,
       (SELECT id FROM discard_rows) = snowflake_currval() AS snowflake;
DISCARD ALL;
SELECT uuidv7_currval();
SELECT ulid_currval();
SELECT ticket_currval('discard_tickets');
SELECT snowflake_currval();
DROP SEQUENCE discard_tickets;

DROP PROCEDURE make_ids;
DROP FUNCTION last_ids;
SELECT idgen_drop_generator('discard_7');

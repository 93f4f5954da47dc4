-- Online migration of keys: idgen_tools.
\set SHOW_CONTEXT never
CREATE EXTENSION idgen_tools;
CREATE ROLE regress_mover;
CREATE ROLE regress_writer;
GRANT CREATE ON DATABASE :DBNAME TO regress_mover;
GRANT SET ON PARAMETER session_replication_role TO regress_mover;
-- A table in the words of all versions of PostgreSQL.
CREATE FUNCTION describe(relation regclass) RETURNS SETOF text LANGUAGE sql SET search_path = pg_catalog, "a b" AS $$
  SELECT * FROM (
    (SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
            || CASE WHEN a.attidentity <> '' THEN ' identity' ELSE coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') END
     FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
    UNION ALL
    (SELECT c.conname || ': ' || pg_get_constraintdef(c.oid) || CASE WHEN c.convalidated THEN '' ELSE ' (not valid)' END
     FROM pg_constraint c WHERE c.conrelid = relation AND c.contype <> 'n' ORDER BY c.conname)
    UNION ALL
    (SELECT pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisreplident THEN ' (replica identity)' ELSE '' END
     FROM pg_index i WHERE i.indrelid = relation ORDER BY 1)
    UNION ALL
    (SELECT 'trigger ' || g.tgname FROM pg_trigger g WHERE g.tgrelid = relation AND NOT g.tgisinternal ORDER BY 1)) s $$;
SET ROLE regress_mover;
CREATE SCHEMA "a b";
GRANT USAGE ON SCHEMA "a b" TO regress_writer;
SET search_path = "a b", public;
SET client_min_messages = warning;

-- A schema with all that should work: names to be quoted, three levels, a key that is a foreign key, a link table, a self reference, two
-- constraints between the same tables, actions, a trigger that must not fire, views, comments, privileges of columns.
CREATE TABLE "Cust" ("Id" serial PRIMARY KEY, name text UNIQUE, boss int REFERENCES "Cust" ON DELETE SET NULL, made timestamptz, touched int DEFAULT 0);
CREATE TABLE profile (cust int PRIMARY KEY REFERENCES "Cust" ON UPDATE CASCADE ON DELETE CASCADE, note text);
CREATE TABLE photo (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, profile int NOT NULL REFERENCES profile ON UPDATE CASCADE ON DELETE CASCADE,
  approver int CONSTRAINT approved REFERENCES "Cust" DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE link ("from" int, "to" int, w int, PRIMARY KEY ("from", "to"), CONSTRAINT f1 FOREIGN KEY ("from") REFERENCES "Cust" ON DELETE CASCADE,
  CONSTRAINT f2 FOREIGN KEY ("to") REFERENCES "Cust" ON DELETE CASCADE);
CREATE TABLE link_note (a int, b int, CONSTRAINT both_ends FOREIGN KEY (a, b) REFERENCES link MATCH FULL ON DELETE CASCADE);
CREATE INDEX photo_profile ON photo USING btree (profile DESC NULLS LAST, (id + 1)) INCLUDE (approver) WITH (fillfactor = 80) WHERE id > 0;
CREATE INDEX ON photo USING hash (approver);
CREATE UNIQUE INDEX ON link ("to", "from") NULLS NOT DISTINCT;
ALTER TABLE link ALTER "to" SET STATISTICS 200;
ALTER TABLE profile REPLICA IDENTITY USING INDEX profile_pkey;
CREATE VIEW seen WITH (security_barrier) AS SELECT c."Id", c.name, p.note FROM "Cust" c LEFT JOIN profile p ON p.cust = c."Id";
CREATE VIEW seen_twice AS SELECT s."Id", count(*) AS n FROM seen s GROUP BY s."Id";
CREATE VIEW grouped AS SELECT c."Id", c.name, count(p.note) AS notes FROM "Cust" c LEFT JOIN profile p ON p.cust = c."Id" GROUP BY c."Id";
CREATE VIEW grouped_twice AS SELECT count(*) FROM grouped;
CREATE TEMP TABLE views AS SELECT c.oid::regclass::text AS view, pg_get_viewdef(c.oid) AS definition, c.reloptions FROM pg_class c
  WHERE c.relkind = 'v' AND c.relnamespace = '"a b"'::regnamespace;
CREATE FUNCTION same_views() RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM views v JOIN pg_class c ON c.oid = v.view::regclass
  WHERE pg_get_viewdef(c.oid) = v.definition AND c.reloptions IS NOT DISTINCT FROM v.reloptions $$;
COMMENT ON COLUMN "Cust"."Id" IS 'the key';
COMMENT ON COLUMN seen.note IS 'a note';
COMMENT ON CONSTRAINT "Cust_pkey" ON "Cust" IS 'the constraint';
GRANT INSERT, DELETE ON profile, photo TO regress_writer;
GRANT SELECT ("Id", name), INSERT (name, boss), UPDATE (name) ON "Cust" TO regress_writer;
GRANT USAGE ON SEQUENCE "Cust_Id_seq" TO regress_writer;
GRANT SELECT ON seen_twice TO regress_writer;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.touched := NEW.touched + 1; RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON "Cust" FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO "Cust" (name, boss, made)
  SELECT 'c' || i, nullif(i / 10, 0), CASE i % 50 WHEN 0 THEN NULL WHEN 1 THEN '2010-01-01Z' WHEN 2 THEN 'infinity' WHEN 3 THEN '-infinity'
                                      ELSE timestamptz '2024-01-01Z' + i / 20 * interval '1 s' END
  FROM generate_series(1, 300) i;
INSERT INTO profile SELECT i, 'n' FROM generate_series(1, 300, 2) i;
INSERT INTO photo (profile, approver) SELECT 1 + 2 * (i % 150), nullif(i % 7, 0) FROM generate_series(1, 600) i;
INSERT INTO link SELECT i, 1 + i * 7 % 300, i FROM generate_series(1, 300) i;
INSERT INTO link_note SELECT "from", "to" FROM link WHERE w % 3 = 0;
INSERT INTO link_note VALUES (NULL, NULL);
ANALYZE "Cust", profile, photo, link, link_note;
-- What the tables say, without their keys. It must be the same at every moment.
CREATE TEMP TABLE before AS
  SELECT c.name, b.name AS boss, (SELECT count(*) FROM photo h WHERE h.profile = c."Id") AS photos,
         (SELECT count(*) FROM photo h WHERE h.approver = c."Id") AS approved,
         (SELECT string_agg(t.name || l.w, ' ' ORDER BY l.w) FROM link l JOIN "Cust" t ON t."Id" = l."to" WHERE l."from" = c."Id") AS links,
         (SELECT count(*) FROM link_note n WHERE n.a = c."Id") AS notes
  FROM "Cust" c LEFT JOIN "Cust" b ON b."Id" = c.boss;
\set same 'SELECT count(*) AS lost FROM (TABLE before EXCEPT ALL SELECT c.name, b.name, (SELECT count(*) FROM photo h WHERE h.profile = c."Id"), (SELECT count(*) FROM photo h WHERE h.approver = c."Id"), (SELECT string_agg(t.name || l.w, \' \' ORDER BY l.w) FROM link l JOIN "Cust" t ON t."Id" = l."to" WHERE l."from" = c."Id"), (SELECT count(*) FROM link_note n WHERE n.a = c."Id") FROM "Cust" c LEFT JOIN "Cust" b ON b."Id" = c.boss) AS other;'
:same

-- The plan.
SELECT step, statement, what FROM idgen_plan_migration('"Cust"', 'Id', 'snowflake', created => 'made', datacenter_id => 30, machine_id => 31);
-- It changes nothing.
SELECT count(*) FROM idgen_migrations;

-- Up to the cutover, with writers of the ordinary role in between.
CALL idgen_migration_prepare('"Cust"', 'Id', 'snowflake', created => 'made', datacenter_id => 30, machine_id => 31);
RESET ROLE;
SET ROLE regress_writer;
INSERT INTO "Cust" (name, boss) VALUES ('writer', 1);
INSERT INTO profile VALUES (301, 'writer');
INSERT INTO profile VALUES (9999, 'nobody');
SELECT count(*) FROM "Cust_Id_idgen_map";
SELECT count(*) FROM idgen_migrations;
CALL idgen_migration_backfill('"Cust"', 'Id');
RESET ROLE;
SET ROLE regress_mover;
CALL idgen_migration_prepare('"Cust"', 'Id', 'wide');
CALL idgen_migration_constrain('"Cust"', 'Id');
CALL idgen_migration_cut_over('"Cust"', 'Id');
CALL idgen_migration_backfill('"Cust"', 'Id', batch => 0);
CALL idgen_migration_backfill('"Cust"', 'Id', batch => 100);
-- Rows before those that they refer to.
WITH b AS (INSERT INTO profile VALUES (1003, 'early')) INSERT INTO "Cust" ("Id", name, boss) VALUES (1003, 'early', 1004), (1004, 'late', NULL);
BEGIN;
INSERT INTO photo (profile, approver) VALUES (1003, 1005);
INSERT INTO "Cust" ("Id", name) VALUES (1005, 'last');
COMMIT;
INSERT INTO "Cust" ("Id", name) VALUES (1005, 'again') ON CONFLICT ("Id") DO UPDATE SET name = 'last!';
UPDATE "Cust" SET "Id" = 1006 WHERE "Id" = 1003;
UPDATE "Cust" SET "Id_idgen_new" = 1 WHERE "Id" = 1005;
SELECT setval('"Cust_Id_seq"', 1006);
CALL idgen_migration_constrain('"Cust"', 'Id');
SELECT statement FROM idgen_plan_migration('"Cust"', 'Id', 'snowflake', created => 'made', datacenter_id => 30, machine_id => 31) ORDER BY step \gexec
SELECT state, problems FROM idgen_migrations;
:same
SELECT count(*) AS touched FROM "Cust" WHERE touched > 0;

-- The new keys. Positions are those of the creation times, in their order; unknown times are those of the migration.
SELECT count(*), count(DISTINCT "Id"), min(snowflake_timestamp("Id")) AS first FROM "Cust";
SELECT snowflake_datacenter("Id") = 30 AS past, made IS NULL OR made = 'infinity' AS unknown, count(*) FROM "Cust" GROUP BY 1, 2 ORDER BY 1, 2;
SELECT max(abs(extract(epoch FROM snowflake_timestamp("Id") - made))) < 0.001 AS exact FROM "Cust" WHERE made BETWEEN '2020-01-01Z' AND '2030-01-01Z';
SELECT count(*) AS out_of_order FROM (SELECT "Id" < lag("Id") OVER (ORDER BY made, "Id_idgen_old") AS wrong FROM "Cust"
  WHERE snowflake_datacenter("Id") = 30) s WHERE wrong;
SELECT describe('"Cust"');
SELECT describe('profile');
SELECT describe('photo');
SELECT describe('link');
SELECT describe('link_note');
SELECT same_views();
SELECT privilege_type FROM pg_class c, aclexplode(c.relacl) WHERE c.oid = 'seen_twice'::regclass AND grantee = 'regress_writer'::regrole;
SELECT attname, privilege_type FROM pg_attribute, aclexplode(attacl) WHERE attrelid = '"Cust"'::regclass AND grantee = 'regress_writer'::regrole ORDER BY 1, 2;
SELECT col_description('"Cust"'::regclass, attnum) FROM pg_attribute WHERE attrelid = '"Cust"'::regclass AND attname = 'Id';
SELECT obj_description(oid) FROM pg_constraint WHERE conname = 'Cust_pkey';
-- After the cutover: the writer's privileges, and the old keys of new rows.
RESET ROLE;
SET ROLE regress_writer;
INSERT INTO "Cust" (name) VALUES ('after') RETURNING snowflake_machine("Id") AS machine, name;
SELECT count(*) FROM seen_twice;
RESET ROLE;
SET ROLE regress_mover;
INSERT INTO profile (cust, note) SELECT "Id", 'after' FROM "Cust" WHERE name = 'after' RETURNING cust_idgen_old;
DELETE FROM "Cust" WHERE name = 'after';
SELECT count(*) FROM profile WHERE note = 'after';

-- From one layout to another, rewritten: views stay in place.
CREATE TABLE laid (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), t text COLLATE "C", at date DEFAULT '2026-01-01');
INSERT INTO laid (t) SELECT 't' FROM generate_series(1, 10);
SELECT idgen_plan_migration('laid', 'id', 'snowflake');
ALTER TABLE laid ALTER id SET DEFAULT snowflake_id();
SELECT idgen_plan_migration('laid', 'id', 'snowflake');
CREATE VIEW laid_grouped AS SELECT id, t, count(*) FROM laid GROUP BY id;
CREATE VIEW laid_again AS SELECT * FROM laid_grouped;
SELECT statement FROM idgen_plan_migration('laid', 'id', 'sonyflake', method => 'rewrite', created => 'at', machine_id => 77) WHERE statement IS NOT NULL ORDER BY step \gexec
SELECT count(*), min(idgen_timestamp(id, 'sonyflake')), bool_and((idgen_parse(id, 'sonyflake')).machine_id = 77) FROM laid_again;
CALL idgen_migration_roll_back('laid', 'id');
SELECT count(*), min(snowflake_timestamp(id)) > '2026-02-01' AS old FROM laid_again;
SELECT same_views();

-- Back, and there again, and the end.
CALL idgen_migration_roll_back('"Cust"', 'Id');
:same
SELECT describe('"Cust"');
SELECT describe('link');
SELECT count(*) FROM pg_proc WHERE proname LIKE '%idgen_fill%';
CALL idgen_migration_finish('"Cust"', 'Id');
SELECT statement FROM idgen_plan_migration('"Cust"', 'Id', 'uuidv7', created => 'made') ORDER BY step \gexec
DROP TABLE "Cust_Id_idgen_map";
SELECT statement FROM idgen_plan_migration('"Cust"', 'Id', 'uuidv7', created => 'made') ORDER BY step \gexec
CALL idgen_migration_finish('"Cust"', 'Id', drop_mapping => true);
:same
SELECT describe('"Cust"');
SELECT describe('link');
SELECT same_views();
SELECT description FROM pg_description d JOIN pg_attribute a ON a.attrelid = objoid AND a.attnum = objsubid WHERE objoid = 'seen'::regclass;
SELECT privilege_type FROM pg_class c, aclexplode(c.relacl) WHERE c.oid = 'seen_twice'::regclass AND grantee = 'regress_writer'::regrole;
SELECT count(*), count(DISTINCT "Id") FROM "Cust";
SELECT max(abs(extract(epoch FROM uuidv7_timestamp("Id") - made))) < 0.001 AS exact FROM "Cust" WHERE made BETWEEN '1970-01-01Z' AND '2030-01-01Z';
-- From UUIDs to a sequence, and rolled back at each state.
SELECT statement FROM idgen_plan_migration('"Cust"', 'Id', 'bigserial') WHERE statement LIKE '%prepare%' \gexec
CALL idgen_migration_roll_back('"Cust"', 'Id');
SELECT statement FROM idgen_plan_migration('"Cust"', 'Id', 'bigserial') WHERE statement ~ 'prepare|backfill' ORDER BY step \gexec
CALL idgen_migration_roll_back('"Cust"', 'Id');
SELECT statement FROM idgen_plan_migration('"Cust"', 'Id', 'bigserial') WHERE statement !~ 'verify|cut_over' ORDER BY step \gexec
CALL idgen_migration_roll_back('"Cust"', 'Id');
SELECT statement FROM idgen_plan_migration('"Cust"', 'Id', 'bigserial') ORDER BY step \gexec
CALL idgen_migration_finish('"Cust"', 'Id');
:same
INSERT INTO "Cust" (name) VALUES ('number') RETURNING "Id" > 300 AND "Id" < 1100 AS next;
SELECT pg_get_serial_sequence('"Cust"', 'Id');
DROP TABLE "Cust_Id_idgen_map";

-- The cheap way, and back.
SELECT step, statement, what FROM idgen_plan_migration('"Cust"', 'Id', 'snowflake') WHERE statement IS NOT NULL;
SELECT statement FROM idgen_plan_migration('"Cust"', 'Id', 'snowflake') ORDER BY step \gexec
INSERT INTO "Cust" (name) VALUES ('cheap') RETURNING snowflake_timestamp("Id") > now() - interval '1 hour' AS new;
SELECT idgen_plan_migration('"Cust"', 'Id', 'snowflake');
-- IDs of another layout that are above those of the target.
\set VERBOSITY terse
SELECT idgen_plan_migration('"Cust"', 'Id', 'pgedge', method => 'default');
\set VERBOSITY default
SELECT statement FROM idgen_plan_migration('"Cust"', 'Id', 'bigserial') ORDER BY step \gexec
INSERT INTO "Cust" (name) VALUES ('number again') RETURNING "Id" < 1100 AS number;
CREATE TABLE identity (id bigint GENERATED ALWAYS AS IDENTITY (INCREMENT 5) PRIMARY KEY, n int);
INSERT INTO identity (n) VALUES (1), (2);
CALL idgen_migration_set_default('identity', 'id', 'wide');
CALL idgen_migration_set_default('identity', 'id', 'wide');
INSERT INTO identity (n) VALUES (3);
CALL idgen_migration_set_default('identity', 'id', 'bigserial');
INSERT INTO identity (n) VALUES (4);
SELECT id, n FROM identity WHERE n <> 3 ORDER BY n;
SELECT n FROM identity WHERE idgen_timestamp(id, 'wide') > now() - interval '1 hour';

-- What is changed by others while a migration is under way.
CREATE TABLE moved (id int PRIMARY KEY, t text);
CREATE TABLE moved_too (id int REFERENCES moved);
INSERT INTO moved SELECT i FROM generate_series(1, 100) i;
INSERT INTO moved_too SELECT i FROM generate_series(1, 100) i;
CALL idgen_migration_prepare('moved', 'id', 'snowflake');
CREATE INDEX surprise ON moved_too (id);
ALTER TABLE moved DISABLE TRIGGER USER;
CREATE TABLE moved_three (id int REFERENCES moved);
CALL idgen_migration_backfill('moved', 'id');
SELECT problems FROM idgen_migrations;
DROP TABLE moved_three;
DROP INDEX surprise;
ALTER TABLE moved ENABLE ALWAYS TRIGGER zz_idgen_1;
TRUNCATE moved_too;
INSERT INTO moved_too VALUES (3);
CALL idgen_migration_backfill('moved', 'id');
-- What writes past the triggers is found, and can be put right.
ALTER TABLE moved_too DISABLE TRIGGER USER;
INSERT INTO moved_too VALUES (4);
ALTER TABLE moved_too ENABLE ALWAYS TRIGGER zz_idgen_1;
SELECT statement FROM idgen_plan_migration('moved', 'id', 'snowflake') WHERE statement LIKE 'CREATE%' ORDER BY step \gexec
CALL idgen_migration_constrain('moved', 'id');
UPDATE moved_too SET id = id;
CALL idgen_migration_constrain('moved', 'id');
CALL idgen_migration_verify('moved', 'id');
ALTER TABLE moved_too DROP CONSTRAINT moved_too_id_idgen_check;
CALL idgen_migration_cut_over('moved', 'id');
CALL idgen_migration_roll_back('moved', 'id');
-- An old key without a default: no way back after the cutover.
SELECT statement FROM idgen_plan_migration('moved', 'id', 'ulid') ORDER BY step \gexec
INSERT INTO moved (t) VALUES ('new') RETURNING id_idgen_old;
INSERT INTO moved_too (id) SELECT id FROM moved WHERE t = 'new' RETURNING id_idgen_old;
CALL idgen_migration_roll_back('moved', 'id');
CALL idgen_migration_finish('moved', 'id');
SELECT count(*) FROM moved JOIN moved_too USING (id);

-- Everything that cannot be done is said at once, before anything is changed.
CREATE TABLE plain (id int PRIMARY KEY, at timestamptz, t text);
SELECT idgen_plan_migration('plain', 'id', 'nosuch');
SELECT idgen_plan_migration('plain', 'no', 'snowflake');
SELECT idgen_plan_migration('plain', 'id', NULL);
SELECT idgen_plan_migration(0, 'id', 'snowflake');
SELECT idgen_plan_migration('plain', 'id', 'snowflake', method => 'fast');
SELECT idgen_plan_migration('plain', 'id', 'snowflake', method => 'default');
SELECT idgen_plan_migration('plain', 'id', 'snowflake', machine_id => 3);
SELECT idgen_plan_migration('plain', 'id', 'snowflake', created => 't');
SELECT idgen_plan_migration('plain', 'id', 'snowflake', created => 'at', datacenter_id => 99, shard_id => 1);
SELECT idgen_plan_migration('plain', 'id', 'snowflake', created => 'at', datacenter_id => 0, machine_id => 0);
SELECT idgen_plan_migration('plain', 'id', 'tso', created => 'at');
SELECT idgen_plan_migration('plain', 'id', 'uuidv4', created => 'at');
SELECT idgen_plan_migration('plain', 't', 'snowflake');
CALL idgen_migration_backfill('plain', 'id');
CALL idgen_migration_set_default('plain', 'id', 'snowflake');
BEGIN;
CALL idgen_migration_prepare('plain', 'id', 'snowflake');
ROLLBACK;
CREATE VIEW plain_view AS SELECT id FROM plain;
SELECT idgen_plan_migration('plain_view', 'id', 'snowflake');
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted DEFAULT;
SELECT idgen_plan_migration('parted', 'id', 'snowflake');
SELECT idgen_plan_migration('part', 'id', 'snowflake');
CREATE TABLE child () INHERITS (plain);
SELECT idgen_plan_migration('plain', 'id', 'snowflake');
DROP TABLE child;
CREATE TEMP TABLE brief (id int PRIMARY KEY);
SELECT idgen_plan_migration('brief', 'id', 'snowflake');
CREATE TABLE keyless (id int, a int, b int, PRIMARY KEY (a, b));
SELECT idgen_plan_migration('keyless', 'a', 'snowflake');
ALTER TABLE keyless DROP CONSTRAINT keyless_pkey;
SELECT idgen_plan_migration('keyless', 'id', 'snowflake');
CREATE TABLE hard (id int GENERATED BY DEFAULT AS IDENTITY CHECK (id > 0), d int GENERATED ALWAYS AS (id * 2) STORED, x int, y int,
  CONSTRAINT hard_pkey PRIMARY KEY (id) DEFERRABLE);
CREATE INDEX hard_even ON hard (x) WHERE id % 2 = 0;
CREATE INDEX hard_text ON hard ((id::text));
CREATE STATISTICS hard_stat ON id, x FROM hard;
CREATE MATERIALIZED VIEW hard_copy AS SELECT id FROM hard;
CREATE FUNCTION hard_max() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT max(id) FROM hard; END;
CREATE POLICY hard_policy ON hard USING (id > 0);
CREATE RULE hard_rule AS ON DELETE TO hard DO NOTHING;
CREATE TRIGGER zzz BEFORE UPDATE OF id ON hard FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE hard FORCE ROW LEVEL SECURITY;
SELECT idgen_plan_migration('hard', 'id', 'snowflake');
CREATE TABLE ref (id int DEFAULT 1 REFERENCES plain, other int UNIQUE, CONSTRAINT other_key FOREIGN KEY (id) REFERENCES ref (other));
ALTER TABLE ref DROP CONSTRAINT ref_id_fkey, ADD CONSTRAINT ref_id_fkey FOREIGN KEY (id) REFERENCES plain NOT VALID;
RESET ROLE;
SET client_min_messages = error;
CREATE PUBLICATION regress_pub FOR TABLE ONLY "a b".plain;
SELECT idgen_plan_migration('plain', 'id', 'snowflake');
SET ROLE regress_mover;
SELECT idgen_plan_migration('plain', 'id', 'snowflake');
RESET ROLE;
DROP PUBLICATION regress_pub;
REVOKE SET ON PARAMETER session_replication_role FROM regress_mover;
SET ROLE regress_mover;
DROP TABLE ref;
CREATE TRIGGER touch BEFORE UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION touch();
SELECT idgen_plan_migration('plain', 'id', 'snowflake');
SELECT what FROM idgen_plan_migration('plain', 'id', 'snowflake', fire_triggers => true) WHERE what LIKE 'Trigger%';
CREATE TABLE plain_id_idgen_map ();
SELECT idgen_plan_migration('plain', 'id', 'snowflake', fire_triggers => true);
DROP TABLE plain_id_idgen_map;
CREATE VIEW plain_number AS SELECT id + 1 AS next FROM plain;
\set VERBOSITY terse
CALL idgen_migration_prepare('plain', 'id', 'uuidv7', fire_triggers => true);
\set VERBOSITY default
SELECT count(*) FROM idgen_migrations;
-- Names of 63 bytes that differ at their end.
DO $$ BEGIN
  EXECUTE format('CREATE TABLE %I (%I int PRIMARY KEY, %I int REFERENCES %1$I)', repeat('t', 63), repeat('c', 62) || 'a', repeat('c', 62) || 'b');
  EXECUTE format('INSERT INTO %I VALUES (1, 1)', repeat('t', 63));
END $$;
SELECT statement FROM idgen_plan_migration(repeat('t', 63)::regclass, repeat('c', 62) || 'a', 'snowflake') ORDER BY step \gexec
SELECT count(*) FROM pg_attribute WHERE attrelid = repeat('t', 63)::regclass AND attname LIKE '%idgen_old';
CALL idgen_migration_finish(repeat('t', 63)::regclass, repeat('c', 62) || 'a');
SELECT octet_length(idgen_tools_name(repeat('é', 31), '_idgen_new', 5)) <= 63 AS fits;
-- A migration needs its extension.
CALL idgen_migration_prepare('identity', 'id', 'uuidv7');
RESET ROLE;
DROP EXTENSION idgen_tools;
SET ROLE regress_mover;
CALL idgen_migration_roll_back('identity', 'id');
-- Nobody writes others' state.
RESET ROLE;
SET ROLE regress_writer;
INSERT INTO idgen_migration_column SELECT 'identity'::regclass, 'id', 1, 'identity'::regclass, 'id', 'x', 'y', 1, 2, true, 'f', 'c';
RESET ROLE;

DROP TABLE before, brief, views CASCADE;
DROP FUNCTION describe;
DROP SCHEMA "a b" CASCADE;
DROP EXTENSION idgen_tools;
REVOKE CREATE ON DATABASE :DBNAME FROM regress_mover;
DROP ROLE regress_mover, regress_writer;

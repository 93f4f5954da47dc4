// What a PostgreSQL registry needs, as SQL: PostgreSQL 12 or later, no extension.
// idgen_registry_schema() returns this text as it is. It may be run again.
#pragma once

namespace idgen::registry {

inline constexpr const char kPostgresqlSchema[] =
    R"sql(-- A registry of identities for idgen, in any PostgreSQL from 12 on. No extension is needed here.
-- To be run by whoever shall own it (it can be run again):  psql -1 -v ON_ERROR_STOP=1 -f this
--
-- The servers' role needs no more than this (choose its name):
--   CREATE ROLE idgen_servers LOGIN;
--   GRANT USAGE ON SCHEMA idgen_registry TO idgen_servers;
--   GRANT SELECT, INSERT, UPDATE, DELETE ON idgen_registry.holder, idgen_registry.identity TO idgen_servers;
--   GRANT SELECT, INSERT, UPDATE ON idgen_registry.pool TO idgen_servers;
--   GRANT SELECT, INSERT ON idgen_registry.scheme TO idgen_servers;
-- With no more than SELECT on the last two tables it can do all but change a pool's scheme.
--
-- Never lower used_until, acknowledged or a version, never set ended back to NULL, and do not delete
-- or alter rows otherwise: each can make duplicates. An identity is given up by setting "ended" of
-- its holder, whatever it does meanwhile.

CREATE SCHEMA IF NOT EXISTS idgen_registry;
COMMENT ON SCHEMA idgen_registry IS 'who makes IDs with which machine ID (idgen), version 1';

CREATE TABLE IF NOT EXISTS idgen_registry.holder (
  pool text NOT NULL CHECK (length(pool) BETWEEN 1 AND 63),
  token text NOT NULL CHECK (token ~ '^[0-9a-f]{32}$'),
  name text NOT NULL CHECK (length(name) < 128),
  used_until timestamptz(3) NOT NULL
    CHECK (used_until >= '1970-01-01 00:00:00+00' AND used_until < '10000-01-01 00:00:00+00'),
  expires timestamptz(3) NOT NULL
    CHECK (expires >= '1970-01-01 00:00:00+00' AND expires < '10000-01-01 00:00:00+00'),
  ended timestamptz(3)
    CHECK (ended >= '1970-01-01 00:00:00+00' AND ended < '10000-01-01 00:00:00+00'),
  PRIMARY KEY (pool, token)
) WITH (fillfactor = 50);
COMMENT ON TABLE idgen_registry.holder IS 'runs of servers that make IDs';
COMMENT ON COLUMN idgen_registry.holder.pool IS 'the set of servers whose IDs must differ';
COMMENT ON COLUMN idgen_registry.holder.token IS 'random, another one for each run';
COMMENT ON COLUMN idgen_registry.holder.name IS 'for people';
COMMENT ON COLUMN idgen_registry.holder.used_until IS
  'no ID of any of its identities is of this time, by the clock of the holder, or later; final once it has ended';
COMMENT ON COLUMN idgen_registry.holder.expires IS
  'from then on, by the clock of this server, others may end it; each renewal moves it';
COMMENT ON COLUMN idgen_registry.holder.ended IS 'since when its identities are free; NULL: it lives';
-- For people; no lease depends on them. Servers that are connected use them from their next connection on.
ALTER TABLE idgen_registry.holder ADD COLUMN IF NOT EXISTS clock_offset interval;
ALTER TABLE idgen_registry.holder ADD COLUMN IF NOT EXISTS clock_error interval;
COMMENT ON COLUMN idgen_registry.holder.clock_offset IS
  'how far its clock was ahead of this server''s, as seen just before its last renewal but one; NULL: unknown';
COMMENT ON COLUMN idgen_registry.holder.clock_error IS 'by how much that may be wrong: half of the round trip';

CREATE TABLE IF NOT EXISTS idgen_registry.identity (
  pool text NOT NULL CHECK (length(pool) BETWEEN 1 AND 63),
  datacenter integer NOT NULL CHECK (datacenter >= -1),
  machine integer NOT NULL CHECK (machine >= -1),
  shard integer NOT NULL CHECK (shard >= -1),
  holder text,
  used_until timestamptz(3) NOT NULL
    CHECK (used_until >= '1970-01-01 00:00:00+00' AND used_until < '10000-01-01 00:00:00+00'),
  banned boolean NOT NULL DEFAULT false,
  PRIMARY KEY (pool, datacenter, machine, shard),
  FOREIGN KEY (pool, holder) REFERENCES idgen_registry.holder (pool, token)
);
COMMENT ON TABLE idgen_registry.identity IS 'identities that were ever held or banned; -1: the layout has no such field';
COMMENT ON COLUMN idgen_registry.identity.holder IS
  'the token of the holder that it was given to last; it is free if that has ended';
COMMENT ON COLUMN idgen_registry.identity.used_until IS
  'the holders before the last one made no ID of this time or later; the last one has made none of an earlier time';
COMMENT ON COLUMN idgen_registry.identity.banned IS 'true: nobody may claim it';

CREATE INDEX IF NOT EXISTS identity_holder ON idgen_registry.identity (pool, holder);

-- The scheme of a pool: what all its servers go by.
CREATE TABLE IF NOT EXISTS idgen_registry.pool (
  pool text NOT NULL CHECK (length(pool) BETWEEN 1 AND 63),
  version bigint NOT NULL CHECK (version >= 0),
  PRIMARY KEY (pool)
);
COMMENT ON TABLE idgen_registry.pool IS 'which version of its scheme a pool has; no row: 0, for none';
COMMENT ON COLUMN idgen_registry.pool.version IS
  'the latest one of idgen_registry.scheme; whoever enrols a holder has this row locked FOR SHARE until the commit';

CREATE TABLE IF NOT EXISTS idgen_registry.scheme (
  pool text NOT NULL CHECK (length(pool) BETWEEN 1 AND 63),
  version bigint NOT NULL CHECK (version >= 1),
  scheme text NOT NULL CHECK (octet_length(scheme) < 65536),
  changed_by text NOT NULL CHECK (length(changed_by) < 128),
  changed_at timestamptz(3) NOT NULL
    CHECK (changed_at >= '1970-01-01 00:00:00+00' AND changed_at < '10000-01-01 00:00:00+00'),
  PRIMARY KEY (pool, version)
);
COMMENT ON TABLE idgen_registry.scheme IS 'all versions of the schemes: never altered or deleted';
COMMENT ON COLUMN idgen_registry.scheme.changed_by IS 'for people';
COMMENT ON COLUMN idgen_registry.scheme.changed_at IS 'by the clock of whoever wrote it';

ALTER TABLE idgen_registry.holder ADD COLUMN IF NOT EXISTS acknowledged bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN idgen_registry.holder.acknowledged IS
  'the version of the scheme that it goes by; 0: none, or it knows of no schemes';

-- Nobody becomes a holder who does not go by the latest version, not even a program that knows of no
-- schemes. The lock makes whoever writes a version wait for enrolments that are not committed, so
-- that he sees all holders of before; and an enrolment that waited for him sees his version.
CREATE OR REPLACE FUNCTION idgen_registry.check_scheme() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  latest bigint;
BEGIN
  INSERT INTO idgen_registry.pool (pool, version) VALUES (NEW.pool, 0) ON CONFLICT (pool) DO NOTHING;
  SELECT p.version INTO STRICT latest FROM idgen_registry.pool p WHERE p.pool = NEW.pool FOR SHARE;
  IF NEW.acknowledged IS DISTINCT FROM latest THEN
    RAISE EXCEPTION 'pool "%" has version % of its scheme, and the new holder goes by version %',
        NEW.pool, latest, NEW.acknowledged
      USING ERRCODE = 'ID001',
        HINT = 'Let it go by that version. One that knows of no versions is of an earlier idgen, or may not read '
               'idgen_registry.pool and idgen_registry.scheme.';
  END IF;
  RETURN NULL;
END $body$;
REVOKE ALL ON FUNCTION idgen_registry.check_scheme() FROM PUBLIC;  -- who inserts holders needs no right to it
COMMENT ON FUNCTION idgen_registry.check_scheme() IS 'nobody becomes a holder who does not go by the latest version';
DO $do$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
                 WHERE t.tgrelid = 'idgen_registry.holder'::pg_catalog.regclass AND t.tgname = 'check_scheme') THEN
    CREATE TRIGGER check_scheme AFTER INSERT ON idgen_registry.holder
      FOR EACH ROW EXECUTE FUNCTION idgen_registry.check_scheme();
  END IF;
END $do$;
)sql";

}  // namespace idgen::registry

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
--
-- Never lower used_until, never set ended back to NULL, and do not delete rows: each can make
-- duplicates. An identity is given up by setting "ended" of its holder, whatever it does meanwhile.

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
)sql";

}  // namespace idgen::registry

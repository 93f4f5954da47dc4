#include "postgresql_statements.h"

namespace idgen::registry::sql {

// Nothing that a role, a database or a pooler has set may count. An asynchronous commit that a
// crash of the registry forgets would be a used_until that is lowered; remote_apply may stay.
// $1: the timeout in milliseconds.
const char kTransaction[] =
    R"sql(BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT set_config('statement_timeout', $1, true),
       set_config('synchronous_commit',
                  CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true);
)sql";

// $1 pool, $2 token, $3 name, $4 used_until, $5 term, $6 clock_offset, $7 clock_error, $8 the
// version of the scheme that it goes by. No row: the holder has ended. kIsStale: it would be new,
// and the pool has another version.
// With the same token a second time it waits for the first and then sees its row, whatever its
// snapshot is. (A copy of this statement that arrives after kForget has deleted the holder would
// revive it: hence the days that kForget waits.)
// The last column: the latest version; or, where the tables of schemes were not there, whether they
// are there now.
const char kEnrol[] =
    R"sql(INSERT INTO idgen_registry.holder AS h (pool, token, name, used_until, expires
  /*clock?*/, clock_offset, clock_error/*.*/ /*scheme?*/, acknowledged/*.*/)
VALUES ($1::text, $2::text, $3::text, $4::timestamptz, clock_timestamp() + $5::interval
  /*clock?*/, $6::interval, $7::interval/*.*/ /*scheme?*/, $8::bigint/*.*/)
ON CONFLICT (pool, token) DO UPDATE
SET /*clock?*/clock_offset = $6::interval, clock_error = $7::interval,/*.*/
    /*scheme?*/acknowledged = CASE
      WHEN $8::bigint > h.acknowledged
           AND $8::bigint <= (SELECT p.version FROM idgen_registry.pool p WHERE p.pool = $1::text)
      THEN $8::bigint ELSE h.acknowledged END,/*.*/
    used_until = CASE WHEN h.used_until >= $4::timestamptz THEN h.used_until
                      WHEN h.used_until < $4::timestamptz THEN $4::timestamptz END,
    expires = clock_timestamp() + $5::interval
WHERE h.ended IS NULL
RETURNING (extract(epoch FROM h.used_until) * 1000)::bigint,
          (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
          /*scheme?*/coalesce((SELECT coalesce(p.version, -1) FROM idgen_registry.pool p
                               WHERE p.pool = $1::text), 0)
          /*:*/(to_regclass('idgen_registry.scheme') IS NOT NULL)::integer/*.*/)sql";

// $1 pool, $2 token, $3 used_until, $4 term, $5 clock_offset, $6 clock_error, $7 the version of the
// scheme that it goes by. No row: it has ended. The last column: see kEnrol.
// If others end it at the same time, one waits for the other's lock and checks `ended` again.
// CASE instead of greatest(), which takes no notice of a NULL that somebody left there. The pool's
// row is read without a lock, by a snapshot that is taken after the call began.
const char kRenew[] =
    R"sql(UPDATE idgen_registry.holder h
SET /*clock?*/clock_offset = $5::interval, clock_error = $6::interval,/*.*/
    /*scheme?*/acknowledged = CASE
      WHEN $7::bigint > h.acknowledged
           AND $7::bigint <= (SELECT p.version FROM idgen_registry.pool p WHERE p.pool = $1::text)
      THEN $7::bigint ELSE h.acknowledged END,/*.*/
    used_until = CASE WHEN h.used_until >= $3::timestamptz THEN h.used_until
                      WHEN h.used_until < $3::timestamptz THEN $3::timestamptz END,
    expires = clock_timestamp() + $4::interval
WHERE h.pool = $1::text AND h.token = $2::text AND h.ended IS NULL
RETURNING (extract(epoch FROM h.used_until) * 1000)::bigint,
          (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
          /*scheme?*/coalesce((SELECT coalesce(p.version, -1) FROM idgen_registry.pool p
                               WHERE p.pool = $1::text), 0)
          /*:*/(to_regclass('idgen_registry.scheme') IS NOT NULL)::integer/*.*/)sql";

// $1 pool, $2 token, $3 to $5 arrays of datacenters, machines and shards.
// `me` is complete, its row locked, before the first identity is inserted. Identities are taken in
// one order, so that two claims do not wait for each other in a circle. ON CONFLICT locks the
// identity and goes by its latest version (2 above); the holder that it names is read by the
// snapshot, which 1 above allows. If two insert the same identity, the second waits and takes the
// way of the conflict. What the holder has already stays as it is, banned or not. A row for each
// identity asked for: 'stale' means that the snapshot shows it free and the latest version does
// not, or that it was not there: ask again. 'expired': see kEnd.
const char kClaim[] =
    R"sql(WITH me AS MATERIALIZED (
  SELECT h.token FROM idgen_registry.holder h
  WHERE h.pool = $1::text AND h.token = $2::text AND h.ended IS NULL
  FOR NO KEY UPDATE
), wanted AS (
  SELECT * FROM unnest($3::integer[], $4::integer[], $5::integer[])
    WITH ORDINALITY AS w (datacenter, machine, shard, n)
), taken AS (
  INSERT INTO idgen_registry.identity AS i (pool, datacenter, machine, shard, holder, used_until)
  SELECT DISTINCT $1::text, w.datacenter, w.machine, w.shard, me.token, timestamptz 'epoch'
  FROM me CROSS JOIN wanted w
  ORDER BY 2, 3, 4
  ON CONFLICT (pool, datacenter, machine, shard) DO UPDATE
  SET holder = EXCLUDED.holder,
      used_until = CASE WHEN i.holder IS NULL OR i.holder = EXCLUDED.holder THEN i.used_until
                        ELSE (SELECT CASE WHEN h.used_until >= i.used_until THEN h.used_until
                                          WHEN h.used_until < i.used_until THEN i.used_until END
                              FROM idgen_registry.holder h
                              WHERE h.pool = i.pool AND h.token = i.holder) END
  WHERE i.holder = EXCLUDED.holder
     OR NOT i.banned
        AND (i.holder IS NULL
             OR EXISTS (SELECT FROM idgen_registry.holder h
                        WHERE h.pool = i.pool AND h.token = i.holder AND h.ended IS NOT NULL))
  RETURNING i.datacenter, i.machine, i.shard, i.used_until
)
SELECT (SELECT count(*) FROM me),
       CASE WHEN t.machine IS NOT NULL THEN 'granted'
            WHEN i.banned THEN 'banned'
            WHEN h.token IS NULL OR h.ended IS NOT NULL THEN 'stale'
            WHEN h.expires < clock_timestamp() THEN 'expired'
            ELSE 'held' END,
       (extract(epoch FROM t.used_until) * 1000)::bigint,
       h.name
FROM wanted w
LEFT JOIN taken t ON t.datacenter = w.datacenter AND t.machine = w.machine AND t.shard = w.shard
LEFT JOIN idgen_registry.identity i ON i.pool = $1::text AND i.datacenter = w.datacenter
                                   AND i.machine = w.machine AND i.shard = w.shard
LEFT JOIN idgen_registry.holder h ON h.pool = i.pool AND h.token = i.holder
ORDER BY w.n)sql";

// $1 pool, $2 to $4 arrays: ends the holders of these identities whose time is up, and no others: a
// holder that was cut off for a while keeps what nobody wants. A row for each that it ended.
// FOR NO KEY UPDATE checks the time again on the latest version, and so does the UPDATE. A
// holder that is locked is renewed, claims or is ended at this moment: it is passed over.
const char kEnd[] =
    R"sql(UPDATE idgen_registry.holder h SET ended = h.expires
WHERE h.pool = $1::text AND h.ended IS NULL AND h.expires < clock_timestamp()
  AND h.token IN (SELECT o.token FROM idgen_registry.holder o
                  WHERE o.pool = $1::text AND o.ended IS NULL AND o.expires < clock_timestamp()
                    AND o.token IN (SELECT i.holder
                                    FROM unnest($2::integer[], $3::integer[], $4::integer[])
                                      AS w (datacenter, machine, shard)
                                    JOIN idgen_registry.identity i
                                      ON i.pool = $1::text AND i.datacenter = w.datacenter
                                     AND i.machine = w.machine AND i.shard = w.shard)
                  FOR NO KEY UPDATE SKIP LOCKED)
RETURNING h.token)sql";

// $1 pool, $2 token, $3 datacenter, $4 the first and $5 the last machine, $6 now by the holder's
// clock, $7 true: others were faster the last time, so take any of the equally good ones. Only says
// which machine is worth a claim: nothing depends on its being right. One row: whether the holder
// lives, and the machine, or NULL.
const char kPick[] =
    R"sql(WITH me AS (
  SELECT h.ended IS NULL AS lives, h.name FROM idgen_registry.holder h
  WHERE h.pool = $1::text AND h.token = $2::text
), known AS MATERIALIZED (
  SELECT i.machine, i.banned, i.holder = $2::text AS mine,
         i.holder IS NULL AND i.used_until = timestamptz 'epoch' AS never,
         i.holder IS NULL OR h.ended IS NOT NULL OR h.expires < clock_timestamp() AS free,
         greatest(i.used_until, h.used_until) > $6::timestamptz AS later,
         coalesce(h.ended, h.expires) AS since, h.name
  FROM idgen_registry.identity i
  LEFT JOIN idgen_registry.holder h ON h.pool = i.pool AND h.token = i.holder
  WHERE i.pool = $1::text AND i.datacenter = $3::integer
    AND i.machine BETWEEN $4::integer AND $5::integer AND i.shard = -1
), unknown AS (
  SELECT g.machine
  FROM (SELECT $4::integer
        UNION ALL
        SELECT k.machine + 1 FROM known k WHERE k.machine < $5::integer
        UNION ALL
        SELECT $4::integer + floor(random() * ($5::bigint - $4::bigint + 1))::integer
        FROM generate_series(1, 8) WHERE $7::boolean) AS g (machine)
  WHERE NOT EXISTS (SELECT FROM known k WHERE k.machine = g.machine)
  ORDER BY CASE WHEN $7::boolean THEN random() END, g.machine
  LIMIT 1
)
SELECT (SELECT me.lives FROM me),
       (SELECT c.machine
        FROM (SELECT k.machine, coalesce(k.mine, false) AS mine, k.later,
                     coalesce(k.name = (SELECT me.name FROM me), false) AS same, k.never, k.since
              FROM known k WHERE k.mine OR k.free AND NOT k.banned
              UNION ALL
              SELECT u.machine, false, false, false, true, NULL FROM unknown u) c
        ORDER BY c.mine DESC, c.later, c.same DESC, c.never DESC,
                 CASE WHEN $7::boolean THEN random() END, c.since NULLS FIRST, c.machine
        LIMIT 1))sql";

// $1 pool, $2 token, $3 used_until. No row: it had ended, and stays as it is.
// The holder itself says what it used, so this may lower what was granted; together with
// `ended`, so that nobody sees the one without the other.
const char kRelease[] =
    R"sql(UPDATE idgen_registry.holder h SET used_until = $3::timestamptz, ended = clock_timestamp()
WHERE h.pool = $1::text AND h.token = $2::text AND h.ended IS NULL
RETURNING h.token)sql";

// $1 pool. Changes nothing.
const char kList[] =
    R"sql(SELECT i.datacenter, i.machine, i.shard, i.banned, h.token IS NOT NULL AND h.ended IS NULL,
       (extract(epoch FROM CASE WHEN h.token IS NULL THEN i.used_until
                                WHEN h.ended IS NULL THEN h.used_until
                                WHEN h.used_until >= i.used_until THEN h.used_until
                                WHEN h.used_until < i.used_until THEN i.used_until END) * 1000)::bigint,
       (extract(epoch FROM h.expires - clock_timestamp()) * 1000)::bigint,
       h.name
       /*clock?*/, (extract(epoch FROM h.clock_offset) * 1000000)::bigint,
       (extract(epoch FROM h.clock_error) * 1000000)::bigint/*.*/
FROM idgen_registry.identity i
LEFT JOIN idgen_registry.holder h ON h.pool = i.pool AND h.token = i.holder
WHERE i.pool = $1::text
  AND (i.banned OR i.holder IS NOT NULL OR i.used_until > timestamptz 'epoch')
ORDER BY i.datacenter, i.machine, i.shard)sql";

// $1 pool, $2 datacenter, $3 machine, $4 shard. No row: nobody held it.
// If the identity passes to another holder meanwhile, the one that it had by the snapshot has
// ended, and this was before.
const char kEvict[] =
    R"sql(UPDATE idgen_registry.holder h SET ended = clock_timestamp()
WHERE h.pool = $1::text AND h.ended IS NULL
  AND h.token = (SELECT i.holder FROM idgen_registry.identity i
                 WHERE i.pool = $1::text AND i.datacenter = $2::integer
                   AND i.machine = $3::integer AND i.shard = $4::integer)
RETURNING h.token)sql";

// $1 pool, $2 datacenter, $3 machine, $4 shard, $5 banned. A claim and a ban of one identity wait
// for each other's lock.
const char kBan[] =
    R"sql(INSERT INTO idgen_registry.identity AS i (pool, datacenter, machine, shard, used_until, banned)
VALUES ($1::text, $2::integer, $3::integer, $4::integer, timestamptz 'epoch', $5::boolean)
ON CONFLICT (pool, datacenter, machine, shard) DO UPDATE SET banned = EXCLUDED.banned
RETURNING i.banned)sql";

// $1 pool. Forgets holders that ended long ago, that no identity points to, and that made no IDs of
// a time that anybody could still propose for a change, by the clocks of those who live, too: this
// one may be wrong. No identity can point to them later, since a holder that has ended does not
// claim; the foreign key sees to it as well.
const char kForget[] =
    R"sql(DELETE FROM idgen_registry.holder h
WHERE h.pool = $1::text AND h.ended < clock_timestamp() - interval '7 days'
  AND h.expires < clock_timestamp() - interval '7 days'
  AND h.used_until < clock_timestamp() - interval '7 days'
  AND h.used_until < (SELECT min(o.used_until) FROM idgen_registry.holder o
                      WHERE o.pool = h.pool AND o.ended IS NULL) - interval '7 days'
  AND NOT EXISTS (SELECT FROM idgen_registry.identity i
                  WHERE i.pool = h.pool AND i.holder = h.token)
RETURNING h.token)sql";

// --- the scheme --------------------------------------------------------------------------------

const char kLatest[] =
    R"sql(SELECT p.version FROM idgen_registry.pool p WHERE p.pool = $1::text)sql";

// $1 pool, $2 a version, -1 for the latest or -2 for all. A row for each version that there should
// be, in order, with the latest one in the first column. If there is none to show: one row without
// a version, or none at all.
const char kReadScheme[] =
    R"sql(SELECT coalesce(p.version, -1), v.version, s.scheme, s.changed_by,
       (extract(epoch FROM s.changed_at) * 1000)::bigint
FROM idgen_registry.pool p
LEFT JOIN generate_series(
  CASE $2::bigint WHEN -1 THEN greatest(p.version, 1) WHEN -2 THEN 1 ELSE greatest($2::bigint, 1) END,
  CASE WHEN $2::bigint < 0 THEN p.version ELSE least($2::bigint, p.version) END) AS v (version) ON true
LEFT JOIN idgen_registry.scheme s ON s.pool = p.pool AND s.version = v.version
WHERE p.pool = $1::text
ORDER BY v.version)sql";

// $1 pool, $2 version, $3 scheme, $4 changed_by, $5 changed_at. No row: it is not the one after the
// latest.
// The pool's row is locked first, in its latest version, and checked; so one of two writers waits
// for the other, and both wait for enrolments (5 in the header). A pool without a row gets one only
// with its version 1.
const char kWriteScheme[] =
    R"sql(WITH latest AS (
  INSERT INTO idgen_registry.pool AS p (pool, version)
  SELECT $1::text, $2::bigint
  WHERE $2::bigint = 1 OR EXISTS (SELECT FROM idgen_registry.pool k WHERE k.pool = $1::text)
  ON CONFLICT (pool) DO UPDATE SET version = EXCLUDED.version WHERE p.version = EXCLUDED.version - 1
  RETURNING p.version
), written AS (
  INSERT INTO idgen_registry.scheme (pool, version, scheme, changed_by, changed_at)
  SELECT $1::text, l.version, $3::text, $4::text, $5::timestamptz FROM latest l
  RETURNING version
)
SELECT w.version, pg_notify('idgen_scheme', $1::text) FROM written w)sql";

// $1 pool: ends the holders whose time is up. As kEnd.
const char kEndAll[] =
    R"sql(UPDATE idgen_registry.holder h SET ended = h.expires
WHERE h.pool = $1::text AND h.ended IS NULL AND h.expires < clock_timestamp()
  AND h.token IN (SELECT o.token FROM idgen_registry.holder o
                  WHERE o.pool = $1::text AND o.ended IS NULL AND o.expires < clock_timestamp()
                  FOR NO KEY UPDATE SKIP LOCKED)
RETURNING h.token)sql";

// $1 pool. In the order of their bytes, whatever the database's collation is.
const char kHolders[] =
    R"sql(SELECT h.token, h.name, h.ended IS NULL, (extract(epoch FROM h.used_until) * 1000)::bigint,
       (extract(epoch FROM h.expires - clock_timestamp()) * 1000)::bigint, h.acknowledged
FROM idgen_registry.holder h
WHERE h.pool = $1::text
ORDER BY h.name COLLATE "C", h.token COLLATE "C")sql";

const char kListen[] = "LISTEN idgen_scheme;\nSELECT true";

}  // namespace idgen::registry::sql

// The high-water mark of the current database: a time, in milliseconds since 1970, that no ID
// handed out here is later than. It is written ahead of use, with generic WAL, flushed, and
// replicated where synchronous replication is asked for.
#pragma once

#include "pg.h"

#include <cstdint>

#include "sequence.h"
#include "shared.h"

namespace idgen::pg {

// Makes the mark durable at `needed_ms` or later; if that takes writing, at
// `wanted_ms`, which is not smaller. Takes part in no transaction: what it wrote stays
// when the transaction is rolled back. Also finds out whether the mark was written by
// an earlier run of the server, or restored from a dump, and then raises Root::floor_ms.
// May look into catalogs, wait for a lock on the sequence, for the disk and for standbys;
// must not be called with an LWLock held.
void AdvanceMark(DatabaseMark& database, std::int64_t needed_ms, std::int64_t wanted_ms);

// The same, unless another session is doing it already, or has just written `needed_ms` or
// later and is waiting for standbys. Never waits for that session.
void AdvanceMarkEarly(DatabaseMark& database, std::int64_t needed_ms, std::int64_t wanted_ms);

// Finds out what the mark of the current database is, and claims its page for this run of the
// server; for all sessions but the first of a database this is a look at the page. Returns what
// the session is to go by: what the server knows of the database, or something of its own
// while its own transaction may still take the mark's file back. Waits and errors as for
// AdvanceMark(); also an error while a restored mark holds for this database (restore.h).
DatabaseMark& AttachMark();

// The time, in milliseconds since 1970, below which the session may hand out IDs of the
// database: its mark, as far as it is as durable as the session needs.
std::int64_t DurableMs(const DatabaseMark& database);

// The mark on a page of this database or another one, where the clock shows `now_ms`.
std::int64_t MarkOf(const MarkPage& page, std::int64_t now_ms);

// The largest time that this server has handed out IDs up to, or found that others have: every
// mark that is written is at least that.
std::int64_t KnownMs(const Root& shared);

// Registers for invalidations of the mark's sequence, and for ends of transactions; once, from
// _PG_init.
void WatchMark();

}  // namespace idgen::pg

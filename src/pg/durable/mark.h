// The high-water mark of the current database: a time, in milliseconds since 1970. No ID handed out
// in the database has a later time. The mark is written ahead of use with generic WAL, flushed, and
// replicated if synchronous replication is in use.
#pragma once

#include "pg.h"

#include <cstdint>

#include "sequence.h"
#include "shared.h"

namespace idgen::pg {

// Makes the mark durable at `needed_ms` or later. If it has to write, it writes `wanted_ms`, which
// is not smaller. It takes part in no transaction: a rollback does not undo the write. It also
// detects a mark that an earlier run of the server wrote, or that was restored from a dump, and
// then raises Root::floor_ms. May read catalogs and wait for a lock on the sequence, for the disk
// and for standbys. Must not be called with an LWLock held.
void AdvanceMark(DatabaseMark& database, std::int64_t needed_ms, std::int64_t wanted_ms);

// Does the same, unless another session is doing it already, or has just written `needed_ms` or
// later and is waiting for standbys. Never waits for that session.
void AdvanceMarkEarly(DatabaseMark& database, std::int64_t needed_ms, std::int64_t wanted_ms);

// Finds the mark of the current database and claims its page for this run of the server. Only the
// first session of a database writes; for the others this is a look at the page. Returns what the
// session must use: the server's entry for the database, or the session's own while its own
// transaction may still take back the mark's file. Waits and errors as for AdvanceMark(). Also an
// error while a restored mark holds for this database (restore.h).
DatabaseMark& AttachMark();

// Returns the time, in milliseconds since 1970, below which the session may hand out IDs of the
// database: its mark, as far as the mark is as durable as the session needs.
std::int64_t DurableMs(const DatabaseMark& database);

// Returns the mark on a page, of this database or another, when the clock shows `now_ms`.
std::int64_t MarkOf(const MarkPage& page, std::int64_t now_ms);

// Registers for invalidations of the mark's sequence and for ends of transactions; once, from
// _PG_init.
void WatchMark();

}  // namespace idgen::pg

// The high-water mark of the current database: a sequence of the extension whose
// value is a time, in milliseconds since 1970, that no ID handed out here is later
// than. It is written ahead of use, with generic WAL, flushed, and replicated where
// synchronous replication is asked for.
#pragma once

#include "pg.h"

#include <cstdint>

#include "shared.h"

namespace idgen::pg {

// Makes the mark durable at `needed_ms` or later; if that takes writing, at
// `wanted_ms`, which is not smaller. Takes part in no transaction: what it wrote stays
// when the transaction is rolled back. Also finds out whether the mark was written by
// an earlier run of the server, or restored from a dump, and then raises Root::floor_ms.
// May look into catalogs, wait for a lock on the sequence, for the disk and for standbys;
// must not be called with an LWLock held, but for DatabaseMark::writing (see mark.cpp).
void AdvanceMark(DatabaseMark& database, std::int64_t needed_ms, std::int64_t wanted_ms);

// The same, unless another session is doing it already, or has just written `needed_ms` or
// later and is waiting for standbys. Never waits for that session.
void AdvanceMarkEarly(DatabaseMark& database, std::int64_t needed_ms, std::int64_t wanted_ms);

// The name of the sequence in the extension's schema.
inline constexpr char kMarkSequence[] = "idgen_high_water_mark";

// Opens it, as OpenSequence() does.
Relation OpenMark();

// Registers for invalidations of the sequence; once, from _PG_init.
void WatchMarkSequence();

}  // namespace idgen::pg

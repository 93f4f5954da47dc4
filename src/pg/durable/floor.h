// The floor: the latest of all databases' high-water marks as the server's start found
// them. An ID space belongs to the server and a mark to a database, so the first
// position of this run must lie beyond the marks of all databases, and not only of the
// one that makes the first ID.
//
// And the other way round: leaving behind what is known in another database's mark, where the
// own one is about to go.
#pragma once

#include "pg.h"

#include "shared.h"

namespace idgen::pg {

// Reads the marks of all databases and raises Root::floor_ms to the latest, and adds
// their holds; once a server start, and after that it costs one load. Waits for nobody's lock for
// more than a second in all.
void FindFloor(Root& shared);

// Makes a mark durable at `mark_ms` or later where it will stay: in another file of the current
// database (the one that a transaction of this session is about to take away), or in another
// database. Leaves out a database or a file, both may be invalid. Returns where the log was
// flushed to; InvalidXLogRecPtr when there is no such place.
XLogRecPtr LeaveMark(std::int64_t mark_ms, Oid except_database, RelFileNumber except_file);

// Registers the hook that leaves a mark behind when a database or the extension is dropped by a
// session that has the module; once, from _PG_init.
void WatchDrops();

}  // namespace idgen::pg

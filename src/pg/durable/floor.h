// The floor: the latest high-water mark of all databases, as found at the server's start. An ID
// space belongs to the server and a mark to a database. So the first position of this run must lie
// beyond the marks of all databases, not only beyond that of the database that makes the first ID.
//
// The reverse too: when a mark is about to go, what it covers is left in the mark of another
// database.
#pragma once

#include "pg.h"

#include "shared.h"

namespace idgen::pg {

// Reads the marks of all databases, raises Root::floor_ms to the latest, and adds their holds. It
// does so once per server start; later calls cost one load. Waits at most a second in all for locks
// of others.
void FindFloor(Root& shared);

// Makes a mark durable at `mark_ms` or later in a place that will stay: in another file of the
// current database (the file that a transaction of this session is about to replace), or in another
// database. Leaves out one database and one file; either may be invalid. Returns the position up to
// which the log was flushed; InvalidXLogRecPtr if there is no such place.
XLogRecPtr LeaveMark(std::int64_t mark_ms, Oid except_database, RelFileNumber except_file);

// Registers the hook that leaves a mark behind when a session that has loaded the module drops a
// database or the extension; once, from _PG_init.
void WatchDrops();

}  // namespace idgen::pg

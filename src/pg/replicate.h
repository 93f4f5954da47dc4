// Synchronous replication of what belongs to no commit.
#pragma once

#include "pg.h"

namespace idgen::pg {

// Waits until the synchronous standbys have flushed the write-ahead log up to `lsn`, if there
// are any and synchronous_commit asks for it: as a commit does. Not with an LWLock held. An
// error when the wait was cancelled.
void WaitForStandbys(XLogRecPtr lsn);

}  // namespace idgen::pg

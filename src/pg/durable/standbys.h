// Synchronous replication of writes that belong to no commit.
//
// One session must not decide which IDs the standbys must have covered: the next ID goes to another
// session. So the server's own synchronous_commit counts, as the configuration files set it. A
// session, a role or a database can only ask for more.
#pragma once

#include "pg.h"

namespace idgen::pg {

// Whether this session must wait for synchronous standbys before it hands out an ID.
bool MustReplicate();

// Waits until the synchronous standbys have flushed the write-ahead log up to `lsn`, if this
// session must. Not with an LWLock held. An error if the wait was cancelled, which names what the
// standbys were to have.
void WaitForStandbys(XLogRecPtr lsn, const char* what = "high-water mark");

}  // namespace idgen::pg

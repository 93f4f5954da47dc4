// Synchronous replication of what belongs to no commit.
//
// Which IDs the standbys must know to be covered is not for one session to say: another one is
// given the next of them. So the server's own setting of synchronous_commit counts, as the
// configuration files have it, and a session, a role or a database can only ask for more.
#pragma once

#include "pg.h"

namespace idgen::pg {

// Whether this session must wait for synchronous standbys before it hands out an ID.
bool MustReplicate();

// Waits until the synchronous standbys have flushed the write-ahead log up to `lsn`, if this
// session must. Not with an LWLock held. An error when the wait was cancelled.
void WaitForStandbys(XLogRecPtr lsn);

}  // namespace idgen::pg

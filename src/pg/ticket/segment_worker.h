// The background worker that fetches segments from ticket servers. It has no database connection,
// so it is in the way of no DROP DATABASE; and it is not the one that holds leases, so that a
// ticket server that hangs is not felt there.
#pragma once

#include "pg.h"

namespace idgen::pg {

// Tells the worker that a segment was ordered; starts it if there is none. If none can be started,
// that is an error if the caller waits for the segment.
void WakeTicketWorker(bool is_needed);

// Registers it to start with the server, if ticket servers are set; from _PG_init when preloaded.
void RegisterTicketWorker();

}  // namespace idgen::pg

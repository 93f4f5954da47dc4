// The background worker that holds this server's identities in the registry. It has no database
// connection, so it is in the way of no DROP DATABASE, and no session ever talks to the registry
// for an ID.
#pragma once

#include "pg.h"

namespace idgen::pg {

// Wakes the worker; starts one if there is none. An error if no worker can be started.
void WakeLeaseWorker();

// Registers it to start with the server, if a registry is set; from _PG_init when preloaded.
void RegisterLeaseWorker();

}  // namespace idgen::pg

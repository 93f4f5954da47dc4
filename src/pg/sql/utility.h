// What a session that goes on as another one's leaves behind: DISCARD, and RESET of settings.
// A pooler sends them between two of its clients.
//
// PostgreSQL calls a module for neither. So this is a ProcessUtility_hook, in a chain with those
// of others; a command that fails, or that somebody's hook swallows with an error, tells nobody.
#pragma once

#include "pg.h"

namespace idgen::pg {

// Registers the hook; once, from _PG_init.
void WatchUtility();

}  // namespace idgen::pg

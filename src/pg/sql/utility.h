// Handles what a session leaves behind when a pooler gives it to another client: DISCARD, and RESET
// of settings.
//
// PostgreSQL calls a module for neither. So this is a ProcessUtility_hook, chained with those of
// other modules. If a command fails, or another module's hook swallows it with an error, this hook
// learns nothing.
#pragma once

#include "pg.h"

namespace idgen::pg {

// Registers the hook; once, from _PG_init.
void WatchUtility();

}  // namespace idgen::pg

// The settings (docs/settings.md). The values are plain variables that PostgreSQL's GUC
// machinery writes; everything else reads them through these functions.
#pragma once

#include "pg.h"

#include "core/guard.h"
#include "core/layout.h"

namespace idgen::pg {

// Defines the settings; once, from _PG_init.
void DefineSettings();

// The identity of this server by the settings. A shard that is unset is 0 here.
Identity IdentityFromSettings();

// Whether idgen.shard_id is set.
bool ShardIsSet();

// How the guard is set, in the core's units.
GuardSettings GuardFromSettings();

// idgen.reserve_window, in milliseconds.
int ReserveWindowMs();

// idgen.block_size: IDs that a session takes at a time.
int BlockSize();

}  // namespace idgen::pg

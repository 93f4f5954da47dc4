// The settings (docs/settings.md). The values are plain variables that PostgreSQL's GUC
// machinery writes; everything else reads them through these functions.
#pragma once

#include "pg.h"

#include "core/guard.h"
#include "core/layout.h"

namespace idgen::pg {

// Defines the settings; once, from _PG_init.
void DefineSettings();

// Refuses to go on where a setting of idgen was given and was not accepted, or has a name that
// is none of ours: IDs would be made with other settings than somebody meant, and perhaps with
// another server's identity. PostgreSQL itself only warns of that when the module is loaded.
void CheckSettings();

// The session's settings were reset: all of them (nullptr), or one.
void OnSettingsReset(const char* name);

// The identity of this server by the settings. A shard that is unset is 0 here.
Identity IdentityFromSettings();

// Whether idgen.shard_id is set.
bool ShardIsSet();

// How the guard is set, in the core's units.
GuardSettings GuardFromSettings();

// idgen.reserve_window, in milliseconds.
int ReserveWindowMs();

// idgen.max_clock_step; 0: off.
std::int64_t MaxClockStepUs();

// idgen.block_size: IDs that a session takes at a time.
int BlockSize();

}  // namespace idgen::pg

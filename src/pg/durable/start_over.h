// The hold: what is left behind when a clock was far ahead *while IDs were made*, and
// idgen_start_over() lets the server go on without waiting for that time.
//
// The mark had to follow the clock, and holds every ID space back until its time comes. All
// that idgen knows for certain is that a machine ID that was never used has no IDs up there.
// So idgen_start_over(machine_id) puts the mark back to now, for that machine ID alone, and
// leaves a hold for all others: no ID below `held_until`. It takes effect with the next start
// of the server, so that nothing that sessions have cached can be wrong; until then, nothing
// is handed out.
//
// The hold stands in the mark's record, so that a dump, a standby and a backup carry it.
#pragma once

#include "pg.h"

#include "shared.h"

namespace idgen::pg {

// Takes the hold of a database into account, the current one or another: all ID spaces below
// `held_until_ms` but those of `machine_id` may be used up. 0: there is none.
void AddHold(Root& shared, std::int64_t held_until_ms, std::int64_t machine_id);

// The machine ID that two holds leave out together: that of both, or none.
std::int64_t FreshOfBoth(std::int64_t held_until_ms, std::int64_t machine_id,
                         std::int64_t other_machine_id);

// The time, in milliseconds since 1970, before which this server may hand out nothing with a
// machine ID (kNoMachine: with none).
std::int64_t FloorOf(std::int64_t machine_id);

// Refuses to go on while a restart is needed.
void CheckRestart(const Root& shared);

}  // namespace idgen::pg

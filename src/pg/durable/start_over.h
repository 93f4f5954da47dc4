// The hold: what remains after a clock was far ahead *while IDs were made*, and idgen_start_over()
// lets the server go on without waiting for that time.
//
// The mark had to follow the clock, and holds back every ID space until its time comes. All that
// idgen knows for certain is that a machine ID that was never used has no IDs up there. So
// idgen_start_over(machine_id) sets the mark back to now for that machine ID alone, and leaves a
// hold for all others: no ID below `held_until`. It takes effect at the server's next start, so
// that nothing that sessions have cached can be wrong. Until then no IDs are handed out.
//
// The hold is part of the mark's record, so dumps, standbys and backups carry it.
#pragma once

#include "pg.h"

#include "shared.h"

namespace idgen::pg {

// Adds the hold of a database, the current one or another: all ID spaces may be used up to
// `held_until_ms`, except those of `machine_id`. 0: there is no hold.
void AddHold(Root& shared, std::int64_t held_until_ms, std::int64_t machine_id);

// Returns the machine ID that two holds together exempt: the one in both, or none.
std::int64_t FreshOfBoth(std::int64_t held_until_ms, std::int64_t machine_id,
                         std::int64_t other_machine_id);

// Returns the time, in milliseconds since 1970, before which this server must not hand out IDs with
// a machine ID (kNoMachine: IDs without one; kFreshAnyway: IDs that no other run can have made).
std::int64_t FloorOf(std::int64_t machine_id);

// Reports an error while a restart is needed.
void CheckRestart(const Root& shared);

}  // namespace idgen::pg

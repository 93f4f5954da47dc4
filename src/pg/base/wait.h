// Waits, cancellably and without a lock.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

// What pg_stat_activity shows as the wait event, from PostgreSQL 17 on.
enum class WaitReason : std::uint8_t {
  kTick,     // IdgenTick: all IDs of a tick are used up
  kClock,    // IdgenClock: the clock is behind
  kMark,     // IdgenMark: the high-water mark, or another page of a sequence
  kLease,    // IdgenLease: an answer of the registry
  kTickets,  // IdgenTickets: numbers from the ticket server
};

// Waits about `us` microseconds by the monotonic clock: to within some microseconds if `us` is
// below 5 ms, otherwise at most 20 ms, because the clock may be set meanwhile. May return early, so
// the caller reads the clock again.
void WaitForClock(std::int64_t us, WaitReason reason);

}  // namespace idgen::pg

// Waiting for the clock, cancellably and without a lock.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

// Waits about `us` microseconds by the monotonic clock: exactly to some microseconds when
// that is less than 5 ms, else at most 20 ms, in case the clock is set meanwhile. May
// return early; the caller looks at the clock again.
void WaitForClock(std::int64_t us);

}  // namespace idgen::pg

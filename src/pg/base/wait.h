// Waits for the clock, cancellably and without a lock.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

// Waits about `us` microseconds by the monotonic clock: to within some microseconds if `us` is
// below 5 ms, otherwise at most 20 ms, because the clock may be set meanwhile. May return early, so
// the caller reads the clock again.
void WaitForClock(std::int64_t us);

}  // namespace idgen::pg

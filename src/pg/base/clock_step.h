// Steps forward of the clock that idgen.max_clock_step does not accept.
#pragma once

#include "pg.h"

#include "core/clock.h"
#include "settings.h"
#include "shared.h"

namespace idgen::pg {

// Returns how far the clock was set forward since somebody accepted it, by the monotonic clock, in
// microseconds, if that is further than idgen.max_clock_step; else 0.
inline std::int64_t RefusedStepUs(const ClockEvents& events) {
  const std::int64_t most_us = MaxClockStepUs();
  if (most_us == 0 || LoadWord(events.known) == 0) return 0;
  const std::int64_t step_us = WallClockUs() - MonotonicUs() - LoadWord(events.accepted_us);
  return step_us > most_us ? step_us : 0;
}

}  // namespace idgen::pg

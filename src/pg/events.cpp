#include "events.h"

#include "core/clock.h"
#include "errors.h"
#include "handle.h"

namespace idgen::pg {

namespace {

// A clock that differs by less was not set: it is slewed together with the monotonic one.
constexpr std::int64_t kStepUs = 100'000;
// IDs that are ahead by less are not worth a line: a burst in mode lead, or a clock that is
// corrected by a few milliseconds.
constexpr std::int64_t kAheadUs = 100'000;
constexpr std::int64_t kLongWaitUs = 1'000'000;
// Between two readings that count as one.
constexpr std::int64_t kTogetherUs = 200;

bool Differ(std::int64_t a, std::int64_t b) {
  const std::int64_t difference = a - b;
  return difference >= kStepUs || difference <= -kStepUs;
}

// The wall clock less the monotonic one. Read again when the session was interrupted between
// the two; false when that does not end.
bool MeasureOffset(std::int64_t& offset_us) {
  for (int attempt = 0; attempt < 10; ++attempt) {
    const std::int64_t before = MonotonicUs();
    const std::int64_t wall = WallClockUs();
    if (MonotonicUs() - before > kTogetherUs) continue;
    offset_us = wall - before;
    return true;
  }
  return false;
}

}  // namespace

void NoteClock() {
  Root& shared = SharedRoot();
  ClockEvents& events = shared.events;
  if (events.known && !Differ(WallClockUs() - MonotonicUs(), events.offset_us)) return;

  std::int64_t offset_us = 0;
  if (!MeasureOffset(offset_us)) return;
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  const bool stepped = events.known && Differ(offset_us, events.offset_us);
  const std::int64_t step_us = offset_us - events.offset_us;
  if (stepped || !events.known) events.offset_us = offset_us;
  events.known = true;
  LWLockRelease(&shared.lock);
  if (!stepped) return;
  const std::int64_t now_us = WallClockUs();
  ereport(LOG, (step_us < 0 ? errmsg("clock was set back by %s", DurationText(-step_us))
                            : errmsg("clock was set forward by %s", DurationText(step_us)),
                errdetail("It shows %s, and by the monotonic clock it should show %s.",
                          InstantText(now_us), InstantText(now_us - step_us)),
                errhint("Check the time synchronization of this machine."), errhidestmt(true)));
}

void NoteAhead(const Handle& handle, std::int64_t next_us, std::int64_t now_us) {
  if (next_us - now_us < kAheadUs) return;
  Root& shared = SharedRoot();
  ClockEvents& events = shared.events;
  if (events.ahead && events.ahead_until >= next_us) return;
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  const bool begins = !events.ahead;
  events.ahead = true;
  if (begins || events.ahead_until < next_us) events.ahead_until = next_us;
  LWLockRelease(&shared.lock);
  if (!begins) return;
  ereport(LOG, (errmsg("next ID of generator \"%s\" is ahead of the clock", handle.name),
                errdetail("It is of %s, and the clock shows %s.", InstantText(next_us),
                          InstantText(now_us)),
                errhint("After a start this lasts for idgen.reserve_window at most. Otherwise the "
                        "clock went back, or idgen.clock_regression is lead."),
                errhidestmt(true)));
}

void NoteOnTime(std::int64_t now_us) {
  Root& shared = SharedRoot();
  ClockEvents& events = shared.events;
  if (!events.ahead || now_us < events.ahead_until) return;
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  const bool ends = events.ahead && now_us >= events.ahead_until;
  if (ends) {
    events.ahead = false;
    events.waited = false;
  }
  LWLockRelease(&shared.lock);
  if (ends) ereport(LOG, (errmsg("clock has caught up with the IDs"), errhidestmt(true)));
}

void NoteWait(const Handle& handle, std::int64_t waited_us) {
  if (waited_us < kLongWaitUs) return;
  Root& shared = SharedRoot();
  ClockEvents& events = shared.events;
  if (events.waited) return;
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  const bool first = !events.waited;
  events.waited = true;
  LWLockRelease(&shared.lock);
  if (!first) return;
  ereport(LOG, (errmsg("generator \"%s\" waits for the clock for more than a second", handle.name),
                errhint("See idgen.clock_regression and idgen.max_clock_wait. More sessions may be "
                        "waiting."),
                errhidestmt(true)));
}

}  // namespace idgen::pg

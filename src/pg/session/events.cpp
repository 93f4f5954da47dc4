#include "events.h"

#include <cstdlib>

#include "clock_step.h"
#include "core/clock.h"
#include "errors.h"
#include "mark.h"
#include "settings.h"

namespace idgen::pg {

namespace {

// A clock that differs by less was not set but slewed together with the monotonic clock.
constexpr std::int64_t kStepUs = 100'000;
// IDs that are ahead by less are not worth a line in the log: the clock was corrected by a few
// milliseconds.
constexpr std::int64_t kAheadUs = 100'000;
constexpr std::int64_t kLongWaitUs = 1'000'000;
// The most time between two readings that count as one.
constexpr std::int64_t kTogetherUs = 200;

bool Differ(std::int64_t a, std::int64_t b) {
  const std::int64_t difference = a - b;
  return difference >= kStepUs || difference <= -kStepUs;
}

// Measures the wall clock minus the monotonic clock. Reads both again if the session was
// interrupted in between; returns false if that goes on.
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

// Counts a step that the log is told of. Root::lock is held.
void CountStep(std::int64_t step_us) {
  ServerStats& stats = SharedRoot().stats;
  CountMore(stats.clock_steps);
  if (std::abs(step_us) > std::abs(stats.largest_step_us)) {
    StoreWord(stats.largest_step_us, step_us);
  }
  StoreWord(stats.last_step_us, step_us);
  StoreWord(stats.last_step_at_us, WallClockUs());
}

[[noreturn]] void ReportStep(std::int64_t step_us, const char* since) {
  CountMore(SharedRoot().stats.step_errors);
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("clock was set forward by %s", DurationText(step_us)),
                  errdetail("It shows %s. No IDs are made after a step of more than "
                            "idgen.max_clock_step, counted from %s.",
                            InstantText(WallClockUs()), since),
                  errhint("Correct the clock; or, if it is right, let a superuser call "
                          "idgen_accept_clock().")));
  pg_unreachable();
}

}  // namespace

void CheckClockStep() {
  ClockEvents& events = SharedRoot().events;
  const std::int64_t most_us = MaxClockStepUs();
  if (most_us > 0) {
    // At the first mark of this run, no monotonic clock continues from the run before.
    const std::int64_t known_us = KnownMs(SharedRoot()) * 1000;
    const std::int64_t since_us = WallClockUs() - known_us;
    if (LoadWord(events.started) == 0 && known_us > 0 && since_us > most_us) {
      ReportStep(since_us, "the latest high-water mark");
    }
    const std::int64_t step_us = RefusedStepUs(events);
    if (step_us > 0) ReportStep(step_us, "the monotonic clock");
  }
  if (LoadWord(events.started) == 0) StoreWord(events.started, std::uint64_t{1});
}

void NoteClock() {
  Root& shared = SharedRoot();
  ClockEvents& events = shared.events;
  const bool known = LoadWord(events.known) != 0;
  if (known && !Differ(WallClockUs() - MonotonicUs(), LoadWord(events.offset_us))) return;

  std::int64_t offset_us = 0;
  if (!MeasureOffset(offset_us)) return;
  const std::int64_t most_us = MaxClockStepUs();
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  const bool first = events.known == 0;
  const bool stepped = !first && Differ(offset_us, events.offset_us);
  const std::int64_t step_us = offset_us - events.offset_us;
  if (stepped) CountStep(step_us);
  if (first) StoreWord(shared.stats.first_offset_us, offset_us);
  if (stepped || first) StoreWord(events.offset_us, offset_us);
  if (first || most_us == 0 || offset_us - events.accepted_us <= most_us) {
    StoreWord(events.accepted_us, offset_us);
  }
  StoreWord(events.known, std::uint64_t{1});
  LWLockRelease(&shared.lock);
  if (!stepped) return;
  const std::int64_t now_us = WallClockUs();
  ereport(LOG, (step_us < 0 ? errmsg("clock was set back by %s", DurationText(-step_us))
                            : errmsg("clock was set forward by %s", DurationText(step_us)),
                errdetail("It shows %s, and by the monotonic clock it should show %s.",
                          InstantText(now_us), InstantText(now_us - step_us)),
                errhint("Check the time synchronization of this machine."), errhidestmt(true)));
}

void NoteAhead(const char* generator, std::int64_t next_us, std::int64_t now_us) {
  if (next_us - now_us < kAheadUs) return;
  Root& shared = SharedRoot();
  ClockEvents& events = shared.events;
  if (LoadWord(events.ahead) != 0 && LoadWord(events.ahead_until) >= next_us) return;
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  const bool begins = events.ahead == 0;
  if (begins || events.ahead_until < next_us) StoreWord(events.ahead_until, next_us);
  StoreWord(events.ahead, std::uint64_t{1});
  LWLockRelease(&shared.lock);
  if (!begins) return;
  ereport(LOG, (errmsg("next ID of generator \"%s\" is ahead of the clock", generator),
                errdetail("It is of %s, and the clock shows %s.", InstantText(next_us),
                          InstantText(now_us)),
                errhint("After a start this lasts for idgen.reserve_window at most. Otherwise the "
                        "clock went back, or idgen.clock_regression is lead."),
                errhidestmt(true)));
}

void NoteOnTime(std::int64_t now_us) {
  Root& shared = SharedRoot();
  ClockEvents& events = shared.events;
  if (LoadWord(events.ahead) == 0 || now_us < LoadWord(events.ahead_until)) return;
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  const bool ends = events.ahead != 0 && now_us >= events.ahead_until;
  if (ends) {
    StoreWord(events.ahead, std::uint64_t{0});
    StoreWord(events.waited, std::uint64_t{0});
  }
  LWLockRelease(&shared.lock);
  if (ends) ereport(LOG, (errmsg("clock has caught up with the IDs"), errhidestmt(true)));
}

void NoteWait(const char* generator, std::int64_t waited_us) {
  if (waited_us < kLongWaitUs) return;
  Root& shared = SharedRoot();
  ClockEvents& events = shared.events;
  if (LoadWord(events.waited) != 0) return;
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  const bool first = events.waited == 0;
  StoreWord(events.waited, std::uint64_t{1});
  LWLockRelease(&shared.lock);
  if (!first) return;
  ereport(LOG, (errmsg("generator \"%s\" waits for the clock for more than a second", generator),
                errhint("See idgen.clock_regression and idgen.max_clock_wait. More sessions may be "
                        "waiting."),
                errhidestmt(true)));
}

void AcceptClock() {
  Root& shared = SharedRoot();
  ClockEvents& events = shared.events;
  std::int64_t offset_us = 0;
  if (!MeasureOffset(offset_us)) offset_us = WallClockUs() - MonotonicUs();
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  if (events.known == 0) {
    StoreWord(shared.stats.first_offset_us, offset_us);
  } else if (Differ(offset_us, events.offset_us)) {
    CountStep(offset_us - events.offset_us);
  }
  StoreWord(events.accepted_us, offset_us);
  StoreWord(events.offset_us, offset_us);
  StoreWord(events.known, std::uint64_t{1});
  StoreWord(events.started, std::uint64_t{1});
  LWLockRelease(&shared.lock);
}

}  // namespace idgen::pg

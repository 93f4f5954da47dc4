// The slow path. It is a loop around the core's guard: one attempt, then whatever the
// verdict asks for, then another attempt. No lock of ours is held between attempts, so
// every wait can be cancelled, and nothing is half done when one is: positions are taken
// by the attempt's compare-and-swap or not at all.
#include "take.h"

#include <algorithm>

#include "errors.h"
#include "mark.h"
#include "settings.h"
#include "wait.h"

namespace idgen::pg {

namespace {

// The mark is written early when less than this part of the window is left of it.
constexpr int kEarlyPart = 4;

std::int64_t ToMs(std::int64_t us) { return us / 1000; }

// The time that a later mark must be ahead of: the clock, or the position if that leads.
std::int64_t AheadOf(const Layout& layout, std::uint64_t position, std::int64_t now_us) {
  return std::max(ToMs(now_us), layout.MarkCovering(std::min(position, layout.MaxPosition())));
}

// Raises the slot above the server's floor, when that has risen since the last look.
void ApplyFloor(Handle& handle) {
  const std::uint64_t floor_ms = LoadShared(SharedRoot().floor_ms);
  if (floor_ms <= handle.floor_ms) return;
  const std::uint64_t start = handle.layout->PositionLimit(static_cast<std::int64_t>(floor_ms));
  Slot& slot = *handle.slot;
  if (start > 0 && RaisePosition(slot.position, start - 1)) RaiseShared(slot.start, start);
  handle.floor_ms = floor_ms;
}

// Notes that the slot is ahead of the clock, or no longer is, and tells the log: once an
// event, whichever session sees it first.
void NoteLead(const Handle& handle, const Attempt& attempt, bool ahead) {
  Slot& slot = *handle.slot;
  // Read without the lock: a stale value costs one more look, or one look later.
  if (slot.ahead == ahead) return;
  LWLockAcquire(&slot.lock, LW_EXCLUSIVE);
  const bool changed = slot.ahead != ahead;
  slot.ahead = ahead;
  LWLockRelease(&slot.lock);
  if (!changed) return;
  if (ahead) {
    ereport(
        LOG,
        (errmsg("next ID of generator \"%s\" is ahead of the clock", NameOf(*handle.layout)),
         errdetail(
             "It is of %s, and the clock shows %s.",
             InstantText(handle.layout->StartOfTick(attempt.next >> handle.layout->SequenceBits())),
             InstantText(attempt.now_us)),
         errhint("After a start this lasts for idgen.reserve_window at most. Otherwise the clock "
                 "went back, or idgen.clock_regression is lead."),
         errhidestmt(true)));
  } else {
    ereport(LOG,
            (errmsg("clock has caught up with the IDs of generator \"%s\"", NameOf(*handle.layout)),
             errhidestmt(true)));
  }
}

// Brings the handle up to date; returns the first position beyond the mark.
std::uint64_t Refresh(Handle& handle) {
  while (!IsPrepared(handle)) PrepareHandle(handle);
  ApplyFloor(handle);
  return handle.layout->PositionLimit(
      static_cast<std::int64_t>(LoadShared(handle.database->durable_ms)));
}

// Opens the hot path up to where the mark is to be written early, and writes it if that is
// near. After IDs were issued, and never before: a clock at which nothing was issued must
// not move the mark.
void OpenHotPath(Handle& handle, std::int64_t now_us) {
  const auto window_ms = std::int64_t{ReserveWindowMs()};
  const std::int64_t early_ms = window_ms / kEarlyPart;
  auto durable_ms = static_cast<std::int64_t>(LoadShared(handle.database->durable_ms));
  // Ahead of the clock only, and not of a position that leads: else the mark, and with it
  // the wait after a restart, would grow with every crash.
  if (ToMs(now_us) + early_ms >= durable_ms) {
    AdvanceMarkEarly(*handle.database, ToMs(now_us) + window_ms);
    durable_ms = static_cast<std::int64_t>(LoadShared(handle.database->durable_ms));
  }
  // Opening the mark's sequence may have taken in an invalidation.
  if (IsPrepared(handle)) handle.cursor.Open(handle.layout->PositionLimit(durable_ms - early_ms));
}

}  // namespace

Taken TakeSlowly(Handle& handle, const Request& request) {
  const Layout& layout = *handle.layout;
  WaitBudget budget;
  for (;;) {
    const std::uint64_t limit = Refresh(handle);
    const GuardSettings guard = GuardFromSettings();
    const Bounds bounds{limit, LoadShared(handle.slot->start), OvershootOf(layout.IdsPerTick())};
    const Attempt attempt = TryTake(*handle.position, layout, guard, bounds, request, WallClockUs);
    switch (attempt.verdict) {
      case Verdict::kIssued:
        NoteLead(handle, attempt, attempt.behind_us > 0);
        OpenHotPath(handle, attempt.now_us);
        return attempt.taken;

      case Verdict::kReserve: {
        const std::uint64_t last = attempt.next + (request.together ? request.count - 1 : 0);
        const std::int64_t needed_ms = AheadOf(layout, last, attempt.now_us) + 1;
        AdvanceMark(*handle.database, needed_ms, needed_ms + ReserveWindowMs());
        break;
      }

      case Verdict::kWaitForTick:
      case Verdict::kWaitForClock: {
        if (attempt.verdict == Verdict::kWaitForClock) NoteLead(handle, attempt, true);
        const std::int64_t left = budget.Left(attempt, guard, MonotonicUs());
        if (left <= 0) ReportClockBehind(layout, attempt, guard, true);
        WaitForClock(std::min(attempt.wait_us, left));
        break;
      }

      case Verdict::kClockBehind:
        NoteLead(handle, attempt, true);
        ReportClockBehind(layout, attempt, guard, false);

      case Verdict::kOutOfTime:
        ReportOutOfTime(layout, attempt.now_us);
    }
  }
}

std::uint64_t Observe(Handle& handle, std::uint64_t id) {
  const Layout& layout = *handle.layout;
  const GuardSettings guard = GuardFromSettings();
  for (;;) {
    const std::uint64_t limit = Refresh(handle);
    const std::int64_t now_us = WallClockUs();
    const std::int64_t time_us = layout.StartOfTick(layout.Parse(id).tick);
    if (time_us - now_us > guard.max_clock_lead_us) {
      ereport(ERROR,
              (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
               errmsg("ID %lld is too far ahead of the clock", static_cast<long long>(id)),
               errdetail("It is of %s, and the clock shows %s; idgen.max_clock_lead is %lld ms.",
                         InstantText(time_us), InstantText(now_us),
                         static_cast<long long>(guard.max_clock_lead_us / 1000)),
               errhint("Check that the ID is of layout \"%s\", and the time synchronization of "
                       "this machine and of the one that made it.",
                       NameOf(layout))));
    }
    const std::uint64_t position = layout.PositionNotAbove(id, handle.composer.identity_bits);
    if (position >= limit) {
      // The mark first, so that a restart does not forget what was observed.
      const std::int64_t needed_ms = AheadOf(layout, position, now_us) + 1;
      AdvanceMark(*handle.database, needed_ms, needed_ms + ReserveWindowMs());
      continue;
    }
    RaisePosition(*handle.position, position);
    // What is left of this session's own block may be below it.
    handle.cursor.DropBlock();
    return LoadPosition(*handle.position);
  }
}

}  // namespace idgen::pg

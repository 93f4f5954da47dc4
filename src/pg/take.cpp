// The slow path. It is a loop around the core's guard: one attempt, then whatever the
// verdict asks for, then another attempt. No lock of ours is held between attempts, so
// every wait can be cancelled, and nothing is half done when one is: positions are taken
// by the attempt's compare-and-swap or not at all.
#include "take.h"

#include <algorithm>

#include "errors.h"
#include "events.h"
#include "hold.h"
#include "mark.h"
#include "settings.h"
#include "wait.h"

namespace idgen::pg {

namespace {

// A session has a cursor for each of its generators that is of an ID space: seldom two.
constexpr std::uint64_t kMostCursors = 8;

// The mark is written early when less than this part of the window is left of it.
constexpr int kEarlyPart = 4;

std::int64_t ToMs(std::int64_t us) { return us / 1000; }

// The time that a later mark must be ahead of: the clock, or the position if that leads.
std::int64_t AheadOf(const Layout& layout, std::uint64_t position, std::int64_t now_us) {
  return std::max(ToMs(now_us), layout.MarkCovering(std::min(position, layout.MaxPosition())));
}

// Raises the slot above the server's floor, when that has risen since the last look.
void ApplyFloor(const Handle& handle, Space& space) {
  const auto floor_ms = static_cast<std::uint64_t>(FloorOf(handle.machine_id));
  if (floor_ms <= space.floor_ms) return;
  const std::uint64_t start = handle.layout().PositionLimit(static_cast<std::int64_t>(floor_ms));
  Slot& slot = *space.slot;
  if (start > 0 && RaisePosition(slot.position, start - 1)) RaiseShared(slot.start, start);
  space.floor_ms = floor_ms;
}

// The first position beyond the mark, as it is now.
std::uint64_t LimitOf(const Handle& handle) {
  return handle.layout().PositionLimit(DurableMs(*handle.database));
}

// Brings the handle up to date, and finds the ID space.
Space& Refresh(Handle& handle, std::int64_t shard) {
  while (!IsPrepared(handle)) PrepareHandle(handle);
  Space& space = SpaceFor(handle, shard);
  ApplyFloor(handle, space);
  return space;
}

// Opens the hot path up to where the mark is to be written early, and writes it if that is
// near. After IDs were issued, and never before: a clock at which nothing was issued must
// not move the mark.
void OpenHotPath(Handle& handle, std::int64_t now_us) {
  const auto window_ms = std::int64_t{ReserveWindowMs()};
  const std::int64_t early_ms = window_ms / kEarlyPart;
  std::int64_t durable_ms = DurableMs(*handle.database);
  // Ahead of the clock only, and not of a position that leads: else the mark, and with it
  // the wait after a restart, would grow with every crash.
  if (ToMs(now_us) + early_ms >= durable_ms) {
    AdvanceMarkEarly(*handle.database, ToMs(now_us) + early_ms + 1, ToMs(now_us) + window_ms);
    durable_ms = DurableMs(*handle.database);
  }
  // Opening the mark's sequence may have taken in an invalidation.
  if (IsPrepared(handle)) handle.window.Open(handle.layout().PositionLimit(durable_ms - early_ms));
}

}  // namespace

Issued TakeSlowly(Handle& handle, std::int64_t shard, const Request& request) {
  WaitBudget budget;
  std::uint64_t waits_for = 0;
  std::int64_t wait_began_us = 0;
  for (;;) {
    Space& space = Refresh(handle, shard);
    // What was waited for in another ID space, before a setting was changed, counts for nothing.
    if (space.identity_bits != waits_for) budget = {};
    waits_for = space.identity_bits;
    const Layout& layout = handle.layout();
    const GuardSettings guard = GuardFromSettings();
    const Bounds bounds{
        LimitOf(handle), LoadShared(space.slot->start),
        OvershootOf(layout.IdsPerTick(), kMostCursors * static_cast<std::uint64_t>(MaxBackends)),
        budget.Awaits(MonotonicUs)};
    const Attempt attempt = TryTake(*space.position, layout, guard, bounds, request, WallClockUs);
    NoteClock();
    if (attempt.behind_us > 0) {
      NoteAhead(handle, attempt.now_us + attempt.behind_us, attempt.now_us);
    }
    switch (attempt.verdict) {
      case Verdict::kIssued:
        if (attempt.behind_us <= 0) NoteOnTime(attempt.now_us);
        // What is left of a block is below what was just taken.
        space.cursor.DropBlock();
        OpenHotPath(handle, attempt.now_us);
        return {attempt.taken, &space};

      case Verdict::kReserve: {
        CheckClockStep();
        const std::uint64_t last = attempt.next + (request.together ? request.count - 1 : 0);
        const std::int64_t needed_ms = AheadOf(layout, last, attempt.now_us) + 1;
        AdvanceMark(*handle.database, needed_ms, needed_ms + ReserveWindowMs());
        break;
      }

      case Verdict::kWaitForTick:
      case Verdict::kWaitForClock: {
        const std::int64_t monotonic_us = MonotonicUs();
        if (wait_began_us == 0) wait_began_us = monotonic_us;
        NoteWait(handle, monotonic_us - wait_began_us);
        const std::int64_t left = budget.Left(attempt, guard, monotonic_us);
        if (left <= 0) ReportClockBehind(layout, handle.name, attempt, guard, true);
        WaitForClock(std::min(attempt.wait_us, left));
        break;
      }

      case Verdict::kClockBehind:
        ReportClockBehind(layout, handle.name, attempt, guard, false);

      case Verdict::kOutOfTime:
        ReportOutOfTime(layout, attempt.now_us);
    }
  }
}

std::int64_t NextIdSlowly(Handle& handle, std::int64_t shard) {
  const Issued issued = TakeSlowly(handle, shard, {});
  return IdOf(handle, *issued.space, issued.taken.first);
}

std::int64_t Observe(Handle& handle, std::uint64_t id) {
  for (;;) {
    while (!IsPrepared(handle)) PrepareHandle(handle);
    const Layout& layout = handle.layout();
    const Parts parts = layout.Parse(CheckId(layout, static_cast<int64>(id)));
    Space& space =
        Refresh(handle, handle.largest_shard >= 0 ? static_cast<std::int64_t>(parts.identity.shard)
                                                  : kNoShard);
    if (!IsPrepared(handle)) continue;

    const GuardSettings guard = GuardFromSettings();
    const std::int64_t now_us = WallClockUs();
    const std::int64_t time_us = layout.StartOfTick(parts.tick);
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
    const std::uint64_t position = layout.PositionNotAbove(id, space.identity_bits);
    if (position >= LimitOf(handle)) {
      // The mark first, so that a restart does not forget what was observed.
      const std::int64_t needed_ms = AheadOf(layout, position, now_us) + 1;
      AdvanceMark(*handle.database, needed_ms, needed_ms + ReserveWindowMs());
      continue;
    }
    RaisePosition(*space.position, position);
    // What is left of this session's own block may be below it.
    space.cursor.DropBlock();
    return IdOf(handle, space, LoadPosition(*space.position));
  }
}

}  // namespace idgen::pg

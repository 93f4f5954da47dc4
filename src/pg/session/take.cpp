// The slow path: the core's loop (core/loop.h), which holds no lock of ours between attempts, over
// the session's handle. Any call of the policy here may end in an error.
#include "take.h"

#include <algorithm>
#include <utility>

#include "change_fence.h"
#include "clock_health.h"
#include "core/hlc.h"
#include "core/lease.h"
#include "core/loop.h"
#include "core/mark.h"
#include "errors.h"
#include "events.h"
#include "invalidate.h"
#include "mark.h"
#include "scheme_fence.h"
#include "settings.h"
#include "stages.h"
#include "start_over.h"
#include "test_clock.h"
#include "test_take.h"
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
  return std::max(ToMs(now_us), MarkCovering(layout, std::min(position, layout.MaxPosition())));
}

// Raises the slot above the server's floor, when that has risen since the last look.
void ApplyFloor(const Handle& handle, SessionSlot& space) {
  const std::int64_t floor_ms = FloorOf(handle.machine_id);
  if (static_cast<std::uint64_t>(floor_ms) <= space.use->rest->floor_ms) return;
  StartAbove(space.slot->position, space.slot->start, handle.layout(), floor_ms);
  space.use->rest->floor_ms = static_cast<std::uint64_t>(floor_ms);
}

[[noreturn]] void ReportHeldBefore(const Handle& handle, std::int64_t now_us) {
  const std::int64_t until_us = handle.held_until_ms * 1000;
  ereport(
      ERROR,
      (errcode(ERRCODE_SYSTEM_ERROR),
       errmsg("an identity of generator \"%s\" must not be used for another %s", handle.name,
              DurationText(until_us - now_us)),
       errdetail("The server that held it before may have made IDs until %s; the clock shows %s.",
                 InstantText(until_us), InstantText(now_us)),
       errhint("Try again then, or set idgen.max_clock_wait to a longer time. If it is very "
               "long, a clock was wrong: use another machine ID.")));
  pg_unreachable();
}

// Brings the handle up to date, and finds the ID space.
SessionSlot& Refresh(Handle& handle, std::int64_t shard) {
  for (;;) {
    if (handle.database != nullptr && HasNewChanges(*handle.database)) {
      LearnOfChanges(*handle.database, false);
    }
    EnterPresentStage(handle, WallClockUs);
    // An identity is not asked for again where the grant has ended: the machine ID may be another.
    while (!IsPrepared(handle) || GrantHasEnded(handle)) PrepareHandle(handle);
    SessionSlot& space = SpaceFor(handle, shard);
    // A shard that was new to the session may have come with another grant.
    if (!IsPrepared(handle)) continue;
    ApplyFloor(handle, space);
    return space;
  }
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
  if (!IsPrepared(handle)) return;
  durable_ms = FencedMs(*handle.database, handle.name, durable_ms - early_ms);
  const std::int64_t limit_ms = SchemeLimitMs(handle, LeaseLimitMs(durable_ms, *handle.grant));
  handle.allowance.Open(std::min(PositionLimit(handle.layout(), limit_ms), handle.stage_end));
}

// The loop of one call. Its members that the loop sets are those of the last attempt.
class SessionPolicy {
 public:
  SessionPolicy(Handle& handle, std::int64_t shard, const Request& request)
      : handle_(handle), shard_(shard), request_(request) {}

  Source Refresh() {
    space_ = &pg::Refresh(handle_, shard_);
    CheckTogether(handle_.layout(), request_);
    return SourceOf(*space_);
  }
  std::int64_t ClockUs() const noexcept { return WallClockUs(); }
  std::int64_t MonotonicUs() const noexcept { return idgen::MonotonicUs(); }

  bool Extend(std::uint64_t last, std::int64_t now_us) {
    CheckClockStep();
    // After the mark, so that the change cannot be called off any more.
    if (MoveMark(last, now_us) && last >= handle_.stage_end) {
      EnterStage(handle_, handle_.stage + 1);
    }
    return true;
  }
  bool Wait(std::int64_t us) {
    SpaceStats& counts = stats();
    std::uint64_t& waits = waits_for_tick_ ? counts.tick_waits : counts.clock_waits;
    // Once, however many sleeps it takes.
    if (!std::exchange(waits_for_tick_ ? has_waited_for_tick_ : has_waited_for_clock_, true)) {
      CountMore(waits);
    }
    const std::int64_t began_us = MonotonicUs();
    WaitForClock(us, waits_for_tick_ ? WaitReason::kTick : WaitReason::kClock);
    CountTime(waits_for_tick_ ? counts.tick_wait_us : counts.clock_wait_us,
              MonotonicUs() - began_us);
    return true;
  }

  void NoteAttempt(const Attempt& attempt) {
    NoteClock();
    waits_for_tick_ = attempt.verdict == Verdict::kWaitForTick;
    if (waits_for_tick_ && RaisePosition(stats().awaited_tick, attempt.tick)) {
      CountMore(stats().used_up_ticks);
    }
    // A hybrid logical clock is ahead where others' clocks are.
    if (attempt.behind_us > 0 && (attempt.wait_us > 0 || !handle_.is_clock())) {
      NoteAhead(handle_.name, attempt.now_us + attempt.behind_us, attempt.now_us);
    }
  }
  void NoteWait(std::int64_t monotonic_us) {
    if (wait_began_us_ == 0) wait_began_us_ = monotonic_us;
    pg::NoteWait(handle_.name, monotonic_us - wait_began_us_);
  }
  void NoteIssued(const Attempt& attempt) {
    if (attempt.behind_us <= 0) NoteOnTime(attempt.now_us);
    if (attempt.behind_us > 0) RaiseSharedMs(stats().largest_lead_us, attempt.behind_us);
    NoteKernelClock();
    PublishUsesNowAndThen(attempt.now_us);
    // What is left of a block is below what was just taken.
    space_->cursor.DropBlock();
    OpenHotPath(handle_, attempt.now_us);
  }

  [[nodiscard]] SessionSlot& space() const { return *space_; }
  [[nodiscard]] SpaceStats& stats() const { return StatsOf(*space_->slot); }
  [[nodiscard]] const GuardSettings& guard() const { return guard_; }

 protected:
  Source SourceOf(const SessionSlot& space) {
    guard_ = GuardFromSettings();
    if (handle_.is_clock()) {
      const bool has_begun = LoadPosition(space.slot->position) >= LoadShared(space.slot->start);
      guard_ = HlcGuard(guard_.max_clock_wait_us, MaxClockOffsetUs(), has_begun);
    }
    const std::int64_t durable_ms =
        FencedMs(*handle_.database, handle_.name, DurableMs(*handle_.database));
    const std::int64_t limit_ms = SchemeLimitMs(handle_, LeaseLimitMs(durable_ms, *handle_.grant));
    return {&space.slot->position,
            &handle_.layout(),
            space.identity_bits,
            guard_,
            {std::min(PositionLimit(handle_.layout(), limit_ms), handle_.stage_end),
             LoadShared(space.slot->start),
             OvershootOf(handle_.layout().IdsPerTick(),
                         kMostCursors * static_cast<std::uint64_t>(MaxBackends)),
             {}}};
  }
  // Returns false if the handle must be prepared anew instead.
  bool MoveMark(std::uint64_t last, std::int64_t now_us) {
    const std::int64_t needed_ms = AheadOf(handle_.layout(), last, now_us) + 1;
    if (FencedMs(*handle_.database, handle_.name, needed_ms) < needed_ms) {
      CheckOwnChange(handle_.name, needed_ms);
      // Only its own generator's change is waited for, and that is the last one.
      LearnOfChanges(*handle_.database, !HasNewChanges(*handle_.database));
      return false;
    }
    if (UntilMs(*handle_.grant) < needed_ms && !RequireUntil(*handle_.grant, needed_ms)) {
      InvalidateHandles();
      return false;
    }
    if (!RequireScheme(handle_, needed_ms)) return false;
    AdvanceMark(*handle_.database, needed_ms, needed_ms + ReserveWindowMs());
    return true;
  }

  Handle& handle_;
  SessionSlot* space_ = nullptr;

 private:
  std::int64_t shard_ = kNoShard;
  Request request_;
  GuardSettings guard_;
  std::int64_t wait_began_us_ = 0;
  bool waits_for_tick_ = false;
  bool has_waited_for_tick_ = false;
  bool has_waited_for_clock_ = false;
};

// The same where an ID is observed: the ID space is the one of the shard in it, where the
// generator makes IDs of any.
class ObservingPolicy : public SessionPolicy {
 public:
  ObservingPolicy(Handle& handle, std::uint64_t id)
      : SessionPolicy(handle, kNoShard, {}), id_(id) {}

  Source Refresh() {
    do {
      while (!IsPrepared(handle_)) PrepareHandle(handle_);
      if (IsOfNextStage(handle_, id_)) {
        GoOn();
        continue;
      }
      space_ = &pg::Refresh(handle_, ShardOfId(handle_, id_));
    } while (!IsPrepared(handle_));
    return SourceOf(*space_);
  }
  bool Extend(std::uint64_t last, std::int64_t now_us) {
    // An ID is observed because it exists, whatever the clock shows. A timestamp has to be near it.
    if (handle_.is_clock()) CheckClockStep();
    (void)MoveMark(last, now_us);
    return true;
  }

 private:
  // Goes over to the next layout, because the ID is of one to come.
  void GoOn() {
    CheckNotTooFarAhead(handle_, id_, ClockUs());
    if (MoveMark(handle_.stage_end, ClockUs())) EnterStage(handle_, handle_.stage + 1);
  }

  std::uint64_t id_ = 0;
};

}  // namespace

void ReportTooFarAhead(const Handle& handle, std::uint64_t id, const Observed& observed,
                       const GuardSettings& guard) {
  const auto number = static_cast<long long>(id);
  const char* const time = InstantText(observed.time_us);
  const char* const now = InstantText(observed.now_us);
  const auto most_ms = static_cast<long long>(guard.max_clock_lead_us / 1000);
  if (handle.is_clock()) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("HLC timestamp %lld is %s ahead of the clock", number,
                    DurationText(DifferenceUs(observed.time_us, observed.now_us))),
             errdetail("It is of %s, and the clock shows %s; idgen.max_clock_offset is %lld ms.",
                       time, now, most_ms),
             errhint("Check the time synchronization of this machine and of the one that sent "
                     "it.")));
  }
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("ID %lld is too far ahead of the clock", number),
                  errdetail("It is of %s, and the clock shows %s; idgen.max_clock_lead is %lld ms.",
                            time, now, most_ms),
                  errhint("Check that the ID is of layout \"%s\", and the time synchronization of "
                          "this machine and of the one that made it.",
                          NameOf(handle.layout()))));
  pg_unreachable();
}

void CheckNotTooFarAhead(const Handle& handle, std::uint64_t id, std::int64_t now_us) {
  const Layout& layout = handle.changes->stages[handle.changes->StageOf(id)].layout;
  const Observed observed{.time_us = layout.StartOfTick(layout.Parse(id).tick), .now_us = now_us};
  const GuardSettings settings = GuardFromSettings();
  if (DifferenceUs(observed.time_us, now_us) <= settings.max_clock_lead_us) return;
  ReportTooFarAhead(handle, id, observed, settings);
}

void CheckTogether(const Layout& layout, std::int64_t count) {
  if (count < 1 || static_cast<std::uint64_t>(count) > layout.IdsPerTick()) {
    ReportCount(static_cast<int>(count), layout.IdsPerTick(),
                psprintf("Layout \"%s\" has %llu IDs in one tick.", NameOf(layout),
                         static_cast<unsigned long long>(layout.IdsPerTick())));
  }
  if (count > 1 && !layout.SequenceIsLowest()) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("IDs of layout \"%s\" cannot be reserved as consecutive integers",
                           NameOf(layout)),
                    errdetail("Its sequence is not its lowest field."),
                    errhint("Use idgen_nextval_batch().")));
  }
}

Issued TakeSlowly(Handle& handle, std::int64_t shard, const Request& request) {
  if (unlikely(TestClockIsOn())) return TakeForTest(handle, shard, request);
  SessionPolicy policy(handle, shard, request);
  const LoopResult result = TakeOfStages(policy, handle, request);
  const Attempt& attempt = result.attempt;
  if (result.ending == Ending::kOutOfTime) {
    CountMore(policy.stats().end_errors);
    ReportOutOfTime(handle.layout(), attempt.now_us);
  }
  if (result.ending != Ending::kDone) {
    if (handle.held_until_ms * 1000 > attempt.now_us) {
      CountMore(policy.stats().held_errors);
      ReportHeldBefore(handle, attempt.now_us);
    }
    CountMore(policy.stats().clock_errors);
    ReportClockBehind(handle.layout(), handle.name, attempt, policy.guard(),
                      result.ending == Ending::kWaited);
  }
  return {attempt.taken, &policy.space()};
}

std::int64_t Reserve(Handle& handle, std::int64_t count) {
  while (!IsPrepared(handle)) PrepareHandle(handle);
  CheckTogether(handle.layout(), count);
  const Issued issued = TakeSlowly(handle, kNoShard, {static_cast<std::uint64_t>(count), true});
  const std::uint64_t last = issued.taken.first + issued.taken.count - 1;
  CountBatch(*issued.space->use, issued.taken.count);
  handle.last_id = IdOf(handle, *issued.space, last);
  return IdOf(handle, *issued.space, issued.taken.first);
}

std::int64_t NextIdSlowly(Handle& handle, std::int64_t shard) {
  const Issued issued = TakeSlowly(handle, shard, {});
  CountId(*issued.space->use);
  return handle.last_id = IdOf(handle, *issued.space, issued.taken.first);
}

std::int64_t FirstId(Handle& handle, SpaceUse& use, std::uint64_t identity_bits,
                     std::uint64_t position) {
  NoteUsed(use);
  return handle.last_id = handle.composer(position) | static_cast<std::int64_t>(identity_bits);
}

std::int64_t Observe(Handle& handle, std::uint64_t id) {
  if (unlikely(TestClockIsOn())) return ObserveForTest(handle, id);
  ObservingPolicy policy(handle, id);
  const Observed observed = ObserveId(policy, id);
  if (observed.ending == Ending::kTooFarAhead) {
    CountMore(policy.stats().observe_errors);
    ReportTooFarAhead(handle, id, observed, policy.guard());
  }
  SessionSlot& space = policy.space();
  // What is left of this session's own block may be below it.
  space.cursor.DropBlock();
  // Another database may use the ID space beyond the end that the layout has in this one. Nothing
  // here is made of that: the next layout begins at the end, below such a position.
  return IdOf(handle, space, std::min(LoadPosition(space.slot->position), handle.stage_end - 1));
}

}  // namespace idgen::pg

// The loop that issues positions where the hot path cannot: one attempt by the guard, then
// whatever its verdict asks for, then another attempt. The database's sessions and the library's
// generators run this very code, and so does the model checker.
//
// What differs between them is a policy (LoopPolicy): where a position is taken, up to which mark,
// how the mark is moved, how time passes, and who is told. The loop holds no lock between attempts,
// so every wait may be cancelled, and nothing is half done when one is: positions are taken by the
// attempt's compare-and-swap or not at all. A call of the policy may leave the loop for good by
// longjmp (that is how PostgreSQL reports an error). So nothing here has a destructor.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <type_traits>

#include "guard.h"
#include "layout.h"
#include "position.h"

namespace idgen {

// An ID space as one attempt sees it. The policy looks all of it up anew for each.
struct Source {
  std::uint64_t* position = nullptr;
  const Layout* layout = nullptr;
  std::uint64_t identity_bits = 0;
  GuardSettings guard;
  Bounds bounds;  // `awaited` is the loop's
};

enum class Ending : std::uint8_t {
  kDone,
  kMarkNotMoved,  // the policy could not extend the mark
  kClockBehind,   // the guard's settings say not to wait, or not for so long
  kWaited,        // as long as they allow, and the clock is still behind
  kCancelled,     // the policy ended a wait
  kOutOfTime,     // the layout has no position left
  kTooFarAhead,   // ObserveId: later than max_clock_lead allows
};

// Tells what a policy must have. Microseconds of `ClockUs` are since 1970.
template <typename Policy>
concept LoopPolicy = std::is_trivially_destructible_v<Policy> &&
    requires(Policy policy, const Attempt& attempt, std::uint64_t last, std::int64_t us) {
  { policy.Refresh() } -> std::same_as<Source>;
  { policy.ClockUs() }
  noexcept->std::same_as<std::int64_t>;
  { policy.MonotonicUs() }
  noexcept->std::same_as<std::int64_t>;
  // Makes a mark durable that covers position `last`, where the clock shows `us`.
  { policy.Extend(last, us) } -> std::same_as<bool>;
  // Lets up to `us` pass; false ends the call.
  { policy.Wait(us) } -> std::same_as<bool>;
  // Hears of each attempt; of a wait that follows, by the monotonic clock; and of success.
  policy.NoteAttempt(attempt);
  policy.NoteWait(us);
  policy.NoteIssued(attempt);
};

// How TakeByLoop ended, and its last attempt; with kDone that has the positions.
struct LoopResult {
  Ending ending = Ending::kDone;
  Attempt attempt;
};

// Takes at least one position, or all that were asked for if they are to be together.
template <LoopPolicy Policy>
LoopResult TakeByLoop(Policy& policy, const Request& request) {
  WaitBudget budget;
  std::uint64_t waits_for = 0;
  for (;;) {
    const Source source = policy.Refresh();
    // What was waited for in another ID space, before a setting was changed, counts for nothing.
    if (source.identity_bits != waits_for) budget = {};
    waits_for = source.identity_bits;
    Bounds bounds = source.bounds;
    bounds.awaited = budget.Awaits([&policy]() noexcept { return policy.MonotonicUs(); });
    const Attempt attempt = TryTake(*source.position, *source.layout, source.guard, bounds, request,
                                    [&policy]() noexcept { return policy.ClockUs(); });
    policy.NoteAttempt(attempt);
    switch (attempt.verdict) {
      case Verdict::kIssued:
        policy.NoteIssued(attempt);
        return {Ending::kDone, attempt};

      case Verdict::kReserve: {
        const std::uint64_t last = attempt.next + (request.together ? request.count - 1 : 0);
        if (!policy.Extend(last, attempt.now_us)) return {Ending::kMarkNotMoved, attempt};
        break;
      }

      case Verdict::kWaitForTick:
      case Verdict::kWaitForClock: {
        const std::int64_t monotonic_us = policy.MonotonicUs();
        policy.NoteWait(monotonic_us);
        const std::int64_t left = budget.Left(attempt, source.guard, monotonic_us);
        if (left <= 0) return {Ending::kWaited, attempt};
        if (!policy.Wait(std::min(attempt.wait_us, left))) return {Ending::kCancelled, attempt};
        break;
      }

      case Verdict::kClockBehind:
        return {Ending::kClockBehind, attempt};

      case Verdict::kOutOfTime:
        return {Ending::kOutOfTime, attempt};
    }
  }
}

// How ObserveId ended, the time of the ID, and what the clock showed.
struct Observed {
  Ending ending = Ending::kDone;
  std::int64_t time_us = 0;
  std::int64_t now_us = 0;
};

// Makes every later position one whose ID is greater than `id`, which is of the layout that the
// policy's Refresh returns. Ends as kDone, kTooFarAhead or kMarkNotMoved.
template <LoopPolicy Policy>
Observed ObserveId(Policy& policy, std::uint64_t id) {
  for (;;) {
    const Source source = policy.Refresh();
    Observed observed;
    observed.time_us = source.layout->StartOfTick(source.layout->Parse(id).tick);
    observed.now_us = policy.ClockUs();
    if (DifferenceUs(observed.time_us, observed.now_us) > source.guard.max_clock_lead_us) {
      observed.ending = Ending::kTooFarAhead;
      return observed;
    }
    const std::uint64_t position = source.layout->PositionNotAbove(id, source.identity_bits);
    if (position >= source.bounds.limit) {
      // The mark first, so that a restart does not forget what was observed.
      if (!policy.Extend(position, observed.now_us)) {
        observed.ending = Ending::kMarkNotMoved;
        return observed;
      }
      continue;
    }
    RaisePosition(*source.position, position);
    return observed;
  }
}

}  // namespace idgen

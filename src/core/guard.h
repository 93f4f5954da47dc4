// The guard: what happens to a candidate position that is ahead of the clock.
//
// The candidate is always max(last + 1, tick of the clock << sequence bits). A
// used-up sequence carries it into the next tick, and a clock that went back leaves
// it in a tick to come; both show up here as a candidate ahead of the clock, and the
// settings decide whether it is issued, waited for or refused.
//
// Nothing here waits. A caller does what the verdict says and tries again:
//
//   kIssued       the positions are the caller's
//   kReserve      the candidate is beyond the high-water mark: write a later mark
//   kWaitForTick  the sequence of this tick is used up: wait `wait_us`
//   kWaitForClock the clock is behind: wait `wait_us`
//                 (both no longer in all than a WaitBudget allows)
//   kClockBehind  the clock is behind and the settings say not to wait
//   kOutOfTime    the layout has no position left
#pragma once

#include <algorithm>
#include <cstdint>

#include "layout.h"
#include "position.h"

namespace idgen {

enum class ClockRegression : std::uint8_t { kWait, kLead, kError };

struct GuardSettings {
  ClockRegression mode = ClockRegression::kWait;
  std::int64_t max_clock_wait_us = 2'000'000;
  std::int64_t max_clock_lead_us = 10'000'000;
  // How long kError waits for the first position after a start, which lies at the
  // high-water mark and so ahead of a clock that is perfectly right.
  std::int64_t max_start_wait_us = 1'000'000;
};

enum class Verdict : std::uint8_t {
  kIssued,
  kReserve,
  kWaitForTick,
  kWaitForClock,
  kClockBehind,
  kOutOfTime,
};

struct Attempt {
  Verdict verdict = Verdict::kOutOfTime;
  Taken taken;                 // with kIssued
  std::uint64_t next = 0;      // the candidate
  std::int64_t now_us = 0;     // the clock's reading
  std::int64_t wait_us = 0;    // until the settings let the candidate pass; 0 if they do
  std::int64_t behind_us = 0;  // how far the clock is behind the candidate; 0 if it is not
};

// What a caller asks for.
struct Request {
  std::uint64_t count = 1;
  // All of them in one tick (so that they are consecutive integers where the
  // sequence is the lowest field), instead of as many as there are. `count` is then
  // at most IdsPerTick().
  bool together = false;
};

// The bounds of one attempt that do not come from the settings.
struct Bounds {
  std::uint64_t limit = 0;  // the first position beyond the high-water mark
  std::uint64_t start = 0;  // the first position of this run; nothing below it is issued
  // Positions beyond the end of a tick that may have been taken for nothing: what
  // OvershootOf() says where callers use TakeNext, 0 where they do not.
  std::uint64_t overshoot = 0;
};

// One attempt. `clock` returns microseconds since 1970; it is read *after* the
// position, so that a position beyond it means that the clock is behind, and not
// that another caller was faster.
template <typename Clock>
Attempt TryTake(std::uint64_t& word, const Layout& layout, const GuardSettings& settings,
                const Bounds& bounds, const Request& request, Clock&& clock) noexcept {
  const unsigned sequence_bits = layout.SequenceBits();
  const std::uint64_t ids_per_tick = layout.IdsPerTick();
  const std::int64_t lead_us =
      settings.mode == ClockRegression::kLead ? settings.max_clock_lead_us : 0;
  AtomicWord position(word);
  std::uint64_t last = position.load(std::memory_order_acquire);
  for (;;) {
    Attempt attempt;
    attempt.now_us = clock();
    const std::int64_t now_tick = layout.TickAt(attempt.now_us);
    // Before the epoch there is no tick for the clock, and every position is ahead.
    std::uint64_t next = last + 1;
    if (now_tick > static_cast<std::int64_t>(layout.MaxTick())) {
      attempt.next = layout.MaxPosition() + 1;
      return attempt;  // kOutOfTime
    }
    if (now_tick >= 0) {
      next = std::max(next, static_cast<std::uint64_t>(now_tick) << sequence_bits);
    }
    if (request.together && (next & (ids_per_tick - 1)) + request.count > ids_per_tick) {
      next = ((next >> sequence_bits) + 1) << sequence_bits;
    }
    attempt.next = next;
    if (next > layout.MaxPosition()) return attempt;  // kOutOfTime

    const std::uint64_t next_tick = next >> sequence_bits;
    const std::int64_t next_us = layout.StartOfTick(next_tick);
    if (static_cast<std::int64_t>(next_tick) > now_tick) {
      attempt.behind_us = next_us - attempt.now_us;
      attempt.wait_us = std::max<std::int64_t>(attempt.behind_us - lead_us, 0);
    }
    if (attempt.wait_us == 0) {
      // The settings let the candidate pass; does the mark?
      const std::uint64_t need = request.together ? request.count : 1;
      if (next + need > bounds.limit) {
        attempt.verdict = Verdict::kReserve;
        return attempt;
      }
      // Up to the end of the candidate's tick, so that no more is taken in advance
      // than a tick holds.
      const std::uint64_t end = std::min(((next_tick + 1) << sequence_bits), bounds.limit);
      const std::uint64_t n = std::min(request.count, end - next);
      if (position.compare_exchange_strong(last, next + n - 1, std::memory_order_acq_rel,
                                           std::memory_order_acquire)) {
        attempt.verdict = Verdict::kIssued;
        attempt.taken = {next, n};
        return attempt;
      }
      continue;  // another caller was faster; `last` is now its position
    }

    // The last ID is of this tick, or positions beyond its end were taken for nothing
    // (TakeNext): then the sequence is used up. Else the clock is behind.
    if (now_tick >= 0 &&
        last < ((static_cast<std::uint64_t>(now_tick) + 1) << sequence_bits) + bounds.overshoot) {
      attempt.verdict = Verdict::kWaitForTick;
    } else if (settings.mode == ClockRegression::kError &&
               !(last < bounds.start && attempt.wait_us <= settings.max_start_wait_us)) {
      attempt.verdict = Verdict::kClockBehind;
    } else {
      attempt.verdict = Verdict::kWaitForClock;
    }
    return attempt;
  }
}

// How long the caller of one attempt after the other may still wait. A clock that is
// behind has max_clock_wait in all. A used-up sequence has the rest of its tick and
// max_clock_wait besides: more than enough for a clock that runs, and an end for one that
// stands still or is set back over and over. A caller that other callers are faster than
// meets a new tick each time, and starts again with that.
class WaitBudget {
 public:
  // Microseconds left for an attempt that says to wait; nothing left: not above 0.
  [[nodiscard]] std::int64_t Left(const Attempt& attempt, const GuardSettings& settings,
                                  std::int64_t monotonic_us) noexcept {
    const bool for_tick = attempt.verdict == Verdict::kWaitForTick;
    if (!waiting_ || for_tick != for_tick_ || (for_tick && attempt.next != next_)) {
      waiting_ = true;
      for_tick_ = for_tick;
      next_ = attempt.next;
      end_us_ = monotonic_us + settings.max_clock_wait_us + (for_tick ? attempt.wait_us : 0);
      // Where nothing is to be waited for beyond the tick, its end may be seen late.
      if (for_tick) end_us_ += kLateUs;
    }
    return end_us_ - monotonic_us;
  }

 private:
  static constexpr std::int64_t kLateUs = 100'000;

  bool waiting_ = false;
  bool for_tick_ = false;
  std::uint64_t next_ = 0;
  std::int64_t end_us_ = 0;
};

}  // namespace idgen

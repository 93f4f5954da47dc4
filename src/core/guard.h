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
//   kWaitForTick  the sequence of a tick is used up: wait `wait_us`
//   kWaitForClock the clock is behind: wait `wait_us`
//                 (both no longer in all than a WaitBudget allows)
//   kClockBehind  the clock is behind and the settings say not to wait
//   kOutOfTime    the layout has no position left
//
// Mode lead is for a clock that went back, and not for bursts: a lead that bursts could make
// would hold up all callers in other modes, while the clock is right. So it goes on in the tick
// of the last position at once, but a *new* tick that is ahead of the clock costs each caller a
// wait of more than a tick's length (NewTickUs). Nobody sees a candidate in tick T before a
// position of T - 1 is taken, and who takes the first of T has waited that long since he saw it: so
// ticks that are ahead of the clock advance more slowly than real time, whoever and however many
// ask for them, and nothing has to be remembered but by the callers that wait. (Positions that were
// taken for nothing are no sign that their tick has begun: a used-up sequence is waited for
// from the clock's own tick on.)
//
// That does not suit a position that whoever sends a message may raise (hlc.h): each raise would
// make a new tick of everybody's candidate, and whoever raises it often enough would keep all
// others waiting. With GuardSettings::paces_lead off, new ticks within the lead are taken at once.
// So is the one after it: a position raised to the end of the lead's last tick delays nobody
// either.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "layout.h"
#include "position.h"

namespace idgen {

enum class ClockRegression : std::uint8_t { kWait, kLead, kError };

struct GuardSettings {
  ClockRegression mode = ClockRegression::kWait;
  std::int64_t max_clock_wait_us = 2'000'000;
  std::int64_t max_clock_lead_us = 10'000'000;
  bool paces_lead = true;  // for kLead: new ticks ahead of the clock cost a wait
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
  std::uint64_t tick = 0;      // its tick
  std::int64_t now_us = 0;     // the clock's reading
  std::int64_t wait_us = 0;    // until the settings let the candidate pass; 0 if they do
  std::int64_t behind_us = 0;  // how far the clock is behind the candidate; 0 if it is not
  // With mode lead: until this caller may take the candidate's tick, as far as it is a new one.
  std::int64_t new_tick_us = 0;
};

// What a caller asks for.
struct Request {
  std::uint64_t count = 1;
  // All of them in one tick (so that they are consecutive integers where the
  // sequence is the lowest field), instead of as many as there are. `count` is then
  // at most IdsPerTick().
  bool together = false;
};

// A tick that a caller waits for, and for how long still, by the monotonic clock.
struct Awaited {
  std::uint64_t tick = 0;
  std::int64_t rest_us = 0;
};

// The bounds of one attempt that do not come from the settings.
struct Bounds {
  std::uint64_t limit = 0;  // the first position beyond the high-water mark
  std::uint64_t start = 0;  // the first position of this run; nothing below it is issued
  // Positions beyond the end of a tick that may have been taken for nothing: what
  // OvershootOf() says where callers use TakeNext, 0 where they do not.
  std::uint64_t overshoot = 0;
  // What this caller waits for since an earlier attempt of the same call (WaitBudget::Awaits).
  Awaited awaited = {};
};

// a + b and a - b, or the nearest number to it that there is.
constexpr std::int64_t SumUs(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<std::int64_t>::max()
               : std::numeric_limits<std::int64_t>::min();
}
constexpr std::int64_t DifferenceUs(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b < 0 ? std::numeric_limits<std::int64_t>::max()
               : std::numeric_limits<std::int64_t>::min();
}

// How long a new tick is waited for while the clock is behind: a quarter longer than a tick, so
// that the clock catches up, however much is asked for, and callers in other modes go on then.
constexpr std::int64_t NewTickUs(std::int64_t tick_us) noexcept { return tick_us + tick_us / 4; }

// One attempt. `clock` returns microseconds since 1970; it is read *after* the
// position, so that a position beyond it means that the clock is behind, and not
// that another caller was faster.
template <typename Clock>
Attempt TryTake(std::uint64_t& word, const Layout& layout, const GuardSettings& settings,
                const Bounds& bounds, const Request& request, Clock&& clock) noexcept {
  const unsigned sequence_bits = layout.SequenceBits();
  const std::uint64_t ids_per_tick = layout.IdsPerTick();
  const std::int64_t free_us = settings.paces_lead ? 0 : layout.tick_us;
  const std::int64_t lead_us =
      settings.mode == ClockRegression::kLead
          ? SumUs(std::max<std::int64_t>(settings.max_clock_lead_us, 0), free_us)
          : 0;
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
    attempt.tick = next_tick;
    // The last ID is of the clock's tick, or positions beyond its end were taken for nothing
    // (TakeNext): then the sequence is used up. Else the clock is behind.
    const bool is_used_up =
        now_tick >= 0 &&
        last < ((static_cast<std::uint64_t>(now_tick) + 1) << sequence_bits) + bounds.overshoot;
    if (static_cast<std::int64_t>(next_tick) > now_tick) {
      attempt.behind_us = DifferenceUs(layout.StartOfTick(next_tick), attempt.now_us);
      attempt.wait_us = std::max<std::int64_t>(attempt.behind_us - lead_us, 0);
      // The first tick of this run is no new one: nothing was used up before it.
      const bool is_new = (is_used_up || next_tick > last >> sequence_bits) &&
                          next_tick > bounds.start >> sequence_bits;
      if (is_new && lead_us > 0 && settings.paces_lead) {
        const std::int64_t new_us =
            is_used_up ? (static_cast<std::int64_t>(next_tick) - now_tick) * layout.tick_us
                       : NewTickUs(layout.tick_us);
        const std::int64_t rest_us =
            bounds.awaited.tick == next_tick ? bounds.awaited.rest_us : new_us;
        attempt.new_tick_us = std::clamp<std::int64_t>(rest_us, 0, attempt.behind_us);
        attempt.wait_us = std::max(attempt.wait_us, attempt.new_tick_us);
      }
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

    if (is_used_up || attempt.behind_us <= lead_us) {
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

// How long one call, which makes one attempt after the other, may still wait. All of its waits
// for a clock that is behind end max_clock_wait after the first of them began. A used-up
// sequence has the rest of its tick and max_clock_wait besides: more than enough for a clock
// that runs, and an end for one that stands still or is set back over and over. Only a caller
// that others were faster than, so that his candidate has grown, starts again with that; a
// verdict that changes with the clock, to and fro, gives no time.
class WaitBudget {
 public:
  // For the bounds of the next attempt. `monotonic` returns microseconds.
  template <typename Monotonic>
  [[nodiscard]] Awaited Awaits(Monotonic&& monotonic) const noexcept {
    if (tick_ == 0) return {};
    return {tick_, DifferenceUs(new_tick_end_us_, monotonic())};
  }

  // Microseconds left for an attempt that says to wait; nothing left: not above 0.
  [[nodiscard]] std::int64_t Left(const Attempt& attempt, const GuardSettings& settings,
                                  std::int64_t monotonic_us) noexcept {
    if (attempt.tick != tick_) {
      tick_ = attempt.tick;
      new_tick_end_us_ = SumUs(monotonic_us, attempt.new_tick_us);
    }
    const std::int64_t clock_end_us = SumUs(monotonic_us, settings.max_clock_wait_us);
    if (attempt.verdict != Verdict::kWaitForTick) {
      if (!waits_for_clock_) clock_end_us_ = clock_end_us;
      waits_for_clock_ = true;
      return DifferenceUs(clock_end_us_, monotonic_us);
    }
    if (attempt.next > next_) {
      next_ = attempt.next;
      // Where nothing is to be waited for beyond the tick, its end may be seen late.
      tick_end_us_ = SumUs(clock_end_us, SumUs(attempt.wait_us, kLateUs));
    }
    return DifferenceUs(tick_end_us_, monotonic_us);
  }

 private:
  static constexpr std::int64_t kLateUs = 100'000;

  // The candidate's tick, and until when it is waited for as a new one; that is never tick 0.
  std::uint64_t tick_ = 0;
  std::int64_t new_tick_end_us_ = 0;
  std::uint64_t next_ = 0;  // the largest candidate that a tick was waited for with
  std::int64_t tick_end_us_ = 0;
  bool waits_for_clock_ = false;
  std::int64_t clock_end_us_ = 0;
};

}  // namespace idgen

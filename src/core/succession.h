// A succession: a generator's layout until an instant, another one from then on, and so on. An ID
// belongs to one of its stages by the time in it, and shows which by its size. So IDs of all stages
// can be read, compared and searched as if they were of one layout.
//
// That rests on one condition: all IDs that a stage can make from its first instant on are greater
// than all that any stage before it can have made until then, whatever the identity. Every
// layout has its timestamp on top, and the other bits of an ID can be anything. So the IDs of a
// layout before an instant are exactly those from 0 to a bound, those from the instant on are
// exactly those from a bound, and comparing two numbers decides it: IdBound().
//
// An instant that is within a tick belongs to the stage before: the tick began before it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "layout.h"

namespace idgen {

// Returns the first tick that begins at an instant or later, from 0 to MaxTick() + 1, which no ID
// has.
[[nodiscard]] constexpr std::uint64_t FirstTickFrom(const Layout& layout,
                                                    std::int64_t time_us) noexcept {
  const Int128 since = static_cast<Int128>(time_us) - layout.epoch_us;
  if (since <= 0) return 0;
  const Int128 tick = (since + layout.tick_us - 1) / layout.tick_us;
  const Int128 end = static_cast<Int128>(layout.MaxTick()) + 1;
  return static_cast<std::uint64_t>(std::min(tick, end));
}

// Returns the first position of that tick.
[[nodiscard]] constexpr std::uint64_t PositionFrom(const Layout& layout,
                                                   std::int64_t time_us) noexcept {
  return FirstTickFrom(layout, time_us) << layout.SequenceBits();
}

// Returns a bound: IDs of ticks that begin before the instant are below it, others are not. At most
// MaxId() + 1.
[[nodiscard]] constexpr std::uint64_t IdBound(const Layout& layout, std::int64_t time_us) noexcept {
  return FirstTickFrom(layout, time_us) << layout[FieldKind::kTimestamp].shift;
}

// The instant after the last stage.
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

struct Stage {
  Layout layout;
  std::int64_t until_us = kNever;
};

enum class ChangeFlaw : std::uint8_t {
  kNone,
  kNotGreater,  // than all IDs before
  kNoTime,      // the new layout has no tick from then on
  kNotLater,    // than the change before
  kTooMany,     // stages
};

// What a change comes to.
struct Change {
  ChangeFlaw flaw = ChangeFlaw::kNone;
  std::uint64_t before = 0;  // all IDs that can have been made before are below it
  std::uint64_t from = 0;    // the smallest ID that can be made from then on
};

struct Succession {
  // More changes than a name should have in its life. Each costs a comparison where IDs are read.
  static constexpr std::size_t kMostStages = 16;

  std::array<Stage, kMostStages> stages{};
  std::size_t count = 0;

  constexpr Succession() = default;
  constexpr explicit Succession(const Layout& layout) : count(1) { stages[0].layout = layout; }

  [[nodiscard]] constexpr const Layout& last() const { return stages[count - 1].layout; }

  // Returns when a stage begins; the first one's is the least number.
  [[nodiscard]] constexpr std::int64_t SinceOf(std::size_t stage) const {
    return stage == 0 ? std::numeric_limits<std::int64_t>::min() : stages[stage - 1].until_us;
  }

  // Returns the stage that an instant is in.
  [[nodiscard]] constexpr std::size_t StageAt(std::int64_t time_us) const {
    std::size_t stage = 0;
    while (stage + 1 < count && time_us >= SinceOf(stage + 1)) ++stage;
    return stage;
  }

  // Return the first position of a stage but the first, and the first that a stage but the last
  // must not take.
  [[nodiscard]] constexpr std::uint64_t BeginOf(std::size_t stage) const {
    return PositionFrom(stages[stage].layout, SinceOf(stage));
  }
  [[nodiscard]] constexpr std::uint64_t EndOf(std::size_t stage) const {
    return PositionFrom(stages[stage].layout, SinceOf(stage + 1));
  }

  // Returns the smallest ID of a stage; 0 for the first.
  [[nodiscard]] constexpr std::uint64_t FirstIdOf(std::size_t stage) const {
    return stage == 0 ? 0 : IdBound(stages[stage].layout, SinceOf(stage));
  }

  // Returns the stage that made an ID.
  [[nodiscard]] constexpr std::size_t StageOf(std::uint64_t id) const {
    std::size_t stage = 0;
    while (stage + 1 < count && id >= FirstIdOf(stage + 1)) ++stage;
    return stage;
  }

  // Tells what going over to `to` at an instant comes to.
  [[nodiscard]] constexpr Change Check(const Layout& to, std::int64_t at_us) const {
    Change change;
    change.before = IdBound(last(), at_us);  // not below those of the stages before
    change.from = IdBound(to, at_us);
    if (count == kMostStages) {
      change.flaw = ChangeFlaw::kTooMany;
    } else if (at_us <= SinceOf(count - 1)) {
      change.flaw = ChangeFlaw::kNotLater;
    } else if (change.from > to.MaxId()) {
      change.flaw = ChangeFlaw::kNoTime;
    } else if (change.from < change.before) {
      change.flaw = ChangeFlaw::kNotGreater;
    }
    return change;
  }

  // Goes over to `to` at an instant that Check() accepts.
  constexpr void Append(const Layout& to, std::int64_t at_us) {
    stages[count - 1].until_us = at_us;
    stages[count++] = {to, kNever};
  }

  // Successions are equal if every ID means the same in both.
  friend constexpr bool operator==(const Succession& a, const Succession& b) {
    if (a.count != b.count) return false;
    for (std::size_t i = 0; i < a.count; ++i) {
      if (a.stages[i].until_us != b.stages[i].until_us || a.stages[i].layout != b.stages[i].layout)
        return false;
    }
    return true;
  }
};

// Returns the first instant at which two successions do not stand for the same layout; the least
// number if that is so from the beginning, kNever if they do at all times. Where one goes over to
// the layout that it has, nothing changes.
[[nodiscard]] constexpr std::int64_t FirstDifference(const Succession& a,
                                                     const Succession& b) noexcept {
  const auto end_of = [](const Succession& of, std::size_t stage) {
    return stage + 1 < of.count ? of.SinceOf(stage + 1) : kNever;
  };
  std::size_t of_a = 0;
  std::size_t of_b = 0;
  std::int64_t since = a.SinceOf(0);
  while (since != kNever && a.stages[of_a].layout == b.stages[of_b].layout) {
    const std::int64_t a_end = end_of(a, of_a);
    const std::int64_t b_end = end_of(b, of_b);
    since = std::min(a_end, b_end);
    if (a_end == since) ++of_a;
    if (b_end == since) ++of_b;
  }
  return since;
}

// Returns the earliest instant from `least_us` on at which a change from one layout to another has
// no flaw; kNever if there is none.
//
// The bound of `from` is a stair with a step for each tick: it is j << shift for the instants
// after tick j - 1 begins, up to the beginning of tick j. The bound of `to` reaches that with its
// own tick k = j << shift >> shift of `to`, rounded up, so from 1 us after tick k - 1 on. What is
// looked for is the first step j that this comes in time for.
[[nodiscard]] constexpr std::int64_t EarliestChange(const Layout& from, const Layout& to,
                                                    std::int64_t least_us) noexcept {
  const unsigned from_shift = from[FieldKind::kTimestamp].shift;
  const unsigned to_shift = to[FieldKind::kTimestamp].shift;
  const Int128 last_step = static_cast<Int128>(from.MaxTick()) + 1;  // it has no end
  const Int128 from_us = from.tick_us;
  const Int128 to_us = to.tick_us;
  // `steps` of `from` are worth one tick of `to`, or one of those is worth `ticks`.
  const Int128 steps = Int128{1} << (to_shift > from_shift ? to_shift - from_shift : 0);
  const Int128 ticks = Int128{1} << (from_shift > to_shift ? from_shift - to_shift : 0);
  // No step after this one is reached: `to` has no ticks left.
  const Int128 last_useful = std::min(last_step, static_cast<Int128>(to.MaxTick()) / ticks * steps);
  const auto reached = [&](Int128 step) -> Int128 {
    const Int128 tick = (step + steps - 1) / steps * ticks;
    return tick == 0 ? static_cast<Int128>(std::numeric_limits<std::int64_t>::min())
                     : to.epoch_us + (tick - 1) * to_us + 1;
  };
  const auto spare = [&](Int128 step) { return from.epoch_us + step * from_us - reached(step); };
  const auto answer = [&](Int128 step) -> std::int64_t {
    const Int128 time = std::max<Int128>(least_us, reached(step));
    if (step > last_useful || time > to.StartOfTick(to.MaxTick())) return kNever;
    return static_cast<std::int64_t>(time);
  };

  const auto first = static_cast<Int128>(FirstTickFrom(from, least_us));
  if (first > last_useful) return kNever;
  if (first == last_step || spare(first) >= 0) return answer(first);
  // The spare time changes evenly from one group of `steps` steps to the next, and within a group
  // it grows.
  const auto first_in = [&](Int128 least, Int128 most) -> Int128 {
    const Int128 lacks = -spare(least);
    return std::min(lacks <= 0 ? least : least + (lacks + from_us - 1) / from_us, most + 1);
  };
  const Int128 last_inner = std::min(last_step - 1, last_useful);
  const Int128 group_end = std::min((first + 1 + steps - 1) / steps * steps, last_inner);
  if (first + 1 <= last_inner) {
    const Int128 step = first_in(first + 1, group_end);
    if (step <= group_end) return answer(step);
  }
  const Int128 gain = steps * from_us - ticks * to_us;
  if (gain > 0 && group_end < last_inner) {
    const Int128 groups = (-spare(group_end) + gain - 1) / gain;
    const Int128 begin = group_end + (groups - 1) * steps + 1;
    if (begin <= last_inner) {
      const Int128 end = std::min(group_end + groups * steps, last_inner);
      const Int128 step = first_in(begin, end);
      if (step <= end) return answer(step);
    }
  }
  return answer(last_step);
}

}  // namespace idgen

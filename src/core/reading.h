// A reading of the wall clock that serves again while it is certainly young. Reading the clock
// is most of what an ID costs, and a reading that is a few microseconds old can change neither
// the uniqueness nor the order of IDs: both are the position's (position.h).
//
// How young it is, the CPU's cycle counter says (cycles.h), and nothing depends on its being
// right but the time in an ID. So it is not trusted further than can be seen: readings serve
// again only while the counter keeps up with the clock, which is looked at with each reading
// (but over no less than kLeastUs), and no reading more than kMostReuses times. A counter that
// stops, or becomes slower than half of what it should be, makes one reading serve for longer
// than it may, for that many IDs at most; then every call reads the clock, until the counter
// has kept up again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace idgen {

// For one thread. Default: no reading yet, and no counter.
class ClockReading {
 public:
  // How often a reading may serve again.
  static constexpr std::int32_t kMostReuses = 1000;

  // No reading serves for longer than this.
  static constexpr std::int64_t kOldestUs = 8;

  // How long a reading serves where the time is to be as exact as the ticks are: a 64th of one.
  static constexpr std::int64_t OldestUs(std::int64_t tick_us) noexcept {
    return std::min(tick_us / 64, kOldestUs);
  }

  constexpr ClockReading() = default;

  // A reading serves for `oldest_us`, at most kOldestUs. `cycles_per_us` as CyclesPerUs() returns
  // it. Where either is 0, every call reads the clock.
  constexpr ClockReading(std::int64_t oldest_us, std::uint64_t cycles_per_us)
      : fresh_cycles_(static_cast<std::uint64_t>(oldest_us) * cycles_per_us),
        cycles_per_us_(static_cast<std::uint32_t>(cycles_per_us)) {}

  // True when the last reading is young enough to serve once more.
  template <typename Counter>
  [[nodiscard]] constexpr bool IsFresh(Counter&& counter) noexcept {
    return fresh_cycles_ != 0 && counter() - cycles_ < fresh_cycles_ && reuses_left_-- > 0;
  }

  // Reads the clock: microseconds since 1970.
  template <typename Counter, typename Clock>
  [[nodiscard]] constexpr std::int64_t Read(Counter&& counter, Clock&& clock) noexcept {
    // The counter first: the reading is then younger than the counter says, not older.
    const std::uint64_t cycles = fresh_cycles_ != 0 ? counter() : 0;
    const std::int64_t now_us = clock();
    Judge(cycles, now_us);
    cycles_ = cycles;
    reuses_left_ = is_trusted_ ? kMostReuses : 0;
    return now_us;
  }

  // The last reading does not serve again.
  constexpr void Forget() noexcept { reuses_left_ = 0; }

 private:
  // Whether the counter made at least half of the cycles that belong to the time since it was
  // last judged. A half, because the clock is not exact either: it is read in whole
  // microseconds, and time synchronization may let it run a little fast. Where the clock went
  // back, or so far that nothing is known of the time between, the next judgement tells.
  constexpr void Judge(std::uint64_t cycles, std::int64_t now_us) noexcept {
    const std::uint64_t us =
        static_cast<std::uint64_t>(now_us) - static_cast<std::uint64_t>(judged_us_);
    const bool went_back = cycles - cycles_ >= kBackwards;
    if (us < kLeastUs && !went_back) return;
    is_trusted_ =
        us < kLongUs && !went_back && 2 * (cycles - judged_cycles_) >= us * cycles_per_us_;
    judged_us_ = now_us;
    judged_cycles_ = cycles;
  }

  static constexpr std::uint64_t kLeastUs = kOldestUs;
  static constexpr std::uint64_t kLongUs = std::uint64_t{1} << 31;  // 36 minutes
  static constexpr std::uint64_t kBackwards = std::uint64_t{1} << 63;

  std::uint64_t cycles_ = 0;  // just before the last reading
  std::uint64_t fresh_cycles_ = 0;
  std::int32_t reuses_left_ = 0;
  std::uint32_t cycles_per_us_ = 0;
  bool is_trusted_ = false;
  std::uint64_t judged_cycles_ = 0;
  std::int64_t judged_us_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace idgen

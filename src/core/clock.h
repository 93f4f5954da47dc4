// The two clocks, and the division of the wall clock's time into ticks.
#pragma once

#include <cstdint>
#include <ctime>
#include <limits>

#include "layout.h"

namespace idgen {

// Microseconds since 1970-01-01 UTC by the system's wall clock. It may step in
// either direction between two calls.
inline std::int64_t WallClockUs() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

// Microseconds on a clock that is never set; its zero has no meaning. Bounds waits.
inline std::int64_t MonotonicUs() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

// Layout::TickAt for the hot path: the same tick without a division.
//
// With m = floor((2^64 - 1) / d), the high half of n * m is floor(n / d) or one
// less, for every n below 2^63: m / 2^64 is at most 1 / d and less than 2^-64 below
// it, so n * m / 2^64 lies within 1/2 below n / d. One comparison mends that.
class TickDivider {
 public:
  constexpr TickDivider() = default;
  constexpr explicit TickDivider(const Layout& layout)
      : epoch_us_(static_cast<std::uint64_t>(layout.epoch_us)),
        tick_us_(static_cast<std::uint64_t>(layout.tick_us)),
        reciprocal_(std::numeric_limits<std::uint64_t>::max() / tick_us_),
        life_us_(LifeUs(layout)) {}

  // Sets `tick` to the tick that holds `now_us`. False, and `tick` is not set, when that is
  // before the layout's epoch or after its end; also 2^63 us or more after the epoch, which
  // is in its life only where that is longer than 292,000 years.
  [[nodiscard]] constexpr bool TickAt(std::int64_t now_us, std::uint64_t& tick) const noexcept {
    const std::uint64_t since = static_cast<std::uint64_t>(now_us) - epoch_us_;
    if (since >= life_us_) return false;
    __extension__ using Uint128 = unsigned __int128;
    auto quotient = static_cast<std::uint64_t>((Uint128{since} * reciprocal_) >> 64);
    if (since - quotient * tick_us_ >= tick_us_) ++quotient;
    tick = quotient;
    return true;
  }

 private:
  // From the epoch to the end, and not beyond what an instant can be: the difference to
  // the epoch, without a sign, is then at least as large for every instant before it.
  static constexpr std::uint64_t LifeUs(const Layout& layout) {
    const Int128 life = (static_cast<Int128>(layout.MaxTick()) + 1) * layout.tick_us;
    const Int128 most =
        (static_cast<Int128>(1) << 63) - (layout.epoch_us > 0 ? layout.epoch_us : 0);
    return static_cast<std::uint64_t>(life < most ? life : most);
  }

  std::uint64_t epoch_us_ = 0;
  std::uint64_t tick_us_ = 1;
  std::uint64_t reciprocal_ = 0;
  std::uint64_t life_us_ = 0;  // 0: no instant is within the life
};

}  // namespace idgen

// A wall clock that a test sets.
#pragma once

#include <atomic>
#include <cstdint>

namespace idgen {

struct FakeClock {
  inline static std::atomic<std::int64_t> now_us = 0;
  // How far each reading moves the clock.
  inline static std::atomic<std::int64_t> step_us = 0;
  // How far every 500th reading takes it back.
  inline static std::atomic<std::int64_t> back_us = 0;
  inline static std::atomic<std::uint64_t> readings = 0;

  // Stands still at `us` from now on.
  static void Set(std::int64_t us) {
    now_us = us;
    step_us = 0;
    back_us = 0;
    readings = 0;
  }
  static std::int64_t Read() noexcept {
    const bool goes_back = ++readings % 500 == 0 && back_us != 0;
    return now_us.fetch_add(goes_back ? -back_us.load() : step_us.load());
  }
};

}  // namespace idgen

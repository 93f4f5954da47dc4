// A cycle counter that a test sets: what IDGEN_CYCLE_COUNTER is for (cycles.h). One cycle a
// nanosecond.
#pragma once

#include <atomic>
#include <cstdint>

namespace idgen {

struct FakeCounter {
  inline static std::atomic<std::uint64_t> cycles = 1'000'000;
  inline static std::atomic<std::uint64_t> cycles_per_us = 1000;
  inline static std::atomic<int> asked = 0;
};

inline std::uint64_t CycleCount() noexcept { return FakeCounter::cycles; }
inline std::uint64_t CyclesPerUs() noexcept {
  ++FakeCounter::asked;
  return FakeCounter::cycles_per_us;
}

}  // namespace idgen

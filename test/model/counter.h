// The cycle counter of the model's threads: what IDGEN_CYCLE_COUNTER is for (cycles.h). One cycle a
// microsecond.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "explorer.h"

namespace idgen {

namespace model {

// It is asked once in a call whether the reading is fresh, and then kept with each reading.
struct Counter {
  bool is_told = false;  // else every reading is old
  std::array<std::uint64_t, kMostThreads + 1> cycles{};
  std::array<bool, kMostThreads + 1> is_first{};

  void Begin() noexcept { is_first[Index()] = true; }
  std::uint64_t Read() noexcept {
    // It runs faster than the clock, as far as a session can see.
    const bool is_fresh = is_told && is_first[Index()] && Choose(2) == 0;
    is_first[Index()] = false;
    if (!is_fresh) cycles[Index()] += 1'000'000;
    Note("counts", cycles[Index()]);
    return cycles[Index()];
  }

 private:
  static std::size_t Index() noexcept { return static_cast<std::size_t>(Thread()); }
};
inline Counter counter;

}  // namespace model

inline std::uint64_t CycleCount() noexcept { return model::counter.Read(); }
inline std::uint64_t CyclesPerUs() noexcept { return 1; }

}  // namespace idgen

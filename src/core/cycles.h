// The CPU's cycle counter: a cheap way to tell that a reading of the clock is young. It
// only ever decides whether to read the clock again, and so can change neither the
// uniqueness nor the order of IDs, whatever the counter does.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#ifdef IDGEN_CYCLE_COUNTER
// The one seam for tests and measurements: a header with another CycleCount() and CyclesPerUs().
#include IDGEN_CYCLE_COUNTER
#else

namespace idgen {

// The counter's value; 0 where there is none.
inline std::uint64_t CycleCount() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  std::uint64_t count = 0;
  asm volatile("mrs %0, cntvct_el0" : "=r"(count));
  return count;
#else
  return 0;
#endif
}

// Counts per microsecond that the counter certainly makes, or 0 when it is not known to
// run at a constant rate and alike on all cores. On x86-64 the CPU must say that the rate
// is invariant, and the kernel must keep its own time by the counter (which it does only
// while it finds the cores' counters in step). Reads a small file: ask once a process.
std::uint64_t CyclesPerUs() noexcept;

}  // namespace idgen

#endif  // IDGEN_CYCLE_COUNTER

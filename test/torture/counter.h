// A cycle counter that lies, in place of the CPU's (IDGEN_CYCLE_COUNTER). In each session, for some
// thousand calls at a time, it is right, stands still, is slow, jumps, or is noise.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <ctime>

namespace idgen {

inline std::uint64_t CyclesPerUs() noexcept { return 1000; }

inline std::uint64_t CycleCount() noexcept {
  static constinit std::uint64_t random = 0;
  static constinit std::uint64_t offset = 0;
  static constinit std::uint64_t still = 0;
  static constinit unsigned left = 0;
  static constinit unsigned kind = 0;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  const std::uint64_t right = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                              static_cast<std::uint64_t>(now.tv_nsec);
  // Xorshift (Marsaglia, 2003).
  if (random == 0) random = right * static_cast<std::uint64_t>(getpid()) | 1;
  random ^= random << 13;
  random ^= random >> 7;
  random ^= random << 17;
  if (left-- == 0) {
    left = static_cast<unsigned>(random >> 20) % 4'000;
    kind = static_cast<unsigned>(random >> 40) % 5;
    still = right + offset;
  }
  switch (kind) {
    case 0:
      return right + offset;
    case 1:
      return still;
    case 2:
      return still + (right + offset - still) / 1'000;
    case 3:
      if (random % 16 == 0) offset += random % 2'000'000 - 1'000'000;
      return right + offset;
    default:
      return random;
  }
}

}  // namespace idgen

// The cycle counter while instructions are counted, in place of the CPU's (IDGEN_CYCLE_COUNTER).
// A call lasts 250 cycles, and a cycle a nanosecond (test/torture/clock.cpp): so a session stays
// below the 4,096 IDs a millisecond of the snowflake layout, and a reading of the clock serves for
// 32 IDs.
#pragma once

#include <cstdint>

extern "C" unsigned long idgen_cycles;

namespace idgen {

inline std::uint64_t CycleCount() noexcept { return idgen_cycles += 250; }
inline std::uint64_t CyclesPerUs() noexcept { return 1000; }

}  // namespace idgen

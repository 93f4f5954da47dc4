// What the benchmarks of the core share. A benchmark's name is its subject in the tables that
// bench/core/run writes.
#pragma once

#include <benchmark/benchmark.h>

#include <idgen/cursor.h>
#include <idgen/cycles.h>
#include <idgen/guard.h>
#include <idgen/layout.h>

#include <cstdint>

namespace idgen {

// Wide enough that no benchmark meets its limit: four million IDs a millisecond. The `tso`
// layout has 262,144, and so 262 million IDs a second at most.
inline constexpr Layout kWidest = MakeLayout(
    "widest", 1000, 1577836800000, {{FieldKind::kTimestamp, 41}, {FieldKind::kSequence, 22}});

// A position as it is shared: on a cache line of its own.
struct alignas(64) Line {
  std::uint64_t word = 0;
};

// What a session of the database is: an allowance and a cursor of its own in front of a position
// that it may share, and the guard behind them.
class Taker {
 public:
  Taker(const Layout& layout, std::uint64_t block_size)
      : layout_(layout),
        allowance_(layout, block_size, CyclesPerUs()),
        composer_(layout.ComposerFor(0)) {
    allowance_.Open(layout.MaxPosition() + 1);
  }

  // The next ID of the position; -1 when the guard says that the clock is wrong.
  std::int64_t Next(std::uint64_t& word) noexcept {
    std::uint64_t position = 0;
    if (cursor_.Next(allowance_, word, &CycleCount, &WallClockUs, position)) [[likely]]
      return composer_(position);
    return NextSlowly(word);
  }

 private:
  // Spins through the rest of a tick that is used up.
  [[gnu::noinline]] std::int64_t NextSlowly(std::uint64_t& word) noexcept {
    const Bounds bounds{layout_.MaxPosition() + 1, 0, OvershootOf(layout_.IdsPerTick())};
    for (;;) {
      const Attempt attempt = TryTake(word, layout_, {}, bounds, {}, &WallClockUs);
      if (attempt.verdict == Verdict::kIssued) return composer_(attempt.taken.first);
      if (attempt.verdict != Verdict::kWaitForTick) return -1;
    }
  }

  Layout layout_;
  Allowance allowance_;
  Cursor cursor_;
  Composer composer_;
};

// From one thread to more than the machine has cores; counted in calls a second of all
// threads together.
inline void OverThreads(benchmark::internal::Benchmark* subject) {
  subject->ThreadRange(1, 8)->UseRealTime();
}

}  // namespace idgen

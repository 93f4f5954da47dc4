#include <idgen/cycles.h>

#include <gtest/gtest.h>

#include <idgen/clock.h>

namespace idgen {
namespace {

TEST(Cycles, TheRateIsTheSameEachTime) {
  const std::uint64_t rate = CyclesPerUs();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(CyclesPerUs(), rate);
}

TEST(Cycles, ATrustedCounterNeverGoesBack) {
  if (CyclesPerUs() == 0) GTEST_SKIP() << "no counter to trust on this machine";
  std::uint64_t last = CycleCount();
  for (int i = 0; i < 1'000'000; ++i) {
    const std::uint64_t count = CycleCount();
    ASSERT_GE(count, last);
    last = count;
  }
}

// A counter slower than the rate says would let a reading of the clock grow too old.
TEST(Cycles, ATrustedCounterIsNotSlowerThanItsRate) {
  const std::uint64_t rate = CyclesPerUs();
  if (rate == 0) GTEST_SKIP() << "no counter to trust on this machine";
  // The count encloses the time, so that being preempted can only make it larger.
  const std::uint64_t count = CycleCount();
  const std::int64_t start_us = MonotonicUs();
  while (MonotonicUs() < start_us + 20'000) {
  }
  const std::int64_t elapsed_us = MonotonicUs() - start_us;
  const std::uint64_t cycles = CycleCount() - count;
  // 1 % for a monotonic clock that time synchronization speeds up (0.05 % at most).
  EXPECT_GE(cycles, rate * static_cast<std::uint64_t>(elapsed_us) / 100 * 99);
}

}  // namespace
}  // namespace idgen

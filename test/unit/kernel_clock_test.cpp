#include <idgen/kernel_clock.h>

#include <gtest/gtest.h>

namespace idgen {
namespace {

KernelClock WithError(std::int64_t us) {
  KernelClock clock;
  clock.max_error_us = us;
  return clock;
}

TEST(KernelClock, IsJudgedByItsMaximumError) {
  EXPECT_EQ(StateOf(WithError(0), 0), ClockState::kSynchronized);
  EXPECT_EQ(StateOf(WithError(15'999'999), 0), ClockState::kSynchronized);
  EXPECT_EQ(StateOf(WithError(16'000'000), 0), ClockState::kUnsynchronized);
  EXPECT_EQ(StateOf(WithError(1'000'000), 1'000'000), ClockState::kSynchronized);
  EXPECT_EQ(StateOf(WithError(1'000'001), 1'000'000), ClockState::kStale);
  // A limit above what the kernel counts to does not hide that it is the end.
  EXPECT_EQ(StateOf(WithError(16'000'000), 60'000'000), ClockState::kUnsynchronized);
}

TEST(KernelClock, TellsOfALossOnce) {
  using enum ClockHealth;
  EXPECT_EQ(HealthAfter(kUnknown, ClockState::kSynchronized, false), kGood);
  EXPECT_EQ(HealthAfter(kGood, ClockState::kStale, false), kBad);
  EXPECT_EQ(HealthAfter(kBad, ClockState::kUnsynchronized, false), kBad);
  EXPECT_EQ(HealthAfter(kBad, ClockState::kSynchronized, false), kGood);
  // It was synchronized before the server started.
  EXPECT_EQ(HealthAfter(kUnknown, ClockState::kStale, false), kBad);
}

TEST(KernelClock, DoesNotTellOfOneThatNeverWas) {
  using enum ClockHealth;
  EXPECT_EQ(HealthAfter(kUnknown, ClockState::kUnsynchronized, false), kUnknown);
  EXPECT_EQ(HealthAfter(kUnknown, ClockState::kUnsynchronized, true), kBad);
  EXPECT_EQ(HealthAfter(kGood, ClockState::kUnsynchronized, false), kBad);
}

#ifdef __linux__
TEST(KernelClock, TakesTheKernelsUnits) {
  timex reading{};
  reading.offset = -1500;
  reading.freq = 3 << 16;
  reading.maxerror = 2500;
  reading.esterror = 7;
  reading.tick = 10'000;
  reading.tai = 37;
  reading.status = STA_UNSYNC | STA_DEL;
  KernelClock clock = FromTimex(reading, TIME_ERROR);
  EXPECT_EQ(clock.offset_ns, -1'500'000);
  EXPECT_EQ(clock.frequency, 3 << 16);
  EXPECT_EQ(clock.max_error_us, 2500);
  EXPECT_EQ(clock.estimated_error_us, 7);
  EXPECT_EQ(clock.tick_us, 10'000);
  EXPECT_EQ(clock.tai_offset_s, 37);
  EXPECT_EQ(clock.leap, KernelClock::Leap::kDelete);
  reading.status = STA_NANO | STA_INS;
  clock = FromTimex(reading, TIME_INS);
  EXPECT_EQ(clock.offset_ns, -1500);
  EXPECT_EQ(clock.leap, KernelClock::Leap::kInsert);
  EXPECT_EQ(FromTimex(reading, TIME_OOP).leap, KernelClock::Leap::kInProgress);
  reading.status = 0;
  EXPECT_EQ(FromTimex(reading, TIME_OK).leap, KernelClock::Leap::kNone);
}
#endif

TEST(KernelClock, IsReadOrDenied) {
  KernelClock clock;
  if (ReadKernelClock(clock) == 0) {
    EXPECT_GE(clock.max_error_us, 0);
    EXPECT_GT(clock.tick_us, 0);
  }
}

}  // namespace
}  // namespace idgen

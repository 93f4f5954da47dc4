// How long one call waits: WaitBudget, and a generator under clocks that stand still or alternate.
#include <idgen/generator.h>
#include <idgen/guard.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace idgen {
namespace {

using enum FieldKind;

Attempt Waiting(Verdict verdict, std::uint64_t next, std::int64_t wait_us) {
  Attempt attempt;
  attempt.verdict = verdict;
  attempt.next = next;
  attempt.wait_us = wait_us;
  return attempt;
}

TEST(WaitBudget, AClockThatIsBehindHasItsWaitOnce) {
  const GuardSettings settings{.max_clock_wait_us = 500};
  WaitBudget budget;
  EXPECT_EQ(budget.Left(Waiting(Verdict::kWaitForClock, 7, 900), settings, 10'000), 500);
  EXPECT_EQ(budget.Left(Waiting(Verdict::kWaitForClock, 8, 800), settings, 10'200), 300);
  EXPECT_EQ(budget.Left(Waiting(Verdict::kWaitForClock, 9, 700), settings, 10'500), 0);
  EXPECT_LT(budget.Left(Waiting(Verdict::kWaitForClock, 9, 700), settings, 10'501), 0);
}

TEST(WaitBudget, EachTickHasItsOwn) {
  const GuardSettings settings{.max_clock_wait_us = 0};
  WaitBudget budget;
  const std::int64_t first = budget.Left(Waiting(Verdict::kWaitForTick, 8, 900), settings, 10'000);
  EXPECT_GT(first, 900);
  // The same tick, later: less. It ends, whatever the clock says that is still to wait.
  EXPECT_EQ(budget.Left(Waiting(Verdict::kWaitForTick, 8, 900), settings, 10'100), first - 100);
  EXPECT_LE(budget.Left(Waiting(Verdict::kWaitForTick, 8, 5'000), settings, 10'000 + first), 0);
  // Another caller was faster, and it is the next tick now.
  EXPECT_EQ(budget.Left(Waiting(Verdict::kWaitForTick, 16, 900), settings, 20'000), first);
  // The clock was set back meanwhile.
  EXPECT_EQ(budget.Left(Waiting(Verdict::kWaitForClock, 16, 900), settings, 20'100), 0);
  // And forth again: that is no new tick.
  EXPECT_EQ(budget.Left(Waiting(Verdict::kWaitForTick, 16, 900), settings, 20'200), first - 200);
}

TEST(WaitBudget, TellsWhichTickIsWaitedForAndHowLong) {
  const GuardSettings settings;
  WaitBudget budget;
  std::int64_t now_us = 5'000;
  int reads = 0;
  const auto monotonic = [&] {
    ++reads;
    return now_us;
  };
  EXPECT_EQ(budget.Awaits(monotonic).tick, 0U);
  EXPECT_EQ(reads, 0) << "most calls wait for nothing, and need no clock for it";
  Attempt attempt = Waiting(Verdict::kWaitForTick, 8, 900);
  attempt.tick = 3;
  attempt.new_tick_us = 900;
  (void)budget.Left(attempt, settings, now_us);
  now_us += 70;
  attempt.verdict = Verdict::kWaitForClock;  // the clock went back: still the same tick
  attempt.new_tick_us = 2'000;
  (void)budget.Left(attempt, settings, now_us);
  now_us += 30;
  EXPECT_EQ(budget.Awaits(monotonic).tick, 3U);
  EXPECT_EQ(budget.Awaits(monotonic).rest_us, 800);
  attempt.tick = 4;
  (void)budget.Left(attempt, settings, now_us);
  EXPECT_EQ(budget.Awaits(monotonic).tick, 4U);
  EXPECT_EQ(budget.Awaits(monotonic).rest_us, 2'000);
}

TEST(WaitBudget, NoSettingIsTooLarge) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const GuardSettings settings{.max_clock_wait_us = kMost};
  for (const Verdict verdict : {Verdict::kWaitForTick, Verdict::kWaitForClock}) {
    WaitBudget budget;
    EXPECT_EQ(budget.Left(Waiting(verdict, 8, kMost), settings, 10'000), kMost - 10'000);
  }
}

// A clock that alternates about a used-up tick, so that it is the tick's turn and then the
// clock's: one call's whole wait has an end.
TEST(WaitBudget, AnAlternatingClockHasAnEnd) {
  for (const std::int64_t tick_us : {std::int64_t{1'000}, std::int64_t{1'000'000}}) {
    const Layout layout = MakeLayout("alternating", tick_us, 0, {{kTimestamp, 30}, {kSequence, 2}});
    for (const ClockRegression mode : {ClockRegression::kWait, ClockRegression::kLead}) {
      const GuardSettings settings{
          .mode = mode, .max_clock_wait_us = 200'000, .max_clock_lead_us = 0};
      std::uint64_t word = 7 * 4 + 3;
      std::int64_t monotonic_us = 0;
      std::int64_t attempts = 0;
      WaitBudget budget;
      for (; monotonic_us < 60'000'000; ++attempts) {
        const std::int64_t now_us = 7 * tick_us - attempts % 2;
        const Attempt attempt =
            TryTake(word, layout, settings,
                    {layout.MaxPosition() + 1, 0, 0, budget.Awaits([&] { return monotonic_us; })},
                    {}, [now_us] { return now_us; });
        ASSERT_EQ(attempt.verdict,
                  attempts % 2 == 0 ? Verdict::kWaitForTick : Verdict::kWaitForClock);
        const std::int64_t left = budget.Left(attempt, settings, monotonic_us);
        if (left <= 0) break;
        // A sleep that a signal ends early.
        monotonic_us += std::min({left, attempt.wait_us, std::int64_t{700}});
      }
      EXPECT_LE(monotonic_us, tick_us + 2 * settings.max_clock_wait_us + 200'000);
      EXPECT_GE(monotonic_us, settings.max_clock_wait_us);
    }
  }
}

// --- The generator ------------------------------------------------------------------------

constexpr std::int64_t kAlternatesAtUs = 1'795'000'000'000'000;

// A wall clock that is a tick of a second at even readings and just before it at odd ones, until
// ten seconds have passed; by then a call must be over.
std::int64_t alternating_until_us = 0;
std::int64_t alternating_readings = 0;
std::int64_t AlternatingClock() noexcept {
  if (MonotonicUs() > alternating_until_us) return kAlternatesAtUs + 1'000'000;
  return kAlternatesAtUs - ++alternating_readings % 2;
}

TEST(GeneratorWaits, AnAlternatingClockEndsACall) {
  constexpr Layout kSeconds =
      MakeLayout("seconds", 1'000'000, 0, {{kTimestamp, 40}, {kSequence, 1}});
  for (const ClockRegression mode : {ClockRegression::kWait, ClockRegression::kLead}) {
    Generator::Options options;
    options.guard = {.mode = mode, .max_clock_wait_us = 100'000, .max_clock_lead_us = 0};
    options.clock = &AlternatingClock;
    alternating_until_us = MonotonicUs() + 10'000'000;
    alternating_readings = 0;
    Generator generator(kSeconds, options);
    // Until the later tick's sequence is used up.
    Parts parts;
    while (kSeconds.StartOfTick(parts.tick) < kAlternatesAtUs || parts.sequence == 0) {
      const Result result = generator.Next();
      if (result.status == Status::kOk)
        parts = kSeconds.Parse(static_cast<std::uint64_t>(result.id));
    }
    EXPECT_EQ(generator.Next().status, Status::kClockBehind);
  }
}

}  // namespace
}  // namespace idgen

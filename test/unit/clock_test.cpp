#include <idgen/clock.h>

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <random>
#include <vector>

#include "test_layouts.h"

namespace idgen {
namespace {

using enum FieldKind;

TEST(Clocks, TheWallClockIsTheSystemsClock) {
  // Three tries: the clock may be set while the test runs.
  bool within = false;
  for (int i = 0; i < 3 && !within; ++i) {
    const auto read = [] {
      return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())
          .time_since_epoch()
          .count();
    };
    const std::int64_t before = read();
    const std::int64_t now = WallClockUs();
    const std::int64_t after = read();
    within = before <= now && now <= after;
  }
  EXPECT_TRUE(within);
}

TEST(Clocks, TheMonotonicClockNeverGoesBack) {
  std::int64_t last = MonotonicUs();
  for (int i = 0; i < 100'000; ++i) {
    const std::int64_t now = MonotonicUs();
    ASSERT_GE(now, last);
    last = now;
  }
}

// --- TickDivider ---------------------------------------------------------------------

void ExpectAgreement(const Layout& layout, const TickDivider& divider, std::int64_t now_us) {
  const std::int64_t tick_at = layout.TickAt(now_us);
  const bool has_tick = tick_at >= 0 && static_cast<std::uint64_t>(tick_at) <= layout.MaxTick();
  constexpr std::uint64_t kUntouched = 0xdeadbeef;
  std::uint64_t tick = kUntouched;
  ASSERT_EQ(divider.TickAt(now_us, tick), has_tick) << now_us;
  ASSERT_EQ(tick, has_tick ? static_cast<std::uint64_t>(tick_at) : kUntouched) << now_us;
}

class TickLength : public testing::TestWithParam<std::int64_t> {};

INSTANTIATE_TEST_SUITE_P(Us, TickLength,
                         testing::Values(1, 2, 3, 5, 7, 10, 64, 100, 127, 1000, 1021, 1024, 9'973,
                                         10'000, 65'536, 65'537, 100'000, 999'983, 1'000'000,
                                         1'048'576, 60'000'000, 2'147'483'647, 2'147'483'648,
                                         3'600'000'000, 86'400'000'000, 999'999'999'989),
                         [](const auto& tested) { return std::to_string(tested.param); });

TEST_P(TickLength, DividerAgreesWithTheLayout) {
  const std::int64_t tick_us = GetParam();
  std::mt19937_64 random(static_cast<std::uint64_t>(tick_us));
  for (const std::int64_t epoch_ms :
       {std::int64_t{0}, std::int64_t{1577836800000}, std::int64_t{-12219292800000}}) {
    for (const std::uint8_t bits :
         {std::uint8_t{1}, std::uint8_t{20}, std::uint8_t{41}, std::uint8_t{60}}) {
      const Layout layout =
          MakeLayout("any", tick_us, epoch_ms, {{kTimestamp, bits}, {kSequence, 3}});
      const TickDivider divider(layout);
      // Within a range where every tick fits an int64.
      constexpr std::int64_t kFar = std::int64_t{1} << 61;
      const std::int64_t end_us = std::min(layout.StartOfTick(layout.MaxTick()), kFar) + tick_us;
      for (std::int64_t offset = -2; offset <= 2; ++offset) {
        for (const std::int64_t at : {std::int64_t{0}, layout.epoch_us, end_us, -kFar, kFar}) {
          ExpectAgreement(layout, divider, at + offset);
          ExpectAgreement(layout, divider, at + tick_us + offset);
          ExpectAgreement(layout, divider, at - tick_us + offset);
        }
      }
      const auto life_us = static_cast<std::uint64_t>(end_us - layout.epoch_us);
      for (int i = 0; i < 2'000; ++i) {
        const auto since = static_cast<std::int64_t>(random() % life_us);
        const std::int64_t start = layout.epoch_us + since / tick_us * tick_us;
        ExpectAgreement(layout, divider, layout.epoch_us + since);
        ExpectAgreement(layout, divider, start - 1);
        ExpectAgreement(layout, divider, start);
        ExpectAgreement(layout, divider, start + tick_us - 1);
        ExpectAgreement(layout, divider,
                        static_cast<std::int64_t>(random()) >> (3 + random() % 60));
      }
    }
  }
}

TEST(TickDivider, TheEndsOfInt64AreOutsideOfAnOrdinaryLife) {
  for (const Format& format : kFormats) {
    const TickDivider divider(format.layout);
    const std::string_view name = format.layout.name;
    std::uint64_t tick = 0;
    EXPECT_FALSE(divider.TickAt(std::numeric_limits<std::int64_t>::min(), tick)) << name;
    EXPECT_FALSE(divider.TickAt(std::numeric_limits<std::int64_t>::max(), tick)) << name;
  }
}

TEST(TickDivider, ALifeBeyondInt64HasNoInstantBeforeItsEpoch) {
  for (const std::int64_t tick_us : {std::int64_t{1}, std::int64_t{3'600'000'000}}) {
    const Layout layout =
        MakeLayout("long", tick_us, 1577836800000, {{kTimestamp, 60}, {kSequence, 3}});
    const TickDivider divider(layout);
    std::uint64_t tick = 0;
    constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
    for (const std::int64_t now :
         {kFirst, kFirst + 1, kFirst / 2, std::int64_t{-1}, std::int64_t{0}, layout.epoch_us - 1}) {
      EXPECT_FALSE(divider.TickAt(now, tick)) << now;
      EXPECT_LT(layout.TickAt(now), 0) << now;
    }
    EXPECT_TRUE(divider.TickAt(layout.epoch_us, tick));
    EXPECT_EQ(tick, 0U);
  }
}

TEST(TickDivider, WithoutALayoutHasNoTick) {
  std::uint64_t tick = 0;
  EXPECT_FALSE(TickDivider().TickAt(0, tick));
  EXPECT_FALSE(TickDivider().TickAt(1, tick));
}

// --- Ticker --------------------------------------------------------------------------

constexpr std::uint64_t kCyclesPerUs = 1000;
constexpr std::uint64_t kMostReuses = 1000;

// At most a 64th of a tick and at most 8 us, in cycles.
std::uint64_t MostCycles(const Layout& layout) {
  return static_cast<std::uint64_t>(std::min<std::int64_t>(layout.tick_us / 64, 8)) * kCyclesPerUs;
}

constexpr std::int64_t kNowUs = 1'795'000'000'000'000;

TEST(Ticker, IsNeverFreshBeforeTheFirstReading) {
  Ticker unset;
  Ticker set(kSnowflake, kCyclesPerUs);
  for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    EXPECT_FALSE(unset.IsFresh([count] { return count; }));
    EXPECT_FALSE(set.IsFresh([count] { return count; }));
  }
}

TEST(Ticker, ReadsTheClocksTick) {
  Ticker ticker(kSnowflake, kCyclesPerUs);
  std::uint64_t tick = 0;
  ASSERT_TRUE(ticker.Read([] { return 0U; }, [] { return kNowUs; }, tick));
  EXPECT_EQ(tick, static_cast<std::uint64_t>(kSnowflake.TickAt(kNowUs)));
}

TEST(Ticker, ReadsTheCounterBeforeTheClock) {
  Ticker ticker(kSnowflake, kCyclesPerUs);
  std::uint64_t tick = 0;
  std::string order;
  ASSERT_TRUE(ticker.Read([&order] { return order += "counter ", 0U; },
                          [&order] { return order += "clock ", kNowUs; }, tick));
  EXPECT_EQ(order, "counter clock ");
}

TEST(Ticker, WithoutACounterReadsTheClockEveryTime) {
  const Layout fine = MakeLayout("fine", 63, 0, {{kTimestamp, 50}, {kSequence, 3}});
  Ticker no_counter(kSnowflake, 0);
  Ticker short_tick(fine, kCyclesPerUs);  // a 64th of its tick is less than a microsecond
  const auto counter = []() -> std::uint64_t {
    ADD_FAILURE() << "the counter was asked";
    return 0;
  };
  for (Ticker* ticker : {&no_counter, &short_tick}) {
    for (int i = 0; i < 10; ++i) {
      std::uint64_t tick = 0;
      EXPECT_TRUE(ticker->Read(
          counter, [] { return kNowUs; }, tick));
      EXPECT_FALSE(ticker->IsFresh(counter));
    }
  }
}

TEST(Ticker, IsFreshForASmallPartOfATickOnly) {
  for (const std::int64_t tick_us : {64, 100, 128, 500, 512, 1000, 10'000, 1'000'000}) {
    const Layout layout = MakeLayout("any", tick_us, 0, {{kTimestamp, 50}, {kSequence, 3}});
    const std::uint64_t most = MostCycles(layout);
    for (const std::uint64_t start :
         {std::uint64_t{0}, std::uint64_t{12'345}, ~std::uint64_t{0}, ~std::uint64_t{0} - 100}) {
      Ticker ticker(layout, kCyclesPerUs);
      std::uint64_t tick = 0;
      ASSERT_TRUE(ticker.Read([start] { return start; }, [] { return kNowUs; }, tick));
      EXPECT_TRUE(ticker.IsFresh([=] { return start; }));
      EXPECT_TRUE(ticker.IsFresh([=] { return start + most - 1; }));
      EXPECT_FALSE(ticker.IsFresh([=] { return start + most; }));
      EXPECT_FALSE(ticker.IsFresh([=] { return start - 1; })) << "a counter that went back";
      EXPECT_FALSE(ticker.IsFresh([=] { return start + (std::uint64_t{1} << 63); }));
    }
  }
}

TEST(Ticker, IsNotFreshAfterAReadingOutsideOfTheLife) {
  for (const std::int64_t now_us :
       {kSnowflake.epoch_us - 1, kSnowflake.StartOfTick(kSnowflake.MaxTick()) + 1000}) {
    Ticker ticker(kSnowflake, kCyclesPerUs);
    std::uint64_t tick = 77;
    ASSERT_TRUE(ticker.Read([] { return 5U; }, [] { return kNowUs; }, tick));
    tick = 77;
    EXPECT_FALSE(ticker.Read([] { return 5U; }, [now_us] { return now_us; }, tick));
    EXPECT_EQ(tick, 77U);
    EXPECT_FALSE(ticker.IsFresh([] { return 5U; }));
  }
}

TEST(Ticker, FindsOutACounterThatStandsStill) {
  Ticker ticker(kSnowflake, kCyclesPerUs);
  for (int reading = 0; reading < 3; ++reading) {
    std::uint64_t tick = 0;
    ASSERT_TRUE(ticker.Read([] { return 5U; }, [] { return kNowUs; }, tick));
    std::uint64_t reuses = 0;
    while (ticker.IsFresh([] { return 5U; })) ASSERT_LE(++reuses, kMostReuses);
    EXPECT_GT(reuses, 0U);
  }
}

// Counters that stop, jump either way and alternate: whatever they do, a reading serves a
// bounded number of times, and never at a count beyond its bound.
TEST(Ticker, KeepsItsBoundsWithHostileCounters) {
  const std::uint64_t most = MostCycles(kSnowflake);
  ASSERT_EQ(most, 8 * kCyclesPerUs);
  for (int style = 0; style < 5; ++style) {
    std::mt19937_64 random(static_cast<std::uint64_t>(style));
    std::uint64_t count = random();
    std::uint64_t calls = 0;
    std::uint64_t given = 0;  // the last count that the ticker was told
    const auto counter = [&] {
      ++calls;
      switch (style) {
        case 0:  // stops for long
          if (calls % 5'000 == 0) count += 100'000;
          break;
        case 1:  // jumps back
          count += random() % 64 == 0 ? -(random() % 10'000) : random() % 100;
          break;
        case 2:  // jumps forward
          count += random() % 64 == 0 ? random() : random() % 100;
          break;
        case 3:  // two CPUs far apart
          count += calls % 2 == 0 ? std::uint64_t{1} << 40 : -(std::uint64_t{1} << 40);
          break;
        default:  // two CPUs close together
          count += calls % 2 == 0 ? 1'000 : -std::uint64_t{999};
      }
      return given = count;
    };
    Ticker ticker(kSnowflake, kCyclesPerUs);
    std::uint64_t read_at = 0;
    std::uint64_t reuses = 0;
    bool has_read = false;
    for (int i = 0; i < 50'000; ++i) {
      if (ticker.IsFresh(counter)) {
        ASSERT_TRUE(has_read);
        ASSERT_LT(given - read_at, most);
        ASSERT_LE(++reuses, kMostReuses);
      } else {
        std::uint64_t tick = 0;
        ASSERT_TRUE(ticker.Read(
            counter, [] { return kNowUs; }, tick));
        read_at = given;
        reuses = 0;
        has_read = true;
      }
    }
  }
}

}  // namespace
}  // namespace idgen

#include <idgen/clock.h>

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <random>

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
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    const TickDivider divider(builtin.layout);
    const std::string_view name = builtin.layout.name;
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

}  // namespace
}  // namespace idgen

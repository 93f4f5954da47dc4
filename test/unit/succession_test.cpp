#include <idgen/succession.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "test_layouts.h"

namespace idgen {
namespace {

using enum FieldKind;

constexpr std::int64_t kMinInt64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kDayUs = 86'400'000'000;

// --- Beside brute force: every ID of small layouts ------------------------------------------

// What can be said about a layout by looking at each of its IDs, at every instant from `kFrom` on.
struct Seen {
  static constexpr std::int64_t kFrom = -3;

  Layout layout;
  std::vector<std::int64_t> largest_before;  // -1: no ID was made
  std::vector<std::int64_t> smallest_from;   // none left: the largest number

  [[nodiscard]] std::int64_t LargestBefore(std::int64_t time) const {
    const auto at = static_cast<std::size_t>(time - kFrom);
    return at < largest_before.size() ? largest_before[at] : largest_before.back();
  }
  [[nodiscard]] std::int64_t SmallestFrom(std::int64_t time) const {
    const auto at = static_cast<std::size_t>(time - kFrom);
    return at < smallest_from.size() ? smallest_from[at] : std::numeric_limits<std::int64_t>::max();
  }
};

Seen LookAt(const Layout& layout) {
  Seen seen{.layout = layout, .largest_before = {}, .smallest_from = {}};
  const std::int64_t end = layout.StartOfTick(layout.MaxTick()) + 1;
  const auto instants = static_cast<std::size_t>(end - Seen::kFrom + 1);
  seen.largest_before.assign(instants, -1);
  seen.smallest_from.assign(instants, std::numeric_limits<std::int64_t>::max());
  const auto max_id = static_cast<std::int64_t>(layout.MaxId());
  for (std::int64_t id = 0; id <= max_id; ++id) {
    const std::int64_t time = layout.StartOfTick(layout.Parse(static_cast<std::uint64_t>(id)).tick);
    const auto at = static_cast<std::size_t>(time - Seen::kFrom);
    // Before the instant after it; from its own on.
    seen.largest_before[at + 1] = std::max(seen.largest_before[at + 1], id);
    seen.smallest_from[at] = std::min(seen.smallest_from[at], id);
  }
  for (std::size_t i = 1; i < instants; ++i) {
    seen.largest_before[i] = std::max(seen.largest_before[i], seen.largest_before[i - 1]);
  }
  for (std::size_t i = instants - 1; i-- > 0;) {
    seen.smallest_from[i] = std::min(seen.smallest_from[i], seen.smallest_from[i + 1]);
  }
  return seen;
}

// All layouts of up to `most` bits that differ in what matters here; the fields below the timestamp
// are in one order or another.
std::vector<Seen> SmallLayouts(unsigned most) {
  std::vector<Seen> all;
  for (unsigned time = 1; time <= most; ++time) {
    for (unsigned rest = 0; time + rest <= most; ++rest) {
      for (const std::int64_t tick : {1, 2, 5}) {
        for (const std::int64_t epoch : {0, 7}) {
          const auto machine = static_cast<std::uint8_t>(rest / 2);
          const auto sequence = static_cast<std::uint8_t>(rest - rest / 2);
          const FieldSpec machine_last[] = {{kTimestamp, static_cast<std::uint8_t>(time)},
                                            {kSequence, sequence},
                                            {kMachine, machine}};
          const FieldSpec sequence_last[] = {{kTimestamp, static_cast<std::uint8_t>(time)},
                                             {kMachine, machine},
                                             {kSequence, sequence}};
          const bool is_odd = (time + rest) % 2 != 0;
          all.push_back(LookAt(BuildLayout(
              "small", tick, epoch, is_odd ? std::span(machine_last) : std::span(sequence_last))));
        }
      }
    }
  }
  return all;
}

TEST(Change, IsGoodExactlyWhenBruteForceSaysSo) {
  const std::vector<Seen> all = SmallLayouts(10);
  std::int64_t checked = 0;
  std::int64_t good = 0;
  for (const Seen& from : all) {
    const Succession succession(from.layout);
    for (const Seen& to : all) {
      // Every instant near the beginning, and every one near where the ends are.
      const auto from_end = static_cast<std::int64_t>(from.largest_before.size());
      const auto to_end = static_cast<std::int64_t>(to.largest_before.size());
      for (std::int64_t at = Seen::kFrom; at <= std::max(from_end, to_end);
           at += at < 64 || std::abs(at - from_end) < 16 || std::abs(at - to_end) < 16 ? 1 : 13) {
        const Change change = succession.Check(to.layout, at);
        const std::int64_t largest = from.LargestBefore(at);
        const std::int64_t smallest = to.SmallestFrom(at);
        const bool has_time = smallest != std::numeric_limits<std::int64_t>::max();
        ASSERT_EQ(change.flaw == ChangeFlaw::kNoTime, !has_time);
        ASSERT_EQ(change.flaw == ChangeFlaw::kNone, has_time && smallest > largest)
            << "at " << at << ": " << largest << " and " << smallest;
        if (has_time) {
          ASSERT_EQ(static_cast<std::int64_t>(change.from), smallest);
        }
        ++checked;
        good += static_cast<std::int64_t>(change.flaw == ChangeFlaw::kNone);
      }
    }
  }
  EXPECT_GT(good, 1'000'000);
  EXPECT_GT(checked - good, 1'000'000);
}

TEST(EarliestChange, IsTheFirstInstantThatBruteForceFinds) {
  const std::vector<Seen> all = SmallLayouts(8);
  std::int64_t found = 0;
  std::int64_t never = 0;
  std::int64_t later = 0;
  for (const Seen& from : all) {
    for (const Seen& to : all) {
      const auto end =
          static_cast<std::int64_t>(std::max(from.largest_before.size(), to.largest_before.size()));
      for (const std::int64_t least : {std::int64_t{-3}, std::int64_t{1}, std::int64_t{8},
                                       std::int64_t{19}, end / 2, end - 5}) {
        if (least < Seen::kFrom) continue;
        std::int64_t earliest = kNever;
        for (std::int64_t at = least; at <= end && earliest == kNever; ++at) {
          const std::int64_t smallest = to.SmallestFrom(at);
          if (smallest == std::numeric_limits<std::int64_t>::max()) break;
          if (smallest > from.LargestBefore(at)) earliest = at;
        }
        ASSERT_EQ(EarliestChange(from.layout, to.layout, least), earliest)
            << "from " << from.layout.TotalBits() << " bits, shift "
            << int{from.layout[kTimestamp].shift} << ", tick " << from.layout.tick_us << ", epoch "
            << from.layout.epoch_us << " to " << to.layout.TotalBits() << " bits, shift "
            << int{to.layout[kTimestamp].shift} << ", tick " << to.layout.tick_us << ", epoch "
            << to.layout.epoch_us << ", at least " << least;
        ++(earliest == kNever ? never : found);
        later += static_cast<std::int64_t>(earliest != kNever && earliest > least);
      }
    }
  }
  EXPECT_GT(found, 100'000);
  EXPECT_GT(never, 100'000);
  EXPECT_GT(later, 10'000);
}

// Large layouts: nothing overflows, and the answer is one where the check turns good.
TEST(EarliestChange, AgreesWithTheCheckForLayoutsOfAnySize) {
  std::mt19937_64 random(20261126);
  const auto below = [&random](std::uint64_t end) { return random() % end; };
  int later = 0;
  int never = 0;
  for (int round = 0; round < 200'000; ++round) {
    Layout layouts[2];
    for (Layout& layout : layouts) {
      do {
        const auto time = static_cast<std::uint8_t>(1 + below(63));
        const FieldSpec fields[] = {{kTimestamp, time},
                                    {kSequence, static_cast<std::uint8_t>(below(64U - time))}};
        constexpr std::int64_t kTicks[] = {1, 10, 1000, 1003, 10'000, 1'000'000, kDayUs};
        const std::int64_t tick = kTicks[below(std::size(kTicks))];
        const std::int64_t epoch = below(8) == 0
                                       ? static_cast<std::int64_t>(random() >> 2)
                                       : static_cast<std::int64_t>(below(2'000'000'000'000'000));
        layout = BuildLayout("any", tick, epoch, fields);
      } while (CheckLayout(layout) != LayoutError::kNone);
    }
    const std::int64_t least =
        below(8) == 0 ? kMinInt64 : static_cast<std::int64_t>(below(4'000'000'000'000'000));
    const Succession succession(layouts[0]);
    const std::int64_t earliest = EarliestChange(layouts[0], layouts[1], least);
    if (earliest == kNever) {
      ++never;
      for (int i = 0; i < 20; ++i) {
        const std::int64_t at = std::max(least, layouts[1].epoch_us) +
                                static_cast<std::int64_t>(below(std::uint64_t{1} << below(50)));
        ASSERT_NE(succession.Check(layouts[1], at).flaw, ChangeFlaw::kNone);
      }
      continue;
    }
    ASSERT_GE(earliest, least);
    // Nothing is later than the least of all instants.
    if (earliest == kMinInt64) continue;
    ASSERT_EQ(succession.Check(layouts[1], earliest).flaw, ChangeFlaw::kNone) << round;
    if (earliest == least) continue;
    ++later;
    ASSERT_NE(succession.Check(layouts[1], earliest - 1).flaw, ChangeFlaw::kNone);
    ASSERT_NE(succession.Check(layouts[1], least).flaw, ChangeFlaw::kNone);
  }
  EXPECT_GT(later, 1000);
  EXPECT_GT(never, 1000);
}

// --- The changes that people make, and the mistake --------------------------------------------

constexpr std::int64_t k2020Us = 1'577'836'800'000'000;
constexpr std::int64_t k2027Us = 1'798'761'600'000'000;

Layout Snowflake(std::uint8_t machine, std::uint8_t sequence, std::int64_t tick_us,
                 std::int64_t epoch_us) {
  const FieldSpec fields[] = {{kTimestamp, 41}, {kMachine, machine}, {kSequence, sequence}};
  return BuildLayout("layout", tick_us, epoch_us, fields);
}

TEST(Change, IsGoodForUsefulOnesAndNeverForALaterEpoch) {
  const Layout before = Snowflake(5, 12, 1000, k2020Us);
  const Succession succession(before);
  const auto flaw = [&succession](const Layout& to) { return succession.Check(to, k2027Us).flaw; };
  EXPECT_EQ(flaw(Snowflake(5, 17, 1000, k2020Us)), ChangeFlaw::kNone) << "more sequence";
  EXPECT_EQ(flaw(Snowflake(9, 12, 1000, k2020Us)), ChangeFlaw::kNone) << "more machines";
  EXPECT_EQ(flaw(Snowflake(5, 12, 1000, k2020Us - kDayUs)), ChangeFlaw::kNone)
      << "an earlier epoch";
  EXPECT_EQ(flaw(Snowflake(5, 12, 500, k2020Us)), ChangeFlaw::kNone) << "a finer tick";
  const Layout later = Snowflake(5, 12, 1000, k2020Us + 1000);
  EXPECT_EQ(flaw(later), ChangeFlaw::kNotGreater);
  EXPECT_EQ(EarliestChange(before, later, k2027Us), kNever);
  // A coarser tick with as many bits below makes IDs that are smaller for ever; with more bits, it
  // does not.
  EXPECT_EQ(EarliestChange(before, Snowflake(5, 12, 10'000, k2020Us), k2027Us), kNever);
  EXPECT_EQ(flaw(Snowflake(9, 12, 10'000, k2020Us)), ChangeFlaw::kNone);
}

// --- Stages -----------------------------------------------------------------------------------

TEST(Succession, FindsTheStageOfAnInstantAndOfAnId) {
  const Layout first = Snowflake(5, 12, 1000, k2020Us);
  const Layout second = Snowflake(8, 12, 1000, k2020Us);
  const Layout third = Snowflake(8, 13, 1000, k2020Us);
  Succession succession(first);
  ASSERT_EQ(succession.Check(second, k2027Us).flaw, ChangeFlaw::kNone);
  succession.Append(second, k2027Us);
  EXPECT_EQ(succession.Check(third, k2027Us).flaw, ChangeFlaw::kNotLater);
  ASSERT_EQ(succession.Check(third, k2027Us + kDayUs).flaw, ChangeFlaw::kNone);
  succession.Append(third, k2027Us + kDayUs);
  EXPECT_EQ(succession.StageAt(kMinInt64), 0U);
  EXPECT_EQ(succession.StageAt(k2027Us - 1), 0U);
  EXPECT_EQ(succession.StageAt(k2027Us), 1U);
  EXPECT_EQ(succession.StageAt(k2027Us + kDayUs - 1), 1U);
  EXPECT_EQ(succession.StageAt(k2027Us + kDayUs), 2U);
  for (std::size_t stage = 1; stage < 3; ++stage) {
    const Layout& old_layout = succession.stages[stage - 1].layout;
    const Layout& new_layout = succession.stages[stage].layout;
    const auto at = static_cast<std::uint64_t>(new_layout.TickAt(succession.SinceOf(stage)));
    const auto last = static_cast<std::uint64_t>(old_layout.MaxIdOf(
        static_cast<std::uint64_t>(old_layout.TickAt(succession.SinceOf(stage) - 1))));
    EXPECT_EQ(succession.StageOf(last), stage - 1);
    EXPECT_EQ(succession.StageOf(static_cast<std::uint64_t>(new_layout.MinId(at))), stage);
  }
}

// A stage without a tick of its own makes no IDs; what comes after it is still above what was
// before.
TEST(Succession, ComparesWithAllStagesBefore) {
  const Layout fine = MakeLayout("fine", 1, 0, {{kTimestamp, 40}, {kSequence, 4}});
  const Layout coarse = MakeLayout("coarse", 1000, 0, {{kTimestamp, 40}, {kSequence, 20}});
  Succession succession(fine);
  ASSERT_EQ(succession.Check(coarse, 5'001).flaw, ChangeFlaw::kNone);
  succession.Append(coarse, 5'001);
  // The first ID of `coarse` is of tick 6. Those of `fine` up to then would be smaller.
  EXPECT_EQ(succession.Check(fine, 5'002).before, std::uint64_t{6} << 20);
  EXPECT_EQ(succession.Check(fine, 5'002).flaw, ChangeFlaw::kNotGreater);
}

TEST(Succession, HasAnEnd) {
  Succession succession(Snowflake(0, 1, 1000, 0));
  for (std::uint8_t i = 1; i < Succession::kMostStages; ++i) {
    const Layout next = Snowflake(0, static_cast<std::uint8_t>(i + 1), 1000, 0);
    ASSERT_EQ(succession.Check(next, i * kDayUs).flaw, ChangeFlaw::kNone);
    succession.Append(next, i * kDayUs);
  }
  EXPECT_EQ(succession.Check(Snowflake(0, 30, 1000, 0), 40 * kDayUs).flaw, ChangeFlaw::kTooMany);
}

// --- Where two differ ------------------------------------------------------------------------

constexpr Layout kSmall[] = {
    MakeLayout("a", 1, 0, {{kTimestamp, 6}, {kSequence, 1}}),
    MakeLayout("b", 1, 0, {{kTimestamp, 6}, {kSequence, 2}}),
    MakeLayout("c", 2, 0, {{kTimestamp, 6}, {kSequence, 2}}),
};

constexpr Succession Changing(const Layout& from, std::int64_t at_us, const Layout& to) {
  Succession succession(from);
  succession.Append(to, at_us);
  return succession;
}

static_assert(FirstDifference(Succession(kSmall[0]), Succession(kSmall[0])) == kNever);
static_assert(FirstDifference(Succession(kSmall[0]), Succession(kSmall[1])) == kMinInt64);
static_assert(FirstDifference(Changing(kSmall[0], 7, kSmall[1]), Succession(kSmall[0])) == 7);
static_assert(FirstDifference(Changing(kSmall[0], 7, kSmall[0]), Succession(kSmall[0])) == kNever);

// All successions of up to three of the layouts, at every choice of instants from 0 to 4.
std::vector<Succession> SmallSuccessions() {
  constexpr std::size_t kStages = 3;
  std::vector<Succession> all;
  for (const Layout& layout : kSmall) all.emplace_back(layout);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Succession shorter = all[i];
    if (shorter.count == kStages) break;
    for (std::int64_t at = 0; at < 5; ++at) {
      if (at <= shorter.SinceOf(shorter.count - 1)) continue;
      for (const Layout& layout : kSmall) {
        all.push_back(shorter);
        all.back().Append(layout, at);
      }
    }
  }
  return all;
}

TEST(FirstDifference, AsByLookingAtEachInstant) {
  const std::vector<Succession> all = SmallSuccessions();
  ASSERT_EQ(all.size(), 3U + 3 * 5 * 3 + 3 * 10 * 9);
  std::size_t differ = 0;
  for (const Succession& a : all) {
    for (const Succession& b : all) {
      std::int64_t expected = kNever;
      for (std::int64_t time = 5; time >= -1; --time) {
        const bool is_same = a.stages[a.StageAt(time)].layout == b.stages[b.StageAt(time)].layout;
        if (!is_same) expected = time == -1 ? kMinInt64 : time;
      }
      ASSERT_EQ(FirstDifference(a, b), expected);
      differ += expected != kNever ? 1 : 0;
    }
  }
  EXPECT_GT(differ, all.size());
  EXPECT_LT(differ, all.size() * all.size() - all.size());  // some are the same in other stages
}

TEST(FirstDifference, OfTheLongestThereAre) {
  Succession one(kSmall[0]);
  for (std::size_t i = 1; i < Succession::kMostStages; ++i) {
    one.Append(kSmall[i % 2], static_cast<std::int64_t>(i) * kDayUs);
  }
  EXPECT_EQ(FirstDifference(one, one), kNever);
  Succession other = one;
  other.stages[Succession::kMostStages - 1].layout = kSmall[2];
  EXPECT_EQ(FirstDifference(one, other), 15 * kDayUs);
  EXPECT_EQ(FirstDifference(other, one), 15 * kDayUs);
}

}  // namespace
}  // namespace idgen

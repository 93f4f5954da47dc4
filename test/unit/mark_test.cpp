#include <idgen/mark.h>

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "test_layouts.h"

namespace idgen {
namespace {

using enum FieldKind;

constexpr std::int64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinInt64 = std::numeric_limits<std::int64_t>::min();

INSTANTIATE_TEST_SUITE_P(Layouts, GeneratingLayout, testing::ValuesIn(GeneratingCases()),
                         [](const auto& tested) { return NameOf(tested.param); });

// A position's own instant is its tick's start and its sequence's share of the tick. The
// limit of a mark is the number of positions whose instant is before it: found here by
// halving, on fractions multiplied out.
std::uint64_t ReferenceLimit(const LayoutCase& layout_case, std::int64_t mark_ms) {
  const Layout& layout = layout_case.layout;
  const Int128 ids = static_cast<Int128>(layout.IdsPerTick());
  const Int128 mark = (Int128{mark_ms} - layout_case.epoch_ms) * 1000 * ids;
  const auto is_before = [&](std::uint64_t position) {
    // tick * tick_us * ids + sequence * tick_us, and a position is tick * ids + sequence.
    return static_cast<Int128>(position) * layout_case.tick_us < mark;
  };
  std::uint64_t low = 0;  // all below are before the mark
  std::uint64_t high = layout.MaxPosition() + 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (is_before(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

TEST_P(GeneratingLayout, PositionLimitAgreesWithTheReference) {
  const std::int64_t epoch_ms = Case().epoch_ms;
  const std::int64_t end_ms = L().StartOfTick(L().MaxTick()) / 1000 + Case().tick_us / 1000 + 1;
  std::vector<std::int64_t> marks = {kMinInt64, -1,           0,          epoch_ms - 1,
                                     epoch_ms,  epoch_ms + 1, end_ms - 2, end_ms - 1,
                                     end_ms,    end_ms + 1,   kMaxInt64};
  std::mt19937_64 random(5);
  const auto life_ms = static_cast<std::uint64_t>(end_ms - epoch_ms);
  for (int i = 0; i < 3'000; ++i) {
    marks.push_back(epoch_ms + static_cast<std::int64_t>(random() % (life_ms + 10)));
  }
  for (int i = 0; i < 1'000; ++i) marks.push_back(epoch_ms + i);
  std::sort(marks.begin(), marks.end());
  std::uint64_t before = 0;
  for (const std::int64_t mark_ms : marks) {
    const std::uint64_t limit = PositionLimit(L(), mark_ms);
    ASSERT_EQ(limit, ReferenceLimit(Case(), mark_ms)) << mark_ms;
    ASSERT_GE(limit, before) << "a later mark covers less";
    before = limit;
  }
  EXPECT_EQ(PositionLimit(L(), epoch_ms), 0U);
  EXPECT_EQ(PositionLimit(L(), kMaxInt64), L().MaxPosition() + 1);
}

TEST_P(GeneratingLayout, MarkCoveringIsTheSmallestThatCovers) {
  std::int64_t before = kMinInt64;
  for (const std::uint64_t position : SomePositions(5'000)) {
    const std::int64_t mark_ms = MarkCovering(L(), position);
    ASSERT_GT(PositionLimit(L(), mark_ms), position);
    ASSERT_LE(PositionLimit(L(), mark_ms - 1), position);
    ASSERT_GE(mark_ms, before) << "a later position needs an earlier mark";
    before = mark_ms;
  }
}

TEST_P(GeneratingLayout, NeighbouringPositionsHaveNeighbouringMarks) {
  std::mt19937_64 random(6);
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t from = PositionOf(SomeParts(random, Case()));
    std::int64_t before = kMinInt64;
    for (std::uint64_t step = 0; step < 300 && from + step <= L().MaxPosition(); ++step) {
      const std::int64_t mark_ms = MarkCovering(L(), from + step);
      ASSERT_GT(PositionLimit(L(), mark_ms), from + step);
      ASSERT_LE(PositionLimit(L(), mark_ms - 1), from + step);
      ASSERT_GE(mark_ms, before);
      before = mark_ms;
    }
  }
}

TEST(Marks, CoverTheSmallLayoutWhole) {
  for (const LayoutCase& layout_case : GeneratingCases()) {
    const Layout& layout = layout_case.layout;
    if (layout.MaxPosition() > 10'000) continue;
    std::int64_t mark_ms = layout_case.epoch_ms - 3;
    for (std::uint64_t position = 0; position <= layout.MaxPosition(); ++position) {
      while (ReferenceLimit(layout_case, mark_ms) <= position) ++mark_ms;
      EXPECT_EQ(MarkCovering(layout, position), mark_ms);
    }
  }
}

TEST(Marks, AMarkLiesInsideALongTick) {
  // One hour, four sequence numbers: a quarter of an hour each.
  const Layout layout =
      MakeLayout("quarters", 3'600'000'000, 0, {{kTimestamp, 20}, {kSequence, 2}});
  constexpr std::int64_t kQuarterMs = 15 * 60 * 1000;
  EXPECT_EQ(PositionLimit(layout, 0), 0U);
  EXPECT_EQ(PositionLimit(layout, 1), 1U);
  EXPECT_EQ(PositionLimit(layout, kQuarterMs), 1U);
  EXPECT_EQ(PositionLimit(layout, kQuarterMs + 1), 2U);
  EXPECT_EQ(PositionLimit(layout, 4 * kQuarterMs), 4U);
  EXPECT_EQ(MarkCovering(layout, 0), 1);
  EXPECT_EQ(MarkCovering(layout, 3), 3 * kQuarterMs + 1);
}

TEST(StartAbove, MakesLaterPositionsLieAboveTheMark) {
  const Layout layout = MakeLayout("short", 1'000, 0, {{kTimestamp, 20}, {kSequence, 2}});
  std::uint64_t position = 10;
  std::uint64_t start = 3;
  StartAbove(position, start, layout, 5);
  EXPECT_EQ(position, PositionLimit(layout, 5) - 1);
  EXPECT_EQ(start, PositionLimit(layout, 5));
  // What is there already stays.
  StartAbove(position, start, layout, 4);
  StartAbove(position, start, layout, 5);
  EXPECT_EQ(position, PositionLimit(layout, 5) - 1);
  EXPECT_EQ(start, PositionLimit(layout, 5));
  position = 100;
  StartAbove(position, start, layout, 6);
  EXPECT_EQ(position, 100U);
  EXPECT_EQ(start, PositionLimit(layout, 5)) << "positions of this run are no start";
}

TEST(StartAbove, DoesNothingForAMarkThatCoversNothing) {
  const Layout layout = MakeLayout("short", 1'000, 0, {{kTimestamp, 20}, {kSequence, 2}});
  std::uint64_t position = 0;
  std::uint64_t start = 0;
  StartAbove(position, start, layout, 0);
  EXPECT_EQ(position, 0U);
  EXPECT_EQ(start, 0U);
}

}  // namespace
}  // namespace idgen

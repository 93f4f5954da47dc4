#include <idgen/segment.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>

namespace idgen {
namespace {

constexpr std::int64_t kMinuteUs = 60'000'000;
constexpr std::uint64_t kLeast = 1000;

TEST(Segment, HasNumbersUpToTheLargest) {
  EXPECT_TRUE(IsSegment({1, 1, 1000}));
  EXPECT_TRUE(IsSegment({-5, 3, 1}));
  EXPECT_FALSE(IsSegment({1, 1, 0}));
  EXPECT_FALSE(IsSegment({1, 0, 10}));
  EXPECT_FALSE(IsSegment({1, -1, 10}));
  EXPECT_FALSE(IsSegment({1, 1, kMostTickets + 1}));
  EXPECT_TRUE(IsSegment({kLargestOfSegments, 1, 1}));
  EXPECT_FALSE(IsSegment({kLargestOfSegments, 1, 2}));
  EXPECT_FALSE(IsSegment({kLargestOfSegments + 1, 1, 1}));
  EXPECT_TRUE(IsSegment({kLargestOfSegments - 2, 2, 2}));
  EXPECT_FALSE(IsSegment({kLargestOfSegments - 1, 2, 2}));
  EXPECT_FALSE(IsSegment({std::numeric_limits<std::int64_t>::max() - 10, 5, 1000}));
}

TEST(Segment, RestAndLast) {
  const Segment segment{10, 2, 5};  // 10 12 14 16 18
  EXPECT_EQ(LastOf(segment), 18);
  const Segment rest = RestOf(segment, 3);
  EXPECT_EQ(rest.first, 16);
  EXPECT_EQ(rest.increment, 2);
  EXPECT_EQ(rest.count, 2U);
  EXPECT_EQ(RestOf(segment, 5).count, 0U);
}

TEST(SegmentSeries, ASegmentComesOnce) {
  SegmentSeries all[kSegmentSeries] = {};
  EXPECT_TRUE(NoteSegment(all, {1, 1, 1000}));
  EXPECT_FALSE(NoteSegment(all, {1, 1, 1000}));
  EXPECT_FALSE(NoteSegment(all, {1000, 1, 1000}));
  EXPECT_TRUE(NoteSegment(all, {1001, 1, 1000}));
  EXPECT_FALSE(NoteSegment(all, {1, 1, 1}));
  EXPECT_TRUE(NoteSegment(all, {5000, 1, 1}));
  EXPECT_EQ(all[1].increment, 0);  // one series is one entry
}

TEST(SegmentSeries, OddAndEvenDoNotMeet) {
  SegmentSeries all[kSegmentSeries] = {};
  EXPECT_TRUE(NoteSegment(all, {1, 2, 1000}));
  EXPECT_TRUE(NoteSegment(all, {2, 2, 10}));
  EXPECT_TRUE(NoteSegment(all, {22, 2, 10}));
  EXPECT_FALSE(NoteSegment(all, {1999, 2, 10}));
  EXPECT_TRUE(NoteSegment(all, {2001, 2, 10}));
  // One that forgot the increment.
  EXPECT_FALSE(NoteSegment(all, {50, 1, 1000}));
  EXPECT_TRUE(NoteSegment(all, {2020, 1, 1000}));
  // And back.
  EXPECT_FALSE(NoteSegment(all, {2021, 2, 10}));
  EXPECT_TRUE(NoteSegment(all, {3021, 2, 10}));
}

TEST(SegmentSeries, TheSeriesFurthestBehindIsForgotten) {
  SegmentSeries all[kSegmentSeries] = {};
  for (std::int64_t i = 0; i < 4; ++i) EXPECT_TRUE(NoteSegment(all, {100 * i + i, 5, 1}));
  EXPECT_TRUE(NoteSegment(all, {404, 5, 1}));
  EXPECT_FALSE(NoteSegment(all, {101, 5, 1}));  // the second is known
  EXPECT_FALSE(NoteSegment(all, {399, 5, 1}));  // the newest as well
  EXPECT_TRUE(NoteSegment(all, {0, 5, 1}));     // the first is not, and now the second is forgotten
  EXPECT_TRUE(NoteSegment(all, {101, 5, 1}));
}

// Against sets of all the numbers, where the series began with the first segment.
TEST(SegmentSeries, AgainstTheNumbersThemselves) {
  for (std::int64_t step = 1; step <= 6; ++step) {
    for (std::int64_t other = 1; other <= 6; ++other) {
      for (std::int64_t first = -7; first <= 30; ++first) {
        const Segment before{-20, step, 10};
        SegmentSeries all[kSegmentSeries] = {};
        ASSERT_TRUE(NoteSegment(all, before));
        std::set<std::int64_t> numbers;
        for (std::uint64_t i = 0; i < before.count; ++i) {
          numbers.insert(TicketAt(before.first, step, i));
        }
        const Segment next{first, other, 50};
        bool meets = false;
        for (std::uint64_t i = 0; i < next.count; ++i) {
          meets = meets || numbers.contains(TicketAt(first, other, i));
        }
        const bool noted = NoteSegment(all, next);
        ASSERT_FALSE(noted && meets) << step << ' ' << other << ' ' << first;
        ASSERT_TRUE(noted || meets || step != other) << step << ' ' << first;
        ASSERT_TRUE(noted || first <= LastOf(before)) << step << ' ' << other << ' ' << first;
      }
    }
  }
}

TEST(SegmentSeries, AtTheEndsOfAllNumbers) {
  constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
  SegmentSeries all[kSegmentSeries] = {};
  EXPECT_TRUE(NoteSegment(all, {kLargestOfSegments - 3, 2, 2}));
  EXPECT_FALSE(NoteSegment(all, {kFirst + 2, 2, 2}) && NoteSegment(all, {kFirst + 3, 2, 2}));
}

TEST(SegmentStep, GrowsAndShrinksAsLeafs) {
  EXPECT_EQ(NextStep(1000, 0, kLeast), 2000U);
  EXPECT_EQ(NextStep(1000, 15 * kMinuteUs - 1, kLeast), 2000U);
  EXPECT_EQ(NextStep(4000, 15 * kMinuteUs, kLeast), 4000U);
  EXPECT_EQ(NextStep(4000, 30 * kMinuteUs - 1, kLeast), 4000U);
  EXPECT_EQ(NextStep(4000, 30 * kMinuteUs, kLeast), 2000U);
  EXPECT_EQ(NextStep(1000, 30 * kMinuteUs, kLeast), 1000U);
  EXPECT_EQ(NextStep(600'000, 0, kLeast), 1'000'000U);
  EXPECT_EQ(NextStep(1'000'000, 0, kLeast), 1'000'000U);
  // An operator may set more than Leaf's most.
  EXPECT_EQ(NextStep(0, 0, 5'000'000), 5'000'000U);
  EXPECT_EQ(NextStep(5'000'000, 0, 5'000'000), 5'000'000U);
  // A clock that was set back is one that shows little time.
  EXPECT_EQ(NextStep(1000, -kMinuteUs, kLeast), 2000U);
}

}  // namespace
}  // namespace idgen

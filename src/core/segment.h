// Segments: ranges of numbers that a ticket server gave to this server alone (src/pg/ticket). As in
// Leaf (Meituan 2017), the next one is fetched while the one before is used, and how many numbers a
// segment has follows how long the last one was enough.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numeric>

#include "ticket.h"

namespace idgen {

// The numbers first, first + increment, ...: `count` of them. It is none if count is 0.
struct Segment {
  std::int64_t first;
  std::int64_t increment;
  std::uint64_t count;
};

// No segment has a greater number. The two that are left are the range of a sequence that takes its
// numbers from a ticket server.
inline constexpr std::int64_t kLargestOfSegments = std::numeric_limits<std::int64_t>::max() - 2;

// Whether it is a segment of numbers up to kLargestOfSegments, that ascend.
constexpr bool IsSegment(const Segment& segment) noexcept {
  return segment.increment > 0 && segment.count > 0 && segment.count <= kMostTickets &&
         CountTickets(segment.first, kLargestOfSegments, segment.increment) >= segment.count;
}

constexpr std::int64_t LastOf(const Segment& segment) noexcept {
  return TicketAt(segment.first, segment.increment, segment.count - 1);
}

// What is left after `taken` numbers, which are at most all.
constexpr Segment RestOf(const Segment& segment, std::uint64_t taken) noexcept {
  return {TicketAt(segment.first, segment.increment, taken), segment.increment,
          segment.count - taken};
}

// The highest number that came of one series: those that differ by multiples of the increment.
// Increment 0: no series.
struct SegmentSeries {
  std::int64_t increment;
  std::int64_t highest;
};

inline constexpr unsigned kSegmentSeries = 4;

// Whether a number of the segment may have come before: it does not begin after the series, and the
// two have a number in common somewhere. So it is seen when a ticket server was set back, or two of
// them give the same numbers.
constexpr bool MayHaveCome(const SegmentSeries& series, const Segment& segment) noexcept {
  if (series.increment == 0 || segment.first > series.highest) return false;
  const std::uint64_t distance =
      static_cast<std::uint64_t>(series.highest) - static_cast<std::uint64_t>(segment.first);
  return distance % static_cast<std::uint64_t>(std::gcd(series.increment, segment.increment)) == 0;
}

// Notes a segment. Returns false, and notes nothing, if a number of it may have come before. When
// there are too many series, the one that is furthest behind is forgotten.
constexpr bool NoteSegment(SegmentSeries (&all)[kSegmentSeries], const Segment& segment) noexcept {
  const auto meets = [&](const SegmentSeries& series) { return MayHaveCome(series, segment); };
  if (std::any_of(std::begin(all), std::end(all), meets)) return false;
  // All numbers of its own series lie before it.
  const auto is_own = [&](const SegmentSeries& series) {
    return series.increment == segment.increment && series.highest < segment.first &&
           MayHaveCome({series.increment, segment.first}, {series.highest, series.increment, 1});
  };
  // No series is behind all others.
  const auto is_behind = [](const SegmentSeries& one, const SegmentSeries& other) {
    if (one.increment == 0 || other.increment == 0) return other.increment != 0;
    return one.highest < other.highest;
  };
  SegmentSeries* place = std::find_if(std::begin(all), std::end(all), is_own);
  if (place == std::end(all)) place = std::min_element(std::begin(all), std::end(all), is_behind);
  *place = {segment.increment, LastOf(segment)};
  return true;
}

// How many numbers the next segment is to have, `lasted_us` after the last one was fetched. The
// times, and a million, are Leaf's (SegmentIDGenImpl); `least` is what an operator has set.
constexpr std::uint64_t NextStep(std::uint64_t step, std::int64_t lasted_us,
                                 std::uint64_t least) noexcept {
  constexpr std::uint64_t kMost = 1'000'000;
  constexpr std::int64_t kMinuteUs = 60'000'000;
  if (lasted_us < 15 * kMinuteUs) {
    step = std::min(step * 2, kMost);
  } else if (lasted_us >= 30 * kMinuteUs) {
    step /= 2;
  }
  return std::max(step, least);
}

}  // namespace idgen

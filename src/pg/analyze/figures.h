// What follows from an analysis's counts for each identity: rates, bursts, gaps.
#pragma once

#include <span>

#include "analysis.h"

namespace idgen::pg {

// An interval in which a burst begins has this many times the median of IDs, or more.
inline constexpr std::uint64_t kBurst = 10;

// Of one identity. Intervals without IDs do not count for the median.
struct Rates {
  const Figures* figures;
  std::uint64_t intervals;  // with IDs
  std::uint64_t median;     // IDs in an interval
  std::uint64_t peak;
  std::uint64_t peak_tick;  // the first tick of that interval
  std::uint64_t bursts;     // intervals with kBurst times the median, or more
  std::uint64_t gap;        // the longest run of intervals without IDs between two that have some
  std::uint64_t gap_tick;   // the first tick of it
};

// Returns the rates of all identities, sorted by identity, in the current memory context.
std::span<Rates> RatesOf(const Analysis& analysis);

// --- Texts and times, in the current memory context ---------------------------------------------

// Returns the tick of an ordinal.
std::uint64_t TickOfOrdinal(const Analysis& analysis, int64 ordinal);
int64 TimeOfOrdinal(const Analysis& analysis, int64 ordinal);

// Names an identity: "datacenter 1, machine 3". Of a UUID its version and node.
const char* WhoText(const Analysis& analysis, std::uint64_t who);

// Writes a time that has passed as PostgreSQL writes an interval: "3 days 04:00:00".
const char* PeriodText(int64 us);

// Returns the IDs of a second that so many in an interval are.
double PerSecond(const Analysis& analysis, std::uint64_t ids);

}  // namespace idgen::pg

// What is found out about a set of IDs in one pass, in bounded memory: figures for each identity,
// and how many IDs each has in each interval of time.
//
// There may be any number of identities (in random numbers) and of seconds. The first
// kMostIdentities that are met are followed, IDs of others are only counted. Intervals are a second
// long, and are merged two by two whenever there are more than fit into kMostCells.
#pragma once

#include "pg.h"

#include <cstdint>

#include "core/id128.h"
#include "core/layout.h"
#include "core/tally.h"
#include "layout_value.h"

namespace idgen::pg {

inline constexpr std::size_t kMostIdentities = 16384;
static_assert(kMostIdentities <= IntervalKey::kMostMakers);
inline constexpr std::size_t kMostCells = std::size_t{1} << 18;
inline constexpr unsigned kSequencePartBits = 4;
inline constexpr unsigned kSequenceParts = 1U << kSequencePartBits;

// Which numbers are looked at.
enum class IdType : std::uint8_t { kLayout, kUuid, kUlid };

// What an analysis takes from an ID.
struct Sighting {
  std::uint64_t who;   // the identity
  std::uint64_t tick;  // counted from the layout's epoch; of a UUID, milliseconds since 1970
  int64 ordinal;       // grows with time: the ID itself; of a UUID, the tick
};

// Of one identity.
struct Figures {
  std::uint64_t who;
  int64 ids;
  int64 first;  // ordinals
  int64 last;
  int64 future;  // IDs later than the clock
  int64 sequence_zero;
  int64 sequence_full;  // IDs with the largest sequence number of all
  std::uint64_t sequence_most;
  int64 sequence_parts[kSequenceParts];  // the sequence's values divided evenly
  // Against another timestamp: how much later than the ID it is, in microseconds.
  int64 compared;
  int64 least_lag_us;
  int64 most_lag_us;
  // The interval of the last ID: its first tick, and its cell. nullptr: not known.
  std::uint64_t begin;
  TallyCell* cell;
};

// Lives in the memory of an aggregate, and travels between processes as bytes.
struct Analysis {
  // The question.
  IdType type;
  Layout layout;  // of a UUID: its unit of time, without fields
  std::uint64_t identity_mask;
  Field timestamp;
  Field sequence;
  int64 max_id;
  int64 now_us;
  int64 future_from;  // ordinals from here on are later than the clock
  int64 early_below;  // ordinals below are of the epoch's first hour, and no ID's

  StoredLayout stored;  // the argument

  // What is not followed.
  int64 rows;
  int64 nulls;
  int64 negative;
  int64 beyond;  // above the layout; UUIDs without a time
  int64 early;
  int64 unfollowed;
  int64 most_early;

  // What is.
  Figures* figures;
  std::size_t count;
  std::size_t room;
  Figures* latest;       // of the last ID
  Tally numbers;         // identity -> its index in `figures`, plus 1
  Tally intervals;       // (index, interval) -> IDs
  unsigned halvings;     // how often intervals were merged
  std::uint64_t length;  // of an interval, in ticks

  MemoryContext context;
  int64 began_us;  // by the monotonic clock, for progress
  int64 told_us;
};

// Returns the bits of an ID that say who made it.
std::uint64_t IdentityMask(const Layout& layout);

// Begins an analysis, in the current memory context.
Analysis* NewAnalysis(IdType type, const Layout& layout);

void CountRow(Analysis& analysis);
// `other` is a timestamp to compare with, in microseconds since 1970.
void CountId(Analysis& analysis, int64 id, const int64* other_us);
void CountUuid(Analysis& analysis, Id128 id, const int64* other_us);

// Adds all that another analysis of the same question has found.
void AddAnalysis(Analysis& to, const Analysis& from);

// The bytes are for another process of the same server, at the same moment.
bytea* WriteAnalysis(const Analysis& analysis);
Analysis* ReadAnalysis(const bytea* bytes);

// Returns the microseconds that an interval is long.
inline int64 IntervalUs(const Analysis& analysis) {
  int64 us = 0;
  const auto length = static_cast<int64>(analysis.length);
  return pg_mul_s64_overflow(length, analysis.layout.tick_us, &us) ? PG_INT64_MAX : us;
}

// --- Identities of UUIDs ------------------------------------------------------------------------

// The version is above the 62 bits of a node; 0 for ULIDs.
inline constexpr unsigned kVersionShift = 62;
inline constexpr std::uint64_t kVersions[] = {0, 1, 6, 7};

// Returns the finding of a UUID; false if its version has no time.
bool SightUuid(IdType type, Id128 id, Sighting& sighting);

}  // namespace idgen::pg

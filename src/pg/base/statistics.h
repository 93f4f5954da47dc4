// What is counted (docs/monitoring.md): words in shared memory, all of them atomic. They lie beside
// what they are about, and not in it: whoever counts does not disturb who makes IDs.
//
// A crash of the server forgets them with the rest of shared memory, as PostgreSQL does with its
// own statistics. idgen_stat_reset() sets them to 0 while others count; nothing relies on them.
#pragma once

#include "pg.h"

#include <atomic>
#include <type_traits>

#include "core/layout.h"

namespace idgen::pg {

// Of one ID space. Times are microseconds.
struct alignas(64) SpaceStats {
  // What calls have returned.
  std::uint64_t ids;
  std::uint64_t batches;  // calls that asked for many IDs
  // What they waited for: how often, and how long.
  std::uint64_t tick_waits;
  std::uint64_t tick_wait_us;
  std::uint64_t clock_waits;
  std::uint64_t clock_wait_us;
  std::uint64_t used_up_ticks;    // that somebody waited for the end of
  std::uint64_t largest_lead_us;  // of an ID ahead of the clock
  std::uint64_t clock_errors;     // the clock is behind
  std::uint64_t held_errors;      // another server may have used the identity until later
  std::uint64_t end_errors;       // the layout has run out of time
  std::uint64_t observe_errors;   // an observed ID is too far ahead
  std::uint64_t first_used_us;    // since 1970; 0: not yet. Not reset
  std::uint64_t last_used_us;
  std::uint64_t awaited_tick;  // the largest tick that was waited for. Not reset
  // The layout whose ID was asked for first. Set once.
  std::array<Field, kFieldKinds> fields;
};
static_assert(sizeof(SpaceStats) == 192);
static_assert(std::is_trivially_copyable_v<SpaceStats> && std::is_standard_layout_v<SpaceStats>);

// Of the mark of one database.
struct MarkStats {
  std::uint64_t writes;
  std::uint64_t flush_us;
  std::uint64_t replication_us;
};

// Of the server. Root::lock guards writes of the words about steps.
struct ServerStats {
  std::uint64_t clock_steps;
  std::int64_t largest_step_us;  // as its size counts; below 0: back
  std::int64_t last_step_us;
  std::int64_t last_step_at_us;  // since 1970, by the clock after the step; 0: none
  std::uint64_t step_errors;     // idgen.max_clock_step
  std::uint64_t lease_renewals;
  std::uint64_t lease_failures;
  std::int64_t reset_us;         // since 1970; 0: never
  std::int64_t first_offset_us;  // the wall clock minus the monotonic clock, at the first look
  // The kernel's clock (stat/clock_health.h).
  std::int64_t looked_us;  // by the monotonic clock; 0: never
  std::uint64_t clock_health;
};

inline void CountMore(std::uint64_t& word, std::uint64_t more = 1) {
  std::atomic_ref(word).fetch_add(more, std::memory_order_relaxed);
}

// Microseconds are never negative, but a difference of two readings may be.
inline void CountTime(std::uint64_t& word, std::int64_t us) {
  if (us > 0) CountMore(word, static_cast<std::uint64_t>(us));
}

}  // namespace idgen::pg

// Taking positions in SQL: the hot path, and the slow path behind it.
#pragma once

#include "handle.h"

namespace idgen::pg {

// The slow path: prepares the handle if need be, keeps the high-water mark ahead, and
// waits, leads or fails as the guard's settings say. Returns at least one position, or
// all that were asked for if they were to be together. Errors as documented for
// snowflake_nextval().
Taken TakeSlowly(Handle& handle, const Request& request);

// The positions of one block for this session (idgen.block_size), or one position.
std::uint64_t NextSlowly(Handle& handle);

// The next position: no lock, no allocation, no catalog, one clock reading and one
// compare-and-swap (none within a block).
inline std::uint64_t NextPosition(Handle& handle) {
  std::uint64_t tick = 0;
  if (likely(handle.divider.TickAt(WallClockUs(), tick))) {
    const std::uint64_t ids_per_tick = handle.composer.sequence_mask + 1;
    const std::uint64_t base = tick << handle.composer.sequence_bits;
    // A block is used in its own tick only.
    if (handle.block_next < handle.block_end && handle.block_next - base < ids_per_tick) {
      return handle.block_next++;
    }
    const std::uint64_t end = std::min(base + ids_per_tick, handle.limit);
    const Taken taken = TakeUpTo(*handle.position, base, end, handle.block_size);
    if (likely(taken.count > 0)) {
      handle.block_next = taken.first + 1;
      handle.block_end = taken.first + taken.count;
      return taken.first;
    }
  }
  return NextSlowly(handle);
}

// Makes every later ID of the handle's ID space greater than `id`, durably; an error
// when that is further ahead of the clock than idgen.max_clock_lead. Returns the last
// position then.
std::uint64_t Observe(Handle& handle, std::uint64_t id);

}  // namespace idgen::pg

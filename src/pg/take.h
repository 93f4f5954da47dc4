// Taking positions in SQL: the hot path, and the slow path behind it.
#pragma once

#include "core/cycles.h"
#include "handle.h"

namespace idgen::pg {

// The slow path: prepares the handle if need be, keeps the high-water mark ahead, and
// waits, leads or fails as the guard's settings say. Returns at least one position, or
// all that were asked for if they were to be together. Errors as documented for
// snowflake_nextval().
Taken TakeSlowly(Handle& handle, const Request& request);

// The next position where the hot path cannot tell it: the clock has to be read, or more
// than that.
std::uint64_t NextByClock(Handle& handle);

// The next position: no lock, no allocation, no catalog, at most one clock reading and one
// compare-and-swap (none within a block).
inline std::uint64_t NextPosition(Handle& handle) {
  if (likely(handle.ticker.IsFresh(CycleCount))) {
    if (handle.block_next < handle.block_end) return handle.block_next++;
    const Taken taken = TakeUpTo(*handle.position, handle.base, handle.end, handle.block_size);
    if (likely(taken.count > 0)) {
      handle.block_next = taken.first + 1;
      handle.block_end = taken.first + taken.count;
      return taken.first;
    }
  }
  return NextByClock(handle);
}

// Makes every later ID of the handle's ID space greater than `id`, durably; an error
// when that is further ahead of the clock than idgen.max_clock_lead. Returns the last
// position then.
std::uint64_t Observe(Handle& handle, std::uint64_t id);

}  // namespace idgen::pg

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

// The next position: on the hot path no lock, no allocation, no catalog, at most one clock
// reading and one atomic operation (none within a block).
inline std::uint64_t NextPosition(Handle& handle) {
  std::uint64_t next = 0;
  if (likely(handle.cursor.Next(*handle.position, CycleCount, WallClockUs, next))) return next;
  // Not a block: what the slow path hands out may be of a tick other than the clock's.
  return TakeSlowly(handle, {}).first;
}

// Makes every later ID of the handle's ID space greater than `id`, durably; an error
// when that is further ahead of the clock than idgen.max_clock_lead. Returns the last
// position then.
std::uint64_t Observe(Handle& handle, std::uint64_t id);

}  // namespace idgen::pg

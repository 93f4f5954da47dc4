// A session's handle of a generator: everything that the next ID needs, looked up once,
// so that the hot path touches this struct, the slot's position and the clock.
//
// A handle is used while its `end` is above 0. InvalidateHandles() sets that to 0, which
// sends the next call into the slow path, and the slow path prepares the handle anew
// (PrepareHandle).
#pragma once

#include <algorithm>
#include <string_view>

#include "core/clock.h"
#include "core/guard.h"
#include "core/layout.h"
#include "core/position.h"
#include "pg.h"
#include "shared.h"

namespace idgen::pg {

struct Handle {
  // The hot path's, in the order of their use. Positions from `base` (the first of the
  // tick of the last clock reading) up to `end` need no look at anything else.
  Ticker ticker;
  std::uint64_t block_next = 0;  // what is left of the block that this session took
  std::uint64_t block_end = 0;   //   (idgen.block_size), all of that tick
  std::uint64_t base = 0;
  std::uint64_t end = 0;
  std::uint64_t* position = nullptr;
  std::uint64_t block_size = 1;
  Composer composer;
  std::int64_t last_id = -1;  // of this session; -1: none yet
  std::uint64_t limit = 0;    // the first position that needs a look at the mark before

  // The slow path's.
  const Layout* layout = nullptr;
  Slot* slot = nullptr;
  DatabaseMark* database = nullptr;
  std::uint64_t floor_ms = 0;     // the floor that the slot is known to be above
  std::uint64_t preparation = 0;  // the invalidation count at its preparation; 0: never
  Handle* next = nullptr;         // all handles of the session
};

// The handle of the default generator, which snowflake_nextval() uses.
Handle& SnowflakeHandle();

// The handle of a generator by its name; an error that lists the generators if there is
// none. The reference stays good for the session.
Handle& HandleOf(std::string_view generator);

// Makes a handle ready for use; errors: recovery, an identity that does not fit, no
// shared memory, no extension.
void PrepareHandle(Handle& handle);

// True when nothing that the handle was prepared from has changed since.
bool IsPrepared(const Handle& handle);

// Ends the use of what the hot path holds of a handle: its next call looks at everything.
inline void StopHotPath(Handle& handle) {
  handle.limit = 0;
  handle.end = 0;
  handle.block_next = handle.block_end = 0;
}

// Every handle is to be prepared anew before its next use. May be called at any moment
// at which PostgreSQL processes an invalidation or assigns a setting; reads nothing.
void InvalidateHandles();

}  // namespace idgen::pg

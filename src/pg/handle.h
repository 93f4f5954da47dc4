// A session's handle of a generator: everything that the next ID needs, looked up once,
// so that the hot path touches this struct, the slot's position and the clock.
//
// A handle is used while its `limit` is above 0. InvalidateHandles() sets that to 0,
// which sends the next call into the slow path, and the slow path prepares the handle
// anew (PrepareHandle).
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
  // The hot path's, in the order of their use.
  TickDivider divider;
  std::uint64_t limit = 0;  // the first position that needs a look at the mark before
  std::uint64_t* position = nullptr;
  Composer composer;
  // What is left of the block that this session took (idgen.block_size).
  std::uint64_t block_next = 0;
  std::uint64_t block_end = 0;
  std::uint64_t block_size = 1;
  std::int64_t last_id = -1;  // of this session; -1: none yet

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

// What a handle is of, for messages.
inline const char* GeneratorName(const Handle& handle) { return handle.layout->name.data(); }

// Makes a handle ready for use; errors: recovery, an identity that does not fit, no
// shared memory, no extension.
void PrepareHandle(Handle& handle);

// True when nothing that the handle was prepared from has changed since.
bool IsPrepared(const Handle& handle);

// Every handle is to be prepared anew before its next use. May be called at any moment
// at which PostgreSQL processes an invalidation or assigns a setting; reads nothing.
void InvalidateHandles();

}  // namespace idgen::pg

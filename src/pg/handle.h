// A session's handle of a generator: everything that the next ID needs, looked up once,
// so that the hot path touches this struct, the slot's position and the clock.
//
// A handle is used while its cursor is open. InvalidateHandles() closes it, which sends the
// next call into the slow path, and the slow path prepares the handle anew (PrepareHandle).
#pragma once

#include <string_view>

#include "core/cursor.h"
#include "core/guard.h"
#include "core/layout.h"
#include "pg.h"
#include "shared.h"

namespace idgen::pg {

// Where the cursor of a handle that was never prepared points to; nothing is taken there.
inline constinit std::uint64_t no_position = 0;

struct Handle {
  // The hot path's.
  Cursor cursor;
  std::uint64_t* position = &no_position;  // the slot's, once prepared
  Composer composer;
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

// Makes a handle ready for use; errors: recovery, an identity that does not fit, no
// shared memory, no extension.
void PrepareHandle(Handle& handle);

// True when nothing that the handle was prepared from has changed since.
bool IsPrepared(const Handle& handle);

// Every handle is to be prepared anew before its next use. May be called at any moment
// at which PostgreSQL processes an invalidation or assigns a setting; reads nothing.
void InvalidateHandles();

}  // namespace idgen::pg

// Kinds of ID that are more than the position of a 64-bit layout (core/uuid.h): each has a handle
// that no name finds.
#pragma once

#include "pg.h"

#include "core/id128.h"
#include "core/uuid.h"
#include "take.h"

namespace idgen::pg {

struct Kind {
  const char* name;  // of its functions
  Handle handle;
  // The last ID of this session, if handle.last_id is not negative.
  Id128 last;
};

extern Kind uuidv1;
extern Kind uuidv6;
extern Kind uuidv7;
extern Kind uuidv8;
extern Kind ulid;
extern Kind id128;

// Defines the handle of a kind, on first use.
void StartKind(Kind& kind);

// What UUIDs of versions 1 and 6 show besides the identity of their ID space.
const GregorianNode& NodeBase();

inline Handle& HandleOfKind(Kind& kind) {
  if (unlikely(!kind.handle.has_name)) StartKind(kind);
  return kind.handle;
}

// Positions, and the identity with which they were taken: the handle may have another later.
struct KindRun {
  Taken taken;
  std::uint64_t node;
};

// Up to `count` positions of one tick, at least one.
inline KindRun TakeRun(Kind& kind, std::uint64_t count) {
  const Issued issued = Take(HandleOfKind(kind), kNoShard, count);
  return {issued.taken, issued.space->identity_bits};
}

// The next position, by the hot path if that can tell.
inline KindRun TakeOne(Kind& kind) {
  Handle& handle = HandleOfKind(kind);
  SessionSlot* const space = handle.space;
  std::uint64_t next = 0;
  if (likely(space != nullptr) && likely(space->cursor.Next(handle.allowance, space->slot->position,
                                                            CycleCounter{}, WallClock{}, next))) {
    return {{next, 1}, space->identity_bits};
  }
  const Issued issued = TakeSlowly(handle, kNoShard, {});
  return {issued.taken, issued.space->identity_bits};
}

}  // namespace idgen::pg

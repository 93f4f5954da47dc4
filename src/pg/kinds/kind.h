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
  void (*define)(Handle&);
  Handle handle;
  // What its IDs show of who made them, besides the identity of their ID space.
  std::uint64_t node_base;
  // The last ID of this session, if handle.last_id is not negative.
  Id128 last;
};

extern Kind uuidv1;
extern Kind uuidv6;
extern Kind uuidv7;
extern Kind uuidv8;
extern Kind ulid;
extern Kind id128;

inline Handle& HandleOfKind(Kind& kind) {
  if (unlikely(!kind.handle.has_name)) {
    kind.handle.family = Family::kUuids;
    StartHandle(kind.handle, kind.name, kind.define);
  }
  return kind.handle;
}

// Positions, and the node with which they were taken: the kind may have another later.
struct KindRun {
  Taken taken;
  std::uint64_t node;
  SpaceUse* use;
};

inline KindRun RunOf(const Kind& kind, const Taken& taken, const SessionSlot& space) {
  return {taken, kind.node_base | space.identity_bits, space.use};
}

// Up to `count` positions of one tick, at least one.
inline KindRun TakeRun(Kind& kind, std::uint64_t count) {
  const Issued issued = Take(HandleOfKind(kind), kNoShard, count);
  return RunOf(kind, issued.taken, *issued.space);
}

}  // namespace idgen::pg

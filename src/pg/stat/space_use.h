// How a session counts its IDs. Each is counted in the session's own memory, in two instructions.
// The end of each transaction adds the counts to those of the server, whichever way it ends:
// commit, abort, the end of a parallel worker, and a session that is terminated, which aborts
// first. No ID is made outside of a transaction. The slow path does so in between, about once a
// second.
#pragma once

#include "pg.h"

#include <cstdint>

#include "shared.h"

namespace idgen::pg {

struct SpaceUseRest;

// What a session keeps of an ID space that it uses, by whatever generators. It lives as long as the
// session. Small, and side by side in the order of their first use: a session that goes through its
// shards in turn reads one for each ID.
struct SpaceUse {
  Slot* slot;
  std::uint64_t made;  // IDs that the server does not know of yet, minus 1
  SpaceUseRest* rest;

  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
};

// And what an ID does not need.
struct SpaceUseRest {
  Slot* slot;  // the key
  SpaceUse* use;
  std::uint64_t batches;   // calls that the server does not know of yet; none without an ID
  SpaceUse* next;          // of those with IDs
  std::uint64_t floor_ms;  // the floor that the slot is known to be above
};

// The session's use of a slot, made on first use.
SpaceUse& UseOf(Slot& slot);

// Has the use looked at when the transaction ends.
void NoteUsed(SpaceUse& use);

// Counts one ID that a call returns. True if it is the first: then NoteUsed() is the caller's. (The
// count is less by 1, so that the addition itself tells.)
pg_attribute_always_inline bool IsFirst(SpaceUse& use) { return ++use.made == 0; }

inline void CountId(SpaceUse& use) {
  if (unlikely(IsFirst(use))) NoteUsed(use);
}

inline void CountIds(SpaceUse& use, std::uint64_t count) {
  if (unlikely(use.made == SpaceUse::kNone)) NoteUsed(use);
  use.made += count;
}

// Counts what a call returns that asked for many.
inline void CountCall(SpaceUse& use) { ++use.rest->batches; }
inline void CountBatch(SpaceUse& use, std::uint64_t count) {
  CountIds(use, count);
  CountCall(use);
}

// Adds to the server's counts what this session has made, if it has not done so for a while.
void PublishUsesNowAndThen(std::int64_t now_us);

// The same, at once.
void PublishUses();

// Registers for the ends of transactions; once, from _PG_init.
void WatchUses();

}  // namespace idgen::pg

// Taking positions in SQL: the hot path, and the slow path behind it.
#pragma once

#include "pg.h"

#include "core/cycles.h"
#include "core/loop.h"
#include "handle.h"

namespace idgen::pg {

// Positions that were taken, and the ID space that they are of.
struct Issued {
  Taken taken;
  SessionSlot* space = nullptr;
};

// The slow path: prepares the handle if need be, keeps the high-water mark ahead, and
// waits, leads or fails as the guard's settings say. `shard` as for SpaceFor. Returns at
// least one position, or all that were asked for if they were to be together; the caller counts
// those that it returns (space_use.h). Errors as documented for snowflake_nextval().
Issued TakeSlowly(Handle& handle, std::int64_t shard, const Request& request);

// Reports an error unless `count` IDs of a layout can be consecutive integers of one tick.
void CheckTogether(const Layout& layout, std::int64_t count);

// The same for a request, before each attempt: the layout may be the next one by now.
inline void CheckTogether(const Layout& layout, const Request& request) {
  if (unlikely(request.together)) CheckTogether(layout, static_cast<std::int64_t>(request.count));
}

// The ID of a position that was taken through the handle.
inline std::int64_t IdOf(const Handle& handle, const SessionSlot& space, std::uint64_t position) {
  return handle.composer(position) | static_cast<std::int64_t>(space.identity_bits);
}

// The counter and the clock as types, so that the core calls them directly.
struct CycleCounter {
  std::uint64_t operator()() const noexcept { return CycleCount(); }
};
struct WallClock {
  std::int64_t operator()() const noexcept { return WallClockUs(); }
};

// Takes `count` IDs that are consecutive integers. Returns the first. Counts them.
std::int64_t Reserve(Handle& handle, std::int64_t count);

// One ID by the slow path. Counts it.
std::int64_t NextIdSlowly(Handle& handle, std::int64_t shard);

// The ID of a position that was counted as the first of its use. A function of its own, so that the
// hot path ends in a jump to it and saves no registers for its sake.
std::int64_t FirstId(Handle& handle, SpaceUse& use, std::uint64_t identity_bits,
                     std::uint64_t position);

// The next position of an ID space by the hot path, or false if that cannot tell. `space` may be
// nullptr.
pg_attribute_always_inline bool TakeQuickly(Handle& handle, SessionSlot* space,
                                            std::uint64_t& next) {
  return likely(space != nullptr) &&
         likely(space->cursor.Next(handle.allowance, space->slot->position, CycleCounter{},
                                   WallClock{}, next));
}

// The next ID: on the hot path no lock, no allocation, no catalog, at most one clock
// reading and one atomic operation (none within a block).
pg_attribute_always_inline std::int64_t NextIdIn(Handle& handle, SessionSlot* space,
                                                 std::int64_t shard) {
  std::uint64_t next = 0;
  // Not a block: what the slow path hands out may be of a tick other than the clock's.
  if (unlikely(!TakeQuickly(handle, space, next))) return NextIdSlowly(handle, shard);
  if (unlikely(IsFirst(*space->use))) {
    return FirstId(handle, *space->use, space->identity_bits, next);
  }
  return handle.last_id = IdOf(handle, *space, next);
}

pg_attribute_always_inline std::int64_t NextId(Handle& handle) {
  return NextIdIn(handle, handle.space, kNoShard);
}

// The ID space of a shard that a call names, if the session has used it.
inline SessionSlot* KnownSpace(Handle& handle, std::int64_t shard) {
  if (unlikely(shard < 0 || shard > handle.largest_shard)) return nullptr;
  return KnownSlot(handle, ShardBits(handle, shard));
}

// Where blocks are not used, a cursor has nothing to keep from one call to the next but how it took
// its last position. So a session that goes through its shards in turn uses one that it forgets: it
// then touches the table's entry and the slot, and nothing else. The slow path keeps one now and
// then, which soon is that of a shard that is named again and again.
inline std::int64_t NextIdOfShard(Handle& handle, std::int32_t shard) {
  if (unlikely(shard < 0 || shard > handle.largest_shard)) return NextIdIn(handle, nullptr, shard);
  const std::uint64_t bits = ShardBits(handle, shard);
  if (handle.keeps_blocks || handle.shard.identity_bits == bits) {
    return NextIdIn(handle, KnownSlot(handle, bits), shard);
  }
  const SlotTable::Entry* const entry = handle.slots.Find(bits);
  if (unlikely(entry == nullptr)) return NextIdIn(handle, nullptr, shard);
  std::uint64_t next = 0;
  bool is_taken = false;
  {
    // It ends here, so that the compiler need not write down what is forgotten.
    Cursor cursor;
    is_taken = cursor.Next(handle.allowance, entry->use->slot->position, CycleCounter{},
                           WallClock{}, next);
  }
  if (unlikely(!is_taken)) return NextIdIn(handle, nullptr, shard);
  if (unlikely(IsFirst(*entry->use))) return FirstId(handle, *entry->use, bits, next);
  return handle.last_id = handle.composer(next) | static_cast<std::int64_t>(bits);
}

// Up to `count` positions of one tick, at least one, in one step. The caller counts those that it
// returns. `shard` as for SpaceFor.
inline Issued Take(Handle& handle, std::int64_t shard, std::uint64_t count) {
  SessionSlot* const space = shard == kNoShard ? handle.space : KnownSpace(handle, shard);
  if (likely(space != nullptr)) {
    const Taken taken = space->cursor.Take(handle.allowance, space->slot->position, CycleCounter{},
                                           WallClock{}, count);
    if (likely(taken.count > 0)) return {taken, space};
  }
  return TakeSlowly(handle, shard, {count, false});
}

// Makes every later ID of an ID space greater than `id`, durably; an error when that is
// further ahead of the clock than idgen.max_clock_lead (of a hybrid logical clock,
// idgen.max_clock_offset). The ID space is the handle's, of the
// shard in the ID where the generator makes IDs of any. Returns the last one that counts as
// issued then.
std::int64_t Observe(Handle& handle, std::uint64_t id);

// Refuses an ID of a later layout of the handle's generator if Observe() would.
void CheckNotTooFarAhead(const Handle& handle, std::uint64_t id, std::int64_t now_us);

// Reports that Observe() refuses an ID.
[[noreturn]] void ReportTooFarAhead(const Handle& handle, std::uint64_t id,
                                    const Observed& observed, const GuardSettings& guard);

}  // namespace idgen::pg

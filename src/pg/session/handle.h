// A session's handle of a generator: everything that the next ID needs, looked up once,
// so that the hot path touches this struct, the slot's position and the clock.
//
// A handle is used while its allowance is open. InvalidateHandles() (invalidate.h) closes it, which
// sends the next call into the slow path, and the slow path prepares the handle anew
// (PrepareHandle).
#pragma once

#include "pg.h"

#include <limits>
#include <string_view>

#include "catalog.h"
#include "core/cursor.h"
#include "core/guard.h"
#include "core/layout.h"
#include "last_made.h"
#include "lease.h"
#include "shared.h"
#include "space_use.h"

namespace idgen::pg {

// A session's view of a Slot: one ID space as it uses it through one generator.
struct alignas(64) SessionSlot {
  Cursor cursor;
  Slot* slot = nullptr;
  std::uint64_t identity_bits = kNoIdentity;
  SpaceUse* use = nullptr;  // of the slot
  std::uint64_t place = 0;  // in the table

  // No layout has IDs of 64 bits.
  static constexpr std::uint64_t kNoIdentity = ~std::uint64_t{0};
};
static_assert(sizeof(SessionSlot) == 64);

// The slots of a handle by their identity bits: open addressing, at most half full. There is one
// for each shard that the session has used, and they are never taken out one by one. Where a
// session goes through its shards in turn, the table is most of what an ID costs, since it is not
// in the CPU's caches; so entries are small, and those of neighbouring shards share a cache line.
class SlotTable {
 public:
  struct Entry {
    std::uint64_t identity_bits;
    SpaceUse* use;  // nullptr: the entry is free
  };

  // nullptr if the session did not use it yet. The pointer is good until the next Add.
  [[nodiscard]] const Entry* Find(std::uint64_t identity_bits) const noexcept {
    if (unlikely(entries_ == nullptr)) return nullptr;
    for (std::uint64_t i = Home(identity_bits);; i = (i + 1) & mask_) {
      if (unlikely(entries_[i].use == nullptr)) return nullptr;
      if (likely(entries_[i].identity_bits == identity_bits)) return &entries_[i];
    }
  }

  // Adds a slot, which is not there yet, by its use. `shard_shift` as in the layout, the same each
  // time. Allocates for the session's life.
  const Entry& Add(std::uint64_t identity_bits, SpaceUse& use, std::uint8_t shard_shift);

  [[nodiscard]] std::uint64_t PlaceOf(const Entry& entry) const noexcept {
    return static_cast<std::uint64_t>(&entry - entries_);
  }

  // The cursor that is kept for a place, until the next Add. Allocates them on first use.
  Cursor& CursorAt(std::uint64_t place);

  // Forgets all of them.
  void Reset();

 private:
  static constexpr std::uint64_t kGroupBits = 4;

  // Groups of neighbours, scattered by Fibonacci hashing (Knuth, The Art of Computer
  // Programming 3, section 6.4): the high bits of the product with 2^64 over the golden ratio.
  [[nodiscard]] std::uint64_t Home(std::uint64_t identity_bits) const noexcept {
    constexpr std::uint64_t kInGroup = (1U << kGroupBits) - 1;
    const std::uint64_t group = identity_bits & ~(kInGroup << shard_shift_);
    return ((group * 0x9E3779B97F4A7C15U) >> group_shift_ << kGroupBits) |
           ((identity_bits >> shard_shift_) & kInGroup);
  }

  std::uint64_t Place(const Entry& entry);
  void Grow();

  void* memory_ = nullptr;
  Entry* entries_ = nullptr;   // in it
  Cursor* cursors_ = nullptr;  // as many, or none
  std::uint64_t mask_ = 0;
  std::uint64_t count_ = 0;
  std::uint8_t group_shift_ = 63;
  std::uint8_t shard_shift_ = 0;
};

// An argument that was not given, and no int: the shard is the generator's or the settings'.
inline constexpr std::int64_t kNoShard = std::numeric_limits<std::int64_t>::min();

// ID spaces of different families share no position, so that neither moves the other.
enum class Family : std::uint8_t {
  kIds,    // of 64 bits, by name
  kUuids,  // of 128 bits (kinds/kind.h)
  kClock,  // the hybrid logical clock (core/hlc.h), which has its own guard
};

// No position: the layout has no end but its own.
inline constexpr std::uint64_t kNoEnd = ~std::uint64_t{0};

struct alignas(64) Handle {
  // The hot path's: two cache lines, this and the beginning of the allowance.
  SessionSlot* space = nullptr;  // of calls that name no shard: `own`, or nullptr if there is none
  Composer composer;             // without identity bits
  std::int64_t last_id = -1;     // of this session; -1: none yet
  // Calls that name a shard.
  std::uint64_t server_bits = 0;    // datacenter and machine
  std::int64_t largest_shard = -1;  // that a call may name; -1: none, or not known yet
  std::uint8_t shard_shift = 0;
  bool has_name = false;
  bool keeps_blocks = false;  // idgen.block_size is above 1
  alignas(64) Allowance allowance;
  SessionSlot own;
  // The shard that was named last, if that is not `own`: one that is named again and again costs no
  // look into the table. Cursors of others are kept only where they may have blocks.
  SessionSlot shard;
  SlotTable slots;

  // The slow path's.
  char name[NAMEDATALEN] = {};
  // Defines what no name in the catalog stands for (kind.h); nullptr: the name is looked up.
  void (*define)(Handle&) = nullptr;
  Family family = Family::kIds;
  // Whether other servers could make the same IDs: they are to have other identities.
  bool is_leased = true;
  // Whether each run of the server makes other IDs, whatever their time: a hold (start_over.h) is
  // not for them.
  bool renews = false;
  // Whether the time in its IDs may be late by ClockReading::kOldestUs, however short its ticks
  // are.
  bool may_be_late = false;
  GeneratorDefinition generator;
  char layout_name[kLongestLayoutText] = {};
  Identity server;  // whatever the layout has fields for
  // The identity of calls that name no shard; kNoIdentity: there is none.
  std::uint64_t own_bits = SessionSlot::kNoIdentity;
  // Of a generator whose layout changes: all of its layouts, and the place of the present one.
  Succession* changes = nullptr;  // in TopMemoryContext; nullptr, or one stage: there is no change
  std::size_t stage = 0;
  std::uint64_t stage_run = 0;  // the run of the test clock (test_clock.h) that came to it; 0: none
  std::uint64_t stage_end = kNoEnd;      // the first position of `layout` that it must not take
  std::int64_t machine_id = kNoMachine;  // in its IDs, where the layout has the field
  DatabaseMark* database = nullptr;
  const Grant* grant = nullptr;    // of all its identities
  std::int64_t held_until_ms = 0;  // other servers may have used one of them until then
  // Of the fleet's scheme: the count of the copy, and up to when it lets the layouts be used.
  std::uint64_t scheme_count = 0;
  std::int64_t scheme_until_ms = 0;
  std::uint64_t preparation = 0;  // the invalidation count at its preparation; 0: never
  std::int64_t seen_id = -1;      // `last_id` when AddNewIds() looked
  Handle* next = nullptr;         // all handles of the session

  [[nodiscard]] const Layout& layout() const { return generator.layout; }
  [[nodiscard]] bool is_clock() const { return family == Family::kClock; }
};

// The handles of the generators that have functions of their own.
Handle& SnowflakeHandle();
Handle& InstagramHandle();

// The handle of a generator by its name; an error if there is none. The reference stays
// good for the session, and works again if the generator is dropped and made anew.
Handle& HandleOf(std::string_view generator);

// Begins a handle that no name finds. `define` sets its generator, now and each time when it is
// prepared.
void StartHandle(Handle& handle, std::string_view name, void (*define)(Handle&));

// Looks up what the handle's name stands for now; an error if that is nothing.
void ResolveGenerator(Handle& handle);

// Makes a handle ready for use; errors: recovery, a generator that is no longer there, an
// identity that does not fit, no shared memory, no extension. While the test clock is on, it only
// looks up what IDs are composed of.
void PrepareHandle(Handle& handle);

// Registers `before`, which every preparation on a server that is not in recovery begins with.
using BeforePreparation = void (*)();
void WatchPreparations(BeforePreparation before);

// Whether the identities of the handle may be others' by now.
inline bool GrantHasEnded(const Handle& handle) {
  return handle.grant != nullptr && HasEnded(*handle.grant);
}

// Reports an error if an identity of the server does not fit a layout.
void CheckFits(const Layout& layout, const Identity& identity);

// True when nothing that the handle was prepared from has changed since.
bool IsPrepared(const Handle& handle);

// The identity of a call that names a shard, or none (kNoShard). The handle is prepared. Errors: a
// shard that is missing, fixed, or out of range.
std::uint64_t IdentityBitsOf(const Handle& handle, std::int64_t shard);

// The shard to name for the ID space that an ID is of, where the generator makes IDs of any. An
// error if it is no ID of the layout.
std::int64_t ShardOfId(const Handle& handle, std::uint64_t id);

// The smallest ID of the present layout that no layout before can have made.
std::int64_t FirstIdOfStage(const Handle& handle);

// What tells the ID space of an identity from others.
IdSpaceKey SlotKeyOf(const Handle& handle, std::uint64_t identity_bits);

// The ID space of a call, as for IdentityBitsOf(). The reference is good until the next call.
SessionSlot& SpaceFor(Handle& handle, std::int64_t shard);

// A view with a cursor of its own.
inline SessionSlot SessionSlotOf(const SlotTable::Entry& entry) {
  SessionSlot space;
  space.slot = entry.use->slot;
  space.identity_bits = entry.identity_bits;
  space.use = entry.use;
  return space;
}

// Makes `handle.shard` that of an entry, where cursors are kept.
void SwitchCursors(Handle& handle, const SlotTable::Entry& entry);

// The identity bits of a shard of the handle's server.
inline std::uint64_t ShardBits(const Handle& handle, std::int64_t shard) {
  return handle.server_bits | (AsField(shard) << handle.shard_shift);
}

// The session's view of an ID space of the handle, or nullptr if it has not used it yet. The
// pointer is good until the next call.
inline SessionSlot* KnownSlot(Handle& handle, std::uint64_t identity_bits) {
  if (handle.shard.identity_bits == identity_bits) return &handle.shard;
  // One ID space has one cursor, so that the IDs of a session increase.
  if (handle.own.identity_bits == identity_bits) return &handle.own;
  const SlotTable::Entry* const entry = handle.slots.Find(identity_bits);
  if (unlikely(entry == nullptr)) return nullptr;
  if (unlikely(handle.keeps_blocks)) {
    SwitchCursors(handle, *entry);
  } else {
    handle.shard = SessionSlotOf(*entry);
  }
  return &handle.shard;
}

// Forgets the last ID of each generator, as if this session had made none: DISCARD.
void ForgetLastIds();

// Counts the calls of ForgetLastIds().
std::uint64_t LastIdsForgotten();

// Adds the last ID of each generator of 64-bit IDs that has made one since the last look that was
// noted.
void AddNewIds(LastMade& made, bool notes);

}  // namespace idgen::pg

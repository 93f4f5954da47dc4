// Shared memory: a small root that any backend creates on first use, and behind it a
// dynamic area with one slot per ID space and one entry per database.
//
// Protocol (who locks what):
//   - Root::lock is held while the area is created, once per server start, which
//     allocates; while a slot is handed out, which may; and for the few words that say
//     so below. No other lock of ours is taken inside.
//   - A table's own partition lock is held while an entry is found or made, and
//     Root::lock may be taken inside. Entries and slots are never freed, so a pointer
//     to one stays good for the backend's life.
//   - Slot::position is advanced by atomic operations (core/position.h), without a
//     lock; so is Slot::start. The rest of a slot never changes.
//   - DatabaseMark::writing is only ever tried, never waited for: its holder writes
//     the mark early, for everybody (mark.cpp). That error recovery releases it is
//     why it is an LWLock and not a flag.
// No other two of these locks are held at a time.
#pragma once

#include "pg.h"

#include <atomic>
#include <type_traits>

#include "core/layout.h"
#include "core/position.h"

namespace idgen::pg {

// A machine ID that is none: the layout has no such field, or a hold leaves none out.
inline constexpr std::int64_t kNoMachine = -1;

// One ID space. A cache line of its own.
struct alignas(PG_CACHE_LINE_SIZE) Slot {
  std::uint64_t position;   // by the functions of core/position.h only
  std::uint64_t start;      // the first position of this run; atomic, only grows
  std::int64_t machine_id;  // of its IDs; kNoMachine: the layout has none. Set once
};
static_assert(sizeof(Slot) == PG_CACHE_LINE_SIZE);
static_assert(std::is_trivially_copyable_v<Slot> && std::is_standard_layout_v<Slot>);

// What the server knows of one database's high-water mark.
struct DatabaseMark {
  Oid database;                 // the key
  LWLock writing;               // tried by whoever writes a later mark early
  std::uint64_t written_ms;     // on the page; atomic, only grows
  std::uint64_t flushed_ms;     // the same, in the log on disk
  std::uint64_t replicated_ms;  // the same, and known to the synchronous standbys if there are any
};

// What the operator's log was told of the clock, and what it is compared with (events.cpp).
// Written by lock; atomic, since they are read without it to see whether there may be news.
struct ClockEvents {
  std::uint64_t known;       // 1: the offsets below were measured
  std::uint64_t started;     // 1: this run has moved the mark, or was allowed to
  std::uint64_t ahead;       // 1: the log was told that IDs are ahead of the clock
  std::uint64_t waited;      // 1: and that somebody waits for long
  std::int64_t offset_us;    // the wall clock less the monotonic one, when last looked at
  std::int64_t accepted_us;  // the same, less the steps that nobody has accepted yet
  std::int64_t ahead_until;  // the latest time of an ID, or of one that is waited for, in us
};

// The server's, since its start.
struct Root {
  std::uint32_t version;      // kRootVersion of the module that made it
  LWLock lock;                // see above
  int tranche;                // set once
  std::int64_t run_token;     // tells marks that this run wrote from all others; set once
  std::uint64_t floor_ms;     // every mark found from before this run; atomic, only grows
  std::uint64_t floor_known;  // 1: the marks of all databases were read; atomic
  std::uint64_t known_ms;     // every mark that this run wrote, wherever; atomic, only grows
  // The hold (start_over.h).
  std::uint64_t held_until_ms;   // of all databases; atomic, only grows
  std::int64_t fresh_machine;    // the machine ID that it leaves out, or kNoMachine; as events
  std::uint64_t restart_needed;  // calls of idgen_start_over() that succeeded or still may; atomic
  // What the log was told of the clock (events.h); all by lock.
  ClockEvents events;
  dsa_handle area;
  dshash_table_handle slots;
  dshash_table_handle databases;
  // Slots that were allocated together and not handed out yet; by lock.
  dsa_pointer spare_slots;
  std::uint32_t spare_slots_left;
};

// To be raised with every change of what is in shared memory: a module that is replaced while
// the server runs must find out. The memory is larger than need be, and so always the same.
inline constexpr std::uint32_t kRootVersion = 2;
inline constexpr std::size_t kRootSize = 512;
static_assert(sizeof(Root) <= kRootSize);

// Asks for the root's memory when preloaded; from _PG_init.
void RequestSharedMemory();

// The root; attaches this backend on first use.
Root& SharedRoot();

// The ID space whose slot serves the IDs of a layout with these identity bits: their own, but
// that shards share one which are the same in the lowest kMostShardBits bits. They share a rate
// then, and not a promise: each ID space's positions still grow. Without it, whoever goes through
// the shards of a layout with millions of them would fill the shared memory.
IdSpace SlotSpaceOf(const Layout& layout, std::uint64_t identity_bits);
inline constexpr unsigned kMostShardBits = 14;

// The slot of an ID space, made on first use with `start` as its first position.
Slot& SlotOf(const IdSpace& space, std::uint64_t start, std::int64_t machine_id);

// Whether there is a slot of a machine ID, of any layout.
bool SlotExistsOf(std::int64_t machine_id);

// One more for Root::restart_needed; and one less, where the call came to nothing.
void RequireRestart(Root& shared);
void WithdrawRestart(Root& shared);

// The slot of an ID space, or nullptr if nobody has used it since the server's start.
Slot* FindSlot(const IdSpace& space);

// The entry of the current database.
DatabaseMark& CurrentDatabaseMark();

// The plain integers above that are atomic go through these.
inline std::uint64_t LoadShared(const std::uint64_t& word) { return LoadPosition(word); }
inline void RaiseShared(std::uint64_t& word, std::uint64_t at_least) {
  RaisePosition(word, at_least);
}

// The times among them (`_ms`) are never negative.
inline std::int64_t LoadSharedMs(const std::uint64_t& word) {
  return static_cast<std::int64_t>(LoadShared(word));
}
inline void RaiseSharedMs(std::uint64_t& word, std::int64_t at_least_ms) {
  RaiseShared(word, static_cast<std::uint64_t>(at_least_ms));
}

// And those that go either way, or may be negative.
template <typename Word>
inline Word LoadWord(const Word& word) {
  return std::atomic_ref(const_cast<Word&>(word)).load(std::memory_order_acquire);
}
template <typename Word>
inline void StoreWord(Word& word, Word value) {
  std::atomic_ref(word).store(value, std::memory_order_release);
}

}  // namespace idgen::pg

// Shared memory: a small root that any backend creates on first use, and behind it a dynamic area
// with one slot per ID space and one entry per database.
//
// Protocol (who locks what):
//   - Root::lock is held while the area is created (once per server start; this allocates), while a
//     slot is handed out (this may allocate), and for the few words marked below. No other lock of
//     ours is taken inside it.
//   - A table's own partition lock is held while an entry is found or made. Root::lock may be taken
//     inside it. Entries and slots are never freed, so a pointer to one stays valid for the
//     backend's life.
//   - Slot::position and Slot::start are advanced by atomic operations (core/position.h), without a
//     lock. The rest of a slot never changes.
//   - DatabaseMark::changing is held for a moment by a transaction that commits a change of a
//     generator's layout.
//   - DatabaseMark::writing is only tried, never waited for. Its holder writes the mark early, for
//     everybody (mark.cpp). It is an LWLock and not a flag because error recovery releases an
//     LWLock.
//
// No other two of these locks are held at the same time.
#pragma once

#include "pg.h"

#include <algorithm>
#include <atomic>
#include <type_traits>

#include "core/layout.h"
#include "core/position.h"
#include "process.h"
#include "statistics.h"

namespace idgen::pg {

// Stands for no machine ID: the layout has no such field, or a hold exempts no machine.
inline constexpr std::int64_t kNoMachine = -1;
// Stands for one that no other run of the server has.
inline constexpr std::int64_t kFreshAnyway = -2;

// One ID space, in a cache line of its own.
struct alignas(PG_CACHE_LINE_SIZE) Slot {
  std::uint64_t position;   // written only by the functions of core/position.h
  std::uint64_t start;      // the first position of this run; atomic, only grows
  std::int64_t machine_id;  // in its IDs, or one of the above. Set once
  // From here to its SpaceStats, in bytes: both are in one allocation. Set once.
  std::ptrdiff_t to_stats;
};
static_assert(sizeof(Slot) == PG_CACHE_LINE_SIZE);
static_assert(std::is_trivially_copyable_v<Slot> && std::is_standard_layout_v<Slot>);

// What the server knows about one database's high-water mark.
struct DatabaseMark {
  Oid database;                 // the key
  LWLock writing;               // tried by the backend that writes a later mark early
  std::uint64_t written_ms;     // the mark on the page; atomic, only grows
  std::uint64_t flushed_ms;     // the mark in the log on disk; atomic, only grows
  std::uint64_t replicated_ms;  // the mark on the synchronous standbys, if any; atomic, only grows
  MarkStats stats;
  // Changes of generators' layouts (change_fence.h): how many were announced, and the last one of
  // them.
  LWLock changing;
  std::uint64_t changes_begun;  // atomic, only grows
  std::uint64_t changes;        // atomic, only grows; the same, after the words below were written
  std::int64_t change_ms;       // atomic
  TransactionId change_xid;     // atomic
  char change_of[NAMEDATALEN];
};

// What the server log was told about the clock, and what the clock is compared with (events.cpp).
// Root::lock guards writes, but not that of `started`. The words are atomic, since they are read
// without the lock to see whether there may be news.
struct ClockEvents {
  std::uint64_t known;       // 1: the offsets below were measured
  std::uint64_t started;     // 1: this run has moved the mark, or was allowed to
  std::uint64_t ahead;       // 1: the log was told that IDs are ahead of the clock
  std::uint64_t waited;      // 1: the log was told that a session waits for long
  std::int64_t offset_us;    // the wall clock minus the monotonic clock, at the last look
  std::int64_t accepted_us;  // the same, minus the steps that nobody has accepted yet
  std::int64_t ahead_until;  // the latest time, in us, of an ID that was made or is waited for
};

// What the server knows of its place in the registry (lease.h). `lock` guards what is not atomic.
struct LeaseState {
  LWLock lock;
  WorkerPlace worker;
  std::uint64_t requests;   // counts what sessions asked for; atomic, only grows
  std::uint64_t needed_ms;  // the latest time that a session asked for; atomic
  std::uint64_t users;      // sessions that may make IDs (core/lease.h); atomic
  dsa_pointer grant;  // a Grant (core/lease.h) of the living holder; invalid: none. Set by the
                      // worker alone
  dshash_table_handle identities;
  std::int64_t renewed_us;  // the wall clock at the last renewal; 0: none
  std::int64_t failed_us;   // the wall clock at the last failure, 0 after a success
  // The wall clock against the registry's at the last renewal, if it shows its clock.
  bool clock_known;
  std::int64_t clock_offset_us;
  std::int64_t clock_error_us;
  char token[40];   // of the living holder
  char error[512];  // of the last failure
  // The scheme that this server goes by (scheme.h).
  dsa_pointer scheme;  // its text; invalid: empty
  std::int64_t scheme_version;
  std::int64_t scheme_forgotten;  // a version that the registry no longer has; 0: none
  std::uint64_t scheme_count;     // raised once the above were set; atomic, only grows
  std::uint64_t scheme_asked;     // 1: a session has written a version; atomic
  std::uint64_t apply_requests;   // sessions that wait for it in their database; atomic, only grows
};

// The directory of what sequences have given to tickets (ticket_entry.h). `lock` guards its
// creation.
struct TicketsState {
  LWLock lock;
  dshash_table_handle entries;
  WorkerPlace worker;      // that fetches segments (segment_worker.cpp)
  std::uint64_t requests;  // counts what sessions asked of it; atomic, only grows
};

// The state of the server since its start.
struct Root {
  std::uint32_t version;      // kRootVersion of the module that created it
  LWLock lock;                // see above
  int tranche;                // set once
  std::int64_t run_token;     // distinguishes marks that this run wrote; set once
  std::uint64_t uuid_node;    // random, for UUIDs of versions 1 and 6; set once
  std::uint64_t floor_ms;     // the highest mark found from before this run; atomic, only grows
  std::uint64_t floor_known;  // 1: the marks of all databases were read; atomic
  std::uint64_t known_ms;     // the highest mark this run wrote anywhere; atomic, only grows
  // The hold (start_over.h).
  std::uint64_t held_until_ms;   // the latest of all databases; atomic, only grows
  std::int64_t fresh_machine;    // the machine ID that is exempt, or kNoMachine; as events
  std::uint64_t restart_needed;  // calls of idgen_start_over() that succeeded or still may; atomic
  // What the server log was told about the clock (events.h).
  ClockEvents events;
  LeaseState lease;
  TicketsState tickets;
  dsa_handle area;
  dshash_table_handle slots;
  dshash_table_handle databases;
  // Slots that were allocated together and not handed out yet; guarded by the lock.
  dsa_pointer spare_slots;
  std::uint32_t spare_slots_left;
  ServerStats stats;
};

// Raise it with every change of what is in shared memory: a module that is replaced while the
// server runs must notice. The size is generous, so that it never has to change.
inline constexpr std::uint32_t kRootVersion = 8;
inline constexpr std::size_t kRootSize = 2048;
static_assert(sizeof(Root) <= kRootSize);

// Asks for the root's memory when preloaded; from _PG_init.
void RequestSharedMemory();

// Returns the root; attaches this backend on first use.
Root& SharedRoot();

// Returns the ID space whose slot serves the IDs of a layout with these identity bits. It is their
// own ID space, except that shards whose lowest kMostShardBits bits are equal share one. These
// share a rate, but lose no promise: positions still grow in each ID space. Without this, a user
// who goes through the shards of a layout with millions of them would fill the shared memory.
IdSpaceKey SlotKeyOf(const Layout& layout, std::uint64_t identity_bits);
inline constexpr unsigned kMostShardBits = 14;

// Returns the slot of an ID space of a layout, created on first use with `start` as its first
// position.
Slot& SlotOf(const IdSpaceKey& space, const Layout& layout, std::uint64_t start,
             std::int64_t machine_id);

inline SpaceStats& StatsOf(Slot& slot) {
  return *reinterpret_cast<SpaceStats*>(reinterpret_cast<char*>(&slot) + slot.to_stats);
}

// Calls `visit` with each ID space, or the entry of each database, that was used since the server's
// start. A lock is held meanwhile, so `visit` does little; but the pointers stay valid.
void ForEachSlot(void (*visit)(void* context, const IdSpaceKey& space, Slot& slot), void* context);
void ForEachDatabase(void (*visit)(void* context, DatabaseMark& mark), void* context);

// Whether any layout has a slot with this machine ID.
bool SlotExistsOf(std::int64_t machine_id);

// Adds one to Root::restart_needed; takes it back when the call came to nothing.
void RequireRestart(Root& shared);
void WithdrawRestart(Root& shared);

// Returns the slot of an ID space; nullptr if nobody has used it since the server's start.
Slot* FindSlot(const IdSpaceKey& space);

// Returns the entry of the current database.
DatabaseMark& CurrentDatabaseMark();

// The dynamic area, for what other rooms keep there.
dsa_area* SharedArea();

// Attaches this backend to a table in the dynamic area whose keys are bytes. Whoever comes first
// after the server's start creates it; `lock` guards `handle`, which is invalid until then.
dshash_table* OpenSharedTable(LWLock& lock, dshash_table_handle& handle, std::size_t key_size,
                              std::size_t entry_size);

// Access to the plain integers above that are atomic and only grow.
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

// Returns the latest time up to which this server has handed out IDs, or found that others have.
// Every mark that is written is at least that.
inline std::int64_t KnownMs(const Root& shared) {
  return std::max(LoadSharedMs(shared.known_ms), LoadSharedMs(shared.floor_ms));
}

// Access to those that may shrink or be negative.
template <typename Word>
inline Word LoadWord(const Word& word) {
  return std::atomic_ref(const_cast<Word&>(word)).load(std::memory_order_acquire);
}
template <typename Word>
inline void StoreWord(Word& word, Word value) {
  std::atomic_ref(word).store(value, std::memory_order_release);
}

}  // namespace idgen::pg

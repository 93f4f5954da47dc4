// The page of the high-water mark: the one page of the sequence idgen_high_water_mark, and what
// idgen keeps on it.
//
// PostgreSQL knows three columns in a sequence's tuple, and whoever has been granted UPDATE on
// the sequence can write those with setval(); so can other extensions that replicate sequences.
// What idgen goes by stands behind them, in bytes of the same tuple that no statement reaches:
// PostgreSQL takes the tuple's length from the page, and carries all of it along when it logs,
// replays or copies the tuple (commands/sequence.c). last_value only shows the mark.
#pragma once

#include "pg.h"

#include <cstdint>
#include <type_traits>

#include "shared.h"

namespace idgen::pg {

// What idgen knows of a database across restarts. Times are milliseconds since 1970, 0: none.
struct MarkRecord {
  std::uint64_t magic = 0;
  std::int64_t mark_ms = 0;        // no ID of a later time was handed out in this database
  std::int64_t token = 0;          // of the server run that wrote the mark (Root::run_token)
  std::int64_t held_until_ms = 0;  // the hold (start_over.h),
  std::int64_t fresh_machine = kNoMachine;  // and the machine ID that it leaves out
  std::int64_t restored_ms = 0;  // a restored mark that holds for this database only (restore.h)
};
static_assert(std::is_trivially_copyable_v<MarkRecord>);

// What is found on the page.
struct MarkPage {
  MarkRecord record;
  bool recorded = false;   // false: there is no record yet, and this one is empty
  std::int64_t shown = 0;  // last_value, which anybody may have set; not negative
};

inline constexpr char kMarkSequence[] = "idgen_high_water_mark";

// Reads a page, or a copy of one; false when it is not a sequence's.
bool ReadMarkPage(Page page, MarkPage& found);

// Writes a record on a page that is a sequence's: the image of a generic WAL record.
void WriteMarkPage(Page page, const MarkRecord& record);

// Opens the mark's sequence, wherever the extension is now, with the lock that nextval() takes.
// Errors: there is none, or it would not survive a crash.
Relation OpenMark();

// True when a transaction that is still open, this session's own, made the file of the relation
// and may take it back.
bool IsUncommitted(Relation relation);

// Locks a page exclusively. The wait can be cancelled, unless an LWLock is held: then use
// TryLockPage(). False from that: somebody else has it locked.
void LockPage(Buffer buffer);
bool TryLockPage(Buffer buffer);

// Locks the only page of the open sequence and reads it; an error if it is bad.
Buffer LockMarkPage(Relation relation, MarkPage& found);

// The same without waiting: InvalidBuffer when somebody else has it locked.
Buffer TryLockMarkPage(Relation relation, MarkPage& found);

// Writes the record with generic WAL on the locked page, and lets go of it. Returns where the
// log must be flushed to.
XLogRecPtr WriteAndUnlockMarkPage(Relation relation, Buffer buffer, const MarkRecord& record);

// Registers for invalidations of the sequence; once, from _PG_init.
void WatchMarkSequence();

}  // namespace idgen::pg

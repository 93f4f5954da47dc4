// The page of the high-water mark: the only page of the sequence idgen_high_water_mark, and what
// idgen keeps on it.
//
// PostgreSQL knows three columns in a sequence's tuple. Anyone with UPDATE on the sequence can
// write them with setval(), and so can extensions that replicate sequences. idgen's own record
// stands behind these columns, in bytes of the same tuple that no statement reaches: PostgreSQL
// takes the tuple's length from the page, and keeps all of it when it logs, replays or copies the
// tuple (commands/sequence.c). last_value only shows the mark.
#pragma once

#include "pg.h"

#include <cstdint>
#include <type_traits>

#include "shared.h"

namespace idgen::pg {

// What idgen knows about a database across restarts. Times are milliseconds since 1970; 0: none.
struct MarkRecord {
  std::uint64_t magic = 0;
  std::int64_t mark_ms = 0;                 // no ID of a later time was handed out in this database
  std::int64_t token = 0;                   // the server run that wrote the mark (Root::run_token)
  std::int64_t held_until_ms = 0;           // the hold (start_over.h)
  std::int64_t fresh_machine = kNoMachine;  // the machine ID that the hold exempts
  std::int64_t restored_ms = 0;  // a restored mark that holds for this database only (restore.h)
};
static_assert(std::is_trivially_copyable_v<MarkRecord>);

// What a page contains.
struct MarkPage {
  MarkRecord record;
  bool recorded = false;   // false: there is no record yet, and `record` is empty
  std::int64_t shown = 0;  // last_value, which anyone may have set; not negative
};

inline constexpr char kMarkSequence[] = "idgen_high_water_mark";

// Reads a page, or a copy of one. Returns false if it is not a sequence's.
bool ReadMarkPage(Page page, MarkPage& found);

// Writes a record on a sequence's page: the image of a generic WAL record.
void WriteMarkPage(Page page, const MarkRecord& record);

// Opens the mark's sequence, wherever the extension is now, with the lock that nextval() takes.
// Errors: it does not exist, or it would not survive a crash.
Relation OpenMark();

// Whether an open transaction of this session made the relation's file and may take it back.
bool IsUncommitted(Relation relation);

// Locks a page exclusively. The wait can be cancelled unless an LWLock is held; then use
// TryLockPage(), which returns false if somebody else has locked the page.
void LockPage(Buffer buffer);
bool TryLockPage(Buffer buffer);

// Locks the open sequence's only page and reads it. An error if the page is bad.
Buffer LockMarkPage(Relation relation, MarkPage& found);

// The same without waiting: InvalidBuffer if somebody else has locked the page.
Buffer TryLockMarkPage(Relation relation, MarkPage& found);

// Writes the record on the locked page with generic WAL and unlocks the page. Returns the position
// up to which the log must be flushed.
XLogRecPtr WriteAndUnlockMarkPage(Relation relation, Buffer buffer, const MarkRecord& record);

// Registers for invalidations of the sequence; once, from _PG_init.
void WatchMarkSequence();

}  // namespace idgen::pg

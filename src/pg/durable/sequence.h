// The page of the high-water mark: the only page of the sequence idgen_high_water_mark. The mark is
// in a record behind PostgreSQL's columns (sequence_page.h). last_value only shows it.
#pragma once

#include "pg.h"

#include <cstdint>
#include <type_traits>

#include "sequence_page.h"
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

// Opens the mark's sequence, wherever the extension is now, with the lock that nextval() takes.
// Errors: it does not exist, or it would not survive a crash.
Relation OpenMark();

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

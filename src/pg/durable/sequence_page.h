// The page of a sequence, and the record of ours that may stand on it.
//
// PostgreSQL knows three columns in a sequence's tuple. Anyone with UPDATE on the sequence can
// write them with setval(), and so can extensions that replicate sequences. A record of ours
// stands behind these columns, in bytes of the same tuple that no statement reaches: PostgreSQL
// takes the tuple's length from the page, and keeps all of it when it logs, replays or copies the
// tuple (commands/sequence.c).
#pragma once

#include "pg.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace idgen::pg {

// A page as it is. The pointers lead into it.
struct SequencePage {
  const FormData_pg_sequence_data* columns = nullptr;
  const char* record = nullptr;  // nullptr: nothing stands behind the columns
  std::size_t record_size = 0;
};

// Reads a page, or a copy of one. Returns false if it is not a sequence's.
bool ReadSequencePage(Page page, SequencePage& found);

// Reports an error.
[[noreturn]] void ReportBadPage(Relation relation);

// The record of a type that begins with a magic number; `found` is left alone if it is not there.
template <typename Record>
bool ReadRecord(const SequencePage& page, std::uint64_t magic, Record& found) {
  Record record;
  if (page.record_size < sizeof(record)) return false;
  std::memcpy(&record, page.record, sizeof(record));
  if (record.magic != magic) return false;
  found = record;
  return true;
}

// Writes the columns and a record on the locked page of a sequence with generic WAL. Returns the
// position up to which the log must be flushed, if the relation is logged.
XLogRecPtr LogSequencePage(Relation relation, Buffer buffer,
                           const FormData_pg_sequence_data& columns, const void* record,
                           std::size_t record_size);

// Whether an open transaction of this session made the relation's file and may take it back.
bool IsUncommitted(Relation relation);

// Locks a page exclusively. The wait can be cancelled unless an LWLock is held; then use
// TryLockPage(), which returns false if somebody else has locked the page.
void LockPage(Buffer buffer);
bool TryLockPage(Buffer buffer);

}  // namespace idgen::pg

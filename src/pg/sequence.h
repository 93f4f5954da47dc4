// The sequences of the extension that are written by idgen itself and not by nextval(): the
// high-water mark and what belongs to it. Each holds one number on one page.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

// What stands on the page of a sequence.
struct SequencePage {
  std::int64_t value = 0;  // not negative
  std::int64_t token = 0;  // what PostgreSQL calls log_cnt
};

// The values on the page of a sequence, whose content lock the caller holds; false when the
// page is not a sequence's.
bool ReadSequencePage(Page page, SequencePage& values);

// Writes them on a page that is a sequence's, or a copy of one.
void WriteSequencePage(Page page, const SequencePage& values);

// Opens a sequence of the extension, wherever that is now, with the lock that nextval()
// takes. `cached` is its OID, or InvalidOid, and is kept up to date. Errors: there is none, or
// it would not survive a crash.
Relation OpenSequence(const char* name, Oid& cached);

// Locks the only page of an open sequence exclusively and reads it; an error if it is bad.
Buffer LockSequencePage(Relation relation, SequencePage& values);

}  // namespace idgen::pg

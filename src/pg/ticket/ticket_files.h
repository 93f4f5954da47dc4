// The other files of a sequence: those that come back if the transaction, or a part of it, is
// rolled back.
#pragma once

#include "pg.h"

#include "segment_page.h"
#include "ticket_page.h"

namespace idgen::pg {

// Writes that numbers up to those of `page` were reserved into every other file that the sequence
// still has, and flushes that. For a relation whose file this transaction made (IsUncommitted).
// Reads catalogs. Returns the position in the log that the standbys must have.
XLogRecPtr LeaveTickets(Relation relation, const TicketPage& page, std::int64_t increment);

// Takes the segments out of every other file, and flushes that: for a sequence that takes its
// numbers from a ticket server. They are used in the file of this transaction, or lost.
void LeaveSegments(Relation relation);

}  // namespace idgen::pg

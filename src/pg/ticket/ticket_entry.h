// What the server's sessions share of a sequence: the range that is being handed out, and what it
// was made from.
//
// There is one entry for each sequence that sessions are using, whatever file the sequence has.
// That is enough: whoever gives it another file (ALTER SEQUENCE, TRUNCATE ... RESTART IDENTITY) has
// a lock that waits for all transactions that took tickets. Whether the page in hand is the one
// that the entry was made from is told by the token on it, a random number.
//
// Who locks what:
//   - Tickets::word is advanced by compare-and-swap, without a lock (core/ticket.h).
//   - Ranges are ended and opened by whoever has the page of the sequence locked: the page and the
//     entry change together. TicketEntry::lock is taken inside, for a few words, because a range is
//     published (PublishTickets) without the page's lock.
//   - TicketEntry::refilling is only tried. Its holder lengthens the range early, for everybody.
//   - The directory's partition lock guards `users`. An entry that nobody uses is freed.
#pragma once

#include "pg.h"

#include "core/ticket.h"
#include "shared.h"

namespace idgen::pg {

struct TicketEntry {
  Tickets tickets;
  LWLock lock;       // guards the rest
  LWLock refilling;  // see above
  bool is_open;      // the range is one of numbers
  std::int64_t token;
  // Of the range.
  std::int64_t base;
  std::int64_t increment;
  std::int64_t limit;  // its last number at most
  // How many numbers to keep ahead, and when that was last looked at, by the monotonic clock.
  std::uint64_t reserve;
  std::int64_t reserved_us;
};

// Finds or makes the entry of a sequence of this database, and counts the session as its user.
TicketEntry& JoinTickets(Oid sequence);

// Takes the session off the count. Frees the entry if that leaves none and its range has ended.
void QuitTickets(Oid sequence);

// Whether this session is the only user.
bool IsLastUserOfTickets(Oid sequence);

}  // namespace idgen::pg

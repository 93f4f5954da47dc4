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
  // Of a sequence that takes its numbers from a ticket server (segment_feed.h).
  std::uint64_t segment_size;  // of the segment in use; atomic
  std::int64_t began_us;       // when it was begun, by the monotonic clock
  dsa_pointer feed;            // a SegmentFeed; invalid: none was needed yet
};

struct TicketKey {
  Oid database;
  Oid sequence;
};

// Finds or makes the entry of a sequence of this database, and counts the session as its user.
TicketEntry& JoinTickets(Oid sequence);

// Takes the session off the count. Frees the entry if that leaves none and its range has ended.
void QuitTickets(Oid sequence);

// Whether this session is the only user.
bool IsLastUserOfTickets(Oid sequence);

// For the worker. Calls `visit` with each entry that has a feed and how many use it; it may not
// wait for anything but the entry's lock. An entry without users, for which it returns true, is
// freed.
void ForEachFeed(bool (*visit)(void* context, const TicketKey& key, std::uint32_t users,
                               TicketEntry& entry),
                 void* context);

// Calls `visit` with one entry, if it is still there and has a feed.
void WithFeed(const TicketKey& key, void (*visit)(void* context, TicketEntry& entry),
              void* context);

}  // namespace idgen::pg

// Where sessions order segments of a sequence, and the worker (segment_worker.cpp) puts them. No
// session talks to a ticket server.
//
// One order is open at a time. A segment that has come is put on the page of the sequence by the
// next session that needs numbers or looks after the reserve (segment_take.cpp); until then it lies
// here, and is lost with the server.
//
// TicketEntry::lock guards the feed. It is made with the first order, and goes with its entry.
#pragma once

#include "pg.h"

#include "core/segment.h"
#include "registry/registry.h"
#include "settings.h"
#include "ticket_entry.h"

namespace idgen::pg {

struct SegmentFeed {
  // The order.
  std::uint64_t wanted;  // how many numbers; 0: no order
  std::uint64_t least;   // fewer are of no use
  std::uint64_t step;    // of the record, if the order is served
  std::int64_t ordered_us;
  char servers[kLongestTicketServers + 1];
  char sequence[4 * NAMEDATALEN + 8];  // its name there, qualified and quoted
  // What has come; count 0: nothing.
  Segment fetched;
  // Failures since the last segment.
  std::int64_t retry_us;   // not before this, by the monotonic clock
  std::int64_t failed_us;  // the wall clock at the last one; 0: none
  std::uint64_t refused;   // counts answers that will not change by themselves
  char error[registry::kErrorSize];
  std::uint64_t next_size;  // of the next segment on the page, to tell how long it all lasts
};

// nullptr: none was needed yet.
SegmentFeed* FeedOf(const TicketEntry& entry);

// Makes the feed if there is none. An error if memory runs out. The lock is held by nobody.
SegmentFeed& NeedFeed(TicketEntry& entry);

// Whether a segment is on its way, or there. For who has the directory's lock.
bool IsFeedBusy(TicketEntry& entry);

// What is left of the segments, and for how long at the rate of the one in use; -1: not known.
struct SegmentsLeft {
  std::uint64_t count;
  std::int64_t lasts_us;
};
// The lock is held.
SegmentsLeft LeftOf(const TicketEntry& entry);

}  // namespace idgen::pg

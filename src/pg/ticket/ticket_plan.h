// What the slow paths of both kinds of sequences share: those with numbers of their own
// (ticket_take.cpp), and those that take them from a ticket server (segment_take.cpp).
#pragma once

#include "pg.h"

#include "ticket_handle.h"

namespace idgen::pg {

// What is to be published, when it is durable.
struct Reserved {
  std::uint64_t generation = 0;
  std::uint64_t size = 0;
  std::uint64_t low = 0;
};

// Adapts the number of tickets to keep ahead to how long the last ones lasted; with `lasted` false
// it begins anew.
std::uint64_t AdaptReserve(TicketEntry& entry, bool lasted);

// From which index on the range is low.
std::uint64_t LowOf(std::uint64_t size, std::uint64_t most, std::uint64_t reserve);

// A random number. An error if there is none, so not with a page locked.
std::int64_t NewToken();

// Ends the range. Returns how many numbers were taken from it. TicketEntry::lock is held.
std::uint64_t EndRange(TicketEntry& entry);

// Lets what is durable be handed out.
void Publish(TicketHandle& handle, const Reserved& reserved, bool is_replicated);

// For sequences that take their numbers from a ticket server. Return when there are numbers; early;
// when the session ends, with the page locked.
void LengthenSegment(TicketHandle& handle, std::uint64_t least);
void LengthenSegmentEarly(TicketHandle& handle);
void GiveBackSegments(Relation relation, Buffer buffer, TicketEntry& entry);

}  // namespace idgen::pg

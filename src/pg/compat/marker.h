// What a sequence's comment says of where its numbers come from:
//
//   idgen: GENERATOR [SIZE] [first | last]
//   idgen: tickets [SIZE] [first | last]
//
// Numbers are of blocks of a generator's IDs, or of the sequence's own tickets. The increment is
// the size of a block. Where that is 1, the comment may say another; an attached sequence can have
// no other increment. Tickets without a size come one by one, as from nextval(). Callers differ in
// which number of its block they take theirs for; a block that is neither for the first nor for the
// last has room for either.
//
// A sequence that is attached to a ticket server says so by its range. The rest of the comment,
// from its second line on, is for people. A comment that begins like one of these and cannot be
// read is an error: if it counted as none, two sources would make the keys of one column.
//
// PostgreSQL has no cache of comments, and tells no session which one has changed. So they are read
// from the catalog, unless the snapshot is the same as when this one was read.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

struct Marker {
  enum class Source : std::uint8_t { kPostgres, kTickets, kGenerator } source;
  enum class End : std::uint8_t { kEither, kFirst, kLast } end;
  char generator[NAMEDATALEN];
  std::int64_t block;  // as many numbers the caller has; 1 or more for tickets
};

// Reads the marker of whatever the OID stands for; of what is no sequence, PostgreSQL is the
// source.
Marker MarkerOf(Oid sequence);

}  // namespace idgen::pg

// What a sequence's comment says of where its numbers come from.
//
//   idgen: GENERATOR          blocks of the generator's IDs, that whoever takes the number for the
//   first of
//                             its block may use, and whoever takes it for the last
//   idgen: GENERATOR first    blocks for those who take it for the first
//   idgen: GENERATOR last     blocks for those who take it for the last
//   idgen: tickets            the sequence's own numbers, as ticket_nextval() gives them
//
// A sequence that is attached to a ticket server says so by its range. The rest of the comment,
// from its second line on, is for people. A comment that begins like one of these and cannot be
// read is an error: if it counted as none, two sources would make the keys of one column.
//
// Comments are read each time. There is no cache of them in PostgreSQL, and nothing tells a session
// that one has changed.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

struct Marker {
  enum class Source : std::uint8_t { kPostgres, kTickets, kGenerator } source;
  enum class End : std::uint8_t { kEither, kFirst, kLast } end;
  char generator[NAMEDATALEN];
  std::int64_t increment;  // of the sequence
};

// Reads the marker of whatever the OID stands for; of what is no sequence, PostgreSQL is the
// source.
Marker MarkerOf(Oid sequence);

}  // namespace idgen::pg

// The value that lastval() returns: the last one that this session got, of any source.
//
// A source does not say when it made a number, only which was its last: PostgreSQL's sequences (its
// own lastval()), each generator (its handle), each sequence that gives tickets (the same). So what
// has made one since the last look is the source of the last value, if it is only one. If there are
// more, their order is not known, and lastval() is an error.
//
// Whether PostgreSQL's last value is a new one cannot be told from the number: another sequence may
// have given the same. So each look ends with a number of a sequence of our own, which no other
// sequence has: as long as that is PostgreSQL's last value, nobody has called its nextval().
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

// Notes that PostgreSQL's nextval() was just called.
void NoteLastIsPostgres();

// Notes that the caller, an SQL function of the extension, is about to return a number of a
// sequence.
void NoteLastValue(FunctionCallInfo fcinfo, Oid sequence, std::int64_t value);

// Returns the last value of the session. Errors: there is none, it is not known, or the user has no
// right to it. In a transaction that is read-only the look is not noted.
std::int64_t LastValue(FunctionCallInfo fcinfo);

}  // namespace idgen::pg

// The value that lastval() returns: the last one that this session got, of any source.
//
// A source does not say when it made a number, only which was its last: PostgreSQL's sequences (its
// own lastval()), each generator (its handle), each sequence that gives tickets (the same). So what
// has made one since the last look is the source of the last value, if it is only one. If there are
// more, their order is not known, and lastval() is an error until another value comes. In a session
// whose search_path has the extension's schema a look is taken at the beginning of every statement,
// from its first ID on: then only one statement that uses several sources can have them mixed up.
// In all other sessions nothing of this runs.
//
// Whether PostgreSQL's last value is a new one cannot be told from the number: another sequence may
// have given the same. So a look that finds one ends with a number of a sequence of our own, which
// no other sequence has: as long as that is PostgreSQL's last value, nobody has called its
// nextval().
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

// Notes that PostgreSQL's nextval() was just called.
void NoteLastIsPostgres();

// Notes that nextval() is about to return a number of a sequence.
void NoteLastValue(Oid sequence, std::int64_t value);

// Returns the last value of the session. Errors: there is none, it is not known, or the user has no
// right to it.
std::int64_t LastValue();

// Begins to take looks where a session needs them; once, from _PG_init.
void WatchLastValues();

}  // namespace idgen::pg

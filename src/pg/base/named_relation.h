// A relation and its columns, as the arguments of a function name them.
#pragma once

#include "pg.h"

namespace idgen::pg {

// The texts are in the current memory context.
struct NamedRelation {
  Oid oid;
  char kind;         // relkind
  const char* name;  // for messages
  const char* from;  // quoted, with its schema
};

// Looks a relation up and locks it until the end of the transaction, so that its names stay. An
// error if there is none.
NamedRelation LockForReading(Oid relation);

// Returns the type of a column. An error if there is none.
Oid TypeOfColumn(const NamedRelation& relation, const char* column);

}  // namespace idgen::pg

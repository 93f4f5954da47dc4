// A table and its column of IDs, as an argument names them, and the queries that read them. The
// queries are the caller's own: with the caller's privileges, and row-level security.
#pragma once

#include "pg.h"

#include <cstdint>

#include "named_relation.h"

namespace idgen::pg {

// What a query needs. The texts are in the current memory context.
struct IdColumn : NamedRelation {
  const char* id = nullptr;  // the column, quoted
  Oid type = InvalidOid;     // INT8OID or UUIDOID
};

// Looks a relation and its column up, and locks the relation until the end of the transaction, so
// that the names stay. An error if it cannot be read like a table, or the column is of no type of
// IDs.
IdColumn FindIdColumn(Oid relation, const char* column);

// Returns the quoted name of a column with timestamps; nullptr for nullptr.
const char* FindTimeColumn(const IdColumn& table, const char* column);

// Returns the quoted name of the schema that a function of ours is in.
const char* SchemaOf(FunctionCallInfo fcinfo);

// Runs a query inside SPI_connect(). It may be parallel. Returns the number of rows, which are in
// SPI_tuptable.
std::uint64_t Query(const char* query, int count, Oid* types, Datum* values);

// Adds the rows of a query, which it runs, to the result that InitMaterializedSRF() began. The
// query's columns are those of the result. Returns their number.
std::uint64_t PutQuery(FunctionCallInfo fcinfo, const char* query, int count, Oid* types,
                       Datum* values);

// Returns an argument that must not be NULL. `name` is for the message.
void RequireArgument(FunctionCallInfo fcinfo, int argument, const char* name);

}  // namespace idgen::pg

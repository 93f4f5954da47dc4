// The names of layouts and generators: the built-in ones, and those of users. Users' are kept where
// PostgreSQL has a place for named things with options: as foreign servers of the foreign-data
// wrapper idgen, as PL/Proxy keeps its clusters. No foreign table is ever made of them. What this
// gives:
//
//   - pg_dump writes them before all tables, so that a default can be used by a row that is
//     restored; also with --schema-only
//   - names are found in the system cache, and a change reaches all sessions at once
//   - owners, and GRANT USAGE ON FOREIGN DATA WRAPPER
//
// The server of "orders" is called "idgen_orders", and its type says whether that is a layout
// or a generator. Both hold their layout by value, so nothing depends on anything here.
#pragma once

#include "pg.h"

#include <string_view>

#include "definition.h"

namespace idgen::pg {

inline constexpr char kWrapper[] = "idgen";

enum class NameKind : std::uint8_t { kLayout, kGenerator };

// "layout", "generator": in messages, and the type of a server.
const char* WordFor(NameKind kind);

// What stands behind a name; in the current memory context.
struct Named {
  const char* name;
  NameKind kind;
  Oid owner;              // InvalidOid: it is built in
  std::string_view note;  // of a built-in one
  GeneratorDefinition definition;
  Complaint flaw;  // what is wrong with it; only whoever writes to catalogs can have done that
};

// Nullptr if there is none of that name. The reserved built-in ones come first (nobody can have
// their names), then users', then the other built-in ones.
const Named* FindNamed(std::string_view name);

// The same; an error if there is none, or one with a flaw.
const Named& NamedBy(std::string_view name, NameKind kind);

// All there are, as a list of Named: built-in ones first, then users', ordered by name.
List* AllNamed();

// What a generator of that name makes; errors if there is none, or if it cannot make IDs.
GeneratorDefinition FindGenerator(std::string_view name);

// The layout that a text means: a name, or a description.
Complaint ReadLayout(const char* text, Layout& layout);

// The name of the server that keeps what is named so; in the current memory context.
char* ServerName(std::string_view name);

// In bytes; what ServerName leaves of a PostgreSQL name.
inline constexpr std::size_t kLongestName = NAMEDATALEN - 1 - std::string_view("idgen_").size();

// Registers for changes of foreign servers; once, from _PG_init.
void WatchCatalog();

}  // namespace idgen::pg

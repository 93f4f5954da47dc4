// The names of layouts and generators, built-in ones and users'. Users' are kept where PostgreSQL
// has a place for named things with options: as foreign servers of the foreign-data wrapper idgen,
// as PL/Proxy keeps its clusters. They never have foreign tables. The benefits:
//
//   - pg_dump writes servers before all tables, also with --schema-only, so that a restored row can
//     use a default that names one
//   - the system cache finds names, and a change reaches all sessions at once
//   - servers have owners, and GRANT USAGE ON FOREIGN DATA WRAPPER applies
//
// The server of "orders" is called "idgen_orders". Its type says whether it is a layout or a
// generator. Both hold their layout by value, so nothing depends on anything here.
#pragma once

#include "pg.h"

#include <string_view>

#include "definition.h"

namespace idgen::pg {

inline constexpr char kWrapper[] = "idgen";

enum class NameKind : std::uint8_t { kLayout, kGenerator };

// Returns "layout" or "generator", as messages and the type of a server have it.
const char* WordFor(NameKind kind);

// What a name stands for, in the current memory context.
struct Named {
  const char* name;
  NameKind kind;
  Oid owner;              // InvalidOid: built in
  std::string_view note;  // of a built-in layout
  GeneratorDefinition definition;
  Complaint flaw;  // what is wrong with it; only direct writes to the catalogs can cause one
};

// Finds a name: first among the reserved built-in ones (users cannot take these), then among
// users', then among the other built-in ones. Returns nullptr if it does not exist.
const Named* FindNamed(std::string_view name);

// The same, but an error if the name does not exist or has a flaw.
const Named& NamedBy(std::string_view name, NameKind kind);

// Returns all names as a list of Named: built-in ones first, then users', ordered by name.
List* AllNamed();

// Returns the definition of a generator. Errors: it does not exist, or it cannot make IDs.
GeneratorDefinition FindGenerator(std::string_view name);

// Reads a layout from a name or a description, or a succession of them. A generator's name stands
// for all layouts that it has.
Complaint ReadLayouts(const char* text, Succession& succession);

// Returns the name of the server that stands for a name, in the current memory context.
char* ServerName(std::string_view name);

// In bytes: what the prefix leaves of a PostgreSQL name.
inline constexpr std::size_t kLongestName = NAMEDATALEN - 1 - std::string_view("idgen_").size();

// Registers for changes of foreign servers; once, from _PG_init.
void WatchCatalog();

}  // namespace idgen::pg

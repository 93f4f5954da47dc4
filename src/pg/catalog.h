// The layouts and generators of users. They are kept where PostgreSQL has a place for named
// things with options: as foreign servers, of the two foreign-data wrappers idgen_layout and
// idgen_generator, as PL/Proxy keeps its clusters. No foreign table is ever made of them.
// What this gives:
//
//   - pg_dump writes them before all tables, so that a generated column or a partition that
//     decodes an ID can be filled; also with --schema-only
//   - names are found in the system cache, and a change reaches all sessions at once
//   - owners, GRANT USAGE ON FOREIGN DATA WRAPPER, and dependencies
//
// A server is named after what it keeps (ServerName) and has the name among its options too: one
// that was renamed is not found.
#pragma once

#include "pg.h"

#include <string_view>

#include "core/layout.h"

namespace idgen::pg {

// The two kinds of what users make.
struct ServerKind {
  const char* name;     // in errors; also the option that has the name of what a server keeps
  const char* wrapper;  // whose servers they are
};
inline constexpr ServerKind kLayoutKind{"layout", "idgen_layout"};
inline constexpr ServerKind kGeneratorKind{"generator", "idgen_generator"};

// The name of the server that keeps what is named so; in the current memory context.
char* ServerName(const ServerKind& kind, std::string_view name);

// In bytes; what ServerName leaves of a PostgreSQL name.
inline constexpr std::size_t kLongestName =
    NAMEDATALEN - 1 - std::string_view(kGeneratorKind.wrapper).size() - 1;

// What the name of a generator stands for. The identity's fields are -1 where the settings
// say them, or where the layout lacks them.
struct Generator {
  const Layout* layout = nullptr;
  std::int32_t datacenter_id = -1;
  std::int32_t machine_id = -1;
  std::int32_t shard_id = -1;
};

// The fields of an identity, as settings, options and arguments have them.
struct IdentityField {
  FieldKind kind;
  const char* name;  // an option's and an argument's; after "idgen." the setting's
  std::int32_t Generator::*fixed;
  std::uint64_t Identity::*value;
};
inline constexpr IdentityField kIdentityFields[] = {
    {FieldKind::kDatacenter, "datacenter_id", &Generator::datacenter_id, &Identity::datacenter},
    {FieldKind::kMachine, "machine_id", &Generator::machine_id, &Identity::machine},
    {FieldKind::kShard, "shard_id", &Generator::shard_id, &Identity::shard},
};

// The value of a field that is known not to be negative.
constexpr std::uint64_t AsField(std::int64_t value) { return static_cast<std::uint64_t>(value); }

// The layout of that name, built in or a user's; nullptr if there is none. What it points to
// stays as it is for the session's life. Reads the system cache, if not the session's own.
const Layout* FindLayout(std::string_view name);

// The same, and nullptr also for one whose options make no sense: that is an error otherwise.
const Layout* FindSoundLayout(std::string_view name);

// As FindLayout; an error if there is none.
const Layout& LayoutByName(std::string_view name);

// The generator of that name: every layout is one, with the identity of the settings. False
// if there is none; an error if it is there and cannot make IDs.
bool FindGenerator(std::string_view name, Generator& generator);

// Counts the changes of what is found here, as far as this session has taken them in.
std::uint64_t CatalogVersion();

// All that users made, as a list of these, ordered by name; in the current memory context.
struct UserLayout {
  char* name;
  Oid owner;
  const Layout* layout;
};
struct UserGenerator {
  char* name;
  Oid owner;
  char* layout;         // its name; nullptr if that is missing
  Generator generator;  // without a layout if there is none of that name
  char* flaw;           // why it cannot make IDs; nullptr: it can
};
List* UserLayouts();     // those that make sense
List* UserGenerators();  // also those that cannot make IDs

// One of them; nullptr if there is none of that name.
const UserGenerator* FindUserGenerator(std::string_view name);

// Registers for changes of foreign servers; once, from _PG_init.
void WatchCatalog();

}  // namespace idgen::pg

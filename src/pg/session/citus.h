// Citus: several servers, each of which makes IDs, while a setting made on one is made on all of
// them. Each node must have its own identity. Until there are leases, idgen can only warn.
// docs/citus.md says how to set it.
#pragma once

#include "pg.h"

#include <string_view>

#include "handle.h"

namespace idgen::pg {

// Whether this is a database with Citus, and nobody has ever set the machine ID, which all nodes
// have from the settings: all of them are machine 0 then.
bool IsCitusWithoutIdentity();

// Warns once in a session, before it makes an ID with a machine ID where that is so.
void WarnIfCitusWithoutIdentity(const Handle& handle);

// Whether rows of the table are, or may be, on other nodes. Their system columns cannot be read
// then.
bool IsCitusTable(Oid relation);

// An identity as three texts separated by spaces: datacenter, machine and shard, "-" for a field
// that the layout lacks.
struct SharedIdentity {
  char* identity;
  char* nodes;  // the nodes that have it, as a list
  bool own;     // this node has it too
};

// Returns this server's identity in that form, from the settings and the generator.
char* IdentityText(const GeneratorDefinition& generator);

// Returns the identities with which more than one node of the Citus cluster makes IDs of a
// generator, as a list of SharedIdentity in the current memory context; empty without Citus. Asks
// all nodes, with the caller's rights, and warns about those that do not answer. `schema` is the
// extension's.
List* SharedIdentities(const char* schema, std::string_view generator);

}  // namespace idgen::pg

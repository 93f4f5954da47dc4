// Citus: several servers, of which each makes IDs, and what one server sets is set on all of them.
// A node's identity is its own affair until there are leases; what idgen can do is tell.
// How to set it: docs/citus.md.
#pragma once

#include "pg.h"

#include <string_view>

#include "handle.h"

namespace idgen::pg {

// Warns once in a session, when an ID of a machine is about to be made in a database with Citus
// and nobody has ever said which machine this is: all nodes are machine 0 then.
void WarnIfCitusWithoutIdentity(const Handle& handle);

// Whether rows of the table are on other nodes, or may be: its system columns are not to be had.
bool IsCitusTable(Oid relation);

// An identity as three texts with a space between: datacenter, machine and shard, "-" for one
// that the layout lacks.
struct SharedIdentity {
  char* identity;
  char* nodes;  // that have it, as a list
  bool own;     // this node too
};

// The identity of this server as the settings and the generator have it, in that form.
char* IdentityText(const GeneratorDefinition& generator);

// The identities by which more than one node of the Citus cluster makes IDs of a generator, as a
// list of these; in the current memory context. Nothing where there is no Citus. Asks all nodes,
// with the caller's rights; who does not answer gets a warning. `schema` is the extension's.
List* SharedIdentities(const char* schema, std::string_view generator);

}  // namespace idgen::pg

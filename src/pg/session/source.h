// Where the identity of this server comes from: the settings, and for the machine ID what
// idgen.machine_id_source says.
#pragma once

#include "pg.h"

#include "catalog.h"

namespace idgen::pg {

// Returns the identity that IDs of a generator get now: the generator's where that is fixed, else
// the server's. An unset shard is 0. May wait for the registry (lease.h). Errors: a source that has
// no number. Where the registry may not be asked, its machine ID is that of the setting.
Identity IdentityOf(const GeneratorDefinition& generator, bool may_ask_registry = true);

// Returns a hint for a field of that identity that does not fit its layout, in the current memory
// context.
const char* HintForMisfit(const Layout& layout, FieldKind kind);

}  // namespace idgen::pg

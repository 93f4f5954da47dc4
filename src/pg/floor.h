// The floor: the latest of all databases' high-water marks as the server's start found
// them. An ID space belongs to the server and a mark to a database, so the first
// position of this run must lie beyond the marks of all databases, and not only of the
// one that makes the first ID.
#pragma once

#include "pg.h"

#include "shared.h"

namespace idgen::pg {

// Reads the marks of all other databases and raises Root::floor_ms to the latest, and adds
// their holds; once a server start, and after that it costs one load. Reads catalogs and takes
// locks.
void FindFloor(Root& shared);

}  // namespace idgen::pg

#pragma once

namespace idgen::pg {

// Has queries planned without parallel workers while the test clock is on: they have no positions
// of the session. Once, from _PG_init.
void WatchPlanner();

}  // namespace idgen::pg

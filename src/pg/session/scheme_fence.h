// Keeps a session from making IDs of a time for which its database's layouts of a name, the fleet's
// scheme and a proposed change do not all agree (core/scheme.h, rule 1).
#pragma once

#include "pg.h"

#include "core/succession.h"
#include "handle.h"
#include "scheme.h"

namespace idgen::pg {

// Compares the handle's layouts with the scheme; part of its preparation. An error if they differ
// from the beginning.
void FenceByScheme(Handle& handle);

// Whether the scheme concerns the handle: it has a grant of the registry.
inline bool GoesByScheme(const Handle& handle) { return handle.grant != &UnboundedGrant(); }

// The least of `limit_ms`, which was found with LeaseLimitMs() before, and the time up to which the
// handle may be used; 0 if it has to be prepared anew for another version of the scheme.
inline std::int64_t SchemeLimitMs(const Handle& handle, std::int64_t limit_ms) {
  if (!GoesByScheme(handle)) return limit_ms;
  if (unlikely(SchemeCount() != handle.scheme_count)) return 0;
  return std::min(limit_ms, handle.scheme_until_ms);
}

// Waits, at most idgen.max_lease_wait, until the handle may be used up to `needed_ms`. Returns
// false if it has to be prepared anew. An error if that does not come.
bool RequireScheme(const Handle& handle, std::int64_t needed_ms);

}  // namespace idgen::pg

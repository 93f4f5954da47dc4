// Marks what a session has looked up as out of date. These functions may be called whenever
// PostgreSQL processes an invalidation or assigns a setting, so they read nothing and only mark.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

// Has every handle prepared anew before its next use.
void InvalidateHandles();

// The same, and has the mark looked up again: its sequence may have changed, or somebody wrote its
// page.
void InvalidateMark();

// Count the calls of each, starting at 1, so that what was never looked up is out of date.
std::uint64_t HandleInvalidations();
std::uint64_t MarkInvalidations();

// Registers `close`, which every invalidation then calls too. Once a session.
using CloseHandles = void (*)();
void WatchInvalidations(CloseHandles close);

}  // namespace idgen::pg

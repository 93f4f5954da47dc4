// What a session has looked up may be out of date. May be called at any moment at which PostgreSQL
// processes an invalidation or assigns a setting: reads nothing, and only marks.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

// Every handle is to be prepared anew before its next use.
void InvalidateHandles();

// The same, when the mark's sequence may be another, or its page was written by somebody.
void InvalidateMark();

// How often each of them was called; from 1 on, so that what was never looked up is out of date.
std::uint64_t HandleInvalidations();
std::uint64_t MarkInvalidations();

// Has every invalidation call `close` too. Once a session.
using CloseHandles = void (*)();
void WatchInvalidations(CloseHandles close);

}  // namespace idgen::pg

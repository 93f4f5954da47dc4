// Taking positions while the test clock is on (base/test_clock.h): from words in the session's own
// memory, by the same loop and the same guard as ever. Nothing of the server is touched but what
// names mean: no slot, no mark, no lease, no statistics.
//
// A handle keeps nothing of this. Its allowance stays closed, so that each call comes here by the
// slow path, and what it knows of the server's ID spaces is untouched meanwhile.
#pragma once

#include "pg.h"

#include "take.h"

namespace idgen::pg {

// As TakeSlowly(). What is waited for is there at once: the test clock moves on by it.
Issued TakeForTest(Handle& handle, std::int64_t shard, const Request& request);

// As Observe().
std::int64_t ObserveForTest(Handle& handle, std::uint64_t id);

}  // namespace idgen::pg

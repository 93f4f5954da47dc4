// Keeps sessions that do not know yet of a change of a generator's layout from making IDs of its
// instant or later.
//
// A session learns of a committed change when it takes in PostgreSQL's invalidations, which may be
// any time later. So a change does not rely on that:
//
//   - Before it commits, the change raises DatabaseMark::changes, with its instant and its
//   transaction
//     beside it, and only then looks at the mark: an instant that the mark has reached is refused.
//     IDs of a session are below the mark, so those that it may make by what it knew until
//     then are of before the instant.
//   - A session that goes by the mark anew looks at the mark first and then at `changes`. If the
//   count
//     has grown, the session forgets all that it knows of the catalogs. While the change is still
//     being committed, its generator may only be used up to the instant.
//
// A session's own change, not yet committed, bounds it in the same way.
//
// DatabaseMark::changing orders the transactions that commit a change. Sessions read what it guards
// without it, and know by `changes_begun` whether that belongs together.
#pragma once

#include "pg.h"

#include <string_view>

#include "shared.h"

namespace idgen::pg {

// Announces that this transaction changes the layouts of a generator at an instant, in milliseconds
// since 1970, or calls off the change at that instant. When the transaction commits, an error if
// the database's mark has reached the instant.
void PlanChange(std::string_view generator, std::int64_t at_ms);

// The least of `durable_ms`, which is what DurableMs() has returned, and the instant up to which
// this session may make IDs of a generator by what it knows.
std::int64_t FencedMs(const DatabaseMark& database, std::string_view generator,
                      std::int64_t durable_ms);

// Makes sure that this session knows of all changes that were committed. Invalidates handles if it
// did not. May wait for a transaction that commits one (`must_wait`).
void LearnOfChanges(const DatabaseMark& database, bool must_wait);

// Whether there is something that LearnOfChanges() without a wait would do.
bool HasNewChanges(const DatabaseMark& database);

// Reports an error if this transaction itself holds up a generator at `needed_ms`.
void CheckOwnChange(std::string_view generator, std::int64_t needed_ms);

// Registers for ends of transactions; once, from _PG_init.
void WatchChanges();

}  // namespace idgen::pg

// The server's copy of the scheme of its pool (core/scheme.h), in shared memory. The worker that
// talks to the registry sets it; sessions go by it (session/scheme_fence.h).
//
// A session reads the end of its grant first and then the count. The worker raises the count first
// and then looks at the end of the grant before it acknowledges. So what a session may make by what
// it knew before is of a time up to the end that the worker has seen (core/scheme.h, rule 2).
#pragma once

#include "pg.h"

#include <string_view>

#include "core/scheme.h"
#include "shared.h"

namespace idgen::pg {

// How often the copy has changed since the server's start. 0: there is none.
inline std::uint64_t SchemeCount() {
  return std::atomic_ref(SharedRoot().lease.scheme_count).load(std::memory_order_seq_cst);
}

// The copy, in the current memory context.
struct SchemeCopy {
  std::uint64_t count;  // it is of this count or a later one
  std::int64_t version;
  const char* text;
  std::int64_t forgotten;  // the version that the registry no longer has; 0: none
};
SchemeCopy CopyScheme();

// Sets it; the worker alone. Returns false if shared memory is full.
bool PublishScheme(std::int64_t version, const char* text);

// Sets which version the registry no longer has, or 0; the worker alone.
void NoteForgotten(std::int64_t version);

// Whether a text is a scheme: entries in their order, and none twice.
bool IsSchemeText(const char* text);

// Whether a text has an entry of a kind.
bool HasInScheme(const char* text, SchemeKind kind);

// Returns an entry of a text; an empty value if it is not there.
SchemeEntry FindInScheme(const char* text, SchemeKind kind, std::string_view name);

// Returns a text with an entry added or replaced, or (empty value) without it, in the current
// memory context.
char* WithInScheme(const char* text, const SchemeEntry& entry);

}  // namespace idgen::pg

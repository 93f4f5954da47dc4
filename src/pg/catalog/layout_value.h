// The type idgen_layout: a layout as PostgreSQL stores it.
//
// A value is a list of layouts, each valid until an instant: one without an end, or a succession
// (core/succession.h).
#pragma once

#include "pg.h"

#include "core/layout.h"
#include "core/succession.h"

namespace idgen::pg {

struct StoredField {
  std::uint8_t kind;  // FieldKind
  std::uint8_t bits;
};

// Every byte counts: equal layouts have equal bytes.
struct StoredPart {
  std::int64_t until_us;  // the part is valid before it; the last part's is kNever
  std::int64_t tick_us;
  std::int64_t epoch_us;
  StoredField fields[kFieldKinds];  // from the highest bit down; the rest is zero
  std::uint8_t unused[4];           // zero
};
static_assert(sizeof(StoredPart) == 40);

// A varlena that is never compressed or packed (STORAGE plain, ALIGNMENT double).
struct StoredLayout {
  std::int32_t vl_len_;
  std::uint8_t version;  // kStoredVersion
  std::uint8_t count;    // number of parts
  std::uint16_t unused;  // zero
  StoredPart parts[1];   // or more
};
static_assert(sizeof(StoredLayout) == 48);

inline constexpr std::uint8_t kStoredVersion = 1;

// Returns an argument of the type.
inline const StoredLayout& StoredArgument(FunctionCallInfo fcinfo, int argument) {
  return *reinterpret_cast<const StoredLayout*>(PG_GETARG_VARLENA_P(argument));
}

inline bool IsSuccession(const StoredLayout& stored) { return stored.count > 1; }

// Converts a layout or a succession to its stored form, in the current memory context.
StoredLayout* StoreLayout(const Layout& layout);
StoredLayout* StoreSuccession(const Succession& succession);

// Converts it back, without names. An error if the bytes are no layout, as only on a damaged page.
Succession LoadSuccession(const StoredLayout& stored);

// The same where only one layout will do: an error if it is a succession.
Layout LoadLayout(const StoredLayout& stored);

}  // namespace idgen::pg

// The type idgen_layout: a layout as PostgreSQL stores it.
//
// A value is a list of layouts, each valid until an instant. Today there is always one, without an
// end. A succession (a generator's layout changes at an instant) can use the same form.
#pragma once

#include "pg.h"

#include <limits>

#include "core/layout.h"

namespace idgen::pg {

struct StoredField {
  std::uint8_t kind;  // FieldKind
  std::uint8_t bits;
};

// Every byte counts: equal layouts have equal bytes.
struct StoredPart {
  std::int64_t until_us;  // the part is valid before it; the last part's is kForever
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
  StoredPart parts[1];
};
static_assert(sizeof(StoredLayout) == 48);

inline constexpr std::uint8_t kStoredVersion = 1;
inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

// Converts a layout to its stored form, in the current memory context.
StoredLayout* StoreLayout(const Layout& layout);

// Converts it back, without a name. An error if the bytes are no layout, as only on a damaged page.
Layout LoadLayout(const StoredLayout& stored);

}  // namespace idgen::pg

// A layout as PostgreSQL stores it: the type idgen_layout.
//
// A value is a list of layouts, each until an instant. Today there is always one, without an end; a
// succession (the layout of a generator changes at an instant) needs no other form.
#pragma once

#include "pg.h"

#include <limits>

#include "core/layout.h"

namespace idgen::pg {

struct StoredField {
  std::uint8_t kind;  // FieldKind
  std::uint8_t bits;
};

// All bytes count: of two equal layouts all are the same.
struct StoredPart {
  std::int64_t until_us;  // the part is good before it; the last part's is kForever
  std::int64_t tick_us;
  std::int64_t epoch_us;
  StoredField fields[kFieldKinds];  // from the highest bit down; those beyond the last are zero
  std::uint8_t unused[4];           // zero
};
static_assert(sizeof(StoredPart) == 40);

// A varlena that is never compressed nor packed (STORAGE plain, ALIGNMENT double).
struct StoredLayout {
  std::int32_t vl_len_;
  std::uint8_t version;  // kStoredVersion
  std::uint8_t count;    // of the parts
  std::uint16_t unused;  // zero
  StoredPart parts[1];
};
static_assert(sizeof(StoredLayout) == 48);

inline constexpr std::uint8_t kStoredVersion = 1;
inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

// In the current memory context.
StoredLayout* StoreLayout(const Layout& layout);

// Without a name. An error if the bytes are no layout, which only a damaged page can have.
Layout LoadLayout(const StoredLayout& stored);

}  // namespace idgen::pg

#include "layout_value.h"

namespace idgen::pg {

StoredLayout* StoreLayout(const Layout& layout) {
  auto* const stored = static_cast<StoredLayout*>(palloc0(sizeof(StoredLayout)));
  SET_VARSIZE(stored, sizeof(StoredLayout));
  stored->version = kStoredVersion;
  stored->count = 1;
  StoredPart& part = stored->parts[0];
  part.until_us = kForever;
  part.tick_us = layout.tick_us;
  part.epoch_us = layout.epoch_us;
  int count = 0;
  for (const FieldSpec& spec : FieldsFromTop(layout)) {
    part.fields[count++] = {static_cast<std::uint8_t>(spec.kind), spec.bits};
  }
  return stored;
}

Layout LoadLayout(const StoredLayout& stored) {
  const StoredPart& part = stored.parts[0];
  FieldSpec specs[kFieldKinds];
  std::size_t count = 0;
  for (const StoredField& field : part.fields) {
    if (field.bits == 0) break;
    specs[count++] = {static_cast<FieldKind>(field.kind), field.bits};
  }
  const Layout layout = BuildLayout({}, part.tick_us, part.epoch_us, {specs, count});
  if (VARSIZE(&stored) != sizeof(StoredLayout) || stored.version != kStoredVersion ||
      stored.count != 1 || CheckLayout(layout) != LayoutError::kNone) {
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("stored layout is damaged")));
  }
  return layout;
}

}  // namespace idgen::pg

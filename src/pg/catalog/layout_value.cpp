#include "layout_value.h"

namespace idgen::pg {

namespace {

StoredPart StorePart(const Stage& stage) {
  StoredPart part{};
  part.until_us = stage.until_us;
  part.tick_us = stage.layout.tick_us;
  part.epoch_us = stage.layout.epoch_us;
  int count = 0;
  for (const FieldSpec& spec : FieldsFromTop(stage.layout)) {
    part.fields[count++] = {static_cast<std::uint8_t>(spec.kind), spec.bits};
  }
  return part;
}

Layout LoadPart(const StoredPart& part) {
  FieldSpec specs[kFieldKinds];
  std::size_t count = 0;
  for (const StoredField& field : part.fields) {
    if (field.bits == 0) break;
    specs[count++] = {static_cast<FieldKind>(field.kind), field.bits};
  }
  return BuildLayout({}, part.tick_us, part.epoch_us, {specs, count});
}

[[noreturn]] void ReportDamaged() {
  ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("stored layout is damaged")));
  pg_unreachable();
}

// Whether there are as many parts as the head says.
bool IsWhole(const StoredLayout& stored) {
  return stored.version == kStoredVersion && stored.count >= 1 &&
         stored.count <= Succession::kMostStages &&
         VARSIZE(&stored) == sizeof(StoredLayout) + (stored.count - 1U) * sizeof(StoredPart);
}

}  // namespace

StoredLayout* StoreSuccession(const Succession& succession) {
  const Size size = sizeof(StoredLayout) + (succession.count - 1) * sizeof(StoredPart);
  auto* const stored = static_cast<StoredLayout*>(palloc0(size));
  SET_VARSIZE(stored, size);
  stored->version = kStoredVersion;
  stored->count = static_cast<std::uint8_t>(succession.count);
  StoredPart* part = stored->parts;
  for (std::size_t i = 0; i < succession.count; ++i) *part++ = StorePart(succession.stages[i]);
  return stored;
}

StoredLayout* StoreLayout(const Layout& layout) { return StoreSuccession(Succession(layout)); }

Succession LoadSuccession(const StoredLayout& stored) {
  if (!IsWhole(stored)) ReportDamaged();
  const StoredPart* part = stored.parts;
  Succession succession;
  for (std::size_t i = 0; i < stored.count; ++i, ++part) {
    const Layout layout = LoadPart(*part);
    if (CheckLayout(layout) != LayoutError::kNone) ReportDamaged();
    if (i == 0) {
      succession = Succession(layout);
    } else {
      const std::int64_t at_us = stored.parts[i - 1].until_us;
      if (succession.Check(layout, at_us).flaw != ChangeFlaw::kNone) ReportDamaged();
      succession.Append(layout, at_us);
    }
  }
  return succession;
}

Layout LoadLayout(const StoredLayout& stored) {
  if (IsSuccession(stored)) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("a succession of layouts cannot be used here"),
                    errhint("Name the one layout that the IDs are of.")));
  }
  return LoadSuccession(stored).last();
}

}  // namespace idgen::pg

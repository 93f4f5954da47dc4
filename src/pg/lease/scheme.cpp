#include "scheme.h"

namespace idgen::pg {

namespace {

LeaseState& StateOfScheme() { return SharedRoot().lease; }

int OrderOf(const SchemeEntry& a, const SchemeEntry& b) {
  if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
  return a.name.compare(b.name);
}

void AppendEntry(StringInfo text, const SchemeEntry& entry) {
  const auto append = [&](std::string_view part) {
    appendBinaryStringInfo(text, part.data(), static_cast<int>(part.size()));
  };
  append(kSchemeKinds[static_cast<std::size_t>(entry.kind)]);
  appendStringInfoChar(text, ' ');
  append(entry.name);
  if (entry.kind == SchemeKind::kProposed) {
    appendStringInfo(text, " %lld %lld", static_cast<long long>(entry.version),
                     static_cast<long long>(entry.at_ms));
  }
  appendStringInfoChar(text, ' ');
  append(entry.value);
  appendStringInfoChar(text, '\n');
}

}  // namespace

SchemeCopy CopyScheme() {
  LeaseState& state = StateOfScheme();
  SchemeCopy copy{};
  copy.count = SchemeCount();
  dsa_area* const area = SharedArea();
  LWLockAcquire(&state.lock, LW_SHARED);
  copy.version = state.scheme_version;
  copy.forgotten = state.scheme_forgotten;
  copy.text = pstrdup(DsaPointerIsValid(state.scheme)
                          ? static_cast<const char*>(dsa_get_address(area, state.scheme))
                          : "");
  LWLockRelease(&state.lock);
  return copy;
}

bool PublishScheme(std::int64_t version, const char* text) {
  LeaseState& state = StateOfScheme();
  dsa_pointer place = InvalidDsaPointer;
  if (*text != '\0') {
    const std::size_t size = strlen(text) + 1;
    place = dsa_allocate_extended(SharedArea(), size, DSA_ALLOC_NO_OOM);
    if (!DsaPointerIsValid(place)) return false;
    memcpy(dsa_get_address(SharedArea(), place), text, size);
  }
  LWLockAcquire(&state.lock, LW_EXCLUSIVE);
  const dsa_pointer before = state.scheme;
  state.scheme = place;
  state.scheme_version = version;
  LWLockRelease(&state.lock);
  std::atomic_ref(state.scheme_count).fetch_add(1, std::memory_order_seq_cst);
  if (DsaPointerIsValid(before)) dsa_free(SharedArea(), before);
  return true;
}

void NoteForgotten(std::int64_t version) {
  LeaseState& state = StateOfScheme();
  LWLockAcquire(&state.lock, LW_EXCLUSIVE);
  state.scheme_forgotten = version;
  LWLockRelease(&state.lock);
}

bool IsSchemeText(const char* text) {
  SchemeReader reader(text);
  SchemeEntry before;
  bool is_first = true;
  for (SchemeEntry entry; reader.Next(entry); before = entry, is_first = false) {
    if (!is_first && OrderOf(before, entry) >= 0) return false;
  }
  return !reader.IsBroken();
}

bool HasInScheme(const char* text, SchemeKind kind) {
  SchemeReader reader(text);
  for (SchemeEntry entry; reader.Next(entry);) {
    if (entry.kind == kind) return true;
  }
  return false;
}

SchemeEntry FindInScheme(const char* text, SchemeKind kind, std::string_view name) {
  SchemeReader reader(text);
  for (SchemeEntry entry; reader.Next(entry);) {
    if (entry.kind == kind && entry.name == name) return entry;
  }
  return {.kind = kind, .name = name, .value = {}};
}

char* WithInScheme(const char* text, const SchemeEntry& entry) {
  StringInfoData result;
  initStringInfo(&result);
  bool is_there = entry.value.empty();
  SchemeReader reader(text);
  for (SchemeEntry each; reader.Next(each);) {
    const int order = OrderOf(entry, each);
    if (order <= 0 && !is_there) {
      AppendEntry(&result, entry);
      is_there = true;
    }
    if (order != 0) AppendEntry(&result, each);
  }
  if (!is_there) AppendEntry(&result, entry);
  return result.data;
}

}  // namespace idgen::pg

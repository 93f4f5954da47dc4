#include "scheme_fence.h"

#include <algorithm>

#include "catalog.h"
#include "errors.h"
#include "invalidate.h"
#include "succession_text.h"

namespace idgen::pg {

namespace {

constexpr std::int64_t kWithoutEndMs = kNever / 1000;

// The session's own copy.
constinit SchemeCopy scheme{};
constinit MemoryContext scheme_memory = nullptr;

const char* TextOfScheme() {
  if (scheme_memory == nullptr) {
    scheme_memory = AllocSetContextCreate(TopMemoryContext, "idgen scheme", ALLOCSET_SMALL_SIZES);
  }
  if (scheme.text == nullptr || scheme.count != SchemeCount()) {
    scheme = {};
    MemoryContextReset(scheme_memory);
    MemoryContext caller = MemoryContextSwitchTo(scheme_memory);
    scheme = CopyScheme();
    MemoryContextSwitchTo(caller);
  }
  return scheme.text;
}

Succession LayoutsOf(const Handle& handle) {
  return handle.changes != nullptr ? *handle.changes : Succession(handle.layout());
}

[[noreturn]] void ReportOthers(const Handle& handle, std::string_view theirs) {
  const char* const ours = SuccessionText(LayoutsOf(handle));
  ereport(ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
           errmsg("\"%s\" has other layouts here than in the scheme of the fleet", handle.name),
           errdetail("Here: %s. Version %lld of the scheme: %.*s.", ours,
                     static_cast<long long>(scheme.version), static_cast<int>(theirs.size()),
                     theirs.data()),
           errhint("Create it here as it is in the scheme, or use another name. See "
                   "idgen_scheme().")));
  pg_unreachable();
}

Succession LayoutsOfEntry(const SchemeEntry& entry) {
  Succession layouts;
  const Complaint complaint =
      ReadLayouts(pnstrdup(entry.value.data(), entry.value.size()), layouts);
  if (complaint) Report(complaint);
  return layouts;
}

// Rounds down: the mark and grants know whole milliseconds.
std::int64_t ToWholeMs(std::int64_t us) {
  return us == kNever ? kWithoutEndMs : std::max<std::int64_t>(us, 0) / 1000;
}

[[noreturn]] void ReportWait(const Handle& handle) {
  const SchemeEntry proposed = FindInScheme(TextOfScheme(), SchemeKind::kProposed, handle.name);
  const bool is_proposed = !proposed.value.empty();
  ereport(
      ERROR,
      (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
       errmsg("layouts of generator \"%s\" from %s on are not settled", handle.name,
              InstantText(handle.scheme_until_ms * 1000)),
       is_proposed ? errdetail("A change at that instant is proposed, and not all holders of the "
                               "registry have agreed.")
                   : errdetail("This database does not have the layouts of the scheme yet."),
       is_proposed ? errhint("See idgen_fleet(). It can be called off by idgen_withdraw_change().")
                   : errhint("A background worker alters the generator. If it does not, the server "
                             "log says why.")));
  pg_unreachable();
}

}  // namespace

void FenceByScheme(Handle& handle) {
  handle.scheme_until_ms = kWithoutEndMs;
  const char* const text = TextOfScheme();
  handle.scheme_count = scheme.count;
  if (handle.define != nullptr) return;
  const Succession ours = LayoutsOf(handle);
  SchemeReader reader(text);
  for (SchemeEntry entry; reader.Next(entry);) {
    if (entry.kind == SchemeKind::kSetting || entry.name != handle.name) continue;
    const std::int64_t until_us = FirstDifference(ours, LayoutsOfEntry(entry));
    if (until_us == std::numeric_limits<std::int64_t>::min()) ReportOthers(handle, entry.value);
    handle.scheme_until_ms = std::min(handle.scheme_until_ms, ToWholeMs(until_us));
    if (entry.kind == SchemeKind::kProposed) {
      handle.scheme_until_ms = std::min(handle.scheme_until_ms, entry.at_ms);
    }
  }
}

bool RequireScheme(const Handle& handle, std::int64_t needed_ms) {
  if (!GoesByScheme(handle)) return true;
  const std::uint64_t count = handle.scheme_count;
  if (SchemeCount() == count) {
    if (needed_ms <= handle.scheme_until_ms) return true;
    struct Awaited {
      const Handle& handle;
      std::uint64_t count;
    } awaited{handle, count};
    const bool came = AwaitScheme(
        [](void* context) {
          const auto& it = *static_cast<Awaited*>(context);
          AcceptInvalidationMessages();
          return SchemeCount() != it.count || !IsPrepared(it.handle);
        },
        &awaited);
    if (!came) ReportWait(handle);
  }
  InvalidateHandles();
  return false;
}

}  // namespace idgen::pg

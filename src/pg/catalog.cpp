#include "catalog.h"

#include <algorithm>
#include <new>

#include "core/formats.h"
#include "errors.h"
#include "handle.h"
#include "options.h"

namespace idgen::pg {

namespace {

constinit std::uint64_t version = 1;

// A layout of a user as this session has read it. Entries are not freed: handles and call
// sites point to them. A layout that was dropped and made anew otherwise gets a new entry.
struct CachedLayout {
  char name[NAMEDATALEN] = {};
  Layout layout;
  std::uint64_t version = 0;  // at which the catalog had it; 0: it has it no more
  CachedLayout* next = nullptr;
};
constinit CachedLayout* cached_layouts = nullptr;

// The server of that name; nullptr if there is none. It may be dropped, and made anew, while it
// is looked up: GetForeignServerByName() then fails with an internal error.
const ForeignServer* ServerByName(const char* name) {
  for (;;) {
    const Oid oid = get_foreign_server_oid(name, true);
    if (!OidIsValid(oid)) return nullptr;
    const ForeignServer* server = GetForeignServerExtended(oid, FSV_MISSING_OK);
    if (server != nullptr) return server;
    // The name in the session's cache is not known to be out of date yet.
    CHECK_FOR_INTERRUPTS();
    AcceptInvalidationMessages();
  }
}

// The server that keeps what is named so; nullptr if there is none.
const ForeignServer* FindServer(const ServerKind& kind, std::string_view name) {
  if (name.size() > kLongestName) return nullptr;
  const ForeignServer* server = ServerByName(ServerName(kind, name));
  const bool is_ours =
      server != nullptr && server->fdwid == get_foreign_data_wrapper_oid(kind.wrapper, true);
  return is_ours ? server : nullptr;
}

bool IsSame(const Layout& a, const Layout& b) {
  return a.tick_us == b.tick_us && a.epoch_us == b.epoch_us &&
         std::equal(
             a.fields.begin(), a.fields.end(), b.fields.begin(),
             [](const Field& x, const Field& y) { return x.bits == y.bits && x.shift == y.shift; });
}

CachedLayout* FindCached(std::string_view name) {
  for (CachedLayout* cached = cached_layouts; cached != nullptr; cached = cached->next) {
    if (cached->layout.name == name && cached->version != 0) return cached;
  }
  return nullptr;
}

// `report` as for ReadLayoutOptions.
const Layout* FindUserLayout(std::string_view name, bool report) {
  CachedLayout* cached = FindCached(name);
  if (cached != nullptr && cached->version == version) return &cached->layout;

  // What is read may itself bring a change to be known: then it is read again next time.
  const std::uint64_t read_at = version;
  const ForeignServer* server = FindServer(kLayoutKind, name);
  if (server == nullptr) {
    if (cached != nullptr) cached->version = 0;
    return nullptr;
  }
  Layout read;
  if (!ReadLayoutOptions(server->options, report, read) || read.name != name) return nullptr;
  if (cached == nullptr || !IsSame(cached->layout, read)) {
    if (cached != nullptr) cached->version = 0;
    cached = new (MemoryContextAlloc(TopMemoryContext, sizeof(CachedLayout))) CachedLayout;
    std::copy(name.begin(), name.end(), cached->name);
    cached->layout = read;
    cached->layout.name = {cached->name, name.size()};
    cached->next = cached_layouts;
    cached_layouts = cached;
  }
  cached->version = read_at;
  return &cached->layout;
}

// Calls `take` with each name of a kind and its server, ordered by name.
template <typename Take>
void ForEachServer(const ServerKind& kind, Take&& take) {
  const Oid wrapper_oid = get_foreign_data_wrapper_oid(kind.wrapper, true);
  if (!OidIsValid(wrapper_oid)) return;
  List* servers = NIL;
  MemoryContext caller = CurrentMemoryContext;
  Relation catalog = table_open(ForeignServerRelationId, AccessShareLock);
  SysScanDesc scan =
      systable_beginscan(catalog, ForeignServerNameIndexId, true, nullptr, 0, nullptr);
  for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
       tuple = systable_getnext(scan)) {
    const auto* row = reinterpret_cast<Form_pg_foreign_server>(GETSTRUCT(tuple));
    if (row->srvfdw != wrapper_oid) continue;
    MemoryContext inner = MemoryContextSwitchTo(caller);
    servers = lappend_oid(servers, row->oid);
    MemoryContextSwitchTo(inner);
  }
  systable_endscan(scan);
  table_close(catalog, AccessShareLock);
  const std::string_view prefix = ServerName(kind, "");
  ListCell* cell;
  foreach (cell, servers) {
    const ForeignServer* server = GetForeignServerExtended(lfirst_oid(cell), FSV_MISSING_OK);
    if (server == nullptr || !std::string_view(server->servername).starts_with(prefix)) continue;
    take(server->servername + prefix.size(), *server);
  }
}

// nullptr if the server has been renamed.
UserGenerator* ReadGenerator(std::string_view name, const ForeignServer& server) {
  const GeneratorOptions read = ReadGeneratorOptions(server.options);
  if (read.name == nullptr || name != read.name) return nullptr;
  auto* found = static_cast<UserGenerator*>(palloc0(sizeof(UserGenerator)));
  found->name = pstrdup(read.name);
  found->owner = server.owner;
  found->layout = read.layout != nullptr ? pstrdup(read.layout) : nullptr;
  found->generator = read.generator;
  found->flaw = read.flaw != Flaw::kNone ? FlawText(read) : nullptr;
  return found;
}

extern "C" {

// Only marks. Servers of other wrappers count too: they are few, and change seldom.
static void ForgetCatalog(Datum, CacheNumber, uint32) {
  ++version;
  InvalidateHandles();
}

}  // extern "C"

}  // namespace

char* ServerName(const ServerKind& kind, std::string_view name) {
  return psprintf("%s_%.*s", kind.wrapper, static_cast<int>(name.size()), name.data());
}

const Layout* FindLayout(std::string_view name) {
  const Layout* builtin = FindBuiltinLayout(name);
  return builtin != nullptr ? builtin : FindUserLayout(name, true);
}

const Layout* FindSoundLayout(std::string_view name) {
  const Layout* builtin = FindBuiltinLayout(name);
  return builtin != nullptr ? builtin : FindUserLayout(name, false);
}

const Layout& LayoutByName(std::string_view name) {
  const Layout* layout = FindLayout(name);
  if (layout == nullptr) ReportUnknownLayout(name);
  return *layout;
}

bool FindGenerator(std::string_view name, Generator& generator) {
  const Layout* layout = FindLayout(name);
  if (layout != nullptr) {
    generator = {.layout = layout};
    return true;
  }
  const UserGenerator* user = FindUserGenerator(name);
  if (user == nullptr) return false;
  if (user->flaw != nullptr) ReportFlawed(*user);
  generator = user->generator;
  return true;
}

const UserGenerator* FindUserGenerator(std::string_view name) {
  const ForeignServer* server = FindServer(kGeneratorKind, name);
  return server != nullptr ? ReadGenerator(name, *server) : nullptr;
}

std::uint64_t CatalogVersion() { return version; }

List* UserLayouts() {
  List* layouts = NIL;
  ForEachServer(kLayoutKind, [&](const char* name, const ForeignServer& server) {
    const Layout* layout = FindUserLayout(name, false);
    if (layout == nullptr) return;  // renamed, or broken
    auto* found = static_cast<UserLayout*>(palloc(sizeof(UserLayout)));
    *found = {pstrdup(name), server.owner, layout};
    layouts = lappend(layouts, found);
  });
  return layouts;
}

List* UserGenerators() {
  List* generators = NIL;
  ForEachServer(kGeneratorKind, [&](const char* name, const ForeignServer& server) {
    // A layout that is found first hides a generator of its name.
    if (FindSoundLayout(name) != nullptr) return;
    UserGenerator* found = ReadGenerator(name, server);
    if (found != nullptr) generators = lappend(generators, found);
  });
  return generators;
}

void WatchCatalog() {
  CacheRegisterSyscacheCallback(FOREIGNSERVEROID, ForgetCatalog, static_cast<Datum>(0));
}

}  // namespace idgen::pg

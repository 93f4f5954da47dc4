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

// A name that could be one of ours, with a prefix, as C wants it; false if it is too long,
// or no text at all.
bool ServerName(std::string_view prefix, std::string_view name, char (&server)[NAMEDATALEN]) {
  if (name.empty() || name.size() > kLongestName || name.find('\0') != std::string_view::npos) {
    return false;
  }
  char* end = std::copy(prefix.begin(), prefix.end(), server);
  end = std::copy(name.begin(), name.end(), end);
  *end = '\0';
  return true;
}

// The options of a server of one of our wrappers; false if there is no such server.
bool FindServer(const char* wrapper, std::string_view prefix, std::string_view name,
                List*& options) {
  char server_name[NAMEDATALEN];
  if (!ServerName(prefix, name, server_name)) return false;
  const Oid oid = get_foreign_server_oid(server_name, true);
  // It may have been dropped between the two looks.
  const ForeignServer* server =
      OidIsValid(oid) ? GetForeignServerExtended(oid, FSV_MISSING_OK) : nullptr;
  if (server == nullptr || server->fdwid != get_foreign_data_wrapper_oid(wrapper, true)) {
    return false;
  }
  options = server->options;
  return true;
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

const Layout* FindUserLayout(std::string_view name) {
  CachedLayout* cached = FindCached(name);
  if (cached != nullptr && cached->version == version) return &cached->layout;

  // What is read may itself bring a change to be known: then it is read again next time.
  const std::uint64_t read_at = version;
  List* options = NIL;
  if (!FindServer(kLayoutWrapper, kLayoutPrefix, name, options)) {
    if (cached != nullptr) cached->version = 0;
    return nullptr;
  }
  const LayoutOptions read = ReadLayoutOptions(options);
  if (read.layout.name != name) return nullptr;
  if (cached == nullptr || !IsSame(cached->layout, read.layout)) {
    if (cached != nullptr) cached->version = 0;
    cached = new (MemoryContextAlloc(TopMemoryContext, sizeof(CachedLayout))) CachedLayout;
    std::copy(name.begin(), name.end(), cached->name);
    cached->layout = read.layout;
    cached->layout.name = {cached->name, name.size()};
    cached->next = cached_layouts;
    cached_layouts = cached;
  }
  cached->version = read_at;
  return &cached->layout;
}

// Calls `take` with the name in each server of one of our wrappers and the server, ordered by
// name.
template <typename Take>
void ForEachServer(const char* wrapper, std::string_view prefix, Take&& take) {
  const Oid wrapper_oid = get_foreign_data_wrapper_oid(wrapper, true);
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
  ListCell* cell;
  foreach (cell, servers) {
    const ForeignServer* server = GetForeignServerExtended(lfirst_oid(cell), FSV_MISSING_OK);
    if (server == nullptr || !std::string_view(server->servername).starts_with(prefix)) continue;
    take(server->servername + prefix.size(), *server);
  }
}

// With `missing_ok` a generator whose layout was taken from it is none, and no error.
bool FindGenerator(std::string_view name, Generator& generator, bool missing_ok) {
  const Layout* layout = FindLayout(name);
  if (layout != nullptr) {
    generator = {.layout = layout};
    return true;
  }
  List* options = NIL;
  if (!FindServer(kGeneratorWrapper, kGeneratorPrefix, name, options)) return false;
  const GeneratorOptions read = ReadGeneratorOptions(options, missing_ok);
  if (name != read.name || read.generator.layout == nullptr) return false;
  generator = read.generator;
  return true;
}

extern "C" {

// Only marks. Servers of other wrappers count too: they are few, and change seldom.
static void ForgetCatalog(Datum, int, uint32) {
  ++version;
  InvalidateHandles();
}

}  // extern "C"

}  // namespace

const Layout* FindLayout(std::string_view name) {
  const Layout* builtin = FindBuiltinLayout(name);
  return builtin != nullptr ? builtin : FindUserLayout(name);
}

const Layout& LayoutByName(std::string_view name) {
  const Layout* layout = FindLayout(name);
  if (layout == nullptr) ReportUnknownLayout(name);
  return *layout;
}

bool FindGenerator(std::string_view name, Generator& generator) {
  return FindGenerator(name, generator, false);
}

std::uint64_t CatalogVersion() { return version; }

List* UserLayouts() {
  List* layouts = NIL;
  ForEachServer(kLayoutWrapper, kLayoutPrefix, [&](const char* name, const ForeignServer& server) {
    const Layout* layout = FindUserLayout(name);
    if (layout == nullptr) return;  // renamed
    auto* found = static_cast<UserLayout*>(palloc(sizeof(UserLayout)));
    *found = {pstrdup(name), server.owner, layout};
    layouts = lappend(layouts, found);
  });
  return layouts;
}

List* UserGenerators() {
  List* generators = NIL;
  ForEachServer(kGeneratorWrapper, kGeneratorPrefix,
                [&](const char* name, const ForeignServer& server) {
                  Generator generator;
                  // A layout that is found first hides a generator of its name.
                  if (FindLayout(name) != nullptr || !FindGenerator(name, generator, true)) return;
                  auto* found = static_cast<UserGenerator*>(palloc(sizeof(UserGenerator)));
                  *found = {pstrdup(name), server.owner, generator};
                  generators = lappend(generators, found);
                });
  return generators;
}

void WatchCatalog() {
  CacheRegisterSyscacheCallback(FOREIGNSERVEROID, ForgetCatalog, static_cast<Datum>(0));
}

}  // namespace idgen::pg

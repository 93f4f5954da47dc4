#include "catalog.h"

#include "core/builtin_layouts.h"
#include "errors.h"
#include "invalidate.h"
#include "succession_text.h"

namespace idgen::pg {

namespace {

constexpr char kPrefix[] = "idgen_";

Named* BuiltIn(const BuiltinLayout& builtin) {
  auto* const named = static_cast<Named*>(palloc0(sizeof(Named)));
  *named = {.name = NameOf(builtin.layout),
            .kind = NameKind::kLayout,
            .owner = InvalidOid,
            .note = builtin.note,
            .definition = {.layout = builtin.layout},
            .flaw = {}};
  return named;
}

bool HasFixedField(const GeneratorDefinition& definition) {
  for (const IdentityField& field : kIdentityFields) {
    if (definition.*field.fixed >= 0) return true;
  }
  return false;
}

Named* ReadServer(const ForeignServer& server) {
  auto* const named = static_cast<Named*>(palloc0(sizeof(Named)));
  GeneratorDefinition definition;
  const Complaint flaw = ReadOptions(server.options, definition);
  const bool is_layout = server.servertype != nullptr &&
                         strcmp(server.servertype, WordFor(NameKind::kLayout)) == 0 &&
                         !HasFixedField(definition) && definition.changes == nullptr;
  *named = {.name = pstrdup(server.servername + strlen(kPrefix)),
            .kind = is_layout ? NameKind::kLayout : NameKind::kGenerator,
            .owner = server.owner,
            .note = {},
            .definition = definition,
            .flaw = flaw};
  if (is_layout) named->definition.layout.name = named->name;
  if (!flaw && !is_layout) named->flaw = ComplaintOf(definition);
  return named;
}

// Returns the server that stands for a name; nullptr if there is none. The server may be dropped
// and created again during the lookup, and GetForeignServerByName() would then fail with an
// internal error.
const ForeignServer* FindServer(std::string_view name) {
  if (name.size() > kLongestName) return nullptr;
  char* const server_name = ServerName(name);
  for (;;) {
    const Oid oid = get_foreign_server_oid(server_name, true);
    if (!OidIsValid(oid)) return nullptr;
    const ForeignServer* server = GetForeignServerExtended(oid, FSV_MISSING_OK);
    if (server != nullptr) {
      return server->fdwid == get_foreign_data_wrapper_oid(kWrapper, true) ? server : nullptr;
    }
    // The session's cache has not learned yet that the name is out of date.
    CHECK_FOR_INTERRUPTS();
    AcceptInvalidationMessages();
  }
}

// Returns users' layouts and generators, ordered by name.
List* UsersNamed() {
  const Oid wrapper = get_foreign_data_wrapper_oid(kWrapper, true);
  if (!OidIsValid(wrapper)) return NIL;
  List* servers = NIL;
  MemoryContext caller = CurrentMemoryContext;
  Relation catalog = table_open(ForeignServerRelationId, AccessShareLock);
  SysScanDesc scan =
      systable_beginscan(catalog, ForeignServerNameIndexId, true, nullptr, 0, nullptr);
  for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
       tuple = systable_getnext(scan)) {
    const auto* row = reinterpret_cast<Form_pg_foreign_server>(GETSTRUCT(tuple));
    if (row->srvfdw != wrapper) continue;
    MemoryContext inner = MemoryContextSwitchTo(caller);
    servers = lappend_oid(servers, row->oid);
    MemoryContextSwitchTo(inner);
  }
  systable_endscan(scan);
  table_close(catalog, AccessShareLock);
  List* all = NIL;
  ListCell* cell;
  foreach (cell, servers) {
    const ForeignServer* server = GetForeignServerExtended(lfirst_oid(cell), FSV_MISSING_OK);
    // A server without the prefix has no name here.
    if (server == nullptr || !std::string_view(server->servername).starts_with(kPrefix)) continue;
    Named* const named = ReadServer(*server);
    if (FindReservedLayout(named->name) == nullptr) all = lappend(all, named);
  }
  return all;
}

Complaint Unknown(NameKind kind, std::string_view name) {
  List* const all = AllNamed();
  auto* const names = static_cast<std::string_view*>(
      palloc(static_cast<Size>(list_length(all)) * sizeof(std::string_view)));
  std::size_t count = 0;
  ListCell* cell;
  foreach (cell, all) {
    const auto& named = *static_cast<Named*>(lfirst(cell));
    const bool fits =
        kind == NameKind::kLayout ? named.kind == kind : named.definition.layout.CanGenerate();
    if (fits) names[count++] = named.name;
  }
  const char* const nearest = NearestName(name, {names, count});
  return {.code = ERRCODE_UNDEFINED_OBJECT,
          .message = psprintf("%s \"%s\" does not exist", WordFor(kind), Excerpt(name)),
          .hint = nearest != nullptr ? psprintf("Perhaps you meant \"%s\".", nearest)
                                     : psprintf("The view idgen_%ss lists them.", WordFor(kind))};
}

// Turns the flaw into an error for a user who only refers to the name.
Complaint Flawed(const Named& named) {
  return {.code = ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
          .message = psprintf("%s \"%s\" is not valid", WordFor(named.kind), named.name),
          .detail = psprintf("The reason: %s.", named.flaw.message),
          .hint = named.kind == NameKind::kLayout
                      ? "Use idgen_drop_layout()."
                      : "Use idgen_alter_generator() or idgen_drop_generator()."};
}

Complaint ReadOneLayout(const char* text, Succession& succession) {
  if (IsDescription(text)) {
    Layout layout;
    const Complaint complaint = ReadDescription(text, layout);
    if (!complaint) succession = Succession(layout);
    return complaint;
  }
  const Named* const named = FindNamed(text);
  if (named == nullptr) return Unknown(NameKind::kLayout, text);
  if (named->flaw) return Flawed(*named);
  succession = LayoutsOf(named->definition);
  return {};
}

extern "C" {

// Only marks. Servers of other wrappers count too: they are few and seldom change.
static void ForgetCatalog(Datum, CacheNumber, uint32) { InvalidateHandles(); }

}  // extern "C"

}  // namespace

const char* WordFor(NameKind kind) { return kind == NameKind::kLayout ? "layout" : "generator"; }

char* ServerName(std::string_view name) {
  return psprintf("%s%.*s", kPrefix, static_cast<int>(name.size()), name.data());
}

const Named* FindNamed(std::string_view name) {
  const BuiltinLayout* const builtin = FindBuiltin(name);
  if (builtin != nullptr && builtin->is_reserved) return BuiltIn(*builtin);
  const ForeignServer* const server = FindServer(name);
  if (server != nullptr) return ReadServer(*server);
  return builtin != nullptr ? BuiltIn(*builtin) : nullptr;
}

const Named& NamedBy(std::string_view name, NameKind kind) {
  const Named* const named = FindNamed(name);
  if (named == nullptr) Report(Unknown(kind, name));
  if (named->flaw) Report(Flawed(*named));
  return *named;
}

List* AllNamed() {
  List* const users = UsersNamed();
  List* all = NIL;
  ListCell* cell;
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    bool is_hidden = false;
    foreach (cell, users) {
      is_hidden = is_hidden || builtin.layout.name == static_cast<Named*>(lfirst(cell))->name;
    }
    if (!is_hidden) all = lappend(all, BuiltIn(builtin));
  }
  return list_concat(all, users);
}

GeneratorDefinition FindGenerator(std::string_view name) {
  return NamedBy(name, NameKind::kGenerator).definition;
}

Complaint ReadLayouts(const char* text, Succession& succession) {
  return ReadStages(text, ReadOneLayout, succession);
}

void WatchCatalog() {
  CacheRegisterSyscacheCallback(FOREIGNSERVEROID, ForgetCatalog, static_cast<Datum>(0));
}

}  // namespace idgen::pg

#include "ddl.h"

#include "errors.h"
#include "options.h"

namespace idgen::pg {

namespace {

constinit object_access_hook_type next_access_hook = nullptr;

// The objects whose expressions call a function of idgen with $1 as a literal. PostgreSQL
// records that they depend on the function, and not on what its argument names.
constexpr char kUsers[] = R"(
  SELECT pg_catalog.pg_describe_object(classid, objid, objsubid)
  FROM (SELECT DISTINCT d.classid, d.objid, d.objsubid
        FROM pg_catalog.pg_extension e
        JOIN pg_catalog.pg_depend m ON m.refclassid = 'pg_catalog.pg_extension'::regclass
             AND m.refobjid = e.oid AND m.deptype = 'e'
             AND m.classid = 'pg_catalog.pg_proc'::regclass
        JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_proc'::regclass
             AND d.refobjid = m.objid AND d.deptype IN ('n', 'a')
        WHERE e.extname = 'idgen') o
  WHERE pg_catalog.strpos(
    CASE classid
      WHEN 'pg_catalog.pg_class'::regclass THEN
        coalesce(pg_catalog.pg_get_partkeydef(objid),
                 (SELECT pg_catalog.pg_get_indexdef(indexrelid) FROM pg_catalog.pg_index
                  WHERE indexrelid = objid))
      WHEN 'pg_catalog.pg_attrdef'::regclass THEN
        (SELECT pg_catalog.pg_get_expr(adbin, adrelid) FROM pg_catalog.pg_attrdef WHERE oid = objid)
      WHEN 'pg_catalog.pg_type'::regclass THEN
        (SELECT typdefault FROM pg_catalog.pg_type WHERE oid = objid)
      WHEN 'pg_catalog.pg_constraint'::regclass THEN pg_catalog.pg_get_constraintdef(objid)
      WHEN 'pg_catalog.pg_rewrite'::regclass THEN pg_catalog.pg_get_ruledef(objid)
      WHEN 'pg_catalog.pg_trigger'::regclass THEN pg_catalog.pg_get_triggerdef(objid)
      WHEN 'pg_catalog.pg_proc'::regclass THEN pg_catalog.pg_get_functiondef(objid)
      WHEN 'pg_catalog.pg_statistic_ext'::regclass THEN pg_catalog.pg_get_statisticsobjdef(objid)
      WHEN 'pg_catalog.pg_policy'::regclass THEN
        (SELECT pg_catalog.concat(pg_catalog.pg_get_expr(polqual, polrelid),
                                  pg_catalog.pg_get_expr(polwithcheck, polrelid))
         FROM pg_catalog.pg_policy WHERE oid = objid)
      WHEN 'pg_catalog.pg_publication_rel'::regclass THEN
        (SELECT pg_catalog.pg_get_expr(prqual, prrelid) FROM pg_catalog.pg_publication_rel
         WHERE oid = objid)
    END, pg_catalog.quote_literal($1)) > 0
  ORDER BY 1 LIMIT 5)";

// A row of pg_foreign_server.
struct ServerRow {
  char* name = nullptr;
  Oid wrapper = InvalidOid;
  List* options = NIL;
};

bool ReadRow(HeapTuple tuple, TupleDesc columns, ServerRow& server) {
  if (!HeapTupleIsValid(tuple)) return false;
  const auto* row = reinterpret_cast<Form_pg_foreign_server>(GETSTRUCT(tuple));
  bool is_null = false;
  const Datum options = heap_getattr(tuple, Anum_pg_foreign_server_srvoptions, columns, &is_null);
  server.name = pstrdup(NameStr(row->srvname));
  server.wrapper = row->srvfdw;
  server.options = is_null ? NIL : untransformRelOptions(options);
  return true;
}

// A row before and after the command that has just written it; false if it is not there.
bool ReadRows(Oid oid, ServerRow& before, ServerRow& after) {
  Relation catalog = table_open(ForeignServerRelationId, AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, Anum_pg_foreign_server_oid, BTEqualStrategyNumber, F_OIDEQ,
              ObjectIdGetDatum(oid));
  SysScanDesc scan =
      systable_beginscan(catalog, ForeignServerOidIndexId, true, SnapshotSelf, 1, &key);
  const bool found = ReadRow(systable_getnext(scan), RelationGetDescr(catalog), after);
  systable_endscan(scan);
  // The system cache still has the row from before the command.
  HeapTuple old = SearchSysCache1(FOREIGNSERVEROID, ObjectIdGetDatum(oid));
  if (HeapTupleIsValid(old)) {
    (void)ReadRow(old, RelationGetDescr(catalog), before);
    ReleaseSysCache(old);
  }
  table_close(catalog, AccessShareLock);
  return found;
}

// The value of an option; empty if it is not there.
const char* OptionOf(const ServerRow& server, const char* name) {
  ListCell* cell;
  foreach (cell, server.options) {
    auto* element = static_cast<DefElem*>(lfirst(cell));
    if (strcmp(element->defname, name) == 0) return defGetString(element);
  }
  return "";
}

// A generator goes before its layout does, and in a dump comes after it.
void DependOnLayout(Oid server, const char* layout) {
  const Oid layout_server = get_foreign_server_oid(ServerName(kLayoutKind, layout), true);
  if (!OidIsValid(layout_server)) return;  // built in
  // Nobody may drop it between our look and our commit.
  LockDatabaseObject(ForeignServerRelationId, layout_server, 0, AccessShareLock);
  if (!SearchSysCacheExists1(FOREIGNSERVEROID, ObjectIdGetDatum(layout_server))) {
    ReportUnknownLayout(layout);
  }
  const ObjectAddress generator{ForeignServerRelationId, server, 0};
  const ObjectAddress its_layout{ForeignServerRelationId, layout_server, 0};
  recordDependencyOn(&generator, &its_layout, DEPENDENCY_NORMAL);
}

// What a server keeps; nullptr if it is of another wrapper than ours.
const ServerKind* KindOf(const ServerRow& server) {
  for (const ServerKind* kind : {&kLayoutKind, &kGeneratorKind}) {
    if (server.wrapper == get_foreign_data_wrapper_oid(kind->wrapper, true)) return kind;
  }
  return nullptr;
}

void CheckServerName(const ServerKind& kind, const ServerRow& server, const char* name) {
  const char* const expected = ServerName(kind, name);
  if (strcmp(server.name, expected) == 0) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
                  errmsg("server \"%s\" is not named after its %s", server.name, kind.name),
                  errdetail("Its name must be \"%s\".", expected),
                  errhint("Use idgen_create_%s() and idgen_drop_%s().", kind.name, kind.name)));
}

// Refuses every alteration but of a generator's identity.
void CheckAlteration(const ServerKind& kind, const ServerRow& before, const ServerRow& after) {
  bool same = strcmp(before.name, after.name) == 0;
  for (const char* option : {"layout", "fields", "tick_us", "epoch_us", "generator"}) {
    same = same && strcmp(OptionOf(before, option), OptionOf(after, option)) == 0;
  }
  if (same) return;
  const char* const name = OptionOf(before, kind.name);
  const bool is_layout = &kind == &kLayoutKind;
  ereport(
      ERROR,
      (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
       is_layout ? errmsg("cannot alter layout \"%s\"", name)
                 : errmsg("cannot alter the name or the layout of generator \"%s\"", name),
       is_layout ? errdetail("Indexes and generated columns rely on a layout never changing.") : 0,
       errhint("Create another %s.", kind.name)));
}

extern "C" {

static void OnObjectAccess(ObjectAccessType access, Oid catalog, Oid object, int column,
                           void* argument) {
  if (next_access_hook != nullptr) next_access_hook(access, catalog, object, column, argument);
  if (catalog != ForeignServerRelationId ||
      (access != OAT_POST_CREATE && access != OAT_POST_ALTER)) {
    return;
  }
  ServerRow before;
  ServerRow after;
  if (!ReadRows(object, before, after)) return;
  const ServerKind* const kind = KindOf(after);
  if (kind == nullptr) return;
  if (access == OAT_POST_ALTER) {
    CheckAlteration(*kind, before, after);
    return;
  }
  const char* const name = OptionOf(after, kind->name);
  CheckServerName(*kind, after, name);
  LockCatalog();
  CheckNameIsFree(name);  // what is being made is not in the system cache yet
  if (kind == &kGeneratorKind) DependOnLayout(object, OptionOf(after, "layout"));
}

}  // extern "C"

}  // namespace

void CheckNotNull(FunctionCallInfo fcinfo, int argument, const char* name) {
  if (!PG_ARGISNULL(argument)) return;
  ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s is null", name)));
}

char* RequiredText(FunctionCallInfo fcinfo, int argument, const char* name) {
  constexpr int kMost = 1000;
  constexpr int kMostShown = 40;
  CheckNotNull(fcinfo, argument, name);
  // Before anything is made of it.
  const Size size = toast_raw_datum_size(PG_GETARG_DATUM(argument)) - VARHDRSZ;
  if (size > kMost) {
    const text* begin = PG_GETARG_TEXT_P_SLICE(argument, 0, kMostShown);
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is too long", name),
                    errdetail("It has %zu bytes, can have %d, and begins with \"%s\".", size, kMost,
                              Shown({VARDATA_ANY(begin), VARSIZE_ANY_EXHDR(begin)}, kMostShown))));
  }
  return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

void LockCatalog() {
  const Oid wrapper = get_foreign_data_wrapper_oid(kLayoutKind.wrapper, false);
  LockDatabaseObject(ForeignDataWrapperRelationId, wrapper, 0, ShareUpdateExclusiveLock);
}

void CheckNameIsFree(const char* name) {
  const bool is_layout = FindSoundLayout(name) != nullptr;
  if (!is_layout && FindUserGenerator(name) == nullptr) return;
  ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
                  errmsg("%s \"%s\" already exists", is_layout ? "layout" : "generator", name),
                  is_layout ? errdetail("Every layout is also a generator of the same name.") : 0));
}

void CheckOwner(const ServerKind& kind, const char* name) {
  const char* const server_name = ServerName(kind, name);
  const Oid server = get_foreign_server_oid(server_name, true);
  if (OidIsValid(server) && !OwnsForeignServer(server)) {
    aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FOREIGN_SERVER, server_name);
  }
}

void RunCommand(const char* command) {
  SPI_connect();
  const int result = SPI_execute(command, false, 0);
  if (result < 0) elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
  SPI_finish();
}

void CheckNotUsed(const ServerKind& kind, const char* name) {
  MemoryContext caller = CurrentMemoryContext;
  StringInfoData users;
  initStringInfo(&users);

  // Nothing of the user's may stand between the query and what it means.
  const int settings = NewGUCNestLevel();
  (void)set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
                          GUC_ACTION_SAVE, true, 0, false);
  SPI_connect();
  Oid types[] = {TEXTOID};
  Datum values[] = {CStringGetTextDatum(name)};
  const int result = SPI_execute_with_args(kUsers, 1, types, values, nullptr, true, 0);
  if (result != SPI_OK_SELECT) {
    elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
  }
  for (std::uint64_t i = 0; i < SPI_processed; ++i) {
    char* user = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
    MemoryContext inner = MemoryContextSwitchTo(caller);
    appendStringInfo(&users, "%s%s uses it.", users.len > 0 ? "\n" : "", user);
    MemoryContextSwitchTo(inner);
  }
  SPI_finish();
  AtEOXact_GUC(true, settings);

  if (users.len == 0) return;
  ereport(ERROR,
          (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
           errmsg("cannot drop %s \"%s\" because other objects use it", kind.name, name),
           errdetail_internal("%s", users.data), errhint("Drop or change those objects first.")));
}

void DropServer(const ServerKind& kind, const char* name) {
  RunCommand(psprintf("DROP SERVER %s", quote_identifier(ServerName(kind, name))));
}

void GuardServers() {
  next_access_hook = object_access_hook;
  object_access_hook = OnObjectAccess;
}

}  // namespace idgen::pg

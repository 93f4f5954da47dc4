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

// A row of pg_foreign_server as this transaction has just written it.
struct WrittenServer {
  char* name = nullptr;
  Oid wrapper = InvalidOid;
  List* options = NIL;
};

bool ReadServer(HeapTuple tuple, const TupleDescData& columns, WrittenServer& server) {
  if (!HeapTupleIsValid(tuple)) return false;
  const auto* row = reinterpret_cast<Form_pg_foreign_server>(GETSTRUCT(tuple));
  bool is_null = false;
  const Datum options = heap_getattr(tuple, Anum_pg_foreign_server_srvoptions,
                                     const_cast<TupleDesc>(&columns), &is_null);
  server.name = pstrdup(NameStr(row->srvname));
  server.wrapper = row->srvfdw;
  server.options = is_null ? NIL : untransformRelOptions(options);
  return true;
}

bool ReadWrittenServer(Oid oid, WrittenServer& before, WrittenServer& after) {
  Relation catalog = table_open(ForeignServerRelationId, AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, Anum_pg_foreign_server_oid, BTEqualStrategyNumber, F_OIDEQ,
              ObjectIdGetDatum(oid));
  SysScanDesc scan =
      systable_beginscan(catalog, ForeignServerOidIndexId, true, SnapshotSelf, 1, &key);
  const bool found = ReadServer(systable_getnext(scan), *RelationGetDescr(catalog), after);
  systable_endscan(scan);
  // The system cache still has the row from before the command.
  HeapTuple old = SearchSysCache1(FOREIGNSERVEROID, ObjectIdGetDatum(oid));
  if (HeapTupleIsValid(old)) {
    (void)ReadServer(old, *RelationGetDescr(catalog), before);
    ReleaseSysCache(old);
  }
  table_close(catalog, AccessShareLock);
  return found;
}

const char* OptionOf(const List* options, const char* name) {
  ListCell* cell;
  foreach (cell, options) {
    auto* element = static_cast<DefElem*>(lfirst(cell));
    if (strcmp(element->defname, name) == 0) return defGetString(element);
  }
  return "";
}

bool SameOption(const WrittenServer& before, const WrittenServer& after, const char* name) {
  return strcmp(OptionOf(before.options, name), OptionOf(after.options, name)) == 0;
}

// A generator goes before its layout does, and in a dump comes after it.
void DependOnLayout(Oid server, const WrittenServer& written) {
  char* const layout = psprintf("%s%s", kLayoutPrefix.data(), OptionOf(written.options, "layout"));
  const Oid layout_server = get_foreign_server_oid(layout, true);
  if (!OidIsValid(layout_server)) return;  // built in
  // Nobody may drop it between our look and our commit.
  LockDatabaseObject(ForeignServerRelationId, layout_server, 0, AccessShareLock);
  if (!SearchSysCacheExists1(FOREIGNSERVEROID, ObjectIdGetDatum(layout_server))) {
    ReportUnknownLayout(OptionOf(written.options, "layout"));
  }
  const ObjectAddress generator{ForeignServerRelationId, server, 0};
  const ObjectAddress its_layout{ForeignServerRelationId, layout_server, 0};
  recordDependencyOn(&generator, &its_layout, DEPENDENCY_NORMAL);
}

// Either kind's name is the server's, and so is found by it.
void CheckServerName(const WrittenServer& written, std::string_view prefix, const char* option) {
  const char* const expected = psprintf("%s%s", prefix.data(), OptionOf(written.options, option));
  if (strcmp(written.name, expected) == 0) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
                  errmsg("server \"%s\" is not named after its %s", written.name, option),
                  errdetail("Its name must be \"%s\".", expected),
                  errhint("Use idgen_create_%s() and idgen_drop_%s().", option, option)));
}

void CheckAlteration(const WrittenServer& before, const WrittenServer& after, bool is_layout) {
  bool same = strcmp(before.name, after.name) == 0 && SameOption(before, after, "layout");
  if (is_layout) {
    for (const char* option : {"fields", "tick_us", "epoch_us"}) {
      same = same && SameOption(before, after, option);
    }
  } else {
    same = same && SameOption(before, after, "generator");
  }
  if (same) return;
  const char* const what = is_layout ? "layout" : "generator";
  ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                  is_layout ? errmsg("cannot alter layout \"%s\"", OptionOf(before.options, what))
                            : errmsg("cannot alter the name or the layout of generator \"%s\"",
                                     OptionOf(before.options, what)),
                  is_layout ? errdetail("Indexes and generated columns rely on a layout never "
                                        "changing.")
                            : 0,
                  errhint("Create another %s.", what)));
}

extern "C" {

static void OnObjectAccess(ObjectAccessType access, Oid catalog, Oid object, int column,
                           void* argument) {
  if (next_access_hook != nullptr) next_access_hook(access, catalog, object, column, argument);
  if (catalog != ForeignServerRelationId ||
      (access != OAT_POST_CREATE && access != OAT_POST_ALTER)) {
    return;
  }
  WrittenServer before;
  WrittenServer after;
  if (!ReadWrittenServer(object, before, after)) return;
  const bool is_layout = after.wrapper == get_foreign_data_wrapper_oid(kLayoutWrapper, true);
  const bool is_generator = after.wrapper == get_foreign_data_wrapper_oid(kGeneratorWrapper, true);
  if (!is_layout && !is_generator) return;
  if (access == OAT_POST_ALTER) {
    CheckAlteration(before, after, is_layout);
    return;
  }
  const char* const what = is_layout ? "layout" : "generator";
  CheckServerName(after, is_layout ? kLayoutPrefix : kGeneratorPrefix, what);
  // What is being made is not in the system cache yet.
  LockCatalog();
  CheckNameIsFree(OptionOf(after.options, what));
  if (is_generator) DependOnLayout(object, after);
}

}  // extern "C"

}  // namespace

char* RequiredText(FunctionCallInfo fcinfo, int argument, const char* name) {
  if (PG_ARGISNULL(argument)) {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s is null", name)));
  }
  return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

void LockCatalog() {
  const Oid wrapper = get_foreign_data_wrapper_oid(kLayoutWrapper, false);
  LockDatabaseObject(ForeignDataWrapperRelationId, wrapper, 0, ShareUpdateExclusiveLock);
}

void CheckNameIsFree(const char* name) {
  Generator generator;
  if (!FindGenerator(name, generator)) return;
  const bool is_layout = FindLayout(name) != nullptr;
  ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
                  errmsg("%s \"%s\" already exists", is_layout ? "layout" : "generator", name),
                  is_layout ? errdetail("Every layout is also a generator of the same name.") : 0));
}

void CheckOwner(std::string_view prefix, const char* name) {
  char* const server_name = psprintf("%s%s", prefix.data(), name);
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

void CheckNotUsed(const char* what, const char* name) {
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
           errmsg("cannot drop %s \"%s\" because other objects use it", what, name),
           errdetail_internal("%s", users.data), errhint("Drop or change those objects first.")));
}

void GuardServers() {
  next_access_hook = object_access_hook;
  object_access_hook = OnObjectAccess;
}

}  // namespace idgen::pg

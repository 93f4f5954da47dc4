// The SQL functions that create, alter, drop and list generators.
#include "pg.h"

#include "core/formats.h"
#include "ddl.h"
#include "errors.h"
#include "options.h"

namespace idgen::pg {

namespace {

// The identity from three arguments; NULL: from the settings.
Generator IdentityFromArguments(FunctionCallInfo fcinfo, int first) {
  Generator generator;
  for (const IdentityField& field : kIdentityFields) {
    const int argument = first++;
    if (PG_ARGISNULL(argument)) continue;
    const std::int32_t value = PG_GETARG_INT32(argument);
    if (value < 0) {
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                      errmsg("%s %d is negative", field.name, value)));
    }
    generator.*field.fixed = value;
  }
  return generator;
}

// The generator of a user; errors if it is something else.
Generator UserGeneratorByName(const char* name) {
  Generator generator;
  if (!FindGenerator(name, generator)) ReportUnknownGenerator(name);
  if (FindLayout(name) != nullptr) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is a layout", name),
                    errdetail("Its generator takes its identity from the settings, and is there as "
                              "long as the layout."),
                    errhint("Use idgen_create_generator() for one with another name.")));
  }
  return generator;
}

void ListGenerator(FunctionCallInfo fcinfo, std::string_view name, const Generator& generator,
                   Oid owner) {
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const Layout& layout = *generator.layout;
  Datum values[] = {
      TextDatum(name),
      TextDatum(layout.name),
      Int32GetDatum(generator.datacenter_id),
      Int32GetDatum(generator.machine_id),
      Int32GetDatum(generator.shard_id),
      ObjectIdGetDatum(owner),
  };
  bool nulls[] = {false,
                  false,
                  generator.datacenter_id < 0,
                  generator.machine_id < 0,
                  generator.shard_id < 0,
                  !OidIsValid(owner)};
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_create_generator);
IDGEN_SQL_FUNCTION(idgen_alter_generator);
IDGEN_SQL_FUNCTION(idgen_drop_generator);
IDGEN_SQL_FUNCTION(idgen_get_generators);

Datum idgen_create_generator(PG_FUNCTION_ARGS) {
  const char* const name = RequiredText(fcinfo, 0, "generator name");
  const char* const layout = RequiredText(fcinfo, 1, "layout name");
  CheckName(kGeneratorKind, name);
  LockCatalog();
  Generator generator = IdentityFromArguments(fcinfo, 2);
  generator.layout = &LayoutByName(layout);
  CheckGenerator(name, generator);
  CheckNameIsFree(name);
  StringInfoData command;
  initStringInfo(&command);
  appendStringInfo(&command,
                   "CREATE SERVER %s FOREIGN DATA WRAPPER %s OPTIONS (generator %s, layout %s",
                   quote_identifier(ServerName(kGeneratorKind, name)), kGeneratorKind.wrapper,
                   quote_literal_cstr(name), quote_literal_cstr(layout));
  for (const IdentityField& field : kIdentityFields) {
    if (generator.*field.fixed < 0) continue;
    appendStringInfo(&command, ", %s '%d'", field.name, generator.*field.fixed);
  }
  appendStringInfoChar(&command, ')');
  RunCommand(command.data);
  PG_RETURN_VOID();
}

Datum idgen_alter_generator(PG_FUNCTION_ARGS) {
  const char* const name = RequiredText(fcinfo, 0, "generator name");
  CheckOwner(kGeneratorKind, name);
  LockCatalog();
  const Generator before = UserGeneratorByName(name);
  Generator generator = IdentityFromArguments(fcinfo, 1);
  generator.layout = before.layout;
  CheckGenerator(name, generator);
  StringInfoData changes;
  initStringInfo(&changes);
  for (const IdentityField& field : kIdentityFields) {
    const std::int32_t from = before.*field.fixed;
    const std::int32_t to = generator.*field.fixed;
    if (from == to) continue;
    const char* const comma = changes.len > 0 ? ", " : "";
    if (to < 0) {
      appendStringInfo(&changes, "%sDROP %s", comma, field.name);
    } else {
      appendStringInfo(&changes, "%s%s %s '%d'", comma, from < 0 ? "ADD" : "SET", field.name, to);
    }
  }
  if (changes.len > 0) {
    RunCommand(psprintf("ALTER SERVER %s OPTIONS (%s)",
                        quote_identifier(ServerName(kGeneratorKind, name)), changes.data));
  }
  PG_RETURN_VOID();
}

Datum idgen_drop_generator(PG_FUNCTION_ARGS) {
  const char* const name = RequiredText(fcinfo, 0, "generator name");
  CheckOwner(kGeneratorKind, name);
  LockCatalog();
  (void)UserGeneratorByName(name);
  CheckNotUsed(kGeneratorKind, name);
  DropServer(kGeneratorKind, name);
  PG_RETURN_VOID();
}

// The rows behind the view idgen_generators: every name that idgen_nextval() takes.
Datum idgen_get_generators(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  for (const Format& format : kFormats) {
    if (!format.layout.CanGenerate()) continue;
    ListGenerator(fcinfo, format.layout.name, {.layout = &format.layout}, InvalidOid);
  }
  ListCell* cell;
  foreach (cell, UserLayouts()) {
    const auto* user = static_cast<UserLayout*>(lfirst(cell));
    if (!user->layout->CanGenerate()) continue;
    ListGenerator(fcinfo, user->name, {.layout = user->layout}, user->owner);
  }
  foreach (cell, UserGenerators()) {
    const auto* user = static_cast<UserGenerator*>(lfirst(cell));
    ListGenerator(fcinfo, user->name, user->generator, user->owner);
  }
  return Datum{0};
}

}  // extern "C"

}  // namespace idgen::pg

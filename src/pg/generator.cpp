// The SQL functions that create, alter, drop and list generators.
#include "pg.h"

#include "core/formats.h"
#include "ddl.h"
#include "errors.h"
#include "options.h"

namespace idgen::pg {

namespace {

// The default of the arguments of idgen_alter_generator(): leave it as it is.
constexpr std::int32_t kAsItIs = -1;

// Puts the identity of three arguments into a generator; NULL: from the settings.
void TakeIdentity(FunctionCallInfo fcinfo, int first, bool may_stay, Generator& generator) {
  for (const IdentityField& field : kIdentityFields) {
    const int argument = first++;
    const bool from_settings = PG_ARGISNULL(argument);
    const std::int32_t value = from_settings ? -1 : PG_GETARG_INT32(argument);
    if (!from_settings && may_stay && value == kAsItIs) continue;
    if (!from_settings && value < 0) {
      ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                      errmsg("%s %d is negative", field.name, value),
                      errhint("Use NULL for what the settings shall say.")));
    }
    generator.*field.fixed = value;
  }
}

// The generator of a user, also one that cannot make IDs; errors if it is something else.
const UserGenerator& UserGeneratorByName(const char* name) {
  if (FindSoundLayout(name) != nullptr) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is a layout", name),
                    errdetail("Its generator takes its identity from the settings, and is there as "
                              "long as the layout."),
                    errhint("Use idgen_create_generator() for one with another name.")));
  }
  const UserGenerator* user = FindUserGenerator(name);
  if (user == nullptr) ReportUnknownGenerator(name);
  return *user;
}

void ListGenerator(FunctionCallInfo fcinfo, const UserGenerator& user) {
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const Generator& generator = user.generator;
  const auto text = [](const char* value) {
    return value != nullptr ? CStringGetTextDatum(value) : Datum{0};
  };
  Datum values[] = {
      text(user.name),
      text(user.layout),
      Int32GetDatum(generator.datacenter_id),
      Int32GetDatum(generator.machine_id),
      Int32GetDatum(generator.shard_id),
      ObjectIdGetDatum(user.owner),
      text(user.flaw),
  };
  bool nulls[] = {false,
                  user.layout == nullptr,
                  generator.datacenter_id < 0,
                  generator.machine_id < 0,
                  generator.shard_id < 0,
                  !OidIsValid(user.owner),
                  user.flaw == nullptr};
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

// Every layout that can generate is one, with the identity of the settings.
void ListLayoutAsGenerator(FunctionCallInfo fcinfo, const Layout& layout, Oid owner) {
  if (!layout.CanGenerate()) return;
  char* const name = NameOf(layout);
  ListGenerator(fcinfo, {.name = name,
                         .owner = owner,
                         .layout = name,
                         .generator = {.layout = &layout},
                         .flaw = nullptr});
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
  Generator generator{.layout = &LayoutByName(layout)};
  TakeIdentity(fcinfo, 2, false, generator);
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
  const UserGenerator& user = UserGeneratorByName(name);
  const Generator before = user.generator;
  if (before.layout == nullptr) ReportFlawed(user);
  Generator generator = before;
  TakeIdentity(fcinfo, 1, true, generator);
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

// The rows behind the view idgen_generators: every name that idgen_nextval() takes. The
// argument is there for its type.
Datum idgen_get_generators(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  for (const Format& format : kFormats) ListLayoutAsGenerator(fcinfo, format.layout, InvalidOid);
  ListCell* cell;
  foreach (cell, UserLayouts()) {
    const auto* user = static_cast<UserLayout*>(lfirst(cell));
    ListLayoutAsGenerator(fcinfo, *user->layout, user->owner);
  }
  foreach (cell, UserGenerators()) {
    ListGenerator(fcinfo, *static_cast<UserGenerator*>(lfirst(cell)));
  }
  return Datum{0};
}

}  // extern "C"

}  // namespace idgen::pg

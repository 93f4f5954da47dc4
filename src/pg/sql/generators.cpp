// The SQL functions that create, alter, drop and list generators.
#include "pg.h"

#include "callsite.h"
#include "ddl.h"
#include "errors.h"
#include "layout_value.h"
#include "row.h"
#include "succession_text.h"

namespace idgen::pg {

namespace {

// The default of idgen_alter_generator()'s arguments: leave the field unchanged.
constexpr std::int32_t kAsItIs = -1;

// Reads a generator's identity from three arguments; NULL: from the settings.
void TakeIdentity(FunctionCallInfo fcinfo, int first, bool may_stay,
                  GeneratorDefinition& generator) {
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

void ListGenerator(FunctionCallInfo fcinfo, const Named& named) {
  const GeneratorDefinition& definition = named.definition;
  const bool has_layout = CheckLayout(definition.layout) == LayoutError::kNone;
  PutRow(fcinfo,
         {{CStringGetTextDatum(named.name)},
          has_layout ? Column{PointerGetDatum(StoreSuccession(LayoutsOf(definition)))} : kNull,
          NumberOrNull(definition.datacenter_id),
          NumberOrNull(definition.machine_id),
          NumberOrNull(definition.shard_id),
          {ObjectIdGetDatum(named.owner), !OidIsValid(named.owner)},
          TextOrNull(named.flaw.message)});
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_create_generator);
IDGEN_SQL_FUNCTION(idgen_alter_generator);
IDGEN_SQL_FUNCTION(idgen_drop_generator);
IDGEN_SQL_FUNCTION(idgen_get_generators);
IDGEN_SQL_FUNCTION(idgen_validator);

Datum idgen_create_generator(PG_FUNCTION_ARGS) {
  const char* const name = RequiredText(fcinfo, 0, "generator name");
  CheckNotNull(fcinfo, 1, "layout");
  GeneratorDefinition definition;
  SetLayouts(definition, LayoutsOfArgument(fcinfo, 1));
  TakeIdentity(fcinfo, 2, false, definition);
  const Complaint complaint = ComplaintOf(definition);
  if (complaint) Report(complaint);
  CreateNamed(NameKind::kGenerator, name, definition);
  PG_RETURN_VOID();
}

Datum idgen_alter_generator(PG_FUNCTION_ARGS) {
  const char* const name = RequiredText(fcinfo, 0, "generator name");
  const Named& named = UsersNamedBy(name, NameKind::kGenerator);
  GeneratorDefinition definition = named.definition;
  // A definition that cannot even be read cannot be repaired here.
  if (CheckLayout(definition.layout) != LayoutError::kNone) Report(named.flaw);
  TakeIdentity(fcinfo, 1, true, definition);
  const Complaint complaint = ComplaintOf(definition);
  if (complaint) Report(complaint);
  // The layout is set to itself, so that the command needs the owner's rights even if nothing
  // changes.
  StringInfoData command;
  initStringInfo(&command);
  appendStringInfo(&command, "ALTER SERVER %s OPTIONS (SET layout %s",
                   quote_identifier(ServerName(name)),
                   quote_literal_cstr(SuccessionText(LayoutsOf(definition))));
  for (const IdentityField& field : kIdentityFields) {
    const std::int32_t from = named.definition.*field.fixed;
    const std::int32_t to = definition.*field.fixed;
    if (from >= 0 && to < 0) {
      appendStringInfo(&command, ", DROP %s", field.name);
    } else if (from != to) {
      appendStringInfo(&command, ", %s %s '%d'", from < 0 ? "ADD" : "SET", field.name, to);
    }
  }
  appendStringInfoChar(&command, ')');
  RunCommand(command.data);
  PG_RETURN_VOID();
}

Datum idgen_drop_generator(PG_FUNCTION_ARGS) {
  DropNamed(RequiredText(fcinfo, 0, "generator name"), NameKind::kGenerator);
  PG_RETURN_VOID();
}

// Returns the rows of the view idgen_generators: every name that idgen_nextval() accepts. Only the
// argument's type matters: it makes the view's call unambiguous.
Datum idgen_get_generators(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  ListCell* cell;
  foreach (cell, AllNamed()) {
    const auto& named = *static_cast<Named*>(lfirst(cell));
    if (named.flaw || named.definition.layout.CanGenerate()) ListGenerator(fcinfo, named);
  }
  return Datum{0};
}

// Checks the options of a server of the wrapper. The wrapper itself and user mappings have none.
Datum idgen_validator(PG_FUNCTION_ARGS) {
  // Nobody needs this much, and errors and the log would show all of it.
  constexpr Size kMost = 4096;
  const Size size = toast_raw_datum_size(PG_GETARG_DATUM(0));
  if (size > kMost) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("options are too long"),
                    errdetail("They have %zu bytes, and can have %zu.", size, kMost)));
  }
  const List* const options = untransformRelOptions(PG_GETARG_DATUM(0));
  if (PG_GETARG_OID(1) != ForeignServerRelationId) {
    if (options == NIL) PG_RETURN_VOID();
    ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME), errmsg("there are no options here")));
  }
  GeneratorDefinition definition;
  Complaint complaint = ReadOptions(options, definition);
  // A generator cannot have a layout that only decodes, but whether this is a generator is not
  // known here.
  if (!complaint && definition.layout.CanGenerate()) complaint = ComplaintOf(definition);
  if (complaint) Report(complaint);
  PG_RETURN_VOID();
}

}  // extern "C"

}  // namespace idgen::pg

#include "ddl.h"

#include "core/builtin_layouts.h"
#include "errors.h"
#include "succession_text.h"

namespace idgen::pg {

namespace {

constexpr int kMostShown = 40;  // bytes of a text quoted in an error

bool IsName(std::string_view name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !name.empty() && name.size() <= kLongestName &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

void CheckName(NameKind kind, const char* name) {
  if (IsName(name)) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
                  errmsg("invalid name of a %s: \"%s\"", WordFor(kind),
                         Excerpt(name, kMostShown + NAMEDATALEN)),
                  errhint("Use 1 to %d letters (a to z, A to Z), digits, and the characters \"_\", "
                          "\"-\" and \".\".",
                          static_cast<int>(kLongestName))));
}

// Also refuses the names of built-in layouts that a user's would hide. The only good reason to hide
// one is a dump of a version that did not have that layout.
void CheckIsFree(const char* name) {
  const Named* const named = FindNamed(name);
  if (named == nullptr) return;
  ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
                  errmsg("%s \"%s\" already exists", WordFor(named->kind), name),
                  named->kind == NameKind::kLayout
                      ? errdetail("Every layout is also a generator of the same name.")
                      : 0));
}

}  // namespace

void CheckNotNull(FunctionCallInfo fcinfo, int argument, const char* name) {
  if (!PG_ARGISNULL(argument)) return;
  ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s is null", name)));
}

char* RequiredText(FunctionCallInfo fcinfo, int argument, const char* name) {
  constexpr int kMost = 1000;
  CheckNotNull(fcinfo, argument, name);
  // Check the size before the text is expanded.
  const Size size = toast_raw_datum_size(PG_GETARG_DATUM(argument)) - VARHDRSZ;
  if (size > kMost) {
    const text* begin = PG_GETARG_TEXT_P_SLICE(argument, 0, kMostShown);
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s is too long", name),
             errdetail("It has %zu bytes, can have %d, and begins with \"%s\".", size, kMost,
                       Excerpt({VARDATA_ANY(begin), VARSIZE_ANY_EXHDR(begin)}, kMostShown))));
  }
  return text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

void CreateNamed(NameKind kind, const char* name, const GeneratorDefinition& definition) {
  CheckName(kind, name);
  CheckIsFree(name);
  StringInfoData command;
  initStringInfo(&command);
  appendStringInfo(&command,
                   "CREATE SERVER %s TYPE '%s' FOREIGN DATA WRAPPER %s OPTIONS (layout %s",
                   quote_identifier(ServerName(name)), WordFor(kind), kWrapper,
                   quote_literal_cstr(SuccessionText(LayoutsOf(definition))));
  for (const IdentityField& field : kIdentityFields) {
    if (definition.*field.fixed < 0) continue;
    appendStringInfo(&command, ", %s '%d'", field.name, definition.*field.fixed);
  }
  appendStringInfoChar(&command, ')');
  RunCommand(command.data);
}

const Named& UsersNamedBy(const char* name, NameKind kind) {
  const Named* const named = FindNamed(name);
  if (named == nullptr) return NamedBy(name, kind);  // an error
  const bool is_layout = named->kind == NameKind::kLayout;
  if (named->kind != kind) {
    ereport(
        ERROR,
        (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is a %s", name, WordFor(named->kind)),
         is_layout ? errdetail("Its generator takes its identity from the settings, and is "
                               "there as long as the layout.")
                   : 0,
         is_layout ? errhint("Use idgen_create_generator() for one with another name.")
                   : errhint("Use idgen_drop_generator().")));
  }
  if (!OidIsValid(named->owner)) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("layout \"%s\" is built in", name)));
  }
  return *named;
}

void DropNamed(const char* name, NameKind kind) {
  (void)UsersNamedBy(name, kind);
  RunCommand(psprintf("DROP SERVER %s", quote_identifier(ServerName(name))));
}

void RunCommand(const char* command) {
  SPI_connect();
  const int result = SPI_execute(command, false, 0);
  if (result < 0) elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
  SPI_finish();
}

}  // namespace idgen::pg

// Whether the library that is loaded and the SQL that is installed fit.
//
// Scripts of the extension ask for their own version first, so that they fail with an explanation
// if an older library is still loaded: PostgreSQL keeps a preloaded one until it restarts. The
// other way round nothing has to be checked: a C symbol never changes its meaning, so SQL that is
// older than the library goes on to work until ALTER EXTENSION UPDATE (test/t/047_update.pl).
#include "convert.h"
#include "version.h"

#include <string_view>

namespace idgen::pg {

namespace {

// Reads a number of at most four digits. Returns where the text goes on, or nullptr.
constexpr const char* ReadNumber(const char* at, int& number) {
  const char* const digits = at;
  for (number = 0; *at >= '0' && *at <= '9' && at - digits < 4; ++at) {
    number = number * 10 + (*at - '0');
  }
  return at == digits ? nullptr : at;
}

// Reads the first two numbers of a version, as one that compares as they do. Returns where the text
// goes on, or nullptr.
constexpr const char* ReadVersion(const char* text, int& version) {
  int major = 0;
  int minor = 0;
  const char* at = ReadNumber(text, major);
  if (at == nullptr || *at != '.') return nullptr;
  at = ReadNumber(at + 1, minor);
  version = major * 10000 + minor;
  return at;
}

constexpr int kLibraryVersion = [] {
  int version = 0;
  return ReadVersion(IDGEN_VERSION, version) == nullptr ? 0 : version;
}();
static_assert(kLibraryVersion > 0);

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_library_version);

// Returns the release of the library. An error if SQL of the version in question needs a later one.
Datum idgen_library_version(PG_FUNCTION_ARGS) {
  const char* const wanted = text_to_cstring(PG_GETARG_TEXT_PP(0));
  int version = 0;
  const char* const rest = ReadVersion(wanted, version);
  if (rest == nullptr || *rest != '\0') {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("\"%s\" is not a version of extension \"idgen\"", wanted),
                    errhint("A version has two numbers with a dot between them.")));
  }
  if (version > kLibraryVersion) {
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("version %s of extension \"idgen\" needs its library, and the one that is "
                    "loaded is of release %s",
                    wanted, IDGEN_VERSION),
             errhint("Install both from one package. If idgen is in shared_preload_libraries, "
                     "restart the server; otherwise connect again.")));
  }
  return TextDatum(IDGEN_VERSION);
}

}  // extern "C"

}  // namespace idgen::pg

// What the server's files say and the running server does not, yet: after ALTER SYSTEM or an editor
// without a reload, and after a file that has an error.
#include "config.h"

#include <cstdlib>
#include <cstring>

#include "guc.h"

namespace idgen::pg {

namespace {

struct FileSetting {
  const char* name;     // nullptr: the file cannot be read
  const char* setting;  // nullptr: the files do not have it
  const char* error;
  const char* file;
  const char* line;
};

// A superseded line is neither applied nor an error.
constexpr char kQuery[] =
    "SELECT coalesce(f.name, s.name), f.setting, f.error, f.sourcefile, f.sourceline "
    "FROM (SELECT lower(name) AS name, setting, error, sourcefile, sourceline "
    "FROM pg_file_settings WHERE (applied OR error IS NOT NULL) AND "
    "(name IS NULL OR lower(name) LIKE 'idgen.%' OR name = 'shared_preload_libraries')) f "
    "FULL JOIN (SELECT name FROM pg_settings "
    "WHERE name LIKE 'idgen.%' AND source = 'configuration file') s ON s.name = f.name "
    "ORDER BY 1";

FileSetting RowAt(uint64 row) {
  const auto text = [row](int column) {
    return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
  };
  return {text(1), text(2), text(3), text(4), text(5)};
}

// Whether the text in a file is another value than the one that the server runs with.
bool Differs(const FileSetting& file, const config_generic& setting) {
  const char* const running = GetConfigOptionResetString(file.name);
  int number = 0;
  if (setting.vartype == PGC_INT && parse_int(file.setting, &number, setting.flags, nullptr)) {
    return number != static_cast<int>(strtol(running, nullptr, 10));
  }
  return setting.vartype == PGC_STRING ? strcmp(file.setting, running) != 0
                                       : pg_strcasecmp(file.setting, running) != 0;
}

void AddPending(Findings& findings, const char* message) {
  findings.Add(Severity::kWarning, "files", message,
               "The server uses what its files said when it read them last. Reload them: SELECT "
               "pg_reload_conf(). Other servers with these files may already differ.");
}

void FindInSetting(Findings& findings, const FileSetting& file) {
  const config_generic* const setting = FindSetting(file.name);
  // An unknown name was refused, which is said elsewhere. What this session was given by its
  // database, its role or its client hides the server's value.
  if (setting == nullptr || setting->reset_source > PGC_S_FILE) return;
  if (file.setting == nullptr) {
    AddPending(findings, psprintf("%s is not in the server's files any more", setting->name));
  } else if (Differs(file, *setting)) {
    // An address may have a password in it.
    AddPending(findings,
               setting->vartype == PGC_STRING
                   ? psprintf("%s has another value in the server's files", setting->name)
                   : psprintf("%s is \"%s\" in the server's files, and %s here", setting->name,
                              file.setting, GetConfigOptionResetString(setting->name)));
  }
}

}  // namespace

void FindInFiles(Findings& findings) {
  MemoryContext caller = CurrentMemoryContext;
  SPI_connect();
  if (SPI_execute(kQuery, true, 0) != SPI_OK_SELECT) elog(ERROR, "SPI_execute failed");
  const uint64 count = SPI_processed;
  MemoryContext inner = MemoryContextSwitchTo(caller);
  for (uint64 row = 0; row < count; ++row) {
    const FileSetting file = RowAt(row);
    const bool is_preload =
        file.name != nullptr && strcmp(file.name, "shared_preload_libraries") == 0;
    if (file.error != nullptr && !is_preload) {
      findings.Add(Severity::kError, "files",
                   psprintf("%s, line %s: %s%s%s", file.file, file.line,
                            file.name != nullptr ? file.name : "", file.name != nullptr ? ": " : "",
                            file.error),
                   "Correct it. The server's files cannot be reloaded with it.");
    } else if (is_preload) {
      if (file.setting == nullptr || strstr(file.setting, "idgen") == nullptr || IsPreloaded())
        continue;
      findings.Add(Severity::kWarning, "files",
                   "idgen is in shared_preload_libraries of the server's files, and not preloaded",
                   "Restart the server.");
    } else {
      FindInSetting(findings, file);
    }
  }
  MemoryContextSwitchTo(inner);
  SPI_finish();
}

}  // namespace idgen::pg

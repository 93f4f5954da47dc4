#include "scheme_file.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/scheme.h"
#include "scheme.h"

namespace idgen::pg {

namespace {

constexpr char kSchemeFile[] = "idgen_fleet.conf";

char* FileText(const char* pool, std::int64_t version, const char* text) {
  StringInfoData file;
  initStringInfo(&file);
  appendStringInfo(&file,
                   "# Written by idgen from version %lld of the scheme of pool \"%s\". It is "
                   "overwritten.\n",
                   static_cast<long long>(version), pool);
  SchemeReader reader(text);
  for (SchemeEntry entry; reader.Next(entry);) {
    const bool is_known = std::find(std::begin(kFleetSettings), std::end(kFleetSettings),
                                    entry.name) != std::end(kFleetSettings);
    if (entry.kind != SchemeKind::kSetting || !is_known || !IsPlainValue(entry.value)) continue;
    appendStringInfo(&file, "idgen.%.*s = '%.*s'\n", static_cast<int>(entry.name.size()),
                     entry.name.data(), static_cast<int>(entry.value.size()), entry.value.data());
  }
  return file.data;
}

// What follows the first line, which has the version.
const char* SettingsIn(const char* file) {
  const char* const end = strchr(file, '\n');
  return end != nullptr ? end + 1 : "";
}

// Returns the file as it is; nullptr: there is none, or it cannot be read.
char* ReadSchemeFile() {
  const int file = OpenTransientFile(kSchemeFile, O_RDONLY | PG_BINARY);
  if (file < 0) return nullptr;
  constexpr std::size_t kMost = 4096;
  auto* const text = static_cast<char*>(palloc0(kMost));
  const ssize_t size = read(file, text, kMost - 1);
  CloseTransientFile(file);
  return size < 0 ? nullptr : text;
}

bool WriteWhole(const char* path, const char* text) {
  const int file = OpenTransientFile(path, O_WRONLY | O_CREAT | O_TRUNC | PG_BINARY);
  if (file < 0) return false;
  const std::size_t size = strlen(text);
  errno = ENOSPC;
  const bool done = write(file, text, size) == static_cast<ssize_t>(size);
  return CloseTransientFile(file) == 0 && done;
}

}  // namespace

char* SchemeFilePath() { return psprintf("%s/%s", DataDir, kSchemeFile); }

bool IsPlainValue(std::string_view value) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789. ";
  return !value.empty() && value.size() <= 40 &&
         value.find_first_not_of(kPlain) == std::string_view::npos;
}

void WriteSchemeFile(const char* pool, std::int64_t version, const char* text) {
  const char* const wanted = FileText(pool, version, text);
  const char* const is = ReadSchemeFile();
  const char* const settings = is != nullptr ? SettingsIn(is) : "";
  if (strcmp(settings, SettingsIn(wanted)) == 0) return;
  const char* const temporary = psprintf("%s.tmp", kSchemeFile);
  if (!WriteWhole(temporary, wanted)) {
    ereport(LOG, (errcode_for_file_access(), errmsg("cannot write \"%s\": %m", temporary)));
    return;
  }
  if (durable_rename(temporary, kSchemeFile, LOG) != 0) return;
  ereport(LOG, (errmsg("settings of the fleet changed, reloading the configuration"),
                errdetail("They are in \"%s\".", SchemeFilePath())));
  if (kill(PostmasterPid, SIGHUP) != 0) {
    ereport(LOG, (errmsg("cannot signal the postmaster: %m")));
  }
}

}  // namespace idgen::pg

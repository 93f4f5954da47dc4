#include "scheme_file.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/scheme.h"
#include "registry/registry.h"
#include "scheme.h"

namespace idgen::pg {

namespace {

// Each line of the scheme is longer by a mark, and by less than itself as a setting.
constexpr off_t kMostBytes = 4 * registry::kSchemeSize;

constexpr char kSchemeFile[] = "idgen_fleet.conf";

// The first line has the version and the pool; after the settings comes the text, each line a
// comment.
constexpr char kHead[] = "# Written by idgen from version ";
constexpr char kTextHead[] = "# The whole scheme:\n";

char* OfPool(const char* pool) {
  return psprintf(" of the scheme of pool \"%s\". It is overwritten.\n", pool);
}

char* FileText(const char* pool, std::int64_t version, const char* text) {
  StringInfoData file;
  initStringInfo(&file);
  appendStringInfo(&file, "%s%lld%s", kHead, static_cast<long long>(version), OfPool(pool));
  SchemeReader reader(text);
  for (SchemeEntry entry; reader.Next(entry);) {
    const bool is_known = std::find(std::begin(kFleetSettings), std::end(kFleetSettings),
                                    entry.name) != std::end(kFleetSettings);
    if (entry.kind != SchemeKind::kSetting || !is_known || !IsPlainValue(entry.value)) continue;
    appendStringInfo(&file, "idgen.%.*s = '%.*s'\n", static_cast<int>(entry.name.size()),
                     entry.name.data(), static_cast<int>(entry.value.size()), entry.value.data());
  }
  appendStringInfoString(&file, kTextHead);
  for (const char* line = text; *line != '\0';) {
    const std::size_t length = strcspn(line, "\n");
    appendStringInfo(&file, "# %.*s\n", static_cast<int>(length), line);
    line += length + (line[length] != '\0' ? 1 : 0);
  }
  return file.data;
}

// The parts of a file: what is between its first line and the scheme's text, and that.
struct FileParts {
  std::string_view settings;
  const char* text;
};

FileParts PartsOf(const char* file) {
  const char* const settings = file + strcspn(file, "\n");
  const char* const head = strstr(settings, kTextHead);
  if (head == nullptr) return {settings, ""};
  return {{settings, static_cast<std::size_t>(head - settings)}, head + strlen(kTextHead)};
}

// Returns the file as it is; nullptr: there is none, or it cannot be read.
char* ReadSchemeFile() {
  const int file = OpenTransientFile(kSchemeFile, O_RDONLY | PG_BINARY);
  if (file < 0) return nullptr;
  struct stat state {};
  char* text = nullptr;
  if (fstat(file, &state) == 0 && state.st_size <= kMostBytes) {
    text = static_cast<char*>(palloc0(static_cast<std::size_t>(state.st_size) + 1));
    if (read(file, text, static_cast<std::size_t>(state.st_size)) < 0) text = nullptr;
  }
  CloseTransientFile(file);
  return text;
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

std::int64_t KeptVersion(const char* pool) {
  const char* const file = ReadSchemeFile();
  if (file == nullptr || strncmp(file, kHead, strlen(kHead)) != 0) return 0;
  char* end = nullptr;
  const std::int64_t version = strtoll(file + strlen(kHead), &end, 10);
  const char* const of_pool = OfPool(pool);
  return strncmp(end, of_pool, strlen(of_pool)) == 0 ? std::max<std::int64_t>(version, 0) : 0;
}

bool IsKeptText(const char* text) {
  const char* const file = ReadSchemeFile();
  return file != nullptr && strcmp(PartsOf(file).text, PartsOf(FileText("", 0, text)).text) == 0;
}

void WriteSchemeFile(const char* pool, std::int64_t version, const char* text) {
  const char* const wanted = FileText(pool, version, text);
  const char* const is = ReadSchemeFile();
  if (is != nullptr ? strcmp(is, wanted) == 0 : version == 0) return;
  const bool has_news = is == nullptr || PartsOf(is).settings != PartsOf(wanted).settings;
  const char* const temporary = psprintf("%s.tmp", kSchemeFile);
  if (!WriteWhole(temporary, wanted)) {
    ereport(LOG, (errcode_for_file_access(), errmsg("cannot write \"%s\": %m", temporary)));
    return;
  }
  if (durable_rename(temporary, kSchemeFile, LOG) != 0 || !has_news) return;
  ereport(LOG, (errmsg("settings of the fleet changed, reloading the configuration"),
                errdetail("They are in \"%s\".", SchemeFilePath())));
  if (kill(PostmasterPid, SIGHUP) != 0) {
    ereport(LOG, (errmsg("cannot signal the postmaster: %m")));
  }
}

}  // namespace idgen::pg

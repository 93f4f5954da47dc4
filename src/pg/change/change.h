// What changes of a generator's layouts have in common, on one server and in a fleet.
#pragma once

#include "pg.h"

#include "catalog.h"
#include "core/scheme.h"
#include "core/succession.h"
#include "registry.h"

namespace idgen::pg {

// --- One server (change.cpp) -------------------------------------------------------------------

inline constexpr std::int64_t kSecondUs = 1'000'000;

// Returns an argument that is one layout, with a name for messages.
Layout OneLayout(FunctionCallInfo fcinfo, int argument);

// Rounds up to whole units. The mark and grants know whole milliseconds.
std::int64_t RoundUp(std::int64_t us, std::int64_t unit);

// Returns the time, or an error if it has no place in PostgreSQL's range.
Datum InstantDatum(std::int64_t time_us);

// Returns the instant of a change: the one that was asked for, which must be ahead, or the earliest
// whole second from `least_us` on.
std::int64_t InstantOf(FunctionCallInfo fcinfo, int argument, const Succession& from,
                       const Layout& to, std::int64_t least_us);

// Returns a generator whose layout may change. Errors: it does not exist, it is a layout.
const Named& ChangeableGenerator(FunctionCallInfo fcinfo);

// Refuses a layout that this server's identity does not fit, before anybody relies on it.
void CheckIdentityFits(const GeneratorDefinition& generator, const Layout& to);

// Sets the layouts of a generator. Needs the owner's rights.
void SetLayoutsOf(const Named& named, const Succession& succession);

// Reports an error if no change is ahead; returns its instant.
std::int64_t CancelledChange(const char* name, Succession& layouts);

// --- The scheme (scheme.cpp) -------------------------------------------------------------------

// A version of the scheme, in the current memory context. 0: the empty one.
struct SchemeVersion {
  std::int64_t version = 0;
  const char* text = "";
  const char* changed_by = "";
  std::int64_t changed_ms = 0;
};

// Returns a version, or those that registry::Driver::read_scheme() has another name for, as a list
// of SchemeVersion.
List* VersionsOfScheme(RegistryAccess& access, std::int64_t version);

// Returns the latest version.
SchemeVersion LatestScheme(RegistryAccess& access);

// Writes a version; returns false if another came first.
bool WriteScheme(RegistryAccess& access, const SchemeVersion& latest, const char* text);

// Reads the layouts of an entry. An error if it is spoilt.
Succession LayoutsOfScheme(const SchemeEntry& entry);

[[noreturn]] void ReportSchemeIsBusy();

// Writes the next version: what `edit(latest)` returns. Tries again if another came first. Nothing
// happens if the text stays as it is.
template <typename Edit>
void EditScheme(RegistryAccess& access, Edit&& edit) {
  constexpr int kMostTries = 10;
  for (int i = 0; i < kMostTries; ++i) {
    const SchemeVersion latest = LatestScheme(access);
    const char* const text = edit(latest);
    if (strcmp(text, latest.text) == 0 || WriteScheme(access, latest, text)) return;
  }
  ReportSchemeIsBusy();
}

}  // namespace idgen::pg

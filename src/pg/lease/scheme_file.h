// The settings of the scheme as a configuration file, idgen_fleet.conf in the data directory. It
// counts where postgresql.conf includes it, and at the place where it does; what is set after that,
// or by ALTER SYSTEM, wins.
//
// The whole scheme is in it too, in comments: so a server knows after a restart by what it went,
// and notices that a registry has forgotten it.
#pragma once

#include "pg.h"

#include <string_view>

namespace idgen::pg {

// The settings that a scheme can have.
inline constexpr std::string_view kFleetSettings[] = {"clock_regression", "max_clock_lead",
                                                      "max_clock_wait", "reserve_window"};

// Returns the version that this server went by last; 0: none of this pool, or the file is not
// there.
std::int64_t KeptVersion(const char* pool);

// Whether the file has this text of a scheme.
bool IsKeptText(const char* text);

// Writes the file if it would be another one, and lets the server read its configuration again if
// that has other settings. A file that cannot be written is told to the log.
void WriteSchemeFile(const char* pool, std::int64_t version, const char* text);

// The path of the file, in the current memory context.
char* SchemeFilePath();

// Whether a value of a setting is written into the file.
bool IsPlainValue(std::string_view value);

}  // namespace idgen::pg

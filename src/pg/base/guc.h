// Reads PostgreSQL's own record of a setting, for example where its value comes from.
#pragma once

#include "pg.h"

namespace idgen::pg {

// Finds a setting of any type by name, including the placeholder of a setting that no module has
// defined. Returns nullptr if there is none.
inline const config_generic* FindSetting(const char* name) { return FindGuc(name); }

// Returns the source of a setting's value; PGC_S_DEFAULT if nobody has set it or it does not exist.
inline GucSource SourceOfSetting(const char* name) {
  const config_generic* setting = FindSetting(name);
  return setting != nullptr ? setting->source : PGC_S_DEFAULT;
}

// Whether a setting was ever given a value, even the default value. `kept` is the caller's, static.
inline bool WasSet(const char* name, const config_generic*& kept) {
  if (kept == nullptr) kept = FindSetting(name);
  return kept != nullptr && kept->source != PGC_S_DEFAULT;
}

}  // namespace idgen::pg

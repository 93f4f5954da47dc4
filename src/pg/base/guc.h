// PostgreSQL's own record of a setting: where its value comes from, among other things.
#pragma once

#include "pg.h"

namespace idgen::pg {

// The setting of that name, of whatever kind, also the placeholder of one that no module has
// defined; nullptr if there is none.
inline const config_generic* FindSetting(const char* name) { return FindGuc(name); }

// Where its value comes from; PGC_S_DEFAULT if nobody has set it, or there is none.
inline GucSource SourceOfSetting(const char* name) {
  const config_generic* setting = FindSetting(name);
  return setting != nullptr ? setting->source : PGC_S_DEFAULT;
}

}  // namespace idgen::pg

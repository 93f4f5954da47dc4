// Settings that were given and refused. Until the module is loaded, PostgreSQL does not know our
// settings and keeps any name and value, from anybody, as a placeholder. When the module defines
// its settings, PostgreSQL drops a value that is invalid, or that its giver had no right to set,
// with just a warning. The default then takes its place, not the configuration file's value, which
// the placeholder has overwritten.
#pragma once

#include "pg.h"

namespace idgen::pg {

// The state of a placeholder before its setting is defined.
struct GivenSetting {
  const char* name = nullptr;  // nullptr: nobody has given it
  GucSource source = PGC_S_DEFAULT;
  GucSource reset_source = PGC_S_DEFAULT;
  bool is_reset_value = false;  // the value is the one that RESET restores
  bool in_transaction = false;  // given in the open transaction
  bool is_local = false;        // by SET LOCAL
  char text[2 * NAMEDATALEN] = {};
};
GivenSetting LookAtGiven(const char* name);

// Remembers the setting if it was refused. Call it after defining the setting.
void NoteIfRefused(const GivenSetting& given);

// Remembers all placeholders with our prefix. Call it after defining all settings.
void NoteUnknownSettings();

// Defines the setting that tells this session and its parallel workers what was refused.
void DefineRefused();
void PublishRefused();

}  // namespace idgen::pg

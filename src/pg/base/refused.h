// Settings that were given and refused. Until the module is loaded PostgreSQL knows no setting of
// ours, and takes any name and any value for a placeholder, from anybody. When the module then
// defines its settings, a value that is invalid, or that its giver had no right to give, is
// dropped with a mere warning; and not for the value below it, the configuration file's, which
// the placeholder has overwritten, but for the default.
#pragma once

#include "pg.h"

namespace idgen::pg {

// What a placeholder had, before the setting of that name is defined.
struct GivenSetting {
  const char* name = nullptr;  // nullptr: nobody has given it
  GucSource source = PGC_S_DEFAULT;
  GucSource reset_source = PGC_S_DEFAULT;
  bool is_reset_value = false;  // the value is the one that RESET goes back to
  bool in_transaction = false;  // given in the transaction that is open
  bool is_local = false;        // by SET LOCAL
  char text[2 * NAMEDATALEN] = {};
};
GivenSetting LookAtGiven(const char* name);

// Remembers it if it was refused; after the setting was defined.
void NoteIfRefused(const GivenSetting& given);

// Remembers all placeholders with our prefix; after all settings were defined.
void NoteUnknownSettings();

// Makes known to this session, and to its parallel workers, what was noted.
void DefineRefused();
void PublishRefused();

}  // namespace idgen::pg

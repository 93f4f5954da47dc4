// What is wrong or unwise about the configuration, as rows of idgen_check_config() and, if idgen is
// preloaded, as lines of the server log. What needs the catalogs is in idgen--1.0.sql.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

enum class Severity : std::uint8_t {
  kError,    // IDs are refused, or may come twice
  kWarning,  // they will be, if something happens that does happen
  kNotice,   // worth knowing
};

// The texts are in the memory context in which the finding was made; `hint` may be nullptr.
struct Finding {
  Severity severity;
  const char* topic;
  const char* message;
  const char* hint;
};

class Findings {
 public:
  void Add(Severity severity, const char* topic, const char* message, const char* hint);

  // Calls `visit` with each finding, in the order in which they were made.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    ListCell* cell;
    foreach (cell, all_) {
      visit(*static_cast<const Finding*>(lfirst(cell)));
    }
  }

 private:
  List* all_ = NIL;
};

// What the settings alone tell. Needs neither shared memory nor catalogs.
void FindInSettings(Findings& findings);

// What the server's files say and the running server does not, yet. As a query of the caller's: an
// error if he may not read pg_file_settings.
void FindInFiles(Findings& findings);

// What the registry says of this server's identity. An error if it does not answer.
void FindInRegistry(Findings& findings);

// What the scheme of the fleet says and is not so here, or not yet.
void FindInFleet(Findings& findings);

// Whether idgen was in shared_preload_libraries when the server was started.
bool IsPreloaded();

// Tells the server log of errors and warnings in the settings; from _PG_init when preloaded.
void LogFindings();

}  // namespace idgen::pg

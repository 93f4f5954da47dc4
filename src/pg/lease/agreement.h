// The worker's part in the scheme of the fleet (core/scheme.h): it learns of versions, gives them
// to the sessions, acknowledges them, and commits proposed changes once all holders have agreed.
#pragma once

#include "pg.h"

#include "registry/registry.h"

namespace idgen::pg {

// The worker's connection to the registry, for one exchange.
struct RegistryLink {
  const registry::Driver& driver;
  registry::Connection* connection;
  const char* pool;
  const char* server;  // this server's name, for people
  std::int64_t deadline_us;
  registry::Error& error;
};

// Whether this worker has read the scheme of its registry.
bool KnowsScheme();

// Whether the registry lacks what this server went by.
bool SchemeIsForgotten();

// Forgets the scheme: of another registry or pool than the next one.
void LeaveScheme();

// Reads the latest version, if this server does not go by it yet, and publishes it. `latest` is
// what is known of its number; below 0: nothing. Settings in it are written to the file.
registry::Status LearnScheme(const RegistryLink& link, std::int64_t latest);

// Returns the version that this server may acknowledge. Its grant covers `until_ms`, which is read
// after LearnScheme().
std::int64_t SchemeToAcknowledge(std::int64_t until_ms);

// Commits proposals on which all holders have agreed, and calls off those whose instant has come.
registry::Status Agree(const RegistryLink& link);

// Whether Agree() has something to do by now.
bool MustAgree();

// Starts a process that gives the databases the layouts of the scheme, if there is news or a
// session asked for it.
void ApplyScheme();

}  // namespace idgen::pg

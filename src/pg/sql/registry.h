// Talking to the registry from a session, for operators. IDs never do (lease.h).
#pragma once

#include "pg.h"

#include "registry/registry.h"

namespace idgen::pg {

// One connection of this session to the registry.
struct RegistryAccess {
  const registry::Driver& driver;
  registry::Connection* connection;
  std::int64_t deadline_us;
  registry::Error error;
};

// Connects. Errors: no registry is set, or it does not answer within idgen.max_lease_wait.
RegistryAccess OpenRegistry();

// Reports an error unless the registry did what was asked.
void CheckAnswer(registry::Status status, const registry::Error& error);

// Runs work with a connection, which is closed whatever happens.
template <typename Work>
void WithRegistry(Work&& work) {
  RegistryAccess access = OpenRegistry();
  PG_TRY();
  { work(access); }
  PG_FINALLY();
  { access.driver.close(access.connection); }
  PG_END_TRY();
}

// Returns all identities of the pool that were ever held or banned, as a list of registry::Listed.
List* ListedIdentities(RegistryAccess& access);

}  // namespace idgen::pg

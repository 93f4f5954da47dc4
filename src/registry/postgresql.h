// The driver of registries in PostgreSQL: addresses are libpq's connection strings and URIs. Needs
// libpq, and no server of PostgreSQL around it. What the registry needs: postgresql_schema.sql.h.
//
// Name resolution in libpq blocks, whatever the deadline: an address with hostaddr does without.
// Each of several hosts gets its part of the time to connect; the first that is not a standby
// is taken. TLS is libpq's, too (sslmode, sslrootcert, ...).
#pragma once

#include "registry.h"

namespace idgen::registry {

const Driver* PostgresqlDriver() noexcept;

}  // namespace idgen::registry

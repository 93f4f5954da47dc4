// The operations of the PostgreSQL registry's driver on a pool's scheme, and on all its holders.
#pragma once

#include "postgresql_link.h"

namespace idgen::registry::postgresql {

// The latest version of the pool's scheme; 0: none. For registries that have schemes.
bool ReadLatest(Link& link, const char* pool, std::int64_t& latest, std::int64_t deadline_us,
                Error& error);

Status ReadScheme(Connection* connection, const char* pool, std::int64_t version,
                  void (*each)(void* context, const Scheme&), void* context,
                  std::int64_t deadline_us, Error& error);
Status WriteScheme(Connection* connection, const char* pool, const Scheme& scheme, bool& written,
                   std::int64_t deadline_us, Error& error);
Status Holders(Connection* connection, const char* pool, bool end_expired,
               void (*each)(void* context, const ListedHolder&), void* context,
               std::int64_t deadline_us, Error& error);
Status Watch(Connection* connection, const char* pool, SchemeVersions& scheme,
             std::int64_t until_us, Error& error);

}  // namespace idgen::registry::postgresql

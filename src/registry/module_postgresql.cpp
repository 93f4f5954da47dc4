// The driver of PostgreSQL registries as a module of the server, loaded when it is named.
#include "pg/base/pg.h"

#include "postgresql.h"

extern "C" {

PG_MODULE_MAGIC;

PGDLLEXPORT const idgen::registry::Driver* idgen_registry_driver(void) {
  return idgen::registry::PostgresqlDriver();
}

}  // extern "C"

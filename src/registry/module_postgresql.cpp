// The drivers of PostgreSQL registries and of ticket servers as a module of the server, loaded when
// one is named.
#include "pg/base/pg.h"
#include "pg/base/version.h"

#include "postgresql.h"
#include "ticket_server.h"

extern "C" {

IDGEN_MODULE_MAGIC("idgen_postgresql");

PGDLLEXPORT const idgen::registry::Driver* idgen_registry_driver(void) {
  return idgen::registry::PostgresqlDriver();
}

PGDLLEXPORT const idgen::registry::TicketServerDriver* idgen_ticket_server_driver(void) {
  return idgen::registry::TicketServer();
}

}  // extern "C"

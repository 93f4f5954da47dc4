// The driver of etcd registries as a module of the server, loaded when it is named.
#include "pg/base/pg.h"

#include "etcd.h"

extern "C" {

PG_MODULE_MAGIC;

PGDLLEXPORT const idgen::registry::Driver* idgen_registry_driver(void) {
  return idgen::registry::EtcdDriver();
}

}  // extern "C"

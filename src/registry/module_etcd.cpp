// The driver of etcd registries as a module of the server, loaded when it is named.
#include "pg/base/pg.h"
#include "pg/base/version.h"

#include "etcd.h"

extern "C" {

IDGEN_MODULE_MAGIC("idgen_etcd");

PGDLLEXPORT const idgen::registry::Driver* idgen_registry_driver(void) {
  return idgen::registry::EtcdDriver();
}

}  // extern "C"

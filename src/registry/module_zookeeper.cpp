// The driver of zookeeper registries as a module of the server, loaded when it is named.
#include "pg/base/pg.h"
#include "pg/base/version.h"

#include "zookeeper_driver.h"

extern "C" {

IDGEN_MODULE_MAGIC("idgen_zookeeper");

PGDLLEXPORT const idgen::registry::Driver* idgen_registry_driver(void) {
  return idgen::registry::ZookeeperDriver();
}

}  // extern "C"

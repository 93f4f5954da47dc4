#include "drivers.h"

#include <string_view>

#ifdef IDGEN_WITH_POSTGRESQL
#include "postgresql.h"
#endif
#ifdef IDGEN_WITH_ZOOKEEPER
#include "zookeeper_driver.h"
#endif
#ifdef IDGEN_WITH_ETCD
#include "etcd.h"
#endif

namespace idgen::registry {

const Driver* FindDriver(const char* address) noexcept {
  [[maybe_unused]] const std::string_view text = address;
#ifdef IDGEN_WITH_ZOOKEEPER
  if (text.starts_with("zookeeper://")) return ZookeeperDriver();
#endif
#ifdef IDGEN_WITH_ETCD
  if (text.starts_with("etcd://") || text.starts_with("etcds://")) return EtcdDriver();
#endif
#ifdef IDGEN_WITH_POSTGRESQL
  const bool is_uri = text.find("://") < text.find_first_of("= ");
  if (text.starts_with("postgresql://") || text.starts_with("postgres://") ||
      (!is_uri && text.find('=') != std::string_view::npos)) {
    return PostgresqlDriver();
  }
#endif
  return nullptr;
}

}  // namespace idgen::registry

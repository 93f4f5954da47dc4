// The driver for ZooKeeper, on its single-threaded library.
//   zookeeper://[user:password@]host[:2181][,...][/path]
// With a user (scheme "digest"), only that user may use what the driver creates.
#pragma once

#include "registry.h"

namespace idgen::registry {

const Driver* ZookeeperDriver() noexcept;

}  // namespace idgen::registry

// The driver for etcd (3.4 and later), by its JSON gateway.
//   etcd://[user:password@]host[:2379][,...][/prefix][?tls=true&ca=FILE&cert=FILE&key=FILE]
// etcds:// is the same as tls=true. The other options mean TLS, too.
#pragma once

#include "registry/registry.h"

namespace idgen::registry {

const Driver* EtcdDriver() noexcept;

}  // namespace idgen::registry

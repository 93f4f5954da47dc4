// The drivers that were built into a program, by an address's scheme. (The server loads modules
// instead.)
#pragma once

#include "registry.h"

namespace idgen::registry {

// Null: no driver here understands such addresses.
const Driver* FindDriver(const char* address) noexcept;

}  // namespace idgen::registry

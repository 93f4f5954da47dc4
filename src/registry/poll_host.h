// The host of a driver in a program: waits by poll(2).
#pragma once

#include "registry.h"

namespace idgen::registry {

// `stop` may be null; once *stop is true (read by __atomic_load_n), waits of up to 100 ms end, and
// with them the call.
Host PollHost(const bool* stop) noexcept;

// The clock of its deadlines.
std::int64_t HostMonotonicUs() noexcept;

}  // namespace idgen::registry

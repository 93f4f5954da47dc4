// The argument `count` of functions that make many IDs in one call.
#pragma once

#include "pg.h"

#include "errors.h"

namespace idgen::pg {

// A larger batch is more likely a mistake than intended.
inline constexpr int kMostInBatch = 10'000'000;

inline std::uint64_t CheckedCount(int count) {
  if (count < 1 || count > kMostInBatch) {
    ReportCount(count, kMostInBatch, psprintf("A batch has 1 to %d IDs.", kMostInBatch));
  }
  return static_cast<std::uint64_t>(count);
}

}  // namespace idgen::pg

// The numbers that a session made since somebody looked, by what made them.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

struct LastMade {
  int sources = 0;
  std::int64_t last = 0;  // of the source; of more than one, of any

  void Add(std::int64_t number) {
    ++sources;
    last = number;
  }
};

}  // namespace idgen::pg

// Random bits that nobody can guess, from a buffer of the session: asking for many at a time is a
// tenth of the cost. Bits are wiped as they are used. The buffer is not used after a fork.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

struct RandomBuffer {
  std::uint64_t words[512];
  std::uint32_t left;
  int owner;  // the process that filled it
};
extern RandomBuffer random_buffer;

// Fills the buffer. An error if the system has no strong random numbers to give.
void FillRandomBuffer();

inline std::uint64_t RandomBits() {
  if (unlikely(random_buffer.left == 0 || random_buffer.owner != MyProcPid)) FillRandomBuffer();
  std::uint64_t& word = random_buffer.words[--random_buffer.left];
  const std::uint64_t bits = word;
  word = 0;
  return bits;
}

}  // namespace idgen::pg

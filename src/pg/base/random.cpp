#include "random.h"

namespace idgen::pg {

constinit RandomBuffer random_buffer{};

void FillRandomBuffer() {
  random_buffer.left = 0;
  if (!pg_strong_random(random_buffer.words, sizeof(random_buffer.words))) {
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
  }
  random_buffer.owner = MyProcPid;
  random_buffer.left = lengthof(random_buffer.words);
}

}  // namespace idgen::pg

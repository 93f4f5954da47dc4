#include "random.h"

#include "test_clock.h"

namespace idgen::pg {

constinit RandomBuffer random_buffer{};

void FillRandomBuffer() {
  random_buffer.left = 0;
  if (TestClockIsOn()) {
    // One at a time: each transaction that uses one is to know of it.
    NoteTestId();
    random_buffer.words[0] = TestRandomBits();
    random_buffer.owner = MyProcPid;
    random_buffer.left = 1;
    return;
  }
  if (!pg_strong_random(random_buffer.words, sizeof(random_buffer.words))) {
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
  }
  random_buffer.owner = MyProcPid;
  random_buffer.left = lengthof(random_buffer.words);
}

}  // namespace idgen::pg

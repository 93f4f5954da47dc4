// Background workers of idgen: one process of each kind, that sessions start when they need it and
// wake by its latch.
#pragma once

#include "pg.h"

#include <cstdint>

namespace idgen::pg {

struct WorkerKind {
  const char* name;      // in pg_stat_activity
  const char* function;  // its main function
  const char* task;      // as in "no background worker is free to ..."
};

// In shared memory.
struct WorkerPlace {
  std::uint64_t worker;    // its place among the processes plus 1, or 0; atomic
  std::uint64_t asked_us;  // when one was last asked for, by the monotonic clock; atomic
};

// Wakes the worker; starts one if there is none. If none can be started, that is an error if the
// caller needs it.
void WakeWorker(WorkerPlace& place, const WorkerKind& kind, bool is_needed = true);

// Starts a process that connects to a database by itself, does its task once, and ends. `argument`
// is its main function's. Sets the caller's latch when it ends. Returns nullptr if none is free;
// else its handle, in the current memory context.
BackgroundWorkerHandle* StartTask(const WorkerKind& kind, Datum argument);

// Registers it to start with the server; from _PG_init when preloaded.
void RegisterWorker(const WorkerKind& kind);

// Makes this process the worker: signals, a memory context to work in, which it returns. The
// process ends if there is another one.
MemoryContext BecomeWorker(WorkerPlace& place, const WorkerKind& kind);

}  // namespace idgen::pg

// The file with a server's clock. Every process of the server maps it (clock.cpp); the orchestrator
// writes it (Torture/Server.pm).
#pragma once

#include <cstdint>

// From `mono_ns` of CLOCK_MONOTONIC on, the wall clock is wall_ns + elapsed * (1 + rate).
struct ClockLine {
  std::int64_t mono_ns;
  std::int64_t wall_ns;
  double rate;
};

// The moments at which a process can be made to kill or stop itself, once for each request.
enum KillPoint : std::uint64_t {
  kNoKill = 0,
  kKillInWait = 1,       // asleep, waiting for the clock
  kKillBeforeWrite = 2,  // in a reserve: the mark is in the log's buffers, but not in the log
  kKillAfterWrite = 3,   // in a reserve: the mark is written, but not flushed
  kKillBeforeUse = 4,    // after a reserve: the next attempt reads the clock
  kKillWithPage = 5,     // in a reserve: the mark's page is locked, but not written
  kStopInstead = 16,     // added to one of these: stop (SIGSTOP) instead of kill
};

struct ClockFile {
  std::uint64_t changes;  // lines[changes % 2] is in force
  ClockLine lines[2];
  std::uint64_t kill_point;
  std::uint64_t kills;  // the number of kills and stops so far
  std::uint64_t last;   // the last process killed or stopped
};
static_assert(sizeof(ClockFile) == 80);

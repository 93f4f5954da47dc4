// The file in which a server's clock is kept; mapped by every process of the server
// (clock.cpp), written by the orchestrator (Torture/Server.pm).
#pragma once

#include <cstdint>

// From `mono_ns` of CLOCK_MONOTONIC on the wall clock is wall_ns + elapsed * (1 + rate).
struct ClockLine {
  std::int64_t mono_ns;
  std::int64_t wall_ns;
  double rate;
};

// The moments at which a process can be made to kill or stop itself, once for each time it is
// asked.
enum KillPoint : std::uint64_t {
  kNoKill = 0,
  kKillInWait = 1,       // asleep, waiting for the clock
  kKillBeforeWrite = 2,  // in a reserve: the mark is in the log's buffers, and not in the log
  kKillAfterWrite = 3,   // in a reserve: it is written, and not flushed
  kKillBeforeUse = 4,    // after a reserve, at the reading of the clock for the next attempt
  kKillWithPage = 5,     // in a reserve: the mark's page is locked, and not written
  kStopInstead = 16,     // added to one of these: stopped (SIGSTOP), and not killed
};

struct ClockFile {
  std::uint64_t changes;  // lines[changes % 2] is the one that counts
  ClockLine lines[2];
  std::uint64_t kill_point;
  std::uint64_t kills;  // so many were done
  std::uint64_t last;   // the process that was the last
};
static_assert(sizeof(ClockFile) == 80);

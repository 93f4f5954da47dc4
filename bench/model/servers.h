// Servers that make IDs, each with an identity, a clock and sessions of its own: a simulation in
// virtual time around the core's own code. Requests arrive at random (a Poisson process), each
// for one session, which takes them one after the other; a session that meets a used-up tick or
// a clock that is behind waits as the guard tells it to.
//
// The cache line of the position is not simulated here (cores.h): an ID costs a constant time.
#pragma once

#include "virtual_time.h"

#include <array>
#include <cstdint>
#include <vector>

namespace idgen::scale {

struct Load {
  const Layout* layout = nullptr;
  std::uint64_t block_size = 1;  // as idgen.block_size
  unsigned sessions = 16;
  double ids_per_s = 0;  // of one server, on average
  unsigned ids_in_request = 1;
  double id_ns = 50;     // what an ID costs its session
  double wake_ns = 200;  // how late the end of a wait is seen
};

// A wall clock: what it shows is off by a constant and a rate, and at one moment it is set.
struct ServerClock {
  std::int64_t ahead_us = 0;
  double drift = 0;  // 1e-6: a microsecond a second too fast
  Ps set_at = 0;
  std::int64_t set_by_us = 0;

  [[nodiscard]] std::int64_t At(Ps now) const {
    const auto drifted_us =
        static_cast<std::int64_t>(static_cast<double>(now) * (1 + drift) / kPsInUs);
    return kStartUs + ahead_us + drifted_us + (now >= set_at ? set_by_us : 0);
  }
};

// Times of at least 0, to a tenth of a microsecond.
class Delays {
 public:
  void Add(Ps delay);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double MeanUs() const;
  // The time that `part` of all are not above, in microseconds.
  [[nodiscard]] double QuantileUs(double part) const;
  [[nodiscard]] double MostUs() const { return static_cast<double>(most_) / kPsInUs; }

 private:
  static constexpr Ps kStep = kPsInUs / 10;

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  Ps most_ = 0;
  double sum_us_ = 0;
};

struct ServersOutcome {
  std::uint64_t issued = 0;
  // Of the ticks that are whole ones after the warming up: how many, and the IDs in them.
  std::uint64_t whole_ticks = 0;
  std::uint64_t in_whole_ticks = 0;
  std::uint64_t repeats = 0;      // IDs that were issued before, by any server: a fault
  std::uint64_t disorder = 0;     // without blocks: not above that server's last: a fault
  std::uint64_t wrong_times = 0;  // ahead of the server's clock, or more than a tick late: a fault
  std::uint64_t tick_waits = 0;   // requests that waited for a tick
  std::uint64_t clock_waits = 0;  // and for a clock that was behind
  std::uint64_t requests = 0;     // that were served after the warming up
  Delays delays;                  // theirs: from arrival to end, without the IDs' own cost
};

// All servers of one system, one after the other: only their IDs can meet.
class Servers {
 public:
  // Clocks are at most `most_ahead_us` from the true time, either way.
  Servers(const Layout& layout, std::int64_t run_ms, std::int64_t most_ahead_us);

  // Runs one server for `run_ms` of virtual time, of which the first `warm_ms` are not in the
  // delays. Calls `end_of_tick` with the number of IDs that were asked for and not yet issued, at
  // the end of each tick of the server's clock, if it is given.
  void Run(const Load& load, const Identity& identity, const ServerClock& clock,
           std::int64_t warm_ms, std::uint64_t seed,
           std::vector<std::uint64_t>* asked_in_tick = nullptr,
           std::vector<std::uint64_t>* left_at_tick_end = nullptr);

  [[nodiscard]] const ServersOutcome& outcome() const { return outcome_; }

 private:
  std::int64_t run_ms_;
  Seen seen_;
  ServersOutcome outcome_;
};

}  // namespace idgen::scale

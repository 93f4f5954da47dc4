// Many cores that make IDs of a few ID spaces: a simulation in virtual time around the core's
// own code.
//
// A core calls, and between two calls it thinks: the caller's loop, the function, its reading
// of the clock. What a call does to a position (the core's code tells, see counted_word.h) needs
// that position's cache line, as in a machine with coherent caches: a read needs a copy, and a
// write needs the line for itself. Where the core has it, that costs little. Else the line must
// be transferred from the core that wrote it last, one transfer after the other, in the order in
// which they were asked for. A swap after a read costs two transfers.
//
// It is simpler than the hardware. A core that has the line may use it some times before it loses
// it, which makes a few cores faster than the simulation; requests have a price on the way, which
// makes very many slower. And what a call does to the position is not interleaved with what others
// do: no swap fails.
#pragma once

#include "virtual_time.h"

#include <cstdint>
#include <string_view>

namespace idgen::scale {

// What a cache line costs, in nanoseconds. Cores are numbered group by group (those that share
// a last-level cache) and socket by socket.
struct Machine {
  std::string_view name;
  unsigned cores = 0;
  unsigned cores_in_group = 0;
  unsigned cores_in_socket = 0;
  double own_ns = 0;     // a use where the core has the line
  double group_ns = 0;   // a transfer within a group
  double socket_ns = 0;  // from one group to another
  double far_ns = 0;     // from one socket to another

  [[nodiscard]] double CostOf(unsigned from, unsigned to) const {
    if (from == to) return own_ns;
    if (from / cores_in_socket != to / cores_in_socket) return far_ns;
    return from / cores_in_group == to / cores_in_group ? group_ns : socket_ns;
  }
};

// The same cost between all cores.
constexpr Machine EvenMachine(std::string_view name, unsigned cores, double own_ns,
                              double transfer_ns) {
  return {name, cores, cores, cores, own_ns, transfer_ns, transfer_ns, transfer_ns};
}

struct Work {
  const Layout* layout = nullptr;
  std::uint64_t block_size = 1;  // as idgen.block_size
  std::uint64_t batch = 0;  // IDs of a call, as a batch function makes them; 0: one, by the cursor
  unsigned spaces = 1;      // ID spaces, dealt out to the cores in turn
  double call_ns = 0;       // of a call, without the line and the clock
  double id_ns = 0;         // of each ID of a batch
  double clock_ns = 0;      // of a reading of the clock
  // The cycle counter stands still between readings: one of the clock is used a thousand times.
  // Else it is read again after 8 microseconds: in many cores that queue for one line, with nearly
  // every call.
  bool counter_stands = false;
  Spread think = Spread::kUniform;
  Spread line = Spread::kConstant;
};

struct CoresOutcome {
  double million_per_s = 0;   // IDs of all cores
  double line_busy = 0;       // part of the time in which the lines were used, their mean
  std::uint64_t issued = 0;   // with those before the measurement
  std::uint64_t repeats = 0;  // IDs that were issued before: a fault
};

// Runs `cores` of the machine's for `warm_ms` and then measures for `run_ms` of virtual time.
// Which cores they are and in which order they begin follows from the seed.
CoresOutcome RunCores(const Machine& machine, const Work& work, unsigned cores,
                      std::int64_t warm_ms, std::int64_t run_ms, std::uint64_t seed);

}  // namespace idgen::scale

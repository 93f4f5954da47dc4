// Machines of whose caches somebody published measurements.
//
// Source of the transfer costs: Nicolas Viennot, "Measuring CPU core-to-core latency",
// https://github.com/nviennot/core-to-core-latency (2022): medians of the time in which a core
// sees, by compare-and-swap, what another core wrote, tables "Single socket results" and "Dual
// sockets results".
#pragma once

#include "cores.h"

#include <array>

namespace idgen::scale {

// What an atomic operation on a line in the core's own cache costs is not published there; it is
// the same small part everywhere.
inline constexpr double kPublishedOwnNs = 5;

inline constexpr std::array kPublishedMachines = {
    // Ice Lake, AWS c6i.metal: 51 ns in a socket, 108 ns from one to the other.
    Machine{"2 x Xeon Platinum 8375C", 64, 32, 32, kPublishedOwnNs, 51, 51, 108},
    // Milan, AWS c6a.metal: 23 ns in a group of 8, 107 ns from group to group, 197 ns from socket
    // to socket. (On the second socket the 107 ns were 200, which its author calls odd.)
    Machine{"2 x EPYC 7R13", 96, 8, 48, kPublishedOwnNs, 23, 107, 197},
    // Neoverse V1, AWS c7g.16xlarge: 46 ns.
    Machine{"Graviton3", 64, 64, 64, kPublishedOwnNs, 46, 46, 46},
};

}  // namespace idgen::scale

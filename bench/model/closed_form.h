// What queueing theory says about cores that share one cache line: `cores` customers, each of
// which thinks for `think_ns`, waits for the line in turn and has it for `line_ns`.
//
// Source: the machine-repairman model and the asymptotic bounds of closed queueing networks;
// Lazowska, Zahorjan, Graham and Sevcik, "Quantitative System Performance", 1984, chapters 5
// and 6.
#pragma once

#include <algorithm>

namespace idgen::scale {

// Million calls a second at most; exact where both times are constant.
constexpr double BoundOf(double cores, double think_ns, double line_ns) {
  return 1e3 * std::min(cores / (think_ns + line_ns), 1 / line_ns);
}

// Million calls a second, exact where both times are exponential (mean value analysis).
constexpr double RepairmanOf(unsigned cores, double think_ns, double line_ns) {
  double waiting = 0;
  double rate = 0;
  for (unsigned n = 1; n <= cores; ++n) {
    const double at_line_ns = line_ns * (1 + waiting);
    rate = n / (at_line_ns + think_ns);
    waiting = rate * at_line_ns;
  }
  return 1e3 * rate;
}

// The inverse of BoundOf for two cores: the time for which each call has the line, from the
// million calls a second that both make together; 0 where they do not hinder each other.
constexpr double LineTimeOf(double million_of_two, double think_ns) {
  const double each_ns = 1e3 / million_of_two;
  return each_ns <= think_ns ? std::max(0.0, 2 * each_ns - think_ns) : each_ns;
}

}  // namespace idgen::scale

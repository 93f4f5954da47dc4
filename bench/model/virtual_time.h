// What the simulations share: virtual time, clocks that show it, random times, and the memory
// of every ID that was issued.
#pragma once

#include "counted_word.h"

#include <idgen/cursor.h>
#include <idgen/guard.h>
#include <idgen/layout.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

namespace idgen::scale {

// Picoseconds since the simulation began.
using Ps = std::int64_t;

inline Ps FromNs(double ns) { return static_cast<Ps>(std::llround(ns * 1e3)); }
inline constexpr Ps kPsInUs = 1'000'000;
inline constexpr Ps kPsInMs = 1'000'000'000;

// The instant at which simulations begin: that of a tick of every layout used here.
inline constexpr std::int64_t kStartUs = 1'795'000'000'000'000;

// The cycle counter of all cores: a nanosecond a count.
inline constexpr std::uint64_t kCountsPerUs = 1000;
inline std::uint64_t CounterAt(Ps now) {
  return static_cast<std::uint64_t>(now / 1000) + 1'000'000;
}

// How a time varies around its mean: not, evenly from half to three halves, or exponentially.
enum class Spread : std::uint8_t { kConstant, kUniform, kExponential };

// The same numbers for the same seed with every standard library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // From 0 to below 1.
  double Unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  // From 0 to below `count`.
  std::size_t Below(std::size_t count) {
    return static_cast<std::size_t>(Unit() * static_cast<double>(count));
  }
  double Exponential(double mean) { return -mean * std::log1p(-Unit()); }
  double Around(double mean, Spread spread) {
    switch (spread) {
      case Spread::kConstant:
        return mean;
      case Spread::kUniform:
        return mean * (0.5 + Unit());
      case Spread::kExponential:
        return Exponential(mean);
    }
    return mean;
  }

 private:
  std::mt19937_64 engine_;
};

// Numbers of a range that have been there. Memory is taken for parts that are in use.
class Seen {
 public:
  Seen(std::uint64_t first, std::uint64_t count) : first_(first), parts_(count / kPart + 1) {}

  // False if it was there before.
  bool Add(std::uint64_t number) {
    const std::uint64_t at = number - first_;
    if (at / kPart >= parts_.size()) throw std::out_of_range("an ID of a time not simulated");
    std::vector<std::uint64_t>& part = parts_[at / kPart];
    if (part.empty()) part.resize(kPart / 64);
    const std::uint64_t bit = std::uint64_t{1} << (at % 64);
    std::uint64_t& bits = part[at % kPart / 64];
    const bool is_new = (bits & bit) == 0;
    bits |= bit;
    return is_new;
  }

 private:
  static constexpr std::uint64_t kPart = 4096;

  std::uint64_t first_;
  std::vector<std::vector<std::uint64_t>> parts_;
};

}  // namespace idgen::scale

// Bloom filters of IDs: a set of bits that tells which IDs are certainly not among those that were
// added, and errs for a known share of the others. Source: Bloom, "Space/Time Trade-offs in Hash
// Coding with Allowable Errors", 1970; two hashes instead of many: Kirsch and Mitzenmacher, "Less
// Hashing, Same Performance", 2006.
//
// Which bits an ID sets depends on the ID and the shape alone, on every machine and in every
// version: filters travel between servers, and are kept.
#pragma once

#include <cmath>
#include <cstdint>

#include "id128.h"
#include "shard.h"

namespace idgen {

struct BloomShape {
  std::uint64_t bits = 0;  // a multiple of 64
  unsigned hashes = 0;     // bits that each ID sets

  friend constexpr bool operator==(const BloomShape&, const BloomShape&) = default;
};

inline constexpr unsigned kMostBloomHashes = 64;
// As in PostgreSQL's own: 512 MB.
inline constexpr std::uint64_t kMostBloomBits = std::uint64_t{1} << 32;

// Returns the smallest shape that errs for no more than a share of the IDs that were not added,
// once `expected` IDs were. No bits if it would have more than kMostBloomBits. `expected` is at
// least 1; `error_rate` is between 0 and 1.
inline BloomShape BloomShapeFor(std::uint64_t expected, double error_rate) noexcept {
  constexpr double kLn2 = 0.693147180559945309417;
  const double doublings = -std::log(error_rate) / kLn2;
  const double bits = static_cast<double>(expected) * doublings / kLn2;
  const double hashes = std::floor(doublings + 0.5);
  if (!(bits <= static_cast<double>(kMostBloomBits))) return {};
  BloomShape shape;
  shape.bits = (static_cast<std::uint64_t>(bits) / 64 + 1) * 64;
  if (shape.bits > kMostBloomBits) shape.bits = kMostBloomBits;
  shape.hashes = hashes < 1                  ? 1
                 : hashes > kMostBloomHashes ? kMostBloomHashes
                                             : static_cast<unsigned>(hashes);
  return shape;
}

// The two hashes of an ID.
struct BloomHash {
  std::uint64_t first = 0;
  std::uint64_t step = 0;  // odd

  // Returns the number of the bit that a hash sets, by the hash's highest bits. Source: Lemire,
  // "Fast Random Integer Generation in an Interval", 2019.
  [[nodiscard]] constexpr std::uint64_t BitOf(unsigned hash, std::uint64_t bits) const noexcept {
    __extension__ using Uint128 = unsigned __int128;
    return static_cast<std::uint64_t>(static_cast<Uint128>(first + hash * step) * bits >> 64);
  }
};

// The constants are the first digits of the square roots of 2 and 3.
constexpr BloomHash BloomHashOf(std::uint64_t id) noexcept {
  const std::uint64_t first = MixHash(id + 0x6a09e667f3bcc908);
  return {first, MixHash(first ^ 0xbb67ae8584caa73b) | 1};
}
constexpr BloomHash BloomHashOf(Id128 id) noexcept {
  return BloomHashOf(MixHash(id.high + 0x6a09e667f3bcc908) ^ id.low);
}

// `filter` has shape.bits / 8 bytes. Bit n is bit n % 8 of byte n / 8.
constexpr void AddToBloom(unsigned char* filter, BloomShape shape, BloomHash hash) noexcept {
  for (unsigned i = 0; i < shape.hashes; ++i) {
    const std::uint64_t bit = hash.BitOf(i, shape.bits);
    filter[bit / 8] = static_cast<unsigned char>(filter[bit / 8] | 1U << bit % 8);
  }
}

// Whether an ID may have been added; true for all that were.
constexpr bool MayBeInBloom(const unsigned char* filter, BloomShape shape,
                            BloomHash hash) noexcept {
  for (unsigned i = 0; i < shape.hashes; ++i) {
    const std::uint64_t bit = hash.BitOf(i, shape.bits);
    if ((filter[bit / 8] >> bit % 8 & 1U) == 0) return false;
  }
  return true;
}

}  // namespace idgen

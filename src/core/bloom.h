// Bloom filters of IDs: a set of bits that tells which IDs are certainly not among those that were
// added, and errs for a known share of the others. Source: Bloom, "Space/Time Trade-offs in Hash
// Coding with Allowable Errors", 1970. All bits of an ID are in one block of 64 bytes, so that
// adding one or looking for one reads one or two lines of memory, however large the filter is:
// Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007.
//
// Which bits an ID sets depends on the ID and the shape alone, on every machine and in every
// version: filters travel between servers, and are kept.
#pragma once

#include <cmath>
#include <cstdint>

#include "id128.h"
#include "shard.h"

namespace idgen {

inline constexpr unsigned kBloomBlockBits = 512;
inline constexpr unsigned kMostBloomHashes = 32;
// As in PostgreSQL's own: 512 MB.
inline constexpr std::uint64_t kMostBloomBits = std::uint64_t{1} << 32;

struct BloomShape {
  std::uint64_t bits = 0;  // a multiple of kBloomBlockBits
  unsigned hashes = 0;     // bits that each ID sets, some of which may be the same

  friend constexpr bool operator==(const BloomShape&, const BloomShape&) = default;
};

// Returns for which share of the IDs that were not added a filter errs, after so many were: the
// share of bits that are set in a block to the power of `hashes`, over blocks whose numbers of IDs
// have a Poisson distribution.
inline double BloomErrorRate(BloomShape shape, double ids) noexcept {
  const double mean = ids * kBloomBlockBits / static_cast<double>(shape.bits);
  const double stays_unset = std::log1p(-1.0 / kBloomBlockBits) * shape.hashes;
  const double hashes = shape.hashes;
  // Many IDs in a block: their number hardly varies. And a damaged count may be any number.
  if (!(mean <= kBloomBlockBits)) return std::pow(-std::expm1(stays_unset * mean), hashes);
  double chance = std::exp(-mean);
  double sum = 0;
  // Beyond twelve standard deviations there is nothing.
  const auto most = static_cast<unsigned>(mean + 12 * std::sqrt(mean) + 30);
  for (unsigned in_block = 1; in_block <= most; ++in_block) {
    chance *= mean / in_block;
    sum += chance * std::pow(-std::expm1(stays_unset * in_block), hashes);
  }
  return sum;
}

// Returns the smallest shape, of more bits than IDs, that errs for no more than a share of the IDs
// that were not added, once `expected` IDs were. No bits if it would have more than kMostBloomBits.
// `expected` is at least 1; `error_rate` is between 0 and 1.
inline BloomShape BloomShapeFor(std::uint64_t expected, double error_rate) noexcept {
  const auto ids = static_cast<double>(expected);
  const double hashes = std::floor(0.5 - std::log2(error_rate));
  BloomShape shape;
  shape.hashes = hashes < 1                  ? 1
                 : hashes > kMostBloomHashes ? kMostBloomHashes
                                             : static_cast<unsigned>(hashes);
  // Fewer bits than IDs make little sense, and exp() of the mean would be 0.
  if (!(ids < static_cast<double>(kMostBloomBits))) return {};
  std::uint64_t low = expected / kBloomBlockBits;  // too few blocks
  std::uint64_t high = kMostBloomBits / kBloomBlockBits;
  const auto suffices = [&](std::uint64_t blocks) {
    return BloomErrorRate({blocks * kBloomBlockBits, shape.hashes}, ids) <= error_rate;
  };
  if (!suffices(high)) return {};
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    (suffices(middle) ? high : low) = middle;
  }
  shape.bits = high * kBloomBlockBits;
  return shape;
}

// What an ID's bits are made of.
struct BloomHash {
  std::uint64_t block = 0;
  std::uint64_t bits = 0;
};

// The constants are the first digits of the square roots of 2 and 3.
constexpr BloomHash BloomHashOf(std::uint64_t id) noexcept {
  const std::uint64_t block = MixHash(id + 0x6a09e667f3bcc908);
  return {block, MixHash(block ^ 0xbb67ae8584caa73b)};
}
constexpr BloomHash BloomHashOf(Id128 id) noexcept {
  return BloomHashOf(MixHash(id.high + 0x6a09e667f3bcc908) ^ id.low);
}

// Returns the first byte of an ID's block, by the hash's highest bits. Source: Lemire, "Fast Random
// Integer Generation in an Interval", 2019.
constexpr std::uint64_t BloomBlockOf(BloomShape shape, BloomHash hash) noexcept {
  __extension__ using Uint128 = unsigned __int128;
  const std::uint64_t blocks = shape.bits / kBloomBlockBits;
  return static_cast<std::uint64_t>(static_cast<Uint128>(hash.block) * blocks >> 64) *
         (kBloomBlockBits / 8);
}

// Calls `take` with the byte and the mask of each of an ID's bits until it returns false. Returns
// whether it never did. Bit n is bit n % 8 of byte n / 8.
template <typename Take>
constexpr bool ForBloomBits(BloomShape shape, BloomHash hash, Take&& take) noexcept {
  const std::uint64_t block = BloomBlockOf(shape, hash);
  constexpr unsigned kBits = 9;  // that say which bit of a block
  std::uint64_t bits = hash.bits;
  unsigned left = 64 / kBits;
  for (unsigned i = 0; i < shape.hashes; ++i) {
    if (left == 0) {
      hash.bits = bits = MixHash(hash.bits);
      left = 64 / kBits;
    }
    const std::uint64_t bit = bits % kBloomBlockBits;
    if (!take(block + bit / 8, static_cast<unsigned char>(1U << bit % 8))) return false;
    bits >>= kBits;
    --left;
  }
  return true;
}

// `filter` has shape.bits / 8 bytes.
constexpr void AddToBloom(unsigned char* filter, BloomShape shape, BloomHash hash) noexcept {
  ForBloomBits(shape, hash, [filter](std::uint64_t byte, unsigned char mask) {
    filter[byte] |= mask;
    return true;
  });
}

// Whether an ID may have been added; true for all that were.
constexpr bool MayBeInBloom(const unsigned char* filter, BloomShape shape,
                            BloomHash hash) noexcept {
  return ForBloomBits(shape, hash, [filter](std::uint64_t byte, unsigned char mask) {
    return (filter[byte] & mask) != 0;
  });
}

}  // namespace idgen

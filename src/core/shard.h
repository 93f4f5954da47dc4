// Maps routing keys to logical shards.
//
// A key's shard depends only on the key's bytes and the number of shards, today and for ever: users
// store rows by it, and other programs compute it too.
#pragma once

#include <cfloat>
#include <cstdint>
#include <limits>
#include <string_view>

#if defined(__FAST_MATH__) || defined(__RECIPROCAL_MATH__)
#error "idgen/shard.h gives wrong shards with -ffast-math: see JumpHash"
#endif

namespace idgen {

// FNV-1a, 64 bits. Source of the constants: Fowler, Noll and Vo,
// http://www.isthe.com/chongo/tech/comp/fnv/ and draft-eastlake-fnv.
constexpr std::uint64_t Fnv1a64(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x00000100000001b3;
  }
  return hash;
}

// Mixes a hash one to one, so that every bit of the result depends on every bit of the hash. Source
// of the constants: fmix64 in Austin Appleby's MurmurHash3 (public domain).
constexpr std::uint64_t MixHash(std::uint64_t hash) noexcept {
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53;
  hash ^= hash >> 33;
  return hash;
}

// FNV-1a alone is not enough: its low bits depend only on the low bits of the key's bytes, and keys
// that differ in their last byte lie a few fixed distances apart. Hence the mixing.
constexpr std::uint64_t HashKey(std::string_view key) noexcept { return MixHash(Fnv1a64(key)); }

// Consistent hashing: returns the bucket of a key, from 0 to `buckets` - 1. `buckets` is at least
// 1. When a bucket is added, a key stays where it is or moves to the new one. Source: Lamping and
// Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014, arXiv:1406.2294.
//
// It uses floating point, like the paper. The paper's quotient is rounded before it is multiplied,
// and that shows (49 * (2^31 / (49 * 2^10)) becomes 2^21 - 1), so exact integers would be another
// function. Quotients and products of doubles have the same bits wherever IEEE 754 holds and the
// compiler neither uses wider registers nor reorders.
constexpr std::int32_t JumpHash(std::uint64_t key, std::int32_t buckets) noexcept {
  static_assert(std::numeric_limits<double>::is_iec559, "needs IEEE 754");
  static_assert(FLT_EVAL_METHOD >= 0 && FLT_EVAL_METHOD != 2, "needs doubles of 64 bits");
  constexpr double kTwoTo31 = 2147483648.0;
  std::int64_t bucket = -1;
  std::int64_t next = 0;
  while (next < buckets) {
    bucket = next;
    key = key * 2862933555777941757 + 1;
    // At most 2^31 * 2^31: no overflow.
    next = static_cast<std::int64_t>(static_cast<double>(bucket + 1) *
                                     (kTwoTo31 / static_cast<double>((key >> 33) + 1)));
  }
  return static_cast<std::int32_t>(bucket);
}

// Returns the shard of a key, from 0 to `shards` - 1. `shards` is at least 1.
constexpr std::int32_t ShardOf(std::string_view key, std::int32_t shards) noexcept {
  return JumpHash(HashKey(key), shards);
}

}  // namespace idgen

#include <idgen/shard.h>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace idgen {
namespace {

constexpr std::int32_t kMostBuckets = std::numeric_limits<std::int32_t>::max();

static_assert(ShardOf("customer:1001", 10) == 8, "usable when compiling");
static_assert(noexcept(ShardOf("", 1)));

// --- Hashing -------------------------------------------------------------------------

TEST(HashKey, Fnv1aHasThePublishedValues) {
  EXPECT_EQ(Fnv1a64(""), 0xcbf29ce484222325);
  EXPECT_EQ(Fnv1a64("a"), 0xaf63dc4c8601ec8c);
  EXPECT_EQ(Fnv1a64("foobar"), 0x85944171f73967e8);
}

// Computed by a Python program written from the definitions.
TEST(HashKey, KnownHashes) {
  EXPECT_EQ(HashKey(""), 0xefd01f60ba992926);
  EXPECT_EQ(HashKey("a"), 0x82a2a958a9bece5b);
  EXPECT_EQ(HashKey("foobar"), 0x2c22194922d1672b);
  EXPECT_EQ(HashKey("1"), 0x7c3832dde020d3d6);
  EXPECT_EQ(HashKey("42"), 0x810b196a56ee3cec);
  EXPECT_EQ(HashKey("customer:1001"), 0xe88a14aee7123760);
  EXPECT_EQ(HashKey("550e8400-e29b-41d4-a716-446655440000"), 0x65023cca21d643bf);
}

// Whether char has a sign must not matter, and NUL is a byte like any other.
TEST(HashKey, TakesAllBytes) {
  EXPECT_EQ(HashKey("\xc3\xa9"), 0x9d55ccb9ba86763b);
  EXPECT_EQ(HashKey({"\0", 1}), 0xb9034ad37056f5fb);
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(HashKey(all), 0x2067db6dbd4efa06);
}

// Again with products modulo 2^64 by long multiplication, a byte at a time.
std::uint64_t SlowProduct(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  for (; b > 0; b /= 2, a += a) product += b % 2 == 1 ? a : 0;
  return product;
}

TEST(HashKey, AgreesWithASlowReference) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string key;
    for (std::uint64_t length = random() % 40; length > 0; --length) {
      key += static_cast<char>(random() % 256);
    }
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : key) {
      hash = SlowProduct(hash ^ static_cast<std::uint64_t>(c & 0xff), 1099511628211);
    }
    ASSERT_EQ(Fnv1a64(key), hash);
    for (const std::uint64_t factor : {0xff51afd7ed558ccd, 0xc4ceb9fe1a85ec53}) {
      hash = SlowProduct(hash ^ (hash / (std::uint64_t{1} << 33)), factor);
    }
    hash ^= hash / (std::uint64_t{1} << 33);
    ASSERT_EQ(HashKey(key), hash);
  }
}

// --- Jumping -------------------------------------------------------------------------

TEST(JumpHash, KnownBuckets) {
  constexpr std::array<std::int32_t, 8> kBuckets = {1, 2, 3, 7, 64, 1000, 8192, kMostBuckets};
  struct Known {
    std::uint64_t key;
    std::array<std::int32_t, 8> expected;
  };
  // Computed by a Python program written from the paper.
  const Known known[] = {
      {0, {0, 0, 0, 0, 0, 0, 0, 0}},
      {1, {0, 0, 0, 6, 55, 549, 2323, 262355607}},
      {2, {0, 0, 0, 6, 62, 338, 3927, 736532115}},
      {256, {0, 1, 2, 3, 16, 520, 5881, 74751002}},
      {0x7a21caea, {0, 1, 1, 6, 6, 743, 5831, 1899623586}},
      {0xdeadbeef, {0, 1, 2, 5, 16, 285, 7366, 1452406526}},
      {0x100000000, {0, 1, 2, 2, 62, 937, 3776, 1378953490}},
      {0x2698ad4b48eacf, {0, 1, 1, 6, 21, 830, 4855, 977315119}},
      {0x123456789abcdef0, {0, 0, 2, 4, 33, 399, 6661, 267021293}},
      {0x8000000000000000, {0, 1, 1, 5, 27, 453, 453, 1119800965}},
      {0xffffffffffffffff, {0, 1, 2, 2, 10, 313, 5934, 699554662}},
  };
  for (const Known& one : known) {
    for (std::size_t i = 0; i < kBuckets.size(); ++i) {
      EXPECT_EQ(JumpHash(one.key, kBuckets[i]), one.expected[i]) << one.key << ' ' << kBuckets[i];
    }
  }
}

// Keys whose second jump is from 48 by 49 * (2^31 / (49 * 2^10)): exactly 2^21, but 2^21 - 1
// in the paper's arithmetic.
TEST(JumpHash, RoundsAsThePaperDoes) {
  for (const std::uint64_t key : {0x90279ed82fef5465, 0xfd64999aff32a4a7, 0xb4d44c6801c374ab}) {
    EXPECT_EQ(JumpHash(key, (1 << 21) - 1), 48);
    EXPECT_EQ(JumpHash(key, 1 << 21), (1 << 21) - 1);
  }
}

TEST(KeyShards, Known) {
  struct Known {
    const char* key;
    std::int32_t of_10, of_1000, of_8192;
  };
  const Known known[] = {{"", 1, 499, 499},       {"a", 5, 723, 1093},
                         {"foobar", 3, 38, 3183}, {"1", 8, 439, 6209},
                         {"42", 0, 830, 7742},    {"customer:1001", 8, 768, 6358}};
  for (const Known& one : known) {
    EXPECT_EQ(ShardOf(one.key, 1), 0) << one.key;
    EXPECT_EQ(ShardOf(one.key, 10), one.of_10) << one.key;
    EXPECT_EQ(ShardOf(one.key, 1000), one.of_1000) << one.key;
    EXPECT_EQ(ShardOf(one.key, 8192), one.of_8192) << one.key;
  }
}

__extension__ using Uint128 = unsigned __int128;

// numerator / denominator as IEEE 754 rounds it to 53 bits: mantissa * 2^-scale.
struct Rounded {
  std::uint64_t mantissa;
  unsigned scale;
};
Rounded RoundToDouble(Uint128 numerator, Uint128 denominator) {
  // Scaled up until the quotient has 53 bits before the point.
  unsigned scale = 0;
  while (numerator / denominator < std::uint64_t{1} << 52) {
    numerator *= 2;
    ++scale;
  }
  auto mantissa = static_cast<std::uint64_t>(numerator / denominator);
  const Uint128 twice_rest = numerator % denominator * 2;
  const bool is_odd = mantissa % 2 == 1;
  if (twice_rest > denominator || (twice_rest == denominator && is_odd)) ++mantissa;
  return {mantissa, scale};
}

// The paper's algorithm in integers that do what doubles must do.
std::int32_t SlowJump(std::uint64_t key, std::int32_t buckets) {
  std::uint64_t bucket = 0;
  std::uint64_t next = 0;
  while (next < static_cast<std::uint64_t>(buckets)) {
    bucket = next;
    key = SlowProduct(key, 2862933555777941757U) + 1;
    const Rounded quotient =
        RoundToDouble(std::uint64_t{1} << 31, key / (std::uint64_t{1} << 33) + 1);
    Uint128 product = Uint128{quotient.mantissa} * (bucket + 1);
    unsigned scale = quotient.scale;
    Uint128 unit = 1;
    while (product / unit >> 53 != 0) unit *= 2;
    const Uint128 rest = product % unit;
    product /= unit;
    if (rest * 2 > unit || (rest * 2 == unit && product % 2 == 1)) ++product;
    next = static_cast<std::uint64_t>((product * unit) >> scale);
  }
  return static_cast<std::int32_t>(bucket);
}

TEST(JumpHash, AgreesWithASlowReference) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t key = random() >> (random() % 64);
    const auto buckets =
        static_cast<std::int32_t>(1 + (random() % std::uint64_t{kMostBuckets} >> (random() % 31)));
    ASSERT_EQ(JumpHash(key, buckets), SlowJump(key, buckets)) << key << ' ' << buckets;
  }
  for (const std::uint64_t key : {0x90279ed82fef5465, 0xfd64999aff32a4a7, 0xb4d44c6801c374ab}) {
    ASSERT_EQ(SlowJump(key, 1 << 21), (1 << 21) - 1);
  }
}

TEST(JumpHash, OneMoreBucketTakesItsShareAndMovesNothingElse) {
  constexpr int kKeys = 20'000;
  std::mt19937_64 random(3);
  std::vector<std::uint64_t> keys(kKeys);
  for (std::uint64_t& key : keys) key = random();
  std::vector<std::int32_t> before(kKeys, 0);
  for (std::int32_t buckets = 2; buckets <= 200; ++buckets) {
    int moved = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::int32_t bucket = JumpHash(keys[i], buckets);
      if (bucket == before[i]) continue;
      ASSERT_EQ(bucket, buckets - 1) << "moved between old buckets";
      before[i] = bucket;
      ++moved;
    }
    // Five standard deviations of a binomial distribution.
    const double share = 1.0 / buckets;
    EXPECT_NEAR(moved, kKeys * share, 5 * std::sqrt(kKeys * share * (1 - share))) << buckets;
  }
}

// --- Even shards ---------------------------------------------------------------------

std::string DecimalKey(std::uint64_t i) { return std::to_string(i + 1); }

// As a time-ordered UUID: the first half nearly the same in all, the rest random.
std::string UuidKey(std::uint64_t i) {
  const std::uint64_t high = 0x018f3c2a5b007000 + (i / 16 << 16) + i % 16;
  const std::uint64_t low = std::mt19937_64(i)() >> 2 | std::uint64_t{1} << 63;
  std::array<char, 37> text{};
  std::snprintf(text.data(), text.size(), "%08x-%04x-%04x-%04x-%012llx",
                static_cast<unsigned>(high >> 32), static_cast<unsigned>(high >> 16 & 0xffff),
                static_cast<unsigned>(high & 0xffff), static_cast<unsigned>(low >> 48),
                static_cast<unsigned long long>(low & 0xffffffffffff));
  return text.data();
}

void ExpectEven(std::string (*key_of)(std::uint64_t), std::int32_t shards) {
  const std::uint64_t keys = 50U * static_cast<std::uint64_t>(shards) + 20'000U;
  std::vector<int> counts(static_cast<std::size_t>(shards));
  for (std::uint64_t i = 0; i < keys; ++i) {
    const std::int32_t shard = ShardOf(key_of(i), shards);
    ASSERT_GE(shard, 0);
    ASSERT_LT(shard, shards);
    ++counts[static_cast<std::size_t>(shard)];
  }
  const double expected = static_cast<double>(keys) / shards;
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - expected) * (count - expected) / expected;
  // Its mean is the degrees of freedom, its variance twice that.
  const double freedom = shards - 1;
  EXPECT_LT(chi_square, freedom + 5 * std::sqrt(2 * freedom)) << shards << " shards";
  // Too even is not random, either.
  EXPECT_GT(chi_square, freedom - 5 * std::sqrt(2 * freedom)) << shards << " shards";
}

TEST(KeyShards, AreEven) {
  for (const std::int32_t shards : {2, 3, 7, 10, 16, 64, 100, 1000, 1024, 8192}) {
    SCOPED_TRACE("sequential numbers");
    ExpectEven(DecimalKey, shards);
  }
  for (const std::int32_t shards : {2, 3, 16, 100, 1024}) {
    SCOPED_TRACE("UUIDs");
    ExpectEven(UuidKey, shards);
  }
}

}  // namespace
}  // namespace idgen

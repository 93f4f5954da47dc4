#include <idgen/bloom.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <random>
#include <vector>

namespace idgen {
namespace {

constexpr bool FindsWhatWasAdded() {
  std::array<unsigned char, 128> filter{};
  constexpr BloomShape kSmall{1024, 3};
  AddToBloom(filter.data(), kSmall, BloomHashOf(42));
  return MayBeInBloom(filter.data(), kSmall, BloomHashOf(42)) &&
         !MayBeInBloom(filter.data(), kSmall, BloomHashOf(43));
}
static_assert(FindsWhatWasAdded(), "usable when compiling");

std::vector<std::uint64_t> BitsOf(BloomShape shape, BloomHash hash) {
  std::vector<std::uint64_t> bits;
  ForBloomBits(shape, hash, [&bits](std::uint64_t byte, unsigned char mask) {
    bits.push_back(byte * 8 + static_cast<unsigned>(std::countr_zero(mask)));
    return true;
  });
  return bits;
}

// --- Hashing, which must never change ----------------------------------------------------

// Computed by a Python program written from the definitions.
TEST(BloomHash, KnownHashes) {
  struct Known {
    std::uint64_t id, block, bits;
    std::vector<std::uint64_t> of_64000;
  };
  const Known known[] = {
      {0,
       0xbd0ed0d08a42a70c,
       0xc4f2919f971fbf9f,
       {47519, 47583, 47559, 47602, 47385, 47508, 47379, 47221, 47342}},
      {1,
       0xc25abb1cbd5e0221,
       0x577146cdc38b020d,
       {48141, 48513, 48354, 48568, 48236, 48522, 48477, 48493, 48280}},
      {42,
       0x73f0a73869b8b755,
       0x2bab608f011ab67e,
       {28798, 29019, 28742, 29152, 28680, 29019, 28846, 28851, 29136}},
      {776543210987654321,
       0xa03bfc7b1faf8589,
       0xfd890b6c7e32da69,
       {40041, 40301, 40332, 40335, 40118, 40008, 40438, 40198, 40066}},
      {~std::uint64_t{0},
       0x8e23eade1a921b83,
       0xa8849a12e4e08b0c,
       {35596, 35397, 35640, 35420, 35745, 35364, 35490, 35344, 35356}},
  };
  for (const Known& one : known) {
    const BloomHash hash = BloomHashOf(one.id);
    EXPECT_EQ(hash.block, one.block) << one.id;
    EXPECT_EQ(hash.bits, one.bits) << one.id;
    EXPECT_EQ(BitsOf({64'000, 9}, hash), one.of_64000) << one.id;
  }
}

TEST(BloomHash, KnownHashesOf128Bits) {
  const BloomHash hash = BloomHashOf(Id128{0x017F22E279B07CC3, 0x98C4DC0C0C07398F});
  EXPECT_EQ(hash.block, 0xb83a585f38198e6dU);
  EXPECT_EQ(hash.bits, 0xf0fa686c64bb9e96U);
  EXPECT_EQ(BloomHashOf(Id128{0, 1}).block, 0xdd7114065e5c4994U);
}

TEST(Bloom, SetsItsBits) {
  constexpr BloomShape kShape{64'000, 9};
  std::vector<unsigned char> filter(kShape.bits / 8);
  AddToBloom(filter.data(), kShape, BloomHashOf(42));
  const std::vector<std::uint64_t> bits = BitsOf(kShape, BloomHashOf(42));
  for (std::uint64_t bit = 0; bit < kShape.bits; ++bit) {
    const bool expected = std::ranges::count(bits, bit) > 0;
    EXPECT_EQ((filter[bit / 8] >> bit % 8 & 1) != 0, expected) << bit;
  }
}

// --- Shapes --------------------------------------------------------------------------------

// By the same program.
TEST(BloomShape, Known) {
  EXPECT_EQ(BloomShapeFor(1'000'000, 0.01), (BloomShape{9'903'616, 7}));
  EXPECT_EQ(BloomShapeFor(10'000'000, 0.001), (BloomShape{155'126'272, 10}));
  EXPECT_EQ(BloomShapeFor(50'000, 0.0001), (BloomShape{1'099'264, 13}));
  EXPECT_EQ(BloomShapeFor(1, 0.5), (BloomShape{512, 1}));
  EXPECT_EQ(BloomShapeFor(1, 0.999999), (BloomShape{512, 1}));
}

TEST(BloomShape, IsBounded) {
  EXPECT_EQ(BloomShapeFor(~std::uint64_t{0}, 0.01), BloomShape{});
  EXPECT_EQ(BloomShapeFor(1'000'000'000, 0.001), BloomShape{});
  EXPECT_EQ(BloomShapeFor(1, 1e-300), BloomShape{});
  EXPECT_EQ(BloomShapeFor(1, 1e-12).hashes, kMostBloomHashes);
  const BloomShape large = BloomShapeFor(430'000'000, 0.01);
  EXPECT_GT(large.bits, 4'000'000'000U);
  EXPECT_LE(large.bits, kMostBloomBits);
  for (const std::uint64_t expected : {1ULL, 511ULL, 512ULL, 513ULL, 4'000'000'000ULL}) {
    EXPECT_GE(BloomShapeFor(expected, 0.9999).bits, expected) << expected;
  }
}

// --- Errors ----------------------------------------------------------------------------------

double ErrorsOf(std::uint64_t expected, double error_rate, std::uint64_t distance) {
  constexpr int kTries = 200'000;
  const BloomShape shape = BloomShapeFor(expected, error_rate);
  std::vector<unsigned char> filter(shape.bits / 8);
  std::uint64_t id = 700'000'000'000'000'000;
  for (std::uint64_t i = 0; i < expected; ++i, id += distance) {
    AddToBloom(filter.data(), shape, BloomHashOf(id));
  }
  std::uint64_t lost = 0;
  for (std::uint64_t i = 0, old = 700'000'000'000'000'000; i < expected; ++i, old += distance) {
    if (!MayBeInBloom(filter.data(), shape, BloomHashOf(old))) ++lost;
  }
  EXPECT_EQ(lost, 0U) << "what was added must be found";
  int errors = 0;
  for (int i = 0; i < kTries; ++i, id += distance) {
    if (MayBeInBloom(filter.data(), shape, BloomHashOf(id))) ++errors;
  }
  return errors / static_cast<double>(kTries);
}

// IDs that differ in their sequence alone, in their time alone, or are multiples of large numbers.
TEST(Bloom, ErrsAsOftenAsItSays) {
  for (const std::uint64_t distance :
       {std::uint64_t{1}, std::uint64_t{1} << 22, std::uint64_t{0x9e3779b97f4a7c15}}) {
    EXPECT_NEAR(ErrorsOf(50'000, 0.01, distance), 0.01, 0.0015) << distance;
    EXPECT_NEAR(ErrorsOf(50'000, 0.1, distance), 0.1, 0.006) << distance;
    EXPECT_LT(ErrorsOf(20'000, 0.0001, distance), 0.0003) << distance;
  }
}

TEST(Bloom, ErrsAlwaysOnceItIsFull) {
  for (const double ids : {1e6, 1e12, 1.8446744073709552e19}) {
    EXPECT_GT(BloomErrorRate({512, 7}, ids), 0.999) << ids;
  }
  // Where one formula takes over from the other.
  EXPECT_NEAR(BloomErrorRate({5120, 1}, 5119), BloomErrorRate({5120, 1}, 5121), 0.002);
}

TEST(Bloom, SpreadsOverAllBits) {
  const BloomShape shape = BloomShapeFor(20'000, 0.01);
  std::vector<unsigned char> filter(shape.bits / 8);
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    AddToBloom(filter.data(), shape, BloomHashOf(Id128{i, i % 7}));
  }
  std::uint64_t set = 0;
  for (const unsigned char byte : filter) set += static_cast<unsigned>(std::popcount(byte));
  EXPECT_NEAR(static_cast<double>(set) / static_cast<double>(shape.bits), 0.5075, 0.01);
}

}  // namespace
}  // namespace idgen

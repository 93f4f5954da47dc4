#include <idgen/bloom.h>

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <random>
#include <vector>

namespace idgen {
namespace {

constexpr BloomShape kShape{64'000, 4};

constexpr bool FindsWhatWasAdded() {
  std::array<unsigned char, 16> filter{};
  constexpr BloomShape kSmall{128, 3};
  AddToBloom(filter.data(), kSmall, BloomHashOf(42));
  return MayBeInBloom(filter.data(), kSmall, BloomHashOf(42)) &&
         !MayBeInBloom(filter.data(), kSmall, BloomHashOf(43));
}
static_assert(FindsWhatWasAdded(), "usable when compiling");

// --- Hashing, which must never change ----------------------------------------------------

// Computed by a Python program written from the definitions.
TEST(BloomHash, KnownHashes) {
  struct Known {
    std::uint64_t id, first, step;
    std::array<std::uint64_t, 4> bits;  // of 64,000
  };
  const Known known[] = {
      {0, 0xbd0ed0d08a42a70c, 0xc4f2919f971fbf9f, {47264, 32501, 17738, 2975}},
      {1, 0xc25abb1cbd5e0221, 0x577146cdc38b020d, {48588, 6449, 28309, 50170}},
      {42, 0x73f0a73869b8b755, 0x2bab608f011ab67f, {28985, 39902, 50819, 61737}},
      {776543210987654321, 0xa03bfc7b1faf8589, 0xfd890b6c7e32da69, {40058, 39442, 38826, 38210}},
      {~std::uint64_t{0}, 0x8e23eade1a921b83, 0xa8849a12e4e08b0d, {35535, 13664, 55794, 33923}},
  };
  for (const Known& one : known) {
    const BloomHash hash = BloomHashOf(one.id);
    EXPECT_EQ(hash.first, one.first) << one.id;
    EXPECT_EQ(hash.step, one.step) << one.id;
    for (unsigned i = 0; i < one.bits.size(); ++i) {
      EXPECT_EQ(hash.BitOf(i, kShape.bits), one.bits[i]) << one.id << ' ' << i;
    }
  }
}

TEST(BloomHash, KnownHashesOf128Bits) {
  const BloomHash hash = BloomHashOf(Id128{0x017F22E279B07CC3, 0x98C4DC0C0C07398F});
  EXPECT_EQ(hash.first, 0xb83a585f38198e6dU);
  EXPECT_EQ(hash.step, 0xf0fa686c64bb9e97U);
  EXPECT_EQ(BloomHashOf(Id128{0, 1}).first, 0xdd7114065e5c4994U);
}

TEST(Bloom, KnownBytes) {
  std::array<unsigned char, 8> filter{};
  for (const std::uint64_t id : {1U, 2U, 3U}) AddToBloom(filter.data(), {64, 2}, BloomHashOf(id));
  std::array<unsigned char, 8> expected{};
  for (const std::uint64_t id : {1U, 2U, 3U}) {
    for (unsigned i = 0; i < 2; ++i) {
      const BloomHash hash = BloomHashOf(id);
      const auto bit = static_cast<unsigned>((hash.first + i * hash.step) >> 58);
      expected.at(bit / 8) |= static_cast<unsigned char>(1U << bit % 8);
    }
  }
  EXPECT_EQ(filter, expected);
}

// --- Shapes --------------------------------------------------------------------------------

// From the formulas: 9.585 bits and 7 hashes for 1%, 14.378 and 10 for 0.1%.
TEST(BloomShape, Known) {
  EXPECT_EQ(BloomShapeFor(1'000'000, 0.01), (BloomShape{9'585'088, 7}));
  EXPECT_EQ(BloomShapeFor(10'000'000, 0.001), (BloomShape{143'775'936, 10}));
  EXPECT_EQ(BloomShapeFor(1, 0.5), (BloomShape{64, 1}));
  EXPECT_EQ(BloomShapeFor(1, 0.999999), (BloomShape{64, 1}));
}

TEST(BloomShape, IsBounded) {
  EXPECT_EQ(BloomShapeFor(~std::uint64_t{0}, 0.01), BloomShape{});
  EXPECT_EQ(BloomShapeFor(1'000'000'000, 0.001), BloomShape{});
  EXPECT_EQ(BloomShapeFor(1, 1e-300).hashes, kMostBloomHashes);
  const BloomShape large = BloomShapeFor(448'000'000, 0.01);
  EXPECT_GT(large.bits, 4'000'000'000U);
  EXPECT_LE(large.bits, kMostBloomBits);
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

TEST(Bloom, SpreadsOverAllBits) {
  const BloomShape shape = BloomShapeFor(20'000, 0.01);
  std::vector<unsigned char> filter(shape.bits / 8);
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    AddToBloom(filter.data(), shape, BloomHashOf(Id128{i, i % 7}));
  }
  std::uint64_t set = 0;
  for (const unsigned char byte : filter) set += static_cast<unsigned>(std::popcount(byte));
  EXPECT_NEAR(static_cast<double>(set) / static_cast<double>(shape.bits), 0.518, 0.01);
}

}  // namespace
}  // namespace idgen

#include <idgen/id128.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace idgen {
namespace {

using Bytes = std::array<unsigned char, 16>;

TEST(Id128Bytes, TheHighestByteIsFirst) {
  Bytes bytes{};
  StoreBytes({0x0011223344556677, 0x8899aabbccddeeff}, bytes.data());
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], i * 0x11) << i;
}

TEST(Id128Bytes, WhatWasStoredIsLoaded) {
  for (unsigned bit = 0; bit < 128; ++bit) {
    const Id128 id = {bit < 64 ? 0 : std::uint64_t{1} << (bit - 64),
                      bit < 64 ? std::uint64_t{1} << bit : 0};
    Bytes bytes{};
    StoreBytes(id, bytes.data());
    EXPECT_EQ(LoadBytes(bytes.data()), id) << bit;
    EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 0), 15) << bit;
  }
}

static_assert(
    [] {
      Bytes bytes{};
      StoreBytes({1, 2}, bytes.data());
      return bytes[7] == 1 && bytes[15] == 2 && LoadBytes(bytes.data()) == Id128{1, 2};
    }(),
    "usable when compiling");

TEST(Id128, IsOrderedAsItsBytes) {
  const std::array<Id128, 5> ids = {{{0, 0}, {0, ~0ULL}, {1, 0}, {1, 1}, {1ULL << 63, 0}}};
  for (const Id128& a : ids) {
    for (const Id128& b : ids) {
      Bytes x{};
      Bytes y{};
      StoreBytes(a, x.data());
      StoreBytes(b, y.data());
      EXPECT_EQ(a < b, x < y);
    }
  }
}

}  // namespace
}  // namespace idgen

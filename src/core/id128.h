// An ID of 128 bits, as PostgreSQL's type uuid and RFC 9562 keep it: 16 bytes, the highest first,
// so that bytes, numbers and texts sort alike.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <cstdint>

namespace idgen {

struct Id128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend constexpr auto operator<=>(const Id128&, const Id128&) = default;
};

// The number whose bytes in memory are those of `number`, the highest first.
constexpr std::uint64_t BigEndian(std::uint64_t number) noexcept {
  return std::endian::native == std::endian::big ? number : __builtin_bswap64(number);
}

// Compilers turn no loop over the bytes into these two instructions.
constexpr void StoreBytes(Id128 id, unsigned char* bytes) noexcept {
  using Bytes = std::array<unsigned char, 16>;
  const auto all = std::bit_cast<Bytes>(std::array{BigEndian(id.high), BigEndian(id.low)});
  std::copy(all.begin(), all.end(), bytes);
}

constexpr Id128 LoadBytes(const unsigned char* bytes) noexcept {
  std::array<unsigned char, 16> all{};
  std::copy_n(bytes, all.size(), all.begin());
  const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(all);
  return {BigEndian(words[0]), BigEndian(words[1])};
}

}  // namespace idgen

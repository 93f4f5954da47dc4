// An ID of 128 bits, as PostgreSQL's type uuid and RFC 9562 keep it: 16 bytes, the highest first,
// so that bytes, numbers and texts sort alike.
#pragma once

#include <compare>
#include <cstdint>

namespace idgen {

struct Id128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend constexpr auto operator<=>(const Id128&, const Id128&) = default;
};

constexpr void StoreBytes(Id128 id, unsigned char* bytes) noexcept {
  for (int i = 8; i-- > 0; id.high >>= 8, id.low >>= 8) {
    bytes[i] = static_cast<unsigned char>(id.high);
    bytes[8 + i] = static_cast<unsigned char>(id.low);
  }
}

constexpr Id128 LoadBytes(const unsigned char* bytes) noexcept {
  Id128 id;
  for (int i = 0; i < 8; ++i) {
    id.high = id.high << 8 | bytes[i];
    id.low = id.low << 8 | bytes[8 + i];
  }
  return id;
}

}  // namespace idgen

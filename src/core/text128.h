// Text forms of IDs of 128 bits: those of text.h, as wide as 128 bits need. In base 32 that is the
// form of a ULID: 26 characters, the first at most 7.
#pragma once

#include <cstddef>
#include <limits>
#include <string_view>

#include "id128.h"
#include "limbs.h"
#include "text.h"

namespace idgen {

// Large enough for any text that EncodeText writes of 128 bits.
inline constexpr std::size_t kWidestText128 = 39;

inline constexpr Id128 kLargestId128 = {std::numeric_limits<std::uint64_t>::max(),
                                        std::numeric_limits<std::uint64_t>::max()};

constexpr Limbs<4> LimbsOf(const Id128& id) noexcept {
  return {static_cast<std::uint32_t>(id.high >> 32), static_cast<std::uint32_t>(id.high),
          static_cast<std::uint32_t>(id.low >> 32), static_cast<std::uint32_t>(id.low)};
}

// Writes an ID as exactly `format.width128` characters without a terminator. Returns the number of
// characters.
constexpr std::size_t EncodeText(const Id128& id, const TextFormat& format, char* out) noexcept {
  const Limbs<4> number = LimbsOf(id);
  switch (format.form) {
    case TextForm::kBase62:
      WriteDigits<62>(number, format.alphabet, format.width128, out);
      break;
    case TextForm::kBase32:
      WriteDigits<32>(number, format.alphabet, format.width128, out);
      break;
    case TextForm::kBase58:
      WriteDigits<58>(number, format.alphabet, format.width128, out);
      break;
    case TextForm::kHex:
      WriteDigits<16>(number, format.alphabet, format.width128, out);
      break;
    case TextForm::kDecimal:
      WriteDigits<10>(number, format.alphabet, format.width128, out);
      break;
  }
  return format.width128;
}

struct DecodedText128 {
  TextError error = TextError::kNone;
  Id128 id{};          // 0 after an error
  std::size_t at = 0;  // kBadCharacter: the index of the first one
};

constexpr DecodedText128 DecodeText128(std::string_view input, const TextFormat& format) noexcept {
  const DecodedLimbs<4> decoded = ReadDigits<4>(input, format, format.width128);
  const Limbs<4>& number = decoded.number;
  return {decoded.error,
          {std::uint64_t{number[0]} << 32 | number[1], std::uint64_t{number[2]} << 32 | number[3]},
          decoded.at};
}

}  // namespace idgen

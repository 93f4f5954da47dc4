// Numbers that are wider than the machine's, for text forms of more than 64 bits: a few 32-bit
// limbs, with just what it takes to write a number in any base and to read it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text.h"

namespace idgen {

// A number of 32 * N bits, the highest limb first.
template <std::size_t N>
using Limbs = std::array<std::uint32_t, N>;

// Divides by at most 2^32. Returns the rest.
template <std::size_t N>
constexpr std::uint64_t DivideBy(Limbs<N>& number, std::uint64_t divisor) noexcept {
  std::uint64_t rest = 0;
  for (std::uint32_t& limb : number) {
    rest = rest << 32 | limb;
    limb = static_cast<std::uint32_t>(rest / divisor);
    rest %= divisor;
  }
  return rest;
}

// Multiplies by at most 2^32 and adds at most 2^32 - 1. Returns what does not fit.
template <std::size_t N>
constexpr std::uint64_t MultiplyAdd(Limbs<N>& number, std::uint64_t factor,
                                    std::uint64_t carry) noexcept {
  for (std::size_t i = N; i-- > 0;) {
    // At most 2^32 * (2^32 - 1) + 2^32 - 1, which is 2^64 - 1.
    carry += number[i] * factor;
    number[i] = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
  return carry;
}

// Reads 4 * N bytes, the highest first.
template <std::size_t N>
constexpr Limbs<N> LoadLimbs(const unsigned char* bytes) noexcept {
  Limbs<N> number{};
  for (std::size_t i = 0; i < 4 * N; ++i) number[i / 4] = number[i / 4] << 8 | bytes[i];
  return number;
}

template <std::size_t N>
constexpr void StoreLimbs(const Limbs<N>& number, unsigned char* bytes) noexcept {
  for (std::size_t i = 0; i < 4 * N; ++i) {
    bytes[i] = static_cast<unsigned char>(number[i / 4] >> (24 - 8 * (i % 4)));
  }
}

// The largest power of a radix that is at most 2^32. One pass over the limbs takes so many digits.
constexpr std::uint64_t ChunkOf(std::uint64_t radix) noexcept {
  std::uint64_t chunk = radix;
  while (chunk * radix <= std::uint64_t{1} << 32) chunk *= radix;
  return chunk;
}

// Writes exactly `width` digits, which must be enough. The radix is a constant, so the compiler
// divides by multiplying or shifting.
template <std::uint64_t kRadix, std::size_t N>
constexpr void WriteDigits(Limbs<N> number, std::string_view alphabet, std::size_t width,
                           char* out) noexcept {
  while (width > 0) {
    std::uint64_t rest = DivideBy(number, ChunkOf(kRadix));
    for (std::uint64_t left = ChunkOf(kRadix); left > 1 && width > 0; left /= kRadix) {
      out[--width] = alphabet[rest % kRadix];
      rest /= kRadix;
    }
  }
}

// A number that was read, or what is wrong with its text.
template <std::size_t N>
struct DecodedLimbs {
  TextError error = TextError::kNone;
  std::size_t at = 0;  // kBadCharacter: the index of the first one
  Limbs<N> number{};   // 0 after an error
};

// Reads a text of `width` characters, or of up to so many if the format may be shorter. Errors are
// checked for in the order of TextError.
template <std::size_t N>
constexpr DecodedLimbs<N> ReadDigits(std::string_view input, const TextFormat& format,
                                     std::size_t width) noexcept {
  if (input.empty()) return {.error = TextError::kEmpty};
  const std::uint64_t radix = format.alphabet.size();
  const std::uint64_t whole_chunk = ChunkOf(radix);
  Limbs<N> number{};
  std::uint64_t chunk = 0;
  std::uint64_t scale = 1;
  bool overflow = false;
  for (std::size_t at = 0; at < input.size(); ++at) {
    const std::uint8_t digit = format.digits[static_cast<unsigned char>(input[at])];
    if (digit == TextFormat::kNoDigit) return {.error = TextError::kBadCharacter, .at = at};
    chunk = chunk * radix + digit;
    scale *= radix;
    if (scale < whole_chunk) continue;
    overflow |= MultiplyAdd(number, scale, chunk) != 0;
    chunk = 0;
    scale = 1;
  }
  overflow |= MultiplyAdd(number, scale, chunk) != 0;
  if (input.size() > width) return {.error = TextError::kTooLong};
  if (input.size() < width && !format.may_be_shorter) return {.error = TextError::kTooShort};
  if (overflow) return {.error = TextError::kOverflow};
  return {.number = number};
}

}  // namespace idgen

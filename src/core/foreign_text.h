// IDs of other systems that are neither 64 nor 128 bits wide, read from their texts: KSUIDs, XIDs
// and MongoDB's ObjectIds. All begin with 32 bits of seconds, and their texts sort as their bytes
// do.
//
// Reading is strict: one width, one alphabet, and a text that no writer makes is an error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "limbs.h"
#include "text.h"

namespace idgen {

// Bytes that were read from a text, or what is wrong with it.
template <std::size_t kBytes>
struct DecodedBytes {
  TextError error = TextError::kNone;
  std::size_t at = 0;                         // kBadCharacter: the index of the first one
  std::array<unsigned char, kBytes> bytes{};  // 0 after an error
};

// Reads a text whose digits hold the bytes and nothing else.
template <std::size_t kLimbs>
constexpr DecodedBytes<4 * kLimbs> DecodeWhole(std::string_view input, const TextFormat& format,
                                               std::size_t width) noexcept {
  const DecodedLimbs<kLimbs> decoded = ReadDigits<kLimbs>(input, format, width);
  DecodedBytes<4 * kLimbs> result{decoded.error, decoded.at, {}};
  StoreLimbs(decoded.number, result.bytes.data());
  return result;
}

// Returns a number of `count` bytes, at most 4, the highest first.
constexpr std::uint32_t LoadNumber(const unsigned char* bytes, int count) noexcept {
  std::uint32_t number = 0;
  for (int i = 0; i < count; ++i) number = number << 8 | bytes[i];
  return number;
}

// 32 bits of seconds, then 128 random bits. Source: https://github.com/segmentio/ksuid
struct Ksuid {
  static constexpr std::size_t kSize = 20;
  static constexpr std::size_t kWidth = 27;
  static constexpr std::int64_t kEpoch = 1'400'000'000;  // seconds since 1970
  static constexpr const TextFormat& kFormat = TextFormatOf(TextForm::kBase62);
  static constexpr std::string_view kLargest = "aWgEPTl1tmebfsQzFP4bxwgy80V";

  static constexpr DecodedBytes<kSize> Decode(std::string_view input) noexcept {
    return DecodeWhole<5>(input, kFormat, kWidth);
  }

  // Writes exactly kWidth characters, without a terminator. The same for the others.
  static constexpr void Encode(const unsigned char* bytes, char* out) noexcept {
    WriteDigits<62>(LoadLimbs<5>(bytes), kFormat.alphabet, kWidth, out);
  }
};

inline constexpr TextFormat kXidFormat =
    MakeTextFormat(TextForm::kBase32, "XID", "0123456789abcdefghijklmnopqrstuv", {});

// 4 bytes of seconds, 3 of the machine, 2 of the process, 3 of a counter. Source:
// https://github.com/rs/xid
struct Xid {
  static constexpr std::size_t kSize = 12;
  static constexpr std::size_t kWidth = 20;
  static constexpr std::int64_t kEpoch = 0;
  static constexpr const TextFormat& kFormat = kXidFormat;
  static constexpr std::string_view kLargest = "vvvvvvvvvvvvvvvvvvvg";
  // The digits hold 100 bits. The last 4 are no part of the ID and must be 0. Other readers agree,
  // for otherwise 16 texts would be one ID.
  static constexpr std::uint64_t kSpare = 16;

  // Spare bits that are set are a bad character, the last one.
  static constexpr DecodedBytes<kSize> Decode(std::string_view input) noexcept {
    DecodedLimbs<4> decoded = ReadDigits<4>(input, kFormat, kWidth);
    if (decoded.error != TextError::kNone) return {decoded.error, decoded.at, {}};
    if (DivideBy(decoded.number, kSpare) != 0) return {TextError::kBadCharacter, kWidth - 1, {}};
    DecodedBytes<kSize> result;
    const Limbs<4>& number = decoded.number;
    StoreLimbs(Limbs<3>{number[1], number[2], number[3]}, result.bytes.data());
    return result;
  }

  static constexpr void Encode(const unsigned char* bytes, char* out) noexcept {
    const Limbs<3> id = LoadLimbs<3>(bytes);
    Limbs<4> number = {0, id[0], id[1], id[2]};
    MultiplyAdd(number, kSpare, 0);
    WriteDigits<32>(number, kFormat.alphabet, kWidth, out);
  }
};

// Hexadecimal digits in full width; upper case is read as MongoDB's drivers do.
inline constexpr TextFormat kObjectIdFormat = MakeTextFormat(
    TextForm::kHex, "ObjectId", TextFormatOf(TextForm::kHex).alphabet, {.any_case = true});

// 4 bytes of seconds, 5 random ones of the process, 3 of a counter. Source:
// https://www.mongodb.com/docs/manual/reference/bson-types/#objectid
struct ObjectId {
  static constexpr std::size_t kSize = 12;
  static constexpr std::size_t kWidth = 24;
  static constexpr std::int64_t kEpoch = 0;
  static constexpr const TextFormat& kFormat = kObjectIdFormat;
  static constexpr std::string_view kLargest = "ffffffffffffffffffffffff";

  static constexpr DecodedBytes<kSize> Decode(std::string_view input) noexcept {
    return DecodeWhole<3>(input, kFormat, kWidth);
  }

  static constexpr void Encode(const unsigned char* bytes, char* out) noexcept {
    WriteDigits<16>(LoadLimbs<3>(bytes), kFormat.alphabet, kWidth, out);
  }
};

// When an ID of one of these kinds was made, in seconds since 1970.
template <typename Kind>
constexpr std::int64_t SecondOf(const std::array<unsigned char, Kind::kSize>& bytes) noexcept {
  return Kind::kEpoch + LoadNumber(bytes.data(), 4);
}

// The last second that an ID of a kind can hold.
template <typename Kind>
inline constexpr std::int64_t kLastSecond = Kind::kEpoch + 0xffffffff;

// The smallest ID of a second from kEpoch to kLastSecond, or with `rest` 0xff the largest.
template <typename Kind>
constexpr std::array<unsigned char, Kind::kSize> BytesOfSecond(std::int64_t second,
                                                               unsigned char rest) noexcept {
  std::array<unsigned char, Kind::kSize> bytes{};
  bytes.fill(rest);
  StoreLimbs(Limbs<1>{static_cast<std::uint32_t>(second - Kind::kEpoch)}, bytes.data());
  return bytes;
}

}  // namespace idgen

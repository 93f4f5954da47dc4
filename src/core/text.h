// Text forms of IDs: how an ID is written for people, addresses and other programs, and read again.
//
// Every form has a fixed width, just wide enough for 63 bits, and an alphabet in ASCII order. So
// texts sort byte by byte (collation "C") in the order of the numbers. text128.h has the same forms
// for 128 bits.
//
// Reading never guesses: it skips nothing (spaces, signs, hyphens, prefixes), and a number that
// does not fit 63 bits is an error, not another number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace idgen {

enum class TextForm : std::uint8_t { kBase62, kBase32, kBase58, kHex, kDecimal };

struct TextFormat {
  // In `digits`: this byte is no digit of the form.
  static constexpr std::uint8_t kNoDigit = 0xff;

  TextForm form = TextForm::kBase62;
  std::string_view name;
  std::string_view alphabet;               // the character written for each digit
  std::uint8_t width = 0;                  // of a written ID, in characters
  std::uint8_t width128 = 0;               // of a written ID of 128 bits
  bool may_be_shorter = false;             // also read without leading zeros
  std::array<std::uint8_t, 256> digits{};  // the digit that each byte is read as
};

// Characters that are read besides those that are written.
struct TextLeniency {
  bool any_case = false;
  std::string_view aliases = {};  // in pairs: a character, and the one that it stands for
  bool may_be_shorter = false;
};

constexpr TextFormat MakeTextFormat(TextForm form, std::string_view name, std::string_view alphabet,
                                    const TextLeniency& leniency) noexcept {
  TextFormat format;
  format.form = form;
  format.name = name;
  format.alphabet = alphabet;
  format.may_be_shorter = leniency.may_be_shorter;

  // The smallest width for 2^63 - 1. A text one character shorter always fits 63 bits; DecodeText
  // relies on it.
  for (std::uint64_t rest = (std::uint64_t{1} << 63) - 1; rest > 0; rest /= alphabet.size()) {
    ++format.width;
  }
  __extension__ using Uint128 = unsigned __int128;
  for (Uint128 rest = ~Uint128{0}; rest > 0; rest /= alphabet.size()) ++format.width128;

  const auto digit_of = [&format](char c) -> std::uint8_t& {
    return format.digits[static_cast<unsigned char>(c)];
  };
  format.digits.fill(TextFormat::kNoDigit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    digit_of(alphabet[i]) = static_cast<std::uint8_t>(i);
  }
  for (std::size_t i = 0; i + 1 < leniency.aliases.size(); i += 2) {
    digit_of(leniency.aliases[i]) = digit_of(leniency.aliases[i + 1]);
  }
  if (leniency.any_case) {
    for (std::size_t upper = 'A'; upper <= 'Z'; ++upper) {
      const std::size_t lower = upper - 'A' + 'a';
      if (format.digits[lower] == TextFormat::kNoDigit) {
        format.digits[lower] = format.digits[upper];
      } else {
        format.digits[upper] = format.digits[lower];
      }
    }
  }
  return format;
}

// In the order of TextForm. Names and alphabets are literals, so a zero byte follows each. Sources:
// base 32 is Douglas Crockford's, without its check character and hyphens; base 58 is Bitcoin's,
// which leaves out 0, O, I and l. Forms that people copy are read in full width only, so that a
// copy that lost its end is an error. Hexadecimal and decimal numbers are also written by people.
inline constexpr std::array<TextFormat, 5> kTextFormats = {
    MakeTextFormat(TextForm::kBase62, "base62",
                   "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", {}),
    MakeTextFormat(TextForm::kBase32, "base32", "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
                   {.any_case = true, .aliases = "I1L1O0"}),
    MakeTextFormat(TextForm::kBase58, "base58",
                   "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", {}),
    MakeTextFormat(TextForm::kHex, "hex", "0123456789abcdef",
                   {.any_case = true, .may_be_shorter = true}),
    MakeTextFormat(TextForm::kDecimal, "decimal", "0123456789", {.may_be_shorter = true}),
};

// Large enough for any text that EncodeText writes.
inline constexpr std::size_t kWidestText = 19;

constexpr const TextFormat& TextFormatOf(TextForm form) noexcept {
  return kTextFormats[static_cast<std::size_t>(form)];
}

// Returns the form of that name, or nullptr.
constexpr const TextFormat* FindTextFormat(std::string_view name) noexcept {
  for (const TextFormat& format : kTextFormats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

// The radix is a constant, so the compiler divides by multiplying or shifting.
template <std::uint64_t kRadix>
constexpr void WriteDigits(std::uint64_t id, const TextFormat& format, char* out) noexcept {
  for (std::size_t at = format.width; at-- > 0; id /= kRadix)
    out[at] = format.alphabet[id % kRadix];
}

// Writes an ID, which is below 2^63, as exactly `format.width` characters without a terminator.
// Returns the number of characters.
constexpr std::size_t EncodeText(std::uint64_t id, const TextFormat& format, char* out) noexcept {
  switch (format.form) {
    case TextForm::kBase62:
      WriteDigits<62>(id, format, out);
      break;
    case TextForm::kBase32:
      WriteDigits<32>(id, format, out);
      break;
    case TextForm::kBase58:
      WriteDigits<58>(id, format, out);
      break;
    case TextForm::kHex:
      WriteDigits<16>(id, format, out);
      break;
    case TextForm::kDecimal:
      WriteDigits<10>(id, format, out);
      break;
  }
  return format.width;
}

// In the order of checking: if a text is wrong in several ways, the first is reported.
enum class TextError : std::uint8_t {
  kNone,
  kEmpty,
  kBadCharacter,
  kTooLong,
  kTooShort,
  kOverflow,  // beyond the largest ID
};

struct DecodedText {
  TextError error = TextError::kNone;
  std::uint64_t id = 0;  // 0 after an error
  std::size_t at = 0;    // kBadCharacter: the index of the first one
};

constexpr DecodedText DecodeText(std::string_view input, const TextFormat& format) noexcept {
  __extension__ using Uint128 = unsigned __int128;
  if (input.empty()) return {TextError::kEmpty, 0, 0};
  const std::uint64_t radix = format.alphabet.size();
  std::uint64_t before_last = 0;
  std::uint64_t id = 0;
  std::uint64_t digit = 0;
  for (std::size_t at = 0; at < input.size(); ++at) {
    digit = format.digits[static_cast<unsigned char>(input[at])];
    if (digit == TextFormat::kNoDigit) return {TextError::kBadCharacter, 0, at};
    before_last = id;
    // This may wrap, but the checks below detect that: it wraps either with the last character of a
    // text that is not too long, or in a text that is too long.
    id = id * radix + digit;
  }
  if (input.size() > format.width) return {TextError::kTooLong, 0, 0};
  if (input.size() < format.width && !format.may_be_shorter) return {TextError::kTooShort, 0, 0};
  if ((Uint128{before_last} * radix + digit) >> 63 != 0) return {TextError::kOverflow, 0, 0};
  return {TextError::kNone, id, 0};
}

}  // namespace idgen

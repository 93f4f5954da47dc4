// The language in which users describe the fields of a layout, from the highest bit down:
//
//   timestamp:42, machine:6, sequence:15
//
// Names are read in any case, with any ASCII white space around words. The timestamp is required
// and comes first. Every field occurs at most once, and all fields together have at most 63 bits. A
// layout may lack a sequence or have a tail. Its IDs can then be read but not made
// (Layout::CanGenerate).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "layout.h"

namespace idgen {

// In the order of FieldKind. They are literals, so a zero byte follows each.
inline constexpr std::array<std::string_view, kFieldKinds> kFieldNames = {
    "timestamp", "datacenter", "machine", "shard", "sequence", "tail"};

constexpr std::string_view NameOfField(FieldKind kind) noexcept {
  return kFieldNames[static_cast<std::size_t>(kind)];
}

// Returns the most bits that a field of this kind can have. Every field but the timestamp and the
// tail is an SQL `int` somewhere: in a setting, an argument or a column.
constexpr unsigned MostBitsOf(FieldKind kind) noexcept {
  return kind == FieldKind::kTimestamp || kind == FieldKind::kTail ? kMostLayoutBits : 31;
}

// The first error in the text is reported; kNoTimestamp and, last of all, kTooManyBits only if
// nothing else is wrong.
enum class FieldsError : std::uint8_t {
  kNone,
  kEmpty,          // no field at all
  kExpectedField,  // a comma, a colon or the end instead of a field's name
  kUnknownField,   // a word that names no field
  kExpectedColon,  // after a field's name
  kExpectedBits,   // after the colon: not an unsigned decimal number
  kZeroBits,       // a field that is not wanted must be left out
  kTooWide,        // more than MostBitsOf; for the timestamp and the tail: more than 255
  kRepeatedField,
  kNoTimestamp,
  kTimestampNotFirst,
  kTooManyBits,    // more than kMostLayoutBits together: at the number that exceeds them
  kExpectedComma,  // after a field's bits
};

struct ParsedFields {
  FieldsError error = FieldsError::kNone;
  // The wrong word, comma or colon in the text, in bytes. If something is missing at the end: the
  // text's size, with length 0.
  std::size_t at = 0;
  std::size_t length = 0;
  // The field to which it belongs or after which it comes. Has no meaning for kNone, kEmpty,
  // kExpectedField and kUnknownField.
  FieldKind kind = FieldKind::kTimestamp;
  // The bits of the fields below. After kTooManyBits these are all fields of the text; after other
  // errors, those before the wrong word.
  unsigned total_bits = 0;
  std::array<FieldSpec, kFieldKinds> specs{};
  std::size_t count = 0;

  // Returns the fields from the highest bit down, as BuildLayout takes them.
  [[nodiscard]] constexpr std::span<const FieldSpec> Specs() const noexcept {
    return {specs.data(), count};
  }
};

// Characters, whatever the locale.
constexpr bool IsAsciiSpace(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr char ToAsciiLower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Reads a text from left to right, one token at a time: a word, a comma or a colon.
class FieldsParser {
 public:
  constexpr explicit FieldsParser(std::string_view input) noexcept : text_(input) { Advance(); }

  [[nodiscard]] constexpr ParsedFields Parse() noexcept {
    if (ReadFields()) CheckTogether();
    return parsed_;
  }

 private:
  static constexpr bool IsMark(char c) noexcept { return c == ',' || c == ':'; }

  // Moves to the next token; an empty one at the end.
  constexpr void Advance() noexcept {
    at_ += token_.size();
    while (at_ < text_.size() && IsAsciiSpace(text_[at_])) ++at_;
    std::size_t end = at_;
    while (end < text_.size() && !IsAsciiSpace(text_[end]) && !IsMark(text_[end])) ++end;
    if (end == at_ && end < text_.size()) ++end;  // a mark
    // Not substr: it can throw, and so needs the C++ run-time library.
    token_ = std::string_view(text_.data() + at_, end - at_);
  }

  // Reports the token as wrong. Returns false.
  constexpr bool Fail(FieldsError error) noexcept {
    parsed_.error = error;
    parsed_.at = at_;
    parsed_.length = token_.size();
    return false;
  }

  // Whether the token is a field's name, in any case.
  constexpr bool FindKind(FieldKind& kind) const noexcept {
    for (std::size_t i = 0; i < kFieldKinds; ++i) {
      const std::string_view name = kFieldNames[i];
      bool same = token_.size() == name.size();
      for (std::size_t c = 0; same && c < name.size(); ++c) {
        same = ToAsciiLower(token_[c]) == name[c];
      }
      if (same) {
        kind = static_cast<FieldKind>(i);
        return true;
      }
    }
    return false;
  }

  // Whether the token is a number. A number that FieldSpec cannot hold becomes kBeyondSpec.
  constexpr bool FindNumber(unsigned& number) const noexcept {
    if (token_.empty()) return false;
    number = 0;
    for (const char c : token_) {
      if (c < '0' || c > '9') return false;
      number = number * 10 + static_cast<unsigned>(c - '0');
      if (number > kBeyondSpec) number = kBeyondSpec;
    }
    return true;
  }

  constexpr bool HasRead(FieldKind kind) const noexcept {
    for (const FieldSpec& spec : parsed_.Specs()) {
      if (spec.kind == kind) return true;
    }
    return false;
  }

  // Reads "name:bits".
  constexpr bool ReadField() noexcept {
    if (token_.empty() || IsMark(token_[0])) return Fail(FieldsError::kExpectedField);
    FieldKind kind{};
    if (!FindKind(kind)) return Fail(FieldsError::kUnknownField);
    parsed_.kind = kind;
    if (HasRead(kind)) return Fail(FieldsError::kRepeatedField);
    if (kind == FieldKind::kTimestamp && parsed_.count > 0) {
      return Fail(FieldsError::kTimestampNotFirst);
    }

    Advance();
    if (token_ != ":") return Fail(FieldsError::kExpectedColon);

    Advance();
    unsigned bits = 0;
    if (!FindNumber(bits)) return Fail(FieldsError::kExpectedBits);
    if (bits == 0) return Fail(FieldsError::kZeroBits);
    // The sum limits the timestamp and the tail, because its error tells a user more.
    const bool by_the_sum = MostBitsOf(kind) == kMostLayoutBits && bits < kBeyondSpec;
    if (bits > MostBitsOf(kind) && !by_the_sum) return Fail(FieldsError::kTooWide);

    // There is room, since repeated fields are refused above.
    parsed_.specs[parsed_.count++] = FieldSpec{kind, static_cast<std::uint8_t>(bits)};
    if (parsed_.total_bits <= kMostLayoutBits && parsed_.total_bits + bits > kMostLayoutBits) {
      excess_at_ = at_;
      excess_length_ = token_.size();
      excess_kind_ = kind;
    }
    parsed_.total_bits += bits;
    Advance();
    return true;
  }

  constexpr bool ReadFields() noexcept {
    if (token_.empty()) return Fail(FieldsError::kEmpty);
    if (!ReadField()) return false;
    while (!token_.empty()) {
      if (token_ != ",") return Fail(FieldsError::kExpectedComma);
      Advance();
      if (!ReadField()) return false;
    }
    return true;
  }

  // Checks all fields together, at the end of the text.
  constexpr void CheckTogether() noexcept {
    if (parsed_.specs[0].kind != FieldKind::kTimestamp) {
      Fail(FieldsError::kNoTimestamp);
      parsed_.kind = FieldKind::kTimestamp;
    } else if (parsed_.total_bits > kMostLayoutBits) {
      parsed_.error = FieldsError::kTooManyBits;
      parsed_.at = excess_at_;
      parsed_.length = excess_length_;
      parsed_.kind = excess_kind_;
    }
  }

  static constexpr unsigned kBeyondSpec = std::numeric_limits<std::uint8_t>::max() + 1;

  std::string_view text_;
  std::size_t at_ = 0;      // of the token
  std::string_view token_;  // empty: the end
  ParsedFields parsed_;
  // The number that made the sum exceed kMostLayoutBits, if there is one.
  std::size_t excess_at_ = 0;
  std::size_t excess_length_ = 0;
  FieldKind excess_kind_ = FieldKind::kTimestamp;
};

// Reads the fields that a text describes. Any bytes are allowed.
constexpr ParsedFields ParseFields(std::string_view input) noexcept {
  return FieldsParser(input).Parse();
}

// Large enough for any text that WriteFields writes: every field, with two digits each.
inline constexpr std::size_t kLongestFieldsText = [] {
  constexpr std::string_view kBits = ":10";
  constexpr std::string_view kBetween = ", ";
  std::size_t length = (kFieldKinds - 1) * kBetween.size();
  for (const std::string_view name : kFieldNames) length += name.size() + kBits.size();
  return length;
}();

// Writes a layout's fields as ParseFields reads them, from the highest bit down, without a
// terminator. The layout's fields must not overlap, and have at most 63 bits. Returns the length.
constexpr std::size_t WriteFields(const Layout& layout, char* out) noexcept {
  std::size_t length = 0;
  const auto put = [out, &length](std::string_view word) {
    for (const char c : word) out[length++] = c;
  };
  for (const FieldSpec& spec : FieldsFromTop(layout)) {
    if (length > 0) put(", ");
    put(NameOfField(spec.kind));
    put(":");
    if (spec.bits >= 10) out[length++] = static_cast<char>('0' + spec.bits / 10);
    out[length++] = static_cast<char>('0' + spec.bits % 10);
  }
  return length;
}

}  // namespace idgen

// TypeIDs, version 0.3: a prefix and a UUID in Crockford's base 32, strictly in lower case. Source:
// https://github.com/jetify-com/typeid/tree/main/spec
#pragma once

#include <cstddef>
#include <string_view>

#include "id128.h"
#include "prefix.h"
#include "text.h"
#include "text128.h"

namespace idgen {

// The suffix is base32 of 128 bits with one writing for each digit: no upper case, no aliases.
inline constexpr TextFormat kTypeIdFormat =
    MakeTextFormat(TextForm::kBase32, "TypeID", "0123456789abcdefghjkmnpqrstvwxyz", {});

inline constexpr std::size_t kLongestTypeId = kLongestPrefix + 1 + kTypeIdFormat.width128;

// Writes the TypeID of a good prefix, without a terminator. Returns the number of characters.
constexpr std::size_t EncodeTypeId(std::string_view prefix, const Id128& id, char* out) noexcept {
  const std::size_t length = WritePrefix(prefix, out);
  return length + EncodeText(id, kTypeIdFormat, out + length);
}

// A TypeID that was read, or the first thing that is wrong with the text.
struct DecodedTypeId {
  bool empty_prefix = false;  // there is a separator, and nothing before it
  CheckedPrefix prefix_check;
  DecodedText128 suffix;  // of `text.id`
  PrefixedText text;

  [[nodiscard]] constexpr bool IsGood() const noexcept {
    return !empty_prefix && prefix_check.error == PrefixError::kNone &&
           suffix.error == TextError::kNone;
  }
};

constexpr DecodedTypeId DecodeTypeId(std::string_view input) noexcept {
  DecodedTypeId decoded;
  decoded.text = SplitPrefix(input);
  decoded.empty_prefix = decoded.text.has_separator && decoded.text.prefix.empty();
  decoded.prefix_check = CheckPrefix(decoded.text.prefix);
  if (decoded.IsGood()) decoded.suffix = DecodeText128(decoded.text.id, kTypeIdFormat);
  return decoded;
}

}  // namespace idgen

// Prefixes of texts: ord_0Gk2... says what kind of thing the ID is of.
//
// The rule is TypeID's (version 0.3): at most 63 characters a-z and underscores, with a letter at
// both ends. One underscore separates the prefix from the ID. No text form has an underscore among
// its characters, so the last one is the separator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace idgen {

inline constexpr std::size_t kLongestPrefix = 63;

enum class PrefixError : std::uint8_t {
  kNone,
  kBadCharacter,
  kUnderscoreAtEnd,  // at its beginning or its end
  kTooLong,
};

struct CheckedPrefix {
  PrefixError error = PrefixError::kNone;
  std::size_t at = 0;  // kBadCharacter: the index of the first one
};

// An empty prefix is good: the text is the ID alone, without a separator.
constexpr CheckedPrefix CheckPrefix(std::string_view prefix) noexcept {
  for (std::size_t at = 0; at < prefix.size(); ++at) {
    const char c = prefix[at];
    if ((c < 'a' || c > 'z') && c != '_') return {PrefixError::kBadCharacter, at};
  }
  if (prefix.starts_with('_') || prefix.ends_with('_')) return {PrefixError::kUnderscoreAtEnd, 0};
  if (prefix.size() > kLongestPrefix) return {PrefixError::kTooLong, 0};
  return {};
}

// Writes a good prefix and the separator. Returns the number of characters, at most
// kLongestPrefix + 1.
constexpr std::size_t WritePrefix(std::string_view prefix, char* out) noexcept {
  if (prefix.empty()) return 0;
  for (std::size_t i = 0; i < prefix.size(); ++i) out[i] = prefix[i];
  out[prefix.size()] = '_';
  return prefix.size() + 1;
}

struct PrefixedText {
  bool has_separator = false;
  std::string_view prefix;  // not checked
  std::string_view id;
};

// Divides a text at its last underscore. Without one all of it is the ID.
constexpr PrefixedText SplitPrefix(std::string_view text) noexcept {
  const std::size_t separator = text.rfind('_');
  if (separator == std::string_view::npos) return {false, {}, text};
  std::string_view prefix = text;
  std::string_view id = text;
  prefix.remove_suffix(text.size() - separator);
  id.remove_prefix(separator + 1);
  return {true, prefix, id};
}

// Whether it has this prefix; an empty one: whether it has none, and no separator.
constexpr bool HasPrefix(const PrefixedText& text, std::string_view prefix) noexcept {
  return text.prefix == prefix && text.has_separator == !prefix.empty();
}

}  // namespace idgen

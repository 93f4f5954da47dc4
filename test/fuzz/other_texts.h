// Texts with a prefix, TypeIDs, and the IDs of other systems: read as slow second readers do.
#pragma once

#include <idgen/foreign_text.h>
#include <idgen/prefix.h>
#include <idgen/typeid.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "fuzz.h"

namespace idgen::fuzz {

// --- Prefixes and TypeIDs ---------------------------------------------------------------------

// ^([a-z]([a-z_]{0,61}[a-z])?)?$
inline bool IsPrefixSlowly(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  if (text.empty()) return true;
  return text.size() <= 63 && kLetters.find(text.front()) != std::string_view::npos &&
         kLetters.find(text.back()) != std::string_view::npos &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
}

inline void CheckPrefixes(std::string_view text) {
  Require((CheckPrefix(text).error == PrefixError::kNone) == IsPrefixSlowly(text),
          "the same prefixes are good");
  const PrefixedText split = SplitPrefix(text);
  Require(
      text == std::string(split.prefix) + (split.has_separator ? "_" : "") + std::string(split.id),
      "the parts of a text are the text");
  Require(split.id.find('_') == std::string_view::npos, "an ID has no underscore");
}

// Of the specification: 26 digits of 5 bits each, the first of 3.
inline bool IsTypeIdSlowly(std::string_view text) {
  const std::size_t separator = text.find_last_of('_');
  std::string_view prefix;
  std::string_view suffix = text;
  if (separator != std::string_view::npos) {
    prefix = text.substr(0, separator);
    suffix = text.substr(separator + 1);
    if (prefix.empty()) return false;
  }
  return IsPrefixSlowly(prefix) && suffix.size() == 26 && suffix[0] <= '7' &&
         suffix.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz") == std::string_view::npos;
}

inline void CheckTypeId(std::string_view text) {
  const DecodedTypeId decoded = DecodeTypeId(text);
  Require(decoded.IsGood() == IsTypeIdSlowly(text), "the same TypeIDs are good");
  if (!decoded.IsGood()) return;
  std::array<char, kLongestTypeId> out{};
  const std::size_t length = EncodeTypeId(decoded.text.prefix, decoded.suffix.id, out.data());
  Require(std::string_view(out.data(), length) == text, "what is written is what was read");
}

// --- IDs of other systems ---------------------------------------------------------------------

// Reads digits into bits, one by one. Returns false if they are not good for one of the kinds.
template <typename Kind>
bool DecodeSlowly(std::string_view text, std::array<unsigned char, Kind::kSize>& bytes) {
  if (text.size() != Kind::kWidth) return false;
  const std::string_view alphabet = Kind::kFormat.alphabet;
  std::array<unsigned char, Kind::kSize + 1> all{};  // and bits that do not belong to the ID
  for (char c : text) {
    if (alphabet.size() == 16 && c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    std::size_t carry = alphabet.find(c);
    if (carry == std::string_view::npos) return false;
    for (std::size_t i = all.size(); i-- > 0; carry >>= 8) {
      carry += all[i] * alphabet.size();
      all[i] = static_cast<unsigned char>(carry);
    }
    if (carry != 0) return false;
  }
  // 20 digits of base 32 have 100 bits, of which the last 4 are to be 0.
  if (alphabet.size() == 32) {
    if ((all.back() & 15U) != 0) return false;
    for (std::size_t i = all.size() - 1; i > 0; --i) {
      all[i] = static_cast<unsigned char>(all[i] >> 4 | all[i - 1] << 4);
    }
    all[0] = 0;
  }
  std::copy(all.begin() + 1, all.end(), bytes.begin());
  return all[0] == 0;
}

template <typename Kind>
std::string EncodeOther(const std::array<unsigned char, Kind::kSize>& bytes) {
  std::array<char, Kind::kWidth + 1> out{};
  out.back() = '#';
  Kind::Encode(bytes.data(), out.data());
  Require(out.back() == '#', "nothing is written behind a text");
  return {out.data(), Kind::kWidth};
}

template <typename Kind>
void CheckOtherRead(std::string_view text) {
  const auto decoded = Kind::Decode(text);
  std::array<unsigned char, Kind::kSize> bytes{};
  const bool is_good = DecodeSlowly<Kind>(text, bytes);
  Require((decoded.error == TextError::kNone) == is_good, "the same texts are good");
  if (!is_good) return;
  Require(decoded.bytes == bytes, "the same bytes");
  std::string written(text);
  if (Kind::kFormat.form == TextForm::kHex) {
    for (char& c : written) c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  }
  Require(EncodeOther<Kind>(bytes) == written, "what is written is what was read");
  const std::int64_t second = SecondOf<Kind>(bytes);
  Require(BytesOfSecond<Kind>(second, 0) <= bytes && bytes <= BytesOfSecond<Kind>(second, 0xff),
          "an ID is between the ends of its second");
}

template <typename Kind>
void CheckOther(const Id128& id, std::string_view text) {
  CheckOtherRead<Kind>(text);
  std::array<unsigned char, Kind::kSize> bytes{};
  std::array<unsigned char, 16> id_bytes{};
  StoreBytes(id, id_bytes.data());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = id_bytes[i % id_bytes.size()];
  std::string written = EncodeOther<Kind>(bytes);
  Require(Kind::Decode(written).bytes == bytes, "what is written is read again");
  if (text.empty()) return;
  written[static_cast<std::size_t>(id.low % written.size())] = text[0];
  CheckOtherRead<Kind>(written);
}

inline void CheckOtherTexts(const Id128& id, std::string_view text) {
  CheckPrefixes(text);
  CheckTypeId(text);
  // A good suffix behind any prefix.
  std::array<char, kTypeIdFormat.width128> suffix{};
  EncodeText(id, kTypeIdFormat, suffix.data());
  CheckTypeId(std::string(text.substr(0, 70)) + '_' + std::string(suffix.begin(), suffix.end()));
  CheckOther<Ksuid>(id, text);
  CheckOther<Xid>(id, text);
  CheckOther<ObjectId>(id, text);
}

}  // namespace idgen::fuzz

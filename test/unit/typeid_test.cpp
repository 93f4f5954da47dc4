#include <idgen/typeid.h>

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "text_names.h"

namespace idgen {
namespace {

std::string Encode(std::string_view prefix, const Id128& id) {
  std::string text(kLongestTypeId + 1, '#');
  const std::size_t length = EncodeTypeId(prefix, id, text.data());
  EXPECT_EQ(text.find_first_not_of('#', length), std::string::npos) << "wrote beyond its end";
  return text.substr(0, length);
}

// The specification's tables, version 0.3.0: spec/valid.yml and spec/invalid.yml.
TEST(TypeId, ValidOnes) {
  struct Valid {
    const char* name;
    const char* text;
    const char* prefix;
    Id128 id;
  };
  const Valid valid[] = {
      {"nil", "00000000000000000000000000", "", {0, 0}},
      {"one", "00000000000000000000000001", "", {0, 1}},
      {"ten", "0000000000000000000000000a", "", {0, 10}},
      {"sixteen", "0000000000000000000000000g", "", {0, 16}},
      {"thirty-two", "00000000000000000000000010", "", {0, 32}},
      {"max-valid", "7zzzzzzzzzzzzzzzzzzzzzzzzz", "", kLargestId128},
      {"valid-alphabet",
       "prefix_0123456789abcdefghjkmnpqrs",
       "prefix",
       {0x0110c8531d0952d8, 0xd73e1194e95b5f19}},
      {"valid-uuidv7",
       "prefix_01h455vb4pex5vsknk084sn02q",
       "prefix",
       {0x01890a5dac96774b, 0xbcceb302099a8057}},
      {"prefix-underscore", "pre_fix_00000000000000000000000000", "pre_fix", {0, 0}},
  };
  for (const Valid& one : valid) {
    const DecodedTypeId decoded = DecodeTypeId(one.text);
    EXPECT_TRUE(decoded.IsGood()) << one.name;
    EXPECT_EQ(decoded.text.prefix, one.prefix) << one.name;
    EXPECT_EQ(decoded.suffix.id, one.id) << one.name;
    EXPECT_EQ(Encode(one.prefix, one.id), one.text) << one.name;
  }
}

// What is found to be wrong with a text.
enum class Wrong { kNothing, kPrefixCharacter, kUnderscore, kLongPrefix, kEmptyPrefix, kSuffix };

Wrong WhatIsWrong(const DecodedTypeId& decoded) {
  if (decoded.empty_prefix) return Wrong::kEmptyPrefix;
  switch (decoded.prefix_check.error) {
    case PrefixError::kBadCharacter:
      return Wrong::kPrefixCharacter;
    case PrefixError::kUnderscoreAtEnd:
      return Wrong::kUnderscore;
    case PrefixError::kTooLong:
      return Wrong::kLongPrefix;
    case PrefixError::kNone:
      break;
  }
  return decoded.suffix.error == TextError::kNone ? Wrong::kNothing : Wrong::kSuffix;
}

TEST(TypeId, InvalidOnes) {
  struct Invalid {
    const char* name;
    const char* text;
    Wrong wrong;
    TextError suffix = TextError::kNone;
  };
  const Invalid invalid[] = {
      {"prefix-uppercase", "PREFIX_00000000000000000000000000", Wrong::kPrefixCharacter},
      {"prefix-numeric", "12345_00000000000000000000000000", Wrong::kPrefixCharacter},
      {"prefix-period", "pre.fix_00000000000000000000000000", Wrong::kPrefixCharacter},
      {"prefix-non-ascii",
       "pr\xc3\xa9"
       "fix_00000000000000000000000000",
       Wrong::kPrefixCharacter},
      {"prefix-spaces", "  prefix_00000000000000000000000000", Wrong::kPrefixCharacter},
      {"prefix-64-chars",
       "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl_"
       "00000000000000000000000000",
       Wrong::kLongPrefix},
      {"separator-empty-prefix", "_00000000000000000000000000", Wrong::kEmptyPrefix},
      {"separator-empty", "_", Wrong::kEmptyPrefix},
      {"suffix-short", "prefix_1234567890123456789012345", Wrong::kSuffix, TextError::kTooShort},
      {"suffix-long", "prefix_123456789012345678901234567", Wrong::kSuffix, TextError::kTooLong},
      {"suffix-spaces", "prefix_1234567890123456789012345 ", Wrong::kSuffix,
       TextError::kBadCharacter},
      {"suffix-uppercase", "prefix_0123456789ABCDEFGHJKMNPQRS", Wrong::kSuffix,
       TextError::kBadCharacter},
      {"suffix-hyphens", "prefix_123456789-123456789-123456", Wrong::kSuffix,
       TextError::kBadCharacter},
      {"suffix-wrong-alphabet", "prefix_ooooooiiiiiiuuuuuuulllllll", Wrong::kSuffix,
       TextError::kBadCharacter},
      {"suffix-ambiguous-crockford", "prefix_i23456789ol23456789oi23456", Wrong::kSuffix,
       TextError::kBadCharacter},
      {"suffix-hyphens-crockford", "prefix_123456789-0123456789-0123456", Wrong::kSuffix,
       TextError::kBadCharacter},
      {"suffix-overflow", "prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz", Wrong::kSuffix,
       TextError::kOverflow},
      {"prefix-underscore-start", "_prefix_00000000000000000000000000", Wrong::kUnderscore},
      {"prefix-underscore-end", "prefix__00000000000000000000000000", Wrong::kUnderscore},
      // And these.
      {"empty", "", Wrong::kSuffix, TextError::kEmpty},
      {"prefix alone", "prefix_", Wrong::kSuffix, TextError::kEmpty},
      {"no separator", "prefix01h455vb4pex5vsknk084sn02q", Wrong::kSuffix,
       TextError::kBadCharacter},
      {"first overflow", "80000000000000000000000000", Wrong::kSuffix, TextError::kOverflow},
  };
  for (const Invalid& one : invalid) {
    const DecodedTypeId decoded = DecodeTypeId(one.text);
    EXPECT_FALSE(decoded.IsGood()) << one.name;
    EXPECT_EQ(WhatIsWrong(decoded), one.wrong) << one.name;
    EXPECT_STREQ(NameOf(decoded.suffix.error), NameOf(one.suffix)) << one.name;
    EXPECT_EQ(decoded.suffix.id, Id128{}) << one.name;
  }
}

// One text for each TypeID: what reads is what is written.
TEST(TypeId, NoOtherTextReadsAsTheSame) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const Id128 id = {random() >> (random() % 64), random()};
    const std::string prefix(random() % (kLongestPrefix + 1), 'x');
    std::string text = Encode(prefix, id);
    ASSERT_TRUE(DecodeTypeId(text).IsGood());
    ASSERT_EQ(DecodeTypeId(text).suffix.id, id);
    ASSERT_EQ(DecodeTypeId(text).text.prefix, prefix);
    text[random() % text.size()] = static_cast<char>(random() % 256);
    const DecodedTypeId decoded = DecodeTypeId(text);
    if (!decoded.IsGood()) continue;
    ASSERT_EQ(Encode(decoded.text.prefix, decoded.suffix.id), text);
  }
}

}  // namespace
}  // namespace idgen

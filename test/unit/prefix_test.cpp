#include <idgen/prefix.h>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace idgen {
namespace {

void ExpectGood(std::string_view prefix) {
  EXPECT_EQ(CheckPrefix(prefix).error, PrefixError::kNone) << prefix;
  std::string text(prefix.size() + 2, '#');
  const std::size_t length = WritePrefix(prefix, text.data());
  const std::string expected = prefix.empty() ? "" : std::string(prefix) + "_";
  ASSERT_EQ(length, expected.size());
  EXPECT_EQ(text.substr(0, length), expected);
  EXPECT_EQ(text.find_first_not_of('#', length), std::string::npos) << "wrote beyond its end";

  text = expected + "0Gk2";
  const PrefixedText split = SplitPrefix(text);
  EXPECT_EQ(split.prefix, prefix);
  EXPECT_EQ(split.id, "0Gk2");
  EXPECT_TRUE(HasPrefix(split, prefix));
  EXPECT_FALSE(HasPrefix(split, "other"));
  EXPECT_EQ(HasPrefix(split, ""), prefix.empty());
}

TEST(Prefix, GoodOnes) {
  for (const char* prefix : {"", "a", "ord", "sk_live", "a__b", "a_b_c_d"}) ExpectGood(prefix);
  ExpectGood(std::string(kLongestPrefix, 'z'));
}

void ExpectBad(std::string_view prefix, PrefixError error, std::size_t at = 0) {
  EXPECT_EQ(CheckPrefix(prefix).error, error) << prefix;
  EXPECT_EQ(CheckPrefix(prefix).at, at) << prefix;
}

TEST(Prefix, BadOnes) {
  ExpectBad("Ord", PrefixError::kBadCharacter, 0);
  ExpectBad("ord1", PrefixError::kBadCharacter, 3);
  ExpectBad("or-d", PrefixError::kBadCharacter, 2);
  ExpectBad(" ord", PrefixError::kBadCharacter, 0);
  ExpectBad("pr\xc3\xa9", PrefixError::kBadCharacter, 2);
  ExpectBad("`a", PrefixError::kBadCharacter, 0);
  ExpectBad("a{", PrefixError::kBadCharacter, 1);
  ExpectBad({"a\0", 2}, PrefixError::kBadCharacter, 1);
  ExpectBad("_", PrefixError::kUnderscoreAtEnd);
  ExpectBad("_a", PrefixError::kUnderscoreAtEnd);
  ExpectBad("a_", PrefixError::kUnderscoreAtEnd);
  ExpectBad(std::string(kLongestPrefix + 1, 'a'), PrefixError::kTooLong);
  ExpectBad("_" + std::string(100, 'a') + "A", PrefixError::kBadCharacter, 101);
}

TEST(Prefix, TheLastUnderscoreIsTheSeparator) {
  EXPECT_EQ(SplitPrefix("a_b_12").prefix, "a_b");
  EXPECT_EQ(SplitPrefix("a_b_12").id, "12");
  EXPECT_EQ(SplitPrefix("a_").id, "");
  EXPECT_EQ(SplitPrefix("a__12").prefix, "a_");
  EXPECT_FALSE(SplitPrefix("12").has_separator);
  EXPECT_FALSE(SplitPrefix("").has_separator);
  EXPECT_TRUE(SplitPrefix("_12").has_separator);
  // A separator without a prefix is not the same as neither of them.
  EXPECT_FALSE(HasPrefix(SplitPrefix("_12"), ""));
  EXPECT_TRUE(HasPrefix(SplitPrefix("12"), ""));
  EXPECT_FALSE(HasPrefix(SplitPrefix("12"), "ord"));
  EXPECT_FALSE(HasPrefix(SplitPrefix("ord__12"), "ord"));
  EXPECT_FALSE(HasPrefix(SplitPrefix("ord_12_34"), "ord"));
}

}  // namespace
}  // namespace idgen

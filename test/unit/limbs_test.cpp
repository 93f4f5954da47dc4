#include <idgen/limbs.h>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>

#include "text_names.h"

namespace idgen {
namespace {

constexpr std::uint32_t kTop = 0xffffffff;
constexpr std::uint64_t kTwoTo32 = std::uint64_t{1} << 32;

const TextFormat& Decimal() { return TextFormatOf(TextForm::kDecimal); }

static_assert(ChunkOf(2) == kTwoTo32 && ChunkOf(16) == kTwoTo32);
static_assert(ChunkOf(10) == 1'000'000'000 && ChunkOf(32) == 1 << 30);
static_assert(ChunkOf(62) == 916'132'832 && ChunkOf(58) == 656'356'768);

TEST(Limbs, AreDividedWithTheirRest) {
  Limbs<3> number = {1, 0, 7};  // 2^64 + 7
  EXPECT_EQ(DivideBy(number, 10), 3U);
  EXPECT_EQ(number, (Limbs<3>{0, 429496729, 2576980378}));  // 1844674407370955162
}

TEST(Limbs, MayBeDividedAndMultipliedByALimb) {
  Limbs<3> number = {1, 2, 3};
  EXPECT_EQ(DivideBy(number, kTwoTo32), 3U);
  EXPECT_EQ(number, (Limbs<3>{0, 1, 2}));
  EXPECT_EQ(MultiplyAdd(number, kTwoTo32, 9), 0U);
  EXPECT_EQ(number, (Limbs<3>{1, 2, 9}));
  EXPECT_EQ(MultiplyAdd(number, kTwoTo32, 5), 1U) << "what does not fit";
  EXPECT_EQ(number, (Limbs<3>{2, 9, 5}));
}

TEST(Limbs, TheLargestProductFits) {
  Limbs<2> number = {kTop, kTop};
  EXPECT_EQ(MultiplyAdd(number, kTwoTo32, kTop), kTop);
  EXPECT_EQ(number, (Limbs<2>{kTop, kTop}));
}

TEST(Limbs, MultiplyAddIsTheInverseOfDivideBy) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    Limbs<5> number{};
    for (std::uint32_t& limb : number) {
      limb = random() % 4 == 0 ? kTop : static_cast<std::uint32_t>(random() >> (random() % 64));
    }
    const std::uint64_t divisor = 1 + (random() % kTwoTo32 >> (random() % 32));
    Limbs<5> again = number;
    const std::uint64_t rest = DivideBy(again, divisor);
    ASSERT_LT(rest, divisor);
    ASSERT_EQ(MultiplyAdd(again, divisor, rest), 0U);
    ASSERT_EQ(again, number);
  }
}

TEST(Limbs, TheHighestByteIsFirst) {
  const std::array<unsigned char, 8> bytes = {0, 1, 2, 3, 0xfc, 0xfd, 0xfe, 0xff};
  const auto number = LoadLimbs<2>(bytes.data());
  EXPECT_EQ(number, (Limbs<2>{0x00010203, 0xfcfdfeff}));
  std::array<unsigned char, 8> stored{};
  StoreLimbs(number, stored.data());
  EXPECT_EQ(stored, bytes);
}

// Every number of two limbs that is written, also in fewer digits than a chunk has, is read again.
template <std::uint64_t kRadix>
void ExpectRoundTrips(TextForm form, std::size_t width) {
  const TextFormat& format = TextFormatOf(form);
  std::mt19937_64 random(kRadix);
  for (int i = 0; i < 5'000; ++i) {
    const std::uint64_t value = random() >> (random() % 64);
    const Limbs<2> number = {static_cast<std::uint32_t>(value >> 32),
                             static_cast<std::uint32_t>(value)};
    std::string text(width + 1, '#');
    WriteDigits<kRadix>(number, format.alphabet, width, text.data());
    ASSERT_EQ(text.back(), '#') << "wrote beyond its width";
    text.pop_back();
    std::uint64_t slowly = 0;
    for (const char c : text) slowly = slowly * kRadix + format.alphabet.find(c);
    ASSERT_EQ(slowly, value) << text;
    const auto decoded = ReadDigits<2>(text, format, width);
    ASSERT_STREQ(NameOf(decoded.error), "none") << text;
    ASSERT_EQ(decoded.number, number) << text;
  }
}

TEST(Digits, WhatIsWrittenIsReadAgain) {
  ExpectRoundTrips<62>(TextForm::kBase62, 11);
  ExpectRoundTrips<58>(TextForm::kBase58, 11);
  ExpectRoundTrips<32>(TextForm::kBase32, 13);
  ExpectRoundTrips<16>(TextForm::kHex, 16);
  ExpectRoundTrips<10>(TextForm::kDecimal, 20);
}

TEST(Digits, OverflowIsSeenWhereverItHappens) {
  // With the last chunk, with an earlier one, and long before the end of a text that is too long.
  EXPECT_EQ(ReadDigits<1>("4294967295", Decimal(), 10).number, (Limbs<1>{kTop}));
  EXPECT_EQ(ReadDigits<1>("4294967296", Decimal(), 10).error, TextError::kOverflow);
  EXPECT_EQ(ReadDigits<1>("4294967296000000000", Decimal(), 19).error, TextError::kOverflow);
  EXPECT_EQ(ReadDigits<1>("9999999999999999999000000000", Decimal(), 28).error,
            TextError::kOverflow);
  EXPECT_EQ(ReadDigits<1>("42949672960", Decimal(), 10).error, TextError::kTooLong);
}

TEST(Digits, ErrorsAreCheckedForInOrder) {
  const TextFormat& base62 = TextFormatOf(TextForm::kBase62);
  EXPECT_EQ(ReadDigits<1>("", base62, 6).error, TextError::kEmpty);
  const auto bad = ReadDigits<1>("zzzzzzzzz-!", base62, 6);
  EXPECT_EQ(bad.error, TextError::kBadCharacter);
  EXPECT_EQ(bad.at, 9U);
  EXPECT_EQ(ReadDigits<1>("0000000", base62, 6).error, TextError::kTooLong);
  EXPECT_EQ(ReadDigits<1>("00000", base62, 6).error, TextError::kTooShort);
  EXPECT_EQ(ReadDigits<1>("zzzzzz", base62, 6).error, TextError::kOverflow);
  EXPECT_EQ(ReadDigits<1>("zzzzzz", base62, 6).number, Limbs<1>{});
  EXPECT_EQ(ReadDigits<1>("00007", Decimal(), 10).number, Limbs<1>{7}) << "may be shorter";
}

}  // namespace
}  // namespace idgen

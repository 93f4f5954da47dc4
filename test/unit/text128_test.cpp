#include <idgen/text128.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text_names.h"

namespace idgen {

void PrintTo(const Id128& id, std::ostream* out) {
  *out << std::hex << id.high << ':' << id.low << std::dec;
}

namespace {

__extension__ using Uint128 = unsigned __int128;

std::string Encode(const Id128& id, const TextFormat& format) {
  // What is behind the text stays as it was.
  std::string out(kWidestText128 + 1, '#');
  const std::size_t width = EncodeText(id, format, out.data());
  EXPECT_EQ(out.find_first_not_of('#', width), std::string::npos) << "wrote beyond its width";
  return out.substr(0, width);
}

void ExpectId(std::string_view text, TextForm form, const Id128& id) {
  const DecodedText128 decoded = DecodeText128(text, TextFormatOf(form));
  EXPECT_STREQ(NameOf(decoded.error), "none") << text;
  EXPECT_EQ(decoded.id, id) << text;
  EXPECT_EQ(decoded.at, 0U) << text;
}

void ExpectError(std::string_view text, TextForm form, TextError error, std::size_t at = 0) {
  const DecodedText128 decoded = DecodeText128(text, TextFormatOf(form));
  EXPECT_STREQ(NameOf(decoded.error), NameOf(error)) << '"' << text << '"';
  EXPECT_EQ(decoded.at, at) << '"' << text << '"';
  EXPECT_EQ(decoded.id, Id128{}) << '"' << text << '"';
}

constexpr bool SurvivesCompiling(const Id128& id) {
  for (const TextFormat& format : kTextFormats) {
    std::array<char, kWidestText128> out{};
    const std::size_t width = EncodeText(id, format, out.data());
    const DecodedText128 decoded = DecodeText128({out.data(), width}, format);
    if (decoded.error != TextError::kNone || decoded.id != id) return false;
  }
  return true;
}
static_assert(SurvivesCompiling({}) && SurvivesCompiling({1, 2}) &&
              SurvivesCompiling(kLargestId128));
static_assert(noexcept(DecodeText128({}, kTextFormats[0])));

TEST(Text128, HasItsWidths) {
  const std::vector<std::pair<std::string_view, std::size_t>> widths = {
      {"base62", 22}, {"base32", 26}, {"base58", 22}, {"hex", 32}, {"decimal", 39}};
  ASSERT_EQ(widths.size(), kTextFormats.size());
  std::size_t widest = 0;
  for (const auto& [name, width] : widths) {
    EXPECT_EQ(FindTextFormat(name)->width128, width) << name;
    widest = std::max(widest, width);
  }
  EXPECT_EQ(kWidestText128, widest);
}

// --- Known texts, computed outside of this project -----------------------------------

TEST(Text128, KnownTexts) {
  struct Known {
    Id128 id;
    const char* texts[5];  // in the order of TextForm
  };
  const Known known[] = {
      {{0x0000000000000000, 0x0000000000000000},
       {"0000000000000000000000", "00000000000000000000000000", "1111111111111111111111",
        "00000000000000000000000000000000", "000000000000000000000000000000000000000"}},
      {{0x0000000000000000, 0x0000000000000001},
       {"0000000000000000000001", "00000000000000000000000001", "1111111111111111111112",
        "00000000000000000000000000000001", "000000000000000000000000000000000000001"}},
      {{0x0000000000000000, 0x000000000000003d},
       {"000000000000000000000z", "0000000000000000000000001X", "1111111111111111111124",
        "0000000000000000000000000000003d", "000000000000000000000000000000000000061"}},
      {{0x0000000000000000, 0xffffffffffffffff},
       {"00000000000LygHa16AHYF", "0000000000000FZZZZZZZZZZZZ", "11111111111jpXCZedGfVQ",
        "0000000000000000ffffffffffffffff", "000000000000000000018446744073709551615"}},
      {{0x0000000000000001, 0x0000000000000000},
       {"00000000000LygHa16AHYG", "0000000000000G000000000000", "11111111111jpXCZedGfVR",
        "00000000000000010000000000000000", "000000000000000000018446744073709551616"}},
      {{0x8000000000000000, 0x0000000000000000},
       {"3tX16dB2jpss4tZORYcqo4", "40000000000000000000000000", "GokLUsho3eiVvNYNd1wgfy",
        "80000000000000000000000000000000", "170141183460469231731687303715884105728"}},
      // The ULID of its first specification, and TypeID's example.
      {{0x01563df36481d676, 0x4c61efb99302bd5b},
       {"02WP6vjLWOGVBKPCF9fAgV", "01ARYZ6S41TSV4RRFFQ69G5FAV", "1AaLsH1SUNAUK3dNDbnPwY",
        "01563df36481d6764c61efb99302bd5b", "001777022036153689948599198395857550683"}},
      {{0x01890a5dac96774b, 0xbcceb302099a8057},
       {"02tcRIyrxLXTR81B3dqdOx", "01H455VB4PEX5VSKNK084SN02Q", "1BzmjTFLHWXwiSK4y3H5iW",
        "01890a5dac96774bbcceb302099a8057", "002040782911132661522235942288014082135"}},
      {kLargestId128,
       {"7n42DGM5Tflk9n8mt7Fhc7", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "YcVfxkQb6JRzqk5kF2tNLv",
        "ffffffffffffffffffffffffffffffff", "340282366920938463463374607431768211455"}},
  };
  for (const Known& one : known) {
    for (std::size_t i = 0; i < kTextFormats.size(); ++i) {
      EXPECT_EQ(Encode(one.id, kTextFormats[i]), one.texts[i]);
      ExpectId(one.texts[i], kTextFormats[i].form, one.id);
    }
  }
}

TEST(Text128, OverflowIsNeverWrapped) {
  // 2^128, 2^128 + 1, and the largest of the width, where the form can write them.
  ExpectError("7n42DGM5Tflk9n8mt7Fhc8", TextForm::kBase62, TextError::kOverflow);
  ExpectError("7n42DGM5Tflk9n8mt7Fhc9", TextForm::kBase62, TextError::kOverflow);
  ExpectError("zzzzzzzzzzzzzzzzzzzzzz", TextForm::kBase62, TextError::kOverflow);
  ExpectError("80000000000000000000000000", TextForm::kBase32, TextError::kOverflow);
  ExpectError("80000000000000000000000001", TextForm::kBase32, TextError::kOverflow);
  ExpectError("8zzzzzzzzzzzzzzzzzzzzzzzzz", TextForm::kBase32, TextError::kOverflow);
  ExpectError("ZZZZZZZZZZZZZZZZZZZZZZZZZZ", TextForm::kBase32, TextError::kOverflow);
  ExpectError("YcVfxkQb6JRzqk5kF2tNLw", TextForm::kBase58, TextError::kOverflow);
  ExpectError("zzzzzzzzzzzzzzzzzzzzzz", TextForm::kBase58, TextError::kOverflow);
  ExpectError("340282366920938463463374607431768211456", TextForm::kDecimal, TextError::kOverflow);
  ExpectError("999999999999999999999999999999999999999", TextForm::kDecimal, TextError::kOverflow);
}

TEST(Text128, IsReadAsStrictlyAsTheNarrowForms) {
  ExpectId("ff", TextForm::kHex, {0, 255});
  ExpectId("FF", TextForm::kHex, {0, 255});
  ExpectId("255", TextForm::kDecimal, {0, 255});
  ExpectId("oOiIlL00000000000000000000", TextForm::kBase32,
           {std::uint64_t{0b1'00001'00001'00001} << 36, 0});
  ExpectError("", TextForm::kBase62, TextError::kEmpty);
  ExpectError("15Pbss5oLZo", TextForm::kBase62, TextError::kTooShort);
  ExpectError("01890a5d-ac96-774b-bcce-b302099a8057", TextForm::kHex, TextError::kBadCharacter, 8);
  ExpectError("U0000000000000000000000000", TextForm::kBase32, TextError::kBadCharacter, 0);
  ExpectError("000000000000000000000000000", TextForm::kBase32, TextError::kTooLong);
  ExpectError(" 1", TextForm::kDecimal, TextError::kBadCharacter, 0);
}

// --- Against a slow reference --------------------------------------------------------

Uint128 Number(const Id128& id) { return Uint128{id.high} << 64 | id.low; }

// Of every size: the numbers near the powers of two are among them.
Id128 SomeId(std::mt19937_64& random) {
  Uint128 number = Uint128{random()} << 64 | random();
  number >>= random() % 128;
  if (random() % 4 == 0) number = (Uint128{1} << (random() % 128)) + random() % 3 - 1;
  if (random() % 8 == 0) number = ~Uint128{0} - random() % 3;
  return {static_cast<std::uint64_t>(number >> 64), static_cast<std::uint64_t>(number)};
}

std::string EncodeSlowly(const Id128& id, const TextFormat& format) {
  std::string text(format.width128, format.alphabet[0]);
  Uint128 rest = Number(id);
  for (std::size_t at = text.size(); at-- > 0; rest /= format.alphabet.size()) {
    text[at] = format.alphabet[static_cast<std::size_t>(rest % format.alphabet.size())];
  }
  return text;
}

class AnyForm128 : public testing::TestWithParam<std::size_t> {
 protected:
  const TextFormat& Format() const { return kTextFormats[GetParam()]; }
};

INSTANTIATE_TEST_SUITE_P(Forms, AnyForm128, testing::Range(std::size_t{0}, kTextFormats.size()),
                         [](const auto& tested) {
                           return std::string(kTextFormats[tested.param].name);
                         });

TEST_P(AnyForm128, WritesAsTheReferenceDoesAndReadsItAgain) {
  std::mt19937_64 random(GetParam());
  for (int i = 0; i < 20'000; ++i) {
    const Id128 id = SomeId(random);
    const std::string text = Encode(id, Format());
    ASSERT_EQ(text, EncodeSlowly(id, Format()));
    const DecodedText128 decoded = DecodeText128(text, Format());
    ASSERT_STREQ(NameOf(decoded.error), "none") << text;
    ASSERT_EQ(decoded.id, id) << text;
  }
}

TEST_P(AnyForm128, TextOrderIsNumberOrder) {
  std::mt19937_64 random(GetParam());
  for (int i = 0; i < 20'000; ++i) {
    const Id128 a = SomeId(random);
    Id128 b = SomeId(random);
    if (random() % 2 == 0) b = {a.high, a.low + random() % 70};
    ASSERT_EQ(Encode(a, Format()) < Encode(b, Format()), a < b);
  }
}

// A number of 64 bits has the same digits in both widths.
TEST_P(AnyForm128, NarrowTextsAreTheEndsOfWideOnes) {
  std::mt19937_64 random(GetParam());
  for (int i = 0; i < 1'000; ++i) {
    const std::uint64_t id = random() >> (1 + random() % 63);
    std::string narrow(kWidestText, '#');
    narrow.resize(EncodeText(id, Format(), narrow.data()));
    const std::string wide = Encode(Id128{0, id}, Format());
    ASSERT_EQ(wide.substr(wide.size() - narrow.size()), narrow);
    ASSERT_EQ(wide.find_first_not_of(Format().alphabet[0]) >= wide.size() - narrow.size(), true);
  }
}

// What overflows: value > max is looked for before each step.
TEST_P(AnyForm128, AnyDigitsAreReadAsTheReferenceDoes) {
  std::mt19937_64 random(GetParam());
  const std::size_t radix = Format().alphabet.size();
  int overflows = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = EncodeSlowly(SomeId(random), Format());
    if (random() % 2 == 0) {
      for (char& c : text) c = Format().alphabet[random() % radix];
    } else {
      text[random() % text.size()] = Format().alphabet[random() % radix];
    }
    Uint128 value = 0;
    bool overflow = false;
    for (const char c : text) {
      const std::size_t digit = Format().alphabet.find(c);
      overflow |= value > (~Uint128{0} - digit) / radix;
      value = value * radix + digit;
    }
    overflows += static_cast<int>(overflow);
    const DecodedText128 decoded = DecodeText128(text, Format());
    ASSERT_STREQ(NameOf(decoded.error), overflow ? "overflow" : "none") << text;
    ASSERT_EQ(Number(decoded.id), overflow ? 0 : value) << text;
  }
  // Every number of 32 hexadecimal digits fits.
  EXPECT_EQ(overflows > 100, radix != 16);
}

}  // namespace
}  // namespace idgen

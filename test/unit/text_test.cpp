#include <idgen/text.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text_names.h"

namespace idgen {

void PrintTo(const TextFormat& format, std::ostream* out) { *out << format.name; }

namespace {

constexpr std::uint64_t kMaxId = std::numeric_limits<std::int64_t>::max();

std::string Encode(std::uint64_t id, const TextFormat& format) {
  // One more than there is room for, to see what is written beyond the width.
  std::string out(kWidestText + 1, '#');
  const std::size_t width = EncodeText(id, format, out.data());
  EXPECT_EQ(out.find_first_not_of('#', width), std::string::npos) << "wrote beyond its width";
  return out.substr(0, width);
}

std::string Encode(std::uint64_t id, TextForm form) { return Encode(id, TextFormatOf(form)); }

void ExpectId(std::string_view text, TextForm form, std::uint64_t id) {
  const DecodedText decoded = DecodeText(text, TextFormatOf(form));
  EXPECT_STREQ(NameOf(decoded.error), "none") << text;
  EXPECT_EQ(decoded.id, id) << text;
  EXPECT_EQ(decoded.at, 0U) << text;
}

void ExpectError(std::string_view text, TextForm form, TextError error, std::size_t at = 0) {
  const DecodedText decoded = DecodeText(text, TextFormatOf(form));
  EXPECT_STREQ(NameOf(decoded.error), NameOf(error)) << '"' << text << '"';
  EXPECT_EQ(decoded.at, at) << '"' << text << '"';
  EXPECT_EQ(decoded.id, 0U) << '"' << text << '"';
}

// --- Usable when compiling -----------------------------------------------------------

constexpr bool SurvivesCompiling(std::uint64_t id) {
  for (const TextFormat& format : kTextFormats) {
    std::array<char, kWidestText> out{};
    const std::size_t width = EncodeText(id, format, out.data());
    const DecodedText decoded = DecodeText({out.data(), width}, format);
    if (decoded.error != TextError::kNone || decoded.id != id) return false;
  }
  return true;
}
static_assert(SurvivesCompiling(0) && SurvivesCompiling(912261120518167228) &&
              SurvivesCompiling(kMaxId));
static_assert(noexcept(DecodeText({}, kTextFormats[0])));

// --- The table -----------------------------------------------------------------------

TEST(TextFormats, HaveTheirWidths) {
  const std::vector<std::pair<std::string_view, std::size_t>> widths = {
      {"base62", 11}, {"base32", 13}, {"base58", 11}, {"hex", 16}, {"decimal", 19}};
  ASSERT_EQ(widths.size(), kTextFormats.size());
  std::size_t widest = 0;
  for (const auto& [name, width] : widths) {
    const TextFormat* format = FindTextFormat(name);
    ASSERT_NE(format, nullptr) << name;
    EXPECT_EQ(format->name, name);
    EXPECT_EQ(format->width, width) << name;
    widest = std::max(widest, width);
  }
  EXPECT_EQ(kWidestText, widest);
}

TEST(TextFormats, AreFoundByFormAndByExactName) {
  for (const TextForm form : {TextForm::kBase62, TextForm::kBase32, TextForm::kBase58,
                              TextForm::kHex, TextForm::kDecimal}) {
    EXPECT_EQ(TextFormatOf(form).form, form);
    EXPECT_EQ(FindTextFormat(TextFormatOf(form).name), &TextFormatOf(form));
  }
  EXPECT_EQ(TextFormatOf(TextForm::kBase58).name, "base58");
  for (const std::string_view name : {"", "Base62", "base6", "base622", "base64", " hex"}) {
    EXPECT_EQ(FindTextFormat(name), nullptr) << name;
  }
}

// --- Known texts, computed outside of this project -----------------------------------

TEST(Text, KnownTexts) {
  struct Known {
    std::uint64_t id;
    const char* texts[5];  // in the order of TextForm
  };
  const Known known[] = {
      {0,
       {"00000000000", "0000000000000", "11111111111", "0000000000000000", "0000000000000000000"}},
      {1,
       {"00000000001", "0000000000001", "11111111112", "0000000000000001", "0000000000000000001"}},
      {61,
       {"0000000000z", "000000000001X", "11111111124", "000000000000003d", "0000000000000000061"}},
      {1234567890,
       {"000001LY7VK", "00000014SC0PJ", "111112t6V2H", "00000000499602d2", "0000000001234567890"}},
      {912261120518167228,
       {"15OAGbaOEyS", "0SA80MZFE56NW", "37pXhiPkA8j", "0ca900a7dee29abc", "0912261120518167228"}},
      {612728911936419721,
       {"0jGIu6JmSbp", "0H06SPBSS9XW9", "2RVb2WfEgKr", "0880d9b2f394f789", "0612728911936419721"}},
      {4611686018427387904,
       {"5UfZOVH2ZO4", "4000000000000", "Bht3tfQZv87", "4000000000000000", "4611686018427387904"}},
      {kMaxId,
       {"AzL8n0Y58m7", "7ZZZZZZZZZZZZ", "NQm6nKp8qFC", "7fffffffffffffff", "9223372036854775807"}},
  };
  for (const Known& one : known) {
    for (std::size_t i = 0; i < kTextFormats.size(); ++i) {
      EXPECT_EQ(Encode(one.id, kTextFormats[i]), one.texts[i]);
      ExpectId(one.texts[i], kTextFormats[i].form, one.id);
    }
  }
}

TEST(Text, OverflowIsNeverWrapped) {
  // 2^63, 2^64 - 1, 2^64, and the largest of the width, where the form can write them.
  ExpectError("AzL8n0Y58m8", TextForm::kBase62, TextError::kOverflow);
  ExpectError("LygHa16AHYF", TextForm::kBase62, TextError::kOverflow);
  ExpectError("LygHa16AHYG", TextForm::kBase62, TextError::kOverflow);
  ExpectError("zzzzzzzzzzz", TextForm::kBase62, TextError::kOverflow);
  ExpectError("8000000000000", TextForm::kBase32, TextError::kOverflow);
  ExpectError("FZZZZZZZZZZZZ", TextForm::kBase32, TextError::kOverflow);
  ExpectError("G000000000000", TextForm::kBase32, TextError::kOverflow);
  ExpectError("ZZZZZZZZZZZZZ", TextForm::kBase32, TextError::kOverflow);
  ExpectError("NQm6nKp8qFD", TextForm::kBase58, TextError::kOverflow);
  ExpectError("jpXCZedGfVQ", TextForm::kBase58, TextError::kOverflow);
  ExpectError("jpXCZedGfVR", TextForm::kBase58, TextError::kOverflow);
  ExpectError("zzzzzzzzzzz", TextForm::kBase58, TextError::kOverflow);
  ExpectError("8000000000000000", TextForm::kHex, TextError::kOverflow);
  ExpectError("ffffffffffffffff", TextForm::kHex, TextError::kOverflow);
  ExpectError("9223372036854775808", TextForm::kDecimal, TextError::kOverflow);
  ExpectError("9999999999999999999", TextForm::kDecimal, TextError::kOverflow);
}

TEST(Text, OnlyHexAndDecimalAreReadWithoutLeadingZeros) {
  ExpectId("f", TextForm::kHex, 15);
  ExpectId("00f", TextForm::kHex, 15);
  ExpectId("7", TextForm::kDecimal, 7);
  ExpectId("000000000000000007", TextForm::kDecimal, 7);
  for (const TextForm form : {TextForm::kBase62, TextForm::kBase32, TextForm::kBase58}) {
    const std::string text = Encode(912261120518167228, form);
    for (std::size_t length = 1; length < text.size(); ++length) {
      ExpectError(text.substr(0, length), form, TextError::kTooShort);
    }
  }
}

TEST(Text, Base32ReadsWhatPeopleMistake) {
  ExpectId("0sa80mzfe56nw", TextForm::kBase32, 912261120518167228);
  ExpectId("OoIiLl0000000", TextForm::kBase32, std::uint64_t{0b1'00001'00001'00001} << 35);
  for (const char wrong : {'U', 'u', '-', '*', '~', '$', '='}) {
    ExpectError(std::string("00000") + wrong + "0000000", TextForm::kBase32,
                TextError::kBadCharacter, 5);
  }
}

TEST(Text, CaseMattersOnlyWhereItTellsDigitsApart) {
  ExpectId("CaFeBaBe", TextForm::kHex, 0xcafebabe);
  ExpectId("0000000000a", TextForm::kBase62, 36);
  ExpectId("0000000000A", TextForm::kBase62, 10);
  ExpectId("1111111111a", TextForm::kBase58, 33);
  ExpectId("1111111111A", TextForm::kBase58, 9);
  for (const char wrong : {'0', 'O', 'I', 'l'}) {
    ExpectError(std::string(10, '1') + wrong, TextForm::kBase58, TextError::kBadCharacter, 10);
  }
}

TEST(Text, NothingIsSkipped) {
  for (const std::string_view text :
       {" 1", "+1", "-1", "x1", "\t1", "_1", ".1", "/1", ":1", "g1"}) {
    ExpectError(text, TextForm::kHex, TextError::kBadCharacter, 0);
    ExpectError(text, TextForm::kDecimal, TextError::kBadCharacter, 0);
  }
  ExpectError("1 ", TextForm::kDecimal, TextError::kBadCharacter, 1);
  ExpectError("1e3", TextForm::kDecimal, TextError::kBadCharacter, 1);
  ExpectError("0x10", TextForm::kHex, TextError::kBadCharacter, 1);
  ExpectError({"12\0", 3}, TextForm::kDecimal, TextError::kBadCharacter, 2);
  ExpectError("12\xff", TextForm::kHex, TextError::kBadCharacter, 2);
}

TEST(Text, TheFirstOfSeveralErrorsIsReported) {
  for (const TextFormat& format : kTextFormats) {
    const std::string zero(1, format.alphabet.front());
    const std::string top(1, format.alphabet.back());
    const auto repeat = [](const std::string& text, std::size_t times) {
      std::string all;
      while (times-- > 0) all += text;
      return all;
    };
    ExpectError("", format.form, TextError::kEmpty);
    ExpectError("!?", format.form, TextError::kBadCharacter, 0);
    ExpectError(repeat(top, format.width) + "!", format.form, TextError::kBadCharacter,
                format.width);
    ExpectError(repeat(zero, format.width + 1000UL) + "!?", format.form, TextError::kBadCharacter,
                format.width + 1000UL);
    ExpectError(repeat(top, format.width + 1UL), format.form, TextError::kTooLong);
    ExpectError(repeat(zero, format.width + 1UL), format.form, TextError::kTooLong);
    ExpectError(repeat(top, 1000), format.form, TextError::kTooLong);
    ExpectError(repeat(top, format.width), format.form, TextError::kOverflow);
  }
}

// --- Against a slow reference --------------------------------------------------------

// Written from the rules, with strings instead of tables.
struct SlowForm {
  std::string alphabet;
  std::size_t width;
  bool exact_width;

  // What `c` stands for, or npos.
  std::size_t DigitOf(char c) const {
    if (alphabet.size() == 16 && c >= 'A' && c <= 'F')
      return static_cast<std::size_t>(c - 'A') + 10;
    if (alphabet.size() == 32) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
      if (c == 'I' || c == 'L') return 1;
      if (c == 'O') return 0;
    }
    return alphabet.find(c);
  }

  // Digits are taken off from the top: how often does the digit's weight go into the rest?
  std::string Write(std::uint64_t id) const {
    __extension__ unsigned __int128 weight = 1;
    for (std::size_t i = 1; i < width; ++i) weight *= alphabet.size();
    std::string text;
    for (; weight > 0; weight /= alphabet.size()) {
      std::size_t digit = 0;
      for (; id >= weight; id -= static_cast<std::uint64_t>(weight)) ++digit;
      text += alphabet[digit];
    }
    return text;
  }

  DecodedText Read(const std::string& text) const {
    if (text.empty()) return {TextError::kEmpty, 0, 0};
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (DigitOf(text[i]) == std::string::npos) return {TextError::kBadCharacter, 0, i};
    }
    if (text.size() > width) return {TextError::kTooLong, 0, 0};
    if (text.size() < width && exact_width) return {TextError::kTooShort, 0, 0};
    __extension__ unsigned __int128 value = 0;
    for (const char c : text) value = value * alphabet.size() + DigitOf(c);
    if (value > kMaxId) return {TextError::kOverflow, 0, 0};
    return {TextError::kNone, static_cast<std::uint64_t>(value), 0};
  }
};

const std::array<SlowForm, 5> kSlowForms = {{
    {"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 11, true},
    {"0123456789ABCDEFGHJKMNPQRSTVWXYZ", 13, true},
    {"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 11, true},
    {"0123456789abcdef", 16, false},
    {"0123456789", 19, false},
}};

class AnyForm : public testing::TestWithParam<std::size_t> {
 protected:
  const TextFormat& Format() const { return kTextFormats[GetParam()]; }
  const SlowForm& Slow() const { return kSlowForms[GetParam()]; }

  void ExpectAgreement(const std::string& text) const {
    const DecodedText expected = Slow().Read(text);
    // A copy without the terminator of std::string: the sanitizer sees a byte too far.
    const std::vector<char> bytes(text.begin(), text.end());
    const DecodedText decoded = DecodeText({bytes.data(), bytes.size()}, Format());
    ASSERT_STREQ(NameOf(decoded.error), NameOf(expected.error)) << testing::PrintToString(text);
    ASSERT_EQ(decoded.id, expected.id) << testing::PrintToString(text);
    ASSERT_EQ(decoded.at, expected.at) << testing::PrintToString(text);
  }
};

INSTANTIATE_TEST_SUITE_P(Forms, AnyForm, testing::Range(std::size_t{0}, kTextFormats.size()),
                         [](const auto& tested) {
                           return std::string(kTextFormats[tested.param].name);
                         });

// Of every size: the numbers near the powers of two are among them.
std::uint64_t SomeId(std::mt19937_64& random) {
  const std::uint64_t any = random() >> (1 + random() % 63);
  switch (random() % 4) {
    case 0:
      return std::min(kMaxId, (std::uint64_t{1} << (random() % 63)) + random() % 3 - 1);
    case 1:
      return kMaxId - random() % 3;
    default:
      return any;
  }
}

TEST_P(AnyForm, WritesAsTheReferenceDoesAndReadsItAgain) {
  std::mt19937_64 random(GetParam());
  for (int i = 0; i < 50'000; ++i) {
    const std::uint64_t id = SomeId(random);
    const std::string text = Encode(id, Format());
    ASSERT_EQ(text, Slow().Write(id)) << id;
    ASSERT_EQ(text.size(), Format().width);
    const DecodedText decoded = DecodeText(text, Format());
    ASSERT_STREQ(NameOf(decoded.error), "none") << text;
    ASSERT_EQ(decoded.id, id) << text;
  }
}

TEST_P(AnyForm, TextOrderIsNumberOrder) {
  std::mt19937_64 random(GetParam());
  for (int i = 0; i < 50'000; ++i) {
    const std::uint64_t a = SomeId(random);
    const std::uint64_t b =
        random() % 2 == 0 ? SomeId(random) : std::min(kMaxId, a + random() % 70);
    ASSERT_EQ(Encode(a, Format()) < Encode(b, Format()), a < b) << a << ' ' << b;
  }
}

TEST_P(AnyForm, ReadsEveryByteAsTheReferenceDoes) {
  for (std::size_t at = 0; at < Format().width; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text(Format().width, Format().alphabet[0]);
      text[at] = static_cast<char>(byte);
      ExpectAgreement(text);
    }
  }
}

TEST_P(AnyForm, ReadsMangledTextsAsTheReferenceDoes) {
  std::mt19937_64 random(GetParam());
  std::array<int, 6> seen{};
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    if (random() % 2 == 0) {
      text = Slow().Write(SomeId(random));
    } else {
      // Any digits, mostly of the width: half of these overflow in most forms.
      const std::size_t length = random() % 4 == 0 ? random() % 40 : Format().width;
      while (text.size() < length) text += Slow().alphabet[random() % Slow().alphabet.size()];
    }
    for (std::uint64_t times = random() % 3; times > 0; --times) {
      const std::size_t at = random() % (text.size() + 1);
      switch (random() % 6) {
        case 0:
          text.resize(at);
          break;
        case 1:
          text.insert(at, 1, static_cast<char>(random() % 256));
          break;
        case 2:
          text.insert(at, 1, Slow().alphabet[random() % Slow().alphabet.size()]);
          break;
        case 3:
          if (at < text.size()) text[at] = static_cast<char>(random() % 256);
          break;
        case 4:
          if (at < text.size()) text[at] = static_cast<char>(text[at] ^ 0x20);
          break;
        default:
          if (at < text.size()) text[at] = "IiLlOoUu0-"[random() % 10];
          break;
      }
    }
    ++seen[static_cast<std::size_t>(Slow().Read(text).error)];
    ExpectAgreement(text);
  }
  for (std::size_t error = 0; error < seen.size(); ++error) {
    const bool possible =
        Slow().exact_width || static_cast<TextError>(error) != TextError::kTooShort;
    EXPECT_EQ(seen[error] > 100, possible) << NameOf(static_cast<TextError>(error));
  }
}

}  // namespace
}  // namespace idgen

// Text forms: any text is read or refused as a slow second reader does, and every number is
// written as a slow second writer does.
//
// An input: which form, two numbers, and a text. The numbers are also one of 128 bits, and the text
// may be an ID of any kind that is read here.
#include <idgen/id128.h>
#include <idgen/text.h>
#include <idgen/text128.h>

#include <algorithm>
#include <array>
#include <string>

#include "fuzz.h"
#include "other_texts.h"

namespace idgen::fuzz {
namespace {

__extension__ using Uint128 = unsigned __int128;

// The two widths.
struct Bits64 {
  static constexpr Uint128 kLargest = (Uint128{1} << 63) - 1;
  static constexpr std::size_t kWidest = kWidestText;
  static std::size_t WidthOf(const TextFormat& format) { return format.width; }
  static DecodedText Decode(std::string_view text, const TextFormat& format) {
    return DecodeText(text, format);
  }
  static Uint128 Number(std::uint64_t id) { return id; }
  static std::uint64_t Id(Uint128 number) { return static_cast<std::uint64_t>(number); }
};

struct Bits128 {
  static constexpr Uint128 kLargest = ~Uint128{0};
  static constexpr std::size_t kWidest = kWidestText128;
  static std::size_t WidthOf(const TextFormat& format) { return format.width128; }
  static DecodedText128 Decode(std::string_view text, const TextFormat& format) {
    return DecodeText128(text, format);
  }
  static Uint128 Number(const Id128& id) { return Uint128{id.high} << 64 | id.low; }
  static Id128 Id(Uint128 number) {
    return {static_cast<std::uint64_t>(number >> 64), static_cast<std::uint64_t>(number)};
  }
};

// The digit of a character, as text.h's page tells; the number of digits if there is none.
std::size_t DigitSlowly(const TextFormat& format, char c) {
  if (format.form == TextForm::kBase32) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'I' || c == 'L') c = '1';
    if (c == 'O') c = '0';
  }
  if (format.form == TextForm::kHex && c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  return std::min(format.alphabet.find(c), format.alphabet.size());
}

struct Slowly {
  TextError error = TextError::kNone;
  Uint128 number = 0;
  std::size_t at = 0;
};

template <typename Bits>
Slowly DecodeSlowly(std::string_view text, const TextFormat& format) {
  const std::size_t radix = format.alphabet.size();
  if (text.empty()) return {TextError::kEmpty};
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (DigitSlowly(format, text[at]) == radix) return {TextError::kBadCharacter, 0, at};
  }
  if (text.size() > Bits::WidthOf(format)) return {TextError::kTooLong};
  const bool is_number = format.form == TextForm::kHex || format.form == TextForm::kDecimal;
  if (text.size() < Bits::WidthOf(format) && !is_number) return {TextError::kTooShort};
  Uint128 value = 0;
  for (const char c : text) {
    const std::size_t digit = DigitSlowly(format, c);
    if (value > (Bits::kLargest - digit) / radix) return {TextError::kOverflow};
    value = value * radix + digit;
  }
  return {TextError::kNone, value};
}

template <typename Bits>
std::string EncodeSlowly(Uint128 id, const TextFormat& format) {
  std::string reversed;
  for (; id > 0; id /= format.alphabet.size()) {
    reversed += format.alphabet[static_cast<std::size_t>(id % format.alphabet.size())];
  }
  while (reversed.size() < Bits::WidthOf(format)) reversed += format.alphabet[0];
  return {reversed.rbegin(), reversed.rend()};
}

template <typename Bits>
std::string Encode(Uint128 id, const TextFormat& format) {
  // What is behind the text stays as it was.
  std::array<char, Bits::kWidest + 1> out{};
  out.fill('#');
  const std::size_t length = EncodeText(Bits::Id(id), format, out.data());
  Require(length == Bits::WidthOf(format) && length <= Bits::kWidest,
          "a text is as long as it is to be");
  Require(out[length] == '#', "nothing is written behind a text");
  return {out.data(), length};
}

template <typename Bits>
void CheckRead(std::string_view text, const TextFormat& format) {
  const auto decoded = Bits::Decode(text, format);
  const Slowly slowly = DecodeSlowly<Bits>(text, format);
  Require(decoded.error == slowly.error, "the same error");
  Require(Bits::Number(decoded.id) == slowly.number, "the same number");
  Require(decoded.at == slowly.at, "the same place");
  if (decoded.error != TextError::kNone) return;
  // What is written for it is the text, but for leading zeros and lenient characters.
  const std::string written = Encode<Bits>(slowly.number, format);
  const std::size_t missing = written.size() - text.size();
  for (std::size_t at = 0; at < written.size(); ++at) {
    const std::size_t digit = at < missing ? 0 : DigitSlowly(format, text[at - missing]);
    Require(written[at] == format.alphabet[digit], "what is written is what was read");
  }
}

template <typename Bits>
void CheckWritten(Uint128 a, Uint128 b, const TextFormat& format) {
  const std::string text = Encode<Bits>(a, format);
  Require(text == EncodeSlowly<Bits>(a, format), "the same text");
  const auto decoded = Bits::Decode(text, format);
  Require(decoded.error == TextError::kNone && Bits::Number(decoded.id) == a,
          "what is written is read again");
  Require((text < Encode<Bits>(b, format)) == (a < b), "texts are in the order of the numbers");
}

template <typename Bits>
void CheckAll(Uint128 a, Uint128 b, std::string_view rest, const TextFormat& format) {
  CheckWritten<Bits>(a, b, format);
  CheckWritten<Bits>(a, a ^ 1U, format);
  CheckRead<Bits>(rest, format);
  // A text that was written, and changed a little.
  std::string text = Encode<Bits>(b, format);
  if (rest.empty()) return;
  text[static_cast<std::size_t>(a % text.size())] = rest[0];
  CheckRead<Bits>(text, format);
}

}  // namespace
}  // namespace idgen::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace idgen;
  fuzz::Input input(data, size);
  const TextFormat& format = kTextFormats[input.Byte() % kTextFormats.size()];
  const std::uint64_t a = input.AnyNumber();
  const std::uint64_t b = input.AnyNumber();
  fuzz::CheckAll<fuzz::Bits64>(a >> 1, b >> 1, input.rest(), format);
  fuzz::CheckAll<fuzz::Bits128>(fuzz::Bits128::Number({a, b}), fuzz::Bits128::Number({b, a}),
                                input.rest(), format);
  fuzz::CheckOtherTexts({a, b}, input.rest());
  return 0;
}

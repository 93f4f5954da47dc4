// Text forms: any text is read or refused as a slow second reader does, and every number is
// written as a slow second writer does.
//
// An input: which form, two numbers, and a text.
#include <idgen/text.h>

#include <algorithm>
#include <array>
#include <string>

#include "fuzz.h"

namespace idgen::fuzz {
namespace {

__extension__ using Uint128 = unsigned __int128;

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

DecodedText DecodeSlowly(std::string_view text, const TextFormat& format) {
  const std::size_t radix = format.alphabet.size();
  if (text.empty()) return {TextError::kEmpty, 0, 0};
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (DigitSlowly(format, text[at]) == radix) return {TextError::kBadCharacter, 0, at};
  }
  if (text.size() > format.width) return {TextError::kTooLong, 0, 0};
  const bool is_number = format.form == TextForm::kHex || format.form == TextForm::kDecimal;
  if (text.size() < format.width && !is_number) return {TextError::kTooShort, 0, 0};
  Uint128 value = 0;
  for (const char c : text) value = value * radix + DigitSlowly(format, c);
  if (value >= Uint128{1} << 63) return {TextError::kOverflow, 0, 0};
  return {TextError::kNone, static_cast<std::uint64_t>(value), 0};
}

std::string EncodeSlowly(std::uint64_t id, const TextFormat& format) {
  std::string reversed;
  for (; id > 0; id /= format.alphabet.size()) {
    reversed += format.alphabet[id % format.alphabet.size()];
  }
  while (reversed.size() < format.width) reversed += format.alphabet[0];
  return {reversed.rbegin(), reversed.rend()};
}

std::string Encode(std::uint64_t id, const TextFormat& format) {
  // What is behind the text stays as it was.
  std::array<char, kWidestText + 1> out{};
  out.fill('#');
  const std::size_t length = EncodeText(id, format, out.data());
  Require(length == format.width && length <= kWidestText, "a text is as long as it is to be");
  Require(out[length] == '#', "nothing is written behind a text");
  return {out.data(), length};
}

void CheckRead(std::string_view text, const TextFormat& format) {
  const DecodedText decoded = DecodeText(text, format);
  const DecodedText slowly = DecodeSlowly(text, format);
  Require(decoded.error == slowly.error, "the same error");
  Require(decoded.id == slowly.id, "the same number");
  Require(decoded.at == slowly.at, "the same place");
  if (decoded.error != TextError::kNone) return;
  // What is written for it is the text, but for leading zeros and lenient characters.
  const std::string written = Encode(decoded.id, format);
  const std::size_t missing = written.size() - text.size();
  for (std::size_t at = 0; at < written.size(); ++at) {
    const std::size_t digit = at < missing ? 0 : DigitSlowly(format, text[at - missing]);
    Require(written[at] == format.alphabet[digit], "what is written is what was read");
  }
}

void CheckWritten(std::uint64_t a, std::uint64_t b, const TextFormat& format) {
  const std::string text = Encode(a, format);
  Require(text == EncodeSlowly(a, format), "the same text");
  const DecodedText decoded = DecodeText(text, format);
  Require(decoded.error == TextError::kNone && decoded.id == a, "what is written is read again");
  Require((text < Encode(b, format)) == (a < b), "texts are in the order of the numbers");
}

}  // namespace
}  // namespace idgen::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace idgen;
  fuzz::Input input(data, size);
  const TextFormat& format = kTextFormats[input.Byte() % kTextFormats.size()];
  const std::uint64_t a = input.AnyNumber() >> 1;
  const std::uint64_t b = input.AnyNumber() >> 1;
  fuzz::CheckWritten(a, b, format);
  fuzz::CheckWritten(a, a ^ 1U, format);
  fuzz::CheckRead(input.rest(), format);
  // A text that was written, and changed a little.
  std::string text = fuzz::Encode(b, format);
  if (!input.rest().empty()) {
    const auto at = static_cast<std::size_t>(a % text.size());
    text[at] = input.rest()[0];
    fuzz::CheckRead(text, format);
  }
  return 0;
}

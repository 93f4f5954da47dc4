// Field lists: any text is read or refused as a slow second parser does; what was read is
// written and read again; and what is a layout then keeps what layouts promise.
//
// An input: a text, a zero byte, the tick and the epoch, and numbers.
#include <idgen/fields.h>

#include <array>
#include <string>
#include <vector>

#include "fuzz.h"
#include "properties.h"

namespace idgen::fuzz {
namespace {

// --- The slow parser: pieces between commas, halves about a colon -----------------------------

constexpr std::string_view kSpaces = " \t\n\v\f\r";

std::string_view Trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(kSpaces);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSpaces) + 1 - from);
}

std::vector<std::string_view> Split(std::string_view text, char at) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t end = text.find(at);
    pieces.push_back(Trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

// False: not a field list.
bool ReadSlowly(std::string_view text, std::vector<FieldSpec>& specs) {
  unsigned total = 0;
  for (const std::string_view piece : Split(text, ',')) {
    const std::vector<std::string_view> halves = Split(piece, ':');
    if (halves.size() != 2) return false;
    std::string name(halves[0]);
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const auto* const found = std::find(kFieldNames.begin(), kFieldNames.end(), name);
    if (found == kFieldNames.end()) return false;
    const auto kind = static_cast<FieldKind>(found - kFieldNames.begin());
    for (const FieldSpec& spec : specs) {
      if (spec.kind == kind) return false;
    }
    std::string_view number = halves[1];
    if (number.empty() || number.find_first_not_of("0123456789") != std::string_view::npos) {
      return false;
    }
    while (number.size() > 1 && number[0] == '0') number.remove_prefix(1);
    if (number.size() > 2) return false;
    unsigned bits = 0;
    for (const char c : number) bits = bits * 10 + static_cast<unsigned>(c - '0');
    const bool may_be_long = kind == FieldKind::kTimestamp || kind == FieldKind::kTail;
    if (bits < 1 || bits > (may_be_long ? 63U : 31U)) return false;
    total += bits;
    specs.push_back({kind, static_cast<std::uint8_t>(bits)});
  }
  return specs[0].kind == FieldKind::kTimestamp && total <= 63;
}

bool AreSame(std::span<const FieldSpec> a, std::span<const FieldSpec> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const FieldSpec& one, const FieldSpec& other) {
                      return one.kind == other.kind && one.bits == other.bits;
                    });
}

// --- What holds for every text ---------------------------------------------------------

void CheckError(std::string_view text, const ParsedFields& parsed) {
  Require(parsed.at <= text.size() && parsed.length <= text.size() - parsed.at,
          "what is wrong lies in the text");
  Require(parsed.length > 0 || parsed.at == text.size(), "what is missing is missing at the end");
  const std::string_view wrong = text.substr(parsed.at, parsed.length);
  Require(wrong.find_first_of(kSpaces) == std::string_view::npos, "what is wrong is one word");
  Require(wrong.size() <= 1 || wrong.find_first_of(",:") == std::string_view::npos,
          "a comma and a colon stand for themselves");
  Require(parsed.count <= kFieldKinds, "there is room for the fields");
  // What comes first is reported: what stands before it is right as far as it goes.
  const bool by_all =
      parsed.error == FieldsError::kTooManyBits || parsed.error == FieldsError::kNoTimestamp;
  if (!by_all && parsed.at > 0) {
    const ParsedFields before = ParseFields(text.substr(0, parsed.at));
    Require(before.error == FieldsError::kNone || before.length == 0 ||
                before.error == FieldsError::kTooManyBits ||
                before.error == FieldsError::kNoTimestamp,
            "nothing before what is wrong is wrong");
  }
}

void Check(std::string_view text, Input& input) {
  const ParsedFields parsed = ParseFields(text);
  std::vector<FieldSpec> slowly;
  const bool is_list = ReadSlowly(text, slowly);
  Require(is_list == (parsed.error == FieldsError::kNone), "the same texts are field lists");
  if (!is_list) return CheckError(text, parsed);
  Require(AreSame(parsed.Specs(), slowly), "the same fields");

  Layout layout = BuildLayout("fuzzed", 1, 0, parsed.Specs());
  Require(CheckLayout(layout) != LayoutError::kBadFields, "fields of a text are a layout's");
  Require(layout.TotalBits() == parsed.total_bits, "the sum of the bits");
  std::array<char, kLongestFieldsText> written{};
  const std::size_t length = WriteFields(layout, written.data());
  Require(length <= written.size(), "there is room for the text");
  const ParsedFields again = ParseFields({written.data(), length});
  Require(again.error == FieldsError::kNone && AreSame(again.Specs(), slowly),
          "what is written is read again");

  const std::uint8_t how = input.Byte();
  layout.tick_us = static_cast<std::int64_t>(input.AnyNumber());
  layout.epoch_us = static_cast<std::int64_t>(input.AnyNumber());
  // Most numbers are no tick.
  if ((how & 1U) != 0) layout.tick_us = 1 + (layout.tick_us & 0xffffff);
  const bool is_tick = layout.tick_us >= 1 && layout.tick_us <= kLongestTickUs;
  const LayoutError error = CheckLayout(layout);
  Require(is_tick == (error != LayoutError::kBadTick), "which ticks there are");
  if (!is_tick) return;
  const Int128 last_start =
      static_cast<Int128>(layout.MaxTick()) * layout.tick_us + layout.epoch_us;
  Require((last_start <= static_cast<Int128>(kLatest) - layout.tick_us) ==
              (error == LayoutError::kNone),
          "which ends there are");
  if (error == LayoutError::kNone) CheckLayoutWith(layout, input);
}

}  // namespace
}  // namespace idgen::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  idgen::fuzz::Input input(data, size);
  idgen::fuzz::Input none(nullptr, 0);
  // All of it as a text, too: a zero byte is no end of one.
  idgen::fuzz::Check(input.rest(), none);
  const std::string_view text = input.Text();
  idgen::fuzz::Check(text, input);
  return 0;
}

// Descriptions of layouts: any text is read or refused at a place that it has; what was read is
// written as one text, which reads back as the same layout. So is any layout there is.
//
// An input: a tick, an epoch, and a text.
#include <idgen/description.h>

#include <algorithm>
#include <string>

#include "fuzz.h"

namespace idgen::fuzz {
namespace {

std::string Write(const Layout& layout) {
  std::string text(kLongestDescription + 1, '#');
  const std::size_t length = WriteDescription(layout, text.data());
  Require(length <= kLongestDescription, "a description is no longer than the longest");
  Require(text[kLongestDescription] == '#', "nothing is written beyond the room");
  text.resize(length);
  return text;
}

void CheckReadsBack(const Layout& layout) {
  const std::string text = Write(layout);
  const ParsedDescription parsed = ParseDescription(text);
  Require(parsed.error == DescriptionError::kNone, "what was written is read");
  Require(parsed.ToLayout() == layout, "what was written reads back as the same layout");
  Require(Write(parsed.ToLayout()) == text, "a layout is written in one way");
}

void CheckText(std::string_view text) {
  const ParsedDescription parsed = ParseDescription(text);
  Require(parsed.at <= text.size() && parsed.length <= text.size() - parsed.at,
          "the wrong words are in the text");
  if (parsed.error != DescriptionError::kNone) return;
  if (CheckLayout(parsed.ToLayout()) == LayoutError::kNone) CheckReadsBack(parsed.ToLayout());
  // Case and spaces between the items do not matter.
  std::string other;
  for (const char c : text) {
    other += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (c == ',') other += "\t ";
  }
  const ParsedDescription again = ParseDescription(other);
  Require(again.error == DescriptionError::kNone && again.ToLayout() == parsed.ToLayout(),
          "case and space do not matter");
}

void CheckAnyLayout(std::int64_t tick_us, std::int64_t epoch_us) {
  const FieldSpec specs[] = {{FieldKind::kTimestamp, 9}, {FieldKind::kSequence, 3}};
  const Layout layout = BuildLayout({}, tick_us, epoch_us, specs);
  if (CheckLayout(layout) == LayoutError::kNone) CheckReadsBack(layout);
}

}  // namespace
}  // namespace idgen::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace idgen::fuzz;
  Input input(data, size);
  const auto tick_us = static_cast<std::int64_t>(input.AnyNumber());
  const auto epoch_us = static_cast<std::int64_t>(input.AnyNumber());
  CheckAnyLayout(tick_us, epoch_us);
  CheckText(input.rest());
  return 0;
}

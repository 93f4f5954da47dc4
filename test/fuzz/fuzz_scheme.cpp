// The text of a scheme: the same texts are read and refused, at the same entry, as by a slow second
// reader; and what was read is written as the text that it was read from.
//
// An input: a text.
#include <idgen/scheme.h>

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "fuzz.h"

namespace idgen::fuzz {
namespace {

// --- The slow reader: lines, then words -------------------------------------------------------

std::vector<std::string> Split(const std::string& text, char at) {
  std::vector<std::string> pieces;
  std::size_t from = 0;
  for (std::size_t end = 0; (end = text.find(at, from)) != std::string::npos; from = end + 1) {
    pieces.push_back(text.substr(from, end - from));
  }
  pieces.push_back(text.substr(from));
  return pieces;
}

bool IsNumber(const std::string& text, std::int64_t least, std::int64_t most) {
  if (text.empty() || text.size() > 18) return false;
  for (const char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) return false;
  }
  const std::int64_t number = std::strtoll(text.c_str(), nullptr, 10);
  return least <= number && number <= most;
}

bool IsEntry(const std::string& line) {
  const std::vector<std::string> words = Split(line, ' ');
  const bool is_proposed = words[0] == "proposed";
  if (!is_proposed && words[0] != "setting" && words[0] != "layout" && words[0] != "generator") {
    return false;
  }
  const std::size_t value = is_proposed ? 4 : 2;
  if (words.size() <= value || words[1].empty()) return false;
  if (is_proposed &&
      (!IsNumber(words[2], 1, INT64_MAX) || !IsNumber(words[3], 0, INT64_MAX / 1000))) {
    return false;
  }
  return words.size() > value + 1 || !words[value].empty();
}

// --- What holds for every text ---------------------------------------------------------

std::string Write(const SchemeEntry& entry) {
  std::string line(kSchemeKinds[static_cast<std::size_t>(entry.kind)]);
  line.append(" ").append(entry.name);
  if (entry.kind == SchemeKind::kProposed) {
    line.append(" ").append(std::to_string(entry.version));
    line.append(" ").append(std::to_string(entry.at_ms));
  }
  return line.append(" ").append(entry.value);
}

// Without zeros before a number, of which there may be more or less.
std::string Plain(const std::string& line) {
  std::vector<std::string> words = Split(line, ' ');
  std::string plain = words[0];
  for (std::size_t i = 1; i < words.size(); ++i) {
    std::string& word = words[i];
    const bool is_number = words[0] == "proposed" && (i == 2 || i == 3);
    while (is_number && word.size() > 1 && word[0] == '0') word.erase(0, 1);
    plain += " " + word;
  }
  return plain;
}

void Check(std::string_view text) {
  std::vector<std::string> lines = Split(std::string(text), '\n');
  if (lines.back().empty()) lines.pop_back();  // the text has ended there
  SchemeReader reader(text);
  SchemeEntry entry;
  std::size_t count = 0;
  for (; reader.Next(entry); ++count) {
    Require(count < lines.size() && IsEntry(lines[count]), "what is read is an entry");
    Require(Write(entry) == Plain(lines[count]), "an entry is written as it was read");
    Require(entry.name.data() >= text.data() &&
                entry.value.data() + entry.value.size() <= text.data() + text.size(),
            "what is read lies in the text");
  }
  Require(reader.IsBroken() == (count < lines.size()), "it ends at the end, or is broken");
  Require(!reader.IsBroken() || !IsEntry(lines[count]), "what is broken is no entry");
  Require(!reader.Next(entry), "it has ended");
}

}  // namespace
}  // namespace idgen::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  idgen::fuzz::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}

// What is wrong with a text that should be an ID, reported in one way for all text forms.
#pragma once

#include "pg.h"

#include <string_view>

#include "core/prefix.h"
#include "core/text.h"

namespace idgen::pg {

// How messages speak of a kind of text.
struct TextKind {
  const char* noun = nullptr;  // with its article: "a KSUID"
  const char* largest_noun = nullptr;
  const char* largest = nullptr;  // a sentence
  std::string_view alphabet;
  int width = 0;
  bool may_be_shorter = false;
  // Of a last character that is a digit and cannot be the last one: a sentence.
  const char* last_character = nullptr;
};

// `hint` may be nullptr. `at` is the index of a bad character.
[[noreturn]] void ReportText(const TextKind& kind, std::string_view text, TextError error,
                             std::size_t at, const char* hint = nullptr);

// A prefix that is not allowed. `code` is of the error.
[[noreturn]] void ReportPrefix(int code, std::string_view prefix, const CheckedPrefix& check);

// A text that does not have the prefix that it should have.
[[noreturn]] void ReportOtherPrefix(std::string_view text, std::string_view prefix);

// Returns an argument that is a prefix, or reports it.
std::string_view PrefixArgument(FunctionCallInfo fcinfo, int argument);

}  // namespace idgen::pg

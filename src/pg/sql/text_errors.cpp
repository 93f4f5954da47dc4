#include "text_errors.h"

#include <algorithm>

#include "callsite.h"
#include "errors.h"

namespace idgen::pg {

namespace {

const char* AsSentence(const char* noun) {
  char* const sentence = pstrdup(noun);
  *sentence = static_cast<char>(pg_toupper(static_cast<unsigned char>(*sentence)));
  return sentence;
}

// Returns the character at an index, of all its bytes.
const char* CharacterAt(std::string_view text, std::size_t at) {
  const char* const character = text.data() + at;
  const int length = std::min(pg_mblen(character), static_cast<int>(text.size() - at));
  return pnstrdup(character, static_cast<Size>(length));
}

}  // namespace

void ReportText(const TextKind& kind, std::string_view text, TextError error, std::size_t at,
                const char* hint) {
  const char* const noun = kind.noun;
  const char* const shown = Excerpt(text);
  const char* const width = psprintf("%s has %s%d characters.", AsSentence(noun),
                                     kind.may_be_shorter ? "1 to " : "", kind.width);
  switch (error) {
    case TextError::kNone:
      break;
    case TextError::kEmpty:
      ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                      errmsg("empty text is not %s", noun), errdetail("%s", width)));
      break;
    case TextError::kBadCharacter:
      ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                      errmsg("invalid character \"%s\" in \"%s\"", CharacterAt(text, at), shown),
                      kind.last_character != nullptr &&
                              kind.alphabet.find(text[at]) != std::string_view::npos
                          ? errdetail("%s", kind.last_character)
                          : errdetail("The characters of %s are %s.", noun, kind.alphabet.data()),
                      hint != nullptr ? errhint("%s", hint) : 0));
      break;
    case TextError::kTooShort:
    case TextError::kTooLong:
      ereport(ERROR,
              (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
               error == TextError::kTooShort ? errmsg("\"%s\" is too short for %s", shown, noun)
                                             : errmsg("\"%s\" is too long for %s", shown, noun),
               errdetail("%s", width)));
      break;
    case TextError::kOverflow:
      ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                      errmsg("\"%s\" is beyond the largest %s", shown, kind.largest_noun),
                      errdetail("%s", kind.largest)));
      break;
  }
  pg_unreachable();
}

void ReportPrefix(int code, std::string_view prefix, const CheckedPrefix& check) {
  const char* const shown = Excerpt(prefix);
  const char* message = nullptr;
  switch (check.error) {
    case PrefixError::kNone:
      break;
    case PrefixError::kBadCharacter:
      message = psprintf("invalid character \"%s\" in prefix \"%s\"", CharacterAt(prefix, check.at),
                         shown);
      break;
    case PrefixError::kUnderscoreAtEnd:
      message = psprintf("prefix \"%s\" begins or ends with an underscore", shown);
      break;
    case PrefixError::kTooLong:
      message = psprintf("prefix \"%s\" is too long", shown);
      break;
  }
  ereport(ERROR, (errcode(code), errmsg("%s", message),
                  errdetail("A prefix has at most %d characters, a-z and underscores, with a "
                            "letter at both ends.",
                            static_cast<int>(kLongestPrefix))));
  pg_unreachable();
}

void ReportOtherPrefix(std::string_view text, std::string_view prefix) {
  const PrefixedText split = SplitPrefix(text);
  const char* const shown = Excerpt(text);
  const char* message = nullptr;
  if (!split.has_separator) {
    message = psprintf("\"%s\" has no prefix", shown);
  } else if (split.prefix.empty()) {
    message = psprintf("\"%s\" has an empty prefix", shown);
  } else {
    message = psprintf("\"%s\" has prefix \"%s\"", shown, Excerpt(split.prefix));
  }
  ereport(ERROR,
          (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("%s", message),
           prefix.empty() ? errdetail("It should have no prefix and no underscore.")
                          : errdetail("Its prefix should be \"%s\", followed by an underscore.",
                                      Excerpt(prefix))));
  pg_unreachable();
}

std::string_view PrefixArgument(FunctionCallInfo fcinfo, int argument) {
  const std::string_view prefix = ShortTextArgument(fcinfo, argument);
  const CheckedPrefix check = CheckPrefix(prefix);
  if (unlikely(check.error != PrefixError::kNone)) {
    ReportPrefix(ERRCODE_INVALID_PARAMETER_VALUE, prefix, check);
  }
  return prefix;
}

}  // namespace idgen::pg

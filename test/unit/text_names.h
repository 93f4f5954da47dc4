// Names of errors for messages of tests.
#pragma once

#include <idgen/text.h>

namespace idgen {

inline const char* NameOf(TextError error) {
  switch (error) {
    case TextError::kNone:
      return "none";
    case TextError::kEmpty:
      return "empty";
    case TextError::kBadCharacter:
      return "bad character";
    case TextError::kTooLong:
      return "too long";
    case TextError::kTooShort:
      return "too short";
    case TextError::kOverflow:
      return "overflow";
  }
  return "?";
}

}  // namespace idgen

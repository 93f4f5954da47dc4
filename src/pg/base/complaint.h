// An error as a value: for what is an error of one caller, a column of another, and nothing at all
// of a third.
#pragma once

#include "pg.h"

namespace idgen::pg {

// The texts are in the memory context in which it was made.
struct Complaint {
  int code = 0;  // SQLSTATE; 0: there is nothing to complain about
  const char* message = nullptr;
  const char* detail = nullptr;  // and these may be missing
  const char* hint = nullptr;
  const char* text = nullptr;  // in which `position` (in characters, from 1 on) is wrong
  int position = 0;

  explicit operator bool() const { return code != 0; }
};

[[noreturn]] void Report(const Complaint& complaint);

// The same where an input function may have to return (PostgreSQL 16 and later): it returns then.
void ReportSoftly(Node* context, const Complaint& complaint);

}  // namespace idgen::pg

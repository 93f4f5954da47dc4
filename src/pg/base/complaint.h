// An error as a value. One caller throws it, another shows it in a column, a third ignores it.
#pragma once

#include "pg.h"

namespace idgen::pg {

// The texts are in the memory context in which the complaint was made.
struct Complaint {
  int code = 0;  // SQLSTATE; 0: no complaint
  const char* message = nullptr;
  const char* detail = nullptr;  // this and the next two may be nullptr
  const char* hint = nullptr;
  const char* text = nullptr;  // `position` (in characters, from 1) points into it
  int position = 0;

  explicit operator bool() const { return code != 0; }
};

[[noreturn]] void Report(const Complaint& complaint);

// Reports the complaint from an input function. Returns when the caller asked for that (PostgreSQL
// 16 and later).
void ReportSoftly(Node* context, const Complaint& complaint);

}  // namespace idgen::pg

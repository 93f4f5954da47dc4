// Successions of layouts as text, and what is wrong with a change:
//
//   snowflake until 2027-01-01Z, then timestamp:41, machine:8, sequence:14, tick:1ms,
//   epoch:2020-01-01Z
//
// A single layout is a succession without a change, and is written as ever.
#pragma once

#include "pg.h"

#include <string_view>

#include "complaint.h"
#include "core/succession.h"

namespace idgen::pg {

// Formats a succession as its type prints it, in the current memory context. The text always reads
// back as the same one, whatever names exist.
char* SuccessionText(const Succession& succession);

// Whether a text is one of several layouts, and not a name or a description.
bool IsSuccessionText(std::string_view text);

// Reads a text. `read` reads each layout in it, which is a name or a description.
using LayoutReader = Complaint (*)(const char* text, Succession& succession);
Complaint ReadStages(const char* text, LayoutReader read, Succession& succession);

// Tells why a succession cannot go over to `to` at an instant; no complaint if it can.
Complaint ComplaintOfChange(const Succession& from, const Layout& to, std::int64_t at_us);

// Returns the earliest instant from `least_us` on at which it can; kNever if there is none.
std::int64_t EarliestChange(const Succession& from, const Layout& to, std::int64_t least_us);

}  // namespace idgen::pg

// Errors that several files report, each with its SQLSTATE, message, values and hint in one place;
// and the helpers that write parts of messages.
#pragma once

#include "pg.h"

#include <span>
#include <string_view>

#include "complaint.h"
#include "convert.h"
#include "core/guard.h"
#include "core/layout.h"

namespace idgen::pg {

// The complaints are in the current memory context.
Complaint DecodeOnly(const Layout& layout);
Complaint NoField(const Layout& layout, FieldKind kind, const char* hint);
Complaint Misfit(const Layout& layout, FieldKind kind, std::int64_t value);
// A tick that is out of range. `layout` is the quoted name after a space, or empty.
Complaint BadTick(const char* layout, const char* detail);

[[noreturn]] void ReportNoShard(const Layout& layout);
[[noreturn]] void ReportNegativeId(int64 id);
// `what` is the action that is impossible, as in "cannot generate IDs".
[[noreturn]] void ReportRecovery(const char* what = "generate IDs");
[[noreturn]] void ReportOutOfTime(const Layout& layout, std::int64_t now_us);
[[noreturn]] void ReportClockBehind(const Layout& layout, const char* generator,
                                    const Attempt& attempt, const GuardSettings& guard,
                                    bool waited);

// Reports a count outside 1 to `most`. `detail` says where the limit comes from.
[[noreturn]] void ReportCount(int count, std::uint64_t most, const char* detail);

// Returns an ID as bits. Reports an error if the number is not an ID of the layout.
std::uint64_t CheckId(const Layout& layout, int64 id);

// Returns the detail of an error about a value that does not fit a field of the layout.
char* RangeText(const Layout& layout, FieldKind kind);

// The texts below are in the current memory context.

// Returns the closest of `names` to `name`; nullptr if none is close.
const char* NearestName(std::string_view name, std::span<const std::string_view> names);

// Returns a user's text as a C string of at most `most` bytes.
const char* Excerpt(std::string_view text, int most = 2 * NAMEDATALEN);

// Formats a duration, as "3600.000 s" or "250.000 ms".
char* DurationText(std::int64_t us);

// Formats a core time as PostgreSQL prints it; "infinity" if it is beyond PostgreSQL's range.
const char* InstantText(std::int64_t time_us);

}  // namespace idgen::pg

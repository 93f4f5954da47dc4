// The errors that several files report, each in one place: SQLSTATE, message with the values,
// hint. And what messages are made of.
#pragma once

#include "pg.h"

#include <span>
#include <string_view>

#include "complaint.h"
#include "convert.h"
#include "core/guard.h"
#include "core/layout.h"

namespace idgen::pg {

// In the current memory context.
Complaint DecodeOnly(const Layout& layout);
Complaint NoField(const Layout& layout, FieldKind kind, const char* hint);
Complaint Misfit(const Layout& layout, FieldKind kind, std::uint64_t value);
// A tick that no layout has; `layout` in quotes with a space before it, or empty.
Complaint BadTick(const char* layout, const char* detail);

[[noreturn]] void ReportNoShard(const Layout& layout);
[[noreturn]] void ReportNegativeId(int64 id);
// `what` could not be done, as in "cannot generate IDs".
[[noreturn]] void ReportRecovery(const char* what = "generate IDs");
[[noreturn]] void ReportOutOfTime(const Layout& layout, std::int64_t now_us);
[[noreturn]] void ReportClockBehind(const Layout& layout, const char* generator,
                                    const Attempt& attempt, const GuardSettings& guard,
                                    bool waited);

// A count that is not from 1 to `most`; `detail` says where the limit comes from.
[[noreturn]] void ReportCount(int count, std::uint64_t most, const char* detail);

// Refuses a number that is not an ID of the layout, and returns it as bits.
std::uint64_t CheckId(const Layout& layout, int64 id);

// The detail about a value that does not fit a field of the layout.
char* RangeText(const Layout& layout, FieldKind kind);

// The texts below are in the current memory context.

// The one of `names` that somebody may have meant by `name`; nullptr if none is near.
const char* NearestName(std::string_view name, std::span<const std::string_view> names);

// A text that a user gave, as C wants it and of `most` bytes at most.
const char* Excerpt(std::string_view text, int most = 2 * NAMEDATALEN);

// "3600.000 s" or "250.000 ms".
char* DurationText(std::int64_t us);

// An instant in core units as PostgreSQL prints it; "infinity" if it is beyond its range.
const char* InstantText(std::int64_t time_us);

}  // namespace idgen::pg

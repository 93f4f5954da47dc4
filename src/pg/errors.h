// The errors that several files report, each in one place: SQLSTATE, message with the values,
// hint. And what messages are made of.
#pragma once

#include "pg.h"

#include <span>
#include <string_view>

#include "convert.h"
#include "core/guard.h"
#include "core/layout.h"

namespace idgen::pg {

struct Generator;
struct UserGenerator;

[[noreturn]] void ReportUnknownGenerator(std::string_view name);
[[noreturn]] void ReportUnknownLayout(std::string_view name);
[[noreturn]] void ReportFlawed(const UserGenerator& user);
[[noreturn]] void ReportDecodeOnly(const Layout& layout);
[[noreturn]] void ReportNoShard(const Layout& layout);
[[noreturn]] void ReportNoField(const Layout& layout, FieldKind kind, const char* hint);
[[noreturn]] void ReportNegativeId(int64 id);
// `what` could not be done, as in "cannot generate IDs".
[[noreturn]] void ReportRecovery(const char* what = "generate IDs");
[[noreturn]] void ReportOutOfTime(const Layout& layout, std::int64_t now_us);
[[noreturn]] void ReportClockBehind(const Layout& layout, const char* generator,
                                    const Attempt& attempt, const GuardSettings& guard,
                                    bool waited);

// A tick that no layout has.
[[noreturn]] void ReportTick(const char* layout, const char* detail);

// A count that is not from 1 to `most`; `detail` says where the limit comes from.
[[noreturn]] void ReportCount(int count, std::uint64_t most, const char* detail);

// Refuses an identity that does not fit the layout. The hint tells what to set, if it is from
// the settings.
void CheckIdentity(const Layout& layout, const Identity& identity, bool from_settings);

// Refuses a shard that a call of the generator names and that it cannot make IDs for.
void CheckShard(const char* name, const Generator& generator, std::int64_t shard);

// Refuses a number that is not an ID of the layout, and returns it as bits.
std::uint64_t CheckId(const Layout& layout, int64 id);

// The errdetail() about a value that does not fit a field of the layout.
int DetailOfRange(const Layout& layout, FieldKind kind);

// The texts below are in the current memory context.

// The one of `names` that somebody may have meant by `name`; nullptr if none is near.
const char* NearestName(std::string_view name, std::span<const std::string_view> names);

// A text that a user gave, as C wants it and of `most` bytes at most.
const char* Shown(std::string_view text, int most = 2 * NAMEDATALEN);

// "3600.000 s" or "250.000 ms".
char* DurationText(std::int64_t us);

// An instant in core units as PostgreSQL prints it; "infinity" if it is beyond its range.
const char* InstantText(std::int64_t time_us);

}  // namespace idgen::pg

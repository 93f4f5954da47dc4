// The core's values as PostgreSQL's, and the other way.
#pragma once

#include "pg.h"

#include <cstdint>
#include <string_view>

#include "core/layout.h"

namespace idgen::pg {

// A layout's name as C wants it; in the current memory context.
inline char* NameOf(const Layout& layout) {
  return pnstrdup(layout.name.data(), layout.name.size());
}

// A text; in the current memory context.
inline Datum TextDatum(std::string_view text) {
  return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

// Times: microseconds since 1970 in the core, since 2000 in PostgreSQL.
inline constexpr std::int64_t kPostgresEpochUs =
    std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;

// False if it is beyond PostgreSQL's range.
inline bool ToTimestamp(std::int64_t time_us, TimestampTz& timestamp) {
  return !pg_sub_s64_overflow(time_us, kPostgresEpochUs, &timestamp) &&
         IS_VALID_TIMESTAMP(timestamp);
}

// False if it is infinite, or so late that the core has no number for it.
inline bool FromTimestamp(TimestampTz timestamp, std::int64_t& time_us) {
  return !TIMESTAMP_NOT_FINITE(timestamp) &&
         !pg_add_s64_overflow(timestamp, kPostgresEpochUs, &time_us);
}

}  // namespace idgen::pg

// Converts between the core's values and PostgreSQL's.
#pragma once

#include "pg.h"

#include <cstdint>
#include <string_view>

#include "core/layout.h"

namespace idgen::pg {

// Returns a layout's name as a C string, in the current memory context.
inline char* NameOf(const Layout& layout) {
  return pnstrdup(layout.name.data(), layout.name.size());
}

// Returns a text value, in the current memory context.
inline Datum TextDatum(std::string_view text) {
  return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

// The core counts microseconds from 1970, PostgreSQL from 2000.
inline constexpr std::int64_t kPostgresEpochUs =
    std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;

// Converts a core time. Returns false if it is beyond PostgreSQL's range.
inline bool ToTimestamp(std::int64_t time_us, TimestampTz& timestamp) {
  return !pg_sub_s64_overflow(time_us, kPostgresEpochUs, &timestamp) &&
         IS_VALID_TIMESTAMP(timestamp);
}

// Converts to a core time. Returns false if it is infinite or too late for the core.
inline bool FromTimestamp(TimestampTz timestamp, std::int64_t& time_us) {
  return !TIMESTAMP_NOT_FINITE(timestamp) &&
         !pg_add_s64_overflow(timestamp, kPostgresEpochUs, &time_us);
}

}  // namespace idgen::pg

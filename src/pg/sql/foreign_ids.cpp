// The SQL functions that read IDs of other systems from their texts: KSUIDs, XIDs and MongoDB's
// ObjectIds. (Those of 64 bits are layouts.)
#include "pg.h"

#include <array>

#include "core/foreign_text.h"

#include "callsite.h"
#include "errors.h"
#include "row.h"
#include "text_errors.h"

namespace idgen::pg {

namespace {

// --- Names for messages ---------------------------------------------------------------------

struct ForeignNames {
  const char* noun;
  const char* name;
  const char* last_character;
};

template <typename Foreign>
inline constexpr ForeignNames kForeignNames{};
template <>
inline constexpr ForeignNames kForeignNames<Ksuid> = {"a KSUID", "KSUID", nullptr};
template <>
inline constexpr ForeignNames kForeignNames<Xid> = {
    "an XID", "XID", "The last character of an XID is 0 or g: its last 4 bits are not used."};
template <>
inline constexpr ForeignNames kForeignNames<ObjectId> = {"an ObjectId", "ObjectId", nullptr};

// --- Reading ----------------------------------------------------------------------------------

// Returns the bytes of the ID in argument 0, or reports what is wrong with it.
template <typename Foreign>
std::array<unsigned char, Foreign::kSize> BytesArgument(FunctionCallInfo fcinfo) {
  const std::string_view text = ShortTextArgument(fcinfo, 0);
  const auto decoded = Foreign::Decode(text);
  if (likely(decoded.error == TextError::kNone)) return decoded.bytes;
  const ForeignNames& names = kForeignNames<Foreign>;
  ReportText({.noun = names.noun,
              .largest_noun = names.name,
              .largest = psprintf("The largest is %s.", Foreign::kLargest.data()),
              .alphabet = Foreign::kFormat.alphabet,
              .width = static_cast<int>(Foreign::kWidth),
              .last_character = names.last_character},
             text, decoded.error, decoded.at);
}

// Their 32 bits of seconds are well within PostgreSQL's range.
template <typename Foreign>
Datum TimeOf(const std::array<unsigned char, Foreign::kSize>& bytes) {
  return TimestampTzGetDatum(SecondOf<Foreign>(bytes) * USECS_PER_SEC - kPostgresEpochUs);
}

template <typename Foreign>
Datum TimestampOfText(FunctionCallInfo fcinfo) {
  return TimeOf<Foreign>(BytesArgument<Foreign>(fcinfo));
}

Datum ByteaDatum(const unsigned char* bytes, std::size_t size) {
  return TextDatum({reinterpret_cast<const char*>(bytes), size});
}

Datum IntDatum(const unsigned char* bytes, int count) {
  return Int32GetDatum(static_cast<int32>(LoadNumber(bytes, count)));
}

// --- The ends of a second ---------------------------------------------------------------------

// Returns the text of the first (`rest` 0) or last (0xff) ID of the second in argument 0.
template <typename Foreign>
Datum IdOfSecond(FunctionCallInfo fcinfo, unsigned char rest) {
  const TimestampTz timestamp = PG_GETARG_TIMESTAMPTZ(0);
  std::int64_t time_us = 0;
  const bool is_finite = FromTimestamp(timestamp, time_us);
  const std::int64_t second =
      time_us / USECS_PER_SEC - static_cast<std::int64_t>(time_us % USECS_PER_SEC < 0);
  if (!is_finite || second < Foreign::kEpoch || second > kLastSecond<Foreign>) {
    ereport(ERROR,
            (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
             errmsg("timestamp \"%s\" has no %s", timestamptz_to_str(timestamp),
                    kForeignNames<Foreign>.name),
             errhint("Use a timestamp from %s to %s.", InstantText(Foreign::kEpoch * USECS_PER_SEC),
                     InstantText(kLastSecond<Foreign> * USECS_PER_SEC))));
  }
  char text[Foreign::kWidth];
  Foreign::Encode(BytesOfSecond<Foreign>(second, rest).data(), text);
  return TextDatum({text, Foreign::kWidth});
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_ksuid_parse);
IDGEN_SQL_FUNCTION(idgen_xid_parse);
IDGEN_SQL_FUNCTION(idgen_objectid_parse);

Datum idgen_ksuid_parse(PG_FUNCTION_ARGS) {
  const auto bytes = BytesArgument<Ksuid>(fcinfo);
  return RecordOf(fcinfo, {TimeOf<Ksuid>(bytes), ByteaDatum(&bytes[4], 16)});
}

Datum idgen_xid_parse(PG_FUNCTION_ARGS) {
  const auto bytes = BytesArgument<Xid>(fcinfo);
  return RecordOf(fcinfo, {TimeOf<Xid>(bytes), ByteaDatum(&bytes[4], 3), IntDatum(&bytes[7], 2),
                           IntDatum(&bytes[9], 3)});
}

Datum idgen_objectid_parse(PG_FUNCTION_ARGS) {
  const auto bytes = BytesArgument<ObjectId>(fcinfo);
  return RecordOf(fcinfo,
                  {TimeOf<ObjectId>(bytes), ByteaDatum(&bytes[4], 5), IntDatum(&bytes[9], 3)});
}

#define IDGEN_FOREIGN_FUNCTIONS(name, Foreign)                                                  \
  IDGEN_SQL_FUNCTION(idgen_##name##_timestamp);                                                 \
  IDGEN_SQL_FUNCTION(idgen_##name##_min_id);                                                    \
  IDGEN_SQL_FUNCTION(idgen_##name##_max_id);                                                    \
  Datum idgen_##name##_timestamp(PG_FUNCTION_ARGS) { return TimestampOfText<Foreign>(fcinfo); } \
  Datum idgen_##name##_min_id(PG_FUNCTION_ARGS) { return IdOfSecond<Foreign>(fcinfo, 0); }      \
  Datum idgen_##name##_max_id(PG_FUNCTION_ARGS) { return IdOfSecond<Foreign>(fcinfo, 0xff); }

IDGEN_FOREIGN_FUNCTIONS(ksuid, Ksuid)
IDGEN_FOREIGN_FUNCTIONS(xid, Xid)
IDGEN_FOREIGN_FUNCTIONS(objectid, ObjectId)

#undef IDGEN_FOREIGN_FUNCTIONS

}  // extern "C"

}  // namespace idgen::pg

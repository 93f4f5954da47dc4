// The SQL functions of the hybrid logical clock. One server has one, for all its databases.
#include "core/hlc.h"

#include "callsite.h"
#include "errors.h"
#include "row.h"
#include "take.h"

namespace idgen::pg {

namespace {

constinit Handle hlc_handle;

void DefineHlc(Handle& handle) {
  handle.generator.layout = kHlc;
  handle.is_leased = false;  // servers' timestamps are compared, and need not differ
  handle.family = Family::kClock;
}

Handle& HlcHandle() {
  if (unlikely(!hlc_handle.has_name)) StartHandle(hlc_handle, kHlc.name, DefineHlc);
  return hlc_handle;
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_hlc_now);
IDGEN_SQL_FUNCTION(idgen_hlc_observe);
IDGEN_SQL_FUNCTION(idgen_hlc_parse);
IDGEN_SQL_FUNCTION(idgen_hlc_to_text);
IDGEN_SQL_FUNCTION(idgen_hlc_from_text);

Datum idgen_hlc_now(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return Int64GetDatum(NextId(HlcHandle()));
}

Datum idgen_hlc_observe(PG_FUNCTION_ARGS) {
  const std::uint64_t received = CheckId(kHlc, PG_GETARG_INT64(0));
  if (RecoveryInProgress()) ReportRecovery("observe HLC timestamps");
  Handle& handle = HlcHandle();
  (void)Observe(handle, received);
  return Int64GetDatum(NextId(handle));
}

Datum idgen_hlc_parse(PG_FUNCTION_ARGS) {
  const Parts parts = kHlc.Parse(CheckId(kHlc, PG_GETARG_INT64(0)));
  const Column row[] = {TimeOrNull(kHlc.StartOfTick(parts.tick)),
                        Int64GetDatum(static_cast<int64>(parts.tick)),
                        Int32GetDatum(static_cast<int32>(parts.sequence))};
  return RecordOf(fcinfo, row);
}

Datum idgen_hlc_to_text(PG_FUNCTION_ARGS) {
  char text[kHlcTextSize];
  WriteHlc(CheckId(kHlc, PG_GETARG_INT64(0)), text);
  return TextDatum({text, sizeof(text)});
}

Datum idgen_hlc_from_text(PG_FUNCTION_ARGS) {
  const std::string_view text = ShortTextArgument(fcinfo, 0);
  std::uint64_t hlc = 0;
  if (!ReadHlc(text, hlc)) {
    ereport(
        ERROR,
        (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
         errmsg("\"%s\" is not an HLC timestamp", Excerpt(text)),
         errdetail("One is written as 2026-01-31T23:59:59.999Z-000042: the time in UTC, and the "
                   "logical number, at most 131071.")));
  }
  return Int64GetDatum(static_cast<int64>(hlc));
}

}  // extern "C"

}  // namespace idgen::pg

// The SQL functions of the test clock. The right to set it is the setting's.
#include "test_clock.h"

#include "convert.h"
#include "errors.h"

namespace idgen::pg {

namespace {

Datum Shown(std::int64_t us) {
  TimestampTz timestamp = 0;
  (void)ToTimestamp(us, timestamp);
  return TimestampTzGetDatum(timestamp);
}

Datum Set(TimestampTz at, bool is_local) {
  std::int64_t us = 0;
  if (!FromTimestamp(at, us)) {
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                    errmsg("test clock cannot show %s", timestamptz_to_str(at))));
  }
  SetTestClock(us, is_local);
  return Shown(us);
}

[[noreturn]] void ReportNull(const char* what, const char* hint) {
  ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", what),
                  errhint("%s", hint)));
  pg_unreachable();
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_test_clock);
IDGEN_SQL_FUNCTION(idgen_test_clock_set);
IDGEN_SQL_FUNCTION(idgen_test_clock_advance);
IDGEN_SQL_FUNCTION(idgen_test_clock_off);

Datum idgen_test_clock(PG_FUNCTION_ARGS) {
  if (!TestClockIsOn()) PG_RETURN_NULL();
  return Shown(TestClockUs());
}

Datum idgen_test_clock_set(PG_FUNCTION_ARGS) {
  if (PG_ARGISNULL(0)) {
    ReportNull("time of the test clock", "idgen_test_clock_off() turns the test clock off.");
  }
  if (PG_ARGISNULL(1)) {
    ReportNull("argument \"local\"", "true: until the end of the transaction.");
  }
  const bool is_local = PG_GETARG_BOOL(1);
  const Datum shown = Set(PG_GETARG_TIMESTAMPTZ(0), is_local);
  if (is_local && !IsTransactionBlock()) {
    ereport(NOTICE, (errmsg("test clock ends with this statement"),
                     errhint("Begin a transaction first, or call it with local => false.")));
  }
  return shown;
}

Datum idgen_test_clock_advance(PG_FUNCTION_ARGS) {
  if (PG_ARGISNULL(0)) ReportNull("interval", "'0' leaves the test clock as it is.");
  if (!TestClockIsOn()) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("test clock is not on"), errhint("Set it with idgen_test_clock().")));
  }
  const Datum moved =
      DirectFunctionCall2(timestamptz_pl_interval, Shown(TestClockUs()), PG_GETARG_DATUM(0));
  return Set(DatumGetTimestampTz(moved), TestClockIsLocal());
}

Datum idgen_test_clock_off(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  EndTestClock();
  PG_RETURN_VOID();
}

}  // extern "C"

}  // namespace idgen::pg

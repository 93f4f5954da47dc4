// The SQL functions that read IDs. Pure: they look at nothing but their arguments and the
// layout's constants, and so are IMMUTABLE.
#include "errors.h"
#include "pg.h"

namespace idgen::pg {

namespace {

// The layout of the functions whose names begin with snowflake_.
constexpr const Layout& kLayout = kSnowflake;

TimestampTz TimestampOf(const Layout& layout, std::uint64_t id) {
  const std::int64_t time_us = layout.StartOfTick(layout.Parse(id).tick);
  TimestampTz timestamp = 0;
  if (!ToTimestamp(time_us, timestamp)) {
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                    errmsg("time of ID %llu is out of range", static_cast<unsigned long long>(id)),
                    errhint("It is beyond the last timestamp that PostgreSQL can hold.")));
  }
  return timestamp;
}

// The tick that holds an instant, which must be within the layout's life.
std::uint64_t TickOf(const Layout& layout, TimestampTz timestamp) {
  const auto hint = [&layout] {
    return errhint("Use a timestamp from %s to %s.", InstantText(layout.epoch_us),
                   InstantText(layout.StartOfTick(layout.MaxTick())));
  };
  std::int64_t time_us = 0;
  if (TIMESTAMP_NOT_FINITE(timestamp) ||
      pg_add_s64_overflow(timestamp, kPostgresEpochUs, &time_us)) {
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                    errmsg("timestamp \"%s\" has no ID", timestamptz_to_str(timestamp)), hint()));
  }
  const std::int64_t tick = layout.TickAt(time_us);
  if (tick < 0 || static_cast<std::uint64_t>(tick) > layout.MaxTick()) {
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                    errmsg(tick < 0 ? "timestamp \"%s\" is before the epoch of layout \"%s\""
                                    : "timestamp \"%s\" is after the end of layout \"%s\"",
                           timestamptz_to_str(timestamp), NameOf(layout)),
                    hint()));
  }
  return static_cast<std::uint64_t>(tick);
}

Datum FieldOf(const Layout& layout, FieldKind kind, int64 argument) {
  const std::uint64_t id = CheckId(layout, argument);
  return Int32GetDatum(static_cast<int32>(layout[kind].Get(id)));
}

// The columns of snowflake_parse().
Datum PartsOf(FunctionCallInfo fcinfo, const Layout& layout, int64 argument) {
  const std::uint64_t id = CheckId(layout, argument);
  TupleDesc columns = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &columns) != TYPEFUNC_COMPOSITE) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("function returning record called in context that cannot accept type "
                           "record")));
  }
  const Parts parts = layout.Parse(id);
  const std::int64_t time_us = layout.StartOfTick(parts.tick);
  const std::int64_t unix_ms = time_us >= 0 ? time_us / 1000 : -((-time_us + 999) / 1000);
  const auto int_datum = [](std::uint64_t value) {
    return Int32GetDatum(static_cast<int32>(value));
  };
  Datum values[] = {
      TimestampTzGetDatum(TimestampOf(layout, id)),
      Int64GetDatum(unix_ms),
      int_datum(parts.identity.datacenter),
      int_datum(parts.identity.machine),
      int_datum(parts.identity.shard),
      int_datum(parts.sequence),
  };
  bool nulls[] = {
      false,
      false,
      !layout.Has(FieldKind::kDatacenter),
      !layout.Has(FieldKind::kMachine),
      !layout.Has(FieldKind::kShard),
      !layout.Has(FieldKind::kSequence),
  };
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls));
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_snowflake_parse);
IDGEN_SQL_FUNCTION(idgen_snowflake_timestamp);
IDGEN_SQL_FUNCTION(idgen_snowflake_datacenter);
IDGEN_SQL_FUNCTION(idgen_snowflake_machine);
IDGEN_SQL_FUNCTION(idgen_snowflake_sequence);
IDGEN_SQL_FUNCTION(idgen_snowflake_min_id);
IDGEN_SQL_FUNCTION(idgen_snowflake_max_id);

Datum idgen_snowflake_parse(PG_FUNCTION_ARGS) {
  return PartsOf(fcinfo, kLayout, PG_GETARG_INT64(0));
}

Datum idgen_snowflake_timestamp(PG_FUNCTION_ARGS) {
  const std::uint64_t id = CheckId(kLayout, PG_GETARG_INT64(0));
  return TimestampTzGetDatum(TimestampOf(kLayout, id));
}

Datum idgen_snowflake_datacenter(PG_FUNCTION_ARGS) {
  return FieldOf(kLayout, FieldKind::kDatacenter, PG_GETARG_INT64(0));
}

Datum idgen_snowflake_machine(PG_FUNCTION_ARGS) {
  return FieldOf(kLayout, FieldKind::kMachine, PG_GETARG_INT64(0));
}

Datum idgen_snowflake_sequence(PG_FUNCTION_ARGS) {
  return FieldOf(kLayout, FieldKind::kSequence, PG_GETARG_INT64(0));
}

Datum idgen_snowflake_min_id(PG_FUNCTION_ARGS) {
  return Int64GetDatum(kLayout.MinId(TickOf(kLayout, PG_GETARG_TIMESTAMPTZ(0))));
}

Datum idgen_snowflake_max_id(PG_FUNCTION_ARGS) {
  return Int64GetDatum(kLayout.MaxIdOf(TickOf(kLayout, PG_GETARG_TIMESTAMPTZ(0))));
}

}  // extern "C"

}  // namespace idgen::pg

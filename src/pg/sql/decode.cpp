// The SQL functions that read IDs and compose them. They depend only on their arguments and the
// layout's constants, so they are IMMUTABLE.
#include "pg.h"

#include "callsite.h"
#include "core/fields.h"
#include "core/builtin_layouts.h"
#include "core/hlc.h"
#include "errors.h"
#include "row.h"

namespace idgen::pg {

namespace {

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

// Returns the tick of an instant, which must be within the layout's life.
std::uint64_t TickOf(const Layout& layout, TimestampTz timestamp) {
  const auto hint = [&layout] {
    return errhint("Use a timestamp from %s to %s.", InstantText(layout.epoch_us),
                   InstantText(layout.StartOfTick(layout.MaxTick())));
  };
  std::int64_t time_us = 0;
  if (!FromTimestamp(timestamp, time_us)) {
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

Datum TimestampOfId(const Layout& layout, int64 argument) {
  return TimestampTzGetDatum(TimestampOf(layout, CheckId(layout, argument)));
}

// Returns a field that fits an int, or NULL if the layout lacks it.
Datum IntOf(const Layout& layout, FieldKind kind, std::uint64_t value, bool& is_null) {
  is_null = !layout.Has(kind);
  return Int32GetDatum(static_cast<int32>(value));
}

Datum PartsOf(const Layout& layout, int64 argument, TupleDesc columns) {
  const std::uint64_t id = CheckId(layout, argument);
  const Parts parts = layout.Parse(id);
  const std::int64_t time_us = layout.StartOfTick(parts.tick);
  const std::int64_t unix_ms = time_us >= 0 ? time_us / 1000 : -((-time_us + 999) / 1000);
  bool nulls[6] = {};
  Datum values[6] = {
      TimestampTzGetDatum(TimestampOf(layout, id)),
      Int64GetDatum(unix_ms),
      IntOf(layout, FieldKind::kDatacenter, parts.identity.datacenter, nulls[2]),
      IntOf(layout, FieldKind::kMachine, parts.identity.machine, nulls[3]),
      IntOf(layout, FieldKind::kShard, parts.identity.shard, nulls[4]),
      IntOf(layout, FieldKind::kSequence, parts.sequence, nulls[5]),
  };
  return HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
}

// The same for a layout that no argument names.
Datum PartsForShortcut(FunctionCallInfo fcinfo, const Layout& layout) {
  return PartsOf(layout, PG_GETARG_INT64(0), KeptColumns(fcinfo));
}

Datum MinIdOf(const Layout& layout, TimestampTz timestamp) {
  return Int64GetDatum(layout.MinId(TickOf(layout, timestamp)));
}

Datum MaxIdOf(const Layout& layout, TimestampTz timestamp) {
  return Int64GetDatum(layout.MaxIdOf(TickOf(layout, timestamp)));
}

// Returns the value for a field of a new ID, from an int argument; NULL is 0.
std::uint64_t PartFrom(FunctionCallInfo fcinfo, int argument, const Layout& layout,
                       FieldKind kind) {
  if (PG_ARGISNULL(argument)) return 0;
  const int32 value = PG_GETARG_INT32(argument);
  if (!layout.Has(kind)) Report(NoField(layout, kind, "Use NULL for it."));
  if (value < 0 || AsField(value) > layout[kind].Largest()) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("%s %d is out of range for layout \"%s\"", NameOfField(kind).data(),
                           value, NameOf(layout)),
                    errdetail("%s", RangeText(layout, kind))));
  }
  return AsField(value);
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_parse);
IDGEN_SQL_FUNCTION(idgen_timestamp);
IDGEN_SQL_FUNCTION(idgen_min_id);
IDGEN_SQL_FUNCTION(idgen_max_id);
IDGEN_SQL_FUNCTION(idgen_compose);

Datum idgen_parse(PG_FUNCTION_ARGS) {
  const Layout& layout = LayoutOfId(fcinfo, 1, PG_GETARG_INT64(0));
  auto* site = static_cast<LayoutSite*>(fcinfo->flinfo->fn_extra);
  if (unlikely(site->columns == nullptr)) site->columns = ColumnsOf(fcinfo);
  return PartsOf(layout, PG_GETARG_INT64(0), site->columns);
}

Datum idgen_timestamp(PG_FUNCTION_ARGS) {
  return TimestampOfId(LayoutOfId(fcinfo, 1, PG_GETARG_INT64(0)), PG_GETARG_INT64(0));
}

Datum idgen_min_id(PG_FUNCTION_ARGS) {
  return MinIdOf(LayoutAt(fcinfo, 1, PG_GETARG_TIMESTAMPTZ(0)), PG_GETARG_TIMESTAMPTZ(0));
}

Datum idgen_max_id(PG_FUNCTION_ARGS) {
  return MaxIdOf(LayoutAt(fcinfo, 1, PG_GETARG_TIMESTAMPTZ(0)), PG_GETARG_TIMESTAMPTZ(0));
}

Datum idgen_compose(PG_FUNCTION_ARGS) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) PG_RETURN_NULL();
  const Layout& layout = LayoutAt(fcinfo, 0, PG_GETARG_TIMESTAMPTZ(1));
  Parts parts;
  parts.tick = TickOf(layout, PG_GETARG_TIMESTAMPTZ(1));
  parts.identity.datacenter = PartFrom(fcinfo, 2, layout, FieldKind::kDatacenter);
  parts.identity.machine = PartFrom(fcinfo, 3, layout, FieldKind::kMachine);
  parts.identity.shard = PartFrom(fcinfo, 4, layout, FieldKind::kShard);
  parts.sequence = PartFrom(fcinfo, 5, layout, FieldKind::kSequence);
  return Int64GetDatum(static_cast<int64>(layout.Unparse(parts)));
}

// The shortcuts: the same for a layout that is known when this is compiled.
#define IDGEN_SHORTCUT(name, result) \
  IDGEN_SQL_FUNCTION(name);          \
  Datum name(PG_FUNCTION_ARGS) { return result; }

IDGEN_SHORTCUT(idgen_snowflake_parse, PartsForShortcut(fcinfo, kSnowflake))
IDGEN_SHORTCUT(idgen_snowflake_timestamp, TimestampOfId(kSnowflake, PG_GETARG_INT64(0)))
IDGEN_SHORTCUT(idgen_snowflake_datacenter,
               FieldOf(kSnowflake, FieldKind::kDatacenter, PG_GETARG_INT64(0)))
IDGEN_SHORTCUT(idgen_snowflake_machine,
               FieldOf(kSnowflake, FieldKind::kMachine, PG_GETARG_INT64(0)))
IDGEN_SHORTCUT(idgen_snowflake_sequence,
               FieldOf(kSnowflake, FieldKind::kSequence, PG_GETARG_INT64(0)))
IDGEN_SHORTCUT(idgen_snowflake_min_id, MinIdOf(kSnowflake, PG_GETARG_TIMESTAMPTZ(0)))
IDGEN_SHORTCUT(idgen_snowflake_max_id, MaxIdOf(kSnowflake, PG_GETARG_TIMESTAMPTZ(0)))
IDGEN_SHORTCUT(idgen_instagram_parse, PartsForShortcut(fcinfo, kInstagram))
IDGEN_SHORTCUT(idgen_instagram_timestamp, TimestampOfId(kInstagram, PG_GETARG_INT64(0)))
IDGEN_SHORTCUT(idgen_instagram_shard, FieldOf(kInstagram, FieldKind::kShard, PG_GETARG_INT64(0)))
IDGEN_SHORTCUT(idgen_instagram_sequence,
               FieldOf(kInstagram, FieldKind::kSequence, PG_GETARG_INT64(0)))
IDGEN_SHORTCUT(idgen_instagram_min_id, MinIdOf(kInstagram, PG_GETARG_TIMESTAMPTZ(0)))
IDGEN_SHORTCUT(idgen_instagram_max_id, MaxIdOf(kInstagram, PG_GETARG_TIMESTAMPTZ(0)))
IDGEN_SHORTCUT(idgen_hlc_timestamp, TimestampOfId(kHlc, PG_GETARG_INT64(0)))
IDGEN_SHORTCUT(idgen_hlc_logical, FieldOf(kHlc, FieldKind::kSequence, PG_GETARG_INT64(0)))
IDGEN_SHORTCUT(idgen_hlc_min_id, MinIdOf(kHlc, PG_GETARG_TIMESTAMPTZ(0)))
IDGEN_SHORTCUT(idgen_hlc_max_id, MaxIdOf(kHlc, PG_GETARG_TIMESTAMPTZ(0)))

#undef IDGEN_SHORTCUT

}  // extern "C"

}  // namespace idgen::pg

// The SQL functions that create, drop and list layouts.
#include "pg.h"

#include <algorithm>

#include "core/clock.h"
#include "core/fields.h"
#include "ddl.h"
#include "errors.h"
#include "layout_value.h"
#include "row.h"

namespace idgen::pg {

namespace {

// Converts an interval of a fixed length to microseconds. A day is 24 hours.
std::int64_t TickOf(const char* name, const Interval& tick) {
  std::int64_t days_us = 0;
  std::int64_t us = 0;
  const bool fits = tick.month == 0 && !pg_mul_s64_overflow(tick.day, USECS_PER_DAY, &days_us) &&
                    !pg_add_s64_overflow(days_us, tick.time, &us);
  if (!fits) {
    Report(BadTick(psprintf(" \"%s\"", name), "Months and years are not all of one length."));
  }
  return us;
}

std::int64_t EpochOf(const char* name, TimestampTz epoch) {
  std::int64_t epoch_us = 0;
  if (!FromTimestamp(epoch, epoch_us)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("epoch of layout \"%s\" is out of range", name),
                    errdetail("It is %s.", timestamptz_to_str(epoch)),
                    errhint("Use a date in the past, for example the first of this year.")));
  }
  const std::int64_t now_us = WallClockUs();
  if (epoch_us > now_us) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("epoch of layout \"%s\" is in the future", name),
                    errdetail("It is %s, and the clock shows %s.", InstantText(epoch_us),
                              InstantText(now_us)),
                    errhint("Use a date in the past, for example the first of this year.")));
  }
  return epoch_us;
}

char* FieldsText(const Layout& layout) {
  auto* text = static_cast<char*>(palloc(kLongestFieldsText + 1));
  text[WriteFields(layout, text)] = '\0';
  return text;
}

// Such layouts are useful, but should not be made by mistake.
void WarnIfItMakesNoIds(const Layout& layout) {
  if (!layout.CanGenerate()) {
    ereport(WARNING, (errmsg("IDs of layout \"%s\" can be read and not made", NameOf(layout)),
                      layout.Has(FieldKind::kTail)
                          ? errdetail("It has a tail, of which idgen knows no more.")
                          : errdetail("It has no sequence to tell the IDs of one tick apart.")));
    return;
  }
  if (layout.TickAt(WallClockUs()) <= static_cast<std::int64_t>(layout.MaxTick())) return;
  ereport(WARNING, (errmsg("layout \"%s\" has run out of time", NameOf(layout)),
                    errdetail("Its last ID is of %s: it can be used to read IDs, and not to make "
                              "any.",
                              InstantText(layout.StartOfTick(layout.MaxTick())))));
}

void ListLayout(FunctionCallInfo fcinfo, const Named& named) {
  const Layout& layout = named.definition.layout;
  const unsigned identity_bits = layout[FieldKind::kDatacenter].bits +
                                 layout[FieldKind::kMachine].bits + layout[FieldKind::kShard].bits;
  PutRow(fcinfo,
         {{CStringGetTextDatum(named.name)},
          {PointerGetDatum(StoreLayout(layout))},
          {CStringGetTextDatum(FieldsText(layout))},
          {IntervalDatum(layout.tick_us)},
          TimeOrNull(layout.epoch_us),
          TimeOrNull(layout.StartOfTick(layout.MaxTick() + 1)),
          {Int64GetDatum(static_cast<int64>(layout.IdsPerTick()))},
          {Int64GetDatum(static_cast<int64>(std::uint64_t{1} << std::min(identity_bits, 62U)))},
          {BoolGetDatum(layout.CanGenerate())},
          {ObjectIdGetDatum(named.owner), !OidIsValid(named.owner)},
          {TextDatum(named.note), named.note.empty()}});
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_create_layout);
IDGEN_SQL_FUNCTION(idgen_drop_layout);
IDGEN_SQL_FUNCTION(idgen_get_layouts);

Datum idgen_create_layout(PG_FUNCTION_ARGS) {
  const char* const name = RequiredText(fcinfo, 0, "layout name");
  const char* const fields = RequiredText(fcinfo, 1, "field list");
  CheckNotNull(fcinfo, 2, "tick");
  CheckNotNull(fcinfo, 3, "epoch");
  const std::int64_t tick_us = TickOf(name, *PG_GETARG_INTERVAL_P(2));
  const std::int64_t epoch_us = EpochOf(name, PG_GETARG_TIMESTAMPTZ(3));
  GeneratorDefinition definition;
  const Complaint complaint = ReadFields(name, fields, tick_us, epoch_us, definition.layout);
  if (complaint) Report(complaint);
  CreateNamed(NameKind::kLayout, name, definition);
  WarnIfItMakesNoIds(definition.layout);
  PG_RETURN_VOID();
}

Datum idgen_drop_layout(PG_FUNCTION_ARGS) {
  DropNamed(RequiredText(fcinfo, 0, "layout name"), NameKind::kLayout);
  PG_RETURN_VOID();
}

// Returns the rows of the view idgen_layouts. Only the argument's type matters: it makes the view's
// call unambiguous.
Datum idgen_get_layouts(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  ListCell* cell;
  foreach (cell, AllNamed()) {
    const auto& named = *static_cast<Named*>(lfirst(cell));
    if (named.kind == NameKind::kLayout && !named.flaw) ListLayout(fcinfo, named);
  }
  return Datum{0};
}

}  // extern "C"

}  // namespace idgen::pg

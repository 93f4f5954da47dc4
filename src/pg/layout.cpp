// The SQL functions that create, drop and list layouts.
#include "pg.h"

#include <algorithm>

#include "core/clock.h"
#include "core/formats.h"
#include "ddl.h"
#include "errors.h"
#include "options.h"

namespace idgen::pg {

namespace {

// An interval of a fixed length, in microseconds. Days count 24 hours.
std::int64_t TickOf(const char* name, const Interval& tick) {
  std::int64_t days_us = 0;
  std::int64_t us = 0;
  const bool fits = tick.month == 0 && !pg_mul_s64_overflow(tick.day, USECS_PER_DAY, &days_us) &&
                    !pg_add_s64_overflow(days_us, tick.time, &us);
  if (!fits) ReportTick(name, "Months and years are not all of one length.");
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

// Such layouts have their uses, but to be made by mistake is not one of them.
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

void ListLayout(FunctionCallInfo fcinfo, const Layout& layout, Oid owner, std::string_view note) {
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Interval tick{layout.tick_us, 0, 0};
  const unsigned identity_bits = layout[FieldKind::kDatacenter].bits +
                                 layout[FieldKind::kMachine].bits + layout[FieldKind::kShard].bits;
  TimestampTz epoch = 0;
  TimestampTz end = 0;
  const bool epoch_fits = ToTimestamp(layout.epoch_us, epoch);
  const bool end_fits = ToTimestamp(layout.StartOfTick(layout.MaxTick() + 1), end);
  Datum values[] = {
      TextDatum(layout.name),
      CStringGetTextDatum(FieldsText(layout)),
      PointerGetDatum(&tick),
      TimestampTzGetDatum(epoch),
      TimestampTzGetDatum(end),
      Int64GetDatum(static_cast<int64>(layout.IdsPerTick())),
      Int64GetDatum(static_cast<int64>(std::uint64_t{1} << std::min(identity_bits, 62U))),
      BoolGetDatum(layout.CanGenerate()),
      ObjectIdGetDatum(owner),
      TextDatum(note),
  };
  bool nulls[] = {false, false, false, !epoch_fits,        !end_fits,
                  false, false, false, !OidIsValid(owner), note.empty()};
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
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
  CheckName(kLayoutKind, name);
  const std::int64_t tick_us = TickOf(name, *PG_GETARG_INTERVAL_P(2));
  const std::int64_t epoch_us = EpochOf(name, PG_GETARG_TIMESTAMPTZ(3));
  const Layout layout = ParseLayout(name, fields, tick_us, epoch_us);
  LockCatalog();
  CheckNameIsFree(name);
  RunCommand(
      psprintf("CREATE SERVER %s FOREIGN DATA WRAPPER %s OPTIONS (layout %s, fields %s, "
               "tick_us '%lld', epoch_us '%lld')",
               quote_identifier(ServerName(kLayoutKind, name)), kLayoutKind.wrapper,
               quote_literal_cstr(name), quote_literal_cstr(FieldsText(layout)),
               static_cast<long long>(tick_us), static_cast<long long>(epoch_us)));
  WarnIfItMakesNoIds(layout);
  PG_RETURN_VOID();
}

Datum idgen_drop_layout(PG_FUNCTION_ARGS) {
  const char* const name = RequiredText(fcinfo, 0, "layout name");
  if (FindBuiltinLayout(name) != nullptr) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("cannot drop layout \"%s\" because it is built in", name)));
  }
  CheckOwner(kLayoutKind, name);
  LockCatalog();
  (void)LayoutByName(name);
  StringInfoData users;
  initStringInfo(&users);
  ListCell* cell;
  foreach (cell, UserGenerators()) {
    const auto* user = static_cast<UserGenerator*>(lfirst(cell));
    if (user->layout == nullptr || strcmp(user->layout, name) != 0) continue;
    appendStringInfo(&users, "%sgenerator %s uses it.", users.len > 0 ? "\n" : "", user->name);
  }
  if (users.len > 0) {
    ereport(ERROR,
            (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
             errmsg("cannot drop layout \"%s\" because generators use it", name),
             errdetail_internal("%s", users.data), errhint("Use idgen_drop_generator() first.")));
  }
  CheckNotUsed(kLayoutKind, name);
  DropServer(kLayoutKind, name);
  PG_RETURN_VOID();
}

// The rows behind the view idgen_layouts, built-in ones first.
Datum idgen_get_layouts(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  for (const Format& format : kFormats) {
    ListLayout(fcinfo, format.layout, InvalidOid, format.note);
  }
  ListCell* cell;
  foreach (cell, UserLayouts()) {
    const auto* user = static_cast<UserLayout*>(lfirst(cell));
    ListLayout(fcinfo, *user->layout, user->owner, "");
  }
  return Datum{0};
}

}  // extern "C"

}  // namespace idgen::pg

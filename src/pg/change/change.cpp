// The SQL functions that let a generator go over to another layout at an instant.
//
// The change is an ALTER SERVER, in the caller's transaction and with the caller's rights. What
// makes it safe is in change_fence.h (no session passes the instant without knowing of it) and in
// session/handle.cpp (a position decides which layout its ID is of).
#include "change.h"

#include <algorithm>

#include "callsite.h"
#include "change_fence.h"
#include "core/clock.h"
#include "ddl.h"
#include "errors.h"
#include "handle.h"
#include "layout_value.h"
#include "lease.h"
#include "row.h"
#include "settings.h"
#include "source.h"
#include "succession_text.h"

namespace idgen::pg {

namespace {

// How far ahead a change is when no instant is given: enough to commit it, and to think again.
constexpr std::int64_t kNoticeUs = 60 * kSecondUs;

Succession AllLayouts(FunctionCallInfo fcinfo, int argument) {
  Succession succession = LoadSuccession(StoredArgument(fcinfo, argument));
  for (std::size_t i = 0; i < succession.count; ++i) {
    Layout& layout = succession.stages[i].layout;
    layout.name = LayoutText(layout);
  }
  return succession;
}

// A fleet changes together, by its scheme.
void CheckIsNoFleet() {
  if (!LeasesAreOn()) return;
  ereport(ERROR,
          (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
           errmsg("the layout of a generator cannot change on one server while idgen.registry is "
                  "set"),
           errdetail("All servers of the registry have to change at the same instant."),
           errhint("Use idgen_propose_change().")));
}

[[noreturn]] void ReportNoInstant(TimestampTz at) {
  ereport(ERROR,
          (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
           errmsg("timestamp \"%s\" cannot be the instant of a change", timestamptz_to_str(at))));
  pg_unreachable();
}

}  // namespace

Layout OneLayout(FunctionCallInfo fcinfo, int argument) {
  Layout layout = LoadLayout(StoredArgument(fcinfo, argument));
  layout.name = LayoutText(layout);
  return layout;
}

std::int64_t RoundUp(std::int64_t us, std::int64_t unit) {
  const std::int64_t rest = us % unit;
  return rest == 0 ? us : SumUs(us, rest > 0 ? unit - rest : -rest);
}

Datum InstantDatum(std::int64_t time_us) {
  TimestampTz timestamp = 0;
  if (!ToTimestamp(time_us, timestamp)) ReportNoInstant(DT_NOEND);
  return TimestampTzGetDatum(timestamp);
}

std::int64_t InstantOf(FunctionCallInfo fcinfo, int argument, const Succession& from,
                       const Layout& to, std::int64_t least_us) {
  const std::int64_t now_us = WallClockUs();
  if (PG_ARGISNULL(argument)) {
    least_us = RoundUp(std::max(least_us, now_us + kNoticeUs), kSecondUs);
    const std::int64_t earliest_us = EarliestChange(from, to, least_us);
    return earliest_us == kNever ? least_us : RoundUp(earliest_us, kSecondUs);
  }
  std::int64_t at_us = 0;
  if (!FromTimestamp(PG_GETARG_TIMESTAMPTZ(argument), at_us)) {
    ReportNoInstant(PG_GETARG_TIMESTAMPTZ(argument));
  }
  if (at_us <= now_us) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("the instant of the change is in the past"),
                    errdetail("It is %s, and the clock shows %s.", InstantText(at_us),
                              InstantText(now_us)),
                    errhint("IDs of the old layout have been made until now.")));
  }
  return RoundUp(at_us, 1000);
}

const Named& ChangeableGenerator(FunctionCallInfo fcinfo) {
  const char* const name = RequiredText(fcinfo, 0, "generator name");
  const Named* const named = FindNamed(name);
  if (named != nullptr && named->kind == NameKind::kLayout) {
    ereport(ERROR,
            (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is a layout", name),
             errdetail("A layout never changes, and its generator is there as long as it is."),
             errhint("Create a generator with idgen_create_generator(), let the columns' defaults "
                     "use it, and change its layout then. It continues where this one is.")));
  }
  const Named& found = UsersNamedBy(name, NameKind::kGenerator);
  if (found.flaw) Report(found.flaw);
  return found;
}

void CheckIdentityFits(const GeneratorDefinition& generator, const Layout& to) {
  GeneratorDefinition after = generator;
  after.layout = to;
  after.changes = nullptr;
  const Complaint complaint = ComplaintOf(after);
  if (complaint) Report(complaint);
  Identity identity = IdentityOf(after);
  if (!ShardIsSet() && generator.shard_id < 0) identity.shard = 0;
  CheckFits(to, identity);
}

void SetLayoutsOf(const Named& named, const Succession& succession) {
  RunCommand(psprintf("ALTER SERVER %s OPTIONS (SET layout %s)",
                      quote_identifier(ServerName(named.name)),
                      quote_literal_cstr(SuccessionText(succession))));
}

std::int64_t CancelledChange(const char* name, Succession& layouts) {
  const std::int64_t at_us = layouts.SinceOf(layouts.count - 1);
  if (layouts.count == 1 || at_us <= WallClockUs()) {
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("generator \"%s\" has no change of its layout ahead", name),
             layouts.count == 1 ? 0 : errdetail("The last one was at %s.", InstantText(at_us))));
  }
  --layouts.count;
  layouts.stages[layouts.count - 1].until_us = kNever;
  return at_us;
}

extern "C" {

IDGEN_SQL_FUNCTION(idgen_check_change);
IDGEN_SQL_FUNCTION(idgen_change_layout);
IDGEN_SQL_FUNCTION(idgen_cancel_change);

Datum idgen_check_change(PG_FUNCTION_ARGS) {
  const Succession from = AllLayouts(fcinfo, 0);
  const Layout to = OneLayout(fcinfo, 1);
  std::int64_t at_us = 0;
  if (!FromTimestamp(PG_GETARG_TIMESTAMPTZ(2), at_us)) ReportNoInstant(PG_GETARG_TIMESTAMPTZ(2));
  const Change change = from.Check(to, at_us);
  const Complaint complaint = ComplaintOfChange(from, to, at_us);
  const std::int64_t earliest_us = EarliestChange(from, to, at_us);
  const bool has_ids = change.flaw != ChangeFlaw::kNoTime;
  const Column row[] = {
      BoolGetDatum(!complaint),
      earliest_us == kNever ? kNull : TimeOrNull(earliest_us),
      {Int64GetDatum(static_cast<int64>(change.before) - 1), change.before == 0},
      {Int64GetDatum(static_cast<int64>(change.from)), !has_ids},
      !complaint ? kNull
                 : TextOrNull(complaint.hint == nullptr
                                  ? complaint.message
                                  : psprintf("%s. %s", complaint.message, complaint.hint))};
  const RowArrays arrays(row);
  return HeapTupleGetDatum(heap_form_tuple(KeptColumns(fcinfo), const_cast<Datum*>(arrays.values),
                                           const_cast<bool*>(arrays.nulls)));
}

Datum idgen_change_layout(PG_FUNCTION_ARGS) {
  const Named& named = ChangeableGenerator(fcinfo);
  CheckIsNoFleet();
  CheckNotNull(fcinfo, 1, "layout");
  const Layout to = OneLayout(fcinfo, 1);
  Succession layouts = LayoutsOf(named.definition);
  CheckIdentityFits(named.definition, to);
  const std::int64_t at_us = InstantOf(fcinfo, 2, layouts, to, 0);
  const Complaint complaint = ComplaintOfChange(layouts, to, at_us);
  if (complaint) Report(complaint);
  layouts.Append(to, at_us);
  SetLayoutsOf(named, layouts);
  PlanChange(named.name, at_us / 1000);
  return InstantDatum(at_us);
}

Datum idgen_cancel_change(PG_FUNCTION_ARGS) {
  const Named& named = ChangeableGenerator(fcinfo);
  CheckIsNoFleet();
  Succession layouts = LayoutsOf(named.definition);
  const std::int64_t at_us = CancelledChange(named.name, layouts);
  SetLayoutsOf(named, layouts);
  PlanChange(named.name, at_us / 1000);
  return InstantDatum(at_us);
}

}  // extern "C"

}  // namespace idgen::pg

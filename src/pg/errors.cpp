#include "errors.h"

namespace idgen::pg {

namespace {

// "3600.000 s" or "250 ms"; in the current memory context.
char* DurationText(std::int64_t us) {
  if (us < 1'000'000) return psprintf("%.3f ms", static_cast<double>(us) / 1e3);
  return psprintf("%.3f s", static_cast<double>(us) / 1e6);
}

char* KnownGenerators() {
  StringInfoData names;
  initStringInfo(&names);
  for (const Layout& layout : kBuiltinLayouts) {
    if (names.len > 0) appendStringInfoString(&names, ", ");
    appendBinaryStringInfo(&names, layout.name.data(), static_cast<int>(layout.name.size()));
  }
  return names.data;
}

struct FieldText {
  const char* name;
  const char* setting;
  std::uint64_t value;
};

FieldText Describe(FieldKind kind, const Identity& identity) {
  switch (kind) {
    case FieldKind::kDatacenter:
      return {"datacenter", "idgen.datacenter_id", identity.datacenter};
    case FieldKind::kMachine:
      return {"machine", "idgen.machine_id", identity.machine};
    default:
      return {"shard", "idgen.shard_id", identity.shard};
  }
}

}  // namespace

const char* InstantText(std::int64_t time_us) {
  TimestampTz timestamp = 0;
  if (!ToTimestamp(time_us, timestamp)) return "infinity";
  return pstrdup(timestamptz_to_str(timestamp));
}

void ReportUnknownGenerator(std::string_view generator) {
  ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                  errmsg("generator \"%.*s\" does not exist", static_cast<int>(generator.size()),
                         generator.data()),
                  errhint("The generators are: %s.", KnownGenerators())));
  pg_unreachable();
}

void ReportRecovery() {
  ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
                  errmsg("cannot generate IDs during recovery"),
                  errdetail("This server is a standby, or has not finished its recovery."),
                  errhint("Generate IDs on the primary, or promote this server first. Decoding "
                          "functions work here too.")));
  pg_unreachable();
}

void ReportOutOfTime(const Layout& layout, std::int64_t now_us) {
  ereport(ERROR, (errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
                  errmsg("layout \"%s\" has run out of time", NameOf(layout)),
                  errdetail("Its last ID is of %s, and the clock shows %s.",
                            InstantText(layout.StartOfTick(layout.MaxTick())), InstantText(now_us)),
                  errhint("If the clock is right, move to a layout with a later end; if not, check "
                          "time synchronization.")));
  pg_unreachable();
}

void ReportClockBehind(const Layout& layout, const Attempt& attempt, const GuardSettings& guard,
                       bool waited) {
  const char* const name = NameOf(layout);
  char* const behind = DurationText(attempt.behind_us);
  const char* const next = InstantText(layout.StartOfTick(attempt.next >> layout.SequenceBits()));
  const char* const now = InstantText(attempt.now_us);
  ereport(
      ERROR,
      (errcode(ERRCODE_SYSTEM_ERROR),
       errmsg("clock is %s behind the next ID of generator \"%s\"", behind, name),
       waited ? errdetail("The next ID is of %s, and the clock shows %s after %d ms of waiting "
                          "(idgen.max_clock_wait).",
                          next, now, static_cast<int>(guard.max_clock_wait_us / 1000))
              : errdetail("The next ID is of %s, and the clock shows %s.", next, now),
       errhint("Check the time synchronization of this machine, for example with \"timedatectl\" "
               "or \"chronyc tracking\". The settings idgen.clock_regression, "
               "idgen.max_clock_wait and idgen.max_clock_lead say how long to wait for the "
               "clock, or how far to go ahead of it.")));
  pg_unreachable();
}

void CheckIdentity(const Layout& layout, const Identity& identity) {
  const FieldKind misfit = layout.FindMisfit(identity);
  if (misfit == FieldKind::kTimestamp) return;
  const FieldText field = Describe(misfit, identity);
  const auto most = static_cast<unsigned long long>(layout[misfit].Largest());
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("%s ID %llu is out of range for layout \"%s\"", field.name,
                         static_cast<unsigned long long>(field.value), NameOf(layout)),
                  errdetail("Its %s field has %u bits: 0 to %llu.", field.name,
                            static_cast<unsigned>(layout[misfit].bits), most),
                  errhint("Set %s to a value from 0 to %llu.", field.setting, most)));
}

void ReportCount(int count, std::uint64_t most, const char* detail) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("count %d is out of range", count), errdetail("%s", detail),
                  errhint("Use a count from 1 to %llu.", static_cast<unsigned long long>(most))));
  pg_unreachable();
}

std::uint64_t CheckId(const Layout& layout, int64 id) {
  if (id < 0) {
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                    errmsg("ID %lld is negative", static_cast<long long>(id)),
                    errhint("No layout of idgen makes negative IDs; this number is not one.")));
  }
  const auto bits = static_cast<std::uint64_t>(id);
  if (bits > layout.MaxId()) {
    ereport(ERROR,
            (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
             errmsg("ID %lld is beyond layout \"%s\"", static_cast<long long>(id), NameOf(layout)),
             errdetail("The largest ID of the layout is %llu.",
                       static_cast<unsigned long long>(layout.MaxId())),
             errhint("Decode it with the layout that it was made with.")));
  }
  return bits;
}

}  // namespace idgen::pg

#include "errors.h"

#include "core/fields.h"

namespace idgen::pg {

const char* Excerpt(std::string_view text, int most) {
  const int length = pg_mbcliplen(text.data(), static_cast<int>(text.size()), most);
  return pnstrdup(text.data(), static_cast<Size>(length));
}

char* DurationText(std::int64_t us) {
  if (us < 1'000'000) return psprintf("%.3f ms", static_cast<double>(us) / 1e3);
  return psprintf("%.3f s", static_cast<double>(us) / 1e6);
}

const char* InstantText(std::int64_t time_us) {
  TimestampTz timestamp = 0;
  if (!ToTimestamp(time_us, timestamp)) return "infinity";
  return pstrdup(timestamptz_to_str(timestamp));
}

const char* NearestName(std::string_view name, std::span<const std::string_view> names) {
  if (name.empty() || name.size() >= NAMEDATALEN) return nullptr;
  // A third of the name may differ, but the two must have something in common.
  int nearest = static_cast<int>(name.size() + 5) / 3;
  const char* found = nullptr;
  for (const std::string_view& known : names) {
    const int distance =
        varstr_levenshtein_less_equal(name.data(), static_cast<int>(name.size()), known.data(),
                                      static_cast<int>(known.size()), 1, 1, 1, nearest, true);
    if (distance >= nearest || distance >= static_cast<int>(known.size())) continue;
    nearest = distance;
    found = pnstrdup(known.data(), known.size());
  }
  return found;
}

Complaint DecodeOnly(const Layout& layout) {
  return {.code = ERRCODE_FEATURE_NOT_SUPPORTED,
          .message = psprintf("IDs of layout \"%s\" cannot be generated", NameOf(layout)),
          .detail = layout.Has(FieldKind::kTail)
                        ? "Its tail is made by another system's own rule."
                        : "It has no sequence to tell the IDs of one tick apart.",
          .hint = "They can be read, for example with idgen_parse()."};
}

Complaint NoField(const Layout& layout, FieldKind kind, const char* hint) {
  return {.code = ERRCODE_INVALID_PARAMETER_VALUE,
          .message =
              psprintf("layout \"%s\" has no %s field", NameOf(layout), NameOfField(kind).data()),
          .hint = hint};
}

Complaint Misfit(const Layout& layout, FieldKind kind, std::int64_t value) {
  return {
      .code = ERRCODE_INVALID_PARAMETER_VALUE,
      .message = psprintf("%s ID %lld is out of range for layout \"%s\"", NameOfField(kind).data(),
                          static_cast<long long>(value), NameOf(layout)),
      .detail = RangeText(layout, kind)};
}

Complaint BadTick(const char* layout, const char* detail) {
  return {.code = ERRCODE_INVALID_PARAMETER_VALUE,
          .message = psprintf("tick of layout%s is out of range", layout),
          .detail = detail,
          .hint = "Use a tick from 1 microsecond to 24 hours."};
}

char* RangeText(const Layout& layout, FieldKind kind) {
  return psprintf("Its %s field has %u bits: 0 to %llu.", NameOfField(kind).data(),
                  static_cast<unsigned>(layout[kind].bits),
                  static_cast<unsigned long long>(layout[kind].Largest()));
}

void ReportNoShard(const Layout& layout) {
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("no shard is set"),
                  errdetail("IDs of layout \"%s\" have a shard in them.", NameOf(layout)),
                  errhint("Name the shard in the call, or set idgen.shard_id, for example with "
                          "ALTER DATABASE or ALTER ROLE.")));
  pg_unreachable();
}

void ReportRecovery(const char* what) {
  ereport(ERROR,
          (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION), errmsg("cannot %s during recovery", what),
           errdetail("This server is a standby, or has not finished its recovery."),
           errhint("Do it on the primary, or promote this server first. Decoding functions "
                   "work here too.")));
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

void ReportClockBehind(const Layout& layout, const char* generator, const Attempt& attempt,
                       const GuardSettings& guard, bool waited) {
  char* const behind = DurationText(attempt.behind_us);
  const char* const next = InstantText(layout.StartOfTick(attempt.next >> layout.SequenceBits()));
  const char* const now = InstantText(attempt.now_us);
  ereport(
      ERROR,
      (errcode(ERRCODE_SYSTEM_ERROR),
       errmsg("clock is %s behind the next ID of generator \"%s\"", behind, generator),
       waited ? errdetail("The next ID is of %s, and the clock shows %s after %d ms of waiting "
                          "(idgen.max_clock_wait).",
                          next, now, static_cast<int>(guard.max_clock_wait_us / 1000))
              : errdetail("The next ID is of %s, and the clock shows %s.", next, now),
       errhint("Check the time synchronization of this machine, for example with \"timedatectl\" "
               "or \"chronyc tracking\". The settings %s say how long to wait for the "
               "clock, or how far to go ahead of it.",
               guard.paces_lead
                   ? "idgen.clock_regression, idgen.max_clock_wait and idgen.max_clock_lead"
                   : "idgen.max_clock_wait and idgen.max_clock_offset")));
  pg_unreachable();
}

void ReportCount(int count, std::uint64_t most, const char* detail) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("count %d is out of range", count), errdetail("%s", detail),
                  errhint("Use a count from 1 to %llu.", static_cast<unsigned long long>(most))));
  pg_unreachable();
}

void ReportNegativeId(int64 id) {
  ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                  errmsg("ID %lld is negative", static_cast<long long>(id)),
                  errhint("No layout of idgen makes negative IDs; this number is not one.")));
  pg_unreachable();
}

std::uint64_t CheckId(const Layout& layout, int64 id) {
  if (id < 0) ReportNegativeId(id);
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

// idgen_restore: the table through which a dump carries the mark. It is always empty. The condition
// that the install script gives to pg_extension_config_dump() makes pg_dump find a row in it: a
// literal that the column's type reads as this database's mark. A row that pg_restore inserts
// raises the mark instead, by a trigger that no setting of the session disables.
//
// A restore only ever raises the mark, and takes effect at once for the whole server, since ID
// spaces belong to the server. But a database's owner may restore it and must not stop others by
// that. So an owner's mark that is ahead of the clock holds for that database only. So does any
// mark that is so far ahead that it is more likely a mistake.
//
// pg_upgrade dumps no rows. It copies tables' files as they are, but up to PostgreSQL 17 it makes
// sequences anew, from their value alone. The record is lost. So the trigger's condition has a
// constant of the type that prints as the record of the moment. pg_upgrade dumps the trigger, too,
// after all sequences. The new server reads the constant, and writes the record again.
#include "pg.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include "core/clock.h"
#include "errors.h"
#include "floor.h"
#include "invalidate.h"
#include "start_over.h"
#include "mark.h"
#include "sequence.h"
#include "settings.h"
#include "wait.h"

namespace idgen::pg {

namespace {

// The largest time that still fits as microseconds.
constexpr std::int64_t kMostMs = PG_INT64_MAX / 1000;

constexpr std::int64_t kDayMs = std::int64_t{24} * 60 * 60 * 1000;

// A value of the type idgen_mark.
struct Restored {
  std::int64_t mark_ms;
  std::int64_t held_until_ms;
  std::int64_t fresh_machine;
};
static_assert(sizeof(Restored) == 24);

// The text that the type's input reads as the mark of the current database.
constexpr char kCurrent[] = "current";

// The text of the constant; printed, the numbers of the record follow.
constexpr std::string_view kUpgrade = "upgrade";
constexpr std::int64_t kPrintsRecord = -1;  // its mark_ms

MarkRecord CurrentRecord() {
  Relation relation = OpenMark();
  MarkPage found;
  UnlockReleaseBuffer(LockMarkPage(relation, found));
  relation_close(relation, RowExclusiveLock);
  found.record.mark_ms = MarkOf(found, WallClockUs() / 1000);
  return found.record;
}

// Returns what a dump carries. IDs of the same ID spaces may have been made in other databases,
// whose marks are later than this one's: where the dump is restored, none of them must come again.
MarkRecord RecordForDump() {
  MarkRecord record = CurrentRecord();
  Root& shared = SharedRoot();
  if (!RecoveryInProgress()) FindFloor(shared);
  // After idgen_start_over() only the page counts.
  if (LoadShared(shared.restart_needed) == 0) {
    record.mark_ms = std::max(record.mark_ms, KnownMs(shared));
  }
  return record;
}

Restored MarkFrom(const MarkRecord& record) {
  return {std::max(record.mark_ms, record.restored_ms), record.held_until_ms, record.fresh_machine};
}

[[noreturn]] void ReportMark(const char* text) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                  errmsg("invalid high-water mark: \"%s\"", Excerpt(text)),
                  errhint("Write milliseconds since 1970; where idgen_start_over() was used, with "
                          "the other two columns of idgen_get_mark(), separated by commas.")));
  pg_unreachable();
}

// Reads one number or more, separated by commas: a mark, a hold and its machine ID, and another
// mark.
bool ReadNumbers(const char* at, std::span<std::int64_t* const> parts) {
  constexpr std::size_t kMachine = 2;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    char* end = nullptr;
    errno = 0;
    const long long value = strtoll(at, &end, 10);
    if (end == at || errno != 0 || value > kMostMs || value < (i == kMachine ? kNoMachine : 0)) {
      return false;
    }
    *parts[i] = value;
    if (*end == '\0') return true;
    if (*end != ',') return false;
    at = end + 1;
  }
  return false;
}

Restored ParseMark(const char* text) {
  Restored mark{0, 0, kNoMachine};
  std::int64_t* const parts[] = {&mark.mark_ms, &mark.held_until_ms, &mark.fresh_machine};
  if (!ReadNumbers(text, parts)) ReportMark(text);
  return mark;
}

// Reads the constant, and writes the record where pg_upgrade makes a database. Only superusers can
// connect there.
void ReadUpgrade(const char* text) {
  const char* const numbers = text + kUpgrade.size();
  if (*numbers == '\0') return;
  MarkRecord record;
  std::int64_t* const parts[] = {&record.mark_ms, &record.held_until_ms, &record.fresh_machine,
                                 &record.restored_ms};
  if (*numbers != ':' || !ReadNumbers(numbers + 1, parts)) ReportMark(text);
  if (!IsBinaryUpgrade) return;
  Relation relation = OpenMark();
  MarkPage found;
  Buffer buffer = LockMarkPage(relation, found);
  (void)WriteAndUnlockMarkPage(relation, buffer, record);
  relation_close(relation, NoLock);
}

Restored ReadRow(const TriggerData* trigger) {
  bool is_null = false;
  const Datum value =
      heap_getattr(trigger->tg_trigtuple, 1, RelationGetDescr(trigger->tg_relation), &is_null);
  if (is_null) {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("high-water mark is null")));
  }
  const auto& row = *reinterpret_cast<const Restored*>(DatumGetPointer(value));
  if (row.mark_ms == kPrintsRecord) ReportMark(kUpgrade.data());
  return row;
}

// Grants do not count: inserting rows here can hold back a database.
void CheckRights() {
  if (superuser() || OwnsDatabase(MyDatabaseId)) return;
  ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                  errmsg("permission denied to restore a high-water mark"),
                  errdetail("Only a superuser and the database's owner may do so.")));
}

// Waits for the time of a mark, if idgen.max_clock_wait allows. A mark is written ahead of use, so
// the mark of a server whose clock is right is slightly ahead of ours.
void WaitForMark(std::int64_t mark_ms) {
  const std::int64_t end = MonotonicUs() + GuardFromSettings().max_clock_wait_us;
  for (;;) {
    const std::int64_t wait_us = mark_ms * 1000 - WallClockUs();
    const std::int64_t left_us = end - MonotonicUs();
    if (wait_us <= 0 || left_us <= 0 || wait_us > left_us) return;
    WaitForClock(wait_us, WaitReason::kClock);
  }
}

void WarnOfMark(const char* what, std::int64_t time_ms, std::int64_t now_ms) {
  ereport(WARNING,
          (errmsg("the restored %s is %s ahead of the clock", what,
                  DurationText((time_ms - now_ms) * 1000)),
           errdetail("It is %s, and the clock shows %s. Until then no IDs are made in this "
                     "database.",
                     InstantText(time_ms * 1000), InstantText(now_ms * 1000)),
           superuser() ? errhint("Check the clocks of this server and of the one that was dumped. "
                                 "idgen_start_over() is a way back to work.")
                       : errhint("Check the clock of this server, or let a superuser restore the "
                                 "table idgen_restore.")));
}

void Restore(const Restored& row) {
  Root& shared = SharedRoot();
  if (!superuser()) WaitForMark(row.mark_ms);
  const std::int64_t now_ms = WallClockUs() / 1000;
  const std::int64_t most_ms = superuser() ? now_ms + kDayMs : now_ms;
  const bool holds = row.held_until_ms > now_ms;
  // These two hold for this database alone.
  const bool mark_is_far = row.mark_ms > most_ms;
  const bool hold_is_refused = holds && !superuser();

  Relation relation = OpenMark();
  MarkPage found;
  Buffer buffer = LockMarkPage(relation, found);
  CheckRestart(shared);
  MarkRecord record = found.record;
  if (mark_is_far) {
    record.restored_ms = std::max(record.restored_ms, row.mark_ms);
  } else {
    // Raise it before anybody can see it on the page.
    RaiseSharedMs(shared.floor_ms, row.mark_ms);
    record.mark_ms = std::max(record.mark_ms, row.mark_ms);
    // A superuser thereby accepts a mark that the owner restored before.
    if (superuser() && row.mark_ms >= record.restored_ms) record.restored_ms = 0;
  }
  if (hold_is_refused) record.restored_ms = std::max(record.restored_ms, row.held_until_ms);
  if (holds && !hold_is_refused) {
    AddHold(shared, row.held_until_ms, row.fresh_machine);
    record.fresh_machine =
        FreshOfBoth(record.held_until_ms, record.fresh_machine, row.fresh_machine);
    record.held_until_ms = std::max(record.held_until_ms, row.held_until_ms);
    if (row.held_until_ms >= record.restored_ms) record.restored_ms = 0;
  }
  const XLogRecPtr written = WriteAndUnlockMarkPage(relation, buffer, record);
  if (written != InvalidXLogRecPtr) XLogFlush(written);
  // Make sessions that make IDs here look at the page again.
  CacheInvalidateRelcache(relation);
  InvalidateMark();
  relation_close(relation, NoLock);
  if (mark_is_far) WarnOfMark("high-water mark", row.mark_ms, now_ms);
  if (hold_is_refused) WarnOfMark("hold of idgen_start_over()", row.held_until_ms, now_ms);
}

// Writes the first record of a new extension. It uses no shared memory: if there is none, the first
// ID reports that.
void MakeRecord() {
  Relation relation = OpenMark();
  MarkPage found;
  Buffer buffer = LockMarkPage(relation, found);
  if (found.recorded) {
    UnlockReleaseBuffer(buffer);
  } else {
    (void)WriteAndUnlockMarkPage(relation, buffer, found.record);
  }
  relation_close(relation, NoLock);
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_get_mark);
IDGEN_SQL_FUNCTION(idgen_mark_in);
IDGEN_SQL_FUNCTION(idgen_mark_out);
IDGEN_SQL_FUNCTION(idgen_restore_mark);

Datum idgen_get_mark(PG_FUNCTION_ARGS) {
  TupleDesc columns = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &columns) != TYPEFUNC_COMPOSITE) {
    elog(ERROR, "return type must be a row type");
  }
  const Restored mark = MarkFrom(CurrentRecord());
  Datum values[] = {Int64GetDatum(mark.mark_ms), Int64GetDatum(mark.held_until_ms),
                    Int64GetDatum(mark.fresh_machine)};
  bool nulls[] = {false, false, mark.fresh_machine == kNoMachine};
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls));
}

Datum idgen_mark_in(PG_FUNCTION_ARGS) {
  const char* const text = PG_GETARG_CSTRING(0);
  auto* mark = static_cast<Restored*>(palloc(sizeof(Restored)));
  if (strncmp(text, kUpgrade.data(), kUpgrade.size()) == 0) {
    ReadUpgrade(text);
    *mark = {kPrintsRecord, 0, kNoMachine};
  } else {
    *mark = strcmp(text, kCurrent) == 0 ? MarkFrom(RecordForDump()) : ParseMark(text);
  }
  PG_RETURN_POINTER(mark);
}

Datum idgen_mark_out(PG_FUNCTION_ARGS) {
  const auto* mark = reinterpret_cast<const Restored*>(PG_GETARG_POINTER(0));
  if (mark->mark_ms == kPrintsRecord) {
    const MarkRecord record = RecordForDump();
    PG_RETURN_CSTRING(psprintf(
        "%s:%lld,%lld,%lld,%lld", kUpgrade.data(), static_cast<long long>(record.mark_ms),
        static_cast<long long>(record.held_until_ms), static_cast<long long>(record.fresh_machine),
        static_cast<long long>(record.restored_ms)));
  }
  PG_RETURN_CSTRING(psprintf("%lld,%lld,%lld", static_cast<long long>(mark->mark_ms),
                             static_cast<long long>(mark->held_until_ms),
                             static_cast<long long>(mark->fresh_machine)));
}

Datum idgen_restore_mark(PG_FUNCTION_ARGS) {
  if (!CALLED_AS_TRIGGER(fcinfo)) {
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("idgen_restore_mark() is a trigger")));
  }
  const auto* trigger = reinterpret_cast<TriggerData*>(fcinfo->context);
  if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
      !TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) {
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("idgen_restore_mark() is for rows before they are inserted")));
  }
  // On another table, another owner's columns would be taken for a mark.
  if (getExtensionOfObject(RelationRelationId, RelationGetRelid(trigger->tg_relation)) !=
      get_extension_oid("idgen", false)) {
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("idgen_restore_mark() is for the table idgen_restore only")));
  }
  CheckRights();
  const Restored row = ReadRow(trigger);
  if (row.mark_ms == 0 && row.held_until_ms == 0) {
    MakeRecord();
  } else {
    Restore(row);
  }
  return Datum{0};  // the row is not inserted
}

}  // extern "C"

}  // namespace idgen::pg

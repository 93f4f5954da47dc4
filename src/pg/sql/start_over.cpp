// The SQL functions for a clock that was wrong: idgen_start_over() and idgen_accept_clock().
#include "pg.h"

#include <algorithm>

#include "catalog.h"
#include "core/clock.h"
#include "errors.h"
#include "events.h"
#include "lease.h"
#include "registry.h"
#include "start_over.h"
#include "mark.h"
#include "settings.h"
#include "standbys.h"

namespace idgen::pg {

namespace {

// A mark that is ahead by less is no reason to start over: wait for it.
constexpr std::int64_t kLeastAheadMs = 60'000;

[[noreturn]] void ReportInUse(std::int32_t machine_id, const char* detail) {
  ereport(ERROR,
          (errcode(ERRCODE_OBJECT_IN_USE), errmsg("machine ID %d is in use", machine_id),
           errdetail("%s", detail), errhint("Use a machine ID that no server has used yet.")));
  pg_unreachable();
}

// Refuses a machine ID that is fixed in a generator of this database: the generator may have used
// it.
void CheckNoGeneratorFixes(std::int32_t machine_id) {
  ListCell* cell;
  foreach (cell, AllNamed()) {
    const auto& named = *static_cast<Named*>(lfirst(cell));
    if (named.definition.machine_id != machine_id) continue;
    ReportInUse(machine_id, psprintf("Generator \"%s\" makes IDs with it.", named.name));
  }
}

// With a registry it is known, and not only believed, that a machine ID was never used.
void CheckNeverHeld(std::int32_t machine_id) {
  if (!LeasesAreOn()) return;
  const char* holder = nullptr;
  WithRegistry([&](RegistryAccess& access) {
    ListCell* cell;
    foreach (cell, ListedIdentities(access)) {
      const auto& row = *static_cast<const registry::Listed*>(lfirst(cell));
      if (row.identity.machine == machine_id && *row.holder != '\0') holder = row.holder;
    }
  });
  if (holder == nullptr) return;
  ReportInUse(machine_id, psprintf("The registry knows it: it was given to \"%s\".", holder));
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_start_over);
IDGEN_SQL_FUNCTION(idgen_accept_clock);

Datum idgen_start_over(PG_FUNCTION_ARGS) {
  const std::int32_t machine_id = PG_GETARG_INT32(0);
  if (RecoveryInProgress()) ReportRecovery();
  if (machine_id < 0) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("machine ID %d is negative", machine_id)));
  }
  CheckNoGeneratorFixes(machine_id);
  CheckNeverHeld(machine_id);
  Root& shared = SharedRoot();
  const DatabaseMark& database = CurrentDatabaseMark();
  Relation relation = OpenMark();
  MarkPage found;
  Buffer buffer = LockMarkPage(relation, found);
  MarkRecord record = found.record;
  const std::int64_t now_ms = WallClockUs() / 1000;
  const std::int64_t mark_ms =
      std::max({MarkOf(found, now_ms), record.restored_ms, LoadSharedMs(database.flushed_ms)});
  if (mark_ms < now_ms + ReserveWindowMs() + kLeastAheadMs) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("the high-water mark of this database is not far ahead of the clock"),
                    errdetail("It is %s, and the clock shows %s.", InstantText(mark_ms * 1000),
                              InstantText(now_ms * 1000)),
                    errhint("There is nothing to start over from. The mark of another database of "
                            "this server may be ahead: connect to it.")));
  }

  // Sessions check this after making a slot, so either they see it or we see the slot. And nobody
  // writes the mark while we have its page.
  RequireRestart(shared);
  PG_TRY();
  {
    if (SlotExistsOf(machine_id)) {
      ReportInUse(machine_id, "It was used on this server since its start.");
    }
  }
  PG_CATCH();
  {
    WithdrawRestart(shared);
    PG_RE_THROW();
  }
  PG_END_TRY();
  // This machine ID was never used, so an earlier hold may exempt it too.
  record.fresh_machine = machine_id;
  record.held_until_ms = std::max(record.held_until_ms, mark_ms);
  record.mark_ms = now_ms;
  record.token = 0;
  record.restored_ms = 0;
  const XLogRecPtr written = WriteAndUnlockMarkPage(relation, buffer, record);
  relation_close(relation, RowExclusiveLock);
  if (written != InvalidXLogRecPtr) {
    XLogFlush(written);
    WaitForStandbys(written);
  }
  ereport(WARNING,
          (errmsg("this server makes no IDs until it is restarted"),
           errdetail("After that only IDs of machine ID %d are made before %s.", machine_id,
                     InstantText(mark_ms * 1000)),
           errhint("Do the same in every other database whose mark is ahead of the clock, set "
                   "idgen.machine_id to %d, and restart the server.",
                   machine_id)));
  PG_RETURN_VOID();
}

Datum idgen_accept_clock(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  if (RecoveryInProgress()) ReportRecovery();
  AcceptClock();
  PG_RETURN_VOID();
}

}  // extern "C"

}  // namespace idgen::pg

#include "standbys.h"

#include <algorithm>

#include "guc.h"

namespace idgen::pg {

namespace {

// Returns the synchronous_commit that counts here.
int CommitLevel() {
  static constinit const config_generic* setting = nullptr;
  if (setting == nullptr) setting = FindSetting("synchronous_commit");
  const bool is_servers = setting != nullptr && setting->source <= PGC_S_GLOBAL;
  return is_servers ? synchronous_commit
                    : std::max(synchronous_commit, static_cast<int>(SYNCHRONOUS_COMMIT_ON));
}

// Asks what the standbys have confirmed: PostgreSQL's own wait does not tell how it ended.
bool IsReplicated(XLogRecPtr lsn) {
  const int mode =
      CommitLevel() == SYNCHRONOUS_COMMIT_REMOTE_WRITE ? SYNC_REP_WAIT_WRITE : SYNC_REP_WAIT_FLUSH;
  LWLockAcquire(SyncRepLock, LW_SHARED);
  const XLogRecPtr confirmed = WalSndCtl->lsn[mode];
  LWLockRelease(SyncRepLock);
  return lsn <= confirmed;
}

}  // namespace

// Reads the flag in shared memory, not this session's copy of synchronous_standby_names: the
// session reads that again only between two statements, and replication may be switched off while
// it waits.
bool MustReplicate() {
  return max_wal_senders > 0 && CommitLevel() > SYNCHRONOUS_COMMIT_LOCAL_FLUSH &&
         AreStandbysDefined();
}

void WaitForStandbys(XLogRecPtr lsn, const char* what) {
  if (!MustReplicate()) return;
  // If there is an error, the end of the transaction restores the setting.
  const int settings = NewGUCNestLevel();
  if (synchronous_commit < CommitLevel()) {
    (void)set_config_option("synchronous_commit", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                            true, 0, false);
  }
  // HOLD_INTERRUPTS and RESUME_INTERRUPTS, but without incrementing a volatile, which C++20
  // deprecates.
  InterruptHoldoffCount = InterruptHoldoffCount + 1;
  SyncRepWaitForLSN(lsn, false);
  InterruptHoldoffCount = InterruptHoldoffCount - 1;
  AtEOXact_GUC(true, settings);
  CHECK_FOR_INTERRUPTS();
  if (IsReplicated(lsn) || !AreStandbysDefined()) return;
  // SyncRepWaitForLSN() took the cancel request for its own and only warned.
  ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED),
                  errmsg("canceled while the %s was being replicated", what),
                  errdetail("No ID is handed out before the synchronous standbys have the %s "
                            "that covers it.",
                            what),
                  errhint("Check the standbys that synchronous_standby_names lists.")));
}

}  // namespace idgen::pg

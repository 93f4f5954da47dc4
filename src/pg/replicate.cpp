#include "replicate.h"

namespace idgen::pg {

namespace {

bool AreStandbysAsked() {
  return SyncRepRequested() && SyncRepStandbyNames != nullptr && SyncRepStandbyNames[0] != '\0';
}

// What the standbys have confirmed; PostgreSQL's own wait does not tell how it ended.
bool IsReplicated(XLogRecPtr lsn) {
  const int mode = synchronous_commit == SYNCHRONOUS_COMMIT_REMOTE_WRITE ? SYNC_REP_WAIT_WRITE
                                                                         : SYNC_REP_WAIT_FLUSH;
  LWLockAcquire(SyncRepLock, LW_SHARED);
  const XLogRecPtr confirmed = WalSndCtl->lsn[mode];
  LWLockRelease(SyncRepLock);
  return lsn <= confirmed;
}

}  // namespace

void WaitForStandbys(XLogRecPtr lsn) {
  if (!AreStandbysAsked()) return;
  // HOLD_INTERRUPTS and RESUME_INTERRUPTS, without an increment of something volatile, which
  // C++20 deprecates.
  InterruptHoldoffCount = InterruptHoldoffCount + 1;
  SyncRepWaitForLSN(lsn, false);
  InterruptHoldoffCount = InterruptHoldoffCount - 1;
  CHECK_FOR_INTERRUPTS();
  if (IsReplicated(lsn) || !AreStandbysAsked()) return;
  // It took the request to cancel for its own, and only warned.
  ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED),
                  errmsg("canceled while the high-water mark was being replicated"),
                  errdetail("No ID is handed out before the synchronous standbys have the mark "
                            "that covers it."),
                  errhint("Check the standbys that synchronous_standby_names lists.")));
}

}  // namespace idgen::pg

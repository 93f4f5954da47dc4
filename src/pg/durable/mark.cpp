// Locking: the page's content lock alone orders the writers, so any number of sessions may write at
// once. The second one finds the mark late enough and only flushes. DatabaseMark::writing keeps
// sessions from all trying early at once. It is the only LWLock of ours that is held across page
// access and a WAL flush. That is allowed because nobody waits for it, and because its holder opens
// the sequence, with all waits that this may need, beforehand and does not wait for the page.
//
// A file that a transaction of this session made (CREATE EXTENSION, ALTER SEQUENCE) is gone when
// the transaction is rolled back, and a crash undoes what is not committed. So no shared state ever
// rises from such a file: the session keeps what it knows of it to itself. Before it hands out IDs
// under a mark in such a file, it also leaves the mark where it will stay (LeaveMark in floor.h):
// in the file that the transaction replaces, or in another database.
#include "mark.h"

#include <algorithm>

#include "core/clock.h"
#include "errors.h"
#include "floor.h"
#include "invalidate.h"
#include "start_over.h"
#include "standbys.h"
#include "sequence.h"

namespace idgen::pg {

namespace {

// What this session knows about a mark in a file that its own transaction may take back.
constinit DatabaseMark own_mark{};
constinit RelFileNumber own_file = InvalidRelFileNumber;  // the file of that mark

// Without a record (in a sequence that something else made anew) only the sequence's value shows
// the mark, and anybody may have set that. A value further ahead of the clock than this is not
// taken for a mark.
constexpr std::int64_t kPlausibleMs = 10'000;

// A flushed mark, and where its record in the log ends.
struct WrittenMark {
  std::int64_t mark_ms = 0;
  XLogRecPtr lsn = InvalidXLogRecPtr;
  bool is_new = false;  // it was written here
  std::int64_t flush_us = 0;
};

std::int64_t NowMs() { return WallClockUs() / 1000; }

void ReportSetFromOutside(std::int64_t shown, std::int64_t mark_ms) {
  ereport(LOG, (errmsg("sequence \"%s\" was set to %lld by somebody else, and was put right",
                       kMarkSequence, static_cast<long long>(shown)),
                errdetail("The high-water mark itself stands elsewhere, and is %lld.",
                          static_cast<long long>(mark_ms)),
                errhint("Leave this sequence out of the replication of sequences, and out of "
                        "grants to others."),
                errhidestmt(true)));
}

// Flushes what anybody has written on the page until now.
WrittenMark Flush(Relation relation, std::int64_t mark_ms, XLogRecPtr written) {
  WrittenMark mark{.mark_ms = mark_ms};
  if (!RelationNeedsWAL(relation)) return mark;
  const std::int64_t began_us = MonotonicUs();
  XLogFlush(written);
  mark.lsn = written;
  mark.flush_us = MonotonicUs() - began_us;
  return mark;
}

// Lets others see what was written, and counts it.
void Publish(DatabaseMark& database, const WrittenMark& written) {
  RaiseSharedMs(database.written_ms, written.mark_ms);
  if (written.is_new) CountMore(database.stats.writes);
  CountTime(database.stats.flush_us, written.flush_us);
}

// Reads the mark, writes it if necessary, and flushes it. Takes the locked page and releases it.
WrittenMark AdvanceMarkPage(Relation relation, Buffer buffer, const MarkPage& found,
                            std::int64_t needed_ms, std::int64_t wanted_ms) {
  Root& shared = SharedRoot();
  // Check this only after the page is locked: idgen_start_over() sets it before it writes the page,
  // and nobody may write the page after that.
  CheckRestart(shared);  // an error releases the page
  const bool ours = found.record.token == shared.run_token;
  // Raise the floor before anybody can see the page as ours.
  if (!ours) RaiseSharedMs(shared.floor_ms, MarkOf(found, NowMs()));

  MarkRecord record = found.record;
  const bool set_from_outside = found.recorded && found.shown != record.mark_ms;
  XLogRecPtr written = InvalidXLogRecPtr;
  const bool is_new = !ours || set_from_outside || record.mark_ms < needed_ms;
  if (is_new) {
    // KnownMs() counts too: IDs up to it may come from a database that was dropped, or from a
    // transaction that was rolled back.
    record.mark_ms = std::max({record.mark_ms, KnownMs(shared), wanted_ms});
    record.token = shared.run_token;
    written = WriteAndUnlockMarkPage(relation, buffer, record);
  } else {
    // Another session may have written it without having flushed it yet.
    written = PageGetLSN(BufferGetPage(buffer));
    UnlockReleaseBuffer(buffer);
  }
  RaiseSharedMs(shared.known_ms, record.mark_ms);
  if (set_from_outside) ReportSetFromOutside(found.shown, record.mark_ms);
  WrittenMark mark = Flush(relation, record.mark_ms, written);
  mark.is_new = is_new;
  return mark;
}

// Does the last steps, with no lock of any kind held: the wait for standbys may be long.
void MakeDurable(DatabaseMark& database, const WrittenMark& written) {
  XLogRecPtr lsn = written.lsn;
  if (&database == &own_mark) lsn = std::max(lsn, LeaveMark(written.mark_ms, InvalidOid, own_file));
  RaiseSharedMs(database.flushed_ms, written.mark_ms);
  if (!MustReplicate()) return;
  const std::int64_t began_us = MonotonicUs();
  if (lsn != InvalidXLogRecPtr) WaitForStandbys(lsn);
  CountTime(database.stats.replication_us, MonotonicUs() - began_us);
  RaiseSharedMs(database.replicated_ms, written.mark_ms);
}

DatabaseMark& MarkOfFile(Relation relation) {
  if (!IsUncommitted(relation)) return CurrentDatabaseMark();
  LWLockInitialize(&own_mark.writing, SharedRoot().tranche);
  own_mark.written_ms = own_mark.flushed_ms = own_mark.replicated_ms = 0;
  own_file = relation->rd_rel->relfilenode;
  return own_mark;
}

void CheckRestored(const MarkRecord& record) {
  if (record.restored_ms == 0) return;
  const std::int64_t now_ms = NowMs();
  if (record.restored_ms > now_ms) {
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
             errmsg("the high-water mark that was restored into this database is %s ahead of the "
                    "clock",
                    DurationText((record.restored_ms - now_ms) * 1000)),
             errdetail("It is %s, and the clock shows %s. Until then no IDs are made in this "
                       "database; other databases are not concerned.",
                       InstantText(record.restored_ms * 1000), InstantText(now_ms * 1000)),
             errhint("If the clock is wrong, correct it. If it is right, a superuser can accept "
                     "the mark by inserting it into idgen_restore once more, or use "
                     "idgen_start_over().")));
  }
  RaiseSharedMs(SharedRoot().floor_ms, record.restored_ms);
}

extern "C" {

// The file is committed, prepared or gone.
static void ForgetOwnMark(XactEvent, void*) {
  if (own_file != InvalidRelFileNumber) InvalidateMark();
  own_file = InvalidRelFileNumber;
}

}  // extern "C"

}  // namespace

void WatchMark() {
  WatchMarkSequence();
  RegisterXactCallback(ForgetOwnMark, nullptr);
}

std::int64_t MarkOf(const MarkPage& page, std::int64_t now_ms) {
  if (page.recorded) return page.record.mark_ms;
  return page.shown <= now_ms + kPlausibleMs ? page.shown : 0;
}

std::int64_t DurableMs(const DatabaseMark& database) {
  return LoadSharedMs(MustReplicate() ? database.replicated_ms : database.flushed_ms);
}

void AdvanceMark(DatabaseMark& database, std::int64_t needed_ms, std::int64_t wanted_ms) {
  Relation relation = OpenMark();
  MarkPage found;
  Buffer buffer = LockMarkPage(relation, found);
  const WrittenMark written = AdvanceMarkPage(relation, buffer, found, needed_ms, wanted_ms);
  Publish(database, written);
  relation_close(relation, RowExclusiveLock);
  // A session for which the mark is durable enough already waits for nobody.
  if (DurableMs(database) < needed_ms) MakeDurable(database, written);
}

void AdvanceMarkEarly(DatabaseMark& database, std::int64_t needed_ms, std::int64_t wanted_ms) {
  Relation relation = OpenMark();
  WrittenMark written;
  if (LWLockConditionalAcquire(&database.writing, LW_EXCLUSIVE)) {
    MarkPage found;
    // Another session may just have written the mark, or be writing it.
    Buffer buffer = LoadSharedMs(database.written_ms) < needed_ms ? TryLockMarkPage(relation, found)
                                                                  : InvalidBuffer;
    if (BufferIsValid(buffer)) {
      written = AdvanceMarkPage(relation, buffer, found, wanted_ms, wanted_ms);
      Publish(database, written);
    }
    LWLockRelease(&database.writing);
  }
  relation_close(relation, RowExclusiveLock);
  if (written.mark_ms > 0) MakeDurable(database, written);
}

DatabaseMark& AttachMark() {
  Root& shared = SharedRoot();
  Relation relation = OpenMark();
  MarkPage found;
  Buffer buffer = LockMarkPage(relation, found);
  const WrittenMark written = AdvanceMarkPage(relation, buffer, found, 0, 0);
  DatabaseMark& database = MarkOfFile(relation);
  Publish(database, written);
  relation_close(relation, RowExclusiveLock);
  CheckRestored(found.record);
  AddHold(shared, found.record.held_until_ms, found.record.fresh_machine);
  FindFloor(shared);
  return database;
}

}  // namespace idgen::pg

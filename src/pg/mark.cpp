// The mark is the sequence's one tuple:
//
//   last_value   the mark, in milliseconds since 1970; setval() of a restored dump
//                writes it too
//   log_cnt      the run token of the server run that wrote it. PostgreSQL's own code
//                leaves 0 to 32 here (nextval, setval, ALTER SEQUENCE, and so a
//                restored dump), so a page tells by itself whether this run of the
//                server wrote it. If not, IDs up to the mark may have been handed out
//                by somebody else, and no position of this run may begin below it.
//
// Locking: the page's content lock alone orders the writers, so that any number of
// sessions may write at once; the second finds the mark late enough and only flushes.
// DatabaseMark::writing keeps the crowd from trying early. It is the one LWLock of ours
// that is held over page access and a WAL flush, which is allowed because nobody waits
// for it; and its holder opens the sequence, with all that may wait there, before.
#include "mark.h"

#include <algorithm>

#include "handle.h"
#include "hold.h"
#include "replicate.h"
#include "sequence.h"

namespace idgen::pg {

namespace {

// Cached until an invalidation of the relation comes.
constinit Oid mark_sequence = InvalidOid;

// A mark that is flushed, and where its record ends.
struct WrittenMark {
  std::int64_t mark_ms = 0;
  XLogRecPtr lsn = InvalidXLogRecPtr;
};

// Reads, writes if it must, and flushes. `relation` is open.
WrittenMark AdvanceMarkPage(Relation relation, DatabaseMark& database, std::int64_t needed_ms,
                            std::int64_t wanted_ms) {
  Root& shared = SharedRoot();
  SequencePage found;
  Buffer buffer = LockSequencePage(relation, found);
  // Not before the page is locked: idgen_start_over() sets this before it writes the page, and
  // nobody may write it after that.
  CheckRestart(shared);  // an error lets go of the page
  const bool ours = found.token == shared.run_token;
  if (!ours) {
    // Before anybody can see the page as ours.
    RaiseSharedMs(shared.floor_ms, found.value);
  }

  std::int64_t mark_ms = found.value;
  // A sequence made anew, or set back, does not take back what this run knows; nor does a
  // database that was given the OID of a dropped one.
  const std::int64_t known_ms = LoadSharedMs(database.durable_ms);
  if (!ours || mark_ms < std::max(needed_ms, known_ms)) {
    mark_ms = std::max({found.value, known_ms, wanted_ms});
    GenericXLogState* state = GenericXLogStart(relation);
    WriteSequencePage(GenericXLogRegisterBuffer(state, buffer, 0), {mark_ms, shared.run_token});
    GenericXLogFinish(state);
  }
  // Somebody else may have written it and not flushed it yet.
  const XLogRecPtr written = PageGetLSN(BufferGetPage(buffer));
  UnlockReleaseBuffer(buffer);
  RaiseSharedMs(database.written_ms, mark_ms);
  if (!RelationNeedsWAL(relation)) return {mark_ms, InvalidXLogRecPtr};
  XLogFlush(written);
  return {mark_ms, written};
}

// The last step, with no lock of any kind held: the standbys may let us wait for long.
void MakeDurable(DatabaseMark& database, const WrittenMark& written) {
  if (written.lsn != InvalidXLogRecPtr) WaitForStandbys(written.lsn);
  RaiseSharedMs(database.durable_ms, written.mark_ms);
}

extern "C" {

// Only marks: the sequence is looked up again when it is needed. An OID of 0 stands for
// all relations.
static void ForgetMarkSequence(Datum, Oid relation) {
  if (relation == InvalidOid || relation == mark_sequence) {
    mark_sequence = InvalidOid;
    InvalidateMark();
  }
}

}  // extern "C"

}  // namespace

Relation OpenMark() { return OpenSequence(kMarkSequence, mark_sequence); }

void AdvanceMark(DatabaseMark& database, std::int64_t needed_ms, std::int64_t wanted_ms) {
  Relation relation = OpenMark();
  const WrittenMark written = AdvanceMarkPage(relation, database, needed_ms, wanted_ms);
  relation_close(relation, RowExclusiveLock);
  // A session that only looks at the page does not wait for anybody.
  if (LoadSharedMs(database.durable_ms) < needed_ms) MakeDurable(database, written);
}

void AdvanceMarkEarly(DatabaseMark& database, std::int64_t needed_ms, std::int64_t wanted_ms) {
  Relation relation = OpenMark();
  WrittenMark written;
  if (LWLockConditionalAcquire(&database.writing, LW_EXCLUSIVE)) {
    // Another session may have been just before us.
    if (LoadSharedMs(database.written_ms) < needed_ms) {
      written = AdvanceMarkPage(relation, database, wanted_ms, wanted_ms);
    }
    LWLockRelease(&database.writing);
  }
  relation_close(relation, RowExclusiveLock);
  MakeDurable(database, written);
}

void WatchMarkSequence() {
  CacheRegisterRelcacheCallback(ForgetMarkSequence, static_cast<Datum>(0));
}

}  // namespace idgen::pg

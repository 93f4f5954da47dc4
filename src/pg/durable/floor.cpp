#include "floor.h"

#include <algorithm>

#include "core/clock.h"
#include "databases.h"
#include "start_over.h"
#include "mark.h"
#include "settings.h"
#include "wait.h"

namespace idgen::pg {

namespace {

constinit object_access_hook_type next_access_hook = nullptr;

// How long to try locks that others hold briefly (DROP DATABASE, VACUUM FULL). After that the files
// are read without locks.
constexpr std::int64_t kPatienceUs = 1'000'000;
constexpr std::int64_t kPauseUs = 10'000;

// Adds a mark that this run of the server did not write.
void AddToFloor(void* root, const DatabaseFiles& files, const FoundSequence& sequence,
                Access access) {
  Root& shared = *static_cast<Root*>(root);
  MarkPage page;
  if (!ReadMark(files, sequence, access, page)) return;
  // A mark that this run wrote is no floor: its positions are in shared memory.
  if (page.recorded && page.record.token == shared.run_token) return;
  // A sequence without a record may be a user's own, with this name by chance or on purpose.
  if (!page.recorded && !superuser_arg(sequence.owner)) return;
  const std::int64_t now_ms = WallClockUs() / 1000;
  RaiseSharedMs(shared.floor_ms, MarkOf(page, now_ms));
  // A mark that a database's owner restored must not hold back other databases.
  if (page.record.restored_ms <= now_ms) RaiseSharedMs(shared.floor_ms, page.record.restored_ms);
  AddHold(shared, page.record.held_until_ms, page.record.fresh_machine);
}

// The mark to leave in each visited place, and where its record in the log ends.
struct LeftMark {
  std::int64_t mark_ms;
  RelFileNumber except;
  XLogRecPtr written;
};

void Leave(void* context, const DatabaseFiles& files, const FoundSequence& sequence, Access) {
  auto& left = *static_cast<LeftMark*>(context);
  if (RelFileNumberOf(sequence.file) == left.except) return;
  const XLogRecPtr written = RaiseMark(files, sequence, left.mark_ms);
  if (written != InvalidXLogRecPtr) left.written = std::max(left.written, written);
}

// Returns the databases that cannot be read under locks now, out of `databases`.
List* VisitAll(List* databases, Access access, const MarkVisitor& visitor) {
  List* left = NIL;
  ListCell* cell;
  foreach (cell, databases) {
    auto* files = static_cast<DatabaseFiles*>(lfirst(cell));
    if (!VisitMarks(*files, access, AccessShareLock, visitor)) left = lappend(left, files);
  }
  list_free(databases);
  return left;
}

// Runs before a database, or the extension in it, is dropped.
void LeaveWhatIsKnown(Oid database) {
  if (RecoveryInProgress()) return;
  Root& shared = SharedRoot();
  if (LoadShared(shared.restart_needed) != 0) return;
  FindFloor(shared);
  (void)LeaveMark(KnownMs(shared), database, InvalidRelFileNumber);
}

extern "C" {

static void OnObjectAccess(ObjectAccessType access, Oid catalog, Oid object, int column,
                           void* argument) {
  if (next_access_hook != nullptr) next_access_hook(access, catalog, object, column, argument);
  if (access != OAT_DROP) return;
  if (catalog == DatabaseRelationId) {
    LeaveWhatIsKnown(object);
  } else if (catalog == ExtensionRelationId && object == get_extension_oid("idgen", true)) {
    LeaveWhatIsKnown(MyDatabaseId);
  }
}

}  // extern "C"

}  // namespace

void FindFloor(Root& shared) {
  if (LoadShared(shared.floor_known) != 0) return;
  const MarkVisitor finder{AddToFloor, &shared};
  List* left = VisitAll(AllDatabases(), Access::kBuffers, finder);
  for (const std::int64_t end = MonotonicUs() + kPatienceUs; left != NIL && MonotonicUs() < end;) {
    WaitForClock(kPauseUs, WaitReason::kMark);
    left = VisitAll(left, Access::kBuffers, finder);
  }
  if (left != NIL) {
    FlushAllFiles();
    list_free(VisitAll(left, Access::kFiles, finder));
  }
  RaiseShared(shared.floor_known, 1);
}

XLogRecPtr LeaveMark(std::int64_t mark_ms, Oid except_database, RelFileNumber except_file) {
  LeftMark mark{mark_ms, except_file, InvalidXLogRecPtr};
  const MarkVisitor leaver{Leave, &mark};
  List* databases = AllDatabases();
  // The current database comes first; if it has no place, one other place is enough.
  for (const bool own : {true, false}) {
    ListCell* cell;
    foreach (cell, databases) {
      auto& files = *static_cast<DatabaseFiles*>(lfirst(cell));
      if ((files.database == MyDatabaseId) != own || files.database == except_database) continue;
      (void)VisitMarks(files, Access::kBuffers, RowExclusiveLock, leaver);
      if (mark.written != InvalidXLogRecPtr) break;
    }
    if (mark.written != InvalidXLogRecPtr) break;
  }
  list_free_deep(databases);
  if (mark.written != InvalidXLogRecPtr) XLogFlush(mark.written);
  return mark.written;
}

void WatchDrops() {
  next_access_hook = object_access_hook;
  object_access_hook = OnObjectAccess;
}

}  // namespace idgen::pg

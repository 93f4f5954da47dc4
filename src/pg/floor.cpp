// A backend cannot query another database, but it can read its files through the
// buffers, as CREATE DATABASE does with its template: pg_class by its pages, to find the
// sequences, and then the sequences' pages. Three locks keep the files in place meanwhile:
// one on the database (against DROP DATABASE), one on its pg_class (against everything
// that would move a row while we look, for a few milliseconds), one on each sequence. A
// sequence that somebody has locked is waited for without the one on pg_class: he may be
// dropping it, and need pg_class next.
//
// A sequence counts when it has the name of one of idgen's and either its page was written by
// some run of idgen, or a superuser owns it: nobody else may put a mark there by giving a
// sequence of his own that name. Nor may anybody let the server wait by holding a lock on
// one: what no superuser owns is not waited for, and the rest for some seconds only, with
// an error that names the database.
#include "floor.h"

#include <algorithm>

#include "hold.h"
#include "mark.h"
#include "sequence.h"

namespace idgen::pg {

namespace {

struct DatabaseFiles {
  Oid database;
  Oid tablespace;
  NameData name;
};

// Somebody may hold a lock in another database for hours; an error is better than a server
// that seems to hang.
constexpr char kLongestLockWait[] = "5s";
// Where sequences are dropped and made anew all the time, some other is locked after each
// wait. After so many, pg_class is kept locked over one.
constexpr int kMostWaits = 20;

// The three sequences that count, by their place here.
constexpr const char* kNames[] = {kMarkSequence, kHeldSequence, kFreshSequence};
enum Which { kMark, kHeld, kFresh, kSequences };

struct FoundSequence {
  Which which;
  Oid relation;
  Oid owner;
  FileLocator file;
};

// kSequences: none of them.
Which WhichIs(const NameData& name) {
  int which = 0;
  while (which < kSequences && strcmp(NameStr(name), kNames[which]) != 0) ++which;
  return static_cast<Which>(which);
}

extern "C" {

static void NameDatabase(void* files) {
  errcontext("reading the high-water mark of database \"%s\"",
             NameStr(static_cast<DatabaseFiles*>(files)->name));
}

}  // extern "C"

// A negative limit marks what is left of an interrupted DROP DATABASE, whose files may be gone.
bool IsWhole(const FormData_pg_database& database) { return database.datconnlimit != -2; }

List* OtherDatabases() {
  List* databases = NIL;
  MemoryContext caller = CurrentMemoryContext;
  Relation catalog = table_open(DatabaseRelationId, AccessShareLock);
  SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, nullptr, 0, nullptr);
  for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
       tuple = systable_getnext(scan)) {
    const auto* row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
    if (row->oid == MyDatabaseId || !IsWhole(*row)) continue;
    MemoryContext inner = MemoryContextSwitchTo(caller);
    auto* files = static_cast<DatabaseFiles*>(palloc(sizeof(DatabaseFiles)));
    files->database = row->oid;
    files->tablespace = row->dattablespace;
    files->name = row->datname;
    databases = lappend(databases, files);
    MemoryContextSwitchTo(inner);
  }
  systable_endscan(scan);
  table_close(catalog, AccessShareLock);
  return databases;
}

// It may have been dropped, or moved to another tablespace, before we had its lock.
bool IsStillThere(DatabaseFiles& files) {
  HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(files.database));
  if (!HeapTupleIsValid(tuple)) return false;
  const auto* row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
  const bool is_whole = IsWhole(*row);
  files.tablespace = row->dattablespace;
  ReleaseSysCache(tuple);
  return is_whole;
}

// Adds the rows of one page of another database's pg_class that look like one of ours.
// Every version of a row that was not rolled back counts: more marks are safe, fewer
// are not.
List* FindOnPage(Buffer buffer, const DatabaseFiles& files, List* found) {
  SnapshotData snapshot{};
  InitDirtySnapshot(snapshot);
  Page page = BufferGetPage(buffer);
  if (PageIsNew(page) || PageIsEmpty(page)) return found;
  const OffsetNumber most = PageGetMaxOffsetNumber(page);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= most; ++offset) {
    ItemId item = PageGetItemId(page, offset);
    if (!ItemIdIsNormal(item)) continue;
    HeapTupleData tuple;
    tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
    tuple.t_len = ItemIdGetLength(item);
    tuple.t_tableOid = RelationRelationId;
    ItemPointerSet(&tuple.t_self, BufferGetBlockNumber(buffer), offset);
    const auto* row = reinterpret_cast<Form_pg_class>(GETSTRUCT(&tuple));
    const Which which = WhichIs(row->relname);
    if (row->relkind != RELKIND_SEQUENCE || row->relpersistence != RELPERSISTENCE_PERMANENT ||
        which == kSequences || row->relfilenode == InvalidOid ||
        !HeapTupleSatisfiesVisibility(&tuple, &snapshot, buffer)) {
      continue;
    }
    auto* sequence = static_cast<FoundSequence*>(palloc(sizeof(FoundSequence)));
    const Oid tablespace = OidIsValid(row->reltablespace) ? row->reltablespace : files.tablespace;
    sequence->which = which;
    sequence->relation = row->oid;
    sequence->file = MakeFileLocator(tablespace, files.database, row->relfilenode);
    sequence->owner = row->relowner;
    found = lappend(found, sequence);
  }
  return found;
}

// The sequences of another database, whose pg_class the caller has locked.
List* FindSequences(const DatabaseFiles& files) {
  char* path = GetDatabasePath(files.database, files.tablespace);
  const FileLocator catalog =
      MakeFileLocator(files.tablespace, files.database, MappedFileOf(path, RelationRelationId));
  pfree(path);
  const BlockNumber blocks = smgrnblocks(OpenStorage(catalog), MAIN_FORKNUM);
  BufferAccessStrategy strategy = GetAccessStrategy(BAS_BULKREAD);
  List* found = NIL;
  for (BlockNumber block = 0; block < blocks; ++block) {
    CHECK_FOR_INTERRUPTS();
    Buffer buffer =
        ReadBufferWithoutRelcache(catalog, MAIN_FORKNUM, block, RBM_NORMAL, strategy, true);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    found = FindOnPage(buffer, files, found);
    UnlockReleaseBuffer(buffer);
  }
  FreeAccessStrategy(strategy);
  return found;
}

// Locks a sequence of another database for reading, if need be by waiting.
bool LockSequence(const DatabaseFiles& files, Oid relation, bool wait) {
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, files.database, relation);
  return LockAcquire(&tag, AccessShareLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

void UnlockSequence(const DatabaseFiles& files, Oid relation) {
  LockRelId lock{relation, files.database};
  UnlockRelationId(&lock, AccessShareLock);
}

// Keeps the largest value of each sequence that this run of the server did not write. False, and
// nothing was read, when somebody has it locked who is to be waited for.
bool ReadSequence(const DatabaseFiles& files, const FoundSequence& sequence, bool wait,
                  std::int64_t (&values)[kSequences]) {
  const bool trusted = superuser_arg(sequence.owner);
  if (!LockSequence(files, sequence.relation, wait && trusted)) return !trusted;
  SMgrRelation storage = OpenStorage(sequence.file);
  if (smgrexists(storage, MAIN_FORKNUM) && smgrnblocks(storage, MAIN_FORKNUM) > 0) {
    Buffer buffer =
        ReadBufferWithoutRelcache(sequence.file, MAIN_FORKNUM, 0, RBM_NORMAL, nullptr, true);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    SequencePage page;
    const bool is_sequence = ReadSequencePage(BufferGetPage(buffer), page);
    UnlockReleaseBuffer(buffer);
    // What this run wrote is no floor: the positions themselves know.
    if (is_sequence && page.token != SharedRoot().run_token &&
        (page.token >= kSmallestRunToken || trusted)) {
      values[sequence.which] = std::max(values[sequence.which], page.value);
    }
  }
  UnlockSequence(files, sequence.relation);
  return true;
}

// Reads the sequences of a database, whose pg_class stays as it is meanwhile. With `wait` it
// waits for locks on them; else it returns the one that is to be waited for, or InvalidOid.
Oid ReadSequences(const DatabaseFiles& files, bool wait, Root& shared) {
  LockRelId lock{RelationRelationId, files.database};
  LockRelationId(&lock, ShareLock);
  List* found = FindSequences(files);
  Oid busy = InvalidOid;
  std::int64_t values[kSequences] = {};
  ListCell* cell;
  foreach (cell, found) {
    const auto& sequence = *static_cast<FoundSequence*>(lfirst(cell));
    if (!ReadSequence(files, sequence, wait, values)) busy = sequence.relation;
  }
  list_free_deep(found);
  UnlockRelationId(&lock, ShareLock);
  if (OidIsValid(busy)) return busy;
  RaiseSharedMs(shared.floor_ms, values[kMark]);
  AddHold(shared, values[kHeld], values[kFresh]);
  return InvalidOid;
}

void ReadDatabase(DatabaseFiles& files, Root& shared) {
  ErrorContextCallback context{error_context_stack, NameDatabase, &files};
  error_context_stack = &context;

  LockSharedObject(DatabaseRelationId, files.database, 0, AccessShareLock);
  if (IsStillThere(files)) {
    for (int waits = 0;; ++waits) {
      const Oid busy = ReadSequences(files, waits == kMostWaits, shared);
      if (!OidIsValid(busy)) break;
      // Who has it locked may want to write pg_class, so that is not locked now. What he does
      // to the sequence is seen by looking again.
      (void)LockSequence(files, busy, true);
      UnlockSequence(files, busy);
    }
  }
  UnlockSharedObject(DatabaseRelationId, files.database, 0, AccessShareLock);
  error_context_stack = context.previous;
}

}  // namespace

void FindFloor(Root& shared) {
  if (LoadShared(shared.floor_known) != 0) return;
  const int settings = NewGUCNestLevel();
  (void)set_config_option("lock_timeout", kLongestLockWait, PGC_USERSET, PGC_S_SESSION,
                          GUC_ACTION_SAVE, true, 0, false);
  List* databases = OtherDatabases();
  ListCell* cell;
  foreach (cell, databases) {
    ReadDatabase(*static_cast<DatabaseFiles*>(lfirst(cell)), shared);
  }
  list_free_deep(databases);
  AtEOXact_GUC(true, settings);
  RaiseShared(shared.floor_known, 1);
}

}  // namespace idgen::pg

// A backend cannot query another database, but it can read its files through the
// buffers, as CREATE DATABASE does with its template: pg_class by its pages, to find the
// sequences, and then the sequences' pages. Three locks keep the files in place meanwhile:
// one on the database (against DROP DATABASE), one on its pg_class (against everything
// that would move a row while we look, for a few milliseconds), one on each sequence.
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

// Keeps the largest value of each sequence that this run of the server did not write.
void ReadSequence(const DatabaseFiles& files, const FoundSequence& sequence,
                  std::int64_t (&values)[kSequences]) {
  LockRelId lock{sequence.relation, files.database};
  const bool trusted = superuser_arg(sequence.owner);
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, files.database, sequence.relation);
  const bool locked = LockAcquire(&tag, AccessShareLock, false, !trusted) != LOCKACQUIRE_NOT_AVAIL;
  if (!locked) return;
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
  UnlockRelationId(&lock, AccessShareLock);
}

void ReadDatabase(DatabaseFiles& files, Root& shared) {
  ErrorContextCallback context{error_context_stack, NameDatabase, &files};
  error_context_stack = &context;

  LockSharedObject(DatabaseRelationId, files.database, 0, AccessShareLock);
  if (IsStillThere(files)) {
    LockRelId lock{RelationRelationId, files.database};
    LockRelationId(&lock, ShareLock);
    List* found = FindSequences(files);
    ListCell* cell;
    std::int64_t values[kSequences] = {};
    foreach (cell, found) {
      ReadSequence(files, *static_cast<FoundSequence*>(lfirst(cell)), values);
    }
    list_free_deep(found);
    UnlockRelationId(&lock, ShareLock);
    RaiseSharedMs(shared.floor_ms, values[kMark]);
    AddHold(shared, values[kHeld], values[kFresh]);
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

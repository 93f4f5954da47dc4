#include "databases.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "shared.h"

namespace idgen::pg {

namespace {

// A page that was read while it was being written is read again.
constexpr int kMostReads = 5;
constexpr long kReadPauseUs = 2000;
// Rows may move while pg_class is read. After this many passes the only row that can still move is
// one that the sequence's owner, a superuser, keeps moving.
constexpr int kMostPasses = 10;

extern "C" {

static void NameDatabase(void* files) {
  errcontext("reading the high-water mark of database \"%s\"",
             NameStr(static_cast<DatabaseFiles*>(files)->name));
}

}  // extern "C"

// A negative limit marks the remains of an interrupted DROP DATABASE, whose files may be gone.
bool IsWhole(const FormData_pg_database& database) { return database.datconnlimit != -2; }

// Checks that the database was not dropped before we had its lock. Reads its tablespace again,
// since it may have moved.
bool IsStillThere(DatabaseFiles& files) {
  HeapTuple tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(files.database));
  if (!HeapTupleIsValid(tuple)) return false;
  const auto* row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
  const bool is_whole = IsWhole(*row);
  files.tablespace = row->dattablespace;
  ReleaseSysCache(tuple);
  return is_whole;
}

// Locks against DROP DATABASE and the like. Sees every change that was made before we had the lock.
bool TryLockDatabase(Oid database) {
  LOCKTAG tag;
  SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, database, 0);
  if (LockAcquire(&tag, AccessShareLock, false, true) == LOCKACQUIRE_NOT_AVAIL) return false;
  AcceptInvalidationMessages();
  return true;
}

bool TryLock(Oid database, Oid relation, LOCKMODE mode) {
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, database, relation);
  return LockAcquire(&tag, mode, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

void Unlock(Oid database, Oid relation, LOCKMODE mode) {
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, database, relation);
  LockRelease(&tag, mode, false);
}

// Opens a file, bypassing the buffers; -1 if it does not exist.
int OpenSegment(const FileLocator& file, BlockNumber segment) {
  char path[MAXPGPATH];
  CopyPathOf(file, path);
  if (segment > 0) {
    const std::size_t length = strlen(path);
    snprintf(path + length, sizeof(path) - length, ".%u", segment);
  }
  return OpenTransientFile(path, O_RDONLY | PG_BINARY);
}

BlockNumber BlocksOf(const FileLocator& file) {
  BlockNumber blocks = 0;
  for (BlockNumber segment = 0;; ++segment) {
    const int fd = OpenSegment(file, segment);
    if (fd < 0) return blocks;
    struct stat status {};
    const bool known = fstat(fd, &status) == 0;
    CloseTransientFile(fd);
    if (!known) return blocks;
    blocks += static_cast<BlockNumber>(status.st_size / BLCKSZ);
    if (status.st_size < static_cast<off_t>(RELSEG_SIZE) * BLCKSZ) return blocks;
  }
}

// Reads a block as it is on disk. Returns false if it does not exist or is damaged.
bool ReadFromFile(const FileLocator& file, BlockNumber block, PGAlignedBlock& copy,
                  bool& is_damaged) {
  is_damaged = false;
  for (int reads = 0; reads < kMostReads; ++reads) {
    if (is_damaged) pg_usleep(kReadPauseUs);
    const int fd = OpenSegment(file, block / RELSEG_SIZE);
    if (fd < 0) return false;
    const auto place = static_cast<off_t>(block % RELSEG_SIZE) * BLCKSZ;
    const ssize_t size = pg_pread(fd, copy.data, BLCKSZ, place);
    CloseTransientFile(fd);
    if (size == 0) return false;  // it was truncated meanwhile
    if (size == BLCKSZ && IsPageGood(copy.data, block)) {
      is_damaged = false;
      return true;
    }
    is_damaged = true;
  }
  return false;
}

void ReportDamage(const DatabaseFiles& files, const char* what, BlockNumber block) {
  ereport(WARNING,
          (errcode(ERRCODE_DATA_CORRUPTED),
           errmsg("could not read block %u of %s in database \"%s\" for its high-water mark", block,
                  what, NameStr(files.name)),
           errdetail("IDs that were handed out in that database alone, before this start of the "
                     "server, are not known now."),
           errhint("If idgen was used there, make sure that the clock is past the time of the last "
                   "of them. Repair or drop that database.")));
}

// Copies a page. With kBuffers, detects a damaged page before PostgreSQL would fail on it.
bool CopyPage(const DatabaseFiles& files, const FileLocator& file, BlockNumber block, Access access,
              const char* what, PGAlignedBlock& copy) {
  bool is_damaged = false;
  if (!ReadFromFile(file, block, copy, is_damaged)) {
    if (is_damaged) ReportDamage(files, what, block);
    return false;
  }
  if (access == Access::kFiles) return true;
  Buffer buffer = ReadBufferWithoutRelcache(file, MAIN_FORKNUM, block, RBM_NORMAL, nullptr, true);
  LockPage(buffer);
  memcpy(copy.data, BufferGetPage(buffer), BLCKSZ);
  UnlockReleaseBuffer(buffer);
  return true;
}

List* FindOnPage(Page page, const DatabaseFiles& files, List* found) {
  if (PageIsNew(page) || PageIsEmpty(page)) return found;
  const OffsetNumber most = PageGetMaxOffsetNumber(page);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= most; ++offset) {
    ItemId item = PageGetItemId(page, offset);
    if (!ItemIdIsNormal(item)) continue;
    HeapTupleData tuple;
    tuple.t_data = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
    const auto* row = reinterpret_cast<Form_pg_class>(GETSTRUCT(&tuple));
    if (row->relkind != RELKIND_SEQUENCE || row->relpersistence != RELPERSISTENCE_PERMANENT ||
        row->relfilenode == InvalidOid || strcmp(NameStr(row->relname), kMarkSequence) != 0) {
      continue;
    }
    auto* sequence = static_cast<FoundSequence*>(palloc(sizeof(FoundSequence)));
    const Oid tablespace = OidIsValid(row->reltablespace) ? row->reltablespace : files.tablespace;
    sequence->relation = row->oid;
    sequence->file = MakeFileLocator(tablespace, files.database, row->relfilenode);
    sequence->owner = row->relowner;
    found = lappend(found, sequence);
  }
  return found;
}

// Finds the database's pg_class; false if the database is gone.
bool FindCatalog(const DatabaseFiles& files, FileLocator& catalog) {
  char* path = GetDatabasePath(files.database, files.tablespace);
  char* map = psprintf("%s/pg_filenode.map", path);
  const bool there = access(map, F_OK) == 0;
  if (there) {
    catalog =
        MakeFileLocator(files.tablespace, files.database, MappedFileOf(path, RelationRelationId));
  }
  pfree(map);
  pfree(path);
  return there;
}

// A row that is updated during the read may move from a page that is still to be read to one that
// was read already. So pages that changed meanwhile are read again.
List* FindSequences(const DatabaseFiles& files, Access access) {
  FileLocator catalog;
  if (!FindCatalog(files, catalog)) return NIL;
  List* found = NIL;
  PGAlignedBlock page;
  XLogRecPtr since = InvalidXLogRecPtr;
  bool changed = true;
  for (int pass = 0; changed && pass < kMostPasses; ++pass) {
    const XLogRecPtr start = GetXLogInsertRecPtr();
    const BlockNumber blocks = BlocksOf(catalog);
    changed = false;
    for (BlockNumber block = 0; block < blocks; ++block) {
      CHECK_FOR_INTERRUPTS();
      if (!CopyPage(files, catalog, block, access, "pg_class", page)) continue;
      if (pass > 0 && PageGetLSN(page.data) < since) continue;
      changed = true;
      found = FindOnPage(page.data, files, found);
    }
    since = start;
  }
  return found;
}

bool VisitUnderLocks(DatabaseFiles& files, Access access, LOCKMODE lock,
                     const MarkVisitor& visitor) {
  const bool locks = access == Access::kBuffers;
  if (locks && !TryLock(files.database, RelationRelationId, AccessShareLock)) return false;
  List* found = FindSequences(files, access);
  bool all = true;
  ListCell* cell;
  foreach (cell, found) {
    const auto& sequence = *static_cast<FoundSequence*>(lfirst(cell));
    if (locks && !TryLock(files.database, sequence.relation, lock)) {
      all = false;
      continue;
    }
    visitor.visit(visitor.context, files, sequence, access);
    if (locks) Unlock(files.database, sequence.relation, lock);
  }
  list_free_deep(found);
  if (locks) Unlock(files.database, RelationRelationId, AccessShareLock);
  return all;
}

}  // namespace

List* AllDatabases() {
  List* databases = NIL;
  MemoryContext caller = CurrentMemoryContext;
  Relation catalog = table_open(DatabaseRelationId, AccessShareLock);
  SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, nullptr, 0, nullptr);
  for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
       tuple = systable_getnext(scan)) {
    const auto* row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
    if (!IsWhole(*row)) continue;
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

bool VisitMarks(DatabaseFiles& files, Access access, LOCKMODE lock, const MarkVisitor& visitor) {
  ErrorContextCallback context{error_context_stack, NameDatabase, &files};
  error_context_stack = &context;

  // Nobody can drop or move the session's own database.
  const bool locks = access == Access::kBuffers && files.database != MyDatabaseId;
  bool all = !locks || TryLockDatabase(files.database);
  if (all) {
    if (IsStillThere(files)) all = VisitUnderLocks(files, access, lock, visitor);
    if (locks) UnlockSharedObject(DatabaseRelationId, files.database, 0, AccessShareLock);
  }
  error_context_stack = context.previous;
  return all;
}

bool ReadMark(const DatabaseFiles& files, const FoundSequence& sequence, Access access,
              MarkPage& found) {
  PGAlignedBlock page;
  return BlocksOf(sequence.file) > 0 &&
         CopyPage(files, sequence.file, 0, access, "the sequence", page) &&
         ReadMarkPage(page.data, found);
}

XLogRecPtr RaiseMark(const DatabaseFiles& files, const FoundSequence& sequence,
                     std::int64_t mark_ms) {
  MarkPage found;
  if (!ReadMark(files, sequence, Access::kBuffers, found) || !found.recorded) {
    return InvalidXLogRecPtr;
  }
  // The relation has no name and no cache entry here. All that generic WAL needs is that it is
  // logged.
  Relation relation = CreateFakeRelcacheEntry(sequence.file);
  Buffer buffer =
      ReadBufferWithoutRelcache(sequence.file, MAIN_FORKNUM, 0, RBM_NORMAL, nullptr, true);
  LockPage(buffer);
  XLogRecPtr written = PageGetLSN(BufferGetPage(buffer));
  // Like every writer of a mark, write nothing after idgen_start_over().
  if (ReadMarkPage(BufferGetPage(buffer), found) && found.recorded &&
      found.record.mark_ms < mark_ms && LoadShared(SharedRoot().restart_needed) == 0) {
    found.record.mark_ms = mark_ms;
    written = WriteAndUnlockMarkPage(relation, buffer, found.record);
  } else {
    UnlockReleaseBuffer(buffer);
  }
  FreeFakeRelcacheEntry(relation);
  return written;
}

void FlushAllFiles() { RequestImmediateCheckpoint(); }

}  // namespace idgen::pg

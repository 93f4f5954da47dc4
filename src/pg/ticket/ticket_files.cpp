#include "ticket_files.h"

#include <algorithm>

namespace idgen::pg {

namespace {

// Which versions of a row may be valid after the end of this transaction or of a part of it.
enum class Version {
  kGone,
  kCommitted,  // what others see
  kOwn,        // made by this transaction
};

// Nobody else changes the row meanwhile: the transaction has a lock on the sequence that all
// changes need. It may be a parallel worker of the transaction.
Version VersionOf(HeapTuple tuple) {
  const HeapTupleHeader row = tuple->t_data;
  const TransactionId made_by = HeapTupleHeaderGetXmin(row);
  const bool own = TransactionIdIsCurrentTransactionId(made_by);
  if (!own && !TransactionIdDidCommit(made_by)) return Version::kGone;
  const bool is_live = (row->t_infomask & HEAP_XMAX_INVALID) != 0 ||
                       HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask) ||
                       !TransactionIdDidCommit(HeapTupleHeaderGetUpdateXid(row));
  if (!is_live) return Version::kGone;
  return own ? Version::kOwn : Version::kCommitted;
}

// Calls `visit` with each version of a row of a catalog that is found by an OID.
template <typename Visit>
void ForEachVersion(Oid catalog_id, Oid index, AttrNumber column, Oid oid, Visit&& visit) {
  Relation catalog = table_open(catalog_id, AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
  SysScanDesc scan = systable_beginscan(catalog, index, true, SnapshotAny, 1, &key);
  for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple);
       tuple = systable_getnext(scan)) {
    const Version version = VersionOf(tuple);
    if (version != Version::kGone) visit(tuple, version);
  }
  systable_endscan(scan);
  table_close(catalog, AccessShareLock);
}

struct OtherFile {
  FileLocator file;
  bool is_own;
};

// In the current memory context.
List* OtherFilesOf(Relation relation) {
  List* files = NIL;
  ForEachVersion(
      RelationRelationId, ClassOidIndexId, Anum_pg_class_oid, RelationGetRelid(relation),
      [&](HeapTuple tuple, Version version) {
        const auto* row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
        if (row->relfilenode == relation->rd_rel->relfilenode ||
            row->relpersistence != RELPERSISTENCE_PERMANENT) {
          return;
        }
        ListCell* cell;
        foreach (cell, files) {
          if (RelFileNumberOf(static_cast<OtherFile*>(lfirst(cell))->file) == row->relfilenode) {
            return;
          }
        }
        auto* other = static_cast<OtherFile*>(palloc(sizeof(OtherFile)));
        other->file = MakeFileLocator(
            OidIsValid(row->reltablespace) ? row->reltablespace : MyDatabaseTableSpace,
            MyDatabaseId, row->relfilenode);
        other->is_own = version == Version::kOwn;
        files = lappend(files, other);
      });
  return files;
}

// The increment that others see, by which plain nextval() would go on after a rollback; 0: none.
std::int64_t CommittedIncrement(Oid sequence) {
  std::int64_t increment = 0;
  ForEachVersion(SequenceRelationId, SequenceRelidIndexId, Anum_pg_sequence_seqrelid, sequence,
                 [&](HeapTuple tuple, Version version) {
                   if (version != Version::kCommitted) return;
                   increment = reinterpret_cast<Form_pg_sequence>(GETSTRUCT(tuple))->seqincrement;
                 });
  return increment;
}

// Calls `write` with each other file's page, locked. Flushes what it has written, up to the
// position that it returns.
template <typename Write>
XLogRecPtr ForEachOtherFile(Relation relation, Write&& write) {
  List* files = OtherFilesOf(relation);
  XLogRecPtr last = InvalidXLogRecPtr;
  ListCell* cell;
  foreach (cell, files) {
    const auto& other = *static_cast<OtherFile*>(lfirst(cell));
    // The relation has no name and no cache entry here.
    Relation fake = CreateFakeRelcacheEntry(other.file);
    // With wal_level = minimal, a file that this transaction made is not logged.
    if (other.is_own) fake->rd_createSubid = TopSubTransactionId;
    Buffer buffer =
        ReadBufferWithoutRelcache(other.file, MAIN_FORKNUM, 0, RBM_NORMAL, nullptr, true);
    LockPage(buffer);
    last = std::max(last, write(fake, buffer));
    UnlockReleaseBuffer(buffer);
    FreeFakeRelcacheEntry(fake);
  }
  list_free_deep(files);
  if (last != InvalidXLogRecPtr) XLogFlush(last);
  return last;
}

XLogRecPtr LeaveInFile(Relation relation, Buffer buffer, const TicketPage& page, bool moves,
                       bool ascends) {
  // It took its numbers from a ticket server before.
  SegmentPage segments;
  if (ReadSegmentPage(buffer, segments) && segments.record.magic != 0) return InvalidXLogRecPtr;
  TicketPage found;
  ReadTicketPage(relation, buffer, found);
  TicketRecord& record = found.record;
  if (found.recorded && record.lowest <= page.record.lowest &&
      record.highest >= page.record.highest) {
    return RelationNeedsWAL(relation) ? PageGetLSN(BufferGetPage(buffer)) : InvalidXLogRecPtr;
  }
  record.lowest = std::min(record.lowest, page.record.lowest);
  record.highest = std::max(record.highest, page.record.highest);
  // For plain nextval(), which does not know the record.
  if (moves) {
    found.last_value = ascends ? std::max(found.last_value, record.highest)
                               : std::min(found.last_value, record.lowest);
    found.is_called = true;
  }
  // Not what is in shared memory: the range there may be of other options.
  found.is_sealed = false;
  return WriteTicketPage(relation, buffer, found);
}

}  // namespace

XLogRecPtr LeaveTickets(Relation relation, const TicketPage& page, std::int64_t increment) {
  const std::int64_t before = CommittedIncrement(RelationGetRelid(relation));
  // A sequence whose direction was turned must not be moved back.
  const bool moves = before != 0 && (before > 0) == (increment > 0);
  return ForEachOtherFile(relation, [&](Relation other, Buffer buffer) {
    return LeaveInFile(other, buffer, page, moves, increment > 0);
  });
}

void LeaveSegments(Relation relation) {
  (void)ForEachOtherFile(relation, [](Relation other, Buffer buffer) {
    SegmentPage found;
    if (!ReadSegmentPage(buffer, found) || found.record.magic == 0)
      return XLogRecPtr{InvalidXLogRecPtr};
    SegmentRecord& record = found.record;
    if (record.current.count == 0 && record.next.count == 0)
      return PageGetLSN(BufferGetPage(buffer));
    DropFrom(record);
    return WriteSegmentPage(other, buffer, record, false);
  });
}

}  // namespace idgen::pg

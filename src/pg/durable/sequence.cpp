#include "sequence.h"

#include <algorithm>
#include <cstring>

#include "invalidate.h"
#include "wait.h"

namespace idgen::pg {

namespace {

// From commands/sequence.c; no header has it.
constexpr uint32 kSequenceMagic = 0x1717;
struct SequenceMagic {
  uint32 magic;
};

constexpr std::uint64_t kRecordMagic = 0x31304B52414D4449;  // "IDMARK01" in memory order
// The record comes after PostgreSQL's columns.
constexpr std::size_t kRecordPlace = MAXALIGN(sizeof(FormData_pg_sequence_data));
constexpr std::size_t kDataSize = kRecordPlace + sizeof(MarkRecord);

// Cached until the relation is invalidated.
constinit Oid mark_sequence = InvalidOid;

HeapTupleHeader TupleOn(Page page) {
  return reinterpret_cast<HeapTupleHeader>(
      PageGetItem(page, PageGetItemId(page, FirstOffsetNumber)));
}

char* DataOf(HeapTupleHeader tuple) { return reinterpret_cast<char*>(tuple) + tuple->t_hoff; }

// Returns the extension's present schema, which may change.
Oid ExtensionSchema() {
  const Oid extension = get_extension_oid("idgen", true);
  if (!OidIsValid(extension)) return InvalidOid;
  Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
              ObjectIdGetDatum(extension));
  SysScanDesc scan = systable_beginscan(catalog, ExtensionOidIndexId, true, nullptr, 1, &key);
  HeapTuple tuple = systable_getnext(scan);
  const Oid schema = HeapTupleIsValid(tuple)
                         ? reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple))->extnamespace
                         : InvalidOid;
  systable_endscan(scan);
  table_close(catalog, AccessShareLock);
  return schema;
}

void CheckSequence(Relation relation) {
  const char* const name = RelationGetRelationName(relation);
  if (relation->rd_rel->relkind != RELKIND_SEQUENCE) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a sequence", name)));
  }
  if (relation->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("sequence \"%s\" is not logged", name),
                    errdetail("The high-water mark of idgen must survive a crash."),
                    errhint("Use ALTER SEQUENCE ... SET LOGGED.")));
  }
}

void ReadLockedPage(Relation relation, Buffer buffer, MarkPage& found) {
  if (ReadMarkPage(BufferGetPage(buffer), found)) return;
  ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                  errmsg("bad page in sequence \"%s\"", RelationGetRelationName(relation))));
}

extern "C" {

// Only marks: the sequence is looked up again when it is needed. OID 0 stands for all relations.
static void ForgetMarkSequence(Datum, Oid relation) {
  if (relation == InvalidOid || relation == mark_sequence) {
    mark_sequence = InvalidOid;
    InvalidateMark();
  }
}

}  // extern "C"

}  // namespace

bool ReadMarkPage(Page page, MarkPage& found) {
  if (PageIsNew(page) || PageGetSpecialSize(page) != MAXALIGN(sizeof(SequenceMagic)) ||
      reinterpret_cast<SequenceMagic*>(PageGetSpecialPointer(page))->magic != kSequenceMagic ||
      PageGetMaxOffsetNumber(page) < FirstOffsetNumber) {
    return false;
  }
  ItemId item = PageGetItemId(page, FirstOffsetNumber);
  if (!ItemIdIsNormal(item)) return false;
  HeapTupleHeader tuple = TupleOn(page);
  const std::size_t size = ItemIdGetLength(item);
  if (size < tuple->t_hoff + offsetof(FormData_pg_sequence_data, is_called) + sizeof(bool)) {
    return false;
  }
  found = {};
  const char* const data = DataOf(tuple);
  found.shown = std::max<std::int64_t>(
      reinterpret_cast<const FormData_pg_sequence_data*>(data)->last_value, 0);
  if (size >= tuple->t_hoff + kDataSize) {
    MarkRecord record;
    std::memcpy(&record, data + kRecordPlace, sizeof(record));
    found.recorded = record.magic == kRecordMagic;
    if (found.recorded) found.record = record;
  }
  return true;
}

void WriteMarkPage(Page page, const MarkRecord& record) {
  alignas(MAXIMUM_ALIGNOF) char written[MaxHeapTupleSize / 4] = {};
  HeapTupleHeader old = TupleOn(page);
  const std::size_t head = old->t_hoff;
  Assert(head + kDataSize <= sizeof(written));
  std::memcpy(written, old, head);
  auto* tuple = reinterpret_cast<HeapTupleHeader>(written);
  auto* data = reinterpret_cast<Form_pg_sequence_data>(DataOf(tuple));
  data->last_value = record.mark_ms;
  data->log_cnt = 0;
  data->is_called = true;
  MarkRecord with_magic = record;
  with_magic.magic = kRecordMagic;
  std::memcpy(DataOf(tuple) + kRecordPlace, &with_magic, sizeof(with_magic));
  if (!PageIndexTupleOverwrite(page, FirstOffsetNumber, written, head + kDataSize)) {
    elog(ERROR, "no room for the high-water mark on its page");
  }
}

Relation OpenMark() {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!OidIsValid(mark_sequence)) {
      const Oid schema = ExtensionSchema();
      if (OidIsValid(schema)) mark_sequence = get_relname_relid(kMarkSequence, schema);
      if (!OidIsValid(mark_sequence)) break;
    }
    Relation relation = try_relation_open(mark_sequence, RowExclusiveLock);
    if (relation != nullptr) {
      CheckSequence(relation);
      return relation;
    }
    // It was dropped, and perhaps created again, since it was looked up.
    mark_sequence = InvalidOid;
  }
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("sequence \"%s\" of extension idgen does not exist", kMarkSequence),
                  errhint("Use CREATE EXTENSION idgen.")));
  pg_unreachable();
}

// In the session itself, the relation cache knows. A parallel worker has to check who wrote the row
// in pg_class. That may have been a mere GRANT; then only some time is lost.
bool IsUncommitted(Relation relation) {
  if (relation->rd_createSubid != InvalidSubTransactionId ||
      FirstNewFileOf(relation) != InvalidSubTransactionId) {
    return true;
  }
  if (!IsParallelWorker()) return false;
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(RelationGetRelid(relation)));
  if (!HeapTupleIsValid(tuple)) return true;
  const bool own = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data));
  ReleaseSysCache(tuple);
  return own;
}

bool TryLockPage(Buffer buffer) { return ConditionalLockBuffer(buffer); }

// A holder keeps the page locked for a microsecond, unless it was stopped just then. The others
// must not wait inside PostgreSQL's own lock, where nothing can be cancelled.
void LockPage(Buffer buffer) {
  constexpr int kSpins = 100;
  constexpr std::int64_t kRetryUs = 100;
  for (int spins = 0; !TryLockPage(buffer); ++spins) {
    if (spins < kSpins) {
      SPIN_DELAY();
    } else {
      WaitForClock(kRetryUs);
    }
  }
}

Buffer LockMarkPage(Relation relation, MarkPage& found) {
  Buffer buffer = ReadBuffer(relation, 0);
  LockPage(buffer);
  ReadLockedPage(relation, buffer, found);
  return buffer;
}

Buffer TryLockMarkPage(Relation relation, MarkPage& found) {
  Buffer buffer = ReadBuffer(relation, 0);
  if (!TryLockPage(buffer)) {
    ReleaseBuffer(buffer);
    return InvalidBuffer;
  }
  ReadLockedPage(relation, buffer, found);
  return buffer;
}

XLogRecPtr WriteAndUnlockMarkPage(Relation relation, Buffer buffer, const MarkRecord& record) {
  GenericXLogState* state = GenericXLogStart(relation);
  WriteMarkPage(GenericXLogRegisterBuffer(state, buffer, 0), record);
  GenericXLogFinish(state);
  const XLogRecPtr written = PageGetLSN(BufferGetPage(buffer));
  UnlockReleaseBuffer(buffer);
  return RelationNeedsWAL(relation) ? written : InvalidXLogRecPtr;
}

void WatchMarkSequence() {
  CacheRegisterRelcacheCallback(ForgetMarkSequence, static_cast<Datum>(0));
}

}  // namespace idgen::pg

#include "sequence_page.h"

#include "wait.h"

namespace idgen::pg {

namespace {

// From commands/sequence.c; before PostgreSQL 19 no header has it.
constexpr uint32 kSequenceMagic = 0x1717;
struct SequenceMagic {
  uint32 magic;
};

// A record comes after PostgreSQL's columns.
constexpr std::size_t kRecordPlace = MAXALIGN(sizeof(FormData_pg_sequence_data));

HeapTupleHeader TupleOn(Page page) {
  return reinterpret_cast<HeapTupleHeader>(
      PageGetItem(page, PageGetItemId(page, FirstOffsetNumber)));
}

char* DataOf(HeapTupleHeader tuple) { return reinterpret_cast<char*>(tuple) + tuple->t_hoff; }

void WriteSequencePage(Page page, const FormData_pg_sequence_data& columns, const void* record,
                       std::size_t record_size) {
  alignas(MAXIMUM_ALIGNOF) char written[MaxHeapTupleSize / 4] = {};
  const HeapTupleHeader old = TupleOn(page);
  const std::size_t head = old->t_hoff;
  Assert(head + kRecordPlace + record_size <= sizeof(written));
  std::memcpy(written, old, head);
  char* const data = written + head;
  auto* const to = reinterpret_cast<Form_pg_sequence_data>(data);
  to->last_value = columns.last_value;
  to->log_cnt = columns.log_cnt;
  to->is_called = columns.is_called;
  std::memcpy(data + kRecordPlace, record, record_size);
  if (!PageIndexTupleOverwrite(page, FirstOffsetNumber, written,
                               head + kRecordPlace + record_size)) {
    elog(ERROR, "no room for the record of idgen on the page of a sequence");
  }
}

}  // namespace

void ReportBadPage(Relation relation) {
  ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                  errmsg("bad page in sequence \"%s\"", RelationGetRelationName(relation))));
  pg_unreachable();
}

bool ReadSequencePage(Page page, SequencePage& found) {
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
  found.columns = reinterpret_cast<const FormData_pg_sequence_data*>(data);
  if (size > tuple->t_hoff + kRecordPlace) {
    found.record = data + kRecordPlace;
    found.record_size = size - tuple->t_hoff - kRecordPlace;
  }
  return true;
}

XLogRecPtr LogSequencePage(Relation relation, Buffer buffer,
                           const FormData_pg_sequence_data& columns, const void* record,
                           std::size_t record_size) {
  GenericXLogState* state = GenericXLogStart(relation);
  WriteSequencePage(GenericXLogRegisterBuffer(state, buffer, 0), columns, record, record_size);
  GenericXLogFinish(state);
  return RelationNeedsWAL(relation) ? PageGetLSN(BufferGetPage(buffer)) : InvalidXLogRecPtr;
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
      WaitForClock(kRetryUs, WaitReason::kMark);
    }
  }
}

}  // namespace idgen::pg

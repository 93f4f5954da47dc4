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

namespace idgen::pg {

namespace {

// commands/sequence.c, not in a header.
constexpr uint32 kSequenceMagic = 0x1717;
struct SequenceMagic {
  uint32 magic;
};

// The sequence's values on its page, which must be one (ReadMarkPage).
Form_pg_sequence_data ValuesOn(Page page) {
  HeapTupleHeader tuple =
      reinterpret_cast<HeapTupleHeader>(PageGetItem(page, PageGetItemId(page, FirstOffsetNumber)));
  return reinterpret_cast<Form_pg_sequence_data>(reinterpret_cast<char*>(tuple) + tuple->t_hoff);
}

// Cached until an invalidation of the relation comes.
constinit Oid mark_sequence = InvalidOid;

// The schema that the extension is in now; it may be moved.
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

// Opens the sequence with the lock that nextval() takes.
Relation OpenMarkSequence() {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!OidIsValid(mark_sequence)) {
      const Oid schema = ExtensionSchema();
      if (OidIsValid(schema)) mark_sequence = get_relname_relid(kMarkSequence, schema);
      if (!OidIsValid(mark_sequence)) break;
    }
    Relation relation = try_relation_open(mark_sequence, RowExclusiveLock);
    if (relation != nullptr) {
      if (relation->rd_rel->relkind != RELKIND_SEQUENCE) {
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                        errmsg("\"%s\" is not a sequence", RelationGetRelationName(relation))));
      }
      if (relation->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("sequence \"%s\" is not logged", RelationGetRelationName(relation)),
                        errdetail("The high-water mark of idgen must survive a crash."),
                        errhint("Use ALTER SEQUENCE ... SET LOGGED.")));
      }
      return relation;
    }
    // Dropped, and perhaps made anew, since it was looked up.
    mark_sequence = InvalidOid;
  }
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("sequence \"%s\" of extension idgen does not exist", kMarkSequence),
                  errhint("Use CREATE EXTENSION idgen.")));
}

// Reads, writes if it must, and flushes. `relation` is open.
void AdvanceMarkPage(Relation relation, DatabaseMark& database, std::int64_t needed_ms,
                     std::int64_t wanted_ms) {
  Root& shared = SharedRoot();
  Buffer buffer = ReadBuffer(relation, 0);
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);

  MarkPage found;
  if (!ReadMarkPage(BufferGetPage(buffer), found)) {
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("bad page in sequence \"%s\"", RelationGetRelationName(relation))));
  }
  const bool ours = found.token == shared.run_token;
  if (!ours) {
    // Before anybody can see the page as ours.
    RaiseShared(shared.floor_ms, static_cast<std::uint64_t>(found.mark_ms));
  }

  std::int64_t mark_ms = found.mark_ms;
  // A sequence made anew, or set back, does not take back what this run knows; nor does a
  // database that was given the OID of a dropped one.
  const auto known_ms = static_cast<std::int64_t>(LoadShared(database.durable_ms));
  if (!ours || mark_ms < std::max(needed_ms, known_ms)) {
    mark_ms = std::max({found.mark_ms, known_ms, wanted_ms});
    GenericXLogState* state = GenericXLogStart(relation);
    Form_pg_sequence_data values = ValuesOn(GenericXLogRegisterBuffer(state, buffer, 0));
    values->last_value = mark_ms;
    values->log_cnt = shared.run_token;
    values->is_called = true;
    GenericXLogFinish(state);
  }
  // Somebody else may have written it and not flushed it yet.
  const XLogRecPtr written = PageGetLSN(BufferGetPage(buffer));
  UnlockReleaseBuffer(buffer);
  if (RelationNeedsWAL(relation)) XLogFlush(written);
  RaiseShared(database.durable_ms, static_cast<std::uint64_t>(mark_ms));
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

bool ReadMarkPage(Page page, MarkPage& mark) {
  if (PageIsNew(page) || PageGetSpecialSize(page) != MAXALIGN(sizeof(SequenceMagic)) ||
      reinterpret_cast<SequenceMagic*>(PageGetSpecialPointer(page))->magic != kSequenceMagic ||
      PageGetMaxOffsetNumber(page) < FirstOffsetNumber) {
    return false;
  }
  if (!ItemIdIsNormal(PageGetItemId(page, FirstOffsetNumber))) return false;
  const FormData_pg_sequence_data* values = ValuesOn(page);
  mark.mark_ms = std::max<std::int64_t>(values->last_value, 0);
  mark.token = values->log_cnt;
  return true;
}

void AdvanceMark(DatabaseMark& database, std::int64_t needed_ms, std::int64_t wanted_ms) {
  Relation relation = OpenMarkSequence();
  AdvanceMarkPage(relation, database, needed_ms, wanted_ms);
  relation_close(relation, RowExclusiveLock);
}

void AdvanceMarkEarly(DatabaseMark& database, std::int64_t wanted_ms) {
  Relation relation = OpenMarkSequence();
  if (LWLockConditionalAcquire(&database.writing, LW_EXCLUSIVE)) {
    // Another session may have been just before us.
    if (static_cast<std::int64_t>(LoadShared(database.durable_ms)) < wanted_ms) {
      AdvanceMarkPage(relation, database, wanted_ms, wanted_ms);
    }
    LWLockRelease(&database.writing);
  }
  relation_close(relation, RowExclusiveLock);
}

void WatchMarkSequence() {
  CacheRegisterRelcacheCallback(ForgetMarkSequence, static_cast<Datum>(0));
}

}  // namespace idgen::pg

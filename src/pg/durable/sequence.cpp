#include "sequence.h"

#include <algorithm>

#include "invalidate.h"

namespace idgen::pg {

namespace {

constexpr std::uint64_t kRecordMagic = 0x31304B52414D4449;  // "IDMARK01" in memory order

// Cached until the relation is invalidated.
constinit Oid mark_sequence = InvalidOid;

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
  if (!ReadMarkPage(BufferGetPage(buffer), found)) ReportBadPage(relation);
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
  SequencePage sequence;
  if (!ReadSequencePage(page, sequence)) return false;
  found = {};
  found.shown = std::max<std::int64_t>(sequence.columns->last_value, 0);
  found.recorded = ReadRecord(sequence, kRecordMagic, found.record);
  return true;
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
  FormData_pg_sequence_data columns{};
  columns.last_value = record.mark_ms;
  columns.is_called = true;
  MarkRecord with_magic = record;
  with_magic.magic = kRecordMagic;
  const XLogRecPtr written =
      LogSequencePage(relation, buffer, columns, &with_magic, sizeof(with_magic));
  UnlockReleaseBuffer(buffer);
  return written;
}

void WatchMarkSequence() {
  CacheRegisterRelcacheCallback(ForgetMarkSequence, static_cast<Datum>(0));
}

}  // namespace idgen::pg

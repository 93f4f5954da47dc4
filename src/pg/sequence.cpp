#include "sequence.h"

#include <algorithm>

namespace idgen::pg {

namespace {

// commands/sequence.c, not in a header.
constexpr uint32 kSequenceMagic = 0x1717;
struct SequenceMagic {
  uint32 magic;
};

Form_pg_sequence_data ValuesOn(Page page) {
  HeapTupleHeader tuple =
      reinterpret_cast<HeapTupleHeader>(PageGetItem(page, PageGetItemId(page, FirstOffsetNumber)));
  return reinterpret_cast<Form_pg_sequence_data>(reinterpret_cast<char*>(tuple) + tuple->t_hoff);
}

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

}  // namespace

bool ReadSequencePage(Page page, SequencePage& values) {
  if (PageIsNew(page) || PageGetSpecialSize(page) != MAXALIGN(sizeof(SequenceMagic)) ||
      reinterpret_cast<SequenceMagic*>(PageGetSpecialPointer(page))->magic != kSequenceMagic ||
      PageGetMaxOffsetNumber(page) < FirstOffsetNumber) {
    return false;
  }
  if (!ItemIdIsNormal(PageGetItemId(page, FirstOffsetNumber))) return false;
  const FormData_pg_sequence_data* data = ValuesOn(page);
  values.value = std::max<std::int64_t>(data->last_value, 0);
  values.token = data->log_cnt;
  return true;
}

void WriteSequencePage(Page page, const SequencePage& values) {
  Form_pg_sequence_data data = ValuesOn(page);
  data->last_value = values.value;
  data->log_cnt = values.token;
  data->is_called = true;
}

Relation OpenSequence(const char* name, Oid& cached) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!OidIsValid(cached)) {
      const Oid schema = ExtensionSchema();
      if (OidIsValid(schema)) cached = get_relname_relid(name, schema);
      if (!OidIsValid(cached)) break;
    }
    Relation relation = try_relation_open(cached, RowExclusiveLock);
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
    cached = InvalidOid;
  }
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("sequence \"%s\" of extension idgen does not exist", name),
                  errhint("Use CREATE EXTENSION idgen.")));
  pg_unreachable();
}

Buffer LockSequencePage(Relation relation, SequencePage& values) {
  Buffer buffer = ReadBuffer(relation, 0);
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  if (!ReadSequencePage(BufferGetPage(buffer), values)) {
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("bad page in sequence \"%s\"", RelationGetRelationName(relation))));
  }
  return buffer;
}

}  // namespace idgen::pg

#include "named_relation.h"

namespace idgen::pg {

NamedRelation LockForReading(Oid relation) {
  Relation table = try_relation_open(relation, AccessShareLock);
  if (table == nullptr) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                    errmsg("relation with OID %u does not exist", relation)));
  }
  NamedRelation found{};
  found.oid = relation;
  found.kind = table->rd_rel->relkind;
  found.name = pstrdup(RelationGetRelationName(table));
  found.from =
      quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)), found.name);
  relation_close(table, NoLock);
  return found;
}

Oid TypeOfColumn(const NamedRelation& relation, const char* column) {
  const AttrNumber number = get_attnum(relation.oid, column);
  if (number == InvalidAttrNumber) {
    ereport(ERROR,
            (errcode(ERRCODE_UNDEFINED_COLUMN),
             errmsg("column \"%s\" of relation \"%s\" does not exist", column, relation.name)));
  }
  return get_atttype(relation.oid, number);
}

}  // namespace idgen::pg

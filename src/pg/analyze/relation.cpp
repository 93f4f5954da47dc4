#include "relation.h"

namespace idgen::pg {

IdColumn FindIdColumn(Oid relation, const char* column) {
  IdColumn found{LockForReading(relation)};
  if (strchr("rpmvf", found.kind) == nullptr) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is not a table or view", found.name)));
  }
  found.type = getBaseType(TypeOfColumn(found, column));
  if (found.type != INT8OID && found.type != UUIDOID) {
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("column \"%s\" of relation \"%s\" is neither a bigint nor a uuid",
                           column, found.name),
                    errdetail("It is of type %s.", format_type_be(found.type))));
  }
  found.id = quote_identifier(pstrdup(column));
  return found;
}

const char* FindTimeColumn(const IdColumn& table, const char* column) {
  if (column == nullptr) return nullptr;
  const Oid type = getBaseType(TypeOfColumn(table, column));
  if (type != TIMESTAMPTZOID && type != TIMESTAMPOID) {
    ereport(ERROR,
            (errcode(ERRCODE_DATATYPE_MISMATCH),
             errmsg("column \"%s\" of relation \"%s\" is not a timestamp", column, table.name),
             errdetail("It is of type %s.", format_type_be(type))));
  }
  return quote_identifier(pstrdup(column));
}

const char* SchemaOf(FunctionCallInfo fcinfo) {
  return quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
}

std::uint64_t Query(const char* query, int count, Oid* types, Datum* values) {
  // Not read-only in the sense of SPI, which would take an older snapshot.
  const int result = SPI_execute_with_args(query, count, types, values, nullptr, false, 0);
  if (result != SPI_OK_SELECT) {
    elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
  }
  return SPI_processed;
}

std::uint64_t PutQuery(FunctionCallInfo fcinfo, const char* query, int count, Oid* types,
                       Datum* values) {
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  SPI_connect();
  const std::uint64_t rows = Query(query, count, types, values);
  for (std::uint64_t i = 0; i < rows; ++i) {
    tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
  }
  SPI_finish();
  return rows;
}

void RequireArgument(FunctionCallInfo fcinfo, int argument, const char* name) {
  if (!PG_ARGISNULL(argument)) return;
  ereport(ERROR,
          (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the %s must not be null", name)));
}

}  // namespace idgen::pg

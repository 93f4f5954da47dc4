// idgen_analyze() and idgen_analyze_identities(): one query over a table with the aggregate
// idgen_analyze_agg(), and the part of its result that each of them shows.
#include "relation.h"

#include <cmath>

#include "errors.h"
#include "row.h"

namespace idgen::pg {

namespace {

// What both functions take.
struct Request {
  IdColumn table;
  const char* time;      // quoted; nullptr: none
  float8 percent;        // 0: all rows
  const char* function;  // the aggregate's call
  Oid types[2];
  Datum values[2];
};

// Returns the percentage of rows to look at; 0: all.
float8 PercentArgument(FunctionCallInfo fcinfo, int argument, const IdColumn& table) {
  if (PG_ARGISNULL(argument)) return 0;
  const float8 percent = PG_GETARG_FLOAT8(argument);
  if (!(percent > 0 && percent <= 100)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("sample of %g percent is out of range", percent),
                    errdetail("It is more than 0, and at most 100.")));
  }
  if (table.kind == RELKIND_VIEW || table.kind == RELKIND_FOREIGN_TABLE) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("cannot take a sample of \"%s\"", table.name),
                    errdetail("PostgreSQL samples tables and materialized views."),
                    errhint("Leave the sample out.")));
  }
  return percent;
}

// Arguments: relation, column_name, layout, sample_percent, order_by, ulid.
Request RequestOf(FunctionCallInfo fcinfo) {
  RequireArgument(fcinfo, 0, "relation");
  RequireArgument(fcinfo, 1, "column name");
  RequireArgument(fcinfo, 2, "layout");
  Request request{};
  request.table = FindIdColumn(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)));
  request.percent = PercentArgument(fcinfo, 3, request.table);
  request.time =
      FindTimeColumn(request.table, PG_ARGISNULL(4) ? nullptr : NameStr(*PG_GETARG_NAME(4)));
  const char* const schema = SchemaOf(fcinfo);
  const char* const time = request.time == nullptr
                               ? "NULL::pg_catalog.timestamptz"
                               : psprintf("t.%s::pg_catalog.timestamptz", request.time);
  if (request.table.type == INT8OID) {
    request.function = psprintf("%s.idgen_analyze_agg(t.%s::pg_catalog.int8, $1, %s)", schema,
                                request.table.id, time);
    request.types[0] = get_fn_expr_argtype(fcinfo->flinfo, 2);
    request.values[0] = PG_GETARG_DATUM(2);
  } else {
    request.function = psprintf("%s.idgen_analyze_agg(t.%s::pg_catalog.uuid, $1, %s)", schema,
                                request.table.id, time);
    request.types[0] = BOOLOID;
    request.values[0] = BoolGetDatum(!PG_ARGISNULL(5) && PG_GETARG_BOOL(5));
  }
  request.types[1] = FLOAT8OID;
  request.values[1] = Float8GetDatum(request.percent);
  return request;
}

// Shows a part of the aggregate's result as rows. `columns` has the names and types in it.
// Returns how many there were.
std::uint64_t PutPart(FunctionCallInfo fcinfo, Request& request, const char* part,
                      const char* columns, const char* more) {
  const char* const sample = request.percent > 0 ? "TABLESAMPLE pg_catalog.system ($2)" : "";
  return PutQuery(
      fcinfo,
      psprintf("SELECT f.*%s FROM (SELECT %s AS doc FROM %s t %s) a, "
               "pg_catalog.jsonb_to_recordset(pg_catalog.jsonb_object_field(a.doc, '%s')) "
               "AS f(%s)",
               more, request.function, request.table.from, sample, part, columns),
      2, request.types, request.values);
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_analyze);
IDGEN_SQL_FUNCTION(idgen_analyze_identities);

Datum idgen_analyze(PG_FUNCTION_ARGS) {
  Request request = RequestOf(fcinfo);
  InitMaterializedSRF(fcinfo, 0);
  if (request.percent > 0) {
    PutRow(fcinfo,
           {CStringGetTextDatum("info"), CStringGetTextDatum("sample"), kNull,
            CStringGetTextDatum(psprintf("About %g %% of the rows were read. All numbers and "
                                         "rates are of those.",
                                         request.percent)),
            CStringGetTextDatum("What is rare may be missing.")});
  }
  const std::uint64_t found =
      PutPart(fcinfo, request, "findings",
              "severity pg_catalog.text, finding pg_catalog.text, identity pg_catalog.text, "
              "detail pg_catalog.text, hint pg_catalog.text",
              "");
  if (found == 0) {
    PutRow(fcinfo, {CStringGetTextDatum("info"), CStringGetTextDatum("no IDs"), kNull,
                    CStringGetTextDatum("0 rows."), kNull});
  }
  return Datum{0};
}

Datum idgen_analyze_identities(PG_FUNCTION_ARGS) {
  Request request = RequestOf(fcinfo);
  InitMaterializedSRF(fcinfo, 0);
  PutPart(fcinfo, request, "identities",
          "identity pg_catalog.text, datacenter_id pg_catalog.int4, machine_id pg_catalog.int4, "
          "shard_id pg_catalog.int4, ids pg_catalog.int8, first pg_catalog.timestamptz, "
          "last pg_catalog.timestamptz, first_id pg_catalog.int8, last_id pg_catalog.int8, "
          "rate_median pg_catalog.float8, rate_peak pg_catalog.float8, "
          "peak_at pg_catalog.timestamptz, bursts pg_catalog.int8, gap pg_catalog.interval, "
          "gap_from pg_catalog.timestamptz, future pg_catalog.int8, "
          "sequence_zero pg_catalog.int8, sequence_full pg_catalog.int8, "
          "sequence_max pg_catalog.int8, sequence_parts pg_catalog.int8[], "
          "compared pg_catalog.int8, lag_min pg_catalog.interval, lag_max pg_catalog.interval",
          ", (pg_catalog.jsonb_object_field_text(a.doc, 'interval'))::pg_catalog.interval");
  return Datum{0};
}

}  // extern "C"

}  // namespace idgen::pg

// The SQL functions that make IDs one at a time, and those that tell what was made.
#include "callsite.h"
#include "errors.h"
#include "take.h"

namespace idgen::pg {

namespace {

Datum LastId(Handle& handle) {
  if (!IsPrepared(handle)) ResolveGenerator(handle);
  if (handle.last_id < 0) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("no ID of generator \"%s\" was made in this session yet", handle.name),
                    errhint("Make one first, for example with idgen_nextval('%s').", handle.name)));
  }
  return Int64GetDatum(handle.last_id);
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_snowflake_nextval);
IDGEN_SQL_FUNCTION(idgen_snowflake_currval);
IDGEN_SQL_FUNCTION(idgen_nextval);
IDGEN_SQL_FUNCTION(idgen_nextval_of_shard);
IDGEN_SQL_FUNCTION(idgen_currval);
IDGEN_SQL_FUNCTION(idgen_reserve);
IDGEN_SQL_FUNCTION(idgen_observe);

Datum idgen_snowflake_nextval(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return Int64GetDatum(NextId(SnowflakeHandle()));
}

Datum idgen_snowflake_currval(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return LastId(SnowflakeHandle());
}

Datum idgen_nextval(PG_FUNCTION_ARGS) { return Int64GetDatum(NextId(HandleOfArgument(fcinfo, 0))); }

Datum idgen_nextval_of_shard(PG_FUNCTION_ARGS) {
  return Int64GetDatum(NextIdOfShard(HandleOfArgument(fcinfo, 0), PG_GETARG_INT32(1)));
}

Datum idgen_currval(PG_FUNCTION_ARGS) { return LastId(HandleOfArgument(fcinfo, 0)); }

Datum idgen_reserve(PG_FUNCTION_ARGS) {
  return Int64GetDatum(Reserve(HandleOfArgument(fcinfo, 0), PG_GETARG_INT32(1)));
}

Datum idgen_observe(PG_FUNCTION_ARGS) {
  Handle& handle = HandleOfArgument(fcinfo, 0);
  const int64 id = PG_GETARG_INT64(1);
  if (RecoveryInProgress()) ReportRecovery("observe IDs");
  if (id < 0) (void)CheckId(handle.layout(), id);
  return Int64GetDatum(Observe(handle, static_cast<std::uint64_t>(id)));
}

}  // extern "C"

}  // namespace idgen::pg

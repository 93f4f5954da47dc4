// The SQL functions that make many IDs in one call, as rows or as an array.
#include "callsite.h"
#include "count.h"
#include "take.h"

namespace idgen::pg {

namespace {

// Up to `count` positions of one tick, and their composer: the handle may have another identity by
// the time they are used.
struct Run {
  Taken taken;
  Composer composer;
  SpaceUse* use;
};

Run TakeRun(Handle& handle, std::int64_t shard, std::uint64_t count) {
  CHECK_FOR_INTERRUPTS();
  const Issued issued = Take(handle, shard, count);
  Run run{issued.taken, handle.composer, issued.space->use};
  run.composer.identity_bits = issued.space->identity_bits;
  return run;
}

// --- Rows: positions are taken a tick's worth at a time, as rows are fetched -----------------

struct Batch {
  Handle* handle;
  std::int64_t shard;
  std::uint64_t left;
  Run run;
};

void BeginBatch(FunctionCallInfo fcinfo, Handle& handle, int count, std::int64_t shard) {
  auto& batch = BeginRows<Batch>(fcinfo, count);
  batch.handle = &handle;
  batch.shard = shard;
}

Datum NextOfBatch(FunctionCallInfo fcinfo) {
  FuncCallContext* call = SRF_PERCALL_SETUP();
  auto* batch = static_cast<Batch*>(call->user_fctx);
  if (batch->left == 0) SRF_RETURN_DONE(call);
  Taken& taken = batch->run.taken;
  if (taken.count == 0) {
    const bool is_first = batch->run.use == nullptr;
    batch->run = TakeRun(*batch->handle, batch->shard, batch->left);
    if (is_first) CountCall(*batch->run.use);
  }
  // One by one: nobody may ask for the rest.
  CountId(*batch->run.use);
  const std::int64_t id = batch->run.composer(taken.first);
  ++taken.first;
  --taken.count;
  --batch->left;
  batch->handle->last_id = id;
  SRF_RETURN_NEXT(call, Int64GetDatum(id));
}

// --- Arrays: written in place, one compare-and-swap a tick ------------------------------------

Datum ArrayOfIds(Handle& handle, int count, std::int64_t shard) {
  const std::uint64_t wanted = CheckedCount(count);
  ArrayType* const array = NewArray(count, INT8OID, sizeof(std::int64_t));
  auto* const ids = reinterpret_cast<std::int64_t*>(ARR_DATA_PTR(array));
  // Counted when the call can fail no more.
  SpaceUse* use = nullptr;
  std::uint64_t uncounted = 0;
  std::uint64_t filled = 0;
  do {
    const Run run = TakeRun(handle, shard, wanted - filled);
    run.composer.Fill(run.taken.first, run.taken.count, ids + filled);
    filled += run.taken.count;
    // A change of the settings may have given the generator another ID space.
    if (unlikely(uncounted > 0 && use != run.use)) {
      CountIds(*use, uncounted);
      uncounted = 0;
    }
    use = run.use;
    uncounted += run.taken.count;
  } while (filled < wanted);
  CountBatch(*use, uncounted);
  handle.last_id = ids[wanted - 1];
  PG_RETURN_ARRAYTYPE_P(array);
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_snowflake_nextval_batch);
IDGEN_SQL_FUNCTION(idgen_nextval_batch);
IDGEN_SQL_FUNCTION(idgen_nextval_batch_of_shard);
IDGEN_SQL_FUNCTION(idgen_snowflake_nextval_array);
IDGEN_SQL_FUNCTION(idgen_nextval_array);
IDGEN_SQL_FUNCTION(idgen_nextval_array_of_shard);

Datum idgen_snowflake_nextval_batch(PG_FUNCTION_ARGS) {
  if (SRF_IS_FIRSTCALL()) BeginBatch(fcinfo, SnowflakeHandle(), PG_GETARG_INT32(0), kNoShard);
  return NextOfBatch(fcinfo);
}

// Here fn_extra belongs to the set-returning call.
Datum idgen_nextval_batch(PG_FUNCTION_ARGS) {
  if (SRF_IS_FIRSTCALL()) {
    BeginBatch(fcinfo, HandleOf(ShortTextArgument(fcinfo, 0)), PG_GETARG_INT32(1), kNoShard);
  }
  return NextOfBatch(fcinfo);
}

Datum idgen_nextval_batch_of_shard(PG_FUNCTION_ARGS) {
  if (SRF_IS_FIRSTCALL()) {
    BeginBatch(fcinfo, HandleOf(ShortTextArgument(fcinfo, 0)), PG_GETARG_INT32(1),
               PG_GETARG_INT32(2));
  }
  return NextOfBatch(fcinfo);
}

Datum idgen_snowflake_nextval_array(PG_FUNCTION_ARGS) {
  return ArrayOfIds(SnowflakeHandle(), PG_GETARG_INT32(0), kNoShard);
}

Datum idgen_nextval_array(PG_FUNCTION_ARGS) {
  return ArrayOfIds(HandleOfArgument(fcinfo, 0), PG_GETARG_INT32(1), kNoShard);
}

Datum idgen_nextval_array_of_shard(PG_FUNCTION_ARGS) {
  return ArrayOfIds(HandleOfArgument(fcinfo, 0), PG_GETARG_INT32(1), PG_GETARG_INT32(2));
}

}  // extern "C"

}  // namespace idgen::pg

// The SQL functions that make IDs.
#include "callsite.h"
#include "errors.h"
#include "take.h"

namespace idgen::pg {

namespace {

// A batch is a mistake above this, more likely than a wish.
constexpr int kMostInBatch = 10'000'000;

bool IsWithin(int count, std::uint64_t most) {
  return count >= 1 && static_cast<std::uint64_t>(count) <= most;
}

// The handle of the generator that the first argument names.
inline Handle& HandleOfArgument(FunctionCallInfo fcinfo) {
  return NamedByArgument<Handle, true>(
      fcinfo, 0, [](std::string_view name) -> Handle& { return HandleOf(name); });
}

Datum LastId(Handle& handle) {
  if (!IsPrepared(handle)) ResolveGenerator(handle);
  if (handle.last_id < 0) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("no ID of generator \"%s\" was made in this session yet", handle.name),
                    errhint("Make one first, for example with idgen_nextval('%s').", handle.name)));
  }
  return Int64GetDatum(handle.last_id);
}

// One batch: positions are taken a tick's worth at a time, as rows are fetched.
struct Batch {
  Handle* handle;
  std::int64_t shard;
  Composer composer;  // the identity stays what it was when they were taken
  std::uint64_t left;
  Taken taken;
};

void BeginBatch(FunctionCallInfo fcinfo, Handle& handle, int count, std::int64_t shard) {
  if (!IsWithin(count, kMostInBatch)) {
    ReportCount(count, kMostInBatch, psprintf("A batch has 1 to %d IDs.", kMostInBatch));
  }
  FuncCallContext* call = SRF_FIRSTCALL_INIT();
  auto* batch =
      static_cast<Batch*>(MemoryContextAllocZero(call->multi_call_memory_ctx, sizeof(Batch)));
  batch->handle = &handle;
  batch->shard = shard;
  batch->left = static_cast<std::uint64_t>(count);
  call->user_fctx = batch;
}

Datum NextOfBatch(FunctionCallInfo fcinfo) {
  FuncCallContext* call = SRF_PERCALL_SETUP();
  auto* batch = static_cast<Batch*>(call->user_fctx);
  if (batch->left == 0) SRF_RETURN_DONE(call);
  if (batch->taken.count == 0) {
    Handle& handle = *batch->handle;
    CHECK_FOR_INTERRUPTS();
    const Issued issued = TakeSlowly(handle, batch->shard, {batch->left, false});
    batch->taken = issued.taken;
    batch->composer = handle.composer;
    batch->composer.identity_bits = issued.space->identity_bits;
  }
  const std::int64_t id = batch->composer(batch->taken.first);
  ++batch->taken.first;
  --batch->taken.count;
  --batch->left;
  batch->handle->last_id = id;
  SRF_RETURN_NEXT(call, Int64GetDatum(id));
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_snowflake_nextval);
IDGEN_SQL_FUNCTION(idgen_snowflake_nextval_batch);
IDGEN_SQL_FUNCTION(idgen_snowflake_currval);
IDGEN_SQL_FUNCTION(idgen_nextval);
IDGEN_SQL_FUNCTION(idgen_nextval_of_shard);
IDGEN_SQL_FUNCTION(idgen_nextval_batch);
IDGEN_SQL_FUNCTION(idgen_nextval_batch_of_shard);
IDGEN_SQL_FUNCTION(idgen_currval);
IDGEN_SQL_FUNCTION(idgen_reserve);
IDGEN_SQL_FUNCTION(idgen_observe);

Datum idgen_snowflake_nextval(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return Int64GetDatum(NextId(SnowflakeHandle()));
}

Datum idgen_snowflake_nextval_batch(PG_FUNCTION_ARGS) {
  if (SRF_IS_FIRSTCALL()) BeginBatch(fcinfo, SnowflakeHandle(), PG_GETARG_INT32(0), kNoShard);
  return NextOfBatch(fcinfo);
}

Datum idgen_snowflake_currval(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return LastId(SnowflakeHandle());
}

Datum idgen_nextval(PG_FUNCTION_ARGS) { return Int64GetDatum(NextId(HandleOfArgument(fcinfo))); }

Datum idgen_nextval_of_shard(PG_FUNCTION_ARGS) {
  return Int64GetDatum(NextIdOfShard(HandleOfArgument(fcinfo), PG_GETARG_INT32(1)));
}

// fn_extra is the set-returning call's here.
Datum idgen_nextval_batch(PG_FUNCTION_ARGS) {
  if (SRF_IS_FIRSTCALL()) {
    BeginBatch(fcinfo, HandleOf(TextArgument(fcinfo, 0)), PG_GETARG_INT32(1), kNoShard);
  }
  return NextOfBatch(fcinfo);
}

Datum idgen_nextval_batch_of_shard(PG_FUNCTION_ARGS) {
  if (SRF_IS_FIRSTCALL()) {
    BeginBatch(fcinfo, HandleOf(TextArgument(fcinfo, 0)), PG_GETARG_INT32(1), PG_GETARG_INT32(2));
  }
  return NextOfBatch(fcinfo);
}

Datum idgen_currval(PG_FUNCTION_ARGS) { return LastId(HandleOfArgument(fcinfo)); }

Datum idgen_reserve(PG_FUNCTION_ARGS) {
  Handle& handle = HandleOfArgument(fcinfo);
  while (!IsPrepared(handle)) PrepareHandle(handle);
  const Layout& layout = handle.layout();
  const int count = PG_GETARG_INT32(1);
  if (!IsWithin(count, layout.IdsPerTick())) {
    ReportCount(count, layout.IdsPerTick(),
                psprintf("Layout \"%s\" has %llu IDs in one tick.", NameOf(layout),
                         static_cast<unsigned long long>(layout.IdsPerTick())));
  }
  if (count > 1 && !layout.SequenceIsLowest()) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("IDs of layout \"%s\" cannot be reserved as consecutive integers",
                           NameOf(layout)),
                    errdetail("Its sequence is not its lowest field."),
                    errhint("Use idgen_nextval_batch().")));
  }
  const Issued issued = TakeSlowly(handle, kNoShard, {static_cast<std::uint64_t>(count), true});
  const std::uint64_t last = issued.taken.first + issued.taken.count - 1;
  handle.last_id = IdOf(handle, *issued.space, last);
  return Int64GetDatum(IdOf(handle, *issued.space, issued.taken.first));
}

Datum idgen_observe(PG_FUNCTION_ARGS) {
  Handle& handle = HandleOfArgument(fcinfo);
  const int64 id = PG_GETARG_INT64(1);
  if (id < 0) (void)CheckId(handle.layout(), id);
  return Int64GetDatum(Observe(handle, static_cast<std::uint64_t>(id)));
}

}  // extern "C"

}  // namespace idgen::pg

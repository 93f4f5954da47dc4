// The SQL functions that make IDs.
#include "errors.h"
#include "take.h"

namespace idgen::pg {

namespace {

// A batch is a mistake above this, more likely than a wish.
constexpr int kMostInBatch = 10'000'000;

bool IsWithin(int count, std::uint64_t most) {
  return count >= 1 && static_cast<std::uint64_t>(count) <= most;
}

inline std::int64_t Next(Handle& handle) {
  const std::int64_t id = handle.composer(NextPosition(handle));
  handle.last_id = id;
  return id;
}

// What a call site keeps in fn_extra. Where the generator's name is a constant it is not
// looked at again.
struct CallSite {
  Handle* handle;
  bool constant;
};

bool FirstArgumentIsConstant(const FmgrInfo* function) {
  const Node* call = function->fn_expr;
  if (call == nullptr || !IsA(call, FuncExpr)) return false;
  const List* arguments = reinterpret_cast<const FuncExpr*>(call)->args;
  return arguments != NIL && IsA(linitial(arguments), Const);
}

Handle& HandleByName(text* name) {
  return HandleOf({VARDATA_ANY(name), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(name))});
}

// The handle of the generator that the first argument names.
inline Handle& HandleOfArgument(FunctionCallInfo fcinfo) {
  auto* site = static_cast<CallSite*>(fcinfo->flinfo->fn_extra);
  if (likely(site != nullptr && site->constant)) return *site->handle;
  Handle& handle = HandleByName(PG_GETARG_TEXT_PP(0));
  if (site == nullptr) {
    site = static_cast<CallSite*>(MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(CallSite)));
    site->handle = &handle;
    site->constant = FirstArgumentIsConstant(fcinfo->flinfo);
    fcinfo->flinfo->fn_extra = site;
  }
  return handle;
}

Datum LastId(const Handle& handle) {
  if (handle.last_id < 0) {
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
         errmsg("no ID of generator \"%s\" was made in this session yet", NameOf(*handle.layout)),
         errhint("Make one first, for example with idgen_nextval('%s').", NameOf(*handle.layout))));
  }
  return Int64GetDatum(handle.last_id);
}

// One batch: positions are taken a tick's worth at a time, as rows are fetched.
struct Batch {
  Handle* handle;
  Composer composer;  // the identity stays what it was when the batch began
  std::uint64_t left;
  Taken taken;
};

Datum NextOfBatch(FunctionCallInfo fcinfo, Handle* (*generator)(FunctionCallInfo),
                  int count_argument) {
  if (SRF_IS_FIRSTCALL()) {
    const int count = PG_GETARG_INT32(count_argument);
    if (!IsWithin(count, kMostInBatch)) {
      ReportCount(count, kMostInBatch, psprintf("A batch has 1 to %d IDs.", kMostInBatch));
    }
    FuncCallContext* call = SRF_FIRSTCALL_INIT();
    auto* batch =
        static_cast<Batch*>(MemoryContextAllocZero(call->multi_call_memory_ctx, sizeof(Batch)));
    batch->handle = generator(fcinfo);
    batch->left = static_cast<std::uint64_t>(count);
    call->user_fctx = batch;
  }
  FuncCallContext* call = SRF_PERCALL_SETUP();
  auto* batch = static_cast<Batch*>(call->user_fctx);
  if (batch->left == 0) SRF_RETURN_DONE(call);
  if (batch->taken.count == 0) {
    Handle& handle = *batch->handle;
    CHECK_FOR_INTERRUPTS();
    batch->taken = TakeSlowly(handle, {batch->left, false});
    batch->composer = handle.composer;
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
IDGEN_SQL_FUNCTION(idgen_nextval_batch);
IDGEN_SQL_FUNCTION(idgen_currval);
IDGEN_SQL_FUNCTION(idgen_reserve);
IDGEN_SQL_FUNCTION(idgen_observe);

Datum idgen_snowflake_nextval(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return Int64GetDatum(Next(SnowflakeHandle()));
}

Datum idgen_snowflake_nextval_batch(PG_FUNCTION_ARGS) {
  return NextOfBatch(
      fcinfo, [](FunctionCallInfo) { return &SnowflakeHandle(); }, 0);
}

Datum idgen_snowflake_currval(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return LastId(SnowflakeHandle());
}

Datum idgen_nextval(PG_FUNCTION_ARGS) { return Int64GetDatum(Next(HandleOfArgument(fcinfo))); }

Datum idgen_nextval_batch(PG_FUNCTION_ARGS) {
  return NextOfBatch(
      fcinfo,
      [](FunctionCallInfo call) { return &HandleByName(DatumGetTextPP(call->args[0].value)); }, 1);
}

Datum idgen_currval(PG_FUNCTION_ARGS) { return LastId(HandleOfArgument(fcinfo)); }

Datum idgen_reserve(PG_FUNCTION_ARGS) {
  Handle& handle = HandleOfArgument(fcinfo);
  const Layout& layout = *handle.layout;
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
  const Taken taken = TakeSlowly(handle, {static_cast<std::uint64_t>(count), true});
  handle.last_id = handle.composer(taken.first + taken.count - 1);
  return Int64GetDatum(handle.composer(taken.first));
}

Datum idgen_observe(PG_FUNCTION_ARGS) {
  Handle& handle = HandleOfArgument(fcinfo);
  const std::uint64_t id = CheckId(*handle.layout, PG_GETARG_INT64(1));
  const std::uint64_t position = Observe(handle, id);
  return Int64GetDatum(handle.composer(position));
}

}  // extern "C"

}  // namespace idgen::pg

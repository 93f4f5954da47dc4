// The aggregate idgen_analyze_agg(): an analysis (analysis.h) of the IDs that a query returns. Its
// result is what report.cpp makes of it.
#include "analysis.h"
#include "convert.h"
#include "core/uuid.h"
#include "layout_value.h"
#include "report.h"
#include "uuid.h"

namespace idgen::pg {

namespace {

MemoryContext AggregateMemory(FunctionCallInfo fcinfo) {
  MemoryContext memory = nullptr;
  if (AggCheckCallContext(fcinfo, &memory) == 0) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("aggregate function called in non-aggregate context")));
  }
  return memory;
}

Analysis* StateArgument(FunctionCallInfo fcinfo, int argument) {
  return PG_ARGISNULL(argument) ? nullptr
                                : reinterpret_cast<Analysis*>(PG_GETARG_POINTER(argument));
}

Analysis* BeginIn(MemoryContext memory, IdType type, const Layout& layout) {
  MemoryContext caller = MemoryContextSwitchTo(memory);
  Analysis* const analysis = NewAnalysis(type, layout);
  MemoryContextSwitchTo(caller);
  return analysis;
}

[[gnu::noinline]] Analysis* BeginWithLayout(FunctionCallInfo fcinfo, MemoryContext memory) {
  if (PG_ARGISNULL(2)) {
    ereport(ERROR,
            (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the layout must not be null")));
  }
  const auto& stored = StoredArgument(fcinfo, 2);
  Analysis* const analysis = BeginIn(memory, IdType::kLayout, LoadLayout(stored));
  analysis->stored = stored;
  return analysis;
}

void CheckLayout(FunctionCallInfo fcinfo, const Analysis& analysis) {
  const bool same = !PG_ARGISNULL(2) &&
                    memcmp(PG_GETARG_VARLENA_P(2), &analysis.stored, sizeof(analysis.stored)) == 0;
  if (unlikely(!same)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("the layout must be the same for all rows")));
  }
}

[[gnu::noinline]] Analysis* BeginWithUuids(FunctionCallInfo fcinfo, MemoryContext memory) {
  const bool is_ulid = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
  Layout milliseconds;
  milliseconds.fields[static_cast<std::size_t>(FieldKind::kTimestamp)] = {48, 0};
  return BeginIn(memory, is_ulid ? IdType::kUlid : IdType::kUuid, milliseconds);
}

// Counts a row. Returns false if its ID is NULL. Sets `other` to the timestamp to compare with.
bool BeginRow(FunctionCallInfo fcinfo, Analysis& analysis, int64& other_us, const int64*& other) {
  CountRow(analysis);
  if (PG_ARGISNULL(1)) {
    ++analysis.nulls;
    return false;
  }
  if (!PG_ARGISNULL(3) && FromTimestamp(PG_GETARG_TIMESTAMPTZ(3), other_us)) other = &other_us;
  return true;
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_analyze_accum);
IDGEN_SQL_FUNCTION(idgen_analyze_accum_uuid);
IDGEN_SQL_FUNCTION(idgen_analyze_combine);
IDGEN_SQL_FUNCTION(idgen_analyze_serialize);
IDGEN_SQL_FUNCTION(idgen_analyze_deserialize);
IDGEN_SQL_FUNCTION(idgen_analyze_final);

Datum idgen_analyze_accum(PG_FUNCTION_ARGS) {
  MemoryContext memory = AggregateMemory(fcinfo);
  Analysis* analysis = StateArgument(fcinfo, 0);
  if (unlikely(analysis == nullptr)) analysis = BeginWithLayout(fcinfo, memory);
  CheckLayout(fcinfo, *analysis);
  int64 other_us = 0;
  const int64* other = nullptr;
  if (BeginRow(fcinfo, *analysis, other_us, other)) {
    CountId(*analysis, PG_GETARG_INT64(1), other);
  }
  PG_RETURN_POINTER(analysis);
}

Datum idgen_analyze_accum_uuid(PG_FUNCTION_ARGS) {
  MemoryContext memory = AggregateMemory(fcinfo);
  Analysis* analysis = StateArgument(fcinfo, 0);
  if (unlikely(analysis == nullptr)) analysis = BeginWithUuids(fcinfo, memory);
  int64 other_us = 0;
  const int64* other = nullptr;
  if (BeginRow(fcinfo, *analysis, other_us, other)) {
    CountUuid(*analysis, UuidArgument(fcinfo, 1), other);
  }
  PG_RETURN_POINTER(analysis);
}

Datum idgen_analyze_combine(PG_FUNCTION_ARGS) {
  MemoryContext memory = AggregateMemory(fcinfo);
  Analysis* to = StateArgument(fcinfo, 0);
  const Analysis* const from = StateArgument(fcinfo, 1);
  if (from != nullptr) {
    if (to == nullptr) to = BeginIn(memory, from->type, from->layout);
    AddAnalysis(*to, *from);
  }
  if (to == nullptr) PG_RETURN_NULL();
  PG_RETURN_POINTER(to);
}

Datum idgen_analyze_serialize(PG_FUNCTION_ARGS) {
  AggregateMemory(fcinfo);
  PG_RETURN_BYTEA_P(WriteAnalysis(*StateArgument(fcinfo, 0)));
}

Datum idgen_analyze_deserialize(PG_FUNCTION_ARGS) {
  AggregateMemory(fcinfo);
  PG_RETURN_POINTER(ReadAnalysis(PG_GETARG_BYTEA_PP(0)));
}

Datum idgen_analyze_final(PG_FUNCTION_ARGS) {
  AggregateMemory(fcinfo);
  const Analysis* const analysis = StateArgument(fcinfo, 0);
  if (analysis == nullptr) PG_RETURN_NULL();
  return ReportOf(*analysis);
}

}  // extern "C"

}  // namespace idgen::pg

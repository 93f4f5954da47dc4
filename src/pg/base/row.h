// Rows that functions return. A column is a value and whether it is NULL.
#pragma once

#include "pg.h"

#include <cstddef>

#include "convert.h"

namespace idgen::pg {

struct Column {
  Datum value;
  bool is_null;

  constexpr Column(Datum datum, bool null = false) : value(datum), is_null(null) {}
};

inline constexpr Column kNull{Datum{0}, true};

// Returns the number, or NULL if it is negative.
inline Column NumberOrNull(std::int32_t number) { return {Int32GetDatum(number), number < 0}; }

// Returns the text, or NULL if there is none or it is empty.
inline Column TextOrNull(const char* text) {
  return text != nullptr && *text != '\0' ? Column{CStringGetTextDatum(text)} : kNull;
}

// Returns the time, or NULL if it is beyond PostgreSQL's range.
inline Column TimeOrNull(std::int64_t time_us) {
  TimestampTz time = 0;
  return ToTimestamp(time_us, time) ? Column{TimestampTzGetDatum(time)} : kNull;
}

inline Datum IntervalDatum(std::int64_t us) {
  auto* const interval = static_cast<Interval*>(palloc0(sizeof(Interval)));
  interval->time = us;
  return IntervalPGetDatum(interval);
}

// A row as PostgreSQL takes it.
template <std::size_t N>
struct RowArrays {
  Datum values[N];
  bool nulls[N];

  explicit RowArrays(const Column (&row)[N]) {
    for (std::size_t i = 0; i < N; ++i) {
      values[i] = row[i].value;
      nulls[i] = row[i].is_null;
    }
  }
};

// Adds a row to the result that InitMaterializedSRF() began.
template <std::size_t N>
void PutRow(FunctionCallInfo fcinfo, const Column (&row)[N]) {
  RowArrays<N> arrays(row);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  tuplestore_putvalues(result->setResult, result->setDesc, arrays.values, arrays.nulls);
}

// Returns the columns of a function that returns one row; they live as long as the call site.
inline TupleDesc ColumnsOf(FunctionCallInfo fcinfo) {
  MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
  TupleDesc columns = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &columns) != TYPEFUNC_COMPOSITE) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("function returning record called in context that cannot accept type "
                           "record")));
  }
  BlessTupleDesc(columns);
  MemoryContextSwitchTo(caller);
  return columns;
}

// The same, kept by a call site that keeps nothing else.
inline TupleDesc KeptColumns(FunctionCallInfo fcinfo) {
  void*& columns = fcinfo->flinfo->fn_extra;
  if (unlikely(columns == nullptr)) columns = ColumnsOf(fcinfo);
  return static_cast<TupleDesc>(columns);
}

// Returns a row of them.
template <std::size_t N>
Datum RecordOf(FunctionCallInfo fcinfo, const Column (&row)[N]) {
  RowArrays<N> arrays(row);
  return HeapTupleGetDatum(heap_form_tuple(KeptColumns(fcinfo), arrays.values, arrays.nulls));
}

}  // namespace idgen::pg

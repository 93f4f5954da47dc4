// What the functions have in common that make many IDs in one call.
#pragma once

#include "pg.h"

#include "errors.h"

namespace idgen::pg {

// Returns the count that a caller asked for. A larger batch is more likely a mistake than intended.
inline std::uint64_t CheckedCount(int count) {
  constexpr int kMostInBatch = 10'000'000;
  if (count < 1 || count > kMostInBatch) {
    ReportCount(count, kMostInBatch, psprintf("A batch has 1 to %d IDs.", kMostInBatch));
  }
  return static_cast<std::uint64_t>(count);
}

// Begins a function that returns `count` rows. Returns its state, which lives until the last row:
// zeroed, but for `left`.
template <typename Rows>
Rows& BeginRows(FunctionCallInfo fcinfo, int count) {
  const std::uint64_t left = CheckedCount(count);
  FuncCallContext* const call = SRF_FIRSTCALL_INIT();
  auto* const rows =
      static_cast<Rows*>(MemoryContextAllocZero(call->multi_call_memory_ctx, sizeof(Rows)));
  rows->left = left;
  call->user_fctx = rows;
  return *rows;
}

// Returns an array of a type of this size, without NULLs, whose elements are not written yet.
inline ArrayType* NewArray(int count, Oid type, std::size_t size) {
  const Size all = ARR_OVERHEAD_NONULLS(1) + static_cast<std::size_t>(count) * size;
  auto* const array = static_cast<ArrayType*>(palloc(all));
  SET_VARSIZE(array, all);
  array->ndim = 1;
  array->dataoffset = 0;
  array->elemtype = type;
  ARR_DIMS(array)[0] = count;
  ARR_LBOUND(array)[0] = 1;
  return array;
}

}  // namespace idgen::pg

// Work that may fail, where the error is not the end of the caller.
#pragma once

#include "pg.h"

namespace idgen::pg {

// Runs work in a subtransaction. Returns the error, or nullptr. A cancelled statement is thrown on
// instead.
template <typename Work>
ErrorData* Try(Work&& work) {
  MemoryContext context = CurrentMemoryContext;
  ResourceOwner owner = CurrentResourceOwner;
  ErrorData* volatile error = nullptr;
  BeginInternalSubTransaction(nullptr);
  MemoryContextSwitchTo(context);
  PG_TRY();
  {
    work();
    ReleaseCurrentSubTransaction();
  }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    error = CopyErrorData();
    FlushErrorState();
    RollbackAndReleaseCurrentSubTransaction();
  }
  PG_END_TRY();
  MemoryContextSwitchTo(context);
  CurrentResourceOwner = owner;
  if (error != nullptr && error->sqlerrcode == ERRCODE_QUERY_CANCELED) ReThrowError(error);
  return error;
}

// The same without a transaction, for workers and for work that leaves nothing behind: the error is
// returned, whatever it is.
template <typename Work>
ErrorData* TryAlone(Work&& work) {
  MemoryContext context = CurrentMemoryContext;
  ErrorData* volatile error = nullptr;
  PG_TRY();
  { work(); }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    error = CopyErrorData();
    FlushErrorState();
  }
  PG_END_TRY();
  return error;
}

}  // namespace idgen::pg

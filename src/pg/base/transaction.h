// Ends of transactions, for callbacks.
#pragma once

#include "pg.h"

namespace idgen::pg {

// Whether a transaction, or a parallel worker's part of one, ends now: in whatever way, before the
// resource owners let go of what they hold.
inline bool IsEndOfTransaction(XactEvent event) {
  switch (event) {
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_PARALLEL_COMMIT:
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PARALLEL_ABORT:
    case XACT_EVENT_PREPARE:
      return true;
    case XACT_EVENT_PRE_COMMIT:
    case XACT_EVENT_PARALLEL_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE:
      return false;
  }
  return false;
}

}  // namespace idgen::pg

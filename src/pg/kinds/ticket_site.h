// What a place in a query that takes tickets keeps between calls, in fn_extra.
#pragma once

#include "pg.h"

#include "ticket_handle.h"

namespace idgen::pg {

struct TicketSite {
  Oid sequence;
  TicketHandle* handle;
};

[[gnu::noinline]] inline TicketHandle& FindTicketHandle(FunctionCallInfo fcinfo, Oid sequence) {
  TicketHandle& handle = TicketHandleOf(sequence);
  auto* site = static_cast<TicketSite*>(fcinfo->flinfo->fn_extra);
  if (site == nullptr) {
    site = static_cast<TicketSite*>(
        MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(TicketSite)));
    fcinfo->flinfo->fn_extra = site;
  }
  *site = {sequence, &handle};
  return handle;
}

// Returns the session's handle of the sequence in the first argument.
inline TicketHandle& TicketArgument(FunctionCallInfo fcinfo) {
  const Oid sequence = PG_GETARG_OID(0);
  const auto* const site = static_cast<TicketSite*>(fcinfo->flinfo->fn_extra);
  if (likely(site != nullptr && site->sequence == sequence)) return *site->handle;
  return FindTicketHandle(fcinfo, sequence);
}

}  // namespace idgen::pg

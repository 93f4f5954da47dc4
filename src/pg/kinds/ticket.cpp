// The SQL functions of tickets: numbers of a sequence, handed out from shared memory.
#include "errors.h"
#include "count.h"
#include "ticket_handle.h"
#include "ticket_site.h"

namespace idgen::pg {

namespace {

struct TicketBatch {
  TicketHandle* handle;
  std::uint64_t left;
  TakenTickets taken;
};

struct Ends {
  std::int64_t first;
  std::int64_t last;
};

Ends ReserveTickets(FunctionCallInfo fcinfo) {
  const std::uint64_t count = CheckedCount(PG_GETARG_INT32(1));
  TicketHandle& handle = TicketArgument(fcinfo);
  const TakenTickets taken = TakeSome(handle, count, count);
  const std::int64_t last = TicketAt(taken.first, taken.increment, count - 1);
  NoteLast(handle, last);
  return {taken.first, last};
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_ticket_nextval);
IDGEN_SQL_FUNCTION(idgen_ticket_nextval_batch);
IDGEN_SQL_FUNCTION(idgen_ticket_nextval_array);
IDGEN_SQL_FUNCTION(idgen_ticket_currval);
IDGEN_SQL_FUNCTION(idgen_ticket_reserve);
IDGEN_SQL_FUNCTION(idgen_ticket_reserve_last);
IDGEN_SQL_FUNCTION(idgen_ticket_restart);

Datum idgen_ticket_nextval(PG_FUNCTION_ARGS) {
  return Int64GetDatum(NextTicket(TicketArgument(fcinfo)));
}

// Here fn_extra belongs to the set-returning call.
Datum idgen_ticket_nextval_batch(PG_FUNCTION_ARGS) {
  if (SRF_IS_FIRSTCALL()) {
    auto& batch = BeginRows<TicketBatch>(fcinfo, PG_GETARG_INT32(1));
    batch.handle = &TicketHandleOf(PG_GETARG_OID(0));
  }
  FuncCallContext* call = SRF_PERCALL_SETUP();
  auto* batch = static_cast<TicketBatch*>(call->user_fctx);
  if (batch->left == 0) SRF_RETURN_DONE(call);
  TakenTickets& taken = batch->taken;
  if (taken.count == 0) {
    CHECK_FOR_INTERRUPTS();
    taken = TakeSome(*batch->handle, 1, batch->left);
  }
  const std::int64_t ticket = taken.first;
  taken.first = TicketAt(taken.first, taken.increment, 1);
  --taken.count;
  --batch->left;
  NoteLast(*batch->handle, ticket);
  SRF_RETURN_NEXT(call, Int64GetDatum(ticket));
}

Datum idgen_ticket_nextval_array(PG_FUNCTION_ARGS) {
  const int count = PG_GETARG_INT32(1);
  const std::uint64_t wanted = CheckedCount(count);
  TicketHandle& handle = TicketArgument(fcinfo);
  ArrayType* const array = NewArray(count, INT8OID, sizeof(std::int64_t));
  auto* const tickets = reinterpret_cast<std::int64_t*>(ARR_DATA_PTR(array));
  for (std::uint64_t filled = 0; filled < wanted;) {
    CHECK_FOR_INTERRUPTS();
    const TakenTickets taken = TakeSome(handle, 1, wanted - filled);
    for (std::uint64_t i = 0; i < taken.count; ++i) {
      tickets[filled + i] = TicketAt(taken.first, taken.increment, i);
    }
    filled += taken.count;
  }
  NoteLast(handle, tickets[wanted - 1]);
  PG_RETURN_ARRAYTYPE_P(array);
}

Datum idgen_ticket_currval(PG_FUNCTION_ARGS) {
  TicketHandle& handle = TicketArgument(fcinfo);
  relation_close(OpenTicketSequence(handle), NoLock);
  CheckTicketPrivilege(handle, ACL_SELECT | ACL_USAGE);
  if (handle.has_last == TicketHandle::Last::kNone) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("no ticket of sequence \"%s\" was taken in this session yet",
                           get_rel_name(handle.sequence))));
  }
  return Int64GetDatum(handle.last);
}

Datum idgen_ticket_reserve(PG_FUNCTION_ARGS) { return Int64GetDatum(ReserveTickets(fcinfo).first); }

Datum idgen_ticket_reserve_last(PG_FUNCTION_ARGS) {
  return Int64GetDatum(ReserveTickets(fcinfo).last);
}

Datum idgen_ticket_restart(PG_FUNCTION_ARGS) {
  TicketHandle& handle = TicketHandleOf(PG_GETARG_OID(0));
  const std::int64_t value = PG_GETARG_INT64(1);
  relation_close(OpenTicketSequence(handle), NoLock);
  if (!OwnsRelation(handle.sequence)) {
    aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SEQUENCE, get_rel_name(handle.sequence));
  }
  EnterTickets(handle, "ticket_restart()");
  if (handle.is_fed) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("sequence \"%s\" takes its numbers from a ticket server",
                           get_rel_name(handle.sequence)),
                    errhint("They go on as the sequence does there.")));
  }
  if (value < handle.least || value > handle.most) {
    ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                    errmsg("%lld is not a value of sequence \"%s\"", static_cast<long long>(value),
                           get_rel_name(handle.sequence)),
                    errdetail("It goes from %lld to %lld.", static_cast<long long>(handle.least),
                              static_cast<long long>(handle.most))));
  }
  RestartTickets(handle, value);
  return Int64GetDatum(value);
}

}  // extern "C"

}  // namespace idgen::pg

// The SQL functions of extension idgen_compat: nextval() and the like, for sequences whose comment
// says that idgen makes their numbers. All others are PostgreSQL's, as before. What PostgreSQL
// refuses is refused: without rights, in a transaction that is read-only, in a parallel worker, on
// a standby.
#include "errors.h"
#include "last_value.h"
#include "marker.h"
#include "take.h"
#include "ticket_handle.h"

namespace idgen::pg {

namespace {

// The sequence that an argument names, as the literal of a regclass does.
Oid SequenceArgument(FunctionCallInfo fcinfo) {
  char* const name = text_to_cstring(PG_GETARG_TEXT_PP(0));
  return DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum(name)));
}

// What the session keeps of a sequence: its last number, and that it is locked as by nextval().
TicketHandle& EnterSequence(Oid sequence, AclMode any_of) {
  TicketHandle& handle = TicketHandleOf(sequence);
  relation_close(OpenTicketSequence(handle), NoLock);
  CheckTicketPrivilege(handle, any_of);
  return handle;
}

void RefuseAsPostgres(const char* function) {
  PreventCommandIfReadOnly(function);
  PreventCommandIfParallelMode(function);
}

[[noreturn]] void ReportSize(Oid sequence, const Marker& marker, std::uint64_t most) {
  ereport(
      ERROR,
      (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
       errmsg("sequence \"%s\" cannot have blocks of %lld numbers", get_rel_name(sequence),
              static_cast<long long>(marker.block)),
       errdetail("Generator \"%s\" has blocks of 1 to %llu.", marker.generator,
                 static_cast<unsigned long long>(most)),
       marker.end == Marker::End::kEither
           ? errhint(
                 "The increment is the size: ALTER SEQUENCE ... INCREMENT. Blocks for first or for "
                 "last may be twice as long.")
           : errhint("The increment is the size: ALTER SEQUENCE ... INCREMENT.")));
  pg_unreachable();
}

// Takes a block by `reserve`, which returns the first of so many numbers. Whoever takes its number
// v for the first goes from v to v + block - 1, whoever takes it for the last from v - block + 1 to
// v, and Hibernate before version 5 from v - block to v - 1. A block for either is twice as long.
template <typename Reserve>
std::int64_t NextOfBlock(const Marker& marker, Reserve&& reserve) {
  if (marker.end == Marker::End::kFirst) return reserve(marker.block);
  if (marker.end == Marker::End::kLast) return reserve(marker.block) + marker.block - 1;
  return reserve(2 * marker.block) + marker.block;
}

std::int64_t NextOfGenerator(Oid sequence, const Marker& marker) {
  Handle& handle = HandleOf(marker.generator);
  while (!IsPrepared(handle)) PrepareHandle(handle);
  const std::uint64_t in_tick = handle.layout().IdsPerTick();
  const std::uint64_t most =
      marker.end == Marker::End::kEither ? std::max<std::uint64_t>(in_tick / 2, 1) : in_tick;
  if (marker.block < 1 || static_cast<std::uint64_t>(marker.block) > most) {
    ReportSize(sequence, marker, most);
  }
  if (marker.block == 1) return NextId(handle);
  return NextOfBlock(marker, [&](std::int64_t count) { return Reserve(handle, count); });
}

std::int64_t NextOfTickets(TicketHandle& handle, const Marker& marker) {
  if (marker.block == 1) return NextTicket(handle);
  return NextOfBlock(marker, [&](std::int64_t count) {
    const auto tickets = static_cast<std::uint64_t>(count);
    return TakeSome(handle, tickets, tickets).first;
  });
}

// A generator's next ID follows from the time, and no sequence's position can change it. So this
// only looks whether it is what the caller wants.
void CheckIsBehind(Oid sequence, const Marker& marker, std::int64_t value) {
  Handle& handle = HandleOf(marker.generator);
  const Issued issued = Take(handle, kNoShard, 1);
  CountBatch(*issued.space->use, 1);
  if (value < IdOf(handle, *issued.space, issued.taken.first)) return;
  ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                  errmsg("sequence \"%s\" cannot be set to %lld", get_rel_name(sequence),
                         static_cast<long long>(value)),
                  errdetail("Generator \"%s\" makes its numbers, and the next ones are smaller.",
                            marker.generator),
                  errhint("If the value is an ID of another server, let a superuser call "
                          "idgen_observe().")));
}

Datum SetValue(FunctionCallInfo fcinfo, bool is_called) {
  const Oid sequence = SequenceArgument(fcinfo);
  const std::int64_t value = PG_GETARG_INT64(1);
  const Marker marker = MarkerOf(sequence);
  // Tickets follow what PostgreSQL's setval() sets.
  if (marker.source != Marker::Source::kGenerator) {
    return DirectFunctionCall3(setval3_oid, ObjectIdGetDatum(sequence), Int64GetDatum(value),
                               BoolGetDatum(is_called));
  }
  (void)EnterSequence(sequence, ACL_UPDATE);
  RefuseAsPostgres("setval()");
  CheckIsBehind(sequence, marker, value);
  return Int64GetDatum(value);
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_compat_nextval);
IDGEN_SQL_FUNCTION(idgen_compat_currval);
IDGEN_SQL_FUNCTION(idgen_compat_lastval);
IDGEN_SQL_FUNCTION(idgen_compat_setval);
IDGEN_SQL_FUNCTION(idgen_compat_setval_called);

Datum idgen_compat_nextval(PG_FUNCTION_ARGS) {
  const Oid sequence = SequenceArgument(fcinfo);
  const Marker marker = MarkerOf(sequence);
  if (marker.source == Marker::Source::kPostgres) {
    const Datum value = DirectFunctionCall1(nextval_oid, ObjectIdGetDatum(sequence));
    NoteLastIsPostgres();
    return value;
  }
  TicketHandle& handle = EnterSequence(sequence, ACL_USAGE | ACL_UPDATE);
  RefuseAsPostgres("nextval()");
  const std::int64_t value = marker.source == Marker::Source::kTickets
                                 ? NextOfTickets(handle, marker)
                                 : NextOfGenerator(sequence, marker);
  NoteLast(handle, value);
  NoteLastValue(sequence, value);
  return Int64GetDatum(value);
}

Datum idgen_compat_currval(PG_FUNCTION_ARGS) {
  const Oid sequence = SequenceArgument(fcinfo);
  if (MarkerOf(sequence).source == Marker::Source::kPostgres) {
    return DirectFunctionCall1(currval_oid, ObjectIdGetDatum(sequence));
  }
  const TicketHandle& handle = EnterSequence(sequence, ACL_SELECT | ACL_USAGE);
  if (handle.has_last == TicketHandle::Last::kNone) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("currval of sequence \"%s\" is not yet defined in this session",
                           get_rel_name(sequence))));
  }
  return Int64GetDatum(handle.last);
}

Datum idgen_compat_lastval(PG_FUNCTION_ARGS) { return Int64GetDatum(LastValue()); }

Datum idgen_compat_setval(PG_FUNCTION_ARGS) { return SetValue(fcinfo, true); }

Datum idgen_compat_setval_called(PG_FUNCTION_ARGS) { return SetValue(fcinfo, PG_GETARG_BOOL(2)); }

}  // extern "C"

}  // namespace idgen::pg

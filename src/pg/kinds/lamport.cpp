// The SQL functions of Lamport clocks: a ticket above, the machine ID below.
//
// The counter is the ticket of a sequence, so it is durable and in order as tickets are. Values are
// unique across servers as long as no two have one machine ID: a value is a pair, and each server's
// counters differ.
#include "core/builtin_layouts.h"
#include "invalidate.h"
#include "settings.h"
#include "source.h"
#include "ticket_handle.h"
#include "ticket_site.h"

namespace idgen::pg {

namespace {

constexpr unsigned kLamportMachineBits = 10;
constexpr std::int64_t kMostLamportMachine = (1 << kLamportMachineBits) - 1;
constexpr std::int64_t kMostLamportCounter = PG_INT64_MAX >> kLamportMachineBits;

std::int64_t ReadMachine() {
  CheckSettings();
  if (SourceOfMachineId() == MachineIdSource::kRegistry) {
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("a Lamport clock needs a machine ID that stays"),
             errdetail("idgen.machine_id_source is registry: another server may get the machine ID "
                       "later, with a counter that is behind."),
             errhint("Use another idgen.machine_id_source.")));
  }
  // Any layout that has the field.
  const auto machine = static_cast<std::int64_t>(IdentityOf({.layout = kSnowflake}).machine);
  if (machine > kMostLamportMachine) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("machine ID %lld does not fit a Lamport clock",
                           static_cast<long long>(machine)),
                    errdetail("It has %u bits: 0 to %lld.", kLamportMachineBits,
                              static_cast<long long>(kMostLamportMachine)),
                    errhint("Set idgen.machine_id to a value from 0 to %lld.",
                            static_cast<long long>(kMostLamportMachine))));
  }
  return machine;
}

std::int64_t LamportMachine() {
  static constinit std::int64_t machine = 0;
  static constinit std::uint64_t read_at = 0;
  if (unlikely(read_at != HandleInvalidations())) {
    const std::uint64_t now = HandleInvalidations();
    machine = ReadMachine();
    read_at = now;
  }
  return machine;
}

// Segments of a ticket server are in no order across servers, and cannot be moved on.
void RefuseFed(const TicketHandle& handle) {
  if (likely(!handle.is_fed)) return;
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("sequence \"%s\" takes its numbers from a ticket server, and a Lamport "
                         "clock counts by itself",
                         get_rel_name(handle.sequence)),
                  errhint("Use a sequence of its own.")));
}

Datum LamportValue(const TicketHandle& handle, std::int64_t counter, std::int64_t machine) {
  if (unlikely(counter < 0 || counter > kMostLamportCounter)) {
    ereport(ERROR,
            (errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
             errmsg("number %lld of sequence \"%s\" is no counter of a Lamport clock",
                    static_cast<long long>(counter), get_rel_name(handle.sequence)),
             errdetail("It goes from 0 to %lld.", static_cast<long long>(kMostLamportCounter))));
  }
  return Int64GetDatum((counter << kLamportMachineBits) | machine);
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_lamport_tick);
IDGEN_SQL_FUNCTION(idgen_lamport_observe);

Datum idgen_lamport_tick(PG_FUNCTION_ARGS) {
  const std::int64_t machine = LamportMachine();
  TicketHandle& handle = TicketArgument(fcinfo);
  const std::int64_t counter = NextTicket(handle);
  RefuseFed(handle);
  return LamportValue(handle, counter, machine);
}

// It moves the sequence as setval() does, and so needs the same privilege.
Datum idgen_lamport_observe(PG_FUNCTION_ARGS) {
  const std::int64_t machine = LamportMachine();
  TicketHandle& handle = TicketArgument(fcinfo);
  const std::int64_t value = PG_GETARG_INT64(1);
  const std::int64_t counter = value >> kLamportMachineBits;
  // Checked before the sequence is moved: nothing comes after the largest.
  if (value < 0 || counter == kMostLamportCounter) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("%lld cannot be observed by a Lamport clock", static_cast<long long>(value)),
             errdetail("Its values go from 0 to %lld, and the last %lld have none after them.",
                       static_cast<long long>(PG_INT64_MAX),
                       static_cast<long long>(kMostLamportMachine + 1))));
  }
  if (!IsReady(handle)) EnterTickets(handle, "lamport_observe()");
  CheckTicketPrivilege(handle, ACL_UPDATE);
  RefuseFed(handle);
  if (handle.increment < 0) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("sequence \"%s\" descends, and a Lamport clock ascends",
                           get_rel_name(handle.sequence))));
  }
  return LamportValue(handle, NextTicketBeyond(handle, counter), machine);
}

}  // extern "C"

}  // namespace idgen::pg

// The SQL functions that show this server's identities, and those that look after the registry.
#include "pg.h"

#include "convert.h"
#include "core/clock.h"
#include "driver.h"
#include "errors.h"
#include "identities.h"
#include "lease.h"
#include "row.h"
#include "registry/postgresql_schema.sql.h"
#include "settings.h"
#include "source.h"

namespace idgen::pg {

namespace {

Column NumberOrNull(std::int32_t number) { return {Int32GetDatum(number), number < 0}; }

const char* SourceName() {
  switch (SourceOfMachineId()) {
    case MachineIdSource::kSetting:
      return "setting";
    case MachineIdSource::kHostname:
      return "hostname";
    case MachineIdSource::kCitus:
      return "citus";
    case MachineIdSource::kRegistry:
      return "registry";
  }
  return nullptr;
}

const char* StateOf(const IdentityEntry& entry) {
  if (IsGranted(entry)) return "granted";
  if (entry.answered == 0) return "asked for";
  switch (entry.answer) {
    case registry::Claim::kGranted:
      return "lost";
    case registry::Claim::kHeld:
      return "held by another";
    case registry::Claim::kBanned:
      return "banned";
    case registry::Claim::kFull:
      return "none is free";
  }
  return nullptr;
}

// What all rows of the view share.
struct View {
  FunctionCallInfo fcinfo;
  List* entries;
  std::int64_t renewed_us;
  char error[sizeof(LeaseState::error)];
};

void KeepEntry(void* context, IdentityEntry& entry) {
  auto& entries = *static_cast<List**>(context);
  // What nobody has asked for in the last ten minutes, and is not granted, is of no interest.
  if (!IsGranted(entry) && MonotonicUs() - entry.asked_us > std::int64_t{600} * 1'000'000) return;
  auto* copy = static_cast<IdentityEntry*>(palloc(sizeof(IdentityEntry)));
  *copy = entry;
  entries = lappend(entries, copy);
}

int CompareEntries(const ListCell* a, const ListCell* b) {
  const registry::Identity& x = static_cast<const IdentityEntry*>(lfirst(a))->identity;
  const registry::Identity& y = static_cast<const IdentityEntry*>(lfirst(b))->identity;
  if (x.datacenter != y.datacenter) return x.datacenter < y.datacenter ? -1 : 1;
  if (x.machine != y.machine) return x.machine < y.machine ? -1 : 1;
  return x.shard < y.shard ? -1 : static_cast<int>(x.shard > y.shard);
}

void ShowLeases(FunctionCallInfo fcinfo) {
  LeaseState& state = SharedRoot().lease;
  char error[sizeof(state.error)];
  LWLockAcquire(&state.lock, LW_SHARED);
  const std::int64_t renewed_us = state.renewed_us;
  strlcpy(error, state.error, sizeof(error));
  LWLockRelease(&state.lock);
  List* entries = NIL;
  ForEachIdentity(KeepEntry, &entries);
  list_sort(entries, CompareEntries);
  ListCell* cell;
  foreach (cell, entries) {
    const auto& entry = *static_cast<const IdentityEntry*>(lfirst(cell));
    const bool granted = IsGranted(entry);
    // What was granted has a row of its own.
    if (entry.identity.machine == kAnyMachine && granted) continue;
    const char* problem = *error != '\0' ? error : nullptr;
    if (problem == nullptr && !granted && *entry.holder != '\0') {
      problem = psprintf("held by \"%s\"", entry.holder);
    }
    PutRow(fcinfo, {CStringGetTextDatum(SourceName()), NumberOrNull(entry.identity.datacenter),
                    NumberOrNull(entry.identity.machine), NumberOrNull(entry.identity.shard),
                    CStringGetTextDatum(StateOf(entry)),
                    granted ? TimeOrNull(UntilMs(GrantAt(entry.grant)) * 1000) : kNull,
                    renewed_us != 0 ? TimeOrNull(renewed_us) : kNull, TextOrNull(problem)});
  }
}

// The one identity of a server without a registry.
void ShowSettings(FunctionCallInfo fcinfo) {
  GeneratorDefinition snowflake{.layout = *FindReservedLayout("snowflake")};
  Identity identity = IdentityFromSettings();
  const char* volatile problem = nullptr;
  MemoryContext context = CurrentMemoryContext;
  PG_TRY();
  { identity = IdentityOf(snowflake); }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    problem = CopyErrorData()->message;
    FlushErrorState();
  }
  PG_END_TRY();
  const bool known = problem == nullptr;
  PutRow(fcinfo,
         {CStringGetTextDatum(SourceName()), Int32GetDatum(static_cast<int32>(identity.datacenter)),
          Column{Int32GetDatum(static_cast<int32>(identity.machine)), !known},
          Column{Int32GetDatum(static_cast<int32>(identity.shard)), !ShardIsSet()},
          CStringGetTextDatum(known ? "without a lease" : "unknown"), kNull, kNull,
          TextOrNull(problem)});
}

// --- The registry -------------------------------------------------------------------------------

// Ends the driver's call when the statement is cancelled.
bool WaitInSession(void*, int socket, bool read, bool write, std::int64_t us) {
  (void)WaitForRegistry(socket, read, write, us);
  return InterruptPending == 0;
}
std::int64_t MonotonicInSession(void*) { return MonotonicUs(); }

constexpr registry::Host kHost{nullptr, WaitInSession, MonotonicInSession};

// One connection of this session to the registry.
struct Access {
  const registry::Driver& driver;
  registry::Connection* connection;
  std::int64_t deadline_us;
  registry::Error error;
};

void CheckAnswer(registry::Status status, const registry::Error& error) {
  if (status == registry::Status::kDone) return;
  CHECK_FOR_INTERRUPTS();
  ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE),
                  errmsg("registry of identities does not answer: %s", error.message)));
}

template <typename Work>
void WithRegistry(Work&& work) {
  if (!LeasesAreOn()) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("no registry of identities is set"), errhint("Set idgen.registry.")));
  }
  Access access{DriverFor(RegistryAddress()),
                nullptr,
                MonotonicUs() + std::int64_t{MaxLeaseWaitMs()} * 1000,
                {}};
  access.connection =
      access.driver.open(RegistryAddress(), kHost, access.deadline_us, access.error);
  if (access.connection == nullptr) CheckAnswer(registry::Status::kFailed, access.error);
  PG_TRY();
  { work(access); }
  PG_FINALLY();
  { access.driver.close(access.connection); }
  PG_END_TRY();
}

void KeepListed(void* context, const registry::Listed& listed) {
  auto& all = *static_cast<List**>(context);
  auto* copy = static_cast<registry::Listed*>(palloc(sizeof(registry::Listed)));
  *copy = listed;
  all = lappend(all, copy);
}

List* ListOf(Access& access) {
  List* all = NIL;
  CheckAnswer(access.driver.list(access.connection, RegistryPool(), KeepListed, &all,
                                 access.deadline_us, access.error),
              access.error);
  return all;
}

// An argument that is a field of an identity; NULL: kNone.
std::int32_t FieldArgument(FunctionCallInfo fcinfo, int argument, const char* name) {
  if (PG_ARGISNULL(argument)) return registry::kNone;
  const std::int32_t value = PG_GETARG_INT32(argument);
  if (value < 0) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s %d is negative", name, value)));
  }
  return value;
}

// The machine or shard that a function names, of one datacenter or (kNone) of any.
registry::Identity IdentityArgument(FunctionCallInfo fcinfo, int machine, int shard,
                                    int datacenter) {
  const registry::Identity identity{FieldArgument(fcinfo, datacenter, "datacenter_id"),
                                    FieldArgument(fcinfo, machine, "machine_id"),
                                    FieldArgument(fcinfo, shard, "shard_id")};
  if ((identity.machine >= 0) == (identity.shard >= 0)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("name either a machine ID or a shard")));
  }
  return identity;
}

bool IsMeant(const registry::Identity& wanted, const registry::Identity& found) {
  return wanted.machine == found.machine && wanted.shard == found.shard &&
         (wanted.datacenter == registry::kNone || wanted.datacenter == found.datacenter);
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_get_leases);
IDGEN_SQL_FUNCTION(idgen_registry_schema);
IDGEN_SQL_FUNCTION(idgen_registry_list);
IDGEN_SQL_FUNCTION(idgen_registry_release);
IDGEN_SQL_FUNCTION(idgen_registry_ban);

Datum idgen_get_leases(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  if (LeasesAreOn()) {
    ShowLeases(fcinfo);
  } else {
    ShowSettings(fcinfo);
  }
  return Datum{0};
}

Datum idgen_registry_schema(PG_FUNCTION_ARGS) {
  PG_RETURN_TEXT_P(cstring_to_text(registry::kPostgresqlSchema));
}

Datum idgen_registry_list(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  WithRegistry([&](Access& access) {
    ListCell* cell;
    foreach (cell, ListOf(access)) {
      const auto& row = *static_cast<const registry::Listed*>(lfirst(cell));
      Interval rest{row.expires_in_ms * 1000, 0, 0};
      PutRow(fcinfo, {NumberOrNull(row.identity.datacenter), NumberOrNull(row.identity.machine),
                      NumberOrNull(row.identity.shard),
                      CStringGetTextDatum(row.banned ? "banned"
                                          : row.held ? "held"
                                                     : "free"),
                      TextOrNull(*row.holder != '\0' ? row.holder : nullptr),
                      row.used_until_ms > 0 ? TimeOrNull(row.used_until_ms * 1000) : kNull,
                      Column{PointerGetDatum(&rest), !row.held}});
    }
  });
  return Datum{0};
}

// Ends the holders of a machine ID or shard. Returns how many were living.
Datum idgen_registry_release(PG_FUNCTION_ARGS) {
  const registry::Identity wanted = IdentityArgument(fcinfo, 0, 1, 2);
  std::int32_t ended = 0;
  WithRegistry([&](Access& access) {
    ListCell* cell;
    foreach (cell, ListOf(access)) {
      const auto& row = *static_cast<const registry::Listed*>(lfirst(cell));
      if (!IsMeant(wanted, row.identity)) continue;
      bool found = false;
      CheckAnswer(access.driver.evict(access.connection, RegistryPool(), row.identity, found,
                                      access.deadline_us, access.error),
                  access.error);
      if (found) ++ended;
    }
  });
  PG_RETURN_INT32(ended);
}

// Bans a machine ID or shard, or allows it again: with the datacenter, and for layouts without that
// field.
Datum idgen_registry_ban(PG_FUNCTION_ARGS) {
  registry::Identity identity = IdentityArgument(fcinfo, 0, 2, 3);
  if (PG_ARGISNULL(1)) {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("banned must not be NULL")));
  }
  const bool banned = PG_GETARG_BOOL(1);
  if (identity.datacenter == registry::kNone) {
    identity.datacenter = static_cast<std::int32_t>(IdentityFromSettings().datacenter);
  }
  WithRegistry([&](Access& access) {
    for (const std::int32_t datacenter : {identity.datacenter, registry::kNone}) {
      identity.datacenter = datacenter;
      CheckAnswer(access.driver.ban(access.connection, RegistryPool(), identity, banned,
                                    access.deadline_us, access.error),
                  access.error);
    }
  });
  PG_RETURN_VOID();
}

}  // extern "C"

}  // namespace idgen::pg

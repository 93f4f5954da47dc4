// The SQL functions that look after the registry.
#include "pg.h"

#include "registry.h"

#include "core/clock.h"
#include "driver.h"
#include "lease.h"
#include "registry/postgresql_schema.sql.h"
#include "row.h"
#include "settings.h"

namespace idgen::pg {

namespace {

// Ends the driver's call when the statement is cancelled.
bool WaitInSession(void*, int socket, bool read, bool write, std::int64_t us) {
  (void)WaitForRegistry(socket, read, write, us);
  return InterruptPending == 0;
}
std::int64_t MonotonicInSession(void*) { return MonotonicUs(); }

constexpr registry::Host kHost{nullptr, WaitInSession, MonotonicInSession};

void KeepListed(void* context, const registry::Listed& listed) {
  auto& all = *static_cast<List**>(context);
  auto* copy = static_cast<registry::Listed*>(palloc(sizeof(registry::Listed)));
  *copy = listed;
  all = lappend(all, copy);
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

// The machine or shard that a function names, of the datacenter that it names or else this
// server's. The same machine or shard of layouts without a datacenter is meant as well.
registry::Identity IdentityArgument(FunctionCallInfo fcinfo, int machine, int shard,
                                    int datacenter) {
  registry::Identity identity{FieldArgument(fcinfo, datacenter, "datacenter_id"),
                              FieldArgument(fcinfo, machine, "machine_id"),
                              FieldArgument(fcinfo, shard, "shard_id")};
  if ((identity.machine >= 0) == (identity.shard >= 0)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("name either a machine ID or a shard")));
  }
  if (identity.datacenter == registry::kNone) {
    identity.datacenter = static_cast<std::int32_t>(IdentityFromSettings().datacenter);
  }
  return identity;
}

bool IsMeant(const registry::Identity& wanted, const registry::Identity& found) {
  return wanted.machine == found.machine && wanted.shard == found.shard &&
         (found.datacenter == registry::kNone || found.datacenter == wanted.datacenter);
}

}  // namespace

void CheckAnswer(registry::Status status, const registry::Error& error) {
  if (status == registry::Status::kDone) return;
  CHECK_FOR_INTERRUPTS();
  ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE),
                  errmsg("registry of identities does not answer: %s", error.message)));
}

RegistryAccess OpenRegistry() {
  if (!LeasesAreOn()) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("no registry of identities is set"), errhint("Set idgen.registry.")));
  }
  RegistryAccess access{DriverFor(RegistryAddress()),
                        nullptr,
                        MonotonicUs() + std::int64_t{MaxLeaseWaitMs()} * 1000,
                        {}};
  access.connection =
      access.driver.open(RegistryAddress(), kHost, access.deadline_us, access.error);
  if (access.connection == nullptr) CheckAnswer(registry::Status::kFailed, access.error);
  return access;
}

List* ListedIdentities(RegistryAccess& access) {
  List* all = NIL;
  CheckAnswer(access.driver.list(access.connection, RegistryPool(), KeepListed, &all,
                                 access.deadline_us, access.error),
              access.error);
  return all;
}

extern "C" {

IDGEN_SQL_FUNCTION(idgen_registry_schema);
IDGEN_SQL_FUNCTION(idgen_registry_list);
IDGEN_SQL_FUNCTION(idgen_registry_release);
IDGEN_SQL_FUNCTION(idgen_registry_ban);

Datum idgen_registry_schema(PG_FUNCTION_ARGS) {
  PG_RETURN_TEXT_P(cstring_to_text(registry::kPostgresqlSchema));
}

Datum idgen_registry_list(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  WithRegistry([&](RegistryAccess& access) {
    ListCell* cell;
    foreach (cell, ListedIdentities(access)) {
      const auto& row = *static_cast<const registry::Listed*>(lfirst(cell));
      PutRow(fcinfo, {NumberOrNull(row.identity.datacenter), NumberOrNull(row.identity.machine),
                      NumberOrNull(row.identity.shard),
                      CStringGetTextDatum(row.banned ? "banned"
                                          : row.held ? "held"
                                                     : "free"),
                      TextOrNull(row.holder),
                      row.used_until_ms > 0 ? TimeOrNull(row.used_until_ms * 1000) : kNull,
                      Column{IntervalDatum(row.expires_in_ms * 1000), !row.held},
                      Column{IntervalDatum(row.clock.offset_us), !row.clock.known},
                      Column{IntervalDatum(row.clock.error_us), !row.clock.known}});
    }
  });
  return Datum{0};
}

// Ends the holders of a machine ID or shard. Returns how many were living.
Datum idgen_registry_release(PG_FUNCTION_ARGS) {
  const registry::Identity wanted = IdentityArgument(fcinfo, 0, 1, 2);
  std::int32_t ended = 0;
  WithRegistry([&](RegistryAccess& access) {
    ListCell* cell;
    foreach (cell, ListedIdentities(access)) {
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

// Bans a machine ID or shard, or allows it again.
Datum idgen_registry_ban(PG_FUNCTION_ARGS) {
  registry::Identity identity = IdentityArgument(fcinfo, 0, 2, 3);
  if (PG_ARGISNULL(1)) {
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("banned must not be NULL")));
  }
  const bool banned = PG_GETARG_BOOL(1);
  WithRegistry([&](RegistryAccess& access) {
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

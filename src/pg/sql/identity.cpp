// The view of this server's identities.
#include "pg.h"

#include "convert.h"
#include "identities.h"
#include "core/clock.h"
#include "lease.h"
#include "row.h"
#include "settings.h"
#include "source.h"

namespace idgen::pg {

namespace {

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
  return static_cast<int>(x > y) - static_cast<int>(x < y);
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
  const Column renewed = renewed_us != 0 ? TimeOrNull(renewed_us) : kNull;
  if (entries == NIL) {
    PutRow(fcinfo, {CStringGetTextDatum(SourceName()), kNull, kNull, kNull,
                    CStringGetTextDatum(RecoveryInProgress() ? "standby" : "not asked for"), kNull,
                    renewed, TextOrNull(error)});
  }
  ListCell* cell;
  foreach (cell, entries) {
    const auto& entry = *static_cast<const IdentityEntry*>(lfirst(cell));
    const bool granted = IsGranted(entry);
    // What was granted has a row of its own.
    if (entry.identity.machine == kAnyMachine && granted) continue;
    const char* problem = error;
    if (*error == '\0' && !granted && *entry.holder != '\0') {
      problem = psprintf("held by \"%s\"", entry.holder);
    }
    PutRow(fcinfo, {CStringGetTextDatum(SourceName()), NumberOrNull(entry.identity.datacenter),
                    NumberOrNull(entry.identity.machine), NumberOrNull(entry.identity.shard),
                    CStringGetTextDatum(StateOf(entry)),
                    granted ? TimeOrNull(UntilMs(GrantAt(entry.grant)) * 1000) : kNull, renewed,
                    TextOrNull(problem)});
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

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_get_leases);

Datum idgen_get_leases(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  if (LeasesAreOn()) {
    ShowLeases(fcinfo);
  } else {
    ShowSettings(fcinfo);
  }
  return Datum{0};
}

}  // extern "C"

}  // namespace idgen::pg

// What the registry says of this server's identity, before the first ID asks for it.
#include "config.h"

#include "core/clock.h"
#include "errors.h"
#include "identities.h"
#include "registry.h"
#include "settings.h"
#include "source.h"

namespace idgen::pg {

namespace {

void KeepGranted(void* context, IdentityEntry& entry) {
  auto& granted = *static_cast<List**>(context);
  if (!IsGranted(entry)) return;
  auto* const identity = static_cast<registry::Identity*>(palloc(sizeof(registry::Identity)));
  *identity = entry.identity;
  granted = lappend(granted, identity);
}

bool Has(const List* identities, const registry::Identity& identity) {
  ListCell* cell;
  foreach (cell, identities) {
    if (*static_cast<registry::Identity*>(lfirst(cell)) == identity) return true;
  }
  return false;
}

// The one machine ID that this server claims.
void FindOwnNumber(Findings& findings, const List* listed, const List* granted) {
  const GeneratorDefinition snowflake{.layout = *FindReservedLayout("snowflake")};
  const Identity own = IdentityOf(snowflake);
  ListCell* cell;
  foreach (cell, listed) {
    const auto& row = *static_cast<const registry::Listed*>(lfirst(cell));
    const bool is_own = row.identity.machine == static_cast<std::int64_t>(own.machine) &&
                        (row.identity.datacenter == registry::kNone ||
                         row.identity.datacenter == static_cast<std::int64_t>(own.datacenter));
    if (!is_own || Has(granted, row.identity)) continue;
    if (row.banned) {
      findings.Add(Severity::kError, "registry",
                   psprintf("%s is banned in the registry", IdentityName(row.identity)),
                   "See idgen_registry_list() and idgen_registry_ban().");
    } else if (row.held && row.expires_in_ms > 0) {
      findings.Add(Severity::kError, "registry",
                   psprintf("%s is held by \"%s\"", IdentityName(row.identity), row.holder),
                   "Give this server another one. If the holder is an earlier run of this server, "
                   "wait for idgen.lease_term.");
    }
  }
}

// A pool without a machine ID for this server or the next one.
void FindFullPool(Findings& findings, const List* listed, const List* granted) {
  const auto datacenter = static_cast<std::int64_t>(IdentityFromSettings().datacenter);
  int used = 0;
  ListCell* cell;
  foreach (cell, listed) {
    const auto& row = *static_cast<const registry::Listed*>(lfirst(cell));
    const bool is_used = row.banned || (row.held && row.expires_in_ms > 0);
    if (is_used && row.identity.datacenter == datacenter && row.identity.machine >= 0 &&
        row.identity.machine < RegistryMachines()) {
      ++used;
    }
  }
  if (used < RegistryMachines()) return;
  findings.Add(granted == NIL ? Severity::kError : Severity::kWarning, "registry",
               psprintf("no machine ID of pool \"%s\" is free: %d of %d are held or banned",
                        RegistryPool(), used, RegistryMachines()),
               "See idgen_registry_list(). Release or allow one, or raise "
               "idgen.registry_machines as far as the layouts have room.");
}

}  // namespace

void FindInRegistry(Findings& findings) {
  List* granted = NIL;
  ForEachIdentity(KeepGranted, &granted);
  WithRegistry([&](RegistryAccess& access) {
    const List* const listed = ListedIdentities(access);
    if (SourceOfMachineId() == MachineIdSource::kRegistry) {
      FindFullPool(findings, listed, granted);
    } else {
      FindOwnNumber(findings, listed, granted);
    }
  });
}

}  // namespace idgen::pg

#include "source.h"

#include <cctype>
#include <unistd.h>

#include "lease.h"
#include "settings.h"

namespace idgen::pg {

namespace {

[[noreturn]] void ReportSource(const char* message, const char* detail, const char* hint) {
  ereport(ERROR, (errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("%s", message),
                  errdetail("%s", detail), errhint("%s", hint)));
  pg_unreachable();
}

// The number at the end of the host's name, as a StatefulSet of Kubernetes gives it: 2 of
// "pg-2.svc". The domain does not count.
std::int64_t NumberOfHost() {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0) {
    ereport(ERROR, (errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("host has no name: %m")));
  }
  std::size_t end = strcspn(name, ".");
  std::size_t begin = end;
  while (begin > 0 && isdigit(static_cast<unsigned char>(name[begin - 1])) != 0) --begin;
  std::int64_t number = 0;
  for (std::size_t i = begin; i < end && number <= PG_INT32_MAX; ++i) {
    number = 10 * number + (name[i] - '0');
  }
  if (begin == end || number > PG_INT32_MAX) {
    ReportSource(
        "host name does not give a machine ID",
        psprintf("The host is called \"%s\", and idgen.machine_id_source is hostname.", name),
        "Use a name that ends in a small number, or another idgen.machine_id_source.");
  }
  return number + static_cast<std::int64_t>(IdentityFromSettings().machine);
}

// The group of this node of a Citus cluster: 0 for the coordinator.
std::int64_t CitusGroup() {
  constexpr char kTable[] = "pg_dist_local_group";
  const char* const detail = "idgen.machine_id_source is citus.";
  const Oid table = get_relname_relid(kTable, PG_CATALOG_NAMESPACE);
  if (!OidIsValid(table) || get_atttype(table, 1) != INT4OID) {
    ReportSource("this database has no Citus to give a machine ID", detail,
                 "Create the extension citus, or use another idgen.machine_id_source.");
  }
  Relation relation = relation_open(table, AccessShareLock);
  SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, nullptr, 0, nullptr);
  HeapTuple row = systable_getnext(scan);
  bool null = true;
  const std::int64_t group =
      row != nullptr ? DatumGetInt32(heap_getattr(row, 1, RelationGetDescr(relation), &null))
                     : kNoMachine;
  systable_endscan(scan);
  relation_close(relation, AccessShareLock);
  // -2: Citus is being upgraded.
  if (null || group < 0) {
    ReportSource("this Citus node has no group yet", detail,
                 "Add it to the cluster, or end its upgrade with citus_finish_pg_upgrade().");
  }
  return group;
}

std::int64_t MachineOf(const Layout& layout, const Identity& settings, bool may_ask_registry) {
  switch (SourceOfMachineId()) {
    case MachineIdSource::kSetting:
      break;
    case MachineIdSource::kHostname:
      return NumberOfHost();
    case MachineIdSource::kCitus:
      return CitusGroup();
    case MachineIdSource::kRegistry:
      if (!may_ask_registry) break;
      if (!LeasesAreOn()) {
        ReportSource("there is no registry to give a machine ID",
                     "idgen.machine_id_source is registry.", "Set idgen.registry.");
      }
      return MachineFromRegistry(layout.Has(FieldKind::kDatacenter)
                                     ? static_cast<std::int32_t>(settings.datacenter)
                                     : registry::kNone);
  }
  return static_cast<std::int64_t>(settings.machine);
}

}  // namespace

Identity IdentityOf(const GeneratorDefinition& generator, bool may_ask_registry) {
  Identity identity = IdentityFromSettings();
  for (const IdentityField& field : kIdentityFields) {
    if (generator.*field.fixed >= 0) identity.*field.value = AsField(generator.*field.fixed);
  }
  if (generator.machine_id < 0 && generator.layout.Has(FieldKind::kMachine)) {
    identity.machine = AsField(MachineOf(generator.layout, identity, may_ask_registry));
  }
  return identity;
}

const char* HintForMisfit(const Layout& layout, FieldKind kind) {
  const auto most = static_cast<unsigned long long>(layout[kind].Largest());
  const MachineIdSource source = SourceOfMachineId();
  if (kind == FieldKind::kMachine && source == MachineIdSource::kRegistry) {
    return psprintf(
        "Set idgen.registry_machines to %llu at most, or use a layout with a wider "
        "machine field.",
        most + 1);
  }
  if (kind == FieldKind::kMachine && source != MachineIdSource::kSetting) {
    return "It comes from idgen.machine_id_source. Use a layout with a wider machine field.";
  }
  for (const IdentityField& field : kIdentityFields) {
    if (field.kind != kind) continue;
    // IDs of 128 bits have no generators.
    const bool has_others = layout.TotalBits() <= kMostLayoutBits;
    return psprintf("Set idgen.%s to a value from 0 to %llu%s.", field.name, most,
                    has_others ? ", or use a generator with an identity of its own" : "");
  }
  return nullptr;
}

}  // namespace idgen::pg

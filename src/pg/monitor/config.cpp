// The SQL functions behind idgen_check_config().
#include "config.h"

#include <cstdlib>

#include "catalog.h"
#include "citus.h"
#include "clock_step.h"
#include "core/kernel_clock.h"
#include "errors.h"
#include "guc.h"
#include "lease.h"
#include "row.h"
#include "settings.h"
#include "shared.h"
#include "source.h"
#include "try.h"

namespace idgen::pg {

namespace {

constexpr std::int64_t kYearUs = std::int64_t{365} * USECS_PER_DAY;
constexpr std::int64_t kSecondUs = 1'000'000;
// As monitoring/alerts.yaml has it.
constexpr std::int64_t kClocksApartUs = kSecondUs / 2;

const char* SeverityText(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNotice:
      return "notice";
  }
  return nullptr;
}

void PutFindings(FunctionCallInfo fcinfo, const Findings& findings) {
  findings.ForEach([fcinfo](const Finding& finding) {
    PutRow(fcinfo,
           {CStringGetTextDatum(SeverityText(finding.severity)), CStringGetTextDatum(finding.topic),
            CStringGetTextDatum(finding.message), TextOrNull(finding.hint)});
  });
}

// --- The clock ----------------------------------------------------------------------------------

void FindInKernelClock(Findings& findings) {
  const std::int64_t limit_us = MaxClockErrorUs();
  if (limit_us == 0) return;
  KernelClock clock;
  const int denied = ReadKernelClock(clock);
  if (denied != 0) {
    findings.Add(
        Severity::kNotice, "not checked",
        psprintf("kernel does not say whether the clock is synchronized: %s", strerror(denied)),
        "See the time synchronization of the host, or set idgen.max_clock_error = 0.");
    return;
  }
  if (StateOf(clock, limit_us) == ClockState::kSynchronized) return;
  constexpr char kHint[] =
      "Check the time synchronization of this machine, for example with \"timedatectl\" or "
      "\"chronyc tracking\".";
  static constinit const config_generic* limit = nullptr;
  const ClockState state = StateOf(clock, limit_us);
  // As the log is told (HealthAfter).
  if (state == ClockState::kStale || WasSet("idgen.max_clock_error", limit)) {
    findings.Add(Severity::kWarning, "clock",
                 psprintf("clock of this machine is not synchronized, and may be wrong by %s",
                          DurationText(clock.max_error_us)),
                 kHint);
  } else {
    findings.Add(Severity::kNotice, "clock",
                 "kernel does not know of any synchronization of this machine's clock",
                 "In a container or a virtual machine whose host keeps the time that is normal: "
                 "idgen.max_clock_error = 0 says so. Otherwise set up chrony or the like.");
  }
}

void FindInRegistryClock(Findings& findings) {
  if (!LeasesAreOn()) return;
  LeaseState& state = SharedRoot().lease;
  LWLockAcquire(&state.lock, LW_SHARED);
  const std::int64_t offset_us = state.clock_known ? state.clock_offset_us : 0;
  const std::int64_t error_us = state.clock_error_us;
  LWLockRelease(&state.lock);
  if (std::abs(offset_us) - error_us <= kClocksApartUs) return;
  findings.Add(Severity::kWarning, "clock",
               psprintf("clock of this server is %s %s the registry's",
                        DurationText(std::abs(offset_us)), offset_us > 0 ? "ahead of" : "behind"),
               "The view idgen_fleet_clock shows the clocks of all servers. An identity that is "
               "handed on makes its next holder wait.");
}

// --- The mark -----------------------------------------------------------------------------------

// In milliseconds since 1970, of this database.
void FindInMark(Findings& findings, std::int64_t mark_ms, std::int64_t held_until_ms,
                std::int64_t fresh_machine) {
  const Root& shared = SharedRoot();
  const std::int64_t now_us = WallClockUs();
  if (LoadShared(shared.restart_needed) != 0) {
    findings.Add(Severity::kError, "mark",
                 "no IDs are made until the server is restarted: idgen_start_over() was called",
                 "Set idgen.machine_id to the machine ID that was given to it, and restart.");
  }
  if (RefusedStepUs(shared.events) != 0) {
    findings.Add(Severity::kError, "clock",
                 psprintf("no IDs are made: the clock was set forward by %s",
                          DurationText(RefusedStepUs(shared.events))),
                 "Correct it, or call idgen_accept_clock().");
  }
  const GuardSettings guard = GuardFromSettings();
  const std::int64_t ahead_us = mark_ms * 1000 - now_us;
  const std::int64_t usual_us = std::int64_t{ReserveWindowMs()} * 1000 + guard.max_clock_wait_us +
                                guard.max_clock_lead_us + kSecondUs;
  if (ahead_us > usual_us) {
    findings.Add(RecoveryInProgress() ? Severity::kWarning : Severity::kError, "mark",
                 psprintf("high-water mark of this database is %s ahead of the clock",
                          DurationText(ahead_us)),
                 RecoveryInProgress()
                     ? "The clock of this standby is behind its primary's, or the primary's was "
                       "ahead. After a promotion IDs have to wait for that time."
                     : "If the clock is wrong, correct it. If it was ahead, IDs have to wait for "
                       "that time; docs/operations.md has the ways out.");
  }
  if (held_until_ms * 1000 > now_us) {
    const bool is_fresh =
        SourceOfMachineId() == MachineIdSource::kSetting &&
        static_cast<std::int64_t>(IdentityFromSettings().machine) == fresh_machine;
    findings.Add(
        is_fresh ? Severity::kNotice : Severity::kError, "mark",
        fresh_machine >= 0
            ? psprintf("only machine ID %lld makes IDs until %s",
                       static_cast<long long>(fresh_machine), InstantText(held_until_ms * 1000))
            : psprintf("no IDs are made until %s", InstantText(held_until_ms * 1000)),
        "idgen_start_over() was called, since the clock had been ahead.");
  }
}

// --- The lease ----------------------------------------------------------------------------------

// A failure that the worker met; else nullptr. In the current memory context.
const char* FailureOfLease() {
  LeaseState& state = SharedRoot().lease;
  char error[sizeof(state.error)] = {};
  LWLockAcquire(&state.lock, LW_SHARED);
  if (state.failed_us != 0) strlcpy(error, state.error, sizeof(error));
  LWLockRelease(&state.lock);
  return *error != '\0' ? pstrdup(error) : nullptr;
}

// Whether the caller may call idgen_registry_list(), in the schema of `function`.
bool MayAskRegistry(Oid function) {
  oidvector* const none = buildoidvector(nullptr, 0);
  const Oid list =
      GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("idgen_registry_list"),
                      PointerGetDatum(none), ObjectIdGetDatum(get_func_namespace(function)));
  return OidIsValid(list) &&
         DatumGetBool(DirectFunctionCall2(has_function_privilege_id, ObjectIdGetDatum(list),
                                          CStringGetTextDatum("EXECUTE")));
}

void FindInLease(Findings& findings, Oid function) {
  if (!LeasesAreOn()) return;
  if (!IsPreloaded()) {
    findings.Add(Severity::kWarning, "preload", "idgen.registry is set, and idgen is not preloaded",
                 "The worker that holds this server's identities starts with the first ID, which "
                 "waits for it. Set shared_preload_libraries = 'idgen'.");
  }
  if (RecoveryInProgress()) return;
  FindInFleet(findings);
  const char* failure = FailureOfLease();
  if (failure == nullptr && MayAskRegistry(function)) {
    const ErrorData* const error = Try([&] { FindInRegistry(findings); });
    if (error != nullptr) failure = error->message;
  }
  if (failure == nullptr) return;
  findings.Add(Severity::kError, "registry", psprintf("registry does not answer: %s", failure),
               "IDs are made as long as what it has granted lasts. See the view idgen_identity.");
}

void FindInTicketServers(Findings& findings) {
  if (*TicketServers() == '\0' || IsPreloaded() ||
      SourceOfSetting("idgen.ticket_servers") != PGC_S_FILE) {
    return;
  }
  findings.Add(Severity::kWarning, "preload",
               "idgen.ticket_servers is set, and idgen is not preloaded",
               "The worker that fetches numbers starts with the first order, which waits for it. "
               "Set shared_preload_libraries = 'idgen'.");
}

// What this caller may not see.
void AddUnchecked(Findings& findings, Oid function, bool files) {
  StringInfoData parts;
  initStringInfo(&parts);
  if (!files) appendStringInfoString(&parts, "the server's files");
  const bool registry = !LeasesAreOn() || MayAskRegistry(function);
  if (!registry) appendStringInfo(&parts, "%sthe registry", parts.len > 0 ? ", " : "");
  if (parts.len == 0) return;
  findings.Add(Severity::kNotice, "not checked",
               psprintf("not checked for lack of privileges: %s", parts.data),
               files ? "It takes EXECUTE on idgen_registry_list()."
                     : "Call it as a superuser, or with SELECT on pg_file_settings and EXECUTE on "
                       "pg_show_all_file_settings() and idgen_registry_list().");
}

// --- Generators ---------------------------------------------------------------------------------

// The identity that IDs of a generator get by the settings, without asking the registry: its
// largest machine ID stands for all. Returns false if the source has no number, which is said
// elsewhere.
bool LikelyIdentity(const GeneratorDefinition& generator, Identity& identity) {
  identity = IdentityFromSettings();
  switch (SourceOfMachineId()) {
    case MachineIdSource::kSetting:
      return true;
    case MachineIdSource::kRegistry:
      identity.machine = AsField(RegistryMachines() - 1);
      return true;
    case MachineIdSource::kHostname:
    case MachineIdSource::kCitus:
      break;
  }
  return Try([&] { identity = IdentityOf(generator); }) == nullptr;
}

void FindMisfits(Findings& findings, const char* name, const GeneratorDefinition& generator,
                 const Identity& identity, bool is_given) {
  const Layout& layout = generator.layout;
  for (const IdentityField& field : kIdentityFields) {
    if (generator.*field.fixed >= 0 || !layout.Has(field.kind)) continue;
    // The settings of a database or a role do not say what another source gives.
    if (is_given && field.kind == FieldKind::kMachine &&
        SourceOfMachineId() != MachineIdSource::kSetting) {
      continue;
    }
    const std::uint64_t value = identity.*field.value;
    const std::uint64_t room = layout[field.kind].Largest() + 1;
    if (value < room) continue;
    const bool may_be =
        field.kind == FieldKind::kMachine && SourceOfMachineId() == MachineIdSource::kRegistry;
    const char* const message =
        may_be ? psprintf("idgen.registry_machines is %d, and generator \"%s\" has room for %llu",
                          RegistryMachines(), name, static_cast<unsigned long long>(room))
               : psprintf("%s ID %llu is out of range for generator \"%s\"",
                          NameOfField(field.kind).data(), static_cast<unsigned long long>(value),
                          name);
    findings.Add(may_be ? Severity::kWarning : Severity::kError, "identity", message,
                 HintForMisfit(layout, field.kind));
  }
}

void FindInLayouts(Findings& findings, const char* name, const GeneratorDefinition& generator) {
  const Layout& layout = generator.layout;
  const Layout last = LayoutsOf(generator).last();
  const std::int64_t now_us = WallClockUs();
  const std::int64_t ends_us = last.StartOfTick(last.MaxTick() + 1);
  const std::int64_t left_us = ends_us - now_us;
  constexpr char kHint[] =
      "Plan the change to another layout. The view idgen_layouts shows how long each one lasts.";
  if (left_us <= 0) {
    findings.Add(Severity::kError, "layout",
                 psprintf("layout of generator \"%s\" ended at %s", name, InstantText(ends_us)),
                 "Use a generator of another layout.");
  } else if (left_us < 10 * kYearUs) {
    findings.Add(left_us < 2 * kYearUs ? Severity::kWarning : Severity::kNotice, "layout",
                 psprintf("layout of generator \"%s\" ends at %s", name, InstantText(ends_us)),
                 kHint);
  }
  if (layout.TickAt(now_us) < 0) {
    findings.Add(Severity::kError, "clock",
                 psprintf("clock shows a time before the epoch of generator \"%s\"", name),
                 "Correct the clock.");
  }
  if (static_cast<std::uint64_t>(BlockSize()) >= layout.IdsPerTick() && BlockSize() > 1) {
    findings.Add(Severity::kWarning, "settings",
                 psprintf("idgen.block_size is %d, and generator \"%s\" has %llu IDs in a tick",
                          BlockSize(), name, static_cast<unsigned long long>(layout.IdsPerTick())),
                 "One session takes all IDs of a tick, and the others wait for the next one.");
  }
}

// The arguments of idgen_check_generator().
enum Argument { kRowType, kGenerator, kFirstField };

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_get_findings);
IDGEN_SQL_FUNCTION(idgen_check_generator);
IDGEN_SQL_FUNCTION(idgen_check_setting);

Datum idgen_get_findings(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  const Oid function = fcinfo->flinfo->fn_oid;
  Findings findings;
  FindInSettings(findings);
  FindInKernelClock(findings);
  FindInRegistryClock(findings);
  FindInMark(findings, PG_GETARG_INT64(1), PG_GETARG_INT64(2),
             PG_ARGISNULL(3) ? kNoMachine : PG_GETARG_INT64(3));
  FindInLease(findings, function);
  FindInTicketServers(findings);
  if (IsCitusWithoutIdentity()) {
    findings.Add(Severity::kError, "identity",
                 "this Citus node makes IDs of machine 0, and was never told to",
                 "All nodes do so until they are told otherwise. Set idgen.machine_id_source = "
                 "'citus', or a machine ID on each node, also where 0 is meant.");
  }
  const ErrorData* const error = Try([&] { FindInFiles(findings); });
  const bool is_denied = error != nullptr && error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE;
  if (error != nullptr && !is_denied) {
    findings.Add(Severity::kNotice, "not checked",
                 psprintf("the server's files: %s", error->message), nullptr);
  }
  AddUnchecked(findings, function, !is_denied);
  PutFindings(fcinfo, findings);
  return Datum{0};
}

// A generator that is in use: whether it exists, has time left, and room for the identity. The
// identity is the settings' where the three arguments are NULL; otherwise theirs alone is looked
// at.
Datum idgen_check_generator(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  if (PG_ARGISNULL(kGenerator)) return Datum{0};
  Findings findings;
  const char* const name = text_to_cstring(PG_GETARG_TEXT_PP(kGenerator));
  GeneratorDefinition generator;
  const ErrorData* const error = Try([&] {
    generator = FindGenerator(name);
    if (!generator.layout.CanGenerate()) Report(DecodeOnly(generator.layout));
  });
  if (error != nullptr) {
    findings.Add(Severity::kError, "generator", error->message, error->hint);
  } else {
    Identity identity;
    bool is_given = false;
    int argument = kFirstField;
    for (const IdentityField& field : kIdentityFields) {
      if (!PG_ARGISNULL(argument) && PG_GETARG_INT32(argument) >= 0) {
        identity.*field.value = AsField(PG_GETARG_INT32(argument));
        is_given = true;
      }
      ++argument;
    }
    if (!is_given) FindInLayouts(findings, name, generator);
    if (is_given || LikelyIdentity(generator, identity)) {
      FindMisfits(findings, name, generator, identity, is_given);
      GeneratorDefinition later = generator;
      later.layout = LayoutsOf(generator).last();
      if (later.layout != generator.layout) {
        FindMisfits(findings, name, later, identity, is_given);
      }
    }
  }
  PutFindings(fcinfo, findings);
  return Datum{0};
}

// Returns why a session would refuse a setting of idgen that its database or role gives it; NULL if
// it would not.
Datum idgen_check_setting(PG_FUNCTION_ARGS) {
  const char* const name = text_to_cstring(PG_GETARG_TEXT_PP(0));
  const char* const value = text_to_cstring(PG_GETARG_TEXT_PP(1));
  if (pg_strncasecmp(name, "idgen.", strlen("idgen.")) != 0) PG_RETURN_NULL();
  // Only validates. PostgreSQL applies them with a superuser's rights.
  const ErrorData* const error = Try([&] {
    (void)set_config_option(name, value, PGC_SUSET, PGC_S_DATABASE, GUC_ACTION_SET, false, ERROR,
                            false);
  });
  if (error == nullptr) PG_RETURN_NULL();
  PG_RETURN_TEXT_P(cstring_to_text(error->message));
}

}  // extern "C"

}  // namespace idgen::pg

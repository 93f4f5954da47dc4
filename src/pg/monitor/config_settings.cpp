// What the settings alone tell, at the server's start and later.
#include "config.h"

#include "core/clock.h"
#include "errors.h"
#include "guc.h"
#include "lease.h"
#include "settings.h"
#include "source.h"
#include "try.h"

namespace idgen::pg {

namespace {

constinit bool is_preloaded = false;

constexpr std::int64_t kLongLeadUs = std::int64_t{3600} * 1'000'000;
constexpr std::int64_t kLongWindowUs = std::int64_t{60} * 1'000'000;

// Where the machine ID comes from.
void FindInSource(Findings& findings) {
  const MachineIdSource source = SourceOfMachineId();
  if (source == MachineIdSource::kRegistry && !LeasesAreOn()) {
    findings.Add(Severity::kError, "identity",
                 "idgen.machine_id_source is registry, and there is no registry",
                 "Set idgen.registry. No IDs with a machine ID are made until then.");
  }
  if (source == MachineIdSource::kHostname) {
    const GeneratorDefinition snowflake{.layout = *FindReservedLayout("snowflake")};
    ErrorData* const error = TryAlone([&] { (void)IdentityOf(snowflake); });
    if (error != nullptr) {
      findings.Add(Severity::kError, "identity", error->message,
                   "Use a host name that ends in a small number, or another "
                   "idgen.machine_id_source. No IDs with a machine ID are made until then.");
    }
  }
  if (source == MachineIdSource::kSetting && LeasesAreOn() && !IdentityWasSet()) {
    findings.Add(Severity::kWarning, "identity",
                 "idgen.registry is set, and idgen.machine_id was never set",
                 "Every server with these settings claims machine ID 0, and only one gets it. Set "
                 "idgen.machine_id_source = 'registry', or a machine ID for each server, also "
                 "where 0 is meant.");
  }
  const bool is_ignored = source == MachineIdSource::kRegistry || source == MachineIdSource::kCitus;
  if (is_ignored && IdentityFromSettings().machine != 0) {
    findings.Add(Severity::kNotice, "identity",
                 psprintf("idgen.machine_id = %llu has no effect",
                          static_cast<unsigned long long>(IdentityFromSettings().machine)),
                 "The machine ID comes from idgen.machine_id_source.");
  }
  if (LeasesAreOn() && MaxLeaseWaitMs() == 0) {
    findings.Add(Severity::kWarning, "identity", "idgen.max_lease_wait is 0",
                 "The first ID after a start fails, since the registry has not answered yet.");
  }
}

void FindInGuard(Findings& findings) {
  const GuardSettings guard = GuardFromSettings();
  const std::int64_t window_us = std::int64_t{ReserveWindowMs()} * 1000;
  const bool leads = guard.mode == ClockRegression::kLead;
  const std::int64_t bridged_us = guard.max_clock_wait_us + (leads ? guard.max_clock_lead_us : 0);
  if (guard.mode != ClockRegression::kError && bridged_us < window_us) {
    findings.Add(
        Severity::kWarning, "clock",
        psprintf("idgen.max_clock_wait is %s, and idgen.reserve_window is %s",
                 DurationText(guard.max_clock_wait_us), DurationText(window_us)),
        "The first IDs after a restart may fail. Make idgen.max_clock_wait the longer one.");
  }
  if (leads && guard.max_clock_lead_us > kLongLeadUs) {
    findings.Add(Severity::kNotice, "clock",
                 psprintf("IDs may run ahead of the clock by %s: idgen.clock_regression is lead",
                          DurationText(guard.max_clock_lead_us)),
                 "Where that was for a clock that had been ahead, reset idgen.max_clock_lead when "
                 "it has caught up.");
  }
  if (window_us > kLongWindowUs) {
    findings.Add(Severity::kNotice, "clock",
                 psprintf("idgen.reserve_window is %s", DurationText(window_us)),
                 "So long may the first ID after a restart, a crash or a promotion have to wait.");
  }
}

// What keeps the mark after a crash of the machine.
void FindInDurability(Findings& findings) {
  if (!enableFsync) {
    findings.Add(Severity::kWarning, "durability", "fsync is off",
                 "A crash of the machine may take the high-water mark back, and IDs come twice if "
                 "the clock goes back, too.");
  } else if (!fullPageWrites) {
    findings.Add(Severity::kWarning, "durability", "full_page_writes is off",
                 "A crash of the machine may tear the page of the high-water mark.");
  }
  const char* const standbys = GetConfigOption("synchronous_standby_names", true, false);
  const bool is_servers = SourceOfSetting("synchronous_commit") <= PGC_S_GLOBAL;
  if (standbys != nullptr && *standbys != '\0' && is_servers &&
      synchronous_commit <= SYNCHRONOUS_COMMIT_LOCAL_FLUSH) {
    findings.Add(Severity::kNotice, "durability",
                 "synchronous_commit does not wait for the synchronous standbys",
                 "IDs do not wait for them either. A standby that is promoted may not know the "
                 "last IDs, whose rows it does not have.");
  }
}

}  // namespace

void Findings::Add(Severity severity, const char* topic, const char* message, const char* hint) {
  auto* const finding = static_cast<Finding*>(palloc(sizeof(Finding)));
  *finding = {severity, topic, message, hint};
  all_ = lappend(all_, finding);
}

void FindInSettings(Findings& findings) {
  const char* const refused = RefusedSettings();
  if (*refused != '\0') {
    findings.Add(Severity::kError, "settings", psprintf("a setting was refused: %s", refused),
                 "Correct it where it was given. Sessions with it make no IDs.");
  }
  FindInSource(findings);
  FindInGuard(findings);
  FindInDurability(findings);
}

bool IsPreloaded() { return is_preloaded; }

void LogFindings() {
  is_preloaded = true;
  if (IsUnderPostmaster || IsBinaryUpgrade) return;  // a process that loads it anew, or no server
  Findings findings;
  FindInSettings(findings);
  findings.ForEach([](const Finding& finding) {
    if (finding.severity == Severity::kNotice) return;
    ereport(WARNING, (errmsg("idgen: %s", finding.message), errhint("%s", finding.hint)));
  });
}

}  // namespace idgen::pg

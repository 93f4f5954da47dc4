#include "lease.h"

#include <algorithm>
#include <utility>

#include "core/clock.h"
#include "errors.h"
#include "identities.h"
#include "settings.h"
#include "wait.h"
#include "worker.h"

namespace idgen::pg {

namespace {

// How often a waiting session looks for the answer.
constexpr std::int64_t kLookUs = 2'000;
// A session that waits says this often that it still does.
constexpr std::int64_t kAskAgainUs = 100'000;

constinit Grant unbounded{~std::uint64_t{0} >> 1, 0};

extern "C" {

static void LeaveAtExit(int, Datum) { LeaveUsers(SharedRoot().lease.users); }

}  // extern "C"

// Counts this session among those that may make IDs, until it ends.
void JoinOnce() {
  static constinit bool joined = false;
  if (joined) return;
  JoinUsers(SharedRoot().lease.users);
  joined = true;
  before_shmem_exit(LeaveAtExit, Datum{0});
}

[[noreturn]] void ReportNoAnswer(const char* what, const IdentityEntry* entry) {
  LeaseState& state = SharedRoot().lease;
  char error[sizeof(state.error)];
  LWLockAcquire(&state.lock, LW_SHARED);
  const bool failed = state.failed_us != 0;
  strlcpy(error, state.error, sizeof(error));
  LWLockRelease(&state.lock);
  const char* const hint = "See the view idgen_identity and the server log.";
  if (failed) {
    ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE),
                    errmsg("registry of identities does not answer: %s", error),
                    errdetail("Needed: %s.", what),
                    errhint("Without it no IDs are made, since another server may have the same "
                            "identity. %s",
                            hint)));
  }
  if (entry != nullptr && entry->answered != 0) {
    switch (entry->answer) {
      case registry::Claim::kHeld:
        ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
                        errmsg("%s is held by \"%s\"", what, entry->holder),
                        errdetail("A server that stopped without giving it back holds it for "
                                  "idgen.lease_term."),
                        errhint("Give this server another one, or see idgen_registry_list() and "
                                "idgen_registry_release().")));
      case registry::Claim::kBanned:
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("%s is banned in the registry", what),
                        errhint("See idgen_registry_list() and idgen_registry_ban().")));
      case registry::Claim::kFull:
        ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
                        errmsg("no machine ID is free in pool \"%s\"", RegistryPool()),
                        errdetail("It has the machine IDs 0 to %d (idgen.registry_machines).",
                                  RegistryMachines() - 1),
                        errhint("See idgen_registry_list().")));
      case registry::Claim::kGranted:
        break;
    }
  }
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("no answer about %s from the registry within %s", what,
                         DurationText(std::int64_t{MaxLeaseWaitMs()} * 1000)),
                  errhint("See idgen.max_lease_wait. %s", hint)));
  pg_unreachable();
}

// Asks the worker until `look(now_us, ask)` says that its answer is there, at most for
// idgen.max_lease_wait. `ask` tells whether the worker is woken after this look.
template <typename Look, typename Report>
void AskWorker(Look&& look, Report&& report_no_answer) {
  const std::int64_t began_us = MonotonicUs();
  for (std::int64_t asked_us = 0;;) {
    const std::int64_t now_us = MonotonicUs();
    const bool ask = asked_us == 0 || now_us - asked_us >= kAskAgainUs;
    if (look(now_us, ask)) return;
    if (ask) {
      asked_us = now_us;
      std::atomic_ref(SharedRoot().lease.requests).fetch_add(1);
      WakeLeaseWorker();
    }
    if (now_us - began_us >= std::int64_t{MaxLeaseWaitMs()} * 1000) report_no_answer();
    WaitForClock(kLookUs, WaitReason::kLease);
  }
}

// Returns the answer for an identity once it is granted.
IdentityEntry Ask(const registry::Identity& identity) {
  IdentityEntry copy;
  AskWorker(
      [&](std::int64_t now_us, bool ask) {
        IdentityEntry* const entry = LockIdentity(identity);
        const bool granted = IsGranted(*entry);
        if (!granted && ask) entry->asked_us = now_us;
        copy = *entry;
        UnlockIdentity(entry);
        return granted;
      },
      [&] { ReportNoAnswer(IdentityName(identity), &copy); });
  return copy;
}

}  // namespace

bool LeasesAreOn() { return *RegistryAddress() != '\0'; }

registry::Identity LeaseKeyOf(const Layout& layout, std::uint64_t identity_bits) {
  const Identity identity = layout.Parse(SlotKeyOf(layout, identity_bits).identity_bits).identity;
  registry::Identity key;
  if (layout.Has(FieldKind::kDatacenter)) {
    key.datacenter = static_cast<std::int32_t>(identity.datacenter);
  }
  if (layout.Has(FieldKind::kMachine)) {
    key.machine = static_cast<std::int32_t>(identity.machine);
  } else if (layout.Has(FieldKind::kShard)) {
    key.shard = static_cast<std::int32_t>(identity.shard);
  }
  return key;
}

Lease RequireLease(const registry::Identity& identity) {
  JoinOnce();
  const IdentityEntry entry = Ask(identity);
  return {&GrantAt(entry.grant), entry.floor_ms};
}

const Grant& UnboundedGrant() { return unbounded; }

std::int32_t MachineFromRegistry(std::int32_t datacenter) {
  return Ask({datacenter, kAnyMachine, registry::kNone}).machine;
}

bool RequireUntil(const Grant& grant, std::int64_t needed_ms) {
  AskWorker(
      [&](std::int64_t, bool ask) {
        if (UntilMs(grant) >= needed_ms || HasEnded(grant)) return true;
        if (ask) RaiseSharedMs(SharedRoot().lease.needed_ms, needed_ms);
        return false;
      },
      [] { ReportNoAnswer("more time for the identities of this server", nullptr); });
  return UntilMs(grant) >= needed_ms;
}

bool AwaitScheme(bool (*came)(void* context), void* context) {
  bool has_come = false;
  bool has_asked = false;
  bool is_late = false;
  AskWorker(
      [&](std::int64_t, bool) {
        has_come = came(context);
        if (!has_come && !std::exchange(has_asked, true)) {
          std::atomic_ref(SharedRoot().lease.apply_requests).fetch_add(1);
        }
        return has_come || is_late;
      },
      [&] { is_late = true; });
  return has_come;
}

}  // namespace idgen::pg

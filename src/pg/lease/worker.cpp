// One step of the worker: connect if need be, become a holder if this server is none, renew when
// that is due (core/lease.h), claim what sessions asked for. After a failure it closes the
// connection, and tries again after a pause that doubles.
#include "worker.h"

#include <algorithm>
#include <cstring>
#include <unistd.h>

#include "core/clock.h"
#include "agreement.h"
#include "clock_step.h"
#include "convert.h"
#include "core/lease.h"
#include "driver.h"
#include "identities.h"
#include "lease.h"
#include "process.h"
#include "settings.h"

namespace idgen::pg {

namespace {

constexpr std::int64_t kMostStepUs = 5'000'000;  // one exchange with the registry, at most
constexpr std::int64_t kFirstPauseUs = 100'000;  // after a failure
constexpr std::int64_t kLongestPauseUs = 2'000'000;
constexpr std::int64_t kRetryUs = 200'000;       // an identity that another server holds
constexpr std::int64_t kStillAskedUs = 300'000;  // a session asked for it at most this long ago
constexpr std::int64_t kFarewellUs = 2'000'000;  // how long a stop waits for the sessions
constexpr std::int64_t kIdleUs = 1'000'000;
constexpr std::size_t kClaimsAtOnce = 1000;

constexpr WorkerKind kLeaseWorker{"idgen lease worker", "idgen_lease_worker",
                                  "hold this server's identities"};

std::int64_t WallClockMs() { return WallClockUs() / 1000; }

// The worker's own state. There is one worker, and all of it is lost with it but the holder's token
// and the grant, which are in shared memory.
struct Worker {
  const registry::Driver* driver;
  registry::Connection* connection;
  char address[1024];  // of the connection
  registry::Holder holder;
  std::int64_t renewed_us;   // when the last renewal was sent, by the monotonic clock
  std::int64_t retry_at_us;  // not before this, by the monotonic clock
  std::int64_t pause_us;
  std::uint64_t requests;           // those that were looked at
  registry::SchemeVersions scheme;  // what is acknowledged, and what the registry said last
  bool has_read_scheme;             // by this connection
  bool has_waiting;                 // somebody waits for an identity that others hold
  bool watches;                     // a wait ends when the process is woken
  bool failed;                      // and the log was told
};
constinit Worker worker{};

bool WaitInWorker(void*, int socket, bool read, bool write, std::int64_t us) {
  return !WaitForRegistry(socket, read, write, us) || !worker.watches;
}
std::int64_t MonotonicInWorker(void*) { return MonotonicUs(); }

constexpr registry::Host kHost{nullptr, WaitInWorker, MonotonicInWorker};

std::int64_t Deadline() {
  return MonotonicUs() + std::min(kMostStepUs, std::int64_t{LeaseTermMs()} * 1000 / 3);
}

void NameHolder(registry::Holder& holder) {
  NameThisServer(holder.name);
  strlcpy(holder.pool, RegistryPool(), sizeof(holder.pool));
}

bool NewToken(char (&token)[registry::kTokenSize]) {
  std::uint8_t random[(registry::kTokenSize - 1) / 2];
  if (!pg_strong_random(random, sizeof(random))) return false;
  for (std::size_t i = 0; i < sizeof(random); ++i) snprintf(token + 2 * i, 3, "%02x", random[i]);
  return true;
}

const char* TimeText(std::int64_t time_ms) {
  return timestamptz_to_str(time_ms * 1000 - kPostgresEpochUs);
}

// --- What sessions see ----------------------------------------------------------------------

LeaseState& State() { return SharedRoot().lease; }

Grant* CurrentGrant() {
  const dsa_pointer place = LoadWord(State().grant);
  return DsaPointerIsValid(place) ? &GrantAt(place) : nullptr;
}

void NoteSuccess() {
  CountMore(SharedRoot().stats.lease_renewals);
  LeaseState& state = State();
  const registry::ClockOffset clock = worker.driver->clock(worker.connection);
  LWLockAcquire(&state.lock, LW_EXCLUSIVE);
  state.renewed_us = WallClockUs();
  state.clock_known = clock.known;
  state.clock_offset_us = clock.offset_us;
  state.clock_error_us = clock.error_us;
  state.failed_us = 0;
  state.error[0] = '\0';
  LWLockRelease(&state.lock);
  worker.pause_us = 0;
  if (worker.failed) ereport(LOG, (errmsg("registry of identities answers again")));
  worker.failed = false;
}

void Disconnect() {
  if (worker.connection != nullptr) worker.driver->close(worker.connection);
  worker.connection = nullptr;
}

void NoteFailure(const char* error) {
  CountMore(SharedRoot().stats.lease_failures);
  LeaseState& state = State();
  LWLockAcquire(&state.lock, LW_EXCLUSIVE);
  state.failed_us = WallClockUs();
  strlcpy(state.error, error, sizeof(state.error));
  LWLockRelease(&state.lock);
  Disconnect();
  worker.pause_us = std::min(std::max(2 * worker.pause_us, kFirstPauseUs), kLongestPauseUs);
  worker.retry_at_us = MonotonicUs() + worker.pause_us;
  if (worker.failed) return;
  worker.failed = true;
  const Grant* const grant = CurrentGrant();
  ereport(LOG, (errmsg("registry of identities does not answer: %s", error),
                grant != nullptr ? errdetail("IDs are made until %s with what it has granted.",
                                             TimeText(UntilMs(*grant)))
                                 : errdetail("No IDs are made until it answers."),
                errhint("It is tried again all the time; this message comes once.")));
}

// Returns the grant, which is the current one no longer. It is to be ended.
Grant* DropGrant() {
  Grant* const grant = CurrentGrant();
  StoreWord(State().grant, dsa_pointer{InvalidDsaPointer});
  return grant;
}

// The holder has ended, or must not be used any more. What its grant covers stays covered.
void EndCurrentGrant() {
  Grant* const grant = DropGrant();
  if (grant != nullptr) EndGrant(*grant);
}

void LoseGrant() {
  EndCurrentGrant();
  ereport(LOG, (errmsg("this server lost its identities in the registry"),
                errdetail("They were not renewed within idgen.lease_term, an operator released "
                          "them, or it is another registry. Holder %s.",
                          worker.holder.token),
                errhint("The server asks for identities anew.")));
}

// Returns false after a loss or a failure.
bool IsDone(registry::Status status, const registry::Error& error) {
  if (status == registry::Status::kLost) LoseGrant();
  if (status == registry::Status::kFailed) NoteFailure(error.message);
  return status == registry::Status::kDone;
}

// --- Steps: each returns false if the registry did not do it -----------------------------------

bool Connect() {
  if (worker.connection != nullptr) return true;
  registry::Error error;
  const bool loaded = LoadDriver(error, [] { worker.driver = &DriverFor(RegistryAddress()); });
  if (loaded) {
    strlcpy(worker.address, RegistryAddress(), sizeof(worker.address));
    worker.connection = worker.driver->open(worker.address, kHost, Deadline(), error);
    worker.has_read_scheme = false;
  }
  if (worker.connection == nullptr) NoteFailure(error.message);
  return worker.connection != nullptr;
}

// Whether the clock made a step that is not accepted. No time is reserved then: no ID is made.
bool IsClockRefused() { return RefusedStepUs(SharedRoot().events) > 0; }

std::int64_t WantedUntil() {
  return LeaseUntil(WallClockMs(), LoadSharedMs(State().needed_ms), LeaseTermMs());
}

// Has the registry raise the holder's time by `operation`, and after that raises the grant's.
registry::Status RaiseBy(decltype(registry::Driver::renew) operation, Grant& grant,
                         std::int64_t until_ms, registry::Error& error) {
  registry::Status status = registry::Status::kFailed;
  const std::int64_t sent_us = MonotonicUs();
  const bool done = RaiseGrant(grant, until_ms, [&](std::int64_t asked_ms) {
    status = operation(worker.connection, worker.holder, asked_ms, LeaseTermMs(), worker.scheme,
                       Deadline(), error);
    return status == registry::Status::kDone;
  });
  if (!done) return status;
  StoreWord(State().needed_ms, std::uint64_t{0});
  worker.renewed_us = sent_us;
  NoteSuccess();
  return status;
}

RegistryLink LinkToRegistry(registry::Error& error) {
  return {*worker.driver,     worker.connection, worker.holder.pool,
          worker.holder.name, Deadline(),        error};
}

// Goes by the latest version of the scheme.
bool Learn() {
  registry::Error error;
  const bool is_asked = std::atomic_ref(State().scheme_asked).exchange(0) != 0;
  if (is_asked || !worker.has_read_scheme) worker.scheme.latest = -1;
  worker.has_read_scheme = IsDone(LearnScheme(LinkToRegistry(error), worker.scheme.latest), error);
  // Neither may it be asked for more time, nor is what it says of this server's identities true.
  if (SchemeIsForgotten()) EndCurrentGrant();
  return worker.has_read_scheme;
}

// Becomes a new holder.
bool Enrol() {
  LeaseState& state = State();
  NameHolder(worker.holder);
  worker.scheme.latest = -1;
  if (!Learn()) return false;
  worker.scheme.known = SchemeToAcknowledge(0);
  registry::Error error;
  if (!NewToken(worker.holder.token)) {
    NoteFailure("no random numbers for a new holder");
    return false;
  }
  const dsa_pointer place =
      dsa_allocate_extended(SharedArea(), sizeof(Grant), DSA_ALLOC_NO_OOM | DSA_ALLOC_ZERO);
  if (!DsaPointerIsValid(place)) {
    NoteFailure("out of shared memory");
    return false;
  }
  const registry::Status status =
      RaiseBy(worker.driver->enrol, GrantAt(place), WantedUntil(), error);
  if (status != registry::Status::kDone) {
    dsa_free(SharedArea(), place);
    // A new version came meanwhile.
    if (status == registry::Status::kStale) return false;
    NoteFailure(status == registry::Status::kLost ? "a new holder was refused" : error.message);
    return false;
  }
  LWLockAcquire(&state.lock, LW_EXCLUSIVE);
  strlcpy(state.token, worker.holder.token, sizeof(state.token));
  LWLockRelease(&state.lock);
  StoreWord(state.grant, place);
  return true;
}

bool IsDue(const Grant& grant) {
  if (SchemeToAcknowledge(UntilMs(grant)) > worker.scheme.known) return true;
  const std::int64_t since_ms = (MonotonicUs() - worker.renewed_us) / 1000;
  if (IsClockRefused()) return since_ms >= LeaseTermMs() / 3;
  return LeaseIsDue(WallClockMs(), LoadSharedMs(State().needed_ms), UntilMs(grant), since_ms,
                    LeaseTermMs());
}

bool Renew(Grant& grant) {
  registry::Error error;
  // A number means nothing to a registry that may have been restored meanwhile.
  worker.scheme.known = worker.has_read_scheme ? SchemeToAcknowledge(UntilMs(grant)) : 0;
  const std::int64_t wanted_ms = IsClockRefused() ? 0 : WantedUntil();
  return IsDone(RaiseBy(worker.driver->renew, grant, std::max(wanted_ms, UntilMs(grant)), error),
                error);
}

// What sessions wait for, of one step.
struct Wanted {
  registry::Identity identities[kClaimsAtOnce];
  std::size_t count;
  registry::Identity any[16];
  std::size_t any_count;
  std::int32_t machine;  // that this server has already, or kNone
  std::int64_t now_us;
};

void Collect(void* context, IdentityEntry& entry) {
  auto& wanted = *static_cast<Wanted*>(context);
  const bool is_any = entry.identity.machine == kAnyMachine;
  if (IsGranted(entry)) {
    if (is_any) wanted.machine = entry.machine;
    return;
  }
  if (entry.asked_us == 0 || wanted.now_us - entry.asked_us > kStillAskedUs) return;
  if (is_any) {
    if (wanted.any_count < lengthof(wanted.any)) wanted.any[wanted.any_count++] = entry.identity;
  } else if (wanted.count < kClaimsAtOnce) {
    wanted.identities[wanted.count++] = entry.identity;
  }
}

void Answer(const registry::Identity& asked, const registry::Claimed& claimed) {
  IdentityEntry* const entry = LockIdentity(asked);
  entry->answer = claimed.claim;
  entry->answered = 1;
  entry->grant = LoadWord(State().grant);
  entry->machine = claimed.identity.machine;
  entry->floor_ms = claimed.used_until_ms;
  strlcpy(entry->holder, claimed.holder, sizeof(entry->holder));
  UnlockIdentity(entry);
  if (claimed.claim != registry::Claim::kGranted) worker.has_waiting = true;
}

void LogGrant(const registry::Claimed& claimed) {
  ereport(LOG, (errmsg("the registry granted %s to this server", IdentityName(claimed.identity)),
                claimed.used_until_ms > WallClockMs()
                    ? errdetail("Others may have made IDs until %s; it waits for that time.",
                                TimeText(claimed.used_until_ms))
                    : 0));
}

// `machine`: that this server has already, for another datacenter, or kNone. It is tried first.
bool ClaimAny(const registry::Identity& asked, std::int32_t machine) {
  registry::Error error;
  registry::Claimed claimed;
  const registry::Identity same{asked.datacenter, machine, registry::kNone};
  if (machine >= 0 && !IsDone(worker.driver->claim(worker.connection, worker.holder, &same, 1,
                                                   &claimed, Deadline(), error),
                              error)) {
    return false;
  }
  if (claimed.claim != registry::Claim::kGranted &&
      !IsDone(worker.driver->claim_any(worker.connection, worker.holder, asked.datacenter, 0,
                                       RegistryMachines() - 1, WallClockMs(), claimed, Deadline(),
                                       error),
              error)) {
    return false;
  }
  if (claimed.claim == registry::Claim::kGranted) {
    Answer(claimed.identity, claimed);
    LogGrant(claimed);
  }
  Answer(asked, claimed);
  return true;
}

bool ClaimWanted() {
  auto* const wanted = static_cast<Wanted*>(palloc0(sizeof(Wanted)));
  auto* const claimed =
      static_cast<registry::Claimed*>(palloc(kClaimsAtOnce * sizeof(registry::Claimed)));
  wanted->now_us = MonotonicUs();
  wanted->machine = registry::kNone;
  worker.requests = LoadShared(State().requests);
  worker.has_waiting = false;
  ForEachIdentity(Collect, wanted);
  bool done = true;
  for (std::size_t i = 0; i < wanted->any_count && done; ++i) {
    done = ClaimAny(wanted->any[i], wanted->machine);
  }
  if (done && wanted->count > 0) {
    registry::Error error;
    done = IsDone(worker.driver->claim(worker.connection, worker.holder, wanted->identities,
                                       wanted->count, claimed, Deadline(), error),
                  error);
    std::size_t granted = 0;
    for (std::size_t i = 0; done && i < wanted->count; ++i) {
      Answer(wanted->identities[i], claimed[i]);
      if (claimed[i].claim != registry::Claim::kGranted) continue;
      if (++granted == 1) LogGrant(claimed[i]);
    }
    if (granted > 1) {
      ereport(LOG,
              (errmsg("the registry granted %zu more identities to this server", granted - 1)));
    }
    // More may be left than one step takes.
    if (wanted->count == kClaimsAtOnce) worker.has_waiting = true;
  }
  return done;
}

// Does what is due. Returns for how long nothing is, in microseconds.
std::int64_t Step() {
  const std::int64_t now_us = MonotonicUs();
  if (now_us < worker.retry_at_us) return worker.retry_at_us - now_us;
  if (!Connect()) return 0;
  Grant* grant = CurrentGrant();
  if (grant == nullptr) {
    if (!Enrol()) return 0;
    grant = CurrentGrant();
  }
  // Another registry, or the same by another address: only a holder that it knows goes by its
  // scheme.
  if ((IsDue(*grant) || !KnowsScheme()) && !Renew(*grant)) return 0;
  if (!Learn()) return 0;
  // Acknowledged before anything else is done.
  if (IsDue(*grant)) return 0;
  if (MustAgree()) {
    registry::Error error;
    if (!IsDone(Agree(LinkToRegistry(error)), error)) return 0;
  }
  ApplyScheme();
  if ((LoadShared(State().requests) != worker.requests || worker.has_waiting) && !ClaimWanted()) {
    return 0;
  }
  const std::int64_t due_us =
      worker.renewed_us + std::int64_t{LeaseTermMs()} * 1000 / 3 - MonotonicUs();
  return std::clamp<std::int64_t>(due_us, 0, worker.has_waiting ? kRetryUs : kIdleUs);
}

// --- The process ---------------------------------------------------------------------------------

// Gives the identities back when the server stops. Returns false if sessions could still make IDs:
// then the identities stay held for the rest of the term.
bool Farewell() {
  if (CurrentGrant() == nullptr) return true;
  LeaseState& state = State();
  for (const std::int64_t end = MonotonicUs() + kFarewellUs; LoadShared(state.users) != 0;) {
    if (MonotonicUs() > end) return false;
    (void)WaitForRegistry(PGINVALID_SOCKET, false, false, 10'000);
  }
  if (!Connect()) return false;
  // A session that comes now is seen by GiveBack(), or finds that the grant has ended.
  const std::int64_t used_until_ms =
      GiveBack(*DropGrant(), state.users, [] { return KnownMs(SharedRoot()); });
  registry::Error error;
  const registry::Status status =
      worker.driver->release(worker.connection, worker.holder, used_until_ms, Deadline(), error);
  if (status == registry::Status::kFailed) {
    ereport(LOG, (errmsg("identities were not given back to the registry: %s", error.message)));
  }
  Disconnect();
  return true;
}

void Reload() {
  char pool[sizeof(worker.holder.pool)];
  strlcpy(pool, worker.holder.pool, sizeof(pool));
  ProcessConfigFile(PGC_SIGHUP);
  worker.retry_at_us = 0;
  const bool is_moved = strcmp(worker.address, RegistryAddress()) != 0;
  if (is_moved) Disconnect();
  const bool is_other_pool = *pool != '\0' && strcmp(pool, RegistryPool()) != 0;
  // Another pool, or none: what this server has there is of no use.
  if (is_other_pool || !LeasesAreOn()) EndCurrentGrant();
  // After the end of the grant, so that nothing is made under it by the scheme of another pool.
  if (is_other_pool || is_moved) LeaveScheme();
}

// Continues with the holder of a worker that died.
void TakeOver() {
  LeaseState& state = State();
  NameHolder(worker.holder);
  LWLockAcquire(&state.lock, LW_SHARED);
  strlcpy(worker.holder.token, state.token, sizeof(worker.holder.token));
  LWLockRelease(&state.lock);
  worker.scheme.latest = -1;
  worker.renewed_us = MonotonicUs() - std::int64_t{LeaseTermMs()} * 1000;
  worker.has_waiting = true;
}

// Waits until there is something to do: by the clock, for a session, or in the registry.
void Rest(std::int64_t rest_us) {
  if (worker.connection == nullptr || rest_us <= 0) {
    (void)WaitForRegistry(PGINVALID_SOCKET, false, false, rest_us);
    return;
  }
  registry::Error error;
  registry::SchemeVersions versions{.known = worker.scheme.latest, .latest = worker.scheme.latest};
  worker.watches = true;
  const registry::Status status = worker.driver->watch(worker.connection, worker.holder.pool,
                                                       versions, MonotonicUs() + rest_us, error);
  worker.watches = false;
  if (!IsDone(status, error)) return;
  worker.scheme.latest = versions.latest;
}

extern "C" {

PGDLLEXPORT void idgen_lease_worker(Datum);

void idgen_lease_worker(Datum) {
  LeaseState& state = State();
  MemoryContext work = BecomeWorker(state.worker, kLeaseWorker);
  TakeOver();
  while (ShutdownRequestPending == 0 && LeasesAreOn()) {
    const std::int64_t rest_us = Step();
    MemoryContextReset(work);
    if (LoadShared(state.requests) == worker.requests || worker.retry_at_us > MonotonicUs()) {
      Rest(rest_us);
    }
    if (ConfigReloadPending != 0) {
      ConfigReloadPending = 0;
      Reload();
    }
  }
  // Somebody terminated it while sessions go on: PostgreSQL starts it again after an error.
  proc_exit(Farewell() ? 0 : 1);
}

}  // extern "C"

}  // namespace

void NameThisServer(char (&name)[registry::kNameSize]) {
  char host[64] = {};
  if (gethostname(host, sizeof(host) - 1) != 0) strlcpy(host, "?", sizeof(host));
  snprintf(name, sizeof(name), "%s%s%s:%d", cluster_name, *cluster_name != '\0' ? "@" : "", host,
           PostPortNumber);
}

void AskForScheme() {
  StoreWord(State().scheme_asked, std::uint64_t{1});
  WakeLeaseWorker();
}

void WakeLeaseWorker() { WakeWorker(State().worker, kLeaseWorker); }

void RegisterLeaseWorker() {
  if (LeasesAreOn()) RegisterWorker(kLeaseWorker);
}

}  // namespace idgen::pg

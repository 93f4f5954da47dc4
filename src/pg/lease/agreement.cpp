#include "agreement.h"

#include <algorithm>

#include "convert.h"
#include "core/clock.h"
#include "process.h"
#include "scheme.h"
#include "scheme_file.h"

namespace idgen::pg {

namespace {

// A proposal that waits for others is looked at this often. The last to acknowledge looks at once.
constexpr std::int64_t kAgreeUs = 1'000'000;

constexpr WorkerKind kApplier{"idgen scheme worker", "idgen_scheme_worker",
                              "apply the scheme to the databases"};

// Of the worker.
struct SchemeWork {
  std::int64_t version = -1;      // in shared memory; below 0: none of this registry
  std::int64_t acknowledged = 0;  // the latest that may be
  bool has_proposals = false;
  bool is_forgotten = false;       // the registry does not have what this server went by
  std::int64_t agree_at_us = 0;    // not before this, by the monotonic clock
  std::int64_t told_version = -1;  // of which the log was told that it cannot be acknowledged
  std::uint64_t applied = 0;       // requests that the last process knew of
  bool has_news = false;           // for the databases
  BackgroundWorkerHandle* applier = nullptr;
};
constinit SchemeWork going{};

struct ReadScheme {
  bool there;
  std::int64_t version;
  char* text;
};

extern "C" {

static void KeepScheme(void* context, const registry::Scheme& scheme) {
  auto& read = *static_cast<ReadScheme*>(context);
  read = {true, scheme.version, pstrdup(scheme.text)};
}

}  // extern "C"

// Whether the databases have to get something that is not in the text before.
bool HasNewLayouts(const char* before, const char* text) {
  SchemeReader reader(text);
  for (SchemeEntry entry; reader.Next(entry);) {
    if (entry.kind == SchemeKind::kGenerator &&
        FindInScheme(before, entry.kind, entry.name).value != entry.value) {
      return true;
    }
  }
  return false;
}

registry::Status FailScheme(registry::Error& error, const char* message) {
  strlcpy(error.message, message, sizeof(error.message));
  return registry::Status::kFailed;
}

registry::Status ReadVersion(const RegistryLink& link, std::int64_t version, ReadScheme& read) {
  read = {false, 0, nullptr};
  const registry::Status status = link.driver.read_scheme(
      link.connection, link.pool, version, KeepScheme, &read, link.deadline_us, link.error);
  if (!read.there) read.text = pstrdup("");
  return status;
}

// Finds out whether the registry has what this server went by last, as far as the file tells. One
// that was restored from a backup does not, nor does another one.
registry::Status CheckIsKept(const RegistryLink& link, const ReadScheme& latest) {
  const std::int64_t kept = KeptVersion(link.pool);
  const std::int64_t version = std::max(kept, going.version);
  ReadScheme same = latest;
  if (kept > 0 && kept < latest.version) {
    const registry::Status status = ReadVersion(link, kept, same);
    if (status != registry::Status::kDone) return status;
  }
  // Without the file whatever the registry has counts: a person has removed it.
  const bool is_kept = kept == 0 || (version <= latest.version && IsKeptText(same.text));
  if (kept == 0 && going.version > 0) LeaveScheme();
  NoteForgotten(is_kept ? 0 : version);
  if (!is_kept && !going.is_forgotten) {
    ereport(LOG, (errmsg("the registry has forgotten version %lld of the scheme",
                         static_cast<long long>(version)),
                  errdetail("This server went by it. The latest version there is %lld.",
                            static_cast<long long>(latest.version)),
                  errhint("This server gets no time from the registry until that has the version "
                          "again. If it is lost for good, see docs/identity.md, and remove \"%s\" "
                          "on each server.",
                          SchemeFilePath())));
  }
  going.is_forgotten = !is_kept;
  return is_kept ? registry::Status::kDone
                 : FailScheme(link.error, psprintf("it has forgotten version %lld of the scheme",
                                                   static_cast<long long>(version)));
}

// What the holders say to a proposal.
struct Poll {
  const SchemeEntry& proposal;
  int given;
  int awaited;
  int too_late;
};

extern "C" {

static void AskHolder(void* context, const registry::ListedHolder& holder) {
  auto& poll = *static_cast<Poll*>(context);
  const HolderState state{holder.lives, holder.used_until_ms, holder.acknowledged};
  switch (ConsentOf(state, poll.proposal.version, poll.proposal.at_ms)) {
    case Consent::kGiven:
      ++poll.given;
      break;
    case Consent::kAwaited:
      ++poll.awaited;
      break;
    case Consent::kTooLate:
      ++poll.too_late;
      break;
  }
}

}  // extern "C"

// Writes the version after the one that this server goes by. If another came first, nothing
// happens.
registry::Status WriteNext(const RegistryLink& link, const char* text, const char* who,
                           bool& written) {
  const registry::Scheme next{going.version + 1, text, who, WallClockUs() / 1000};
  const registry::Status status = link.driver.write_scheme(link.connection, link.pool, next,
                                                           written, link.deadline_us, link.error);
  if (status != registry::Status::kDone) return status;
  return LearnScheme(link, written ? next.version : -1);
}

registry::Status AgreeOn(const RegistryLink& link, const char* text, const SchemeEntry& proposal) {
  Poll poll{proposal, 0, 0, 0};
  const registry::Status status = link.driver.holders(link.connection, link.pool, true, AskHolder,
                                                      &poll, link.deadline_us, link.error);
  if (status != registry::Status::kDone) return status;
  const char* const without =
      WithInScheme(text, {.kind = SchemeKind::kProposed, .name = proposal.name, .value = {}});
  const auto length = static_cast<int>(proposal.name.size());
  const char* const instant = pstrdup(timestamptz_to_str(proposal.at_ms * 1000 - kPostgresEpochUs));
  bool written = false;
  if (poll.awaited == 0 && poll.too_late == 0) {
    const char* const agreed = WithInScheme(
        without, {.kind = SchemeKind::kGenerator, .name = proposal.name, .value = proposal.value});
    const char* const who = psprintf("%s, all %d holders agreed", link.server, poll.given);
    const registry::Status done = WriteNext(link, agreed, who, written);
    if (written) {
      ereport(LOG, (errmsg("all %d holders of the registry agreed on the change of generator "
                           "\"%.*s\" at %s",
                           poll.given, length, proposal.name.data(), instant)));
    }
    return done;
  }
  if (WallClockUs() / 1000 < proposal.at_ms && poll.too_late == 0) return registry::Status::kDone;
  const registry::Status done =
      WriteNext(link, without, psprintf("%s, no agreement", link.server), written);
  if (written) {
    ereport(LOG, (errmsg("the change of generator \"%.*s\" at %s is called off", length,
                         proposal.name.data(), instant),
                  poll.too_late > 0
                      ? errdetail("A holder that has ended may have made IDs of that time.")
                      : errdetail("%d holders have not agreed in time.", poll.awaited)));
  }
  return done;
}

}  // namespace

bool KnowsScheme() { return going.version >= 0; }

bool SchemeIsForgotten() { return going.is_forgotten; }

void LeaveScheme() {
  going.version = -1;
  going.acknowledged = 0;
  going.has_proposals = false;
}

registry::Status LearnScheme(const RegistryLink& link, std::int64_t latest) {
  if (latest >= 0 && latest == going.version) return registry::Status::kDone;
  ReadScheme read{};
  registry::Status status = ReadVersion(link, registry::kLatestScheme, read);
  if (status == registry::Status::kDone) status = CheckIsKept(link, read);
  if (status != registry::Status::kDone) return status;
  if (read.version == going.version) return registry::Status::kDone;
  if (!IsSchemeText(read.text)) return FailScheme(link.error, "the scheme cannot be read");
  // Before a session goes by it.
  WriteSchemeFile(link.pool, read.version, read.text);
  const bool has_news = !KnowsScheme() || HasNewLayouts(CopyScheme().text, read.text);
  if (!PublishScheme(read.version, read.text)) {
    return FailScheme(link.error, "out of shared memory for the scheme");
  }
  if (read.version > 0) {
    ereport(LOG, (errmsg("this server goes by version %lld of the scheme",
                         static_cast<long long>(read.version))));
  }
  going.version = read.version;
  going.agree_at_us = 0;
  going.has_news = going.has_news || has_news;
  going.has_proposals = HasInScheme(read.text, SchemeKind::kProposed);
  return registry::Status::kDone;
}

std::int64_t SchemeToAcknowledge(std::int64_t until_ms) {
  if (!going.has_proposals) return going.acknowledged = std::max<std::int64_t>(going.version, 0);
  const SchemeCopy copy = CopyScheme();
  SchemeReader reader(copy.text);
  for (SchemeEntry entry; reader.Next(entry);) {
    if (entry.kind != SchemeKind::kProposed || MayAcknowledge(until_ms, entry.at_ms)) continue;
    if (entry.version <= going.acknowledged) continue;  // this server has agreed before
    if (going.told_version != going.version) {
      ereport(LOG, (errmsg("this server cannot agree on the change of generator \"%.*s\"",
                           static_cast<int>(entry.name.size()), entry.name.data()),
                    errdetail("It may make IDs until %s with what the registry has granted.",
                              timestamptz_to_str(until_ms * 1000 - kPostgresEpochUs))));
      going.told_version = going.version;
    }
    return going.acknowledged;
  }
  return going.acknowledged = going.version;
}

bool MustAgree() {
  return going.has_proposals && going.acknowledged == going.version &&
         MonotonicUs() >= going.agree_at_us;
}

registry::Status Agree(const RegistryLink& link) {
  going.agree_at_us = MonotonicUs() + kAgreeUs;
  const SchemeCopy copy = CopyScheme();
  SchemeReader reader(copy.text);
  for (SchemeEntry entry; reader.Next(entry);) {
    if (entry.kind != SchemeKind::kProposed) continue;
    const std::int64_t version = going.version;
    const registry::Status status = AgreeOn(link, copy.text, entry);
    // The text that the others are in is no longer the latest.
    if (status != registry::Status::kDone || going.version != version) return status;
  }
  return registry::Status::kDone;
}

void ApplyScheme() {
  const std::uint64_t requests = LoadShared(SharedRoot().lease.apply_requests);
  if (!going.has_news && requests == going.applied) return;
  if (going.applier != nullptr) {
    pid_t pid = 0;
    if (GetBackgroundWorkerPid(going.applier, &pid) != BGWH_STOPPED) return;
    pfree(going.applier);
    going.applier = nullptr;
  }
  going.has_news = false;
  going.applied = requests;
  if (!HasInScheme(CopyScheme().text, SchemeKind::kGenerator)) return;
  MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
  going.applier = StartTask(kApplier, Datum{0});
  MemoryContextSwitchTo(caller);
  // Tried again with the next step.
  if (going.applier == nullptr) going.has_news = true;
}

}  // namespace idgen::pg

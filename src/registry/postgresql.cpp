#include "postgresql.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "postgresql_scheme.h"
#include "postgresql_statements.h"
#include "postgresql_values.h"

namespace idgen::registry {

namespace {

using namespace postgresql;

constexpr std::int64_t kMostTermMs = 366LL * 86'400'000;  // no sensible term is longer
constexpr std::int32_t kMostField = 2'147'483'647;
// How many identities one statement claims. Its answer fits into the buffers between here and
// there, so that a holder that is stopped does not keep the registry's locks.
constexpr std::size_t kChunk = 256;
constexpr int kRounds = 20;
constexpr std::int64_t kPauseUs = 2'000;

bool CheckTerm(std::int64_t ms, Error& error) {
  return (ms >= 1 && ms <= kMostTermMs) ||
         Fail(error, "the term of a lease is not between a millisecond and a year");
}

bool CheckIdentity(const Identity& identity, Error& error) {
  return (identity.datacenter >= kNone && identity.machine >= kNone && identity.shard >= kNone) ||
         Fail(error, "an identity to claim has a negative field");
}

void AddIdentity(Link& link, const Identity& identity) {
  link.AddInteger(identity.datacenter);
  link.AddInteger(identity.machine);
  link.AddInteger(identity.shard);
}

void AddIdentities(Link& link, const Identity* identities, const std::vector<std::size_t>& which,
                   std::size_t first, std::size_t count) {
  Link::Scratch& scratch = link.scratch;
  scratch.datacenters.clear();
  scratch.machines.clear();
  scratch.shards.clear();
  for (std::size_t i = first; i < first + count; ++i) {
    const Identity& identity = identities[which[i]];
    scratch.datacenters.push_back(identity.datacenter);
    scratch.machines.push_back(identity.machine);
    scratch.shards.push_back(identity.shard);
  }
  link.AddArray(scratch.datacenters);
  link.AddArray(scratch.machines);
  link.AddArray(scratch.shards);
}

// --- connections -------------------------------------------------------------------------------

// What is not in a registry that an earlier version has made, or may not be used by everybody.
constexpr Part kParts[] = {
    {.name = "clock",
     .is_there =
         "(SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 2 FROM pg_catalog.pg_attribute a"
         " WHERE a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('idgen_registry.holder')"
         " AND a.attname OPERATOR(pg_catalog.=) ANY"
         " (ARRAY['clock_offset', 'clock_error']::pg_catalog.name[])"
         " AND a.atttypid OPERATOR(pg_catalog.=) 'pg_catalog.interval'::pg_catalog.regtype"
         " AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')"
         " AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'INSERT')"
         " AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'UPDATE'))"},
    {.name = "scheme",
     .is_there =
         "(SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 FROM pg_catalog.pg_attribute a"
         " WHERE a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('idgen_registry.holder')"
         " AND a.attname OPERATOR(pg_catalog.=) 'acknowledged'::pg_catalog.name"
         " AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')"
         " AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'INSERT')"
         " AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'UPDATE')"
         " AND pg_catalog.has_table_privilege("
         "pg_catalog.to_regclass('idgen_registry.pool')::pg_catalog.oid, 'SELECT')"
         " AND pg_catalog.has_table_privilege("
         "pg_catalog.to_regclass('idgen_registry.scheme')::pg_catalog.oid, 'SELECT'))"}};
static_assert(std::size(kParts) > kScheme);

constexpr Peer kRegistry = {
    .name = "the registry",
    .probe =
        "pg_catalog.to_regclass('idgen_registry.holder') IS NOT NULL "
        "AND pg_catalog.to_regclass('idgen_registry.identity') IS NOT NULL",
    .missing =
        "the database of @ has no tables idgen_registry.holder and "
        "idgen_registry.identity; idgen_registry_schema() is the SQL that makes them",
    .no_table = "a table of @ is missing (idgen_registry_schema() is the SQL that makes it)",
    .parts = kParts};

Connection* Open(const char* address, const Host& host, std::int64_t deadline_us, Error& error) {
  return OpenLink(kRegistry, address, host, deadline_us, error);
}

// --- holders -----------------------------------------------------------------------------------

// The answer of a statement that raises used_until, and tells the registry's clock and the latest
// version of the scheme. `again`: the registry has got the tables of schemes, so repeat it.
Status Raised(Link& link, std::int64_t asked_ms, SchemeVersions& scheme, bool& again,
              std::int64_t deadline_us, Error& error) {
  again = false;
  if (link.Rows() == 0) return Status::kLost;
  std::int64_t raised_ms = 0;
  std::int64_t latest = 0;
  if (link.Rows() > 1) return Failed(error, "the registry has a holder twice");
  link.SeeClock(0, 1);
  if (!link.Number(0, 0, asked_ms, kMostMs, "used_until of the holder", raised_ms, error) ||
      !link.Number(0, 2, 0, kMostVersion, "the version of the pool's scheme", latest, error)) {
    return Status::kFailed;
  }
  if (link.Has(kScheme)) {
    scheme.latest = latest;
  } else if (latest != 0) {
    if (!link.LookAgain(deadline_us, error)) return Status::kFailed;
    again = link.Has(kScheme);
  }
  return Status::kDone;
}

// The answer to an enrolment that the registry refused.
Status Refused(Link& link, const Holder& holder, SchemeVersions& scheme, std::int64_t deadline_us,
               Error& error) {
  Error ignored;
  if (link.State() != sql::kIsStale || !link.Recover(deadline_us, ignored)) return Status::kFailed;
  // One that was connected before there were schemes, or may not read them.
  if (!link.Has(kScheme) && !link.LookAgain(deadline_us, error)) return Status::kFailed;
  if (!link.Has(kScheme)) {
    return Failed(error,
                  "the registry's pool has a scheme that this role may not read; "
                  "idgen_registry_schema() says what to grant");
  }
  return ReadLatest(link, holder.pool, scheme.latest, deadline_us, error) ? Status::kStale
                                                                          : Status::kFailed;
}

Status Enrol(Connection* connection, const Holder& holder, std::int64_t used_until_ms,
             std::int64_t term_ms, SchemeVersions& scheme, std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    if (!CheckTime(used_until_ms, error) || !CheckTerm(term_ms, error) ||
        !CheckVersion(scheme.known, error)) {
      return Status::kFailed;
    }
    // First, so that what it leaves behind is not a connection that failed after a success.
    if (!AddPool(link, holder.pool, error) || !link.TryRun(sql::kForget, 1, deadline_us, error)) {
      return Status::kFailed;
    }
    char name[kNameSize];
    CopyName(name, ViewOf(holder.name, sizeof holder.name));
    for (;;) {
      scheme.latest = 0;
      if (!link.Has(kScheme) && scheme.known != 0) return Status::kStale;
      if (!AddHolder(link, holder, error) || !link.AddText(name, error)) return Status::kFailed;
      link.AddTime(used_until_ms);
      link.AddMilliseconds(term_ms);
      link.AddClock();
      link.AddInteger(scheme.known);
      if (!link.Run(sql::kEnrol, 3, deadline_us, error)) {
        return Refused(link, holder, scheme, deadline_us, error);
      }
      bool again = false;
      const Status status = Raised(link, used_until_ms, scheme, again, deadline_us, error);
      if (!again) return status;
    }
  });
}

Status Renew(Connection* connection, const Holder& holder, std::int64_t used_until_ms,
             std::int64_t term_ms, SchemeVersions& scheme, std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    if (!CheckTime(used_until_ms, error) || !CheckTerm(term_ms, error) ||
        !CheckVersion(scheme.known, error)) {
      return Status::kFailed;
    }
    for (;;) {
      scheme.latest = 0;
      if (!AddHolder(link, holder, error)) return Status::kFailed;
      link.AddTime(used_until_ms);
      link.AddMilliseconds(term_ms);
      link.AddClock();
      link.AddInteger(scheme.known);
      if (!link.Run(sql::kRenew, 3, deadline_us, error)) return Status::kFailed;
      bool again = false;
      const Status status = Raised(link, used_until_ms, scheme, again, deadline_us, error);
      if (!again) return status;
    }
  });
}

Status Release(Connection* connection, const Holder& holder, std::int64_t used_until_ms,
               std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    if (!CheckTime(used_until_ms, error) || !AddHolder(link, holder, error)) return Status::kFailed;
    link.AddTime(used_until_ms);
    return link.Run(sql::kRelease, 1, deadline_us, error) ? Status::kDone : Status::kFailed;
  });
}

// --- claims ------------------------------------------------------------------------------------

// Reads the answers to one statement; what must be asked again goes to scratch.expired and stale.
Status ReadClaims(Link& link, const std::vector<std::size_t>& which, std::size_t first,
                  std::size_t count, Claimed* claimed, Error& error) {
  if (link.Rows() != static_cast<int>(count)) {
    return Failed(error, "the registry answered for another number of identities");
  }
  for (std::size_t i = 0; i < count; ++i) {
    const int row = static_cast<int>(i);
    Claimed& answer = claimed[which[first + i]];
    std::int64_t lives = 0;
    if (!link.Number(row, 0, 0, 1, "the number of holders of a token", lives, error)) {
      return Status::kFailed;
    }
    if (lives == 0) return Status::kLost;
    answer.claim = Claim::kHeld;
    CopyName(answer.holder, link.Text(row, 3));
    const std::string_view state = link.Text(row, 1);
    if (state == "granted") {
      if (!link.Number(row, 2, kLeastMs, kMostMs, "used_until", answer.used_until_ms, error)) {
        return Status::kFailed;
      }
      answer.claim = Claim::kGranted;
      answer.holder[0] = '\0';
    } else if (state == "banned") {
      answer.claim = Claim::kBanned;
    } else if (state == "expired") {
      link.scratch.expired.push_back(which[first + i]);
    } else if (state == "stale") {
      link.scratch.stale.push_back(which[first + i]);
      answer.holder[0] = '\0';
    } else if (state != "held") {
      return Failed(error, "the registry's answer to a claim makes no sense");
    }
  }
  return Status::kDone;
}

bool AddClaim(Link& link, const Holder& holder, const Identity* identities, std::size_t first,
              std::size_t count, Error& error) {
  if (!AddHolder(link, holder, error)) return false;
  AddIdentities(link, identities, link.scratch.pending, first, count);
  return true;
}

// Ends whoever holds scratch.expired.
bool EndExpired(Link& link, const Holder& holder, const Identity* identities,
                std::int64_t deadline_us, Error& error) {
  const std::vector<std::size_t>& expired = link.scratch.expired;
  for (std::size_t first = 0; first < expired.size(); first += kChunk) {
    if (!AddPool(link, holder.pool, error)) return false;
    AddIdentities(link, identities, expired, first, std::min(kChunk, expired.size() - first));
    if (!link.Run(sql::kEnd, 1, deadline_us, error)) return false;
  }
  return true;
}

// A few rounds, because what a statement says of others may be old when it has been waiting.
Status ClaimAll(Link& link, const Holder& holder, const Identity* identities, std::size_t total,
                Claimed* claimed, std::int64_t deadline_us, Error& error) {
  Link::Scratch& scratch = link.scratch;
  scratch.pending.clear();
  for (std::size_t i = 0; i < total; ++i) {
    if (!CheckIdentity(identities[i], error)) return Status::kFailed;
    claimed[i] = {};
    claimed[i].identity = identities[i];
    scratch.pending.push_back(i);
  }
  for (int round = 0; round < kRounds && !scratch.pending.empty(); ++round) {
    // The first time everything is news; later somebody else is at it.
    if (round > 1 && !link.Pause(kPauseUs, deadline_us, error)) return Status::kFailed;
    scratch.expired.clear();
    scratch.stale.clear();
    for (std::size_t first = 0; first < scratch.pending.size(); first += kChunk) {
      const std::size_t count = std::min(kChunk, scratch.pending.size() - first);
      if (!AddClaim(link, holder, identities, first, count, error) ||
          !link.Run(sql::kClaim, 4, deadline_us, error)) {
        return Status::kFailed;
      }
      const Status status = ReadClaims(link, scratch.pending, first, count, claimed, error);
      if (status != Status::kDone) return status;
    }
    if (!EndExpired(link, holder, identities, deadline_us, error)) return Status::kFailed;
    scratch.pending = scratch.expired;
    scratch.pending.insert(scratch.pending.end(), scratch.stale.begin(), scratch.stale.end());
  }
  return Status::kDone;
}

Status ClaimThese(Connection* connection, const Holder& holder, const Identity* identities,
                  std::size_t count, Claimed* claimed, std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    return ClaimAll(LinkOf(connection), holder, identities, count, claimed, deadline_us, error);
  });
}

// kDone with machine = kNone: none is free.
Status Pick(Link& link, const Holder& holder, std::int32_t datacenter, std::int32_t least,
            std::int32_t most, std::int64_t now_ms, bool spread, std::int64_t deadline_us,
            std::int32_t& machine, Error& error) {
  if (!AddHolder(link, holder, error)) return Status::kFailed;
  link.AddInteger(datacenter);
  link.AddInteger(least);
  link.AddInteger(most);
  link.AddTime(now_ms);
  link.AddBoolean(spread);
  if (!link.Run(sql::kPick, 2, deadline_us, error)) return Status::kFailed;
  if (link.Rows() != 1) return Failed(error, "the registry's answer has not one row");
  if (link.Text(0, 0) != "t") return Status::kLost;
  machine = kNone;
  if (link.IsNull(0, 1)) return Status::kDone;
  std::int64_t number = 0;
  if (!link.Number(0, 1, least, most, "machine", number, error)) return Status::kFailed;
  machine = static_cast<std::int32_t>(number);
  return Status::kDone;
}

Status ClaimAny(Connection* connection, const Holder& holder, std::int32_t datacenter,
                std::int32_t least, std::int32_t most, std::int64_t now_ms, Claimed& claimed,
                std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    if (datacenter < kNone || least < 0 || most < least || most == kMostField) {
      return Failed(error, "the range of machines to claim makes no sense");
    }
    now_ms = std::clamp(now_ms, kLeastMs, kMostMs);
    for (int round = 0;; ++round) {
      std::int32_t machine = kNone;
      Status status = Pick(link, holder, datacenter, least, most, now_ms, round > 0, deadline_us,
                           machine, error);
      if (status != Status::kDone) return status;
      claimed = {};
      claimed.claim = Claim::kFull;
      if (machine == kNone) return Status::kDone;
      const Identity identity{datacenter, machine, kNone};
      status = ClaimAll(link, holder, &identity, 1, &claimed, deadline_us, error);
      if (status != Status::kDone || claimed.claim == Claim::kGranted) return status;
      // Somebody else was faster. The deadline ends this.
      if (!link.Pause(kPauseUs, deadline_us, error)) return Status::kFailed;
    }
  });
}

// --- for operators -----------------------------------------------------------------------------

bool ReadListed(const Link& link, int row, Listed& listed, Error& error) {
  std::int64_t datacenter = 0;
  std::int64_t machine = 0;
  std::int64_t shard = 0;
  if (!link.Number(row, 0, kNone, kMostField, "datacenter", datacenter, error) ||
      !link.Number(row, 1, kNone, kMostField, "machine", machine, error) ||
      !link.Number(row, 2, kNone, kMostField, "shard", shard, error) ||
      !link.Boolean(row, 3, "banned", listed.banned, error) ||
      !link.Boolean(row, 4, "ended", listed.held, error) ||
      !link.Number(row, 5, kLeastMs, kMostMs, "used_until", listed.used_until_ms, error)) {
    return false;
  }
  if (listed.held &&
      !link.Number(row, 6, -kLongestMs, kLongestMs, "expires", listed.expires_in_ms, error)) {
    return false;
  }
  listed.identity = {static_cast<std::int32_t>(datacenter), static_cast<std::int32_t>(machine),
                     static_cast<std::int32_t>(shard)};
  CopyName(listed.holder, link.Text(row, 7));
  listed.clock.known =
      listed.held && link.Has(kClock) && !link.IsNull(row, 8) && !link.IsNull(row, 9);
  return !listed.clock.known ||
         (link.Number(row, 8, -kMostClockUs, kMostClockUs, "clock_offset", listed.clock.offset_us,
                      error) &&
          link.Number(row, 9, 0, kMostClockUs, "clock_error", listed.clock.error_us, error));
}

Status List(Connection* connection, const char* pool, void (*each)(void* context, const Listed&),
            void* context, std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    const int columns = link.Has(kClock) ? 10 : 8;
    if (!AddPool(link, pool, error) || !link.Run(sql::kList, columns, deadline_us, error)) {
      return Status::kFailed;
    }
    for (int row = 0; row < link.Rows(); ++row) {
      Listed listed;
      if (!ReadListed(link, row, listed, error)) return Status::kFailed;
      each(context, listed);
    }
    return Status::kDone;
  });
}

Status Evict(Connection* connection, const char* pool, const Identity& identity, bool& found,
             std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    if (!CheckIdentity(identity, error) || !AddPool(link, pool, error)) return Status::kFailed;
    AddIdentity(link, identity);
    if (!link.Run(sql::kEvict, 1, deadline_us, error)) return Status::kFailed;
    found = link.Rows() > 0;
    return Status::kDone;
  });
}

Status Ban(Connection* connection, const char* pool, const Identity& identity, bool banned,
           std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    if (!CheckIdentity(identity, error) || !AddPool(link, pool, error)) return Status::kFailed;
    AddIdentity(link, identity);
    link.AddBoolean(banned);
    return link.Run(sql::kBan, 1, deadline_us, error) ? Status::kDone : Status::kFailed;
  });
}

ClockOffset Clock(const Connection* connection) { return LinkOf(connection).Clock(); }

constexpr Driver kDriver = {kDriverVersion,
                            "postgresql",
                            CheckLinkAddress,
                            Open,
                            CloseLink,
                            Enrol,
                            Renew,
                            ClaimThese,
                            ClaimAny,
                            Release,
                            List,
                            Evict,
                            Ban,
                            ReadScheme,
                            WriteScheme,
                            Holders,
                            Watch,
                            Clock};

}  // namespace

const Driver* PostgresqlDriver() noexcept { return &kDriver; }

}  // namespace idgen::registry

#include "postgresql.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "postgresql_link.h"
#include "postgresql_statements.h"

namespace idgen::registry {

namespace {

using postgresql::Fail;
using postgresql::kMostClockUs;
using postgresql::Link;
using postgresql::LinkOf;

constexpr std::int64_t kLeastMs = 0;
constexpr std::int64_t kMostMs = 253'402'300'799'999;     // the end of the year 9999
constexpr std::int64_t kMostTermMs = 366LL * 86'400'000;  // no sensible term is longer
constexpr std::int64_t kLongestMs = kMostMs * 2;          // of an interval in a row
constexpr std::int32_t kMostField = 2'147'483'647;
// How many identities one statement claims. Its answer fits into the buffers between here and
// there, so that a holder that is stopped does not keep the registry's locks.
constexpr std::size_t kChunk = 256;
constexpr int kRounds = 20;
constexpr std::int64_t kPauseUs = 2'000;

Status Failed(Error& error, std::string_view what) noexcept {
  Fail(error, what);
  return Status::kFailed;
}

template <typename Function>
Status Guarded(Error& error, Function&& function) noexcept {
  return postgresql::Guarded(error, Status::kFailed, std::forward<Function>(function));
}

bool CheckTime(std::int64_t ms, Error& error) {
  return (ms >= kLeastMs && ms <= kMostMs) ||
         Fail(error, "a time to tell the registry is not between the years 1970 and 9999");
}

bool CheckTerm(std::int64_t ms, Error& error) {
  return (ms >= 1 && ms <= kMostTermMs) ||
         Fail(error, "the term of a lease is not between a millisecond and a year");
}

bool CheckIdentity(const Identity& identity, Error& error) {
  return (identity.datacenter >= kNone && identity.machine >= kNone && identity.shard >= kNone) ||
         Fail(error, "an identity to claim has a negative field");
}

// A bounded copy, and only of what is readable everywhere: the registry may have any encoding.
template <std::size_t kSize>
void CopyName(char (&to)[kSize], std::string_view from) noexcept {
  const std::size_t size = std::min(from.size(), kSize - 1);
  std::transform(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size), to,
                 [](char c) { return c >= ' ' && c <= '~' ? c : '?'; });
  to[size] = '\0';
}

std::string_view ViewOf(const char* text, std::size_t size) noexcept {
  return {text, strnlen(text, size)};
}

bool AddPool(Link& link, const char* pool, Error& error) {
  const std::string_view name = ViewOf(pool, sizeof Holder::pool);
  if (name.empty() || name.size() == sizeof Holder::pool) {
    return Fail(error, "the name of the pool is not of 1 to 63 bytes");
  }
  link.Begin();
  return link.AddText(name, error);
}

bool AddHolder(Link& link, const Holder& holder, Error& error) {
  const std::string_view token = ViewOf(holder.token, sizeof holder.token);
  const bool right =
      token.size() == kTokenSize - 1 && std::all_of(token.begin(), token.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      });
  if (!right) return Fail(error, "the token of the holder is not 32 lower-case hexadecimal digits");
  return AddPool(link, holder.pool, error) && link.AddText(token, error);
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

constexpr postgresql::Peer kRegistry = {
    .name = "the registry",
    .probe =
        "pg_catalog.to_regclass('idgen_registry.holder') IS NOT NULL "
        "AND pg_catalog.to_regclass('idgen_registry.identity') IS NOT NULL",
    .missing =
        "the database of @ has no tables idgen_registry.holder and "
        "idgen_registry.identity; idgen_registry_schema() is the SQL that makes them",
    .no_table = "a table of @ is missing (idgen_registry_schema() is the SQL that makes it)",
    // Not in a registry that an earlier version has made, or one may not write them.
    .optional =
        "(SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 2 FROM pg_catalog.pg_attribute a"
        " WHERE a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('idgen_registry.holder')"
        " AND a.attname OPERATOR(pg_catalog.=) ANY"
        " (ARRAY['clock_offset', 'clock_error']::pg_catalog.name[])"
        " AND a.atttypid OPERATOR(pg_catalog.=) 'pg_catalog.interval'::pg_catalog.regtype"
        " AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')"
        " AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'INSERT')"
        " AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'UPDATE'))"};

Connection* Open(const char* address, const Host& host, std::int64_t deadline_us, Error& error) {
  return postgresql::OpenLink(kRegistry, address, host, deadline_us, error);
}

// --- holders -----------------------------------------------------------------------------------

// The answer of a statement that raises used_until and tells the registry's clock.
Status Raised(Link& link, std::int64_t asked_ms, Error& error) {
  if (link.Rows() == 0) return Status::kLost;
  std::int64_t raised_ms = 0;
  if (link.Rows() > 1) return Failed(error, "the registry has a holder twice");
  link.SeeClock(0, 1);
  return link.Number(0, 0, asked_ms, kMostMs, "used_until of the holder", raised_ms, error)
             ? Status::kDone
             : Status::kFailed;
}

Status Enrol(Connection* connection, const Holder& holder, std::int64_t used_until_ms,
             std::int64_t term_ms, std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    if (!CheckTime(used_until_ms, error) || !CheckTerm(term_ms, error)) return Status::kFailed;
    // First, so that what it leaves behind is not a connection that failed after a success.
    if (!AddPool(link, holder.pool, error) || !link.TryRun(sql::kForget, 1, deadline_us, error)) {
      return Status::kFailed;
    }
    char name[kNameSize];
    CopyName(name, ViewOf(holder.name, sizeof holder.name));
    if (!AddHolder(link, holder, error) || !link.AddText(name, error)) return Status::kFailed;
    link.AddTime(used_until_ms);
    link.AddMilliseconds(term_ms);
    link.AddClock();
    if (!link.Run(sql::kEnrol, 2, deadline_us, error)) return Status::kFailed;
    return Raised(link, used_until_ms, error);
  });
}

Status Renew(Connection* connection, const Holder& holder, std::int64_t used_until_ms,
             std::int64_t term_ms, std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    if (!CheckTime(used_until_ms, error) || !CheckTerm(term_ms, error) ||
        !AddHolder(link, holder, error)) {
      return Status::kFailed;
    }
    link.AddTime(used_until_ms);
    link.AddMilliseconds(term_ms);
    link.AddClock();
    if (!link.Run(sql::kRenew, 2, deadline_us, error)) return Status::kFailed;
    return Raised(link, used_until_ms, error);
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
      listed.held && link.HasOptional() && !link.IsNull(row, 8) && !link.IsNull(row, 9);
  return !listed.clock.known ||
         (link.Number(row, 8, -kMostClockUs, kMostClockUs, "clock_offset", listed.clock.offset_us,
                      error) &&
          link.Number(row, 9, 0, kMostClockUs, "clock_error", listed.clock.error_us, error));
}

Status List(Connection* connection, const char* pool, void (*each)(void* context, const Listed&),
            void* context, std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    const int columns = link.HasOptional() ? 10 : 8;
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
                            postgresql::CheckLinkAddress,
                            Open,
                            postgresql::CloseLink,
                            Enrol,
                            Renew,
                            ClaimThese,
                            ClaimAny,
                            Release,
                            List,
                            Evict,
                            Ban,
                            Clock};

}  // namespace

const Driver* PostgresqlDriver() noexcept { return &kDriver; }

}  // namespace idgen::registry

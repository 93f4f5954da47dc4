#include "registry/tree.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <set>

#include "registry/tree_values.h"

namespace idgen::registry {
void SetError(Error& error, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(error.message, sizeof error.message, format, arguments);
  va_end(arguments);
  // One line: what a server answers may have any character in it.
  for (char* c = error.message; *c != '\0'; ++c) {
    if (static_cast<unsigned char>(*c) < ' ' || *c == 0x7f) *c = ' ';
  }
}

std::string PathStep(const char* name) {
  std::string step;
  for (const char* c = name; *c != '\0'; ++c) {
    if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
        *c == '_' || *c == '-') {
      step += *c;
    } else {
      char escape[4];
      std::snprintf(escape, sizeof escape, "%%%02X", static_cast<unsigned char>(*c));
      step += escape;
    }
  }
  return step;
}

// --- reading ---------------------------------------------------------------------------------

// A holder whose value is not what this file writes is as if it were not there.
bool Tree::AddHolder(const std::string& token, const std::string& value, std::int64_t version) {
  const Json json = Json::parse(value, nullptr, false);
  HolderRow row;
  if (!json.is_object() || !Get(json, "name", row.name) ||
      !Get(json, "used_until_ms", row.used_until_ms) || !Get(json, "ended", row.ended) ||
      (json.contains("acknowledged") && !Get(json, "acknowledged", row.acknowledged))) {
    broken_holder_ = token;
    return false;
  }
  if (!row.ended || !Get(json, "ended_at_ms", row.ended_at_ms)) row.ended_at_ms = -1;
  row.version = version;
  holders_[token] = row;
  return true;
}

bool Tree::AddIdentity(const std::string& step, const std::string& value, std::int64_t version) {
  const Json json = Json::parse(value, nullptr, false);
  IdentityRow row;
  row.broken = !ReadStep(step, row.identity) || !json.is_object() ||
               !Get(json, "holder", row.token) || !Get(json, "name", row.name) ||
               !Get(json, "used_until_ms", row.used_until_ms) || !Get(json, "banned", row.banned);
  row.there = true;
  row.version = version;
  identities_[step] = row;
  return !row.broken;
}

void Tree::MarkAlive(const std::string& token) {
  const auto it = holders_.find(token);
  if (it != holders_.end()) it->second.alive = true;
}

void Tree::Use(const char* pool) {
  base_ = prefix_ + '/' + PathStep(pool);
  own_token_.clear();
  own_name_.clear();
  holders_.clear();
  identities_.clear();
  wanted_holders_.clear();
  wanted_identities_.clear();
  wants_latest_ = false;
  wanted_schemes_.clear();
  latest_ = swept_ = {};
  schemes_.clear();
  broken_holder_.clear();
  operations_.clear();
}

void Tree::Use(const Holder& holder) {
  Use(holder.pool);
  own_token_ = PathStep(holder.token);
  own_name_ = holder.name;
  const std::string path = HolderPath(own_token_);
  if (path != own_path_) {
    own_known_ = false;
    own_term_ms_ = 0;
    own_path_ = path;
  }
}

bool Tree::ReadOwn() {
  wanted_holders_.assign(1, own_token_);
  wanted_identities_.clear();
  holders_.clear();
  broken_holder_.clear();
  return Read();
}

// Sets own_. `ended`: the holder has ended, or there is none.
bool Tree::KnowOwn(bool& ended) {
  ended = false;
  if (own_known_) return true;
  if (!ReadOwn()) return false;
  const auto it = holders_.find(own_token_);
  if (it == holders_.end() || it->second.ended) {
    ended = true;
    return true;
  }
  own_ = it->second;
  own_known_ = true;
  return true;
}

// Reads what wanted_identities_ names, the holders that these refer to, and the own holder if there
// is one.
bool Tree::ReadIdentities() {
  holders_.clear();
  identities_.clear();
  wanted_holders_.clear();
  if (!own_token_.empty()) wanted_holders_.push_back(own_token_);
  if (wanted_identities_.size() > kBatch) {
    if (!ReadAll()) return false;
  } else if (!Read()) {
    return false;
  }
  // What is missing: a holder that enrolled after the holders were read, too.
  wanted_identities_.clear();
  wanted_holders_.clear();
  for (const auto& [step, row] : identities_) {
    if (!row.token.empty() && !holders_.contains(row.token)) wanted_holders_.push_back(row.token);
  }
  std::sort(wanted_holders_.begin(), wanted_holders_.end());
  wanted_holders_.erase(std::unique(wanted_holders_.begin(), wanted_holders_.end()),
                        wanted_holders_.end());
  return wanted_holders_.empty() || Read();
}

bool Tree::Broken(const IdentityRow& row) {
  if (!row.broken && (row.token.empty() || holders_.contains(row.token))) return false;
  for (const auto& [step, one] : identities_) {
    if (&one != &row) continue;
    SetError(*error_, "the registry's entry %s is not as it was written, or its holder is missing",
             IdentityPath(step).c_str());
  }
  return true;
}

Tree::IdentityRow& Tree::Row(const Identity& identity) {
  IdentityRow& row = identities_[Step(identity)];
  row.identity = identity;
  return row;
}

// --- the holder ------------------------------------------------------------------------------

Status Tree::Enrol(const Holder& holder, std::int64_t used_until_ms, std::int64_t term_ms,
                   SchemeVersions& scheme) {
  Use(holder);
  wants_latest_ = true;
  for (unsigned attempt = 0;; ++attempt) {
    if (!PauseAfterConflict(attempt)) return Status::kFailed;
    latest_ = {};
    if (!ReadOwn()) return Status::kFailed;
    if (holders_.contains(own_token_)) return Renew(holder, used_until_ms, term_ms, scheme);
    if (broken_holder_ == own_token_) return Status::kLost;
    if (latest_.broken) return Spoilt(LatestPath());
    scheme.latest = latest_.number;
    if (latest_.number != scheme.known) return Status::kStale;

    if (attempt == 0 && !PrepareAlive(term_ms)) return Status::kFailed;
    own_ = HolderRow();
    own_.name = own_name_;
    own_.used_until_ms = used_until_ms;
    own_.acknowledged = scheme.known;
    operations_.assign(1, {Kind::kCreate, own_path_, WriteHolder(own_), 0});
    operations_.push_back({Kind::kAlive, {}, {}, 0});
    if (latest_.there) {
      operations_.push_back({Kind::kCheck, LatestPath(), {}, latest_.version});
    } else {
      operations_.push_back({Kind::kCreate, LatestPath(), WriteLatest(0), 0});
    }
    own_known_ = false;
    const Outcome outcome = Commit();
    if (outcome == Outcome::kFailed) return Status::kFailed;
    if (outcome == Outcome::kConflict) continue;
    own_.version = written_version_;
    own_.alive = true;
    own_term_ms_ = term_ms;
    own_known_ = true;
    return Status::kDone;
  }
}

Status Tree::Renew(const Holder& holder, std::int64_t used_until_ms, std::int64_t term_ms,
                   SchemeVersions& scheme) {
  Use(holder);
  for (unsigned attempt = 0;; ++attempt) {
    if (!PauseAfterConflict(attempt)) return Status::kFailed;
    bool ended = false;
    if (!KnowOwn(ended)) return Status::kFailed;
    if (ended) return Status::kLost;

    own_.name = own_name_;
    own_.used_until_ms = std::max(own_.used_until_ms, used_until_ms);
    own_.acknowledged = std::max(own_.acknowledged, scheme.known);
    operations_.assign(1, {Kind::kUpdate, own_path_, WriteHolder(own_), own_.version});
    own_known_ = false;
    latest_ = {};
    bool alive = false;
    Outcome outcome = CommitRenewal(term_ms, alive);
    if (outcome == Outcome::kFailed) return Status::kFailed;
    if (outcome == Outcome::kConflict) continue;
    if (latest_.broken) return Spoilt(LatestPath());
    own_.version = written_version_;
    scheme.latest = latest_.number;

    // The holder's time was up without anybody having ended it, or the term is another.
    if (!alive || own_term_ms_ != term_ms) {
      if (!PrepareAlive(term_ms)) return Status::kFailed;
      operations_.assign(1, {Kind::kCheck, own_path_, {}, own_.version});
      operations_.push_back({Kind::kAlive, {}, {}, 0});
      outcome = Commit();
      if (outcome == Outcome::kFailed) return Status::kFailed;
      if (outcome == Outcome::kConflict) continue;
      own_term_ms_ = term_ms;
    }
    own_.alive = true;
    own_known_ = true;
    return Status::kDone;
  }
}

Status Tree::Release(const Holder& holder, std::int64_t used_until_ms) {
  Use(holder);
  for (unsigned attempt = 0;; ++attempt) {
    if (!PauseAfterConflict(attempt)) return Status::kFailed;
    bool ended = false;
    if (!KnowOwn(ended)) return Status::kFailed;
    if (ended) return Status::kDone;

    own_.used_until_ms = used_until_ms;
    End(own_);
    operations_.assign(1, {Kind::kUpdate, own_path_, WriteHolder(own_), own_.version});
    if (own_.alive) operations_.push_back({Kind::kDelete, AlivePath(own_token_), {}, -1});
    own_known_ = false;
    const Outcome outcome = Commit();
    if (outcome == Outcome::kFailed) return Status::kFailed;
    if (outcome == Outcome::kDone) return Status::kDone;
  }
}

// Ends a holder whose time is up. Its own compare-and-set and the absence of alive/<token>, which
// it makes only on the condition that its key is the same, make this final for both.
void Tree::EndDead(const std::string& token, const HolderRow& holder) {
  HolderRow ended = holder;
  End(ended);
  operations_.push_back({Kind::kAbsent, AlivePath(token), {}, 0});
  operations_.push_back({Kind::kUpdate, HolderPath(token), WriteHolder(ended), holder.version});
  ending_.push_back(token);
}

// --- claims ----------------------------------------------------------------------------------

// Answers a claim, or says that the identity can be taken; `claimed` then has its floor.
bool Tree::Decide(const IdentityRow& row, Claimed& claimed, bool& takes) {
  takes = false;
  if (row.there && Broken(row)) return false;
  claimed.identity = row.identity;
  claimed.used_until_ms = 0;
  claimed.holder[0] = '\0';
  if (row.token == own_token_) {
    claimed.claim = registry::Claim::kGranted;
    claimed.used_until_ms = row.used_until_ms;
    return true;
  }
  if (row.banned) {
    claimed.claim = registry::Claim::kBanned;
    return true;
  }
  std::int64_t floor = row.used_until_ms;
  if (!row.token.empty()) {
    const HolderRow& holder = holders_[row.token];
    if (!holder.ended && holder.alive) {
      claimed.claim = registry::Claim::kHeld;
      Copy(claimed.holder, holder.name);
      return true;
    }
    floor = std::max(floor, holder.used_until_ms);
  }
  claimed.claim = registry::Claim::kGranted;  // once it is committed
  claimed.used_until_ms = floor;
  takes = true;
  return true;
}

void Tree::AddTake(const IdentityRow& row, Claimed& claimed) {
  if (operations_.empty()) {
    operations_.push_back({Kind::kCheck, own_path_, {}, holders_[own_token_].version});
  }
  if (!row.token.empty() && !holders_[row.token].ended &&
      std::find(ending_.begin(), ending_.end(), row.token) == ending_.end()) {
    EndDead(row.token, holders_[row.token]);
  }
  IdentityRow taken = row;
  taken.token = own_token_;
  taken.name = own_name_;
  taken.used_until_ms = claimed.used_until_ms;
  operations_.push_back({row.there ? Kind::kUpdate : Kind::kCreate,
                         IdentityPath(Step(row.identity)), WriteIdentity(taken), row.version});
  takes_.push_back(&claimed);
}

Tree::Outcome Tree::CommitTakes() {
  if (operations_.empty()) return Outcome::kDone;
  const Outcome outcome = Commit();
  if (outcome == Outcome::kDone) {
    for (const Claimed* claimed : takes_) {
      IdentityRow& row = Row(claimed->identity);
      row.there = true;
      row.token = own_token_;
      row.used_until_ms = claimed->used_until_ms;
    }
    for (const std::string& token : ending_) {
      holders_[token].ended = true;
      holders_[token].version = -1;  // not read
    }
  }
  operations_.clear();
  takes_.clear();
  ending_.clear();
  return outcome;
}

Status Tree::Claim(const Holder& holder, const Identity* identities, std::size_t count,
                   Claimed* claimed) {
  Use(holder);
  order_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    claimed[i] = Claimed();
    claimed[i].identity = identities[i];
    order_.try_emplace(Step(identities[i]), &claimed[i]);
  }
  bool took_over = false;
  for (unsigned attempt = 0;; ++attempt) {
    if (!PauseAfterConflict(attempt)) return Status::kFailed;
    wanted_identities_.clear();
    for (const auto& [step, answer] : order_) wanted_identities_.push_back(step);
    if (!ReadIdentities()) return Status::kFailed;
    const auto own = holders_.find(own_token_);
    if (own == holders_.end() || own->second.ended) return Status::kLost;

    Outcome outcome = Outcome::kDone;
    operations_.clear();
    takes_.clear();
    ending_.clear();
    for (const auto& [step, answer] : order_) {
      bool takes = false;
      const IdentityRow& row = Row(answer->identity);
      if (!Decide(row, *answer, takes)) return Status::kFailed;
      if (!takes) continue;
      took_over = took_over || !row.token.empty();
      AddTake(row, *answer);
      if (operations_.size() + 3 > kBatch && (outcome = CommitTakes()) != Outcome::kDone) break;
    }
    if (outcome == Outcome::kDone) outcome = CommitTakes();
    if (outcome == Outcome::kFailed) return Status::kFailed;
    if (outcome == Outcome::kDone) break;
  }
  for (std::size_t i = 0; i < count; ++i) claimed[i] = *order_[Step(identities[i])];
  // To read all is too much for every claim.
  if (took_over && Random() % 64 == 0 && ReadAll()) Sweep();
  return Status::kDone;
}

// The identities of a range that can be taken, the best first; of those that were never held, and
// are all the same, only `window`.
void Tree::FindCandidates(std::int32_t datacenter, std::int32_t least, std::int32_t most,
                          std::int64_t now_ms, std::size_t window) {
  candidates_.clear();
  std::set<std::int32_t> seen;
  for (const auto& [step, row] : identities_) {
    const Identity& id = row.identity;
    if (id.datacenter != datacenter || id.shard != kNone || id.machine < least ||
        id.machine > most) {
      continue;
    }
    seen.insert(id.machine);
    std::int64_t used = row.used_until_ms, since = INT64_MAX;
    if (row.broken || row.banned) continue;
    if (!row.token.empty()) {
      const auto holder = holders_.find(row.token);
      if (holder == holders_.end() || (!holder->second.ended && holder->second.alive)) continue;
      used = std::max(used, holder->second.used_until_ms);
      if (holder->second.ended) since = holder->second.ended_at_ms;
    }
    const auto kind = row.token.empty() && used == 0 ? Candidate::kNever
                      : row.name == own_name_        ? Candidate::kSameName
                                                     : Candidate::kOther;
    candidates_.push_back({used > now_ms, kind, since, id.machine});
  }
  std::size_t found = 0;
  for (std::int64_t machine = least; machine <= most && found < window; ++machine) {
    if (seen.contains(static_cast<std::int32_t>(machine))) continue;
    candidates_.push_back(
        {false, Candidate::kNever, INT64_MAX, static_cast<std::int32_t>(machine)});
    ++found;
  }
  std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
    if (a.later != b.later) return b.later;
    if (a.kind != b.kind) return a.kind < b.kind;
    if (a.since_ms != b.since_ms) return a.since_ms < b.since_ms;
    return a.machine < b.machine;
  });
}

Status Tree::ClaimAny(const Holder& holder, std::int32_t datacenter, std::int32_t least,
                      std::int32_t most, std::int64_t now_ms, Claimed& claimed) {
  Use(holder);
  for (unsigned attempt = 0;; ++attempt) {
    if (!PauseAfterConflict(attempt)) return Status::kFailed;
    wanted_identities_.assign(kBatch + 1, {});  // all
    if (!ReadIdentities()) return Status::kFailed;
    const auto own = holders_.find(own_token_);
    if (own == holders_.end() || own->second.ended) return Status::kLost;

    claimed = Claimed();
    for (const auto& [step, row] : identities_) {
      const Identity& id = row.identity;
      if (row.broken || row.token != own_token_ || id.datacenter != datacenter ||
          id.shard != kNone || id.machine < least || id.machine > most) {
        continue;
      }
      claimed.claim = registry::Claim::kGranted;
      claimed.identity = id;
      claimed.used_until_ms = row.used_until_ms;
      return Status::kDone;
    }

    // Many servers that start at once all see the same one as the best. After a conflict each takes
    // any of the best few, and more of them after each further one.
    const std::size_t window = std::size_t{1} << std::min(2 * attempt, 10U);
    FindCandidates(datacenter, least, most, now_ms, window);
    if (candidates_.empty()) {
      claimed.claim = registry::Claim::kFull;
      claimed.identity.datacenter = datacenter;
      return Status::kDone;
    }
    std::size_t same = 1;
    while (same < candidates_.size() && same < window &&
           candidates_[same].later == candidates_[0].later &&
           candidates_[same].kind == candidates_[0].kind) {
      ++same;
    }
    const Candidate& chosen = candidates_[Random() % same];
    const IdentityRow& row = Row({datacenter, chosen.machine, kNone});
    bool takes = false;
    operations_.clear();
    takes_.clear();
    ending_.clear();
    if (!Decide(row, claimed, takes)) return Status::kFailed;
    AddTake(row, claimed);
    const Outcome outcome = CommitTakes();
    if (outcome == Outcome::kFailed) return Status::kFailed;
    if (outcome == Outcome::kConflict) continue;
    Sweep();
    return Status::kDone;
  }
}

// Deletes holders that ended and that no identity refers to, and ends those whose time is up and
// that none refers to, for somebody's next sweep. It has seen all identities *after* the holder
// ended, and none can refer to it since: that is why only what was read as ended is deleted. And
// only after a day: a lost copy of the enrolment that arrives after that would make the holder
// anew, and its server, if it has slept until then, would believe that it was never ended. What
// `swept` says of them is written in the same step. What fails here costs nothing.
void Tree::Sweep() {
  operations_.clear();
  ending_.clear();
  if (swept_.broken) return;
  {
    std::set<std::string> referred;
    for (const auto& [step, row] : identities_) {
      if (row.broken) return;  // nobody knows to whom it refers
      referred.insert(row.token);
    }
    std::int64_t used_until_ms = 0;
    for (const auto& [token, holder] : holders_) {
      if (operations_.size() + 3 > kBatch) break;
      if (holder.version < 0 || token == own_token_ || referred.contains(token)) continue;
      if (holder.ended) {
        if (holder.ended_at_ms < 0 || holder.ended_at_ms > SystemMs() - kDayMs) continue;
        operations_.push_back({Kind::kDelete, HolderPath(token), {}, holder.version});
        used_until_ms = std::max(used_until_ms, holder.used_until_ms);
      } else if (!holder.alive) {
        EndDead(token, holder);
      }
    }
    if (used_until_ms > swept_.number) {
      operations_.push_back({swept_.there ? Kind::kUpdate : Kind::kCreate, SweptPath(),
                             WriteSwept(used_until_ms), swept_.version});
    }
  }
  if (operations_.empty()) return;
  const std::int64_t deadline_us = deadline_us_;
  Error ignored;
  error_ = &ignored;
  deadline_us_ -= std::max<std::int64_t>(LeftUs() - 1'000'000, 0);
  Commit();
  deadline_us_ = deadline_us;
}

// --- attempts --------------------------------------------------------------------------------

// xorshift64, from the clock and the token: it need only differ between servers.
std::uint64_t Tree::Random() {
  if (random_ == 0) {
    random_ = std::hash<std::string>{}(own_token_) ^
              static_cast<std::uint64_t>(host_.monotonic_us(host_.context));
    random_ |= 1;
  }
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_;
}

// Somebody else's change came first, so there was progress. The pause lets crowds through.
bool Tree::PauseAfterConflict(unsigned attempt) {
  if (attempt == 0) return true;
  const std::int64_t left_us = LeftUs();
  if (left_us <= 0) {
    SetError(*error_, "others changed the same entries of the registry again and again, %u times",
             attempt);
    return false;
  }
  if (attempt == 1) return true;
  const std::uint64_t most_us = std::uint64_t{500} << std::min(attempt, 7U);
  const auto pause_us = static_cast<std::int64_t>(Random() % most_us);
  if (Wait(-1, false, false, std::min(pause_us, left_us))) return true;
  SetError(*error_, "stopped");
  return false;
}

}  // namespace idgen::registry

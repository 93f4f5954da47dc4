// The scheme of a pool, and what its holders say of it.
#include <algorithm>
#include <cinttypes>

#include "registry/tree_values.h"

namespace idgen::registry {
namespace {

std::string WriteScheme(const Scheme& scheme) {
  char changed_by[kNameSize];
  std::snprintf(changed_by, sizeof changed_by, "%s", scheme.changed_by);
  return Write({{"text", scheme.text},
                {"changed_by", changed_by},
                {"changed_at_ms", std::max<std::int64_t>(scheme.changed_ms, 0)}});
}

}  // namespace

std::string Tree::SchemePath(std::int64_t version) const {
  char step[20];
  std::snprintf(step, sizeof step, "%019" PRId64, version);
  return base_ + "/schemes/" + step;
}

void Tree::AddNumber(NumberRow& row, const char* name, const std::string& value,
                     std::int64_t version) {
  const Json json = Json::parse(value, nullptr, false);
  row = {};
  row.there = true;
  row.broken = !json.is_object() || !Get(json, name, row.number);
  row.version = version;
}

void Tree::AddScheme(std::int64_t number, const std::string& value) {
  const Json json = Json::parse(value, nullptr, false);
  SchemeRow row;
  row.broken = !json.is_object() || !Get(json, "text", row.text) ||
               !Get(json, "changed_by", row.changed_by) ||
               !Get(json, "changed_at_ms", row.changed_ms) || row.text.size() >= kSchemeSize ||
               row.text.find('\0') != std::string::npos;
  schemes_[number] = row;
}

Status Tree::Spoilt(const std::string& path) {
  SetError(*error_, "the registry's entry %s is not as it was written, or is missing",
           path.c_str());
  return Status::kFailed;
}

// Reads these versions into schemes_, each of which must be there: none is ever deleted.
bool Tree::ReadVersions(std::int64_t first, std::int64_t last) {
  wants_latest_ = false;
  for (std::int64_t begin = first; begin <= last; begin += kSchemeBatch) {
    const std::int64_t end = std::min(last, begin + (kSchemeBatch - 1));
    wanted_schemes_.clear();
    for (std::int64_t version = begin; version <= end; ++version) {
      wanted_schemes_.push_back(version);
    }
    if (!Read()) return false;
    for (std::int64_t version = begin; version <= end; ++version) {
      const auto it = schemes_.find(version);
      if (it != schemes_.end() && !it->second.broken) continue;
      Spoilt(SchemePath(version));
      return false;
    }
  }
  return true;
}

Status Tree::ReadScheme(const char* pool, std::int64_t version, void (*each)(void*, const Scheme&),
                        void* context) {
  Use(pool);
  wants_latest_ = true;
  if (!Read()) return Status::kFailed;
  if (latest_.broken) return Spoilt(LatestPath());
  const std::int64_t latest = latest_.number;
  const std::int64_t first = version == kAllSchemes     ? 1
                             : version == kLatestScheme ? latest
                                                        : version;
  const std::int64_t last = version == kAllSchemes ? latest : first;
  if (first < 1 || last > latest) return Status::kDone;
  if (!ReadVersions(first, last)) return Status::kFailed;
  for (const auto& [number, row] : schemes_) {
    char changed_by[kNameSize];
    Copy(changed_by, row.changed_by);
    each(context, {number, row.text.c_str(), changed_by, row.changed_ms});
  }
  return Status::kDone;
}

Status Tree::WriteScheme(const char* pool, const Scheme& scheme, bool& written) {
  Use(pool);
  AddScheme(scheme.version, registry::WriteScheme(scheme));
  if (schemes_[scheme.version].text != scheme.text) {
    SetError(*error_, "the text of the scheme is not valid UTF-8");
    return Status::kFailed;
  }
  wants_latest_ = true;
  wanted_schemes_.assign(1, scheme.version);
  for (unsigned attempt = 0;; ++attempt) {
    if (!PauseAfterConflict(attempt)) return Status::kFailed;
    latest_ = {};
    schemes_.clear();
    if (!Read()) return Status::kFailed;
    if (latest_.broken) return Spoilt(LatestPath());
    if (latest_.number != scheme.version - 1) return Status::kDone;
    // A version after the latest one: one of both was written by hand.
    if (!schemes_.empty()) return Spoilt(LatestPath());
    operations_.assign(1, {latest_.there ? Kind::kUpdate : Kind::kCreate, LatestPath(),
                           WriteLatest(scheme.version), latest_.version});
    operations_.push_back(
        {Kind::kCreate, SchemePath(scheme.version), registry::WriteScheme(scheme), 0});
    const Outcome outcome = Commit();
    if (outcome == Outcome::kFailed) return Status::kFailed;
    if (outcome == Outcome::kConflict) continue;
    written = true;
    return Status::kDone;
  }
}

// --- holders ---------------------------------------------------------------------------------

// Ends the holders of holders_ whose time is up. What it rests on may have changed: then there is
// another attempt, which sees those that came back.
Tree::Outcome Tree::EndExpired(bool& ended) {
  operations_.clear();
  ending_.clear();
  for (auto it = holders_.begin();; ++it) {
    const bool is_last = it == holders_.end();
    if (operations_.size() + (is_last ? 0 : 2) > kBatch || (is_last && !operations_.empty())) {
      const Outcome outcome = Commit();
      if (outcome != Outcome::kDone) return outcome;
      ended = true;
      operations_.clear();
      ending_.clear();
    }
    if (is_last) return Outcome::kDone;
    if (!it->second.ended && !it->second.alive) EndDead(it->first, it->second);
  }
}

Status Tree::Holders(const char* pool, bool end_expired, void (*each)(void*, const ListedHolder&),
                     void* context) {
  Use(pool);
  for (unsigned attempt = 0;; ++attempt) {
    if (!PauseAfterConflict(attempt)) return Status::kFailed;
    if (!ReadHolders()) return Status::kFailed;
    // Nobody knows what it used, or by what it goes.
    if (!broken_holder_.empty()) return Spoilt(HolderPath(broken_holder_));
    if (swept_.broken) return Spoilt(SweptPath());
    if (!end_expired) break;
    bool ended = false;
    const Outcome outcome = EndExpired(ended);
    if (outcome == Outcome::kFailed) return Status::kFailed;
    if (outcome == Outcome::kConflict) continue;
    end_expired = false;
    if (!ended) break;
    attempt = 0;
  }
  if (!ReadExpiries()) return Status::kFailed;
  sorted_holders_.clear();
  for (const auto& one : holders_) sorted_holders_.push_back(&one);
  if (swept_.there) {
    // As one that has ended.
    HolderRow row;
    row.name = "(deleted holders)";
    row.ended = true;
    row.used_until_ms = swept_.number;
    sorted_holders_.push_back(&*holders_.insert_or_assign("", row).first);
  }
  std::sort(sorted_holders_.begin(), sorted_holders_.end(), [](const auto* a, const auto* b) {
    return a->second.name != b->second.name ? a->second.name < b->second.name : a->first < b->first;
  });
  for (const auto* one : sorted_holders_) {
    const HolderRow& row = one->second;
    ListedHolder listed{};
    Copy(listed.token, one->first);
    Copy(listed.name, row.name);
    listed.lives = !row.ended;
    listed.used_until_ms = row.used_until_ms;
    if (listed.lives && row.alive) listed.expires_in_ms = row.expires_in_ms;
    listed.acknowledged = row.acknowledged;
    each(context, listed);
  }
  return Status::kDone;
}

// --- watching --------------------------------------------------------------------------------

Status Tree::Watch(const char* pool, SchemeVersions& scheme) {
  Use(pool);
  scheme.latest = scheme.known;
  switch (AwaitScheme(scheme.known)) {
    case Awaited::kFailed:
      return Status::kFailed;
    case Awaited::kNews:
      scheme.latest = watched_.number;
      break;
    case Awaited::kNothing:
      error_->message[0] = '\0';
      break;
  }
  return Status::kDone;
}

}  // namespace idgen::registry

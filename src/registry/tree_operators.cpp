// What operators ask of the tree.
#include <algorithm>

#include "registry/tree_values.h"

namespace idgen::registry {

Status Tree::List(const char* pool, void (*each)(void*, const Listed&), void* context) {
  Use(pool);
  wanted_identities_.assign(kBatch + 1, {});  // all
  if (!ReadIdentities() || !ReadExpiries()) return Status::kFailed;
  sorted_.clear();
  for (const auto& [step, row] : identities_) {
    if (Broken(row)) return Status::kFailed;
    if (row.banned || !row.token.empty() || row.used_until_ms > 0) sorted_.push_back(&row);
  }
  std::sort(sorted_.begin(), sorted_.end(),
            [](const IdentityRow* a, const IdentityRow* b) { return a->identity < b->identity; });
  for (const IdentityRow* row : sorted_) {
    Listed listed;
    listed.identity = row->identity;
    listed.banned = row->banned;
    listed.used_until_ms = row->used_until_ms;
    Copy(listed.holder, row->name);
    if (!row->token.empty()) {
      const HolderRow& holder = holders_[row->token];
      listed.held = !holder.ended;
      listed.used_until_ms =
          listed.held ? holder.used_until_ms : std::max(row->used_until_ms, holder.used_until_ms);
      if (listed.held && holder.alive) listed.expires_in_ms = holder.expires_in_ms;
      Copy(listed.holder, holder.name);
    }
    each(context, listed);
  }
  return Status::kDone;
}

Status Tree::Evict(const char* pool, const Identity& identity, bool& found) {
  Use(pool);
  found = false;
  for (unsigned attempt = 0;; ++attempt) {
    if (!PauseAfterConflict(attempt)) return Status::kFailed;
    wanted_identities_.assign(1, Step(identity));
    if (!ReadIdentities()) return Status::kFailed;
    const IdentityRow& row = Row(identity);
    if (!row.there) return Status::kDone;
    if (Broken(row)) return Status::kFailed;
    if (row.token.empty() || holders_[row.token].ended) return Status::kDone;

    HolderRow& holder = holders_[row.token];
    End(holder);
    operations_.assign(1, {Kind::kCheck, IdentityPath(Step(identity)), {}, row.version});
    operations_.push_back(
        {Kind::kUpdate, HolderPath(row.token), WriteHolder(holder), holder.version});
    if (holder.alive) operations_.push_back({Kind::kDelete, AlivePath(row.token), {}, -1});
    const Outcome outcome = Commit();
    if (outcome == Outcome::kFailed) return Status::kFailed;
    if (outcome == Outcome::kConflict) continue;
    found = true;
    return Status::kDone;
  }
}

Status Tree::Ban(const char* pool, const Identity& identity, bool banned) {
  Use(pool);
  for (unsigned attempt = 0;; ++attempt) {
    if (!PauseAfterConflict(attempt)) return Status::kFailed;
    wanted_identities_.assign(1, Step(identity));
    if (!ReadIdentities()) return Status::kFailed;
    IdentityRow& row = Row(identity);
    if (row.there && row.broken) {
      Broken(row);
      return Status::kFailed;
    }
    if (row.banned == banned) return Status::kDone;
    row.banned = banned;
    operations_.assign(1, {row.there ? Kind::kUpdate : Kind::kCreate, IdentityPath(Step(identity)),
                           WriteIdentity(row), row.version});
    const Outcome outcome = Commit();
    if (outcome == Outcome::kFailed) return Status::kFailed;
    if (outcome == Outcome::kDone) return Status::kDone;
  }
}

}  // namespace idgen::registry

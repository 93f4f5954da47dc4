// The functions of a driver, for trees: exceptions end here.
#include <cstring>

#include "registry/tree.h"

namespace idgen::registry {
namespace {

template <class Function>
Status Guarded(Connection* connection, std::int64_t deadline_us, Error& error,
               Function&& function) noexcept {
  Tree& tree = *reinterpret_cast<Tree*>(connection);
  try {
    tree.Begin(deadline_us, error);
    return function(tree);
  } catch (...) {  // the standard library's, for want of memory
    SetError(error, "out of memory");
    return Status::kFailed;
  }
}

Status Wrong(Error& error, const char* what) {
  SetError(error, "%s", what);
  return Status::kFailed;
}

bool IsSensible(const Identity& identity) {
  return identity.datacenter >= kNone && identity.machine >= kNone && identity.shard >= kNone;
}

constexpr char kWrongTime[] = "a used_until must not be negative";
constexpr char kWrongTerm[] = "a term must be longer than nothing";
constexpr char kWrongIdentity[] = "an identity must not have negative fields";

}  // namespace

void TreeFunctions::Close(Connection* connection) { delete reinterpret_cast<Tree*>(connection); }

Status TreeFunctions::Enrol(Connection* connection, const Holder& holder,
                            std::int64_t used_until_ms, std::int64_t term_ms,
                            SchemeVersions& scheme, std::int64_t deadline_us, Error& error) {
  if (used_until_ms < 0) return Wrong(error, kWrongTime);
  if (term_ms <= 0) return Wrong(error, kWrongTerm);
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Enrol(holder, used_until_ms, term_ms, scheme); });
}

Status TreeFunctions::Renew(Connection* connection, const Holder& holder,
                            std::int64_t used_until_ms, std::int64_t term_ms,
                            SchemeVersions& scheme, std::int64_t deadline_us, Error& error) {
  if (used_until_ms < 0) return Wrong(error, kWrongTime);
  if (term_ms <= 0) return Wrong(error, kWrongTerm);
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Renew(holder, used_until_ms, term_ms, scheme); });
}

Status TreeFunctions::Claim(Connection* connection, const Holder& holder,
                            const Identity* identities, std::size_t count, Claimed* claimed,
                            std::int64_t deadline_us, Error& error) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!IsSensible(identities[i])) return Wrong(error, kWrongIdentity);
  }
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Claim(holder, identities, count, claimed); });
}

Status TreeFunctions::ClaimAny(Connection* connection, const Holder& holder,
                               std::int32_t datacenter, std::int32_t least, std::int32_t most,
                               std::int64_t now_ms, Claimed& claimed, std::int64_t deadline_us,
                               Error& error) {
  if (datacenter < kNone || least < 0) return Wrong(error, kWrongIdentity);
  return Guarded(connection, deadline_us, error, [&](Tree& tree) {
    return tree.ClaimAny(holder, datacenter, least, most, now_ms, claimed);
  });
}

Status TreeFunctions::Release(Connection* connection, const Holder& holder,
                              std::int64_t used_until_ms, std::int64_t deadline_us, Error& error) {
  if (used_until_ms < 0) return Wrong(error, kWrongTime);
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Release(holder, used_until_ms); });
}

Status TreeFunctions::List(Connection* connection, const char* pool,
                           void (*each)(void*, const Listed&), void* context,
                           std::int64_t deadline_us, Error& error) {
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.List(pool, each, context); });
}

Status TreeFunctions::Evict(Connection* connection, const char* pool, const Identity& identity,
                            bool& found, std::int64_t deadline_us, Error& error) {
  if (!IsSensible(identity)) return Wrong(error, kWrongIdentity);
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Evict(pool, identity, found); });
}

Status TreeFunctions::Ban(Connection* connection, const char* pool, const Identity& identity,
                          bool banned, std::int64_t deadline_us, Error& error) {
  if (!IsSensible(identity)) return Wrong(error, kWrongIdentity);
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Ban(pool, identity, banned); });
}

Status TreeFunctions::ReadScheme(Connection* connection, const char* pool, std::int64_t version,
                                 void (*each)(void*, const Scheme&), void* context,
                                 std::int64_t deadline_us, Error& error) {
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.ReadScheme(pool, version, each, context); });
}

Status TreeFunctions::WriteScheme(Connection* connection, const char* pool, const Scheme& scheme,
                                  bool& written, std::int64_t deadline_us, Error& error) {
  written = false;
  if (scheme.version < 1) return Wrong(error, "a version of a scheme must be greater than 0");
  if (std::strlen(scheme.text) >= kSchemeSize) return Wrong(error, "the scheme is too long");
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.WriteScheme(pool, scheme, written); });
}

Status TreeFunctions::Holders(Connection* connection, const char* pool, bool end_expired,
                              void (*each)(void*, const ListedHolder&), void* context,
                              std::int64_t deadline_us, Error& error) {
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Holders(pool, end_expired, each, context); });
}

Status TreeFunctions::Watch(Connection* connection, const char* pool, SchemeVersions& scheme,
                            std::int64_t until_us, Error& error) {
  return Guarded(connection, until_us, error, [&](Tree& tree) { return tree.Watch(pool, scheme); });
}

}  // namespace idgen::registry

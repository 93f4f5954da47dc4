// The functions of a driver, for trees: exceptions end here.
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

void Close(Connection* connection) { delete reinterpret_cast<Tree*>(connection); }

Status Enrol(Connection* connection, const Holder& holder, std::int64_t used_until_ms,
             std::int64_t term_ms, std::int64_t deadline_us, Error& error) {
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Enrol(holder, used_until_ms, term_ms); });
}

Status Renew(Connection* connection, const Holder& holder, std::int64_t used_until_ms,
             std::int64_t term_ms, std::int64_t deadline_us, Error& error) {
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Renew(holder, used_until_ms, term_ms); });
}

Status ClaimThese(Connection* connection, const Holder& holder, const Identity* identities,
                  std::size_t count, Claimed* claimed, std::int64_t deadline_us, Error& error) {
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Claim(holder, identities, count, claimed); });
}

Status ClaimAny(Connection* connection, const Holder& holder, std::int32_t datacenter,
                std::int32_t least, std::int32_t most, std::int64_t now_ms, Claimed& claimed,
                std::int64_t deadline_us, Error& error) {
  return Guarded(connection, deadline_us, error, [&](Tree& tree) {
    return tree.ClaimAny(holder, datacenter, least, most, now_ms, claimed);
  });
}

Status Release(Connection* connection, const Holder& holder, std::int64_t used_until_ms,
               std::int64_t deadline_us, Error& error) {
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Release(holder, used_until_ms); });
}

Status List(Connection* connection, const char* pool, void (*each)(void*, const Listed&),
            void* context, std::int64_t deadline_us, Error& error) {
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.List(pool, each, context); });
}

Status Evict(Connection* connection, const char* pool, const Identity& identity, bool& found,
             std::int64_t deadline_us, Error& error) {
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Evict(pool, identity, found); });
}

Status Ban(Connection* connection, const char* pool, const Identity& identity, bool banned,
           std::int64_t deadline_us, Error& error) {
  return Guarded(connection, deadline_us, error,
                 [&](Tree& tree) { return tree.Ban(pool, identity, banned); });
}

}  // namespace

Driver TreeDriver(const char* scheme, decltype(Driver::check_address) check_address,
                  decltype(Driver::open) open) {
  return {kDriverVersion, scheme,    check_address, open,  &Close, &Enrol, &Renew,
          &ClaimThese,    &ClaimAny, &Release,      &List, &Evict, &Ban};
}

}  // namespace idgen::registry

// What the tests of registries share: a connection that is opened anew after a failure, holders,
// and reports. One `Server` stands for one run of a server; it is used by one thread.
#pragma once

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "registry/drivers.h"
#include "registry/poll_host.h"
#include "registry/registry.h"

namespace idgen::registry::test {

struct Settings {
  std::string address;
  std::int64_t term_ms = 300;         // of holders that are to expire
  std::int64_t patience_ms = 60'000;  // until one that is not renewed can be ended
  std::uint64_t seed = 1;
  std::int64_t seconds = 5;
  int threads = 12;
};

// What ClaimOne says where the call says kLost.
inline constexpr auto kLostClaim = static_cast<idgen::registry::Claim>(77);

inline std::int64_t NowMs() { return HostMonotonicUs() / 1000; }

inline void SleepMs(std::int64_t ms) {
  const timespec rest{ms / 1000, (ms % 1000) * 1'000'000};
  nanosleep(&rest, nullptr);
}

inline std::string RandomToken() {
  thread_local std::random_device source;
  char text[kTokenSize];
  for (int i = 0; i < 4; ++i) std::snprintf(text + 8 * i, 9, "%08x", source());
  return text;
}

inline Holder MakeHolder(const std::string& pool, const std::string& name) {
  Holder holder{};
  std::snprintf(holder.pool, sizeof holder.pool, "%s", pool.c_str());
  std::snprintf(holder.token, sizeof holder.token, "%s", RandomToken().c_str());
  std::snprintf(holder.name, sizeof holder.name, "%s", name.c_str());
  return holder;
}

inline Identity Machine(std::int32_t machine, std::int32_t datacenter = 0) {
  return {datacenter, machine, kNone};
}

struct SchemeText {
  std::int64_t version;
  std::string text, changed_by;
  std::int64_t changed_ms;
};

// A connection with a holder. What fails is fatal here, but where a test calls the driver itself.
class Server {
 public:
  // `stop`: see PollHost.
  Server(const Settings& settings, const std::string& pool, const std::string& name,
         const bool* stop = nullptr)
      : settings_(settings), driver_(FindDriver(settings.address.c_str())), stop_(stop) {
    holder = MakeHolder(pool, name);
    Open();
  }
  ~Server() { Close(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void Close() {
    if (connection != nullptr) driver_->close(connection);
    connection = nullptr;
  }
  // The registry may be about to come back.
  void Open() {
    Close();
    const std::int64_t end_ms = NowMs() + 20'000;
    for (;;) {
      connection = driver_->open(settings_.address.c_str(), PollHost(stop_), In(20'000), error);
      if (connection != nullptr) return;
      if (NowMs() > end_ms) Die("open");
      SleepMs(100);
    }
  }

  // By `scheme.known`, and so do renewals and watches.
  Status Enrol(std::int64_t used_until_ms, std::int64_t term_ms = 600'000) {
    return Sure("enrol",
                driver_->enrol(connection, holder, used_until_ms, term_ms, scheme, In(), error));
  }
  Status Renew(std::int64_t used_until_ms, std::int64_t term_ms = 600'000) {
    return Sure("renew",
                driver_->renew(connection, holder, used_until_ms, term_ms, scheme, In(), error));
  }
  Status Release(std::int64_t used_until_ms) {
    return Sure("release", driver_->release(connection, holder, used_until_ms, In(), error));
  }
  Status Claim(const std::vector<Identity>& identities, std::vector<Claimed>& claimed) {
    claimed.assign(identities.size(), {});
    return Sure("claim", driver_->claim(connection, holder, identities.data(), identities.size(),
                                        claimed.data(), In(), error));
  }
  Claimed ClaimOne(const Identity& identity) {
    std::vector<Claimed> claimed;
    // No claim of a holder that has ended may look like one that was granted.
    if (Claim({identity}, claimed) == Status::kLost) claimed[0].claim = kLostClaim;
    return claimed[0];
  }
  Status ClaimAny(std::int32_t least, std::int32_t most, std::int64_t now_ms, Claimed& claimed,
                  std::int32_t datacenter = 0) {
    return Sure("claim_any", driver_->claim_any(connection, holder, datacenter, least, most, now_ms,
                                                claimed, In(), error));
  }
  std::vector<Listed> List() {
    std::vector<Listed> all;
    Sure("list", driver_->list(
                     connection, holder.pool,
                     [](void* context, const Listed& listed) {
                       static_cast<std::vector<Listed>*>(context)->push_back(listed);
                     },
                     &all, In(), error));
    return all;
  }
  bool Evict(const Identity& identity) {
    bool found = false;
    Sure("evict", driver_->evict(connection, holder.pool, identity, found, In(), error));
    return found;
  }
  void Ban(const Identity& identity, bool banned) {
    Sure("ban", driver_->ban(connection, holder.pool, identity, banned, In(), error));
  }

  std::vector<SchemeText> ReadScheme(std::int64_t version) {
    std::vector<SchemeText> all;
    Sure("read_scheme", driver_->read_scheme(
                            connection, holder.pool, version,
                            [](void* context, const Scheme& read) {
                              static_cast<std::vector<SchemeText>*>(context)->push_back(
                                  {read.version, read.text, read.changed_by, read.changed_ms});
                            },
                            &all, In(), error));
    return all;
  }
  bool WriteScheme(std::int64_t version, const std::string& text,
                   const std::string& changed_by = "somebody", std::int64_t changed_ms = 1) {
    const Scheme wanted{version, text.c_str(), changed_by.c_str(), changed_ms};
    bool written = false;
    Sure("write_scheme",
         driver_->write_scheme(connection, holder.pool, wanted, written, In(), error));
    return written;
  }
  std::vector<ListedHolder> Holders(bool end_expired = false) {
    std::vector<ListedHolder> all;
    Sure("holders", driver_->holders(
                        connection, holder.pool, end_expired,
                        [](void* context, const ListedHolder& listed) {
                          static_cast<std::vector<ListedHolder>*>(context)->push_back(listed);
                        },
                        &all, In(), error));
    return all;
  }
  Status Watch(std::int64_t ms) {
    return Sure("watch", driver_->watch(connection, holder.pool, scheme, In(ms), error));
  }

  // Another run of a server of this name.
  void Restart() { holder = MakeHolder(holder.pool, holder.name); }

  static std::int64_t In(std::int64_t ms = 20'000) { return HostMonotonicUs() + ms * 1000; }
  const Driver& driver() const { return *driver_; }

  Holder holder{};
  SchemeVersions scheme;
  Connection* connection = nullptr;
  Error error;

 private:
  Status Sure(const char* what, Status status) {
    if (status == Status::kFailed) Die(what);
    return status;
  }
  [[noreturn]] void Die(const char* what) const {
    std::printf("FAIL  %s: %s\n", what, error.message);
    std::fflush(stdout);
    std::_Exit(1);
  }

  const Settings& settings_;
  const Driver* driver_;
  const bool* stop_;
};

// Threads that do random things, and the check of the one invariant: random.cpp.
bool RunRandom(const Settings& settings);

// LeasedMachine (src/registry/client.h) with this registry: client_case.cpp.
bool RunClient(const Settings& settings);

// Cases of other files. Null at the end. Those that leave the registry unusable are run by name
// only.
struct ExtraCase {
  const char* name;
  bool (*run)(const Settings& settings, const std::string& pool);
  bool only_by_name;
};
extern const ExtraCase kSchemeCases[];  // of versions of the scheme: scheme_cases.cpp
// What only PostgreSQL has: postgresql_cases.cpp and postgresql_scheme_cases.cpp.
extern const ExtraCase kPostgresqlCases[];
extern const ExtraCase kPostgresqlSchemeCases[];

}  // namespace idgen::registry::test

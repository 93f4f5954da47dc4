// What every driver of a registry must do (src/registry/registry.h), asked of a real registry.
//
//   conformance ADDRESS [--term MS] [--seconds N] [--threads N] [--seed N] [--only CASE]
//
// ADDRESS      any that a driver in this program understands: src/registry/drivers.cpp
// --term MS    the term of holders that are to expire: the shortest that the registry can do.
//              300 by default, right for PostgreSQL; etcd and ZooKeeper need seconds
// --seconds N  how long threads do random things at the end (random.cpp); 0: not at all
// --only CASE  one case, or "random"
//
// It needs no empty registry: each case has a pool of its own, whose name no one used before.
// Prints ok or FAIL for each case; the exit status is 1 if any failed. Build it with CMake
// (IDGEN_BUILD_TESTS), or by hand:
//
//   mkdir include && ln -s ../src/core include/idgen
//   c++ -std=c++20 -Isrc -Iinclude -DIDGEN_WITH_POSTGRESQL -I$(pg_config --includedir)
//       test/registry/*.cpp src/core/*.cpp
//       src/registry/{client,drivers,poll_host}.cpp
//       src/registry/postgresql{,_connect,_link,_scheme,_statements}.cpp -lpq
//
// Another driver: name it in drivers.cpp, and give its files, macro and library here.
#include <algorithm>
#include <functional>
#include <set>

#include "harness.h"

namespace idgen::registry::test {
namespace {

int failures = 0;
bool ok = true;

void Check(bool right, const char* what, int line) {
  if (right) return;
  std::printf("      line %d: not so: %s\n", line, what);
  ok = false;
}
#define CHECK(condition) Check(condition, #condition, __LINE__)

void CheckClaim(const Claimed& got, Claim claim, std::int64_t used_until_ms, int line) {
  if (got.claim == claim && (claim != Claim::kGranted || got.used_until_ms == used_until_ms))
    return;
  std::printf("      line %d: claim %d, used_until %" PRId64
              ", holder \"%s\"; expected %d, %" PRId64 "\n",
              line, static_cast<int>(got.claim), got.used_until_ms, got.holder,
              static_cast<int>(claim), used_until_ms);
  ok = false;
}
#define GRANTED(got, used_until_ms) CheckClaim(got, Claim::kGranted, used_until_ms, __LINE__)
#define HELD(got) CheckClaim(got, Claim::kHeld, 0, __LINE__)
#define LOST(got) CheckClaim(got, kLostClaim, 0, __LINE__)
#define BANNED(got) CheckClaim(got, Claim::kBanned, 0, __LINE__)

// The names of the case, and of its pool.
struct Case {
  const Settings& settings;
  std::string pool;
};

using C = const Case&;

void Holders(C c) {
  Server a(c.settings, c.pool, "a");
  CHECK(a.Renew(5) == Status::kLost);
  std::vector<Claimed> claimed;
  CHECK(a.Claim({Machine(1)}, claimed) == Status::kLost);
  Claimed any;
  CHECK(a.ClaimAny(0, 3, 5, any) == Status::kLost);
  CHECK(a.Release(5) == Status::kDone);
  // It may be that a registry remembers the release of one that it did not know.
  a.Restart();
  CHECK(a.Enrol(1000) == Status::kDone);
  CHECK(a.Enrol(1000) == Status::kDone);
  GRANTED(a.ClaimOne(Machine(1)), 0);
  CHECK(a.Renew(2000) == Status::kDone);
  CHECK(a.Renew(1500) == Status::kDone);  // a smaller one leaves it
  CHECK(a.Enrol(1200) == Status::kDone);
  CHECK(a.List().size() == 1 && a.List()[0].used_until_ms == 2000);
  a.Open();  // and it depends on no connection
  CHECK(a.Renew(3000) == Status::kDone);
  CHECK(a.List()[0].used_until_ms == 3000);
}

void Claims(C c) {
  Server a(c.settings, c.pool, "a"), b(c.settings, c.pool, "b");
  a.Enrol(1000);
  b.Enrol(900);
  GRANTED(a.ClaimOne(Machine(1)), 0);
  HELD(b.ClaimOne(Machine(1)));
  CHECK(std::strcmp(b.ClaimOne(Machine(1)).holder, "a") == 0);
  a.Renew(2000);
  GRANTED(a.ClaimOne(Machine(1)), 0);       // again, as the first time
  CHECK(a.Release(1500) == Status::kDone);  // less than was granted: it used no more
  GRANTED(b.ClaimOne(Machine(1)), 1500);
  b.Renew(4000);
  GRANTED(b.ClaimOne(Machine(1)), 1500);
  // What has ended stays so.
  CHECK(a.Renew(9000) == Status::kLost);
  CHECK(a.Enrol(9000) == Status::kLost);
  LOST(a.ClaimOne(Machine(1)));
  LOST(a.ClaimOne(Machine(2)));
  Claimed any;
  CHECK(a.ClaimAny(0, 9, 0, any) == Status::kLost);
  CHECK(a.Release(9000) == Status::kDone);
  HELD([&] {
    a.Restart();
    a.Enrol(0);
    return a.ClaimOne(Machine(1));
  }());
}

// The used_until of an identity never goes down, whoever holds it with whatever clock.
void ClocksBehind(C c) {
  Server a(c.settings, c.pool, "a"), b(c.settings, c.pool, "b"), d(c.settings, c.pool, "d");
  a.Enrol(10'000);
  GRANTED(a.ClaimOne(Machine(1)), 0);
  a.Release(10'000);
  b.Enrol(500);
  GRANTED(b.ClaimOne(Machine(1)), 10'000);
  GRANTED(b.ClaimOne(Machine(2)), 0);
  CHECK(b.List()[0].used_until_ms == 500 || b.List()[0].used_until_ms == 10'000);
  b.Renew(700);
  b.Release(600);
  d.Enrol(0);
  GRANTED(d.ClaimOne(Machine(1)), 10'000);
  GRANTED(d.ClaimOne(Machine(2)), 600);
  // Released with more than was said before: a holder may use time that it says at last.
  d.Release(20'000);
  a.Restart();
  a.Enrol(0);
  GRANTED(a.ClaimOne(Machine(1)), 20'000);
  GRANTED(a.ClaimOne(Machine(2)), 20'000);
}

// Tries until the claim is granted, for as long as the registry may need to notice.
Claimed ClaimInTime(C c, Server& server, const Identity& identity) {
  const std::int64_t end_ms = NowMs() + c.settings.patience_ms;
  for (;;) {
    const Claimed got = server.ClaimOne(identity);
    if (got.claim == Claim::kGranted || NowMs() > end_ms) return got;
    server.Renew(0);
    SleepMs(c.settings.term_ms / 10);
  }
}

void Expiry(C c) {
  const std::int64_t term_ms = c.settings.term_ms;
  Server a(c.settings, c.pool, "a"), b(c.settings, c.pool, "b");
  a.Enrol(1000, term_ms);
  b.Enrol(0);
  GRANTED(a.ClaimOne(Machine(1)), 0);
  GRANTED(a.ClaimOne({3, kNone, 7}), 0);
  a.Renew(5000, term_ms);
  GRANTED(ClaimInTime(c, b, Machine(1)), 5000);
  CHECK(a.Renew(6000, term_ms) == Status::kLost);
  LOST(a.ClaimOne(Machine(1)));
  // It has ended as a whole.
  GRANTED(b.ClaimOne({3, kNone, 7}), 5000);
  // Nobody asked for the identity, so its holder may go on, or may have been ended.
  Server d(c.settings, c.pool, "d");
  d.Enrol(1, term_ms);
  GRANTED(d.ClaimOne(Machine(2)), 0);
  SleepMs(term_ms * 2);
  const Status late = d.Renew(100, 600'000);
  const Claimed two = b.ClaimOne(Machine(2));
  CHECK(late == Status::kDone ? two.claim == Claim::kHeld
                              : two.claim == Claim::kGranted && two.used_until_ms == 1);
}

// As long as it is renewed nobody can end it, and the last term is as long as it says.
void Renewal(C c) {
  const std::int64_t term_ms = std::max<std::int64_t>(c.settings.term_ms * 4, 1500);
  Server a(c.settings, c.pool, "a"), b(c.settings, c.pool, "b");
  a.Enrol(1, term_ms);
  b.Enrol(0);
  GRANTED(a.ClaimOne(Machine(1)), 0);
  std::int64_t renewed_ms = NowMs();
  const std::int64_t end_ms = renewed_ms + 2 * term_ms;
  bool late = false;  // this machine was busy
  for (std::int64_t t = 2; NowMs() < end_ms && ok && !late; ++t) {
    late = NowMs() - renewed_ms > term_ms * 3 / 4;
    const std::int64_t start_ms = NowMs();
    const Status status = a.Renew(t, term_ms);
    CHECK(status == Status::kDone || late);
    renewed_ms = start_ms;
    for (int i = 0; i < 3; ++i) {
      const Claimed got = b.ClaimOne(Machine(1));
      if (NowMs() - renewed_ms < term_ms * 3 / 4) HELD(got);
      SleepMs(term_ms / 20);
    }
  }
}

void Evictions(C c) {
  Server a(c.settings, c.pool, "a"), b(c.settings, c.pool, "b");
  a.Enrol(1000);
  b.Enrol(0);
  GRANTED(a.ClaimOne(Machine(1)), 0);
  GRANTED(a.ClaimOne(Machine(2)), 0);
  CHECK(!b.Evict(Machine(3)));
  CHECK(b.Evict(Machine(1)));
  CHECK(!b.Evict(Machine(1)));
  CHECK(!b.Evict(Machine(2)));
  CHECK(a.Renew(2000) == Status::kLost);
  GRANTED(b.ClaimOne(Machine(1)), 1000);
  GRANTED(b.ClaimOne(Machine(2)), 1000);
  b.Renew(3000);
  CHECK(a.Evict(Machine(2)));
  CHECK(b.Renew(4000) == Status::kLost);
  CHECK(b.Release(0) == Status::kDone);  // too late: nothing changes
  a.Restart();
  a.Enrol(0);
  GRANTED(a.ClaimOne(Machine(1)), 3000);
}

void Bans(C c) {
  Server a(c.settings, c.pool, "a"), b(c.settings, c.pool, "b");
  a.Enrol(1000);
  b.Enrol(0);
  b.Ban(Machine(1), true);
  b.Ban(Machine(1), true);
  BANNED(a.ClaimOne(Machine(1)));
  GRANTED(a.ClaimOne(Machine(2)), 0);
  b.Ban(Machine(2), true);
  CHECK(a.Renew(2000) == Status::kDone);
  GRANTED(a.ClaimOne(Machine(2)), 0);  // what it has already
  const std::vector<Listed> listed = a.List();
  CHECK(listed.size() == 2);
  CHECK(listed.size() == 2 && listed[0].banned && !listed[0].held && listed[0].used_until_ms == 0);
  CHECK(listed.size() == 2 && listed[1].banned && listed[1].held &&
        listed[1].used_until_ms == 2000);
  Claimed any;
  CHECK(b.ClaimAny(1, 2, 9999, any) == Status::kDone && any.claim == Claim::kFull);
  a.Release(2000);
  BANNED(b.ClaimOne(Machine(2)));
  CHECK(b.ClaimAny(1, 2, 9999, any) == Status::kDone && any.claim == Claim::kFull);
  b.Ban(Machine(2), false);
  b.Ban(Machine(1), false);
  b.Ban(Machine(5), false);
  GRANTED(b.ClaimOne(Machine(2)), 2000);
  GRANTED(b.ClaimOne(Machine(1)), 0);
}

void AnyMachine(C c) {
  Server a(c.settings, c.pool, "a"), b(c.settings, c.pool, "b"), d(c.settings, c.pool, "d"),
      e(c.settings, c.pool, "e");
  Claimed got;
  std::set<std::int32_t> machines;
  for (Server* server : {&a, &b, &d}) {
    server->Enrol(100);
    CHECK(server->ClaimAny(4, 6, 1000, got) == Status::kDone);
    GRANTED(got, 0);
    CHECK(got.identity.datacenter == 0 && got.identity.shard == kNone);
    CHECK(got.identity.machine >= 4 && got.identity.machine <= 6);
    CHECK(machines.insert(got.identity.machine).second);
    const std::int32_t first = got.identity.machine;
    CHECK(server->ClaimAny(4, 6, 1000, got) == Status::kDone);
    GRANTED(got, 0);
    CHECK(got.identity.machine == first);
  }
  e.Enrol(0);
  CHECK(e.ClaimAny(4, 6, 1000, got) == Status::kDone);
  CHECK(got.claim == Claim::kFull);
  CHECK(e.ClaimAny(4, 6, 1000, got, 1) == Status::kDone);  // another datacenter
  GRANTED(got, 0);
  CHECK(got.identity.datacenter == 1);
  CHECK(e.ClaimAny(4, 7, 1000, got) == Status::kDone);
  GRANTED(got, 0);
  CHECK(got.identity.machine == 7);
}

void Preference(C c) {
  Claimed got;
  // Machine 1 to 3 were held by "one", "two" and "three", in this order of their ends; 4 by nobody.
  const auto held = [&](const char* name, std::int32_t machine, std::int64_t used_until_ms) {
    Server server(c.settings, c.pool, name);
    server.Enrol(used_until_ms);
    GRANTED(server.ClaimOne(Machine(machine)), 0);
    server.Release(used_until_ms);
    SleepMs(20);
  };
  held("one", 3, 100);
  held("two", 2, 200);
  held("three", 1, 300);
  const auto claim = [&](Server& server, std::int32_t machine, std::int64_t used_until_ms,
                         std::int64_t now_ms, int line) {
    server.Restart();
    server.Enrol(0);
    CHECK(server.ClaimAny(1, 4, now_ms, got) == Status::kDone);
    CheckClaim(got, Claim::kGranted, used_until_ms, line);
    if (got.identity.machine != machine) {
      std::printf("      line %d: machine %d, expected %d\n", line, got.identity.machine, machine);
      ok = false;
    }
  };
  Server two(c.settings, c.pool, "two"), x(c.settings, c.pool, "x"), y(c.settings, c.pool, "y"),
      z(c.settings, c.pool, "z");
  claim(two, 2, 200, 1000, __LINE__);  // its own, before one that was never held
  claim(x, 4, 0, 1000, __LINE__);      // never held
  claim(y, 3, 100, 1000, __LINE__);    // free longest
  claim(z, 1, 300, 1000, __LINE__);
  // Whose time is still ahead comes last: after its end machine 2 was used until 200.
  two.Release(200);
  SleepMs(20);
  x.Release(0);
  claim(two, 4, 0, 150, __LINE__);
  claim(x, 2, 200, 150, __LINE__);  // and is given out if there is no other
  // Exactly now is not later.
  x.Release(200);
  two.Release(0);
  claim(x, 2, 200, 200, __LINE__);
}

void ManyAtOnce(C c) {
  Server a(c.settings, c.pool, "a"), b(c.settings, c.pool, "b");
  a.Enrol(50);
  b.Enrol(60);
  std::vector<Identity> all;
  for (std::int32_t shard = 999; shard >= 0; --shard) all.push_back({2, kNone, shard});
  all.push_back({2, kNone, 5});
  b.Ban({2, kNone, 10}, true);
  GRANTED(b.ClaimOne({2, kNone, 20}), 0);
  std::vector<Claimed> claimed;
  CHECK(a.Claim(all, claimed) == Status::kDone);
  for (std::size_t i = 0; i < all.size() && ok; ++i) {
    CHECK(claimed[i].identity == all[i]);
    if (all[i].shard == 10) {
      BANNED(claimed[i]);
    } else if (all[i].shard == 20) {
      HELD(claimed[i]);
    } else {
      GRANTED(claimed[i], 0);
    }
  }
  CHECK(a.Claim({}, claimed) == Status::kDone);
  a.Renew(70);
  a.Release(70);
  CHECK(b.Claim(all, claimed) == Status::kDone);
  GRANTED(claimed[0], 70);
  GRANTED(claimed[979], 0);
  const std::vector<Listed> listed = b.List();
  CHECK(listed.size() == 1000);
  for (std::size_t i = 0; i < listed.size() && ok; ++i) {
    CHECK(listed[i].identity == (Identity{2, kNone, static_cast<std::int32_t>(i)}));
  }
}

void ListAndPools(C c) {
  Server a(c.settings, c.pool, "a"), b(c.settings, c.pool, "b"),
      other(c.settings, c.pool + "2", "o");
  const Identity all[] = {{0, 5, kNone}, {kNone, kNone, kNone}, {0, kNone, 5}, {1, 0, kNone}};
  a.Enrol(100, 100'000);
  b.Enrol(100);
  other.Enrol(0);
  for (const Identity& identity : all) {
    GRANTED(a.ClaimOne(identity), 0);
    GRANTED(other.ClaimOne(identity), 0);  // each pool has its own
  }
  CHECK(!other.Evict({3, 3, 3}));
  const std::vector<Listed> listed = a.List();
  CHECK(listed.size() == 4);
  if (!ok) return;
  CHECK(listed[0].identity == all[1] && listed[1].identity == all[2] &&
        listed[2].identity == all[0] && listed[3].identity == all[3]);
  for (const Listed& row : listed) {
    CHECK(row.held && !row.banned && row.used_until_ms == 100);
    CHECK(std::strcmp(row.holder, "a") == 0);
    CHECK(row.expires_in_ms > 0 && row.expires_in_ms <= 100'000);
  }
  a.Release(90);
  CHECK(!b.List()[0].held && b.List()[0].used_until_ms == 90);
  CHECK(std::strcmp(b.List()[0].holder, "a") == 0);
}

// What looks strange comes through whole.
void OddValues(C c) {
  constexpr std::int64_t kLatestMs = 253'402'300'799'998;
  Server a(c.settings, c.pool, "it's a \\ \"name\" $1; %s"),
      b(c.settings, c.pool, std::string(500, 'n'));
  a.Enrol(kLatestMs);
  GRANTED(a.ClaimOne({2'147'483'647, 2'147'483'647, 2'147'483'647}), 0);
  b.Enrol(1'764'112'345'679);
  const Claimed got = b.ClaimOne({2'147'483'647, 2'147'483'647, 2'147'483'647});
  HELD(got);
  CHECK(std::strcmp(got.holder, a.holder.name) == 0);
  GRANTED(b.ClaimOne(Machine(0)), 0);
  CHECK(std::strlen(a.List()[0].holder) == kNameSize - 1);
  a.Release(kLatestMs);
  GRANTED(b.ClaimOne({2'147'483'647, 2'147'483'647, 2'147'483'647}), kLatestMs);
  b.Release(1'764'112'345'679);
  a.Restart();
  a.Enrol(0);
  GRANTED(a.ClaimOne(Machine(0)), 1'764'112'345'679);
}

void Deadlines(C c) {
  Server a(c.settings, c.pool, "a");
  a.Enrol(10);
  const Driver& driver = a.driver();
  Error error;
  const std::int64_t start_ms = NowMs();
  SchemeVersions scheme;
  CHECK(driver.renew(a.connection, a.holder, 20, 1000, scheme, HostMonotonicUs() - 1, error) ==
        Status::kFailed);
  CHECK(error.message[0] != '\0');
  a.Open();
  CHECK(a.Renew(30) == Status::kDone);
  CHECK(driver.open(c.settings.address.c_str(), PollHost(nullptr), HostMonotonicUs() - 1, error) ==
        nullptr);
  // A host that is stopping.
  const bool stop = true;
  Error stopped;
  CHECK(driver.open(c.settings.address.c_str(), PollHost(&stop), Server::In(), stopped) == nullptr);
  CHECK(stopped.message[0] != '\0');
  CHECK(NowMs() - start_ms < 10'000);
  // What the caller must not say.
  CHECK(driver.renew(a.connection, a.holder, -1, 1000, scheme, Server::In(), error) ==
        Status::kFailed);
  a.Open();
  CHECK(driver.enrol(a.connection, a.holder, 1, 0, scheme, Server::In(), error) == Status::kFailed);
  a.Open();
  const Identity negative{-2, 1, kNone};
  Claimed claimed;
  CHECK(driver.claim(a.connection, a.holder, &negative, 1, &claimed, Server::In(), error) ==
            Status::kFailed &&
        claimed.claim != Claim::kGranted);
}

// A call that was broken off may or may not have been done. Repeated, it is.
void BrokenOff(C c) {
  Server a(c.settings, c.pool, "a");
  const Driver& driver = a.driver();
  Error error;
  SchemeVersions scheme;
  for (int i = 0; i < 30; ++i) {
    const std::int64_t us = 100 * i;
    a.Restart();
    if (driver.enrol(a.connection, a.holder, 10, 600'000, scheme, HostMonotonicUs() + us, error) !=
        Status::kDone) {
      a.Open();
    }
    CHECK(a.Enrol(10) == Status::kDone);
    const Identity identity = Machine(i);
    Claimed claimed;
    if (driver.claim(a.connection, a.holder, &identity, 1, &claimed, HostMonotonicUs() + us,
                     error) != Status::kDone) {
      a.Open();
    }
    GRANTED(a.ClaimOne(identity), 0);
    if (driver.renew(a.connection, a.holder, 1000 + i, 600'000, scheme, HostMonotonicUs() + us,
                     error) != Status::kDone) {
      a.Open();
    }
    CHECK(a.Renew(500) == Status::kDone);
    if (driver.release(a.connection, a.holder, 300, HostMonotonicUs() + us, error) !=
        Status::kDone) {
      a.Open();
    }
    CHECK(a.Release(300) == Status::kDone);
    CHECK(a.Renew(500) == Status::kLost);
  }
  CHECK(a.List().size() == 30);
  for (const Listed& listed : a.List()) CHECK(!listed.held && listed.used_until_ms == 300);
}

constexpr struct {
  const char* name;
  void (*run)(C);
} kCases[] = {{"holders", Holders},
              {"claims", Claims},
              {"clocks_behind", ClocksBehind},
              {"expiry", Expiry},
              {"renewal", Renewal},
              {"evictions", Evictions},
              {"bans", Bans},
              {"any_machine", AnyMachine},
              {"preference", Preference},
              {"many_at_once", ManyAtOnce},
              {"list_and_pools", ListAndPools},
              {"odd_values", OddValues},
              {"deadlines", Deadlines},
              {"broken_off", BrokenOff}};

void Report(const char* name, bool right, std::int64_t start_ms) {
  std::printf("%s%s (%" PRId64 " ms)\n", right ? "ok    " : "FAIL  ", name, NowMs() - start_ms);
  std::fflush(stdout);
  if (!right) ++failures;
}

void RunExtra(const ExtraCase* test, const Settings& settings, const std::string& only) {
  for (; test->name != nullptr; ++test) {
    if (test->only_by_name ? only != test->name : !only.empty() && only != test->name) continue;
    const std::int64_t start_ms = NowMs();
    Report(test->name,
           test->run(settings, std::string(test->name) + "-" + RandomToken().substr(0, 12)),
           start_ms);
  }
}

int Main(const Settings& settings, const std::string& only) {
  for (const auto& test : kCases) {
    if (!only.empty() && only != test.name) continue;
    ok = true;
    const std::int64_t start_ms = NowMs();
    test.run({settings, std::string(test.name) + "-" + RandomToken().substr(0, 12)});
    Report(test.name, ok, start_ms);
  }
  if (only.empty() || only == "client") {
    const std::int64_t start_ms = NowMs();
    Report("client", RunClient(settings), start_ms);
  }
  RunExtra(kSchemeCases, settings, only);
  const std::string kind = FindDriver(settings.address.c_str())->scheme;
  if (kind == "postgresql") {
    RunExtra(kPostgresqlCases, settings, only);
    RunExtra(kPostgresqlSchemeCases, settings, only);
  }
  if (settings.seconds > 0 && (only.empty() || only == "random")) {
    const std::int64_t start_ms = NowMs();
    Report("random", RunRandom(settings), start_ms);
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace idgen::registry::test

int main(int argc, char** argv) {
  using idgen::registry::FindDriver;
  idgen::registry::test::Settings settings;
  std::string only;
  if (argc > 1) settings.address = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--term") settings.term_ms = std::atoll(argv[i + 1]);
    if (option == "--seconds") settings.seconds = std::atoll(argv[i + 1]);
    if (option == "--threads") settings.threads = std::atoi(argv[i + 1]);
    if (option == "--seed") settings.seed = std::strtoull(argv[i + 1], nullptr, 10);
    if (option == "--only") only = argv[i + 1];
  }
  const idgen::registry::Driver* driver = FindDriver(settings.address.c_str());
  if (argc < 2 || argc % 2 != 0 || driver == nullptr) {
    std::fprintf(stderr,
                 "usage: conformance ADDRESS [--term MS] [--seconds N] [--threads N] "
                 "[--seed N] [--only CASE]\nno driver here understands \"%s\"\n",
                 settings.address.c_str());
    return 2;
  }
  idgen::registry::Error error;
  if (!driver->check_address(settings.address.c_str(), error)) {
    std::fprintf(stderr, "%s\n", error.message);
    return 2;
  }
  return idgen::registry::test::Main(settings, only);
}

// Versions of the scheme, and the agreement of holders: what every driver must do.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "harness.h"

namespace idgen::registry::test {
namespace {

std::atomic<bool> right = true;

void Check(bool condition, const char* what, int line) {
  if (condition) return;
  // Of many threads the first one is enough.
  if (right.exchange(false)) std::printf("      line %d: not so: %s\n", line, what);
}
#define CHECK(condition) Check(condition, #condition, __LINE__)

bool Same(const SchemeText& read, std::int64_t version, const std::string& text,
          const std::string& changed_by, std::int64_t changed_ms) {
  return read.version == version && read.text == text && read.changed_by == changed_by &&
         read.changed_ms == changed_ms;
}

const ListedHolder* Find(const std::vector<ListedHolder>& all, const Holder& holder) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const ListedHolder& listed) {
    return std::strcmp(listed.token, holder.token) == 0;
  });
  return it != all.end() ? &*it : nullptr;
}

bool Versions(const Settings& settings, const std::string& pool) {
  right = true;
  Server a(settings, pool, "a"), b(settings, pool, "b"), other(settings, pool + "2", "o");
  for (const std::int64_t version : {kLatestScheme, kAllSchemes, std::int64_t{0}, std::int64_t{1}})
    CHECK(a.ReadScheme(version).empty());
  CHECK(!a.WriteScheme(2, "too early"));
  CHECK(a.WriteScheme(1, "one", "a person", 1'764'112'345'679));
  CHECK(!a.WriteScheme(1, "one", "a person", 1'764'112'345'679));
  CHECK(!b.WriteScheme(1, "another one"));
  CHECK(!b.WriteScheme(3, "three"));
  CHECK(b.WriteScheme(2, "two", "b", 0));
  CHECK(!a.WriteScheme(1, "one again"));
  std::vector<SchemeText> read = a.ReadScheme(kLatestScheme);
  CHECK(read.size() == 1 && Same(read[0], 2, "two", "b", 0));
  for (std::int64_t version = 3; version <= 12; ++version)
    CHECK(b.WriteScheme(version, "version " + std::to_string(version)));
  read = a.ReadScheme(kAllSchemes);
  CHECK(read.size() == 12 && Same(read[0], 1, "one", "a person", 1'764'112'345'679));
  for (std::size_t i = 2; i < read.size(); ++i) {
    const auto version = static_cast<std::int64_t>(i + 1);
    CHECK(Same(read[i], version, "version " + std::to_string(version), "somebody", 1));
  }
  read = b.ReadScheme(kLatestScheme);
  CHECK(read.size() == 1 && read[0].version == 12);
  read = b.ReadScheme(2);  // old ones stay
  CHECK(read.size() == 1 && Same(read[0], 2, "two", "b", 0));
  CHECK(a.ReadScheme(13).empty() && a.ReadScheme(0).empty());
  // Each pool has its own.
  CHECK(other.ReadScheme(kAllSchemes).empty());
  CHECK(other.Enrol(1) == Status::kDone && other.scheme.latest == 0);
  CHECK(other.WriteScheme(1, "the other's"));
  CHECK(a.ReadScheme(1)[0].text == "one");
  // No version of that number can be written.
  for (const std::int64_t version : {std::int64_t{0}, std::int64_t{-1}}) {
    bool written = false;
    if (a.driver().write_scheme(a.connection, pool.c_str(), {version, "", "", 1}, written,
                                Server::In(), a.error) == Status::kFailed) {
      CHECK(a.error.message[0] != '\0');
      a.Open();
    }
    CHECK(!written);
  }
  CHECK(a.ReadScheme(kLatestScheme)[0].version == 12);
  return right;
}

// What looks strange comes through whole.
bool Texts(const Settings& settings, const std::string& pool) {
  right = true;
  Server a(settings, pool, "a");
  const std::string odd = "it's a \\ \"text\" $1; %s /*?*/ @\n\tü \xe2\x82\xac\n";
  const std::string person = "it's \\ \"me\" $2";
  CHECK(a.WriteScheme(1, odd, person));
  CHECK(a.WriteScheme(2, ""));
  std::string longest;
  while (longest.size() + 1 < kSchemeSize) longest += static_cast<char>(' ' + longest.size() % 94);
  CHECK(a.WriteScheme(3, longest, std::string(500, 'n')));
  bool written = false;
  CHECK(a.driver().write_scheme(a.connection, pool.c_str(), {4, (longest + "x").c_str(), "", 1},
                                written, Server::In(), a.error) == Status::kFailed);
  CHECK(!written && a.error.message[0] != '\0');
  a.Open();
  const std::vector<SchemeText> read = a.ReadScheme(kAllSchemes);
  CHECK(read.size() == 3);
  CHECK(read.size() == 3 && Same(read[0], 1, odd, person, 1));
  CHECK(read.size() == 3 && Same(read[1], 2, "", "somebody", 1));
  CHECK(read.size() == 3 && Same(read[2], 3, longest, std::string(kNameSize - 1, 'n'), 1));
  return right;
}

// Who enrols goes by the latest version; what one goes by only rises.
bool Stale(const Settings& settings, const std::string& pool) {
  right = true;
  Server a(settings, pool, "a"), b(settings, pool, "b");
  const auto acknowledged = [&](const Server& server) {
    const std::vector<ListedHolder> all = b.Holders();
    const ListedHolder* listed = Find(all, server.holder);
    return listed != nullptr ? listed->acknowledged : -1;
  };
  a.scheme.latest = 77;
  CHECK(a.Enrol(1) == Status::kDone && a.scheme.latest == 0 && a.scheme.known == 0);
  CHECK(acknowledged(a) == 0);
  b.scheme.known = 1;  // there is none
  CHECK(b.Enrol(1) == Status::kStale && b.scheme.latest == 0);
  CHECK(b.WriteScheme(1, "one"));
  // Nobody becomes a holder without it, and nothing is left of the attempt.
  for (const std::int64_t known : {0, 2}) {
    b.scheme = {known, 77};
    CHECK(b.Enrol(1) == Status::kStale && b.scheme.latest == 1 && b.scheme.known == known);
    CHECK(b.Renew(1) == Status::kLost);
  }
  CHECK(b.Holders().size() == 1);
  b.scheme.known = 1;
  CHECK(b.Enrol(1) == Status::kDone && b.scheme.latest == 1);
  CHECK(acknowledged(b) == 1);
  CHECK(a.Enrol(2) == Status::kDone && a.scheme.latest == 1);  // the same holder: as renew
  CHECK(acknowledged(a) == 0);
  CHECK(a.Renew(3) == Status::kDone && a.scheme.latest == 1);
  CHECK(acknowledged(a) == 0);
  a.scheme.known = 1;
  CHECK(a.Renew(3) == Status::kDone);
  CHECK(acknowledged(a) == 1);
  CHECK(b.WriteScheme(2, "two") && b.WriteScheme(3, "three"));
  a.scheme = {2, 77};
  CHECK(a.Enrol(3) == Status::kDone && a.scheme.latest == 3);
  CHECK(acknowledged(a) == 2);
  a.scheme = {0, 77};
  CHECK(a.Renew(4) == Status::kDone && a.scheme.latest == 3);
  CHECK(a.Enrol(4) == Status::kDone && acknowledged(a) == 2);
  CHECK(acknowledged(b) == 1);
  // What it says last counts, over all connections.
  a.Open();
  a.scheme.known = 3;
  CHECK(a.Renew(2) == Status::kDone && acknowledged(a) == 3);
  const std::vector<ListedHolder> all = b.Holders();
  CHECK(Find(all, a.holder) != nullptr && Find(all, a.holder)->used_until_ms == 4);
  // Claims ask for no version.
  CHECK(b.ClaimOne(Machine(1)).claim == Claim::kGranted);
  a.Release(4);
  CHECK(a.Enrol(5) == Status::kLost);
  CHECK(a.Renew(5) == Status::kLost);
  return right;
}

bool AllHolders(const Settings& settings, const std::string& pool) {
  right = true;
  Server z(settings, pool, "z"), a(settings, pool, "a"), m(settings, pool, "B"),
      same(settings, pool, "a"), other(settings, pool + "2", "o");
  constexpr std::int64_t kLateMs = 200'000'000'000'000;
  CHECK(z.Holders().empty() && z.Holders(true).empty());
  CHECK(z.WriteScheme(1, "one"));
  for (Server* server : {&z, &a, &m, &same}) {
    server->scheme.known = 1;
    CHECK(server->Enrol(100, 100'000) == Status::kDone);
  }
  other.Enrol(1);
  CHECK(m.ClaimOne(Machine(1)).claim == Claim::kGranted);
  m.Renew(kLateMs, 100'000);
  m.Release(kLateMs - 1);  // and never makes an ID of that time
  a.Renew(kLateMs, 100'000);
  CHECK(a.Evict(Machine(1)) == false);
  std::vector<ListedHolder> all = z.Holders();
  CHECK(all.size() == 4);
  if (!right) return false;
  const bool first = std::strcmp(a.holder.token, same.holder.token) < 0;
  const Server* const order[] = {&m, first ? &a : &same, first ? &same : &a, &z};
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(std::strcmp(all[i].token, order[i]->holder.token) == 0);
    CHECK(std::strcmp(all[i].name, order[i]->holder.name) == 0);
    CHECK(all[i].acknowledged == 1);
    CHECK(all[i].lives == (order[i] != &m));
    CHECK(!all[i].lives || (all[i].expires_in_ms > 0 && all[i].expires_in_ms <= 100'000));
  }
  CHECK(all[0].used_until_ms == kLateMs - 1);
  CHECK(Find(all, a.holder)->used_until_ms == kLateMs);
  CHECK(all[3].used_until_ms == 100);
  // One that has ended says no more.
  z.WriteScheme(2, "two");
  m.scheme.known = 2;
  CHECK(m.Renew(kLateMs + 5) == Status::kLost);
  CHECK(m.Release(5) == Status::kDone);
  all = z.Holders(true);
  CHECK(all.size() == 4 && !all[0].lives && all[0].acknowledged == 1 &&
        all[0].used_until_ms == kLateMs - 1);
  CHECK(other.Holders().size() == 1 && other.Holders()[0].lives);
  return right;
}

// Those whose time is up are ended when that is asked for, and no others.
bool EndExpired(const Settings& settings, const std::string& pool) {
  right = true;
  const std::int64_t term_ms = settings.term_ms;
  Server a(settings, pool, "a"), b(settings, pool, "b"), d(settings, pool, "d");
  a.Enrol(700, term_ms);
  b.Enrol(800);
  d.Enrol(900, term_ms);
  CHECK(a.ClaimOne(Machine(1)).claim == Claim::kGranted);  // d has none
  SleepMs(2 * term_ms);
  std::vector<ListedHolder> all = b.Holders();
  CHECK(all.size() == 3 && all[0].lives && all[1].lives && all[2].lives);
  const std::int64_t end_ms = NowMs() + settings.patience_ms;
  do {
    all = b.Holders(true);
    CHECK(all.size() == 3 && all[1].lives);
    if (all.size() != 3 || (!all[0].lives && !all[2].lives)) break;
    SleepMs(term_ms / 10);
  } while (NowMs() < end_ms);
  CHECK(all.size() == 3 && !all[0].lives && all[0].used_until_ms == 700);
  CHECK(all.size() == 3 && !all[2].lives && all[2].used_until_ms == 900);
  CHECK(a.Renew(1000) == Status::kLost && d.Renew(1000) == Status::kLost);
  CHECK(a.Enrol(1000) == Status::kLost);
  CHECK(b.Renew(1000) == Status::kDone);
  return right;
}

// Of several who write a version one does.
bool Writers(const Settings& settings, const std::string& pool) {
  right = true;
  constexpr int kVersions = 30;
  std::vector<std::atomic<int>> winner(kVersions + 1);
  std::vector<std::thread> threads;
  std::atomic<std::int64_t> next = 1;
  for (int i = 1; i <= 4; ++i) {
    threads.emplace_back([&, i] {
      Server server(settings, pool, std::to_string(i));
      for (std::int64_t version = next; version <= kVersions && right; version = next) {
        if (!server.WriteScheme(version, std::to_string(i))) continue;
        CHECK(winner[static_cast<std::size_t>(version)].exchange(i) == 0);
        next = version + 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<SchemeText> all = Server(settings, pool, "").ReadScheme(kAllSchemes);
  CHECK(all.size() == kVersions);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].version == static_cast<std::int64_t>(i + 1));
    CHECK(all[i].text == std::to_string(winner[i + 1]));
  }
  return right;
}

// The invariant: whoever writes a version and then reads the holders sees each that goes by an
// earlier one. And renewals tell no older version than was written before them.
bool Agreement(const Settings& settings, const std::string& pool) {
  right = true;
  struct Enrolled {
    std::string token;
    std::int64_t known;
  };
  struct Seen {
    std::int64_t version;
    std::map<std::string, std::int64_t> acknowledged;
  };
  std::mutex mutex;
  std::vector<Enrolled> enrolled;
  std::vector<Seen> seen;
  std::atomic<std::int64_t> written = 0;
  std::atomic<int> stale = 0;
  const std::int64_t end_ms = NowMs() + std::max<std::int64_t>(1000, 2 * settings.term_ms);
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    Server writer(settings, pool, "writer");
    while (NowMs() < end_ms && right) {
      const std::int64_t version = written + 1;
      CHECK(writer.WriteScheme(version, "version " + std::to_string(version)));
      written = version;
      Seen now{version, {}};
      for (const ListedHolder& listed : writer.Holders()) {
        if (listed.lives) now.acknowledged[listed.token] = listed.acknowledged;
      }
      seen.push_back(std::move(now));
    }
  });
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      Server server(settings, pool, "server " + std::to_string(i));
      while (NowMs() < end_ms && right) {
        server.Restart();
        const std::int64_t before = written;
        const Status status = server.Enrol(1);
        CHECK(status != Status::kLost);
        CHECK(server.scheme.latest >= before);
        if (status == Status::kStale) {
          ++stale;
          server.scheme.known = server.scheme.latest;
          continue;
        }
        {
          const std::lock_guard lock(mutex);
          enrolled.push_back({server.holder.token, server.scheme.known});
        }
        const std::int64_t then = written;
        CHECK(server.Renew(1) == Status::kDone);
        CHECK(server.scheme.latest >= then);
        server.scheme.known = server.scheme.latest;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::size_t missing = 0;
  std::size_t wrong = 0;
  for (const Seen& now : seen) {
    for (const Enrolled& holder : enrolled) {
      const auto it = now.acknowledged.find(holder.token);
      missing += holder.known < now.version && it == now.acknowledged.end();
      wrong += it != now.acknowledged.end() && it->second < holder.known;
    }
  }
  std::printf("      %zu versions, %zu holders, %d stale; %zu not seen, %zu seen wrongly\n",
              seen.size(), enrolled.size(), stale.load(), missing, wrong);
  CHECK(seen.size() > 3 && enrolled.size() > 3);
  CHECK(missing == 0);
  CHECK(wrong == 0);
  return right;
}

// Runs `action` after a while, beside `wait`. Returns how long that took.
template <typename Wait, typename Action>
std::int64_t Beside(Wait&& wait, Action&& action) {
  std::thread other([&] {
    SleepMs(100);
    action();
  });
  const std::int64_t start_ms = NowMs();
  wait();
  const std::int64_t took_ms = NowMs() - start_ms;
  other.join();
  return took_ms;
}

bool Watches(const Settings& settings, const std::string& pool) {
  right = true;
  bool stop = false;
  Server a(settings, pool, "a", &stop), b(settings, pool, "b"), other(settings, pool + "2", "o");
  const auto watch = [&] { CHECK(a.Watch(20'000) == Status::kDone); };
  // As a first call, and before there is any version.
  CHECK(Beside(watch, [&] { CHECK(b.WriteScheme(1, "one")); }) < 15'000);
  CHECK(a.scheme.latest == 1 && a.scheme.known == 0);
  watch();  // it still knows another one
  CHECK(a.scheme.latest == 1);
  a.scheme.known = 1;
  CHECK(a.Enrol(1) == Status::kDone);
  CHECK(Beside(watch, [&] { CHECK(b.WriteScheme(2, "two")); }) < 15'000);
  CHECK(a.scheme.latest == 2);
  // Nothing happens, but in another pool.
  a.scheme = {2, 0};
  const auto quiet = [&] { CHECK(a.Watch(300) == Status::kDone); };
  CHECK(Beside(quiet, [&] { CHECK(other.WriteScheme(1, "other")); }) >= 300);
  CHECK(a.scheme.latest == 2);
  CHECK(a.Renew(2) == Status::kDone);
  // While nobody waits.
  CHECK(b.WriteScheme(3, "three"));
  watch();
  CHECK(a.scheme.latest == 3);
  // The host ends the wait, and the connection can be used at once.
  a.scheme = {3, 0};
  for (int i = 0; i < 2; ++i) {
    CHECK(Beside(watch, [&] { __atomic_store_n(&stop, true, __ATOMIC_RELEASE); }) < 15'000);
    __atomic_store_n(&stop, false, __ATOMIC_RELEASE);
    CHECK(a.scheme.latest == 3);
    CHECK(a.Renew(3 + i) == Status::kDone);
    CHECK(a.Holders().size() == 1 && a.Holders()[0].used_until_ms == 3 + i);
    if (i == 0) a.Open();
  }
  // Also at once, where the connection has not watched before, and with no time left.
  for (const std::int64_t ms : {20'000, 0, -1}) {
    a.Open();
    stop = ms > 0;
    CHECK(a.Watch(ms) == Status::kDone);
    stop = false;
    CHECK(a.Renew(6) == Status::kDone && a.scheme.latest == a.scheme.known);
    CHECK(Beside(watch, [&] { CHECK(b.WriteScheme(a.scheme.known + 1, "next")); }) < 15'000);
    CHECK(a.scheme.latest == a.scheme.known + 1);
    a.scheme.known = a.scheme.latest;
    CHECK(a.Renew(7) == Status::kDone);
  }
  return right;
}

}  // namespace

const ExtraCase kSchemeCases[] = {{"scheme_versions", Versions, false},
                                  {"scheme_texts", Texts, false},
                                  {"scheme_stale", Stale, false},
                                  {"scheme_holders", AllHolders, false},
                                  {"scheme_end_expired", EndExpired, false},
                                  {"scheme_writers", Writers, false},
                                  {"scheme_agreement", Agreement, false},
                                  {"scheme_watch", Watches, false},
                                  {nullptr, nullptr, false}};

}  // namespace idgen::registry::test

// Two operations at once, in every order of their steps: a step is what a driver does between two
// waits, that is, a request and its answer. Where one has its answer is where it stops and the
// other goes on, as a schedule says. Random threads (random.cpp) seldom meet in the few
// microseconds that matter.
//
//   interleave ADDRESS [--term MS] [--only CASE]
//
// What must hold after each: the rectangles of different holders do not overlap, and what an
// operation answered is true afterwards.
#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "../harness.h"

namespace idgen::registry::test {
namespace {

// How many of the first turns are scheduled in every way; what comes later takes turns.
constexpr unsigned kTurns = 7;

// Lets one of two threads run at a time.
class Schedule {
 public:
  explicit Schedule(unsigned bits) : bits_(bits) {}

  void Begin(int who) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return turn_ == who; });
  }
  // The end of a step.
  void Yield(int who) {
    std::unique_lock lock(mutex_);
    turn_ = Next();
    changed_.notify_all();
    changed_.wait(lock, [&] { return turn_ == who; });
  }
  void End(int who) {
    const std::lock_guard lock(mutex_);
    ended_[who] = true;
    turn_ = 1 - who;
    changed_.notify_all();
  }

 private:
  int Next() {
    const unsigned bit = count_ < kTurns ? bits_ >> count_ : count_;
    int next = static_cast<int>(bit & 1);
    ++count_;
    if (ended_[next]) next = 1 - next;
    return next;
  }

  const unsigned bits_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int turn_ = 0;
  unsigned count_ = 0;
  bool ended_[2] = {};
};

// A call failed: the steps of others take time, and terms are short. Nothing is known then.
struct Broken {
  Error error;
};

// A server whose waits are a schedule's, while there is one.
class Actor {
 public:
  Actor(const Settings& settings, const std::string& pool, const char* name)
      : settings_(settings), driver_(FindDriver(settings.address.c_str())) {
    holder = MakeHolder(pool, name);
    const Host host = {this, &Actor::Wait, PollHost(nullptr).monotonic_us};
    connection_ = driver_->open(settings.address.c_str(), host, Server::In(), error_);
    if (connection_ == nullptr) Die("open");
  }
  ~Actor() { driver_->close(connection_); }
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  void Enrol(std::int64_t until_ms, std::int64_t term_ms) {
    status =
        Sure(driver_->enrol(connection_, holder, until_ms, term_ms, scheme, Server::In(), error_));
    if (status == Status::kDone) confirmed_ms = until_ms;
  }
  void Renew(std::int64_t until_ms, std::int64_t term_ms) {
    status =
        Sure(driver_->renew(connection_, holder, until_ms, term_ms, scheme, Server::In(), error_));
    if (status == Status::kDone) confirmed_ms = std::max(confirmed_ms, until_ms);
  }
  void Claim(std::int32_t machine) {
    const Identity identity = Machine(machine);
    status =
        Sure(driver_->claim(connection_, holder, &identity, 1, &claimed, Server::In(), error_));
    if (status != Status::kDone) claimed.claim = registry::Claim::kHeld;
  }
  void ClaimAny(std::int32_t least, std::int32_t most) {
    status = Sure(
        driver_->claim_any(connection_, holder, 0, least, most, 1, claimed, Server::In(), error_));
    if (status != Status::kDone) claimed.claim = registry::Claim::kHeld;
  }
  void Release(std::int64_t until_ms) {
    status = Sure(driver_->release(connection_, holder, until_ms, Server::In(), error_));
    confirmed_ms = until_ms;
  }
  void Evict(std::int32_t machine) {
    status = Sure(
        driver_->evict(connection_, holder.pool, Machine(machine), found, Server::In(), error_));
  }
  void Ban(std::int32_t machine) {
    status =
        Sure(driver_->ban(connection_, holder.pool, Machine(machine), true, Server::In(), error_));
  }
  std::size_t Count() {
    std::size_t count = 0;
    Sure(driver_->list(
        connection_, holder.pool,
        [](void* context, const Listed&) { ++*static_cast<std::size_t*>(context); }, &count,
        Server::In(), error_));
    return count;
  }
  void WriteScheme(std::int64_t version) {
    const Scheme wanted{version, "text", holder.name, 1};
    Sure(driver_->write_scheme(connection_, holder.pool, wanted, found, Server::In(), error_));
  }
  void Watch(std::int64_t ms) {
    Sure(driver_->watch(connection_, holder.pool, scheme, Server::In(ms), error_));
  }
  // What there is of a holder.
  std::optional<ListedHolder> Find(const Holder& wanted, bool end_expired = false) {
    struct {
      const Holder& wanted;
      std::optional<ListedHolder> found;
    } search{wanted, {}};
    Sure(driver_->holders(
        connection_, holder.pool, end_expired,
        [](void* context, const ListedHolder& listed) {
          auto& [token, result] = *static_cast<decltype(search)*>(context);
          if (std::strcmp(listed.token, token.token) == 0) result = listed;
        },
        &search, Server::In(), error_));
    return search.found;
  }
  [[nodiscard]] bool Granted() const { return claimed.claim == registry::Claim::kGranted; }

  Holder holder{};
  Status status = Status::kDone;
  Claimed claimed;
  SchemeVersions scheme;
  bool found = false;
  std::int64_t confirmed_ms = 0;
  Schedule* schedule = nullptr;
  int who = 0;

 private:
  static bool Wait(void* context, int socket, bool read, bool write, std::int64_t us) {
    Actor& self = *static_cast<Actor*>(context);
    const bool goes_on = PollHost(nullptr).wait(nullptr, socket, read, write, us);
    if (self.schedule == nullptr) return goes_on;
    pollfd one{};
    one.fd = socket;
    one.events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
    // Until the registry has answered this is no step, however often the driver looks.
    if (socket < 0 || poll(&one, 1, 0) > 0) self.schedule->Yield(self.who);
    return goes_on;
  }
  Status Sure(Status got) {
    if (got == Status::kFailed) throw Broken{error_};
    return got;
  }
  [[noreturn]] void Die(const char* what) const {
    std::printf("FAIL  %s: %s\n", what, error_.message);
    std::fflush(stdout);
    std::_Exit(1);
  }

  const Settings& settings_;
  const Driver* driver_;
  Connection* connection_;
  Error error_;
};

using Operation = std::function<void(Actor&)>;

void Together(unsigned bits, Actor& a, const Operation& do_a, Actor& b, const Operation& do_b) {
  Schedule schedule(bits);
  std::optional<Broken> broken[2];
  const auto run = [&](Actor& actor, int who, const Operation& operation) {
    actor.schedule = &schedule;
    actor.who = who;
    schedule.Begin(who);
    try {
      operation(actor);
    } catch (const Broken& what) {
      broken[who] = what;
    }
    actor.schedule = nullptr;
    schedule.End(who);
  };
  std::thread other([&] { run(b, 1, do_b); });
  run(a, 0, do_a);
  other.join();
  for (const auto& what : broken) {
    if (what) throw Broken(*what);
  }
}

std::atomic<int> wrong{0};

#define CHECK(condition)                                                                   \
  do {                                                                                     \
    if (!(condition) && wrong++ < 5) {                                                     \
      std::printf("      schedule %x, line %d: not so: %s\n", bits, __LINE__, #condition); \
    }                                                                                      \
  } while (false)

struct Given {
  const Settings& settings;
  unsigned bits;
  Actor &a, &b, &last;
  std::int64_t long_ms = 600'000;
};

// Whoever claims afterwards begins above all that others may use.
std::int64_t FloorAfter(Given& g, std::int32_t machine) {
  g.last.Enrol(0, g.long_ms);
  g.last.Evict(machine);
  g.last.Claim(machine);
  return g.last.Granted() ? g.last.claimed.used_until_ms : -1;
}

// Two claim one that was free at 100.
void TwoClaims(Given g, unsigned bits) {
  g.last.Enrol(100, g.long_ms);
  g.last.Claim(1);
  g.last.Release(100);
  g.last.holder = MakeHolder(g.last.holder.pool, "last");
  g.a.Enrol(1000, g.long_ms);
  g.b.Enrol(2000, g.long_ms);
  Together(
      bits, g.a, [](Actor& a) { a.Claim(1); }, g.b, [](Actor& b) { b.Claim(1); });
  CHECK(g.a.Granted() != g.b.Granted());
  const Actor& winner = g.a.Granted() ? g.a : g.b;
  CHECK(winner.claimed.used_until_ms == 100);
  CHECK(FloorAfter(g, 1) == winner.confirmed_ms);
}

void TwoClaimAny(Given g, unsigned bits) {
  g.a.Enrol(1000, g.long_ms);
  g.b.Enrol(2000, g.long_ms);
  const auto any = [](Actor& actor) { actor.ClaimAny(1, 2); };
  Together(bits, g.a, any, g.b, any);
  CHECK(g.a.Granted() && g.b.Granted());
  CHECK(!(g.a.claimed.identity == g.b.claimed.identity));
}

// A holder that is evicted while it claims: it does not get the identity, or has it and is ended.
void ClaimAndEvict(Given g, unsigned bits) {
  g.a.Enrol(1000, g.long_ms);
  g.a.Claim(9);
  Together(
      bits, g.a, [](Actor& a) { a.Claim(1); }, g.b,
      [](Actor& b) {
        b.Evict(9);
        b.Enrol(0, 600'000);
        b.Claim(1);
      });
  CHECK(g.b.found);
  // It was granted before the eviction, so b came after; or a was lost.
  CHECK(g.b.Granted());
  CHECK(g.b.claimed.used_until_ms == (g.a.Granted() ? 1000 : 0));
  g.a.Renew(5000, g.long_ms);
  CHECK(g.a.status == Status::kLost);
}

// Once it has ended it gets nothing: what it did not have then it never has.
void ClaimAfterEvict(Given g, unsigned bits) {
  g.a.Enrol(1000, g.long_ms);
  g.a.Claim(9);
  std::size_t had = 0;
  Together(
      bits, g.a, [](Actor& a) { a.Claim(1); }, g.b,
      [&had](Actor& b) {
        b.Evict(9);
        had = b.Count();
      });
  CHECK(g.b.found);
  CHECK(g.a.Granted() == (had == 2));
}

// A holder comes back after its time is up, while another wants what it has.
void RenewAndTakeOver(Given g, unsigned bits) {
  g.a.Enrol(1000, g.settings.term_ms);
  g.a.Claim(1);
  g.b.Enrol(0, g.long_ms);
  Server watcher(g.settings, g.a.holder.pool, "w");
  for (int tries = 0; tries < 600; ++tries) {  // until its time is up
    const std::vector<Listed> listed = watcher.List();
    if (listed.empty() || listed[0].expires_in_ms <= 0) break;
    SleepMs(50);
  }
  const std::int64_t term_ms = g.settings.term_ms * 4;
  Together(
      bits, g.a, [term_ms](Actor& a) { a.Renew(5000, term_ms); }, g.b,
      [](Actor& b) { b.Claim(1); });
  if (g.a.status == Status::kDone) {
    // Then it is alive for a term.
    CHECK(!g.b.Granted());
    g.a.Renew(6000, term_ms);
    CHECK(g.a.status == Status::kDone);
    CHECK(FloorAfter(g, 1) == 6000);
  } else {
    CHECK(g.b.Granted() || g.b.claimed.claim == Claim::kHeld);
    const std::int64_t floor_ms = g.b.Granted() ? g.b.claimed.used_until_ms : FloorAfter(g, 1);
    CHECK(floor_ms == 1000 || floor_ms == 5000);
  }
}

void EvictAndClaim(Actor& actor) {
  actor.Evict(1);
  actor.Enrol(0, 600'000);
  actor.Claim(1);
}

void RenewAndEvict(Given g, unsigned bits) {
  g.a.Enrol(1000, g.long_ms);
  g.a.Claim(1);
  Together(
      bits, g.a, [](Actor& a) { a.Renew(5000, 600'000); }, g.b, EvictAndClaim);
  CHECK(g.b.found && g.b.Granted());
  CHECK(g.b.claimed.used_until_ms >= g.a.confirmed_ms);
  CHECK(g.b.claimed.used_until_ms == 1000 || g.b.claimed.used_until_ms == 5000);
}

// The release says less than was granted. Whoever got the identity began above one or the other.
void ReleaseAndEvict(Given g, unsigned bits) {
  g.a.Enrol(1000, g.long_ms);
  g.a.Claim(1);
  Together(
      bits, g.a, [](Actor& a) { a.Release(700); }, g.b, EvictAndClaim);
  CHECK(g.b.Granted());
  CHECK(g.b.claimed.used_until_ms == (g.b.found ? 1000 : 700));
}

void BanAndClaim(Given g, unsigned bits) {
  g.a.Enrol(1000, g.long_ms);
  Together(
      bits, g.a, [](Actor& a) { a.Claim(1); }, g.b, [](Actor& b) { b.Ban(1); });
  CHECK(g.a.Granted() || g.a.claimed.claim == Claim::kBanned);
  g.a.Claim(1);
  CHECK(g.a.Granted() || g.a.claimed.claim == Claim::kBanned);
  Server watcher(g.settings, g.a.holder.pool, "w");
  const std::vector<Listed> listed = watcher.List();
  CHECK(listed.size() == 1 && listed[0].banned && listed[0].held == g.a.Granted());
}

// Whoever writes a version and then reads the holders sees each that does not go by it.
void EnrolAndWrite(Given g, unsigned bits) {
  std::optional<ListedHolder> seen;
  Together(
      bits, g.a, [](Actor& a) { a.Enrol(1000, 600'000); }, g.b,
      [&](Actor& b) {
        b.WriteScheme(1);
        seen = b.Find(g.a.holder);
      });
  CHECK(g.b.found);
  CHECK(g.a.status == Status::kDone || g.a.status == Status::kStale);
  CHECK(g.a.scheme.latest == (g.a.status == Status::kDone ? 0 : 1));
  CHECK(seen.has_value() == (g.a.status == Status::kDone));
  CHECK(!seen || (seen->lives && seen->acknowledged == 0 && seen->used_until_ms == 1000));
  CHECK(g.last.Find(g.a.holder).has_value() == seen.has_value());
}

// The same where there is a version already.
void EnrolAndWriteNext(Given g, unsigned bits) {
  std::optional<ListedHolder> seen;
  g.b.WriteScheme(1);
  g.a.scheme.known = 1;
  Together(
      bits, g.a, [](Actor& a) { a.Enrol(1000, 600'000); }, g.b,
      [&](Actor& b) {
        b.WriteScheme(2);
        seen = b.Find(g.a.holder, true);
      });
  CHECK(g.b.found);
  CHECK(g.a.status == Status::kDone || g.a.status == Status::kStale);
  CHECK(seen.has_value() == (g.a.status == Status::kDone));
  CHECK(!seen || (seen->lives && seen->acknowledged == 1));
}

// A renewal tells a version that was written before it began, and what one acknowledges counts.
void RenewAndWrite(Given g, unsigned bits) {
  g.b.WriteScheme(1);
  g.a.scheme.known = 1;
  g.a.Enrol(1000, g.long_ms);
  g.b.WriteScheme(2);
  g.a.scheme.known = 2;
  std::atomic<std::int64_t> written = 2;
  std::int64_t before = 0;
  std::int64_t acknowledged = 0;
  Together(
      bits, g.a,
      [&](Actor& a) {
        before = written;
        a.Renew(2000, 600'000);
        acknowledged = 2;
      },
      g.b,
      [&](Actor& b) {
        b.WriteScheme(3);
        written = 3;
        const std::int64_t least = acknowledged;
        const std::optional<ListedHolder> seen = b.Find(g.a.holder);
        CHECK(seen && seen->acknowledged <= 2 && seen->acknowledged >= std::max(least, INT64_C(1)));
      });
  CHECK(g.b.found);
  CHECK(g.a.status == Status::kDone);
  CHECK(g.a.scheme.latest >= before && g.a.scheme.latest <= 3);
  g.a.scheme.known = 1;
  g.a.Renew(3000, g.long_ms);
  CHECK(g.a.scheme.latest == 3);
  CHECK(g.last.Find(g.a.holder)->acknowledged == 2);
}

void TwoWrite(Given g, unsigned bits) {
  const auto write = [](Actor& actor) { actor.WriteScheme(1); };
  Together(bits, g.a, write, g.b, write);
  CHECK(g.a.found != g.b.found);
  g.last.WriteScheme(2);
  CHECK(g.last.found);
}

// A holder comes back after its time is up, while another ends those.
void RenewAndEnd(Given g, unsigned bits) {
  g.a.Enrol(1000, g.settings.term_ms);
  for (int tries = 0; tries < 600; ++tries) {  // until its time is up
    if (g.b.Find(g.a.holder)->expires_in_ms <= 0) break;
    SleepMs(50);
  }
  std::optional<ListedHolder> seen;
  Together(
      bits, g.a, [](Actor& a) { a.Renew(5000, 600'000); }, g.b,
      [&](Actor& b) { seen = b.Find(g.a.holder, true); });
  CHECK(seen.has_value());
  if (!seen) return;
  // What has ended said its last, and was listed as it has ended.
  CHECK(seen->lives == (g.a.status == Status::kDone));
  CHECK(seen->used_until_ms == 1000 || seen->used_until_ms == 5000);
  if (seen->lives) return;
  CHECK(g.last.Find(g.a.holder)->used_until_ms == seen->used_until_ms);
}

// No version is missed that is written while one begins to watch.
void WatchAndWrite(Given g, unsigned bits) {
  Together(
      bits, g.a, [](Actor& a) { a.Watch(30); }, g.b, [](Actor& b) { b.WriteScheme(1); });
  CHECK(g.b.found);
  g.a.Watch(6000);
  CHECK(g.a.scheme.latest == 1);
}

constexpr struct {
  const char* name;
  void (*run)(Given, unsigned);
  unsigned threads;  // more where it waits for a holder's end
  unsigned turns;    // less where there are few steps
} kCases[] = {{"two_claims", TwoClaims, 8, kTurns},
              {"two_claim_any", TwoClaimAny, 8, kTurns},
              {"claim_and_evict", ClaimAndEvict, 8, kTurns},
              {"claim_after_evict", ClaimAfterEvict, 8, kTurns},
              {"renew_and_evict", RenewAndEvict, 8, kTurns},
              {"release_and_evict", ReleaseAndEvict, 8, kTurns},
              {"ban_and_claim", BanAndClaim, 8, kTurns},
              {"enrol_and_write", EnrolAndWrite, 8, 6},
              {"enrol_and_write_next", EnrolAndWriteNext, 8, 6},
              {"renew_and_write", RenewAndWrite, 8, 5},
              {"two_write", TwoWrite, 8, 4},
              {"watch_and_write", WatchAndWrite, 8, 5},
              {"renew_and_end", RenewAndEnd, 64, 6},
              {"renew_and_take_over", RenewAndTakeOver, 64, kTurns}};

}  // namespace
}  // namespace idgen::registry::test

int main(int argc, char** argv) {
  using namespace idgen::registry::test;
  Settings settings;
  std::string only;
  if (argc > 1) settings.address = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--term") settings.term_ms = std::atoll(argv[i + 1]);
    if (option == "--only") only = argv[i + 1];
  }
  if (idgen::registry::FindDriver(settings.address.c_str()) == nullptr) {
    std::fprintf(stderr, "usage: interleave ADDRESS [--term MS] [--only CASE]\n");
    return 2;
  }
  int failures = 0;
  for (const auto& test : kCases) {
    if (!only.empty() && only != test.name) continue;
    wrong = 0;
    std::atomic<unsigned> broken{0};
    const std::int64_t start_ms = NowMs();
    // Several at a time: they mostly wait.
    std::vector<std::thread> threads;
    for (unsigned part = 0; part < test.threads; ++part) {
      threads.emplace_back([&, part] {
        const std::string pool = std::string(test.name) + "-" + RandomToken().substr(0, 12);
        for (unsigned bits = part; bits < 1U << test.turns && wrong < 5; bits += test.threads) {
          const std::string one = pool + "-" + std::to_string(bits);
          Actor a(settings, one, "a"), b(settings, one, "b"), last(settings, one, "last");
          try {
            test.run({settings, bits, a, b, last}, bits);
          } catch (const Broken& what) {
            if (++broken <= 2) std::printf("      schedule %x: %s\n", bits, what.error.message);
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (broken > (1U << test.turns) / 4) ++wrong;
    std::printf("%s%s (%u broken off, %" PRId64 " ms)\n", wrong == 0 ? "ok    " : "FAIL  ",
                test.name, broken.load(), NowMs() - start_ms);
    std::fflush(stdout);
    if (wrong != 0) ++failures;
  }
  return failures == 0 ? 0 : 1;
}

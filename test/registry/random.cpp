// Threads, each a server with a clock of its own, up to an hour off, that do random things to one
// pool: claim, renew, stop renewing, release, evict, ban, break off calls. Every grant is a
// rectangle: the identity, times the interval from the used_until that came with the claim to the
// last used_until that the registry confirmed (or that was said at the release). Those of different
// holders must not overlap. They also write versions of the scheme and read the holders then: who
// enrolled by an earlier one must be seen, and what is said of one that has ended must not change.
// Nothing else is asked of the registry here.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>

#include "harness.h"

namespace idgen::registry::test {

namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int32_t kMachines = 4;
constexpr int kShards = 3;

struct Rectangle {
  Identity identity;
  std::int64_t from_ms, until_ms;
  std::string token;
};

class Record {
 public:
  void Add(const Rectangle& rectangle) {
    const std::lock_guard lock(mutex_);
    all_.push_back(rectangle);
  }
  void Complain(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (wrong_++ < 5) std::printf("      %s\n", what.c_str());
  }

  void AddEnrolled(const std::string& token, std::int64_t known) {
    const std::lock_guard lock(mutex_);
    enrolled_.emplace_back(token, known);
  }
  // Everybody that was seen after `version` was written; 0: only what is final.
  void See(std::int64_t version, const std::vector<ListedHolder>& holders) {
    const std::lock_guard lock(mutex_);
    Seen& seen = seen_.emplace_back();
    seen.version = version;
    for (const ListedHolder& holder : holders) {
      seen.tokens.insert(holder.token);
      if (holder.lives) continue;
      const auto [it, is_new] = final_.emplace(holder.token, holder.used_until_ms);
      if (!is_new && it->second != holder.used_until_ms) {
        Complain("one that has ended has another used_until");
      }
    }
  }

  bool Check() {
    for (const Seen& seen : seen_) {
      for (const auto& [token, known] : enrolled_) {
        if (known < seen.version && !seen.tokens.contains(token)) {
          Complain("not seen: a holder by version " + std::to_string(known) + ", after version " +
                   std::to_string(seen.version));
        }
      }
    }
    std::sort(all_.begin(), all_.end(), [](const Rectangle& a, const Rectangle& b) {
      const auto key = [](const Rectangle& r) {
        return std::make_tuple(r.identity.datacenter, r.identity.machine, r.identity.shard,
                               r.from_ms, r.until_ms);
      };
      return key(a) < key(b);
    });
    std::size_t filled = 0;
    const Rectangle* last = nullptr;  // the one of this identity that reaches furthest
    for (const Rectangle& next : all_) {
      if (next.until_ms <= next.from_ms) continue;
      ++filled;
      if (last != nullptr && last->identity == next.identity && last->until_ms > next.from_ms) {
        Complain("overlap: machine " + std::to_string(next.identity.machine) + ", shard " +
                 std::to_string(next.identity.shard) + ": " + last->token.substr(0, 6) + " [" +
                 std::to_string(last->from_ms) + ", " + std::to_string(last->until_ms) + "), " +
                 next.token.substr(0, 6) + " [" + std::to_string(next.from_ms) + ", " +
                 std::to_string(next.until_ms) + ")");
      }
      if (last == nullptr || !(last->identity == next.identity) || next.until_ms > last->until_ms) {
        last = &next;
      }
    }
    std::printf("      %zu grants, %zu of them used, %zu holders, seen %zu times, %d wrong\n",
                all_.size(), filled, enrolled_.size(), seen_.size(), wrong_);
    return wrong_ == 0 && filled > 10;
  }

 private:
  struct Seen {
    std::int64_t version;
    std::set<std::string> tokens;
  };

  std::recursive_mutex mutex_;
  std::vector<Rectangle> all_;
  std::vector<std::pair<std::string, std::int64_t>> enrolled_;
  std::vector<Seen> seen_;
  std::map<std::string, std::int64_t> final_;
  int wrong_ = 0;
};

class Actor {
 public:
  Actor(const Settings& settings, const std::string& pool, int number, Record& record)
      : settings_(settings),
        random_(settings.seed * 1000 + static_cast<std::uint64_t>(number)),
        server_(settings, pool, "server " + std::to_string(number % 5)),
        offset_ms_(1'700'000'000'000 + Between(-kHourMs, kHourMs)),
        record_(record) {}

  void Run(std::int64_t end_ms) {
    while (NowMs() < end_ms) Step();
    End(confirmed_ms_);
  }

 private:
  struct Grant {
    Identity identity;
    std::int64_t from_ms;
  };

  std::int64_t Between(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
  }
  [[nodiscard]] std::int64_t ClockMs() const { return NowMs() + offset_ms_; }
  std::int64_t TermMs() { return settings_.term_ms + Between(0, settings_.term_ms); }

  // Now and then too short for an answer.
  std::int64_t Deadline() {
    return HostMonotonicUs() + (Between(0, 49) == 0 ? Between(0, 1500) : 20'000'000);
  }
  bool Reopened(Status status) {
    if (status != Status::kFailed) return false;
    server_.Open();
    return true;
  }

  Identity AnyIdentity() {
    if (Between(0, 2) == 0) return {1, kNone, static_cast<std::int32_t>(Between(0, kShards - 1))};
    return Machine(static_cast<std::int32_t>(Between(0, kMachines - 1)));
  }

  // This run of the server used its grants up to this time.
  void End(std::int64_t until_ms) {
    for (const Grant& grant : grants_) {
      record_.Add({grant.identity, grant.from_ms, until_ms, server_.holder.token});
    }
    grants_.clear();
    enrolled_ = false;
    confirmed_ms_ = 0;
    if (Between(0, 3) == 0) offset_ms_ += Between(-kHourMs / 2, kHourMs / 2);
    server_.Restart();
  }

  void Take(const Claimed& claimed) {
    if (claimed.claim != Claim::kGranted) return;
    for (const Grant& grant : grants_) {
      if (!(grant.identity == claimed.identity)) continue;
      if (grant.from_ms != claimed.used_until_ms) {
        record_.Complain("granted again with another used_until");
      }
      return;
    }
    grants_.push_back({claimed.identity, claimed.used_until_ms});
  }

  // After an answer with the latest version of the scheme. Some are slow to go by it.
  void Learn(Status status) {
    const std::int64_t latest = server_.scheme.latest;
    if (latest < latest_) record_.Complain("the latest version went back");
    latest_ = std::max(latest_, latest);
    if (status == Status::kStale || Between(0, 1) == 0) server_.scheme.known = latest;
  }

  void Enrol() {
    const std::int64_t until_ms = ClockMs() + Between(0, 50);
    const std::int64_t known = server_.scheme.known;
    const Status status =
        server_.driver().enrol(server_.connection, server_.holder, until_ms, TermMs(),
                               server_.scheme, Deadline(), server_.error);
    if (Reopened(status)) return;
    if (status == Status::kLost) return End(confirmed_ms_);
    Learn(status);
    if (status == Status::kStale) return;
    if (!enrolled_) record_.AddEnrolled(server_.holder.token, known);
    enrolled_ = true;
    confirmed_ms_ = std::max(confirmed_ms_, until_ms);
  }

  void Renew() {
    // Half of them wait until they may use what they have, whatever their clock says.
    std::int64_t until_ms = ClockMs();
    if (Between(0, 1) == 0) {
      for (const Grant& grant : grants_) until_ms = std::max(until_ms, grant.from_ms);
    }
    until_ms += Between(0, 200);
    const Status status =
        server_.driver().renew(server_.connection, server_.holder, until_ms, TermMs(),
                               server_.scheme, Deadline(), server_.error);
    if (Reopened(status)) return;
    if (status == Status::kLost) return End(confirmed_ms_);
    Learn(status);
    confirmed_ms_ = std::max(confirmed_ms_, until_ms);
  }

  void Claim() {
    std::vector<Identity> wanted;
    for (std::int64_t i = Between(1, 3); i > 0; --i) wanted.push_back(AnyIdentity());
    std::vector<Claimed> claimed(wanted.size());
    const Status status =
        server_.driver().claim(server_.connection, server_.holder, wanted.data(), wanted.size(),
                               claimed.data(), Deadline(), server_.error);
    if (Reopened(status)) return;
    if (status == Status::kLost) return End(confirmed_ms_);
    for (const Claimed& answer : claimed) Take(answer);
  }

  void ClaimAny() {
    Claimed claimed;
    const Status status =
        server_.driver().claim_any(server_.connection, server_.holder, 0, 0, kMachines - 1,
                                   ClockMs(), claimed, Deadline(), server_.error);
    if (Reopened(status)) return;
    if (status == Status::kLost) return End(confirmed_ms_);
    Take(claimed);
  }

  // It says at last what it used: sometimes all that was granted, sometimes less, and even more, up
  // to what it would have asked for (then nobody has it yet).
  void Release() {
    const std::int64_t until_ms = std::max<std::int64_t>(confirmed_ms_ - Between(0, 150), 0);
    const Status status = server_.driver().release(server_.connection, server_.holder, until_ms,
                                                   Deadline(), server_.error);
    if (Reopened(status)) {
      // It may have been released. It stops here, in either case.
      return End(until_ms);
    }
    End(until_ms);
  }

  // Reads the holders, perhaps after having written a version of the scheme.
  void Agree(bool write) {
    const Scheme scheme{latest_ + 1, "", "", 1};
    bool written = false;
    if (write &&
        Reopened(server_.driver().write_scheme(server_.connection, server_.holder.pool, scheme,
                                               written, Deadline(), server_.error))) {
      return;
    }
    std::vector<ListedHolder> holders;
    const Status status = server_.driver().holders(
        server_.connection, server_.holder.pool, Between(0, 1) == 0,
        [](void* context, const ListedHolder& holder) {
          static_cast<std::vector<ListedHolder>*>(context)->push_back(holder);
        },
        &holders, Deadline(), server_.error);
    if (!Reopened(status)) record_.See(written ? scheme.version : 0, holders);
  }

  void Operate() {
    bool found = false;
    const Identity identity = AnyIdentity();
    const char* pool = server_.holder.pool;
    const Driver& driver = server_.driver();
    switch (Between(0, 5)) {
      case 0:
        Reopened(
            driver.evict(server_.connection, pool, identity, found, Deadline(), server_.error));
        return;
      case 1:
        Reopened(driver.ban(server_.connection, pool, identity, true, Deadline(), server_.error));
        return;
      case 2:
        return Agree(false);
      case 3:
        return Agree(true);
      default:
        Reopened(driver.ban(server_.connection, pool, identity, false, Deadline(), server_.error));
    }
  }

  void Step() {
    if (!enrolled_) return Enrol();
    const std::int64_t choice = Between(0, 99);
    if (choice < 45) return Renew();
    if (choice < 65) return Claim();
    if (choice < 80) return ClaimAny();
    if (choice < 88) return Release();
    if (choice < 90) return Enrol();
    if (choice < 98) return Operate();
    if (choice < 99) return server_.Open();
    // Cut off, or stopped: sometimes for longer than its term.
    SleepMs(Between(0, settings_.term_ms * 3));
  }

  const Settings& settings_;
  std::mt19937_64 random_;
  Server server_;
  std::int64_t offset_ms_;
  Record& record_;
  bool enrolled_ = false;
  std::int64_t confirmed_ms_ = 0;
  std::int64_t latest_ = 0;  // version of the scheme that was told
  std::vector<Grant> grants_;
};

}  // namespace

bool RunRandom(const Settings& settings) {
  std::printf("      seed %" PRIu64 "\n", settings.seed);
  Record record;
  const std::string pool = "random-" + RandomToken().substr(0, 12);
  std::vector<std::thread> threads;
  const std::int64_t end_ms = NowMs() + settings.seconds * 1000;
  for (int i = 0; i < settings.threads; ++i) {
    threads.emplace_back([&, i] { Actor(settings, pool, i, record).Run(end_ms); });
  }
  for (std::thread& thread : threads) thread.join();
  return record.Check();
}

}  // namespace idgen::registry::test

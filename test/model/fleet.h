// Servers that share a registry: each with its own clock, positions and grants, one worker that
// talks to the registry, and sessions. A worker and a session do what src/pg/lease/worker.cpp,
// src/pg/lease/lease.cpp, src/pg/session/handle.cpp and take.cpp do, with the same functions of the
// core; where those wait for another process, the call here ends without an answer.
#pragma once

#include "atomic_word.h"

#include <idgen/cursor.h>
#include <idgen/lease.h>
#include <idgen/loop.h>
#include <idgen/mark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "explorer.h"
// In angle brackets, so that a copy with a fault comes first.
#include <fleet_registry.h>

namespace idgen::model {

inline constexpr std::int64_t kTermMs = 2;
inline constexpr std::size_t kMostServers = 3;
inline constexpr int kMostRuns = 3;  // holders of a server

class Fleet;

// A thread of a server, and what it does in turn.
struct Part {
  enum class Does : std::uint8_t { kWork, kTake, kTakeOther, kGiveBack, kLeave };
  std::size_t server = 0;
  std::vector<Does> does;
};

class FleetServer {
 public:
  void Begin(std::int64_t now_us, std::uint64_t mark_ms, int moves) {
    *this = FleetServer{};
    now_us_ = now_us;
    moves_left_ = moves;
    mark_ms_ = known_ms_ = mark_ms;
  }

  // --- The clock: it runs, stands still or steps far before each reading ---

  std::int64_t ReadClock() noexcept {
    static constexpr std::array<std::int64_t, 3> kMoves = {1'000, -4'000, 3'000};
    Step();
    if (moves_left_ > 0) {
      const unsigned move = Choose(static_cast<unsigned>(kMoves.size()) + 1);
      if (move > 0) {
        --moves_left_;
        now_us_ += kMoves[move - 1];
      }
    }
    Note("reads the clock:", static_cast<std::uint64_t>(now_us_));
    return now_us_;
  }

  [[nodiscard]] std::uint64_t State() const {
    std::uint64_t state = Mix(static_cast<std::uint64_t>(now_us_), mark_ms_);
    state = Mix(Mix(state, known_ms_), users_);
    state = Mix(state, static_cast<std::uint64_t>(moves_left_));
    state = Mix(Mix(state, needed_ms_), static_cast<std::uint64_t>(current_ + 1));
    for (const Grant& grant : grants_) state = Mix(Mix(state, grant.until_ms), grant.ended);
    for (const Space& space : spaces_) {
      state = Mix(Mix(Mix(state, space.position), space.start), space.largest);
      state = Mix(state, static_cast<std::uint64_t>(space.grant + 1) * 2 + (space.asked ? 1 : 0));
      state = Mix(Mix(state, static_cast<std::uint64_t>(space.floor_ms)), space.claim);
    }
    return state;
  }

 private:
  friend class Worker;
  friend class FleetSession;
  friend class Fleet;

  // An ID space, and what the worker has answered about its identity.
  struct Space {
    std::uint64_t position = 0;
    std::uint64_t start = 0;
    std::uint64_t largest = 0;  // that a call has returned
    bool asked = true;
    int grant = -1;  // it is granted under this one
    std::int64_t floor_ms = 0;
    std::uint64_t claim = 0;
  };

  std::int64_t now_us_ = 0;
  int moves_left_ = 0;
  std::uint64_t mark_ms_ = 0;
  std::uint64_t known_ms_ = 0;
  std::uint64_t users_ = 0;
  std::uint64_t needed_ms_ = 0;
  int current_ = -1;  // the grant of the living holder
  int runs_ = 0;
  std::array<Grant, kMostRuns> grants_{};
  std::array<Space, kIdentities> spaces_{};
};

// Of each server, as src/pg/lease/worker.cpp.
class Worker {
 public:
  Worker(FleetServer& server, Registry& registry, std::size_t number)
      : server_(server), registry_(registry), number_(static_cast<int>(number)) {}

  // At the beginning.
  void Start() { (void)(Enrol() && Claim(0)); }

  // One step. Whether a renewal is due is open: that rests on clocks.
  void Work() {
    if (server_.current_ < 0 && !Enrol()) return;
    const bool is_due = Choose(2) == 1;
    Note("finds a renewal due:", is_due ? 1 : 0);
    if (is_due && !Renew()) return;
    for (std::size_t i = 0; i < kIdentities; ++i) {
      if (!Claim(i)) return;
    }
  }

  void GiveBackAll() {
    if (server_.current_ < 0) return;
    const int holder = HolderOf(server_.current_);
    Grant& grant = server_.grants_[Index(std::exchange(server_.current_, -1))];
    const std::int64_t used_until_ms = GiveBack(grant, server_.users_, [this] {
      return static_cast<std::int64_t>(LoadPosition(server_.known_ms_));
    });
    (void)registry_.Release(holder, used_until_ms);
  }

 private:
  static std::size_t Index(int grant) { return static_cast<std::size_t>(grant); }
  [[nodiscard]] int HolderOf(int grant) const { return number_ * kMostRuns + grant; }

  std::int64_t WantedUntil() {
    const std::int64_t now_ms = server_.ReadClock() / 1000;
    Note("knows of the need of", server_.needed_ms_);
    return LeaseUntil(now_ms, static_cast<std::int64_t>(server_.needed_ms_), kTermMs);
  }

  // Returns false after a loss or a failure.
  bool IsDone(Answered answered) {
    if (answered == Answered::kLost) {
      EndGrant(server_.grants_[Index(std::exchange(server_.current_, -1))]);
    }
    return answered == Answered::kDone;
  }

  bool Enrol() {
    if (server_.runs_ == kMostRuns) return false;
    const int run = server_.runs_++;
    const bool done =
        RaiseGrant(server_.grants_[Index(run)], WantedUntil(), [&](std::int64_t until_ms) {
          return registry_.Enrol(HolderOf(run), until_ms) == Answered::kDone;
        });
    if (done) server_.current_ = run;
    return done;
  }

  bool Renew() {
    Grant& grant = server_.grants_[Index(server_.current_)];
    const std::int64_t wanted_ms = std::max(WantedUntil(), UntilMs(grant));
    Answered answered = Answered::kFailed;
    const bool done = RaiseGrant(grant, wanted_ms, [&](std::int64_t until_ms) {
      answered = registry_.Renew(HolderOf(server_.current_), until_ms);
      return answered == Answered::kDone;
    });
    return done || IsDone(answered);
  }

  bool Claim(std::size_t identity) {
    FleetServer::Space& space = server_.spaces_[identity];
    Step();
    const bool is_granted = space.grant >= 0 && !HasEnded(server_.grants_[Index(space.grant)]);
    Note("finds an identity asked for, and not granted:", space.asked && !is_granted ? 1 : 0);
    if (!space.asked || is_granted) return true;
    const int holder = HolderOf(server_.current_);
    registry_.EndIfExpired(holder, identity);
    ClaimAnswer answer;
    if (!IsDone(registry_.Claim(holder, identity, answer))) return false;
    Step();
    space.grant = answer.is_granted ? server_.current_ : -1;
    space.floor_ms = answer.used_until_ms;
    space.claim = answer.number;
    return true;
  }

  FleetServer& server_;
  Registry& registry_;
  int number_ = 0;
};

// A session with one handle, whose identities all are under one grant (src/pg/session/handle.cpp).
class FleetSession {
 public:
  struct Known {
    bool is_known = false;
    std::uint64_t claim = 0;
  };

  // Where the session may take positions of an identity; false: no answer in time.
  bool Prepare(FleetServer& server, const Layout& layout, std::size_t identity) {
    for (;;) {
      if (!is_prepared_) {
        is_prepared_ = true;
        allowance.Restart(Allowance(layout, 1, 0));
        if (grant_ != nullptr && HasEnded(*grant_)) Use(nullptr);
      }
      if (!known_[identity].is_known && !Require(server, layout, identity)) return false;
      if (is_prepared_) return true;
    }
  }

  // As RequireUntil(): 1, 0: no answer in time, -1: the grant has ended.
  [[nodiscard]] int Covers(FleetServer& server, std::int64_t needed_ms) const {
    if (UntilMs(*grant_) >= needed_ms) return 1;
    if (HasEnded(*grant_)) return -1;
    RaisePosition(server.needed_ms_, static_cast<std::uint64_t>(needed_ms));
    return 0;
  }

  [[nodiscard]] std::uint64_t Limit(const FleetServer& server, const Layout& layout) const {
    const auto mark_ms = static_cast<std::int64_t>(LoadPosition(server.mark_ms_));
    return PositionLimit(layout, LeaseLimitMs(mark_ms, *grant_));
  }

  [[nodiscard]] std::uint64_t ClaimOf(std::size_t identity) const { return known_[identity].claim; }

  void Invalidate() {
    is_prepared_ = false;
    allowance.Close();
  }

  void Leave(FleetServer& server) {
    if (has_joined_) LeaveUsers(server.users_);
    has_joined_ = false;
  }

  Allowance allowance;
  std::array<Cursor, kIdentities> cursors{};

 private:
  // Goes by another grant: every identity has to be asked for again.
  void Use(const Grant* grant) {
    if (grant_ == grant) return;
    grant_ = grant;
    known_ = {};
  }

  bool Require(FleetServer& server, const Layout& layout, std::size_t identity) {
    if (!has_joined_) JoinUsers(server.users_);
    has_joined_ = true;
    FleetServer::Space& space = server.spaces_[identity];
    Step();
    const FleetServer::Space entry = space;
    space.asked = true;
    Note("finds an answer under grant", static_cast<std::uint64_t>(entry.grant + 1));
    Note("of claim", entry.claim);
    Note("where others were until", static_cast<std::uint64_t>(entry.floor_ms));
    if (entry.grant < 0) return false;
    const Grant& grant = server.grants_[static_cast<std::size_t>(entry.grant)];
    if (HasEnded(grant)) return false;
    if (grant_ == nullptr) grant_ = &grant;
    if (grant_ != &grant) {
      Use(&grant);
      Invalidate();
    }
    StartAbove(space.position, space.start, layout, entry.floor_ms);
    known_[identity] = {true, entry.claim};
    return true;
  }

  bool is_prepared_ = false;
  bool has_joined_ = false;
  const Grant* grant_ = nullptr;
  std::array<Known, kIdentities> known_{};
};

class Fleet : public Scenario {
 public:
  using Does = Part::Does;

  Fleet(const Layout& layout, std::vector<Part> parts) : layout_(layout), parts_(std::move(parts)) {
    guard_.mode = ClockRegression::kLead;
    guard_.max_clock_lead_us = 1'000'000'000;
  }

  [[nodiscard]] int threads() const override { return static_cast<int>(parts_.size()); }

  void Begin() override {
    operations = {};
    count_ = 0;
    for (std::size_t i = 0; i < kMostServers; ++i) {
      servers_[i].Begin(kBeginMs * 1000 + clocks_ms[i] * 1000, is_marked ? kBeginMs : kFarMs, 0);
      servers_[i].spaces_[1].asked = asks_other[i];
    }
    registry_ = Registry(forgets);
    for (FleetSession& session : sessions_) session = {};
    // The first server holds the first identity, and has used it.
    Worker(servers_[0], registry_, 0).Start();
    for (std::size_t thread = 0; thread < parts_.size(); ++thread) {
      const Part& part = parts_[thread];
      const bool takes =
          std::find(part.does.begin(), part.does.end(), Does::kTake) != part.does.end();
      if (part.server == 0 && takes && begins_in_use) Take(sessions_[thread], servers_[0], 0);
    }
    registry_.LetFail(failures);
    for (std::size_t i = 0; i < kMostServers; ++i) servers_[i].moves_left_ = moves[i];
  }

  void Run(int thread) override {
    const Part& part = parts_[static_cast<std::size_t>(thread)];
    FleetServer& server = servers_[part.server];
    FleetSession& session = sessions_[static_cast<std::size_t>(thread)];
    Worker worker(server, registry_, part.server);
    for (const Does does : part.does) {
      switch (does) {
        case Does::kWork:
          worker.Work();
          break;
        case Does::kTake:
          Take(session, server, 0);
          break;
        case Does::kTakeOther:
          Take(session, server, 1);
          break;
        case Does::kGiveBack:
          worker.GiveBackAll();
          break;
        case Does::kLeave:
          session.Leave(server);
          break;
      }
    }
  }

  [[nodiscard]] std::uint64_t State() const override {
    std::uint64_t state = registry_.State();
    for (const FleetServer& server : servers_) state = Mix(state, server.State());
    // A set: in which order, does not matter.
    std::uint64_t issued = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      issued += Mix(Mix(issued_[i].position, issued_[i].claim), issued_[i].identity);
    }
    return Mix(state, issued);
  }
  const char* End() override { return nullptr; }

  std::array<std::int64_t, kMostServers> clocks_ms = {};  // ahead of the first server's
  std::array<int, kMostServers> moves = {};
  bool begins_in_use = true;  // the sessions of the first server have a position already
  bool is_marked = false;     // the mark is moved no further than needed; else it is far
  bool uses_cursors = false;
  std::array<bool, kMostServers> asks_other = {};  // for the second identity, from the beginning
  bool forgets = false;
  int failures = 0;

 private:
  static constexpr std::int64_t kBeginMs = 5;
  static constexpr std::int64_t kFarMs = 1'000'000;

  struct Issue {
    std::uint64_t position = 0;
    std::uint64_t claim = 0;
    std::size_t identity = 0;
  };

  // The policy of the core's loop (loop.h), as src/pg/session/take.cpp has it.
  struct Policy {
    Fleet* of;
    FleetSession* session;
    FleetServer* server;
    std::size_t identity;
    std::uint64_t limit = 0;
    bool has_answer = true;
    int attempts_left = 3;

    Source Refresh() {
      FleetServer::Space& space = server->spaces_[identity];
      has_answer = session->Prepare(*server, of->layout_, identity);
      limit = has_answer ? session->Limit(*server, of->layout_) : 0;
      return {&space.position,
              &of->layout_,
              0,
              of->guard_,
              {limit, has_answer ? LoadPosition(space.start) : 0, 0, {}}};
    }
    std::int64_t ClockUs() const noexcept { return server->ReadClock(); }
    std::int64_t MonotonicUs() const noexcept { return 0; }
    bool Extend(std::uint64_t last, std::int64_t now_us) {
      if (!has_answer || --attempts_left == 0) return false;
      const std::int64_t needed_ms = std::max(now_us / 1000, MarkCovering(of->layout_, last)) + 1;
      const int covers = session->Covers(*server, needed_ms);
      if (covers < 0) session->Invalidate();
      if (covers <= 0) return covers < 0;
      if (!of->is_marked) return true;
      RaisePosition(server->known_ms_, static_cast<std::uint64_t>(needed_ms));
      RaisePosition(server->mark_ms_, static_cast<std::uint64_t>(needed_ms));
      return true;
    }
    // What is to be waited for, ends the call.
    bool Wait(std::int64_t) { return false; }
    void NoteAttempt(const Attempt&) const {}
    void NoteWait(std::int64_t) const {}
    void NoteIssued(const Attempt&) const {
      if (!of->uses_cursors) return;
      session->cursors[identity].DropBlock();
      session->allowance.Open(session->Limit(*server, of->layout_));
    }
  };

  void Take(FleetSession& session, FleetServer& server, std::size_t identity) {
    StepWithNext();
    const std::uint64_t before = server.spaces_[identity].largest;
    Note("begins; returned so far:", before);
    if (uses_cursors) {
      std::uint64_t next = 0;
      const auto count = [] { return std::uint64_t{0}; };
      const auto clock = [&server]() noexcept { return server.ReadClock(); };
      if (session.cursors[identity].Next(session.allowance, server.spaces_[identity].position,
                                         count, clock, next)) {
        return Return(session, server, identity, next, before);
      }
    }
    Policy policy{this, &session, &server, identity};
    const LoopResult result = TakeByLoop(policy, {});
    if (result.ending != Ending::kDone) return;
    const std::uint64_t position = result.attempt.taken.first;
    if (position >= policy.limit) Fail("beyond the limit that the session knew");
    Return(session, server, identity, position, before);
  }

  void Return(const FleetSession& session, FleetServer& server, std::size_t identity,
              std::uint64_t position, std::uint64_t before) {
    const std::uint64_t claim = session.ClaimOf(identity);
    Note("returns", position);
    Note("of claim", claim);
    if (position <= before) Fail("not above what the server returned before the call began");
    for (std::size_t i = 0; i < count_; ++i) {
      const Issue& other = issued_[i];
      if (other.identity != identity) continue;
      if (other.position == position) Fail("issued twice in the fleet");
      if (other.claim < claim && other.position > position) {
        Fail("below what an earlier holder has issued");
      }
      if (other.claim > claim && other.position < position) {
        Fail("above what a later holder has issued");
      }
    }
    if (count_ == issued_.size()) Fail("more than there is room for");
    issued_[count_++] = {position, claim, identity};
    std::uint64_t& largest = server.spaces_[identity].largest;
    largest = std::max(largest, position);
  }

  const Layout layout_;
  const std::vector<Part> parts_;
  GuardSettings guard_;
  Registry registry_;
  std::array<FleetServer, kMostServers> servers_{};
  std::array<FleetSession, kMostThreads> sessions_{};
  std::array<Issue, 32> issued_{};
  std::size_t count_ = 0;
};

}  // namespace idgen::model

// What the threads of the model do with the core's own code: as the database does it.
#pragma once

#include "atomic_word.h"

#include <idgen/cursor.h>
#include <idgen/guard.h>
#include <idgen/loop.h>
#include <idgen/position.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "explorer.h"
#include "world.h"

namespace idgen::model {

using enum FieldKind;

inline constexpr std::int64_t kTickUs = 1000;
inline constexpr Layout kOneBit =
    MakeLayout("one_bit", kTickUs, 0, {{kTimestamp, 20}, {kSequence, 1}});
inline constexpr Layout kTwoBits =
    MakeLayout("two_bits", kTickUs, 0, {{kTimestamp, 20}, {kSequence, 2}});
// The smallest in which a cursor adds.
inline constexpr Layout kAdding =
    MakeLayout("adding", kTickUs, 0, {{kTimestamp, 20}, {kSequence, 12}});
static_assert(OvershootOf(kAdding.IdsPerTick()) > 0 && OvershootOf(kAdding.IdsPerTick() / 2) == 0);

inline constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 40;
// Every execution begins in the middle of this tick.
inline constexpr std::uint64_t kTick = 5;
inline constexpr std::int64_t kStartUs = static_cast<std::int64_t>(kTick) * kTickUs + kTickUs / 2;

// How the clock may move before a reading, besides standing still.
inline constexpr std::array<std::int64_t, 1> kRuns = {kTickUs};
inline constexpr std::array<std::int64_t, 2> kSteps = {kTickUs, -kTickUs};
inline constexpr std::array<std::int64_t, 4> kStepsFar = {kTickUs / 2, 2 * kTickUs, -kTickUs,
                                                          -3 * kTickUs};

struct Clock {
  std::span<const std::int64_t> moves_us;
  int moves = 0;
};

// The calls of each thread.
using Calls = std::vector<int>;

// `ids_left` positions are left in the tick in which the execution begins.
inline std::uint64_t LastIssued(const Layout& layout, std::uint64_t ids_left) {
  return ((kTick + 1) << layout.SequenceBits()) - 1 - ids_left;
}

class Sharing : public Scenario {
 public:
  Sharing(const Layout& layout, Calls calls, const Clock& clock)
      : layout_(layout), world_(layout, clock.moves_us, clock.moves), calls_(std::move(calls)) {}

  [[nodiscard]] int threads() const override { return static_cast<int>(calls_.size()); }
  void Begin() override {
    world_.Begin(kStartUs, spurious_failures);
    word_ = LastIssued(layout_, ids_left);
    world_.largest = word_;
    world_.is_paced = is_paced;
    world_.CheckPace(world_.TickOf(word_), true);
    limit_ = world_.durable = word_ + mark_ahead;
  }
  void Run(int thread) override {
    for (int call = 0; call < calls_[static_cast<std::size_t>(thread)]; ++call) Call(call);
  }
  virtual void Call(int call) = 0;
  [[nodiscard]] std::uint64_t State() const override {
    return Mix(Mix(world_.State(), word_), limit_);
  }
  const char* End() override { return nullptr; }

  [[nodiscard]] std::uint64_t& limit() { return limit_; }

  std::uint64_t ids_left = 2;
  int spurious_failures = 0;
  std::uint64_t mark_ahead = kNoLimit;
  bool is_paced = false;  // mode lead, where nothing is taken for nothing

 protected:
  const Layout layout_;
  World world_;
  std::uint64_t word_ = 0;
  std::uint64_t limit_ = 0;
  Calls calls_;
};

// --- TakeUpTo, as Generator::TakeAtOnce and Cursor::FromBlock call it -----------------------

class TakesUpTo : public Sharing {
 public:
  using Sharing::Sharing;

  void Call(int call) override {
    world_.BeginCall();
    const auto tick = static_cast<std::uint64_t>(layout_.TickAt(world_.ReadClock()));
    const std::uint64_t base = tick << layout_.SequenceBits();
    const std::uint64_t end = std::min(base + layout_.IdsPerTick(), limit_);
    const auto count = static_cast<std::uint64_t>(1 + (Thread() + call) % 2);
    const Taken taken = TakeUpTo(word_, base, end, count);
    if (taken.count > count) Fail("more than were asked for");
    if (taken.count == 0) return;
    world_.CheckTime(taken.first);
    world_.Return(taken, limit_);
  }
  const char* End() override { return word_ == world_.largest ? nullptr : "positions are lost"; }
};

// --- RaisePosition, as Observe calls it, against takers -------------------------------------

// The first thread raises.
class Raises : public TakesUpTo {
 public:
  using TakesUpTo::TakesUpTo;

  void Call(int call) override {
    if (Thread() > 0) return TakesUpTo::Call(call);
    world_.BeginCall();
    // Within the tick, and then beyond the clock.
    const std::uint64_t at_least =
        LastIssued(layout_, ids_left) + (call == 0 ? 1 : layout_.IdsPerTick());
    const bool was_lower = RaisePosition(word_, at_least);
    if (!was_lower && at_least > world_.largest) Fail("not raised");
    Note("raised to", at_least);
    world_.largest = std::max(world_.largest, at_least);
  }
};

// --- The loop around the guard, and a mark that is moved ahead by those who reach it ---------

class Guarded : public Sharing {
 public:
  Guarded(const Layout& layout, Calls calls, const Clock& clock, ClockRegression mode,
          bool together)
      : Sharing(layout, std::move(calls), clock), together_(together) {
    settings_.mode = mode;
    is_paced = leads();
    settings_.max_clock_lead_us = is_paced ? 2 * kTickUs : 0;
  }

  void Call(int call) override {
    const Request request{static_cast<std::uint64_t>(1 + (Thread() + call) % 2),
                          together_ && Thread() != 1};
    world_.BeginCall();
    LoopOf policy{this};
    (void)TakeInLoop(policy, request);
  }

  bool may_be_ahead = false;  // somebody observes

 protected:
  // The policy of the core's loop (loop.h).
  struct LoopOf {
    Guarded* of;
    std::uint64_t overshoot = 0;
    std::uint64_t known_limit = 0;
    Verdict verdict = Verdict::kIssued;
    int attempts_left = 3;

    Source Refresh() {
      known_limit = LoadPosition(of->limit_);
      return {&of->word_, &of->layout_, 0, of->settings_, {known_limit, 0, overshoot, {}}};
    }
    std::int64_t ClockUs() const noexcept { return of->world_.ReadClock(); }
    std::int64_t MonotonicUs() const noexcept { return of->world_.monotonic_us; }
    bool Extend(std::uint64_t last, std::int64_t) {
      if (--attempts_left == 0 && !of->leads()) Fail("moving the mark does not help");
      const std::uint64_t later = last + 3 * of->layout_.IdsPerTick();
      of->world_.MakeDurable(later);
      RaisePosition(of->limit_, later);
      // In mode lead others may be faster again and again.
      return attempts_left > 0;
    }
    // Only a new tick of mode lead is waited for; what else there is, ends the call.
    bool Wait(std::int64_t us) {
      if (!of->leads() || verdict != Verdict::kWaitForTick || --attempts_left == 0) return false;
      of->world_.Wait(us);
      return true;
    }
    void NoteAttempt(const Attempt& attempt) {
      verdict = attempt.verdict;
      if (verdict == Verdict::kOutOfTime) Fail("out of time");
      if (verdict == Verdict::kIssued || verdict == Verdict::kReserve) return;
      if (attempt.wait_us <= 0) Fail("a wait of no length");
      if (verdict != Verdict::kWaitForTick && !of->world_.went_back && !of->may_be_ahead &&
          !of->leads()) {
        Fail("a clock that never went back is said to be behind");
      }
    }
    void NoteWait(std::int64_t) const {}
    void NoteIssued(const Attempt&) const {}
  };

  [[nodiscard]] bool leads() const { return settings_.mode == ClockRegression::kLead; }

  // True when positions were issued, which are held to the promises.
  template <typename Policy>
  bool TakeInLoop(Policy& policy, const Request& request) {
    const LoopResult result = TakeByLoop(policy, request);
    if (result.ending == Ending::kWaited && leads() &&
        result.attempt.verdict == Verdict::kWaitForTick) {
      Fail("waited for too long");
    }
    if (result.ending != Ending::kDone) return false;
    Issued(result.attempt, request, policy.known_limit);
    return true;
  }

 private:
  void Issued(const Attempt& attempt, const Request& request, std::uint64_t known_limit) {
    const Taken& taken = attempt.taken;
    if (taken.count == 0 || taken.count > request.count) Fail("another count");
    if (request.together && taken.count < request.count) Fail("not together");
    if (leads()) {
      const std::uint64_t tick = world_.TickOf(taken.first);
      const std::int64_t lead = layout_.StartOfTick(tick) - attempt.now_us;
      if (lead > settings_.max_clock_lead_us) Fail("ahead of the clock by more than the lead");
      if (static_cast<std::int64_t>(tick) < layout_.TickAt(attempt.now_us)) Fail("of the past");
      world_.CheckPace(tick, false);
    } else {
      world_.CheckTime(taken.first);
    }
    world_.Return(taken, known_limit);
  }

  GuardSettings settings_;
  bool together_ = false;
};

// --- Sessions of the database: an allowance and a cursor each, the loop where the cursor says no
// --

class Sessions : public Guarded {
 public:
  Sessions(const Layout& layout, Calls calls, const Clock& clock, ClockRegression mode,
           std::uint64_t block_size)
      : Guarded(layout, std::move(calls), clock, mode, false), block_size_(block_size) {
    is_paced = false;  // what was taken for nothing may begin a tick, too
  }

  void Begin() override {
    Sharing::Begin();
    world_.in_order = block_size_ == 1;
    for (Session& session : sessions_) {
      session = {};
      // A counter counts a cycle a microsecond, where there is one.
      session.allowance = Allowance(layout_, block_size_, has_counter ? 1 : 0);
      // The counter is trusted from the second reading on: this is the first, before the epoch.
      std::uint64_t no_word = 0;
      std::uint64_t none = 0;
      (void)session.cursor.Next(
          session.allowance, no_word, [&session] { return session.cycles; },
          []() noexcept { return std::int64_t{-1}; }, none);
      session.allowance.Open(limit_);
      session.known_limit = limit_;
    }
  }

  void Call(int call) override {
    if (observes && Thread() == 0) return Observe(call);
    Session& session = sessions_[static_cast<std::size_t>(Thread())];
    if (reads_for_another) ReadForAnother(session);
    world_.BeginCall();
    bool is_first = !reads_for_another;
    const auto count = [&session, &is_first] {
      // It is asked once whether the reading is fresh, and then kept with the next.
      if (is_first && Choose(2) == 1) {
        session.cycles += 1'000'000;
        Note("finds its reading old, at", session.cycles);
      }
      // It runs faster than the clock, as far as the allowance can see.
      if (!is_first) session.cycles += 1'000'000;
      is_first = false;
      return session.cycles;
    };
    const auto clock = [this]() noexcept { return world_.ReadClock(); };
    std::uint64_t next = 0;
    const bool has_next = session.cursor.Next(session.allowance, word_, count, clock, next);
    if (has_next) {
      world_.CheckTime(next);
      world_.Return({next, 1}, session.known_limit);
    }
    world_.CheckAdded();
    if (has_next || !falls_back) return;
    SessionLoopOf policy{{this, block_size_ == 1 ? OvershootOf(layout_.IdsPerTick()) : 0},
                         &session};
    (void)TakeInLoop(policy, {});
  }

  const char* End() override {
    return observes || leads() ? nullptr : world_.CheckOvershoot(word_, threads());
  }

  bool observes = false;    // the first thread
  bool falls_back = true;   // to the loop
  bool has_counter = true;  // else the clock is read for each
  // Before each call the clock is read for another ID space, and not again for the call.
  bool reads_for_another = false;

 private:
  struct Session {
    Allowance allowance;
    Cursor cursor;
    std::uint64_t known_limit = 0;
    std::uint64_t cycles = 1'000'000;
  };

  // What src/pg/session/take.cpp does with the cursor and the allowance.
  struct SessionLoopOf : LoopOf {
    Session* session;

    void NoteIssued(const Attempt&) const {
      session->cursor.DropBlock();
      session->known_limit = LoadPosition(of->limit());
      session->allowance.Open(session->known_limit);
    }
  };

  // One that nobody else uses.
  void ReadForAnother(Session& session) {
    session.cycles += 1'000'000;
    Cursor cursor;
    std::uint64_t word = 0;
    std::uint64_t next = 0;
    (void)cursor.Next(
        session.allowance, word, [&session] { return session.cycles; },
        [this]() noexcept { return world_.ReadClock(); }, next);
  }

  void Observe(int call) {
    world_.BeginCall();
    const std::uint64_t at_least =
        LastIssued(layout_, ids_left) + (call == 0 ? 1 : layout_.IdsPerTick());
    RaisePosition(word_, at_least);
    Note("raised to", at_least);
    world_.largest = std::max(world_.largest, at_least);
  }

  std::array<Session, kMostThreads> sessions_{};
  std::uint64_t block_size_ = 1;
};

}  // namespace idgen::model

#include <idgen/loop.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace idgen {
namespace {

using enum FieldKind;

constexpr Layout kFew =
    MakeLayout("few", 1000, 0, {{kTimestamp, 41}, {kMachine, 5}, {kSequence, 3}});
constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

constexpr std::uint64_t At(std::uint64_t tick, std::uint64_t sequence) {
  return tick << 3 | sequence;
}

// What a policy works with, and what it was asked for.
struct Fake {
  std::uint64_t word = 0;
  std::uint64_t identity_bits = 0;
  GuardSettings guard;
  Bounds bounds{kNoLimit, 0, 0, {}};
  std::int64_t clock_us = 5'500;
  std::int64_t monotonic_us = 0;
  bool can_extend = true;
  int waits_left = 1'000'000;
  std::uint64_t extended_to = 0;
  std::int64_t extended_at_us = 0;
  std::uint64_t word_when_extended = 0;
  std::vector<std::string> calls;
  std::uint64_t identity_after_wait = 0;  // if not 0

  struct Policy {
    Fake* of;

    Source Refresh() const {
      of->calls.emplace_back("refresh");
      return {&of->word, &kFew, of->identity_bits, of->guard, of->bounds};
    }
    std::int64_t ClockUs() const noexcept { return of->clock_us; }
    std::int64_t MonotonicUs() const noexcept { return of->monotonic_us; }
    bool Extend(std::uint64_t last, std::int64_t now_us) const {
      of->calls.emplace_back("extend");
      of->extended_to = last;
      of->extended_at_us = now_us;
      of->word_when_extended = of->word;
      if (of->can_extend) of->bounds.limit = last + 1;
      return of->can_extend;
    }
    bool Wait(std::int64_t us) const {
      of->calls.emplace_back("wait");
      of->monotonic_us += us;
      of->clock_us += us;
      if (of->identity_after_wait != 0) of->identity_bits = of->identity_after_wait++;
      return of->waits_left-- > 0;
    }
    void NoteAttempt(const Attempt&) const { of->calls.emplace_back("attempt"); }
    void NoteWait(std::int64_t) const { of->calls.emplace_back("note wait"); }
    void NoteIssued(const Attempt&) const { of->calls.emplace_back("issued"); }
  };

  LoopResult Take(const Request& request = {}) {
    Policy policy{this};
    return TakeByLoop(policy, request);
  }
  Observed Observe(std::uint64_t position) {
    Policy policy{this};
    return ObserveId(policy, static_cast<std::uint64_t>(kFew.Compose(position, identity_bits)));
  }
};

using Calls = std::vector<std::string>;

TEST(TakeByLoop, IssuesAtOnceWhereNothingIsInTheWay) {
  Fake fake;
  const LoopResult result = fake.Take({3, false});
  EXPECT_EQ(result.ending, Ending::kDone);
  EXPECT_EQ(result.attempt.taken.first, At(5, 0));
  EXPECT_EQ(result.attempt.taken.count, 3U);
  EXPECT_EQ(fake.calls, (Calls{"refresh", "attempt", "issued"}));
}

TEST(TakeByLoop, MovesTheMarkToTheLastOfThoseThatAreTogetherAndLooksAgain) {
  Fake fake;
  fake.bounds.limit = At(5, 0);
  const LoopResult result = fake.Take({4, true});
  EXPECT_EQ(result.ending, Ending::kDone);
  EXPECT_EQ(fake.extended_to, At(5, 3));
  EXPECT_EQ(fake.extended_at_us, 5'500);
  EXPECT_EQ(fake.word_when_extended, 0U) << "the mark comes first";
  EXPECT_EQ(fake.calls, (Calls{"refresh", "attempt", "extend", "refresh", "attempt", "issued"}));
}

TEST(TakeByLoop, EndsWhereTheMarkDoesNotMove) {
  Fake fake;
  fake.bounds.limit = At(5, 0);
  fake.can_extend = false;
  EXPECT_EQ(fake.Take().ending, Ending::kMarkNotMoved);
  EXPECT_EQ(fake.word, 0U);
}

TEST(TakeByLoop, WaitsForTheTickAndLooksAgain) {
  Fake fake;
  fake.word = At(5, 7);
  const LoopResult result = fake.Take();
  EXPECT_EQ(result.ending, Ending::kDone);
  EXPECT_EQ(result.attempt.taken.first, At(6, 0));
  EXPECT_EQ(fake.monotonic_us, 500);
  EXPECT_EQ(fake.calls,
            (Calls{"refresh", "attempt", "note wait", "wait", "refresh", "attempt", "issued"}));
}

TEST(TakeByLoop, AWaitThatIsCancelledUsesUpNothing) {
  Fake fake;
  fake.word = At(5, 7);
  fake.waits_left = 0;
  EXPECT_EQ(fake.Take().ending, Ending::kCancelled);
  EXPECT_EQ(fake.word, At(5, 7));
}

TEST(TakeByLoop, AClockThatIsBehindIsAnErrorOrIsWaitedForAsLongAsTheSettingsAllow) {
  Fake fake;
  fake.word = At(50, 0);
  fake.guard.mode = ClockRegression::kError;
  EXPECT_EQ(fake.Take().ending, Ending::kClockBehind);
  fake.guard.mode = ClockRegression::kWait;
  fake.guard.max_clock_wait_us = 7'000;
  EXPECT_EQ(fake.Take().ending, Ending::kWaited);
  EXPECT_EQ(fake.monotonic_us, 7'000);
  EXPECT_EQ(fake.word, At(50, 0));
}

TEST(TakeByLoop, AnotherIdSpaceIsWaitedForAnew) {
  Fake fake;
  fake.word = At(50, 0);
  fake.guard.max_clock_wait_us = 7'000;
  fake.identity_after_wait = 1;
  EXPECT_EQ(fake.Take().ending, Ending::kDone);
  EXPECT_GT(fake.monotonic_us, 40'000);
}

TEST(TakeByLoop, ALayoutThatHasEndedIsOutOfTime) {
  Fake fake;
  fake.word = kFew.MaxPosition();
  EXPECT_EQ(fake.Take().ending, Ending::kOutOfTime);
}

TEST(ObserveId, RaisesThePositionAndNeverLowersIt) {
  Fake fake;
  EXPECT_EQ(fake.Observe(At(6, 2)).ending, Ending::kDone);
  EXPECT_EQ(fake.word, At(6, 2));
  EXPECT_EQ(fake.Observe(At(4, 2)).ending, Ending::kDone);
  EXPECT_EQ(fake.word, At(6, 2));
}

TEST(ObserveId, MovesTheMarkFirst) {
  Fake fake;
  fake.bounds.limit = At(6, 2);
  EXPECT_EQ(fake.Observe(At(6, 2)).ending, Ending::kDone);
  EXPECT_EQ(fake.extended_to, At(6, 2));
  EXPECT_EQ(fake.word_when_extended, 0U);
  EXPECT_EQ(fake.word, At(6, 2));
  fake.can_extend = false;
  EXPECT_EQ(fake.Observe(At(6, 3)).ending, Ending::kMarkNotMoved);
  EXPECT_EQ(fake.word, At(6, 2));
}

TEST(ObserveId, RefusesWhatIsTooFarAhead) {
  Fake fake;
  fake.guard.max_clock_lead_us = 500;
  EXPECT_EQ(fake.Observe(At(6, 0)).ending, Ending::kDone);
  const Observed observed = fake.Observe(At(7, 0));
  EXPECT_EQ(observed.ending, Ending::kTooFarAhead);
  EXPECT_EQ(observed.time_us, 7'000);
  EXPECT_EQ(observed.now_us, 5'500);
  EXPECT_EQ(fake.word, At(6, 0));
}

}  // namespace
}  // namespace idgen

#include <idgen/guard.h>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <limits>
#include <random>
#include <vector>

#include "threads.h"

namespace idgen {
namespace {

using enum FieldKind;

// Ten milliseconds a tick, eight IDs in it.
constexpr std::int64_t kTickUs = 10'000;
constexpr std::int64_t kEpochUs = 1'000'000'000;
constexpr Layout kLayout = MakeLayout("guard", kTickUs, kEpochUs / 1000,
                                      {{kTimestamp, 20}, {kMachine, 4}, {kSequence, 3}});
constexpr std::uint64_t kIds = 8;
constexpr Bounds kNoBounds{kLayout.MaxPosition() + 1, 0};

constexpr std::int64_t TimeOf(std::int64_t tick) { return kEpochUs + tick * kTickUs; }
constexpr std::uint64_t At(std::uint64_t tick, std::uint64_t sequence) {
  return tick * kIds + sequence;
}

constexpr GuardSettings Settings(ClockRegression mode) {
  GuardSettings settings;
  settings.mode = mode;
  settings.max_clock_lead_us = 5 * kTickUs;
  settings.max_start_wait_us = 3 * kTickUs;
  return settings;
}
constexpr std::array kModes = {ClockRegression::kWait, ClockRegression::kLead,
                               ClockRegression::kError};

Attempt Try(std::uint64_t& word, ClockRegression mode, std::int64_t now_us,
            const Request& request = {}, const Bounds& bounds = kNoBounds) {
  return TryTake(word, kLayout, Settings(mode), bounds, request, [now_us] { return now_us; });
}

void ExpectIssued(const Attempt& attempt, std::uint64_t first, std::uint64_t count) {
  EXPECT_EQ(attempt.verdict, Verdict::kIssued);
  EXPECT_EQ(attempt.taken.first, first);
  EXPECT_EQ(attempt.taken.count, count);
  EXPECT_EQ(attempt.next, first);
}

// --- Each verdict --------------------------------------------------------------------

TEST(Guard, IssuesTheClocksTick) {
  for (const ClockRegression mode : kModes) {
    std::uint64_t word = At(3, 5);
    const Attempt attempt = Try(word, mode, TimeOf(7) + kTickUs - 1);
    ExpectIssued(attempt, At(7, 0), 1);
    EXPECT_EQ(attempt.behind_us, 0);
    EXPECT_EQ(attempt.now_us, TimeOf(7) + kTickUs - 1);
    ExpectIssued(Try(word, mode, TimeOf(7)), At(7, 1), 1);
    EXPECT_EQ(word, At(7, 1));
  }
}

TEST(Guard, AUsedUpSequenceWaitsForTheTick) {
  for (const ClockRegression mode : kModes) {
    std::uint64_t word = At(7, 7);
    const Attempt attempt = Try(word, mode, TimeOf(7) + 1);
    EXPECT_EQ(attempt.verdict, Verdict::kWaitForTick);
    EXPECT_EQ(attempt.next, At(8, 0));
    EXPECT_EQ(attempt.tick, 8U);
    EXPECT_EQ(attempt.wait_us, kTickUs - 1);
    EXPECT_EQ(attempt.behind_us, kTickUs - 1);
    EXPECT_EQ(attempt.taken.count, 0U);
    EXPECT_EQ(word, At(7, 7));
    ExpectIssued(Try(word, mode, TimeOf(8)), At(8, 0), 1);
  }
}

// Where sessions add to the position, some of them do so beyond the end of a tick, and it
// is still a used-up sequence and no regression.
TEST(Guard, PositionsTakenForNothingAreNoRegression) {
  constexpr Layout kMany = MakeLayout("many", kTickUs, kEpochUs / 1000,
                                      {{kTimestamp, 20}, {kMachine, 4}, {kSequence, 12}});
  constexpr Bounds kManyBounds{kMany.MaxPosition() + 1, 0, OvershootOf(kMany.IdsPerTick())};
  static_assert(kManyBounds.overshoot == kLeastOvershoot);
  static_assert(OvershootOf(kIds) == 0);
  const auto verdict_of = [&](std::uint64_t last, std::int64_t now_us, ClockRegression mode) {
    return TryTake(last, kMany, Settings(mode), kManyBounds, {}, [now_us] { return now_us; });
  };
  for (const ClockRegression mode : {ClockRegression::kWait, ClockRegression::kError}) {
    const Verdict behind =
        mode == ClockRegression::kWait ? Verdict::kWaitForClock : Verdict::kClockBehind;
    const std::uint64_t end = 8 << 12;  // of tick 7
    for (const std::uint64_t over : {std::uint64_t{0}, std::uint64_t{1}, kLeastOvershoot - 1}) {
      const Attempt attempt = verdict_of(end + over, TimeOf(7) + 1, mode);
      EXPECT_EQ(attempt.verdict, Verdict::kWaitForTick);
      EXPECT_EQ(attempt.next, end + over + 1);
      EXPECT_EQ(attempt.wait_us, kTickUs - 1);
    }
    EXPECT_EQ(verdict_of(end + kLeastOvershoot, TimeOf(7) + 1, mode).verdict, behind);
    EXPECT_EQ(verdict_of(end + (1 << 12), TimeOf(7) + 1, mode).verdict, behind);
    // Before the epoch there is no sequence that could be used up.
    EXPECT_EQ(verdict_of(0, TimeOf(0) - 1, mode).verdict, behind);
    // Where nobody adds.
    std::uint64_t word = At(8, 0);
    EXPECT_EQ(Try(word, mode, TimeOf(7) + 1).verdict, behind);
  }
}

TEST(Guard, LeadTakesANewTickAfterATicksWait) {
  // A used-up sequence of the clock's own tick; the clock, which stands still here.
  std::uint64_t word = At(7, 7);
  const auto awaiting = [&](std::uint64_t tick, std::int64_t rest_us, std::int64_t now_us) {
    return Try(word, ClockRegression::kLead, now_us, {},
               {kNoBounds.limit, 0, 0, Awaited{tick, rest_us}});
  };
  Attempt attempt = awaiting(0, 0, TimeOf(7) + kTickUs / 2);
  EXPECT_EQ(attempt.verdict, Verdict::kWaitForTick);
  EXPECT_EQ(attempt.wait_us, kTickUs / 2) << "the clock is there before";
  EXPECT_EQ(attempt.new_tick_us, kTickUs / 2);
  attempt = awaiting(8, 3, TimeOf(7));
  EXPECT_EQ(attempt.verdict, Verdict::kWaitForTick);
  EXPECT_EQ(attempt.wait_us, 3) << "the rest";
  EXPECT_EQ(awaiting(9, 0, TimeOf(7)).wait_us, kTickUs) << "of another tick";
  ExpectIssued(awaiting(8, 0, TimeOf(7)), At(8, 0), 1);
  // Whoever comes later goes on in it at once, up to its end.
  ExpectIssued(Try(word, ClockRegression::kLead, TimeOf(7), {99, false}), At(8, 1), 7);

  // The position leads, and its tick is used up: a whole one, which the clock is not near.
  attempt = awaiting(8, -9, TimeOf(5));
  EXPECT_EQ(attempt.verdict, Verdict::kWaitForTick);
  EXPECT_EQ(attempt.next, At(9, 0));
  EXPECT_EQ(attempt.wait_us, NewTickUs(kTickUs));
  EXPECT_EQ(attempt.behind_us, 4 * kTickUs);
  ExpectIssued(awaiting(9, -9, TimeOf(5)), At(9, 0), 1);
  // A clock that went back further meanwhile: the bound of the lead first.
  word = At(9, 7);
  attempt = awaiting(10, 0, TimeOf(5) - 9);
  EXPECT_EQ(attempt.verdict, Verdict::kWaitForClock);
  EXPECT_EQ(attempt.wait_us, 9);
  ExpectIssued(awaiting(10, 0, TimeOf(5)), At(10, 0), 1);
}

TEST(Guard, LeadTakesTheFirstTickAfterAStartAtOnce) {
  const Bounds bounds{kLayout.MaxPosition() + 1, At(20, 0)};
  std::uint64_t word = At(20, 0) - 1;
  ExpectIssued(Try(word, ClockRegression::kLead, TimeOf(17), {3, true}, bounds), At(20, 0), 3);
  // And no other: not where a request does not fit into what a mark left of the first.
  word = At(20, 7) - 1;
  const Attempt attempt = Try(word, ClockRegression::kLead, TimeOf(17), {3, true},
                              {kLayout.MaxPosition() + 1, At(20, 7)});
  EXPECT_EQ(attempt.verdict, Verdict::kWaitForTick);
  EXPECT_EQ(attempt.next, At(21, 0));
  EXPECT_EQ(attempt.wait_us, NewTickUs(kTickUs));
}

TEST(Guard, LeadOfNothingIsWait) {
  for (const std::int64_t most_us : {std::int64_t{0}, std::int64_t{-5}}) {
    GuardSettings settings = Settings(ClockRegression::kLead);
    settings.max_clock_lead_us = most_us;
    for (const std::uint64_t last : {At(7, 7), At(7, 3), At(9, 3), At(9, 7)}) {
      for (const std::int64_t now_us : {TimeOf(7), TimeOf(8) - 1, TimeOf(9), TimeOf(-1)}) {
        // Whatever was waited for before.
        const Bounds bounds{kNoBounds.limit, 0, 0, Awaited{last / kIds + 1, 0}};
        std::uint64_t lead = last;
        std::uint64_t wait = last;
        const auto clock = [now_us] { return now_us; };
        const Attempt leads = TryTake(lead, kLayout, settings, bounds, {}, clock);
        const Attempt waits =
            TryTake(wait, kLayout, Settings(ClockRegression::kWait), bounds, {}, clock);
        EXPECT_EQ(leads.verdict, waits.verdict);
        EXPECT_EQ(leads.wait_us, waits.wait_us);
        EXPECT_EQ(lead, wait);
      }
    }
  }
}

TEST(Guard, LeadsUpToItsBound) {
  std::uint64_t word = At(20, 2);
  const std::int64_t furthest = TimeOf(20) - 5 * kTickUs;
  ExpectIssued(Try(word, ClockRegression::kLead, furthest), At(20, 3), 1);
  const Attempt attempt = Try(word, ClockRegression::kLead, furthest - 1);
  EXPECT_EQ(attempt.verdict, Verdict::kWaitForClock);
  EXPECT_EQ(attempt.behind_us, 5 * kTickUs + 1);
  EXPECT_EQ(attempt.wait_us, 1);
  EXPECT_EQ(word, At(20, 3));
}

TEST(Guard, ALeadThatCountsIntoTheNextTickIsBoundedThere) {
  std::uint64_t word = At(20, 7);
  const Attempt attempt = Try(word, ClockRegression::kLead, TimeOf(16) - 1);
  EXPECT_EQ(attempt.verdict, Verdict::kWaitForClock);
  EXPECT_EQ(attempt.next, At(21, 0));
  EXPECT_EQ(attempt.wait_us, NewTickUs(kTickUs))
      << "for the lead a microsecond, for a new tick more";
  const Bounds awaited{kNoBounds.limit, 0, 0, Awaited{21, 0}};
  EXPECT_EQ(Try(word, ClockRegression::kLead, TimeOf(16) - 1, {}, awaited).wait_us, 1);
  ExpectIssued(Try(word, ClockRegression::kLead, TimeOf(16), {}, awaited), At(21, 0), 1);
}

TEST(Guard, AClockThatWentBackIsWaitedFor) {
  std::uint64_t word = At(20, 2);
  const Attempt attempt = Try(word, ClockRegression::kWait, TimeOf(20) - 1);
  EXPECT_EQ(attempt.verdict, Verdict::kWaitForClock);
  EXPECT_EQ(attempt.next, At(20, 3));
  EXPECT_EQ(attempt.wait_us, 1);
  EXPECT_EQ(Try(word, ClockRegression::kWait, TimeOf(2) + 5).wait_us, 18 * kTickUs - 5);
  EXPECT_EQ(word, At(20, 2));
  ExpectIssued(Try(word, ClockRegression::kWait, TimeOf(20)), At(20, 3), 1);
}

TEST(Guard, AClockThatWentBackIsAnErrorWhereSet) {
  std::uint64_t word = At(20, 2);
  for (const std::int64_t now_us : {TimeOf(20) - 1, TimeOf(2), TimeOf(-1)}) {
    const Attempt attempt = Try(word, ClockRegression::kError, now_us);
    EXPECT_EQ(attempt.verdict, Verdict::kClockBehind);
    EXPECT_EQ(attempt.behind_us, TimeOf(20) - now_us);
  }
  EXPECT_EQ(word, At(20, 2));
}

TEST(Guard, TheFirstPositionAfterAStartIsWaitedForEvenWhereAnErrorIsSet) {
  const Bounds bounds{kLayout.MaxPosition() + 1, At(20, 0)};
  std::uint64_t word = At(20, 0) - 1;  // nothing issued since the start
  const std::int64_t longest = TimeOf(20) - 3 * kTickUs;
  Attempt attempt = Try(word, ClockRegression::kError, longest, {}, bounds);
  EXPECT_EQ(attempt.verdict, Verdict::kWaitForClock);
  EXPECT_EQ(attempt.wait_us, 3 * kTickUs);
  attempt = Try(word, ClockRegression::kError, longest - 1, {}, bounds);
  EXPECT_EQ(attempt.verdict, Verdict::kClockBehind);
  // Once one is issued, the clock is to blame.
  ExpectIssued(Try(word, ClockRegression::kError, TimeOf(20), {}, bounds), At(20, 0), 1);
  attempt = Try(word, ClockRegression::kError, TimeOf(19), {}, bounds);
  EXPECT_EQ(attempt.verdict, Verdict::kClockBehind);
}

TEST(Guard, BeforeTheEpochEveryPositionIsAhead) {
  std::uint64_t word = 0;
  Attempt attempt = Try(word, ClockRegression::kWait, TimeOf(0) - 1);
  EXPECT_EQ(attempt.verdict, Verdict::kWaitForClock);
  EXPECT_EQ(attempt.next, 1U);
  EXPECT_EQ(attempt.wait_us, 1);
  EXPECT_EQ(Try(word, ClockRegression::kError, TimeOf(0) - 1).verdict, Verdict::kClockBehind);
  EXPECT_EQ(Try(word, ClockRegression::kLead, TimeOf(-6)).verdict, Verdict::kWaitForClock);
  EXPECT_EQ(word, 0U);
  ExpectIssued(Try(word, ClockRegression::kLead, TimeOf(-5)), 1, 1);
  ExpectIssued(Try(word, ClockRegression::kWait, TimeOf(0)), 2, 1);
}

TEST(Guard, AfterTheEndIsOutOfTime) {
  const auto max_tick = static_cast<std::int64_t>(kLayout.MaxTick());
  for (const ClockRegression mode : kModes) {
    std::uint64_t word = At(7, 7);
    for (const std::int64_t now_us : {TimeOf(max_tick + 1), TimeOf(max_tick + 1000),
                                      std::numeric_limits<std::int64_t>::max()}) {
      const Attempt attempt = Try(word, mode, now_us);
      EXPECT_EQ(attempt.verdict, Verdict::kOutOfTime);
      EXPECT_EQ(attempt.taken.count, 0U);
    }
    EXPECT_EQ(word, At(7, 7));
    ExpectIssued(Try(word, mode, TimeOf(max_tick + 1) - 1), At(kLayout.MaxTick(), 0), 1);
    // The last position of the life, and then none.
    word = kLayout.MaxPosition() - 1;
    ExpectIssued(Try(word, mode, TimeOf(max_tick)), kLayout.MaxPosition(), 1);
    EXPECT_EQ(Try(word, mode, TimeOf(max_tick)).verdict, Verdict::kOutOfTime);
    EXPECT_EQ(Try(word, mode, TimeOf(3)).verdict, Verdict::kOutOfTime);
    EXPECT_EQ(word, kLayout.MaxPosition());
  }
}

TEST(Guard, NothingIsIssuedBeyondTheMark) {
  for (const ClockRegression mode : kModes) {
    std::uint64_t word = At(7, 2);
    const Bounds bounds{At(7, 5), 0};
    ExpectIssued(Try(word, mode, TimeOf(7), {1, false}, bounds), At(7, 3), 1);
    ExpectIssued(Try(word, mode, TimeOf(7), {9, false}, bounds), At(7, 4), 1);
    const Attempt attempt = Try(word, mode, TimeOf(7), {1, false}, bounds);
    EXPECT_EQ(attempt.verdict, Verdict::kReserve);
    EXPECT_EQ(attempt.next, At(7, 5));
    EXPECT_EQ(Try(word, mode, TimeOf(9), {1, false}, bounds).verdict, Verdict::kReserve);
    EXPECT_EQ(word, At(7, 4));
    ExpectIssued(Try(word, mode, TimeOf(7), {1, false}, {At(7, 6), 0}), At(7, 5), 1);
  }
}

TEST(Guard, AWaitComesBeforeTheMark) {
  // A clock at which nothing is issued must not move the mark.
  std::uint64_t word = At(20, 2);
  const Bounds bounds{At(20, 3), 0};
  EXPECT_EQ(Try(word, ClockRegression::kWait, TimeOf(19), {}, bounds).verdict,
            Verdict::kWaitForClock);
  EXPECT_EQ(Try(word, ClockRegression::kError, TimeOf(19), {}, bounds).verdict,
            Verdict::kClockBehind);
  EXPECT_EQ(Try(word, ClockRegression::kLead, TimeOf(19), {}, bounds).verdict, Verdict::kReserve);
}

TEST(Guard, ManyTakeTheRestOfATickAtMost) {
  for (const ClockRegression mode : kModes) {
    std::uint64_t word = At(7, 2);
    ExpectIssued(Try(word, mode, TimeOf(7), {3, false}), At(7, 3), 3);
    ExpectIssued(Try(word, mode, TimeOf(7), {100, false}), At(7, 6), 2);
    ExpectIssued(Try(word, mode, TimeOf(9), {100, false}), At(9, 0), 8);
  }
}

TEST(Guard, TogetherStaysInOneTick) {
  for (const ClockRegression mode : kModes) {
    std::uint64_t word = At(7, 2);
    ExpectIssued(Try(word, mode, TimeOf(7), {5, true}), At(7, 3), 5);  // exactly its rest
    word = At(7, 2);
    const Attempt attempt = Try(word, mode, TimeOf(7), {6, true});
    EXPECT_EQ(attempt.verdict, Verdict::kWaitForTick);
    EXPECT_EQ(attempt.next, At(8, 0));
    EXPECT_EQ(attempt.wait_us, kTickUs);
    EXPECT_EQ(word, At(7, 2));
    word = At(7, 7);
    ExpectIssued(Try(word, mode, TimeOf(8), {8, true}), At(8, 0), 8);
    EXPECT_EQ(word, At(8, 7));
  }
}

TEST(Guard, TogetherNeedsTheMarkForAll) {
  std::uint64_t word = At(7, 0);
  EXPECT_EQ(Try(word, ClockRegression::kWait, TimeOf(7), {5, true}, {At(7, 5), 0}).verdict,
            Verdict::kReserve);
  EXPECT_EQ(word, At(7, 0));
  ExpectIssued(Try(word, ClockRegression::kWait, TimeOf(7), {5, true}, {At(7, 6), 0}), At(7, 1), 5);
}

TEST(Guard, TogetherAtTheEndOfTheLifeIsOutOfTime) {
  const auto max_tick = static_cast<std::int64_t>(kLayout.MaxTick());
  std::uint64_t word = At(kLayout.MaxTick(), 2);
  for (const ClockRegression mode : kModes) {
    EXPECT_EQ(Try(word, mode, TimeOf(max_tick), {6, true}).verdict, Verdict::kOutOfTime);
  }
  ExpectIssued(Try(word, ClockRegression::kWait, TimeOf(max_tick), {5, true}),
               At(kLayout.MaxTick(), 3), 5);
}

TEST(Guard, ReadsTheClockAfterThePosition) {
  // A caller that is overtaken between the two must not take the other for a clock that
  // went back: it reads the clock anew.
  std::uint64_t word = At(7, 2);
  int reads = 0;
  const auto clock = [&] {
    if (++reads == 1) RaisePosition(word, At(9, 4));
    return reads == 1 ? TimeOf(8) : TimeOf(9);
  };
  const Attempt attempt =
      TryTake(word, kLayout, Settings(ClockRegression::kError), kNoBounds, {}, clock);
  ExpectIssued(attempt, At(9, 5), 1);
  EXPECT_EQ(reads, 2);
}

// --- Every attempt on a tiny layout, against a slow model ----------------------------

constexpr std::int64_t kTinyTickUs = 4;
constexpr Layout kTiny = MakeLayout("tiny", kTinyTickUs, 1, {{kTimestamp, 3}, {kSequence, 2}});
constexpr std::uint64_t kTinyIds = 4;
constexpr std::uint64_t kTinyPositions = 32;

// What the guard's page says, by looking at one position after the other.
Attempt Model(std::uint64_t last, const GuardSettings& settings, const Bounds& bounds,
              const Request& request, std::int64_t now_us) {
  Attempt expected;
  const auto start_of = [](std::uint64_t tick) {
    return kTiny.epoch_us + static_cast<std::int64_t>(tick) * kTinyTickUs;
  };
  if (now_us >= start_of(kTinyPositions / kTinyIds)) return expected;  // out of time
  std::uint64_t next = last + 1;
  for (;; ++next) {
    if (next >= kTinyPositions) return expected;
    if (start_of(next / kTinyIds) + kTinyTickUs <= now_us) continue;  // of a past tick
    if (request.together && next / kTinyIds != (next + request.count - 1) / kTinyIds) continue;
    break;
  }
  const std::int64_t ahead_us = start_of(next / kTinyIds) - now_us;
  // Without a pace, the tick after the lead is allowed as well.
  const std::int64_t allowed_us =
      settings.mode != ClockRegression::kLead
          ? 0
          : settings.max_clock_lead_us + (settings.paces_lead ? 0 : kTinyTickUs);
  expected.next = next;
  expected.wait_us = std::max<std::int64_t>(0, ahead_us - allowed_us);
  // Where a lead is allowed, a tick that nothing was used of yet is waited for: till the clock
  // is there, or for its length.
  if (settings.paces_lead && allowed_us > 0 && ahead_us > 0 && next / kTinyIds != last / kTinyIds &&
      next / kTinyIds > bounds.start / kTinyIds) {
    const bool awaits = bounds.awaited.tick == next / kTinyIds;
    const std::int64_t new_us =
        start_of(last / kTinyIds) <= now_us ? ahead_us : NewTickUs(kTinyTickUs);
    const std::int64_t rest_us = awaits ? bounds.awaited.rest_us : new_us;
    expected.wait_us = std::max(expected.wait_us, std::min(rest_us, ahead_us));
  }
  if (expected.wait_us > 0) {
    if (start_of(last / kTinyIds) <= now_us || ahead_us <= allowed_us) {
      expected.verdict = Verdict::kWaitForTick;
    } else if (settings.mode != ClockRegression::kError) {
      expected.verdict = Verdict::kWaitForClock;
    } else {
      const bool at_start = last < bounds.start;
      expected.verdict = at_start && expected.wait_us <= settings.max_start_wait_us
                             ? Verdict::kWaitForClock
                             : Verdict::kClockBehind;
    }
    return expected;
  }
  expected.taken.first = next;
  for (std::uint64_t at = next; at / kTinyIds == next / kTinyIds && at < bounds.limit; ++at) {
    if (expected.taken.count < request.count) ++expected.taken.count;
  }
  const std::uint64_t enough = request.together ? request.count : 1;
  if (expected.taken.count < enough) {
    expected.taken = {};
    expected.verdict = Verdict::kReserve;
  } else {
    expected.verdict = Verdict::kIssued;
  }
  return expected;
}

TEST(GuardModel, EveryAttemptOnATinyLayout) {
  std::vector<Request> requests;
  for (std::uint64_t count = 1; count <= 5; ++count) requests.push_back({count, false});
  for (std::uint64_t count = 1; count <= kTinyIds; ++count) requests.push_back({count, true});
  std::uint64_t attempts = 0;
  for (const std::size_t way : {0U, 1U, 2U, 3U}) {
    const ClockRegression mode = way < 3 ? kModes[way] : ClockRegression::kLead;
    const bool paces_lead = way < 3;
    for (const std::int64_t slack_us : {0, 1, 4, 6, 40}) {
      GuardSettings settings;
      settings.mode = mode;
      settings.paces_lead = paces_lead;
      settings.max_clock_lead_us = slack_us;
      settings.max_start_wait_us = slack_us;
      for (std::uint64_t last = 0; last < kTinyPositions; ++last) {
        for (std::int64_t now_us = -7; now_us <= 36; ++now_us) {
          for (std::uint64_t limit = 0; limit <= kTinyPositions; ++limit) {
            for (const std::uint64_t start : {std::uint64_t{0}, std::uint64_t{14}}) {
              for (const Request& request : requests) {
                // Every tick is awaited somewhere, for different times.
                const Awaited awaited{(attempts / 7) % 8,
                                      static_cast<std::int64_t>(attempts / 3 % 7) - 1};
                const Bounds bounds{limit, start, 0, awaited};
                const Attempt expected = Model(last, settings, bounds, request, now_us);
                std::uint64_t word = last;
                const Attempt attempt =
                    TryTake(word, kTiny, settings, bounds, request, [now_us] { return now_us; });
                ++attempts;
                const bool issued = expected.verdict == Verdict::kIssued;
                const std::uint64_t after =
                    issued ? expected.taken.first + expected.taken.count - 1 : last;
                const bool same =
                    attempt.verdict == expected.verdict && word == after &&
                    attempt.taken.count == expected.taken.count &&
                    (!issued || attempt.taken.first == expected.taken.first) &&
                    (expected.verdict == Verdict::kOutOfTime ||
                     (attempt.next == expected.next && attempt.wait_us == expected.wait_us));
                ASSERT_TRUE(same) << "last " << last << ", now " << now_us << ", limit " << limit
                                  << ", start " << start << ", count " << request.count
                                  << ", together " << request.together << ", mode "
                                  << static_cast<int>(mode) << ", paced " << paces_lead
                                  << ", slack " << slack_us;
              }
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(attempts, 4U * 5 * 32 * 44 * 33 * 2 * 9);
}

// --- Callers that overtake each other ------------------------------------------------

// Several callers on one word and one clock that steps both ways. A caller stands between
// its load and its swap while it reads the clock: others run there, to a depth of three.
class Interleaving {
 public:
  explicit Interleaving(std::uint64_t seed) : random_(seed) {}

  void Run(int calls) {
    for (int i = 0; i < calls && !testing::Test::HasFatalFailure(); ++i) Call(0);
  }
  std::uint64_t issued() const { return issued_; }
  std::uint64_t overtaken() const { return overtaken_; }

 private:
  void Call(int depth) {
    GuardSettings settings = Settings(kModes[random_() % 3]);
    settings.max_clock_lead_us = static_cast<std::int64_t>(random_() % 4) * kTickUs;
    Request request{1 + random_() % 10, random_() % 3 == 0};
    if (request.together) request.count = 1 + request.count % kIds;
    // The mark follows a while behind, and a caller may know an old one.
    const Awaited awaited{(word_ + random_() % 2 * kIds) / kIds,
                          static_cast<std::int64_t>(random_() % 2)};
    const Bounds bounds{limit_ - std::min(limit_, random_() % 12), 0, 0, awaited};
    int reads = 0;
    const Attempt attempt = TryTake(word_, kLayout, settings, bounds, request, [&] {
      ++reads;
      const std::uint64_t others = depth < 3 && random_() % 3 == 0 ? 1 + random_() % 2 : 0;
      for (std::uint64_t i = 0; i < others; ++i) Call(depth + 1);
      StepClock();
      return now_us_;
    });
    if (reads > 1) ++overtaken_;
    if (attempt.verdict == Verdict::kReserve) limit_ += 40;
    if (attempt.verdict != Verdict::kIssued) {
      ASSERT_EQ(attempt.taken.count, 0U);
      return;
    }
    const std::uint64_t first = attempt.taken.first;
    const std::uint64_t last = first + attempt.taken.count - 1;
    ASSERT_GT(first, largest_) << "issued twice, or out of order";
    ASSERT_EQ(word_, last);
    ASSERT_LT(last, bounds.limit);
    ASSERT_GE(attempt.taken.count, request.together ? request.count : 1);
    ASSERT_LE(attempt.taken.count, request.count);
    ASSERT_EQ(first / kIds, last / kIds) << "of two ticks";
    const std::int64_t ahead_us = kLayout.StartOfTick(last / kIds) - attempt.now_us;
    const bool leads = settings.mode == ClockRegression::kLead;
    ASSERT_LE(ahead_us, leads ? settings.max_clock_lead_us : 0);
    largest_ = last;
    issued_ += attempt.taken.count;
  }

  void StepClock() {
    switch (random_() % 16) {
      case 0:
        now_us_ -= static_cast<std::int64_t>(random_() % (4 * kTickUs));
        break;
      case 1:
        now_us_ += static_cast<std::int64_t>(random_() % (4 * kTickUs));
        break;
      default:
        now_us_ += static_cast<std::int64_t>(random_() % (kTickUs / 4));
    }
  }

  std::mt19937_64 random_;
  std::uint64_t word_ = 0;
  std::uint64_t limit_ = 0;
  std::int64_t now_us_ = kEpochUs - 3 * kTickUs;  // from before the epoch on
  std::uint64_t largest_ = 0;
  std::uint64_t issued_ = 0;
  std::uint64_t overtaken_ = 0;
};

TEST(GuardInterleaving, NothingTwiceNothingTooEarlyNothingBeyondTheMark) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    Interleaving interleaving(seed);
    interleaving.Run(2'000);
    if (HasFatalFailure()) return;
    EXPECT_GT(interleaving.issued(), 1'000U);
    EXPECT_GT(interleaving.overtaken(), 100U);
  }
}

TEST(GuardThreads, ShareOneWordUnderAClockThatSteps) {
  constexpr int kCalls = 20'000;
  std::uint64_t word = 0;
  std::atomic<std::int64_t> now_us = TimeOf(1);
  std::array<std::vector<Taken>, kThreads> log;
  RunThreads(kThreads, [&](int thread) {
    std::mt19937_64 random(static_cast<std::uint64_t>(thread));
    const ClockRegression mode = kModes[random() % 3];
    auto& mine = log[static_cast<std::size_t>(thread)];
    for (int i = 0; i < kCalls; ++i) {
      if (random() % 4 == 0) {
        const auto step = static_cast<std::int64_t>(random() % (2 * kTickUs));
        now_us += random() % 4 == 0 ? -step : step;
      }
      const Request request{1 + random() % 3, random() % 4 == 0};
      const Attempt attempt = TryTake(word, kLayout, Settings(mode), kNoBounds, request,
                                      [&now_us] { return now_us.load(); });
      if (attempt.verdict != Verdict::kIssued) continue;
      if (!mine.empty()) {
        ASSERT_GE(attempt.taken.first, mine.back().first + mine.back().count);
      }
      mine.push_back(attempt.taken);
    }
  });
  std::vector<Taken> all;
  for (const auto& mine : log) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end(),
            [](const Taken& a, const Taken& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < all.size(); ++i) {
    ASSERT_GE(all[i].first, all[i - 1].first + all[i - 1].count) << "issued twice";
  }
  EXPECT_GT(all.size(), 1'000U);
}

}  // namespace
}  // namespace idgen

#include <idgen/cursor.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <idgen/guard.h>

#include "fake_clock.h"
#include "threads.h"

namespace idgen {
namespace {

using enum FieldKind;

constexpr std::int64_t kTickUs = 1000;
constexpr std::int64_t kEpochUs = 1'000'000'000;
// Of these, the first is added to and the second is swapped only.
constexpr Layout kMany = MakeLayout("many", kTickUs, kEpochUs / 1000,
                                    {{kTimestamp, 40}, {kMachine, 5}, {kSequence, 12}});
constexpr Layout kFew =
    MakeLayout("few", kTickUs, kEpochUs / 1000, {{kTimestamp, 40}, {kMachine, 5}, {kSequence, 3}});
constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

constexpr std::int64_t TimeOf(std::int64_t tick) { return kEpochUs + tick * kTickUs; }
constexpr std::uint64_t At(const Layout& layout, std::uint64_t tick, std::uint64_t sequence) {
  return (tick << layout.SequenceBits()) | sequence;
}

// An allowance, a cursor, a word and a clock of its own.
class CursorTest : public ::testing::TestWithParam<const Layout*> {
 protected:
  const Layout& layout() const { return *GetParam(); }

  // Opens an allowance whose counter has been seen to keep up with the clock.
  void Begin(std::uint64_t block_size, std::uint64_t limit = kNoLimit) {
    allowance = Allowance(layout(), block_size, 1000);
    SeeTheCounter();
    allowance.Open(limit);
  }
  void SeeTheCounter() {
    for (const std::int64_t us : {-20, 10, 10}) {
      now_us += us;
      counter += 1'000'000;
      EXPECT_TRUE(Refused()) << "it is closed";
    }
    readings = 0;
  }

  bool Next(std::uint64_t& next) { return Next(cursor, word, next); }
  bool Next(Cursor& of, std::uint64_t& in, std::uint64_t& next) {
    return of.Next(
        allowance, in, [this] { return counter; }, [this] { return ReadClock(); }, next);
  }
  std::int64_t ReadClock() {
    ++readings;
    return now_us;
  }
  Taken Take(std::uint64_t count) {
    return cursor.Take(
        allowance, word, [this] { return counter; }, [this] { return ReadClock(); }, count);
  }
  std::uint64_t MustNext() {
    std::uint64_t next = 0;
    EXPECT_TRUE(Next(next));
    return next;
  }
  bool Refused() {
    std::uint64_t next = 0;
    return !Next(next);
  }

  Allowance allowance;
  Cursor cursor;
  std::uint64_t word = 0;
  std::uint64_t counter = 1'000'000;
  std::int64_t now_us = TimeOf(5);
  int readings = 0;
};

INSTANTIATE_TEST_SUITE_P(Layouts, CursorTest, ::testing::Values(&kMany, &kFew),
                         [](const auto& tested) { return std::string(tested.param->name); });

TEST_P(CursorTest, IsClosedUntilItIsOpened) {
  EXPECT_TRUE(Refused());
  allowance = Allowance(layout(), 1, 0);
  EXPECT_TRUE(Refused());
  allowance.Open(kNoLimit);
  EXPECT_EQ(MustNext(), At(layout(), 5, 0));
  EXPECT_EQ(MustNext(), At(layout(), 5, 1));
  allowance.Close();
  EXPECT_TRUE(Refused());
  EXPECT_EQ(word, At(layout(), 5, 1)) << "a closed cursor takes nothing";
  allowance.Open(kNoLimit);
  EXPECT_EQ(MustNext(), At(layout(), 5, 2));
}

TEST_P(CursorTest, ReadsTheClockAgainWhenTheReadingIsOld) {
  Begin(1);
  for (int i = 0; i < 5; ++i) MustNext();
  EXPECT_EQ(readings, 1);
  now_us = TimeOf(9);
  EXPECT_EQ(MustNext() >> layout().SequenceBits(), 5U) << "the counter stands still";
  counter += 1'000'000;
  EXPECT_EQ(MustNext(), At(layout(), 9, 0));
  EXPECT_EQ(readings, 2);
  // A counter that goes back is no reason to believe an old reading.
  now_us = TimeOf(12);
  counter -= 10;
  EXPECT_EQ(MustNext(), At(layout(), 12, 0));
}

TEST_P(CursorTest, WithoutACounterReadsTheClockEachTime) {
  allowance = Allowance(layout(), 1, 0);
  allowance.Open(kNoLimit);
  for (int i = 0; i < 5; ++i) MustNext();
  EXPECT_EQ(readings, 5);
}

// Ticks may be shorter than a reading serves: then IDs are of the tick that was read, and are late.
TEST(Cursor, AReadingServesBeyondItsTickWhereItMay) {
  constexpr Layout kShort =
      MakeLayout("short", 1, kEpochUs / 1000, {{kTimestamp, 40}, {kSequence, 3}});
  const std::uint64_t per_tick = kShort.IdsPerTick();
  for (const std::int64_t oldest_us : {std::int64_t{0}, ClockReading::kOldestUs}) {
    Allowance allowance(kShort, 1, 1000, oldest_us);
    Cursor cursor;
    std::uint64_t word = 0;
    std::int64_t now_us = kEpochUs + 100;
    int readings = 0;
    const auto next = [&] {
      std::uint64_t got = 0;
      (void)cursor.Next(
          allowance, word, [&] { return static_cast<std::uint64_t>(now_us) * 1000; },
          [&] { return ++readings, now_us; }, got);
      return got;
    };
    (void)next();  // it is closed
    now_us += 10;
    (void)next();
    allowance.Open(kNoLimit);
    now_us += 10;
    readings = 0;
    const bool serves = oldest_us > 0;
    EXPECT_EQ(next(), At(kShort, 120, 0));
    now_us += 7;
    EXPECT_EQ(next(), serves ? At(kShort, 120, 1) : At(kShort, 127, 0));
    EXPECT_EQ(readings, serves ? 1 : 2);
    ++now_us;
    EXPECT_EQ(next(), At(kShort, 128, 0)) << "the reading is old";
    now_us += 2;
    for (std::uint64_t i = 1; serves && i < per_tick; ++i) {
      ASSERT_EQ(next(), At(kShort, 128, i));
    }
    EXPECT_EQ(next(), At(kShort, 130, 0)) << "the tick that was read is used up";
    RaisePosition(word, At(kShort, 132, 5));
    now_us += 2;
    EXPECT_EQ(next(), At(kShort, 132, 6)) << "others have read a later tick";
  }
}

TEST_P(CursorTest, StopsAtTheEndOfTheTickAndAtTheLimit) {
  Begin(1, At(layout(), 6, 3));
  for (std::uint64_t i = 0; i < layout().IdsPerTick(); ++i) {
    ASSERT_EQ(MustNext(), At(layout(), 5, i));
  }
  EXPECT_TRUE(Refused()) << "the sequence is used up";
  EXPECT_TRUE(Refused());
  EXPECT_LE(word, At(layout(), 6, 0)) << "taken for nothing once at the most";
  now_us = TimeOf(6);
  counter += 1'000'000;
  while (!Refused()) {
  }
  EXPECT_LE(word, At(layout(), 6, 3));
  allowance.Open(kNoLimit);
  EXPECT_GT(MustNext(), At(layout(), 6, 2));
}

TEST_P(CursorTest, NothingOfAPastTickIsIssued) {
  Begin(1, At(layout(), 6, 0));
  MustNext();
  now_us = TimeOf(9);  // beyond the limit
  counter += 1'000'000;
  EXPECT_TRUE(Refused());
  EXPECT_TRUE(Refused()) << "the rest of the tick before is below the limit, but not of now";
  allowance.Open(kNoLimit);
  EXPECT_EQ(MustNext(), At(layout(), 9, 0));
}

TEST_P(CursorTest, ARefusalTakesNothingThatCouldBeIssued) {
  Begin(1);
  MustNext();
  word = At(layout(), 7, 1);  // another session leads
  EXPECT_TRUE(Refused());
  EXPECT_TRUE(Refused());
  EXPECT_LE(word, At(layout(), 7, 2));
  // A clock that went back, before the epoch, and beyond the end.
  for (const std::int64_t now : {TimeOf(4), TimeOf(-1), TimeOf(std::int64_t{1} << 40)}) {
    now_us = now;
    counter += 1'000'000;
    EXPECT_TRUE(Refused());
  }
  EXPECT_LE(word, At(layout(), 7, 2));
}

// A young reading of a time that the layout has no tick for says nothing of the tick before it.
TEST_P(CursorTest, NothingIsIssuedOutsideOfTheLayoutsLife) {
  for (const std::int64_t now : {TimeOf(-1), TimeOf(std::int64_t{1} << 40)}) {
    now_us = TimeOf(5);
    Begin(1);
    MustNext();
    now_us = now;
    counter += 1'000'000;
    EXPECT_EQ(Take(1).count, 0U);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(Refused());
    EXPECT_EQ(Take(1).count, 0U);
    // Where the counter is trusted nevertheless.
    now_us = now + 10;
    counter += 1'000'000;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(Refused());
  }
}

TEST_P(CursorTest, BlocksAreOfOneTick) {
  Begin(5);
  EXPECT_EQ(MustNext(), At(layout(), 5, 0));
  EXPECT_EQ(word, At(layout(), 5, 4));
  word = At(layout(), 5, 5);  // another session takes one
  for (std::uint64_t i = 1; i < 5; ++i) EXPECT_EQ(MustNext(), At(layout(), 5, i));
  EXPECT_EQ(MustNext(), At(layout(), 5, 6));
  // What is left when the tick is over is dropped, and so it is when somebody says so.
  now_us = TimeOf(6);
  counter += 1'000'000;
  EXPECT_EQ(MustNext(), At(layout(), 6, 0));
  cursor.DropBlock();
  EXPECT_EQ(MustNext(), At(layout(), 6, 5));
  // The clock goes back: the block in hand is ahead of it.
  now_us = TimeOf(5);
  counter += 1'000'000;
  EXPECT_TRUE(Refused());
}

TEST_P(CursorTest, ABlockIsDroppedWhenTheClockHasBeenInALaterTick) {
  Begin(5);
  EXPECT_EQ(MustNext(), At(layout(), 5, 0));
  // Another session makes an ID two ticks later, and the clock goes back.
  word = At(layout(), 7, 0);
  counter += 1'000'000;
  EXPECT_TRUE(Refused()) << "an ID of tick 5 after one of tick 7";
  EXPECT_EQ(word, At(layout(), 7, 0));
  now_us = TimeOf(8);
  EXPECT_EQ(MustNext(), At(layout(), 8, 0));
}

// One allowance serves any number of ID spaces of its layout.
TEST_P(CursorTest, ASecondIdSpaceUsesTheSameReading) {
  Cursor other;
  std::uint64_t other_word = At(layout(), 5, 1);
  std::uint64_t next = 0;
  Begin(1);
  EXPECT_EQ(MustNext(), At(layout(), 5, 0));
  ASSERT_TRUE(Next(other, other_word, next));
  EXPECT_EQ(next, At(layout(), 5, 2));
  EXPECT_EQ(readings, 1);
  // The clock is read for one of them; the other, whose position is of a tick that is past
  // now, begins at the new one too.
  now_us = TimeOf(6);
  counter += 1'000'000;
  EXPECT_EQ(MustNext(), At(layout(), 6, 0));
  ASSERT_TRUE(Next(other, other_word, next));
  EXPECT_EQ(next, At(layout(), 6, 0));
  EXPECT_EQ(readings, 2);
  // Closed for one, closed for all.
  allowance.Close();
  EXPECT_TRUE(Refused());
  EXPECT_FALSE(Next(other, other_word, next));
}

// The same where it is another ID space for which the clock was read: that reading says nothing
// of what others have done in this one.
TEST_P(CursorTest, ABlockIsHeldAgainstThePositionAfterAReadingForAnotherIdSpace) {
  Cursor other;
  std::uint64_t other_word = 0;
  std::uint64_t next = 0;
  Begin(5);
  EXPECT_EQ(MustNext(), At(layout(), 5, 0));
  ASSERT_TRUE(Next(other, other_word, next));
  EXPECT_EQ(next, At(layout(), 5, 0));
  // Within its tick a block outlives readings, and what others take after it.
  other_word = At(layout(), 5, 6);
  counter += 1'000'000;
  EXPECT_EQ(MustNext(), At(layout(), 5, 1));
  ASSERT_TRUE(Next(other, other_word, next));
  EXPECT_EQ(next, At(layout(), 5, 1));
  EXPECT_EQ(readings, 2);
  // Another session makes an ID two ticks later, and the clock goes back.
  other_word = At(layout(), 7, 0);
  counter += 1'000'000;
  EXPECT_EQ(MustNext(), At(layout(), 5, 2));
  EXPECT_FALSE(Next(other, other_word, next)) << "an ID of tick 5 after one of tick 7: " << next;
  EXPECT_EQ(other_word, At(layout(), 7, 0));
}

// --- Many at once -----------------------------------------------------------------------

TEST_P(CursorTest, TakesManyOfOneTick) {
  Begin(1);
  const std::uint64_t all = layout().IdsPerTick();
  Taken taken = Take(3);
  EXPECT_EQ(taken.first, At(layout(), 5, 0));
  EXPECT_EQ(taken.count, 3U);
  EXPECT_EQ(word, At(layout(), 5, 2)) << "in one step";
  EXPECT_EQ(MustNext(), At(layout(), 5, 3));
  // No more than the tick has, and none of a tick that is used up.
  taken = Take(2 * all);
  EXPECT_EQ(taken.first, At(layout(), 5, 4));
  EXPECT_EQ(taken.count, all - 4);
  EXPECT_EQ(Take(1).count, 0U);
  EXPECT_EQ(word, At(layout(), 5, all - 1));
  // A reading that is old is read again.
  now_us = TimeOf(6);
  EXPECT_EQ(Take(1).count, 1U) << "the tick that was thought to be used up is over";
  EXPECT_EQ(word, At(layout(), 6, 0));
  now_us = TimeOf(8);
  counter += 1'000'000;
  EXPECT_EQ(Take(all).first, At(layout(), 8, 0));
}

TEST_P(CursorTest, TakesManyBelowTheLimitOnly) {
  EXPECT_EQ(Take(1).count, 0U) << "it is closed";
  Begin(1, At(layout(), 5, 3));
  EXPECT_EQ(Take(5).count, 3U);
  EXPECT_EQ(Take(5).count, 0U);
  allowance.Close();
  EXPECT_EQ(Take(1).count, 0U);
  // Outside of the layout's life, and where the position leads.
  allowance.Open(kNoLimit);
  for (const std::int64_t now : {TimeOf(-1), TimeOf(std::int64_t{1} << 40), TimeOf(4)}) {
    now_us = now;
    counter += 1'000'000;
    EXPECT_EQ(Take(1).count, 0U);
    EXPECT_EQ(Take(1).count, 0U);
  }
  EXPECT_EQ(word, At(layout(), 5, 2));
}

TEST_P(CursorTest, WhatIsTakenTogetherIsAboveTheBlockInHand) {
  Begin(3);
  EXPECT_EQ(MustNext(), At(layout(), 5, 0));
  EXPECT_EQ(Take(2).first, At(layout(), 5, 3));
  EXPECT_EQ(MustNext(), At(layout(), 5, 5)) << "the rest of the block is older";
}

// What a cursor remembers of an allowance must not be taken for something of the same allowance
// after a restart, however many ticks and closings both have counted.
TEST_P(CursorTest, ARestartForgetsWhatCursorsHold) {
  for (const std::uint64_t block_size : {std::uint64_t{1}, std::uint64_t{5}}) {
    for (int ticks = 0; ticks < 5; ++ticks) {
      Cursor other;
      std::uint64_t other_word = 0;
      std::uint64_t next = 0;
      now_us = TimeOf(5);
      word = 0;
      Begin(block_size);
      ASSERT_TRUE(Next(other, other_word, next));
      allowance.Restart(Allowance(layout(), block_size, 1000));
      SeeTheCounter();
      allowance.Open(kNoLimit);
      for (int tick = 0; tick <= ticks; ++tick) {
        now_us = TimeOf(9 + tick);
        counter += 1'000'000;
        MustNext();
      }
      ASSERT_TRUE(Next(other, other_word, next));
      EXPECT_GE(next, At(layout(), static_cast<std::uint64_t>(9 + ticks), 0)) << ticks;
    }
  }
}

TEST_P(CursorTest, AClosingDropsBlocks) {
  Begin(5);
  EXPECT_EQ(MustNext(), At(layout(), 5, 0));
  allowance.Close();
  allowance.Open(kNoLimit);
  EXPECT_EQ(MustNext(), At(layout(), 5, 5));
}

// As many callers as there may be, on one word, in one tick of a second: all of them in it at
// once, and each with one position beyond its end.
TEST(Cursor, ThousandsOfCallersAtTheEndOfATickAreNoRegression) {
  constexpr std::int64_t kSecondUs = 1'000'000;
  constexpr std::uint64_t kPerTick = 8192;
  constexpr std::uint64_t kCallers = 5000;
  constexpr Layout kSlow = MakeLayout("slow", kSecondUs, 0, {{kTimestamp, 30}, {kSequence, 13}});
  constexpr std::int64_t kNowUs = 7 * kSecondUs + 5;
  const auto clock = [] { return kNowUs; };
  const auto no_counter = [] { return std::uint64_t{0}; };
  std::uint64_t word = 0;
  std::vector<std::pair<Allowance, Cursor>> callers(kCallers);
  for (auto& [allowance, cursor] : callers) {
    allowance = Allowance(kSlow, 1, 0);
    allowance.Open(kSlow.MaxPosition() + 1);
  }
  const auto issued_to_each = [&] {
    std::uint64_t issued = 0;
    for (auto& [allowance, cursor] : callers) {
      std::uint64_t next = 0;
      if (cursor.Next(allowance, word, no_counter, clock, next)) ++issued;
    }
    return issued;
  };
  EXPECT_EQ(issued_to_each(), kCallers);
  EXPECT_EQ(issued_to_each(), kPerTick - kCallers);
  EXPECT_EQ(issued_to_each(), 0U);
  EXPECT_GE(word, 8 * kPerTick + kLeastOvershoot) << "the test is of more than the least";
  const std::uint64_t overshoot = OvershootOf(kPerTick, kCallers);
  for (const ClockRegression mode :
       {ClockRegression::kWait, ClockRegression::kLead, ClockRegression::kError}) {
    std::uint64_t last = word;
    const Attempt attempt =
        TryTake(last, kSlow, {.mode = mode}, {kSlow.MaxPosition() + 1, 0, overshoot}, {}, clock);
    EXPECT_EQ(attempt.verdict, Verdict::kWaitForTick);
    EXPECT_EQ(attempt.wait_us, kSecondUs - 5);
  }
}

// Sessions as the database has them: an allowance each and a cursor for each of two ID spaces,
// the guard where a cursor says no, a mark that is moved ahead, and a clock that runs, and now
// and then steps back.
struct Issued {
  std::uint64_t position;
  std::uint64_t before;    // the largest that had been returned when the call began
  std::int64_t latest_us;  // the latest that the clock has shown
};

constexpr std::size_t kIdSpaces = 2;
using IssuedByIdSpace = std::array<std::vector<Issued>, kIdSpaces>;

// What the sessions' cycle counters do.
enum class Counting {
  kUp,     // as they should: a reading serves a few times
  kNever,  // no counter
  kStops,  // every now and then, for long
  kJumps,  // in both directions, as where CPUs differ
  kAtRandom
};

// One session's.
class TestCounter {
 public:
  TestCounter(Counting counting, int thread)
      : counting_(counting), random_(static_cast<unsigned>(thread) + 1) {}

  // An allowance asks once whether its reading is fresh, and once more when it reads the clock.
  void BeginCall() { asked_ = 0; }
  std::uint64_t operator()() {
    if (counting_ == Counting::kAtRandom) return random_();
    if (counting_ == Counting::kStops && ++calls_ / 1'000 % 2 == 1) return count_;
    if (counting_ == Counting::kJumps && random_() % 16 == 0) count_ += random_() % 64 - 32;
    return count_ += asked_++ == 0 ? 1U : 10'000U;
  }

 private:
  Counting counting_;
  std::minstd_rand random_;
  std::uint64_t count_ = 0;
  int calls_ = 0;
  int asked_ = 0;
};

class CursorThreads : public ::testing::TestWithParam<
                          std::tuple<const Layout*, std::uint64_t, std::int64_t, Counting>> {};

INSTANTIATE_TEST_SUITE_P(Right, CursorThreads,
                         ::testing::Combine(::testing::Values(&kMany, &kFew), ::testing::Values(1),
                                            ::testing::Values(0, 300),
                                            ::testing::Values(Counting::kUp)));
// The clock runs by its readings, and so reusing one says nothing of a tick's end. What is left
// of a block is to be held against a new reading.
INSTANTIATE_TEST_SUITE_P(Blocks, CursorThreads,
                         ::testing::Combine(::testing::Values(&kMany, &kFew), ::testing::Values(7),
                                            ::testing::Values(0, 300),
                                            ::testing::Values(Counting::kNever)));
INSTANTIATE_TEST_SUITE_P(Hostile, CursorThreads,
                         ::testing::Combine(::testing::Values(&kMany, &kFew),
                                            ::testing::Values(1, 7), ::testing::Values(0, 300),
                                            ::testing::Values(Counting::kStops, Counting::kJumps,
                                                              Counting::kAtRandom)));

TEST_P(CursorThreads, ShareThePositions) {
  const Layout& layout = *std::get<0>(GetParam());
  const std::uint64_t block_size = std::get<1>(GetParam());
  const Counting counting = std::get<3>(GetParam());
  // A block lives as long as its reading; where that lies, blocks are out of order by more.
  const bool in_order_by_tick = counting == Counting::kNever;
  constexpr int kEach = 4'000 * kLonger;
  std::array<std::uint64_t, kIdSpaces> words{};
  std::array<std::uint64_t, kIdSpaces> largest{};
  std::uint64_t limit = 0;
  std::uint64_t latest_us = 0;
  FakeClock::Set(TimeOf(100));
  FakeClock::step_us = layout.IdsPerTick() > 8 ? 1 : 40;
  FakeClock::back_us = std::get<2>(GetParam());
  const auto clock = [&latest_us] {
    const std::int64_t now = FakeClock::Read();
    RaisePosition(latest_us, static_cast<std::uint64_t>(now));
    return now;
  };
  std::vector<IssuedByIdSpace> issued(kThreads);
  RunThreads(kThreads, [&](int thread) {
    IssuedByIdSpace& mine = issued[static_cast<std::size_t>(thread)];
    Allowance allowance(layout, block_size, counting == Counting::kNever ? 0 : 1);
    std::array<Cursor, kIdSpaces> cursors;
    TestCounter counter(counting, thread);
    const GuardSettings settings;
    for (int made = 0; made < kEach;) {
      // Some of the one and then some of the other, so that ticks pass in between.
      const auto space = static_cast<std::size_t>(made / 5) % kIdSpaces;
      std::uint64_t& word = words[space];
      const std::uint64_t before = LoadPosition(largest[space]);
      std::uint64_t next = 0;
      std::uint64_t count = made % 3 == 0 ? 2 : 1;
      counter.BeginCall();
      const auto take = [&] {
        if (count == 1) return cursors[space].Next(allowance, word, counter, clock, next);
        const Taken taken = cursors[space].Take(allowance, word, counter, clock, count);
        next = taken.first;
        count = taken.count;
        return count > 0;
      };
      if (!take()) {
        const Attempt attempt =
            TryTake(word, layout, settings,
                    {LoadPosition(limit), 0, OvershootOf(layout.IdsPerTick())}, {}, clock);
        if (attempt.verdict == Verdict::kReserve) {
          RaisePosition(limit, attempt.next + 3 * layout.IdsPerTick() / 2);
        }
        allowance.Open(LoadPosition(limit));
        if (attempt.verdict != Verdict::kIssued) continue;
        cursors[space].DropBlock();
        next = attempt.taken.first;
        count = 1;
      }
      for (; count > 0; --count, ++next, ++made) {
        ASSERT_LT(next, LoadPosition(limit)) << "beyond the mark";
        mine[space].push_back({next, before, static_cast<std::int64_t>(LoadPosition(latest_us))});
        RaisePosition(largest[space], next);
      }
    }
  });
  for (std::size_t space = 0; space < kIdSpaces; ++space) {
    std::vector<std::uint64_t> all;
    for (const IssuedByIdSpace& mine : issued) {
      for (const Issued& one : mine[space]) {
        all.push_back(one.position);
        ASSERT_LE(layout.StartOfTick(one.position >> layout.SequenceBits()), one.latest_us)
            << "ahead of the clock";
        if (block_size == 1) {
          ASSERT_GT(one.position, one.before) << "out of order";
        } else if (in_order_by_tick) {
          ASSERT_GE((one.position >> layout.SequenceBits()) + 1,
                    one.before >> layout.SequenceBits())
              << "out of order by more than a tick";
        }
      }
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << "issued twice";
  }
}

}  // namespace
}  // namespace idgen

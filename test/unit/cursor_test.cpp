#include <idgen/cursor.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
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

// A window, a cursor, a word and a clock of its own.
class CursorTest : public ::testing::TestWithParam<const Layout*> {
 protected:
  const Layout& layout() const { return *GetParam(); }

  bool Next(std::uint64_t& next) { return Next(cursor, word, next); }
  bool Next(Cursor& of, std::uint64_t& in, std::uint64_t& next) {
    return of.Next(
        window, in, [this] { return counter; },
        [this] {
          ++readings;
          return now_us;
        },
        next);
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

  Window window;
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
  window = Window(layout(), 1, 0);
  EXPECT_TRUE(Refused());
  window.Open(kNoLimit);
  EXPECT_EQ(MustNext(), At(layout(), 5, 0));
  EXPECT_EQ(MustNext(), At(layout(), 5, 1));
  window.Close();
  EXPECT_TRUE(Refused());
  EXPECT_EQ(word, At(layout(), 5, 1)) << "a closed cursor takes nothing";
  window.Open(kNoLimit);
  EXPECT_EQ(MustNext(), At(layout(), 5, 2));
}

TEST_P(CursorTest, ReadsTheClockAgainWhenTheReadingIsOld) {
  window = Window(layout(), 1, 1000);
  window.Open(kNoLimit);
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
  window = Window(layout(), 1, 0);
  window.Open(kNoLimit);
  for (int i = 0; i < 5; ++i) MustNext();
  EXPECT_EQ(readings, 5);
}

TEST_P(CursorTest, StopsAtTheEndOfTheTickAndAtTheLimit) {
  window = Window(layout(), 1, 1000);
  window.Open(At(layout(), 6, 3));
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
  window.Open(kNoLimit);
  EXPECT_GT(MustNext(), At(layout(), 6, 2));
}

TEST_P(CursorTest, NothingOfAPastTickIsIssued) {
  window = Window(layout(), 1, 1000);
  window.Open(At(layout(), 6, 0));
  MustNext();
  now_us = TimeOf(9);  // beyond the limit
  counter += 1'000'000;
  EXPECT_TRUE(Refused());
  EXPECT_TRUE(Refused()) << "the rest of the tick before is below the limit, but not of now";
  window.Open(kNoLimit);
  EXPECT_EQ(MustNext(), At(layout(), 9, 0));
}

TEST_P(CursorTest, ARefusalTakesNothingThatCouldBeIssued) {
  window = Window(layout(), 1, 1000);
  window.Open(kNoLimit);
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

TEST_P(CursorTest, BlocksAreOfOneTick) {
  window = Window(layout(), 5, 1000);
  window.Open(kNoLimit);
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
  window = Window(layout(), 5, 1000);
  window.Open(kNoLimit);
  EXPECT_EQ(MustNext(), At(layout(), 5, 0));
  // Another session makes an ID two ticks later, and the clock goes back.
  word = At(layout(), 7, 0);
  counter += 1'000'000;
  EXPECT_TRUE(Refused()) << "an ID of tick 5 after one of tick 7";
  EXPECT_EQ(word, At(layout(), 7, 0));
  now_us = TimeOf(8);
  EXPECT_EQ(MustNext(), At(layout(), 8, 0));
}

// One window serves any number of ID spaces of its layout.
TEST_P(CursorTest, ASecondIdSpaceUsesTheSameReading) {
  Cursor other;
  std::uint64_t other_word = At(layout(), 5, 1);
  std::uint64_t next = 0;
  window = Window(layout(), 1, 1000);
  window.Open(kNoLimit);
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
  window.Close();
  EXPECT_TRUE(Refused());
  EXPECT_FALSE(Next(other, other_word, next));
}

// The same where it is another ID space for which the clock was read: that reading says nothing
// of what others have done in this one.
TEST_P(CursorTest, ABlockIsHeldAgainstThePositionAfterAReadingForAnotherIdSpace) {
  Cursor other;
  std::uint64_t other_word = 0;
  std::uint64_t next = 0;
  window = Window(layout(), 5, 1000);
  window.Open(kNoLimit);
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

// What a cursor remembers of a window must not be taken for something of the same window after
// a restart, however many ticks and closings both have counted.
TEST_P(CursorTest, ARestartForgetsWhatCursorsHold) {
  for (const std::uint64_t block_size : {std::uint64_t{1}, std::uint64_t{5}}) {
    for (int ticks = 0; ticks < 5; ++ticks) {
      Cursor other;
      std::uint64_t other_word = 0;
      std::uint64_t next = 0;
      now_us = TimeOf(5);
      word = 0;
      window = Window(layout(), block_size, 1000);
      window.Open(kNoLimit);
      counter += 1'000'000;
      ASSERT_TRUE(Next(other, other_word, next));
      window.Restart(layout(), block_size, 1000);
      window.Open(kNoLimit);
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
  window = Window(layout(), 5, 1000);
  window.Open(kNoLimit);
  EXPECT_EQ(MustNext(), At(layout(), 5, 0));
  window.Close();
  window.Open(kNoLimit);
  EXPECT_EQ(MustNext(), At(layout(), 5, 5));
}

// Sessions as the database has them: a window each and a cursor for each of two ID spaces,
// the guard where a cursor says no, a mark that is moved ahead, and a clock that runs, and now
// and then steps back.
struct Issued {
  std::uint64_t position;
  std::uint64_t before;    // the largest that had been returned when the call began
  std::int64_t latest_us;  // the latest that the clock has shown
};

constexpr std::size_t kSpaces = 2;
using IssuedBySpace = std::array<std::vector<Issued>, kSpaces>;

class Sessions
    : public ::testing::TestWithParam<std::tuple<const Layout*, std::uint64_t, std::int64_t>> {};

INSTANTIATE_TEST_SUITE_P(All, Sessions,
                         ::testing::Combine(::testing::Values(&kMany, &kFew),
                                            ::testing::Values(1, 7), ::testing::Values(0, 300)));

TEST_P(Sessions, ShareThePositions) {
  const Layout& layout = *std::get<0>(GetParam());
  const std::uint64_t block_size = std::get<1>(GetParam());
  constexpr int kEach = 4'000 * kLonger;
  std::array<std::uint64_t, kSpaces> words{};
  std::array<std::uint64_t, kSpaces> largest{};
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
  std::vector<IssuedBySpace> issued(kThreads);
  RunThreads(kThreads, [&](int thread) {
    IssuedBySpace& mine = issued[static_cast<std::size_t>(thread)];
    // The clock runs by its readings, so that one may be reused where only the order of the
    // operations counts; what is left of a block is to be held against a new one.
    Window window(layout, block_size, block_size == 1 ? 1 : 0);
    std::array<Cursor, kSpaces> cursors;
    std::uint64_t cycles = 0;
    const auto counter = [&cycles] { return ++cycles; };
    const GuardSettings settings;
    for (int made = 0; made < kEach;) {
      // Some of the one and then some of the other, so that ticks pass in between.
      const auto space = static_cast<std::size_t>(made / 5) % kSpaces;
      std::uint64_t& word = words[space];
      const std::uint64_t before = LoadPosition(largest[space]);
      std::uint64_t next = 0;
      if (!cursors[space].Next(window, word, counter, clock, next)) {
        const Attempt attempt =
            TryTake(word, layout, settings,
                    {LoadPosition(limit), 0, OvershootOf(layout.IdsPerTick())}, {}, clock);
        if (attempt.verdict == Verdict::kReserve) {
          RaisePosition(limit, attempt.next + 3 * layout.IdsPerTick() / 2);
        }
        window.Open(LoadPosition(limit));
        if (attempt.verdict != Verdict::kIssued) continue;
        next = attempt.taken.first;
      }
      ASSERT_LT(next, LoadPosition(limit)) << "beyond the mark";
      mine[space].push_back({next, before, static_cast<std::int64_t>(LoadPosition(latest_us))});
      RaisePosition(largest[space], next);
      ++made;
    }
  });
  for (std::size_t space = 0; space < kSpaces; ++space) {
    std::vector<std::uint64_t> all;
    for (const IssuedBySpace& mine : issued) {
      for (const Issued& one : mine[space]) {
        all.push_back(one.position);
        ASSERT_LE(layout.StartOfTick(one.position >> layout.SequenceBits()), one.latest_us)
            << "ahead of the clock";
        if (block_size == 1) {
          ASSERT_GT(one.position, one.before) << "out of order";
        } else {
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

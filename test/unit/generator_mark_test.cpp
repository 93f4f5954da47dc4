// The generator's high-water mark: not_before_ms and extend_mark.
#include <idgen/generator.h>
#include <idgen/mark.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <vector>

#include "fake_clock.h"
#include "threads.h"

namespace idgen {
namespace {

using enum FieldKind;

constexpr std::int64_t kStartUs = 1'795'000'000'000'000;
constexpr std::int64_t kStartMs = kStartUs / 1000;

// One-second ticks whose life is not over.
constexpr Layout kSeconds = MakeLayout("seconds", 1'000'000, 1704067200000,
                                       {{kTimestamp, 31}, {kMachine, 22}, {kSequence, 10}});

std::uint64_t PositionOf(const Layout& layout, std::int64_t id) {
  const Parts parts = layout.Parse(static_cast<std::uint64_t>(id));
  return (parts.tick << layout.SequenceBits()) | parts.sequence;
}

// A mark in memory, and a record of how it was asked for.
struct Mark {
  std::atomic<std::int64_t> durable_ms = 0;
  std::atomic<std::int64_t> window_ms = 3;
  std::atomic<bool> fails = false;
  std::atomic<int> calls = 0;
  std::atomic<std::int64_t> last_needed_ms = 0;
  std::mutex mutex;

  static std::int64_t Extend(void* context, std::int64_t needed_ms) {
    Mark& mark = *static_cast<Mark*>(context);
    const std::lock_guard lock(mark.mutex);
    ++mark.calls;
    mark.last_needed_ms = needed_ms;
    const std::int64_t wanted_ms = needed_ms + mark.window_ms;
    if (!mark.fails && wanted_ms > mark.durable_ms) mark.durable_ms = wanted_ms;
    return mark.durable_ms;
  }
};

class GeneratorMarkTest : public testing::Test {
 protected:
  void SetUp() override { FakeClock::Set(kStartUs); }

  Generator::Options WithMark(ClockRegression mode = ClockRegression::kWait) {
    Generator::Options options;
    options.identity = {.datacenter = 0, .machine = 7, .shard = 0};
    options.guard.mode = mode;
    options.guard.max_clock_wait_us = 2'000;
    options.guard.max_start_wait_us = 2'000;
    options.guard.max_clock_lead_us = 5'000'000;
    options.not_before_ms = mark_.durable_ms;
    options.extend_mark = &Mark::Extend;
    options.mark_context = &mark_;
    options.clock = &FakeClock::Read;
    return options;
  }
  void ExpectCovered(const Layout& layout, std::int64_t id) const {
    ASSERT_LT(PositionOf(layout, id), PositionLimit(layout, mark_.durable_ms))
        << "handed out beyond the mark";
  }

  Mark mark_;
};

// --- not_before_ms -------------------------------------------------------------------

TEST_F(GeneratorMarkTest, TheFirstIdIsOfTheMarkOrLater) {
  for (const Layout& layout : {kSnowflake, kSeconds}) {
    for (const std::int64_t ahead_ms : {0, 1, 500, 999, 1500}) {
      Generator::Options options = WithMark(ClockRegression::kLead);
      options.extend_mark = nullptr;
      options.not_before_ms = kStartMs + ahead_ms;
      Generator generator(layout, options);
      const Result result = generator.Next();
      ASSERT_EQ(result.status, Status::kOk);
      EXPECT_EQ(PositionOf(layout, result.id), PositionLimit(layout, kStartMs + ahead_ms))
          << layout.name << " " << ahead_ms;
    }
  }
}

TEST_F(GeneratorMarkTest, AMarkInThePastDoesNotHoldTheClockBack) {
  Generator::Options options = WithMark();
  options.extend_mark = nullptr;
  for (const std::int64_t mark_ms : {std::int64_t{-5}, std::int64_t{0}, kStartMs - 10}) {
    options.not_before_ms = mark_ms;
    Generator generator(kSnowflake, options);
    const Result result = generator.Next();
    ASSERT_EQ(result.status, Status::kOk);
    EXPECT_EQ(kSnowflake.Parse(static_cast<std::uint64_t>(result.id)).tick,
              static_cast<std::uint64_t>(kSnowflake.TickAt(kStartUs)));
  }
}

TEST_F(GeneratorMarkTest, AMarkAheadIsWaitedForInEveryModeAndNoLongerThanSet) {
  for (const ClockRegression mode : {ClockRegression::kWait, ClockRegression::kError}) {
    FakeClock::Set(kStartUs);
    Generator::Options options = WithMark(mode);
    options.extend_mark = nullptr;
    options.not_before_ms = kStartMs + 2;
    options.guard.max_clock_wait_us = 60'000'000;
    Generator generator(kSnowflake, options);
    FakeClock::step_us = 300;
    const Result result = generator.Next();
    ASSERT_EQ(result.status, Status::kOk);
    EXPECT_EQ(PositionOf(kSnowflake, result.id), PositionLimit(kSnowflake, kStartMs + 2));
    EXPECT_GE(FakeClock::now_us, kStartUs + 2'000) << "issued before the clock was there";

    FakeClock::Set(kStartUs);
    options.not_before_ms = kStartMs + 50;
    options.guard.max_clock_wait_us = 1'000;
    Generator late(kSnowflake, options);
    EXPECT_EQ(late.Next().status, Status::kClockBehind);
  }
}

TEST_F(GeneratorMarkTest, AMarkBeyondTheLifeIsOutOfTime) {
  Generator::Options options = WithMark();
  options.extend_mark = nullptr;
  options.not_before_ms = std::numeric_limits<std::int64_t>::max();
  Generator generator(kSnowflake, options);
  EXPECT_EQ(generator.Next().status, Status::kOutOfTime);
}

// --- extend_mark ---------------------------------------------------------------------

TEST_F(GeneratorMarkTest, TheMarkIsAheadOfEveryIdAndSeldomAskedFor) {
  for (const Layout& layout : {kSnowflake, kSeconds}) {
    FakeClock::Set(kStartUs);
    mark_.durable_ms = 0;
    mark_.calls = 0;
    Generator generator(layout, WithMark());
    FakeClock::step_us = 1'500;
    std::int64_t ids[7];
    for (int i = 0; i < 300; ++i) {
      std::size_t filled = 0;
      const Result one = generator.Next();
      ASSERT_EQ(one.status, Status::kOk);
      ExpectCovered(layout, one.id);
      ASSERT_EQ(generator.NextBatch(ids, filled), Status::kOk);
      ExpectCovered(layout, ids[6]);
      const Result several = generator.Reserve(5);
      ASSERT_EQ(several.status, Status::kOk);
      ExpectCovered(layout, several.id + 4);
    }
    const std::int64_t passed_ms = (FakeClock::now_us - kStartUs) / 1000;
    // The clock may pass a window and a step of its own between two calls, not less.
    EXPECT_LE(mark_.calls, passed_ms / mark_.window_ms + 1);
    EXPECT_GT(mark_.calls, 0);
  }
}

TEST_F(GeneratorMarkTest, TheSmallestMarkThatCoversIsEnough) {
  mark_.window_ms = 0;
  Generator generator(kSnowflake, WithMark());
  const Result result = generator.Next();
  ASSERT_EQ(result.status, Status::kOk);
  EXPECT_EQ(mark_.last_needed_ms, kStartMs + 1) << "covers the clock's millisecond";
  EXPECT_EQ(mark_.calls, 1);
  ASSERT_EQ(generator.Reserve(4000).status, Status::kOk);
  EXPECT_EQ(mark_.calls, 1) << "the same millisecond";
}

TEST_F(GeneratorMarkTest, AMarkOneTooEarlyIsRefused) {
  mark_.window_ms = -1;
  Generator generator(kSnowflake, WithMark());
  EXPECT_EQ(generator.Next().status, Status::kMarkNotMoved);
}

TEST_F(GeneratorMarkTest, NothingIsHandedOutWhereTheMarkDoesNotMove) {
  Generator generator(kSnowflake, WithMark());
  const Result before = generator.Next();
  ASSERT_EQ(before.status, Status::kOk);
  mark_.fails = true;
  FakeClock::now_us += 100'000;
  std::int64_t ids[2] = {};
  std::size_t filled = 9;
  EXPECT_EQ(generator.Next().status, Status::kMarkNotMoved);
  EXPECT_EQ(generator.NextBatch(ids, filled), Status::kMarkNotMoved);
  EXPECT_EQ(filled, 0U);
  EXPECT_EQ(generator.Reserve(3).status, Status::kMarkNotMoved);
  EXPECT_EQ(generator.Observe(before.id + (1000LL << 22)), Status::kMarkNotMoved);
  // Within the old mark all is well.
  FakeClock::now_us -= 100'000;
  EXPECT_EQ(generator.Next().id, before.id + 1);
  mark_.fails = false;
  FakeClock::now_us += 100'000;
  const Result after = generator.Next();
  ASSERT_EQ(after.status, Status::kOk);
  EXPECT_EQ(kSnowflake.Parse(static_cast<std::uint64_t>(after.id)).tick,
            static_cast<std::uint64_t>(kSnowflake.TickAt(FakeClock::now_us)));
  ExpectCovered(kSnowflake, after.id);
}

TEST_F(GeneratorMarkTest, ABatchEndsAtTheMarkThatDoesNotMove) {
  mark_.window_ms = 0;
  Generator generator(kSeconds, WithMark());
  ASSERT_EQ(generator.Next().status, Status::kOk);
  const std::uint64_t limit = PositionLimit(kSeconds, mark_.durable_ms);
  mark_.fails = true;
  std::vector<std::int64_t> ids(2000, -1);
  std::size_t filled = 0;
  EXPECT_EQ(generator.NextBatch(ids, filled), Status::kMarkNotMoved);
  for (std::size_t i = 0; i < filled; ++i) ASSERT_LT(PositionOf(kSeconds, ids[i]), limit);
  for (std::size_t i = filled; i < ids.size(); ++i) ASSERT_EQ(ids[i], -1);
}

TEST_F(GeneratorMarkTest, WhatIsObservedIsCoveredFirst) {
  Generator generator(kSnowflake, WithMark(ClockRegression::kLead));
  const Result before = generator.Next();
  ASSERT_EQ(before.status, Status::kOk);
  const std::int64_t ahead = before.id + (2000LL << 22);
  ASSERT_EQ(generator.Observe(ahead), Status::kOk);
  ExpectCovered(kSnowflake, ahead);
}

// --- Restarts ------------------------------------------------------------------------

TEST_F(GeneratorMarkTest, IdsGoOnAboveTheMarkOverRestartsAndClockSteps) {
  std::mt19937_64 random(3);
  for (const Layout& layout : {kSnowflake, kSeconds}) {
    mark_.durable_ms = 0;
    std::int64_t last = -1;
    for (int life = 0; life < 200; ++life) {
      // Each life begins at another time, often before the end of the last one.
      FakeClock::Set(kStartUs + life * 10'000 - static_cast<std::int64_t>(random() % 1'000'000));
      FakeClock::step_us = 100;
      Generator generator(layout, WithMark(ClockRegression::kLead));
      for (std::uint64_t i = random() % 20; i > 0; --i) {
        const Result result = generator.Next();
        ASSERT_EQ(result.status, Status::kOk) << StatusText(result.status);
        ASSERT_GT(result.id, last) << "of an earlier life";
        ExpectCovered(layout, result.id);
        last = result.id;
      }
    }
  }
}

TEST(MarkThreads, NoThreadIsHandedAnIdBeyondTheMark) {
  Mark mark;
  mark.window_ms = 2;
  Generator::Options options;
  options.extend_mark = &Mark::Extend;
  options.mark_context = &mark;
  Generator generator(kTso, options);
  std::vector<std::vector<std::int64_t>> log(kThreads);
  RunThreads(kThreads, [&](int thread) {
    auto& mine = log[static_cast<std::size_t>(thread)];
    for (int i = 0; i < 20'000; ++i) {
      const Result result = generator.Next();
      ASSERT_EQ(result.status, Status::kOk) << StatusText(result.status);
      ASSERT_LT(PositionOf(kTso, result.id), PositionLimit(kTso, mark.durable_ms));
      mine.push_back(result.id);
    }
  });
  std::vector<std::int64_t> all;
  for (const auto& mine : log) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << "an ID was issued twice";
}

}  // namespace
}  // namespace idgen

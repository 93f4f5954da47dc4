#include <idgen/generator.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "fake_clock.h"
#include "threads.h"

namespace idgen {
namespace {

using enum FieldKind;

constexpr const Layout& kSony = *FindBuiltinLayout("sonyflake");
constexpr const Layout& kUid = *FindBuiltinLayout("uidgenerator");
constexpr const Layout& kJs53 = *FindBuiltinLayout("js53");
constexpr Layout kOneBit =
    MakeLayout("one_bit", 1000, 0, {{kTimestamp, 41}, {kMachine, 20}, {kSequence, 1}});

using Options = Generator::Options;

Parts PartsOf(const Layout& layout, std::int64_t id) {
  return layout.Parse(static_cast<std::uint64_t>(id));
}
std::uint64_t PositionOf(const Layout& layout, std::int64_t id) {
  const Parts parts = PartsOf(layout, id);
  return (parts.tick << layout.SequenceBits()) | parts.sequence;
}
std::uint64_t TickNow(const Layout& layout) {
  return static_cast<std::uint64_t>(layout.TickAt(FakeClock::now_us));
}
std::int64_t MustNext(Generator& generator) {
  const Result result = generator.Next();
  EXPECT_EQ(result.status, Status::kOk) << StatusText(result.status);
  return result.id;
}

class GeneratorTest : public testing::Test {
 protected:
  void SetUp() override { FakeClock::Set(kStartUs); }
  static constexpr std::int64_t kStartUs = 1'795'000'000'000'000;

  // The fake clock, and waits that are over soon.
  static Options Fake(ClockRegression mode = ClockRegression::kWait) {
    Options options;
    options.identity = {.datacenter = 3, .machine = 7, .shard = 0};
    options.guard.mode = mode;
    options.guard.max_clock_wait_us = 2'000;
    options.guard.max_start_wait_us = 2'000;
    options.guard.max_clock_lead_us = 5'000;
    options.clock = &FakeClock::Read;
    return options;
  }
};

// --- One ID --------------------------------------------------------------------------

TEST_F(GeneratorTest, AnIdSaysTheClocksTimeAndTheIdentity) {
  Generator generator(kSnowflake, Fake());
  for (std::uint64_t millisecond = 0; millisecond < 5; ++millisecond) {
    for (std::uint64_t sequence = 0; sequence < 3; ++sequence) {
      const Parts parts = PartsOf(kSnowflake, MustNext(generator));
      EXPECT_EQ(parts.tick, TickNow(kSnowflake));
      EXPECT_EQ(parts.sequence, sequence);
      EXPECT_EQ(parts.identity.datacenter, 3U);
      EXPECT_EQ(parts.identity.machine, 7U);
    }
    FakeClock::now_us += 1000;
  }
}

TEST_F(GeneratorTest, WorksWithTheRealClockAndNoOptions) {
  Generator generator(kSnowflake);
  EXPECT_EQ(generator.layout().name, "snowflake");
  std::int64_t last = -1;
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t id = MustNext(generator);
    ASSERT_GT(id, last);
    last = id;
  }
}

TEST_F(GeneratorTest, TheSequenceMayStandAboveTheMachine) {
  Generator generator(kSony, Fake());
  const std::int64_t first = MustNext(generator);
  EXPECT_EQ(MustNext(generator), first + (1 << 16));
  EXPECT_EQ(PartsOf(kSony, first).identity.machine, 7U);
}

TEST_F(GeneratorTest, AUsedUpSequenceWaitsForTheNextTick) {
  // Two IDs a millisecond; each reading of the clock is 90 us later.
  for (const ClockRegression mode : {ClockRegression::kWait, ClockRegression::kError}) {
    Generator generator(kOneBit, Fake(mode));
    FakeClock::step_us = 90;
    std::uint64_t last = 0;
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t position = PositionOf(kOneBit, MustNext(generator));
      ASSERT_GT(position, last);
      ASSERT_LE(position >> 1, TickNow(kOneBit)) << "ahead of the clock";
      last = position;
    }
  }
}

TEST_F(GeneratorTest, AClockThatStandsStillEndsTheWaitForATick) {
  for (const ClockRegression mode : {ClockRegression::kWait, ClockRegression::kError}) {
    Options options = Fake(mode);
    options.guard.max_clock_wait_us = 1000;
    Generator generator(kOneBit, options);
    FakeClock::step_us = 0;
    (void)MustNext(generator);
    (void)MustNext(generator);
    EXPECT_EQ(generator.Next().status, Status::kClockBehind);
    FakeClock::now_us += 1000;
    (void)MustNext(generator);
  }
}

TEST_F(GeneratorTest, AnIdentityThatDoesNotFitIsRefused) {
  for (const Identity& identity : {Identity{32, 0, 0}, Identity{0, 32, 0}, Identity{0, ~0ULL, 0}}) {
    Options options = Fake();
    options.identity = identity;
    Generator generator(kSnowflake, options);
    std::int64_t ids[2] = {-1, -1};
    std::size_t filled = 9;
    EXPECT_EQ(generator.Next().status, Status::kBadIdentity);
    EXPECT_EQ(generator.NextBatch(ids, filled), Status::kBadIdentity);
    EXPECT_EQ(filled, 0U);
    EXPECT_EQ(ids[0], -1);
    EXPECT_EQ(generator.Reserve(1).status, Status::kBadIdentity);
    EXPECT_EQ(generator.Observe(1), Status::kBadIdentity);
  }
  Options options = Fake();
  options.identity = {31, 31, 99};  // a field that the layout lacks is ignored
  Generator generator(kSnowflake, options);
  EXPECT_EQ(generator.Next().status, Status::kOk);
}

TEST_F(GeneratorTest, ARefusalComesBeforeEveryOther) {
  Options options = Fake();
  options.identity.machine = 1 << 16;
  Generator generator(kSony, options);
  std::size_t filled = 9;
  EXPECT_EQ(generator.NextBatch({}, filled), Status::kBadIdentity);
  EXPECT_EQ(filled, 0U);
  EXPECT_EQ(generator.Reserve(0).status, Status::kBadIdentity);
  EXPECT_EQ(generator.Reserve(2).status, Status::kBadIdentity);
  EXPECT_EQ(generator.Observe(-1), Status::kBadIdentity);
}

// --- Layouts -------------------------------------------------------------------------

TEST_F(GeneratorTest, EveryBuiltinLayoutMakesItsIdsUpToItsEnd) {
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    const Layout& layout = builtin.layout;
    if (!layout.CanGenerate()) continue;
    SCOPED_TRACE(layout.name);
    Options options = Fake();
    options.identity = {.datacenter = 3, .machine = 7, .shard = 5};
    // The tick in the middle, and the last one.
    for (const std::uint64_t tick : {layout.MaxTick() / 2, layout.MaxTick()}) {
      Generator generator(layout, options);
      FakeClock::Set(layout.StartOfTick(tick) + layout.tick_us / 2);
      for (std::uint64_t sequence = 0; sequence < 5; ++sequence) {
        const Parts parts = PartsOf(layout, MustNext(generator));
        EXPECT_EQ(parts.tick, tick);
        EXPECT_EQ(parts.sequence, sequence);
        EXPECT_EQ(parts.identity.datacenter, layout.Has(kDatacenter) ? 3U : 0U);
        EXPECT_EQ(parts.identity.machine, layout.Has(kMachine) ? 7U : 0U);
        EXPECT_EQ(parts.identity.shard, layout.Has(kShard) ? 5U : 0U);
      }
      FakeClock::now_us += layout.tick_us;
      const Status after = tick < layout.MaxTick() ? Status::kOk : Status::kOutOfTime;
      EXPECT_EQ(generator.Next().status, after);
    }
  }
}

TEST_F(GeneratorTest, ALayoutThatCannotGenerateIsRefusedInEveryCall) {
  const Layout layouts[] = {
      *FindBuiltinLayout("mastodon"), *FindBuiltinLayout("cockroach"),
      MakeLayout("tail", 1000, 0, {{kTimestamp, 41}, {kSequence, 12}, {kTail, 10}})};
  static int marks;
  marks = 0;
  for (const Layout& layout : layouts) {
    SCOPED_TRACE(layout.name);
    for (const bool with_mark : {false, true}) {
      for (const std::uint64_t machine : {std::uint64_t{0}, ~std::uint64_t{0}}) {
        Options options = Fake();
        options.identity.machine = machine;  // one that does not fit makes no difference
        options.not_before_ms = kStartUs / 1000;
        if (with_mark) {
          options.extend_mark = [](void*, std::int64_t needed_ms) { return ++marks, needed_ms; };
        }
        Generator generator(layout, options);
        std::int64_t ids[2] = {-1, -1};
        std::size_t filled = 9;
        EXPECT_EQ(generator.Next().status, Status::kDecodeOnly);
        EXPECT_EQ(generator.NextBatch(ids, filled), Status::kDecodeOnly);
        EXPECT_EQ(filled, 0U);
        EXPECT_EQ(ids[0], -1);
        filled = 9;
        EXPECT_EQ(generator.NextBatch({}, filled), Status::kDecodeOnly);
        EXPECT_EQ(filled, 0U);
        for (const std::uint64_t count : {0U, 1U, 2U, 5000U}) {
          EXPECT_EQ(generator.Reserve(count).status, Status::kDecodeOnly);
        }
        for (const std::int64_t id : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1} << 40}) {
          EXPECT_EQ(generator.Observe(id), Status::kDecodeOnly);
        }
      }
    }
  }
  EXPECT_EQ(marks, 0);
}

TEST_F(GeneratorTest, ALayoutThatRanOutIsOutOfTime) {
  Generator uid(kUid);  // since 2024-11-20, by the real clock
  EXPECT_EQ(uid.Next().status, Status::kOutOfTime);
  EXPECT_EQ(uid.Reserve(1).status, Status::kOutOfTime);

  const std::int64_t last_us = kSnowflake.StartOfTick(kSnowflake.MaxTick());
  FakeClock::Set(last_us);
  Generator generator(kSnowflake, Fake());
  std::vector<std::int64_t> ids(5000, -1);
  std::size_t filled = 0;
  EXPECT_EQ(generator.NextBatch(ids, filled), Status::kOutOfTime);
  EXPECT_EQ(filled, 4096U);
  EXPECT_EQ(PositionOf(kSnowflake, ids[4095]), kSnowflake.MaxPosition());
  EXPECT_EQ(ids[4096], -1) << "beyond what was filled";
  EXPECT_EQ(generator.Next().status, Status::kOutOfTime);
  FakeClock::Set(last_us + 1000);
  EXPECT_EQ(generator.Next().status, Status::kOutOfTime);
}

TEST_F(GeneratorTest, BeforeTheEpochNothingIsIssued) {
  FakeClock::Set(kSnowflake.epoch_us - 10'000);
  for (const ClockRegression mode :
       {ClockRegression::kWait, ClockRegression::kLead, ClockRegression::kError}) {
    Generator generator(kSnowflake, Fake(mode));
    EXPECT_EQ(generator.Next().status, Status::kClockBehind);
  }
}

TEST(StatusTexts, AreThereAndDiffer) {
  std::set<std::string> texts;
  for (int i = 0; i <= static_cast<int>(Status::kBadLayout); ++i) {
    EXPECT_TRUE(texts.insert(StatusText(static_cast<Status>(i))).second);
  }
  EXPECT_TRUE(texts.insert(StatusText(static_cast<Status>(200))).second);
}

// --- A clock that goes back ----------------------------------------------------------

TEST_F(GeneratorTest, WaitEndsInAnErrorWhereTheClockStaysBehind) {
  Generator generator(kSnowflake, Fake(ClockRegression::kWait));
  const std::int64_t before = MustNext(generator);
  FakeClock::now_us -= 50'000;
  EXPECT_EQ(generator.Next().status, Status::kClockBehind);
  EXPECT_EQ(generator.Reserve(2).status, Status::kClockBehind);
  std::int64_t ids[3] = {};
  std::size_t filled = 9;
  EXPECT_EQ(generator.NextBatch(ids, filled), Status::kClockBehind);
  EXPECT_EQ(filled, 0U);
  FakeClock::now_us += 50'000;
  EXPECT_EQ(MustNext(generator), before + 1) << "an error must not use up IDs";
}

TEST_F(GeneratorTest, WaitGoesOnWhenTheClockIsBack) {
  Options options = Fake(ClockRegression::kWait);
  options.guard.max_clock_wait_us = 60'000'000;
  Generator generator(kSnowflake, options);
  const std::int64_t before = MustNext(generator);
  FakeClock::now_us -= 3'000;
  FakeClock::step_us = 500;
  const std::int64_t after = MustNext(generator);
  EXPECT_EQ(after, before + 1);
  EXPECT_GE(FakeClock::now_us, kStartUs) << "issued before the clock was back";
}

TEST_F(GeneratorTest, AWaitIsBoundedWhateverTheWallClockDoes) {
  Generator generator(kSnowflake, Fake(ClockRegression::kWait));
  (void)MustNext(generator);
  FakeClock::now_us -= 1'000'000;
  FakeClock::step_us = -1'000'000;  // further back with every reading
  EXPECT_EQ(generator.Next().status, Status::kClockBehind);
}

TEST_F(GeneratorTest, ErrorIsAnErrorAtOnce) {
  Options options = Fake(ClockRegression::kError);
  options.guard.max_clock_wait_us = 3'600'000'000;  // were it waited, the test would hang
  Generator generator(kSnowflake, options);
  const std::int64_t before = MustNext(generator);
  FakeClock::now_us -= 1'000;
  EXPECT_EQ(generator.Next().status, Status::kClockBehind);
  FakeClock::now_us += 1'000;
  EXPECT_EQ(MustNext(generator), before + 1);
}

TEST_F(GeneratorTest, LeadGoesOnUpToItsBound) {
  Generator generator(kOneBit, Fake(ClockRegression::kLead));
  const std::int64_t before = MustNext(generator);
  FakeClock::now_us -= 2'000;
  // Five milliseconds ahead of the clock at most: three of them are left, two IDs each,
  // and the rest of the first tick.
  std::vector<std::int64_t> ids = {before};
  while (ids.size() < 100) {
    const Result result = generator.Next();
    if (result.status != Status::kOk) {
      EXPECT_EQ(result.status, Status::kClockBehind);
      break;
    }
    EXPECT_EQ(PositionOf(kOneBit, result.id), PositionOf(kOneBit, ids.back()) + 1);
    ids.push_back(result.id);
  }
  EXPECT_EQ(ids.size(), 8U);
  EXPECT_EQ(PartsOf(kOneBit, ids.back()).tick, TickNow(kOneBit) + 5);
}

TEST_F(GeneratorTest, AClockThatJumpsForwardIsFollowed) {
  Generator generator(kSnowflake, Fake());
  (void)MustNext(generator);
  FakeClock::now_us += 3'600'000'000;
  const Parts parts = PartsOf(kSnowflake, MustNext(generator));
  EXPECT_EQ(parts.tick, TickNow(kSnowflake));
  EXPECT_EQ(parts.sequence, 0U);
}

// --- Batches -------------------------------------------------------------------------

TEST_F(GeneratorTest, ABatchIsWhatSingleCallsWouldBe) {
  for (const Layout& layout : {kSnowflake, kTso, kSony}) {
    Options options = Fake();
    Generator one(layout, options);
    Generator many(layout, options);
    std::vector<std::int64_t> ids(200, -1);
    std::size_t filled = 0;
    ASSERT_EQ(many.NextBatch(ids, filled), Status::kOk);
    ASSERT_EQ(filled, ids.size());
    for (const std::int64_t id : ids) ASSERT_EQ(id, MustNext(one)) << layout.name;
  }
}

TEST_F(GeneratorTest, ABatchRunsOverTicks) {
  Generator generator(kOneBit, Fake());
  FakeClock::step_us = 300;
  std::vector<std::int64_t> ids(41);
  std::size_t filled = 0;
  ASSERT_EQ(generator.NextBatch(ids, filled), Status::kOk);
  ASSERT_EQ(filled, ids.size());
  for (std::size_t i = 1; i < ids.size(); ++i) ASSERT_GT(ids[i], ids[i - 1]);
  EXPECT_LE(PartsOf(kOneBit, ids.back()).tick, TickNow(kOneBit));
}

TEST_F(GeneratorTest, AnEmptyBatchIsABadCount) {
  Generator generator(kSnowflake, Fake());
  std::size_t filled = 9;
  EXPECT_EQ(generator.NextBatch({}, filled), Status::kBadCount);
  EXPECT_EQ(filled, 0U);
}

// --- Reserve -------------------------------------------------------------------------

TEST_F(GeneratorTest, ReservedIdsAreConsecutiveInOneTick) {
  Generator generator(kSnowflake, Fake());
  FakeClock::step_us = 400;
  std::mt19937_64 random(1);
  std::int64_t end = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t count = 1 + random() % 4096;
    const Result result = generator.Reserve(count);
    ASSERT_EQ(result.status, Status::kOk);
    ASSERT_GE(result.id, end) << "overlaps with what was reserved before";
    end = result.id + static_cast<std::int64_t>(count);
    ASSERT_EQ(PartsOf(kSnowflake, result.id).tick, PartsOf(kSnowflake, end - 1).tick);
    ASSERT_EQ(PartsOf(kSnowflake, end - 1).identity.machine, 7U);
    ASSERT_GE(MustNext(generator), end);
  }
}

TEST_F(GeneratorTest, AReserveIsOfOneTicksWorthAtMost) {
  Generator generator(kSnowflake, Fake());
  EXPECT_EQ(generator.Reserve(0).status, Status::kBadCount);
  EXPECT_EQ(generator.Reserve(4097).status, Status::kBadCount);
  EXPECT_EQ(generator.Reserve(~0ULL).status, Status::kBadCount);
  EXPECT_EQ(generator.Reserve(4096).status, Status::kOk);
}

TEST_F(GeneratorTest, AReserveNeedsTheSequenceAsTheLowestField) {
  Generator generator(kSony, Fake());
  EXPECT_EQ(generator.Reserve(2).status, Status::kNotConsecutive);
  EXPECT_EQ(generator.Reserve(1).status, Status::kOk);
}

// --- Observe -------------------------------------------------------------------------

TEST_F(GeneratorTest, AfterAnObservedIdOfItsOwnTheNextFollows) {
  Generator generator(kSnowflake, Fake(ClockRegression::kLead));
  const std::int64_t id = MustNext(generator);
  const std::int64_t ahead = id + (3LL << 22) + 17;  // 3 ms later
  ASSERT_EQ(generator.Observe(ahead), Status::kOk);
  EXPECT_EQ(MustNext(generator), ahead + 1);
  // An ID that is behind already changes nothing.
  ASSERT_EQ(generator.Observe(id), Status::kOk);
  ASSERT_EQ(generator.Observe(0), Status::kOk);
  EXPECT_EQ(MustNext(generator), ahead + 2);
}

TEST_F(GeneratorTest, AfterAnyObservedIdTheNextIsGreaterByAsLittleAsPossible) {
  std::mt19937_64 random(2);
  for (const Layout& layout : {kSnowflake, kSony}) {
    for (int i = 0; i < 500; ++i) {
      Options options = Fake(ClockRegression::kLead);
      options.guard.max_clock_lead_us = 100'000;
      options.identity = {random() % 32, random() % 32, 0};
      const Generator::Options others = options;
      Generator generator(layout, options);
      const std::uint64_t tick = TickNow(layout) + 1 + random() % 5;
      const std::uint64_t sequence = random() % layout.IdsPerTick();
      const Identity other{random() % 32, random() % 32, 0};
      const std::int64_t seen =
          layout.Compose((tick << layout.SequenceBits()) | sequence, layout.IdentityBits(other));
      ASSERT_EQ(generator.Observe(seen), Status::kOk);
      const std::int64_t next = MustNext(generator);
      ASSERT_GT(next, seen);
      const std::uint64_t bits = layout.IdentityBits(others.identity);
      ASSERT_LE(layout.Compose(PositionOf(layout, next) - 1, bits), seen);
    }
  }
}

TEST_F(GeneratorTest, ANumberThatIsNotAnIdIsNotObserved) {
  Generator generator(kJs53, Fake());
  const std::int64_t id = MustNext(generator);
  EXPECT_EQ(generator.Observe(-1), Status::kBadId);
  EXPECT_EQ(generator.Observe(std::numeric_limits<std::int64_t>::min()), Status::kBadId);
  EXPECT_EQ(generator.Observe(std::int64_t{1} << 53), Status::kBadId);
  EXPECT_EQ(generator.Observe(std::numeric_limits<std::int64_t>::max()), Status::kBadId);
  EXPECT_EQ(generator.Observe((std::int64_t{1} << 53) - 1), Status::kTooFarAhead);
  EXPECT_EQ(MustNext(generator), id + 1);
}

TEST_F(GeneratorTest, AnIdTooFarAheadOfTheClockIsNotObserved) {
  Generator generator(kSnowflake, Fake(ClockRegression::kLead));
  const std::int64_t id = MustNext(generator);
  const std::int64_t furthest = id + (5LL << 22);  // 5 ms, as far as the lead may go
  EXPECT_EQ(generator.Observe(id + (6LL << 22)), Status::kTooFarAhead);
  EXPECT_EQ(MustNext(generator), id + 1);
  EXPECT_EQ(generator.Observe(furthest), Status::kOk);
  EXPECT_EQ(MustNext(generator), furthest + 1);
}

// --- Many threads --------------------------------------------------------------------

// Takes IDs in every way on all threads at once. Each call's IDs must be greater than all
// that any call returned before it began, and no two may be equal.
void CheckThreads(Generator& generator, std::size_t ids_per_thread, bool may_fail) {
  std::vector<std::vector<std::int64_t>> log(kThreads);
  std::atomic<std::int64_t> largest = -1;
  RunThreads(kThreads, [&](int thread) {
    std::mt19937_64 random(static_cast<std::uint64_t>(thread));
    auto& mine = log[static_cast<std::size_t>(thread)];
    std::int64_t buffer[50];
    while (mine.size() < ids_per_thread) {
      const std::size_t count = random() % 8 == 0 ? 1 + random() % 50 : 1;
      const bool reserve = generator.layout().SequenceIsLowest() && random() % 2 == 0;
      std::size_t got = 0;
      const std::int64_t before = largest.load();
      Status status = Status::kOk;
      if (count == 1) {
        const Result result = generator.Next();
        status = result.status;
        buffer[0] = result.id;
        got = status == Status::kOk ? 1 : 0;
      } else if (reserve) {
        const Result result = generator.Reserve(count);
        status = result.status;
        got = status == Status::kOk ? count : 0;
        for (std::size_t i = 0; i < got; ++i) buffer[i] = result.id + static_cast<std::int64_t>(i);
      } else {
        status = generator.NextBatch(std::span(buffer, count), got);
      }
      ASSERT_TRUE(may_fail || status == Status::kOk) << StatusText(status);
      if (got == 0) continue;
      ASSERT_GT(buffer[0], before) << "not above an ID that was returned before";
      mine.insert(mine.end(), buffer, buffer + got);
      const std::int64_t last = buffer[got - 1];
      std::int64_t seen = largest.load();
      while (seen < last && !largest.compare_exchange_weak(seen, last)) {
      }
    }
    for (std::size_t i = 1; i < mine.size(); ++i) ASSERT_GT(mine[i], mine[i - 1]);
  });
  std::vector<std::int64_t> all;
  for (const auto& mine : log) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << "an ID was issued twice";
  EXPECT_GE(all.size(), kThreads * ids_per_thread);
}

TEST(GeneratorThreads, ShareAWideLayout) {
  Generator generator(kTso);
  CheckThreads(generator, 30'000 * kLonger, false);
}

TEST(GeneratorThreads, ShareALayoutThatRunsOutInEveryTick) {
  Generator generator(kSnowflake);
  CheckThreads(generator, 10'000, false);
}

TEST(GeneratorThreads, ShareALayoutWithTheSequenceInTheMiddle) {
  const Layout layout = MakeLayout("middle", 1000, 1577836800000,
                                   {{kTimestamp, 41}, {kSequence, 12}, {kMachine, 10}});
  Generator generator(layout);
  CheckThreads(generator, 10'000, false);
}

TEST_F(GeneratorTest, ThreadsShareAClockThatStepsBothWays) {
  for (const ClockRegression mode : {ClockRegression::kLead, ClockRegression::kError}) {
    Generator generator(kSnowflake, Fake(mode));
    FakeClock::Set(kStartUs);
    // Forth by 20 us with each reading, and back by 4 ms with every 500th.
    FakeClock::step_us = 20;
    FakeClock::back_us = 4'000;
    CheckThreads(generator, 5'000, true);
  }
}

TEST(GeneratorThreads, WhatOneObservesIsBelowTheNextOfAll) {
  Generator::Options options;
  options.guard.mode = ClockRegression::kLead;
  Generator generator(kTso, options);
  RunThreads(kThreads, [&](int thread) {
    std::mt19937_64 random(static_cast<std::uint64_t>(thread));
    for (int i = 0; i < 5'000; ++i) {
      const std::int64_t seen = MustNext(generator) + static_cast<std::int64_t>(random() % 1000);
      ASSERT_EQ(generator.Observe(seen), Status::kOk);
      ASSERT_GT(MustNext(generator), seen);
    }
  });
}

}  // namespace
}  // namespace idgen

// Built with a cycle counter that the tests set (fake_counter.h).
#include <idgen/session.h>
#include <idgen/mark.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "fake_clock.h"
#include "threads.h"

namespace idgen {
namespace {

using enum FieldKind;

// Of these, sessions add to the first and only swap in the second.
constexpr Layout kMany =
    MakeLayout("many", 1000, 0, {{kTimestamp, 41}, {kMachine, 5}, {kSequence, 12}});
constexpr Layout kFew =
    MakeLayout("few", 1000, 0, {{kTimestamp, 41}, {kMachine, 5}, {kSequence, 3}});
constexpr std::int64_t kStartUs = 1'795'000'000'000'000;

std::uint64_t PositionOf(const Layout& layout, std::int64_t id) {
  const Parts parts = layout.Parse(static_cast<std::uint64_t>(id));
  return (parts.tick << layout.SequenceBits()) | parts.sequence;
}

class SessionTest : public testing::TestWithParam<const Layout*> {
 protected:
  void SetUp() override {
    FakeClock::Set(kStartUs);
    FakeCounter::cycles = 1'000'000;
    FakeCounter::cycles_per_us = 1000;
    FakeCounter::asked = 0;
    pauses = 0;
    monotonic_us = 0;
  }
  static const Layout& layout() { return *GetParam(); }

  // Time passes in a pause alone: as long as it is asked for, for the wall clock as well.
  static Generator::Options Fake(ClockRegression mode = ClockRegression::kWait) {
    Generator::Options options;
    options.identity.machine = 7;
    options.guard.mode = mode;
    options.clock = &FakeClock::Read;
    options.monotonic_clock = []() noexcept { return monotonic_us.load(); };
    options.pause = [](std::int64_t us) noexcept {
      ++pauses;
      monotonic_us += us;
      FakeClock::now_us += us;
    };
    return options;
  }

  // The clock goes on, and the counter with it.
  static void Pass(std::int64_t us) {
    FakeClock::now_us += us;
    FakeCounter::cycles += static_cast<std::uint64_t>(us) * 1000;
  }
  // The counter is trusted from the second reading on.
  static void SeeTheCounter(Session& session) {
    for (int i = 0; i < 3; ++i) {
      Pass(10);
      (void)MustNext(session);
    }
  }
  template <typename Maker>
  static std::int64_t MustNext(Maker& maker) {
    const Result result = maker.Next();
    EXPECT_EQ(result.status, Status::kOk) << StatusText(result.status);
    return result.id;
  }

  inline static std::atomic<int> pauses = 0;
  inline static std::atomic<std::int64_t> monotonic_us = 0;
};

INSTANTIATE_TEST_SUITE_P(Layouts, SessionTest, testing::Values(&kMany, &kFew),
                         [](const auto& tested) { return std::string(tested.param->name); });

TEST_P(SessionTest, SharesThePositionWithItsGeneratorAndOtherSessions) {
  Generator generator(layout(), Fake());
  Session one(generator);
  Session other(generator);
  std::uint64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    for (const std::int64_t id : {MustNext(one), MustNext(other), MustNext(generator)}) {
      EXPECT_GT(PositionOf(layout(), id), last);
      last = PositionOf(layout(), id);
      const Parts parts = layout().Parse(static_cast<std::uint64_t>(id));
      EXPECT_EQ(parts.identity.machine, 7U);
      EXPECT_LE(layout().StartOfTick(parts.tick), FakeClock::now_us);
    }
    Pass(300);
  }
}

TEST_P(SessionTest, AReadingOfTheClockServesAgainWhileTheCounterSaysSo) {
  Generator generator(layout(), Fake());
  Session session(generator);
  SeeTheCounter(session);
  FakeClock::readings = 0;
  for (int i = 0; i < 3; ++i) (void)MustNext(session);
  EXPECT_EQ(FakeClock::readings, 0U);
  Pass(8);
  (void)MustNext(session);
  EXPECT_EQ(FakeClock::readings, 1U);
}

TEST_P(SessionTest, WithoutACounterEveryIdReadsTheClock) {
  FakeCounter::cycles_per_us = 0;
  Generator generator(layout(), Fake());
  Session session(generator);
  SeeTheCounter(session);
  FakeClock::readings = 0;
  for (int i = 0; i < 3; ++i) (void)MustNext(session);
  EXPECT_EQ(FakeClock::readings, 3U);
}

TEST_P(SessionTest, AsksForTheCounterOnceAGenerator) {
  Generator generator(layout(), Fake());
  for (int i = 0; i < 5; ++i) Session session(generator);
  EXPECT_EQ(FakeCounter::asked, 1);
}

TEST_P(SessionTest, ABlockIsTheSessionsOwn) {
  Generator generator(layout(), Fake());
  Session one(generator, {.block_size = 3});
  Session other(generator, {.block_size = 3});
  SeeTheCounter(one);
  SeeTheCounter(other);
  Pass(1000);
  // The first of a session in a tick that it has no block of.
  const std::uint64_t first = PositionOf(layout(), MustNext(one));
  EXPECT_EQ(PositionOf(layout(), MustNext(other)), first + 3);
  EXPECT_EQ(PositionOf(layout(), MustNext(one)), first + 1);
  EXPECT_EQ(PositionOf(layout(), MustNext(generator)), first + 6);
  EXPECT_EQ(PositionOf(layout(), MustNext(one)), first + 2);
  EXPECT_EQ(PositionOf(layout(), MustNext(one)), first + 7);
  Pass(1000);
  EXPECT_EQ(PositionOf(layout(), MustNext(other)), first + layout().IdsPerTick())
      << "what was left of its block is dropped with the tick";
}

TEST_P(SessionTest, WhatIsTakenOtherwiseDropsTheBlock) {
  Generator generator(layout(), Fake());
  const auto next_after = [&generator](auto take) {
    Session session(generator, {.block_size = 2});
    SeeTheCounter(session);
    Pass(1000);
    (void)MustNext(session);
    const std::int64_t taken = take(session);
    return MustNext(session) - taken;
  };
  EXPECT_GT(next_after([](Session& session) { return session.Reserve(2).id; }), 0);
  EXPECT_GT(next_after([](Session& session) {
              std::array<std::int64_t, 2> ids{};
              std::size_t filled = 0;
              EXPECT_EQ(session.NextBatch(ids, filled), Status::kOk);
              return ids[1];
            }),
            0);
  EXPECT_GT(next_after([&generator](Session& session) {
              const std::int64_t seen = MustNext(generator);
              EXPECT_EQ(session.Observe(seen), Status::kOk);
              return seen;
            }),
            0);
}

TEST_P(SessionTest, ABlockOfNoneIsABlockOfOne) {
  Generator generator(layout(), Fake());
  Session session(generator, {.block_size = 0});
  SeeTheCounter(session);
  FakeClock::readings = 0;
  const std::int64_t id = MustNext(session);
  EXPECT_EQ(MustNext(session), id + 1);
  EXPECT_EQ(FakeClock::readings, 0U) << "not by the slow path";
}

TEST_P(SessionTest, ABatchGoesOnOverTheTicks) {
  Generator generator(layout(), Fake());
  Session session(generator);
  std::vector<std::int64_t> ids(2 * layout().IdsPerTick() + 3);
  std::size_t filled = 0;
  EXPECT_EQ(session.NextBatch(ids, filled), Status::kOk);
  EXPECT_EQ(filled, ids.size());
  for (std::size_t i = 1; i < ids.size(); ++i) ASSERT_GT(ids[i], ids[i - 1]);
  EXPECT_EQ(session.NextBatch({}, filled), Status::kBadCount);
  EXPECT_GT(MustNext(session), ids.back());
}

TEST_P(SessionTest, TheMarkIsMovedAheadOfUse) {
  static Layout of;
  static std::uint64_t durable;
  static int moves;
  of = layout();
  durable = 0;
  moves = 0;
  Generator::Options options = Fake();
  options.extend_mark = [](void*, std::int64_t needed_ms) {
    ++moves;
    durable = PositionLimit(of, needed_ms + 2);
    return needed_ms + 2;
  };
  Generator generator(layout(), options);
  Session session(generator);
  for (int i = 0; i < 100; ++i) {
    ASSERT_LT(PositionOf(layout(), MustNext(session)), durable);
    Pass(100);
  }
  EXPECT_GE(moves, 3);
  EXPECT_LE(moves, 12);
}

TEST_P(SessionTest, AMarkThatDoesNotMoveIsAnErrorAndNothingIsUsedUp) {
  static bool works;
  works = true;
  Generator::Options options = Fake();
  options.extend_mark = [](void*, std::int64_t needed_ms) {
    return works ? needed_ms : std::int64_t{0};
  };
  Generator generator(layout(), options);
  Session session(generator);
  (void)MustNext(session);
  works = false;
  Pass(5000);
  EXPECT_EQ(session.Next().status, Status::kMarkNotMoved);
  std::array<std::int64_t, 2> ids = {-1, -1};
  std::size_t filled = 9;
  EXPECT_EQ(session.NextBatch(ids, filled), Status::kMarkNotMoved);
  EXPECT_EQ(filled, 0U);
  EXPECT_EQ(session.Reserve(1).status, Status::kMarkNotMoved);
  works = true;
  EXPECT_EQ(PositionOf(layout(), MustNext(session)) & (layout().IdsPerTick() - 1), 0U);
}

TEST_P(SessionTest, AClockThatGoesBackIsWaitedForOrAnError) {
  {
    Generator generator(layout(), Fake(ClockRegression::kWait));
    Session session(generator);
    const std::int64_t before = MustNext(session);
    FakeClock::now_us -= 3000;
    FakeCounter::cycles += 1'000'000;
    EXPECT_EQ(MustNext(session), before + 1);
    EXPECT_GT(pauses, 0);
  }
  Generator generator(layout(), Fake(ClockRegression::kError));
  Session session(generator);
  const std::int64_t before = MustNext(session);
  FakeClock::now_us -= 3000;
  FakeCounter::cycles += 1'000'000;
  EXPECT_EQ(session.Next().status, Status::kClockBehind);
  FakeClock::now_us += 3000;
  EXPECT_EQ(MustNext(session), before + 1) << "an error must not use up IDs";
}

TEST_P(SessionTest, WhatAGeneratorRefusesItsSessionsDo) {
  Generator::Options options = Fake();
  options.identity.machine = 32;
  Layout broken = layout();
  broken.tick_us = 0;
  const auto refuses = [&options](const Layout& of, Status status) {
    Generator generator(of, options);
    Session session(generator);
    std::array<std::int64_t, 2> ids = {-1, -1};
    std::size_t filled = 9;
    EXPECT_EQ(session.Next().status, status);
    EXPECT_EQ(session.NextBatch(ids, filled), status);
    EXPECT_EQ(filled, 0U);
    EXPECT_EQ(session.Reserve(1).status, status);
    EXPECT_EQ(session.Observe(1), status);
  };
  refuses(layout(), Status::kBadIdentity);
  refuses(broken, Status::kBadLayout);
  refuses(*FindBuiltinLayout("mastodon"), Status::kDecodeOnly);
}

// Each session takes a position of the tick, and then one beyond its end for nothing. That must
// look like a used-up tick, which is waited for, and not like a clock that is behind: however many
// sessions there are, and also when they are gone.
TEST(Sessions, WhatTheyTakeForNothingIsNoClockThatIsBehind) {
  constexpr int kSessions = 3000;
  static_assert(kSessions > static_cast<int>(kLeastOvershoot));
  static int pauses = 0;
  static std::int64_t monotonic_us = 0;
  FakeClock::Set(kStartUs);
  FakeCounter::cycles_per_us = 0;
  Generator::Options options;
  options.guard.mode = ClockRegression::kError;
  options.guard.max_clock_wait_us = 0;
  options.clock = &FakeClock::Read;
  options.monotonic_clock = []() noexcept { return monotonic_us; };
  // So long that it is the last.
  options.pause = [](std::int64_t) noexcept { ++pauses, monotonic_us += 1'000'000; };
  Generator generator(kMany, options);
  const auto waits = [&generator](auto& maker) {
    pauses = 0;
    return maker.Next().status == Status::kClockBehind && pauses == 1;
  };
  {
    std::vector<std::unique_ptr<Session>> sessions;
    for (int i = 0; i < kSessions; ++i) {
      sessions.push_back(std::make_unique<Session>(generator));
      ASSERT_EQ(sessions.back()->Next().status, Status::kOk);
    }
    // The first was by the loop; this is the one in the tick.
    FakeClock::now_us += 1000;
    for (const auto& session : sessions) ASSERT_EQ(session->Next().status, Status::kOk);
    while (generator.Next().status == Status::kOk) {
    }
    for (const auto& session : sessions) ASSERT_TRUE(waits(*session));
    ASSERT_TRUE(waits(generator));
  }
  EXPECT_TRUE(waits(generator)) << "their sessions are gone";
  FakeClock::now_us += 1000;
  const Result result = generator.Next();
  EXPECT_EQ(result.status, Status::kOk);
}

TEST(Sessions, ThreadsNeverGetAnIdTwiceAndAlwaysGreaterOnes) {
  FakeCounter::cycles_per_us = 0;
  constexpr Layout kWideEnough =
      MakeLayout("wide_enough", 1000, 1577836800000, {{kTimestamp, 41}, {kSequence, 18}});
  Generator generator(kWideEnough);
  std::atomic<std::int64_t> largest = -1;
  std::array<std::vector<std::int64_t>, kThreads> made;
  RunThreads(kThreads, [&](int thread) {
    Session session(generator);
    std::vector<std::int64_t>& ids = made[static_cast<std::size_t>(thread)];
    for (int i = 0; i < 2000 * kLonger; ++i) {
      const std::int64_t before = largest.load();
      const Result result = session.Next();
      ASSERT_EQ(result.status, Status::kOk);
      ASSERT_GT(result.id, before);
      std::int64_t seen = largest.load();
      while (seen < result.id && !largest.compare_exchange_weak(seen, result.id)) {
      }
      ids.push_back(result.id);
    }
  });
  std::vector<std::int64_t> all;
  for (const auto& ids : made) all.insert(all.end(), ids.begin(), ids.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

}  // namespace
}  // namespace idgen

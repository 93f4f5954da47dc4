#include <idgen/position.h>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "threads.h"

namespace idgen {
namespace {

constexpr std::uint64_t kNoEnd = std::numeric_limits<std::uint64_t>::max();

void ExpectTaken(const Taken& taken, std::uint64_t first, std::uint64_t count) {
  EXPECT_EQ(taken.first, first);
  EXPECT_EQ(taken.count, count);
}

// --- One thread ----------------------------------------------------------------------

TEST(TakeUpTo, FollowsTheLastPosition) {
  std::uint64_t word = 41;
  ExpectTaken(TakeUpTo(word, 0, kNoEnd, 1), 42, 1);
  ExpectTaken(TakeUpTo(word, 0, kNoEnd, 10), 43, 10);
  EXPECT_EQ(word, 52U);
}

TEST(TakeUpTo, GoesOnFromTheBaseWhereThatIsLater) {
  std::uint64_t word = 41;
  ExpectTaken(TakeUpTo(word, 100, kNoEnd, 1), 100, 1);
  EXPECT_EQ(word, 100U);
  ExpectTaken(TakeUpTo(word, 100, kNoEnd, 1), 101, 1);
  ExpectTaken(TakeUpTo(word, 102, kNoEnd, 1), 102, 1);
  ExpectTaken(TakeUpTo(word, 50, kNoEnd, 1), 103, 1);
}

TEST(TakeUpTo, TakesNothingAtOrBeyondTheEnd) {
  std::uint64_t word = 41;
  ExpectTaken(TakeUpTo(word, 0, 42, 1), 42, 0);
  ExpectTaken(TakeUpTo(word, 0, 0, 1), 42, 0);
  ExpectTaken(TakeUpTo(word, 60, 60, 5), 60, 0);
  ExpectTaken(TakeUpTo(word, 60, 50, 5), 60, 0);
  EXPECT_EQ(word, 41U) << "taking nothing moved the position";
  ExpectTaken(TakeUpTo(word, 0, 43, 1), 42, 1);
  ExpectTaken(TakeUpTo(word, 0, 43, 1), 43, 0);
}

TEST(TakeUpTo, TakesFewerBeforeTheEnd) {
  std::uint64_t word = 41;
  ExpectTaken(TakeUpTo(word, 0, 45, 10), 42, 3);
  EXPECT_EQ(word, 44U);
  ExpectTaken(TakeUpTo(word, 50, 52, kNoEnd), 50, 2);
  EXPECT_EQ(word, 51U);
}

TEST(TakeNext, FollowsTheLastPosition) {
  std::uint64_t word = 41;
  EXPECT_EQ(TakeNext(word), 42U);
  EXPECT_EQ(TakeNext(word), 43U);
  EXPECT_EQ(word, 43U);
  EXPECT_EQ(TakeUpTo(word, 0, 100, 5).first, 44U);
  EXPECT_EQ(TakeNext(word), 49U);
}

TEST(RaisePosition, RaisesOnly) {
  std::uint64_t word = 41;
  EXPECT_FALSE(RaisePosition(word, 0));
  EXPECT_FALSE(RaisePosition(word, 41));
  EXPECT_EQ(word, 41U);
  EXPECT_TRUE(RaisePosition(word, 42));
  EXPECT_EQ(word, 42U);
  EXPECT_TRUE(RaisePosition(word, kNoEnd));
  EXPECT_EQ(LoadPosition(word), kNoEnd);
}

TEST(RaisePosition, LaterPositionsAreGreater) {
  std::uint64_t word = 0;
  EXPECT_TRUE(RaisePosition(word, 1000));
  ExpectTaken(TakeUpTo(word, 7, kNoEnd, 1), 1001, 1);
}

// --- Many threads --------------------------------------------------------------------

// All that was taken, each thread's in its order.
using Log = std::array<std::vector<Taken>, kThreads>;

void ExpectEachThreadIncreases(const Log& log) {
  for (const auto& taken : log) {
    for (std::size_t i = 1; i < taken.size(); ++i) {
      ASSERT_GE(taken[i].first, taken[i - 1].first + taken[i - 1].count);
    }
  }
}

// In order of position.
std::vector<Taken> Merge(const Log& log) {
  std::vector<Taken> all;
  for (const auto& taken : log) all.insert(all.end(), taken.begin(), taken.end());
  std::sort(all.begin(), all.end(),
            [](const Taken& a, const Taken& b) { return a.first < b.first; });
  return all;
}

TEST(PositionThreads, ShareOneWordWithoutAGap) {
  constexpr int kTakes = 20'000 * kLonger;
  std::uint64_t word = 0;
  Log log;
  RunThreads(kThreads, [&](int thread) {
    std::mt19937 random(static_cast<unsigned>(thread));
    auto& mine = log[static_cast<std::size_t>(thread)];
    mine.reserve(kTakes);
    for (int i = 0; i < kTakes; ++i) {
      mine.push_back(TakeUpTo(word, 0, kNoEnd, 1 + random() % 5));
    }
  });
  ExpectEachThreadIncreases(log);
  std::uint64_t next = 1;
  for (const Taken& taken : Merge(log)) {
    ASSERT_EQ(taken.first, next) << "taken twice, or left out";
    next += taken.count;
  }
  EXPECT_EQ(word, next - 1);
}

// Half of the threads add, as a session does that took a position in the tick; half swap.
TEST(PositionThreads, AddersAndSwappersShareOneWord) {
  constexpr std::uint64_t kEach = 20'000 * kLonger;
  std::uint64_t word = 0;
  std::vector<std::vector<Taken>> taken(kThreads);
  RunThreads(kThreads, [&](int thread) {
    std::vector<Taken>& mine = taken[static_cast<std::size_t>(thread)];
    mine.reserve(kEach);
    for (std::uint64_t i = 0; i < kEach; ++i) {
      if (thread % 2 == 0) {
        mine.push_back({TakeNext(word), 1});
      } else {
        mine.push_back(TakeUpTo(word, 0, ~std::uint64_t{0}, 1 + i % 3));
      }
    }
  });
  std::vector<Taken> all;
  for (const std::vector<Taken>& mine : taken) {
    for (std::size_t i = 1; i < mine.size(); ++i) ASSERT_GT(mine[i].first, mine[i - 1].first);
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::sort(all.begin(), all.end(),
            [](const Taken& a, const Taken& b) { return a.first < b.first; });
  EXPECT_EQ(all.front().first, 1U);
  for (std::size_t i = 1; i < all.size(); ++i) {
    ASSERT_EQ(all[i].first, all[i - 1].first + all[i - 1].count) << "a gap, or taken twice";
  }
  EXPECT_EQ(word, all.back().first + all.back().count - 1);
}

TEST(PositionThreads, NeverTakeBeyondTheEnd) {
  for (int round = 0; round < 10; ++round) {
    constexpr std::uint64_t kEnd = 1001;
    std::uint64_t word = 0;
    std::atomic<std::uint64_t> sum = 0;
    RunThreads(kThreads, [&](int thread) {
      const auto count = static_cast<std::uint64_t>(thread + 1);
      for (;;) {
        const Taken taken = TakeUpTo(word, 0, kEnd, count);
        if (taken.count == 0) return;
        EXPECT_LE(taken.first + taken.count, kEnd);
        if ((sum += taken.count) >= 2 * kEnd) return;  // it fails, and ends
      }
    });
    EXPECT_EQ(sum, kEnd - 1);
    EXPECT_EQ(word, kEnd - 1);
  }
}

// Threads whose clocks differ: each takes from its own base on, which only grows.
TEST(PositionThreads, GapsLieBelowABaseOnly) {
  constexpr int kTakes = 20'000 * kLonger;
  constexpr std::uint64_t kStride = 64;
  std::uint64_t word = 0;
  Log log;
  std::atomic<std::uint64_t> clock = 0;
  RunThreads(kThreads, [&](int thread) {
    std::mt19937 random(static_cast<unsigned>(thread));
    auto& mine = log[static_cast<std::size_t>(thread)];
    mine.reserve(kTakes);
    for (int i = 0; i < kTakes; ++i) {
      const std::uint64_t now = random() % 32 == 0 ? ++clock : clock.load();
      const std::uint64_t base = now * kStride;
      mine.push_back(TakeUpTo(word, base, kNoEnd, 1 + random() % 3));
      ASSERT_GE(mine.back().first, base);
    }
  });
  ExpectEachThreadIncreases(log);
  std::uint64_t next = 1;
  for (const Taken& taken : Merge(log)) {
    ASSERT_GE(taken.first, next) << "taken twice";
    ASSERT_TRUE(taken.first == next || taken.first % kStride == 0) << "left out";
    next = taken.first + taken.count;
  }
}

TEST(PositionThreads, WhatWasRaisedStaysBelow) {
  constexpr int kRounds = 10'000 * kLonger;
  std::uint64_t word = 0;
  Log log;
  RunThreads(kThreads, [&](int thread) {
    std::mt19937 random(static_cast<unsigned>(thread));
    auto& mine = log[static_cast<std::size_t>(thread)];
    mine.reserve(kRounds);
    for (int i = 0; i < kRounds; ++i) {
      // Only a little ahead, so that the others are there at the same moment.
      const std::uint64_t at_least = LoadPosition(word) + random() % 4;
      (void)RaisePosition(word, at_least);
      ASSERT_GE(LoadPosition(word), at_least);
      mine.push_back(TakeUpTo(word, 0, kNoEnd, 2));
      ASSERT_GT(mine.back().first, at_least);
      ASSERT_GE(LoadPosition(word), mine.back().first + 1);
    }
  });
  ExpectEachThreadIncreases(log);
  std::uint64_t next = 1;
  for (const Taken& taken : Merge(log)) {
    ASSERT_GE(taken.first, next) << "taken twice";
    next = taken.first + taken.count;
  }
}

TEST(PositionThreads, OneOfManyEqualRaisesSucceeds) {
  for (std::uint64_t round = 1; round <= 25; ++round) {
    std::uint64_t word = 5;
    std::atomic<int> raised = 0;
    RunThreads(kThreads, [&](int) { raised += RaisePosition(word, 5 + round) ? 1 : 0; });
    ASSERT_EQ(raised, 1);
    ASSERT_EQ(word, 5 + round);
  }
}

// The thread sanitizer sees here whether a position carries what was written before it.
TEST(PositionThreads, WhatWasWrittenBeforeIsSeenAfter) {
  for (int round = 0; round < 20; ++round) {
    std::uint64_t word = 0;
    int data = 0;
    RunThreads(2, [&](int thread) {
      if (thread == 0) {
        data = round;
        (void)TakeUpTo(word, 0, kNoEnd, 1);
      } else {
        while (LoadPosition(word) == 0) std::this_thread::yield();
        EXPECT_EQ(data, round);
      }
    });
  }
}

}  // namespace
}  // namespace idgen

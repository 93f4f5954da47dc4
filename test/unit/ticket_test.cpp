#include <idgen/ticket.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "threads.h"

namespace idgen {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

constexpr auto kAlways = [] { return true; };

TakenTickets TakeOne(Tickets& tickets, unsigned level = 0) {
  return TakeTickets(tickets, level, 1, 1, kAlways);
}

std::uint64_t Open(Tickets& tickets, std::int64_t base, std::int64_t increment,
                   std::uint64_t size) {
  const std::uint64_t ended = OpenTickets(tickets, base, increment);
  PublishTickets(tickets, TicketGeneration(tickets.word), size, size, 0);
  return ended;
}

TEST(Tickets, AZeroedRangeHasNone) {
  Tickets tickets{};
  EXPECT_EQ(TakeOne(tickets).count, 0U);
  EXPECT_EQ(tickets.word, 0U);
}

TEST(Tickets, AreTheNumbersOfTheRangeInOrder) {
  Tickets tickets{};
  Open(tickets, 10, 3, 4);
  for (const std::int64_t number : {10, 13, 16, 19}) EXPECT_EQ(TakeOne(tickets).first, number);
  EXPECT_EQ(TakeOne(tickets).count, 0U);
  Open(tickets, -5, -2, 3);
  for (const std::int64_t number : {-5, -7, -9}) EXPECT_EQ(TakeOne(tickets).first, number);
  EXPECT_EQ(TakeOne(tickets).count, 0U);
}

TEST(Tickets, SeveralAreTakenAtOnceAndNoneIfThereAreTooFew) {
  Tickets tickets{};
  Open(tickets, 1, 1, 10);
  const TakenTickets some = TakeTickets(tickets, 0, 1, 7, kAlways);
  EXPECT_EQ(some.first, 1);
  EXPECT_EQ(some.count, 7U);
  EXPECT_EQ(TakeTickets(tickets, 0, 4, 4, kAlways).count, 0U);
  const TakenTickets rest = TakeTickets(tickets, 0, 1, 100, kAlways);
  EXPECT_EQ(rest.first, 8);
  EXPECT_EQ(rest.count, 3U);
}

TEST(Tickets, NothingIsTakenWhereTheCallerSaysNo) {
  Tickets tickets{};
  Open(tickets, 1, 1, 10);
  EXPECT_EQ(TakeTickets(tickets, 0, 1, 1, [] { return false; }).count, 0U);
  EXPECT_EQ(TakeOne(tickets).first, 1);
}

TEST(Tickets, TheWordThatEndedARangeTellsHowManyWereTaken) {
  Tickets tickets{};
  Open(tickets, 1, 1, 10);
  (void)TakeTickets(tickets, 0, 1, 6, kAlways);
  EXPECT_EQ(TicketIndex(Open(tickets, 100, 1, 10)), 6U);
  EXPECT_EQ(TakeOne(tickets).first, 100);
}

TEST(Tickets, ARangeThatHasPassedIsNotPublished) {
  Tickets tickets{};
  (void)OpenTickets(tickets, 1, 1);
  const std::uint64_t passed = TicketGeneration(tickets.word);
  (void)OpenTickets(tickets, 100, 1);
  (void)OpenTickets(tickets, 200, 1);
  PublishTickets(tickets, passed, 10, 10, 0);
  EXPECT_EQ(TakeOne(tickets).count, 0U);
}

TEST(Tickets, AreHandedOutAtTheLevelThatTheyArePublishedFor) {
  Tickets tickets{};
  (void)OpenTickets(tickets, 1, 1);
  const std::uint64_t generation = TicketGeneration(tickets.word);
  PublishTickets(tickets, generation, 5, 5, 0);
  EXPECT_EQ(TakeOne(tickets, 1).count, 0U);
  EXPECT_EQ(TakeOne(tickets, 0).first, 1);
  PublishTickets(tickets, generation, 4, 4, 1);
  EXPECT_EQ(TakeTickets(tickets, 1, 1, 10, kAlways).count, 3U);
  // What was published for less stays.
  EXPECT_EQ(TakeOne(tickets, 0).first, 5);
}

TEST(Tickets, OneBeyondANumberSkipsThoseBefore) {
  const auto beyond = [](Tickets& tickets, std::int64_t number) {
    return TakeTicketBeyond(tickets, 0, number, kAlways);
  };
  Tickets tickets{};
  Open(tickets, 10, 3, 5);  // 10, 13, 16, 19, 22
  EXPECT_EQ(beyond(tickets, kLeast).first, 10);
  EXPECT_EQ(beyond(tickets, 2).first, 13);
  EXPECT_EQ(beyond(tickets, 18).first, 19);
  EXPECT_EQ(beyond(tickets, 22).count, 0U);
  EXPECT_EQ(beyond(tickets, kMost).count, 0U);
  EXPECT_EQ(TakeTicketBeyond(tickets, 0, 0, [] { return false; }).count, 0U);
  EXPECT_EQ(TakeOne(tickets).first, 22);
  EXPECT_EQ(TicketIndex(tickets.word), 5U);
  Open(tickets, 10, -3, 5);
  EXPECT_EQ(beyond(tickets, 5).count, 0U);
}

TEST(Tickets, ARangeIsLowAfterItsIndex) {
  Tickets tickets{};
  (void)OpenTickets(tickets, 1, 1);
  PublishTickets(tickets, TicketGeneration(tickets.word), 10, 2, 0);
  EXPECT_FALSE(TakeOne(tickets).is_low);
  EXPECT_FALSE(TakeOne(tickets).is_low);
  EXPECT_TRUE(TakeOne(tickets).is_low);
}

// While somebody lengthens it, nobody else is told to.
TEST(Tickets, ARangeThatIsQuietIsNotLow) {
  Tickets tickets{};
  (void)OpenTickets(tickets, 1, 1);
  const std::uint64_t generation = TicketGeneration(tickets.word);
  PublishTickets(tickets, generation, 10, 1, 0);
  QuietTickets(tickets, generation);
  EXPECT_FALSE(TakeOne(tickets).is_low);
  EXPECT_FALSE(TakeOne(tickets).is_low);
  PublishTickets(tickets, generation, 20, 2, 0);
  EXPECT_TRUE(TakeOne(tickets).is_low);
  (void)OpenTickets(tickets, 1, 1);
  QuietTickets(tickets, generation + 1);
  EXPECT_EQ(tickets.ranges[generation & 1].low, 2U);
}

TEST(Tickets, GenerationsBeginAgainAtTheirEnd) {
  Tickets tickets{};
  tickets.word = ~std::uint64_t{0} << kTicketIndexBits;
  Open(tickets, 7, 1, 1);
  EXPECT_EQ(TicketGeneration(tickets.word), 0U);
  EXPECT_EQ(TakeOne(tickets).first, 7);
}

TEST(CountTickets, CountsBothEnds) {
  EXPECT_EQ(CountTickets(1, 10, 1), 10U);
  EXPECT_EQ(CountTickets(1, 10, 4), 3U);
  EXPECT_EQ(CountTickets(10, 10, 4), 1U);
  EXPECT_EQ(CountTickets(11, 10, 4), 0U);
  EXPECT_EQ(CountTickets(10, 1, -4), 3U);
  EXPECT_EQ(CountTickets(1, 10, -4), 0U);
  EXPECT_EQ(CountTickets(kLeast, kMost, 1), kMostTickets);
  EXPECT_EQ(CountTickets(kMost, kLeast, -1), kMostTickets);
  EXPECT_EQ(CountTickets(kLeast, kMost, kMost), 3U);
  EXPECT_EQ(CountTickets(kMost, kLeast, kLeast), 2U);
}

TEST(StartTickets, GoesOnFromWhatTheSequenceShows) {
  EXPECT_EQ(StartTickets(5, true, 3, kMost, kLeast).first, 8);
  EXPECT_EQ(StartTickets(5, false, 3, kMost, kLeast).first, 5);
  EXPECT_EQ(StartTickets(5, true, -3, kMost, kLeast).first, 2);
  EXPECT_FALSE(StartTickets(5, true, 3, kMost, kLeast).is_moved);
  EXPECT_FALSE(StartTickets(kMost, true, 1, kMost, kLeast).exists);
  EXPECT_TRUE(StartTickets(kMost, false, 1, kMost, kLeast).exists);
  EXPECT_FALSE(StartTickets(kLeast, true, -1, kMost, kLeast).exists);
}

TEST(StartTickets, PassesOverWhatWasHandedOut) {
  // In steps of the sequence, so that an odd one stays odd.
  for (std::int64_t last = -3; last < 50; ++last) {
    for (const std::int64_t increment : {1, 2, 7, 100, -1, -3, -100}) {
      const TicketStart start = StartTickets(last, false, increment, 10, 40);
      ASSERT_TRUE(start.exists);
      EXPECT_EQ((start.first - last) % increment, 0);
      EXPECT_TRUE(increment > 0 ? start.first > 40 : start.first < 10) << last << " " << increment;
      const std::int64_t before = start.first - increment;
      EXPECT_TRUE(!start.is_moved || (increment > 0 ? before <= 40 : before >= 10));
      EXPECT_EQ(start.is_moved, increment > 0 ? last <= 40 : last >= 10);
    }
  }
}

TEST(StartTickets, EndsWhereTheNumbersDo) {
  EXPECT_FALSE(StartTickets(1, true, 1, 1, kMost).exists);
  EXPECT_FALSE(StartTickets(1, true, 5, 1, kMost - 1).exists);
  EXPECT_EQ(StartTickets(1, false, 1, 1, kMost - 1).first, kMost);
  EXPECT_FALSE(StartTickets(1, true, kMost, 1, kMost - 1).exists);
  EXPECT_FALSE(StartTickets(kLeast, false, kMost, kLeast, kMost - 1).exists);
  EXPECT_FALSE(StartTickets(1, true, -1, kLeast, 1).exists);
  EXPECT_EQ(StartTickets(1, false, -1, kLeast + 1, 1).first, kLeast);
  EXPECT_FALSE(StartTickets(kMost, false, kLeast, kLeast + 1, kMost).exists);
}

TEST(TicketThreads, TakeEachNumberOnce) {
  constexpr std::uint64_t kNumbers = 100'000 * kLonger;
  const auto tickets = std::make_unique<Tickets>();
  Open(*tickets, 0, 1, kNumbers);
  std::vector<std::uint8_t> times(kNumbers);
  RunThreads(kThreads, [&](int) {
    for (;;) {
      const TakenTickets one = TakeOne(*tickets);
      if (one.count == 0) return;
      ++std::atomic_ref(times[static_cast<std::size_t>(one.first)]);
    }
  });
  EXPECT_EQ(std::count(times.begin(), times.end(), 1), static_cast<std::int64_t>(kNumbers));
}

// Many threads take while one lengthens the range and puts others in its place.
TEST(TicketThreads, NoNumberIsTakenTwiceAndNoneThatWasNotPublished) {
  constexpr int kTakers = 4;
  constexpr std::int64_t kRanges = 300;
  constexpr std::uint64_t kSize = 64;
  const auto tickets = std::make_unique<Tickets>();
  std::atomic<bool> stop{false};
  std::vector<std::vector<std::int64_t>> taken(kTakers);
  std::vector<std::uint64_t> ends;
  RunThreads(kTakers + 1, [&](int thread) {
    if (thread < kTakers) {
      while (!stop) {
        const TakenTickets some =
            TakeTickets(*tickets, 0, 1, 1 + static_cast<std::uint64_t>(thread), kAlways);
        if (some.count == 0) std::this_thread::yield();
        for (std::uint64_t i = 0; i < some.count; ++i) {
          taken[static_cast<std::size_t>(thread)].push_back(
              TicketAt(some.first, some.increment, i));
        }
      }
      return;
    }
    for (std::int64_t range = 0; range < kRanges; ++range) {
      const std::int64_t increment = range % 2 == 0 ? 1 : 3;
      const std::uint64_t ended = OpenTickets(*tickets, range * 1000, increment);
      if (range > 0) ends.push_back(TicketIndex(ended));
      for (std::uint64_t size = kSize / 4; size <= kSize; size += kSize / 4) {
        PublishTickets(*tickets, TicketGeneration(ended) + 1, size, size, 0);
      }
      while (TicketIndex(LoadTicketWord(tickets->word)) < kSize / 2) std::this_thread::yield();
    }
    ends.push_back(TicketIndex(OpenTickets(*tickets, 0, 0)));
    stop = true;
  });
  std::vector<std::int64_t> all;
  for (const auto& list : taken) {
    EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
    all.insert(all.end(), list.begin(), list.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << "a number came twice";
  // The word that ended a range has told how many were taken from it: the first ones.
  std::vector<std::int64_t> expected;
  for (std::size_t range = 0; range < ends.size(); ++range) {
    for (std::uint64_t i = 0; i < ends[range]; ++i) {
      expected.push_back(
          TicketAt(static_cast<std::int64_t>(range) * 1000, range % 2 == 0 ? 1 : 3, i));
    }
  }
  EXPECT_EQ(all, expected);
}

}  // namespace
}  // namespace idgen

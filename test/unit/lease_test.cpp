#include <idgen/lease.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "threads.h"

namespace idgen {
namespace {

constexpr std::int64_t kTermMs = 30'000;
constexpr std::int64_t kNowMs = 1'700'000'000'000;

// --- What to ask for ---------------------------------------------------------------------------

TEST(LeaseUntil, IsATermAheadOfTheClock) {
  EXPECT_EQ(LeaseUntil(kNowMs, 0, kTermMs), kNowMs + kTermMs);
  EXPECT_EQ(LeaseUntil(kNowMs, kNowMs - 1, kTermMs), kNowMs + kTermMs);
  EXPECT_EQ(LeaseUntil(0, 0, kTermMs), kTermMs);
}

TEST(LeaseUntil, IsATermAheadOfWhatIsNeeded) {
  EXPECT_EQ(LeaseUntil(kNowMs, kNowMs + 1, kTermMs), kNowMs + 1 + kTermMs);
  EXPECT_EQ(LeaseUntil(kNowMs, kNowMs + kMostLeaseLeadMs, kTermMs),
            kNowMs + kMostLeaseLeadMs + kTermMs);
}

TEST(LeaseUntil, GoesNoFurtherForOneWrongValue) {
  const std::int64_t most = kNowMs + kMostLeaseLeadMs + kTermMs;
  EXPECT_EQ(LeaseUntil(kNowMs, kNowMs + kMostLeaseLeadMs + 1, kTermMs), most);
  EXPECT_EQ(LeaseUntil(kNowMs, std::numeric_limits<std::int64_t>::max(), kTermMs), most);
}

TEST(LeaseUntil, NeverFallsWithWhatItRestsOn) {
  for (const std::int64_t now_ms : {kNowMs, kNowMs + 1, kNowMs + kTermMs}) {
    std::int64_t before = 0;
    for (std::int64_t needed_ms = kNowMs - 5; needed_ms < kNowMs + 5; ++needed_ms) {
      const std::int64_t until_ms = LeaseUntil(now_ms, needed_ms, kTermMs);
      EXPECT_GE(until_ms, before);
      EXPECT_GT(until_ms, now_ms);
      EXPECT_GT(until_ms, needed_ms);
      EXPECT_GT(LeaseUntil(now_ms + 10, needed_ms, kTermMs), until_ms - 10);
      before = until_ms;
    }
  }
}

TEST(LeaseIsDue, AfterAThirdOfTheTerm) {
  const std::int64_t until_ms = kNowMs + kTermMs;
  EXPECT_FALSE(LeaseIsDue(kNowMs, 0, until_ms, 0, kTermMs));
  EXPECT_FALSE(LeaseIsDue(kNowMs, 0, until_ms, kTermMs / 3 - 1, kTermMs));
  EXPECT_TRUE(LeaseIsDue(kNowMs, 0, until_ms, kTermMs / 3, kTermMs));
}

TEST(LeaseIsDue, WhereLessThanTwoThirdsAreLeft) {
  const std::int64_t until_ms = kNowMs + kTermMs;
  EXPECT_FALSE(LeaseIsDue(kNowMs + kTermMs / 3 - 1, 0, until_ms, 0, kTermMs));
  EXPECT_TRUE(LeaseIsDue(kNowMs + kTermMs / 3, 0, until_ms, 0, kTermMs));
  EXPECT_TRUE(LeaseIsDue(kNowMs + 3'600'000, 0, until_ms, 0, kTermMs)) << "the clock was set ahead";
}

TEST(LeaseIsDue, WhereMoreIsNeeded) {
  const std::int64_t until_ms = kNowMs + kTermMs;
  EXPECT_FALSE(LeaseIsDue(kNowMs, kNowMs + kTermMs / 3 - 1, until_ms, 0, kTermMs));
  EXPECT_TRUE(LeaseIsDue(kNowMs, kNowMs + kTermMs / 3, until_ms, 0, kTermMs));
}

// Else a server whose clock went back an hour would be dead for the registry, and alive for itself.
TEST(LeaseIsDue, AfterAThirdOfTheTermAlsoWhereTheClockWentBack) {
  const std::int64_t until_ms = kNowMs + kTermMs;
  EXPECT_FALSE(LeaseIsDue(kNowMs - 3'600'000, 0, until_ms, kTermMs / 3 - 1, kTermMs));
  EXPECT_TRUE(LeaseIsDue(kNowMs - 3'600'000, 0, until_ms, kTermMs / 3, kTermMs));
}

// --- The grant ---------------------------------------------------------------------------------

TEST(Grant, IsNothingAtFirst) {
  const Grant grant;
  EXPECT_EQ(UntilMs(grant), 0);
  EXPECT_FALSE(HasEnded(grant));
  EXPECT_EQ(LeaseLimitMs(kNowMs, grant), 0);
}

TEST(Grant, RisesAfterTheRegistryHasAgreed) {
  Grant grant;
  int asked = 0;
  const auto ask = [&](std::int64_t until_ms) {
    ++asked;
    EXPECT_EQ(until_ms, kNowMs);
    EXPECT_EQ(UntilMs(grant), 0) << "used before the registry knew";
    return true;
  };
  EXPECT_TRUE(RaiseGrant(grant, kNowMs, ask));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(UntilMs(grant), kNowMs);
}

TEST(Grant, StaysWhereTheRegistryHasNotAgreed) {
  Grant grant{100, 0};
  EXPECT_FALSE(RaiseGrant(grant, 200, [](std::int64_t) { return false; }));
  EXPECT_EQ(UntilMs(grant), 100);
}

TEST(Grant, NeverFalls) {
  Grant grant{100, 0};
  EXPECT_TRUE(RaiseGrant(grant, 50, [](std::int64_t) { return true; }));
  EXPECT_EQ(UntilMs(grant), 100);
}

TEST(Grant, EndsForGoodAndKeepsItsTime) {
  Grant grant{100, 0};
  EndGrant(grant);
  EXPECT_TRUE(HasEnded(grant));
  EndGrant(grant);
  EXPECT_TRUE(HasEnded(grant));
  EXPECT_EQ(UntilMs(grant), 100);
}

TEST(Grant, LimitsBesideTheMark) {
  Grant grant{100, 0};
  EXPECT_EQ(LeaseLimitMs(99, grant), 99);
  EXPECT_EQ(LeaseLimitMs(100, grant), 100);
  EXPECT_EQ(LeaseLimitMs(101, grant), 100);
  EndGrant(grant);
  EXPECT_EQ(LeaseLimitMs(99, grant), 99);
  EXPECT_EQ(LeaseLimitMs(101, grant), 100) << "what it covers stays covered, and no more";
}

// --- Giving back -------------------------------------------------------------------------------

TEST(GiveBack, SaysUpToWhenIdsWereMade) {
  Grant grant{100, 0};
  const std::uint64_t users = 0;
  const auto known_ms = [&grant] {
    EXPECT_TRUE(HasEnded(grant)) << "read while a session might still come";
    return std::int64_t{70};
  };
  EXPECT_EQ(GiveBack(grant, users, known_ms), 70);
  EXPECT_TRUE(HasEnded(grant));
}

TEST(GiveBack, NeverSaysMoreThanWasGranted) {
  Grant grant{100, 0};
  EXPECT_EQ(GiveBack(grant, 0, [] { return std::int64_t{170}; }), 100);
}

TEST(GiveBack, SaysAllThatWasGrantedWhereSomebodyMayStillUseIt) {
  Grant grant{100, 0};
  std::uint64_t users = 0;
  JoinUsers(users);
  JoinUsers(users);
  LeaveUsers(users);
  EXPECT_EQ(GiveBack(grant, users, [] { return std::int64_t{70}; }), 100);
  EXPECT_TRUE(HasEnded(grant));
  LeaveUsers(users);
  EXPECT_EQ(users, 0U);
}

// Each session counts itself, looks whether the grant has ended, and uses it if it has not. The
// grant is given back at any moment: what was used is never later than what the registry hears.
TEST(GiveBack, SeesEachSessionThatMayUseTheGrant) {
  for (int round = 0; round < 200 * kLonger; ++round) {
    Grant grant{100, 0};
    std::uint64_t users = 0;
    std::uint64_t known = 10;
    std::int64_t released_ms = 0;
    std::atomic<std::int64_t> used_ms = 0;
    RunThreads(3, [&](int thread) {
      if (thread == 0) {
        released_ms =
            GiveBack(grant, users, [&] { return static_cast<std::int64_t>(LoadPosition(known)); });
        return;
      }
      JoinUsers(users);
      if (!HasEnded(grant)) {
        RaisePosition(known, 60);
        used_ms = 60;
      }
      if (thread == 1) LeaveUsers(users);
    });
    ASSERT_GE(released_ms, used_ms.load());
    ASSERT_LE(released_ms, 100);
  }
}

}  // namespace
}  // namespace idgen

#include <idgen/reading.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <string>

namespace idgen {
namespace {

constexpr std::uint64_t kPerUs = 1000;
constexpr std::int64_t kTickUs = 1000;
constexpr std::int64_t kNowUs = 1'795'000'000'000'000;
constexpr std::uint64_t kMostReuses = 1000;
static_assert(ClockReading::kMostReuses == kMostReuses);
constexpr std::int64_t kOldestUs = ClockReading::kOldestUs;
static_assert(kOldestUs == 8);

// At most a 64th of a tick and at most 8 us, in cycles.
std::uint64_t MostCycles(std::int64_t tick_us) {
  return static_cast<std::uint64_t>(std::min<std::int64_t>(tick_us / 64, 8)) * kPerUs;
}

std::int64_t Read(ClockReading& reading, std::uint64_t cycles, std::int64_t now_us) {
  return reading.Read([cycles] { return cycles; }, [now_us] { return now_us; });
}
bool IsFresh(ClockReading& reading, std::uint64_t cycles) {
  return reading.IsFresh([cycles] { return cycles; });
}

// A reading at `cycles`, and one before it from which the counter has kept up.
ClockReading ReadingAt(std::uint64_t cycles, std::int64_t tick_us = kTickUs) {
  ClockReading reading(ClockReading::OldestUs(tick_us), kPerUs);
  (void)Read(reading, cycles - 10 * kPerUs, kNowUs - 10);
  (void)Read(reading, cycles, kNowUs);
  return reading;
}

TEST(ClockReading, IsNeverFreshBeforeTheFirst) {
  ClockReading unset;
  ClockReading set(kOldestUs, kPerUs);
  for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    EXPECT_FALSE(IsFresh(unset, count));
    EXPECT_FALSE(IsFresh(set, count));
  }
}

TEST(ClockReading, IsTheClocks) {
  ClockReading reading(kOldestUs, kPerUs);
  for (const std::int64_t now :
       {kNowUs, kNowUs + 1, std::int64_t{0}, std::int64_t{-1},
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(Read(reading, 5, now), now);
  }
}

TEST(ClockReading, ReadsTheCounterBeforeTheClock) {
  ClockReading reading(kOldestUs, kPerUs);
  std::string order;
  (void)reading.Read([&order] { return order += "counter ", 0U; },
                     [&order] { return order += "clock ", kNowUs; });
  EXPECT_EQ(order, "counter clock ");
}

TEST(ClockReading, WithoutACounterNeverServesAgain) {
  ClockReading no_counter(kOldestUs, 0);
  ClockReading short_tick(ClockReading::OldestUs(63), kPerUs);  // less than a microsecond
  const auto counter = []() -> std::uint64_t {
    ADD_FAILURE() << "the counter was asked";
    return 0;
  };
  for (ClockReading* reading : {&no_counter, &short_tick}) {
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(reading->Read(counter, [] { return kNowUs; }), kNowUs);
      EXPECT_FALSE(reading->IsFresh(counter));
    }
  }
}

TEST(ClockReading, IsFreshForASmallPartOfATickOnly) {
  for (const std::int64_t tick_us : {64, 100, 128, 500, 512, 1000, 10'000, 1'000'000}) {
    const std::uint64_t most = MostCycles(tick_us);
    for (const std::uint64_t start :
         {std::uint64_t{0}, std::uint64_t{12'345}, ~std::uint64_t{0}, ~std::uint64_t{0} - 100}) {
      ClockReading reading = ReadingAt(start, tick_us);
      EXPECT_TRUE(IsFresh(reading, start));
      EXPECT_TRUE(IsFresh(reading, start + most - 1));
      EXPECT_FALSE(IsFresh(reading, start + most));
      EXPECT_FALSE(IsFresh(reading, start - 1)) << "a counter that went back";
      EXPECT_FALSE(IsFresh(reading, start + (std::uint64_t{1} << 63)));
    }
  }
}

TEST(ClockReading, ServesAThousandTimes) {
  ClockReading reading = ReadingAt(5);
  for (std::uint64_t i = 0; i < kMostReuses; ++i) ASSERT_TRUE(IsFresh(reading, 5));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(IsFresh(reading, 5));
}

TEST(ClockReading, ServesNoMoreOnceForgotten) {
  ClockReading reading = ReadingAt(5);
  EXPECT_TRUE(IsFresh(reading, 5));
  reading.Forget();
  EXPECT_FALSE(IsFresh(reading, 5));
}

// The first reading says nothing of the counter; one some microseconds later does.
TEST(ClockReading, ServesOnlyIfTheCounterKeptUpWithTheClock) {
  struct Case {
    std::uint64_t cycles;  // since the reading before
    std::int64_t us;
    bool serves;
  };
  constexpr std::int64_t kLong = std::int64_t{1} << 31;
  for (const Case& c : {
           Case{0, 8, false},      // stands still
           Case{8'000, 7, false},  // too short a time to tell
           Case{8'000, 8, true},
           Case{5'000, 10, true},  // half of its rate, and a little less
           Case{4'999, 10, false},
           Case{1'000'000, 10, true},          // faster than it says
           Case{1'000'000, -10, false},        // the clock went back
           Case{-std::uint64_t{1}, 0, false},  // the counter went back
           Case{-std::uint64_t{1'000'000}, 10, false},
           Case{static_cast<std::uint64_t>(kLong - 1) * kPerUs, kLong - 1, true},
           Case{static_cast<std::uint64_t>(kLong) * kPerUs, kLong, false},  // too long to tell
           Case{std::uint64_t{1} << 62, std::numeric_limits<std::int64_t>::max() - kNowUs, false},
       }) {
    constexpr std::uint64_t kStart = 77;
    ClockReading reading(kOldestUs, kPerUs);
    (void)Read(reading, kStart, kNowUs);
    EXPECT_FALSE(IsFresh(reading, kStart)) << "the first";
    (void)Read(reading, kStart + c.cycles, kNowUs + c.us);
    EXPECT_EQ(IsFresh(reading, kStart + c.cycles), c.serves) << c.cycles << ' ' << c.us;
    // Trusted again as soon as it does keep up, and no longer than that.
    std::uint64_t cycles = kStart + c.cycles;
    std::uint64_t us = static_cast<std::uint64_t>(kNowUs + c.us);
    for (const std::uint64_t rate : {kPerUs, kPerUs / 10, kPerUs}) {
      us += 16;
      cycles += 16 * rate;
      (void)Read(reading, cycles, static_cast<std::int64_t>(us));
      EXPECT_EQ(IsFresh(reading, cycles), rate == kPerUs) << c.cycles << ' ' << c.us;
    }
  }
}

TEST(ClockReading, IsNotTrustedOnceTheCounterWentBack) {
  ClockReading reading = ReadingAt(1'000);
  (void)Read(reading, 999, kNowUs + 1);
  EXPECT_FALSE(IsFresh(reading, 999));
}

// A judgement is good for the readings that follow it at once.
TEST(ClockReading, IsNotJudgedByAMomentAlone) {
  ClockReading reading = ReadingAt(1'000);
  (void)Read(reading, 1'000, kNowUs + 7);
  EXPECT_TRUE(IsFresh(reading, 1'000));
  (void)Read(reading, 1'001, kNowUs + 8);
  EXPECT_FALSE(IsFresh(reading, 1'001));
  (void)Read(reading, 9'000, kNowUs + 9);
  EXPECT_FALSE(IsFresh(reading, 9'000));
}

// --- Hostile counters ------------------------------------------------------------------

// Calls at random moments of a true time, with a clock that is right and a counter that is a
// function of the true time and the number of the call. Tells how old the readings were that
// served again.
struct Served {
  std::uint64_t in_time = 0;  // young enough, within the tolerance of a counter at half its rate
  std::uint64_t late = 0;
  double oldest_us = 0;
  std::uint64_t most_of_one_reading = 0;
};

constexpr double kTolerableUs = 2 * kOldestUs;

Served Serve(const std::function<std::uint64_t(double us, std::uint64_t call)>& count,
             double most_between_us, unsigned seed) {
  std::mt19937_64 random(seed);
  ClockReading reading(kOldestUs, kPerUs);
  Served served;
  double now = 1e6;
  double read_at = 0;
  std::uint64_t call = 0;
  std::uint64_t of_this_reading = 0;
  for (int i = 0; i < 50'000; ++i) {
    now += std::uniform_real_distribution(0.02, most_between_us)(random);
    const auto counter = [&] { return count(now, ++call); };
    if (reading.IsFresh(counter)) {
      const double age = now - read_at;
      ++(age <= kTolerableUs ? served.in_time : served.late);
      served.oldest_us = std::max(served.oldest_us, age);
      served.most_of_one_reading = std::max(served.most_of_one_reading, ++of_this_reading);
    } else {
      (void)reading.Read(counter, [&] { return static_cast<std::int64_t>(now); });
      read_at = now;
      of_this_reading = 0;
    }
  }
  return served;
}

std::uint64_t Right(double us) { return static_cast<std::uint64_t>(us * 2'600); }

class HostileCounter : public testing::TestWithParam<std::tuple<double, unsigned>> {
 protected:
  Served ServeWith(const std::function<std::uint64_t(double us, std::uint64_t call)>& count) const {
    return Serve(count, std::get<0>(GetParam()), std::get<1>(GetParam()));
  }
};

INSTANTIATE_TEST_SUITE_P(UsBetweenCalls, HostileCounter,
                         testing::Combine(testing::Values(0.1, 3, 50, 20'000),
                                          testing::Values(1, 2, 3)));

TEST_P(HostileCounter, OneThatIsRightNeverServesLate) {
  const Served served = ServeWith([](double us, std::uint64_t) { return Right(us); });
  EXPECT_EQ(served.late, 0U);
  EXPECT_LE(served.oldest_us, 8.0);
  if (std::get<0>(GetParam()) < 1) {
    EXPECT_GT(served.in_time, 40'000U) << "else nothing is tested here";
  }
}

TEST_P(HostileCounter, OneThatStandsStillServesNever) {
  const Served served = ServeWith([](double, std::uint64_t) { return 12'345U; });
  EXPECT_EQ(served.in_time + served.late, 0U);
}

TEST_P(HostileCounter, OneThatCountsTheCallsServesNever) {
  const Served served = ServeWith([](double, std::uint64_t call) { return call; });
  EXPECT_EQ(served.in_time + served.late, 0U);
}

// From some moment on: the reading in use serves too long, and it is the last that does.
TEST_P(HostileCounter, OneThatStopsServesOneReadingTooLong) {
  const double between = std::get<0>(GetParam());
  for (const double after : {0.0, 3.0, 7.9}) {
    const double stop = 1e6 + between * 1'000 + after;
    const Served served =
        ServeWith([stop](double us, std::uint64_t) { return Right(std::min(us, stop)); });
    EXPECT_LE(served.late, kMostReuses);
    EXPECT_LE(served.in_time, 10'000U) << "still served by the stopped one";
  }
}

TEST_P(HostileCounter, OneThatGoesSlowServesOneReadingTooLong) {
  const double slow_at = 1e6 + std::get<0>(GetParam()) * 1'000;
  for (const double slower : {10.0, 1'000.0, 1e6}) {
    const Served served = ServeWith([=](double us, std::uint64_t) {
      return us < slow_at ? Right(us) : Right(slow_at + (us - slow_at) / slower);
    });
    EXPECT_LE(served.late, kMostReuses) << slower;
  }
}

// CPUs whose counters differ: no later than by the difference.
TEST_P(HostileCounter, TwoThatDifferServeLateByTheDifferenceAtMost) {
  for (const double apart_us : {0.5, 5.0, 300.0, 1e6}) {
    const Served served = ServeWith([=](double us, std::uint64_t call) {
      return Right(us + (call * 0x9E3779B97F4A7C15U >> 60 < 8 ? apart_us : 0));
    });
    EXPECT_LE(served.oldest_us, 8 + apart_us) << apart_us;
    EXPECT_LE(served.most_of_one_reading, kMostReuses);
  }
}

// Whatever it does, no reading serves more than a bounded number of times.
TEST_P(HostileCounter, OneThatJumpsKeepsTheBound) {
  std::mt19937_64 random(7);
  std::uint64_t offset = 0;
  for (const std::uint64_t far : {std::uint64_t{100}, std::uint64_t{10'000}, ~std::uint64_t{0}}) {
    const Served served = ServeWith([&](double us, std::uint64_t) {
      if (random() % 64 == 0) offset += random() % far - far / 2;
      return Right(us) + offset;
    });
    EXPECT_LE(served.most_of_one_reading, kMostReuses);
  }
  const Served noise = ServeWith([&](double, std::uint64_t) { return random(); });
  EXPECT_LE(noise.in_time + noise.late, 5U) << "one in 2^50 serves";
}

}  // namespace
}  // namespace idgen

#include <idgen/hlc.h>

#include <idgen/loop.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace idgen {
namespace {

constexpr std::int64_t kOffsetUs = 500'000;
constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

std::string TextOf(std::uint64_t hlc) {
  std::string text(kHlcTextSize, ' ');
  WriteHlc(hlc, text.data());
  return text;
}

std::uint64_t At(std::uint64_t ms, std::uint64_t logical) { return ms << 17 | logical; }

// A server: its clock, and its hybrid logical clock.
struct Server {
  std::uint64_t word = 0;
  std::uint64_t start = 0;
  std::int64_t clock_us = 0;
  std::int64_t waited_us = 0;

  struct Policy {
    Server* of;

    Source Refresh() const {
      const GuardSettings guard = HlcGuard(2'000'000, kOffsetUs, of->word >= of->start);
      return {&of->word, &kHlc, 0, guard, {kNoLimit, of->start, 0, {}}};
    }
    std::int64_t ClockUs() const noexcept { return of->clock_us; }
    std::int64_t MonotonicUs() const noexcept { return of->clock_us; }
    static bool Extend(std::uint64_t, std::int64_t) { return true; }
    bool Wait(std::int64_t us) const {
      of->clock_us += us;
      of->waited_us += us;
      return true;
    }
    static void NoteAttempt(const Attempt&) {}
    static void NoteWait(std::int64_t) {}
    static void NoteIssued(const Attempt&) {}
  };

  // 0 where it fails.
  std::uint64_t Now() {
    Policy policy{this};
    const LoopResult result = TakeByLoop(policy, {});
    return result.ending == Ending::kDone ? result.attempt.taken.first : 0;
  }
  std::uint64_t Receive(std::uint64_t hlc) {
    Policy policy{this};
    return ObserveId(policy, hlc).ending == Ending::kDone ? Now() : 0;
  }
};

TEST(Hlc, AnIdIsAPosition) {
  for (const std::uint64_t position : {At(0, 0), At(1, 2), kHlc.MaxPosition()}) {
    EXPECT_EQ(static_cast<std::uint64_t>(kHlc.Compose(position, 0)), position);
    EXPECT_EQ(kHlc.PositionNotAbove(position, 0), position);
  }
  EXPECT_EQ(CheckLayout(kHlc), LayoutError::kNone);
  EXPECT_EQ(kHlc.TotalBits(), 63U);
}

TEST(Hlc, TheRulesOfThePaper) {
  Server server{.clock_us = 10'000'000};
  EXPECT_EQ(server.Now(), At(10'000, 0));
  EXPECT_EQ(server.Now(), At(10'000, 1));  // the clock stands still: the logical number counts
  server.clock_us += 1000;
  EXPECT_EQ(server.Now(), At(10'001, 0));                   // the clock is ahead of both
  EXPECT_EQ(server.Receive(At(9'000, 7)), At(10'001, 1));   // one's own is
  EXPECT_EQ(server.Receive(At(10'001, 5)), At(10'001, 6));  // both of one time
  EXPECT_EQ(server.Receive(At(10'100, 7)), At(10'100, 8));  // the received one is
  EXPECT_EQ(server.Now(), At(10'100, 9));
  server.clock_us = 10'101'999;
  EXPECT_EQ(server.Receive(At(10'100, 9)), At(10'101, 0));
  EXPECT_EQ(server.waited_us, 0);
}

TEST(Hlc, TooFarAhead) {
  Server server{.clock_us = 10'000'000};
  const std::uint64_t first = server.Now();
  EXPECT_EQ(server.Receive(At(10'501, 0)), 0U);
  EXPECT_EQ(server.Now(), first + 1);  // and nothing has changed
  EXPECT_EQ(server.Receive(At(10'500, 0)), At(10'500, 1));
  // The last one that is accepted leaves no room in its tick.
  EXPECT_EQ(server.Receive(At(10'500, 131'071)), At(10'501, 0));
  EXPECT_EQ(server.Receive(At(10'500, 131'071)), At(10'501, 1));
  EXPECT_EQ(server.waited_us, 0);
}

// Whoever raises the clock as far as he can, all the time, keeps nobody waiting.
TEST(Hlc, NobodyIsHeldUp) {
  Server server{.clock_us = 10'000'000};
  server.Now();
  std::uint64_t last = 0;
  for (int i = 0; i < 10'000; ++i) {
    server.clock_us += i % 1'000;
    const auto most = static_cast<std::uint64_t>((server.clock_us + kOffsetUs) / 1000);
    Server::Policy attacker{&server};
    EXPECT_EQ(ObserveId(attacker, At(most, 131'071)).ending, Ending::kDone);
    const std::uint64_t made = server.Now();
    ASSERT_GT(made, last);
    ASSERT_LE(made >> 17, most + 1);
    last = made;
  }
  EXPECT_EQ(server.waited_us, 0);
}

TEST(Hlc, AClockThatWentBack) {
  Server server{.clock_us = 10'000'000};
  const std::uint64_t first = server.Now();
  server.clock_us -= kOffsetUs;
  EXPECT_EQ(server.Now(), first + 1);
  EXPECT_EQ(server.waited_us, 0);
  server.clock_us -= 300'000;
  EXPECT_EQ(server.Now(), first + 2);
  EXPECT_EQ(server.waited_us, 299'000);  // until it is the offset and a tick behind
  server.clock_us -= 10'000'000;
  EXPECT_EQ(server.Now(), 0U);
}

// A mark that is ahead of the clock is waited for, but not by what was received since.
TEST(Hlc, AfterAStart) {
  Server server{.word = At(10'400, 0) - 1, .start = At(10'400, 0), .clock_us = 10'000'000};
  EXPECT_EQ(server.Receive(At(10'200, 0)), At(10'400, 0));
  EXPECT_EQ(server.waited_us, 400'000);
  server = {.word = At(10'400, 0) - 1, .start = At(10'400, 0), .clock_us = 10'000'000};
  EXPECT_EQ(server.Receive(At(10'450, 3)), At(10'450, 4));
  EXPECT_EQ(server.waited_us, 0);
}

// Servers whose clocks differ by no more than the offset refuse nothing, and nothing is ahead of
// the fastest clock.
TEST(Hlc, ManyServersThatExchangeMessages) {
  std::mt19937_64 random(20260101);
  std::array<Server, 4> servers;
  std::array<std::int64_t, 4> offsets_us{0, kOffsetUs, kOffsetUs / 2, 1};
  struct Message {
    std::uint64_t hlc;
    std::int64_t sent_us;
  };
  std::vector<Message> messages;
  std::int64_t true_us = 10'000'000;
  std::array<std::uint64_t, 4> last{};
  for (int i = 0; i < 20'000; ++i) {
    true_us += static_cast<std::int64_t>(random() % 300);
    if (random() % 50 == 0) {
      offsets_us[random() % 4] = static_cast<std::int64_t>(random() % (kOffsetUs + 1));
    }
    for (std::size_t s = 0; s < 4; ++s) servers[s].clock_us = true_us + offsets_us[s];
    const std::size_t who = random() % 4;
    std::uint64_t made = 0;
    if (messages.empty() || random() % 2 == 0) {
      made = servers[who].Now();
      messages.push_back({made, true_us});
    } else {
      const Message message = messages[random() % messages.size()];
      made = servers[who].Receive(message.hlc);
      ASSERT_GT(made, message.hlc);
    }
    ASSERT_GT(made, last[who]);
    ASSERT_LE(static_cast<std::int64_t>(made >> 17) * 1000, true_us + kOffsetUs);
    last[who] = made;
  }
  for (const Server& server : servers) EXPECT_EQ(server.waited_us, 0);
}

TEST(HlcText, Known) {
  EXPECT_EQ(TextOf(0), "1970-01-01T00:00:00.000Z-000000");
  EXPECT_EQ(TextOf(kHlc.MaxId()), "4199-11-24T01:22:57.663Z-131071");
  EXPECT_EQ(TextOf(At(951'782'399'999, 42)), "2000-02-28T23:59:59.999Z-000042");
  EXPECT_EQ(TextOf(At(951'782'400'000, 0)), "2000-02-29T00:00:00.000Z-000000");
  EXPECT_EQ(TextOf(At(1'645'557'742'001, 131'071)), "2022-02-22T19:22:22.001Z-131071");
}

TEST(HlcText, ReadsWhatItWritesInOrder) {
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> numbers{0, kHlc.MaxId()};
  for (int i = 0; i < 20'000; ++i) {
    // Neighbours too, and all magnitudes.
    numbers.push_back((random() & kHlc.MaxId()) >> random() % 46);
    numbers.push_back(std::min(numbers.back() + random() % 3, kHlc.MaxId()));
  }
  std::sort(numbers.begin(), numbers.end());
  std::string before;
  std::uint64_t previous = 0;
  for (const std::uint64_t number : numbers) {
    const std::string text = TextOf(number);
    std::uint64_t read = 1;
    ASSERT_TRUE(ReadHlc(text, read)) << text;
    ASSERT_EQ(read, number) << text;
    ASSERT_EQ(before < text, previous < number || before.empty()) << text;
    before = text;
    previous = number;
  }
}

TEST(HlcText, Refused) {
  std::uint64_t read = 0;
  for (const char* text : {"",
                           "2022-02-22T19:22:22.001Z",
                           "2022-02-22T19:22:22.001Z-131072",
                           "2022-02-22T19:22:22.001Z-1310711",
                           "2022-02-22T19:22:22.001Z-13107",
                           "2022-02-22 19:22:22.001Z-000000",
                           "2022-02-22t19:22:22.001z-000000",
                           "2022-02-30T19:22:22.001Z-000000",
                           "2022-13-01T19:22:22.001Z-000000",
                           "2022-00-01T19:22:22.001Z-000000",
                           "2022-01-00T19:22:22.001Z-000000",
                           "2023-02-29T00:00:00.000Z-000000",
                           "2022-02-22T24:00:00.000Z-000000",
                           "2022-02-22T23:60:00.000Z-000000",
                           "2022-02-22T23:59:60.000Z-000000",
                           "1969-12-31T23:59:59.999Z-000000",
                           "4199-11-24T01:22:57.664Z-000000",
                           "9999-12-31T23:59:59.999Z-000000",
                           "2022-02-22T19:22:22.001Z-00000 ",
                           "+022-02-22T19:22:22.001Z-000000",
                           "2022-02-22T19:22:22.001Z+000000"}) {
    EXPECT_FALSE(ReadHlc(text, read)) << text;
  }
  // Any character in any place that is not one of the form.
  const std::string good = TextOf(At(1'645'557'742'001, 42));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char c : {'\0', '/', ':', ';', 'a', '\xff'}) {
      std::string bad = good;
      if (bad[at] == c) continue;
      bad[at] = c;
      EXPECT_FALSE(ReadHlc(bad, read)) << bad;
    }
  }
}

}  // namespace
}  // namespace idgen

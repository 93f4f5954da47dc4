// Mode lead in made-up time: many callers of all modes, on one word, that burst as fast as they
// can, under a clock that runs as it should or is set back. Leads come from clocks that went
// back, never from bursts, so a clock that is right fails nobody.
#include <idgen/cursor.h>
#include <idgen/generator.h>
#include <idgen/guard.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <vector>

namespace idgen {
namespace {

using enum FieldKind;
using enum ClockRegression;

constexpr std::int64_t kStartUs = 1'795'000'000'000'000;

Layout LayoutOf(std::int64_t tick_us, std::uint8_t sequence_bits) {
  return MakeLayout("led", tick_us, 1577836800000, {{kTimestamp, 42}, {kSequence, sequence_bits}});
}

// Both clocks. The wall clock runs as the monotonic one, and `offset_us` is where it stands.
struct Time {
  std::int64_t monotonic_us = 1'000'000;
  std::int64_t offset_us = kStartUs;
  std::int64_t largest_offset_us = kStartUs;

  [[nodiscard]] std::int64_t wall_us() const { return monotonic_us + offset_us; }
  // How far the clock is behind where it would be, had it never been set back.
  [[nodiscard]] std::int64_t back_us() const { return largest_offset_us - offset_us; }
  void Set(std::int64_t by_us) {
    offset_us += by_us;
    largest_offset_us = std::max(largest_offset_us, offset_us);
  }
};

// --- The guard, and cursors before it ----------------------------------------------------------

struct Plan {
  std::int64_t tick_us = 1'000;
  std::uint8_t sequence_bits = 2;
  std::int64_t max_clock_lead_us = 10'000'000;
  std::int64_t furthest_back_us = 0;  // 0: the clock is never set
  std::vector<ClockRegression> modes;
  bool has_cursors = false;
};

void PrintTo(const Plan& plan, std::ostream* out) {
  *out << plan.tick_us << " us, " << int{plan.sequence_bits} << " bits, lead "
       << plan.max_clock_lead_us << ", back " << plan.furthest_back_us << ", callers "
       << plan.modes.size() << (plan.has_cursors ? ", cursors" : "");
}

// One event after the other: the caller whose time has come makes one attempt, as the loops of
// the generator and of the database do, and then waits as it is told, or begins its next call.
class Callers {
 public:
  Callers(const Plan& plan, std::uint64_t seed)
      : plan_(plan), layout_(LayoutOf(plan.tick_us, plan.sequence_bits)), random_(seed) {
    for (const ClockRegression mode : plan.modes) {
      Caller caller;
      caller.settings = {.mode = mode, .max_clock_lead_us = plan.max_clock_lead_us};
      caller.allowance = Allowance(layout_, 1, 0);
      caller.allowance.Open(layout_.MaxPosition() + 1);
      callers_.push_back(caller);
    }
  }

  void Run(std::int64_t ticks) {
    const std::int64_t end_us = time_.monotonic_us + ticks * plan_.tick_us;
    while (!testing::Test::HasFatalFailure()) {
      const auto next = std::min_element(
          callers_.begin(), callers_.end(),
          [](const Caller& a, const Caller& b) { return a.wakes_us < b.wakes_us; });
      time_.monotonic_us = std::max(time_.monotonic_us, next->wakes_us);
      if (time_.monotonic_us >= end_us) return;
      if (plan_.furthest_back_us > 0 && time_.monotonic_us >= is_set_at_us_) {
        SetClock();
        is_set_at_us_ += static_cast<std::int64_t>(2 + random_() % 9) * plan_.tick_us;
      }
      TryOnce(*next);
    }
  }

  // The clock is set back, once.
  void SetBack(std::int64_t us) {
    time_.Set(-us);
    was_set_ = true;
  }

  // How far the last ID is ahead of the clock.
  [[nodiscard]] std::int64_t lead_us() const {
    return layout_.StartOfTick(largest_ >> layout_.SequenceBits()) - time_.wall_us();
  }

  [[nodiscard]] std::uint64_t IssuedIn(ClockRegression mode) const { return issued_[Index(mode)]; }
  [[nodiscard]] std::uint64_t FailedIn(ClockRegression mode) const { return failed_[Index(mode)]; }
  [[nodiscard]] std::int64_t longest_lead_us() const { return longest_lead_us_; }

 private:
  struct Caller {
    GuardSettings settings;
    Allowance allowance;
    Cursor cursor;
    bool is_calling = false;
    Request request;
    WaitBudget budget;
    std::int64_t wakes_us = 0;
  };

  static std::size_t Index(ClockRegression mode) { return static_cast<std::size_t>(mode); }

  // Never further back in all than the plan says.
  void SetClock() {
    const auto most = static_cast<std::uint64_t>(plan_.furthest_back_us);
    const auto by_us = static_cast<std::int64_t>(random_() % most);
    if (random_() % 3 == 0) {
      time_.Set(by_us);
    } else {
      time_.Set(-std::min(by_us, plan_.furthest_back_us - time_.back_us()));
    }
  }

  void TryOnce(Caller& caller) {
    const auto clock = [this] { return time_.wall_us(); };
    if (!caller.is_calling) {
      caller.is_calling = true;
      caller.budget = {};
      caller.request = {1 + random_() % layout_.IdsPerTick(), random_() % 4 == 0};
      if (plan_.has_cursors) {
        // Only one of them is left for the guard, where it comes to that.
        const auto no_counter = [] { return std::uint64_t{0}; };
        Taken taken{0, 1};
        if (random_() % 2 == 0) {
          if (!caller.cursor.Next(caller.allowance, word_, no_counter, clock, taken.first)) {
            taken.count = 0;
          }
          caller.request = {};
        } else {
          taken =
              caller.cursor.Take(caller.allowance, word_, no_counter, clock, caller.request.count);
        }
        if (taken.count > 0) return Issued(caller, taken);
      }
    }
    const std::uint64_t overshoot =
        plan_.has_cursors ? OvershootOf(layout_.IdsPerTick(), callers_.size()) : 0;
    const Bounds bounds{layout_.MaxPosition() + 1, 0, overshoot,
                        caller.budget.Awaits([this] { return time_.monotonic_us; })};
    const Attempt attempt = TryTake(word_, layout_, caller.settings, bounds, caller.request, clock);
    switch (attempt.verdict) {
      case Verdict::kIssued:
        return Issued(caller, attempt.taken);
      case Verdict::kWaitForTick:
      case Verdict::kWaitForClock: {
        const std::int64_t left = caller.budget.Left(attempt, caller.settings, time_.monotonic_us);
        if (left <= 0) return Failed(caller);
        // Sometimes a signal ends the sleep, or it ends late.
        std::int64_t sleep_us = std::min(attempt.wait_us, left);
        if (random_() % 8 == 0) sleep_us = 1 + sleep_us / 3;
        if (random_() % 8 == 0) sleep_us += 70;
        caller.wakes_us = time_.monotonic_us + sleep_us;
        return;
      }
      default:
        return Failed(caller);
    }
  }

  void Issued(Caller& caller, const Taken& taken) {
    ASSERT_GT(taken.first, largest_) << "issued twice, or out of order";
    largest_ = taken.first + taken.count - 1;
    const std::int64_t ahead_us = lead_us();
    longest_lead_us_ = std::max(longest_lead_us_, ahead_us);
    // What a clock that never went back does not allow at all.
    const std::int64_t back_us = time_.back_us();
    ASSERT_LE(ahead_us, back_us == 0 && !was_set_ ? 0 : back_us + plan_.tick_us);
    if (caller.settings.mode == kLead) {
      ASSERT_LE(ahead_us, std::max<std::int64_t>(plan_.max_clock_lead_us, 0));
    } else {
      ASSERT_LE(ahead_us, 0);
    }
    was_set_ |= back_us > 0;
    issued_[Index(caller.settings.mode)] += taken.count;
    EndCall(caller);
  }

  void Failed(Caller& caller) {
    ++failed_[Index(caller.settings.mode)];
    EndCall(caller);
  }

  // The next call follows at once, or after a while.
  void EndCall(Caller& caller) {
    caller.is_calling = false;
    const auto while_us = static_cast<std::uint64_t>(plan_.tick_us) / 20 + 2;
    caller.wakes_us = time_.monotonic_us +
                      static_cast<std::int64_t>(random_() % 3 == 0 ? random_() % while_us : 1);
  }

  Plan plan_;
  Layout layout_;
  std::mt19937_64 random_;
  Time time_;
  std::vector<Caller> callers_;
  std::uint64_t word_ = 0;
  std::uint64_t largest_ = 0;
  bool was_set_ = false;
  std::int64_t is_set_at_us_ = time_.monotonic_us + 10 * plan_.tick_us;
  std::int64_t longest_lead_us_ = 0;
  std::array<std::uint64_t, 3> issued_{};
  std::array<std::uint64_t, 3> failed_{};
};

std::vector<Plan> Plans() {
  std::vector<Plan> plans;
  const std::vector<ClockRegression> mixed = {kLead, kLead, kLead, kWait, kWait, kError};
  for (const std::int64_t tick_us : {1'000, 10'000, 1'000'000}) {
    for (const auto& modes : {std::vector{kLead}, std::vector(16, kLead), mixed}) {
      plans.push_back({.tick_us = tick_us, .sequence_bits = 1, .modes = modes});
      plans.push_back({.tick_us = tick_us, .sequence_bits = 3, .modes = modes});
      plans.push_back(
          {.tick_us = tick_us, .sequence_bits = 12, .modes = modes, .has_cursors = true});
    }
  }
  return plans;
}

TEST(LeadProperty, AClockThatIsRightIsNeverLedAndFailsNobody) {
  std::uint64_t seed = 0;
  for (const Plan& plan : Plans()) {
    SCOPED_TRACE(testing::PrintToString(plan));
    Callers callers(plan, ++seed);
    callers.Run(200);
    if (HasFatalFailure()) return;
    EXPECT_LE(callers.longest_lead_us(), 0);
    // All of the limit is used, or nearly: these are bursts.
    EXPECT_GT(callers.IssuedIn(kLead) + callers.IssuedIn(kWait) + callers.IssuedIn(kError),
              100U << plan.sequence_bits);
    for (const ClockRegression mode : {kLead, kWait, kError}) {
      EXPECT_EQ(callers.FailedIn(mode), 0U) << static_cast<int>(mode);
    }
  }
}

TEST(LeadProperty, AClockThatWentBackIsLedByNoMoreThanThat) {
  std::uint64_t seed = 100;
  for (Plan plan : Plans()) {
    for (const std::int64_t back_ticks : {1, 3, 30}) {
      plan.furthest_back_us = back_ticks * plan.tick_us + plan.tick_us / 3;
      plan.max_clock_lead_us = plan.furthest_back_us + 2 * plan.tick_us;
      SCOPED_TRACE(testing::PrintToString(plan));
      Callers callers(plan, ++seed);
      callers.Run(100);
      if (HasFatalFailure()) return;
      EXPECT_EQ(callers.FailedIn(kLead), 0U);
      EXPECT_GT(callers.IssuedIn(kLead), 20U << plan.sequence_bits) << "goes on";
      EXPECT_GT(callers.longest_lead_us(), 0);
    }
  }
}

// However much the callers in mode lead ask for, the clock catches up, and then the others go on.
TEST(LeadProperty, ALeadShrinksUnderBursts) {
  std::uint64_t seed = 300;
  for (Plan plan : Plans()) {
    constexpr std::int64_t kBackTicks = 20;
    SCOPED_TRACE(testing::PrintToString(plan));
    plan.max_clock_lead_us = 100 * plan.tick_us;
    Callers callers(plan, ++seed);
    callers.Run(20);
    callers.SetBack(kBackTicks * plan.tick_us);
    callers.Run(2);
    EXPECT_GT(callers.lead_us(), 0);
    callers.Run(6 * kBackTicks);
    if (HasFatalFailure()) return;
    EXPECT_LE(callers.lead_us(), 0);
  }
}

TEST(LeadProperty, ALeadIsWithinItsSetting) {
  std::uint64_t seed = 200;
  for (Plan plan : Plans()) {
    for (const std::int64_t lead_us : {std::int64_t{0}, plan.tick_us / 5, 2 * plan.tick_us}) {
      plan.furthest_back_us = 5 * plan.tick_us;
      plan.max_clock_lead_us = lead_us;
      SCOPED_TRACE(testing::PrintToString(plan));
      Callers callers(plan, ++seed);
      callers.Run(100);
      if (HasFatalFailure()) return;
      EXPECT_GT(callers.IssuedIn(kLead), 0U);
    }
  }
}

TEST(Lead, WaitsForAllTicksThatHaveNotBegun) {
  // The next tick has positions that were taken for nothing, and no room for the request.
  const Layout layout = LayoutOf(1'000, 12);
  const auto tick = static_cast<std::uint64_t>(layout.TickAt(kStartUs));
  std::uint64_t word = ((tick + 1) << 12) + 5;
  const Bounds bounds{layout.MaxPosition() + 1, 0, OvershootOf(layout.IdsPerTick())};
  const Attempt attempt = TryTake(word, layout, {.mode = kLead}, bounds,
                                  {layout.IdsPerTick(), true}, [] { return kStartUs + 1; });
  EXPECT_EQ(attempt.verdict, Verdict::kWaitForTick);
  EXPECT_EQ(attempt.tick, tick + 2);
  EXPECT_EQ(attempt.new_tick_us, 2 * 1'000 - 1);
}

// --- The generator ---------------------------------------------------------------------------

// While one call pauses, others are made, to a depth of three.
class Nested {
 public:
  static constexpr std::int64_t kTickUs = 1'000;

  static void Run(std::int64_t back_us, std::uint64_t seed) {
    Nested nested(seed);
    current_ = &nested;
    for (int i = 0; i < 200 && !testing::Test::HasFatalFailure(); ++i) {
      if (back_us > 0 && i == 100) nested.time_.Set(-back_us);
      nested.Call(0);
    }
    EXPECT_GT(nested.largest_, 0U);
  }

 private:
  explicit Nested(std::uint64_t seed)
      : layout_(LayoutOf(kTickUs, 3)), generator_(layout_, MadeOptions()), random_(seed) {}

  static Generator::Options MadeOptions() {
    Generator::Options options;
    options.guard.mode = kLead;
    options.clock = []() noexcept { return current_->time_.wall_us(); };
    options.monotonic_clock = []() noexcept { return current_->time_.monotonic_us; };
    options.pause = [](std::int64_t us) noexcept { current_->Pause(us); };
    return options;
  }

  void Pause(std::int64_t us) {
    const std::int64_t end_us = time_.monotonic_us + us;
    while (time_.monotonic_us < end_us) {
      if (depth_ < 3 && random_() % 2 == 0) {
        Call(depth_ + 1);
      } else {
        time_.monotonic_us += std::min<std::int64_t>(end_us - time_.monotonic_us, 300);
      }
    }
  }

  void Call(int depth) {
    const int outer = depth_;
    depth_ = depth;
    const std::uint64_t before = largest_;
    const std::uint64_t count = 1 + random_() % layout_.IdsPerTick();
    std::array<std::int64_t, 20> ids{};
    std::size_t filled = 0;
    if (random_() % 3 == 0) {
      const Result result = generator_.Reserve(count);
      ASSERT_EQ(result.status, Status::kOk);
      ids[0] = result.id;
      filled = 1;
      largest_ = std::max(largest_, static_cast<std::uint64_t>(result.id) + count - 1);
    } else {
      ASSERT_EQ(generator_.NextBatch(ids, filled), Status::kOk);
      largest_ = std::max(largest_, static_cast<std::uint64_t>(ids[filled - 1]));
    }
    ASSERT_GT(static_cast<std::uint64_t>(ids[0]), before);
    const std::uint64_t tick = layout_.Parse(largest_).tick;
    const std::int64_t back_us = time_.back_us();
    ASSERT_LE(layout_.StartOfTick(tick) - time_.wall_us(), back_us == 0 ? 0 : back_us + kTickUs);
    depth_ = outer;
  }

  inline static Nested* current_ = nullptr;
  Layout layout_;
  Generator generator_;
  std::mt19937_64 random_;
  Time time_;
  int depth_ = 0;
  std::uint64_t largest_ = 0;
};

TEST(LeadingGenerator, LeadsByNoMoreThanItsClockWentBack) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    for (const std::int64_t back_us : {0, 700, 5'300, 900'000}) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", back " << back_us);
      Nested::Run(back_us, seed);
      if (HasFatalFailure()) return;
    }
  }
}

// Where the clock stands still nobody can say whether it went back.
TEST(LeadingGenerator, GoesOnUnderAClockThatStandsStill) {
  static std::int64_t monotonic_us;
  monotonic_us = 0;
  Generator::Options options;
  options.guard.mode = kLead;
  options.clock = []() noexcept { return kStartUs; };
  options.monotonic_clock = []() noexcept { return monotonic_us; };
  options.pause = [](std::int64_t us) noexcept { monotonic_us += us; };
  const Layout layout = LayoutOf(1'000, 3);
  Generator generator(layout, options);
  std::vector<std::int64_t> ids(8 * 50);
  std::size_t filled = 0;
  ASSERT_EQ(generator.NextBatch(ids, filled), Status::kOk);
  EXPECT_EQ(monotonic_us, 1'000 + 48 * NewTickUs(1'000));
  // Up to its bound.
  while (filled > 0) (void)generator.NextBatch(ids, filled);
  const auto last = static_cast<std::uint64_t>(generator.Next().id);
  EXPECT_EQ(last, 0U) << "no more";
  EXPECT_GE(monotonic_us, options.guard.max_clock_lead_us);
  EXPECT_LE(monotonic_us,
            NewTickUs(options.guard.max_clock_lead_us + 3 * options.guard.max_clock_wait_us));
}

}  // namespace
}  // namespace idgen

// What is simulated must be what queueing theory says, where it says it exactly.
#include <gtest/gtest.h>

#include "closed_form.h"
#include "cores.h"
#include "servers.h"

#include <idgen/builtin_layouts.h>

#include <cmath>

namespace idgen::scale {
namespace {

using enum FieldKind;

constexpr Layout kWidest =
    MakeLayout("widest", 1000, 1577836800000, {{kTimestamp, 41}, {kSequence, 22}});

Work WorkOf(double think_ns, Spread think, Spread line) {
  Work work;
  work.layout = &kWidest;
  work.call_ns = think_ns;
  work.think = think;
  work.line = line;
  // One operation a call, but for one in a thousand.
  work.counter_stands = true;
  return work;
}

CoresOutcome Simulate(const Machine& machine, const Work& work, unsigned cores) {
  CoresOutcome outcome = RunCores(machine, work, cores, 1, 3, 7);
  EXPECT_EQ(outcome.repeats, 0U);
  EXPECT_GT(outcome.issued, 0U);
  return outcome;
}

void ExpectNear(double value, double expected, double part) {
  EXPECT_NEAR(value, expected, part * expected);
}

// Constant times: the cores fall into step, and the bound is reached.
TEST(Cores, AreTheAsymptoticBoundInConstantTimes) {
  for (const double line_ns : {10.0, 30.0, 100.0}) {
    const Machine machine = EvenMachine("even", 64, line_ns, line_ns);
    for (const unsigned cores : {1U, 2U, 3U, 5U, 8U, 64U}) {
      SCOPED_TRACE(testing::Message() << line_ns << " ns, " << cores << " cores");
      const CoresOutcome outcome =
          Simulate(machine, WorkOf(90, Spread::kConstant, Spread::kConstant), cores);
      ExpectNear(outcome.million_per_s, BoundOf(cores, 90, line_ns), 0.01);
      ExpectNear(outcome.line_busy, outcome.million_per_s * line_ns / 1e3, 0.01);
    }
  }
}

TEST(Cores, AreTheRepairmanInExponentialTimes) {
  for (const double line_ns : {10.0, 30.0, 100.0}) {
    const Machine machine = EvenMachine("even", 64, line_ns, line_ns);
    for (const unsigned cores : {1U, 2U, 4U, 8U, 16U, 64U}) {
      SCOPED_TRACE(testing::Message() << line_ns << " ns, " << cores << " cores");
      const CoresOutcome outcome =
          Simulate(machine, WorkOf(90, Spread::kExponential, Spread::kExponential), cores);
      ExpectNear(outcome.million_per_s, RepairmanOf(cores, 90, line_ns), 0.03);
    }
  }
}

TEST(Cores, LieBetweenTheTwoInOtherTimes) {
  const Machine machine = EvenMachine("even", 64, 30, 30);
  for (const unsigned cores : {2U, 4U, 8U, 16U}) {
    SCOPED_TRACE(testing::Message() << cores << " cores");
    const CoresOutcome outcome =
        Simulate(machine, WorkOf(90, Spread::kUniform, Spread::kConstant), cores);
    EXPECT_LT(outcome.million_per_s, BoundOf(cores, 90, 30) * 1.01);
    EXPECT_GT(outcome.million_per_s, RepairmanOf(cores, 90, 30) * 0.99);
  }
}

// A core by itself never waits for a transfer; with others, each use is one.
TEST(Cores, PayForTransfersOnly) {
  const Machine machine = EvenMachine("even", 8, 5, 50);
  const Work work = WorkOf(45, Spread::kConstant, Spread::kConstant);
  ExpectNear(Simulate(machine, work, 1).million_per_s, 20, 0.01);
  ExpectNear(Simulate(machine, work, 8).million_per_s, 20, 0.01);
}

TEST(Cores, AreAsFastAsTheirTransfersAreNear) {
  const Machine machine{"two sockets", 16, 4, 8, 5, 20, 60, 180};
  const Work work = WorkOf(30, Spread::kUniform, Spread::kConstant);
  ExpectNear(Simulate(machine, work, 4).million_per_s, 1e3 / 20, 0.02);
  // In a random order of 8, three of seven followers are in the group.
  double rate = 0;
  for (std::uint64_t seed = 0; seed < 32; ++seed) {
    rate += RunCores(machine, work, 8, 1, 1, seed).million_per_s / 32;
  }
  ExpectNear(rate, 1e3 / (3.0 / 7 * 20 + 4.0 / 7 * 60), 0.1);
  EXPECT_LT(Simulate(machine, work, 16).million_per_s, rate);
}

TEST(Cores, UseTheLineOncePerBlock) {
  const Machine machine = EvenMachine("even", 64, 100, 100);
  Work work = WorkOf(20, Spread::kConstant, Spread::kConstant);
  work.block_size = 64;
  // A read and a write each.
  for (const unsigned cores : {1U, 2U, 4U}) {
    SCOPED_TRACE(testing::Message() << cores << " cores");
    ExpectNear(Simulate(machine, work, cores).million_per_s, 64 * BoundOf(cores, 64 * 20, 200),
               0.03);
  }
  // And a look at the position with each reading of the clock.
  ExpectNear(Simulate(machine, work, 64).million_per_s, 64 * 1e3 / 200, 0.05);
}

TEST(Cores, UseTheLineOncePerBatch) {
  const Machine machine = EvenMachine("even", 64, 100, 100);
  Work work = WorkOf(50, Spread::kConstant, Spread::kConstant);
  work.batch = 1000;
  work.id_ns = 10;
  ExpectNear(Simulate(machine, work, 8).million_per_s, 1000 * BoundOf(8, 10050, 200), 0.01);
}

TEST(Cores, OfSeveralSpacesDoNotMeet) {
  const Machine machine = EvenMachine("even", 64, 30, 30);
  Work work = WorkOf(60, Spread::kConstant, Spread::kConstant);
  const double one = Simulate(machine, work, 4).million_per_s;
  work.spaces = 4;
  ExpectNear(Simulate(machine, work, 16).million_per_s, 4 * one, 0.01);
}

TEST(Cores, ReadTheClockNowAndThen) {
  const Machine machine = EvenMachine("even", 8, 5, 5);
  Work work = WorkOf(15, Spread::kConstant, Spread::kConstant);
  work.clock_ns = 40;
  work.counter_stands = false;  // every 8 microseconds
  ExpectNear(Simulate(machine, work, 1).million_per_s, 400 / (400 * 20 + 40.0) * 1e3, 0.01);
}

TEST(Cores, StopAtTheLayoutsLimit) {
  const Machine machine = EvenMachine("even", 64, 5, 20);
  Work work = WorkOf(30, Spread::kUniform, Spread::kConstant);
  work.layout = &kSnowflake;
  work.counter_stands = false;
  ExpectNear(Simulate(machine, work, 1).million_per_s, 4.096, 0.001);
  // Each core may take one position of a tick for nothing.
  const double of_32 = Simulate(machine, work, 32).million_per_s;
  EXPECT_LE(of_32, 4.096);
  EXPECT_GE(of_32, 4.096 - 0.032);
  work.layout = &kTso;
  work.block_size = 64;
  ExpectNear(Simulate(machine, work, 32).million_per_s, 262.144, 0.01);
}

TEST(Cores, DoTheSameForTheSameSeed) {
  const Machine machine = EvenMachine("even", 64, 5, 20);
  const Work work = WorkOf(30, Spread::kUniform, Spread::kConstant);
  EXPECT_EQ(RunCores(machine, work, 2, 1, 1, 5).issued, RunCores(machine, work, 2, 1, 1, 5).issued);
  EXPECT_NE(RunCores(machine, work, 2, 1, 1, 5).issued, RunCores(machine, work, 2, 1, 1, 6).issued);
}

TEST(ClosedForm, LineTimeIsTheBoundsInverse) {
  for (const double think_ns : {10.0, 30.0, 100.0}) {
    for (const double line_ns : {5.0, 20.0, 70.0}) {
      EXPECT_NEAR(LineTimeOf(BoundOf(2, think_ns, line_ns), think_ns), line_ns, 1e-9);
    }
  }
}

TEST(Seen, NoticesWhatComesTwice) {
  Seen seen(1000, 100'000);
  for (std::uint64_t number = 1000; number < 101'000; number += 63) EXPECT_TRUE(seen.Add(number));
  for (std::uint64_t number = 1000; number < 101'000; number += 63) EXPECT_FALSE(seen.Add(number));
  EXPECT_TRUE(seen.Add(1001));
  EXPECT_THROW(seen.Add(999), std::out_of_range);
  EXPECT_THROW(seen.Add(200'000), std::out_of_range);
}

// --- Servers -------------------------------------------------------------------------

void ExpectNoFault(const ServersOutcome& outcome) {
  EXPECT_EQ(outcome.repeats, 0U);
  EXPECT_EQ(outcome.disorder, 0U);
  EXPECT_EQ(outcome.wrong_times, 0U);
}

Load LoadOf(const Layout& layout, double ids_per_s, unsigned ids_in_request) {
  Load load;
  load.layout = &layout;
  load.ids_per_s = ids_per_s;
  load.ids_in_request = ids_in_request;
  return load;
}

// Lindley's recursion: what is left at the end of a tick is what was left before and came, but
// for what the tick has: 4,096, of which each session may take one for nothing.
TEST(Servers, LeaveAtTheEndOfATickWhatTheTickLacks) {
  for (const unsigned ids_in_request : {1U, 100U}) {
    for (const double part : {0.8, 0.97, 1.02}) {
      SCOPED_TRACE(testing::Message() << ids_in_request << " IDs a request, " << part);
      constexpr std::int64_t kRunMs = 300;
      const Load load = LoadOf(kSnowflake, part * 4'096'000, ids_in_request);
      Servers servers(kSnowflake, kRunMs, 0);
      std::vector<std::uint64_t> asked;
      std::vector<std::uint64_t> left;
      servers.Run(load, {}, {}, 0, 3, &asked, &left);
      ExpectNoFault(servers.outcome());
      ASSERT_EQ(asked.size(), static_cast<std::size_t>(kRunMs));
      std::int64_t least = 0;
      std::int64_t most = 0;
      for (std::size_t i = 0; i < asked.size(); ++i) {
        const auto came = static_cast<std::int64_t>(asked[i]);
        least = std::max<std::int64_t>(0, least + came - 4096);
        most = std::max<std::int64_t>(0, most + came - 4096 + load.sessions);
        EXPECT_GE(static_cast<std::int64_t>(left[i]), least);
        // And what came a moment before the end and is being served.
        EXPECT_LE(static_cast<std::int64_t>(left[i]), most + 50 + std::int64_t{4} * ids_in_request)
            << i;
      }
    }
  }
}

TEST(Servers, IssueWhatIsAskedForUpToTheLimit) {
  for (const double part : {0.1, 0.5, 0.9, 1.5}) {
    Servers servers(kSnowflake, 200, 0);
    servers.Run(LoadOf(kSnowflake, part * 4'096'000, 1), {}, {}, 100, 11);
    const ServersOutcome& outcome = servers.outcome();
    ExpectNoFault(outcome);
    ASSERT_EQ(outcome.whole_ticks, 99U);
    ExpectNear(static_cast<double>(outcome.in_whole_ticks) / 99, std::min(part, 1.0) * 4096, 0.01);
    if (part < 0.9) {
      EXPECT_EQ(outcome.tick_waits, 0U);
    } else if (part > 1) {
      EXPECT_GT(outcome.tick_waits, outcome.requests / 2);
    }
  }
}

TEST(Servers, WaitForAClockThatWasSetBack) {
  Servers servers(kSnowflake, 40, 10'000);
  const Load load = LoadOf(kSnowflake, 500'000, 1);
  const ServerClock set{
      .ahead_us = -300, .drift = 20e-6, .set_at = 20 * kPsInMs, .set_by_us = -5000};
  servers.Run(load, {.machine = 1}, set, 0, 1);
  EXPECT_GT(servers.outcome().clock_waits, 0U);
  ExpectNear(servers.outcome().delays.MostUs(), 5000, 0.25);
  ExpectNoFault(servers.outcome());
}

TEST(Servers, WithTheSameIdentityCollide) {
  Servers servers(kSnowflake, 5, 0);
  const Load load = LoadOf(kSnowflake, 1e6, 1);
  servers.Run(load, {.machine = 1}, {}, 0, 1);
  servers.Run(load, {.machine = 2}, {}, 0, 2);
  EXPECT_EQ(servers.outcome().repeats, 0U);
  servers.Run(load, {.machine = 1}, {}, 0, 3);
  EXPECT_GT(servers.outcome().repeats, 0U);
}

TEST(Delays, AreCounted) {
  Delays delays;
  for (int i = 1; i <= 1000; ++i) delays.Add(i * kPsInUs);
  EXPECT_EQ(delays.count(), 1000U);
  EXPECT_DOUBLE_EQ(delays.MeanUs(), 500.5);
  EXPECT_DOUBLE_EQ(delays.QuantileUs(0.5), 500);
  EXPECT_DOUBLE_EQ(delays.QuantileUs(0.999), 999);
  EXPECT_DOUBLE_EQ(delays.MostUs(), 1000);
}

}  // namespace
}  // namespace idgen::scale

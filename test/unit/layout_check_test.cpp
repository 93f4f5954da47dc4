// CheckLayout, and a Generator on whatever it is given.
#include <idgen/generator.h>
#include <idgen/layout.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <vector>

#include "fake_clock.h"
#include "test_layouts.h"

namespace idgen {
namespace {

using enum FieldKind;
using Specs = std::vector<FieldSpec>;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

static_assert(noexcept(CheckLayout(Layout{})));
static_assert(CheckLayout(kSnowflake) == LayoutError::kNone);

LayoutError CheckOf(const Specs& specs) { return CheckLayout(BuildLayout("", 1000, 0, specs)); }

// --- The tick and the end ------------------------------------------------------------

LayoutError Check(std::int64_t tick_us, std::int64_t epoch_us, std::uint8_t bits) {
  const Specs specs = {{kTimestamp, bits}};
  return CheckLayout(BuildLayout("", tick_us, epoch_us, specs));
}

TEST(CheckLayout, TicksFromAMicrosecondToADay) {
  EXPECT_EQ(Check(1, 0, 10), LayoutError::kNone);
  EXPECT_EQ(Check(86'400'000'000, 0, 10), LayoutError::kNone);
  for (const std::int64_t tick_us :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{86'400'000'001}, kMin, kMax}) {
    EXPECT_EQ(Check(tick_us, 0, 10), LayoutError::kBadTick) << tick_us;
    EXPECT_EQ(Check(tick_us, kMax, 63), LayoutError::kBadTick);
  }
}

TEST(CheckLayout, TheEndFitsAnInt64) {
  // 2^41 ms end at that number of ms, exactly.
  constexpr std::int64_t kLife = (std::int64_t{1} << 41) * 1000;
  EXPECT_EQ(Check(1000, kMax - kLife, 41), LayoutError::kNone);
  EXPECT_EQ(Check(1000, kMax - kLife + 1, 41), LayoutError::kEndsTooLate);
  EXPECT_EQ(Check(1, 0, 62), LayoutError::kNone);
  EXPECT_EQ(Check(1, -1, 63), LayoutError::kNone);
  EXPECT_EQ(Check(1, 0, 63), LayoutError::kEndsTooLate);
  EXPECT_EQ(Check(1, kMax, 1), LayoutError::kEndsTooLate);
  EXPECT_EQ(Check(86'400'000'000, kMin, 63), LayoutError::kEndsTooLate);
  EXPECT_EQ(Check(1, kMin, 63), LayoutError::kNone);
  EXPECT_EQ(Check(2, kMin, 62), LayoutError::kNone);
  EXPECT_EQ(Check(2, kMin, 63), LayoutError::kEndsTooLate) << "by one microsecond";
}

TEST(CheckLayout, AgreesWithASlowReference) {
  std::mt19937_64 random(3);
  std::array<int, 4> seen{};
  for (int i = 0; i < 100'000; ++i) {
    const auto tick_us = static_cast<std::int64_t>(random() >> (20 + random() % 44));
    const auto epoch_us = static_cast<std::int64_t>(random()) >> (random() % 64);
    const auto bits = static_cast<std::uint8_t>(1 + random() % 63);
    auto expected = LayoutError::kNone;
    if (tick_us < 1 || tick_us > 24LL * 60 * 60 * 1'000'000) {
      expected = LayoutError::kBadTick;
    } else {
      // What is left from the epoch on, halved for every bit, holds one tick or not.
      auto left = static_cast<std::uint64_t>(kMax) - static_cast<std::uint64_t>(epoch_us);
      for (int bit = 0; bit < bits; ++bit) left /= 2;
      if (left < static_cast<std::uint64_t>(tick_us)) expected = LayoutError::kEndsTooLate;
    }
    ASSERT_EQ(Check(tick_us, epoch_us, bits), expected)
        << tick_us << ' ' << epoch_us << ' ' << int{bits};
    ++seen[static_cast<std::size_t>(expected)];
  }
  for (const LayoutError error :
       {LayoutError::kNone, LayoutError::kBadTick, LayoutError::kEndsTooLate}) {
    EXPECT_GT(seen[static_cast<std::size_t>(error)], 1000);
  }
}

TEST(CheckLayout, AnEpochThatIsNoInt64IsNoLayouts) {
  for (const std::int64_t epoch_ms : {kMin, kMin / 1000 - 1, kMax / 1000 + 1, kMax}) {
    const Layout layout = MakeLayout("", 1000, epoch_ms, {{kTimestamp, 41}, {kSequence, 12}});
    EXPECT_EQ(CheckLayout(layout), LayoutError::kEndsTooLate) << epoch_ms;
  }
}

// --- The fields ----------------------------------------------------------------------

TEST(CheckLayout, EveryLayoutOfTheTestsPasses) {
  for (const LayoutCase& one : LayoutCases()) {
    EXPECT_EQ(CheckLayout(one.layout), LayoutError::kNone) << one.layout.name;
  }
}

TEST(CheckLayout, TheTimestampIsThereAndFirst) {
  EXPECT_EQ(CheckLayout(Layout{}), LayoutError::kBadFields);
  EXPECT_EQ(CheckOf({}), LayoutError::kBadFields);
  EXPECT_EQ(CheckOf({{kSequence, 12}}), LayoutError::kBadFields);
  EXPECT_EQ(CheckOf({{kTimestamp, 0}, {kSequence, 12}}), LayoutError::kBadFields);
  EXPECT_EQ(CheckOf({{kMachine, 10}, {kTimestamp, 41}, {kSequence, 12}}), LayoutError::kBadFields);
  EXPECT_EQ(CheckOf({{kSequence, 12}, {kTimestamp, 41}}), LayoutError::kBadFields);
  EXPECT_EQ(CheckOf({{kMachine, 0}, {kTimestamp, 41}, {kSequence, 12}}), LayoutError::kNone);
}

TEST(CheckLayout, TheSumIsAtMost63) {
  EXPECT_EQ(CheckOf({{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}}), LayoutError::kNone);
  EXPECT_EQ(CheckOf({{kTimestamp, 42}, {kMachine, 10}, {kSequence, 12}}), LayoutError::kBadFields);
  EXPECT_EQ(CheckOf({{kTimestamp, 41}, {kTail, 255}, {kMachine, 255}, {kSequence, 255}}),
            LayoutError::kBadFields);
  EXPECT_EQ(CheckOf({{kTimestamp, 64}}), LayoutError::kBadFields);
  EXPECT_EQ(CheckOf({{kTimestamp, 255}}), LayoutError::kBadFields);
}

TEST(CheckLayout, AFieldIsThereOnce) {
  EXPECT_EQ(CheckOf({{kTimestamp, 41}, {kSequence, 4}, {kSequence, 12}}), LayoutError::kBadFields);
  EXPECT_EQ(CheckOf({{kTimestamp, 41}, {kSequence, 12}, {kSequence, 0}}), LayoutError::kBadFields);
  // What would be right again after 256 bits.
  EXPECT_EQ(CheckOf({{kTimestamp, 41}, {kTail, 128}, {kTail, 128}, {kTail, 0}, {kSequence, 12}}),
            LayoutError::kBadFields);
  const auto no_kind = static_cast<FieldKind>(200);
  EXPECT_EQ(CheckOf({{kTimestamp, 41}, {no_kind, 4}, {kSequence, 12}}), LayoutError::kBadFields);
}

TEST(CheckLayout, FieldsDoNotOverlapAndLeaveNoGap) {
  Layout layout = kSnowflake;
  Field& machine = layout.fields[static_cast<std::size_t>(kMachine)];
  for (const int shift : {0, 11, 13, 17, 40, 58, 59, 200, 255}) {
    machine.shift = static_cast<std::uint8_t>(shift);
    EXPECT_EQ(CheckLayout(layout), LayoutError::kBadFields) << shift;
  }
  machine = {};
  EXPECT_EQ(CheckLayout(layout), LayoutError::kBadFields) << "a gap";
  machine = {0, 99};
  layout.fields[static_cast<std::size_t>(kDatacenter)] = {10, 12};
  EXPECT_EQ(CheckLayout(layout), LayoutError::kNone) << "a field that is not there is nowhere";
}

// Whether each of the bits below the sum is one field's, bit by bit, and the highest are the
// timestamp's.
bool AreFieldsGood(const Layout& layout) {
  unsigned total = 0;
  for (const Field& field : layout.fields) total += field.bits;
  if (total > 63) return false;
  std::array<int, 512> times{};
  unsigned highest = 0;
  for (const Field& field : layout.fields) {
    for (unsigned bit = 0; bit < field.bits; ++bit) {
      ++times[field.shift + bit];
      highest = std::max(highest, field.shift + bit);
    }
  }
  for (unsigned bit = 0; bit < times.size(); ++bit) {
    if (times[bit] != (bit < total ? 1 : 0)) return false;
  }
  const Field& timestamp = layout.fields[static_cast<std::size_t>(kTimestamp)];
  return timestamp.bits > 0 && timestamp.shift + timestamp.bits - 1U == highest;
}

// A layout that is one, or nearly.
Layout AnyLayout(std::mt19937_64& random) {
  std::array<FieldKind, kFieldKinds> kinds = {kTimestamp, kDatacenter, kMachine,
                                              kShard,     kSequence,   kTail};
  std::shuffle(kinds.begin() + 1, kinds.end(), random);
  if (random() % 8 == 0) std::swap(kinds[0], kinds[random() % kinds.size()]);
  Specs specs;
  for (const FieldKind kind : kinds) {
    const std::uint64_t most = kind == kTimestamp ? 50 : kind == kTail ? 2 : 14;
    specs.push_back({kind, static_cast<std::uint8_t>(random() % most)});
  }
  const auto tick_us = random() % 8 == 0 ? std::int64_t{0} : std::int64_t{1} << random() % 30;
  Layout layout = BuildLayout("any", tick_us, static_cast<std::int64_t>(random() >> 20), specs);
  Field& field = layout.fields[random() % kFieldKinds];
  if (random() % 8 == 0) field.shift = static_cast<std::uint8_t>(random());
  if (random() % 8 == 0) field.bits = static_cast<std::uint8_t>(random());
  if (random() % 8 == 0) field = {static_cast<std::uint8_t>(random() % 4), field.shift};
  return layout;
}

TEST(CheckLayout, OfAnyFieldsAgreesWithASlowReference) {
  std::mt19937_64 random(4);
  std::array<int, 2> seen{};
  for (int i = 0; i < 200'000; ++i) {
    Layout layout = AnyLayout(random);
    layout.tick_us = 1;
    layout.epoch_us = kMin;  // ends in time
    const bool is_good = AreFieldsGood(layout);
    ASSERT_EQ(CheckLayout(layout), is_good ? LayoutError::kNone : LayoutError::kBadFields);
    ++seen[is_good ? 1 : 0];
  }
  EXPECT_GT(seen[0], 10'000);
  EXPECT_GT(seen[1], 10'000);
}

// --- Generators ----------------------------------------------------------------------

void ExpectRefused(const Layout& layout) {
  for (const bool has_mark : {false, true}) {
    Generator::Options options;
    options.identity = {~std::uint64_t{0}, ~std::uint64_t{0}, 0};
    options.not_before_ms = 1'795'000'000'000;
    if (has_mark) options.extend_mark = [](void*, std::int64_t) { return kMax; };
    Generator generator(layout, options);
    std::array<std::int64_t, 2> ids = {-1, -1};
    std::size_t filled = 9;
    EXPECT_EQ(generator.Next().status, Status::kBadLayout);
    EXPECT_EQ(generator.NextBatch(ids, filled), Status::kBadLayout);
    EXPECT_EQ(filled, 0U);
    EXPECT_EQ(ids[0], -1);
    EXPECT_EQ(generator.Reserve(1).status, Status::kBadLayout);
    EXPECT_EQ(generator.Reserve(0).status, Status::kBadLayout);
    EXPECT_EQ(generator.Observe(1), Status::kBadLayout);
    EXPECT_EQ(generator.Observe(-1), Status::kBadLayout);
  }
}

TEST(GeneratorOnAnyLayout, RefusesWhatIsNone) {
  for (const std::int64_t tick_us : {std::int64_t{0}, std::int64_t{-1000}, kMin, kMax}) {
    ExpectRefused(MakeLayout("tick", tick_us, 0, {{kTimestamp, 41}, {kSequence, 12}}));
  }
  ExpectRefused(Layout{});
  ExpectRefused(MakeLayout("order", 1000, 0, {{kSequence, 12}, {kTimestamp, 41}}));
  ExpectRefused(MakeLayout("sum", 1000, 0, {{kTimestamp, 52}, {kSequence, 12}}));
  ExpectRefused(MakeLayout("wide", 1000, 0, {{kTimestamp, 200}, {kSequence, 200}}));
  ExpectRefused(MakeLayout("epoch", 1000, kMax, {{kTimestamp, 41}, {kSequence, 12}}));
  ExpectRefused(MakeLayout("end", kLongestTickUs, 0, {{kTimestamp, 60}, {kSequence, 3}}));
}

// The clock goes with what is waited.
std::int64_t waited_us = 0;

TEST(GeneratorOnAnyLayout, WorksOrRefuses) {
  std::mt19937_64 random(5);
  int works = 0;
  int refuses = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Layout layout = AnyLayout(random);
    const bool is_good = CheckLayout(layout) == LayoutError::kNone && layout.CanGenerate();
    if (is_good) {
      FakeClock::Set(layout.StartOfTick(random() & layout.MaxTick()));
    } else {
      FakeClock::Set(static_cast<std::int64_t>(random()));
    }
    Generator::Options options;
    options.guard.mode = static_cast<ClockRegression>(random() % 3);
    options.not_before_ms = static_cast<std::int64_t>(random()) >> random() % 64;
    options.clock = &FakeClock::Read;
    options.monotonic_clock = []() noexcept { return waited_us; };
    options.pause = [](std::int64_t us) noexcept {
      waited_us += us;
      FakeClock::now_us += us;
    };
    Generator generator(layout, options);
    std::array<std::int64_t, 5> ids{};
    std::size_t filled = 0;
    const Status status = generator.NextBatch(ids, filled);
    (void)generator.Observe(static_cast<std::int64_t>(random() >> 1));
    (void)generator.Reserve(random() % 5);
    const Result result = generator.Next();
    if (!is_good) {
      ASSERT_TRUE(status == Status::kBadLayout || status == Status::kDecodeOnly);
      ASSERT_EQ(result.status, status);
      ++refuses;
      continue;
    }
    ASSERT_TRUE(status != Status::kBadLayout && status != Status::kDecodeOnly);
    for (std::size_t at = 1; at < filled; ++at) ASSERT_GT(ids[at], ids[at - 1]);
    if (result.status == Status::kOk) {
      ASSERT_LE(static_cast<std::uint64_t>(result.id), layout.MaxId());
      ++works;
    }
  }
  EXPECT_GT(works, 500);
  EXPECT_GT(refuses, 1'000);
}

}  // namespace
}  // namespace idgen

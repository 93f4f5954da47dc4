#include <idgen/builtin_layouts.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "parts.h"

namespace idgen {
namespace {

using enum FieldKind;
using namespace std::chrono_literals;

using Instant = std::chrono::sys_time<std::chrono::microseconds>;

constexpr Instant At(std::chrono::year_month_day day, std::chrono::microseconds time_of_day) {
  return std::chrono::sys_days{day} + time_of_day;
}
constexpr Instant InstantOf(std::int64_t us) { return Instant{std::chrono::microseconds{us}}; }

// --- Every layout, worked out by hand ------------------------------------------------

struct Place {
  FieldKind kind;
  unsigned lowest;   // the number of the field's lowest bit
  unsigned highest;  // and of its highest
};

struct Expected {
  std::string name;
  Instant epoch;
  std::chrono::microseconds tick;
  std::vector<Place> places;
  Instant last;  // the start of the last tick
  bool can_generate = true;
};

void PrintTo(const Expected& expected, std::ostream* out) { *out << expected.name; }

// In the order in which they are listed.
const std::vector<Expected>& AllExpected() {
  // 2^41 milliseconds are 25,451 days, 15:47:35.552.
  static const std::vector<Expected> all = {
      {"snowflake",
       At(2020y / 1 / 1, 0s),
       1ms,
       {{kTimestamp, 22, 62}, {kDatacenter, 17, 21}, {kMachine, 12, 16}, {kSequence, 0, 11}},
       At(2089y / 9 / 6, 15h + 47min + 35s + 551ms)},
      {"twitter",
       At(2010y / 11 / 4, 1h + 42min + 54s + 657ms),
       1ms,
       {{kTimestamp, 22, 62}, {kDatacenter, 17, 21}, {kMachine, 12, 16}, {kSequence, 0, 11}},
       At(2080y / 7 / 10, 17h + 30min + 30s + 208ms)},
      {"leaf",
       At(2010y / 11 / 4, 1h + 42min + 54s + 657ms),
       1ms,
       {{kTimestamp, 22, 62}, {kMachine, 12, 21}, {kSequence, 0, 11}},
       At(2080y / 7 / 10, 17h + 30min + 30s + 208ms)},
      {"discord",
       At(2015y / 1 / 1, 0s),
       1ms,
       {{kTimestamp, 22, 62}, {kDatacenter, 17, 21}, {kMachine, 12, 16}, {kSequence, 0, 11}},
       At(2084y / 9 / 6, 15h + 47min + 35s + 551ms)},
      {"instagram",
       At(2011y / 8 / 24, 21h + 7min + 1s + 721ms),
       1ms,
       {{kTimestamp, 23, 62}, {kShard, 10, 22}, {kSequence, 0, 9}},
       At(2046y / 6 / 27, 17h + 0min + 49s + 496ms)},
      {"sonyflake",
       At(2014y / 9 / 1, 0s),
       10ms,
       {{kTimestamp, 24, 62}, {kSequence, 16, 23}, {kMachine, 0, 15}},
       At(2188y / 11 / 16, 3h + 28min + 58s + 870ms)},
      {"sonyflake2",
       At(2025y / 1 / 1, 0s),
       10ms,
       {{kTimestamp, 24, 62}, {kSequence, 16, 23}, {kMachine, 0, 15}},
       At(2199y / 3 / 19, 3h + 28min + 58s + 870ms)},
      // Midnight of 2016-05-20 in UTC+8.
      {"uidgenerator",
       At(2016y / 5 / 19, 16h),
       1s,
       {{kTimestamp, 35, 62}, {kMachine, 13, 34}, {kSequence, 0, 12}},
       At(2024y / 11 / 20, 13h + 24min + 15s)},
      {"pgedge",
       At(2023y / 1 / 1, 0s),
       1ms,
       {{kTimestamp, 22, 62}, {kMachine, 12, 21}, {kSequence, 0, 11}},
       At(2092y / 9 / 6, 15h + 47min + 35s + 551ms)},
      {"pgedge_old",
       At(2023y / 1 / 1, 0s),
       1ms,
       {{kTimestamp, 22, 62}, {kSequence, 10, 21}, {kMachine, 0, 9}},
       At(2092y / 9 / 6, 15h + 47min + 35s + 551ms)},
      {"mastodon",
       At(1970y / 1 / 1, 0s),
       1ms,
       {{kTimestamp, 16, 62}, {kTail, 0, 15}},
       At(6429y / 10 / 17, 2h + 45min + 55s + 327ms),
       false},
      {"tsid",
       At(2020y / 1 / 1, 0s),
       1ms,
       {{kTimestamp, 22, 62}, {kMachine, 12, 21}, {kSequence, 0, 11}},
       At(2089y / 9 / 6, 15h + 47min + 35s + 551ms)},
      {"hazelcast",
       At(2018y / 1 / 1, 0s),
       1ms,
       {{kTimestamp, 22, 62}, {kSequence, 16, 21}, {kMachine, 0, 15}},
       At(2087y / 9 / 7, 15h + 47min + 35s + 551ms)},
      {"cockroach",
       At(2015y / 1 / 1, 0s),
       10us,
       {{kTimestamp, 15, 62}, {kMachine, 0, 14}},
       At(2104y / 3 / 13, 2h + 56min + 7s + 106'550us),
       false},
      {"tso",
       At(1970y / 1 / 1, 0s),
       1ms,
       {{kTimestamp, 18, 62}, {kSequence, 0, 17}},
       At(3084y / 12 / 12, 12h + 41min + 28s + 831ms)},
      {"wide",
       At(2020y / 1 / 1, 0s),
       1ms,
       {{kTimestamp, 22, 62}, {kMachine, 17, 21}, {kSequence, 0, 16}},
       At(2089y / 9 / 6, 15h + 47min + 35s + 551ms)},
      {"js53",
       At(2020y / 1 / 1, 0s),
       1ms,
       {{kTimestamp, 12, 52}, {kMachine, 8, 11}, {kSequence, 0, 7}},
       At(2089y / 9 / 6, 15h + 47min + 35s + 551ms)},
  };
  return all;
}

class EveryBuiltinLayout : public testing::TestWithParam<Expected> {
 protected:
  void SetUp() override { ASSERT_NE(FindBuiltinLayout(GetParam().name), nullptr); }
  const Layout& L() const { return *FindBuiltinLayout(GetParam().name); }
};

INSTANTIATE_TEST_SUITE_P(BuiltinLayouts, EveryBuiltinLayout, testing::ValuesIn(AllExpected()),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(EveryBuiltinLayout, HasItsFieldsInTheirPlaces) {
  Layout expected;
  for (const Place& place : GetParam().places) {
    expected.fields[static_cast<std::size_t>(place.kind)] = {
        static_cast<std::uint8_t>(place.highest - place.lowest + 1),
        static_cast<std::uint8_t>(place.lowest)};
  }
  for (const FieldKind kind : kAllKinds) {
    SCOPED_TRACE(static_cast<int>(kind));
    EXPECT_EQ(L()[kind].bits, expected[kind].bits);
    EXPECT_EQ(L()[kind].shift, expected[kind].shift);
  }
  EXPECT_EQ(L().CanGenerate(), GetParam().can_generate);
}

TEST_P(EveryBuiltinLayout, HasItsTickItsEpochAndItsEnd) {
  EXPECT_EQ(L().tick_us, GetParam().tick.count());
  EXPECT_EQ(InstantOf(L().epoch_us), GetParam().epoch);
  EXPECT_EQ(InstantOf(L().StartOfTick(L().MaxTick())), GetParam().last);
  const std::int64_t last_us = GetParam().last.time_since_epoch().count();
  EXPECT_EQ(L().TickAt(last_us + L().tick_us - 1), static_cast<std::int64_t>(L().MaxTick()));
  EXPECT_EQ(L().TickAt(last_us + L().tick_us), static_cast<std::int64_t>(L().MaxTick()) + 1);
}

// One bit of an ID at a time: it is in the field that has it, and nowhere else.
TEST_P(EveryBuiltinLayout, ReadsAndWritesEachBitInItsField) {
  for (const Place& place : GetParam().places) {
    for (unsigned bit = place.lowest; bit <= place.highest; ++bit) {
      const std::uint64_t id = std::uint64_t{1} << bit;
      const std::uint64_t value = std::uint64_t{1} << (bit - place.lowest);
      const auto value_if = [&](FieldKind kind) { return place.kind == kind ? value : 0; };
      const Parts parts = L().Parse(id);
      EXPECT_EQ(parts.tick, value_if(kTimestamp)) << bit;
      EXPECT_EQ(parts.identity.datacenter, value_if(kDatacenter)) << bit;
      EXPECT_EQ(parts.identity.machine, value_if(kMachine)) << bit;
      EXPECT_EQ(parts.identity.shard, value_if(kShard)) << bit;
      EXPECT_EQ(parts.sequence, value_if(kSequence)) << bit;
      EXPECT_EQ(parts.tail, value_if(kTail)) << bit;
      EXPECT_EQ(L().Unparse(parts), id);
    }
  }
}

TEST_P(EveryBuiltinLayout, MakesAgainWhatItRead) {
  std::mt19937_64 random(20261123);
  EXPECT_EQ(L().Unparse(L().Parse(0)), 0U);
  EXPECT_EQ(L().Unparse(L().Parse(L().MaxId())), L().MaxId());
  for (int i = 0; i < 5'000; ++i) {
    const std::uint64_t id = random() & L().MaxId();
    ASSERT_EQ(L().Unparse(L().Parse(id)), id);
  }
}

// --- IDs known from elsewhere --------------------------------------------------------

struct Known {
  std::string layout;
  std::uint64_t id;
  Instant time;
  Identity identity;
  std::uint64_t sequence = 0;
  std::uint64_t tail = 0;
};

TEST(KnownIds, AreReadAndMadeAgain) {
  constexpr auto kMaxId = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  const Known known[] = {
      // Public ones. A tweet of @Wikipedia, as in the encyclopedia's article "Snowflake ID".
      {"twitter", 1541815603606036480, At(2022y / 6 / 28, 16h + 7min + 40s + 105ms), {11, 26}},
      {"leaf", 1541815603606036480, At(2022y / 6 / 28, 16h + 7min + 40s + 105ms), {0, 378}},
      // Discord's API reference.
      {"discord", 175928847299117063, At(2016y / 4 / 30, 11h + 18min + 25s + 796ms), {1, 0}, 7},
      // npm's discord-snowflake.
      {"discord", 90339695967350784, At(2015y / 9 / 7, 6h + 57min + 41s + 949ms), {0, 3}},
      // The "id" and "created_at" (33.901 s) of the example in Mastodon's API documentation.
      {"mastodon", 103270115826048975, At(2019y / 12 / 8, 3h + 48min + 33s + 849ms), {}, 0, 40911},
      // TiDB's documentation, "TimeStamp Oracle", its time at UTC+2.
      {"tso", 443852055297916932, At(2023y / 8 / 27, 18h + 33min + 41s + 687ms), {}, 4},
      // pgEdge's documentation, "Snowflake functions", its time at UTC-5: node 1.
      {"pgedge_old", 136169504773242881, At(2024y / 1 / 11, 18h + 8min + 59s + 845ms), {0, 1}},
      // uid-generator's README: worker 4, sequence 9 (its time there is of another epoch).
      {"uidgenerator", 180363646902239241, At(2016y / 7 / 19, 10h + 7min + 53s), {0, 4}, 9},
      // Instagram's own example: 1387263000000 ms, user 31341 of 2000 shards, sequence 5001.
      {"instagram", 612728911936419721, At(2013y / 12 / 17, 6h + 50min), {0, 0, 1341}, 905},

      // Computed outside of this project.
      {"snowflake", 1, At(2020y / 1 / 1, 0s), {}, 1},
      {"snowflake", 4468740, At(2020y / 1 / 1, 1ms), {2, 3}, 4},
      {"snowflake", 912261120518167228, At(2026y / 11 / 22, 8h + 40min + 123ms), {17, 9}, 2748},
      {"snowflake", kMaxId, At(2089y / 9 / 6, 15h + 47min + 35s + 551ms), {31, 31}, 4095},
      {"wide", 912261120517179039, At(2026y / 11 / 22, 8h + 40min + 123ms), {0, 9}, 99'999},
      {"tso", 470548480000077777, At(2026y / 11 / 18, 11h + 6min + 40s), {}, 77'777},
      {"sonyflake", 16908291, At(2014y / 9 / 1, 10ms), {0, 3}, 2},
      {"sonyflake",
       647214663708744768,
       At(2026y / 11 / 21, 22h + 20min + 1230ms),
       {0, 40'000},
       200},
      {"sonyflake", kMaxId, At(2188y / 11 / 16, 3h + 28min + 58s + 870ms), {0, 65'535}, 255},
      {"uidgenerator", kMaxId, At(2024y / 11 / 20, 13h + 24min + 15s), {0, 4'194'303}, 8191},
  };
  for (const Known& one : known) {
    SCOPED_TRACE(one.layout + " " + std::to_string(one.id));
    const Layout* found = FindBuiltinLayout(one.layout);
    ASSERT_NE(found, nullptr);
    const Layout& layout = *found;
    const Parts parts = layout.Parse(one.id);
    EXPECT_EQ(InstantOf(layout.StartOfTick(parts.tick)), one.time);
    EXPECT_EQ(parts.identity.datacenter, one.identity.datacenter);
    EXPECT_EQ(parts.identity.machine, one.identity.machine);
    EXPECT_EQ(parts.identity.shard, one.identity.shard);
    EXPECT_EQ(parts.sequence, one.sequence);
    EXPECT_EQ(parts.tail, one.tail);

    const std::int64_t tick = layout.TickAt(one.time.time_since_epoch().count());
    const Parts same{static_cast<std::uint64_t>(tick), one.identity, one.sequence, one.tail};
    EXPECT_EQ(layout.Unparse(same), one.id);
    if (!layout.CanGenerate()) continue;
    const std::uint64_t position = (same.tick << layout.SequenceBits()) | same.sequence;
    EXPECT_EQ(layout.Compose(position, layout.IdentityBits(one.identity)),
              static_cast<std::int64_t>(one.id));
  }
}

// What the note says: its ID is (time << 15) ^ node, so a large node ID flips bits of the time.
TEST(Cockroach, ANodeIdAbove32767DisturbsTheTime) {
  const Layout& layout = *FindBuiltinLayout("cockroach");
  const std::uint64_t tick = 0x123456789ab0;
  const auto row_id = [](std::uint64_t time, std::uint64_t node) { return (time << 15) ^ node; };
  EXPECT_EQ(layout.Parse(row_id(tick, 32'767)).tick, tick);
  EXPECT_EQ(layout.Parse(row_id(tick, 32'767)).identity.machine, 32'767U);
  EXPECT_EQ(layout.Parse(row_id(tick, 32'769)).tick, tick ^ 1);
  EXPECT_EQ(layout.Parse(row_id(tick, 32'769)).identity.machine, 1U);
}

// --- The table -----------------------------------------------------------------------

TEST(BuiltinLayouts, AreTheseInThisOrder) {
  std::vector<std::string> names;
  for (const BuiltinLayout& builtin : kBuiltinLayouts) names.emplace_back(builtin.layout.name);
  const std::vector<std::string> expected = {
      "snowflake",  "twitter",      "leaf",   "discord",    "instagram", "sonyflake",
      "sonyflake2", "uidgenerator", "pgedge", "pgedge_old", "mastodon",  "tsid",
      "hazelcast",  "cockroach",    "tso",    "wide",       "js53"};
  EXPECT_EQ(names, expected);
  ASSERT_EQ(AllExpected().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(AllExpected()[i].name, expected[i]);
}

TEST(BuiltinLayouts, HaveNamesThatDiffer) {
  std::set<std::string_view> names;
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    EXPECT_TRUE(names.insert(builtin.layout.name).second) << builtin.layout.name;
  }
}

TEST(BuiltinLayouts, HaveAShortNoteOfWholeSentences) {
  std::set<std::string_view> notes;
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    SCOPED_TRACE(builtin.layout.name);
    ASSERT_FALSE(builtin.note.empty());
    EXPECT_LE(builtin.note.size(), 160U);
    EXPECT_EQ(builtin.note.back(), '.');
    EXPECT_EQ(builtin.note.find("  "), std::string_view::npos);
    EXPECT_TRUE(std::all_of(builtin.note.begin(), builtin.note.end(),
                            [](char c) { return c >= ' ' && c <= '~'; }));
    EXPECT_TRUE(notes.insert(builtin.note).second);
    const bool says_so = builtin.note.find("decode only") != std::string_view::npos;
    EXPECT_EQ(says_so, !builtin.layout.CanGenerate());
  }
}

TEST(BuiltinLayouts, FitAnInt8) {
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    SCOPED_TRACE(builtin.layout.name);
    EXPECT_EQ(builtin.layout.TotalBits(), builtin.layout.name == "js53" ? 53U : 63U);
    EXPECT_GE(builtin.layout.MaxIdOf(builtin.layout.MaxTick()), 0);
  }
}

TEST(FindBuiltinLayout, FindsEachByItsName) {
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    EXPECT_EQ(FindBuiltinLayout(builtin.layout.name), &builtin.layout);
  }
  static_assert(FindBuiltinLayout("sonyflake")->tick_us == 10'000, "at compile time, too");
  EXPECT_EQ(FindBuiltinLayout("snowflake")->epoch_us, kSnowflake.epoch_us);
  EXPECT_EQ(FindBuiltinLayout("instagram")->epoch_us, kInstagram.epoch_us);
  EXPECT_EQ(FindBuiltinLayout("tso")->SequenceBits(), kTso.SequenceBits());
}

TEST(FindBuiltinLayout, FindsNothingElse) {
  for (const char* name : {"", " ", "Snowflake", "uuid", "snow", "pgedge_", "sonyflake3"}) {
    EXPECT_EQ(FindBuiltinLayout(name), nullptr) << name;
  }
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    const std::string name(builtin.layout.name);
    EXPECT_EQ(FindBuiltinLayout(name + " "), nullptr);
    EXPECT_EQ(FindBuiltinLayout(" " + name), nullptr);
    EXPECT_EQ(FindBuiltinLayout(std::string_view(name + '\0')), nullptr);
  }
}

}  // namespace
}  // namespace idgen

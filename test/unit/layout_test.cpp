#include <idgen/layout.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <type_traits>

#include "test_layouts.h"

namespace idgen {
namespace {

using enum FieldKind;

constexpr std::int64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinInt64 = std::numeric_limits<std::int64_t>::min();

// --- The built-in layouts ------------------------------------------------------------

static_assert(std::is_trivially_copyable_v<Layout>);
static_assert(kSnowflake.Compose(1, 0) == 1, "layouts are usable in constant expressions");

TEST(Snowflake, HasTheConstantsOfTheFormat) {
  EXPECT_EQ(kSnowflake.name, "snowflake");
  EXPECT_EQ(kSnowflake.tick_us, 1000);
  EXPECT_EQ(kSnowflake.epoch_us, 1577836800000 * 1000);
  EXPECT_EQ(kSnowflake[kTimestamp].bits, 41);
  EXPECT_EQ(kSnowflake[kTimestamp].shift, 22);
  EXPECT_EQ(kSnowflake[kDatacenter].bits, 5);
  EXPECT_EQ(kSnowflake[kDatacenter].shift, 17);
  EXPECT_EQ(kSnowflake[kMachine].bits, 5);
  EXPECT_EQ(kSnowflake[kMachine].shift, 12);
  EXPECT_EQ(kSnowflake[kSequence].bits, 12);
  EXPECT_EQ(kSnowflake[kSequence].shift, 0);
  EXPECT_FALSE(kSnowflake.Has(kShard));
  EXPECT_EQ(kSnowflake.TotalBits(), 63U);
  EXPECT_EQ(kSnowflake.IdsPerTick(), 4096U);
  EXPECT_EQ(kSnowflake.MaxId(), std::uint64_t{kMaxInt64});
  EXPECT_TRUE(kSnowflake.SequenceIsLowest());
}

TEST(Snowflake, EndsIn2089) {
  using namespace std::chrono;
  const sys_time<microseconds> last = sys_days{2089y / 9 / 6} + 15h + 47min + 35s + 551ms;
  const std::int64_t last_us = last.time_since_epoch().count();
  EXPECT_EQ(kSnowflake.StartOfTick(kSnowflake.MaxTick()), last_us);
  EXPECT_EQ(kSnowflake.TickAt(last_us + 999), std::int64_t{(1LL << 41) - 1});
  EXPECT_EQ(kSnowflake.TickAt(last_us + 1000), std::int64_t{1LL << 41});
}

TEST(Tso, HasTheConstantsOfTheFormat) {
  EXPECT_EQ(kTso.name, "tso");
  EXPECT_EQ(kTso.tick_us, 1000);
  EXPECT_EQ(kTso.epoch_us, 0);
  EXPECT_EQ(kTso[kSequence].bits, 18);
  EXPECT_EQ(kTso[kTimestamp].shift, 18);
  EXPECT_EQ(kTso.TotalBits(), 63U);
  EXPECT_FALSE(kTso.Has(kDatacenter) || kTso.Has(kMachine) || kTso.Has(kShard));
}

TEST(BuiltinLayouts, AreWellFormed) {
  std::set<std::string_view> names;
  for (const Layout& layout : kBuiltinLayouts) {
    SCOPED_TRACE(layout.name);
    EXPECT_TRUE(names.insert(layout.name).second);
    EXPECT_EQ(FindBuiltinLayout(layout.name)->name, layout.name);
    EXPECT_LE(layout.TotalBits(), 63U);
    EXPECT_GT(layout.tick_us, 0);
    EXPECT_EQ(layout.epoch_us % 1000, 0);
    // The fields fill the ID without a gap or an overlap, the timestamp on top.
    std::uint64_t covered = 0;
    for (const Field& field : layout.fields) {
      if (field.bits == 0) continue;
      EXPECT_EQ(covered & field.Put(field.Largest()), 0U);
      covered |= field.Put(field.Largest());
      EXPECT_GE(layout[kTimestamp].shift, field.shift);
    }
    EXPECT_EQ(covered, layout.MaxId());
  }
  EXPECT_EQ(FindBuiltinLayout("Snowflake"), nullptr);
  EXPECT_EQ(FindBuiltinLayout(""), nullptr);
}

TEST(BuiltinLayouts, WidestField) {
  for (const FieldKind kind : {kTimestamp, kDatacenter, kMachine, kShard, kSequence}) {
    unsigned widest = 0;
    for (const Layout& layout : kBuiltinLayouts) {
      widest = std::max(widest, unsigned{layout[kind].bits});
    }
    EXPECT_EQ(WidestBuiltinField(kind), widest);
  }
}

// --- Known IDs, computed outside of this project -------------------------------------

struct Known {
  const char* layout;
  Parts parts;
  std::int64_t id;
};

TEST(KnownIds, ComposeAndParse) {
  const Known known[] = {
      {"snowflake", {0, {0, 0, 0}, 1}, 1},
      {"snowflake", {1, {2, 3, 0}, 4}, 4468740},
      {"snowflake", {217'500'000'123, {17, 9, 0}, 2748}, 912261120518167228},
      {"snowflake", {2'199'023'255'551, {31, 31, 0}, 4095}, kMaxInt64},
      {"tso", {1'795'000'000'000, {0, 0, 0}, 77'777}, 470548480000077777},
      {"sonyflake", {1, {0, 3, 0}, 2}, 16908291},
      {"sonyflake", {38'577'000'123, {0, 40'000, 0}, 200}, 647214663708744768},
      {"sonyflake", {549'755'813'887, {0, 65'535, 0}, 255}, kMaxInt64},
      {"uidgenerator", {268'000'000, {0, 1'234'567, 0}, 5000}, 9208409892737577864},
      {"uidgenerator", {268'435'455, {0, 4'194'303, 0}, 8191}, kMaxInt64},
      // Instagram's own example: 1387263000000 ms, user 31341 of 2000 shards, sequence 5001.
      {"instagram", {73'042'978'279, {0, 0, 1341}, 905}, 612728911936419721},
  };
  for (const Known& one : known) {
    SCOPED_TRACE(std::string(one.layout) + " " + std::to_string(one.id));
    const auto& cases = LayoutCases();
    const auto found = std::find_if(cases.begin(), cases.end(), [&one](const LayoutCase& c) {
      return c.layout.name == one.layout;
    });
    ASSERT_NE(found, cases.end());
    const Layout& layout = found->layout;
    const std::uint64_t position = (one.parts.tick << layout.SequenceBits()) | one.parts.sequence;
    EXPECT_EQ(layout.Compose(position, layout.IdentityBits(one.parts.identity)), one.id);
    const Parts parts = layout.Parse(static_cast<std::uint64_t>(one.id));
    EXPECT_EQ(parts.tick, one.parts.tick);
    EXPECT_EQ(parts.identity.datacenter, one.parts.identity.datacenter);
    EXPECT_EQ(parts.identity.machine, one.parts.identity.machine);
    EXPECT_EQ(parts.identity.shard, one.parts.identity.shard);
    EXPECT_EQ(parts.sequence, one.parts.sequence);
  }
}

// --- Over all layouts ----------------------------------------------------------------

class AnyLayout : public testing::TestWithParam<LayoutCase> {
 protected:
  const LayoutCase& Case() const { return GetParam(); }
  const Layout& L() const { return GetParam().layout; }
  std::uint64_t PositionOf(const Parts& parts) const {
    return parts.tick * L().IdsPerTick() + parts.sequence;
  }
  // Positions at the ends of the life, around ticks' ends, and any.
  std::vector<std::uint64_t> SomePositions(std::size_t count) const {
    std::mt19937_64 random(20261123);
    std::vector<std::uint64_t> positions;
    const std::uint64_t ids = L().IdsPerTick();
    for (std::uint64_t tick : {std::uint64_t{0}, std::uint64_t{1}, L().MaxTick() / 2,
                               L().MaxTick() - 1, L().MaxTick()}) {
      for (std::uint64_t sequence : {std::uint64_t{0}, 1 % ids, ids / 2, ids - 1}) {
        positions.push_back(tick * ids + sequence);
      }
    }
    while (positions.size() < count) positions.push_back(PositionOf(SomeParts(random, Case())));
    std::sort(positions.begin(), positions.end());
    return positions;
  }
};

INSTANTIATE_TEST_SUITE_P(Layouts, AnyLayout, testing::ValuesIn(LayoutCases()),
                         [](const auto& tested) { return NameOf(tested.param); });

TEST_P(AnyLayout, SizesFollowFromTheFields) {
  unsigned total = 0;
  for (const FieldSpec& spec : Case().specs) total += spec.bits;
  EXPECT_EQ(L().TotalBits(), total);
  EXPECT_EQ(L().MaxId(), PowerOfTwo(total) - 1);
  EXPECT_EQ(L().SequenceBits(), BitsOf(Case(), kSequence));
  EXPECT_EQ(L().IdsPerTick(), PowerOfTwo(BitsOf(Case(), kSequence)));
  EXPECT_EQ(L().MaxTick(), PowerOfTwo(BitsOf(Case(), kTimestamp)) - 1);
  EXPECT_EQ(L().MaxPosition(),
            PowerOfTwo(BitsOf(Case(), kTimestamp) + BitsOf(Case(), kSequence)) - 1);
  EXPECT_EQ(L().SequenceIsLowest(), Case().specs.back().kind == kSequence);
  for (const FieldKind kind : {kTimestamp, kDatacenter, kMachine, kShard, kSequence}) {
    EXPECT_EQ(L().Has(kind), BitsOf(Case(), kind) > 0);
  }
}

TEST_P(AnyLayout, ComposeAndParseAgreeWithTheReference) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const Parts parts = SomeParts(random, Case());
    const std::uint64_t position = PositionOf(parts);
    const std::int64_t id = L().Compose(position, L().IdentityBits(parts.identity));
    ASSERT_EQ(static_cast<std::uint64_t>(id), ReferenceId(Case(), parts));
    ASSERT_EQ(L().ComposerFor(L().IdentityBits(parts.identity))(position), id);
    ASSERT_LE(static_cast<std::uint64_t>(id), L().MaxId());
    const Parts back = L().Parse(static_cast<std::uint64_t>(id));
    for (const FieldKind kind : {kTimestamp, kDatacenter, kMachine, kShard, kSequence}) {
      ASSERT_EQ(ValueOf(back, kind), ValueOf(parts, kind));
    }
  }
}

TEST_P(AnyLayout, EveryFieldsEndsComposeAndParse) {
  // All combinations of the smallest and the largest value of each field.
  const std::size_t fields = Case().specs.size();
  for (unsigned choice = 0; choice < 1U << fields; ++choice) {
    Parts parts;
    for (std::size_t i = 0; i < fields; ++i) {
      const FieldSpec& spec = Case().specs[i];
      SetValue(parts, spec.kind, (choice >> i & 1) != 0 ? PowerOfTwo(spec.bits) - 1 : 0);
    }
    const std::int64_t id = L().Compose(PositionOf(parts), L().IdentityBits(parts.identity));
    EXPECT_EQ(static_cast<std::uint64_t>(id), ReferenceId(Case(), parts));
    EXPECT_GE(id, 0);
    const Parts back = L().Parse(static_cast<std::uint64_t>(id));
    for (const FieldSpec& spec : Case().specs) {
      EXPECT_EQ(ValueOf(back, spec.kind), ValueOf(parts, spec.kind));
    }
  }
}

TEST_P(AnyLayout, AFieldThatTheLayoutLacksIsIgnored) {
  const Identity everything{7, 7, 7};
  Identity known{};
  if (L().Has(kDatacenter)) known.datacenter = 1;
  if (L().Has(kMachine)) known.machine = 1;
  if (L().Has(kShard)) known.shard = 1;
  Identity more = known;
  if (!L().Has(kDatacenter)) more.datacenter = everything.datacenter;
  if (!L().Has(kMachine)) more.machine = everything.machine;
  if (!L().Has(kShard)) more.shard = everything.shard;
  EXPECT_EQ(L().IdentityBits(known), L().IdentityBits(more));
  EXPECT_EQ(L().FindMisfit(more), kTimestamp);
}

TEST_P(AnyLayout, FindMisfitNamesTheFirstFieldThatIsTooLarge) {
  const auto largest = [this](FieldKind kind) { return PowerOfTwo(BitsOf(Case(), kind)) - 1; };
  const Identity full{largest(kDatacenter), largest(kMachine), largest(kShard)};
  EXPECT_EQ(L().FindMisfit(full), kTimestamp);
  EXPECT_EQ(L().FindMisfit({}), kTimestamp);
  FieldKind first = kTimestamp;
  for (const FieldKind kind : {kShard, kMachine, kDatacenter}) {
    if (!L().Has(kind)) continue;
    for (const std::uint64_t excess :
         {largest(kind) + 1, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
      Parts parts;
      parts.identity = full;
      SetValue(parts, kind, excess);
      EXPECT_EQ(L().FindMisfit(parts.identity), kind);
    }
    first = kind;
  }
  EXPECT_EQ(L().FindMisfit({~0ULL, ~0ULL, ~0ULL}), first);
}

TEST_P(AnyLayout, MinAndMaxIdEncloseATick) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 5'000; ++i) {
    const Parts parts = SomeParts(random, Case());
    Parts low;
    low.tick = parts.tick;
    Parts high;
    for (const FieldSpec& spec : Case().specs) {
      SetValue(high, spec.kind, PowerOfTwo(spec.bits) - 1);
    }
    high.tick = parts.tick;
    ASSERT_EQ(static_cast<std::uint64_t>(L().MinId(parts.tick)), ReferenceId(Case(), low));
    ASSERT_EQ(static_cast<std::uint64_t>(L().MaxIdOf(parts.tick)), ReferenceId(Case(), high));
  }
  EXPECT_EQ(static_cast<std::uint64_t>(L().MaxIdOf(L().MaxTick())), L().MaxId());
  EXPECT_EQ(L().MinId(1), L().MaxIdOf(0) + 1);
}

// --- Ticks ---------------------------------------------------------------------------

// The floor of a quotient, by steps down from a truncated one.
std::int64_t ReferenceTickAt(const LayoutCase& layout_case, std::int64_t time_us) {
  const Int128 since = Int128{time_us} - Int128{layout_case.epoch_ms} * 1000;
  Int128 tick = since / layout_case.tick_us;
  while (tick * layout_case.tick_us > since) --tick;
  while ((tick + 1) * layout_case.tick_us <= since) ++tick;
  return static_cast<std::int64_t>(tick);
}

TEST_P(AnyLayout, TickAtAndStartOfTickAtTheEdges) {
  const std::int64_t epoch_us = Case().epoch_ms * 1000;
  const std::int64_t tick_us = Case().tick_us;
  EXPECT_EQ(L().TickAt(epoch_us), 0);
  EXPECT_EQ(L().TickAt(epoch_us - 1), -1);
  EXPECT_EQ(L().TickAt(epoch_us - tick_us), -1);
  EXPECT_EQ(L().TickAt(epoch_us - tick_us - 1), -2);
  EXPECT_EQ(L().TickAt(epoch_us + tick_us - 1), 0);
  EXPECT_EQ(L().TickAt(epoch_us + tick_us), 1);
  EXPECT_EQ(L().StartOfTick(0), epoch_us);

  std::mt19937_64 random(3);
  for (int i = 0; i < 5'000; ++i) {
    const std::uint64_t tick = SomeValue(random, BitsOf(Case(), kTimestamp));
    const std::int64_t start = L().StartOfTick(tick);
    ASSERT_EQ(Int128{start}, Int128{epoch_us} + Int128{tick_us} * static_cast<Int128>(tick));
    ASSERT_EQ(L().TickAt(start), static_cast<std::int64_t>(tick));
    ASSERT_EQ(L().TickAt(start - 1), static_cast<std::int64_t>(tick) - 1);
    ASSERT_EQ(L().TickAt(start + tick_us - 1), static_cast<std::int64_t>(tick));
    ASSERT_EQ(L().TickAt(start + tick_us), static_cast<std::int64_t>(tick) + 1);
  }
}

TEST_P(AnyLayout, TickAtRoundsDownEverywhere) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 20'000; ++i) {
    // Any magnitude, both signs.
    const auto time_us = static_cast<std::int64_t>(random()) >> static_cast<int>(random() % 60 + 2);
    ASSERT_EQ(L().TickAt(time_us), ReferenceTickAt(Case(), time_us)) << time_us;
  }
}

TEST_P(AnyLayout, TickAtTheEndsOfInt64) {
  if (Case().tick_us == 1) GTEST_SKIP() << "the tick itself may not fit an int64";
  for (const std::int64_t time_us : {kMinInt64, kMinInt64 + 1, kMaxInt64 - 1, kMaxInt64}) {
    EXPECT_EQ(L().TickAt(time_us), ReferenceTickAt(Case(), time_us));
  }
}

TEST(StartOfTick, StopsAtTheLargestInt64) {
  const Layout layout =
      MakeLayout("long", 3'600'000'000, 0, {{kTimestamp, 55}, {kMachine, 2}, {kSequence, 6}});
  EXPECT_EQ(layout.StartOfTick(layout.MaxTick()), kMaxInt64);
  const auto last = static_cast<std::uint64_t>(kMaxInt64 / 3'600'000'000);
  EXPECT_EQ(layout.StartOfTick(last), static_cast<std::int64_t>(last) * 3'600'000'000);
  EXPECT_EQ(layout.StartOfTick(last + 1), kMaxInt64);
}

// --- Marks ---------------------------------------------------------------------------

// A position's own instant is its tick's start and its sequence's share of the tick. The
// limit of a mark is the number of positions whose instant is before it: found here by
// halving, on fractions multiplied out.
std::uint64_t ReferenceLimit(const LayoutCase& layout_case, std::int64_t mark_ms) {
  const Layout& layout = layout_case.layout;
  const Int128 ids = static_cast<Int128>(layout.IdsPerTick());
  const Int128 mark = (Int128{mark_ms} - layout_case.epoch_ms) * 1000 * ids;
  const auto is_before = [&](std::uint64_t position) {
    // tick * tick_us * ids + sequence * tick_us, and a position is tick * ids + sequence.
    return static_cast<Int128>(position) * layout_case.tick_us < mark;
  };
  std::uint64_t low = 0;  // all below are before the mark
  std::uint64_t high = layout.MaxPosition() + 1;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (is_before(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

TEST_P(AnyLayout, PositionLimitAgreesWithTheReference) {
  const std::int64_t epoch_ms = Case().epoch_ms;
  const std::int64_t end_ms = L().StartOfTick(L().MaxTick()) / 1000 + Case().tick_us / 1000 + 1;
  std::vector<std::int64_t> marks = {kMinInt64, -1,           0,          epoch_ms - 1,
                                     epoch_ms,  epoch_ms + 1, end_ms - 2, end_ms - 1,
                                     end_ms,    end_ms + 1,   kMaxInt64};
  std::mt19937_64 random(5);
  const auto life_ms = static_cast<std::uint64_t>(end_ms - epoch_ms);
  for (int i = 0; i < 3'000; ++i) {
    marks.push_back(epoch_ms + static_cast<std::int64_t>(random() % (life_ms + 10)));
  }
  for (int i = 0; i < 1'000; ++i) marks.push_back(epoch_ms + i);
  std::sort(marks.begin(), marks.end());
  std::uint64_t before = 0;
  for (const std::int64_t mark_ms : marks) {
    const std::uint64_t limit = L().PositionLimit(mark_ms);
    ASSERT_EQ(limit, ReferenceLimit(Case(), mark_ms)) << mark_ms;
    ASSERT_GE(limit, before) << "a later mark covers less";
    before = limit;
  }
  EXPECT_EQ(L().PositionLimit(epoch_ms), 0U);
  EXPECT_EQ(L().PositionLimit(kMaxInt64), L().MaxPosition() + 1);
}

TEST_P(AnyLayout, MarkCoveringIsTheSmallestThatCovers) {
  std::int64_t before = kMinInt64;
  for (const std::uint64_t position : SomePositions(5'000)) {
    const std::int64_t mark_ms = L().MarkCovering(position);
    ASSERT_GT(L().PositionLimit(mark_ms), position);
    ASSERT_LE(L().PositionLimit(mark_ms - 1), position);
    ASSERT_GE(mark_ms, before) << "a later position needs an earlier mark";
    before = mark_ms;
  }
}

TEST_P(AnyLayout, NeighbouringPositionsHaveNeighbouringMarks) {
  std::mt19937_64 random(6);
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t from = PositionOf(SomeParts(random, Case()));
    std::int64_t before = kMinInt64;
    for (std::uint64_t step = 0; step < 300 && from + step <= L().MaxPosition(); ++step) {
      const std::int64_t mark_ms = L().MarkCovering(from + step);
      ASSERT_GT(L().PositionLimit(mark_ms), from + step);
      ASSERT_LE(L().PositionLimit(mark_ms - 1), from + step);
      ASSERT_GE(mark_ms, before);
      before = mark_ms;
    }
  }
}

TEST(Marks, CoverTheSmallLayoutWhole) {
  for (const LayoutCase& layout_case : LayoutCases()) {
    const Layout& layout = layout_case.layout;
    if (layout.MaxPosition() > 10'000) continue;
    std::int64_t mark_ms = layout_case.epoch_ms - 3;
    for (std::uint64_t position = 0; position <= layout.MaxPosition(); ++position) {
      while (ReferenceLimit(layout_case, mark_ms) <= position) ++mark_ms;
      EXPECT_EQ(layout.MarkCovering(position), mark_ms);
    }
  }
}

TEST(Marks, AMarkLiesInsideALongTick) {
  // One hour, four sequence numbers: a quarter of an hour each.
  const Layout layout =
      MakeLayout("quarters", 3'600'000'000, 0, {{kTimestamp, 20}, {kSequence, 2}});
  constexpr std::int64_t kQuarterMs = 15 * 60 * 1000;
  EXPECT_EQ(layout.PositionLimit(0), 0U);
  EXPECT_EQ(layout.PositionLimit(1), 1U);
  EXPECT_EQ(layout.PositionLimit(kQuarterMs), 1U);
  EXPECT_EQ(layout.PositionLimit(kQuarterMs + 1), 2U);
  EXPECT_EQ(layout.PositionLimit(4 * kQuarterMs), 4U);
  EXPECT_EQ(layout.MarkCovering(0), 1);
  EXPECT_EQ(layout.MarkCovering(3), 3 * kQuarterMs + 1);
}

// --- Positions for foreign IDs -------------------------------------------------------

// All IDs of a layout, for all its identities, against a walk over all positions.
void CheckPositionNotAbove(const LayoutCase& layout_case) {
  const Layout& layout = layout_case.layout;
  const auto values = [&](FieldKind kind) { return PowerOfTwo(BitsOf(layout_case, kind)); };
  for (std::uint64_t datacenter = 0; datacenter < values(kDatacenter); ++datacenter) {
    for (std::uint64_t machine = 0; machine < values(kMachine); ++machine) {
      for (std::uint64_t shard = 0; shard < values(kShard); ++shard) {
        const Identity identity{datacenter, machine, shard};
        std::vector<std::uint64_t> ids;  // by position
        for (std::uint64_t tick = 0; tick <= layout.MaxTick(); ++tick) {
          for (std::uint64_t sequence = 0; sequence < values(kSequence); ++sequence) {
            ids.push_back(ReferenceId(layout_case, {tick, identity, sequence}));
          }
        }
        std::uint64_t expected = 0;
        for (std::uint64_t id = 0; id <= layout.MaxId(); ++id) {
          while (expected + 1 < ids.size() && ids[expected + 1] <= id) ++expected;
          ASSERT_EQ(layout.PositionNotAbove(id, layout.IdentityBits(identity)), expected)
              << "id " << id;
        }
      }
    }
  }
}

TEST(PositionNotAbove, AgreesWithAWalkForEveryFieldOrder) {
  std::vector<FieldSpec> rest = {{kDatacenter, 2}, {kMachine, 1}, {kShard, 1}, {kSequence, 2}};
  const auto by_kind = [](const FieldSpec& a, const FieldSpec& b) { return a.kind < b.kind; };
  std::sort(rest.begin(), rest.end(), by_kind);
  int orders = 0;
  do {
    LayoutCase layout_case =
        MakeCase("order", 1000, 0, {{kTimestamp, 3}, rest[0], rest[1], rest[2], rest[3]});
    ASSERT_EQ(layout_case.layout.TotalBits(), 9U);
    CheckPositionNotAbove(layout_case);
    ++orders;
  } while (std::next_permutation(rest.begin(), rest.end(), by_kind));
  EXPECT_EQ(orders, 24);
}

TEST(PositionNotAbove, AgreesWithAWalkWithoutIdentity) {
  CheckPositionNotAbove(MakeCase("plain", 1000, 0, {{kTimestamp, 4}, {kSequence, 3}}));
}

TEST_P(AnyLayout, PositionNotAboveEnclosesAnyId) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 5'000; ++i) {
    const std::uint64_t id = ReferenceId(Case(), SomeParts(random, Case()));
    const Parts own = SomeParts(random, Case());
    const std::uint64_t position = L().PositionNotAbove(id, L().IdentityBits(own.identity));
    const auto id_of = [&](std::uint64_t at) {
      return ReferenceId(Case(), {at / L().IdsPerTick(), own.identity, at % L().IdsPerTick()});
    };
    ASSERT_LE(position, L().MaxPosition());
    ASSERT_TRUE(position == 0 || id_of(position) <= id);
    ASSERT_TRUE(position == L().MaxPosition() || id_of(position + 1) > id);
  }
}

TEST_P(AnyLayout, PositionNotAboveOfAnOwnIdIsItsPosition) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 5'000; ++i) {
    const Parts parts = SomeParts(random, Case());
    ASSERT_EQ(L().PositionNotAbove(ReferenceId(Case(), parts), L().IdentityBits(parts.identity)),
              PositionOf(parts));
  }
}

// --- ID spaces -----------------------------------------------------------------------

static_assert(std::has_unique_object_representations_v<IdSpace>, "compared as bytes");

bool SameBytes(const IdSpace& a, const IdSpace& b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

TEST(IdSpace, IsEqualExactlyWhenTheConstantsAre) {
  const auto make = [](const char* name, std::int64_t tick_us, std::int64_t epoch_ms,
                       std::initializer_list<FieldSpec> specs) {
    return MakeLayout(name, tick_us, epoch_ms, specs);
  };
  const Layout base = make("a", 1000, 5000, {{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}});
  const IdSpace space = base.SpaceOf(base.IdentityBits({0, 3, 0}));

  // The name is not a constant, nor is the name of a field.
  const Layout renamed = make("b", 1000, 5000, {{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}});
  EXPECT_TRUE(SameBytes(space, renamed.SpaceOf(renamed.IdentityBits({0, 3, 0}))));
  const Layout sharded = make("c", 1000, 5000, {{kTimestamp, 41}, {kShard, 10}, {kSequence, 12}});
  EXPECT_TRUE(SameBytes(space, sharded.SpaceOf(sharded.IdentityBits({0, 0, 3}))));

  EXPECT_FALSE(SameBytes(space, base.SpaceOf(base.IdentityBits({0, 4, 0}))));
  const Layout others[] = {
      make("tick", 2000, 5000, {{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}}),
      make("epoch", 1000, 5001, {{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}}),
      make("fewer", 1000, 5000, {{kTimestamp, 41}, {kMachine, 11}, {kSequence, 11}}),
      make("order", 1000, 5000, {{kTimestamp, 41}, {kSequence, 12}, {kMachine, 10}}),
      make("narrow", 1000, 5000, {{kTimestamp, 41}, {kMachine, 9}, {kSequence, 12}}),
  };
  for (const Layout& other : others) {
    EXPECT_FALSE(SameBytes(space, other.SpaceOf(space.identity_bits))) << other.name;
  }
}

}  // namespace
}  // namespace idgen

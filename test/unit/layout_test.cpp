#include <idgen/layout.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "test_layouts.h"

namespace idgen {
namespace {

using enum FieldKind;

constexpr std::int64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinInt64 = std::numeric_limits<std::int64_t>::min();

static_assert(std::is_trivially_copyable_v<Layout>);
static_assert(MakeLayout("any", 1000, 0, {{kTimestamp, 4}, {kSequence, 3}}).Compose(9, 0) == 9,
              "layouts are usable in constant expressions");

// --- Building ------------------------------------------------------------------------

TEST(BuildLayout, PutsTheFieldsFromTheHighestBitDown) {
  const FieldSpec specs[] = {{kTimestamp, 20}, {kTail, 3}, {kShard, 4}, {kSequence, 5}};
  const Layout layout = BuildLayout("built", 250, -7'001, specs);
  EXPECT_EQ(layout.name, "built");
  EXPECT_EQ(layout.tick_us, 250);
  EXPECT_EQ(layout.epoch_us, -7'001) << "an epoch need not be a whole millisecond";
  EXPECT_EQ(layout[kTimestamp].bits, 20);
  EXPECT_EQ(layout[kTimestamp].shift, 12);
  EXPECT_EQ(layout[kTail].bits, 3);
  EXPECT_EQ(layout[kTail].shift, 9);
  EXPECT_EQ(layout[kShard].bits, 4);
  EXPECT_EQ(layout[kShard].shift, 5);
  EXPECT_EQ(layout[kSequence].bits, 5);
  EXPECT_EQ(layout[kSequence].shift, 0);
  EXPECT_FALSE(layout.Has(kDatacenter) || layout.Has(kMachine));
}

TEST(MakeLayout, IsBuildLayoutWithAnEpochInMilliseconds) {
  const FieldSpec specs[] = {{kTimestamp, 20}, {kSequence, 4}, {kMachine, 9}};
  const Layout built = BuildLayout("a", 10, -5'000, specs);
  const Layout made = MakeLayout("a", 10, -5, {{kTimestamp, 20}, {kSequence, 4}, {kMachine, 9}});
  EXPECT_EQ(made.name, built.name);
  EXPECT_EQ(made.tick_us, built.tick_us);
  EXPECT_EQ(made.epoch_us, built.epoch_us);
  for (const FieldKind kind : kAllKinds) {
    EXPECT_EQ(made[kind].bits, built[kind].bits);
    EXPECT_EQ(made[kind].shift, built[kind].shift);
  }
}

TEST(CanGenerate, NeedsASequenceAndNoTail) {
  const auto can = [](std::initializer_list<FieldSpec> specs) {
    return MakeLayout("any", 1000, 0, specs).CanGenerate();
  };
  EXPECT_TRUE(can({{kTimestamp, 41}, {kSequence, 1}}));
  EXPECT_TRUE(can({{kTimestamp, 30}, {kSequence, 8}, {kMachine, 10}, {kShard, 2}}));
  EXPECT_FALSE(can({{kTimestamp, 41}}));
  EXPECT_FALSE(can({{kTimestamp, 48}, {kMachine, 15}}));
  EXPECT_FALSE(can({{kTimestamp, 47}, {kTail, 16}}));
  EXPECT_FALSE(can({{kTimestamp, 41}, {kSequence, 12}, {kTail, 1}}));
}

// --- Over all layouts ----------------------------------------------------------------

INSTANTIATE_TEST_SUITE_P(Layouts, AnyLayout, testing::ValuesIn(LayoutCases()),
                         [](const auto& tested) { return NameOf(tested.param); });
INSTANTIATE_TEST_SUITE_P(Layouts, GeneratingLayout, testing::ValuesIn(GeneratingCases()),
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
  for (const FieldKind kind : kAllKinds) {
    EXPECT_EQ(L().Has(kind), BitsOf(Case(), kind) > 0);
  }
}

TEST_P(GeneratingLayout, SequenceIsLowestWhereItIsTheLastField) {
  EXPECT_EQ(L().SequenceIsLowest(), Case().specs.back().kind == kSequence);
}

TEST_P(AnyLayout, ParseAndUnparseAgreeWithTheReference) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const Parts parts = SomeParts(random, Case());
    const std::uint64_t id = ReferenceId(Case(), parts);
    ASSERT_LE(id, L().MaxId());
    ASSERT_EQ(L().Unparse(parts), id);
    const Parts back = L().Parse(id);
    for (const FieldKind kind : kAllKinds) ASSERT_EQ(ValueOf(back, kind), ValueOf(parts, kind));
  }
}

TEST_P(AnyLayout, UnparseIsTheInverseOfParseForEveryId) {
  std::mt19937_64 random(9);
  for (std::uint64_t id : {std::uint64_t{0}, std::uint64_t{1}, L().MaxId() / 2, L().MaxId()}) {
    EXPECT_EQ(L().Unparse(L().Parse(id)), id);
  }
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t id = random() & L().MaxId();
    ASSERT_EQ(L().Unparse(L().Parse(id)), id);
  }
}

TEST_P(GeneratingLayout, ComposeAgreesWithUnparse) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const Parts parts = SomeParts(random, Case());
    const std::uint64_t position = PositionOf(parts);
    const std::int64_t id = L().Compose(position, L().IdentityBits(parts.identity));
    ASSERT_EQ(static_cast<std::uint64_t>(id), L().Unparse(parts));
    ASSERT_EQ(L().ComposerFor(L().IdentityBits(parts.identity))(position), id);
  }
}

TEST_P(GeneratingLayout, FillAgreesWithCompose) {
  std::mt19937_64 random(2);
  const std::uint64_t ids_per_tick = L().IdsPerTick();
  constexpr std::int64_t kUntouched = -7;
  for (int i = 0; i < 200; ++i) {
    const Parts parts = SomeParts(random, Case());
    const Composer composer = L().ComposerFor(L().IdentityBits(parts.identity));
    const std::uint64_t first = PositionOf(parts);
    // Up to the end of the tick, and no more.
    const std::uint64_t left = ids_per_tick - (first & (ids_per_tick - 1));
    const std::uint64_t count = std::min<std::uint64_t>(left, random() % 300);
    std::vector<std::int64_t> ids(count + 1, kUntouched);
    composer.Fill(first, count, ids.data());
    for (std::uint64_t k = 0; k < count; ++k) ASSERT_EQ(ids[k], composer(first + k));
    ASSERT_EQ(ids[count], kUntouched);
  }
}

TEST_P(AnyLayout, EveryFieldsEndsUnparseAndParse) {
  // All combinations of the smallest and the largest value of each field.
  const std::size_t fields = Case().specs.size();
  for (unsigned choice = 0; choice < 1U << fields; ++choice) {
    Parts parts;
    for (std::size_t i = 0; i < fields; ++i) {
      const FieldSpec& spec = Case().specs[i];
      SetValue(parts, spec.kind, (choice >> i & 1) != 0 ? PowerOfTwo(spec.bits) - 1 : 0);
    }
    const std::uint64_t id = L().Unparse(parts);
    EXPECT_EQ(id, ReferenceId(Case(), parts));
    EXPECT_LE(id, L().MaxId());
    const Parts back = L().Parse(id);
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

  Parts parts;
  parts.tick = 1;
  Parts with_others = parts;
  for (const FieldKind kind : kAllKinds) {
    if (!L().Has(kind)) SetValue(with_others, kind, 7);
  }
  EXPECT_EQ(L().Unparse(with_others), L().Unparse(parts));
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

TEST_P(GeneratingLayout, PositionNotAboveEnclosesAnyId) {
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

TEST_P(GeneratingLayout, PositionNotAboveOfAnOwnIdIsItsPosition) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 5'000; ++i) {
    const Parts parts = SomeParts(random, Case());
    ASSERT_EQ(L().PositionNotAbove(ReferenceId(Case(), parts), L().IdentityBits(parts.identity)),
              PositionOf(parts));
  }
}

// --- ID spaces -----------------------------------------------------------------------

static_assert(std::has_unique_object_representations_v<IdSpaceKey>, "compared as bytes");

bool SameBytes(const IdSpaceKey& a, const IdSpaceKey& b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

TEST(IdSpaceKey, IsEqualExactlyWhenTheConstantsAre) {
  const auto make = [](const char* name, std::int64_t tick_us, std::int64_t epoch_ms,
                       std::initializer_list<FieldSpec> specs) {
    return MakeLayout(name, tick_us, epoch_ms, specs);
  };
  const Layout base = make("a", 1000, 5000, {{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}});
  const IdSpaceKey space = base.KeyOf(base.IdentityBits({0, 3, 0}));

  // The name is not a constant, nor is the name of a field.
  const Layout renamed = make("b", 1000, 5000, {{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}});
  EXPECT_TRUE(SameBytes(space, renamed.KeyOf(renamed.IdentityBits({0, 3, 0}))));
  const Layout sharded = make("c", 1000, 5000, {{kTimestamp, 41}, {kShard, 10}, {kSequence, 12}});
  EXPECT_TRUE(SameBytes(space, sharded.KeyOf(sharded.IdentityBits({0, 0, 3}))));

  EXPECT_FALSE(SameBytes(space, base.KeyOf(base.IdentityBits({0, 4, 0}))));
  const Layout others[] = {
      make("tick", 2000, 5000, {{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}}),
      make("epoch", 1000, 5001, {{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}}),
      make("fewer", 1000, 5000, {{kTimestamp, 41}, {kMachine, 11}, {kSequence, 11}}),
      make("order", 1000, 5000, {{kTimestamp, 41}, {kSequence, 12}, {kMachine, 10}}),
      make("narrow", 1000, 5000, {{kTimestamp, 41}, {kMachine, 9}, {kSequence, 12}}),
  };
  for (const Layout& other : others) {
    EXPECT_FALSE(SameBytes(space, other.KeyOf(space.identity_bits))) << other.name;
  }
}

}  // namespace
}  // namespace idgen

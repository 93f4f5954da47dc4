#include <idgen/uuid.h>

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace idgen {
namespace {

constexpr Id128 FromHex(std::string_view text) {
  Id128 id;
  for (const char c : text) {
    if (c == '-') continue;
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    id.high = id.high << 4 | id.low >> 60;
    id.low = id.low << 4 | static_cast<std::uint64_t>(digit);
  }
  return id;
}

constexpr Layout kFine = FineLayout("fine");
constexpr Layout kGregorian = GregorianLayout("gregorian");
constexpr std::uint64_t PositionAt(std::uint64_t us, std::uint64_t sequence) {
  return us << 11 | sequence;
}
constexpr FineTime TimeAt(std::uint64_t us, std::uint64_t sequence) {
  return FineTimeOf(PositionAt(us, sequence));
}

static_assert(CheckLayout(kFine) == LayoutError::kNone);
static_assert(CheckLayout(kGregorian) == LayoutError::kNone);

// --- The vectors of RFC 9562, appendices A and B -------------------------------------------------

constexpr std::int64_t kVectorUs = 1645557742'000'000;  // 2022-02-22 19:22:22 UTC
constexpr GregorianNode kVectorNode = {0x9F6BDECED846, 0x33C8};

TEST(Rfc9562, Version1) {
  constexpr Id128 id = FromHex("C232AB00-9414-11EC-B3C8-9F6BDECED846");
  EXPECT_EQ(UuidV1(138648505420000000, kVectorNode), id);
  EXPECT_TRUE(IsVersion(id, 1));
  EXPECT_EQ(GregorianOf(id), 138648505420000000U);
  EXPECT_EQ(UsOfGregorian(GregorianOf(id)), kVectorUs);
  EXPECT_EQ(GregorianNodeOf(id).node, kVectorNode.node);
  EXPECT_EQ(GregorianNodeOf(id).clock_sequence, kVectorNode.clock_sequence);
}

TEST(Rfc9562, Version6) {
  constexpr Id128 id = FromHex("1EC9414C-232A-6B00-B3C8-9F6BDECED846");
  EXPECT_EQ(UuidV6(GregorianOfUs(kVectorUs), kVectorNode), id);
  EXPECT_TRUE(IsVersion(id, 6));
  EXPECT_EQ(GregorianOf(id), 138648505420000000U);
  EXPECT_EQ(GregorianNodeOf(id).Bits(), kVectorNode.Bits());
}

TEST(Rfc9562, Version7) {
  constexpr Id128 id = FromHex("017F22E2-79B0-7CC3-98C4-DC0C0C07398F");
  EXPECT_TRUE(IsVersion(id, 7));
  EXPECT_EQ(UnixMsOf(id), 1645557742000U);
}

TEST(Rfc9562, TheFractionOfTheExampleOfMethod3) {
  EXPECT_EQ(UnixPart(456), 0x74BU);  // .456 of a millisecond; the RFC's .4567 is 0x74E
}

TEST(Rfc9562, OtherVersionsAndVariants) {
  EXPECT_TRUE(IsVersion(FromHex("2489E9AD-2EE2-8E00-8EC9-32D5F69181C0"), 8));
  EXPECT_TRUE(IsVersion(FromHex("919108f7-52d1-4320-9bac-f847db4148a8"), 4));
  EXPECT_FALSE(IsRfcVariant({0, 0}));                                           // nil
  EXPECT_FALSE(IsRfcVariant({~0ULL, ~0ULL}));                                   // max
  EXPECT_FALSE(IsVersion(FromHex("017F22E2-79B0-7CC3-D8C4-DC0C0C07398F"), 7));  // Microsoft's
}

// --- Order and round trips -----------------------------------------------------------------------

template <typename Make>
void ExpectOrdered(const std::vector<std::uint64_t>& positions, Make&& make) {
  std::mt19937_64 random(1);
  for (std::size_t i = 1; i < positions.size(); ++i) {
    ASSERT_LT(positions[i - 1], positions[i]);
    ASSERT_LT(make(positions[i - 1], random()), make(positions[i], random())) << positions[i];
  }
}

// The last of every millisecond's part with what follows, and any others.
std::vector<std::uint64_t> FinePositions() {
  std::set<std::uint64_t> positions;
  std::mt19937_64 random(2);
  for (std::uint64_t us = kVectorUs; us < kVectorUs + 2100; ++us) {
    for (const std::uint64_t sequence : {0ULL, 1ULL, 63ULL, 64ULL, 1023ULL, 2046ULL, 2047ULL}) {
      positions.insert(PositionAt(us, sequence));
    }
  }
  for (int i = 0; i < 2000; ++i) positions.insert(random() & kFine.MaxPosition());
  positions.insert({0, 1, kFine.MaxPosition() - 1, kFine.MaxPosition()});
  return {positions.begin(), positions.end()};
}

TEST(Order, OfFineKindsIsThePositions) {
  const std::vector<std::uint64_t> positions = FinePositions();
  ExpectOrdered(positions, [](std::uint64_t position, std::uint64_t random) {
    return UuidV7(FineTimeOf(position), random);
  });
  ExpectOrdered(positions, [](std::uint64_t position, std::uint64_t random) {
    return Ulid(FineTimeOf(position), random);
  });
  ExpectOrdered(positions, [](std::uint64_t position, std::uint64_t random) {
    return UuidV8(FineTimeOf(position), 0xabcdef, random);
  });
  ExpectOrdered(positions, [](std::uint64_t position, std::uint64_t) {
    return MakeId128(FineTimeOf(position), 0xabcdef);
  });
}

TEST(Order, OfVersion6IsThePositions) {
  std::vector<std::uint64_t> positions;
  for (std::uint64_t i = 0; i < 100; ++i) {
    positions.push_back((static_cast<std::uint64_t>(kVectorUs) << 3) + i);
  }
  positions.push_back(kGregorian.MaxPosition());
  ExpectOrdered(positions, [](std::uint64_t position, std::uint64_t random) {
    return UuidV6(GregorianOf(position), {random, random >> 50});
  });
  EXPECT_LE(GregorianOf(kGregorian.MaxPosition()), kMostGregorian);
}

TEST(RoundTrip, TimeAndSequenceOfVersions7And8) {
  for (const std::uint64_t position : FinePositions()) {
    const FineTime time = FineTimeOf(position);
    for (const Id128 id : {UuidV7(time, ~0ULL), UuidV8(time, 0xffffff, ~0ULL), UuidV7(time, 0),
                           UuidV8(time, 0, 0)}) {
      ASSERT_EQ(UnixMsOf(id), time.us / 1000);
      ASSERT_EQ(MicrosecondOf(id), time.us % 1000);
      ASSERT_EQ(SequenceOf(id), time.sequence);
    }
    ASSERT_TRUE(IsVersion(UuidV7(time, ~0ULL), 7));
    ASSERT_TRUE(IsVersion(UuidV8(time, 0xffffff, ~0ULL), 8));
    ASSERT_EQ(NodeOfV8(UuidV8(time, 0x123456, ~0ULL)), 0x123456U);
  }
}

TEST(RoundTrip, AMicrosecondOfAnyFraction) {
  for (std::uint64_t fraction = 0; fraction < 4096; ++fraction) {
    EXPECT_LT(MicrosecondOf({fraction, 0}), 1000U);
  }
}

TEST(RoundTrip, ClockSequenceAndNode) {
  for (const GregorianNode node : {GregorianNode{0, 0}, GregorianNode{(1ULL << 48) - 1, 0x3fff},
                                   GregorianNode{0x123456789abc, 0x2345}}) {
    for (const std::uint64_t time :
         {std::uint64_t{0}, kMostGregorian, GregorianOfUs(kVectorUs, 9)}) {
      for (const Id128 id : {UuidV1(time, node), UuidV6(time, node)}) {
        EXPECT_EQ(GregorianOf(id), time);
        EXPECT_EQ(GregorianNodeOf(id).Bits(), node.Bits());
        EXPECT_TRUE(IsRfcVariant(id));
      }
    }
  }
}

TEST(RoundTrip, TimesBefore1970AreRoundedDown) {
  EXPECT_EQ(UsOfGregorian(GregorianOfUs(-1)), -1);
  EXPECT_EQ(UsOfGregorian(GregorianOfUs(-1, 9)), -1);
  EXPECT_EQ(UsOfGregorian(GregorianOfUs(0)), 0);
  EXPECT_EQ(UsOfGregorian(0), -kUnixInGregorian / 10);
}

// --- Bounds --------------------------------------------------------------------------------------

TEST(Bounds, HoldEveryIdOfTheirMillisecondAndNoOther) {
  for (const std::uint64_t us : {std::uint64_t{kVectorUs}, std::uint64_t{kVectorUs} + 999}) {
    for (const std::uint64_t sequence : {0ULL, 2047ULL}) {
      for (const std::uint64_t random : {0ULL, ~0ULL}) {
        const FineTime time = TimeAt(us, sequence);
        const std::uint64_t ms = us / 1000;
        const Id128 v7 = UuidV7(time, random);
        EXPECT_LE(LeastOfMs(ms, 7), v7);
        EXPECT_GE(MostOfMs(ms, 7), v7);
        const Id128 ulid = Ulid(time, random);
        EXPECT_LE(LeastUlid(ms), ulid);
        EXPECT_GE(MostUlid(ms), ulid);
      }
    }
  }
  EXPECT_LT(MostOfMs(5, 7), LeastOfMs(6, 7));
  EXPECT_LT(MostUlid(5), LeastUlid(6));
  EXPECT_TRUE(IsVersion(LeastOfMs(5, 8), 8));
  EXPECT_TRUE(IsVersion(MostOfMs(5, 8), 8));
}

// --- ULID and id128 ------------------------------------------------------------------------------

TEST(UlidTest, LeavesHalfOfItsRandomNumbersFree) {
  for (const std::uint64_t position : FinePositions()) {
    const FineTime time = FineTimeOf(position);
    const Id128 id = Ulid(time, ~0ULL);
    ASSERT_EQ(id.high >> 16, time.us / 1000);
    ASSERT_EQ(id.high >> 15 & 1, 0U);
  }
}

TEST(Id128Kind, HasTheFieldsOfTheCaseStudy) {
  const Id128 id = MakeId128(TimeAt(kVectorUs, 1234), 0x123456);
  EXPECT_EQ(id.high, std::uint64_t{kVectorUs} * 1000);
  EXPECT_EQ(NodeOfId128(id), 0x123456U);
  EXPECT_EQ(id.low & 0xffff, 1234U);
}

// --- Nodes ---------------------------------------------------------------------------------------

TEST(Node, IsAnIdentityInAWordOfItsOwn) {
  constexpr Layout layout = WithNode(kFine);
  EXPECT_EQ(layout.IdentityBits({.datacenter = 0x12, .machine = 0x3456}), 0x123456U);
  EXPECT_EQ(layout.FindMisfit({.datacenter = 255, .machine = 65535}), FieldKind::kTimestamp);
  EXPECT_EQ(layout.FindMisfit({.datacenter = 256}), FieldKind::kDatacenter);
  EXPECT_EQ(layout.FindMisfit({.machine = 65536}), FieldKind::kMachine);
  EXPECT_EQ(layout.ComposerFor(0)(kFine.MaxPosition()),
            static_cast<std::int64_t>(kFine.MaxPosition()));
  EXPECT_EQ(layout.Parse(0x123456).identity.datacenter, 0x12U);
  EXPECT_EQ(layout.Parse(0x123456).identity.machine, 0x3456U);
}

// --- A 64-bit ID in a UUID -----------------------------------------------------------------------

TEST(Carrier, KeepsEveryIdAndTheirOrder) {
  std::set<std::uint64_t> ids = {0, 1, 7, 8, 0x7fff, 0x8000, (1ULL << 63) - 1};
  std::mt19937_64 random(3);
  for (int i = 0; i < 1000; ++i) ids.insert(random() >> 1);
  Id128 last;
  for (const std::uint64_t id : ids) {
    const Id128 uuid = UuidOfId(id);
    ASSERT_TRUE(CarriesId(uuid));
    ASSERT_TRUE(IsVersion(uuid, 8));
    ASSERT_EQ(IdInUuid(uuid), id);
    ASSERT_LT(last, uuid);
    last = uuid;
  }
}

TEST(Carrier, IsKnownByEachBitThatIsNoIds) {
  const Id128 uuid = UuidOfId(0x123456789abcdef);
  for (unsigned bit = 0; bit < 128; ++bit) {
    Id128 other = uuid;
    (bit < 64 ? other.low : other.high) ^= 1ULL << (bit % 64);
    const bool is_version = bit >= 64 + 12 && bit < 64 + 16;
    const bool is_ids = bit >= 59 && bit < 62;
    const bool carries = (bit >= 64 && !is_version) || is_ids;
    EXPECT_EQ(CarriesId(other), carries) << bit;
  }
}

}  // namespace
}  // namespace idgen

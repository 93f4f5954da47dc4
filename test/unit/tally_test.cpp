#include <idgen/tally.h>

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <vector>

namespace idgen {
namespace {

using Reference = std::map<std::uint64_t, std::uint64_t>;

Reference ContentOf(const Tally& tally) {
  Reference content;
  for (const TallyCell& cell : tally.cells()) {
    if (cell.count > 0) content[cell.key] += cell.count;
  }
  return content;
}

constexpr std::uint64_t CountAll() {
  std::array<TallyCell, 8> cells{};
  Tally tally(cells);
  for (const std::uint64_t key : {5U, 5U, 0U, 13U}) tally.Add(tally.Find(key), key, 2);
  return tally.Find(5).count * 100 + tally.Find(0).count * 10 + tally.used();
}
static_assert(CountAll() == 423, "usable when compiling");

TEST(Tally, AgreesWithAMap) {
  std::mt19937_64 random(1);
  std::vector<TallyCell> cells(1024);
  Tally tally(cells);
  Reference expected;
  while (!tally.IsFull()) {
    const std::uint64_t key = random() % 3 == 0 ? random() : random() % 500;
    const std::uint64_t count = 1 + random() % 5;
    tally.Add(tally.Find(key), key, count);
    expected[key] += count;
  }
  EXPECT_EQ(tally.used(), 768U);
  EXPECT_EQ(ContentOf(tally), expected);
  for (const auto& [key, count] : expected) EXPECT_EQ(tally.Find(key).count, count);
  EXPECT_EQ(tally.Find(12345).count, 0U) << "what was not counted";
}

TEST(IntervalKey, SortsByMakerThenTime) {
  for (const std::uint64_t maker :
       {std::uint64_t{0}, std::uint64_t{7}, IntervalKey::kMostMakers - 1}) {
    for (const std::uint64_t interval : {std::uint64_t{0}, std::uint64_t{9}, IntervalKey::kLast}) {
      const IntervalKey key = IntervalKey::Of(IntervalKey{maker, interval}.Packed());
      EXPECT_EQ(key.maker, maker);
      EXPECT_EQ(key.interval, interval);
    }
  }
  EXPECT_LT((IntervalKey{1, IntervalKey::kLast}.Packed()), (IntervalKey{2, 0}.Packed()));
}

// An interval that has no place in a key may not become another maker's.
TEST(IntervalKey, EndsWithTheLastInterval) {
  const IntervalKey key = IntervalKey::Of(IntervalKey{3, ~std::uint64_t{0}}.Packed());
  EXPECT_EQ(key.maker, 3U);
  EXPECT_EQ(key.interval, IntervalKey::kLast);
}

// Whatever is merged how often, the counts are those of the long intervals.
TEST(Pour, AgreesWithDivision) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 50; ++round) {
    std::vector<TallyCell> cells(512);
    std::vector<TallyCell> wide_cells(512);
    Tally tally(cells);
    Reference expected;
    const auto halvings = static_cast<unsigned>(random() % 12);
    const std::uint64_t span = 1 + random() % 100'000;
    while (!tally.IsFull() && tally.used() < span) {
      const IntervalKey key{random() % 4, random() % span};
      tally.Add(tally.Find(key.Packed()), key.Packed(), 1);
      expected[IntervalKey{key.maker, key.interval >> halvings}.Packed()] += 1;
    }
    Tally wide(wide_cells);
    Pour(tally.cells(), halvings, wide);
    EXPECT_EQ(ContentOf(wide), expected);
    EXPECT_EQ(wide.used(), expected.size());
  }
}

TEST(Pour, AddsToWhatIsThere) {
  std::vector<TallyCell> cells(8);
  std::vector<TallyCell> other_cells(8);
  Tally tally(cells);
  Tally other(other_cells);
  tally.Add(tally.Find(4), 4, 3);
  other.Add(other.Find(8), 8, 10);
  other.Add(other.Find(9), 9, 100);
  Pour(other.cells(), 1, tally);
  EXPECT_EQ(ContentOf(tally), (Reference{{4, 113}}));
}

}  // namespace
}  // namespace idgen

#include <idgen/scheme.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace idgen {
namespace {

// --- Agreement ---------------------------------------------------------------------------------

constexpr std::int64_t kVersion = 7;
constexpr std::int64_t kAtMs = 1000;

// Whether a holder can still make an ID of the instant or later by the old layouts, or could before
// it went by the proposal.
bool IsSafe(const HolderState& holder) {
  const bool went_by_it = holder.acknowledged >= kVersion;
  const bool has_no_time = !holder.lives && holder.used_until_ms <= kAtMs;
  return went_by_it || has_no_time;
}

TEST(Consent, IsGivenWhereNothingCanBeMadeBeyondTheInstant) {
  int given = 0;
  for (const bool lives : {false, true}) {
    for (const std::int64_t until_ms : {std::int64_t{0}, kAtMs - 1, kAtMs, kAtMs + 1}) {
      for (const std::int64_t acknowledged :
           {std::int64_t{0}, kVersion - 1, kVersion, kVersion + 1}) {
        const HolderState holder{lives, until_ms, acknowledged};
        const Consent consent = ConsentOf(holder, kVersion, kAtMs);
        ASSERT_EQ(consent == Consent::kGiven, IsSafe(holder))
            << lives << ' ' << until_ms << ' ' << acknowledged;
        // Only who lives can still acknowledge.
        ASSERT_TRUE(consent != Consent::kAwaited || lives);
        ASSERT_TRUE(consent != Consent::kTooLate || !lives);
        given += consent == Consent::kGiven ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(given, 4 * 2 + 4 * 2 + 3 * 2);
}

TEST(Consent, IsNotAcknowledgedWithTimeBeyondTheInstant) {
  static_assert(MayAcknowledge(kAtMs - 1, kAtMs));
  static_assert(MayAcknowledge(kAtMs, kAtMs));  // which covers what is earlier
  static_assert(!MayAcknowledge(kAtMs + 1, kAtMs));
  static_assert(MayAcknowledge(0, kAtMs));  // nothing was granted yet
}

// --- The text ------------------------------------------------------------------------------------

struct Read {
  std::vector<SchemeEntry> entries;
  bool is_broken = false;
};

Read ReadAll(std::string_view text) {
  Read read;
  SchemeReader reader(text);
  for (SchemeEntry entry; reader.Next(entry);) read.entries.push_back(entry);
  read.is_broken = reader.IsBroken();
  SchemeEntry more;
  EXPECT_FALSE(reader.Next(more));  // at the end, and after what is broken
  return read;
}

constexpr std::string_view kText =
    "setting max_clock_wait 2s\n"
    "layout small timestamp:41, machine:5, sequence:12\n"
    "generator orders small\n"
    "proposed orders 12 1767225600000 small until 2026-01-01Z, then wide\n";

constexpr std::size_t CountOf(std::string_view text) {
  SchemeReader reader(text);
  SchemeEntry entry;
  std::size_t count = 0;
  while (reader.Next(entry)) ++count;
  return reader.IsBroken() ? 0 : count;
}
static_assert(CountOf(kText) == 4);

TEST(SchemeText, HasEntries) {
  const Read read = ReadAll(kText);
  EXPECT_FALSE(read.is_broken);
  ASSERT_EQ(read.entries.size(), 4U);
  EXPECT_EQ(read.entries[0].kind, SchemeKind::kSetting);
  EXPECT_EQ(read.entries[0].name, "max_clock_wait");
  EXPECT_EQ(read.entries[0].value, "2s");
  EXPECT_EQ(read.entries[1].kind, SchemeKind::kLayout);
  EXPECT_EQ(read.entries[1].name, "small");
  EXPECT_EQ(read.entries[1].value, "timestamp:41, machine:5, sequence:12");
  EXPECT_EQ(read.entries[2].kind, SchemeKind::kGenerator);
  EXPECT_EQ(read.entries[2].name, "orders");
  EXPECT_EQ(read.entries[2].version, 0);
  EXPECT_EQ(read.entries[3].kind, SchemeKind::kProposed);
  EXPECT_EQ(read.entries[3].name, "orders");
  EXPECT_EQ(read.entries[3].version, 12);
  EXPECT_EQ(read.entries[3].at_ms, 1'767'225'600'000);
  EXPECT_EQ(read.entries[3].value, "small until 2026-01-01Z, then wide");
}

TEST(SchemeText, MayBeEmptyAndMayEndWithoutANewLine) {
  EXPECT_FALSE(ReadAll("").is_broken);
  EXPECT_TRUE(ReadAll("").entries.empty());
  const Read read = ReadAll(kText.substr(0, kText.size() - 1));
  EXPECT_FALSE(read.is_broken);
  EXPECT_EQ(read.entries.size(), 4U);
}

TEST(SchemeText, IsReadUpToWhatIsBroken) {
  for (const char* const line : {"",
                                 " ",
                                 "setting",
                                 "setting ",
                                 "setting a",
                                 "setting a ",
                                 "setting  b",
                                 " setting a b",
                                 "Setting a b",
                                 "settings a b",
                                 "\tsetting a b",
                                 "proposed a",
                                 "proposed a 1",
                                 "proposed a 1 2",
                                 "proposed a 1 2 ",
                                 "proposed a 1  b",
                                 "proposed a  2 b",
                                 "proposed  1 2 b",
                                 "proposed a 1 x b",
                                 "proposed a x 2 b",
                                 "proposed a -1 2 b",
                                 "proposed a 1 -2 b",
                                 "proposed a +1 2 b",
                                 "proposed a 1.0 2 b",
                                 "proposed a 0 2 b",
                                 "proposed a 1234567890123456789 2 b",
                                 "proposed a 1 9223372036854776 b",
                                 "proposed a 1 9223372036854775807 b",
                                 "proposed a 1 99999999999999999999 b"}) {
    const Read read = ReadAll(std::string("setting a b\n") + line + "\nsetting c d\n");
    EXPECT_TRUE(read.is_broken) << line;
    EXPECT_EQ(read.entries.size(), 1U) << line;
  }
}

TEST(SchemeText, HasNumbersThatCanBeReckonedWith) {
  const Read read = ReadAll("proposed a 999999999999999999 9223372036854775 b\n");
  ASSERT_EQ(read.entries.size(), 1U);
  EXPECT_EQ(read.entries[0].version, 999'999'999'999'999'999);
  EXPECT_EQ(read.entries[0].at_ms, 9'223'372'036'854'775);
  EXPECT_EQ(ReadAll("proposed a 1 0 b").entries.size(), 1U);
}

TEST(SchemeText, HasValuesOfAnyCharacters) {
  const std::string text("setting a b  c\t\r\0\xff\n", 18);
  const Read read = ReadAll(text);
  ASSERT_EQ(read.entries.size(), 1U);
  EXPECT_EQ(read.entries[0].value, std::string_view("b  c\t\r\0\xff", 8));
}

}  // namespace
}  // namespace idgen

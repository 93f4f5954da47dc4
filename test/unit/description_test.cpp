#include <idgen/description.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <idgen/builtin_layouts.h>

namespace idgen {
namespace {

using enum FieldKind;
using enum DescriptionError;

std::string Write(const Layout& layout) {
  char text[kLongestDescription];
  return {text, WriteDescription(layout, text)};
}

// 2024-01-01 and 2010-11-04 01:42:54.657, by date(1).
constexpr std::int64_t k2024 = 1'704'067'200'000'000;
constexpr std::int64_t kTwitter = 1'288'834'974'657'000;

TEST(Description, IsFieldsTickAndEpoch) {
  const ParsedDescription parsed =
      ParseDescription("timestamp:42, machine:6, sequence:15, tick:10ms, epoch:2024-01-01Z");
  ASSERT_EQ(parsed.error, kNone);
  EXPECT_EQ(parsed.ToLayout(),
            BuildLayout("", 10'000, k2024,
                        std::vector<FieldSpec>{{kTimestamp, 42}, {kMachine, 6}, {kSequence, 15}}));
}

TEST(Description, IsFreeInOrderCaseAndSpace) {
  const Layout expected =
      ParseDescription("timestamp:42, sequence:5, tick:2s, epoch:2024-01-01Z").ToLayout();
  for (const char* text :
       {"timestamp:42,sequence:5,epoch:2024-01-01Z,tick:2s",
        "  TIMESTAMP : 42 ,\n sequence:5 , Epoch : 2024-01-01 z ,\tTICK\t:\t2 S ",
        "timestamp:42, sequence:5, tick:2000ms, epoch:2024-01-01T00:00Z",
        "timestamp:42, sequence:5, tick:2000000 us, epoch:2024-01-01 00:00:00.000000Z",
        "timestamp:42, sequence:5, tick:02s, epoch:1704067200000000us"}) {
    SCOPED_TRACE(text);
    const ParsedDescription parsed = ParseDescription(text);
    ASSERT_EQ(parsed.error, kNone);
    EXPECT_EQ(parsed.ToLayout(), expected);
  }
}

TEST(Description, HasATickOfAMillisecondByDefault) {
  EXPECT_EQ(ParseDescription("timestamp:42, sequence:5, epoch:2024-01-01Z").tick_us, 1000);
}

TEST(Description, ReadsTicks) {
  std::int64_t us = 0;
  EXPECT_TRUE(ParseTick("7us", us) && us == 7);
  EXPECT_TRUE(ParseTick("7ms", us) && us == 7'000);
  EXPECT_TRUE(ParseTick("7s", us) && us == 7'000'000);
  EXPECT_TRUE(ParseTick("7min", us) && us == 420'000'000);
  EXPECT_TRUE(ParseTick("7 h", us) && us == 25'200'000'000);
  for (const char* bad :
       {"", "ms", "7", "7 m", "7sec", "-7ms", "7.5ms", "7ms 7", "9223372036854775808us",
        "9999999999999999999us", "9223372036854776 ms", "7 ms s"}) {
    EXPECT_FALSE(ParseTick(bad, us)) << bad;
  }
}

TEST(Description, ReadsEpochs) {
  std::int64_t us = 0;
  EXPECT_TRUE(ParseInstant("2010-11-04T01:42:54.657Z", us) && us == kTwitter);
  EXPECT_TRUE(ParseInstant("1970-01-01Z", us) && us == 0);
  EXPECT_TRUE(ParseInstant("1969-12-31T23:59:59.999999Z", us) && us == -1);
  EXPECT_TRUE(ParseInstant("2000-02-29 23:59Z", us) && us == 951'868'740'000'000);
  EXPECT_TRUE(ParseInstant("0001-01-01Z", us) && us == -62'135'596'800'000'000);
  EXPECT_TRUE(ParseInstant("9999-12-31T23:59:59Z", us) && us == 253'402'300'799'000'000);
  EXPECT_TRUE(ParseInstant("-9223372036854775808us", us) &&
              us == std::numeric_limits<std::int64_t>::min());
  for (const char* bad : {"",
                          "2024",
                          "2024-01-01",
                          "2024-1-1Z",
                          "2024-1-01Z",
                          "2024-01-1Z",
                          "2024-13-01Z",
                          "2023-02-29Z",
                          "1900-02-29Z",
                          "0000-01-01Z",
                          "2024-01-01T24:00Z",
                          "2024-01-01T23:60Z",
                          "2024-01-01T23:59:60Z",
                          "2024-01-01T12Z",
                          "2024-01-01T 12:00Z",
                          "2024-01-01T1:00Z",
                          "2024-01-01T12:0Z",
                          "2024-01-01T12:00:0Z",
                          "2024-01-01T12:00:00.Z",
                          "2024-01-01T12:00:00.1234567Z",
                          "2024-01-01+01",
                          "24-01-01Z",
                          "2024-01-01ZZ",
                          "9223372036854775808us",
                          "-9223372036854775809us",
                          "9999999999999999999us",
                          "--5us",
                          "5us 5",
                          "5usZ",
                          "5",
                          "us",
                          "2024-01-01TZ"}) {
    EXPECT_FALSE(ParseInstant(bad, us)) << bad;
  }
}

struct Wrong {
  std::string text;
  DescriptionError error;
  std::string words;
};

TEST(Description, PointsAtTheWrongWords) {
  const std::vector<Wrong> all = {
      {"", kFields, ""},
      {"timestamp:42, colour:3, epoch:2024-01-01Z", kFields, "colour"},
      {"tick:1ms, epoch:2024-01-01Z", kFields, ""},
      {"timestamp:42, sequence:5", kNoEpoch, ""},
      {"timestamp:42, sequence:5, tick:1ms", kNoEpoch, ""},
      {"timestamp:42, tick:1ms, sequence:5, epoch:2024-01-01Z", kUnexpected, "sequence:5"},
      {"timestamp:42, epoch:2024-01-01Z, ", kUnexpected, ""},
      {"timestamp:42, tick:1ms, tick:1ms, epoch:2024-01-01Z", kRepeated, "tick"},
      {"timestamp:42, epoch:2024-01-01Z, EPOCH:2024-01-01Z", kRepeated, "EPOCH"},
      {"timestamp:42, tick 1ms, epoch:2024-01-01Z", kNoColon, "tick 1ms"},
      {"timestamp:42, tick, epoch:2024-01-01Z", kNoColon, "tick"},
      {"timestamp:42, tick: 1 day , epoch:2024-01-01Z", kBadTick, "1 day"},
      {"timestamp:42, epoch:\t2024-01-01 ", kBadEpoch, "2024-01-01"},
      {"timestamp:42, ticks:1ms, epoch:2024-01-01Z", kFields, "ticks"},
      {"timestamp:42, epochal:1ms, epoch:2024-01-01Z", kFields, "epochal"},
      {"timestamp:42, epoch:", kBadEpoch, ""},
  };
  for (const Wrong& wrong : all) {
    SCOPED_TRACE(wrong.text);
    const ParsedDescription parsed = ParseDescription(wrong.text);
    EXPECT_EQ(parsed.error, wrong.error);
    ASSERT_LE(parsed.at + parsed.length, wrong.text.size());
    EXPECT_EQ(wrong.text.substr(parsed.at, parsed.length), wrong.words);
  }
  // What is missing is missing at the end.
  constexpr std::string_view kNoEpochYet = "timestamp:42, tick:1ms";
  EXPECT_EQ(ParseDescription(kNoEpochYet).at, kNoEpochYet.size());
}

TEST(Description, IsWrittenInOneWay) {
  EXPECT_EQ(Write(kSnowflake),
            "timestamp:41, datacenter:5, machine:5, sequence:12, tick:1ms, epoch:2020-01-01Z");
  EXPECT_EQ(Write(kInstagram),
            "timestamp:40, shard:13, sequence:10, tick:1ms, epoch:2011-08-24T21:07:01.721Z");
  EXPECT_EQ(Write(MakeLayout("", 3'600'000'000, -1, {{kTimestamp, 20}})),
            "timestamp:20, tick:1h, epoch:1969-12-31T23:59:59.999Z");
  EXPECT_EQ(Write(MakeLayout("", 90'000'000, 61'000, {{kTimestamp, 20}})),
            "timestamp:20, tick:90s, epoch:1970-01-01T00:01:01Z");
  // The first and the last instant of the calendar, and those beyond.
  const auto epoch = [](std::int64_t us) {
    return Write(BuildLayout("", 1000, us, std::vector<FieldSpec>{{kTimestamp, 20}}));
  };
  EXPECT_EQ(epoch(-62'135'596'800'000'000), "timestamp:20, tick:1ms, epoch:0001-01-01Z");
  EXPECT_EQ(epoch(-62'135'596'800'000'001), "timestamp:20, tick:1ms, epoch:-62135596800000001us");
  EXPECT_EQ(epoch(253'402'300'799'999'999),
            "timestamp:20, tick:1ms, epoch:9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(epoch(253'402'300'800'000'000), "timestamp:20, tick:1ms, epoch:253402300800000000us");
}

// Whatever layout there is, its text reads back as it, and is the same again.
TEST(Description, ReadsBack) {
  std::mt19937_64 random(7);
  std::vector<Layout> all;
  for (const BuiltinLayout& builtin : kBuiltinLayouts) all.push_back(builtin.layout);
  constexpr std::int64_t kEpochs[] = {std::numeric_limits<std::int64_t>::min(),
                                      -62'135'596'800'000'000,
                                      -62'135'596'800'000'001,
                                      253'402'300'799'999'999,
                                      253'402'300'800'000'000,
                                      std::numeric_limits<std::int64_t>::max(),
                                      0,
                                      -1};
  for (const std::int64_t epoch_us : kEpochs) {
    all.push_back(BuildLayout("", 1, epoch_us, std::vector<FieldSpec>{{kTimestamp, 30}}));
  }
  // The longest of all texts.
  all.push_back(BuildLayout("", kLongestTickUs - 1, std::numeric_limits<std::int64_t>::min(),
                            std::vector<FieldSpec>{{kTimestamp, 13},
                                                   {kDatacenter, 10},
                                                   {kMachine, 10},
                                                   {kShard, 10},
                                                   {kSequence, 10},
                                                   {kTail, 10}}));
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t tick_us = 1 + static_cast<std::int64_t>(random() % kLongestTickUs);
    all.push_back(BuildLayout(
        "", i % 2 == 0 ? tick_us : 1000 * (1 + tick_us % 90'000),
        static_cast<std::int64_t>(random()) >> (random() % 40),
        std::vector<FieldSpec>{
            {kTimestamp, 20}, {kTail, static_cast<std::uint8_t>(1 + random() % 9)}, {kShard, 3}}));
  }
  for (const Layout& layout : all) {
    const std::string text = Write(layout);
    SCOPED_TRACE(text);
    ASSERT_LE(text.size(), kLongestDescription);
    const ParsedDescription parsed = ParseDescription(text);
    ASSERT_EQ(parsed.error, kNone);
    ASSERT_EQ(parsed.ToLayout(), layout);
    ASSERT_EQ(Write(parsed.ToLayout()), text);
  }
}

TEST(WriteInstant, WritesWhatParseInstantReadsWithinItsLength) {
  const std::int64_t ends[] = {std::numeric_limits<std::int64_t>::min(),
                               std::numeric_limits<std::int64_t>::max(),
                               253'402'300'799'999'999,
                               253'402'300'800'000'000,
                               -62'135'596'800'000'000,
                               -62'135'596'800'000'001,
                               -1,
                               0,
                               1'798'761'600'123'456};
  std::size_t longest = 0;
  for (const std::int64_t time_us : ends) {
    char text[64];
    const std::size_t length = WriteInstant(time_us, text);
    longest = std::max(longest, length);
    std::int64_t read_us = 1;
    EXPECT_TRUE(ParseInstant({text, length}, read_us));
    EXPECT_EQ(read_us, time_us) << std::string_view(text, length);
  }
  EXPECT_EQ(longest, kLongestInstant);
}

}  // namespace
}  // namespace idgen

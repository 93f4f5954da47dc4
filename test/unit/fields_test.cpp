#include <idgen/fields.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace idgen {

bool operator==(const FieldSpec& a, const FieldSpec& b) {
  return a.kind == b.kind && a.bits == b.bits;
}
void PrintTo(const FieldSpec& spec, std::ostream* out) {
  *out << NameOfField(spec.kind) << ':' << int{spec.bits};
}

namespace {

using enum FieldKind;
using Specs = std::vector<FieldSpec>;

const char* NameOf(FieldsError error) {
  constexpr std::array kNames = {
      "none",          "empty",     "expected field", "unknown field",  "expected colon",
      "expected bits", "zero bits", "too wide",       "repeated field", "no timestamp",
      "not first",     "too many",  "expected comma"};
  return kNames.at(static_cast<std::size_t>(error));
}

// In a buffer of its own, without a terminator: the sanitizer sees a byte too far.
ParsedFields Parse(std::string_view text) {
  const std::vector<char> bytes(text.begin(), text.end());
  return ParseFields({bytes.data(), bytes.size()});
}

Specs SpecsOf(const ParsedFields& parsed) { return {parsed.Specs().begin(), parsed.Specs().end()}; }

void ExpectFields(std::string_view text, const Specs& specs) {
  SCOPED_TRACE(text);
  const ParsedFields parsed = Parse(text);
  EXPECT_STREQ(NameOf(parsed.error), "none");
  EXPECT_EQ(parsed.at, 0U);
  EXPECT_EQ(parsed.length, 0U);
  EXPECT_EQ(SpecsOf(parsed), specs);
  unsigned total = 0;
  for (const FieldSpec& spec : specs) total += spec.bits;
  EXPECT_EQ(parsed.total_bits, total);
}

// `marked` is the text with the wrong word in brackets.
ParsedFields ExpectWrong(FieldsError error, const std::string& marked) {
  const std::size_t at = marked.find('[');
  const std::size_t length = marked.find(']') - at - 1;
  const std::string text =
      marked.substr(0, at) + marked.substr(at + 1, length) + marked.substr(at + length + 2);
  const ParsedFields parsed = Parse(text);
  EXPECT_STREQ(NameOf(parsed.error), NameOf(error)) << marked;
  EXPECT_EQ(parsed.at, at) << marked;
  EXPECT_EQ(parsed.length, length) << marked;
  return parsed;
}

void ExpectWrong(FieldsError error, const std::string& marked, FieldKind kind) {
  EXPECT_EQ(ExpectWrong(error, marked).kind, kind) << marked;
}

std::string Write(const Layout& layout) {
  std::string out(kLongestFieldsText + 1, '#');
  const std::size_t length = WriteFields(layout, out.data());
  EXPECT_LE(length, kLongestFieldsText);
  EXPECT_EQ(out.find_first_not_of('#', length), std::string::npos) << "wrote beyond its length";
  return out.substr(0, length);
}

// --- Usable when compiling -----------------------------------------------------------

static_assert(ParseFields("timestamp:42, machine:6, sequence:15").total_bits == 63);
static_assert(ParseFields("timestamp:42, machine").error == FieldsError::kExpectedColon);
static_assert(noexcept(ParseFields("")));

// --- What is accepted ----------------------------------------------------------------

TEST(FieldNames, AreOnePerKind) {
  EXPECT_EQ(NameOfField(kTimestamp), "timestamp");
  EXPECT_EQ(NameOfField(kDatacenter), "datacenter");
  EXPECT_EQ(NameOfField(kMachine), "machine");
  EXPECT_EQ(NameOfField(kShard), "shard");
  EXPECT_EQ(NameOfField(kSequence), "sequence");
  EXPECT_EQ(NameOfField(kTail), "tail");
}

TEST(ParseFields, ReadsFieldsInTheirOrder) {
  ExpectFields("timestamp:42, machine:6, sequence:15",
               {{kTimestamp, 42}, {kMachine, 6}, {kSequence, 15}});
  ExpectFields("timestamp:39,sequence:8,machine:16",
               {{kTimestamp, 39}, {kSequence, 8}, {kMachine, 16}});
  ExpectFields("timestamp:10,tail:10,shard:10,sequence:10,machine:10,datacenter:10",
               {{kTimestamp, 10},
                {kTail, 10},
                {kShard, 10},
                {kSequence, 10},
                {kMachine, 10},
                {kDatacenter, 10}});
}

TEST(ParseFields, NeedsNoMoreThanATimestamp) {
  ExpectFields("timestamp:63", {{kTimestamp, 63}});
  ExpectFields("timestamp:1", {{kTimestamp, 1}});
  ExpectFields("timestamp:48, machine:15", {{kTimestamp, 48}, {kMachine, 15}});
  ExpectFields("timestamp:1, tail:62", {{kTimestamp, 1}, {kTail, 62}});
}

TEST(ParseFields, TakesAnyCaseAndAnyWhiteSpace) {
  ExpectFields("TIMESTAMP:42,MaChInE:6,sequencE:15",
               {{kTimestamp, 42}, {kMachine, 6}, {kSequence, 15}});
  ExpectFields(" \t\n\v\f\rtimestamp \t:\n 42\v,\f\rmachine:6\n",
               {{kTimestamp, 42}, {kMachine, 6}});
}

TEST(ParseFields, TakesLeadingZeros) {
  ExpectFields("timestamp:00000000000000000000000041", {{kTimestamp, 41}});
}

TEST(ParseFields, TakesEveryFieldAtItsWidest) {
  for (const FieldKind kind : {kDatacenter, kMachine, kShard, kSequence}) {
    ExpectFields("timestamp:32, " + std::string(NameOfField(kind)) + ":31",
                 {{kTimestamp, 32}, {kind, 31}});
    EXPECT_EQ(MostBitsOf(kind), 31U);
  }
  EXPECT_EQ(MostBitsOf(kTimestamp), 63U);
  EXPECT_EQ(MostBitsOf(kTail), 63U);
}

// --- What is not ---------------------------------------------------------------------

TEST(ParseFields, EmptyTexts) {
  ExpectWrong(FieldsError::kEmpty, "[]");
  ExpectWrong(FieldsError::kEmpty, " \t\n[]");
  EXPECT_STREQ(NameOf(ParseFields({}).error), "empty");
}

TEST(ParseFields, WhereAFieldShouldBe) {
  ExpectWrong(FieldsError::kExpectedField, "[,]timestamp:42");
  ExpectWrong(FieldsError::kExpectedField, "timestamp:42,[]");
  ExpectWrong(FieldsError::kExpectedField, "timestamp:42,  []");
  ExpectWrong(FieldsError::kExpectedField, "timestamp:42, [,] machine:6");
  ExpectWrong(FieldsError::kExpectedField, "timestamp:42, [:]6");
  ExpectWrong(FieldsError::kExpectedField, "[:]");
  ExpectWrong(FieldsError::kUnknownField, "[42]:timestamp");
  ExpectWrong(FieldsError::kUnknownField, "timestamp:42, [node]:6");
  ExpectWrong(FieldsError::kUnknownField, "[timestamps]:42");
  ExpectWrong(FieldsError::kUnknownField, "[time] stamp:42");
  ExpectWrong(FieldsError::kUnknownField, "[timestam]:42");
  ExpectWrong(FieldsError::kUnknownField, "timestamp:42, [taiL2]");
  ExpectWrong(FieldsError::kUnknownField, "timestamp:42, [mach]\tine:4");
}

TEST(ParseFields, AnyBytesAreLegal) {
  ExpectWrong(FieldsError::kUnknownField, std::string("[timestamp\0]:42", 15));
  ExpectWrong(FieldsError::kUnknownField, std::string("timestamp:42, [\0]", 17));
  ExpectWrong(FieldsError::kUnknownField, "timestamp:42, [\xc3\xa9\xff]:6");
  ExpectWrong(FieldsError::kUnknownField, "[\xc2\xa0timestamp]:42");
  ExpectWrong(FieldsError::kExpectedBits, std::string("timestamp:[42\0]", 15), kTimestamp);
  ExpectWrong(FieldsError::kExpectedComma, std::string("timestamp:42 [\0]", 16), kTimestamp);
}

TEST(ParseFields, WhereAColonShouldBe) {
  ExpectWrong(FieldsError::kExpectedColon, "timestamp[]", kTimestamp);
  ExpectWrong(FieldsError::kExpectedColon, "timestamp:42, machine []", kMachine);
  ExpectWrong(FieldsError::kExpectedColon, "timestamp [42]", kTimestamp);
  ExpectWrong(FieldsError::kExpectedColon, "timestamp:42, shard[,]machine:6", kShard);
  ExpectWrong(FieldsError::kExpectedColon, "timestamp [=42]", kTimestamp);
}

TEST(ParseFields, WhereBitsShouldBe) {
  ExpectWrong(FieldsError::kExpectedBits, "timestamp:[]", kTimestamp);
  ExpectWrong(FieldsError::kExpectedBits, "timestamp: []", kTimestamp);
  ExpectWrong(FieldsError::kExpectedBits, "timestamp:42, tail:[,] machine:6", kTail);
  ExpectWrong(FieldsError::kExpectedBits, "timestamp:[:]42", kTimestamp);
  for (const char* const bits : {"+42", "-42", "4x", "x4", "4.2", "0x2a", "1e1", "4/", "forty"}) {
    ExpectWrong(FieldsError::kExpectedBits, "timestamp:[" + std::string(bits) + "], machine:6",
                kTimestamp);
  }
}

TEST(ParseFields, ZeroBits) {
  ExpectWrong(FieldsError::kZeroBits, "timestamp:[0]", kTimestamp);
  ExpectWrong(FieldsError::kZeroBits, "timestamp:42, machine: [000] , sequence:15", kMachine);
}

TEST(ParseFields, TooWideFields) {
  for (const FieldKind kind : {kDatacenter, kMachine, kShard, kSequence}) {
    for (const char* const bits : {"32", "63", "255", "256", "287", "4294967297", "99999999999",
                                   "18446744073709551617", "00000000000000000000000000032"}) {
      ExpectWrong(FieldsError::kTooWide,
                  "timestamp:1, " + std::string(NameOfField(kind)) + ":[" + bits + "]", kind);
    }
  }
  // These two only where FieldSpec has no room for the number.
  ExpectWrong(FieldsError::kTooWide, "timestamp:[256]", kTimestamp);
  ExpectWrong(FieldsError::kTooWide, "timestamp:[99999999999], tail:1", kTimestamp);
  ExpectWrong(FieldsError::kTooWide, "timestamp:1, tail:[18446744073709551617]", kTail);
  ExpectWrong(FieldsError::kTooWide, "timestamp:[" + std::string(1000, '9') + "]", kTimestamp);
}

TEST(ParseFields, RepeatedFields) {
  ExpectWrong(FieldsError::kRepeatedField, "timestamp:42, machine:6, [machine]:6", kMachine);
  ExpectWrong(FieldsError::kRepeatedField, "timestamp:42, machine:6, [Machine]", kMachine);
  ExpectWrong(FieldsError::kRepeatedField, "timestamp:21, [timestamp]:21", kTimestamp);
  ExpectWrong(FieldsError::kRepeatedField,
              "timestamp:1,tail:1,shard:1,sequence:1,machine:1,datacenter:1,[tail]:1", kTail);
}

TEST(ParseFields, TheTimestampComesFirst) {
  ExpectWrong(FieldsError::kNoTimestamp, "machine:6[]", kTimestamp);
  ExpectWrong(FieldsError::kNoTimestamp, "machine:6, sequence:15 []", kTimestamp);
  ExpectWrong(FieldsError::kTimestampNotFirst, "machine:6, [timestamp]:42", kTimestamp);
  ExpectWrong(FieldsError::kTimestampNotFirst, "machine:6, tail:1, [TimeStamp]", kTimestamp);
}

TEST(ParseFields, TooManyBitsTogether) {
  const auto expect = [](const std::string& marked, FieldKind kind, unsigned total) {
    const ParsedFields parsed = ExpectWrong(FieldsError::kTooManyBits, marked);
    EXPECT_EQ(parsed.kind, kind) << marked;
    EXPECT_EQ(parsed.total_bits, total) << marked;
  };
  expect("timestamp:[64]", kTimestamp, 64);
  expect("timestamp:[255]", kTimestamp, 255);
  expect("timestamp:42, machine:6, sequence:[16]", kSequence, 64);
  expect("timestamp:62, machine:1, sequence:[1], shard:31", kSequence, 95);
  expect("timestamp:1, tail:[63]", kTail, 64);
  expect("timestamp:[255], datacenter:31, machine:31, shard:31, sequence:31, tail:255", kTimestamp,
         634);
}

TEST(ParseFields, AComma) {
  ExpectWrong(FieldsError::kExpectedComma, "timestamp:42 [machine]:6", kTimestamp);
  ExpectWrong(FieldsError::kExpectedComma, "timestamp:42, machine:6 [;] sequence:15", kMachine);
  ExpectWrong(FieldsError::kExpectedComma, "timestamp:42[:]6", kTimestamp);
  ExpectWrong(FieldsError::kExpectedComma, "timestamp:4 [2]", kTimestamp);
}

TEST(ParseFields, OfSeveralErrorsTheFirstInTheText) {
  ExpectWrong(FieldsError::kZeroBits, "machine:[0], node:4, timestamp");
  ExpectWrong(FieldsError::kUnknownField, "timestamp:99, [node]:0");
  ExpectWrong(FieldsError::kTimestampNotFirst, "machine:6, [timestamp]:0");
  // What is known only at the end comes last, and too many bits after all.
  ExpectWrong(FieldsError::kExpectedField, "machine:6, tail:99,[]");
  ExpectWrong(FieldsError::kNoTimestamp, "machine:31, tail:99[]");
}

TEST(ParseFields, KeepsWhatItReadBeforeAnError) {
  const ParsedFields parsed = Parse("timestamp:42, machine:6, sequence:x");
  EXPECT_EQ(SpecsOf(parsed), (Specs{{kTimestamp, 42}, {kMachine, 6}}));
  EXPECT_EQ(parsed.total_bits, 48U);
}

// --- Writing -------------------------------------------------------------------------

TEST(WriteFields, FromTheHighestDown) {
  EXPECT_EQ(Write(MakeLayout("", 1000, 0, {{kTimestamp, 42}, {kMachine, 6}, {kSequence, 15}})),
            "timestamp:42, machine:6, sequence:15");
  EXPECT_EQ(Write(MakeLayout("", 1000, 0, {{kTimestamp, 39}, {kSequence, 8}, {kMachine, 16}})),
            "timestamp:39, sequence:8, machine:16");
  EXPECT_EQ(Write(MakeLayout("", 1000, 0, {{kTimestamp, 47}, {kTail, 16}})),
            "timestamp:47, tail:16");
  EXPECT_EQ(Write(MakeLayout("", 1000, 0, {{kTimestamp, 63}})), "timestamp:63");
  EXPECT_EQ(Write(Layout{}), "");
}

TEST(WriteFields, TheLongestTextHasItsRoom) {
  const std::string text = Write(MakeLayout("", 1000, 0,
                                            {{kTimestamp, 13},
                                             {kTail, 10},
                                             {kShard, 10},
                                             {kSequence, 10},
                                             {kMachine, 10},
                                             {kDatacenter, 10}}));
  EXPECT_EQ(text, "timestamp:13, tail:10, shard:10, sequence:10, machine:10, datacenter:10");
  EXPECT_EQ(text.size(), kLongestFieldsText);
}

TEST(WriteFields, IsReadAgain) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    Specs specs;
    for (const FieldKind kind : {kDatacenter, kMachine, kShard, kSequence, kTail}) {
      if (random() % 2 == 0) specs.push_back({kind, static_cast<std::uint8_t>(1 + random() % 12)});
    }
    std::shuffle(specs.begin(), specs.end(), random);
    unsigned others = 0;
    for (const FieldSpec& spec : specs) others += spec.bits;
    specs.insert(
        specs.begin(),
        {kTimestamp, static_cast<std::uint8_t>(1 + random() % (kMostLayoutBits - others))});
    const Layout layout = BuildLayout("", 1000, 0, specs);
    const ParsedFields parsed = Parse(Write(layout));
    ASSERT_STREQ(NameOf(parsed.error), "none") << Write(layout);
    ASSERT_EQ(SpecsOf(parsed), specs);
    ASSERT_EQ(parsed.total_bits, layout.TotalBits());
    ASSERT_EQ(Write(BuildLayout("", 1000, 0, parsed.Specs())), Write(layout));
  }
}

// --- Parsing against a slow reference ------------------------------------------------

struct Token {
  std::size_t at;
  std::string text;
};

// All tokens, and an empty one at the end.
std::vector<Token> TokensOf(const std::string& text) {
  std::vector<Token> tokens;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (std::string_view(" \t\n\v\f\r").find(c) != std::string_view::npos) {
      in_word = false;
    } else if (c == ',' || c == ':') {
      tokens.push_back({at, {c}});
      in_word = false;
    } else {
      if (!in_word) tokens.push_back({at, {}});
      tokens.back().text += c;
      in_word = true;
    }
  }
  tokens.push_back({text.size(), ""});
  return tokens;
}

constexpr std::array<const char*, 6> kNames = {"timestamp", "datacenter", "machine",
                                               "shard",     "sequence",   "tail"};

// By the place of the token: of every four, a name, a colon, a number and a comma.
ParsedFields SlowParse(const std::string& text) {
  const std::vector<Token> tokens = TokensOf(text);
  ParsedFields parsed;
  std::array<const Token*, 6> numbers{};
  const auto wrong = [&parsed](FieldsError error, const Token& token) {
    parsed.error = error;
    parsed.at = token.at;
    parsed.length = token.text.size();
    return parsed;
  };
  if (tokens.size() == 1) return wrong(FieldsError::kEmpty, tokens[0]);
  for (std::size_t i = 0;; ++i) {
    const Token& token = tokens[i];
    const bool is_word = !token.text.empty() && token.text != "," && token.text != ":";
    switch (i % 4) {
      case 0: {
        if (!is_word) return wrong(FieldsError::kExpectedField, token);
        std::string lower;
        for (const char c : token.text)
          lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        const auto name = std::find(kNames.begin(), kNames.end(), lower);
        if (name == kNames.end()) return wrong(FieldsError::kUnknownField, token);
        parsed.kind = static_cast<FieldKind>(name - kNames.begin());
        const Specs before = SpecsOf(parsed);
        if (std::any_of(before.begin(), before.end(),
                        [&parsed](const FieldSpec& spec) { return spec.kind == parsed.kind; })) {
          return wrong(FieldsError::kRepeatedField, token);
        }
        if (i > 0 && parsed.kind == kTimestamp) {
          return wrong(FieldsError::kTimestampNotFirst, token);
        }
        break;
      }
      case 1:
        if (token.text != ":") return wrong(FieldsError::kExpectedColon, token);
        break;
      case 2: {
        if (!is_word || token.text.find_first_not_of("0123456789") != std::string::npos) {
          return wrong(FieldsError::kExpectedBits, token);
        }
        const std::size_t first = std::min(token.text.find_first_not_of('0'), token.text.size());
        const std::string digits = token.text.substr(first);
        if (digits.empty()) return wrong(FieldsError::kZeroBits, token);
        const int bits = digits.size() > 4 ? 9999 : std::stoi(digits);
        const bool is_wide = parsed.kind == kTimestamp || parsed.kind == kTail;
        if (bits > (is_wide ? 255 : 31)) return wrong(FieldsError::kTooWide, token);
        numbers.at(parsed.count) = &token;
        parsed.specs.at(parsed.count++) = {parsed.kind, static_cast<std::uint8_t>(bits)};
        parsed.total_bits += static_cast<unsigned>(bits);
        break;
      }
      default: {
        if (!token.text.empty()) {
          if (token.text != ",") return wrong(FieldsError::kExpectedComma, token);
          break;
        }
        if (parsed.specs[0].kind != kTimestamp) {
          parsed.kind = kTimestamp;
          return wrong(FieldsError::kNoTimestamp, token);
        }
        unsigned sum = 0;
        for (std::size_t field = 0; field < parsed.count; ++field) {
          sum += parsed.specs[field].bits;
          if (sum > 63) {
            parsed.kind = parsed.specs[field].kind;
            return wrong(FieldsError::kTooManyBits, *numbers[field]);
          }
        }
        return parsed;
      }
    }
  }
}

// A text that is mostly right, in pieces that can be exchanged.
std::string SomeText(std::mt19937_64& random) {
  const auto pick = [&random](const std::vector<std::string>& from) {
    return from[random() % from.size()];
  };
  const std::vector<std::string> spaces = {"", "", "", " ", "  ", "\t", "\n", "\v\f\r "};
  std::vector<std::string> names(kNames.begin(), kNames.end());
  std::shuffle(names.begin() + 1, names.end(), random);
  if (random() % 8 == 0) std::swap(names[0], names[random() % names.size()]);
  if (random() % 8 == 0) names[random() % names.size()] = pick(names);
  names.resize(random() % 16 == 0 ? 0 : 1 + random() % names.size());

  std::vector<std::string> pieces;
  for (const std::string& name : names) {
    if (!pieces.empty()) pieces.emplace_back(",");
    pieces.push_back(name);
    if (random() % 4 == 0) {
      for (char& c : pieces.back()) c = static_cast<char>(random() % 2 == 0 ? c - 32 : c);
    }
    pieces.emplace_back(":");
    pieces.push_back(random() % 8 == 0
                         ? pick({"0", "00", "031", "31", "32", "63", "64", "255", "256", "257",
                                 "65536", "99999999999", "18446744073709551617", "", "-1"})
                         : std::to_string(1 + random() % 20));
  }
  if (!pieces.empty() && random() % 3 == 0) {
    std::string& piece = pieces[random() % pieces.size()];
    piece = pick({"", ",", ":", "node", "machine", "timestamp", "4", "x", std::string(1, '\0'),
                  "\xff", piece + piece, piece + " " + piece});
  }
  std::string text;
  for (const std::string& piece : pieces) text += pick(spaces) + piece;
  text += pick(spaces);
  if (random() % 4 == 0 && !text.empty()) {
    const std::size_t at = random() % text.size();
    switch (random() % 4) {
      case 0:
        text.resize(at);
        break;
      case 1:
        text.erase(at, 1);
        break;
      case 2:
        text.insert(at, 1, static_cast<char>(random() % 256));
        break;
      default:
        text[at] = static_cast<char>(random() % 256);
        break;
    }
  }
  return text;
}

TEST(ParseFields, AgreesWithASlowReference) {
  std::mt19937_64 random(2);
  std::array<int, 13> seen{};
  for (int i = 0; i < 60'000; ++i) {
    const std::string text = SomeText(random);
    const ParsedFields expected = SlowParse(text);
    const ParsedFields parsed = Parse(text);
    SCOPED_TRACE(testing::PrintToString(text));
    ASSERT_STREQ(NameOf(parsed.error), NameOf(expected.error));
    ASSERT_EQ(parsed.at, expected.at);
    ASSERT_EQ(parsed.length, expected.length);
    ASSERT_EQ(parsed.total_bits, expected.total_bits);
    ASSERT_EQ(SpecsOf(parsed), SpecsOf(expected));
    // Where the kind has no meaning both have that of the field before.
    ASSERT_EQ(parsed.kind, expected.kind);
    ++seen[static_cast<std::size_t>(parsed.error)];
  }
  for (std::size_t error = 0; error < seen.size(); ++error) {
    EXPECT_GT(seen[error], 100) << NameOf(static_cast<FieldsError>(error));
  }
}

}  // namespace
}  // namespace idgen

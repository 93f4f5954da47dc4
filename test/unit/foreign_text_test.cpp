#include <idgen/foreign_text.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>

#include "text_names.h"

namespace idgen {
namespace {

// Bytes from hexadecimal digits, by text forms that are tested elsewhere.
std::string Hex(const unsigned char* bytes, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += "0123456789abcdef"[bytes[i] >> 4];
    text += "0123456789abcdef"[bytes[i] & 15];
  }
  return text;
}

template <typename Kind>
std::string Encode(const std::array<unsigned char, Kind::kSize>& bytes) {
  std::string text(Kind::kWidth + 1, '#');
  Kind::Encode(bytes.data(), text.data());
  EXPECT_EQ(text.back(), '#') << "wrote beyond its width";
  text.pop_back();
  return text;
}

template <typename Kind>
void ExpectBytes(std::string_view text, std::string_view hex, std::int64_t second) {
  const auto decoded = Kind::Decode(text);
  EXPECT_STREQ(NameOf(decoded.error), "none") << text;
  EXPECT_EQ(Hex(decoded.bytes.data(), decoded.bytes.size()), hex) << text;
  EXPECT_EQ(SecondOf<Kind>(decoded.bytes), second) << text;
  EXPECT_EQ(Encode<Kind>(decoded.bytes), text);
}

template <typename Kind>
void ExpectError(std::string_view text, TextError error, std::size_t at = 0) {
  const auto decoded = Kind::Decode(text);
  EXPECT_STREQ(NameOf(decoded.error), NameOf(error)) << text;
  EXPECT_EQ(decoded.at, at) << text;
  EXPECT_EQ(std::count(decoded.bytes.begin(), decoded.bytes.end(), 0), Kind::kSize) << text;
}

// The examples of each one's own documents and tests.
TEST(ForeignText, KnownKsuids) {
  constexpr std::int64_t kEpoch = 1'400'000'000;
  ExpectBytes<Ksuid>("0ujtsYcgvSTl8PAuAdqWYSMnLOv", "0669f7efb5a1cd34b5f99d1154fb6853345c9735",
                     kEpoch + 107608047);
  ExpectBytes<Ksuid>("0ujzPyRiIAffKhBux4PvQdDqMHY", "066a029c73fc1aa3b2446246d6e89fcd909e8fe8",
                     kEpoch + 107610780);
  ExpectBytes<Ksuid>("0uk1Hbc9dQ9pxyTqJ93IUrfhdGq", "066a06349850eeec191bf4ff26f99315ce43b0c8",
                     kEpoch + 107611700);
  ExpectBytes<Ksuid>("0uk1HdCJ6hUZKDgcxhpJwUl5ZEI", "066a0634cc55072555316f45b8ca2d2979d3ed0a",
                     kEpoch + 107611700);
  ExpectBytes<Ksuid>("0uk1HcdvF0p8C20KtTfdRSB9XIm", "066a0634ba1c205d6177f0992d15ee606ae32238",
                     kEpoch + 107611700);
  ExpectBytes<Ksuid>("0uk1Ha7hGJ1Q9Xbnkt0yZgNwg3g", "066a063467517ba309ea62ae7991b27bb6f2fcac",
                     kEpoch + 107611700);
  ExpectBytes<Ksuid>("000000000000000000000000000", std::string(40, '0'), kEpoch);
  ExpectBytes<Ksuid>(Ksuid::kLargest, std::string(40, 'f'), kEpoch + 0xffffffff);
}

TEST(ForeignText, KnownXids) {
  ExpectBytes<Xid>("9m4e2mr0ui3e8a215n4g", "4d88e15b60f486e428412dc9", 1300816219);
  ExpectBytes<Xid>("00000000000000000000", "000000000000000000000000", 0);
  ExpectBytes<Xid>("0000005anf6drrg0000g", "00000000aabbccddee000001", 0);
  ExpectBytes<Xid>(Xid::kLargest, std::string(24, 'f'), 0xffffffff);
  const auto bytes = Xid::Decode("9m4e2mr0ui3e8a215n4g").bytes;
  EXPECT_EQ(LoadNumber(&bytes[7], 2), 0xe428U);
  EXPECT_EQ(LoadNumber(&bytes[9], 3), 4271561U);
}

TEST(ForeignText, KnownObjectIds) {
  ExpectBytes<ObjectId>("507c7f79bcf86cd7994f6c0e", "507c7f79bcf86cd7994f6c0e", 1350336377);
  ExpectBytes<ObjectId>("0000002a0000000000000000", "0000002a0000000000000000", 42);
  // The seconds have no sign.
  ExpectBytes<ObjectId>("7fffffff0000000000000000", "7fffffff0000000000000000", 2147483647);
  ExpectBytes<ObjectId>("800000000000000000000000", "800000000000000000000000", 2147483648);
  ExpectBytes<ObjectId>(ObjectId::kLargest, std::string(24, 'f'), 0xffffffff);
  EXPECT_EQ(Hex(ObjectId::Decode("507C7F79BCF86CD7994F6C0E").bytes.data(), 12),
            "507c7f79bcf86cd7994f6c0e");
}

template <typename Kind>
void ExpectStrictLength() {
  const std::string largest(Kind::kLargest);
  ExpectError<Kind>("", TextError::kEmpty);
  ExpectError<Kind>(largest + "0", TextError::kTooLong);
  for (std::size_t length = 1; length < largest.size(); ++length) {
    ExpectError<Kind>(largest.substr(0, length), TextError::kTooShort);
  }
  ExpectError<Kind>(" " + largest.substr(1), TextError::kBadCharacter);
  ExpectError<Kind>(largest + "_", TextError::kBadCharacter, largest.size());
}

TEST(ForeignText, ReadingIsStrict) {
  ExpectStrictLength<Ksuid>();
  ExpectStrictLength<Xid>();
  ExpectStrictLength<ObjectId>();

  ExpectError<Ksuid>("aWgEPTl1tmebfsQzFP4bxwgy80W", TextError::kOverflow);
  ExpectError<Ksuid>("zzzzzzzzzzzzzzzzzzzzzzzzzzz", TextError::kOverflow);
  ExpectError<Ksuid>("0ujtsYcgvSTl8PAu-dqWYSMnLOv", TextError::kBadCharacter, 16);
  ExpectError<Xid>("9M4E2MR0UI3E8A215N4G", TextError::kBadCharacter, 1);
  ExpectError<Xid>("w0000000000000000000", TextError::kBadCharacter, 0);
  ExpectError<ObjectId>("507c7f79bcf86cd7994f6c0g", TextError::kBadCharacter, 23);
}

// 4 bits of an XID's last character are no part of the ID: of 32 characters two are right.
TEST(ForeignText, SpareBitsAreZero) {
  const std::string xid = "c6e52g2mrqcjl44hf17";
  for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuv")) {
    const bool is_right = c == '0' || c == 'g';
    EXPECT_EQ(Xid::Decode(xid + c).error, is_right ? TextError::kNone : TextError::kBadCharacter);
    EXPECT_EQ(Xid::Decode(xid + c).at, is_right ? 0U : 19U);
  }
}

template <typename Kind>
void ExpectRoundTrips() {
  std::mt19937_64 random(Kind::kSize);
  std::array<unsigned char, Kind::kSize> before{};
  for (int i = 0; i < 20'000; ++i) {
    std::array<unsigned char, Kind::kSize> bytes{};
    const unsigned char mask = random() % 2 == 0 ? 0xff : 0x81;
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random() & mask);
    // Half of the pairs differ late.
    if (random() % 2 == 0) std::copy_n(before.begin(), random() % bytes.size(), bytes.begin());
    std::string text = Encode<Kind>(bytes);
    const auto decoded = Kind::Decode(text);
    ASSERT_STREQ(NameOf(decoded.error), "none") << text;
    ASSERT_EQ(decoded.bytes, bytes) << text;
    ASSERT_EQ(text < Encode<Kind>(before), bytes < before) << "texts sort as bytes do";
    before = bytes;

    // Another text is another ID, or none. (An ObjectId may be written in upper case.)
    const std::size_t at = random() % text.size();
    text[at] = static_cast<char>(random() % 256);
    const auto other = Kind::Decode(text);
    if (other.error != TextError::kNone) continue;
    if (text[at] >= 'A' && text[at] <= 'F' && Kind::kWidth == ObjectId::kWidth) continue;
    ASSERT_EQ(Encode<Kind>(other.bytes), text);
  }
}

TEST(ForeignText, WhatIsWrittenIsReadAgain) {
  ExpectRoundTrips<Ksuid>();
  ExpectRoundTrips<Xid>();
  ExpectRoundTrips<ObjectId>();
}

template <typename Kind>
void ExpectEndsOfSeconds() {
  for (const std::int64_t second : {Kind::kEpoch, Kind::kEpoch + 1, std::int64_t{1'500'000'000},
                                    kLastSecond<Kind> - 1, kLastSecond<Kind>}) {
    const auto first = BytesOfSecond<Kind>(second, 0);
    const auto last = BytesOfSecond<Kind>(second, 0xff);
    EXPECT_EQ(SecondOf<Kind>(first), second);
    EXPECT_EQ(SecondOf<Kind>(last), second);
    EXPECT_EQ(std::count(first.begin() + 4, first.end(), 0), Kind::kSize - 4);
    EXPECT_EQ(std::count(last.begin() + 4, last.end(), 0xff), Kind::kSize - 4);
  }
}

TEST(ForeignText, ASecondHasAFirstAndALastId) {
  ExpectEndsOfSeconds<Ksuid>();
  ExpectEndsOfSeconds<Xid>();
  ExpectEndsOfSeconds<ObjectId>();
}

}  // namespace
}  // namespace idgen

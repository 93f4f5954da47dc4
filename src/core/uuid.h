// IDs of 128 bits that are made of a position: UUIDs of versions 1, 6, 7 and 8, ULIDs, and the ID
// of the case study that this project implements. Source of the formats: RFC 9562, and the ULID
// specification (github.com/ulid/spec).
//
// A position (layout.h) orders the IDs of one ID space. What stands in front of an ID is its time
// and its number in that time, both from the position, so IDs grow as positions do, whatever
// follows. What follows is random or says who made the ID.
//
//   version 7  unix_ts_ms 48 | 0111 | fraction 12 | 10 | sequence 11 | random 51
//   version 8  unix_ts_ms 48 | 1000 | fraction 12 | 10 | sequence 11 | node 24 | random 27
//   ULID       unix_ts_ms 48 | 0 | microsecond 10 | sequence 11 | random 58
//   id128      nanoseconds 64 | node 48 | sequence 16
//   version 6  time 48 | 0110 | time 12 | 10 | clock_seq 14 | node 48
//   version 1  the same, with the lowest 32 bits of the time first
//
// The fraction is that of the millisecond in units of 1/4096 (RFC 9562, section 6.2, method 3), the
// sequence a counter right behind it (method 1). Times are of 1970, but in versions 1 and 6 of
// 1582-10-15, in 100 ns.
#pragma once

#include <cstdint>
#include <string_view>

#include "id128.h"
#include "layout.h"

namespace idgen {

// --- Positions ----------------------------------------------------------------------------------

// A layout's identity has a word of its own here, the node: its fields overlap those of the
// position. Only KeyOf, IdentityBits, FindMisfit and ComposerFor(0) make sense for it, and what
// concerns positions alone.
inline constexpr unsigned kNodeBits = 24;
constexpr Layout WithNode(Layout layout) {
  layout.fields[static_cast<std::size_t>(FieldKind::kMachine)] = {16, 0};
  layout.fields[static_cast<std::size_t>(FieldKind::kDatacenter)] = {kNodeBits - 16, 16};
  return layout;
}

// Microseconds, and 2,048 IDs in each. Until 2112-09-17.
constexpr Layout FineLayout(std::string_view name) {
  return MakeLayout(name, 1, 0, {{FieldKind::kTimestamp, 52}, {FieldKind::kSequence, 11}});
}

// Microseconds, and 8 of their 10 units of 100 ns in each: 8 million IDs a second, where the format
// has 10. Until the year 4253.
constexpr Layout GregorianLayout(std::string_view name) {
  return MakeLayout(name, 1, 0, {{FieldKind::kTimestamp, 56}, {FieldKind::kSequence, 3}});
}

struct FineTime {
  std::uint64_t us;
  std::uint64_t sequence;
};
constexpr FineTime FineTimeOf(std::uint64_t position) noexcept {
  return {position >> 11, position & 0x7ff};
}

// --- Version and variant ------------------------------------------------------------------------

inline constexpr std::uint64_t kRfcVariant = std::uint64_t{2} << 62;

constexpr unsigned VersionOf(Id128 id) noexcept { return id.high >> 12 & 0xf; }
constexpr bool IsRfcVariant(Id128 id) noexcept { return id.low >> 62 == 2; }
constexpr bool IsVersion(Id128 id, unsigned version) noexcept {
  return IsRfcVariant(id) && VersionOf(id) == version;
}

// Puts 122 bits around a version and the variant of RFC 9562; the lowest 64 - 2 of `low` are used.
constexpr Id128 WithVersion(std::uint64_t high, std::uint64_t version, std::uint64_t low) noexcept {
  return {(high & ~std::uint64_t{0xf000}) | version << 12,
          (low & ~(std::uint64_t{3} << 62)) | kRfcVariant};
}

// --- Versions 7 and 8 ---------------------------------------------------------------------------

// The first 64 bits, but for the version.
constexpr std::uint64_t UnixPart(std::uint64_t us) noexcept {
  return us / 1000 << 16 | us % 1000 * 4096 / 1000;
}

// The last microsecond that 48 bits of milliseconds hold: in the year 10889, beyond all positions.
inline constexpr std::int64_t kMostUnixUs = ((std::int64_t{1} << 48) - 1) * 1000 + 999;

constexpr std::uint64_t UnixMsOf(Id128 id) noexcept { return id.high >> 16; }
// Returns the microsecond of the millisecond, from 0 to 999: UnixPart() backwards.
constexpr std::uint64_t MicrosecondOf(Id128 id) noexcept {
  return ((id.high & 0xfff) * 1000 + 4095) / 4096 % 1000;
}
constexpr std::uint64_t SequenceOf(Id128 id) noexcept { return id.low >> 51 & 0x7ff; }

// The lowest 51 bits of `random` are used.
constexpr Id128 UuidV7(FineTime time, std::uint64_t random) noexcept {
  return WithVersion(UnixPart(time.us), 7, time.sequence << 51 | (random & ((1ULL << 51) - 1)));
}

// The lowest 27 bits of `random` are used, and the lowest 24 of the node.
constexpr Id128 UuidV8(FineTime time, std::uint64_t node, std::uint64_t random) noexcept {
  return WithVersion(UnixPart(time.us), 8,
                     time.sequence << 51 | node << 27 | (random & ((1ULL << 27) - 1)));
}
constexpr std::uint64_t NodeOfV8(Id128 id) noexcept { return id.low >> 27 & 0xffffff; }

// Returns the smallest and the largest ID of a version that begins with a millisecond.
constexpr Id128 LeastOfMs(std::uint64_t unix_ms, std::uint64_t version) noexcept {
  return WithVersion(unix_ms << 16, version, 0);
}
constexpr Id128 MostOfMs(std::uint64_t unix_ms, std::uint64_t version) noexcept {
  return WithVersion(unix_ms << 16 | 0xffff, version, ~std::uint64_t{0});
}

// --- ULID ---------------------------------------------------------------------------------------

// The highest bit of the 80 random ones is 0: whoever adds 1 to the last ID of a millisecond, as
// the specification says, does not run over. The lowest 58 bits of `random` are used.
constexpr Id128 Ulid(FineTime time, std::uint64_t random) noexcept {
  const std::uint64_t microsecond = time.us % 1000;
  return {time.us / 1000 << 16 | microsecond << 5 | time.sequence >> 6,
          time.sequence << 58 | (random & ((1ULL << 58) - 1))};
}
constexpr Id128 LeastUlid(std::uint64_t unix_ms) noexcept { return {unix_ms << 16, 0}; }
constexpr Id128 MostUlid(std::uint64_t unix_ms) noexcept {
  return {unix_ms << 16 | 0xffff, ~std::uint64_t{0}};
}

// --- id128 --------------------------------------------------------------------------------------

// The nanoseconds are those of a microsecond's beginning.
constexpr Id128 MakeId128(FineTime time, std::uint64_t node) noexcept {
  return {time.us * 1000, node << 16 | time.sequence};
}
constexpr std::uint64_t NodeOfId128(Id128 id) noexcept { return id.low >> 16; }

// --- Versions 1 and 6 ---------------------------------------------------------------------------

// 1970-01-01 in units of 100 ns since 1582-10-15, the first day of the Gregorian calendar.
inline constexpr std::int64_t kUnixInGregorian = 122'192'928'000'000'000;
inline constexpr std::uint64_t kMostGregorian = (1ULL << 60) - 1;

// Who made a UUID of versions 1 and 6: a node of 48 bits and a clock sequence of 14.
struct GregorianNode {
  std::uint64_t node = 0;
  std::uint64_t clock_sequence = 0;

  [[nodiscard]] constexpr std::uint64_t Bits() const noexcept {
    return (clock_sequence & 0x3fff) << 48 | (node & ((1ULL << 48) - 1));
  }
};
// The inverse of Bits().
constexpr GregorianNode GregorianNodeOf(std::uint64_t bits) noexcept {
  return {bits & ((1ULL << 48) - 1), bits >> 48 & 0x3fff};
}
// No network card has an address with this bit, so a node with it is nobody's address.
inline constexpr std::uint64_t kMulticast = 1ULL << 40;

constexpr std::uint64_t GregorianOfUs(std::int64_t us, std::uint64_t unit = 0) noexcept {
  return static_cast<std::uint64_t>(us * 10 + kUnixInGregorian) + unit;
}
constexpr std::uint64_t GregorianOf(std::uint64_t position) noexcept {
  return GregorianOfUs(static_cast<std::int64_t>(position >> 3), position & 7);
}
// Returns microseconds since 1970, rounded down.
constexpr std::int64_t UsOfGregorian(std::uint64_t time) noexcept {
  const std::int64_t since = static_cast<std::int64_t>(time) - kUnixInGregorian;
  return since >= 0 ? since / 10 : -((-since + 9) / 10);
}

constexpr Id128 UuidV6(std::uint64_t time, GregorianNode node) noexcept {
  return WithVersion(time >> 12 << 16 | (time & 0xfff), 6, node.Bits());
}
constexpr Id128 UuidV1(std::uint64_t time, GregorianNode node) noexcept {
  return WithVersion(time << 32 | (time >> 32 & 0xffff) << 16 | time >> 48, 1, node.Bits());
}

// Of an ID of version 1 or 6.
constexpr std::uint64_t GregorianOf(Id128 id) noexcept {
  if (VersionOf(id) == 6) return id.high >> 16 << 12 | (id.high & 0xfff);
  return (id.high & 0xfff) << 48 | (id.high >> 16 & 0xffff) << 32 | id.high >> 32;
}
constexpr GregorianNode GregorianNodeOf(Id128 id) noexcept { return GregorianNodeOf(id.low); }

// --- A 64-bit ID in a UUID ----------------------------------------------------------------------

// Version 8 with the 63 bits of an ID in front, in their order, and behind them a mark by which it
// is known: the letters "idgen".
inline constexpr std::uint64_t kCarrierMark = 0x696467656eULL << 19;
inline constexpr std::uint64_t kCarrierMarkMask = (1ULL << 59) - 1;

// `id` is below 2^63.
constexpr Id128 UuidOfId(std::uint64_t id) noexcept {
  return WithVersion(id >> 15 << 16 | (id >> 3 & 0xfff), 8, (id & 7) << 59 | kCarrierMark);
}
constexpr bool CarriesId(Id128 uuid) noexcept {
  return IsVersion(uuid, 8) && (uuid.low & kCarrierMarkMask) == kCarrierMark;
}
constexpr std::uint64_t IdInUuid(Id128 uuid) noexcept {
  return uuid.high >> 16 << 15 | (uuid.high & 0xfff) << 3 | (uuid.low >> 59 & 7);
}

}  // namespace idgen

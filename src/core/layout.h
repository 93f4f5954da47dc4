// Layouts: how the 63 usable bits of an ID are divided, and the arithmetic that follows from it
// (compose, parse, time ranges, positions).
//
// Units: times are microseconds since 1970-01-01 UTC (`_us`) unless a name ends in `_ms`. A tick is
// the layout's own unit of time, counted from its epoch. A position is `tick << sequence bits |
// sequence`: one word that orders all IDs of one ID space (layout and identity).
//
// Everything here is constexpr, allocates nothing and throws nothing. The members of Layout, and
// all functions of this and other headers that take one, rely on what CheckLayout checks. Check a
// layout that did not come from here (a Generator does so itself).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string_view>

#ifndef __SIZEOF_INT128__
#error \
    "idgen needs a 64-bit platform: times in all units and of all epochs are computed in 128 bits"
#endif

namespace idgen {

__extension__ using Int128 = __int128;

// The fields that an ID can have. Their order matters only for the array below. A tail is bits that
// another system put there; idgen knows nothing more about them.
enum class FieldKind : std::uint8_t { kTimestamp, kDatacenter, kMachine, kShard, kSequence, kTail };
inline constexpr std::size_t kFieldKinds = 6;

// An ID also has a sign bit, which is always zero.
inline constexpr unsigned kMostLayoutBits = 63;

// A tick is at most a day long.
inline constexpr std::int64_t kLongestTickUs = 86'400'000'000;

// The place of a field in an ID. Zero bits: the layout lacks it.
struct Field {
  std::uint8_t bits = 0;
  std::uint8_t shift = 0;

  [[nodiscard]] constexpr std::uint64_t Largest() const { return (std::uint64_t{1} << bits) - 1; }
  [[nodiscard]] constexpr std::uint64_t Get(std::uint64_t id) const {
    return (id >> shift) & Largest();
  }
  [[nodiscard]] constexpr std::uint64_t Put(std::uint64_t value) const { return value << shift; }

  friend constexpr bool operator==(const Field&, const Field&) = default;
};

// The values of the fields that say who made an ID. A value for a field that the layout lacks is
// ignored.
struct Identity {
  std::uint64_t datacenter = 0;
  std::uint64_t machine = 0;
  std::uint64_t shard = 0;
};

// The fields of an ID; 0 for a field that the layout lacks.
struct Parts {
  std::uint64_t tick = 0;
  Identity identity;
  std::uint64_t sequence = 0;
  std::uint64_t tail = 0;
};

// The constants that turn positions into IDs, for the hot path.
struct Composer {
  std::uint64_t identity_bits = 0;
  std::uint64_t sequence_mask = 0;
  std::uint8_t sequence_bits = 0;
  std::uint8_t timestamp_shift = 0;
  std::uint8_t sequence_shift = 0;

  // Returns the ID of a position.
  [[nodiscard]] constexpr std::int64_t operator()(std::uint64_t position) const {
    return static_cast<std::int64_t>(((position >> sequence_bits) << timestamp_shift) |
                                     identity_bits |
                                     ((position & sequence_mask) << sequence_shift));
  }

  // Writes the IDs of `count` consecutive positions of one tick to `ids`, starting with `first`.
  constexpr void Fill(std::uint64_t first, std::uint64_t count, std::int64_t* ids) const {
    // Only the sequence differs. Unsigned, because one more step follows the last ID of all.
    const std::uint64_t step = std::uint64_t{1} << sequence_shift;
    auto id = static_cast<std::uint64_t>((*this)(first));
    for (std::int64_t* const end = ids + count; ids != end; ++ids, id += step) {
      *ids = static_cast<std::int64_t>(id);
    }
  }
};

// Tells which IDs may be equal: IDs are from one ID space exactly when these bytes are the same. It
// holds the constants that compose an ID and not the layout's name, so that two layouts of the same
// shape share one position. Only layouts of one family do.
struct IdSpaceKey {
  std::int64_t epoch_us = 0;
  std::int64_t tick_us = 0;
  std::uint64_t identity_bits = 0;
  std::uint8_t timestamp_shift = 0;
  std::uint8_t sequence_bits = 0;
  std::uint8_t sequence_shift = 0;
  std::uint8_t family = 0;      // 0: IDs of 64 bits
  std::uint8_t unused[4] = {};  // always zero: the struct is compared as bytes
};
static_assert(sizeof(IdSpaceKey) == 32);

struct Layout {
  // The name in messages; not part of the value.
  std::string_view name;
  std::int64_t tick_us = 1000;
  std::int64_t epoch_us = 0;
  std::array<Field, kFieldKinds> fields{};

  // Layouts are equal if every ID means the same in both. A field of zero bits counts as missing.
  friend constexpr bool operator==(const Layout& a, const Layout& b) {
    if (a.tick_us != b.tick_us || a.epoch_us != b.epoch_us) return false;
    for (std::size_t i = 0; i < kFieldKinds; ++i) {
      const bool is_none = a.fields[i].bits == 0 && b.fields[i].bits == 0;
      if (!is_none && a.fields[i] != b.fields[i]) return false;
    }
    return true;
  }

  [[nodiscard]] constexpr const Field& operator[](FieldKind kind) const {
    return fields[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] constexpr bool Has(FieldKind kind) const { return (*this)[kind].bits > 0; }

  // Whether IDs can be made, not only read: a sequence distinguishes the IDs of one tick, and no
  // part of an ID is another system's secret.
  [[nodiscard]] constexpr bool CanGenerate() const {
    return Has(FieldKind::kSequence) && !Has(FieldKind::kTail);
  }

  // Returns the total bits; every ID of this layout is below 2^TotalBits().
  [[nodiscard]] constexpr unsigned TotalBits() const {
    unsigned bits = 0;
    for (const Field& field : fields) bits += field.bits;
    return bits;
  }
  [[nodiscard]] constexpr unsigned SequenceBits() const {
    return (*this)[FieldKind::kSequence].bits;
  }
  // Returns the number of IDs of one ID space in one tick.
  [[nodiscard]] constexpr std::uint64_t IdsPerTick() const {
    return std::uint64_t{1} << SequenceBits();
  }
  [[nodiscard]] constexpr std::uint64_t MaxTick() const {
    return (*this)[FieldKind::kTimestamp].Largest();
  }
  [[nodiscard]] constexpr std::uint64_t MaxId() const {
    return (std::uint64_t{1} << TotalBits()) - 1;
  }
  // Returns the last position of the layout's life.
  [[nodiscard]] constexpr std::uint64_t MaxPosition() const {
    return (MaxTick() << SequenceBits()) | (IdsPerTick() - 1);
  }
  // Whether the IDs of `count` consecutive positions are `count` consecutive integers.
  [[nodiscard]] constexpr bool SequenceIsLowest() const {
    return (*this)[FieldKind::kSequence].shift == 0;
  }

  // Returns the tick of an instant, rounded down; negative before the epoch. It may lie beyond
  // MaxTick(), so the caller compares.
  [[nodiscard]] constexpr std::int64_t TickAt(std::int64_t time_us) const {
    const Int128 since = static_cast<Int128>(time_us) - epoch_us;
    Int128 tick = since / tick_us;
    if (since % tick_us < 0) --tick;
    constexpr Int128 kMost = std::numeric_limits<std::int64_t>::max();
    if (tick > kMost) return std::numeric_limits<std::int64_t>::max();
    if (tick < -kMost) return -std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(tick);
  }

  // Returns the first instant of a tick; the largest int64 if it does not fit.
  [[nodiscard]] constexpr std::int64_t StartOfTick(std::uint64_t tick) const {
    const Int128 time = static_cast<Int128>(tick) * tick_us + epoch_us;
    constexpr Int128 kMax = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(time < kMax ? time : kMax);
  }

  // Returns the bits of an ID that are the same in all IDs of a generator. The identity must fit
  // (FindMisfit).
  [[nodiscard]] constexpr std::uint64_t IdentityBits(const Identity& identity) const {
    std::uint64_t bits = 0;
    if (Has(FieldKind::kDatacenter))
      bits |= (*this)[FieldKind::kDatacenter].Put(identity.datacenter);
    if (Has(FieldKind::kMachine)) bits |= (*this)[FieldKind::kMachine].Put(identity.machine);
    if (Has(FieldKind::kShard)) bits |= (*this)[FieldKind::kShard].Put(identity.shard);
    return bits;
  }

  // Returns the first field whose value in `identity` is too large for the layout; kTimestamp if
  // all fit.
  [[nodiscard]] constexpr FieldKind FindMisfit(const Identity& identity) const {
    const auto too_large = [this](FieldKind kind, std::uint64_t value) {
      return Has(kind) && value > (*this)[kind].Largest();
    };
    if (too_large(FieldKind::kDatacenter, identity.datacenter)) return FieldKind::kDatacenter;
    if (too_large(FieldKind::kMachine, identity.machine)) return FieldKind::kMachine;
    if (too_large(FieldKind::kShard, identity.shard)) return FieldKind::kShard;
    return FieldKind::kTimestamp;
  }

  [[nodiscard]] constexpr IdSpaceKey KeyOf(std::uint64_t identity_bits) const {
    IdSpaceKey space;
    space.epoch_us = epoch_us;
    space.tick_us = tick_us;
    space.identity_bits = identity_bits;
    space.timestamp_shift = (*this)[FieldKind::kTimestamp].shift;
    space.sequence_bits = static_cast<std::uint8_t>(SequenceBits());
    space.sequence_shift = (*this)[FieldKind::kSequence].shift;
    return space;
  }

  [[nodiscard]] constexpr Composer ComposerFor(std::uint64_t identity_bits) const {
    return {identity_bits, IdsPerTick() - 1, static_cast<std::uint8_t>(SequenceBits()),
            (*this)[FieldKind::kTimestamp].shift, (*this)[FieldKind::kSequence].shift};
  }

  // Returns the ID of a position, which is at most MaxPosition().
  [[nodiscard]] constexpr std::int64_t Compose(std::uint64_t position,
                                               std::uint64_t identity_bits) const {
    return ComposerFor(identity_bits)(position);
  }

  // Returns the fields of an ID, which is from 0 to MaxId().
  [[nodiscard]] constexpr Parts Parse(std::uint64_t id) const {
    Parts parts;
    parts.tick = (*this)[FieldKind::kTimestamp].Get(id);
    parts.identity.datacenter = (*this)[FieldKind::kDatacenter].Get(id);
    parts.identity.machine = (*this)[FieldKind::kMachine].Get(id);
    parts.identity.shard = (*this)[FieldKind::kShard].Get(id);
    parts.sequence = (*this)[FieldKind::kSequence].Get(id);
    parts.tail = (*this)[FieldKind::kTail].Get(id);
    return parts;
  }

  // Returns the ID of these fields: the inverse of Parse. Every part must fit its field.
  [[nodiscard]] constexpr std::uint64_t Unparse(const Parts& parts) const {
    return (*this)[FieldKind::kTimestamp].Put(parts.tick) | IdentityBits(parts.identity) |
           (Has(FieldKind::kSequence) ? (*this)[FieldKind::kSequence].Put(parts.sequence) : 0) |
           (Has(FieldKind::kTail) ? (*this)[FieldKind::kTail].Put(parts.tail) : 0);
  }

  // Return the smallest and the largest ID of a tick, over all identities.
  [[nodiscard]] constexpr std::int64_t MinId(std::uint64_t tick) const {
    return static_cast<std::int64_t>((*this)[FieldKind::kTimestamp].Put(tick));
  }
  [[nodiscard]] constexpr std::int64_t MaxIdOf(std::uint64_t tick) const {
    const Field& timestamp = (*this)[FieldKind::kTimestamp];
    return static_cast<std::int64_t>(timestamp.Put(tick) |
                                     ((std::uint64_t{1} << timestamp.shift) - 1));
  }

  // Returns the largest position whose ID with `identity_bits` is not above `id`. Once that
  // position counts as issued, the next ID is greater than `id`. Works for every order of fields,
  // and for IDs of another identity. `id` is at most MaxId(). Returns 0 if even the first position
  // is above it.
  [[nodiscard]] constexpr std::uint64_t PositionNotAbove(std::uint64_t id,
                                                         std::uint64_t identity_bits) const {
    // Compose increases with the position, because the timestamp is the top field and the identity
    // is constant. So a search bit by bit finds the position.
    std::uint64_t position = 0;
    for (unsigned bit = SequenceBits() + (*this)[FieldKind::kTimestamp].bits; bit-- > 0;) {
      const std::uint64_t larger = position | (std::uint64_t{1} << bit);
      if (static_cast<std::uint64_t>(Compose(larger, identity_bits)) <= id) position = larger;
    }
    return position;
  }
};

// A field of a layout and its width.
struct FieldSpec {
  FieldKind kind = FieldKind::kTimestamp;
  std::uint8_t bits = 0;
};

// Builds a layout from its fields, each given once, from the highest bit down. The name is not
// copied. Any values are safe; CheckLayout tells whether the result is a layout.
constexpr Layout BuildLayout(std::string_view name, std::int64_t tick_us, std::int64_t epoch_us,
                             std::span<const FieldSpec> specs) {
  // A shift that does not fit a Field makes no layout, and must not become one by wrapping.
  constexpr std::uint64_t kMostShift = std::numeric_limits<std::uint8_t>::max();
  Layout layout;
  layout.name = name;
  layout.tick_us = tick_us;
  layout.epoch_us = epoch_us;
  std::uint64_t below = 0;
  for (const FieldSpec& spec : specs) below += spec.bits;
  for (const FieldSpec& spec : specs) {
    below -= spec.bits;
    const auto kind = static_cast<std::size_t>(spec.kind);
    // Skipped, an unknown field leaves a gap.
    if (kind >= kFieldKinds) continue;
    layout.fields[kind] =
        Field{spec.bits, static_cast<std::uint8_t>(below < kMostShift ? below : kMostShift)};
  }
  return layout;
}

// A layout's fields, from the highest bit down: what BuildLayout makes a layout of.
struct FieldList {
  std::array<FieldSpec, kFieldKinds> specs{};
  std::size_t count = 0;

  [[nodiscard]] constexpr const FieldSpec* begin() const { return specs.data(); }
  [[nodiscard]] constexpr const FieldSpec* end() const { return specs.data() + count; }
};

// Lists the fields of a layout. They do not overlap, and have 63 bits at most.
constexpr FieldList FieldsFromTop(const Layout& layout) noexcept {
  FieldList list;
  // Each turn finds the highest field below the previous one; six fields need no sort.
  unsigned above = kMostLayoutBits + 1;
  for (;;) {
    FieldKind next{};
    bool found = false;
    for (std::size_t i = 0; i < kFieldKinds; ++i) {
      const auto kind = static_cast<FieldKind>(i);
      const bool is_higher = !found || layout[kind].shift > layout[next].shift;
      if (layout.Has(kind) && layout[kind].shift < above && is_higher) {
        next = kind;
        found = true;
      }
    }
    if (!found) return list;
    list.specs[list.count++] = {next, layout[next].bits};
    above = layout[next].shift;
  }
}

// The same for constants in source text, with the epoch in milliseconds since 1970. An epoch that
// is no int64 in microseconds becomes the largest one, which is no layout's.
constexpr Layout MakeLayout(std::string_view name, std::int64_t tick_us, std::int64_t epoch_ms,
                            std::initializer_list<FieldSpec> specs) {
  std::int64_t epoch_us = 0;
  if (__builtin_mul_overflow(epoch_ms, 1000, &epoch_us)) {
    epoch_us = std::numeric_limits<std::int64_t>::max();
  }
  return BuildLayout(name, tick_us, epoch_us, {specs.begin(), specs.size()});
}

enum class LayoutError : std::uint8_t {
  kNone,
  kBadTick,      // not from 1 us to kLongestTickUs
  kBadFields,    // no timestamp, or not in the highest bits; fields that overlap, or leave bits
                 // between or below them to none; more than kMostLayoutBits
  kEndsTooLate,  // the end of its last tick is beyond int64 microseconds (year 294247)
};

// Returns the first of these errors that a layout has. Any values are allowed.
constexpr LayoutError CheckLayout(const Layout& layout) noexcept {
  if (layout.tick_us < 1 || layout.tick_us > kLongestTickUs) return LayoutError::kBadTick;
  const unsigned total_bits = layout.TotalBits();
  if (!layout.Has(FieldKind::kTimestamp) || total_bits > kMostLayoutBits) {
    return LayoutError::kBadFields;
  }
  // Each bit belongs to one field: the taken bits are as many as the fields' bits, all below their
  // sum.
  std::uint64_t taken = 0;
  for (const Field& field : layout.fields) {
    if (field.bits == 0) continue;
    if (field.shift + field.bits > total_bits) return LayoutError::kBadFields;
    const std::uint64_t bits = field.Put(field.Largest());
    if ((taken & bits) != 0) return LayoutError::kBadFields;
    taken |= bits;
  }
  const Field& timestamp = layout[FieldKind::kTimestamp];
  if (timestamp.shift + timestamp.bits != static_cast<int>(total_bits)) {
    return LayoutError::kBadFields;
  }
  const Int128 ticks = static_cast<Int128>(layout.MaxTick()) + 1;
  const Int128 end_us = ticks * layout.tick_us + layout.epoch_us;
  if (end_us > std::numeric_limits<std::int64_t>::max()) return LayoutError::kEndsTooLate;
  return LayoutError::kNone;
}

}  // namespace idgen

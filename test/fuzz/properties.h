// What holds for every layout that CheckLayout lets pass, by other ways than the core's.
#pragma once

#include <idgen/clock.h>
#include <idgen/layout.h>
#include <idgen/mark.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "fuzz.h"
#include "parts.h"

namespace idgen::fuzz {

inline constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();

// An ID's fields, by division from the lowest up: no shift, no mask.
inline void CheckParse(const Layout& layout, std::uint64_t id) {
  const Parts parts = layout.Parse(id);
  Require(layout.Unparse(parts) == id, "Unparse is the inverse of Parse");
  std::uint64_t rest = id;
  unsigned below = 0;
  for (bool found = true; found;) {
    found = false;
    for (const FieldKind kind : kAllKinds) {
      const Field& field = layout[kind];
      if (field.bits == 0 || field.shift != below || found) continue;
      std::uint64_t values = 1;
      for (unsigned bit = 0; bit < field.bits; ++bit) values *= 2;
      Require(ValueOf(parts, kind) == rest % values, "Parse finds each field");
      rest /= values;
      below += field.bits;
      found = true;
    }
  }
  Require(rest == 0 && below == layout.TotalBits(), "the fields are all of an ID");
  for (const FieldKind kind : kAllKinds) {
    Require(layout.Has(kind) || ValueOf(parts, kind) == 0, "a field that is not there is 0");
  }
  Require(layout.FindMisfit(parts.identity) == FieldKind::kTimestamp, "what was read fits");
  const auto as_signed = static_cast<std::int64_t>(id);
  Require(layout.MinId(parts.tick) <= as_signed && as_signed <= layout.MaxIdOf(parts.tick),
          "an ID lies in the range of its tick");
}

// Ticks and instants, and the division without a division.
inline void CheckTime(const Layout& layout, std::int64_t time_us) {
  const Int128 since = static_cast<Int128>(time_us) - layout.epoch_us;
  const std::int64_t tick = layout.TickAt(time_us);
  const bool may_clip = since / layout.tick_us >= kLatest || since / layout.tick_us <= -kLatest;
  if (!may_clip) {
    const Int128 start = static_cast<Int128>(tick) * layout.tick_us;
    Require(start <= since && since < start + layout.tick_us, "TickAt rounds down");
  }
  const bool in_life = tick >= 0 && static_cast<std::uint64_t>(tick) <= layout.MaxTick();
  std::uint64_t divided = 0;
  const bool is_divided = TickDivider(layout).TickAt(time_us, divided);
  // Nor beyond 2^63 microseconds after the epoch (292,277 years), where its proof ends: a
  // layout lasts that long only if it begins before 1970.
  const bool is_far = since >= static_cast<Int128>(1) << 63;
  Require(is_divided == (in_life && !is_far), "TickDivider knows the layout's life");
  if (!is_divided) return;
  Require(divided == static_cast<std::uint64_t>(tick), "TickDivider divides");
  Require(layout.StartOfTick(divided) <= time_us, "a tick starts before what it holds");
  Require(layout.TickAt(layout.StartOfTick(divided)) == tick, "TickAt of StartOfTick");
}

inline void CheckMarks(const Layout& layout, std::uint64_t position, std::int64_t mark_ms) {
  const std::int64_t covering = MarkCovering(layout, position);
  Require(PositionLimit(layout, covering) > position, "MarkCovering covers");
  Require(PositionLimit(layout, covering - 1) <= position, "MarkCovering is the smallest");

  const std::uint64_t limit = PositionLimit(layout, mark_ms);
  Require(limit <= layout.MaxPosition() + 1, "no limit beyond the life");
  if (mark_ms < kLatest) {
    Require(limit <= PositionLimit(layout, mark_ms + 1), "a later mark has no smaller limit");
  }
  // A position below the limit begins before the mark, and the limit itself not: a position's
  // share of its tick is counted in parts, of which a tick has as many as positions.
  const auto begins_before = [&layout, mark_ms](std::uint64_t at) {
    const auto ids = static_cast<Int128>(layout.IdsPerTick());
    const Int128 parts = static_cast<Int128>(at >> layout.SequenceBits()) * ids +
                         static_cast<Int128>(at & (layout.IdsPerTick() - 1));
    const Int128 mark_us = static_cast<Int128>(mark_ms) * 1000 - layout.epoch_us;
    // at * tick_us / ids < mark_us. Both sides are below 2^95 in size.
    return parts * layout.tick_us < mark_us * ids;
  };
  if (limit > 0) Require(begins_before(limit - 1), "what is below the limit is before the mark");
  if (limit <= layout.MaxPosition()) {
    Require(!begins_before(limit), "what is not below the limit is not before the mark");
  }
}

inline void CheckPositions(const Layout& layout, std::uint64_t id, const Identity& identity) {
  const std::uint64_t bits = layout.IdentityBits(identity);
  const auto composed = [&layout, bits](std::uint64_t position) {
    return static_cast<std::uint64_t>(layout.Compose(position, bits));
  };
  const std::uint64_t position = layout.PositionNotAbove(id, bits);
  Require(position <= layout.MaxPosition(), "a position of the layout");
  Require(position == 0 || composed(position) <= id, "PositionNotAbove is not above");
  Require(position == layout.MaxPosition() || composed(position + 1) > id || composed(0) > id,
          "PositionNotAbove is the largest");

  // One after the other, from the end of the ID's tick down.
  const Parts parts = layout.Parse(id);
  if (layout.SequenceBits() <= 8) {
    std::uint64_t at = (parts.tick << layout.SequenceBits()) | (layout.IdsPerTick() - 1);
    while (at > 0 && composed(at) > id) --at;
    Require(at == position, "PositionNotAbove finds what a search finds");
  }

  // A position's own ID.
  const std::uint64_t own = (parts.tick << layout.SequenceBits()) | parts.sequence;
  Parts again = layout.Parse(composed(own));
  Require(again.tick == parts.tick && again.sequence == parts.sequence && again.tail == 0,
          "Compose puts the position in");
  Require(layout.IdentityBits(again.identity) == bits, "Compose puts the identity in");
  Require(layout.PositionNotAbove(composed(own), bits) == own, "PositionNotAbove of its own ID");
}

// All of it, with values from the input.
inline void CheckLayoutWith(const Layout& layout, Input& input) {
  const std::uint64_t id = input.AnyNumber() & layout.MaxId();
  CheckParse(layout, id);
  const Identity identity = layout.Parse(input.AnyNumber() & layout.MaxId()).identity;
  CheckPositions(layout, id, identity);
  const std::uint64_t tick = layout.Parse(id).tick;
  const std::int64_t start_us = layout.StartOfTick(tick);
  // Anywhere, and about the tick's borders.
  CheckTime(layout, static_cast<std::int64_t>(input.AnyNumber()));
  CheckTime(layout, start_us);
  if (start_us > std::numeric_limits<std::int64_t>::min()) CheckTime(layout, start_us - 1);
  CheckTime(layout, start_us + layout.tick_us - 1);
  const std::uint64_t position = input.AnyNumber() & layout.MaxPosition();
  CheckMarks(layout, position, static_cast<std::int64_t>(input.AnyNumber()));
  CheckMarks(layout, layout.MaxPosition() - position % 2, start_us / 1000);
}

}  // namespace idgen::fuzz

// High-water marks: which positions of a layout a mark stands for, which mark a position needs, and
// how positions begin above one.
#pragma once

#include <cstdint>

#include "layout.h"
#include "position.h"

namespace idgen {

// Returns the first position that a high-water mark does not cover. A mark of `m` milliseconds
// since 1970 covers exactly the positions below PositionLimit(m): those may have been handed out.
// A tick longer than a millisecond is divided among its sequence numbers, so that a mark can lie
// inside it and a restart need not wait for a whole tick. Never above layout.MaxPosition() + 1.
[[nodiscard]] constexpr std::uint64_t PositionLimit(const Layout& layout, std::int64_t mark_ms) {
  const Int128 since_us = static_cast<Int128>(mark_ms) * 1000 - layout.epoch_us;
  if (since_us <= 0) return 0;
  const Int128 tick = since_us / layout.tick_us;
  const Int128 rest_us = since_us % layout.tick_us;
  if (tick > static_cast<Int128>(layout.MaxTick())) return layout.MaxPosition() + 1;
  // Rounded up: an instant within the share of a sequence number belongs to that number.
  const Int128 sequence =
      (rest_us * static_cast<Int128>(layout.IdsPerTick()) + layout.tick_us - 1) / layout.tick_us;
  return static_cast<std::uint64_t>(tick * static_cast<Int128>(layout.IdsPerTick()) + sequence);
}

// Returns the smallest mark that covers a position: PositionLimit(result) > position, provided
// that the position is at most layout.MaxPosition().
[[nodiscard]] constexpr std::int64_t MarkCovering(const Layout& layout, std::uint64_t position) {
  const Int128 ids = static_cast<Int128>(layout.IdsPerTick());
  const Int128 tick = static_cast<Int128>(position >> layout.SequenceBits());
  const Int128 sequence = static_cast<Int128>(position & (layout.IdsPerTick() - 1));
  const Int128 time_us =
      tick * layout.tick_us + (sequence * layout.tick_us) / ids + layout.epoch_us;
  // Start from a millisecond at or before the position's own instant and go up: two steps at
  // most.
  auto mark_ms = static_cast<std::int64_t>((time_us - (time_us < 0 ? 999 : 0)) / 1000);
  while (PositionLimit(layout, mark_ms) <= position) ++mark_ms;
  return mark_ms;
}

// Makes all later positions lie above those that a mark covers, where somebody else may have handed
// them out. `start` is the first position of this run (Bounds::start).
inline void StartAbove(std::uint64_t& position, std::uint64_t& start, const Layout& layout,
                       std::int64_t mark_ms) noexcept {
  const std::uint64_t first = PositionLimit(layout, mark_ms);
  if (first > 0 && RaisePosition(position, first - 1)) RaisePosition(start, first);
}

}  // namespace idgen

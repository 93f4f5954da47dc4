// A session's (or thread's) way through shared positions: what it may take without
// looking at anything but the clock. The hot path of the SQL functions.
//
// A Window is what the session knows about now, for all its ID spaces of one layout: the
// tick of the last reading of the clock, and the limit that the window's owner has made
// sure of (the high-water mark). A Cursor is the session's place in one ID space. It says
// no as soon as the next position needs more than the window has: the tick is used up, the
// clock is behind or outside of the layout's life, the limit is reached, or the window is
// closed. What then is up to the owner (guard.h).
#pragma once

#include <algorithm>
#include <cstdint>

#include "clock.h"
#include "layout.h"
#include "position.h"

namespace idgen {

class Window {
 public:
  // Closed, and of no layout.
  constexpr Window() = default;

  // `block_size` positions, all of one tick, are taken from a shared one at a time.
  // `cycles_per_us` as CyclesPerUs() returns it.
  constexpr Window(const Layout& layout, std::uint64_t block_size, std::uint64_t cycles_per_us)
      : ticker_(layout, cycles_per_us),
        may_add_(block_size == 1 && OvershootOf(layout.IdsPerTick()) > 0),
        sequence_bits_(static_cast<std::uint8_t>(layout.SequenceBits())),
        block_size_(block_size),
        ids_per_tick_(layout.IdsPerTick()) {}

  // The same as a new one, closed; but cursors that were used with it until now hold nothing.
  constexpr void Restart(const Layout& layout, std::uint64_t block_size,
                         std::uint64_t cycles_per_us) noexcept {
    const std::uint64_t stamp = stamp_ + 1;
    const std::uint64_t readings = readings_ + 1;
    *this = Window(layout, block_size, cycles_per_us);
    stamp_ = stamp;
    closed_at_ = readings_ = readings;
  }

  // Positions below `limit` may be taken from now on.
  constexpr void Open(std::uint64_t limit) noexcept { limit_ = limit; }

  // Nothing may be taken, and what is left of blocks is dropped.
  constexpr void Close() noexcept {
    limit_ = 0;
    end_ = 0;
    ++stamp_;
    closed_at_ = ++readings_;
  }

 private:
  friend class Cursor;

  Ticker ticker_;
  bool may_add_ = false;  // blocks of one, in a tick with many positions
  std::uint8_t sequence_bits_ = 0;
  // Counts the ticks that were seen, and the closings: that a position is in the tick is good for
  // one of them. From 1 on: a cursor with a stamp of 0 knows nothing.
  std::uint64_t stamp_ = 1;
  // Counts the readings, and the closings, with what the last closing had: a block that was looked
  // at before that is dropped.
  std::uint64_t readings_ = 0;
  std::uint64_t closed_at_ = 0;
  std::uint64_t base_ = 0;  // the first position of the tick of the last reading
  std::uint64_t end_ = 0;   // the first position beyond it, or beyond the limit
  std::uint64_t limit_ = 0;
  std::uint64_t block_size_ = 1;
  std::uint64_t ids_per_tick_ = 1;
};

class Cursor {
 public:
  constexpr Cursor() = default;

  constexpr void DropBlock() noexcept { block_next_ = block_end_ = 0; }

  // The next position of `word`, never ahead of the clock and below the limit. False, and
  // nothing was taken that could be issued, where that cannot be told here. The same word
  // and a window of the same layout each time.
  template <typename Counter, typename Clock>
  [[nodiscard]] bool Next(Window& window, std::uint64_t& word, Counter&& counter, Clock&& clock,
                          std::uint64_t& next) noexcept {
    if (window.ticker_.IsFresh(counter)) [[likely]] {
      if (add_stamp_ == window.stamp_) [[likely]] {
        next = TakeNext(word);
        if (next < window.end_) [[likely]]
          return true;
        add_stamp_ = 0;
      } else if (FromBlock(window, word, next)) {
        return true;
      }
    }
    return NextByClock(window, word, counter, clock, next);
  }

 private:
  // From the block in hand, or from a new one of the tick of the last reading.
  bool FromBlock(const Window& window, std::uint64_t& word, std::uint64_t& next) noexcept {
    if (block_next_ == block_end_ || !BlockIsGood(window, word)) {
      const Taken taken = TakeUpTo(word, window.base_, window.end_, window.block_size_);
      if (taken.count == 0) return false;
      block_next_ = taken.first;
      block_end_ = taken.first + taken.count;
      block_reading_ = window.readings_;
      // The position is in the tick now, and stays there or beyond.
      if (window.may_add_) add_stamp_ = window.stamp_;
    }
    next = block_next_++;
    return true;
  }

  // A block is used in its own tick only, and not after others' IDs of a later one: the clock
  // may have been there and gone back, and what is left would be too far out of order. Looked at
  // once a reading; which may have been made for another ID space, and knows nothing of this one.
  bool BlockIsGood(const Window& window, const std::uint64_t& word) noexcept {
    if (block_reading_ == window.readings_) [[likely]]
      return true;
    if (block_reading_ < window.closed_at_ || block_next_ - window.base_ >= window.ids_per_tick_ ||
        LoadPosition(word) - window.base_ >= window.ids_per_tick_) {
      return false;
    }
    block_reading_ = window.readings_;
    return true;
  }

  template <typename Counter, typename Clock>
  [[gnu::noinline]] bool NextByClock(Window& window, std::uint64_t& word, Counter&& counter,
                                     Clock&& clock, std::uint64_t& next) noexcept {
    std::uint64_t tick = 0;
    if (!window.ticker_.Read(counter, clock, tick)) return false;
    ++window.readings_;
    const std::uint64_t base = tick << window.sequence_bits_;
    if (base != window.base_) {
      window.base_ = base;
      ++window.stamp_;
    }
    window.end_ = std::min(base + window.ids_per_tick_, window.limit_);
    return FromBlock(window, word, next);
  }

  std::uint64_t add_stamp_ = 0;      // while it is the window's, TakeNext will do
  std::uint64_t block_reading_ = 0;  // the window's when the block was last looked at
  std::uint64_t block_next_ = 0;
  std::uint64_t block_end_ = 0;
};

}  // namespace idgen

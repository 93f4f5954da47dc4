// A session's (or thread's) way through shared positions: what it may take without
// looking at anything but the clock. The hot path of the SQL functions.
//
// An Allowance is what the session knows about now, for all its ID spaces of one layout: the
// tick of the last reading of the clock, and the limit that the allowance's owner has made
// sure of (the high-water mark). A Cursor is the session's place in one ID space. It says
// no as soon as the next position needs more than the allowance has: the tick is used up, the
// clock is behind or outside of the layout's life, the limit is reached, or the allowance is
// closed. The owner goes into the loop then (loop.h).
#pragma once

#include <algorithm>
#include <cstdint>

#include "clock.h"
#include "layout.h"
#include "position.h"
#include "reading.h"

namespace idgen {

class Allowance {
 public:
  // Closed, and of no layout.
  constexpr Allowance() = default;

  // `block_size` positions, all of one tick, are taken from a shared one at a time.
  // `cycles_per_us` as CyclesPerUs() returns it. A reading of the clock serves for `oldest_us`
  // (ClockReading).
  constexpr Allowance(const Layout& layout, std::uint64_t block_size, std::uint64_t cycles_per_us,
                      std::int64_t oldest_us)
      : reading_(oldest_us, cycles_per_us),
        may_add_(block_size == 1 && OvershootOf(layout.IdsPerTick()) > 0),
        sequence_bits_(static_cast<std::uint8_t>(layout.SequenceBits())),
        block_size_(block_size),
        ids_per_tick_(layout.IdsPerTick()),
        divider_(layout) {}
  constexpr Allowance(const Layout& layout, std::uint64_t block_size, std::uint64_t cycles_per_us)
      : Allowance(layout, block_size, cycles_per_us, ClockReading::OldestUs(layout.tick_us)) {}

  // The same as a new one, which is closed; but cursors that were used with it until now hold
  // nothing.
  constexpr void Restart(const Allowance& anew) noexcept {
    const std::uint64_t stamp = stamp_ + 1;
    const std::uint64_t readings = readings_ + 1;
    *this = anew;
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

  // What every ID needs, one cache line.
  ClockReading reading_;
  // Counts the ticks that were seen, and the closings: knowing that the position is in the tick is
  // valid for one of them only. From 1 on: a cursor with a stamp of 0 knows nothing.
  std::uint64_t stamp_ = 1;
  std::uint64_t end_ = 0;   // the first position beyond the tick of the last reading, or the limit
  std::uint64_t base_ = 0;  // the first position of that tick
  bool may_add_ = false;    // blocks of one, in a tick with many positions
  std::uint8_t sequence_bits_ = 0;

  // Counts the readings, and the closings, with what the last closing had: a block that was looked
  // at before that is dropped.
  std::uint64_t readings_ = 0;
  std::uint64_t closed_at_ = 0;
  std::uint64_t limit_ = 0;
  std::uint64_t block_size_ = 1;
  std::uint64_t ids_per_tick_ = 1;
  TickDivider divider_;
};

class Cursor {
 public:
  constexpr Cursor() = default;

  constexpr void DropBlock() noexcept { block_next_ = block_end_ = 0; }

  // The next position of `word`, never ahead of the clock and below the limit. False, and
  // nothing was taken that could be issued, where that cannot be told here. The same word
  // and an allowance of the same layout each time. Inline, with what it
  // calls: in a program with many callers compilers would call some of them, at a quarter of the
  // cost.
  template <typename Counter, typename Clock>
  [[nodiscard, gnu::always_inline]] inline bool Next(Allowance& allowance, std::uint64_t& word,
                                                     Counter&& counter, Clock&& clock,
                                                     std::uint64_t& next) noexcept {
    if (allowance.reading_.IsFresh(counter)) [[likely]] {
      if (add_stamp_ == allowance.stamp_) [[likely]] {
        next = TakeNext(word);
        if (next < allowance.end_) [[likely]]
          return true;
        add_stamp_ = 0;
      } else {
        next = FromBlock(allowance, word);
        if (next != kNone) return true;
      }
    }
    next = NextByClock(allowance, word, counter, clock);
    return next != kNone;
  }

  // The same for up to `count` consecutive positions of one tick; none where that cannot be
  // told here. What is left of a block is dropped: it is below them.
  template <typename Counter, typename Clock>
  [[nodiscard]] Taken Take(Allowance& allowance, std::uint64_t& word, Counter&& counter,
                           Clock&& clock, std::uint64_t count) noexcept {
    DropBlock();
    if (allowance.reading_.IsFresh(counter)) {
      const Taken taken = FromTick(allowance, word, count);
      if (taken.count > 0) return taken;
    }
    if (!ReadTick(allowance, counter, clock)) return {};
    return FromTick(allowance, word, count);
  }

 private:
  // No position: they have 63 bits.
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  // From the tick of the last reading.
  [[gnu::always_inline]] inline Taken FromTick(const Allowance& allowance, std::uint64_t& word,
                                               std::uint64_t count) noexcept {
    const Taken taken = TakeUpTo(word, allowance.base_, allowance.end_, count);
    // The position is in the tick now, and stays there or beyond.
    if (taken.count > 0 && allowance.may_add_) add_stamp_ = allowance.stamp_;
    return taken;
  }

  // From the block in hand, or from a new one of the tick of the last reading.
  [[gnu::always_inline]] inline std::uint64_t FromBlock(const Allowance& allowance,
                                                        std::uint64_t& word) noexcept {
    if (block_next_ == block_end_ || !BlockIsGood(allowance, word)) {
      const Taken taken = FromTick(allowance, word, allowance.block_size_);
      if (taken.count == 0) return kNone;
      block_next_ = taken.first;
      block_end_ = taken.first + taken.count;
      block_reading_ = allowance.readings_;
    }
    return block_next_++;
  }

  // A block is used in its own tick only, and not after others' IDs of a later one: the clock
  // may have been there and gone back, and what is left would be too far out of order. Looked at
  // once a reading; which may have been made for another ID space, and knows nothing of this one.
  bool BlockIsGood(const Allowance& allowance, const std::uint64_t& word) noexcept {
    if (block_reading_ == allowance.readings_) [[likely]]
      return true;
    if (block_reading_ < allowance.closed_at_ ||
        block_next_ - allowance.base_ >= allowance.ids_per_tick_ ||
        LoadPosition(word) - allowance.base_ >= allowance.ids_per_tick_) {
      return false;
    }
    block_reading_ = allowance.readings_;
    return true;
  }

  // False when the clock shows a time that the layout has no tick for.
  template <typename Counter, typename Clock>
  static bool ReadTick(Allowance& allowance, Counter&& counter, Clock&& clock) noexcept {
    std::uint64_t tick = 0;
    if (!allowance.divider_.TickAt(allowance.reading_.Read(counter, clock), tick)) {
      allowance.reading_.Forget();  // what the allowance holds is of the reading before
      return false;
    }
    ++allowance.readings_;
    const std::uint64_t base = tick << allowance.sequence_bits_;
    if (base != allowance.base_) {
      allowance.base_ = base;
      ++allowance.stamp_;
    }
    allowance.end_ = std::min(base + allowance.ids_per_tick_, allowance.limit_);
    return true;
  }

  template <typename Counter, typename Clock>
  [[gnu::noinline]] std::uint64_t NextByClock(Allowance& allowance, std::uint64_t& word,
                                              Counter&& counter, Clock&& clock) noexcept {
    if (!ReadTick(allowance, counter, clock)) return kNone;
    // Where many sessions wait for the position, each of them finds its reading old each time:
    // then above all there must be no more to it than the addition.
    if (add_stamp_ == allowance.stamp_) {
      const std::uint64_t next = TakeNext(word);
      if (next < allowance.end_) return next;
      add_stamp_ = 0;
    }
    return FromBlock(allowance, word);
  }

  std::uint64_t add_stamp_ = 0;      // while it is the allowance's, TakeNext will do
  std::uint64_t block_reading_ = 0;  // the allowance's when the block was last looked at
  std::uint64_t block_next_ = 0;
  std::uint64_t block_end_ = 0;
};

}  // namespace idgen

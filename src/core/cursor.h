// One session's (or thread's) way through a shared position: what it may take without
// looking at anything but the clock. The hot path of the SQL functions.
//
// A cursor is open up to a limit that its owner has made sure of (the high-water mark),
// and says no as soon as the next position needs more than that: the tick is used up, the
// clock is behind or outside of the layout's life, the limit is reached, or the cursor is
// closed. What then is up to the owner (guard.h).
#pragma once

#include <algorithm>
#include <cstdint>

#include "clock.h"
#include "layout.h"
#include "position.h"

namespace idgen {

class Cursor {
 public:
  // Closed, and of no layout.
  constexpr Cursor() = default;

  // `block_size` positions, all of one tick, are taken from the shared one at a time.
  // `cycles_per_us` as CyclesPerUs() returns it.
  constexpr Cursor(const Layout& layout, std::uint64_t block_size, std::uint64_t cycles_per_us)
      : ticker_(layout, cycles_per_us),
        may_add_(block_size == 1 && OvershootOf(layout.IdsPerTick()) > 0),
        block_size_(block_size),
        ids_per_tick_(layout.IdsPerTick()),
        sequence_bits_(static_cast<std::uint8_t>(layout.SequenceBits())) {}

  // Positions below `limit` may be taken from now on.
  constexpr void Open(std::uint64_t limit) noexcept { limit_ = limit; }

  // Nothing may be taken, and what is left of a block is dropped.
  constexpr void Close() noexcept {
    limit_ = 0;
    end_ = 0;
    add_ = false;
    DropBlock();
  }

  constexpr void DropBlock() noexcept { block_next_ = block_end_ = 0; }

  // The next position of `word`, never ahead of the clock and below the limit. False, and
  // nothing was taken that could be issued, where that cannot be told here.
  template <typename Counter, typename Clock>
  [[nodiscard]] bool Next(std::uint64_t& word, Counter&& counter, Clock&& clock,
                          std::uint64_t& next) noexcept {
    if (ticker_.IsFresh(counter)) [[likely]] {
      if (add_) [[likely]] {
        next = TakeNext(word);
        if (next < end_) [[likely]]
          return true;
        add_ = false;
      } else if (FromBlock(word, next)) {
        return true;
      }
    }
    return NextByClock(word, counter, clock, next);
  }

 private:
  // From the block in hand, or from a new one of the tick of the last reading.
  bool FromBlock(std::uint64_t& word, std::uint64_t& next) noexcept {
    if (block_next_ == block_end_) {
      const Taken taken = TakeUpTo(word, base_, end_, block_size_);
      if (taken.count == 0) return false;
      block_next_ = taken.first;
      block_end_ = taken.first + taken.count;
      add_ = may_add_;  // the position is in the tick now
    }
    next = block_next_++;
    return true;
  }

  template <typename Counter, typename Clock>
  [[gnu::noinline]] bool NextByClock(std::uint64_t& word, Counter&& counter, Clock&& clock,
                                     std::uint64_t& next) noexcept {
    std::uint64_t tick = 0;
    if (!ticker_.Read(counter, clock, tick)) return false;
    const std::uint64_t base = tick << sequence_bits_;
    if (base != base_) {
      base_ = base;
      add_ = false;  // the position may be of an earlier tick
      DropBlock();   // a block is used in its own tick only
    }
    end_ = std::min(base + ids_per_tick_, limit_);
    return FromBlock(word, next);
  }

  Ticker ticker_;
  bool may_add_ = false;  // blocks of one, in a tick with many positions
  bool add_ = false;      // and the position is not below base_: TakeNext will do
  std::uint64_t end_ = 0;
  std::uint64_t base_ = 0;  // the first position of the tick of the last reading
  std::uint64_t block_next_ = 0;
  std::uint64_t block_end_ = 0;
  std::uint64_t block_size_ = 1;
  std::uint64_t limit_ = 0;
  std::uint64_t ids_per_tick_ = 1;
  std::uint8_t sequence_bits_ = 0;
};

}  // namespace idgen

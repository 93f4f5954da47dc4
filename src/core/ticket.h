// Tickets: numbers without time, out of a range that was reserved in a durable place beforehand
// (src/pg/ticket). Many threads or processes take from the range by compare-and-swap, while one at
// a time lengthens it or puts another in its place.
//
// All of uniqueness here is one word, `generation << 32 | index`: a generation is one range, and
// the index counts what was taken from it. Both only grow. Whoever takes loads the word, reads the
// range of that generation, and swaps in the index after his. There are two places for ranges, and
// generation g is in place g % 2. So his range can only have been overwritten by that of g + 2, the
// word was moved to g + 1 before that, and then his swap fails. What he got by a swap that succeeds
// is therefore of the range that he read.
//
// A range that has ended is one whose generation has passed. The swap that ends it tells how many
// were taken, for good: nobody takes from it any more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "position.h"

namespace idgen {

inline constexpr unsigned kTicketIndexBits = 32;
// The most numbers in one range.
inline constexpr std::uint64_t kMostTickets = (std::uint64_t{1} << kTicketIndexBits) - 1;

constexpr std::uint64_t TicketGeneration(std::uint64_t word) noexcept {
  return word >> kTicketIndexBits;
}
constexpr std::uint64_t TicketIndex(std::uint64_t word) noexcept { return word & kMostTickets; }

// How durable the numbers must be that a caller takes.
inline constexpr unsigned kTicketLevels = 2;

// The numbers base, base + increment, ... Signed numbers are kept as their bits: the sums wrap
// around to the right ones.
struct TicketRange {
  std::uint64_t base;
  std::uint64_t increment;
  // From this index on the range is low. A hint only.
  std::uint64_t low;
  // How many numbers may be handed out, for each level. They only grow.
  std::uint64_t size[kTicketLevels];
};

// Zeroed: a range without numbers.
struct Tickets {
  alignas(128) std::uint64_t word;
  alignas(128) TicketRange ranges[2];
};

// How many numbers a range has from `first` to `limit`: first, first + increment, ..., but no more
// than kMostTickets. `increment` is not 0; if it is negative, they descend.
constexpr std::uint64_t CountTickets(std::int64_t first, std::int64_t limit,
                                     std::int64_t increment) noexcept {
  if (increment > 0 ? first > limit : first < limit) return 0;
  const auto from = static_cast<std::uint64_t>(first);
  const auto to = static_cast<std::uint64_t>(limit);
  const auto step = static_cast<std::uint64_t>(increment);
  const std::uint64_t steps = increment > 0 ? (to - from) / step : (from - to) / (0 - step);
  return std::min(steps, kMostTickets - 1) + 1;
}

// The number of a range at an index.
constexpr std::int64_t TicketAt(std::int64_t base, std::int64_t increment,
                                std::uint64_t index) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(base) +
                                   index * static_cast<std::uint64_t>(increment));
}

// Where a sequence goes on.
struct TicketStart {
  bool exists = false;    // false: it is at the end of all numbers
  bool is_moved = false;  // it would have come to numbers that were handed out
  std::int64_t first = 0;
};

// The first number of a sequence that shows `last` (or begins with it, if it was not called), and
// of which numbers from `lowest` to `highest` were handed out: none, if that is no interval.
constexpr TicketStart StartTickets(std::int64_t last, bool is_called, std::int64_t increment,
                                   std::int64_t lowest, std::int64_t highest) noexcept {
  TicketStart start{true, false, last};
  if (is_called && __builtin_add_overflow(last, increment, &start.first)) return {};
  if (lowest > highest || (increment > 0 ? start.first > highest : start.first < lowest)) {
    return start;
  }
  start.is_moved = true;
  // The numbers from here on that it must pass over, in steps of the sequence.
  const auto from = static_cast<std::uint64_t>(start.first);
  const std::uint64_t distance = increment > 0 ? static_cast<std::uint64_t>(highest) - from
                                               : from - static_cast<std::uint64_t>(lowest);
  const std::uint64_t step = increment > 0 ? static_cast<std::uint64_t>(increment)
                                           : 0 - static_cast<std::uint64_t>(increment);
  const std::uint64_t room =
      increment > 0 ? static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - from
                    : from - static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::min());
  std::uint64_t move = 0;
  if (__builtin_mul_overflow(distance / step + 1, step, &move) || move > room) return {};
  start.first = static_cast<std::int64_t>(increment > 0 ? from + move : from - move);
  return start;
}

// Numbers that were taken: first, first + increment, ...
struct TakenTickets {
  std::int64_t first = 0;
  std::int64_t increment = 0;
  std::uint64_t count = 0;  // 0: none
  bool is_low = false;
};

inline std::uint64_t LoadTicketWord(const std::uint64_t& word) noexcept {
  return LoadPosition(word);
}

// Takes up to `most` numbers, but none if there are not `least`. `is_valid` is asked between the
// load of the word and the swap, and nothing is taken if it says no.
template <typename IsValid>
inline TakenTickets TakeTickets(Tickets& tickets, unsigned level, std::uint64_t least,
                                std::uint64_t most, IsValid&& is_valid) noexcept {
  AtomicWord word(tickets.word);
  std::uint64_t seen = word.load(std::memory_order_acquire);
  for (;;) {
    const TicketRange& range = tickets.ranges[TicketGeneration(seen) & 1];
    const std::uint64_t index = TicketIndex(seen);
    const std::uint64_t size = LoadTicketWord(range.size[level]);
    if (size < index + least || !is_valid()) return {};
    const std::uint64_t count = std::min(most, size - index);
    const std::uint64_t base = LoadTicketWord(range.base);
    const std::uint64_t increment = LoadTicketWord(range.increment);
    const std::uint64_t low = LoadTicketWord(range.low);
    if (word.compare_exchange_weak(seen, seen + count, std::memory_order_acq_rel,
                                   std::memory_order_acquire)) {
      return {static_cast<std::int64_t>(base + index * increment),
              static_cast<std::int64_t>(increment), count, index + count > low};
    }
  }
}

// Takes the first number that is greater than `beyond`, and leaves those before it unused. None if
// it is not there yet, or if the numbers descend.
template <typename IsValid>
inline TakenTickets TakeTicketBeyond(Tickets& tickets, unsigned level, std::int64_t beyond,
                                     IsValid&& is_valid) noexcept {
  AtomicWord word(tickets.word);
  std::uint64_t seen = word.load(std::memory_order_acquire);
  for (;;) {
    const TicketRange& range = tickets.ranges[TicketGeneration(seen) & 1];
    const std::uint64_t size = LoadTicketWord(range.size[level]);
    const auto base = static_cast<std::int64_t>(LoadTicketWord(range.base));
    const auto increment = static_cast<std::int64_t>(LoadTicketWord(range.increment));
    const std::uint64_t low = LoadTicketWord(range.low);
    if (increment <= 0) return {};
    const std::uint64_t index = std::max(TicketIndex(seen), CountTickets(base, beyond, increment));
    if (size <= index || !is_valid()) return {};
    const std::uint64_t next = (TicketGeneration(seen) << kTicketIndexBits) + index + 1;
    if (word.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                   std::memory_order_acquire)) {
      return {TicketAt(base, increment, index), increment, 1, index + 1 > low};
    }
  }
}

inline void StoreTicketWord(std::uint64_t& word, std::uint64_t value) noexcept {
  AtomicWord(word).store(value, std::memory_order_release);
}

// Ends the range and puts another in its place, without numbers for now. Returns the word that
// ended it. One caller at a time, and none of PublishTickets.
inline std::uint64_t OpenTickets(Tickets& tickets, std::int64_t base,
                                 std::int64_t increment) noexcept {
  AtomicWord word(tickets.word);
  std::uint64_t seen = word.load(std::memory_order_acquire);
  const std::uint64_t next = (TicketGeneration(seen) + 1) << kTicketIndexBits;
  TicketRange& range = tickets.ranges[TicketGeneration(next) & 1];
  for (std::uint64_t& size : range.size) StoreTicketWord(size, 0);
  StoreTicketWord(range.base, static_cast<std::uint64_t>(base));
  StoreTicketWord(range.increment, static_cast<std::uint64_t>(increment));
  StoreTicketWord(range.low, 0);
  while (!word.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
  }
  return seen;
}

// Somebody lengthens the range, and nobody else needs to try: it is not low until the next call of
// PublishTickets.
inline void QuietTickets(Tickets& tickets, std::uint64_t generation) noexcept {
  StoreTicketWord(tickets.ranges[generation & 1].low, kMostTickets);
}

// Lets the first `size` numbers of a generation be handed out at a level and those below it; from
// index `low` on the range is low. Does nothing if the generation has passed.
inline void PublishTickets(Tickets& tickets, std::uint64_t generation, std::uint64_t size,
                           std::uint64_t low, unsigned level) noexcept {
  if (TicketGeneration(LoadTicketWord(tickets.word)) != generation) return;
  TicketRange& range = tickets.ranges[generation & 1];
  StoreTicketWord(range.low, low);
  for (unsigned i = 0; i <= level; ++i) {
    if (LoadTicketWord(range.size[i]) < size) StoreTicketWord(range.size[i], size);
  }
}

}  // namespace idgen

// Counts by number in a table of bounded size: cells of memory that the caller gives, found by
// hashing.
//
// What counts IDs by time uses it with keys of two parts (IntervalKey). When the table is full and
// may not grow, intervals of time are merged two by two (Pour), and so half of the cells or more
// become free, as long as the intervals are not all alone.
#pragma once

#include <cstdint>
#include <span>

#include "shard.h"

namespace idgen {

struct TallyCell {
  std::uint64_t key = 0;
  std::uint64_t count = 0;  // 0: the cell is free
};

// A cell's address is valid until the next Pour().
class Tally {
 public:
  constexpr Tally() = default;
  // The cells are all free; their number is a power of two.
  explicit constexpr Tally(std::span<TallyCell> cells) : cells_(cells) {}

  [[nodiscard]] constexpr std::span<TallyCell> cells() const { return cells_; }
  [[nodiscard]] constexpr std::uint64_t used() const { return used_; }
  // A table that is fuller than this takes long to search, and needs one free cell to end.
  [[nodiscard]] constexpr bool IsFull() const { return used_ >= cells_.size() / 4 * 3; }

  // Returns the cell with this key, or the free cell in which it belongs.
  [[nodiscard]] constexpr TallyCell& Find(std::uint64_t key) const {
    const std::uint64_t mask = cells_.size() - 1;
    std::uint64_t at = MixHash(key) & mask;
    while (cells_[at].count != 0 && cells_[at].key != key) at = (at + 1) & mask;
    return cells_[at];
  }

  // Adds to a cell that Find(key) returned. `count` is at least 1. There must be room: !IsFull(),
  // or the cell is in use.
  constexpr void Add(TallyCell& cell, std::uint64_t key, std::uint64_t count) {
    if (cell.count == 0) {
      cell.key = key;
      ++used_;
    }
    cell.count += count;
  }

 private:
  std::span<TallyCell> cells_;
  std::uint64_t used_ = 0;
};

// A key of who made an ID (a number from 0 to kMostMakers - 1) and when (the number of an
// interval). Keys sort by maker, then by time.
struct IntervalKey {
  static constexpr unsigned kBits = 48;
  static constexpr std::uint64_t kMostMakers = std::uint64_t{1} << (64 - kBits);
  static constexpr std::uint64_t kLast = (std::uint64_t{1} << kBits) - 1;

  std::uint64_t maker = 0;
  std::uint64_t interval = 0;  // those above kLast count as kLast

  [[nodiscard]] constexpr std::uint64_t Packed() const {
    return maker << kBits | (interval < kLast ? interval : kLast);
  }
  static constexpr IntervalKey Of(std::uint64_t packed) {
    return {packed >> kBits, packed & kLast};
  }
};

// Adds all counts to another table of intervals that are 2^halvings times as long. The other table
// must have room for all of them: more than `from` has in use, by a third.
constexpr void Pour(std::span<const TallyCell> from, unsigned halvings, Tally& into) {
  for (const TallyCell& cell : from) {
    if (cell.count == 0) continue;
    IntervalKey wide = IntervalKey::Of(cell.key);
    wide.interval >>= halvings;
    const std::uint64_t key = wide.Packed();
    into.Add(into.Find(key), key, cell.count);
  }
}

}  // namespace idgen

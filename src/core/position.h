// The position: the last one issued in an ID space, in one 64-bit word that many
// threads or processes advance by compare-and-swap. It only ever grows, and that is
// all of uniqueness and order: every successful swap takes positions that no other
// swap took, and those of a later swap are greater.
//
// The word is a plain integer, so that it can live in shared memory; only these
// functions may touch it while it is shared.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace idgen {

static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free);

// `count` consecutive positions from `first` on; none when count is 0.
struct Taken {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

inline std::uint64_t LoadPosition(const std::uint64_t& word) noexcept {
  // atomic_ref has no const form before C++26; nothing is written through it.
  return std::atomic_ref<std::uint64_t>(const_cast<std::uint64_t&>(word))
      .load(std::memory_order_acquire);
}

// Takes the next position, and up to `count` - 1 that follow it: from
// max(last + 1, base) on, all below `end`. Takes nothing when that is not below `end`.
inline Taken TakeUpTo(std::uint64_t& word, std::uint64_t base, std::uint64_t end,
                      std::uint64_t count) noexcept {
  std::atomic_ref<std::uint64_t> position(word);
  std::uint64_t last = position.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t next = std::max(last + 1, base);
    if (next >= end) return {next, 0};
    const std::uint64_t n = std::min(count, end - next);
    if (position.compare_exchange_weak(last, next + n - 1, std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
      return {next, n};
    }
  }
}

// Raises the position to `at_least`, so that every later one is greater. True when
// it was lower.
inline bool RaisePosition(std::uint64_t& word, std::uint64_t at_least) noexcept {
  std::atomic_ref<std::uint64_t> position(word);
  std::uint64_t last = position.load(std::memory_order_relaxed);
  while (last < at_least) {
    if (position.compare_exchange_weak(last, at_least, std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

}  // namespace idgen

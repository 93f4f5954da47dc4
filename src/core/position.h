// The position: the last one issued in an ID space, in one 64-bit word that many
// threads or processes advance by atomic operations. It only ever grows, and that is
// all of uniqueness and order: every operation that advances it takes positions that no
// other took, and those of a later operation are greater.
//
// The word is a plain integer, so that it can live in shared memory; only these
// functions may touch it while it is shared.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace idgen {

static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free);

// How the word is touched, here and in guard.h. The one seam for a test: test/model puts a
// type in its place whose every operation lets other threads come in between.
#ifdef IDGEN_ATOMIC_WORD
using AtomicWord = IDGEN_ATOMIC_WORD;
#else
using AtomicWord = std::atomic_ref<std::uint64_t>;
#endif

// `count` consecutive positions from `first` on; none when count is 0.
struct Taken {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

inline std::uint64_t LoadPosition(const std::uint64_t& word) noexcept {
  // atomic_ref has no const form before C++26; nothing is written through it.
  return AtomicWord(const_cast<std::uint64_t&>(word)).load(std::memory_order_acquire);
}

// Takes the next position, and up to `count` - 1 that follow it: from
// max(last + 1, base) on, all below `end`. Takes nothing when that is not below `end`.
inline Taken TakeUpTo(std::uint64_t& word, std::uint64_t base, std::uint64_t end,
                      std::uint64_t count) noexcept {
  AtomicWord position(word);
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

// Takes the next position, wherever it lies, and returns it: one atomic addition, which
// under contention costs half of a compare-and-swap. Only for a caller that has already taken
// a position at or above its base. If the one that it gets is at or beyond its end, it is used
// up for nothing: the caller must not issue it, and must use TakeUpTo from then on (OvershootOf).
inline std::uint64_t TakeNext(std::uint64_t& word) noexcept {
  return AtomicWord(word).fetch_add(1, std::memory_order_acq_rel) + 1;
}

// TakeNext is only for ID spaces with at least so many positions in a tick.
inline constexpr std::uint64_t kLeastForTakeNext = 4096;

// How many positions beyond the end of a tick callers may take for nothing by TakeNext: one
// for each caller (each cursor, of which a session may have several) that took one in it, and
// so no more than the tick has. A bound that is too large only makes a clock that is behind by
// less than a tick look like a used-up sequence, which is waited for; one that is too small
// makes a clock that is right look as if it were behind. `most_callers` counts from
// kLeastOvershoot on.
inline constexpr std::uint64_t kLeastOvershoot = 1024;
constexpr std::uint64_t OvershootOf(std::uint64_t ids_per_tick,
                                    std::uint64_t most_callers = 0) noexcept {
  if (ids_per_tick < kLeastForTakeNext) return 0;
  return std::min(std::max(most_callers, kLeastOvershoot), ids_per_tick);
}

// Raises the position to `at_least`, so that every later one is greater. True when
// it was lower.
inline bool RaisePosition(std::uint64_t& word, std::uint64_t at_least) noexcept {
  AtomicWord position(word);
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

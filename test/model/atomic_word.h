// The core's AtomicWord (position.h), each of whose operations is a scheduling point. To be
// included before any header of the core. Operations take effect at once and in one order
// for all threads: what a memory order weaker than that allows is not explored.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "explorer.h"

namespace idgen::model {

// What the operations of an execution have in common.
struct Operations {
  // How often compare_exchange_weak may still fail for no reason.
  int spurious_left = 0;
  // The last that each thread got by fetch_add: what it was afterwards, and how many.
  struct Added {
    std::uint64_t count = 0;
    std::uint64_t last = 0;
  };
  std::array<Added, kMostThreads + 1> added{};
};
inline Operations operations;

class AtomicWord {
 public:
  explicit AtomicWord(std::uint64_t& word) noexcept : word_(word) {}

  std::uint64_t load(std::memory_order) const noexcept {
    Step();
    Note("loads", word_);
    return word_;
  }

  void store(std::uint64_t desired, std::memory_order) const noexcept {
    Step();
    Note("stores", desired);
    word_ = desired;
  }

  std::uint64_t fetch_add(std::uint64_t value, std::memory_order) noexcept {
    Step();
    const std::uint64_t before = word_;
    word_ += value;
    Note("adds up to", word_);
    Operations::Added& added = operations.added[static_cast<std::size_t>(Thread())];
    ++added.count;
    added.last = word_;
    return before;
  }

  std::uint64_t fetch_sub(std::uint64_t value, std::memory_order) noexcept {
    Step();
    const std::uint64_t before = word_;
    word_ -= value;
    Note("subtracts down to", word_);
    return before;
  }

  bool compare_exchange_strong(std::uint64_t& expected, std::uint64_t desired, std::memory_order,
                               std::memory_order) noexcept {
    Step();
    return CompareExchange(expected, desired);
  }

  bool compare_exchange_weak(std::uint64_t& expected, std::uint64_t desired, std::memory_order,
                             std::memory_order) noexcept {
    Step();
    if (word_ == expected && operations.spurious_left > 0 && Choose(2) == 1) {
      --operations.spurious_left;
      Note("swaps nothing, for no reason, at", word_);
      return false;
    }
    return CompareExchange(expected, desired);
  }

  // For the faults that are planted (CMakeLists.txt): what the core must not do.

  bool store_instead(std::uint64_t&, std::uint64_t desired, std::memory_order,
                     std::memory_order) noexcept {
    Step();
    Note("stores", desired);
    word_ = desired;
    return true;
  }

  std::uint64_t add_in_two(std::uint64_t value, std::memory_order order) noexcept {
    std::uint64_t before = load(order);
    (void)store_instead(before, before + value, order, order);
    return before;
  }

 private:
  bool CompareExchange(std::uint64_t& expected, std::uint64_t desired) noexcept {
    if (word_ != expected) {
      Note("swaps nothing, finds", word_);
      expected = word_;
      return false;
    }
    Note("swaps in", desired);
    word_ = desired;
    return true;
  }

  std::uint64_t& word_;
};

}  // namespace idgen::model

#define IDGEN_ATOMIC_WORD ::idgen::model::AtomicWord

// The core's AtomicWord (position.h), which notes its operations: each is one use of the
// position's cache line. To be included before any header of the core. One thread: what is
// simulated happens one after the other.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace idgen::scale {

// A load needs a copy of the line; all else needs the line for itself.
enum class LineUse : std::uint8_t { kRead, kWrite };

// The uses since the last Clear().
class LineUses {
 public:
  void Clear() { count_ = 0; }
  void Note(LineUse use) {
    if (count_ < uses_.size()) uses_[count_++] = use;
  }
  [[nodiscard]] const LineUse* begin() const { return uses_.data(); }
  [[nodiscard]] const LineUse* end() const { return uses_.data() + count_; }

 private:
  std::array<LineUse, 16> uses_{};  // more than a call without failing swaps has
  std::size_t count_ = 0;
};

class CountedWord {
 public:
  explicit CountedWord(std::uint64_t& word) noexcept : word_(word) {}

  std::uint64_t load(std::memory_order) const noexcept {
    uses.Note(LineUse::kRead);
    return word_;
  }
  std::uint64_t fetch_add(std::uint64_t value, std::memory_order) noexcept {
    uses.Note(LineUse::kWrite);
    const std::uint64_t before = word_;
    word_ += value;
    return before;
  }
  bool compare_exchange_strong(std::uint64_t& expected, std::uint64_t desired, std::memory_order,
                               std::memory_order) noexcept {
    uses.Note(LineUse::kWrite);
    if (word_ != expected) {
      expected = word_;
      return false;
    }
    word_ = desired;
    return true;
  }
  bool compare_exchange_weak(std::uint64_t& expected, std::uint64_t desired,
                             std::memory_order success, std::memory_order failure) noexcept {
    return compare_exchange_strong(expected, desired, success, failure);
  }

  static inline LineUses uses;

 private:
  std::uint64_t& word_;
};

}  // namespace idgen::scale

#define IDGEN_ATOMIC_WORD ::idgen::scale::CountedWord

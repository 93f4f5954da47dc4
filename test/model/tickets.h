// Tickets (ticket.h): threads take numbers while one does with the range what sessions do in turn,
// with the page of the sequence locked.
#pragma once

#include "atomic_word.h"

#include <idgen/ticket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "explorer.h"

namespace idgen::model {

class Ticketing : public Scenario {
 public:
  // What the first thread does, in turn.
  enum class Does : std::uint8_t {
    kLengthen,     // reserves more, and publishes it
    kPublishLate,  // publishes for the first range: its writer has waited
    kSet,          // somebody sets the sequence forward
    kOpen,         // reserves a range beyond what the page shows, and publishes it
    kGiveBack,     // ends the range, and the page shows the last that was taken
  };

  // How many calls each of the other threads makes. It asks for as many numbers as its place says.
  Ticketing(std::vector<Does> script, std::vector<int> calls)
      : script_(std::move(script)), calls_(std::move(calls)) {}

  [[nodiscard]] int threads() const override { return static_cast<int>(calls_.size()) + 1; }

  void Begin() override {
    operations = {};
    operations.spurious_left = spurious_failures;
    tickets_ = {};
    issued_ = {};
    sealed_ = largest_ = set_ = last_ = durable_ = 0;
    Open();
    first_ = TicketGeneration(tickets_.word);
  }

  void Run(int thread) override {
    if (thread == 0) {
      for (const Does does : script_) Do(does);
      return;
    }
    const auto most = static_cast<std::uint64_t>(thread);
    for (int call = 0; call < calls_[static_cast<std::size_t>(thread) - 1]; ++call) Take(most);
  }

  [[nodiscard]] std::uint64_t State() const override {
    std::uint64_t state =
        Mix(Mix(tickets_.word, sealed_), Mix(Mix(largest_, set_), Mix(last_, durable_)));
    for (const TicketRange& range : tickets_.ranges) {
      state = Mix(Mix(state, range.base), Mix(range.size[0], range.increment));
    }
    for (const bool issued : issued_) state = Mix(state, issued ? 1 : 0);
    return state;
  }

  const char* End() override { return nullptr; }

  int spurious_failures = 0;

 private:
  static constexpr std::uint64_t kReserve = 2;

  void Do(Does does) {
    switch (does) {
      case Does::kLengthen:
        last_ += kReserve;
        FlushAndPublish();
        break;
      case Does::kPublishLate:
        PublishTickets(tickets_, first_, 2 * kReserve, 2 * kReserve, 0);
        break;
      case Does::kSet:
        AtomicWord(sealed_).store(0, std::memory_order_release);
        last_ += kReserve;
        set_ = last_;
        break;
      case Does::kOpen:
        Open();
        break;
      case Does::kGiveBack: {
        const std::uint64_t base = base_;
        const std::uint64_t taken = TicketIndex(OpenTickets(tickets_, 0, 0));
        // From here on the numbers that are left are the next range's.
        last_ = durable_ = base + taken - 1;
        AtomicWord(sealed_).store(0, std::memory_order_release);
        break;
      }
    }
  }

  void Open() {
    base_ = last_ + 1;
    (void)OpenTickets(tickets_, static_cast<std::int64_t>(base_), 1);
    last_ += kReserve;
    AtomicWord(sealed_).store(1, std::memory_order_release);
    FlushAndPublish();
  }

  void FlushAndPublish() {
    Step();
    durable_ = last_;
    const std::uint64_t size = last_ + 1 - base_;
    PublishTickets(tickets_, TicketGeneration(tickets_.word), size, size, 0);
  }

  void Take(std::uint64_t most) {
    const std::uint64_t returned_before = largest_;
    const std::uint64_t set_before = set_;
    Note("begins after", Mix(returned_before, set_before));
    const TakenTickets taken = TakeTickets(tickets_, 0, 1, most, [this] {
      return AtomicWord(sealed_).load(std::memory_order_acquire) == 1;
    });
    for (std::uint64_t i = 0; i < taken.count; ++i) {
      const auto number = static_cast<std::uint64_t>(TicketAt(taken.first, taken.increment, i));
      if (number <= returned_before) Fail("not above what was returned before");
      if (number <= set_before) Fail("not above what the sequence was set to before");
      if (number > durable_) Fail("beyond what is durable");
      if (issued_[number]) Fail("a number twice");
      issued_[number] = true;
      largest_ = std::max(largest_, number);
    }
    if (taken.count > most) Fail("more than were asked for");
  }

  const std::vector<Does> script_;
  const std::vector<int> calls_;
  Tickets tickets_{};
  std::uint64_t sealed_ = 0;
  // Under the page's lock.
  std::uint64_t last_ = 0;   // what the page shows
  std::uint64_t base_ = 0;   // of the range
  std::uint64_t first_ = 0;  // the first generation
  // The checker's.
  std::uint64_t durable_ = 0;  // the last number of what is durable
  std::uint64_t largest_ = 0;  // of what was returned
  std::uint64_t set_ = 0;      // what the sequence was set to
  std::array<bool, 32> issued_{};
};

}  // namespace idgen::model

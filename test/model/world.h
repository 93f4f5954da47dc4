// What the threads of a scenario share besides their words: the clock, the mark, what was
// issued, and the promises to which all of it is held.
#pragma once

#include "atomic_word.h"

#include <idgen/guard.h>
#include <idgen/layout.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace idgen::model {

struct World {
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

  // What a thread knows of its call.
  struct Caller {
    std::uint64_t before = 0;          // the largest that had been returned when it began
    std::int64_t reading_us = kNever;  // its last reading of the clock
    std::uint64_t adds = 0;            // how many of its additions were looked at
    std::uint64_t wasted_in = 0;       // the tick at whose end it took one for nothing
  };

  // `moves_us`: how far the clock may move before a reading, besides not at all; it does
  // so `moves` times at most.
  World(const Layout& layout, std::span<const std::int64_t> moves_us, int moves)
      : layout_(layout), moves_us_(moves_us), moves_(moves) {}

  void Begin(std::int64_t now_us, int spurious_failures) {
    *this = World(layout_, moves_us_, moves_);
    now = latest = now_us;
    operations = {};
    operations.spurious_left = spurious_failures;
  }

  [[nodiscard]] Caller& caller() { return callers_[static_cast<std::size_t>(Thread())]; }
  [[nodiscard]] std::uint64_t TickOf(std::uint64_t position) const {
    return position >> layout_.SequenceBits();
  }

  // --- The clock ---

  std::int64_t ReadClock() noexcept {
    Step();
    if (moves_left_ > 0) {
      const unsigned move = Choose(static_cast<unsigned>(moves_us_.size()) + 1);
      if (move > 0) {
        --moves_left_;
        now += moves_us_[move - 1];
        went_back |= moves_us_[move - 1] < 0;
      }
    }
    latest = std::max(latest, now);
    caller().reading_us = now;
    if (is_paced) BeginTick();
    Note("reads the clock:", static_cast<std::uint64_t>(now));
    return now;
  }

  // --- The monotonic clock, which goes on while somebody waits: others may come before its end ---

  void Wait(std::int64_t us) noexcept {
    const std::int64_t end_us = monotonic_us + us;
    Step();
    monotonic_us = std::max(monotonic_us, end_us);
    Note("has waited until", static_cast<std::uint64_t>(monotonic_us));
  }

  // Where `is_paced`: a tick that no clock has shown yet may begin a tick's length after the one
  // before, and no sooner. Called with each position that is issued or observed.
  void CheckPace(std::uint64_t tick, bool is_observed) noexcept {
    if (!is_paced) return;
    std::int64_t& begun_us = BegunUs(static_cast<std::int64_t>(tick));
    if (begun_us != kNever) return;
    begun_us = monotonic_us;
    if (is_observed || static_cast<std::int64_t>(tick) <= layout_.TickAt(latest)) return;
    const std::int64_t before_us = BegunUs(static_cast<std::int64_t>(tick) - 1);
    if (before_us != kNever && monotonic_us - before_us < layout_.tick_us) {
      Fail("a new tick ahead of the clock, sooner than a tick after the one before");
    }
  }

  // --- The mark, which is durable ahead of its use ---

  void MakeDurable(std::uint64_t limit) noexcept {
    Step();
    Note("makes durable", limit);
    durable = std::max(durable, limit);
  }

  // --- Calls, and what they return ---

  // Just before the first thing that a call does.
  void BeginCall() noexcept {
    StepWithNext();
    caller().before = largest;
    Note("begins; returned so far:", largest);
  }

  // The caller has these positions, all below the limit that it knew.
  void Return(const Taken& taken, std::uint64_t limit) noexcept {
    Note("returns", taken.first);
    if (taken.count != 1) Note("and that many:", taken.count);
    const std::uint64_t end = taken.first + taken.count;
    if (end > limit) Fail("beyond the limit that the caller knew");
    if (end > durable) Fail("beyond the mark");
    if (end - 1 > layout_.MaxPosition()) Fail("beyond the layout's life");
    if (TickOf(end - 1) != TickOf(taken.first)) Fail("of two ticks");
    if (in_order && taken.first <= caller().before) {
      Fail("not above what was returned before the call began");
    }
    if (TickOf(taken.first) < TickOf(caller().before)) {
      Fail("of an earlier tick than what was returned before the call began");
    }
    for (std::uint64_t position = taken.first; position < end; ++position) {
      if (IsIssued(position)) Fail("issued twice");
      if (issued_count_ == issued_.size()) Fail("more than there is room for");
      issued_[issued_count_++] = position;
    }
    largest = std::max(largest, end - 1);
  }

  // The positions are of the tick that the caller's last reading of the clock shows.
  void CheckTime(std::uint64_t position) noexcept {
    const std::int64_t tick = layout_.TickAt(caller().reading_us);
    if (static_cast<std::int64_t>(TickOf(position)) > tick) Fail("ahead of the clock");
    if (static_cast<std::int64_t>(TickOf(position)) < tick) Fail("of a tick that is past");
  }

  // A call of a cursor is over: what it added and did not issue is for nothing, and of
  // that a caller may have one for each tick that it used.
  void CheckAdded() noexcept {
    const Operations::Added& added = operations.added[static_cast<std::size_t>(Thread())];
    if (added.count == caller().adds) return;
    if (added.count > caller().adds + 1) Fail("added more than once in a call");
    caller().adds = added.count;
    if (IsIssued(added.last)) return;
    const std::uint64_t tick = TickOf(added.last);
    // Within the tick it was the mark that was in its way.
    if (static_cast<std::int64_t>(tick) <= layout_.TickAt(caller().reading_us)) return;
    if (caller().wasted_in == tick) Fail("took more than one for nothing at the end of a tick");
    caller().wasted_in = tick;
    Note("took for nothing", added.last);
  }

  // Where nothing is issued ahead of the clock and nothing is observed: the position is at
  // most one for each caller beyond the clock's latest tick.
  const char* CheckOvershoot(std::uint64_t word, int threads) const {
    const auto latest_tick = static_cast<std::uint64_t>(layout_.TickAt(latest));
    const std::uint64_t end = (latest_tick + 1) << layout_.SequenceBits();
    return word < end + static_cast<std::uint64_t>(threads) ? nullptr : "overshot";
  }

  [[nodiscard]] bool IsIssued(std::uint64_t position) const {
    const auto end = issued_.begin() + static_cast<std::ptrdiff_t>(issued_count_);
    return std::find(issued_.begin(), end, position) != end;
  }

  // For Scenario::State. What a caller has, follows from what it has noted.
  [[nodiscard]] std::uint64_t State() const {
    std::uint64_t state = Mix(static_cast<std::uint64_t>(now), static_cast<std::uint64_t>(latest));
    state = Mix(state, static_cast<std::uint64_t>(moves_left_) * 2 + (went_back ? 1 : 0));
    state = Mix(state, static_cast<std::uint64_t>(operations.spurious_left));
    state = Mix(Mix(state, durable), largest);
    state = Mix(state, static_cast<std::uint64_t>(monotonic_us));
    if (is_paced) {
      for (const std::int64_t us : begun_us_) state = Mix(state, static_cast<std::uint64_t>(us));
    }
    // A set: in which order, does not matter.
    std::uint64_t issued = 0;
    for (std::size_t i = 0; i < issued_count_; ++i) issued += Mix(2, issued_[i]);
    return Mix(state, issued);
  }

  std::int64_t now = 0;
  std::int64_t latest = 0;
  std::int64_t monotonic_us = 0;
  bool went_back = false;
  std::uint64_t durable = 0;
  // The largest position that a call has returned, or that counts as issued.
  std::uint64_t largest = 0;
  bool in_order = true;  // else by tick only
  bool is_paced = false;

 private:
  // The tick that the clock shows, which by the clock has begun a while ago.
  void BeginTick() noexcept {
    const std::int64_t tick = layout_.TickAt(now);
    const std::int64_t ago_us = now - tick * layout_.tick_us - layout_.epoch_us;
    std::int64_t& begun_us = BegunUs(tick);
    if (begun_us == kNever || begun_us > monotonic_us - ago_us) begun_us = monotonic_us - ago_us;
  }

  std::int64_t& BegunUs(std::int64_t tick) noexcept {
    const std::int64_t place = tick + kTicksBefore0;
    if (place < 0 || place >= static_cast<std::int64_t>(begun_us_.size())) {
      Fail("a tick that there is no room for");
    }
    return begun_us_[static_cast<std::size_t>(place)];
  }
  static constexpr std::int64_t kTicksBefore0 = 8;

  Layout layout_;
  std::span<const std::int64_t> moves_us_;
  int moves_ = 0;
  int moves_left_ = moves_;
  std::array<Caller, kMostThreads + 1> callers_{};
  std::array<std::uint64_t, 48> issued_{};
  // When a tick began: when its first position was issued or observed, or by the clock.
  std::array<std::int64_t, 32> begun_us_ = [] {
    std::array<std::int64_t, 32> never{};
    never.fill(kNever);
    return never;
  }();
  std::size_t issued_count_ = 0;
};

}  // namespace idgen::model

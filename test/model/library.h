// The library: generators, and sessions of them, with a mark.
#pragma once

#include "scenarios.h"

#include <idgen/generator.h>
#include <idgen/session.h>
#include <idgen/mark.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "counter.h"

namespace idgen::model {

// A generator's words are its own, so its state are its bytes; those between its members too, which
// are the options' (PlainOptions).
inline std::uint64_t MixBytes(std::uint64_t so_far, const void* from, std::size_t count) {
  for (; count >= sizeof(std::uint64_t); count -= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof(word));
    so_far = Mix(so_far, word);
    from = static_cast<const char*>(from) + sizeof(word);
  }
  return so_far;
}

// Options whose bytes between the members are the same each time.
inline Generator::Options& PlainOptions() {
  alignas(Generator::Options) static std::array<char, sizeof(Generator::Options)> memory;
  memory = {};
  return *new (memory.data()) Generator::Options;
}

// --- The generator of the library, with a mark --------------------------------------------

// It leads without a bound, so that no call waits for long.
class Generating : public Sharing {
 public:
  enum class Verb { kNext, kBatch, kReserve, kObserve };

  Generating(const Layout& layout, std::vector<std::vector<Verb>> verbs, const Clock& clock)
      : Sharing(layout, CallsOf(verbs), clock), verbs_(std::move(verbs)) {
    is_paced = true;
  }

  void Begin() override {
    Sharing::Begin();
    // Everything before the tick of the beginning may have been issued, and is marked.
    world_.durable = kTick << layout_.SequenceBits();
    world_.largest = world_.durable - 1;
    world_.CheckPace(kTick, true);
    current_ = this;
    Generator::Options& options = PlainOptions();
    options.guard.mode = ClockRegression::kLead;
    options.guard.max_clock_lead_us = 1'000'000'000;
    options.not_before_ms = static_cast<std::int64_t>(kTick);
    options.extend_mark = [](void* context, std::int64_t needed_ms) {
      auto& self = *static_cast<Generating*>(context);
      const std::int64_t mark_ms = needed_ms + 1;
      self.world_.MakeDurable(PositionLimit(self.layout_, mark_ms));
      return mark_ms;
    };
    options.mark_context = this;
    options.clock = []() noexcept { return current_->world_.ReadClock(); };
    options.monotonic_clock = []() noexcept { return current_->world_.monotonic_us; };
    options.pause = [](std::int64_t us) noexcept { current_->world_.Wait(us); };
    generator_.emplace(layout_, options);
  }

  [[nodiscard]] std::uint64_t State() const override {
    return MixBytes(world_.State(), &*generator_, sizeof(Generator));
  }

  void Call(int call) override {
    world_.BeginCall();
    switch (verbs_[static_cast<std::size_t>(Thread())][static_cast<std::size_t>(call)]) {
      case Verb::kNext:
        return Returned(generator_->Next(), 1);
      case Verb::kReserve:
        return Returned(generator_->Reserve(2), 2);
      case Verb::kBatch: {
        std::array<std::int64_t, 2> ids{};
        std::size_t filled = 0;
        const Status status = generator_->NextBatch(ids, filled);
        if (filled != ids.size()) Fail("a batch that is not full");
        for (const std::int64_t id : ids) Returned({status, id}, 1);
        return;
      }
      case Verb::kObserve: {
        // In the tick after the one of the beginning.
        const std::uint64_t seen = ((kTick + 1) << layout_.SequenceBits()) + 1;
        if (generator_->Observe(layout_.Compose(seen, 0)) != Status::kOk) Fail("an error");
        if (seen >= world_.durable) Fail("observed, and the mark does not know");
        Note("observed", seen);
        world_.CheckPace(kTick + 1, true);
        world_.largest = std::max(world_.largest, seen);
      }
    }
  }

 private:
  static Calls CallsOf(const std::vector<std::vector<Verb>>& verbs) {
    Calls calls;
    for (const auto& of_thread : verbs) calls.push_back(static_cast<int>(of_thread.size()));
    return calls;
  }

  void Returned(const Result& result, std::uint64_t count) {
    if (result.status != Status::kOk) Fail("an error");
    const Parts parts = layout_.Parse(static_cast<std::uint64_t>(result.id));
    if (static_cast<std::int64_t>(parts.tick) < layout_.TickAt(world_.caller().reading_us) &&
        count > 1) {
      Fail("of a tick that is past");
    }
    world_.CheckPace(parts.tick, false);
    world_.Return({(parts.tick << layout_.SequenceBits()) | parts.sequence, count}, world_.durable);
  }

  inline static Generating* current_ = nullptr;
  std::vector<std::vector<Verb>> verbs_;
  std::optional<Generator> generator_;
};

// --- Sessions of a generator ------------------------------------------------------------------

// The first thread calls the generator itself if `first_has_none`. A used-up tick is waited for
// once, and then an error.
class GeneratingBySession : public Sharing {
 public:
  GeneratingBySession(const Layout& layout, Calls calls, const Clock& clock,
                      std::uint64_t block_size)
      : Sharing(layout, std::move(calls), clock), block_size_(block_size) {}

  void Begin() override {
    Sharing::Begin();
    current_ = this;
    waits_ = {};
    is_beginning_ = true;
    counter = {};
    Generator::Options& options = PlainOptions();
    options.guard.mode = ClockRegression::kError;
    options.guard.max_clock_wait_us = 0;
    options.extend_mark = [](void* context, std::int64_t needed_ms) {
      auto& self = *static_cast<GeneratingBySession*>(context);
      const std::int64_t mark_ms = needed_ms + (self.is_marked ? 0 : 1'000);
      self.world_.MakeDurable(PositionLimit(self.layout_, mark_ms));
      return mark_ms;
    };
    options.mark_context = this;
    options.clock = []() noexcept { return current_->ReadClock(); };
    options.monotonic_clock = []() noexcept { return current_->world_.monotonic_us; };
    options.pause = [](std::int64_t) noexcept {
      ++current_->waits_[static_cast<std::size_t>(Thread())];
      current_->world_.monotonic_us += 1'000'000;
    };
    for (std::optional<Session>& session : sessions_) session.reset();
    generator_.emplace(layout_, options);
    world_.durable = 0;
    // Each session has seen that the counter keeps up, and has a position in the tick: after which
    // `ids_left` are left.
    const auto count = static_cast<std::uint64_t>(threads());
    const std::uint64_t first = LastIssued(layout_, ids_left + 3 * count * block_size_);
    if (generator_->Observe(layout_.Compose(first, 0)) != Status::kOk) Fail("not observed");
    beginning_us_ = kStartUs - 300;
    for (int thread = 0; thread < threads(); ++thread) {
      auto& session = sessions_[static_cast<std::size_t>(thread)];
      session.emplace(*generator_, Session::Options{block_size_});
      for (int i = 0; i < 3; ++i) {
        beginning_us_ += 20;
        const Result result = session->Next();
        if (result.status != Status::kOk) Fail("none to begin with");
        world_.largest = std::max(world_.largest, static_cast<std::uint64_t>(result.id));
      }
    }
    is_beginning_ = false;
    counter.is_told = true;
    world_.in_order = block_size_ == 1;
  }

  [[nodiscard]] std::uint64_t State() const override {
    return MixBytes(world_.State(), &*generator_, sizeof(Generator));
  }

  void Call(int) override {
    world_.BeginCall();
    counter.Begin();
    int& waits = waits_[static_cast<std::size_t>(Thread())];
    waits = 0;
    const bool by_generator = first_has_none && Thread() == 0;
    const Result result =
        by_generator ? generator_->Next() : sessions_[static_cast<std::size_t>(Thread())]->Next();
    world_.CheckAdded();
    if (result.status == Status::kClockBehind) {
      if (waits == 0 && !world_.went_back)
        Fail("a clock that never went back is said to be behind");
      return;
    }
    if (result.status != Status::kOk) Fail("an error");
    // The layout has no identity, and its sequence is the lowest field.
    const auto position = static_cast<std::uint64_t>(result.id);
    world_.CheckTime(position);
    world_.Return({position, 1}, world_.durable);
  }

  bool first_has_none = false;
  bool is_marked = false;  // the mark is moved no further than needed, to the end of a tick

 private:
  std::int64_t ReadClock() noexcept { return is_beginning_ ? beginning_us_ : world_.ReadClock(); }

  inline static GeneratingBySession* current_ = nullptr;
  std::uint64_t block_size_ = 1;
  bool is_beginning_ = false;
  std::int64_t beginning_us_ = 0;
  std::array<int, kMostThreads + 1> waits_{};
  std::optional<Generator> generator_;
  std::array<std::optional<Session>, kMostThreads> sessions_;
};

}  // namespace idgen::model

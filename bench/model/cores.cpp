#include "cores.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <queue>
#include <utility>
#include <vector>

namespace idgen::scale {

namespace {

constexpr unsigned kNobody = std::numeric_limits<unsigned>::max();

// An ID space's position, and who has its cache line until when.
struct Space {
  std::uint64_t position = 0;
  unsigned owner = kNobody;      // who wrote it last
  unsigned reader = kNobody;     // who got a copy of it last
  std::vector<bool> has_a_copy;  // by the cores' numbers
  bool is_exclusive = true;      // nobody but the owner has one
  Ps free_at = 0;
  Ps busy = 0;  // since the measurement began
  Seen seen;
};

struct Core {
  unsigned number = 0;  // in the machine
  Space* space = nullptr;
  Allowance allowance;
  Cursor cursor;
  std::uint64_t count = 0;  // of a counter that stands
};

class Simulation {
 public:
  Simulation(const Machine& machine, const Work& work, unsigned cores, std::int64_t run_ms,
             std::uint64_t seed)
      : machine_(machine), work_(work), random_(seed) {
    const auto first_tick = static_cast<std::uint64_t>(work.layout->TickAt(kStartUs));
    const std::uint64_t ids_per_tick = work.layout->IdsPerTick();
    const auto ticks = static_cast<std::uint64_t>(run_ms * 1000 / work.layout->tick_us) + 2;
    for (unsigned i = 0; i < work.spaces; ++i) {
      spaces_.push_back({.has_a_copy = std::vector<bool>(machine.cores),
                         .seen = Seen(first_tick * ids_per_tick, ticks * ids_per_tick)});
    }
    // In a queue that never empties the order of the cores never changes. In order of their
    // numbers, nearly every transfer would be one between neighbours.
    std::vector<unsigned> numbers(cores);
    std::iota(numbers.begin(), numbers.end(), 0U);
    for (unsigned i = cores; i > 1; --i) std::swap(numbers[i - 1], numbers[random_.Below(i)]);
    for (unsigned i = 0; i < cores; ++i) {
      Core core;
      core.number = numbers[i];
      core.space = &spaces_[i % work.spaces];
      core.allowance = Allowance(*work.layout, work.block_size, kCountsPerUs);
      core.allowance.Open(work.layout->MaxPosition() + 1);
      cores_.push_back(core);
    }
  }

  CoresOutcome Run(Ps warm, Ps end) {
    for (std::size_t i = 0; i < cores_.size(); ++i) {
      events_.emplace(FromNs(random_.Unit() * (work_.call_ns + machine_.own_ns)), i);
    }
    warm_ = warm;
    end_ = end;
    while (events_.top().first < end) {
      const auto [now, at] = events_.top();
      events_.pop();
      events_.emplace(Call(cores_[at], now), at);
    }
    outcome_.million_per_s =
        static_cast<double>(measured_) / (static_cast<double>(end - warm) / 1e6);
    Ps busy = 0;
    for (const Space& space : spaces_) busy += space.busy;
    outcome_.line_busy = static_cast<double>(busy) / static_cast<double>(end - warm) /
                         static_cast<double>(spaces_.size());
    return outcome_;
  }

 private:
  // One call, and the time at which the core calls again.
  Ps Call(Core& core, Ps now) {
    CountedWord::uses.Clear();
    readings_ = 0;
    Taken taken;
    std::int64_t wait_us = 0;
    bool asked = false;
    const auto counter = [this, now, &core, &asked]() -> std::uint64_t {
      if (!work_.counter_stands) return CounterAt(now);
      // Asked for the second time, it goes with a new reading.
      if (asked) core.count += 1'000'000'000;
      asked = true;
      return core.count;
    };
    const auto clock = [this, now] { return ReadClock(now); };
    if (work_.batch > 0) {
      taken = core.cursor.Take(core.allowance, core.space->position, counter, clock, work_.batch);
      if (taken.count == 0) wait_us = TakeGuarded(core, now, {work_.batch, false}, taken);
    } else if (core.cursor.Next(core.allowance, core.space->position, counter, clock,
                                taken.first)) {
      taken.count = 1;
    } else {
      wait_us = TakeGuarded(core, now, {}, taken);
    }
    Ps at = now;
    for (const LineUse use : CountedWord::uses) at = UseLine(core, at, use);
    Record(*core.space, taken, at);
    if (wait_us > 0) return std::max(at, now + wait_us * kPsInUs);
    // The last part of a batch may be short. The rest is a call of its own.
    const double ids = work_.batch > 0 ? static_cast<double>(taken.count) : 0;
    at += FromNs(random_.Around(work_.call_ns + ids * work_.id_ns, work_.think));
    return at + FromNs(static_cast<double>(readings_) * work_.clock_ns);
  }

  // Microseconds to wait for; 0 if something was taken.
  std::int64_t TakeGuarded(Core& core, Ps now, const Request& request, Taken& taken) {
    const Layout& layout = *work_.layout;
    const Bounds bounds{layout.MaxPosition() + 1, 0, OvershootOf(layout.IdsPerTick())};
    const Attempt attempt = TryTake(core.space->position, layout, {}, bounds, request,
                                    [this, now] { return ReadClock(now); });
    if (attempt.verdict == Verdict::kIssued) {
      taken = attempt.taken;
      return 0;
    }
    if (attempt.verdict != Verdict::kWaitForTick) throw std::logic_error("no used-up sequence");
    return attempt.wait_us;
  }

  std::int64_t ReadClock(Ps now) {
    ++readings_;
    return kStartUs + now / kPsInUs;
  }

  // When the core has done it.
  Ps UseLine(const Core& core, Ps now, LineUse use) {
    Space& space = *core.space;
    const bool has_copy = space.owner == kNobody || space.has_a_copy[core.number];
    const bool is_there = has_copy && (use == LineUse::kRead || space.is_exclusive);
    double cost_ns = machine_.own_ns;
    if (!is_there) {
      const unsigned other = space.owner != core.number ? space.owner : space.reader;
      cost_ns = machine_.CostOf(other, core.number);
    }
    if (use == LineUse::kWrite) {
      space.has_a_copy.assign(space.has_a_copy.size(), false);
      space.owner = core.number;
      space.is_exclusive = true;
    } else if (!has_copy) {
      space.reader = core.number;
      space.is_exclusive = false;
    }
    space.has_a_copy[core.number] = true;
    const Ps cost = FromNs(random_.Around(cost_ns, work_.line));
    // A copy that is there is read without asking anybody.
    if (is_there && use == LineUse::kRead) return now + cost;
    const Ps begin = std::max(now, space.free_at);
    space.free_at = begin + cost;
    space.busy += std::max<Ps>(0, std::min(space.free_at, end_) - std::max(begin, warm_));
    return space.free_at;
  }

  void Record(Space& space, const Taken& taken, Ps at) {
    for (std::uint64_t i = 0; i < taken.count; ++i) {
      if (!space.seen.Add(taken.first + i)) ++outcome_.repeats;
    }
    outcome_.issued += taken.count;
    if (at >= warm_ && at < end_) measured_ += taken.count;
  }

  const Machine& machine_;
  const Work& work_;
  Random random_;
  std::vector<Space> spaces_;
  std::vector<Core> cores_;
  // When a core calls; of two at one moment, that of the lower index.
  std::priority_queue<std::pair<Ps, std::size_t>, std::vector<std::pair<Ps, std::size_t>>,
                      std::greater<>>
      events_;
  Ps warm_ = 0;
  Ps end_ = 0;
  int readings_ = 0;
  std::uint64_t measured_ = 0;
  CoresOutcome outcome_;
};

}  // namespace

CoresOutcome RunCores(const Machine& machine, const Work& work, unsigned cores,
                      std::int64_t warm_ms, std::int64_t run_ms, std::uint64_t seed) {
  Simulation simulation(machine, work, cores, warm_ms + run_ms, seed);
  return simulation.Run(warm_ms * kPsInMs, (warm_ms + run_ms) * kPsInMs);
}

}  // namespace idgen::scale

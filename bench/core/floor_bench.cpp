// What the core cannot be faster than: the clock, the cycle counter and a bare atomic operation.
#include "bench.h"

#include <idgen/clock.h>

#include <atomic>

namespace idgen {
namespace {

void BareClock(benchmark::State& state) {
  for (auto _ : state) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    benchmark::DoNotOptimize(now);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BareClock)->Name("clock_gettime");
BENCHMARK(BareClock)->Name("clock_gettime")->Apply(OverThreads);

// The same in the core's unit.
void MicrosecondClock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(WallClockUs());
}
BENCHMARK(MicrosecondClock)->Name("WallClockUs");

void CycleCounter(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(CycleCount());
}
BENCHMARK(CycleCounter)->Name("CycleCount");

void Tick(benchmark::State& state) {
  const TickDivider divider(kWidest);
  std::int64_t now_us = 1'795'000'000'000'000;
  for (auto _ : state) {
    benchmark::DoNotOptimize(now_us);
    std::uint64_t tick = 0;
    benchmark::DoNotOptimize(divider.TickAt(now_us, tick));
    benchmark::DoNotOptimize(tick);
  }
}
BENCHMARK(Tick)->Name("TickDivider::TickAt");

using Counter = std::atomic<std::uint64_t>;
struct alignas(64) CounterLine {
  Counter counter = 0;
};

void Increment(benchmark::State& state, Counter& counter) {
  for (auto _ : state) benchmark::DoNotOptimize(counter.fetch_add(1));
  state.SetItemsProcessed(state.iterations());
}

void SharedIncrement(benchmark::State& state) {
  static CounterLine line;
  Increment(state, line.counter);
}
BENCHMARK(SharedIncrement)->Name("atomic increment, shared")->Apply(OverThreads);

void OwnIncrement(benchmark::State& state) {
  CounterLine line;
  Increment(state, line.counter);
}
BENCHMARK(OwnIncrement)->Name("atomic increment");
BENCHMARK(OwnIncrement)->Name("atomic increment, own")->Apply(OverThreads);

void Swap(benchmark::State& state, Counter& counter) {
  for (auto _ : state) {
    std::uint64_t last = counter.load();
    while (!counter.compare_exchange_weak(last, last + 1)) {
    }
    benchmark::DoNotOptimize(last);
  }
  state.SetItemsProcessed(state.iterations());
}

void SharedSwap(benchmark::State& state) {
  static CounterLine line;
  Swap(state, line.counter);
}
BENCHMARK(SharedSwap)->Name("load and swap, shared")->Apply(OverThreads);

void OwnSwap(benchmark::State& state) {
  CounterLine line;
  Swap(state, line.counter);
}
BENCHMARK(OwnSwap)->Name("load and swap");
BENCHMARK(OwnSwap)->Name("load and swap, own")->Apply(OverThreads);

}  // namespace
}  // namespace idgen

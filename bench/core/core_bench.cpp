// The core by itself, beside what it cannot be faster than: the clock and a bare atomic
// increment. Build with optimization (preset `release`).
//
//   core_bench --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true
#include <benchmark/benchmark.h>

#include <idgen/cycles.h>
#include <idgen/generator.h>

#include <atomic>
#include <vector>

namespace {

using idgen::FieldKind;
using idgen::Generator;
using idgen::Layout;

// Wide enough that no benchmark here meets its limit: four million IDs a millisecond. The
// `tso` layout has 262,144, and so 262 million IDs a second at most.
constexpr Layout kWide = idgen::MakeLayout(
    "wide", 1000, 1577836800000, {{FieldKind::kTimestamp, 41}, {FieldKind::kSequence, 22}});

// --- The floor -----------------------------------------------------------------------

void BareClock(benchmark::State& state) {
  for (auto _ : state) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    benchmark::DoNotOptimize(now);
  }
}
BENCHMARK(BareClock)->ThreadRange(1, 8)->UseRealTime();

// The same in the core's unit.
void BareWallClock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(idgen::WallClockUs());
}
BENCHMARK(BareWallClock)->UseRealTime();

void BareAtomicIncrement(benchmark::State& state) {
  alignas(64) static std::atomic<std::uint64_t> counter = 0;
  for (auto _ : state) benchmark::DoNotOptimize(counter.fetch_add(1));
}
BENCHMARK(BareAtomicIncrement)->ThreadRange(1, 8)->UseRealTime();

void BareSwap(benchmark::State& state) {
  alignas(64) static std::atomic<std::uint64_t> counter = 0;
  for (auto _ : state) {
    std::uint64_t last = counter.load();
    while (!counter.compare_exchange_weak(last, last + 1)) {
    }
    benchmark::DoNotOptimize(last);
  }
}
BENCHMARK(BareSwap)->ThreadRange(1, 8)->UseRealTime();

// --- Generators ----------------------------------------------------------------------

void Next(benchmark::State& state) {
  static Generator generator(kWide);
  for (auto _ : state) {
    idgen::Result result = generator.Next();
    if (result.status != idgen::Status::kOk) state.SkipWithError("no ID");
    benchmark::DoNotOptimize(result.id);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Next)->ThreadRange(1, 8)->UseRealTime();

// One ID without the clock's cost: the clock stands still, and every call is for its tick.
std::int64_t StoppedClock() noexcept { return 1'795'000'000'000'000; }

void NextWithoutClock(benchmark::State& state) {
  // More positions in one tick than the benchmark takes.
  constexpr Layout kEndless = idgen::MakeLayout(
      "endless", 1'000'000, 0, {{FieldKind::kTimestamp, 32}, {FieldKind::kSequence, 31}});
  Generator::Options options;
  options.clock = &StoppedClock;
  Generator generator(kEndless, options);
  for (auto _ : state) benchmark::DoNotOptimize(generator.Next());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(NextWithoutClock)->Iterations(50'000'000);

void Batch(benchmark::State& state, const Layout& layout) {
  Generator generator(layout);
  std::vector<std::int64_t> ids(4096);
  for (auto _ : state) {
    std::size_t filled = 0;
    if (generator.NextBatch(ids, filled) != idgen::Status::kOk) state.SkipWithError("no batch");
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(ids.size()));
}
BENCHMARK_CAPTURE(Batch, wide, kWide)->UseRealTime();
BENCHMARK_CAPTURE(Batch, tso, idgen::kTso)->UseRealTime();
BENCHMARK_CAPTURE(Batch, snowflake, idgen::kSnowflake)->UseRealTime();

// The layout's own limit, 4,096 a millisecond.
void NextAtTheLimit(benchmark::State& state) {
  static Generator generator(idgen::kSnowflake);
  for (auto _ : state) benchmark::DoNotOptimize(generator.Next());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(NextAtTheLimit)->ThreadRange(1, 8)->UseRealTime();

// --- IDs and their parts -------------------------------------------------------------

void Compose(benchmark::State& state) {
  const idgen::Composer composer = idgen::kSnowflake.ComposerFor(0x7000);
  std::uint64_t position = 1'000'000'000'000;
  for (auto _ : state) {
    benchmark::DoNotOptimize(position);
    benchmark::DoNotOptimize(composer(position));
  }
}
BENCHMARK(Compose);

void Parse(benchmark::State& state) {
  const Layout layout = idgen::kSnowflake;
  std::uint64_t id = 912261120518167228;
  for (auto _ : state) {
    benchmark::DoNotOptimize(id);
    benchmark::DoNotOptimize(layout.Parse(id));
  }
}
BENCHMARK(Parse);

void TickByDivider(benchmark::State& state) {
  const idgen::TickDivider divider(idgen::kSnowflake);
  std::int64_t now_us = StoppedClock();
  for (auto _ : state) {
    benchmark::DoNotOptimize(now_us);
    std::uint64_t tick = 0;
    benchmark::DoNotOptimize(divider.TickAt(now_us, tick));
    benchmark::DoNotOptimize(tick);
  }
}
BENCHMARK(TickByDivider);

void CycleCounter(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(idgen::CycleCount());
}
BENCHMARK(CycleCounter);

}  // namespace

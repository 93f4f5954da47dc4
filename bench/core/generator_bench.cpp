// IDs: by the library's generator, and as a session of the database makes them; one by one,
// in batches, and by several threads on one position and on positions of their own.
#include "bench.h"

#include <idgen/generator.h>
#include <idgen/session.h>

#include <span>
#include <vector>

namespace idgen {
namespace {

// --- The generator -------------------------------------------------------------------

void Generate(benchmark::State& state, Generator& generator) {
  for (auto _ : state) {
    const Result result = generator.Next();
    if (result.status != Status::kOk) state.SkipWithError("no ID");
    benchmark::DoNotOptimize(result.id);
  }
  state.SetItemsProcessed(state.iterations());
}

void NextOfOne(benchmark::State& state) {
  static Generator generator(kWidest);
  Generate(state, generator);
}
BENCHMARK(NextOfOne)->Name("Generator::Next, one position")->Apply(OverThreads);

void NextOfOwn(benchmark::State& state) {
  Generator generator(kWidest);
  Generate(state, generator);
}
BENCHMARK(NextOfOwn)->Name("Generator::Next");
BENCHMARK(NextOfOwn)->Name("Generator::Next, own positions")->Apply(OverThreads);

// --- A session of the generator --------------------------------------------------------

void GenerateBySession(benchmark::State& state, Generator& generator, std::uint64_t block_size) {
  Session session(generator, {.block_size = block_size});
  for (auto _ : state) {
    const Result result = session.Next();
    if (result.status != Status::kOk) state.SkipWithError("no ID");
    benchmark::DoNotOptimize(result.id);
  }
  state.SetItemsProcessed(state.iterations());
}

void SessionsOfOne(benchmark::State& state) {
  static Generator generator(kWidest);
  GenerateBySession(state, generator, 1);
}
BENCHMARK(SessionsOfOne)->Name("Session::Next, one position")->Apply(OverThreads);

void SessionOfOwn(benchmark::State& state) {
  Generator generator(kWidest);
  GenerateBySession(state, generator, 1);
}
BENCHMARK(SessionOfOwn)->Name("Session::Next");

void SessionsWithBlocks(benchmark::State& state) {
  static Generator generator(kWidest);
  GenerateBySession(state, generator, 64);
}
BENCHMARK(SessionsWithBlocks)
    ->Name("Session::Next, one position, blocks of 64")
    ->Apply(OverThreads);

// The layout's own limit, 4,096 a millisecond.
void NextAtTheLimit(benchmark::State& state) {
  static Generator generator(kSnowflake);
  Generate(state, generator);
}
BENCHMARK(NextAtTheLimit)->Name("Generator::Next, snowflake")->Apply(OverThreads);

// One ID without the clock's cost: the clock stands still, and every call is for its tick.
void NextWithoutClock(benchmark::State& state) {
  // More positions in one tick than the benchmark takes: a generator of its own each time.
  constexpr Layout kEndless = MakeLayout("endless", 1'000'000, 0,
                                         {{FieldKind::kTimestamp, 32}, {FieldKind::kSequence, 31}});
  Generator::Options options;
  options.clock = +[]() noexcept -> std::int64_t { return 1'795'000'000'000'000; };
  Generator generator(kEndless, options);
  Generate(state, generator);
}
BENCHMARK(NextWithoutClock)->Name("Generator::Next, clock stopped");

void Batch(benchmark::State& state, const Layout& layout, std::size_t count) {
  Generator generator(layout);
  std::vector<std::int64_t> ids(count);
  for (auto _ : state) {
    std::size_t filled = 0;
    if (generator.NextBatch(ids, filled) != Status::kOk) state.SkipWithError("no batch");
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}
// In real time: at a layout's limit a batch waits, mostly asleep.
BENCHMARK_CAPTURE(Batch, wide_64, kWidest, 64)
    ->Name("NextBatch 64, 22 bits of sequence")
    ->UseRealTime();
BENCHMARK_CAPTURE(Batch, wide_4096, kWidest, 4096)
    ->Name("NextBatch 4096, 22 bits of sequence")
    ->UseRealTime();
BENCHMARK_CAPTURE(Batch, tso_64, kTso, 64)->Name("NextBatch 64, tso")->UseRealTime();
BENCHMARK_CAPTURE(Batch, layout_wide_4096, idgen::kWide, 4096)
    ->Name("NextBatch 4096, wide")
    ->UseRealTime();
BENCHMARK_CAPTURE(Batch, tso_4096, kTso, 4096)->Name("NextBatch 4096, tso")->UseRealTime();
BENCHMARK_CAPTURE(Batch, snowflake_64, kSnowflake, 64)
    ->Name("NextBatch 64, snowflake")
    ->UseRealTime();
BENCHMARK_CAPTURE(Batch, snowflake_4096, kSnowflake, 4096)
    ->Name("NextBatch 4096, snowflake")
    ->UseRealTime();

// --- A session's allowance and cursor -----------------------------------------------------

void TakeAsSession(benchmark::State& state, std::uint64_t& word, std::uint64_t block_size) {
  Taker taker(kWidest, block_size);
  for (auto _ : state) {
    const std::int64_t id = taker.Next(word);
    if (id < 0) state.SkipWithError("no ID");
    benchmark::DoNotOptimize(id);
  }
  state.SetItemsProcessed(state.iterations());
}

void CursorOfOne(benchmark::State& state) {
  static Line line;
  TakeAsSession(state, line.word, 1);
}
BENCHMARK(CursorOfOne)->Name("Cursor::Next, one position")->Apply(OverThreads);

void CursorOfOwn(benchmark::State& state) {
  Line line;
  TakeAsSession(state, line.word, 1);
}
BENCHMARK(CursorOfOwn)->Name("Cursor::Next");
BENCHMARK(CursorOfOwn)->Name("Cursor::Next, own positions")->Apply(OverThreads);

void CursorWithBlocks(benchmark::State& state) {
  static Line line;
  TakeAsSession(state, line.word, 64);
}
BENCHMARK(CursorWithBlocks)->Name("Cursor::Next, one position, blocks of 64")->Apply(OverThreads);

}  // namespace
}  // namespace idgen

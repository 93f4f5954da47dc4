// IDs and their parts: what the SQL functions that decode do, without SQL.
#include "bench.h"

#include <idgen/builtin_layouts.h>

namespace idgen {
namespace {

void Compose(benchmark::State& state) {
  const Composer composer = kSnowflake.ComposerFor(0x7000);
  std::uint64_t position = 1'000'000'000'000;
  for (auto _ : state) {
    benchmark::DoNotOptimize(position);
    benchmark::DoNotOptimize(composer(position));
  }
}
BENCHMARK(Compose)->Name("Composer");

void Parse(benchmark::State& state) {
  const Layout layout = kSnowflake;
  std::uint64_t id = 912261120518167228;
  for (auto _ : state) {
    benchmark::DoNotOptimize(id);
    Parts parts = layout.Parse(id);
    benchmark::DoNotOptimize(parts);
  }
}
BENCHMARK(Parse)->Name("Layout::Parse");

void Unparse(benchmark::State& state) {
  const Layout layout = kSnowflake;
  Parts parts = layout.Parse(912261120518167228);
  for (auto _ : state) {
    benchmark::DoNotOptimize(parts);
    benchmark::DoNotOptimize(layout.Unparse(parts));
  }
}
BENCHMARK(Unparse)->Name("Layout::Unparse");

}  // namespace
}  // namespace idgen

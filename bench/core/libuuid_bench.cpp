// The UUIDs of util-linux' libuuid. uuid_generate_time asks the uuidd daemon where it runs; else
// it locks a file of its own for each UUID, if it may write one.
#include <benchmark/benchmark.h>

#include <uuid/uuid.h>

namespace {

void Random(benchmark::State& state) {
  uuid_t uuid;
  for (auto _ : state) {
    uuid_generate_random(uuid);
    benchmark::DoNotOptimize(uuid);
  }
}
BENCHMARK(Random)->Name("libuuid uuid_generate_random");

void Time(benchmark::State& state) {
  uuid_t uuid;
  for (auto _ : state) {
    uuid_generate_time(uuid);
    benchmark::DoNotOptimize(uuid);
  }
}
BENCHMARK(Time)->Name("libuuid uuid_generate_time")->UseRealTime();

}  // namespace

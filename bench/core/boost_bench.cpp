// The random UUIDs of Boost.Uuid: from the system's randomness, and from a Mersenne Twister that is
// seeded by it once.
#include <benchmark/benchmark.h>

#include <boost/uuid/random_generator.hpp>

namespace {

template <typename Uuids>
void Make(benchmark::State& state) {
  Uuids uuids;
  for (auto _ : state) {
    auto uuid = uuids();
    benchmark::DoNotOptimize(uuid);
  }
}
BENCHMARK_TEMPLATE(Make, boost::uuids::random_generator)->Name("Boost random_generator");
BENCHMARK_TEMPLATE(Make, boost::uuids::random_generator_mt19937)
    ->Name("Boost random_generator_mt19937");

}  // namespace

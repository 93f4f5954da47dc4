// A service whose machine ID comes from a registry: start as many as you like.
//
//   idgen_leased 'postgresql://idgen_servers@registry/postgres' [SECONDS]
#include <idgen/registry/client.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  idgen::LeasedMachine machine({.address = argv[1], .pool = "orders", .name = "example"});
  if (!machine.Open()) {
    std::fprintf(stderr, "no machine ID: %s\n", machine.error());
    return 1;
  }
  // Machines 0 to 31 of datacenter 0, by default: what fits the layout.
  idgen::Generator generator(idgen::kSnowflake, machine.GeneratorOptions());

  // One thread keeps the lease. It may as well be the program's own loop.
  std::atomic<bool> stop = false;
  std::thread keeper([&] {
    while (!stop && !machine.lost()) {
      if (!machine.Poll()) std::fprintf(stderr, "the lease: %s\n", machine.error());
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  });

  const int seconds = argc > 2 ? std::atoi(argv[2]) : 1;
  for (int i = 0; i < 10 * seconds; ++i) {
    const idgen::Result result = generator.Next();
    if (result.status == idgen::Status::kOk) {
      std::printf("%lld\n", static_cast<long long>(result.id));
    } else {
      std::fprintf(stderr, "no ID: %s\n", idgen::StatusText(result.status));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }

  stop = true;
  keeper.join();
  return machine.Close() ? 0 : 1;
}

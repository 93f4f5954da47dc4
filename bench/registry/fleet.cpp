// A simulated fleet on one registry: how fast machine IDs are claimed and leases renewed, and what
// so many servers cost the registry. Each client has a connection of its own, as a server has;
// threads take turns on them.
//
//   fleet ADDRESS [clients] [threads] [seconds]      (default: 1000 clients, 16 threads, 10 s)
//
// Three parts: all clients enrol and claim any machine of 1,024 at once; they renew as fast as the
// registry can; they renew each 10 s, evenly spread.
// Prints one line for each.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "registry/drivers.h"
#include "registry/poll_host.h"

namespace {

using namespace idgen::registry;

constexpr std::int64_t kTermMs = 30'000;
constexpr std::int64_t kEveryUs = 10'000'000;

struct Client {
  Holder holder{};
  Connection* connection = nullptr;
  Claimed claimed;
  SchemeVersions scheme;
};

const Driver* driver = nullptr;
std::atomic<int> failures = 0;

std::int64_t WallMs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

std::int64_t In(std::int64_t seconds) { return HostMonotonicUs() + seconds * 1'000'000; }

bool Sure(Status status, const Error& error) {
  if (status == Status::kDone) return true;
  if (failures++ < 3)
    std::fprintf(stderr, "status %d: %s\n", static_cast<int>(status), error.message);
  return false;
}

void Report(const char* what, std::vector<std::int64_t>& us, std::int64_t elapsed_us) {
  std::sort(us.begin(), us.end());
  if (us.empty()) return;
  const auto at = [&](std::size_t percent) {
    return static_cast<double>(us[std::min(us.size() - 1, us.size() * percent / 100)]) / 1000;
  };
  std::printf("%-22s %7zu in %6.2f s = %7.0f/s   median %.1f ms, 99%% %.1f ms, longest %.1f ms\n",
              what, us.size(), static_cast<double>(elapsed_us) / 1e6,
              static_cast<double>(us.size()) * 1e6 / static_cast<double>(elapsed_us), at(50),
              at(99), at(100));
  std::fflush(stdout);
}

// Each thread has every n-th client.
void Run(const char* what, std::vector<Client>& clients, std::size_t threads,
         const std::function<void(std::size_t thread, std::vector<std::int64_t>&)>& part) {
  std::vector<std::vector<std::int64_t>> us(threads);
  std::vector<std::thread> all;
  const std::int64_t start_us = HostMonotonicUs();
  for (std::size_t i = 0; i < threads; ++i) all.emplace_back([&, i] { part(i, us[i]); });
  for (std::thread& thread : all) thread.join();
  const std::int64_t elapsed_us = HostMonotonicUs() - start_us;
  std::vector<std::int64_t> together;
  for (const auto& some : us) together.insert(together.end(), some.begin(), some.end());
  Report(what, together, elapsed_us);
  (void)clients;
}

bool Renew(Client& client, std::vector<std::int64_t>& us) {
  Error error;
  const std::int64_t start_us = HostMonotonicUs();
  const bool done = Sure(driver->renew(client.connection, client.holder, WallMs() + kTermMs,
                                       kTermMs, client.scheme, In(20), error),
                         error);
  us.push_back(HostMonotonicUs() - start_us);
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || (driver = FindDriver(argv[1])) == nullptr) return 2;
  const std::size_t count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1000;
  const std::size_t threads = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 16;
  const std::int64_t seconds = argc > 4 ? std::atoll(argv[4]) : 10;
  std::random_device random;
  char pool[32];
  std::snprintf(pool, sizeof pool, "fleet-%08x", random());
  std::vector<Client> clients(count);
  for (std::size_t i = 0; i < count; ++i) {
    Holder& holder = clients[i].holder;
    std::snprintf(holder.pool, sizeof holder.pool, "%s", pool);
    std::snprintf(holder.name, sizeof holder.name, "server %zu", i);
    std::snprintf(holder.token, sizeof holder.token, "%08x%08x%08x%08x", random(), random(),
                  random(), random());
  }
  const char* address = argv[1];
  Run("connect", clients, threads, [&](std::size_t thread, std::vector<std::int64_t>& us) {
    for (std::size_t i = thread; i < clients.size(); i += threads) {
      Error error;
      const std::int64_t start_us = HostMonotonicUs();
      clients[i].connection = driver->open(address, PollHost(nullptr), In(60), error);
      us.push_back(HostMonotonicUs() - start_us);
      if (clients[i].connection == nullptr) {
        std::fprintf(stderr, "%s\n", error.message);
        std::_Exit(1);
      }
    }
  });
  Run("enrol and claim any", clients, threads,
      [&](std::size_t thread, std::vector<std::int64_t>& us) {
        for (std::size_t i = thread; i < clients.size(); i += threads) {
          Client& client = clients[i];
          Error error;
          const std::int64_t start_us = HostMonotonicUs();
          if (Sure(driver->enrol(client.connection, client.holder, WallMs() + kTermMs,
                                 kTermMs * 100, client.scheme, In(60), error),
                   error)) {
            Sure(driver->claim_any(client.connection, client.holder, 0, 0, 1023, WallMs(),
                                   client.claimed, In(60), error),
                 error);
          }
          us.push_back(HostMonotonicUs() - start_us);
        }
      });
  std::vector<std::int32_t> machines;
  for (const Client& client : clients) {
    if (client.claimed.claim == Claim::kGranted)
      machines.push_back(client.claimed.identity.machine);
  }
  std::sort(machines.begin(), machines.end());
  const bool unique = std::adjacent_find(machines.begin(), machines.end()) == machines.end();
  std::printf("%zu of %zu have a machine ID, %s\n", machines.size(), count,
              unique ? "each another one" : "SOME THE SAME");
  Run("renew at full speed", clients, threads,
      [&](std::size_t thread, std::vector<std::int64_t>& us) {
        const std::int64_t end_us = In(seconds);
        for (std::size_t i = thread; HostMonotonicUs() < end_us;) {
          Renew(clients[i], us);
          i = i + threads < clients.size() ? i + threads : thread;
        }
      });
  std::printf("steady\n");
  std::fflush(stdout);
  Run("renew each 10 s", clients, threads, [&](std::size_t thread, std::vector<std::int64_t>& us) {
    const std::int64_t start_us = HostMonotonicUs();
    const std::int64_t end_us = start_us + std::max<std::int64_t>(seconds, 10) * 1'000'000;
    for (std::int64_t round = 0;; ++round) {
      for (std::size_t i = thread; i < clients.size(); i += threads) {
        const std::int64_t at_us =
            start_us + round * kEveryUs +
            kEveryUs * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(clients.size());
        if (at_us >= end_us) return;
        const std::int64_t rest_us = at_us - HostMonotonicUs();
        if (rest_us > 0) {
          std::this_thread::sleep_for(std::chrono::microseconds(rest_us));
        }
        Renew(clients[i], us);
      }
    }
  });
  // Time to look at the server's processes, which end with these connections.
  std::this_thread::sleep_for(std::chrono::seconds(2));
  return failures == 0 && unique ? 0 : 1;
}

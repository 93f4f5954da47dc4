// Threads that share a generator, each with a session of its own: the fastest way to an ID.
#include <idgen/session.h>

#include <array>
#include <cstdio>
#include <thread>

namespace {

void Work(idgen::Generator& generator, std::int64_t& last) {
  idgen::Session session(generator);
  for (int i = 0; i < 1000; ++i) {
    const idgen::Result result = session.Next();
    if (result.status != idgen::Status::kOk) {
      std::fprintf(stderr, "no ID: %s\n", idgen::StatusText(result.status));
      return;
    }
    last = result.id;
  }
}

}  // namespace

int main() {
  idgen::Generator generator(idgen::kSnowflake, {.identity = {.machine = 7}});

  std::array<std::int64_t, 4> last{};
  std::array<std::thread, last.size()> threads;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    threads[i] = std::thread([&generator, &last, i] { Work(generator, last[i]); });
  }
  for (std::thread& thread : threads) thread.join();

  for (const std::int64_t id : last) std::printf("%lld\n", static_cast<long long>(id));
  return 0;
}

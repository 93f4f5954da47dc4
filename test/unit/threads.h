// Threads that start their work at one moment.
#pragma once

#include <latch>
#include <thread>
#include <vector>

namespace idgen {

inline constexpr int kThreads = 8;

// Runs work(0) to work(count - 1), each on a thread of its own, and waits for all.
template <typename Work>
void RunThreads(int count, Work work) {
  std::latch start(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&start, &work, i] {
      start.arrive_and_wait();
      work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace idgen

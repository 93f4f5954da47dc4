// Threads that start their work at one moment.
#pragma once

#include <latch>
#include <thread>
#include <vector>

namespace idgen {

inline constexpr int kThreads = 8;

// Threads must run for some milliseconds to meet at all: short work is over on one before
// the next has begun. The thread sanitizer is slow enough by itself.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IDGEN_TEST_UNDER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(IDGEN_TEST_UNDER_TSAN)
inline constexpr int kLonger = 1;
#else
inline constexpr int kLonger = 10;
#endif

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

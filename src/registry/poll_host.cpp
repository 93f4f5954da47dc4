#include "poll_host.h"

#include <poll.h>

#include <algorithm>
#include <ctime>

namespace idgen::registry {

namespace {

constexpr std::int64_t kSliceUs = 100'000;

bool IsStopped(const void* context) noexcept {
  return context != nullptr && __atomic_load_n(static_cast<const bool*>(context), __ATOMIC_ACQUIRE);
}

bool Wait(void* context, int socket, bool read, bool write, std::int64_t us) {
  pollfd wanted{};
  wanted.fd = socket;
  wanted.events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
  const nfds_t count = (socket >= 0 && (read || write)) ? 1 : 0;
  const std::int64_t end_us = HostMonotonicUs() + us;
  for (;;) {
    if (IsStopped(context)) return false;
    const std::int64_t left_us = end_us - HostMonotonicUs();
    if (left_us <= 0) return true;
    const std::int64_t slice_us = context != nullptr ? std::min(left_us, kSliceUs) : left_us;
    const std::int64_t slice_ms = std::min<std::int64_t>((slice_us + 999) / 1000, 60'000);
    // What is wrong with the socket, its owner finds out.
    if (poll(&wanted, count, static_cast<int>(slice_ms)) > 0) return true;
  }
}

std::int64_t MonotonicUsOf(void*) { return HostMonotonicUs(); }

}  // namespace

std::int64_t HostMonotonicUs() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

Host PollHost(const bool* stop) noexcept {
  return {const_cast<bool*>(stop), &Wait, &MonotonicUsOf};
}

}  // namespace idgen::registry

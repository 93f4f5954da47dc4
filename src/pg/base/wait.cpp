#include "wait.h"

#include <algorithm>
#include <ctime>
#include <iterator>

#include "core/clock.h"

namespace idgen::pg {

namespace {

// A sleep ends late because of the timer's slack and the scheduler, so its last part is a spin.
constexpr std::int64_t kSpinUs = 80;
// Above this a latch is precise enough; its timeout has a resolution of 1 ms.
constexpr std::int64_t kLongUs = 5'000;
constexpr std::int64_t kLongestUs = 20'000;

constexpr const char* kEvents[] = {"IdgenTick", "IdgenClock", "IdgenMark", "IdgenLease",
                                   "IdgenTickets"};

uint32 EventOf(WaitReason reason) {
  static constinit uint32 events[std::size(kEvents)] = {};
  uint32& event = events[static_cast<int>(reason)];
  if (event == 0) event = WaitEventFor(kEvents[static_cast<int>(reason)]);
  return event;
}

void SleepExactly(std::int64_t us, uint32 event) {
  timespec rest{};
  rest.tv_nsec = static_cast<decltype(rest.tv_nsec)>(us * 1000);
  pgstat_report_wait_start(event);
  // A signal ends the sleep. The caller's CHECK_FOR_INTERRUPTS handles it.
  nanosleep(&rest, nullptr);
  pgstat_report_wait_end();
}

void SleepOnLatch(std::int64_t us, uint32 event) {
  (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                  static_cast<long>(us / 1000), event);
  ResetLatch(MyLatch);
}

}  // namespace

void WaitForClock(std::int64_t us, WaitReason reason) {
  CHECK_FOR_INTERRUPTS();
  const uint32 event = EventOf(reason);
  if (us > kLongUs) {
    SleepOnLatch(std::min(us - 1000, kLongestUs), event);
  } else {
    const std::int64_t end = MonotonicUs() + us;
    if (us > kSpinUs) SleepExactly(us - kSpinUs, event);
    while (MonotonicUs() < end && !InterruptPending) {
    }
  }
  CHECK_FOR_INTERRUPTS();
}

}  // namespace idgen::pg

#include "wait.h"

#include <algorithm>
#include <ctime>

#include "core/clock.h"

namespace idgen::pg {

namespace {

// A sleep ends late because of the timer's slack and the scheduler, so its last part is a spin.
constexpr std::int64_t kSpinUs = 80;
// Above this a latch is precise enough; its timeout has a resolution of 1 ms.
constexpr std::int64_t kLongUs = 5'000;
constexpr std::int64_t kLongestUs = 20'000;

void SleepExactly(std::int64_t us) {
  timespec rest{};
  rest.tv_nsec = static_cast<decltype(rest.tv_nsec)>(us * 1000);
  // A signal ends the sleep. The caller's CHECK_FOR_INTERRUPTS handles it.
  nanosleep(&rest, nullptr);
}

void SleepOnLatch(std::int64_t us) {
  static constinit uint32 wait_event = 0;
  if (wait_event == 0) wait_event = WaitEventFor("IdgenClock");
  (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                  static_cast<long>(us / 1000), wait_event);
  ResetLatch(MyLatch);
}

}  // namespace

void WaitForClock(std::int64_t us) {
  CHECK_FOR_INTERRUPTS();
  if (us > kLongUs) {
    SleepOnLatch(std::min(us - 1000, kLongestUs));
  } else {
    const std::int64_t end = MonotonicUs() + us;
    if (us > kSpinUs) SleepExactly(us - kSpinUs);
    while (MonotonicUs() < end && !InterruptPending) {
    }
  }
  CHECK_FOR_INTERRUPTS();
}

}  // namespace idgen::pg

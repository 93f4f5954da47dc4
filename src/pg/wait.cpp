#include "wait.h"

#include <algorithm>
#include <ctime>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "core/clock.h"

namespace idgen::pg {

namespace {

// A sleep ends late, by what the scheduler takes: the last part is spun.
#ifdef PR_SET_TIMERSLACK
constexpr std::int64_t kSpinUs = 30;
#else
constexpr std::int64_t kSpinUs = 80;
#endif
// Above this a latch is good enough, whose timeout has a resolution of 1 ms.
constexpr std::int64_t kLongUs = 5'000;
constexpr std::int64_t kLongestUs = 20'000;

void SleepExactly(std::int64_t us) {
  timespec rest{};
  rest.tv_nsec = static_cast<decltype(rest.tv_nsec)>(us * 1000);
#ifdef PR_SET_TIMERSLACK
  // Linux lets timers end 50 us late to wake up less often. That is too much of a tick.
  const int slack = prctl(PR_GET_TIMERSLACK);
  prctl(PR_SET_TIMERSLACK, 1);
#endif
  // A signal ends it; the caller's CHECK_FOR_INTERRUPTS sees what it was.
  nanosleep(&rest, nullptr);
#ifdef PR_SET_TIMERSLACK
  if (slack > 0) prctl(PR_SET_TIMERSLACK, slack);
#endif
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

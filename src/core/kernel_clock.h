// What the kernel knows about how right the wall clock is: adjtimex(2), read only, which needs no
// privilege.
//
// Whether the clock is synchronized is told by the maximum error alone. Whoever synchronizes it
// sets that error; from then on the kernel adds 500 us in each second, up to 16 s. So it is also
// the age of the last synchronization: 1 s is half an hour. The flag STA_UNSYNC is of no use, since
// chrony clears it only with "rtcsync".
#pragma once

#include <cerrno>
#include <cstdint>

#ifdef __linux__
#include <sys/timex.h>
#endif

namespace idgen {

// Times are microseconds, but for the offset.
struct KernelClock {
  std::int64_t offset_ns = 0;  // what is still to be corrected
  std::int64_t estimated_error_us = 0;
  std::int64_t max_error_us = 0;
  std::int64_t frequency = 0;  // correction in millionths, times 65,536
  std::int64_t tick_us = 0;    // between two ticks of the kernel's clock; 10,000 where it is true
  std::int32_t tai_offset_s = 0;  // TAI minus UTC; 0: nobody has told the kernel
  enum class Leap : std::uint8_t { kNone, kInsert, kDelete, kInProgress } leap = Leap::kNone;
};

// The kernel counts no further.
inline constexpr std::int64_t kMostClockErrorUs = 16'000'000;

enum class ClockState : std::uint8_t {
  kSynchronized,
  kStale,           // it was, but its error is beyond the limit by now
  kUnsynchronized,  // not in the last 9 hours, or never
};

// `limit_us` 0: none but the kernel's.
[[nodiscard]] constexpr ClockState StateOf(const KernelClock& clock, std::int64_t limit_us) {
  if (clock.max_error_us >= kMostClockErrorUs) return ClockState::kUnsynchronized;
  return limit_us > 0 && clock.max_error_us > limit_us ? ClockState::kStale
                                                       : ClockState::kSynchronized;
}

// What was told about the clock.
enum class ClockHealth : std::uint8_t { kUnknown, kGood, kBad };

// What is to be told next. Of a clock that was never seen synchronized, only if somebody `cares`:
// in a virtual machine or a container whose host keeps the time, that is how it should be.
[[nodiscard]] constexpr ClockHealth HealthAfter(ClockHealth told, ClockState state, bool cares) {
  if (state == ClockState::kSynchronized) return ClockHealth::kGood;
  if (told == ClockHealth::kUnknown && state == ClockState::kUnsynchronized && !cares) return told;
  return ClockHealth::kBad;
}

#ifdef __linux__
// A reading as the kernel gives it, and adjtimex's result.
[[nodiscard]] constexpr KernelClock FromTimex(const timex& reading, int result) {
  KernelClock clock;
  clock.offset_ns = (reading.status & STA_NANO) != 0 ? reading.offset : reading.offset * 1000;
  clock.estimated_error_us = reading.esterror;
  clock.max_error_us = reading.maxerror;
  clock.frequency = reading.freq;
  clock.tick_us = reading.tick;
  clock.tai_offset_s = reading.tai;
  if (result == TIME_OOP) {
    clock.leap = KernelClock::Leap::kInProgress;
  } else if ((reading.status & STA_INS) != 0) {
    clock.leap = KernelClock::Leap::kInsert;
  } else if ((reading.status & STA_DEL) != 0) {
    clock.leap = KernelClock::Leap::kDelete;
  }
  return clock;
}
#endif

// Reads it. Returns 0, or the error number where the kernel denies it.
inline int ReadKernelClock([[maybe_unused]] KernelClock& clock) noexcept {
#ifdef __linux__
  timex reading{};  // modes 0: nothing is set
  const int result = adjtimex(&reading);
  if (result < 0) return errno;
  clock = FromTimex(reading, result);
  return 0;
#else
  return ENOSYS;
#endif
}

}  // namespace idgen

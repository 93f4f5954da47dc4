// A wall clock that the tests set, for every process of a server: preloaded (LD_PRELOAD), with the
// clock in the file that TORTURE_CLOCK names. A reading costs some nanoseconds. The monotonic clock
// stays true. The wall clock is a function of it, so that nobody who sets the machine's clock
// disturbs a test.
//
// It also does kill -9, or SIGSTOP, at chosen moments: the first process that gets there does it to
// itself.
//
// With COUNTED_CLOCK in the environment it is instead a wall clock for counting instructions
// (dev/instructions), in a server that a tool makes fifty times slower. The server then finds the
// same time as one that runs at full speed, and the same in each run. The clock begins at the real
// time. It advances with idgen's cycle counter (bench/instructions/counter.h), a nanosecond a
// cycle, and by 100 ns with each reading.
// each reading.
#include "clock.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <ctime>

// The counter with which idgen is built for counting.
extern "C" __attribute__((visibility("default"))) unsigned long idgen_cycles;
unsigned long idgen_cycles = 0;

namespace {

bool is_counted = false;
ClockFile* clock_file = nullptr;
int (*real_clock_gettime)(clockid_t, timespec*) = nullptr;
ssize_t (*real_pwrite)(int, const void*, size_t, off_t) = nullptr;
int (*real_nanosleep)(const timespec*, timespec*) = nullptr;
int (*real_epoll_wait)(int, epoll_event*, int, int) = nullptr;

bool reads_wall_clock = false;  // as idgen does; PostgreSQL itself uses gettimeofday
bool has_written = false;       // since the last clock reading

template <typename Function>
void Find(Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

__attribute__((constructor)) void Initialize() {
  Find(real_clock_gettime, "clock_gettime");
  Find(real_pwrite, "pwrite");
  Find(real_nanosleep, "nanosleep");
  Find(real_epoll_wait, "epoll_wait");
  is_counted = getenv("COUNTED_CLOCK") != nullptr;
  const char* path = getenv("TORTURE_CLOCK");
  const int file = path != nullptr ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void* memory = mmap(nullptr, sizeof(ClockFile), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory != MAP_FAILED) clock_file = static_cast<ClockFile*>(memory);
  close(file);
}

void KillAt(KillPoint point) {
  if (clock_file == nullptr || !reads_wall_clock) return;
  std::uint64_t expected = __atomic_load_n(&clock_file->kill_point, __ATOMIC_RELAXED);
  if (expected % kStopInstead != point) return;
  const bool stops = expected > kStopInstead;
  if (__atomic_compare_exchange_n(&clock_file->kill_point, &expected, kNoKill, false,
                                  __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    __atomic_store_n(&clock_file->last, static_cast<std::uint64_t>(getpid()), __ATOMIC_RELAXED);
    __atomic_add_fetch(&clock_file->kills, 1, __ATOMIC_RELEASE);
    kill(getpid(), stops ? SIGSTOP : SIGKILL);
    while (!stops) pause();
  }
}

// Also works for a library whose constructor runs before ours.
int RealClock(clockid_t clock, timespec* time) {
  if (real_clock_gettime != nullptr) return real_clock_gettime(clock, time);
  return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
}

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Reads the monotonic clock first. So a reading is never ahead of the clock in the file at the time
// of return, however long the process is interrupted in between.
timespec WallClock() {
  timespec now{};
  if (is_counted) {
    static timespec start{};
    static std::int64_t readings = 0;
    if (start.tv_sec == 0) RealClock(CLOCK_REALTIME, &start);
    const std::int64_t wall =
        Nanoseconds(start) + static_cast<std::int64_t>(idgen_cycles) + 100 * ++readings;
    return {wall / 1'000'000'000, wall % 1'000'000'000};
  }
  RealClock(clock_file != nullptr ? CLOCK_MONOTONIC : CLOCK_REALTIME, &now);
  if (clock_file == nullptr) return now;
  ClockLine line{};
  std::uint64_t changes = 0;
  do {
    changes = __atomic_load_n(&clock_file->changes, __ATOMIC_ACQUIRE);
    line = clock_file->lines[changes % 2];
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
  } while (changes != __atomic_load_n(&clock_file->changes, __ATOMIC_RELAXED));
  std::int64_t elapsed = Nanoseconds(now) - line.mono_ns;
  if (elapsed < 0) elapsed = 0;
  const std::int64_t wall =
      line.wall_ns + elapsed + static_cast<std::int64_t>(static_cast<double>(elapsed) * line.rate);
  return {wall / 1'000'000'000, wall % 1'000'000'000};
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return RealClock(clock, time);
  reads_wall_clock = true;
  if (has_written) KillAt(kKillBeforeUse);
  has_written = false;
  *time = WallClock();
  return 0;
}

__attribute__((visibility("default"))) int gettimeofday(timeval* time, void*) noexcept {
  has_written = false;
  const timespec now = WallClock();
  *time = {now.tv_sec, static_cast<suseconds_t>(now.tv_nsec / 1000)};
  return 0;
}

__attribute__((visibility("default"))) time_t time(time_t* result) noexcept {
  const timespec now = WallClock();
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

__attribute__((visibility("default"))) ssize_t pwrite(int file, const void* data, size_t size,
                                                      off_t place) {
  KillAt(kKillBeforeWrite);
  const ssize_t written = real_pwrite(file, data, size, place);
  KillAt(kKillAfterWrite);
  has_written = true;
  return written;
}

__attribute__((visibility("default"))) int nanosleep(const timespec* request, timespec* left) {
  KillAt(kKillInWait);
  return real_nanosleep(request, left);
}

// PostgreSQL allocates this size for a generic WAL record (its GenericXLogState, of some 66 kB). No
// block of its memory contexts has it: those are powers of two.
extern void* __libc_malloc(size_t size);
__attribute__((visibility("default"))) void* malloc(size_t size) {
  if (size > 65'536 && size < 72'000) KillAt(kKillWithPage);
  return __libc_malloc(size);
}

// idgen uses this for its longer waits. PostgreSQL's own waits are longer still, or endless.
__attribute__((visibility("default"))) int epoll_wait(int set, epoll_event* events, int most,
                                                      int timeout) {
  if (timeout > 0 && timeout <= 20) KillAt(kKillInWait);
  return real_epoll_wait(set, events, most, timeout);
}

}  // extern "C"

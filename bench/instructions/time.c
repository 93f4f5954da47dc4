/* Time for counting instructions: preloaded into a server that a tool makes fifty times slower,
 * so that it finds the time as one that runs freely does, and the same each time. It moves by
 * idgen's cycle counter (counter.h), a nanosecond a cycle, and by 100 ns with each
 * reading of the clock. Begins at the real time. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

unsigned long idgen_cycles;

int clock_gettime(clockid_t clock, struct timespec *now) {
  static struct timespec start;
  static unsigned long readings;
  unsigned long ns;
  if (clock != CLOCK_REALTIME) return (int)syscall(SYS_clock_gettime, clock, now);
  if (start.tv_sec == 0) syscall(SYS_clock_gettime, CLOCK_REALTIME, &start);
  ns = (unsigned long)start.tv_nsec + idgen_cycles + 100 * ++readings;
  now->tv_sec = start.tv_sec + (time_t)(ns / 1000000000);
  now->tv_nsec = (long)(ns % 1000000000);
  return 0;
}

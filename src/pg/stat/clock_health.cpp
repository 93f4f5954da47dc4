#include "clock_health.h"

#include "core/clock.h"
#include "core/kernel_clock.h"
#include "errors.h"
#include "guc.h"
#include "settings.h"
#include "shared.h"

namespace idgen::pg {

namespace {

// How often the server looks.
constexpr std::int64_t kLookUs = 1'000'000;

bool IsTurnToLook(ServerStats& stats) {
  const std::int64_t now_us = MonotonicUs();
  std::int64_t looked_us = LoadWord(stats.looked_us);
  return (looked_us == 0 || now_us - looked_us >= kLookUs) &&
         std::atomic_ref(stats.looked_us).compare_exchange_strong(looked_us, now_us);
}

}  // namespace

void NoteKernelClock() {
  const std::int64_t limit_us = MaxClockErrorUs();
  ServerStats& stats = SharedRoot().stats;
  if (limit_us == 0 || !IsTurnToLook(stats)) return;
  KernelClock clock;
  if (ReadKernelClock(clock) != 0) return;
  static constinit const config_generic* limit = nullptr;
  const auto told = static_cast<ClockHealth>(LoadWord(stats.clock_health));
  const ClockHealth health =
      HealthAfter(told, StateOf(clock, limit_us), WasSet("idgen.max_clock_error", limit));
  if (health == told) return;
  StoreWord(stats.clock_health, static_cast<std::uint64_t>(health));
  if (health == ClockHealth::kBad) {
    ereport(LOG, (errmsg("clock of this machine is not synchronized"),
                  errdetail("It may be wrong by up to %s, which grows by 500 ppm from the last "
                            "synchronization on, and is not counted beyond 16 s. "
                            "idgen.max_clock_error is %s.",
                            DurationText(clock.max_error_us), DurationText(limit_us)),
                  errhint("Check the time synchronization of this machine, for example with "
                          "\"timedatectl\" or \"chronyc tracking\"."),
                  errhidestmt(true)));
  } else if (told == ClockHealth::kBad) {
    ereport(LOG, (errmsg("clock of this machine is synchronized again"), errhidestmt(true)));
  }
}

}  // namespace idgen::pg

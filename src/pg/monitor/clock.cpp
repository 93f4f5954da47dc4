// One look at the kernel's clock.
#include "kernel_clock_text.h"
#include "row.h"
#include "settings.h"

namespace idgen::pg {

const char* ClockStateText(const KernelClock& clock, int denied) {
  if (denied != 0) return psprintf("unknown: %s", strerror(denied));
  switch (StateOf(clock, MaxClockErrorUs())) {
    case ClockState::kSynchronized:
      return "synchronized";
    case ClockState::kStale:
      return "not synchronized lately";
    case ClockState::kUnsynchronized:
      return "not synchronized";
  }
  return nullptr;
}

namespace {

const char* LeapText(KernelClock::Leap leap) {
  switch (leap) {
    case KernelClock::Leap::kNone:
      return "none";
    case KernelClock::Leap::kInsert:
      return "insert";
    case KernelClock::Leap::kDelete:
      return "delete";
    case KernelClock::Leap::kInProgress:
      return "in progress";
  }
  return nullptr;
}

Column Number(double value, bool is_null) { return {Float8GetDatum(value), is_null}; }

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_clock);

Datum idgen_clock(PG_FUNCTION_ARGS) {
  KernelClock clock;
  const int denied = ReadKernelClock(clock);
  const bool none = denied != 0;
  const bool is_synchronized = StateOf(clock, MaxClockErrorUs()) == ClockState::kSynchronized;
  const Column row[] = {
      CStringGetTextDatum(ClockStateText(clock, denied)),
      Column{BoolGetDatum(is_synchronized), none},
      Number(static_cast<double>(clock.offset_ns) / 1e6, none),
      Number(static_cast<double>(clock.estimated_error_us) / 1e3, none),
      Number(static_cast<double>(clock.max_error_us) / 1e3, none),
      Number(static_cast<double>(clock.frequency) / 65536, none),
      Column{Int64GetDatum(clock.tick_us), none},
      Column{Int32GetDatum(clock.tai_offset_s), none || clock.tai_offset_s == 0},
      none ? kNull : Column{CStringGetTextDatum(LeapText(clock.leap))},
  };
  return RecordOf(fcinfo, row);
}

}  // extern "C"

}  // namespace idgen::pg

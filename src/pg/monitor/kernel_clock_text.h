// What people read about the kernel's clock.
#pragma once

#include "pg.h"

#include "core/kernel_clock.h"

namespace idgen::pg {

// `denied` as ReadKernelClock() returns it. In the current memory context.
const char* ClockStateText(const KernelClock& clock, int denied);

}  // namespace idgen::pg

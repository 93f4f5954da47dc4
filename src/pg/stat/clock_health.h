// Tells the server log when the kernel's clock is not synchronized any more, and when it is again:
// once each, by the session that sees it first.
#pragma once

#include "pg.h"

namespace idgen::pg {

// Looks at the kernel's clock, unless somebody has done so within a second. For the slow path,
// where an ID was made.
void NoteKernelClock();

}  // namespace idgen::pg

// An analysis as people and programs read it.
#pragma once

#include "analysis.h"

namespace idgen::pg {

// Returns a jsonb with the totals, the figures of each identity ("identities") and what they tell
// ("findings").
Datum ReportOf(const Analysis& analysis);

}  // namespace idgen::pg

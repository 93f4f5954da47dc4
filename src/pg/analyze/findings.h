// What an analysis's figures tell, in words and with a severity.
#pragma once

#include <span>

#include "analysis.h"
#include "figures.h"
#include "json.h"

namespace idgen::pg {

// Writes the findings as elements of an array.
void PutFindings(Json& json, const Analysis& analysis, std::span<const Rates> all);

}  // namespace idgen::pg

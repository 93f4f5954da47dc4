// The core's generator and session, over words whose operations are scheduling points.
#include "atomic_word.h"

// In the tests that catch planted faults it is not the tree's.
#include <idgen/generator.cpp>  // NOLINT(bugprone-suspicious-include)
#include <idgen/session.cpp>    // NOLINT(bugprone-suspicious-include)

// The core's generator, over words whose operations are scheduling points.
#include "atomic_word.h"

// In the tests that catch planted faults it is not the tree's.
#include <idgen/generator.cpp>  // NOLINT(bugprone-suspicious-include)

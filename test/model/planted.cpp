// The model over a core with a planted fault (faults/), as one file: it compiles in half the time.
#include "generator.cpp"
#include "model_test.cpp"

// The agreement with a planted fault (faults/).
#include "agreement_test.cpp"

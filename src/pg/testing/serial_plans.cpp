#include "serial_plans.h"

#include "pg.h"

#include "test_clock.h"

namespace idgen::pg {

namespace {

constinit planner_hook_type next_planner = nullptr;

// A template, because 19 has one more parameter; so its linkage is not "C".
template <typename... More>
PlannedStmt* Plan(Query* query, const char* text, int options, More... more) {
  if (TestClockIsOn()) options &= ~CURSOR_OPT_PARALLEL_OK;
  if (next_planner != nullptr) return next_planner(query, text, options, more...);
  return standard_planner(query, text, options, more...);
}

}  // namespace

void WatchPlanner() {
  next_planner = planner_hook;
  planner_hook = Plan;
}

}  // namespace idgen::pg

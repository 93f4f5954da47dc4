#include "utility.h"

#include "handle.h"
#include "settings.h"
#include "ticket_handle.h"

namespace idgen::pg {

namespace {

constinit ProcessUtility_hook_type next_utility_hook = nullptr;

// What a command does that matters here.
struct Effects {
  bool forgets_ids = false;
  bool resets = false;
  bool resets_all = false;
  char setting[NAMEDATALEN] = {};  // the one that is reset; all of ours are shorter
};

Effects EffectsOf(const Node* command) {
  constexpr std::string_view kOurs = "idgen.";
  Effects effects;
  if (IsA(command, DiscardStmt)) {
    const DiscardMode target = reinterpret_cast<const DiscardStmt*>(command)->target;
    effects.resets_all = target == DISCARD_ALL;
    effects.forgets_ids = target == DISCARD_ALL || target == DISCARD_SEQUENCES;
  } else if (IsA(command, VariableSetStmt)) {
    const auto* set = reinterpret_cast<const VariableSetStmt*>(command);
    effects.resets_all = set->kind == VAR_RESET_ALL;
    effects.resets = (set->kind == VAR_RESET || set->kind == VAR_SET_DEFAULT) &&
                     pg_strncasecmp(set->name, kOurs.data(), kOurs.size()) == 0;
    if (effects.resets) strlcpy(effects.setting, set->name, sizeof(effects.setting));
  }
  return effects;
}

extern "C" {

static void OnUtility(PlannedStmt* statement, const char* query, bool read_only_tree,
                      ProcessUtilityContext context, ParamListInfo params,
                      QueryEnvironment* environment, DestReceiver* dest,
                      QueryCompletion* completion) {
  // Do this first: a command can free its own parse tree.
  const Effects effects = EffectsOf(statement->utilityStmt);
  ProcessUtility_hook_type run =
      next_utility_hook != nullptr ? next_utility_hook : standard_ProcessUtility;
  run(statement, query, read_only_tree, context, params, environment, dest, completion);
  if (effects.forgets_ids) {
    ForgetLastIds();
    ForgetLastTickets();
  }
  // The transaction may still be rolled back. What was refused is then refused again in the next
  // connection.
  if (effects.resets_all) OnSettingsReset(nullptr);
  if (effects.resets) OnSettingsReset(effects.setting);
}

}  // extern "C"

}  // namespace

void WatchUtility() {
  next_utility_hook = ProcessUtility_hook;
  ProcessUtility_hook = OnUtility;
}

}  // namespace idgen::pg

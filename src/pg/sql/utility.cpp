#include "utility.h"

#include "handle.h"
#include "settings.h"
#include "test_clock.h"
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

// A test clock is the session's own, not one of sessions to come. These may have it off.
void RefuseForLater(VariableSetStmt* set) {
  if (set->kind != VAR_SET_VALUE && set->kind != VAR_SET_CURRENT) return;
  const bool is_clock = pg_strcasecmp(set->name, kTestClockName) == 0;
  if (!is_clock && pg_strcasecmp(set->name, kTestClockCommitName) != 0) return;
  const char* const value = ExtractSetVariableArgs(set);
  bool is_on = true;
  if (is_clock ? *value == '\0' : parse_bool(value, &is_on) && !is_on) return;
  ereport(ERROR, (errcode(ERRCODE_CANT_CHANGE_RUNTIME_PARAM),
                  errmsg("parameter \"%s\" cannot be set for a database or a role", set->name),
                  errhint("Use SET or SET LOCAL, where the test runs.")));
}

Effects EffectsOf(const Node* command) {
  constexpr std::string_view kOurs = "idgen.";
  Effects effects;
  if (IsA(command, DiscardStmt)) {
    const DiscardMode target = reinterpret_cast<const DiscardStmt*>(command)->target;
    effects.resets_all = target == DISCARD_ALL;
    effects.forgets_ids = target == DISCARD_ALL || target == DISCARD_SEQUENCES;
  } else if (IsA(command, AlterRoleSetStmt)) {
    RefuseForLater(reinterpret_cast<const AlterRoleSetStmt*>(command)->setstmt);
  } else if (IsA(command, AlterDatabaseSetStmt)) {
    RefuseForLater(reinterpret_cast<const AlterDatabaseSetStmt*>(command)->setstmt);
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

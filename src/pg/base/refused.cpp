#include "refused.h"

#include <algorithm>
#include <cstring>

#include "guc.h"
#include "settings.h"

namespace idgen::pg {

namespace {

constexpr char kPrefix[] = "idgen.";
constexpr char kRefusedName[] = "idgen.refused_settings";

struct Refusal {
  char name[NAMEDATALEN];
  char text[2 * NAMEDATALEN];
  bool is_unknown;
  bool by_session;      // an unknown setting, given by SET
  bool value;           // the present value was refused
  bool reset_value;     // the value that RESET restores was refused
  bool in_transaction;  // as in GivenSetting
  bool is_local;
};
constexpr int kMost = 16;
constinit Refusal refusals[kMost] = {};
constinit int count = 0;

// The text of all refusals that are in force. It is a setting, because settings are all that
// parallel workers get a copy of.
constinit char* published = nullptr;

Refusal* Add(const char* name, const char* text) {
  if (count == kMost) return nullptr;
  Refusal& refusal = refusals[count++];
  refusal = {};
  strlcpy(refusal.name, name, sizeof(refusal.name));
  strlcpy(refusal.text, text, sizeof(refusal.text));
  return &refusal;
}

bool IsInForce(const Refusal& refusal) {
  if (refusal.is_unknown) return true;
  const GucSource source = SourceOfSetting(refusal.name);
  return (refusal.value && source < PGC_S_SESSION) ||
         (refusal.reset_value && source == PGC_S_DEFAULT);
}

char* TextOfRefusals() {
  StringInfoData text;
  initStringInfo(&text);
  for (const Refusal& refusal : refusals) {
    if (refusal.name[0] == '\0' || !IsInForce(refusal)) continue;
    appendStringInfo(&text, "%s%s = \"%s\"%s", text.len > 0 ? ", " : "", refusal.name, refusal.text,
                     refusal.is_unknown ? ", which is no setting of idgen" : "");
  }
  return text.data;
}

void Forget(Refusal& refusal) { refusal = {}; }

extern "C" {

static void ForgetLocalRefusals(XactEvent event, void*) {
  const bool ends =
      event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE;
  for (Refusal& refusal : refusals) {
    if (!ends || !refusal.in_transaction) continue;
    refusal.in_transaction = false;
    if (event == XACT_EVENT_ABORT || refusal.is_local) refusal.value = false;
  }
}

}  // extern "C"

}  // namespace

GivenSetting LookAtGiven(const char* name) {
  GivenSetting given;
  const config_generic* found = FindSetting(name);
  if (found == nullptr || (found->flags & GUC_CUSTOM_PLACEHOLDER) == 0) return given;
  const char* const value = GetConfigOption(name, true, false);
  const char* const reset = ResetTextOf(found);
  given.name = name;
  given.source = found->source;
  given.reset_source = found->reset_source;
  given.is_reset_value = value != nullptr && reset != nullptr && strcmp(value, reset) == 0;
  given.in_transaction = found->stack != nullptr;
  given.is_local = given.in_transaction && found->stack->state == GUC_LOCAL;
  strlcpy(given.text, value != nullptr ? value : "", sizeof(given.text));
  return given;
}

void NoteIfRefused(const GivenSetting& given) {
  if (given.name == nullptr) return;
  const config_generic* defined = FindSetting(given.name);
  const bool reset_value = defined->reset_source != given.reset_source;
  const bool value = defined->source != given.source && (!given.is_reset_value || reset_value);
  if (!value && !reset_value) return;
  Refusal* const refusal = Add(given.name, given.text);
  if (refusal == nullptr) return;
  refusal->reset_value = reset_value;
  refusal->value = value && given.source >= PGC_S_SESSION;
  refusal->in_transaction = given.in_transaction;
  refusal->is_local = given.is_local;
}

void NoteUnknownSettings() {
  ForEachSetting([](const config_generic* setting) {
    // A placeholder stays, without a value, when its setting is removed from the server's files.
    if ((setting->flags & GUC_CUSTOM_PLACEHOLDER) == 0 || setting->source == PGC_S_DEFAULT ||
        pg_strncasecmp(setting->name, kPrefix, sizeof(kPrefix) - 1) != 0) {
      return;
    }
    const char* const value = GetConfigOption(setting->name, true, false);
    Refusal* const refusal = Add(setting->name, value != nullptr ? value : "");
    if (refusal == nullptr) return;
    refusal->is_unknown = true;
    refusal->by_session = setting->source >= PGC_S_SESSION;
  });
}

void DefineRefused() {
  DefineCustomStringVariable(kRefusedName, "What was given for settings of idgen and refused.",
                             nullptr, &published, "", PGC_SUSET,
                             GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, nullptr,
                             nullptr, nullptr);
}

void PublishRefused() {
  char* const text = TextOfRefusals();
  if (strcmp(text, published) != 0) {
    SetConfigOption(kRefusedName, text, PGC_SUSET, PGC_S_OVERRIDE);
  }
  pfree(text);
  static constinit bool watched = false;
  if (!watched && count > 0) RegisterXactCallback(ForgetLocalRefusals, nullptr);
  watched = watched || count > 0;
}

const char* RefusedSettings() { return count > 0 ? TextOfRefusals() : ""; }

void CheckSettings() {
  // A refused value comes back into force when the value that hid it goes: by RESET, or at the end
  // of a SET LOCAL.
  if (likely(count == 0 && (published == nullptr || *published == '\0'))) return;
  const char* text = published;
  // A worker knows only what the leader has published. In parallel mode no setting can be changed.
  if (!IsParallelWorker()) {
    text = TextOfRefusals();
    if (!IsInParallelMode()) PublishRefused();
    if (*text == '\0') return;
  }
  ereport(
      ERROR,
      (errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("a setting of idgen was refused: %s", text),
       errdetail("The log and the session's warnings say why. No IDs are made with a default in "
                 "place of what was given."),
       errhint("Correct it where it was given (the server's files, ALTER DATABASE or ROLE, the "
               "connection's options, SET), and connect again. Restart the server if idgen is "
               "preloaded.")));
}

void OnSettingsReset(const char* name) {
  for (Refusal& refusal : refusals) {
    if (name != nullptr && pg_strcasecmp(name, refusal.name) != 0) continue;
    if (refusal.by_session) Forget(refusal);
    refusal.value = false;
  }
  if (count > 0 && !IsInParallelMode()) PublishRefused();
}

}  // namespace idgen::pg

// The SQL functions that read and write the scheme of the fleet. They talk to the registry: what
// they write is there at once, and no rollback takes it back.
#include "change.h"

#include <algorithm>

#include "core/clock.h"
#include "ddl.h"
#include "errors.h"
#include "lease.h"
#include "row.h"
#include "scheme.h"
#include "scheme_file.h"
#include "settings.h"
#include "succession_text.h"

namespace idgen::pg {

namespace {

struct ReadVersions {
  List* all;
};

extern "C" {

static void KeepVersion(void* context, const registry::Scheme& scheme) {
  auto* const version = static_cast<SchemeVersion*>(palloc(sizeof(SchemeVersion)));
  *version = {scheme.version, pstrdup(scheme.text), pstrdup(scheme.changed_by), scheme.changed_ms};
  auto& read = *static_cast<ReadVersions*>(context);
  read.all = lappend(read.all, version);
}

}  // extern "C"

// The name of one of the settings that a scheme can have, without "idgen.".
const char* SettingArgument(FunctionCallInfo fcinfo, int argument) {
  const char* const given = RequiredText(fcinfo, argument, "setting");
  constexpr std::string_view kPrefix = "idgen.";
  const char* const name =
      strncmp(given, kPrefix.data(), kPrefix.size()) == 0 ? given + kPrefix.size() : given;
  for (const std::string_view setting : kFleetSettings) {
    if (setting == name) return name;
  }
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("\"%s\" is no setting of a fleet", given),
                  errhint("Those are idgen.clock_regression, idgen.max_clock_lead, "
                          "idgen.max_clock_wait and idgen.reserve_window.")));
  pg_unreachable();
}

void CheckSetting(const char* name, const char* value) {
  const char* const whole = psprintf("idgen.%s", name);
  if (!IsPlainValue(value)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("invalid value for parameter \"%s\": \"%s\"", whole, value),
                    errhint("Use up to 40 letters, digits, points and spaces.")));
  }
  (void)set_config_option(whole, value, PGC_SIGHUP, PGC_S_FILE, GUC_ACTION_SET, false, ERROR,
                          false);
}

// Returns what the scheme has for a name: a layout or a generator.
SchemeEntry NamedInScheme(const char* text, const char* name) {
  const SchemeEntry generator = FindInScheme(text, SchemeKind::kGenerator, name);
  return !generator.value.empty() ? generator : FindInScheme(text, SchemeKind::kLayout, name);
}

char* TextOf(std::string_view text) { return pnstrdup(text.data(), text.size()); }

// Whether a version of the scheme had a change of a generator.
bool HasEverChanged(RegistryAccess& access, const char* name) {
  ListCell* cell;
  foreach (cell, VersionsOfScheme(access, registry::kAllSchemes)) {
    const char* const text = static_cast<const SchemeVersion*>(lfirst(cell))->text;
    const SchemeEntry generator = FindInScheme(text, SchemeKind::kGenerator, name);
    if (!FindInScheme(text, SchemeKind::kProposed, name).value.empty() ||
        (!generator.value.empty() && LayoutsOfScheme(generator).count > 1)) {
      return true;
    }
  }
  return false;
}

// Returns the entry that stands for this database's layout or generator.
SchemeEntry EntryOfNamed(const char* name) {
  const Named* const named = FindNamed(name);
  const Named& found = UsersNamedBy(name, named != nullptr && named->kind == NameKind::kLayout
                                              ? NameKind::kLayout
                                              : NameKind::kGenerator);
  if (found.flaw) Report(found.flaw);
  const Succession layouts = LayoutsOf(found.definition);
  if (layouts.SinceOf(layouts.count - 1) > WallClockUs()) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("generator \"%s\" has a change of its layout ahead", name),
                    errdetail("It is at %s.", InstantText(layouts.SinceOf(layouts.count - 1))),
                    errhint("Add it to the scheme first, and use idgen_propose_change().")));
  }
  return {.kind = found.kind == NameKind::kLayout ? SchemeKind::kLayout : SchemeKind::kGenerator,
          .name = found.name,
          .value = SuccessionText(layouts)};
}

}  // namespace

List* VersionsOfScheme(RegistryAccess& access, std::int64_t version) {
  ReadVersions read{NIL};
  CheckAnswer(access.driver.read_scheme(access.connection, RegistryPool(), version, KeepVersion,
                                        &read, access.deadline_us, access.error),
              access.error);
  return read.all;
}

SchemeVersion LatestScheme(RegistryAccess& access) {
  List* const versions = VersionsOfScheme(access, registry::kLatestScheme);
  return versions == NIL ? SchemeVersion{} : *static_cast<SchemeVersion*>(linitial(versions));
}

bool WriteScheme(RegistryAccess& access, const SchemeVersion& latest, const char* text) {
  if (strlen(text) >= registry::kSchemeSize) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the scheme is too long"),
                    errdetail("It would have %zu bytes, and can have %zu.", strlen(text),
                              registry::kSchemeSize - 1)));
  }
  char name[registry::kNameSize];
  NameThisServer(name);
  const registry::Scheme next{latest.version + 1, text,
                              psprintf("%s on %s", GetUserNameFromId(GetUserId(), false), name),
                              WallClockUs() / 1000};
  bool written = false;
  CheckAnswer(access.driver.write_scheme(access.connection, RegistryPool(), next, written,
                                         access.deadline_us, access.error),
              access.error);
  // The worker need not wait for the news.
  if (written) AskForScheme();
  return written;
}

Succession LayoutsOfScheme(const SchemeEntry& entry) {
  Succession layouts;
  const Complaint complaint = ReadLayouts(TextOf(entry.value), layouts);
  if (complaint) Report(complaint);
  return layouts;
}

void ReportSchemeIsBusy() {
  ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                  errmsg("others change the scheme at the same time"), errhint("Try again.")));
  pg_unreachable();
}

extern "C" {

IDGEN_SQL_FUNCTION(idgen_scheme);
IDGEN_SQL_FUNCTION(idgen_scheme_history);
IDGEN_SQL_FUNCTION(idgen_scheme_set);
IDGEN_SQL_FUNCTION(idgen_scheme_add);
IDGEN_SQL_FUNCTION(idgen_scheme_remove);
IDGEN_SQL_FUNCTION(idgen_scheme_restore);
IDGEN_SQL_FUNCTION(idgen_scheme_file);

Datum idgen_scheme(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  WithRegistry([&](RegistryAccess& access) {
    const SchemeVersion latest = LatestScheme(access);
    SchemeReader reader(latest.text);
    for (SchemeEntry entry; reader.Next(entry);) {
      const bool is_proposed = entry.kind == SchemeKind::kProposed;
      PutRow(fcinfo,
             {CStringGetTextDatum(TextOf(kSchemeKinds[static_cast<std::size_t>(entry.kind)])),
              CStringGetTextDatum(TextOf(entry.name)), CStringGetTextDatum(TextOf(entry.value)),
              is_proposed ? TimeOrNull(entry.at_ms * 1000) : kNull,
              Column{Int64GetDatum(entry.version), !is_proposed}});
    }
    if (!IsSchemeText(latest.text)) {
      ereport(ERROR,
              (errcode(ERRCODE_DATA_CORRUPTED), errmsg("version %lld of the scheme cannot be read",
                                                       static_cast<long long>(latest.version))));
    }
  });
  return Datum{0};
}

Datum idgen_scheme_history(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  WithRegistry([&](RegistryAccess& access) {
    ListCell* cell;
    foreach (cell, VersionsOfScheme(access, registry::kAllSchemes)) {
      const auto& version = *static_cast<const SchemeVersion*>(lfirst(cell));
      PutRow(fcinfo, {Int64GetDatum(version.version), TimeOrNull(version.changed_ms * 1000),
                      TextOrNull(version.changed_by), CStringGetTextDatum(version.text)});
    }
  });
  return Datum{0};
}

// Sets a setting of the fleet; NULL takes it out.
Datum idgen_scheme_set(PG_FUNCTION_ARGS) {
  const char* const name = SettingArgument(fcinfo, 0);
  const char* const value = PG_ARGISNULL(1) ? "" : RequiredText(fcinfo, 1, "value");
  if (!PG_ARGISNULL(1)) CheckSetting(name, value);
  WithRegistry([&](RegistryAccess& access) {
    EditScheme(access, [&](const SchemeVersion& latest) {
      return WithInScheme(latest.text,
                          {.kind = SchemeKind::kSetting, .name = name, .value = value});
    });
  });
  PG_RETURN_VOID();
}

// Adds a layout or generator as it is in this database.
Datum idgen_scheme_add(PG_FUNCTION_ARGS) {
  const SchemeEntry entry = EntryOfNamed(RequiredText(fcinfo, 0, "name"));
  WithRegistry([&](RegistryAccess& access) {
    EditScheme(access, [&](const SchemeVersion& latest) -> const char* {
      const SchemeEntry known = NamedInScheme(latest.text, entry.name.data());
      if (known.value.empty()) return WithInScheme(latest.text, entry);
      if (known.kind == entry.kind && LayoutsOfScheme(known) == LayoutsOfScheme(entry)) {
        return latest.text;
      }
      ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
                      errmsg("the scheme has another \"%s\"", entry.name.data()),
                      errdetail("In the scheme: %s %s. Here: %s %s.",
                                TextOf(kSchemeKinds[static_cast<std::size_t>(known.kind)]),
                                TextOf(known.value),
                                TextOf(kSchemeKinds[static_cast<std::size_t>(entry.kind)]),
                                entry.value.data())));
      pg_unreachable();
    });
  });
  PG_RETURN_VOID();
}

Datum idgen_scheme_remove(PG_FUNCTION_ARGS) {
  const char* const name = RequiredText(fcinfo, 0, "name");
  WithRegistry([&](RegistryAccess& access) {
    EditScheme(access, [&](const SchemeVersion& latest) {
      SchemeEntry entry = NamedInScheme(latest.text, name);
      if (entry.value.empty()) {
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("the scheme has no layout or generator \"%s\"", name)));
      }
      // Without it, a server that has been away would go by a change that it heard of, or would not
      // hear of one.
      if (HasEverChanged(access, name)) {
        ereport(ERROR,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                 errmsg("generator \"%s\" must stay in the scheme", name),
                 errdetail("A change of its layout was proposed at some time. A server that has "
                           "been away learns by the scheme only what became of it.")));
      }
      entry.value = {};
      return WithInScheme(latest.text, entry);
    });
  });
  PG_RETURN_VOID();
}

// Takes settings and layouts from an earlier version. Generators and proposals stay as they are:
// their layouts only go forward.
Datum idgen_scheme_restore(PG_FUNCTION_ARGS) {
  const std::int64_t number = PG_GETARG_INT64(0);
  WithRegistry([&](RegistryAccess& access) {
    List* const found = number > 0 ? VersionsOfScheme(access, number) : NIL;
    if (found == NIL) {
      ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                      errmsg("the scheme has no version %lld", static_cast<long long>(number))));
    }
    const char* const before = static_cast<const SchemeVersion*>(linitial(found))->text;
    const auto is_taken = [](const SchemeEntry& entry) {
      return entry.kind == SchemeKind::kSetting || entry.kind == SchemeKind::kLayout;
    };
    EditScheme(access, [&](const SchemeVersion& latest) {
      const char* text = latest.text;
      SchemeReader now(latest.text);
      for (SchemeEntry entry; now.Next(entry);) {
        if (!is_taken(entry)) continue;
        entry.value = {};
        text = WithInScheme(text, entry);
      }
      SchemeReader then(before);
      for (SchemeEntry entry; then.Next(entry);) {
        if (!is_taken(entry)) continue;
        if (entry.kind == SchemeKind::kLayout &&
            !FindInScheme(text, SchemeKind::kGenerator, entry.name).value.empty()) {
          continue;
        }
        text = WithInScheme(text, entry);
      }
      return text;
    });
  });
  PG_RETURN_VOID();
}

Datum idgen_scheme_file(PG_FUNCTION_ARGS) { PG_RETURN_TEXT_P(cstring_to_text(SchemeFilePath())); }

}  // extern "C"

}  // namespace idgen::pg

// What the scheme of the fleet says, as far as this server has heard of it.
#include "config.h"

#include "errors.h"
#include "guc.h"
#include "scheme.h"
#include "scheme_file.h"

namespace idgen::pg {

void FindInFleet(Findings& findings) {
  const SchemeCopy copy = CopyScheme();
  if (copy.forgotten != 0) {
    findings.Add(Severity::kError, "scheme",
                 psprintf("the registry has forgotten version %lld of the scheme",
                          static_cast<long long>(copy.forgotten)),
                 psprintf("This server went by it, and gets no time from the registry until that "
                          "has the version again. If it is lost for good, see docs/identity.md, "
                          "and remove \"%s\" on each server.",
                          SchemeFilePath()));
  }
  SchemeReader reader(copy.text);
  for (SchemeEntry entry; reader.Next(entry);) {
    const auto length = static_cast<int>(entry.name.size());
    const char* const name = entry.name.data();
    if (entry.kind == SchemeKind::kProposed) {
      findings.Add(Severity::kNotice, "scheme",
                   psprintf("a change of generator \"%.*s\" at %s is proposed", length, name,
                            InstantText(entry.at_ms * 1000)),
                   "Not all servers have agreed yet. See idgen_fleet().");
    }
    if (entry.kind != SchemeKind::kSetting) continue;
    const config_generic* const setting = FindSetting(psprintf("idgen.%.*s", length, name));
    if (setting == nullptr || setting->reset_source != PGC_S_DEFAULT) continue;
    findings.Add(
        Severity::kWarning, "scheme",
        psprintf("this server does not read idgen.%.*s from the scheme of the fleet", length, name),
        psprintf("Put this line into postgresql.conf: include_if_exists '%s'", SchemeFilePath()));
  }
}

}  // namespace idgen::pg

// The SQL functions that change the layout of a generator on all servers of a fleet. What makes it
// safe is in core/scheme.h. A change is only proposed here; the workers of the servers acknowledge
// it, and the last one commits it (lease/agreement.cpp).
#include "change.h"

#include <algorithm>

#include "core/clock.h"
#include "ddl.h"
#include "errors.h"
#include "lease.h"
#include "row.h"
#include "scheme.h"
#include "settings.h"
#include "succession_text.h"

namespace idgen::pg {

namespace {

extern "C" {

static void KeepHolder(void* context, const registry::ListedHolder& holder) {
  auto& all = *static_cast<List**>(context);
  auto* const copy = static_cast<registry::ListedHolder*>(palloc(sizeof(registry::ListedHolder)));
  *copy = holder;
  all = lappend(all, copy);
}

}  // extern "C"

List* Holders(RegistryAccess& access) {
  List* all = NIL;
  CheckAnswer(access.driver.holders(access.connection, RegistryPool(), false, KeepHolder, &all,
                                    access.deadline_us, access.error),
              access.error);
  return all;
}

// Returns the holder that may make IDs of the latest time; nullptr if there is none.
const registry::ListedHolder* LatestOf(List* holders) {
  const registry::ListedHolder* latest = nullptr;
  ListCell* cell;
  foreach (cell, holders) {
    const auto* const holder = static_cast<const registry::ListedHolder*>(lfirst(cell));
    if (latest == nullptr || holder->used_until_ms > latest->used_until_ms) latest = holder;
  }
  return latest;
}

// The identities that are held must fit the new layout, and stay different in it.
void CheckIdentitiesFit(RegistryAccess& access, const Layout& to) {
  if (!to.Has(FieldKind::kMachine)) return;
  const auto most = static_cast<std::int64_t>(to[FieldKind::kMachine].Largest());
  List* const all = ListedIdentities(access);
  ListCell* cell;
  foreach (cell, all) {
    const auto& one = *static_cast<const registry::Listed*>(lfirst(cell));
    if (!one.held || one.identity.machine < 0) continue;
    if (one.identity.machine > most) {
      ereport(ERROR,
              (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
               errmsg("layout \"%s\" has no machine ID %d", NameOf(to), one.identity.machine),
               errdetail("\"%s\" holds it.", one.holder),
               errhint("Give that server a machine ID from 0 to %lld, or choose a layout with a "
                       "wider machine field.",
                       static_cast<long long>(most))));
    }
    if (to.Has(FieldKind::kDatacenter)) continue;
    ListCell* other_cell;
    foreach (other_cell, all) {
      const auto& other = *static_cast<const registry::Listed*>(lfirst(other_cell));
      if (!other.held || other.identity.machine != one.identity.machine ||
          strcmp(other.holder, one.holder) == 0) {
        continue;
      }
      ereport(
          ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
           errmsg("layout \"%s\" does not tell \"%s\" from \"%s\"", NameOf(to), one.holder,
                  other.holder),
           errdetail("Both have machine ID %d, in different datacenters.", one.identity.machine),
           errhint("Give them different machine IDs, or choose a layout with a datacenter "
                   "field.")));
    }
  }
}

// Returns the scheme's entry of a generator. An error if a change is proposed.
SchemeEntry SettledEntry(const SchemeVersion& latest, const Named& named) {
  const SchemeEntry entry = FindInScheme(latest.text, SchemeKind::kGenerator, named.name);
  if (entry.value.empty()) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("generator \"%s\" is not in the scheme of the fleet", named.name),
                    errhint("Add it with idgen_scheme_add().")));
  }
  const SchemeEntry proposal = FindInScheme(latest.text, SchemeKind::kProposed, named.name);
  if (!proposal.value.empty()) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("a change of generator \"%s\" is proposed already", named.name),
                    errdetail("It is at %s.", InstantText(proposal.at_ms * 1000)),
                    errhint("Wait for the agreement, or call it off with "
                            "idgen_withdraw_change().")));
  }
  return entry;
}

void CheckIsTheSameHere(const SchemeEntry& entry, const Named& named) {
  if (LayoutsOfScheme(entry) == LayoutsOf(named.definition)) return;
  ereport(ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
           errmsg("generator \"%s\" has other layouts here than in the scheme", named.name),
           errdetail("Here: %s. In the scheme: %.*s.", SuccessionText(LayoutsOf(named.definition)),
                     static_cast<int>(entry.value.size()), entry.value.data())));
}

const char* Proposed(const SchemeVersion& latest, const Named& named, const Succession& layouts,
                     std::int64_t at_us) {
  return WithInScheme(latest.text, {.kind = SchemeKind::kProposed,
                                    .name = named.name,
                                    .value = SuccessionText(layouts),
                                    .version = latest.version + 1,
                                    .at_ms = at_us / 1000});
}

// An instant must be later than what holders were granted, by a term: until they hear of it they
// may be granted that much more.
void CheckIsLater(std::int64_t at_us, const registry::ListedHolder* latest, std::int64_t least_us) {
  if (latest == nullptr || at_us >= least_us) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("the instant of the change is too early"),
                  errdetail("\"%s\" may make IDs until %s.", latest->name,
                            InstantText(latest->used_until_ms * 1000)),
                  errhint("The earliest instant is %s.", InstantText(RoundUp(least_us, 1000)))));
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_propose_change);
IDGEN_SQL_FUNCTION(idgen_withdraw_change);
IDGEN_SQL_FUNCTION(idgen_fleet);

Datum idgen_propose_change(PG_FUNCTION_ARGS) {
  const Named& named = ChangeableGenerator(fcinfo);
  CheckNotNull(fcinfo, 1, "layout");
  const Layout to = OneLayout(fcinfo, 1);
  CheckIdentityFits(named.definition, to);
  Succession layouts = LayoutsOf(named.definition);
  std::int64_t at_us = 0;
  WithRegistry([&](RegistryAccess& access) {
    CheckIdentitiesFit(access, to);
    EditScheme(access, [&](const SchemeVersion& latest) {
      CheckIsTheSameHere(SettledEntry(latest, named), named);
      const registry::ListedHolder* const last = LatestOf(Holders(access));
      const std::int64_t granted_ms = last != nullptr ? last->used_until_ms : 0;
      const std::int64_t least_us = (granted_ms + LeaseTermMs()) * 1000;
      layouts = LayoutsOf(named.definition);
      at_us = InstantOf(fcinfo, 2, layouts, to, least_us);
      const Complaint complaint = ComplaintOfChange(layouts, to, at_us);
      if (complaint) Report(complaint);
      CheckIsLater(at_us, last, least_us);
      layouts.Append(to, at_us);
      return Proposed(latest, named, layouts, at_us);
    });
  });
  return InstantDatum(at_us);
}

// Takes a proposal back. A change that was agreed on can be called off too, if all agree again.
Datum idgen_withdraw_change(PG_FUNCTION_ARGS) {
  const Named& named = ChangeableGenerator(fcinfo);
  std::int64_t at_us = 0;
  WithRegistry([&](RegistryAccess& access) {
    EditScheme(access, [&](const SchemeVersion& latest) -> const char* {
      SchemeEntry proposal = FindInScheme(latest.text, SchemeKind::kProposed, named.name);
      if (!proposal.value.empty()) {
        at_us = proposal.at_ms * 1000;
        proposal.value = {};
        return WithInScheme(latest.text, proposal);
      }
      Succession layouts = LayoutsOfScheme(SettledEntry(latest, named));
      at_us = CancelledChange(named.name, layouts);
      const registry::ListedHolder* const last = LatestOf(Holders(access));
      CheckIsLater(at_us, last, last != nullptr ? last->used_until_ms * 1000 : 0);
      return Proposed(latest, named, layouts, at_us);
    });
  });
  return InstantDatum(at_us);
}

// The holders that live or may have made IDs of a time to come.
Datum idgen_fleet(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  WithRegistry([&](RegistryAccess& access) {
    const SchemeVersion latest = LatestScheme(access);
    ListCell* cell;
    foreach (cell, Holders(access)) {
      const auto& holder = *static_cast<const registry::ListedHolder*>(lfirst(cell));
      if (!holder.lives && holder.used_until_ms * 1000 <= WallClockUs()) continue;
      bool is_asked = false;
      bool agrees = true;
      SchemeReader reader(latest.text);
      for (SchemeEntry entry; reader.Next(entry);) {
        if (entry.kind != SchemeKind::kProposed) continue;
        is_asked = true;
        const HolderState state{holder.lives, holder.used_until_ms, holder.acknowledged};
        agrees = agrees && ConsentOf(state, entry.version, entry.at_ms) == Consent::kGiven;
      }
      PutRow(fcinfo, {CStringGetTextDatum(holder.name), BoolGetDatum(holder.lives),
                      TimeOrNull(holder.used_until_ms * 1000),
                      Column{IntervalDatum(holder.expires_in_ms * 1000), !holder.lives},
                      Int64GetDatum(holder.acknowledged),
                      BoolGetDatum(holder.acknowledged == latest.version),
                      Column{BoolGetDatum(agrees), !is_asked}});
    }
  });
  return Datum{0};
}

}  // extern "C"

}  // namespace idgen::pg

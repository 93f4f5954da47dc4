#include "identities.h"

namespace idgen::pg {

namespace {

constinit dshash_table* table = nullptr;  // this backend's attachment

dshash_table* Table() {
  if (table == nullptr) {
    LeaseState& state = SharedRoot().lease;
    table = OpenSharedTable(state.lock, state.identities, sizeof(registry::Identity),
                            sizeof(IdentityEntry));
  }
  return table;
}

}  // namespace

IdentityEntry* LockIdentity(const registry::Identity& identity) {
  bool found = false;
  auto* entry = static_cast<IdentityEntry*>(dshash_find_or_insert(Table(), &identity, &found));
  if (!found) {
    *entry = IdentityEntry{};
    entry->identity = identity;
  }
  return entry;
}

void UnlockIdentity(IdentityEntry* entry) { dshash_release_lock(table, entry); }

void ForEachIdentity(void (*visit)(void* context, IdentityEntry& entry), void* context) {
  dshash_seq_status scan;
  dshash_seq_init(&scan, Table(), true);
  for (void* entry = dshash_seq_next(&scan); entry != nullptr; entry = dshash_seq_next(&scan)) {
    visit(context, *static_cast<IdentityEntry*>(entry));
  }
  dshash_seq_term(&scan);
}

Grant& GrantAt(dsa_pointer place) {
  return *static_cast<Grant*>(dsa_get_address(SharedArea(), place));
}

bool IsGranted(const IdentityEntry& entry) {
  return entry.answered != 0 && entry.answer == registry::Claim::kGranted &&
         !HasEnded(GrantAt(entry.grant));
}

char* IdentityName(const registry::Identity& identity) {
  StringInfoData text;
  initStringInfo(&text);
  if (identity.machine == kAnyMachine) {
    appendStringInfoString(&text, "any machine ID");
  } else if (identity.machine >= 0) {
    appendStringInfo(&text, "machine ID %d", identity.machine);
  } else if (identity.shard >= 0) {
    appendStringInfo(&text, "shard %d", identity.shard);
  } else {
    appendStringInfoString(&text, "the one place for layouts without machine and shard");
  }
  if (identity.datacenter >= 0) appendStringInfo(&text, " of datacenter %d", identity.datacenter);
  return text.data;
}

}  // namespace idgen::pg

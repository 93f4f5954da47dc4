// The server's identities in shared memory: what sessions asked for, and what the worker answered.
#pragma once

#include "pg.h"

#include "core/lease.h"
#include "registry/registry.h"
#include "shared.h"

namespace idgen::pg {

// In place of a machine ID: any that is free. The answer is an entry with the one granted.
inline constexpr std::int32_t kAnyMachine = -2;

struct IdentityEntry {
  registry::Identity identity = {};                 // the key
  std::int32_t machine = registry::kNone;           // granted for kAnyMachine
  registry::Claim answer = registry::Claim::kHeld;  // the last one
  std::uint8_t answered = 0;                        // 1: there was one
  dsa_pointer grant = InvalidDsaPointer;            // under which it was granted
  std::int64_t floor_ms = 0;
  std::int64_t asked_us = 0;  // by a session, by the monotonic clock; 0: never
  char holder[registry::kNameSize] = {};
};

// Returns the entry of an identity, locked, made on first use. Release it with UnlockIdentity().
IdentityEntry* LockIdentity(const registry::Identity& identity);
void UnlockIdentity(IdentityEntry* entry);

// Calls `visit` with each entry, locked.
void ForEachIdentity(void (*visit)(void* context, IdentityEntry& entry), void* context);

// Whether an entry is granted, and the grant has not ended.
bool IsGranted(const IdentityEntry& entry);

// A grant by its place in the dynamic area.
Grant& GrantAt(dsa_pointer place);

// "machine ID 3 of datacenter 1", "shard 17", in the current memory context.
char* IdentityName(const registry::Identity& identity);

}  // namespace idgen::pg

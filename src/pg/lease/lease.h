// Leases: with a registry (idgen.registry), no ID is made with an identity that this server does
// not hold there, nor beyond the time up to which it holds it. registry/registry.h has the protocol
// and why it is enough.
//
// A session asks for an identity here, and a background worker (worker.cpp) talks to the registry:
// sessions never do, and wait for nothing but the worker's answer, which it leaves in shared
// memory. All identities of the server have one holder, so one grant bounds all of them. When the
// holder is lost, its grant ends: its time stays as it was, so that what a session still hands out
// under it is covered. The worker becomes a new holder, with a grant of its own, when the next
// session asks.
//
// Locks: LeaseState::lock guards the words and texts of LeaseState that are not marked as atomic.
// A partition of the table of identities is locked while an entry is read or written. Neither is
// taken inside another lock, and no lock is held while the registry is talked to.
#pragma once

#include "pg.h"

#include "core/layout.h"
#include "core/lease.h"
#include "registry/registry.h"
#include "shared.h"

namespace idgen::pg {

// Whether a registry is set.
bool LeasesAreOn();

// Returns what the registry must have granted for IDs of a layout with this identity. Shards are
// taken together as SlotKeyOf() does.
registry::Identity LeaseKeyOf(const Layout& layout, std::uint64_t identity_bits);

// What a session may use.
struct Lease {
  const Grant* grant;
  std::int64_t floor_ms;  // others may have made IDs up to this time
};

// Returns the lease of an identity; asks the worker for it if this server does not have it. Waits
// at most idgen.max_lease_wait. Errors: no answer within that time, held by another server, banned,
// no worker, a layout that cannot hold the number. Must be called without locks, in a transaction.
Lease RequireLease(const registry::Identity& identity);

// The grant of a server without a registry: without end.
const Grant& UnboundedGrant();

// Returns the machine ID that the registry chose for this server, for layouts with the field
// `datacenter` (kNone: without it). Asks and waits as RequireLease().
std::int32_t MachineFromRegistry(std::int32_t datacenter);

// Waits, at most idgen.max_lease_wait, until a grant covers `needed_ms`. Returns false if the grant
// has ended: the session must ask for its identities again. An error if there is no answer in time.
bool RequireUntil(const Grant& grant, std::int64_t needed_ms);

// Writes this server's name, for people, as it stands in the registry.
void NameThisServer(char (&name)[registry::kNameSize]);

// Wakes the worker to look for a new version of the scheme.
void AskForScheme();

// Has the worker apply the scheme to the databases, and waits until `came` says that what the
// caller waits for is there. Returns false if it is not within idgen.max_lease_wait.
bool AwaitScheme(bool (*came)(void* context), void* context);

}  // namespace idgen::pg

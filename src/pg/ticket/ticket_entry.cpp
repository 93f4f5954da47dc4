#include "ticket_entry.h"

#include <new>

namespace idgen::pg {

namespace {

struct TicketKey {
  Oid database;
  Oid sequence;
};

struct TicketPlace {
  TicketKey key;
  std::uint32_t users;
  dsa_pointer memory;  // in which the entry lies, aligned
};

constinit dshash_table* ticket_places = nullptr;  // this backend's attachment

dshash_table* TicketPlaces() {
  if (ticket_places == nullptr) {
    TicketsState& state = SharedRoot().tickets;
    ticket_places =
        OpenSharedTable(state.lock, state.entries, sizeof(TicketKey), sizeof(TicketPlace));
  }
  return ticket_places;
}

// Segments of the area lie at the beginning of a page of memory.
TicketEntry& EntryIn(dsa_pointer memory) {
  const dsa_pointer aligned = TYPEALIGN(alignof(TicketEntry), memory);
  return *static_cast<TicketEntry*>(dsa_get_address(SharedArea(), aligned));
}

}  // namespace

TicketEntry& JoinTickets(Oid sequence) {
  const Root& shared = SharedRoot();
  const TicketKey key{MyDatabaseId, sequence};
  bool found = false;
  auto* place = static_cast<TicketPlace*>(dshash_find_or_insert(TicketPlaces(), &key, &found));
  // If memory runs out, the place stays without an entry, and the next session tries again.
  if (!found) {
    place->users = 0;
    place->memory = InvalidDsaPointer;
  }
  if (!DsaPointerIsValid(place->memory)) {
    const dsa_pointer memory =
        dsa_allocate_extended(SharedArea(), sizeof(TicketEntry) + alignof(TicketEntry),
                              DSA_ALLOC_NO_OOM | DSA_ALLOC_ZERO);
    if (!DsaPointerIsValid(memory)) {
      ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
                      errmsg("out of shared memory for the tickets of a sequence")));
    }
    TicketEntry& entry = *new (&EntryIn(memory)) TicketEntry{};
    LWLockInitialize(&entry.lock, shared.tranche);
    LWLockInitialize(&entry.refilling, shared.tranche);
    place->memory = memory;
  }
  ++place->users;
  TicketEntry& entry = EntryIn(place->memory);
  dshash_release_lock(TicketPlaces(), place);
  return entry;
}

// Sessions are given a pointer to the entry under the same lock under which they are counted. So
// nobody has one when the count is 0.
void QuitTickets(Oid sequence) {
  const TicketKey key{MyDatabaseId, sequence};
  auto* place = static_cast<TicketPlace*>(dshash_find(TicketPlaces(), &key, true));
  if (place == nullptr) return;
  --place->users;
  if (place->users > 0 || EntryIn(place->memory).is_open) {
    dshash_release_lock(TicketPlaces(), place);
    return;
  }
  const dsa_pointer memory = place->memory;
  dshash_delete_entry(TicketPlaces(), place);
  dsa_free(SharedArea(), memory);
}

bool IsLastUserOfTickets(Oid sequence) {
  const TicketKey key{MyDatabaseId, sequence};
  auto* place = static_cast<TicketPlace*>(dshash_find(TicketPlaces(), &key, false));
  if (place == nullptr) return false;
  const bool is_last = place->users == 1;
  dshash_release_lock(TicketPlaces(), place);
  return is_last;
}

}  // namespace idgen::pg

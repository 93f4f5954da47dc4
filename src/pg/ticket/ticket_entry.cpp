#include "ticket_entry.h"

#include <new>

#include "segment_feed.h"

namespace idgen::pg {

namespace {

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

// Frees what belongs to a place that was taken out of the table.
void FreeEntry(dsa_pointer memory) {
  const dsa_pointer feed = EntryIn(memory).feed;
  if (DsaPointerIsValid(feed)) dsa_free(SharedArea(), feed);
  dsa_free(SharedArea(), memory);
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
  TicketEntry& entry = EntryIn(place->memory);
  if (place->users > 0 || entry.is_open || IsFeedBusy(entry)) {
    dshash_release_lock(TicketPlaces(), place);
    return;
  }
  const dsa_pointer memory = place->memory;
  dshash_delete_entry(TicketPlaces(), place);
  FreeEntry(memory);
}

bool IsLastUserOfTickets(Oid sequence) {
  const TicketKey key{MyDatabaseId, sequence};
  auto* place = static_cast<TicketPlace*>(dshash_find(TicketPlaces(), &key, false));
  if (place == nullptr) return false;
  const bool is_last = place->users == 1;
  dshash_release_lock(TicketPlaces(), place);
  return is_last;
}

void ForEachFeed(bool (*visit)(void* context, const TicketKey& key, std::uint32_t users,
                               TicketEntry& entry),
                 void* context) {
  dshash_seq_status scan;
  dshash_seq_init(&scan, TicketPlaces(), true);
  for (void* found = dshash_seq_next(&scan); found != nullptr; found = dshash_seq_next(&scan)) {
    const auto* place = static_cast<TicketPlace*>(found);
    if (!DsaPointerIsValid(place->memory)) continue;
    TicketEntry& entry = EntryIn(place->memory);
    if (!DsaPointerIsValid(entry.feed)) continue;
    const bool is_useless = visit(context, place->key, place->users, entry);
    if (place->users > 0 || !is_useless) continue;
    const dsa_pointer memory = place->memory;
    dshash_delete_current(&scan);
    FreeEntry(memory);
  }
  dshash_seq_term(&scan);
}

void WithFeed(const TicketKey& key, void (*visit)(void* context, TicketEntry& entry),
              void* context) {
  auto* place = static_cast<TicketPlace*>(dshash_find(TicketPlaces(), &key, true));
  if (place == nullptr) return;
  if (DsaPointerIsValid(place->memory)) {
    TicketEntry& entry = EntryIn(place->memory);
    if (DsaPointerIsValid(entry.feed)) visit(context, entry);
  }
  dshash_release_lock(TicketPlaces(), place);
}

}  // namespace idgen::pg

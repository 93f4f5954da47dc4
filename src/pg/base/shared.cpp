#include "shared.h"

#include <atomic>
#include <cstring>

namespace idgen::pg {

namespace {

constexpr char kName[] = "idgen";

struct SlotEntry {
  IdSpaceKey space;  // the key
  dsa_pointer slot;
};

// This backend's attachments; all set or all unset.
constinit Root* root = nullptr;
constinit dsa_area* area = nullptr;
constinit dshash_table* slots = nullptr;
constinit dshash_table* databases = nullptr;

constinit shmem_request_hook_type next_request_hook = nullptr;

dshash_parameters SlotTable(int tranche) {
  return ByteKeyedTable(sizeof(IdSpaceKey), sizeof(SlotEntry), tranche);
}

dshash_parameters DatabaseTable(int tranche) {
  return ByteKeyedTable(sizeof(Oid), sizeof(DatabaseMark), tranche);
}

extern "C" {

static void InitializeRoot(void* memory) {
  auto* fresh = static_cast<Root*>(memory);
  std::memset(fresh, 0, sizeof(Root));
  fresh->version = kRootVersion;
  fresh->tranche = NewTranche(kName);
  LWLockInitialize(&fresh->lock, fresh->tranche);
  LWLockInitialize(&fresh->lease.lock, fresh->tranche);
  fresh->lease.identities = InvalidDsaPointer;
  LWLockInitialize(&fresh->tickets.lock, fresh->tranche);
  fresh->tickets.entries = InvalidDsaPointer;
  std::uint64_t random[2] = {};
  if (!pg_strong_random(random, sizeof(random))) {
    random[0] = static_cast<std::uint64_t>(GetCurrentTimestamp()) * 2862933555777941757U +
                static_cast<std::uint64_t>(MyProcPid);
    random[1] = random[0] * 2862933555777941757U;
  }
  fresh->run_token = static_cast<std::int64_t>(random[0] >> 1) | 1;  // never 0
  fresh->uuid_node = random[1];
  fresh->fresh_machine = kNoMachine;
  fresh->area = DSA_HANDLE_INVALID;
}

static void RequestRoot() {
  if (next_request_hook != nullptr) next_request_hook();
  RequestAddinShmemSpace(MAXALIGN(kRootSize));
}

// Adds a hint to PostgreSQL's own errors. Our errors have one already.
static void ExplainFailure(void*) {
  if (geterrcode() == ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE) return;
  errhint(
      "idgen needs a little shared memory: a few hundred bytes of the main segment (which "
      "adding idgen to shared_preload_libraries sets aside) and about 1 MB of dynamic shared "
      "memory (see dynamic_shared_memory_type; on Linux usually /dev/shm).");
  errcontext("setting up the shared memory of idgen");
}

}  // extern "C"

void MakeArea(Root& shared) {
  dsa_area* new_area = dsa_create(shared.tranche);
  const dshash_parameters slot_table = SlotTable(shared.tranche);
  const dshash_parameters database_table = DatabaseTable(shared.tranche);
  dshash_table* new_slots = dshash_create(new_area, &slot_table, nullptr);
  dshash_table* new_databases = dshash_create(new_area, &database_table, nullptr);
  // Until here an error releases everything; from here on nothing can fail.
  dsa_pin(new_area);
  dsa_pin_mapping(new_area);
  shared.slots = dshash_get_hash_table_handle(new_slots);
  shared.databases = dshash_get_hash_table_handle(new_databases);
  shared.area = dsa_get_handle(new_area);
  area = new_area;
  slots = new_slots;
  databases = new_databases;
}

void AttachArea(const Root& shared) {
  dsa_area* new_area = dsa_attach(shared.area);
  const dshash_parameters slot_table = SlotTable(shared.tranche);
  const dshash_parameters database_table = DatabaseTable(shared.tranche);
  dshash_table* new_slots = dshash_attach(new_area, &slot_table, shared.slots, nullptr);
  dshash_table* new_databases = dshash_attach(new_area, &database_table, shared.databases, nullptr);
  dsa_pin_mapping(new_area);
  area = new_area;
  slots = new_slots;
  databases = new_databases;
}

void Attach() {
  ErrorContextCallback context{error_context_stack, ExplainFailure, nullptr};
  error_context_stack = &context;
  MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

  auto* shared = static_cast<Root*>(NamedSharedMemory(kName, kRootSize, InitializeRoot));
  if (shared->version != kRootVersion) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("idgen was replaced by another version while the server ran"),
                    errhint("Restart the server.")));
  }
  NameTranche(shared->tranche, kName);

  // Creating the area allocates under the lock, but only once per server start.
  LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
  const bool make = shared->area == DSA_HANDLE_INVALID;
  if (make) MakeArea(*shared);
  LWLockRelease(&shared->lock);
  if (!make) AttachArea(*shared);

  root = shared;
  MemoryContextSwitchTo(caller);
  error_context_stack = context.previous;
}

// Slots are allocated this many at a time, side by side, so that a session that uses its shards in
// turn walks through memory in order.
constexpr std::uint32_t kSlotsAtOnce = 32;

// What is counted of them lies behind them.
constexpr Size kSlotsSize = kSlotsAtOnce * sizeof(Slot);
constexpr Size kSpaceStatsSize = kSlotsAtOnce * sizeof(SpaceStats);
static_assert(sizeof(Slot) % alignof(SpaceStats) == 0);

// Returns a slot that is zeroed but for its place; an invalid pointer when there is no memory.
dsa_pointer NewSlot(Root& shared) {
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  if (shared.spare_slots_left == 0) {
    // One extra slot leaves room to align: the area guarantees only its own alignment.
    const dsa_pointer memory = dsa_allocate_extended(
        area, kSlotsSize + kSpaceStatsSize + sizeof(Slot), DSA_ALLOC_NO_OOM | DSA_ALLOC_ZERO);
    if (!DsaPointerIsValid(memory)) {
      LWLockRelease(&shared.lock);
      return memory;
    }
    shared.spare_slots = TYPEALIGN(sizeof(Slot), memory);
    shared.spare_slots_left = kSlotsAtOnce;
  }
  const dsa_pointer slot = shared.spare_slots;
  shared.spare_slots += sizeof(Slot);
  const std::uint32_t number = kSlotsAtOnce - shared.spare_slots_left--;
  LWLockRelease(&shared.lock);
  static_cast<Slot*>(dsa_get_address(area, slot))->to_stats =
      static_cast<std::ptrdiff_t>(kSlotsSize + number * sizeof(SpaceStats) - number * sizeof(Slot));
  return slot;
}

}  // namespace

void RequestSharedMemory() {
  if (!kRootInMainMemory) return;
  next_request_hook = shmem_request_hook;
  shmem_request_hook = RequestRoot;
}

Root& SharedRoot() {
  if (root == nullptr) Attach();
  return *root;
}

dsa_area* SharedArea() {
  (void)SharedRoot();
  return area;
}

dshash_table* OpenSharedTable(LWLock& lock, dshash_table_handle& handle, std::size_t key_size,
                              std::size_t entry_size) {
  const dshash_parameters parameters = ByteKeyedTable(key_size, entry_size, SharedRoot().tranche);
  dsa_area* const in = SharedArea();
  MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
  // Creating it allocates under the lock, once per server start.
  LWLockAcquire(&lock, LW_EXCLUSIVE);
  const bool make = !DsaPointerIsValid(handle);
  dshash_table* table = nullptr;
  if (make) {
    table = dshash_create(in, &parameters, nullptr);
    handle = dshash_get_hash_table_handle(table);
  }
  LWLockRelease(&lock);
  if (!make) table = dshash_attach(in, &parameters, handle, nullptr);
  MemoryContextSwitchTo(caller);
  return table;
}

IdSpaceKey SlotKeyOf(const Layout& layout, std::uint64_t identity_bits) {
  const Field& shard = layout[FieldKind::kShard];
  if (shard.bits > kMostShardBits) {
    identity_bits &= ~(shard.Put(shard.Largest() >> kMostShardBits << kMostShardBits));
  }
  return layout.KeyOf(identity_bits);
}

Slot& SlotOf(const IdSpaceKey& space, const Layout& layout, std::uint64_t start,
             std::int64_t machine_id) {
  Root& shared = SharedRoot();
  ErrorContextCallback context{error_context_stack, ExplainFailure, nullptr};
  error_context_stack = &context;

  bool found = false;
  auto* entry = static_cast<SlotEntry*>(dshash_find_or_insert(slots, &space, &found));
  // When memory runs out, the area may throw an error or return nothing. The entry then stays
  // without a slot, and the next caller tries again.
  if (!found) entry->slot = InvalidDsaPointer;
  if (!DsaPointerIsValid(entry->slot)) {
    const dsa_pointer memory = NewSlot(shared);
    if (!DsaPointerIsValid(memory)) {
      ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
                      errmsg("out of shared memory for an ID space of idgen")));
    }
    auto* slot = static_cast<Slot*>(dsa_get_address(area, memory));
    slot->start = start;
    slot->machine_id = machine_id;
    slot->position = start > 0 ? start - 1 : 0;
    StatsOf(*slot).fields = layout.fields;
    entry->slot = memory;
  }
  const dsa_pointer slot = entry->slot;
  dshash_release_lock(slots, entry);
  error_context_stack = context.previous;
  return *static_cast<Slot*>(dsa_get_address(area, slot));
}

Slot* FindSlot(const IdSpaceKey& space) {
  (void)SharedRoot();
  auto* entry = static_cast<SlotEntry*>(dshash_find(slots, &space, false));
  if (entry == nullptr) return nullptr;
  const dsa_pointer slot = entry->slot;
  dshash_release_lock(slots, entry);
  return static_cast<Slot*>(DsaPointerIsValid(slot) ? dsa_get_address(area, slot) : nullptr);
}

void ForEachSlot(void (*visit)(void* context, const IdSpaceKey& space, Slot& slot), void* context) {
  (void)SharedRoot();
  dshash_seq_status scan;
  dshash_seq_init(&scan, slots, false);
  for (void* entry = dshash_seq_next(&scan); entry != nullptr; entry = dshash_seq_next(&scan)) {
    const auto* const found = static_cast<const SlotEntry*>(entry);
    if (!DsaPointerIsValid(found->slot)) continue;
    visit(context, found->space, *static_cast<Slot*>(dsa_get_address(area, found->slot)));
  }
  dshash_seq_term(&scan);
}

void ForEachDatabase(void (*visit)(void* context, DatabaseMark& mark), void* context) {
  (void)SharedRoot();
  dshash_seq_status scan;
  dshash_seq_init(&scan, databases, false);
  for (void* entry = dshash_seq_next(&scan); entry != nullptr; entry = dshash_seq_next(&scan)) {
    visit(context, *static_cast<DatabaseMark*>(entry));
  }
  dshash_seq_term(&scan);
}

bool SlotExistsOf(std::int64_t machine_id) {
  struct Search {
    std::int64_t machine_id;
    bool exists;
  } search{machine_id, false};
  ForEachSlot(
      [](void* context, const IdSpaceKey&, Slot& slot) {
        auto& wanted = *static_cast<Search*>(context);
        wanted.exists = wanted.exists || slot.machine_id == wanted.machine_id;
      },
      &search);
  return search.exists;
}

void RequireRestart(Root& shared) { ++std::atomic_ref(shared.restart_needed); }

void WithdrawRestart(Root& shared) { --std::atomic_ref(shared.restart_needed); }

DatabaseMark& CurrentDatabaseMark() {
  const Root& shared = SharedRoot();
  ErrorContextCallback context{error_context_stack, ExplainFailure, nullptr};
  error_context_stack = &context;

  bool found = false;
  auto* mark = static_cast<DatabaseMark*>(dshash_find_or_insert(databases, &MyDatabaseId, &found));
  if (!found) {
    LWLockInitialize(&mark->writing, shared.tranche);
    mark->written_ms = 0;
    mark->flushed_ms = 0;
    mark->replicated_ms = 0;
    mark->stats = {};
    LWLockInitialize(&mark->changing, shared.tranche);
    mark->changes_begun = 0;
    mark->changes = 0;
    mark->change_ms = 0;
    mark->change_xid = InvalidTransactionId;
    mark->change_of[0] = '\0';
  }
  dshash_release_lock(databases, mark);
  error_context_stack = context.previous;
  return *mark;
}

}  // namespace idgen::pg

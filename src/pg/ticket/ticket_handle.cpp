#include "ticket_handle.h"

#include <new>

#include "errors.h"
#include "segment_page.h"
#include "standbys.h"
#include "transaction.h"

namespace idgen::pg {

namespace {

struct NamedTicketHandle {
  Oid sequence;  // the key
  TicketHandle* handle;
};

constinit HTAB* ticket_handles = nullptr;
constinit TicketHandle* first_handle = nullptr;
constinit TicketHandle* first_entered = nullptr;

// What a handle without a page looks at.
constexpr std::int64_t kNoSeal = 0;

// What `take` takes is the transaction's: the end of a savepoint does not let it go.
template <typename Take>
void ForTransaction(Take&& take) {
  ResourceOwner caller = CurrentResourceOwner;
  CurrentResourceOwner = TopTransactionResourceOwner;
  take();
  CurrentResourceOwner = caller;
}

void Unpin(TicketHandle& handle) {
  handle.ready_in = InvalidLocalTransactionId;
  handle.seal = &kNoSeal;
  if (!BufferIsValid(handle.pinned)) return;
  UnlockAfterError(handle.pinned);
  ForTransaction([&] { ReleaseBuffer(handle.pinned); });
  handle.pinned = InvalidBuffer;
}

// Lets all pages go. A file that the transaction may take back is looked up anew.
void UnpinAll() {
  for (TicketHandle* handle = first_entered; handle != nullptr; handle = handle->next_entered) {
    Unpin(*handle);
    if (handle->is_uncommitted) handle->prepared = 0;
    handle->is_entered = false;
  }
  first_entered = nullptr;
}

// Pins the page for the transaction. Its lock on the sequence keeps the file in place.
void Pin(TicketHandle& handle) {
  if (BufferIsValid(handle.pinned)) return;
  ForTransaction([&] {
    if (!BufferIsValid(handle.recent) ||
        !ReadRecentBuffer(handle.file, MAIN_FORKNUM, 0, handle.recent)) {
      handle.recent =
          ReadBufferWithoutRelcache(handle.file, MAIN_FORKNUM, 0, RBM_NORMAL, nullptr, true);
    }
  });
  handle.pinned = handle.recent;
  if (handle.is_entered) return;
  handle.next_entered = first_entered;
  first_entered = &handle;
  handle.is_entered = true;
}

// Takes the lock once a transaction, for all of it: a savepoint that is rolled back keeps it.
void LockSequence(TicketHandle& handle) {
  if (handle.locked_in == CurrentLocalXid()) return;
  ForTransaction([&] { LockRelationOid(handle.sequence, RowExclusiveLock); });
  handle.locked_in = CurrentLocalXid();
}

[[noreturn]] void Refuse(Relation relation, const char* why, const char* hint) {
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("sequence \"%s\" cannot give tickets", RelationGetRelationName(relation)),
                  errdetail("%s", why), errhint("%s", hint)));
}

void CheckKind(Relation relation) {
  if (relation->rd_rel->relpersistence == RELPERSISTENCE_TEMP) {
    Refuse(relation, "It is temporary.", "Use nextval().");
  }
  if (relation->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED) {
    Refuse(relation, "It is unlogged, and would not survive a crash.",
           "Use ALTER SEQUENCE ... SET LOGGED.");
  }
  const Oid extension = getExtensionOfObject(RelationRelationId, RelationGetRelid(relation));
  if (OidIsValid(extension) && extension == get_extension_oid("idgen", true)) {
    Refuse(relation, "It belongs to extension idgen.", "Use a sequence of your own.");
  }
}

void ReadOptions(TicketHandle& handle, Relation relation) {
  HeapTuple tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(handle.sequence));
  if (!HeapTupleIsValid(tuple)) {
    elog(ERROR, "cache lookup failed for sequence %u", handle.sequence);
  }
  const auto* row = reinterpret_cast<Form_pg_sequence>(GETSTRUCT(tuple));
  const bool cycles = row->seqcycle;
  handle.increment = row->seqincrement;
  handle.least = row->seqmin;
  handle.most = row->seqmax;
  handle.is_fed = IsFed(*row);
  ReleaseSysCache(tuple);
  if (cycles) {
    Refuse(relation, "It begins again at its end (CYCLE), and tickets are unique.",
           "Use ALTER SEQUENCE ... NO CYCLE.");
  }
}

// Reads from the catalogs what the handle needs. Taking in an invalidation meanwhile makes its
// caller do it again.
void Prepare(TicketHandle& handle) {
  const std::uint64_t changes = handle.changes;
  Relation relation = OpenTicketSequence(handle);
  CheckTicketPrivilege(handle, ACL_USAGE | ACL_UPDATE);
  CheckKind(relation);
  ReadOptions(handle, relation);
  if (!IsSameFile(handle.file, FileOf(relation))) {
    Unpin(handle);
    handle.recent = InvalidBuffer;
    handle.seal_place = 0;
    handle.file = FileOf(relation);
  }
  if (handle.is_fed) {
    char* const name = quote_qualified_identifier(
        get_namespace_name(RelationGetNamespace(relation)), RelationGetRelationName(relation));
    strlcpy(handle.name_at_server, name, sizeof(handle.name_at_server));
    pfree(name);
  }
  handle.is_uncommitted = IsUncommitted(relation);
  relation_close(relation, NoLock);
  handle.prepared = changes;
}

void NoteChange(TicketHandle& handle) {
  ++handle.changes;
  handle.ready_in = InvalidLocalTransactionId;
}

extern "C" {

static void OnSequenceChange(Datum, Oid relation) {
  if (first_handle == nullptr) return;
  if (relation == InvalidOid) {
    for (TicketHandle* handle = first_handle; handle != nullptr; handle = handle->next) {
      NoteChange(*handle);
    }
    return;
  }
  const auto* named =
      static_cast<NamedTicketHandle*>(hash_search(ticket_handles, &relation, HASH_FIND, nullptr));
  if (named != nullptr) NoteChange(*named->handle);
}

// Who is a member of which role decides on privileges.
static void OnRoleChange(Datum, CacheNumber, uint32) {
  for (TicketHandle* handle = first_handle; handle != nullptr; handle = handle->next) {
    handle->ready_in = InvalidLocalTransactionId;
  }
}

static void OnEndOfTransaction(XactEvent event, void*) {
  if (IsEndOfTransaction(event)) UnpinAll();
}

// The files that this part of the transaction made are about to go.
static void OnEndOfSubtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
  if (event == SUBXACT_EVENT_ABORT_SUB) UnpinAll();
}

// A session that ends gives back what is left, if it is the last to use the sequence. It is no
// transaction's business, so that of the session is ended first, as PostgreSQL does to remove
// temporary tables.
static void QuitAtExit(int, Datum) {
  if (RecoveryInProgress()) return;
  AbortOutOfAnyTransaction();
  StartTransactionCommand();
  for (TicketHandle* handle = first_handle; handle != nullptr; handle = handle->next) {
    if (handle->entry == nullptr) continue;
    if (IsLastUserOfTickets(handle->sequence)) GiveBackTickets(*handle);
    QuitTickets(handle->sequence);
  }
  CommitTransactionCommand();
}

}  // extern "C"

void Join(TicketHandle& handle) {
  static constinit bool quits_at_exit = false;
  if (!quits_at_exit) before_shmem_exit(QuitAtExit, Datum{0});
  quits_at_exit = true;
  handle.entry = &JoinTickets(handle.sequence);
  handle.tickets = &handle.entry->tickets;
}

}  // namespace

TicketHandle& TicketHandleOf(Oid sequence) {
  if (ticket_handles == nullptr) {
    HASHCTL control{};
    control.keysize = sizeof(Oid);
    control.entrysize = sizeof(NamedTicketHandle);
    ticket_handles = hash_create("idgen tickets", 16, &control, HASH_ELEM | HASH_BLOBS);
  }
  const auto* known =
      static_cast<NamedTicketHandle*>(hash_search(ticket_handles, &sequence, HASH_FIND, nullptr));
  if (known != nullptr) return *known->handle;
  auto* const handle =
      new (MemoryContextAlloc(TopMemoryContext, sizeof(TicketHandle))) TicketHandle;
  handle->sequence = sequence;
  handle->seal = &kNoSeal;
  auto* const named =
      static_cast<NamedTicketHandle*>(hash_search(ticket_handles, &sequence, HASH_ENTER, nullptr));
  named->handle = handle;
  handle->next = first_handle;
  first_handle = handle;
  return *handle;
}

Relation OpenTicketSequence(TicketHandle& handle) {
  LockSequence(handle);
  Relation relation = relation_open(handle.sequence, NoLock);
  if (relation->rd_rel->relkind != RELKIND_SEQUENCE) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is not a sequence", RelationGetRelationName(relation))));
  }
  return relation;
}

void CheckTicketPrivilege(const TicketHandle& handle, AclMode any_of) {
  if (pg_class_aclcheck(handle.sequence, GetUserId(), any_of) == ACLCHECK_OK) return;
  ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                  errmsg("permission denied for sequence %s", get_rel_name(handle.sequence))));
}

void EnterTickets(TicketHandle& handle, const char* function) {
  if (RecoveryInProgress()) ReportRecovery("take tickets");
  LockSequence(handle);
  while (handle.prepared != handle.changes) Prepare(handle);
  PreventCommandIfReadOnly(function);
  if (handle.entry == nullptr) Join(handle);
  Pin(handle);
  handle.seal =
      handle.seal_place == 0
          ? &kNoSeal
          : reinterpret_cast<const std::int64_t*>(BufferGetPage(handle.pinned) + handle.seal_place);
  handle.level = MustReplicate() ? 1 : 0;
  CheckTicketPrivilege(handle, ACL_USAGE | ACL_UPDATE);
  handle.user = GetUserId();
  handle.ready_in = CurrentLocalXid();
}

void NoteSeal(TicketHandle& handle, const std::int64_t* seal) {
  handle.seal = seal;
  handle.seal_place = reinterpret_cast<const char*>(seal) - BufferGetPage(handle.pinned);
}

void ForgetLastTickets() {
  for (TicketHandle* handle = first_handle; handle != nullptr; handle = handle->next) {
    handle->has_last = TicketHandle::Last::kNone;
  }
}

void AddNewTickets(LastMade& made, bool notes) {
  for (TicketHandle* handle = first_handle; handle != nullptr; handle = handle->next) {
    if (handle->has_last != TicketHandle::Last::kNew) continue;
    made.Add(handle->last);
    if (notes) handle->has_last = TicketHandle::Last::kSeen;
  }
}

void WatchTickets() {
  CacheRegisterRelcacheCallback(OnSequenceChange, Datum{0});
  // As PostgreSQL's own cache of memberships.
  CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, OnRoleChange, Datum{0});
  CacheRegisterSyscacheCallback(AUTHOID, OnRoleChange, Datum{0});
  CacheRegisterSyscacheCallback(DATABASEOID, OnRoleChange, Datum{0});
  RegisterXactCallback(OnEndOfTransaction, nullptr);
  RegisterSubXactCallback(OnEndOfSubtransaction, nullptr);
}

}  // namespace idgen::pg

#include "change_fence.h"

#include <algorithm>
#include <atomic>

#include "convert.h"
#include "errors.h"
#include "invalidate.h"
#include "transaction.h"

namespace idgen::pg {

namespace {

// A change by this transaction.
struct Planned {
  char generator[NAMEDATALEN];
  std::int64_t at_ms;
  SubTransactionId by;  // the innermost that the change still depends on
};
constinit List* planned = NIL;  // in TopMemoryContext

// The count of changes that this session has looked at the catalogs after.
constinit std::uint64_t learned = 0;

bool IsOf(const char* name, std::string_view generator) {
  return generator.substr(0, NAMEDATALEN - 1) == name;
}

void Forget() {
  list_free_deep(planned);
  planned = NIL;
}

const Planned* EarliestOf(std::string_view generator) {
  const Planned* earliest = nullptr;
  ListCell* cell;
  foreach (cell, planned) {
    const auto* const each = static_cast<const Planned*>(lfirst(cell));
    if (!IsOf(each->generator, generator)) continue;
    if (earliest == nullptr || each->at_ms < earliest->at_ms) earliest = each;
  }
  return earliest;
}

bool IsCommitting(const DatabaseMark& database) {
  const TransactionId xid = LoadWord(database.change_xid);
  return TransactionIdIsValid(xid) && TransactionIdIsInProgress(xid);
}

[[noreturn]] void ReportTooLate(const Planned& change, std::int64_t mark_ms) {
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("the layout of generator \"%s\" cannot change at %s", change.generator,
                         InstantText(change.at_ms * 1000)),
                  errdetail("IDs up to %s may have been made by now.", InstantText(mark_ms * 1000)),
                  errhint("Choose a later instant, and commit some seconds before it.")));
  pg_unreachable();
}

// Publishes the changes of this transaction, which is about to commit.
void Announce() {
  DatabaseMark& database = CurrentDatabaseMark();
  const TransactionId xid = GetTopTransactionIdIfAny();
  ListCell* cell;
  foreach (cell, planned) {
    const auto& change = *static_cast<const Planned*>(lfirst(cell));
    LWLockAcquire(&database.changing, LW_EXCLUSIVE);
    // There is one transaction at a time, and so one instant that sessions must not pass.
    const TransactionId other = LoadWord(database.change_xid);
    if (other != xid && TransactionIdIsValid(other) && TransactionIdIsInProgress(other)) {
      LWLockRelease(&database.changing);
      ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE),
                      errmsg("another change of a layout is being committed in this database"),
                      errhint("Try again.")));
    }
    if (other == xid && !IsOf(database.change_of, change.generator)) {
      LWLockRelease(&database.changing);
      ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                      errmsg("a transaction can change the layout of one generator only")));
    }
    const std::int64_t before_ms = other == xid ? LoadWord(database.change_ms) : change.at_ms;
    if (other != xid) ++std::atomic_ref(database.changes_begun);
    strlcpy(database.change_of, change.generator, NAMEDATALEN);
    StoreWord(database.change_ms, std::min(before_ms, change.at_ms));
    StoreWord(database.change_xid, xid);
    if (other != xid) ++std::atomic_ref(database.changes);
    LWLockRelease(&database.changing);
    // Either a session sees the count, or its look at the mark is seen here.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const std::int64_t mark_ms = LoadSharedMs(database.written_ms);
    if (mark_ms >= change.at_ms) ReportTooLate(change, mark_ms);
  }
}

extern "C" {

static void OnEndOfTransactionWithChange(XactEvent event, void*) {
  if (planned == NIL) return;
  if (event == XACT_EVENT_PRE_COMMIT) return Announce();
  if (event == XACT_EVENT_PRE_PREPARE) {
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("cannot PREPARE a transaction that has changed the layout of a generator"),
             errdetail("It might be committed after the instant of the change.")));
  }
  if (IsEndOfTransaction(event)) {
    Forget();
    InvalidateHandles();
  }
}

static void OnEndOfSubtransactionWithChange(SubXactEvent event, SubTransactionId mine,
                                            SubTransactionId parent, void*) {
  ListCell* cell;
  foreach (cell, planned) {
    auto* const change = static_cast<Planned*>(lfirst(cell));
    if (change->by != mine) continue;
    if (event == SUBXACT_EVENT_COMMIT_SUB) change->by = parent;
    if (event == SUBXACT_EVENT_ABORT_SUB) {
      planned = foreach_delete_current(planned, cell);
      pfree(change);
      InvalidateHandles();
    }
  }
}

}  // extern "C"

}  // namespace

void PlanChange(std::string_view generator, std::int64_t at_ms) {
  DatabaseMark& database = CurrentDatabaseMark();
  MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
  auto* const change = static_cast<Planned*>(palloc0(sizeof(Planned)));
  std::copy_n(generator.data(), std::min<std::size_t>(generator.size(), NAMEDATALEN - 1),
              change->generator);
  change->at_ms = at_ms;
  change->by = GetCurrentSubTransactionId();
  planned = lappend(planned, change);
  MemoryContextSwitchTo(caller);
  // Parallel workers would know nothing of it.
  (void)set_config_option("max_parallel_workers_per_gather", "0", PGC_USERSET, PGC_S_SESSION,
                          GUC_ACTION_LOCAL, true, 0, false);
  InvalidateHandles();
  // Say so early, if it is clear now.
  const std::int64_t mark_ms = LoadSharedMs(database.written_ms);
  if (mark_ms >= at_ms) ReportTooLate(*change, mark_ms);
}

std::int64_t FencedMs(const DatabaseMark& database, std::string_view generator,
                      std::int64_t durable_ms) {
  const Planned* const own = planned != NIL ? EarliestOf(generator) : nullptr;
  if (own != nullptr) durable_ms = std::min(durable_ms, own->at_ms);
  // After the mark: see Announce().
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::uint64_t changes = LoadWord(database.changes);
  if (likely(changes == learned)) return durable_ms;
  const std::int64_t at_ms =
      IsOf(database.change_of, generator) ? LoadWord(database.change_ms) : durable_ms;
  // That was of the one change that the session may not know, or nothing is known.
  std::atomic_thread_fence(std::memory_order_acquire);
  if (changes != learned + 1 || LoadWord(database.changes_begun) != changes) return 0;
  return std::min(durable_ms, at_ms);
}

bool HasNewChanges(const DatabaseMark& database) {
  const std::uint64_t changes = LoadWord(database.changes);
  return unlikely(changes != learned) && (learned + 1 < changes || !IsCommitting(database));
}

void LearnOfChanges(const DatabaseMark& database, bool must_wait) {
  // Before the look at the catalogs.
  const std::uint64_t changes = LoadWord(database.changes);
  const TransactionId xid = LoadWord(database.change_xid);
  if (must_wait && IsCommitting(database)) XactLockTableWait(xid, nullptr, nullptr, XLTW_None);
  const bool is_committing = IsCommitting(database);
  // The transaction may have ended without having sent its invalidations yet.
  InvalidateSystemCaches();
  InvalidateHandles();
  learned = is_committing ? std::max(learned, changes - 1) : changes;
}

void CheckOwnChange(std::string_view generator, std::int64_t needed_ms) {
  const Planned* const own = planned != NIL ? EarliestOf(generator) : nullptr;
  if (own == nullptr || needed_ms <= own->at_ms) return;
  ereport(
      ERROR,
      (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
       errmsg("this transaction has changed the layout of generator \"%s\" and did not end before",
              own->generator),
       errdetail("The change is at %s.", InstantText(own->at_ms * 1000)),
       errhint("Commit right after idgen_change_layout().")));
}

void WatchChanges() {
  RegisterXactCallback(OnEndOfTransactionWithChange, nullptr);
  RegisterSubXactCallback(OnEndOfSubtransactionWithChange, nullptr);
}

}  // namespace idgen::pg

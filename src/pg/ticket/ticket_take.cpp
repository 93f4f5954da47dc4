// The slow path: reserving numbers on the page of the sequence, and publishing them when they are
// durable.
//
// The order is always: the page is written with its content lock held; its record in the log is
// flushed, and replicated if synchronous replication is in use, with no lock held; then the numbers
// are published. So several sessions may do this at once. One that finds numbers on the page that
// are not published yet, because their writer is waiting or was cancelled, flushes and publishes
// them itself.
#include <algorithm>

#include "core/clock.h"
#include "errors.h"
#include "standbys.h"
#include "ticket_files.h"
#include "ticket_handle.h"
#include "ticket_plan.h"
#include "wait.h"

namespace idgen::pg {

namespace {

// How long a session that ends tries to lock the page.
constexpr std::int64_t kExitPatienceUs = 200'000;
constexpr long kExitPauseUs = 100;

constexpr char kWhat[] = "reserve of tickets";

// What a caller needs: so many numbers, if they ascend greater than `beyond`. None: early, and only
// if the page is as it was left.
struct Wish {
  std::uint64_t least = 0;
  std::int64_t beyond = kNothing;

  static constexpr std::int64_t kNothing = std::numeric_limits<std::int64_t>::min();
};

// A reserve on a page of its own.
struct OwnReserved : Reserved {
  bool is_new = false;     // the page has to be written
  bool is_moved = false;   // past numbers that were handed out
  std::int64_t first = 0;  // of a new range
};

std::int64_t LimitOf(const TicketHandle& handle) {
  return handle.increment > 0 ? handle.most : handle.least;
}

// Whether the page is as the entry's range was left on it.
bool IsAsLeft(const TicketHandle& handle, const TicketPage& page) {
  const TicketEntry& entry = *handle.entry;
  return page.is_sealed && page.recorded && entry.is_open && page.record.token == entry.token &&
         handle.increment == entry.increment && LimitOf(handle) == entry.limit;
}

[[noreturn]] void ReportEnd(const TicketHandle& handle, const TicketStart& start,
                            std::uint64_t least) {
  const char* const name = get_rel_name(handle.sequence);
  const auto limit = static_cast<long long>(LimitOf(handle));
  const char* const which = handle.increment > 0 ? "maximum" : "minimum";
  ereport(ERROR,
          (errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
           errmsg("reached %s value of sequence \"%s\" (%lld)", which, name, limit),
           least > 1
               ? errdetail("It has not %llu numbers left.", static_cast<unsigned long long>(least))
               : 0,
           start.is_moved ? errhint("It was set back, and tickets do not come again. The owner can "
                                    "begin anew with ticket_restart().")
                          : 0));
  pg_unreachable();
}

// Plans to lengthen the range, and what the page is to show. Nothing is reserved if the range
// cannot have `least` more.
bool PlanLonger(const TicketHandle& handle, TicketPage& page, const Wish& wish,
                OwnReserved& reserved) {
  const std::uint64_t least = wish.least;
  TicketEntry& entry = *handle.entry;
  const std::uint64_t word = LoadTicketWord(entry.tickets.word);
  const std::uint64_t passed =
      entry.increment > 0 ? CountTickets(entry.base, wish.beyond, entry.increment) : 0;
  const std::uint64_t index = std::max(TicketIndex(word), passed);
  const std::uint64_t written = CountTickets(entry.base, page.last_value, entry.increment);
  const std::uint64_t most = CountTickets(entry.base, entry.limit, entry.increment);
  reserved.generation = TicketGeneration(word);
  reserved.size = written;
  // Another session is at it.
  const TicketRange& range = entry.tickets.ranges[reserved.generation & 1];
  if (least == 0 && written > LoadTicketWord(range.size[handle.level])) return false;
  if (index + least > written || (least == 0 && written < most)) {
    const std::uint64_t reserve = AdaptReserve(entry, true);
    reserved.size = std::max(written, std::min(index + std::max(reserve, least), most));
    if (reserved.size < index + least) return false;
    reserved.is_new = reserved.size > written;
  }
  reserved.low = LowOf(reserved.size, most, entry.reserve);
  page.last_value = TicketAt(entry.base, entry.increment, reserved.size - 1);
  QuietTickets(entry.tickets, reserved.generation);
  return true;
}

// Plans a new range, opens it, and what the page is to show.
void PlanNew(const TicketHandle& handle, TicketPage& page, std::uint64_t least,
             const TicketStart& start, std::int64_t token, OwnReserved& reserved) {
  TicketEntry& entry = *handle.entry;
  const std::uint64_t most = CountTickets(start.first, LimitOf(handle), handle.increment);
  const std::uint64_t reserve = AdaptReserve(entry, false);
  entry.token = token;
  (void)OpenTickets(entry.tickets, start.first, handle.increment);
  entry.is_open = true;
  entry.base = start.first;
  entry.increment = handle.increment;
  entry.limit = LimitOf(handle);
  reserved.generation = TicketGeneration(LoadTicketWord(entry.tickets.word));
  reserved.size = std::min(std::max(reserve, least), most);
  reserved.low = LowOf(reserved.size, most, reserve);
  reserved.is_new = true;
  reserved.is_moved = start.is_moved;
  reserved.first = start.first;
  page.last_value = TicketAt(entry.base, entry.increment, reserved.size - 1);
}

// Takes out of the record what is left of the entry's range. All that was reserved before it lies
// before its first number.
void Shorten(TicketRecord& record, const TicketEntry& entry, std::uint64_t taken) {
  const std::int64_t base = entry.base;
  const bool ascends = entry.increment > 0;
  if (taken > 0) {
    (ascends ? record.highest : record.lowest) = TicketAt(base, entry.increment, taken - 1);
  } else if ((ascends ? record.lowest : record.highest) == base) {
    record = TicketRecord{};
  } else {
    (ascends ? record.highest : record.lowest) = ascends ? base - 1 : base + 1;
  }
}

bool Plan(const TicketHandle& handle, TicketPage& page, const Wish& wish, OwnReserved& reserved) {
  const std::uint64_t least = wish.least;
  TicketEntry& entry = *handle.entry;
  const bool is_entrys = page.recorded && entry.token != 0 && page.record.token == entry.token;
  const std::int64_t token = is_entrys ? entry.token : NewToken();
  const bool is_as_left = IsAsLeft(handle, page);
  TicketStart start;
  bool has_end = false;
  LWLockAcquire(&entry.lock, LW_EXCLUSIVE);
  bool planned = is_as_left && PlanLonger(handle, page, wish, reserved);
  if (!planned && least > 0) {
    // Of a range that others have cut off, only what was taken counts.
    if (is_entrys && entry.is_open && !is_as_left) Shorten(page.record, entry, EndRange(entry));
    start = StartTickets(page.last_value, page.is_called, handle.increment, page.record.lowest,
                         page.record.highest);
    if (start.exists && handle.increment > 0 && start.first <= wish.beyond) {
      const bool is_moved = start.is_moved;
      start = StartTickets(start.first, false, handle.increment, Wish::kNothing, wish.beyond);
      start.is_moved = is_moved;
    }
    has_end = !start.exists || CountTickets(start.first, LimitOf(handle), handle.increment) < least;
    if (!has_end) PlanNew(handle, page, least, start, token, reserved);
    planned = !has_end;
  }
  LWLockRelease(&entry.lock);
  if (has_end) ReportEnd(handle, start, least);
  return planned;
}

// Writes what was planned on the locked page.
XLogRecPtr WritePlan(Relation relation, const TicketHandle& handle, TicketPage& page) {
  const std::int64_t base = handle.entry->base;
  page.is_called = true;
  page.is_sealed = true;
  page.record.token = handle.entry->token;
  page.record.lowest = std::min({page.record.lowest, base, page.last_value});
  page.record.highest = std::max({page.record.highest, base, page.last_value});
  return WriteTicketPage(relation, handle.pinned, page);
}

// What a session knows of a page that it has unlocked.
struct Written {
  OwnReserved reserved;
  TicketPage page;
  XLogRecPtr lsn = InvalidXLogRecPtr;
};

// Reserves on the page, which is locked, and unlocks it. Returns false if there is nothing to
// publish.
bool ReserveOnPage(Relation relation, TicketHandle& handle, const Wish& wish, Written& written) {
  TicketPage& page = written.page;
  ReadTicketPage(relation, handle.pinned, page);
  const bool planned = Plan(handle, page, wish, written.reserved);
  if (planned) {
    written.lsn = written.reserved.is_new ? WritePlan(relation, handle, page)
                                          : PageGetLSN(BufferGetPage(handle.pinned));
    if (!RelationNeedsWAL(relation)) written.lsn = InvalidXLogRecPtr;
    TicketPage now;
    ReadTicketPage(relation, handle.pinned, now);
    NoteSeal(handle, now.seal);
  }
  LockBuffer(handle.pinned, BUFFER_LOCK_UNLOCK);
  return planned;
}

// Makes what was written durable and publishes it. No lock of any kind is held.
void MakeDurableAndPublish(Relation relation, TicketHandle& handle, const Written& written) {
  XLogRecPtr lsn = written.lsn;
  if (lsn != InvalidXLogRecPtr) XLogFlush(lsn);
  if (handle.is_uncommitted) {
    lsn = std::max(lsn, LeaveTickets(relation, written.page, handle.increment));
  }
  const bool replicates = MustReplicate();
  if (replicates && lsn != InvalidXLogRecPtr) WaitForStandbys(lsn, kWhat);
  Publish(handle, written.reserved, replicates);
  handle.level = replicates ? 1 : 0;
}

void ReportMoved(const TicketHandle& handle, std::int64_t first) {
  ereport(WARNING,
          (errmsg("sequence \"%s\" was set to numbers that were handed out as tickets, and goes on "
                  "with %lld",
                  get_rel_name(handle.sequence), static_cast<long long>(first)),
           errdetail("Tickets do not come again."),
           errhint("The owner can begin anew with ticket_restart().")));
}

void Lengthen(TicketHandle& handle, const Wish& wish) {
  Relation relation = relation_open(handle.sequence, NoLock);
  LockPage(handle.pinned);
  Written written;
  if (ReserveOnPage(relation, handle, wish, written)) {
    MakeDurableAndPublish(relation, handle, written);
    if (written.reserved.is_moved) ReportMoved(handle, written.reserved.first);
  }
  relation_close(relation, NoLock);
}

}  // namespace

TakenTickets TakeTicketsSlowly(TicketHandle& handle, std::uint64_t least, std::uint64_t most) {
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    if (!IsReady(handle)) EnterTickets(handle);
    const TakenTickets taken = TakeTickets(*handle.tickets, handle.level, least, most,
                                           [&handle] { return IsSealed(handle); });
    if (taken.count > 0) {
      if (taken.is_low) LengthenEarly(handle);
      return taken;
    }
    if (handle.is_fed) {
      LengthenSegment(handle, least);
    } else {
      Lengthen(handle, {least, Wish::kNothing});
    }
  }
}

std::int64_t NextTicketSlowly(TicketHandle& handle) {
  NoteLast(handle, TakeTicketsSlowly(handle, 1, 1).first);
  return handle.last;
}

std::int64_t NextTicketBeyond(TicketHandle& handle, std::int64_t beyond) {
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    if (!IsReady(handle)) EnterTickets(handle, "lamport_observe()");
    const TakenTickets taken = TakeTicketBeyond(*handle.tickets, handle.level, beyond,
                                                [&handle] { return IsSealed(handle); });
    if (taken.count > 0) {
      NoteLast(handle, taken.first);
      if (taken.is_low) LengthenEarly(handle);
      return handle.last;
    }
    Lengthen(handle, {1, beyond});
  }
}

// Its holder keeps the LWLock over a flush. Nobody waits for it: who does not get it goes on with
// what is left of the range.
void LengthenEarly(TicketHandle& handle) {
  // Then catalogs have to be read.
  if (handle.is_uncommitted) return;
  if (handle.is_fed) return LengthenSegmentEarly(handle);
  Relation relation = relation_open(handle.sequence, NoLock);
  TicketEntry& entry = *handle.entry;
  Written written;
  bool planned = false;
  if (LWLockConditionalAcquire(&entry.refilling, LW_EXCLUSIVE)) {
    if (TryLockPage(handle.pinned)) planned = ReserveOnPage(relation, handle, {}, written);
    if (planned && written.lsn != InvalidXLogRecPtr) XLogFlush(written.lsn);
    LWLockRelease(&entry.refilling);
  }
  if (planned) MakeDurableAndPublish(relation, handle, written);
  relation_close(relation, NoLock);
}

void RestartTickets(TicketHandle& handle, std::int64_t value) {
  Relation relation = relation_open(handle.sequence, NoLock);
  LockPage(handle.pinned);
  TicketPage page;
  ReadTicketPage(relation, handle.pinned, page);
  LWLockAcquire(&handle.entry->lock, LW_EXCLUSIVE);
  (void)EndRange(*handle.entry);
  LWLockRelease(&handle.entry->lock);
  page.record = TicketRecord{};
  page.last_value = value;
  page.is_called = false;
  page.is_sealed = false;
  const XLogRecPtr lsn = WriteTicketPage(relation, handle.pinned, page);
  LockBuffer(handle.pinned, BUFFER_LOCK_UNLOCK);
  if (lsn != InvalidXLogRecPtr) XLogFlush(lsn);
  relation_close(relation, NoLock);
}

namespace {

void GiveBackOwn(Relation relation, Buffer buffer, TicketEntry& entry) {
  TicketPage page;
  ReadTicketPage(relation, buffer, page);
  LWLockAcquire(&entry.lock, LW_EXCLUSIVE);
  const bool gives_back =
      page.is_sealed && page.recorded && entry.is_open && page.record.token == entry.token;
  const std::uint64_t taken = EndRange(entry);
  LWLockRelease(&entry.lock);
  if (gives_back) {
    page.is_sealed = false;
    page.is_called = taken > 0;
    page.last_value = taken > 0 ? TicketAt(entry.base, entry.increment, taken - 1) : entry.base;
    Shorten(page.record, entry, taken);
    (void)WriteTicketPage(relation, buffer, page);
  }
}

}  // namespace

void GiveBackTickets(TicketHandle& handle) {
  TicketEntry& entry = *handle.entry;
  if (!ConditionalLockRelationOid(handle.sequence, RowExclusiveLock)) return;
  Relation relation = try_relation_open(handle.sequence, NoLock);
  if (relation == nullptr || relation->rd_rel->relkind != RELKIND_SEQUENCE ||
      relation->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT) {
    // It was dropped: nobody takes from it any more.
    LWLockAcquire(&entry.lock, LW_EXCLUSIVE);
    (void)EndRange(entry);
    LWLockRelease(&entry.lock);
    if (relation != nullptr) relation_close(relation, NoLock);
    return;
  }
  Buffer buffer = ReadBuffer(relation, 0);
  const std::int64_t end = MonotonicUs() + kExitPatienceUs;
  bool locked = TryLockPage(buffer);
  while (!locked && MonotonicUs() < end) {
    pg_usleep(kExitPauseUs);
    locked = TryLockPage(buffer);
  }
  if (locked) {
    if (handle.is_fed) {
      GiveBackSegments(relation, buffer, entry);
    } else {
      GiveBackOwn(relation, buffer, entry);
    }
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
  }
  ReleaseBuffer(buffer);
  relation_close(relation, NoLock);
}

}  // namespace idgen::pg

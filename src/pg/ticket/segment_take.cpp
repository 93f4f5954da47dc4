// The slow path of sequences that take their numbers from a ticket server: the segment in use is
// handed out as a reserve of the page is, in steps that are durable before they are published. When
// a tenth of it is gone, the next one is ordered.
//
// No step waits for the standbys: one that is promoted drops the segments (segment_page.h).
#include <algorithm>

#include "core/clock.h"
#include "errors.h"
#include "segment_feed.h"
#include "segment_page.h"
#include "segment_worker.h"
#include "ticket_files.h"
#include "ticket_plan.h"
#include "wait.h"

namespace idgen::pg {

namespace {

// The next segment is ordered when this part of the one in use is gone (Leaf's is the same).
constexpr std::uint64_t kOrderPart = 10;
// How often a session that waits looks whether the segment is there.
constexpr std::int64_t kLookUs = 1'000;
// And says that it still waits.
constexpr std::int64_t kOrderAgainUs = 100'000;

// What was planned with the page locked.
struct SegmentPlan {
  Reserved reserved;
  bool gives = false;  // there are numbers to publish
  bool is_written = false;
  bool orders = false;  // the worker is to be woken
  Segment refused{};    // a segment that has come before
  XLogRecPtr lsn = InvalidXLogRecPtr;
};

const DatabaseCopy& ThisCopy() {
  static constinit DatabaseCopy copy{};
  if (copy.database == InvalidOid) copy = CopyOfThisDatabase();
  return copy;
}

// Goes on with the range of the entry: `least` numbers more, or early if that is 0.
void PlanOn(TicketEntry& entry, SegmentRecord& record, std::uint64_t least, SegmentPlan& plan) {
  const std::uint64_t word = LoadTicketWord(entry.tickets.word);
  const std::uint64_t index = TicketIndex(word);
  const std::uint64_t most = record.current.count;
  plan.reserved.generation = TicketGeneration(word);
  const TicketRange& range = entry.tickets.ranges[plan.reserved.generation & 1];
  // Another session is at it.
  if (least == 0 && record.reserved > LoadTicketWord(range.size[0])) return;
  if (index + least > record.reserved || (least == 0 && record.reserved < most)) {
    const std::uint64_t reserve = AdaptReserve(entry, true);
    const std::uint64_t size =
        std::max(record.reserved, std::min(index + std::max(reserve, least), most));
    if (size < index + least) return;
    plan.is_written = size > record.reserved;
    record.reserved = size;
  }
  QuietTickets(entry.tickets, plan.reserved.generation);
  plan.gives = true;
}

// Begins a segment.
void Begin(const Segment& segment, TicketEntry& entry, SegmentRecord& record, std::uint64_t least,
           std::int64_t token, SegmentPlan& plan) {
  const std::uint64_t reserve = AdaptReserve(entry, entry.is_open);
  (void)OpenTickets(entry.tickets, segment.first, segment.increment);
  entry.is_open = true;
  entry.token = token;
  entry.base = segment.first;
  entry.increment = segment.increment;
  entry.limit = LastOf(segment);
  entry.began_us = MonotonicUs();
  StoreTicketWord(entry.segment_size, segment.count);
  record.token = token;
  record.current = segment;
  record.reserved = std::min(std::max(reserve, least), segment.count);
  plan.reserved.generation = TicketGeneration(LoadTicketWord(entry.tickets.word));
  plan.gives = plan.is_written = true;
}

// Puts the segment that has come on the page as the next one. One that is there gives way if it is
// too small for the caller.
void TakeIn(SegmentFeed& feed, SegmentRecord& record, std::uint64_t least, SegmentPlan& plan) {
  if (feed.fetched.count == 0 || (record.next.count > 0 && record.next.count >= least)) return;
  const Segment fetched = feed.fetched;
  feed.fetched = {};
  if (!NoteSegment(record.series, fetched)) {
    plan.refused = fetched;
    return;
  }
  record.next = fetched;
  record.step = feed.step;
  record.fetched_us = WallClockUs();
  plan.is_written = true;
}

// Orders a segment if the next one is not there: early, or of at least as many numbers as the
// caller waits for.
void Order(const TicketHandle& handle, SegmentFeed& feed, const SegmentRecord& record,
           std::uint64_t least, SegmentPlan& plan) {
  const bool is_needed = least > 0 && !plan.gives;
  if (record.next.count > 0 && !is_needed) return;
  if (!is_needed && record.reserved * kOrderPart < record.current.count) return;
  if (feed.fetched.count > 0 || *TicketServers() == '\0') return;
  const auto smallest = static_cast<std::uint64_t>(TicketSegment());
  if (feed.wanted == 0) {
    feed.step = record.step == 0
                    ? smallest
                    : NextStep(record.step, WallClockUs() - record.fetched_us, smallest);
    feed.ordered_us = MonotonicUs();
    feed.wanted = feed.step;
    feed.least = 1;
    plan.orders = true;
  }
  if (is_needed && feed.least < least) {
    feed.least = least;
    feed.wanted = std::max(feed.wanted, least);
    plan.orders = true;
  }
  strlcpy(feed.servers, TicketServers(), sizeof(feed.servers));
  strlcpy(feed.sequence, handle.name_at_server, sizeof(feed.sequence));
}

void Plan(const TicketHandle& handle, SegmentRecord& record, std::uint64_t least,
          std::int64_t token, SegmentPlan& plan) {
  TicketEntry& entry = *handle.entry;
  LWLockAcquire(&entry.lock, LW_EXCLUSIVE);
  SegmentFeed& feed = *FeedOf(entry);
  const bool is_entrys = entry.is_open && record.token != 0 && record.token == entry.token;
  if (is_entrys) PlanOn(entry, record, least, plan);
  TakeIn(feed, record, plan.gives ? 0 : least, plan);
  if (!plan.gives && least > 0) {
    const Segment rest = is_entrys ? Segment{} : RestOf(record.current, record.reserved);
    if (rest.count >= least) {
      Begin(rest, entry, record, least, token, plan);
    } else if (record.next.count >= least) {
      const Segment next = record.next;
      record.next = {};
      Begin(next, entry, record, least, token, plan);
    } else if (!is_entrys && entry.is_open) {
      (void)EndRange(entry);
    }
  }
  Order(handle, feed, record, least, plan);
  feed.next_size = record.next.count;
  // Until the next segment is there, somebody looks for it.
  const bool is_last = record.next.count > 0;
  plan.reserved.size = record.reserved;
  plan.reserved.low =
      LowOf(record.reserved, is_last ? record.current.count : kMostTickets, entry.reserve);
  LWLockRelease(&entry.lock);
}

// Plans on the page, which is locked, and unlocks it.
SegmentPlan PlanOnPage(Relation relation, TicketHandle& handle, std::uint64_t least,
                       const DatabaseCopy& copy, std::int64_t token) {
  SegmentPlan plan;
  SegmentPage page;
  const bool is_good = ReadSegmentPage(handle.pinned, page);
  if (is_good) {
    SegmentRecord& record = page.record;
    if (record.copy != copy) {
      record.copy = copy;
      DropFrom(record);
    }
    Plan(handle, record, least, token, plan);
    if (plan.is_written || (plan.gives && !page.is_sealed)) {
      plan.lsn = WriteSegmentPage(relation, handle.pinned, record, true);
      (void)ReadSegmentPage(handle.pinned, page);
    } else if (plan.gives) {
      plan.lsn = PageGetLSN(BufferGetPage(handle.pinned));
    }
    if (!RelationNeedsWAL(relation)) plan.lsn = InvalidXLogRecPtr;
    if (page.is_sealed) NoteSeal(handle, page.seal);
  }
  LockBuffer(handle.pinned, BUFFER_LOCK_UNLOCK);
  if (!is_good) ReportBadPage(relation);
  return plan;
}

void ReportRefused(int level, const char* sequence, const Segment& refused) {
  ereport(
      level,
      (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
       errmsg("the ticket server gave numbers of sequence \"%s\" that have come before: %lld to "
              "%lld",
              sequence, static_cast<long long>(refused.first),
              static_cast<long long>(LastOf(refused))),
       errdetail("They are not used. The sequence was set back there, or the ticket server lost "
                 "what it had written, or two ticket servers give the same numbers."),
       errhint("Set it beyond all numbers in use there, by setval(). Two ticket servers need "
               "INCREMENT 2, one of them odd numbers, the other even ones.")));
}

// What the session that waits knows of the order.
struct Answer {
  bool is_there;          // a segment
  std::uint64_t refused;  // see SegmentFeed
  char error[registry::kErrorSize];
};

Answer LookAt(TicketEntry& entry) {
  Answer answer{};
  LWLockAcquire(&entry.lock, LW_SHARED);
  const SegmentFeed& feed = *FeedOf(entry);
  answer.is_there = feed.fetched.count > 0;
  answer.refused = feed.refused;
  if (feed.failed_us != 0) strlcpy(answer.error, feed.error, sizeof(answer.error));
  LWLockRelease(&entry.lock);
  return answer;
}

[[noreturn]] void ReportNoSegment(const TicketHandle& handle, const Answer& answer) {
  const char* const name = get_rel_name(handle.sequence);
  if (answer.error[0] != '\0') {
    ereport(ERROR,
            (errcode(ERRCODE_CONNECTION_FAILURE),
             errmsg("no numbers of sequence \"%s\" are left here, and the ticket server gives "
                    "none: %s",
                    name, answer.error),
             errhint("See the server log and idgen.ticket_servers.")));
  }
  ereport(ERROR, (errcode(ERRCODE_CONNECTION_FAILURE),
                  errmsg("no answer from the ticket server for sequence \"%s\" within %s", name,
                         DurationText(std::int64_t{MaxLeaseWaitMs()} * 1000)),
                  errhint("See idgen.max_lease_wait and the server log.")));
  pg_unreachable();
}

[[noreturn]] void ReportNoServer(const TicketHandle& handle) {
  ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                  errmsg("sequence \"%s\" takes its numbers from a ticket server, and "
                         "idgen.ticket_servers is not set",
                         get_rel_name(handle.sequence)),
                  errhint("A superuser sets it, in postgresql.conf or for this database.")));
  pg_unreachable();
}

// Makes what was planned durable and publishes it.
void Finish(Relation relation, TicketHandle& handle, const SegmentPlan& plan) {
  if (plan.lsn != InvalidXLogRecPtr) XLogFlush(plan.lsn);
  if (handle.is_uncommitted) LeaveSegments(relation);
  Publish(handle, plan.reserved, true);
}

}  // namespace

void LengthenSegment(TicketHandle& handle, std::uint64_t least) {
  const DatabaseCopy& copy = ThisCopy();
  const std::int64_t token = NewToken();
  TicketEntry& entry = *handle.entry;
  (void)NeedFeed(entry);
  const Answer before = LookAt(entry);
  Relation relation = relation_open(handle.sequence, NoLock);
  const std::int64_t began_us = MonotonicUs();
  for (std::int64_t woken_us = 0;;) {
    LockPage(handle.pinned);
    const SegmentPlan plan = PlanOnPage(relation, handle, least, copy, token);
    if (plan.refused.count > 0)
      ReportRefused(plan.gives ? LOG : ERROR, RelationGetRelationName(relation), plan.refused);
    const std::int64_t now_us = MonotonicUs();
    if (plan.orders || (!plan.gives && now_us - woken_us >= kOrderAgainUs)) {
      WakeTicketWorker(!plan.gives);
      woken_us = now_us;
    }
    if (plan.gives) {
      Finish(relation, handle, plan);
      break;
    }
    if (*TicketServers() == '\0') ReportNoServer(handle);
    // Others may have put a segment on the page meanwhile, so the page is looked at again anyway.
    for (Answer now = LookAt(entry); !now.is_there; now = LookAt(entry)) {
      const std::int64_t passed_us = MonotonicUs() - began_us;
      if (now.refused != before.refused || passed_us >= std::int64_t{MaxLeaseWaitMs()} * 1000) {
        ReportNoSegment(handle, now);
      }
      WaitForClock(kLookUs, WaitReason::kTickets);
      if (MonotonicUs() - now_us >= 10 * kLookUs) break;
    }
  }
  relation_close(relation, NoLock);
}

void LengthenSegmentEarly(TicketHandle& handle) {
  TicketEntry& entry = *handle.entry;
  if (!DsaPointerIsValid(entry.feed)) return;
  // Nothing can be done but wait for the next segment.
  const TicketRange& range =
      entry.tickets.ranges[TicketGeneration(LoadTicketWord(entry.tickets.word)) & 1];
  if (LoadTicketWord(range.size[0]) == LoadTicketWord(entry.segment_size) &&
      LoadTicketWord(FeedOf(entry)->fetched.count) == 0) {
    return;
  }
  const DatabaseCopy& copy = ThisCopy();
  SegmentPlan plan;
  Relation relation = relation_open(handle.sequence, NoLock);
  if (LWLockConditionalAcquire(&entry.refilling, LW_EXCLUSIVE)) {
    if (TryLockPage(handle.pinned)) plan = PlanOnPage(relation, handle, 0, copy, 0);
    if (plan.gives && plan.lsn != InvalidXLogRecPtr) XLogFlush(plan.lsn);
    LWLockRelease(&entry.refilling);
  }
  if (plan.refused.count > 0) ReportRefused(LOG, RelationGetRelationName(relation), plan.refused);
  if (plan.orders) WakeTicketWorker(false);
  if (plan.gives) Publish(handle, plan.reserved, true);
  relation_close(relation, NoLock);
}

void DropSegments(TicketHandle& handle) {
  TicketEntry& entry = *handle.entry;
  SegmentFeed& feed = NeedFeed(entry);
  Relation relation = relation_open(handle.sequence, NoLock);
  XLogRecPtr lsn = InvalidXLogRecPtr;
  SegmentPage page;
  LockPage(handle.pinned);
  const bool is_good = ReadSegmentPage(handle.pinned, page);
  LWLockAcquire(&entry.lock, LW_EXCLUSIVE);
  (void)EndRange(entry);
  feed.fetched = {};
  LWLockRelease(&entry.lock);
  if (is_good) {
    DropFrom(page.record);
    lsn = WriteSegmentPage(relation, handle.pinned, page.record, false);
  }
  LockBuffer(handle.pinned, BUFFER_LOCK_UNLOCK);
  if (!is_good) ReportBadPage(relation);
  if (lsn != InvalidXLogRecPtr) XLogFlush(lsn);
  relation_close(relation, NoLock);
}

void GiveBackSegments(Relation relation, Buffer buffer, TicketEntry& entry) {
  SegmentPage page;
  SegmentPlan plan;
  if (!ReadSegmentPage(buffer, page)) return;
  SegmentRecord& record = page.record;
  LWLockAcquire(&entry.lock, LW_EXCLUSIVE);
  const bool is_entrys = entry.is_open && record.token != 0 && record.token == entry.token;
  const std::uint64_t taken = EndRange(entry);
  if (is_entrys) {
    record.current = RestOf(record.current, taken);
    record.reserved = 0;
    record.token = 0;
    if (FeedOf(entry) != nullptr) TakeIn(*FeedOf(entry), record, 0, plan);
  }
  LWLockRelease(&entry.lock);
  if (is_entrys) (void)WriteSegmentPage(relation, buffer, record, false);
  if (plan.refused.count > 0) ReportRefused(LOG, RelationGetRelationName(relation), plan.refused);
}

}  // namespace idgen::pg

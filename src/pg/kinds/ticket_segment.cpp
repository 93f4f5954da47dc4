// The SQL functions of segments: what a ticket server gives, and what a sequence has that takes its
// numbers from one.
#include "convert.h"
#include "count.h"
#include "row.h"
#include "segment_feed.h"
#include "segment_page.h"
#include "ticket_handle.h"
#include "ticket_site.h"

namespace idgen::pg {

namespace {

void Run(const char* statement, int expected) {
  const int result = SPI_execute(statement, false, 0);
  if (result != expected) elog(ERROR, "%s: %s", statement, SPI_result_code_string(result));
}

// What the page has. In a copy of the database it has nothing, and on a standby there is none to
// use.
SegmentRecord ReadSegments(Relation relation) {
  if (RecoveryInProgress()) return {};
  Buffer buffer = ReadBuffer(relation, 0);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  SegmentPage page;
  const bool is_good = ReadSegmentPage(buffer, page);
  UnlockReleaseBuffer(buffer);
  if (!is_good) ReportBadPage(relation);
  if (page.record.copy == CopyOfThisDatabase()) return page.record;
  return {};
}

// What a sequence has, on the page and in shared memory.
struct SegmentStatus {
  SegmentRecord record;
  Segment current{};
  Segment fetched{};
  std::int64_t lasts_us = -1;
  bool is_ordered = false;
  std::int64_t failed_us = 0;
  char error[registry::kErrorSize] = {};
};

void LookAtEntry(void* context, TicketEntry& entry) {
  auto& status = *static_cast<SegmentStatus*>(context);
  LWLockAcquire(&entry.lock, LW_SHARED);
  const SegmentFeed& feed = *FeedOf(entry);
  if (entry.is_open && entry.token == status.record.token) {
    const std::uint64_t taken = TicketIndex(LoadTicketWord(entry.tickets.word));
    status.current = RestOf(status.record.current, taken);
    status.lasts_us = LeftOf(entry).lasts_us;
  }
  status.fetched = feed.fetched;
  status.is_ordered = feed.wanted > 0;
  status.failed_us = feed.failed_us;
  strlcpy(status.error, feed.error, sizeof(status.error));
  LWLockRelease(&entry.lock);
}

SegmentStatus StatusOf(const TicketHandle& handle, Relation relation) {
  SegmentStatus status;
  status.record = ReadSegments(relation);
  status.current = RestOf(status.record.current, status.record.reserved);
  WithFeed({MyDatabaseId, handle.sequence}, LookAtEntry, &status);
  return status;
}

Column FirstColumn(const Segment& segment) {
  return {Int64GetDatum(segment.first), segment.count == 0};
}
Column LastColumn(const Segment& segment) {
  if (segment.count == 0) return kNull;
  return Int64GetDatum(LastOf(segment));
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_ticket_segment);
IDGEN_SQL_FUNCTION(idgen_ticket_attach);
IDGEN_SQL_FUNCTION(idgen_ticket_status);

Datum idgen_ticket_segment(PG_FUNCTION_ARGS) {
  const std::uint64_t count = CheckedCount(PG_GETARG_INT32(1));
  const TakenTickets taken = TakeSome(TicketHandleOf(PG_GETARG_OID(0)), count, count);
  return RecordOf(fcinfo, {Int64GetDatum(taken.first),
                           Int64GetDatum(TicketAt(taken.first, taken.increment, count - 1)),
                           Int64GetDatum(taken.increment)});
}

Datum idgen_ticket_attach(PG_FUNCTION_ARGS) {
  TicketHandle& handle = TicketHandleOf(PG_GETARG_OID(0));
  relation_close(OpenTicketSequence(handle), NoLock);
  if (!OwnsRelation(handle.sequence)) {
    aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SEQUENCE, get_rel_name(handle.sequence));
  }
  // It must be one that gives tickets at all.
  EnterTickets(handle, "ticket_attach()");
  if (handle.is_fed) {
    DropSegments(handle);
    PG_RETURN_VOID();
  }
  char* const name = quote_qualified_identifier(
      get_namespace_name(get_rel_namespace(handle.sequence)), get_rel_name(handle.sequence));
  SPI_connect();
  Run(psprintf("ALTER SEQUENCE %s AS bigint INCREMENT 1 MINVALUE %lld MAXVALUE %lld START %lld "
               "RESTART NO CYCLE",
               name, static_cast<long long>(kFedLeast), static_cast<long long>(kFedMost),
               static_cast<long long>(kFedLeast)),
      SPI_OK_UTILITY);
  // For nextval(): the end.
  Run(psprintf("SELECT pg_catalog.setval(%u::pg_catalog.oid::pg_catalog.regclass, %lld)",
               handle.sequence, static_cast<long long>(kFedMost)),
      SPI_OK_SELECT);
  SPI_finish();
  PG_RETURN_VOID();
}

Datum idgen_ticket_status(PG_FUNCTION_ARGS) {
  TicketHandle& handle = TicketHandleOf(PG_GETARG_OID(0));
  Relation relation = OpenTicketSequence(handle);
  CheckTicketPrivilege(handle, ACL_SELECT | ACL_USAGE | ACL_UPDATE);
  HeapTuple tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(handle.sequence));
  const bool is_fed =
      HeapTupleIsValid(tuple) && IsFed(*reinterpret_cast<Form_pg_sequence>(GETSTRUCT(tuple)));
  if (HeapTupleIsValid(tuple)) ReleaseSysCache(tuple);
  if (!is_fed) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("sequence \"%s\" takes no numbers from a ticket server",
                           RelationGetRelationName(relation)),
                    errhint("See ticket_attach().")));
  }
  const SegmentStatus status = StatusOf(handle, relation);
  relation_close(relation, NoLock);
  const SegmentRecord& record = status.record;
  const std::uint64_t left = status.current.count + record.next.count + status.fetched.count;
  const Segment& next = record.next.count > 0 ? record.next : status.fetched;
  return RecordOf(
      fcinfo,
      {Int64GetDatum(static_cast<std::int64_t>(left)),
       status.lasts_us < 0 ? kNull : Column{IntervalDatum(status.lasts_us)},
       FirstColumn(status.current), LastColumn(status.current), FirstColumn(next), LastColumn(next),
       Column{Int64GetDatum(static_cast<std::int64_t>(record.step)), record.step == 0},
       record.fetched_us == 0 ? kNull : TimeOrNull(record.fetched_us),
       BoolGetDatum(status.is_ordered),
       status.failed_us == 0 ? kNull : TimeOrNull(status.failed_us), TextOrNull(status.error)});
}

}  // extern "C"

}  // namespace idgen::pg

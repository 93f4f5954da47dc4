#include "ticket_page.h"

#include "segment_page.h"

namespace idgen::pg {

namespace {

constexpr std::uint64_t kTicketMagic = 0x31304B4349544449;  // "IDTICK01" in memory order

}  // namespace

void ReadTicketPage(Relation relation, Buffer buffer, TicketPage& found) {
  SequencePage page;
  if (!ReadSequencePage(BufferGetPage(buffer), page)) ReportBadPage(relation);
  found = {};
  found.recorded = ReadRecord(page, kTicketMagic, found.record);
  SegmentRecord segments;  // of a sequence that took its numbers from a ticket server before
  if (!found.recorded && page.record_size > 0 && !ReadRecord(page, kSegmentMagic, segments)) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("sequence \"%s\" holds data that is not of tickets",
                           RelationGetRelationName(relation)),
                    errhint("Use another sequence.")));
  }
  found.last_value = page.columns->last_value;
  found.is_called = page.columns->is_called;
  found.is_sealed = page.columns->log_cnt == kSeal;
  found.seal = &page.columns->log_cnt;
}

XLogRecPtr WriteTicketPage(Relation relation, Buffer buffer, const TicketPage& page) {
  FormData_pg_sequence_data columns{};
  columns.last_value = page.last_value;
  columns.log_cnt = page.is_sealed ? kSeal : 0;
  columns.is_called = page.is_called;
  TicketRecord record = page.record;
  record.magic = kTicketMagic;
  return LogSequencePage(relation, buffer, columns, &record, sizeof(record));
}

}  // namespace idgen::pg

// What tickets keep on the page of a sequence.
//
// Numbers are reserved on the page before they are handed out: last_value is the last of the
// reserve, is_called is true, and log_cnt is kSeal, a value that PostgreSQL never writes there and
// takes for 0 or less. setval(), nextval() and ALTER SEQUENCE each set log_cnt anew, so the page is
// sealed if and only if nobody but tickets has written it since.
//
// The record says which numbers tickets may have handed out, whatever becomes of last_value.
#pragma once

#include "pg.h"

#include <cstdint>
#include <limits>
#include <type_traits>

#include "sequence_page.h"

namespace idgen::pg {

inline constexpr std::int64_t kSeal = -1;

struct TicketRecord {
  std::uint64_t magic = 0;
  std::int64_t token = 0;  // of the entry in shared memory that wrote it (ticket_entry.h)
  // All numbers that were reserved lie between these two; none if lowest > highest.
  std::int64_t lowest = std::numeric_limits<std::int64_t>::max();
  std::int64_t highest = std::numeric_limits<std::int64_t>::min();
};
static_assert(std::is_trivially_copyable_v<TicketRecord>);

struct TicketPage {
  TicketRecord record;
  bool recorded = false;
  std::int64_t last_value = 0;
  bool is_called = false;
  bool is_sealed = false;
  const std::int64_t* seal = nullptr;  // log_cnt, on the page itself
};

// Reads the locked page of an open sequence. Errors: it is damaged, or has a record that is not
// ours.
void ReadTicketPage(Relation relation, Buffer buffer, TicketPage& found);

// Writes the locked page. Returns the position up to which the log must be flushed.
XLogRecPtr WriteTicketPage(Relation relation, Buffer buffer, const TicketPage& page);

}  // namespace idgen::pg

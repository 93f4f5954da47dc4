// What a sequence that takes its numbers from a ticket server keeps on its page: the segment in
// use, the next one, and which numbers may have been handed out.
//
// Its own range is the two greatest numbers, of which no segment has any. So whatever people do
// with nextval() and setval(), none of a segment comes of it. The range says what the sequence is,
// too, in every dump, without a catalog of ours.
//
// Segments belong to one copy of the page. In a database that was cloned, promoted, restored or
// upgraded they are dropped: the original may go on with them. SegmentRecord::copy tells.
#pragma once

#include "pg.h"

#include <limits>
#include <type_traits>

#include "core/segment.h"
#include "sequence_page.h"

namespace idgen::pg {

// MINVALUE of such a sequence. MAXVALUE is the greatest bigint.
inline constexpr std::int64_t kFedLeast = kLargestOfSegments + 1;
inline constexpr std::int64_t kFedMost = std::numeric_limits<std::int64_t>::max();

inline bool IsFed(const FormData_pg_sequence& options) {
  return options.seqmin == kFedLeast && options.seqmax == kFedMost;
}

// Which copy of a database this is.
struct DatabaseCopy {
  std::uint64_t system = 0;  // the cluster's identifier
  std::uint64_t host = 0;    // a hash of the host's name: cloned disks
  std::uint64_t device = 0;  // where its control file lies: another copy of all files has another
  std::uint64_t file = 0;
  std::uint32_t timeline = 0;  // a server that was promoted or restored has another
  Oid database = InvalidOid;   // CREATE DATABASE ... TEMPLATE

  friend bool operator==(const DatabaseCopy&, const DatabaseCopy&) = default;
};

DatabaseCopy CopyOfThisDatabase();

inline constexpr std::uint64_t kSegmentMagic = 0x31304D4745534449;  // "IDSEGM01" in memory order

struct SegmentRecord {
  std::uint64_t magic = 0;
  std::int64_t token = 0;  // of the entry in shared memory that uses the segment; 0: none
  DatabaseCopy copy;
  Segment current{};
  Segment next{};
  std::uint64_t reserved = 0;   // so many numbers of the current one may have been handed out
  std::uint64_t step = 0;       // how many were asked for last
  std::int64_t fetched_us = 0;  // when, by the wall clock
  SegmentSeries series[kSegmentSeries] = {};
};
static_assert(std::is_trivially_copyable_v<SegmentRecord>);

inline void DropFrom(SegmentRecord& record) {
  record.current = record.next = {};
  record.reserved = 0;
  record.token = 0;
}

struct SegmentPage {
  SegmentRecord record;  // without segments if they are of another copy
  bool is_sealed = false;
  const std::int64_t* seal = nullptr;  // log_cnt, on the page itself
};

// Reads the locked page of an open sequence. Returns false if it is damaged.
bool ReadSegmentPage(Buffer buffer, SegmentPage& found);

// Writes the locked page. Returns the position up to which the log must be flushed.
XLogRecPtr WriteSegmentPage(Relation relation, Buffer buffer, const SegmentRecord& record,
                            bool is_sealed);

}  // namespace idgen::pg

#include "segment_feed.h"

#include <algorithm>

#include "core/clock.h"

namespace idgen::pg {

SegmentFeed* FeedOf(const TicketEntry& entry) {
  if (!DsaPointerIsValid(entry.feed)) return nullptr;
  return static_cast<SegmentFeed*>(dsa_get_address(SharedArea(), entry.feed));
}

SegmentFeed& NeedFeed(TicketEntry& entry) {
  LWLockAcquire(&entry.lock, LW_EXCLUSIVE);
  if (!DsaPointerIsValid(entry.feed)) {
    entry.feed =
        dsa_allocate_extended(SharedArea(), sizeof(SegmentFeed), DSA_ALLOC_NO_OOM | DSA_ALLOC_ZERO);
  }
  LWLockRelease(&entry.lock);
  if (!DsaPointerIsValid(entry.feed)) {
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
                    errmsg("out of shared memory for the segments of a sequence")));
  }
  return *FeedOf(entry);
}

bool IsFeedBusy(TicketEntry& entry) {
  LWLockAcquire(&entry.lock, LW_SHARED);
  const SegmentFeed* const feed = FeedOf(entry);
  const bool is_busy = feed != nullptr && (feed->wanted > 0 || feed->fetched.count > 0);
  LWLockRelease(&entry.lock);
  return is_busy;
}

SegmentsLeft LeftOf(const TicketEntry& entry) {
  const SegmentFeed* const feed = FeedOf(entry);
  SegmentsLeft left{0, -1};
  if (feed != nullptr) left.count = feed->next_size + feed->fetched.count;
  if (!entry.is_open) return left;
  const std::uint64_t taken = TicketIndex(LoadTicketWord(entry.tickets.word));
  left.count += LoadTicketWord(entry.segment_size) - taken;
  const std::int64_t since_us = MonotonicUs() - entry.began_us;
  if (taken > 0 && since_us > 0) {
    left.lasts_us =
        static_cast<std::int64_t>(static_cast<double>(left.count) * static_cast<double>(since_us) /
                                  static_cast<double>(taken));
  }
  return left;
}

}  // namespace idgen::pg

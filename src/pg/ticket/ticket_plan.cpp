#include "ticket_plan.h"

#include <algorithm>

#include "core/clock.h"
#include "settings.h"

namespace idgen::pg {

namespace {

// The reserve begins with this many numbers, is doubled where it lasts less than the one time, and
// halved where it lasts longer than the other.
constexpr std::uint64_t kLeastReserve = 32;
constexpr std::int64_t kTooShortUs = 1'000'000;
constexpr std::int64_t kTooLongUs = 10'000'000;

// It is lengthened when less than this part of it is left.
constexpr std::uint64_t kLowPart = 4;

}  // namespace

std::uint64_t AdaptReserve(TicketEntry& entry, bool lasted) {
  const std::int64_t now_us = MonotonicUs();
  const std::int64_t took_us = now_us - entry.reserved_us;
  entry.reserved_us = now_us;
  if (!lasted) {
    entry.reserve = kLeastReserve;
  } else if (took_us < kTooShortUs) {
    entry.reserve *= 2;
  } else if (took_us > kTooLongUs) {
    entry.reserve = std::max(entry.reserve / 2, kLeastReserve);
  }
  entry.reserve = std::min(entry.reserve, static_cast<std::uint64_t>(TicketReserve()));
  return entry.reserve;
}

std::uint64_t LowOf(std::uint64_t size, std::uint64_t most, std::uint64_t reserve) {
  return size == most ? kMostTickets : size - std::min(size, reserve / kLowPart);
}

std::int64_t NewToken() {
  std::int64_t token = 0;
  if (!pg_strong_random(&token, sizeof(token))) {
    ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate a random number")));
  }
  return token;
}

std::uint64_t EndRange(TicketEntry& entry) {
  entry.is_open = false;
  return TicketIndex(OpenTickets(entry.tickets, 0, 0));
}

void Publish(TicketHandle& handle, const Reserved& reserved, bool is_replicated) {
  TicketEntry& entry = *handle.entry;
  LWLockAcquire(&entry.lock, LW_EXCLUSIVE);
  PublishTickets(entry.tickets, reserved.generation, reserved.size, reserved.low,
                 is_replicated ? 1 : 0);
  LWLockRelease(&entry.lock);
}

}  // namespace idgen::pg

// How a holder of identities renews (registry/registry.h has the protocol): what used_until it asks
// for, and when. All functions are pure. Milliseconds since 1970 by the holder's own clock, unless
// they say otherwise.
#pragma once

#include <algorithm>
#include <cstdint>

namespace idgen {

// IDs may be this far ahead of the clock at most: a longer lead is not asked for, so that one wrong
// value does not make an identity useless for years.
inline constexpr std::int64_t kMostLeaseLeadMs = std::int64_t{24} * 60 * 60 * 1000;

// Returns the used_until to ask for. `needed_ms` is the time up to which callers want to make IDs,
// where that is ahead of the clock (0: it is not).
[[nodiscard]] constexpr std::int64_t LeaseUntil(std::int64_t now_ms, std::int64_t needed_ms,
                                                std::int64_t term_ms) {
  return std::max(now_ms, std::min(needed_ms, now_ms + kMostLeaseLeadMs)) + term_ms;
}

// Whether to renew: a third of the term has passed since the last renewal by the monotonic clock,
// or less than two thirds of a term are left to use. The second is so at once when the clock was
// set forward. When it was set back, the first still keeps the holder alive.
[[nodiscard]] constexpr bool LeaseIsDue(std::int64_t now_ms, std::int64_t needed_ms,
                                        std::int64_t until_ms, std::int64_t since_renewal_ms,
                                        std::int64_t term_ms) {
  return since_renewal_ms >= term_ms / 3 ||
         LeaseUntil(now_ms, needed_ms, term_ms) - until_ms >= term_ms / 3;
}

}  // namespace idgen

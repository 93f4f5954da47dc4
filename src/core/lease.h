// How a server uses identities that it holds in a registry (registry/registry.h has the protocol,
// docs/internals.md why it is enough): what used_until it asks for and when, and the grant, which
// tells its sessions up to which time they may make IDs. Milliseconds since 1970 by the holder's
// own clock, unless they say otherwise.
//
// One process of the server talks to the registry, and sessions take positions meanwhile. Between
// any two operations here the others may do anything, and any of them may stop for as long as it
// likes. test/model runs these functions.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "position.h"

namespace idgen {

// --- What to ask for ---------------------------------------------------------------------------

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

// --- The grant ---------------------------------------------------------------------------------

// What one holder may use: IDs of its identities are earlier than `until_ms`. Plain words, so that
// they can live in shared memory; only the functions below touch them while they are shared.
struct Grant {
  std::uint64_t until_ms = 0;  // only grows, and not after the grant has ended
  std::uint64_t ended = 0;     // 1: the registry gave the identities to others, or may have
};

[[nodiscard]] inline std::int64_t UntilMs(const Grant& grant) noexcept {
  return static_cast<std::int64_t>(LoadPosition(grant.until_ms));
}

// Whether the grant's time is final. That is news and no danger: what it covers stays covered, and
// a session that has not heard of it may go on to the end of that time.
[[nodiscard]] inline bool HasEnded(const Grant& grant) noexcept {
  return AtomicWord(const_cast<std::uint64_t&>(grant.ended)).load(std::memory_order_seq_cst) != 0;
}

inline void EndGrant(Grant& grant) noexcept {
  std::uint64_t lives = 0;
  (void)AtomicWord(grant.ended)
      .compare_exchange_strong(lives, 1, std::memory_order_seq_cst, std::memory_order_seq_cst);
}

// Raises a grant's time, in the registry first and then for the sessions. `ask` raises the holder's
// used_until in the registry to what it is told, and returns whether that is certain to be done.
template <typename Ask>
[[nodiscard]] bool RaiseGrant(Grant& grant, std::int64_t until_ms, Ask&& ask) {
  if (!ask(until_ms)) return false;
  RaisePosition(grant.until_ms, static_cast<std::uint64_t>(until_ms));
  return true;
}

// The time below which a session may make IDs: the high-water mark, or the end of the grant if that
// is earlier. The grant must be the one under which the session's identity was claimed.
[[nodiscard]] inline std::int64_t LeaseLimitMs(std::int64_t mark_ms, const Grant& grant) noexcept {
  return std::min(mark_ms, UntilMs(grant));
}

// --- Giving identities back --------------------------------------------------------------------

// `users` counts the sessions that may make IDs. A session counts itself before it looks whether a
// grant has ended.
inline void JoinUsers(std::uint64_t& users) noexcept {
  AtomicWord(users).fetch_add(1, std::memory_order_seq_cst);
}
inline void LeaveUsers(std::uint64_t& users) noexcept {
  AtomicWord(users).fetch_sub(1, std::memory_order_seq_cst);
}

// Ends a grant, and returns what to release its holder with: the time up to which IDs were made
// (`known_ms` returns it), if nobody can make any under the grant any more; else all of the
// grant's. First it ends the grant, and then it looks for users: a session that it does not see
// comes later, and finds that the grant has ended.
template <typename Known>
[[nodiscard]] std::int64_t GiveBack(Grant& grant, const std::uint64_t& users, Known&& known_ms) {
  EndGrant(grant);
  const bool is_used =
      AtomicWord(const_cast<std::uint64_t&>(users)).load(std::memory_order_seq_cst) != 0;
  return is_used ? UntilMs(grant) : std::min(known_ms(), UntilMs(grant));
}

}  // namespace idgen

// The hybrid logical clock of Kulkarni, Demirbas, Madappa, Avva and Leone, "Logical Physical
// Clocks" (2014): timestamps that are near the clock's time, and greater than those of everything
// that happened before, on other servers too.
//
// A timestamp is a tick and a logical number in it: an ID of the layout kHlc, which has no
// identity, so that servers compare theirs. The paper's rules are those of a position (position.h):
//
//   an event of one's own, a send   max(last + 1, now << logical bits)
//   a receive                       raise the position to what was received, then the same
//
// The paper's bound, that no timestamp is further ahead of the clock than clocks differ, holds only
// while they do not differ by more. CockroachDB therefore refuses what is further ahead than a
// maximum offset, and so does ObserveId (loop.h) with the settings of HlcGuard.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "guard.h"
#include "layout.h"

namespace idgen {

// Until the year 4199, 131,072 timestamps a millisecond.
inline constexpr Layout kHlc =
    MakeLayout("hlc", 1000, 0, {{FieldKind::kTimestamp, 46}, {FieldKind::kSequence, 17}});

// The guard of a clock. A lead comes from what was received and from a clock that went back, and is
// at most the offset and the tick after it. `has_begun`: a timestamp was made or received since the
// start. Until then the position is at the high-water mark, which may be ahead of every server's
// clock: it is waited for, so that no other server has to refuse what is made there.
constexpr GuardSettings HlcGuard(std::int64_t max_clock_wait_us, std::int64_t max_clock_offset_us,
                                 bool has_begun) noexcept {
  GuardSettings guard;
  guard.mode = has_begun ? ClockRegression::kLead : ClockRegression::kWait;
  guard.max_clock_wait_us = max_clock_wait_us;
  guard.max_clock_lead_us = max_clock_offset_us;
  guard.paces_lead = false;
  return guard;
}

// --- Timestamps as text -----------------------------------------------------------------------

// RFC 3339 in UTC, and the logical number. Of fixed width, with all punctuation in fixed places: so
// texts sort as the numbers do, in every collation that sorts digits.
inline constexpr std::string_view kHlcPattern = "####-##-##T##:##:##.###Z-######";
inline constexpr std::size_t kHlcTextSize = kHlcPattern.size();

namespace hlc_text {

// A number in the text: where it is, and how many digits it has.
struct Digits {
  std::uint8_t at;
  std::uint8_t count;
};
inline constexpr Digits kYear{0, 4}, kMonth{5, 2}, kDay{8, 2}, kHour{11, 2}, kMinute{14, 2},
    kSecond{17, 2}, kMilli{20, 3}, kLogical{25, 6};

constexpr void Write(char* out, Digits digits, std::uint64_t value) noexcept {
  for (unsigned i = digits.count; i-- > 0; value /= 10) {
    out[digits.at + i] = static_cast<char>('0' + value % 10);
  }
}

constexpr unsigned Read(std::string_view text, Digits digits) noexcept {
  unsigned value = 0;
  for (const char c : text.substr(digits.at, digits.count)) {
    value = 10 * value + static_cast<unsigned>(c - '0');
  }
  return value;
}

}  // namespace hlc_text

// Writes a timestamp, an ID of kHlc, as kHlcTextSize characters.
constexpr void WriteHlc(std::uint64_t hlc, char* out) noexcept {
  using namespace hlc_text;
  constexpr std::uint64_t kDayMs = 86'400'000;
  const Parts parts = kHlc.Parse(hlc);
  const std::uint64_t ms = parts.tick % kDayMs;
  const std::chrono::days days{static_cast<int>(parts.tick / kDayMs)};
  const std::chrono::year_month_day date{std::chrono::sys_days{days}};
  for (std::size_t i = 0; i < kHlcTextSize; ++i) out[i] = kHlcPattern[i];
  Write(out, kYear, static_cast<std::uint64_t>(int{date.year()}));
  Write(out, kMonth, unsigned{date.month()});
  Write(out, kDay, unsigned{date.day()});
  Write(out, kHour, ms / 3'600'000);
  Write(out, kMinute, ms / 60'000 % 60);
  Write(out, kSecond, ms / 1000 % 60);
  Write(out, kMilli, ms % 1000);
  Write(out, kLogical, parts.sequence);
}

// Reads what WriteHlc writes, and nothing else: false if the text is not exactly that.
constexpr bool ReadHlc(std::string_view text, std::uint64_t& hlc) noexcept {
  using namespace hlc_text;
  if (text.size() != kHlcTextSize) return false;
  for (std::size_t i = 0; i < kHlcTextSize; ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kHlcPattern[i] == '#' ? !is_digit : text[i] != kHlcPattern[i]) return false;
  }
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(Read(text, kYear))},
                                         std::chrono::month{Read(text, kMonth)},
                                         std::chrono::day{Read(text, kDay)}};
  if (!date.ok() || Read(text, kHour) > 23 || Read(text, kMinute) > 59 ||
      Read(text, kSecond) > 59) {
    return false;
  }
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t ms = ((days * 24 + Read(text, kHour)) * 60 + Read(text, kMinute)) * 60'000 +
                          std::int64_t{Read(text, kSecond)} * 1000 + Read(text, kMilli);
  Parts parts;
  parts.sequence = Read(text, kLogical);
  if (ms < 0 || ms > static_cast<std::int64_t>(kHlc.MaxTick()) ||
      parts.sequence >= kHlc.IdsPerTick()) {
    return false;
  }
  parts.tick = static_cast<std::uint64_t>(ms);
  hlc = kHlc.Unparse(parts);
  return true;
}

}  // namespace idgen

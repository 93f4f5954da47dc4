// The whole of a layout as text: its fields (fields.h), its tick and its epoch.
//
//   timestamp:42, machine:6, sequence:15, tick:1ms, epoch:2024-01-01Z
//
// The tick is a whole number of us, ms, s, min or h; left out, it is 1ms. The epoch is an instant
// in UTC as ISO 8601 writes it, with up to six digits of a second's fraction, from the year 1 to
// 9999; or, for any other, a number of microseconds since 1970 (epoch:-62167219200000001us). It is
// required. Tick and epoch come after the fields, in either order. Case and ASCII white space are
// as free as in fields.h.
//
// WriteDescription writes one text for each layout, and ParseDescription reads that layout back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fields.h"
#include "layout.h"

namespace idgen {

enum class DescriptionError : std::uint8_t {
  kNone,
  kFields,      // in the fields: see ParsedDescription::fields
  kRepeated,    // a second tick or epoch
  kUnexpected,  // after the first of them: something else than a tick or an epoch
  kNoColon,     // after "tick" or "epoch"
  kBadTick,     // no number with a unit, or one that does not fit an int64 in microseconds
  kBadEpoch,    // no such instant, or one that does not fit
  kNoEpoch,     // at the end
};

struct ParsedDescription {
  DescriptionError error = DescriptionError::kNone;
  // The wrong words within the text, in bytes, as in ParsedFields.
  std::size_t at = 0;
  std::size_t length = 0;
  ParsedFields fields;
  std::int64_t tick_us = 1000;
  std::int64_t epoch_us = 0;

  // Without a name. CheckLayout tells whether it is a layout.
  [[nodiscard]] constexpr Layout ToLayout() const noexcept {
    return BuildLayout({}, tick_us, epoch_us, fields.Specs());
  }
};

// The layout that a text describes. Any bytes may be given. The first error is reported.
ParsedDescription ParseDescription(std::string_view text) noexcept;

// "10 ms". False where a text is no length of a tick; also one that does not fit an int64 in us.
bool ParseTick(std::string_view text, std::int64_t& tick_us) noexcept;

// "2024-01-01Z", "2010-11-04T01:42:54.657Z", "-5us".
bool ParseEpoch(std::string_view text, std::int64_t& epoch_us) noexcept;

// Room for any text that WriteDescription writes.
inline constexpr std::size_t kLongestDescription =
    kLongestFieldsText + std::string_view(", tick:us, epoch:us").size() + 2 * 20;

// Writes a layout as ParseDescription reads it, without a terminator. Returns the length. The
// layout is one that CheckLayout accepts, or differs from that in its end alone.
std::size_t WriteDescription(const Layout& layout, char* out) noexcept;

}  // namespace idgen

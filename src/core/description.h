// A whole layout as text: its fields (fields.h), its tick and its epoch.
//
//   timestamp:42, machine:6, sequence:15, tick:1ms, epoch:2024-01-01Z
//
// The tick is a whole number of us, ms, s, min or h; without it, it is 1ms. The epoch is required.
// It is an instant in UTC as in ISO 8601, from the year 1 to 9999, with up to six digits of a
// second's fraction. Any other instant is written as a number of microseconds since 1970
// (epoch:-62167219200000001us). Tick and epoch come after the fields, in either order. Case and
// ASCII white space are as free as in fields.h.
//
// WriteDescription writes exactly one text for each layout. ParseDescription reads it back as the
// same layout.
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
  kUnexpected,  // after the first of them: not a tick or an epoch
  kNoColon,     // after "tick" or "epoch"
  kBadTick,     // no number with a unit, or one that does not fit an int64 in microseconds
  kBadEpoch,    // no such instant, or one that does not fit
  kNoEpoch,     // at the end
};

struct ParsedDescription {
  DescriptionError error = DescriptionError::kNone;
  // The wrong words in the text, in bytes, as in ParsedFields.
  std::size_t at = 0;
  std::size_t length = 0;
  ParsedFields fields;
  std::int64_t tick_us = 1000;
  std::int64_t epoch_us = 0;

  // Returns the layout, without a name. CheckLayout tells whether it is valid.
  [[nodiscard]] constexpr Layout ToLayout() const noexcept {
    return BuildLayout({}, tick_us, epoch_us, fields.Specs());
  }
};

// Reads the layout that a text describes. Any bytes are allowed. Reports the first error.
ParsedDescription ParseDescription(std::string_view text) noexcept;

// Reads "10 ms". Returns false if it is no tick length, or does not fit an int64 in us.
bool ParseTick(std::string_view text, std::int64_t& tick_us) noexcept;

// Reads an instant: "2024-01-01Z", "2010-11-04T01:42:54.657Z", "-5us".
bool ParseInstant(std::string_view text, std::int64_t& time_us) noexcept;

// Writes an instant as ParseInstant reads it, without a terminator. Returns the length, at most
// kLongestInstant.
std::size_t WriteInstant(std::int64_t time_us, char* out) noexcept;
inline constexpr std::size_t kLongestInstant =
    std::string_view("9999-12-31T23:59:59.999999Z").size();

// Large enough for any text that WriteDescription writes.
inline constexpr std::size_t kLongestDescription =
    kLongestFieldsText + std::string_view(", tick:us, epoch:us").size() + std::size_t{2} * 20;

// Writes a layout as ParseDescription reads it, without a terminator. Returns the length.
// CheckLayout must accept the layout, except that it may end too late.
std::size_t WriteDescription(const Layout& layout, char* out) noexcept;

}  // namespace idgen

// The scheme of a fleet: what all servers of a registry's pool go by (registry/registry.h), and how
// they agree on a change of a generator's layouts. The text has one entry on each line:
//
//   setting NAME VALUE
//   layout NAME LAYOUT
//   generator NAME LAYOUTS
//   proposed NAME VERSION AT_MS LAYOUTS
//
// sorted by kind and name, with one space between words. LAYOUT and LAYOUTS are to the end of the
// line. No more than this is read here; catalog/succession_text.h reads layouts.
//
// A change is proposed by a version of the scheme (VERSION): the layouts that `generator NAME` is
// to have, which differ from those that it has from an instant on (AT_MS, milliseconds since 1970).
// What makes the change safe:
//
//   1. A server that goes by a version of the scheme makes no ID of the instant or later as long as
//      the change is proposed. Neither does one whose own layouts for the name are others.
//   2. A server acknowledges a version only when all that it was granted before it went by it ends
//      at the instant or earlier (MayAcknowledge). What is granted later is used by rule 1, also
//      after its holder has ended.
//   3. The change is committed by the version of the scheme after the one that the holders were
//      read for, and only if each of them has consented (ConsentOf): it has acknowledged the
//      proposal, or it has ended, and made no ID of the instant or later. A majority is not
//      enough: one server that does not know makes IDs of the old layout.
//   4. Who enrols goes by the latest version of the scheme.
//
// So nobody makes an ID of the instant or later by the old layouts once the change is committed,
// and nobody makes one by the new layouts before, or ever if it is called off instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string_view>

namespace idgen {

// --- Agreement ---------------------------------------------------------------------------------

// What the registry says of a holder.
struct HolderState {
  bool lives = false;
  std::int64_t used_until_ms = 0;
  std::int64_t acknowledged = 0;
};

enum class Consent : std::uint8_t {
  kGiven,
  kAwaited,  // the holder lives, and does not go by the proposal yet
  kTooLate,  // it has ended, and may have made IDs of the instant or later
};

[[nodiscard]] constexpr Consent ConsentOf(const HolderState& holder, std::int64_t proposed_version,
                                          std::int64_t at_ms) noexcept {
  if (holder.acknowledged >= proposed_version) return Consent::kGiven;
  if (holder.lives) return Consent::kAwaited;
  return holder.used_until_ms <= at_ms ? Consent::kGiven : Consent::kTooLate;
}

// Whether a holder may acknowledge a proposal. `granted_until_ms` is read after all its sessions
// can see the proposal.
[[nodiscard]] constexpr bool MayAcknowledge(std::int64_t granted_until_ms,
                                            std::int64_t at_ms) noexcept {
  return granted_until_ms <= at_ms;
}

// --- The text ------------------------------------------------------------------------------------

enum class SchemeKind : std::uint8_t { kSetting, kLayout, kGenerator, kProposed };

inline constexpr std::string_view kSchemeKinds[] = {"setting", "layout", "generator", "proposed"};

struct SchemeEntry {
  SchemeKind kind = SchemeKind::kSetting;
  std::string_view name;
  std::string_view value;
  // kProposed:
  std::int64_t version = 0;  // from 1: all have acknowledged version 0
  std::int64_t at_ms = 0;    // its microseconds are a number as well
};

// Goes through the entries of a text.
class SchemeReader {
 public:
  explicit constexpr SchemeReader(std::string_view scheme) : rest_(scheme) {}

  // Reads the next entry. Returns false at the end, and at a line that is none: then IsBroken().
  constexpr bool Next(SchemeEntry& entry) {
    if (rest_.empty() || broken_) return false;
    std::string_view line = Until('\n', rest_);
    const std::string_view kind = Until(' ', line);
    broken_ = true;
    for (std::size_t i = 0; i < std::size(kSchemeKinds); ++i) {
      if (kind != kSchemeKinds[i]) continue;
      entry = {};
      entry.kind = static_cast<SchemeKind>(i);
      entry.name = Until(' ', line);
      if (entry.kind == SchemeKind::kProposed &&
          (!Number(Until(' ', line), 1, kLargest, entry.version) ||
           !Number(Until(' ', line), 0, kLargest / 1000, entry.at_ms))) {
        return false;
      }
      entry.value = line;
      broken_ = entry.name.empty() || entry.value.empty();
      return !broken_;
    }
    return false;
  }
  [[nodiscard]] constexpr bool IsBroken() const { return broken_; }

 private:
  static constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

  // Takes what is before a character, and the character, from a text.
  static constexpr std::string_view Until(char end, std::string_view& text) {
    std::size_t length = 0;
    while (length < text.size() && text[length] != end) ++length;
    const std::string_view head(text.data(), length);
    text.remove_prefix(length < text.size() ? length + 1 : length);
    return head;
  }
  static constexpr bool Number(std::string_view text, std::int64_t least, std::int64_t most,
                               std::int64_t& number) {
    if (text.empty() || text.size() > 18) return false;
    number = 0;
    for (const char digit : text) {
      if (digit < '0' || digit > '9') return false;
      number = number * 10 + (digit - '0');
    }
    return number >= least && number <= most;
  }

  std::string_view rest_;
  bool broken_ = false;
};

}  // namespace idgen

// The parts of an ID by the kinds of their fields, for tests that go over all kinds.
#pragma once

#include <idgen/layout.h>

#include <cstdint>
#include <cstdlib>
#include <iterator>

namespace idgen {

inline constexpr FieldKind kAllKinds[] = {FieldKind::kTimestamp, FieldKind::kDatacenter,
                                          FieldKind::kMachine,   FieldKind::kShard,
                                          FieldKind::kSequence,  FieldKind::kTail};
static_assert(std::size(kAllKinds) == kFieldKinds);

inline std::uint64_t& PartOf(Parts& parts, FieldKind kind) {
  switch (kind) {
    case FieldKind::kTimestamp:
      return parts.tick;
    case FieldKind::kDatacenter:
      return parts.identity.datacenter;
    case FieldKind::kMachine:
      return parts.identity.machine;
    case FieldKind::kShard:
      return parts.identity.shard;
    case FieldKind::kSequence:
      return parts.sequence;
    case FieldKind::kTail:
      return parts.tail;
  }
  std::abort();
}

inline std::uint64_t ValueOf(Parts parts, FieldKind kind) { return PartOf(parts, kind); }

inline void SetValue(Parts& parts, FieldKind kind, std::uint64_t value) {
  PartOf(parts, kind) = value;
}

}  // namespace idgen

// The layouts that the tests run over, and a slow second way to put IDs together.
#pragma once

#include <idgen/builtin_layouts.h>
#include <idgen/layout.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "parts.h"

namespace idgen {

// A layout as a text would tell it, beside the one that MakeLayout made of it.
struct LayoutCase {
  Layout layout;
  std::int64_t tick_us;
  std::int64_t epoch_ms;
  std::vector<FieldSpec> specs;
};

inline LayoutCase MakeCase(const char* name, std::int64_t tick_us, std::int64_t epoch_ms,
                           std::initializer_list<FieldSpec> specs) {
  return {MakeLayout(name, tick_us, epoch_ms, specs), tick_us, epoch_ms, specs};
}

inline void PrintTo(const LayoutCase& layout_case, std::ostream* out) {
  *out << layout_case.layout.name;
}

// A built-in layout as a case: its fields from the highest down, as it has them itself. That
// they are the right ones is builtin_layouts_test's to say.
inline LayoutCase MakeCase(const Layout& layout) {
  LayoutCase layout_case{layout, layout.tick_us, layout.epoch_us / 1000, {}};
  for (std::size_t kind = 0; kind < kFieldKinds; ++kind) {
    const std::uint8_t bits = layout.fields[kind].bits;
    if (bits > 0) layout_case.specs.push_back({static_cast<FieldKind>(kind), bits});
  }
  std::sort(layout_case.specs.begin(), layout_case.specs.end(),
            [&layout](const FieldSpec& a, const FieldSpec& b) {
              return layout[a.kind].shift > layout[b.kind].shift;
            });
  return layout_case;
}

// All built-in layouts, and what they have not.
inline const std::vector<LayoutCase>& LayoutCases() {
  using enum FieldKind;
  static const std::vector<LayoutCase> cases = [] {
    std::vector<LayoutCase> all = {
        MakeCase("hourly", 3'600'000'000, 1704067200000,
                 {{kTimestamp, 22}, {kMachine, 9}, {kSequence, 32}}),
        MakeCase("ten_micros", 10, 1420070400000,
                 {{kTimestamp, 48}, {kMachine, 7}, {kSequence, 8}}),
        MakeCase("micro", 1, 0, {{kTimestamp, 60}, {kSequence, 3}}),
        MakeCase("one_bit", 1000, 1672531200000,
                 {{kTimestamp, 41}, {kMachine, 21}, {kSequence, 1}}),
        MakeCase("small", 7000, 1'000'003, {{kTimestamp, 6}, {kShard, 1}, {kSequence, 3}}),
        // Every field that IDs are made with, the sequence amid them; an epoch before 1970, a
        // tick that is a prime.
        MakeCase("mixed", 9'973, -86'400'000,
                 {{kTimestamp, 38}, {kShard, 4}, {kSequence, 9}, {kDatacenter, 5}, {kMachine, 7}}),
        // Every field there is, the tail amid them.
        MakeCase("tailed", 1000, 1577836800000,
                 {{kTimestamp, 36},
                  {kDatacenter, 3},
                  {kTail, 9},
                  {kSequence, 6},
                  {kMachine, 5},
                  {kShard, 2}}),
        MakeCase("time_only", 1000, 0, {{kTimestamp, 50}}),
    };
    for (const BuiltinLayout& builtin : kBuiltinLayouts) all.push_back(MakeCase(builtin.layout));
    return all;
  }();
  return cases;
}

// Those that IDs can be made with.
inline const std::vector<LayoutCase>& GeneratingCases() {
  static const std::vector<LayoutCase> cases = [] {
    std::vector<LayoutCase> generating = LayoutCases();
    std::erase_if(generating, [](const LayoutCase& one) { return !one.layout.CanGenerate(); });
    return generating;
  }();
  return cases;
}

inline std::string NameOf(const LayoutCase& layout_case) {
  return std::string(layout_case.layout.name);
}

inline std::uint64_t PowerOfTwo(unsigned exponent) {
  std::uint64_t power = 1;
  while (exponent-- > 0) power *= 2;
  return power;
}

// An ID as a number in a mixed radix, from the top field down: no shift, no mask.
inline std::uint64_t ReferenceId(const LayoutCase& layout_case, const Parts& parts) {
  std::uint64_t id = 0;
  for (const FieldSpec& spec : layout_case.specs) {
    id = id * PowerOfTwo(spec.bits) + ValueOf(parts, spec.kind);
  }
  return id;
}

inline unsigned BitsOf(const LayoutCase& layout_case, FieldKind kind) {
  for (const FieldSpec& spec : layout_case.specs) {
    if (spec.kind == kind) return spec.bits;
  }
  return 0;
}

// A value of `bits` bits: the smallest, the largest, their neighbours, or any.
inline std::uint64_t SomeValue(std::mt19937_64& random, unsigned bits) {
  const std::uint64_t values = PowerOfTwo(bits);
  switch (random() % 8) {
    case 0:
      return 0;
    case 1:
      return values - 1;
    case 2:
      return 1 % values;
    case 3:
      return (values - 1) / 2;
    default:
      return random() % values;
  }
}

inline Parts SomeParts(std::mt19937_64& random, const LayoutCase& layout_case) {
  Parts parts;
  for (const FieldSpec& spec : layout_case.specs) {
    SetValue(parts, spec.kind, SomeValue(random, spec.bits));
  }
  return parts;
}

// Tests that are run for each of them.
class AnyLayout : public testing::TestWithParam<LayoutCase> {
 protected:
  const LayoutCase& Case() const { return GetParam(); }
  const Layout& L() const { return GetParam().layout; }
  std::uint64_t PositionOf(const Parts& parts) const {
    return parts.tick * L().IdsPerTick() + parts.sequence;
  }
  // Positions at the ends of the life, around ticks' ends, and any.
  std::vector<std::uint64_t> SomePositions(std::size_t count) const {
    std::mt19937_64 random(20261123);
    std::vector<std::uint64_t> positions;
    const std::uint64_t ids = L().IdsPerTick();
    for (std::uint64_t tick : {std::uint64_t{0}, std::uint64_t{1}, L().MaxTick() / 2,
                               L().MaxTick() - 1, L().MaxTick()}) {
      for (std::uint64_t sequence : {std::uint64_t{0}, 1 % ids, ids / 2, ids - 1}) {
        positions.push_back(tick * ids + sequence);
      }
    }
    while (positions.size() < count) positions.push_back(PositionOf(SomeParts(random, Case())));
    std::sort(positions.begin(), positions.end());
    return positions;
  }
};

// What is about positions, which only the IDs of such layouts have.
class GeneratingLayout : public AnyLayout {};

}  // namespace idgen

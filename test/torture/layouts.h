// The layouts as the checker sees them. Written again and not taken from src/core: the checker
// shares nothing with what it checks.
#pragma once

#include <array>
#include <cstdint>

#include "history.h"

namespace {

constexpr std::int64_t kNsPerUs = 1000;

struct Field {
  int shift;
  int bits;
  [[nodiscard]] std::int64_t Of(std::int64_t id) const {
    return id >> shift & ((std::int64_t{1} << bits) - 1);
  }
};

struct Layout {
  const char* name;
  std::int64_t epoch_us;
  std::int64_t tick_us;
  Field time, datacenter, machine, shard;
  // How far IDs run ahead of the clock; -1: as the call's settings allow.
  std::int64_t own_lead_us = -1;
  bool has_time = true;
  // Who made an ID is not in it: Call::shard tells.
  bool by_call = false;

  [[nodiscard]] std::int64_t LeadNs(const Call& call) const {
    return (own_lead_us >= 0 ? own_lead_us : call.lead_us) * kNsPerUs;
  }
  [[nodiscard]] std::int64_t Tick(std::int64_t id) const { return id >> time.shift; }
  [[nodiscard]] std::int64_t StartNs(std::int64_t tick) const {
    return (epoch_us + tick * tick_us) * kNsPerUs;
  }
  [[nodiscard]] std::int64_t IdentityBits(std::int64_t id) const {
    std::int64_t mask = 0;
    for (const Field& field : {datacenter, machine, shard}) {
      mask |= ((std::int64_t{1} << field.bits) - 1) << field.shift;
    }
    return id & mask;
  }
};

constexpr std::int64_t k2020 = 1577836800000000;
std::array<Layout, kLayouts> layouts{{
    {"snowflake", k2020, 1000, {22, 41}, {17, 5}, {12, 5}, {0, 0}},
    {"instagram", 1314220021721000, 1000, {23, 40}, {0, 0}, {0, 0}, {10, 13}},
    {"sonyflake2", 1735689600000000, 10000, {24, 39}, {0, 0}, {0, 16}, {0, 0}},
    {"torture_seconds", k2020, 1000000, {30, 32}, {0, 0}, {20, 10}, {0, 0}},
    {"torture_ending", k2020, 1000, {22, 34}, {0, 0}, {12, 10}, {0, 0}},
    {"torture_wide", k2020, 1000, {23, 40}, {0, 0}, {12, 5}, {17, 6}},
    {"torture_many",
     k2020 + 4 * 365 * 86400000000 + 86400000000,
     1000,
     {25, 38},
     {0, 0},
     {0, 0},
     {5, 20}},
    {"microseconds", 0, 1, {11, 52}, {0, 0}, {0, 0}, {0, 0}},
    // Datacenter and machine are those of Call::shard.
    {"nodes", 0, 1, {11, 52}, {16, 8}, {0, 16}, {0, 0}, -1, true, true},
    {"gregorian", 0, 1, {3, 56}, {0, 0}, {0, 0}, {0, 0}},
    // The offset, and the tick after it.
    {"hlc", 0, 1000, {17, 46}, {0, 0}, {0, 0}, {0, 0}, 501'000},
    {"tickets", 0, 0, {0, 62}, {0, 0}, {0, 0}, {0, 0}, 0, false, true},
    // Each ID has its own layout: changes.h.
    {"torture_changing", 0, 0, {0, 62}, {0, 0}, {0, 0}, {0, 0}, -1, false},
}};

}  // namespace

// The built-in layouts: the formats of other systems and of idgen itself, as data. Nothing else in
// idgen knows about any of them.
//
// If a system's own format fills all 64 bits, the highest bit is left out here: in an int8 it is
// the sign, and idgen reads and makes no negative IDs.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "layout.h"

namespace idgen {

struct BuiltinLayout {
  Layout layout;
  std::string_view note;  // for people: whose format it is, and what its bits do not tell
  // The name means this layout and no other, in every version. Another name is found only if no
  // user has given it to a layout or generator, so that a later version can add layouts with such
  // names.
  bool is_reserved = true;
};

// The default: Twitter's fields, with an epoch of 2020-01-01 00:00:00 UTC, as in the case study
// that this project implements. It ends on 2089-09-06.
inline constexpr Layout kSnowflake = MakeLayout("snowflake", 1000, 1577836800000,
                                                {{FieldKind::kTimestamp, 41},
                                                 {FieldKind::kDatacenter, 5},
                                                 {FieldKind::kMachine, 5},
                                                 {FieldKind::kSequence, 12}});

// Source: the PL/pgSQL function in "Sharding & IDs at Instagram" (2011): our_epoch
// 1314220021721, time << 23, shard << 10, nextval % 1024. The text around it says "since
// January 2011". 41 bits of time there.
inline constexpr Layout kInstagram =
    MakeLayout("instagram", 1000, 1314220021721,
               {{FieldKind::kTimestamp, 40}, {FieldKind::kShard, 13}, {FieldKind::kSequence, 10}});

// Source: TiDB, `oracle.ComposeTS`: physical milliseconds since 1970 << 18, plus a logical
// counter. 46 bits of time there. 262,144 IDs a millisecond, the most of the built-in layouts.
inline constexpr Layout kTso =
    MakeLayout("tso", 1000, 0, {{FieldKind::kTimestamp, 45}, {FieldKind::kSequence, 18}});

// For 100 million IDs a second on one server: snowflake's timestamp in the same place, and below it
// 131,072 IDs a millisecond for 32 servers instead of 1,024.
inline constexpr Layout kWide =
    MakeLayout("wide", 1000, 1577836800000,
               {{FieldKind::kTimestamp, 41}, {FieldKind::kMachine, 5}, {FieldKind::kSequence, 17}});

// In the order in which people see them listed.
inline constexpr std::array<BuiltinLayout, 17> kBuiltinLayouts = [] {
  using enum FieldKind;
  return std::to_array<BuiltinLayout>({
      {kSnowflake, "idgen's default: Twitter's fields, counted from 2020."},

      // Source: twitter-archive/snowflake, tag snowflake-2010, IdWorker.scala.
      {MakeLayout("twitter", 1000, 1288834974657,
                  {{kTimestamp, 41}, {kDatacenter, 5}, {kMachine, 5}, {kSequence, 12}}),
       "Twitter (X), as in its code of 2010, where the machine is called worker. Whether "
       "these 10 bits are still divided so, an ID does not tell."},

      // Source: Meituan-Dianping/Leaf, SnowflakeIDGenImpl.java.
      {MakeLayout("leaf", 1000, 1288834974657, {{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}}),
       "Meituan Leaf in snowflake mode, with its default epoch. The sequence of a "
       "millisecond starts at random below 100."},

      // Source: Discord's API reference, "Snowflakes". 42 bits of time there.
      {MakeLayout("discord", 1000, 1420070400000,
                  {{kTimestamp, 41}, {kDatacenter, 5}, {kMachine, 5}, {kSequence, 12}}),
       "Discord: the datacenter is its worker, the machine its process, the sequence its "
       "increment. Its IDs outgrow an int8 on 2084-09-06."},

      {kInstagram,
       "Instagram's published function, epoch 2011-08-24. Its IDs outgrow an int8 on "
       "2046-06-27. The sequence is a table's own, modulo 1024."},

      // Source: sony/sonyflake, sonyflake.go: times in 10 ms, since 2014-09-01.
      {MakeLayout("sonyflake", 10'000, 1409529600000,
                  {{kTimestamp, 39}, {kSequence, 8}, {kMachine, 16}}),
       "Sonyflake v1, times in 10 ms. The machine is the lower 16 bits of the host's private "
       "IPv4 address, unless set otherwise."},

      // Source: sony/sonyflake, v2/sonyflake.go: the same, since 2025-01-01.
      {MakeLayout("sonyflake2", 10'000, 1735689600000,
                  {{kTimestamp, 39}, {kSequence, 8}, {kMachine, 16}}),
       "Sonyflake v2 at its defaults. Its epoch, unit of time and widths can be set, which an "
       "ID does not tell."},

      // Source: baidu/uid-generator, DefaultUidGenerator.java: epochStr "2016-05-20", which its
      // epochSeconds takes as midnight in UTC+8.
      {MakeLayout("uidgenerator", 1'000'000, 1463673600000,
                  {{kTimestamp, 28}, {kMachine, 22}, {kSequence, 13}}),
       "Baidu uid-generator, times in seconds. Its defaults ran out on 2024-11-20. Its epoch "
       "and widths can be set, which an ID does not tell."},

      // Source: pgEdge/snowflake, snowflake.c (SNOWFLAKE_NODE_SHIFT 12), and the README of its
      // older versions (counter in bits 10 to 21, node in bits 0 to 9). Its code changed on
      // 2023-10-31, but the example in its documentation, an ID of 2024-01-11, has the old order.
      {MakeLayout("pgedge", 1000, 1672531200000,
                  {{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}}),
       "pgEdge's snowflake extension: the machine is its snowflake.node. Older versions are "
       "pgedge_old; which one made an ID, it does not tell."},
      {MakeLayout("pgedge_old", 1000, 1672531200000,
                  {{kTimestamp, 41}, {kSequence, 12}, {kMachine, 10}}),
       "pgEdge's snowflake extension before its node moved above its counter: see pgedge."},

      // Source: mastodon/mastodon, lib/mastodon/snowflake.rb: the first two bytes of
      // md5(table name, secret, time), plus the table's sequence, modulo 65536. 48 bits of
      // time there.
      {MakeLayout("mastodon", 1000, 0, {{kTimestamp, 47}, {kTail, 16}}),
       "Mastodon, decode only: its tail adds a sequence to a hash with a secret in it, so "
       "that the time alone can be read."},

      // Source: f4b6a3/tsid-creator and vladmihalcea/hypersistence-tsid, README. 42 bits of
      // time there.
      {MakeLayout("tsid", 1000, 1577836800000, {{kTimestamp, 41}, {kMachine, 10}, {kSequence, 12}}),
       "TSID with its default of 10 node bits (the machine here). These and the epoch can be "
       "set, which an ID does not tell."},

      // Source: Hazelcast's reference manual, "Flake ID Generator": since 2018-01-01.
      {MakeLayout("hazelcast", 1000, 1514764800000,
                  {{kTimestamp, 41}, {kSequence, 6}, {kMachine, 16}}),
       "Hazelcast Flake ID generator at its defaults, epoch 2018. The machine is the member's "
       "node ID. Under load its times run ahead, up to 15 s."},

      // Source: cockroachdb/cockroach, GenerateUniqueInt: (time << 15) ^ node ID, with the time in
      // 10 us since 2015-01-01. A node never uses the same time twice, so there is no sequence.
      {MakeLayout("cockroach", 10, 1420070400000, {{kTimestamp, 48}, {kMachine, 15}}),
       "CockroachDB's unique_rowid(), decode only. A node ID above 32767 disturbs the time. "
       "Not for unordered_unique_rowid(): its time is reversed."},

      {kTso, "TiDB's timestamp oracle. No identity: one generator in a whole cluster."},

      {kWide,
       "idgen's own, for 131 million IDs a second: the time as in snowflake, but 32 machines.",
       false},

      // 53 bits: a double holds all integers below 2^53.
      {MakeLayout("js53", 1000, 1577836800000, {{kTimestamp, 41}, {kMachine, 4}, {kSequence, 8}}),
       "idgen's own: fits the 53 bits that a JavaScript number keeps exactly.", false},
  });
}();

// What the arithmetic of Layout relies on: the timestamp on top, the other fields below it
// without a gap or an overlap, 63 bits at most.
static_assert([] {
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    const Layout& layout = builtin.layout;
    const Field& timestamp = layout[FieldKind::kTimestamp];
    if (timestamp.bits == 0 || layout.TotalBits() > 63 || layout.tick_us <= 0) return false;
    if (unsigned{timestamp.bits} + timestamp.shift != layout.TotalBits()) return false;
    std::uint64_t covered = 0;
    for (const Field& field : layout.fields) {
      const std::uint64_t bits = field.Put(field.Largest());
      if ((covered & bits) != 0) return false;
      covered |= bits;
    }
    if (covered != layout.MaxId()) return false;
  }
  return true;
}());

// Returns the built-in layout of that name with what is said of it, or nullptr.
constexpr const BuiltinLayout* FindBuiltin(std::string_view name) {
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    if (builtin.layout.name == name) return &builtin;
  }
  return nullptr;
}

// Returns the built-in layout of that name, or nullptr.
constexpr const Layout* FindBuiltinLayout(std::string_view name) {
  // Not by FindBuiltin: g++ with -fsanitize=undefined takes no comparison of its result with
  // nullptr for a constant.
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    if (builtin.layout.name == name) return &builtin.layout;
  }
  return nullptr;
}

}  // namespace idgen

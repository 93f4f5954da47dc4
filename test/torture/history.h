// What a session did, as the client (client.cpp) records it and the checker reads it: a file
// of calls for each session, each followed by its IDs.
#pragma once

#include <cstdint>

enum class Kind : std::uint8_t {
  kIds,       // in the order in which they were made
  kAnyOrder,  // made by one call, by several processes
  kReserve,   // the first of consecutive integers; the record has them all
  kObserve,   // no ID, but a bound: every later ID is greater
  kError,
};

// The layouts that the campaign uses; it makes the last four itself (Torture/Round.pm).
enum class LayoutName : std::uint8_t {
  kSnowflake,
  kInstagram,
  kSonyflake2,
  kSeconds,
  kEnding,
  kWide,
  kMany,
};
constexpr int kLayouts = 7;

enum class Mode : std::uint8_t { kWait, kLead, kError };

struct Call {
  std::int64_t invoked_ns;       // CLOCK_MONOTONIC, before the statement was sent
  std::int64_t completed_ns;     // after its result was there
  std::int64_t clock_before_us;  // the server's clock in the same statement, since 1970; or 0
  std::int64_t clock_after_us;
  std::int64_t lead_us;  // by which the call's settings let IDs run ahead
  std::uint32_t session;
  std::uint32_t count;  // of IDs that follow
  std::int32_t shard;   // that the call named, or -1
  std::int32_t stride;  // the second ID is of shard + stride, and so on; 0: all are of one shard
  std::int16_t datacenter;  // that the session had set, or -1: the server's
  std::int16_t machine;
  std::uint8_t server;
  Kind kind;
  Kind asked;  // also of an error
  LayoutName layout;
  Mode mode;
  bool named;     // by the generator "fixed", whose machine ID is its own
  bool blocks;    // the IDs may be from a block: idgen.block_size is above 1
  bool plain;     // the role is no superuser: 42501 may come
  bool refused;   // the session was given a setting that it may not have: F0000 may come
  char state[6];  // the SQLSTATE of an error, or one of those below
};
static_assert(sizeof(Call) == 80);

// What has no SQLSTATE of its own.
constexpr char kStuck[] = "STUCK";  // a call that does not return
constexpr char kLeft[] = "LEFT";    // DISCARD left something of the session behind
constexpr char kStale[] = "STALE";  // a plan with a function that was dropped (client.cpp)

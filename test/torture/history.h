// What a session did, as the client (client.cpp) records it and the checker reads it: for each
// session a file of calls, each followed by its IDs.
#pragma once

#include <cstdint>

enum class Kind : std::uint8_t {
  kIds,       // in the order in which they were made
  kAnyOrder,  // made by one call, but several processes
  kReserve,   // the first of consecutive integers; the record has all of them
  kObserve,   // no ID but a bound: every later ID is greater
  kError,
};

// The layouts that the campaign uses; it creates kSeconds to kMany itself (Torture/Round.pm). Then
// come the positions of IDs of 128 bits, the hybrid logical clock, the tickets of a sequence of
// each database, and a generator whose layout changes.
enum class LayoutName : std::uint8_t {
  kSnowflake,
  kInstagram,
  kSonyflake2,
  kSeconds,
  kEnding,
  kWide,
  kMany,
  kMicroseconds,  // UUIDs of version 7, and ULIDs
  kNodes,         // UUIDs of version 8, and id128
  kGregorian,     // UUIDs of versions 1 and 6
  kHlc,
  kTickets,
  kChanging,
};
constexpr int kLayouts = 13;

enum class Mode : std::uint8_t { kWait, kLead, kError };

struct Call {
  std::int64_t invoked_ns;       // CLOCK_MONOTONIC, before the statement was sent
  std::int64_t completed_ns;     // after its result arrived
  std::int64_t clock_before_us;  // the server's clock in the same statement, since 1970; or 0
  std::int64_t clock_after_us;
  std::int64_t lead_us;  // how far the call's settings let IDs run ahead
  std::uint32_t session;
  std::uint32_t count;  // number of IDs that follow
  std::int32_t shard;   // the shard that the call named, or -1; of tickets and kChanging, which
                        // database; of kNodes, what the IDs say of who made them
  std::int32_t stride;  // the second ID is of shard + stride, and so on; 0: all are of one shard
  std::int16_t datacenter;  // what the session had set, or -1: the server's
  std::int16_t machine;
  std::uint8_t server;
  Kind kind;
  Kind asked;  // also for an error
  LayoutName layout;
  Mode mode;
  bool named;     // by the generator "fixed", which has its own machine ID
  bool blocks;    // the IDs may be from a block: idgen.block_size is above 1
  bool plain;     // the role is no superuser, so 42501 may come
  bool refused;   // the session was given a setting that it may not have, so F0000 may come
  char state[6];  // the SQLSTATE of an error, or one of those below
};
static_assert(sizeof(Call) == 80);

// Outcomes without an SQLSTATE.
constexpr char kStuck[] = "STUCK";  // a call that does not return
constexpr char kLeft[] = "LEFT";    // DISCARD left part of the session's state behind
constexpr char kStale[] = "STALE";  // a plan with a function that was dropped (results.h)

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

// The layouts that the campaign uses; it makes the last two itself (Torture/Server.pm).
enum class LayoutName : std::uint8_t { kSnowflake, kInstagram, kSonyflake2, kSeconds, kEnding };
constexpr int kLayouts = 5;

enum class Mode : std::uint8_t { kWait, kLead, kError };

struct Call {
  std::int64_t invoked_ns;       // CLOCK_MONOTONIC, before the statement was sent
  std::int64_t completed_ns;     // after its result was there
  std::int64_t clock_before_us;  // the server's clock in the same statement, since 1970; or 0
  std::int64_t clock_after_us;
  std::int64_t lead_us;  // by which the call's settings let IDs run ahead
  std::uint32_t session;
  std::uint32_t count;  // of IDs that follow
  std::int16_t shard;   // that the call named, or -1
  std::uint8_t server;
  Kind kind;
  Kind asked;  // also of an error
  LayoutName layout;
  Mode mode;
  bool named;     // by the generator "fixed", whose machine ID is its own
  bool blocks;    // idgen.block_size above 1
  char state[6];  // the SQLSTATE of an error
};
static_assert(sizeof(Call) == 64);

// A ticket server: a PostgreSQL that gives segments of a sequence to many servers. Its driver is in
// the same module as that of PostgreSQL registries, and has the same rules (registry.h): waits go
// through the host, up to a deadline, and after a failure nothing is known. What was asked for may
// then have been taken from the sequence, which costs its numbers and no more.
#pragma once

#include "registry.h"

namespace idgen::registry {

// The numbers first, first + increment, ...: as many as were asked for.
struct TicketAnswer {
  std::int64_t first = 0;
  std::int64_t increment = 0;
};

enum class TicketStatus : std::uint8_t {
  kDone,
  kTooMany,  // the sequence has not as many left; the connection can be used
  kRefused,  // another error of the statement; Error says what. The connection can be used
  kFailed,
};

struct TicketServerDriver {
  std::uint32_t version;  // kDriverVersion

  // As in Driver.
  bool (*check_address)(const char* address, Error& error);
  Connection* (*open)(const char* address, const Host& host, std::int64_t deadline_us,
                      Error& error);
  void (*close)(Connection* connection);

  // Takes `count` numbers of a sequence, whose name is qualified and quoted. They are nobody
  // else's, durably, when it returns kDone.
  TicketStatus (*take)(Connection*, const char* sequence, std::int32_t count, TicketAnswer& answer,
                       std::int64_t deadline_us, Error& error);
};

const TicketServerDriver* TicketServer() noexcept;

}  // namespace idgen::registry

// The module exports this function.
extern "C" {
typedef const idgen::registry::TicketServerDriver* (*idgen_ticket_server_driver_function)(void);
}

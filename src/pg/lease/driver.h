// The modules that talk to registries and ticket servers, one for each kind. Loaded only where the
// address names it.
#pragma once

#include "pg.h"

#include "registry/registry.h"
#include "registry/ticket_server.h"
#include "try.h"

namespace idgen::pg {

// Returns the driver for an address; loads its module. Errors: an address of no known kind, or that
// makes no sense; a module that is not installed.
const registry::Driver& DriverFor(const char* address);

// The same for the addresses of ticket servers, as the settings accept them.
const registry::TicketServerDriver& TicketServerDriverFor(const char* address);

// Calls `load`, for a worker, which must not end by an error. Returns false after one, and its
// message.
template <typename Load>
bool LoadDriver(registry::Error& error, Load&& load) {
  ErrorData* const data = TryAlone(load);
  if (data == nullptr) return true;
  strlcpy(error.message, data->message, sizeof(error.message));
  FreeErrorData(data);
  return false;
}

// Waits as registry::Host asks, on this process's latch, which it resets; returns whether that was
// set. Handles no interrupts.
bool WaitForRegistry(int socket, bool read, bool write, std::int64_t us);

}  // namespace idgen::pg

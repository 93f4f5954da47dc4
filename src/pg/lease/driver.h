// The modules that talk to registries and ticket servers, one for each kind. Loaded only where the
// address names it.
#pragma once

#include "pg.h"

#include "registry/registry.h"
#include "registry/ticket_server.h"

namespace idgen::pg {

// Returns the driver for an address; loads its module. Errors: an address of no known kind, or that
// makes no sense; a module that is not installed.
const registry::Driver& DriverFor(const char* address);

// The same for the addresses of ticket servers, as the settings accept them.
const registry::TicketServerDriver& TicketServerDriverFor(const char* address);

// Waits as registry::Host asks, on this process's latch, which it resets. Handles no interrupts.
void WaitForRegistry(int socket, bool read, bool write, std::int64_t us);

}  // namespace idgen::pg

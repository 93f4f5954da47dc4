#include "driver.h"

#include <algorithm>
#include <string_view>

namespace idgen::pg {

namespace {

struct Kind {
  std::string_view scheme;  // of the address
  const char* module;
};
constexpr Kind kKinds[] = {
    {"postgresql", "idgen_postgresql"},
    {"postgres", "idgen_postgresql"},
    {"zookeeper", "idgen_zookeeper"},
    {"etcd", "idgen_etcd"},
    {"etcds", "idgen_etcd"},
};

const Kind& KindOf(std::string_view address) {
  const std::size_t end = address.find("://");
  // A connection string of libpq's other form: host=... port=...
  if (end == std::string_view::npos && address.find('=') != std::string_view::npos) {
    return kKinds[0];
  }
  for (const Kind& kind : kKinds) {
    if (address.substr(0, end) == kind.scheme && end != std::string_view::npos) return kind;
  }
  ereport(ERROR,
          (errcode(ERRCODE_CONFIG_FILE_ERROR),
           errmsg("idgen.registry does not begin with postgresql://, zookeeper:// or etcd://")));
  pg_unreachable();
}

extern "C" {

static void ExplainModule(void* module) {
  errcontext("loading \"%s\", which an address in the settings of idgen needs",
             static_cast<const char*>(module));
}

}  // extern "C"

// Loads a module and returns its driver. `setting` has the address.
template <typename Driver>
const Driver& DriverOf(const char* module, const char* function, const char* setting,
                       const char* address) {
  ErrorContextCallback context{error_context_stack, ExplainModule, const_cast<char*>(module)};
  error_context_stack = &context;
  const auto load = reinterpret_cast<const Driver* (*)()>(
      load_external_function(psprintf("$libdir/%s", module), function, true, nullptr));
  error_context_stack = context.previous;
  const Driver& driver = *load();
  if (driver.version != registry::kDriverVersion) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("module \"%s\" is of another version than idgen", module),
                    errhint("Install both from one package, and restart the server.")));
  }
  registry::Error error;
  if (!driver.check_address(address, error)) {
    ereport(ERROR, (errcode(ERRCODE_CONFIG_FILE_ERROR),
                    errmsg("%s is not valid: %s", setting, error.message)));
  }
  return driver;
}

}  // namespace

const registry::Driver& DriverFor(const char* address) {
  return DriverOf<registry::Driver>(KindOf(address).module, "idgen_registry_driver",
                                    "idgen.registry", address);
}

const registry::TicketServerDriver& TicketServerDriverFor(const char* address) {
  return DriverOf<registry::TicketServerDriver>("idgen_postgresql", "idgen_ticket_server_driver",
                                                "idgen.ticket_servers", address);
}

bool WaitForRegistry(int socket, bool read, bool write, std::int64_t us) {
  static constinit uint32 wait_event = 0;
  if (wait_event == 0) wait_event = WaitEventFor("IdgenRegistry");
  int events = WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH;
  if (read) events |= WL_SOCKET_READABLE;
  if (write) events |= WL_SOCKET_WRITEABLE;
  // The timeout counts milliseconds; rounded up, so that a short wait is no spin.
  const auto ms = static_cast<long>((std::max<std::int64_t>(us, 0) + 999) / 1000);
  const int happened = read || write ? WaitLatchOrSocket(MyLatch, events, socket, ms, wait_event)
                                     : WaitLatch(MyLatch, events, ms, wait_event);
  if ((happened & WL_LATCH_SET) == 0) return false;
  ResetLatch(MyLatch);
  return true;
}

}  // namespace idgen::pg

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>

#include "postgresql_link.h"

namespace idgen::registry::postgresql {

namespace {

constexpr int kLeastVersion = 120000;

// The elements of libpq's lists of hosts, addresses and ports.
std::vector<std::string> Split(const char* list) {
  std::vector<std::string> parts;
  if (list == nullptr || *list == '\0') return parts;
  std::string_view rest = list;
  for (;;) {
    const std::size_t comma = rest.find(',');
    parts.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    rest.remove_prefix(comma + 1);
  }
}

bool IsPort(std::string_view text) {
  int port = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
  return text.empty() ||
         (status == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65535);
}

struct Options {
  PQconninfoOption* all = nullptr;
  ~Options() { PQconninfoFree(all); }

  [[nodiscard]] const char* Of(const char* keyword) const noexcept {
    for (const PQconninfoOption* option = all; option != nullptr && option->keyword != nullptr;
         ++option) {
      if (std::strcmp(option->keyword, keyword) == 0) return option->val;
    }
    return nullptr;
  }
};

}  // namespace

// What libpq says about an address that it cannot read may quote a part of the password.
bool CheckAddress(const char* address, Error& error) {
  const std::string_view text = address;
  if (text.find('=') == std::string_view::npos && !text.starts_with("postgresql://") &&
      !text.starts_with("postgres://")) {
    return Fail(error,
                "the address is neither a URI that begins with postgresql:// nor a connection "
                "string of keyword=value pairs");
  }
  Options options;
  char* ignored = nullptr;
  options.all = PQconninfoParse(address, &ignored);
  PQfreemem(ignored);
  if (options.all == nullptr) {
    return Fail(error,
                "libpq does not understand the address: its form, the name of a parameter, or a "
                "special character that is not percent-encoded (in a URI) or quoted");
  }
  if (options.Of("replication") != nullptr) {
    return Fail(error, "the address must not ask for a replication connection");
  }
  for (const char* keyword : {"host", "hostaddr"}) {
    const char* value = options.Of(keyword);
    // A password with an @ that is not encoded; the error when connecting would show its end.
    if (value != nullptr && value[0] != '/' && std::strchr(value, '@') != nullptr &&
        value[0] != '@') {
      return Fail(error, "the address has an @ in the host name; in a password it is written %40");
    }
  }
  const std::vector<std::string> ports = Split(options.Of("port"));
  if (!std::all_of(ports.begin(), ports.end(), IsPort)) {
    return Fail(error, "a port in the address is not a number from 1 to 65535");
  }
  const std::size_t hosts =
      std::max(Split(options.Of("host")).size(), Split(options.Of("hostaddr")).size());
  if (ports.size() > 1 && ports.size() != hosts) {
    return Fail(error, "the address has another number of ports than of hosts");
  }
  return true;
}

// --- connecting ------------------------------------------------------------------------------

// libpq has no time limit of its own here for each of several hosts: one that is switched off
// would use up all of it. So they are tried one by one.
bool Link::FindPlaces(const char* address, Error& error) {
  Options options;
  options.all = PQconninfoParse(address, nullptr);
  if (options.all == nullptr) return Fail(error, "libpq does not understand the address");
  const std::vector<std::string> hosts = Split(options.Of("host"));
  const std::vector<std::string> addresses = Split(options.Of("hostaddr"));
  const std::vector<std::string> ports = Split(options.Of("port"));
  const std::size_t count = std::max(hosts.size(), addresses.size());
  if (count > 1 && !hosts.empty() && !addresses.empty() && hosts.size() != addresses.size()) {
    return Fail(error, "the address has another number of hosts than of hostaddr");
  }
  for (std::size_t i = 0; i < count && count > 1; ++i) {
    Place& place = places_.emplace_back();
    if (!hosts.empty()) place.host = hosts[i];
    if (!addresses.empty()) place.hostaddr = addresses[i];
    if (!ports.empty()) place.port = ports[ports.size() == 1 ? 0 : i];
  }
  return true;
}

bool Link::Open(const char* address, std::int64_t deadline_us, Error& error) {
  if (!CheckAddress(address, error) || !FindPlaces(address, error)) return false;
  if (places_.empty()) {
    return Connect(address, Place{}, deadline_us, error) && Probe(deadline_us, error);
  }
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const std::int64_t now_us = host_.monotonic_us(host_.context);
    const auto rest = static_cast<std::int64_t>(places_.size() - i);
    const std::int64_t part_us = now_us + std::max<std::int64_t>(deadline_us - now_us, 0) / rest;
    if (Connect(address, places_[i], part_us, error) && Probe(part_us, error)) return true;
    Disconnect();
    if (!failures_.empty()) failures_ += "; ";
    const Place& place = places_[i];
    failures_ += (place.host.empty() ? place.hostaddr : place.host) + ": " + error.message;
  }
  return postgresql::Fail(error, failures_);
}

bool Link::Connect(const char* address, const Place& place, std::int64_t deadline_us,
                   Error& error) {
  // What comes before dbname is a default, what comes behind it overrides.
  const char* keywords[] = {"fallback_application_name",
                            "gssencmode",  // would ask a ticket server, without our deadline
                            "target_session_attrs",
                            "dbname",
                            "client_encoding",
                            "host",
                            "hostaddr",
                            "port",
                            nullptr};
  const char* values[] = {"idgen",
                          "disable",
                          PQlibVersion() >= 140000 ? "primary" : "read-write",
                          address,
                          "UTF8",
                          place.host.empty() ? nullptr : place.host.c_str(),
                          place.hostaddr.empty() ? nullptr : place.hostaddr.c_str(),
                          place.port.empty() ? nullptr : place.port.c_str(),
                          nullptr};
  static_assert(std::size(keywords) == std::size(values));
  connection_ = PQconnectStartParams(keywords, values, 1);
  if (connection_ == nullptr) return Fail(error, "out of memory");
  if (PQstatus(connection_) == CONNECTION_BAD) {
    return FailByLink("cannot connect to @", error);
  }
  PQsetNoticeReceiver(connection_, &Link::Notice, this);
  for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;
       next = PQconnectPoll(connection_)) {
    if (next == PGRES_POLLING_FAILED) return FailByLink("cannot connect to @", error);
    if (!Wait(next == PGRES_POLLING_READING, next == PGRES_POLLING_WRITING, deadline_us, error)) {
      return false;
    }
  }
  if (PQsetnonblocking(connection_, 1) != 0) return FailByLink("cannot use the connection", error);
  usable_ = true;
  return true;
}

// Clear words for what is wrong most often.
bool Link::Probe(std::int64_t deadline_us, Error& error) {
  if (PQserverVersion(connection_) < kLeastVersion) {
    return Fail(error, "@ must be a PostgreSQL of version 12 or later");
  }
  sql_ = "SELECT pg_catalog.pg_is_in_recovery(), ";
  sql_ += peer_.probe;
  sql_ +=
      ", (extract(epoch FROM pg_catalog.clock_timestamp())"
      " OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8";
  for (const Part& part : peer_.parts) {
    sql_ += ", ";
    sql_ += part.is_there;
  }
  bool is_standby = false;
  bool is_there = false;
  const int parts = static_cast<int>(peer_.parts.size());
  if (!Exchange(3 + parts, deadline_us, error)) return false;
  if (Rows() != 1) return Fail(error, "@'s answer to a query has no row");
  if (!Boolean(0, 0, "pg_is_in_recovery()", is_standby, error) ||
      !Boolean(0, 1, "what it needs", is_there, error)) {
    return false;
  }
  has_ = 0;
  for (int i = 0; i < parts; ++i) {
    bool has = false;
    if (!Boolean(0, 3 + i, "what it may have", has, error)) return false;
    has_ |= std::uint32_t{has} << i;
  }
  SeeClock(0, 2);
  if (is_standby) return Fail(error, "@ is a standby, which cannot be written");
  return is_there || Fail(error, peer_.missing);
}

bool Link::LookAgain(std::int64_t deadline_us, Error& error) {
  if (!usable_) return Fail(error, "the connection to @ is not usable any more");
  usable_ = Settle(deadline_us, error) && Probe(deadline_us, error);
  return usable_;
}

// --- drivers' connections ----------------------------------------------------------------------

// The connection that this thread is opening. If the host's wait does not return, the next call
// finds it here. (There is no destructor: a server's process just ends.)
static thread_local Link* opening = nullptr;

bool CheckLinkAddress(const char* address, Error& error) {
  return Guarded(error, false, [&] { return CheckAddress(address, error); });
}

Connection* OpenLink(const Peer& peer, const char* address, const Host& host,
                     std::int64_t deadline_us, Error& error) {
  delete std::exchange(opening, nullptr);
  const bool done = Guarded(error, false, [&] {
    opening = new Link(host, peer);
    return opening->Open(address, deadline_us, error);
  });
  Link* link = std::exchange(opening, nullptr);
  if (done) return reinterpret_cast<Connection*>(link);
  delete link;
  return nullptr;
}

void CloseLink(Connection* connection) { delete reinterpret_cast<Link*>(connection); }

}  // namespace idgen::registry::postgresql

// A connection of the PostgreSQL drivers: sends one statement in a transaction and reads its rows,
// by libpq's asynchronous functions only.
//
// The host's wait may end by a longjmp (registry.h). So whatever must be freed is a member here
// while anything waits, and no local variable.
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry.h"

namespace idgen::registry::postgresql {

// Sets the message: one line, cut where it must be. Returns false. `peer` stands for each @ of the
// first text.
bool Fail(Error& error, std::string_view what, std::string_view detail = {},
          std::string_view peer = {}) noexcept;

// Whether libpq understands an address, and it names no more than it should.
bool CheckAddress(const char* address, Error& error);

// What a peer may lack.
struct Part {
  std::string_view name;  // in the marks of statements: postgresql_statements.h
  const char* is_there;   // a SQL expression, whatever the search_path is
};

// Whom a link talks to.
struct Peer {
  const char* name;                  // in messages: "the registry"
  const char* probe;                 // a SQL expression: what is needed is there
  const char* missing;               // the message if it is not
  const char* no_table;              // the message if a statement finds no table
  std::span<const Part> parts = {};  // at most 32
};

// No clock is that far off: the year 9999.
inline constexpr std::int64_t kMostClockUs = 253'402'300'799'999'999;

class Link {
 public:
  Link(const Host& host, const Peer& peer) noexcept : host_(host), peer_(peer) {}
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Connects, and sees that the peer is there and can be written.
  bool Open(const char* address, std::int64_t deadline_us, Error& error);

  // The parameters of the next statement, in order.
  void Begin() { arguments_.clear(); }
  bool AddText(std::string_view text, Error& error);
  void AddTime(std::int64_t ms);
  void AddMilliseconds(std::int64_t ms);
  void AddClock();  // Clock() as two intervals: the offset and its error
  void AddInteger(std::int64_t number);
  void AddBoolean(bool value);
  void AddArray(const std::vector<std::int32_t>& numbers);

  // Runs the statement with those parameters. True once the peer has committed it, durably. Any
  // failure ends the connection's use.
  bool Run(const char* statement, int columns, std::int64_t deadline_us, Error& error);

  // The SQLSTATE of the last error of a statement; empty if it was not the peer's.
  [[nodiscard]] std::string_view State() const noexcept { return state_; }

  // For a statement that may fail without harm. False if the connection is of no use then.
  bool TryRun(const char* statement, int columns, std::int64_t deadline_us, Error& error);

  // After a statement that failed: goes back to before it. False if the connection is of no use.
  bool Recover(std::int64_t deadline_us, Error& error);

  // Runs a statement that only reads, until `until_us` or until the host ends the wait: then
  // `ended` is set, it returns false, and the connection can be used as before.
  bool RunUntil(const char* statement, int columns, std::int64_t until_us, bool& ended,
                Error& error);

  // Waits for a notification, with nothing outstanding, until `until_us` or until the host ends the
  // wait. False if the connection is of no use.
  bool AwaitNotification(std::string_view channel, std::string_view payload, std::int64_t until_us,
                         bool& notified, Error& error);

  // Lets a little time pass.
  bool Pause(std::int64_t us, std::int64_t deadline_us, Error& error);

  // The rows. A value that is not what it should be fails, and says so.
  [[nodiscard]] int Rows() const noexcept;
  [[nodiscard]] bool IsNull(int row, int column) const noexcept;
  [[nodiscard]] std::string_view Text(int row, int column) const noexcept;
  bool Number(int row, int column, std::int64_t least, std::int64_t most, const char* what,
              std::int64_t& number, Error& error) const noexcept;
  bool Boolean(int row, int column, const char* what, bool& value, Error& error) const noexcept;

  // Whether the peer has a part, as far as is known: from the connection's beginning, and since.
  [[nodiscard]] bool Has(std::size_t part) const noexcept { return (has_ >> part & 1) != 0; }
  bool LookAgain(std::int64_t deadline_us, Error& error);

  // Compares the clocks: the column has the peer's, in microseconds, read between when the last
  // statement was sent and when its answer was there.
  void SeeClock(int row, int column) noexcept;
  [[nodiscard]] const ClockOffset& Clock() const noexcept { return clock_; }

  // For the driver's answers while something waits.
  struct Scratch {
    std::vector<std::size_t> pending, expired, stale;
    std::vector<std::int32_t> datacenters, machines, shards;
    std::string function;
    // See Watch of postgresql_scheme.cpp.
    std::string watched;
    std::int64_t seen = 0;
    bool listens = false;
    bool has_news = false;
  } scratch;

 private:
  struct Place {
    std::string host, hostaddr, port;
  };

  bool FindPlaces(const char* address, Error& error);
  bool Connect(const char* address, const Place& place, std::int64_t deadline_us, Error& error);
  bool Probe(std::int64_t deadline_us, Error& error);
  [[nodiscard]] std::size_t LeftOut(std::string_view text) const;
  void Expand(std::string_view statement);
  bool RunFor(const char* statement, int columns, std::int64_t timeout_us, std::int64_t deadline_us,
              Error& error);
  bool Exchange(int columns, std::int64_t deadline_us, Error& error);
  bool Settle(std::int64_t deadline_us, Error& error);
  bool Flush(std::int64_t deadline_us, Error& error);
  bool Receive(std::int64_t deadline_us, Error& error);
  bool Take(PGresult* result, Error& error);
  bool Fail(Error& error, std::string_view what, std::string_view detail = {}) const noexcept;
  bool FailByServer(const PGresult* result, Error& error);
  bool FailByLink(const char* what, Error& error);
  bool Wait(bool read, bool write, std::int64_t deadline_us, Error& error);
  void Disconnect() noexcept;
  static void Notice(void* link, const PGresult* result);

  Host host_;
  Peer peer_;
  PGconn* connection_ = nullptr;
  PGresult* rows_ = nullptr;      // of the statement
  PGresult* received_ = nullptr;  // being looked at
  bool usable_ = false;
  bool committed_ = false;
  bool not_replicated_ = false;
  bool outstanding_ = false;      // something was sent, and its answer is not here yet
  bool ended_ = false;            // the last wait was: by the host, or no time was left
  std::uint32_t has_ = 0;         // bits of the parts
  std::int64_t sent_us_ = 0;      // the last statement, by the wall clock
  std::int64_t received_us_ = 0;  // all of its answer
  ClockOffset clock_ = {};
  char state_[6] = {};
  std::vector<std::string> arguments_;  // as literals
  std::vector<std::string> others_;     // those of the transaction
  std::string sql_;
  std::vector<Place> places_;
  std::string failures_;  // of the places before
};

// Calls `function`. No exception leaves a driver; there is none but a lack of memory.
template <typename Function>
auto Guarded(Error& error, decltype(std::declval<Function>()()) failed,
             Function&& function) noexcept {
  try {
    return function();
  } catch (...) {
    Fail(error, "out of memory");
    return failed;
  }
}

// A driver's connection is a link.
inline Link& LinkOf(Connection* connection) { return *reinterpret_cast<Link*>(connection); }
inline const Link& LinkOf(const Connection* connection) {
  return *reinterpret_cast<const Link*>(connection);
}
bool CheckLinkAddress(const char* address, Error& error);
Connection* OpenLink(const Peer& peer, const char* address, const Host& host,
                     std::int64_t deadline_us, Error& error);
void CloseLink(Connection* connection);

}  // namespace idgen::registry::postgresql

#include "postgresql_link.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <iterator>

#include "postgresql_statements.h"

namespace idgen::registry::postgresql {

namespace {

std::int64_t WallClockUs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

bool IsSpace(char c) { return static_cast<unsigned char>(c) <= ' '; }

}  // namespace

bool Fail(Error& error, std::string_view what, std::string_view detail,
          std::string_view peer) noexcept {
  std::size_t size = 0;
  const auto append = [&](std::string_view text) {
    for (const char c : text) {
      if (size + 1 >= kErrorSize) break;
      if (!IsSpace(c)) {
        error.message[size++] = c;
      } else if (size > 0 && error.message[size - 1] != ' ') {
        error.message[size++] = ' ';
      }
    }
  };
  for (std::size_t at = what.find('@'); !peer.empty() && at != std::string_view::npos;
       at = what.find('@')) {
    append(what.substr(0, at));
    append(peer);
    what.remove_prefix(at + 1);
  }
  append(what);
  if (!detail.empty()) {
    append(": ");
    append(detail);
  }
  while (size > 0 && (error.message[size - 1] == ' ' || error.message[size - 1] == '.')) --size;
  error.message[size] = '\0';
  return false;
}

Link::~Link() { Disconnect(); }

void Link::Disconnect() noexcept {
  usable_ = false;
  PQclear(received_);
  PQclear(rows_);
  received_ = rows_ = nullptr;
  if (connection_ != nullptr) PQfinish(connection_);
  connection_ = nullptr;
}

bool Link::Wait(bool read, bool write, std::int64_t deadline_us, Error& error) {
  const std::int64_t left_us = deadline_us - host_.monotonic_us(host_.context);
  ended_ = left_us <= 0;
  if (ended_) return Fail(error, "@ did not answer in time");
  const int socket = PQsocket(connection_);
  if (socket < 0) return FailByLink("the connection to @ is lost", error);
  ended_ = !host_.wait(host_.context, socket, read, write, left_us);
  return !ended_ || Fail(error, "the wait for @ was ended");
}

bool Link::Pause(std::int64_t us, std::int64_t deadline_us, Error& error) {
  const std::int64_t left_us = deadline_us - host_.monotonic_us(host_.context);
  if (left_us <= 0) return Fail(error, "@ did not answer in time");
  if (!host_.wait(host_.context, -1, false, false, std::min(us, left_us))) {
    return Fail(error, "the wait for @ was ended");
  }
  return true;
}

bool Link::Fail(Error& error, std::string_view what, std::string_view detail) const noexcept {
  return postgresql::Fail(error, what, detail, peer_.name);
}

bool Link::FailByLink(const char* what, Error& error) {
  return Fail(error, what, connection_ != nullptr ? PQerrorMessage(connection_) : "");
}

// --- statements ------------------------------------------------------------------------------

bool Link::AddText(std::string_view text, Error& error) {
  if (!usable_) return Fail(error, "the connection to @ is not usable any more");
  char* literal = PQescapeLiteral(connection_, text.data(), text.size());
  if (literal == nullptr) return FailByLink("a name cannot be sent to @", error);
  arguments_.emplace_back(literal);
  PQfreemem(literal);
  return true;
}

// As text in the form that means the same with every DateStyle and TimeZone, and is exact.
void Link::AddTime(std::int64_t ms) {
  using std::chrono::milliseconds;
  const std::chrono::sys_time<milliseconds> time{milliseconds(ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[64];
  std::snprintf(text, sizeof text, "'%04d-%02u-%02u %02d:%02d:%02d.%03d+00'", int{date.year()},
                unsigned{date.month()}, unsigned{date.day()},
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  arguments_.emplace_back(text);
}

void Link::AddMilliseconds(std::int64_t ms) {
  arguments_.emplace_back("'").append(std::to_string(ms)).append(" milliseconds'");
}

void Link::AddClock() {
  for (const std::int64_t us : {clock_.offset_us, clock_.error_us}) {
    if (clock_.known) {
      arguments_.emplace_back("'").append(std::to_string(us)).append(" microseconds'");
    } else {
      arguments_.emplace_back("NULL");
    }
  }
}

void Link::AddInteger(std::int64_t number) {
  arguments_.emplace_back("'").append(std::to_string(number)).append("'");
}

void Link::AddBoolean(bool value) { arguments_.emplace_back(value ? "'true'" : "'false'"); }

void Link::AddArray(const std::vector<std::int32_t>& numbers) {
  std::string text = "'{";
  for (const std::int32_t number : numbers) {
    if (text.size() > 2) text += ',';
    text += std::to_string(number);
  }
  arguments_.push_back(text + "}'");
}

// How much of a statement is left out at the beginning of this rest of it.
std::size_t Link::LeftOut(std::string_view text) const {
  constexpr std::string_view kOpen = "/*";
  constexpr std::string_view kIf = "?*/";
  constexpr std::string_view kElse = "/*:*/";
  constexpr std::string_view kEnd = "/*.*/";
  if (text.starts_with(kElse)) return text.find(kEnd);  // the first of the two was taken
  if (!text.starts_with(kOpen)) return 0;
  for (std::size_t i = 0; i < peer_.parts.size(); ++i) {
    const std::string_view name = peer_.parts[i].name;
    if (Has(i) || !text.substr(kOpen.size()).starts_with(name) ||
        !text.substr(kOpen.size() + name.size()).starts_with(kIf)) {
      continue;
    }
    const std::size_t end = text.find(kEnd);
    const std::size_t other = text.find(kElse);
    return other < end ? other + kElse.size() : end;
  }
  return 0;
}

// Appends the statement with its parameters to sql_. They go as literals, because only a simple
// query carries a whole transaction in one message, also through a pooler and with any libpq.
void Link::Expand(std::string_view statement) {
  while (!statement.empty()) {
    std::size_t taken = LeftOut(statement);
    const char next = statement.size() > 1 ? statement[1] : '\0';
    if (taken == 0 && statement[0] == '$' && next >= '1' && next <= '9') {
      sql_ += arguments_.at(static_cast<std::size_t>(next - '1'));
      taken = 2;
    } else if (taken == 0) {
      sql_ += statement[0];
      taken = 1;
    }
    statement.remove_prefix(taken);
  }
}

bool Link::Run(const char* statement, int columns, std::int64_t deadline_us, Error& error) {
  const std::int64_t left_us = deadline_us - host_.monotonic_us(host_.context);
  ended_ = left_us <= 0;
  if (ended_) return Fail(error, "no time is left to ask @");
  // What nobody waits for any more need not go on.
  return RunFor(statement, columns, left_us + 100'000, deadline_us, error);
}

bool Link::RunFor(const char* statement, int columns, std::int64_t timeout_us,
                  std::int64_t deadline_us, Error& error) {
  if (!usable_) return Fail(error, "the connection to @ is not usable any more");
  if (!Settle(deadline_us, error)) {
    usable_ = false;
    return false;
  }
  sql_.clear();
  std::swap(arguments_, others_);
  arguments_.clear();
  AddInteger(std::min<std::int64_t>(timeout_us / 1000, 600'000));
  Expand(sql::kTransaction);
  std::swap(arguments_, others_);
  Expand(statement);
  sql_ += ";\nCOMMIT";
  committed_ = not_replicated_ = false;
  state_[0] = '\0';
  if (!Exchange(columns, deadline_us, error)) {
    usable_ = false;
    return false;
  }
  if (!committed_ || not_replicated_) {
    usable_ = false;
    return Fail(error,
                committed_ ? "@ did not wait for its synchronous standbys" : "@ did not commit");
  }
  return true;
}

bool Link::TryRun(const char* statement, int columns, std::int64_t deadline_us, Error& error) {
  return Run(statement, columns, deadline_us, error) || Recover(deadline_us, error);
}

bool Link::Recover(std::int64_t deadline_us, Error& error) {
  if (connection_ == nullptr || PQtransactionStatus(connection_) != PQTRANS_INERROR) return false;
  sql_ = "ROLLBACK";
  usable_ = Exchange(0, deadline_us, error);
  return usable_;
}

bool Link::RunUntil(const char* statement, int columns, std::int64_t until_us, bool& ended,
                    Error& error) {
  constexpr std::int64_t kTimeoutUs = 60'000'000;  // the answer comes, whenever that is
  ended = host_.monotonic_us(host_.context) >= until_us;
  if (ended) return false;
  ended_ = false;
  if (RunFor(statement, columns, kTimeoutUs, until_us, error)) return true;
  ended = ended_ && PQstatus(connection_) == CONNECTION_OK;
  usable_ = ended;  // Settle takes what is outstanding
  return false;
}

bool Link::AwaitNotification(std::string_view channel, std::string_view payload,
                             std::int64_t until_us, bool& notified, Error& error) {
  if (!usable_) return Fail(error, "the connection to @ is not usable any more");
  notified = false;
  for (;;) {
    while (PGnotify* const one = PQnotifies(connection_)) {
      notified = notified || (channel == one->relname && payload == one->extra);
      PQfreemem(one);
    }
    if (notified) return true;
    if (!Wait(true, false, until_us, error)) {
      if (ended_) return true;
      break;
    }
    if (PQconsumeInput(connection_) != 1) {
      FailByLink("the connection to @ is lost", error);
      break;
    }
  }
  usable_ = false;
  return false;
}

// Sends sql_ and takes in all results up to the end; keeps the last one with rows.
bool Link::Exchange(int columns, std::int64_t deadline_us, Error& error) {
  PQclear(rows_);
  rows_ = nullptr;
  sent_us_ = WallClockUs();
  if (PQsendQuery(connection_, sql_.c_str()) != 1) {
    return FailByLink("cannot ask @", error);
  }
  outstanding_ = true;
  if (!Flush(deadline_us, error) || !Receive(deadline_us, error)) return false;
  received_us_ = WallClockUs();
  if (rows_ != nullptr && PQnfields(rows_) != columns) {
    return Fail(error, "@'s answer has another number of columns than was asked for");
  }
  if (rows_ == nullptr && columns > 0) {
    return Fail(error, "@'s answer has no rows at all");
  }
  return true;
}

// Takes the answer to what RunUntil did not wait for, and drops it.
bool Link::Settle(std::int64_t deadline_us, Error& error) {
  if (!outstanding_) return true;
  Error ignored;
  if (!Flush(deadline_us, error)) return false;
  if (!Receive(deadline_us, ignored) && outstanding_) {
    error = ignored;
    return false;
  }
  if (PQtransactionStatus(connection_) == PQTRANS_IDLE) return true;
  FailByLink("the connection to @ is lost", error);
  return Recover(deadline_us, error);
}

bool Link::Flush(std::int64_t deadline_us, Error& error) {
  for (;;) {
    const int rest = PQflush(connection_);
    if (rest == 0) return true;
    if (rest < 0) return FailByLink("cannot ask @", error);
    if (!Wait(true, true, deadline_us, error)) return false;
    // The server may have to get rid of something before it reads on.
    if (PQconsumeInput(connection_) != 1) return FailByLink("cannot ask @", error);
  }
}

bool Link::Receive(std::int64_t deadline_us, Error& error) {
  bool right = true;
  for (;;) {
    while (PQisBusy(connection_) == 1) {
      if (!Wait(true, false, deadline_us, error)) return false;
      if (PQconsumeInput(connection_) != 1) {
        return right && FailByLink("no answer from @", error);
      }
    }
    received_ = PQgetResult(connection_);
    if (received_ == nullptr) break;
    const bool good = right && Take(received_, error);
    right = good;
    PQclear(received_);
    received_ = nullptr;
  }
  outstanding_ = false;
  return right;
}

bool Link::Take(PGresult* result, Error& error) {
  switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
      PQclear(rows_);
      rows_ = result;
      received_ = nullptr;
      return true;
    case PGRES_COMMAND_OK:
      committed_ = std::strcmp(PQcmdStatus(result), "COMMIT") == 0;
      return true;
    case PGRES_FATAL_ERROR:
      return FailByServer(result, error);
    default:
      return Fail(error, "@'s answer is of a kind that was not asked for");
  }
}

bool Link::FailByServer(const PGresult* result, Error& error) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message == nullptr) message = PQresultErrorMessage(result);
  const std::string_view code = state != nullptr ? state : "";
  std::snprintf(state_, sizeof state_, "%.5s", code.data());
  const char* what = "@ refused";
  // The second is what BEGIN READ WRITE says on a standby.
  if (code == "25006" || code == "0A000") what = "@ cannot be written";
  if (code == "42P01" || code == "3F000") what = peer_.no_table;
  if (code == "57014") what = "@ did not answer in time";
  return Fail(error, what, message);
}

// The one warning that counts: a commit that the standbys may not have. The function's name is
// the same in every language.
void Link::Notice(void* link, const PGresult* result) {
  const char* function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
  if (function != nullptr && std::strcmp(function, "SyncRepWaitForLSN") == 0) {
    static_cast<Link*>(link)->not_replicated_ = true;
  }
}

// --- rows --------------------------------------------------------------------------------------

int Link::Rows() const noexcept { return PQntuples(rows_); }

bool Link::IsNull(int row, int column) const noexcept {
  return PQgetisnull(rows_, row, column) == 1;
}

std::string_view Link::Text(int row, int column) const noexcept {
  return {PQgetvalue(rows_, row, column),
          static_cast<std::size_t>(PQgetlength(rows_, row, column))};
}

bool Link::Number(int row, int column, std::int64_t least, std::int64_t most, const char* what,
                  std::int64_t& number, Error& error) const noexcept {
  const std::string_view text = Text(row, column);
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, number);
  if (IsNull(row, column) || text.empty() || status != std::errc{} || stop != end ||
      number < least || number > most) {
    Fail(error, "a row of @ makes no sense", what);
    const std::size_t size = std::strlen(error.message);
    const std::string_view shown = IsNull(row, column) ? "NULL" : text.substr(0, 40);
    std::snprintf(error.message + size, kErrorSize - size, " is %.*s",
                  static_cast<int>(shown.size()), shown.data());
    return false;
  }
  return true;
}

bool Link::Boolean(int row, int column, const char* what, bool& value,
                   Error& error) const noexcept {
  const std::string_view text = Text(row, column);
  value = text == "t";
  if (!value && text != "f") {
    return Fail(error, "a row of @ makes no sense", what);
  }
  return true;
}

// A clock that was set meanwhile, or makes no sense, is not known.
void Link::SeeClock(int row, int column) noexcept {
  Error error;
  std::int64_t peers_us = 0;
  clock_ = {};
  if (!Number(row, column, 0, kMostClockUs, "its clock", peers_us, error) ||
      std::min(sent_us_, received_us_) < 0 || received_us_ < sent_us_) {
    return;
  }
  clock_.known = true;
  clock_.error_us = (received_us_ - sent_us_ + 1) / 2;
  clock_.offset_us = sent_us_ + clock_.error_us - peers_us;
}

}  // namespace idgen::registry::postgresql

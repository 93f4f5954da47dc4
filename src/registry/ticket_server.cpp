#include "ticket_server.h"

#include <limits>

#include "postgresql_link.h"

namespace idgen::registry {

namespace {

using postgresql::Guarded;
using postgresql::Link;
using postgresql::LinkOf;

constexpr postgresql::Peer kTicketServer = {
    .name = "the ticket server",
    .probe =
        "EXISTS (SELECT FROM pg_catalog.pg_proc p"
        " WHERE p.proname OPERATOR(pg_catalog.=) 'ticket_segment')",
    .missing = "the database of @ has no extension idgen, or an old one",
    .no_table = "@ has no such sequence"};

// The function is in the schema of the extension.
const char kFindFunction[] =
    R"sql(SELECT quote_ident(n.nspname) || '.ticket_segment'
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'idgen')sql";

constexpr char kLimitExceeded[] = "2200H";

bool FindFunction(Link& link, std::int64_t deadline_us, Error& error) {
  std::string& function = link.scratch.function;
  if (!function.empty()) return true;
  link.Begin();
  if (!link.Run(kFindFunction, 1, deadline_us, error)) return false;
  if (link.Rows() != 1)
    return postgresql::Fail(error, kTicketServer.missing, {}, kTicketServer.name);
  function = link.Text(0, 0);
  return true;
}

TicketStatus Take(Connection* connection, const char* sequence, std::int32_t count,
                  TicketAnswer& answer, std::int64_t deadline_us, Error& error) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  return Guarded(error, TicketStatus::kFailed, [&] {
    Link& link = LinkOf(connection);
    if (!FindFunction(link, deadline_us, error)) return TicketStatus::kFailed;
    link.Begin();
    if (!link.AddText(sequence, error)) return TicketStatus::kFailed;
    link.AddInteger(count);
    const std::string statement = "SELECT s.first, s.increment FROM " + link.scratch.function +
                                  "($1::regclass, $2::integer) s";
    if (!link.TryRun(statement.c_str(), 2, deadline_us, error)) return TicketStatus::kFailed;
    if (link.State() == kLimitExceeded) return TicketStatus::kTooMany;
    if (!link.State().empty()) return TicketStatus::kRefused;
    if (link.Rows() != 1) {
      postgresql::Fail(error, "@ gave no segment", {}, kTicketServer.name);
      return TicketStatus::kFailed;
    }
    const bool right = link.Number(0, 0, kLeast, kMost, "first", answer.first, error) &&
                       link.Number(0, 1, kLeast, kMost, "increment", answer.increment, error);
    return right ? TicketStatus::kDone : TicketStatus::kFailed;
  });
}

Connection* OpenTicketServer(const char* address, const Host& host, std::int64_t deadline_us,
                             Error& error) {
  return postgresql::OpenLink(kTicketServer, address, host, deadline_us, error);
}

constexpr TicketServerDriver kTicketServerDriver = {kDriverVersion, postgresql::CheckLinkAddress,
                                                    OpenTicketServer, postgresql::CloseLink, Take};

}  // namespace

const TicketServerDriver* TicketServer() noexcept { return &kTicketServerDriver; }

}  // namespace idgen::registry

// One round of the worker: look which orders are open, and serve each from the ticket servers of
// its database in turn. A server that does not answer is left alone for a pause that doubles.
#include "segment_worker.h"

#include <algorithm>
#include <string_view>

#include "core/clock.h"
#include "driver.h"
#include "errors.h"
#include "segment_feed.h"

namespace idgen::pg {

namespace {

constexpr std::int64_t kMostExchangeUs = 2'000'000;  // with one server, connecting included
constexpr std::int64_t kFirstPauseUs = 100'000;
constexpr std::int64_t kLongestPauseUs = 5'000'000;
constexpr std::int64_t kAfterRefusalUs = 1'000'000;  // before an order is tried again
constexpr std::int64_t kIdleUs = 60'000'000;         // a connection is closed
constexpr std::int64_t kForgottenUs =
    600'000'000;  // nobody uses the sequence: a segment is dropped
constexpr std::size_t kOrdersAtOnce = 64;
constexpr std::size_t kServers = 16;

constexpr WorkerKind kTicketWorker{"idgen ticket worker", "idgen_ticket_worker",
                                   "fetch numbers from the ticket server"};

TicketsState& State() { return SharedRoot().tickets; }

// --- Servers -------------------------------------------------------------------------------------

struct Server {
  char address[kLongestTicketServers + 1];  // empty: the place is free
  const registry::TicketServerDriver* driver;
  registry::Connection* connection;
  std::int64_t used_us;
  std::int64_t retry_at_us;  // not before this
  std::int64_t pause_us;
  bool failed;  // and the log was told
};
constinit Server servers[kServers]{};

bool WaitInTicketWorker(void*, int socket, bool read, bool write, std::int64_t us) {
  (void)WaitForRegistry(socket, read, write, us);
  return ShutdownRequestPending == 0;
}
std::int64_t MonotonicInTicketWorker(void*) { return MonotonicUs(); }

constexpr registry::Host kTicketHost{nullptr, WaitInTicketWorker, MonotonicInTicketWorker};

void Close(Server& server) {
  if (server.connection != nullptr) server.driver->close(server.connection);
  server.connection = nullptr;
}

// The one that was used longest ago gives way.
Server& ServerAt(std::string_view address) {
  Server* oldest = &servers[0];
  for (Server& server : servers) {
    if (address == server.address) return server;
    if (server.used_us < oldest->used_us) oldest = &server;
  }
  Close(*oldest);
  *oldest = {};
  address.copy(oldest->address, sizeof(oldest->address) - 1);
  return *oldest;
}

bool Load(Server& server, registry::Error& error) {
  return server.driver != nullptr ||
         LoadDriver(error, [&] { server.driver = &TicketServerDriverFor(server.address); });
}

// --- Orders --------------------------------------------------------------------------------------

struct SegmentOrder {
  TicketKey key;
  std::uint64_t wanted;
  std::uint64_t least;
  char servers[kLongestTicketServers + 1];
  char sequence[sizeof(SegmentFeed::sequence)];
};

struct Orders {
  SegmentOrder* all;
  std::size_t count;
  std::int64_t now_us;
  std::int64_t next_us;  // when the next one is due that is not now
};

// An entry that nobody uses is kept for a while, for the next session.
bool LookAtFeed(void* context, const TicketKey& key, std::uint32_t users, TicketEntry& entry) {
  auto& orders = *static_cast<Orders*>(context);
  LWLockAcquire(&entry.lock, LW_EXCLUSIVE);
  const SegmentFeed& feed = *FeedOf(entry);
  const bool is_useless =
      users == 0 && !entry.is_open && orders.now_us - feed.ordered_us > kForgottenUs;
  if (!is_useless && feed.wanted > 0) {
    if (feed.retry_us > orders.now_us) {
      orders.next_us = std::min(orders.next_us, feed.retry_us);
    } else if (orders.count < kOrdersAtOnce) {
      SegmentOrder& order = orders.all[orders.count++];
      order.key = key;
      order.wanted = feed.wanted;
      order.least = feed.least;
      strlcpy(order.servers, feed.servers, sizeof(order.servers));
      strlcpy(order.sequence, feed.sequence, sizeof(order.sequence));
    } else {
      orders.next_us = orders.now_us;
    }
  }
  LWLockRelease(&entry.lock);
  return is_useless;
}

// What became of an order.
struct Served {
  Segment segment{};  // count 0: none
  registry::Error error;
  bool is_refused = false;    // it will not do better by itself
  std::int64_t retry_us = 0;  // otherwise, when to try again
  bool tell = false;          // the log is to be told
  SegmentsLeft left{0, -1};
};

void Deliver(void* context, TicketEntry& entry) {
  auto& served = *static_cast<Served*>(context);
  LWLockAcquire(&entry.lock, LW_EXCLUSIVE);
  SegmentFeed& feed = *FeedOf(entry);
  if (served.segment.count > 0) {
    feed.fetched = served.segment;
    feed.wanted = 0;
    feed.retry_us = feed.failed_us = 0;
    feed.error[0] = '\0';
  } else {
    feed.failed_us = WallClockUs();
    feed.retry_us = served.retry_us;
    if (served.is_refused) ++feed.refused;
    strlcpy(feed.error, served.error.message, sizeof(feed.error));
    served.left = LeftOf(entry);
  }
  LWLockRelease(&entry.lock);
}

// --- Fetching ------------------------------------------------------------------------------------

void NoteFailure(Server& server, Served& served) {
  Close(server);
  server.pause_us = std::clamp(2 * server.pause_us, kFirstPauseUs, kLongestPauseUs);
  server.retry_at_us = MonotonicUs() + server.pause_us;
  served.tell = served.tell || !server.failed;
  server.failed = true;
}

void NoteAnswer(Server& server) {
  server.pause_us = 0;
  if (server.failed) ereport(LOG, (errmsg("ticket server answers again")));
  server.failed = false;
}

// Takes as many as are wanted; where the sequence has not as many left, fewer.
registry::TicketStatus TakeFrom(Server& server, const SegmentOrder& order, Served& served) {
  const std::int64_t deadline_us = MonotonicUs() + kMostExchangeUs;
  std::uint64_t count = order.wanted;
  for (;;) {
    registry::TicketAnswer answer;
    const registry::TicketStatus status =
        server.driver->take(server.connection, order.sequence, static_cast<std::int32_t>(count),
                            answer, deadline_us, served.error);
    if (status == registry::TicketStatus::kTooMany && count > order.least) {
      count = std::max(count / 2, order.least);
      continue;
    }
    if (status != registry::TicketStatus::kDone) return status;
    const Segment segment{answer.first, answer.increment, count};
    if (!IsSegment(segment)) {
      snprintf(served.error.message, sizeof(served.error.message),
               "numbers from %lld on, by %lld, are not a segment: they must ascend, up to %lld",
               static_cast<long long>(answer.first), static_cast<long long>(answer.increment),
               static_cast<long long>(kLargestOfSegments));
      return registry::TicketStatus::kRefused;
    }
    served.segment = segment;
    return status;
  }
}

registry::TicketStatus FetchFrom(Server& server, const SegmentOrder& order, Served& served) {
  if (!Load(server, served.error)) return registry::TicketStatus::kFailed;
  server.used_us = MonotonicUs();
  // The first answer of a connection that has been quiet may be that it is gone.
  registry::TicketStatus status = registry::TicketStatus::kFailed;
  if (server.connection != nullptr) status = TakeFrom(server, order, served);
  if (status == registry::TicketStatus::kFailed) {
    Close(server);
    server.connection = server.driver->open(server.address, kTicketHost,
                                            MonotonicUs() + kMostExchangeUs, served.error);
    if (server.connection != nullptr) status = TakeFrom(server, order, served);
  }
  server.used_us = MonotonicUs();
  return status;
}

// Asks the servers of the order, each time beginning with the next one.
void Serve(const SegmentOrder& order, Served& served) {
  static constinit std::size_t turn = 0;
  std::string_view addresses[kMostTicketServers];
  std::size_t count = 0;
  std::string_view list = order.servers;
  for (std::string_view address = CutTicketServer(list);
       !address.empty() && count < lengthof(addresses); address = CutTicketServer(list)) {
    addresses[count++] = address;
  }
  ++turn;
  served.retry_us = MonotonicUs() + kLongestPauseUs;
  for (std::size_t i = 0; i < count && ShutdownRequestPending == 0; ++i) {
    Server& server = ServerAt(addresses[(turn + i) % count]);
    if (server.retry_at_us > MonotonicUs()) {
      served.retry_us = std::min(served.retry_us, server.retry_at_us);
      continue;
    }
    const registry::TicketStatus status = FetchFrom(server, order, served);
    if (status == registry::TicketStatus::kFailed) {
      NoteFailure(server, served);
      served.retry_us = std::min(served.retry_us, server.retry_at_us);
      continue;
    }
    NoteAnswer(server);
    if (status == registry::TicketStatus::kDone) return;
    served.is_refused = true;
    served.retry_us = std::min(served.retry_us, MonotonicUs() + kAfterRefusalUs);
    if (status == registry::TicketStatus::kTooMany) {
      snprintf(served.error.message, sizeof(served.error.message),
               "the sequence has not %llu numbers left there",
               static_cast<unsigned long long>(order.least));
    }
  }
}

void TellLog(const SegmentOrder& order, const Served& served) {
  const auto count = static_cast<unsigned long long>(served.left.count);
  ereport(LOG,
          (errmsg("ticket server does not answer: %s", served.error.message),
           served.left.lasts_us >= 0
               ? errdetail("Sequence %s has %llu numbers left here, which last %s at the present "
                           "rate.",
                           order.sequence, count, DurationText(served.left.lasts_us))
               : errdetail("Sequence %s has %llu numbers left here.", order.sequence, count),
           errhint("It is tried again all the time; this message comes once.")));
}

// Serves what is due. Returns for how long nothing is, in microseconds.
std::int64_t ServeOrders() {
  Orders orders{};
  orders.all = static_cast<SegmentOrder*>(palloc(kOrdersAtOnce * sizeof(SegmentOrder)));
  orders.now_us = MonotonicUs();
  orders.next_us = orders.now_us + kIdleUs;
  ForEachFeed(LookAtFeed, &orders);
  for (std::size_t i = 0; i < orders.count && ShutdownRequestPending == 0; ++i) {
    Served served;
    Serve(orders.all[i], served);
    // Without an error it was not tried.
    if (served.segment.count == 0 && served.error.message[0] == '\0') {
      orders.next_us = std::min(orders.next_us, served.retry_us);
      continue;
    }
    WithFeed(orders.all[i].key, Deliver, &served);
    if (served.segment.count > 0) continue;
    if (served.tell) TellLog(orders.all[i], served);
    orders.next_us = std::min(orders.next_us, served.retry_us);
  }
  for (Server& server : servers) {
    if (MonotonicUs() - server.used_us > kIdleUs) Close(server);
  }
  return std::max<std::int64_t>(orders.next_us - MonotonicUs(), 0);
}

extern "C" {

PGDLLEXPORT void idgen_ticket_worker(Datum);

void idgen_ticket_worker(Datum) {
  TicketsState& state = State();
  MemoryContext work = BecomeWorker(state.worker, kTicketWorker);
  while (ShutdownRequestPending == 0) {
    const std::uint64_t requests = LoadShared(state.requests);
    const std::int64_t rest_us = ServeOrders();
    MemoryContextReset(work);
    if (LoadShared(state.requests) == requests) {
      (void)WaitForRegistry(PGINVALID_SOCKET, false, false, rest_us);
    }
    if (ConfigReloadPending != 0) {
      ConfigReloadPending = 0;
      ProcessConfigFile(PGC_SIGHUP);
    }
  }
  for (Server& server : servers) Close(server);
  // Somebody terminated it while sessions go on: PostgreSQL starts it again after an error.
  proc_exit(1);
}

}  // extern "C"

}  // namespace

void WakeTicketWorker(bool is_needed) {
  std::atomic_ref(State().requests).fetch_add(1);
  WakeWorker(State().worker, kTicketWorker, is_needed);
}

void RegisterTicketWorker() {
  if (*TicketServers() != '\0') RegisterWorker(kTicketWorker);
}

}  // namespace idgen::pg

// Each operation on the tree is one multi, whose conditions are the versions of nodes. ZooKeeper
// cannot ask for a node's absence, so kAbsent makes the node and deletes it again. Reads are behind
// a sync: a member that lags behind first catches up.
//
// alive/<token> is ephemeral, of a session as long as the term. The session is kept alive by the
// requests alone, since nobody calls the library between them; so the term must not be longer than
// the sessions that the servers allow. After a reconnection the session goes on, or, if it expired,
// there is a new one, and the next renewal replaces alive/<token>. Close leaves the session to
// expire: to end it would take the holder's life.
//
// A renewal reads `scheme` behind its write, without a sync: the member that answers has by then
// whatever was written before. For holders not even a sync is enough, which a leader answers that
// has been replaced and does not know; so a deletion of nothing goes first, which a majority must
// hear of.
//
// Round trips: enrol 2, and a connection if the term is not 30 s; renew 1; claim 2, or 3 if others
// held any of it, for each hundred; claim_any 4, and 1 for sweeping if there is anything to sweep;
// release 1; list 4; holders 3, and 3 more if it ends any; read_scheme 2, and more if there are
// many versions; write_scheme 2; watch 1, and 1 for each piece of news.
#include "registry/zookeeper_driver.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "registry/zookeeper.h"

namespace idgen::registry {
namespace {

bool IsConflict(int result) {
  return result == ZBADVERSION || result == ZNONODE || result == ZNODEEXISTS;
}

void Ignore(const char*) {}
void OnSession(zhandle_t*, int, int, const char*, void*) {}

}  // namespace

// --- the connection --------------------------------------------------------------------------

bool Zookeeper::Fail(const char* what, int result) {
  SetError(*error_, "zookeeper: %s: %s", what, zerror(result));
  return false;
}

// Ends the connection, but not the session: with its socket shut the library cannot say goodbye.
void Zookeeper::Drop() {
  if (handle_ != nullptr) {
    session_ = *zoo_client_id(handle_);
    if (zoo_state(handle_) == ZOO_EXPIRED_SESSION_STATE) session_ = {};
    if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
    dropping_ = true;
    zookeeper_close(handle_);  // calls what is pending
    dropping_ = false;
  }
  handle_ = nullptr;
  socket_ = -1;
  requests_.clear();
  pending_ = 0;
  watching_ = Watching::kNothing;
}

bool Zookeeper::Start(const Endpoint& endpoint) {
  Drop();
  {
    // The library would resolve names itself, again and again.
    const std::vector<std::string> addresses = Resolve(endpoint, *error_);
    if (addresses.empty()) return false;
    std::string hosts;
    for (const std::string& address : addresses) {
      if (!hosts.empty()) hosts += ',';
      hosts += address + ':' + endpoint.port;
    }
    handle_ = zookeeper_init2(hosts.c_str(), &OnSession, static_cast<int>(term_ms_),
                              session_.client_id != 0 ? &session_ : nullptr, this, 0, &Ignore);
  }
  if (handle_ == nullptr) return Fail("could not begin a connection", ZSYSTEMERROR);
  if (!address_.user.empty()) {
    const std::string user = address_.user + ':' + address_.password;
    zoo_add_auth(handle_, "digest", user.data(), static_cast<int>(user.size()), nullptr, nullptr);
  }
  return true;
}

// Whether what has come was asked for. The library would abort the process on an answer to nothing.
bool Zookeeper::IsExpected(int socket) const {
  if (pending_ > 0 || zoo_state(handle_) != ZOO_CONNECTED_STATE) return true;
  unsigned char head[8];  // length and request
  if (recv(socket, head, sizeof head, MSG_PEEK | MSG_DONTWAIT) < static_cast<ssize_t>(sizeof head))
    return true;
  // -1: an event, -2: a ping, -4: a login.
  return head[4] == 0xff && head[5] == 0xff && head[6] == 0xff && head[7] >= 0xfc;
}

// What the socket has, as long as it has something; but nonsense may make the library do nothing.
void Zookeeper::Process(int socket, int& result) {
  for (int i = 0; result == ZOK && i < 1000; ++i) {
    pollfd ready = {socket, POLLIN | POLLOUT, 0};
    if (poll(&ready, 1, 0) <= 0) return;
    const bool wrong = (ready.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
    const bool read = wrong || (ready.revents & POLLIN) != 0;
    const bool write = wrong || (ready.revents & POLLOUT) != 0;
    if (read && !IsExpected(socket)) {
      result = ZMARSHALLINGERROR;
      return;
    }
    const int events = (read ? ZOOKEEPER_READ : 0) | (write ? ZOOKEEPER_WRITE : 0);
    result = zookeeper_process(handle_, events);
    if (result == ZNOTHING) result = ZOK;
    if (!read) return;
  }
}

// Waits for the socket once. False: the time is up, or the host stops. `result` is the library's.
bool Zookeeper::Pump(int& result, std::int64_t deadline_us) {
  int interest = 0;
  timeval most = {};
  result = zookeeper_interest(handle_, &socket_, &interest, &most);
  if (result != ZOK) return true;
  const std::int64_t left_us = deadline_us - host_.monotonic_us(host_.context);
  if (left_us <= 0) {
    SetError(*error_, "zookeeper: no answer in time");
    return false;
  }
  const std::int64_t most_us = std::int64_t{most.tv_sec} * 1'000'000 + most.tv_usec;
  if (!Wait(socket_, (interest & ZOOKEEPER_READ) != 0, (interest & ZOOKEEPER_WRITE) != 0,
            std::min(std::max<std::int64_t>(most_us, 1000), left_us))) {
    SetError(*error_, "stopped");
    return false;
  }
  if (socket_ >= 0) Process(socket_, result);
  return true;
}

// Whether the connection stood until now: the server may have closed it, or been idle for too long.
bool Zookeeper::Alive() {
  if (handle_ == nullptr || zoo_state(handle_) != ZOO_CONNECTED_STATE) return false;
  int interest = 0, result = ZOK;
  timeval most = {};
  result = zookeeper_interest(handle_, &socket_, &interest, &most);
  if (result == ZOK && socket_ >= 0) Process(socket_, result);
  return result == ZOK && zoo_state(handle_) == ZOO_CONNECTED_STATE;
}

// Connects if need be, with the session that was, if it still is.
bool Zookeeper::Connected() {
  if (Alive()) return true;
  const auto count = static_cast<std::int64_t>(address_.endpoints.size());
  for (std::int64_t i = 0; i < count; ++i) {
    // A member that does not answer leaves time for the rest.
    const std::int64_t slice_us = LeftUs() / (count - i);
    const std::int64_t deadline_us = host_.monotonic_us(host_.context) + slice_us;
    const Endpoint& endpoint = address_.endpoints[next_endpoint_ % address_.endpoints.size()];
    bool waiting = slice_us > 0 && Start(endpoint);
    while (waiting) {
      int result = ZOK;
      if (!Pump(result, deadline_us)) break;
      const int state = zoo_state(handle_);
      if (result == ZOK && state == ZOO_CONNECTED_STATE && zoo_client_id(handle_)->client_id != 0 &&
          zoo_recv_timeout(handle_) > 0) {
        return true;
      }
      if (state == ZOO_AUTH_FAILED_STATE) {
        Fail("the user was refused", ZAUTHFAILED);
        break;
      }
      if (state == ZOO_EXPIRED_SESSION_STATE) {  // Drop forgets it
        waiting = Start(endpoint);
        continue;
      }
      if (result != ZOK) {
        Fail(endpoint.host.c_str(), result);
        break;
      }
    }
    Drop();
    ++next_endpoint_;
  }
  if (error_->message[0] == '\0') SetError(*error_, "zookeeper: no answer in time");
  return false;
}

bool Zookeeper::Open() {
  zoo_set_debug_level(static_cast<ZooLogLevel>(0));  // it would write to stderr
  prefix_ = address_.prefix;
  next_endpoint_ = static_cast<std::size_t>(host_.monotonic_us(host_.context) / 64);
  return Connected();
}

// --- requests --------------------------------------------------------------------------------

Zookeeper::Request* Zookeeper::Ask1(Ask ask, const std::string& name,
                                    std::vector<std::string>* children) {
  requests_.push_back({this, ask, name, children, 0, ZOK});
  return &requests_.back();
}

void Zookeeper::Sent(Request* request, int result) {
  if (result == ZOK) {
    ++pending_;
  } else {
    request->result = result;
  }
}

void Zookeeper::Done(Request& request, int result) {
  if (request.self->dropping_) return;
  request.result = result;
  --request.self->pending_;
}

// Waits for all answers. What failed other than for what is expected of nodes fails the operation,
// and with it the connection: of the rest nothing is known.
bool Zookeeper::Finish() {
  int result = ZOK;
  while (pending_ > 0 && result == ZOK) {
    if (!Pump(result, deadline_us_)) {
      Drop();
      return false;
    }
  }
  for (const Request& request : requests_) {
    if (result == ZOK && request.result != ZOK && !IsConflict(request.result)) {
      result = request.result;
    }
  }
  if (result == ZOK && out_of_memory_) result = ZSYSTEMERROR;
  out_of_memory_ = false;
  if (result == ZOK) return true;
  Fail("the request failed", result);
  Drop();
  return false;
}

void Zookeeper::OnVoid(int result, const void* data) {
  Done(*const_cast<Request*>(static_cast<const Request*>(data)), result);
}

void Zookeeper::OnString(int result, const char*, const void* data) { OnVoid(result, data); }

void Zookeeper::OnStat(int result, const Stat* stat, const void* data) {
  Request& request = *const_cast<Request*>(static_cast<const Request*>(data));
  Done(request, result);
  Zookeeper& self = *request.self;
  if (self.dropping_ || result != ZOK) return;
  try {
    if (request.ask == Ask::kAlive) self.MarkAlive(request.name);
    if (request.ask == Ask::kOwner) {
      self.seen_alive_ = self.AlivePath(self.own_token_);
      self.alive_owner_ = stat->ephemeralOwner;
    } else if (request.ask == Ask::kNothing) {
      self.written_version_ = stat->version;
    }
  } catch (...) {  // not through the library
    self.out_of_memory_ = true;
  }
}

void Zookeeper::OnData(int result, const char* value, int size, const Stat* stat,
                       const void* data) {
  Request& request = *const_cast<Request*>(static_cast<const Request*>(data));
  Done(request, result);
  Zookeeper& self = *request.self;
  if (self.dropping_ || result != ZOK) return;
  try {
    const std::string text(value != nullptr ? value : "",
                           static_cast<std::size_t>(std::max(size, 0)));
    if (request.ask == Ask::kHolder) self.AddHolder(request.name, text, stat->version);
    if (request.ask == Ask::kIdentity) self.AddIdentity(request.name, text, stat->version);
    if (request.ask == Ask::kLatest) self.AddLatest(self.latest_, text, stat->version);
    if (request.ask == Ask::kWatched) self.AddLatest(self.watched_, text, stat->version);
    if (request.ask == Ask::kScheme) self.AddScheme(request.number, text);
    if (request.ask == Ask::kSwept) self.AddSwept(text, stat->version);
    if (request.ask == Ask::kExpiry) {
      self.holders_[request.name].expires_in_ms = std::strtoll(text.c_str(), nullptr, 10);
    }
  } catch (...) {
    self.out_of_memory_ = true;
  }
}

void Zookeeper::OnStrings(int result, const String_vector* strings, const void* data) {
  Request& request = *const_cast<Request*>(static_cast<const Request*>(data));
  Done(request, result);
  Zookeeper& self = *request.self;
  if (self.dropping_ || result != ZOK) return;
  try {
    for (int i = 0; i < strings->count; ++i) request.children->push_back(strings->data[i]);
  } catch (...) {
    self.out_of_memory_ = true;
  }
}

// --- reading ---------------------------------------------------------------------------------

void Zookeeper::AskSync() {
  requests_.clear();
  Request* const request = Ask1(Ask::kNothing, {});
  Sent(request, zoo_async(handle_, base_.c_str(), &OnString, request));
}

void Zookeeper::AskData(Ask ask, const std::string& name, const std::string& path) {
  Request* const request = Ask1(ask, name);
  Sent(request, zoo_aget(handle_, path.c_str(), 0, &OnData, request));
}

void Zookeeper::AskChildren(const char* folder, std::vector<std::string>& children) {
  children.clear();
  Request* const request = Ask1(Ask::kChildren, {}, &children);
  Sent(request, zoo_aget_children(handle_, (base_ + folder).c_str(), 0, &OnStrings, request));
}

void Zookeeper::AskLatest() { AskData(Ask::kLatest, {}, LatestPath()); }

// `swept` comes last: a holder that was deleted meanwhile is in it.
void Zookeeper::AskHolders() {
  requests_.clear();
  for (const std::string& token : tokens_) AskData(Ask::kHolder, token, HolderPath(token));
  AskData(Ask::kSwept, {}, SweptPath());
}

bool Zookeeper::Read() {
  if (!Connected()) return false;
  AskSync();
  for (const std::string& token : wanted_holders_) {
    AskData(Ask::kHolder, token, HolderPath(token));
    Request* const request = Ask1(Ask::kAlive, token);
    Sent(request, zoo_aexists(handle_, AlivePath(token).c_str(), 0, &OnStat, request));
  }
  for (const std::string& step : wanted_identities_) {
    AskData(Ask::kIdentity, step, IdentityPath(step));
  }
  for (const std::int64_t version : wanted_schemes_) {
    Request* const request = Ask1(Ask::kScheme, {});
    request->number = version;
    Sent(request, zoo_aget(handle_, SchemePath(version).c_str(), 0, &OnData, request));
  }
  if (wants_latest_) AskLatest();
  return Finish();
}

// Not of one moment. The order makes it right: see Sweep for the identities, and who lives is known
// before what holders say only in that an end may then be refused.
bool Zookeeper::ReadAll() {
  holders_.clear();
  identities_.clear();
  if (!Connected()) return false;
  AskSync();
  AskChildren("/holder", tokens_);
  AskChildren("/alive", living_);
  if (!Finish()) return false;
  AskHolders();
  AskChildren("/id", steps_);
  if (!Finish()) return false;
  requests_.clear();
  for (const std::string& step : steps_) AskData(Ask::kIdentity, step, IdentityPath(step));
  if (!Finish()) return false;
  for (const std::string& token : living_) MarkAlive(token);
  return true;
}

bool Zookeeper::ReadHolders() {
  holders_.clear();
  if (!Connected()) return false;
  requests_.clear();
  Request* const request = Ask1(Ask::kNothing, {});
  Sent(request, zoo_adelete(handle_, (base_ + "/nothing").c_str(), -1, &OnVoid, request));
  AskChildren("/holder", tokens_);
  AskChildren("/alive", living_);
  if (!Finish()) return false;
  AskHolders();
  if (!Finish()) return false;
  for (const std::string& token : living_) MarkAlive(token);
  return true;
}

// ZooKeeper does not say when a session was heard of last: the most that it can be.
bool Zookeeper::ReadExpiries() {
  if (!Connected()) return false;
  requests_.clear();
  for (const auto& [token, holder] : holders_) {
    if (holder.alive && !holder.ended) AskData(Ask::kExpiry, token, AlivePath(token));
  }
  return Finish();
}

// --- writing ---------------------------------------------------------------------------------

// Makes the nodes above base_'s. What cannot be created may be there: the next try tells.
bool Zookeeper::MakeParents() {
  parents_.clear();
  for (std::size_t end = base_.find('/', 1);; end = base_.find('/', end + 1)) {
    parents_.push_back(base_.substr(0, end));
    if (end == std::string::npos) break;
  }
  for (const char* folder : {"/holder", "/alive", "/id", "/schemes"})
    parents_.push_back(base_ + folder);
  requests_.clear();
  for (const std::string& path : parents_) {
    Request* const request = Ask1(Ask::kNothing, {});
    Sent(request, zoo_acreate(handle_, path.c_str(), nullptr, -1, &Acl(), 0, &OnString, request));
  }
  int result = ZOK;
  while (pending_ > 0 && result == ZOK) {
    if (!Pump(result, deadline_us_)) {
      Drop();
      return false;
    }
  }
  if (result != ZOK) {
    Fail("the request failed", result);
    Drop();
    return false;
  }
  parents_result_ = ZOK;
  for (const Request& request : requests_) {
    if (request.result != ZOK && request.result != ZNODEEXISTS) parents_result_ = request.result;
  }
  parents_made_for_ = base_;
  return true;
}

// operations_ as one request. The result of the whole is in the request's.
Zookeeper::Outcome Zookeeper::Multi() {
  std::vector<zoo_op_t>& ops = ops_;
  ops.assign(operations_.size() * 2, {});
  stats_.assign(ops.size(), {});
  results_.assign(ops.size(), {});
  alive_path_ = AlivePath(own_token_);
  alive_value_ = std::to_string(term_ms_);
  std::size_t count = 0;
  const auto create = [&](const std::string& path, const std::string& value, int mode) {
    zoo_create_op_init(&ops[count++], path.c_str(), value.data(), static_cast<int>(value.size()),
                       &Acl(), mode, nullptr, 0);
  };
  for (const Operation& operation : operations_) {
    const auto version = static_cast<int>(operation.version);
    const char* const path = operation.path.c_str();
    switch (operation.kind) {
      case Kind::kCheck:
        zoo_check_op_init(&ops[count++], path, version);
        break;
      case Kind::kCreate:
        create(operation.path, operation.value, ZOO_PERSISTENT);
        break;
      case Kind::kUpdate:
        zoo_set_op_init(&ops[count], path, operation.value.data(),
                        static_cast<int>(operation.value.size()), version, &stats_[count]);
        ++count;
        break;
      case Kind::kDelete:
        zoo_delete_op_init(&ops[count++], path, version);
        break;
      case Kind::kAbsent:
        create(operation.path, {}, ZOO_PERSISTENT);
        zoo_delete_op_init(&ops[count++], path, -1);
        break;
      case Kind::kAlive:
        if (seen_alive_ == alive_path_) zoo_delete_op_init(&ops[count++], alive_path_.c_str(), -1);
        create(alive_path_, alive_value_, ZOO_EPHEMERAL);
        break;
    }
  }
  requests_.clear();
  Request* const request = Ask1(Ask::kNothing, {});
  Sent(request,
       zoo_amulti(handle_, static_cast<int>(count), ops.data(), results_.data(), &OnVoid, request));
  if (!Finish()) return Outcome::kFailed;
  if (request->result != ZOK) return Outcome::kConflict;
  written_version_ = operations_[0].kind == Kind::kUpdate ? stats_[0].version : 0;
  return Outcome::kDone;
}

Zookeeper::Outcome Zookeeper::Commit() {
  if (!Connected()) return Outcome::kFailed;
  Outcome outcome = Multi();
  if (outcome != Outcome::kConflict || requests_[0].result != ZNONODE) return outcome;
  // Perhaps a parent is missing.
  if (parents_made_for_ == base_) return outcome;
  if (!MakeParents()) return Outcome::kFailed;
  outcome = Multi();
  if (outcome == Outcome::kConflict && requests_[0].result == ZNONODE && parents_result_ != ZOK) {
    Fail("could not create the registry's nodes", parents_result_);
    return Outcome::kFailed;
  }
  return outcome;
}

Zookeeper::Outcome Zookeeper::CommitRenewal(std::int64_t, bool& alive) {
  if (!Connected()) return Outcome::kFailed;
  const Operation& update = operations_[0];
  requests_.clear();
  Request* const set = Ask1(Ask::kNothing, {});
  Sent(set, zoo_aset(handle_, update.path.c_str(), update.value.data(),
                     static_cast<int>(update.value.size()), static_cast<int>(update.version),
                     &OnStat, set));
  seen_alive_.clear();
  Request* const owner = Ask1(Ask::kOwner, {});
  Sent(owner, zoo_aexists(handle_, AlivePath(own_token_).c_str(), 0, &OnStat, owner));
  AskLatest();
  if (!Finish()) return Outcome::kFailed;
  if (set->result != ZOK) return Outcome::kConflict;
  alive = !seen_alive_.empty() && alive_owner_ == zoo_client_id(handle_)->client_id;
  return Outcome::kDone;
}

// A session as long as the term. One that was for another is left to expire.
bool Zookeeper::PrepareAlive(std::int64_t term_ms) {
  term_ms = std::clamp<std::int64_t>(term_ms, 1, INT32_MAX);
  if (term_ms != term_ms_) {
    Drop();
    session_ = {};
    term_ms_ = term_ms;
  }
  if (!Connected()) return false;
  if (zoo_recv_timeout(handle_) >= term_ms) return true;
  SetError(*error_,
           "the term of %lld ms is longer than the sessions that this ZooKeeper allows, %d ms (its "
           "maxSessionTimeout)",
           static_cast<long long>(term_ms), zoo_recv_timeout(handle_));
  return false;
}

// --- the driver ------------------------------------------------------------------------------

bool Zookeeper::Parse(const char* text, Address& address, Error& error) {
  if (!ParseAddress(text, "2181", address, error)) return false;
  if (address.scheme != "zookeeper") {
    SetError(error, "not an address of ZooKeeper");
    return false;
  }
  if (!address.options.empty()) {
    SetError(error, "an address of ZooKeeper has no options");
    return false;
  }
  return true;
}

const Driver* ZookeeperDriver() noexcept { return &TreeDriver<Zookeeper>::kDriver; }

}  // namespace idgen::registry

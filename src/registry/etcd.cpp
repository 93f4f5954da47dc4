// Each operation on the tree is one transaction: what it rests on are comparisons of mod_revision
// (or of version with 0: the key does not exist). Reads are etcd's default, linearizable. A
// holder's alive/<token> has a lease, which etcd may keep for longer than the term, never for less.
//
// Round trips: enrol 3 (a read, grant, transaction); renew 1 (the transaction, and the lease beside
// it on a second connection); claim 2, or 3 if others held any of it, for each hundred; claim_any
// 2, and 1 for sweeping if there is anything to sweep; release 1; list and holders 1 and one for
// each living holder, holders 2 more if it ends any; read_scheme 2, and more if there are many
// versions; write_scheme 2. A watch has a connection of its own, where a request goes on as long as
// nothing happens; to begin takes 1 round trip, and so does each piece of news.
#include "registry/etcd.h"

#include <algorithm>
#include <new>

#include "registry/address.h"
#include "registry/etcd_values.h"
#include "registry/http.h"
#include "registry/tree.h"

namespace idgen::registry {
namespace {

class Etcd final : public Tree {
 public:
  explicit Etcd(const Host& host) : Tree(host), http_(host_), watch_(host_) {}

  static constexpr char kScheme[] = "etcd";
  static bool Parse(const char* text, Address& address, Error& error);
  bool Open();
  Address& address() { return address_; }

 private:
  bool Read() override;
  bool ReadAll() override { return ReadFolders(true); }
  bool ReadHolders() override { return ReadFolders(false); }
  bool ReadExpiries() override;
  Outcome Commit() override;
  Outcome CommitRenewal(std::int64_t term_ms, bool& alive) override;
  bool PrepareAlive(std::int64_t term_ms) override;
  Awaited AwaitScheme(std::int64_t known) override;

  // What watch_ does: nothing yet; `scheme` is asked for, and in watched_; a stream of what happens
  // to it since.
  enum class Watching { kNothing, kAsked, kRead, kStream };
  enum class Line { kNone, kQuiet, kNews, kEnd };

  bool Connect(const Endpoint& endpoint);
  bool Authenticate();
  bool Post(int count);
  bool Check(const Http::Call& call, Json& answer);
  bool Nonsense();
  void StopWatching();
  bool AskForScheme();
  bool AddWatched();
  bool BeginStream();
  Line NextLine();
  void WriteRanges(std::size_t begin, std::size_t end);
  bool ReadFolders(bool identities);
  void WriteTransaction(bool renewal);
  bool AddKeys(const Json& list);
  bool AddAnswers();
  Outcome ReadOutcome();

  // A stream that ends at once, as at a proxy that knows none, is no reason to ask all the time.
  static constexpr std::int64_t kStreamUs = 5'000'000;
  static constexpr std::size_t kMostLine = std::size_t{1} << 20;

  Address address_;
  Http http_, watch_;
  Json answer_[Http::kCalls];
  std::vector<std::string> keys_;               // of one Read
  std::map<std::string, std::int64_t> leases_;  // of living holders
  std::int64_t lease_ = 0;                      // the own holder's; 0: none
  Watching watching_ = Watching::kNothing;
  std::string watched_base_;           // the pool's
  std::int64_t watched_revision_ = 0;  // the one that watched_ is of
  std::int64_t watch_again_us_ = 0;    // nothing is begun before
};

// --- requests --------------------------------------------------------------------------------

bool Etcd::Nonsense() {
  SetError(*error_, "the registry gave an answer that makes no sense");
  return false;
}

// Whether the answer is one that says that the request was done, and parses it.
bool Etcd::Check(const Http::Call& call, Json& answer) {
  answer = Json::parse(call.answer, nullptr, false);
  const Json* failure = Find(answer, "error");
  if (call.status == 200 && answer.is_object() && failure == nullptr) return true;
  const Json* message = failure != nullptr && failure->is_object() ? Find(*failure, "message")
                        : failure != nullptr                       ? failure
                                                                   : Find(answer, "message");
  if (message != nullptr && message->is_string()) {
    SetError(*error_, "etcd: %s", message->get_ref<const std::string&>().c_str());
  } else if (call.status != 200) {
    SetError(*error_, "the registry answered with HTTP status %ld", call.status);
  } else {
    Nonsense();
  }
  return false;
}

bool Etcd::Post(int count) {
  if (!http_.Post(count, deadline_us_, *error_)) return false;
  for (int i = 0; i < count; ++i) {
    if (!Check(http_.call[i], answer_[i])) return false;
  }
  return true;
}

bool Etcd::Authenticate() {
  http_.call[0].path = "/v3/auth/authenticate";
  http_.call[0].body = Json{{"name", address_.user}, {"password", address_.password}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
  if (!Post(1)) return false;
  const Json* token = Find(answer_[0], "token");
  if (token == nullptr || !token->is_string()) return Nonsense();
  const auto& text = token->get_ref<const std::string&>();
  for (const char c : text) {
    if (c <= ' ' || c >= 0x7f) return Nonsense();  // it becomes a header
  }
  http_.SetToken(text);
  watch_.SetToken(text);
  return true;
}

// Connects and reads a key: a member that has lost the others cannot answer that.
bool Etcd::Connect(const Endpoint& endpoint) {
  {
    Http::Tls tls;
    bool use_tls = address_.scheme == "etcds";
    for (const auto& [name, value] : address_.options) {
      use_tls = use_tls || name != "tls" || value == "true";
      if (name == "ca") tls.ca_file = value;
      if (name == "cert") tls.certificate_file = value;
      if (name == "key") tls.key_file = value;
    }
    std::vector<std::string> addresses = Resolve(endpoint, *error_);
    if (addresses.empty()) return false;
    std::string host = endpoint.host;
    if (host.find(':') != std::string::npos) host = '[' + host + ']';
    if (addresses[0] == host) addresses.clear();
    host += ':' + endpoint.port;
    const std::string server = (use_tls ? "https://" : "http://") + host;
    if (!http_.Use(server, host, addresses, tls, *error_) ||
        !watch_.Use(server, host, addresses, tls, *error_)) {
      return false;
    }
  }
  if (!address_.user.empty() && !Authenticate()) return false;
  http_.call[0].path = "/v3/kv/range";
  http_.call[0].body = Json{{"key", ToBase64(prefix_)}, {"keys_only", true}}.dump();
  return Post(1) && (Find(answer_[0], "header") != nullptr || Nonsense());
}

bool Etcd::Open() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {  // counts
    SetError(*error_, "libcurl could not be initialized");
    return false;
  }
  prefix_ = address_.prefix;
  const std::int64_t deadline_us = deadline_us_;
  const std::size_t count = address_.endpoints.size();
  // Servers begin at different members.
  const auto first = static_cast<std::size_t>(host_.monotonic_us(host_.context) / 64);
  for (std::size_t i = 0; i < count; ++i) {
    // A member that does not answer leaves time for the rest.
    deadline_us_ = deadline_us;
    deadline_us_ -= LeftUs() - LeftUs() / static_cast<std::int64_t>(count - i);
    if (Connect(address_.endpoints[(first + i) % count])) return true;
  }
  return false;
}

// --- reading ---------------------------------------------------------------------------------

// Sorts keys and values of an answer into holders_, identities_ and so on. What lives comes last:
// it marks holders.
bool Etcd::AddKeys(const Json& list) {
  if (!list.is_array()) return false;
  const std::string holder = HolderPath(""), alive = AlivePath(""), identity = IdentityPath("");
  const std::string schemes = base_ + "/schemes/";
  for (const bool marks : {false, true}) {
    for (const Json& one : list) {
      std::string key, value;
      std::int64_t version = 0, lease = 0;
      if (!one.is_object() || !GetBytes(one, "key", key) || !GetBytes(one, "value", value) ||
          !GetNumber(one, "mod_revision", version) || !GetNumber(one, "lease", lease) ||
          version <= 0) {
        return false;
      }
      if (marks && key.starts_with(alive)) {
        const std::string token = key.substr(alive.size());
        MarkAlive(token);
        leases_[token] = lease;
        if (token == own_token_) lease_ = lease;
      } else if (!marks && key.starts_with(holder)) {
        AddHolder(key.substr(holder.size()), value, version);
      } else if (!marks && key.starts_with(identity)) {
        AddIdentity(key.substr(identity.size()), value, version);
      } else if (!marks && key.starts_with(schemes)) {
        AddScheme(std::strtoll(key.c_str() + schemes.size(), nullptr, 10), value);
      } else if (!marks && key == LatestPath()) {
        AddLatest(latest_, value, version);
      } else if (!marks && key == SweptPath()) {
        AddSwept(value, version);
      }
    }
  }
  return true;
}

// The answers to the ranges of a transaction.
bool Etcd::AddAnswers() {
  const Json* answers = Find(answer_[0], "responses");
  if (answers == nullptr || !answers->is_array()) return Nonsense();
  Json all = Json::array();
  for (const Json& answer : *answers) {
    const Json* range = Find(answer, "response_range");
    if (range == nullptr) return Nonsense();
    const Json* list = Find(*range, "kvs");
    if (list == nullptr) continue;
    if (!list->is_array()) return Nonsense();
    for (const Json& one : *list) all.push_back(one);
  }
  return AddKeys(all) || Nonsense();
}

void Etcd::WriteRanges(std::size_t begin, std::size_t end) {
  Json ranges = Json::array();
  for (std::size_t i = begin; i < end; ++i) {
    ranges.push_back({{"request_range", {{"key", ToBase64(keys_[i])}}}});
  }
  http_.call[0].path = "/v3/kv/txn";
  http_.call[0].body = Json{{"success", std::move(ranges)}}.dump();
}

bool Etcd::Read() {
  keys_.clear();
  for (const std::string& token : wanted_holders_) {  // in pairs, which kBatch does not part
    keys_.push_back(HolderPath(token));
    keys_.push_back(AlivePath(token));
  }
  for (const std::string& step : wanted_identities_) keys_.push_back(IdentityPath(step));
  if (wants_latest_) keys_.push_back(LatestPath());
  for (const std::int64_t version : wanted_schemes_) keys_.push_back(SchemePath(version));
  static_assert(kBatch % 2 == 0);
  for (std::size_t begin = 0; begin < keys_.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, keys_.size());
    WriteRanges(begin, end);
    if (!Post(1)) return false;
    const Json* answers = Find(answer_[0], "responses");
    if (answers == nullptr || answers->size() != end - begin) return Nonsense();
    if (!AddAnswers()) return false;
  }
  return true;
}

bool Etcd::ReadFolders(bool identities) {
  holders_.clear();
  identities_.clear();
  std::size_t count = 0;
  {
    Json ranges = Json::array();
    for (const char* folder : {"/alive", "/holder", "/id"}) {
      if (!identities && std::strcmp(folder, "/id") == 0) continue;
      ranges.push_back({{"request_range",
                         {{"key", ToBase64(base_ + folder + '/')},
                          {"range_end", ToBase64(base_ + folder + '0')}}}});
    }
    ranges.push_back({{"request_range", {{"key", ToBase64(SweptPath())}}}});
    count = ranges.size();
    http_.call[0].path = "/v3/kv/txn";
    http_.call[0].body = Json{{"success", std::move(ranges)}}.dump();
  }
  if (!Post(1)) return false;
  const Json* answers = Find(answer_[0], "responses");
  if (answers == nullptr || answers->size() != count) return Nonsense();
  for (const Json& answer : *answers) {
    const Json* range = Find(answer, "response_range");
    const Json* more = range != nullptr ? Find(*range, "more") : nullptr;
    if (more != nullptr && *more != false) return Nonsense();
  }
  return AddAnswers();
}

bool Etcd::ReadExpiries() {
  for (auto& [token, holder] : holders_) {
    if (holder.ended || !holder.alive) continue;
    http_.call[0].path = "/v3/lease/timetolive";
    http_.call[0].body = Json{{"ID", std::to_string(leases_[token])}}.dump();
    std::int64_t seconds = 0;
    if (!Post(1)) return false;
    if (!GetNumber(answer_[0], "TTL", seconds)) return Nonsense();
    // Rounded down; in the last second the holder is alive. It is -1 if it ended meanwhile.
    const std::int64_t ms = std::clamp<std::int64_t>(seconds, 0, INT32_MAX) * 1000;
    holder.expires_in_ms = seconds == 0 ? 1 : ms;
  }
  return true;
}

// --- writing ---------------------------------------------------------------------------------

void Etcd::WriteTransaction(bool renewal) {
  Json compare = Json::array(), success = Json::array();
  const auto versions = [&compare](const std::string& path, std::int64_t version) {
    compare.push_back({{"key", ToBase64(path)},
                       {"target", "MOD"},
                       {"result", "EQUAL"},
                       {"mod_revision", std::to_string(version)}});
  };
  const auto absent = [&compare](const std::string& path) {
    compare.push_back(
        {{"key", ToBase64(path)}, {"target", "VERSION"}, {"result", "EQUAL"}, {"version", "0"}});
  };
  const auto put = [&success](const std::string& path, const std::string& value) {
    success.push_back({{"request_put", {{"key", ToBase64(path)}, {"value", ToBase64(value)}}}});
  };
  for (const Operation& operation : operations_) {
    switch (operation.kind) {
      case Kind::kCheck:
        versions(operation.path, operation.version);
        break;
      case Kind::kCreate:
        absent(operation.path);
        put(operation.path, operation.value);
        break;
      case Kind::kUpdate:
        versions(operation.path, operation.version);
        put(operation.path, operation.value);
        break;
      case Kind::kDelete:
        if (operation.version >= 0) versions(operation.path, operation.version);
        success.push_back({{"request_delete_range", {{"key", ToBase64(operation.path)}}}});
        break;
      case Kind::kAbsent:
        absent(operation.path);
        break;
      case Kind::kAlive:
        success.push_back(
            {{"request_put",
              {{"key", ToBase64(AlivePath(own_token_))}, {"lease", std::to_string(lease_)}}}});
        break;
    }
  }
  if (renewal) {
    for (const std::string& path : {AlivePath(own_token_), LatestPath()}) {
      success.push_back({{"request_range", {{"key", ToBase64(path)}}}});
    }
  }
  http_.call[0].path = "/v3/kv/txn";
  http_.call[0].body =
      Json{{"compare", std::move(compare)}, {"success", std::move(success)}}.dump();
}

Etcd::Outcome Etcd::ReadOutcome() {
  const Json* header = Find(answer_[0], "header");
  const Json* succeeded = Find(answer_[0], "succeeded");
  if (header == nullptr || !header->is_object() ||
      !GetNumber(*header, "revision", written_version_) || written_version_ <= 0 ||
      (succeeded != nullptr && !succeeded->is_boolean())) {
    Nonsense();
    return Outcome::kFailed;
  }
  return succeeded != nullptr && succeeded->get<bool>() ? Outcome::kDone : Outcome::kConflict;
}

Etcd::Outcome Etcd::Commit() {
  WriteTransaction(false);
  return Post(1) ? ReadOutcome() : Outcome::kFailed;
}

Etcd::Outcome Etcd::CommitRenewal(std::int64_t, bool& alive) {
  WriteTransaction(true);
  const std::int64_t lease = lease_;
  if (lease != 0) {
    http_.call[1].path = "/v3/lease/keepalive";
    http_.call[1].body = Json{{"ID", std::to_string(lease)}}.dump();
  }
  if (!Post(lease != 0 ? 2 : 1)) return Outcome::kFailed;
  const Outcome outcome = ReadOutcome();
  if (outcome != Outcome::kDone) return outcome;

  // Alive: the key is there, and the lease it has is the one that was found.
  std::int64_t ttl = 0;
  if (lease != 0) {
    const Json* result = Find(answer_[1], "result");
    if (result == nullptr || !result->is_object() || !GetNumber(*result, "TTL", ttl)) {
      Nonsense();
      return Outcome::kFailed;
    }
  }
  lease_ = 0;
  // The put, alive/<token>, `scheme`.
  const Json* answers = Find(answer_[0], "responses");
  bool sensible = answers != nullptr && answers->is_array() && answers->size() == 3;
  for (std::size_t i = 1; sensible && i < 3; ++i) {
    const Json* range = Find((*answers)[i], "response_range");
    const Json* list = range != nullptr ? Find(*range, "kvs") : nullptr;
    sensible = range != nullptr && (list == nullptr || AddKeys(*list));
  }
  if (!sensible) {
    Nonsense();
    return Outcome::kFailed;
  }
  alive = ttl > 0 && lease_ == lease;
  return Outcome::kDone;
}

bool Etcd::PrepareAlive(std::int64_t term_ms) {
  lease_ = 0;
  http_.call[0].path = "/v3/lease/grant";
  http_.call[0].body =
      Json{{"TTL", std::to_string(std::max<std::int64_t>((term_ms + 999) / 1000, 1))}}.dump();
  if (!Post(1)) return false;
  if (!GetNumber(answer_[0], "ID", lease_) || lease_ == 0) return Nonsense();
  return true;
}

// --- watching --------------------------------------------------------------------------------

void Etcd::StopWatching() {
  watch_.Abort();
  watching_ = Watching::kNothing;
}

bool Etcd::AskForScheme() {
  watch_.call[0].path = "/v3/kv/range";
  watch_.call[0].body = Json{{"key", ToBase64(LatestPath())}}.dump();
  if (!watch_.Begin(*error_)) return false;
  watching_ = Watching::kAsked;
  return true;
}

bool Etcd::AddWatched() {
  watching_ = Watching::kNothing;
  Json answer;
  if (!Check(watch_.call[0], answer)) return false;
  const Json* header = Find(answer, "header");
  if (header == nullptr || !header->is_object() ||
      !GetNumber(*header, "revision", watched_revision_) || watched_revision_ <= 0) {
    return Nonsense();
  }
  watched_ = {};
  if (const Json* list = Find(answer, "kvs"); list != nullptr) {
    std::string value;
    if (!list->is_array() || list->size() != 1 || !(*list)[0].is_object() ||
        !GetBytes((*list)[0], "value", value)) {
      return Nonsense();
    }
    AddLatest(watched_, value, 0);
    if (watched_.broken) return Spoilt(LatestPath()) == Status::kDone;
  }
  watching_ = Watching::kRead;
  return true;
}

bool Etcd::BeginStream() {
  watch_.call[0].path = "/v3/watch";
  watch_.call[0].body = Json{{"create_request",
                              {{"key", ToBase64(LatestPath())},
                               {"start_revision", std::to_string(watched_revision_ + 1)}}}}
                            .dump();
  if (!watch_.Begin(*error_)) return false;
  watching_ = Watching::kStream;
  return true;
}

// What the next line of the stream says. Whatever happens to `scheme`, it is read anew.
Etcd::Line Etcd::NextLine() {
  std::string& text = watch_.call[0].answer;
  const std::size_t end = text.find('\n');
  if (end == std::string::npos) return text.size() > kMostLine ? Line::kEnd : Line::kNone;
  const Json json =
      Json::parse(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
  text.erase(0, end + 1);
  const Json* result = Find(json, "result");
  if (result == nullptr || !result->is_object()) return Line::kEnd;
  if (const Json* canceled = Find(*result, "canceled"); canceled != nullptr && *canceled != false) {
    return Line::kEnd;
  }
  return Find(*result, "events") != nullptr ? Line::kNews : Line::kQuiet;
}

Tree::Awaited Etcd::AwaitScheme(std::int64_t known) {
  if (watched_base_ != base_) {
    StopWatching();
    watched_base_ = base_;
    watch_again_us_ = 0;
  }
  bool asked = false;  // by this call: what an earlier one was told may be old
  for (;;) {
    const std::int64_t now_us = host_.monotonic_us(host_.context);
    switch (watching_) {
      case Watching::kNothing:
        if (now_us >= deadline_us_) return Awaited::kNothing;
        if (now_us < watch_again_us_) {
          if (!Wait(-1, false, false, std::min(watch_again_us_, deadline_us_) - now_us)) {
            return Awaited::kNothing;
          }
          break;
        }
        watch_again_us_ = now_us + kStreamUs;
        if (!AskForScheme()) return Awaited::kFailed;
        asked = true;
        break;
      case Watching::kAsked:
        switch (watch_.Listen(deadline_us_, *error_)) {
          case Http::Heard::kNothing:
            // The server may have forgotten it.
            if (now_us > watch_again_us_ + kStreamUs) StopWatching();
            return Awaited::kNothing;
          case Http::Heard::kPart:
            break;
          case Http::Heard::kAll:
            if (!AddWatched()) return Awaited::kFailed;
            break;
          case Http::Heard::kFailed:
            StopWatching();
            return Awaited::kFailed;
        }
        break;
      case Watching::kRead:
      case Watching::kStream:
        if (watched_.number != known) {
          if (asked) return Awaited::kNews;
          StopWatching();
          watch_again_us_ = 0;
        } else if (watching_ == Watching::kRead) {
          if (!BeginStream()) return Awaited::kFailed;
        } else if (Line line = NextLine(); line == Line::kNews) {
          StopWatching();
          watch_again_us_ = 0;
        } else if (line == Line::kEnd) {
          StopWatching();
        } else if (line == Line::kNone) {
          const Http::Heard heard = watch_.Listen(deadline_us_, *error_);
          if (heard == Http::Heard::kNothing) return Awaited::kNothing;
          if (heard != Http::Heard::kPart) StopWatching();
        }
        break;
    }
  }
}

// --- the driver ------------------------------------------------------------------------------

bool Etcd::Parse(const char* text, Address& address, Error& error) {
  if (!ParseAddress(text, "2379", address, error)) return false;
  if (address.scheme != "etcd" && address.scheme != "etcds") {
    SetError(error, "not an address of etcd");
    return false;
  }
  for (const auto& [name, value] : address.options) {
    const bool is_file = name == "ca" || name == "cert" || name == "key";
    if ((name == "tls" && (value == "true" || value == "false")) || (is_file && !value.empty())) {
      continue;
    }
    SetError(error, "an address of etcd has the options tls=true, ca=FILE, cert=FILE, key=FILE");
    return false;
  }
  return true;
}

}  // namespace

const Driver* EtcdDriver() noexcept { return &TreeDriver<Etcd>::kDriver; }

}  // namespace idgen::registry

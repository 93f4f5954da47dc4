// Each operation on the tree is one transaction: what it rests on are comparisons of mod_revision
// (or of version with 0: the key does not exist). Reads are etcd's default, linearizable. A
// holder's alive/<token> has a lease, which etcd may keep for longer than the term, never for less.
//
// Round trips: enrol 2 (grant, transaction); renew 1 (the transaction, and the lease beside it on a
// second connection); claim 2, or 3 if others held any of it, for each hundred; claim_any 2, and 1
// for sweeping if there is anything to sweep; release 1; list 1 and one for each living holder.
#include "registry/etcd.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>

#include <nlohmann/json.hpp>

#include "registry/address.h"
#include "registry/http.h"
#include "registry/tree.h"

namespace idgen::registry {
namespace {

using Json = nlohmann::json;

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string ToBase64(const std::string& bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      group = group << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0U);
    }
    for (unsigned j = 0; j < 4; ++j) {
      text += i + j > bytes.size() ? '=' : kDigits[group >> (18 - 6 * j) & 63];
    }
  }
  return text;
}

bool FromBase64(const std::string& text, std::string& bytes) {
  bytes.clear();
  unsigned group = 0, bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    const char* const digit = std::strchr(kDigits, c);
    if (digit == nullptr || c == '\0') return false;
    group = (group << 6 | static_cast<unsigned>(digit - kDigits)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(group >> bits & 0xff);
    }
  }
  return true;
}

// The gateway writes 64-bit numbers as strings, and leaves out what is 0, false or empty.
bool GetNumber(const Json& object, const char* name, std::int64_t& number) {
  number = 0;
  const auto it = object.find(name);
  if (it == object.end()) return true;
  if (it->is_number_integer()) {
    number = it->get<std::int64_t>();
    return true;
  }
  if (!it->is_string()) return false;
  const auto& text = it->get_ref<const std::string&>();
  const char* const end = text.data() + text.size();
  const auto [rest, wrong] = std::from_chars(text.data(), end, number);
  return wrong == std::errc{} && rest == end;
}

bool GetBytes(const Json& object, const char* name, std::string& bytes) {
  bytes.clear();
  const auto it = object.find(name);
  if (it == object.end()) return true;
  return it->is_string() && FromBase64(it->get_ref<const std::string&>(), bytes);
}

const Json* Find(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(name);
  return it == object.end() ? nullptr : &*it;
}

class Etcd final : public Tree {
 public:
  explicit Etcd(const Host& host) : Tree(host), http_(host) {}

  static constexpr char kScheme[] = "etcd";
  static bool Parse(const char* text, Address& address, Error& error);
  bool Open();
  Address& address() { return address_; }

 private:
  bool Read() override;
  bool ReadAll() override;
  bool ReadExpiries() override;
  Outcome Commit() override;
  Outcome CommitRenewal(std::int64_t term_ms, bool& alive) override;
  bool PrepareAlive(std::int64_t term_ms) override;

  bool Connect(const Endpoint& endpoint);
  bool Authenticate();
  bool Post(int count);
  bool Check(int i);
  bool Nonsense();
  void WriteRanges(std::size_t begin, std::size_t end);
  void WriteTransaction(bool renewal);
  bool AddKeys(const Json& list);
  bool AddAnswers();
  Outcome ReadOutcome();

  Address address_;
  Http http_;
  Json answer_[Http::kCalls];
  std::vector<std::string> keys_;               // of one Read
  std::map<std::string, std::int64_t> leases_;  // of living holders
  std::int64_t lease_ = 0;                      // the own holder's; 0: none
};

// --- requests --------------------------------------------------------------------------------

bool Etcd::Nonsense() {
  SetError(*error_, "the registry gave an answer that makes no sense");
  return false;
}

// Whether the answer is one that says that the request was done, and parses it.
bool Etcd::Check(int i) {
  const Http::Call& call = http_.call[i];
  answer_[i] = Json::parse(call.answer, nullptr, false);
  const Json* failure = Find(answer_[i], "error");
  if (call.status == 200 && answer_[i].is_object() && failure == nullptr) return true;
  const Json* message = failure != nullptr && failure->is_object() ? Find(*failure, "message")
                        : failure != nullptr                       ? failure
                                                                   : Find(answer_[i], "message");
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
    if (!Check(i)) return false;
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
    if (!http_.Use((use_tls ? "https://" : "http://") + host, host, addresses, tls, *error_)) {
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

// Sorts keys and values of an answer into holders_ and identities_. What lives comes last: it marks
// holders.
bool Etcd::AddKeys(const Json& list) {
  if (!list.is_array()) return false;
  const std::string holder = HolderPath(""), alive = AlivePath(""), identity = IdentityPath("");
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

bool Etcd::ReadAll() {
  holders_.clear();
  identities_.clear();
  http_.call[0].path = "/v3/kv/range";
  http_.call[0].body =
      Json{{"key", ToBase64(base_ + '/')}, {"range_end", ToBase64(base_ + '0')}}.dump();
  if (!Post(1)) return false;
  if (Find(answer_[0], "header") == nullptr) return Nonsense();
  const Json* list = Find(answer_[0], "kvs");
  const Json* more = Find(answer_[0], "more");
  if (more != nullptr && *more != false) return Nonsense();
  return list == nullptr || AddKeys(*list) || Nonsense();
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
    success.push_back({{"request_range", {{"key", ToBase64(AlivePath(own_token_))}}}});
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
  const Json* answers = Find(answer_[0], "responses");
  if (answers != nullptr && answers->is_array() && !answers->empty()) {
    const Json* range = Find(answers->back(), "response_range");
    const Json* list = range != nullptr ? Find(*range, "kvs") : nullptr;
    if (list != nullptr && !AddKeys(*list)) {
      Nonsense();
      return Outcome::kFailed;
    }
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

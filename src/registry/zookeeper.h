// One connection to ZooKeeper (zookeeper.cpp).
#pragma once

#include <zookeeper/zookeeper.h>

#include <deque>
#include <string>
#include <vector>

#include "registry/address.h"
#include "registry/tree.h"

namespace idgen::registry {

// Of a session before its holder's term is known.
inline constexpr std::int64_t kFirstTermMs = 30'000;

class Zookeeper final : public Tree {
 public:
  explicit Zookeeper(const Host& host) : Tree(host) {}
  ~Zookeeper() override { Drop(); }

  static constexpr char kScheme[] = "zookeeper";
  static bool Parse(const char* text, Address& address, Error& error);
  bool Open();
  Address& address() { return address_; }

 private:
  // What waits for an answer. The library keeps pointers to these until it answered.
  enum class Ask {
    kNothing,
    kHolder,
    kAlive,
    kIdentity,
    kExpiry,
    kChildren,
    kOwner,
    kLatest,
    kScheme,
    kSwept,
    kWatched
  };
  struct Request {
    Zookeeper* self;
    Ask ask;
    std::string name;
    std::vector<std::string>* children;
    std::int64_t number;
    int result;
  };
  // The watch of `scheme`: none; asked for, with what is there; set, and `scheme` is in watched_.
  enum class Watching { kNothing, kAsked, kSet };

  bool Read() override;
  bool ReadAll() override;
  bool ReadHolders() override;
  bool ReadExpiries() override;
  Outcome Commit() override;
  Outcome CommitRenewal(std::int64_t term_ms, bool& alive) override;
  bool PrepareAlive(std::int64_t term_ms) override;
  Awaited AwaitScheme(std::int64_t known) override;

  bool Start(const Endpoint& endpoint);
  void Drop();
  bool Connected();
  bool Alive();
  bool Pump(int& result, std::int64_t deadline_us);
  [[nodiscard]] bool IsExpected(int socket) const;
  void Process(int socket, int& result);
  Request* Ask1(Ask ask, const std::string& name, std::vector<std::string>* children = nullptr);
  void Sent(Request* request, int result);
  bool Finish();
  bool Fail(const char* what, int result);
  void AskSync();
  void AskData(Ask ask, const std::string& name, const std::string& path);
  void AskChildren(const char* folder, std::vector<std::string>& children);
  void AskLatest();
  void AskHolders();
  void AskToWatch();
  bool SetWatch();
  Outcome Multi();
  bool MakeParents();

  static void Done(Request& request, int result);
  static void OnVoid(int result, const void* data);
  static void OnString(int result, const char* value, const void* data);
  static void OnStat(int result, const Stat* stat, const void* data);
  static void OnData(int result, const char* value, int size, const Stat* stat, const void* data);
  static void OnStrings(int result, const String_vector* strings, const void* data);
  static void OnEvent(zhandle_t*, int type, int, const char*, void* self);

  const ACL_vector& Acl() const {
    return address_.user.empty() ? ZOO_OPEN_ACL_UNSAFE : ZOO_CREATOR_ALL_ACL;
  }

  Address address_;
  std::size_t next_endpoint_ = 0;
  zhandle_t* handle_ = nullptr;
  int socket_ = -1;
  clientid_t session_ = {};  // to go on with; 0: a new one
  std::int64_t term_ms_ = kFirstTermMs;

  std::deque<Request> requests_;
  std::size_t pending_ = 0;
  bool dropping_ = false;
  bool out_of_memory_ = false;

  std::vector<std::string> tokens_, living_, steps_;
  std::vector<zoo_op_t> ops_;
  std::vector<zoo_op_result_t> results_;
  std::vector<Stat> stats_;
  std::vector<std::string> parents_;
  std::string parents_made_for_;
  int parents_result_ = ZOK;
  std::string alive_path_, alive_value_;
  std::string seen_alive_;        // the last renewal's alive/<token>, if it was there,
  std::int64_t alive_owner_ = 0;  // and whose session it had

  Watching watching_ = Watching::kNothing;
  bool happened_ = false;      // something, to the `scheme` that is watched
  std::string watched_base_;   // the pool's
  Request watch_requests_[3];  // of kAsked; other operations may come between
};

}  // namespace idgen::registry

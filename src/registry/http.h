// A few HTTP requests at a time to one server, whose waits are the host's. On libcurl's multi
// interface with sockets: no thread, no signal, no resolver of its own, and no select(), which a
// process with many files must not use.
#pragma once

#include <curl/curl.h>

#include <string>
#include <vector>

#include "registry/registry.h"

namespace idgen::registry {

class Http {
 public:
  static constexpr int kCalls = 2;

  struct Call {
    std::string path;
    std::string body;
    std::string answer;
    long status = 0;  // HTTP's
  };

  struct Tls {
    std::string ca_file, certificate_file, key_file;  // empty: the system's authorities; none
  };

  explicit Http(const Host& host) : host_(host) {}
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  // `server`: "http://host:port". `addresses`: what the host's name means; empty: it is numeric.
  bool Use(const std::string& server, const std::string& host_and_port,
           const std::vector<std::string>& addresses, const Tls& tls, Error& error);
  void SetToken(const std::string& token);  // the header Authorization

  // Posts the first `count` calls at once and waits for all answers. False: there is no answer, in
  // time or at all. Then nothing is left of the requests, nor of their connections.
  bool Post(int count, std::int64_t deadline_us, Error& error);

  // The same for the first call alone, in steps, so that it may go on for as long as it likes. Only
  // Abort and Post end it early.
  enum class Heard {
    kNothing,  // the time is up, or the host stops
    kPart,     // the answer grew
    kAll,
    kFailed
  };
  bool Begin(Error& error);
  Heard Listen(std::int64_t until_us, Error& error);
  void Abort();

  Call call[kCalls];

 private:
  struct Watched {
    curl_socket_t socket;
    int what;
  };

  static int OnSocket(CURL*, curl_socket_t socket, int what, void* self, void*);
  static int OnTimer(CURLM*, long ms, void* self);
  static std::size_t OnData(char* data, std::size_t size, std::size_t count, void* call);
  bool Add(int i, Error& error);
  bool Ended(int& done, Error& error);
  bool WaitOnce(std::int64_t deadline_us, Error& error);
  void Reset();

  const Host host_;
  CURLM* multi_ = nullptr;
  CURL* easy_[kCalls] = {};
  bool added_[kCalls] = {};
  curl_slist* headers_ = nullptr;
  curl_slist* resolved_ = nullptr;
  std::string server_;
  std::vector<Watched> watched_;
  std::size_t turn_ = 0;
  std::int64_t timer_us_ = -1;  // when libcurl wants to be called; -1: never
  char why_[kCalls][CURL_ERROR_SIZE] = {};
};

}  // namespace idgen::registry

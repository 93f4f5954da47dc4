#include "registry/http.h"

#include <algorithm>

#include "registry/tree.h"

namespace idgen::registry {
namespace {

// More than any pool has. A server that sends without end would fill the memory.
constexpr std::size_t kMostAnswer = std::size_t{64} << 20;

}  // namespace

Http::~Http() { Reset(); }

void Http::Reset() {
  Abort();
  for (CURL*& easy : easy_) {
    if (easy != nullptr) curl_easy_cleanup(easy);
    easy = nullptr;
  }
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  multi_ = nullptr;
  curl_slist_free_all(headers_);
  headers_ = nullptr;
  curl_slist_free_all(resolved_);
  resolved_ = nullptr;
  watched_.clear();
  timer_us_ = -1;
}

bool Http::Use(const std::string& server, const std::string& host_and_port,
               const std::vector<std::string>& addresses, const Tls& tls, Error& error) {
  Reset();
  server_ = server;
  multi_ = curl_multi_init();
  for (CURL*& easy : easy_) easy = curl_easy_init();
  if (multi_ == nullptr || std::count(easy_, easy_ + kCalls, nullptr) != 0) {
    SetError(error, "libcurl could not be initialized");
    return false;
  }
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Http::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Http::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  if (!addresses.empty()) {
    std::string entry = host_and_port + ':';
    for (const std::string& address : addresses) {
      if (entry.back() != ':' || &address != &addresses.front()) entry += ',';
      entry += address;
    }
    resolved_ = curl_slist_append(nullptr, entry.c_str());
  }
  SetToken({});
  for (int i = 0; i < kCalls; ++i) {
    CURL* const easy = easy_[i];
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");  // not what the environment says
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, resolved_);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Http::OnData);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &call[i]);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why_[i]);
    // A request that goes on for long would not notice that the server is gone.
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    if (!tls.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
    if (!tls.certificate_file.empty()) {
      curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.certificate_file.c_str());
    }
    if (!tls.key_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLKEY, tls.key_file.c_str());
  }
  return true;
}

void Http::SetToken(const std::string& token) {
  curl_slist_free_all(headers_);
  headers_ = curl_slist_append(nullptr, "Content-Type: application/json");
  headers_ = curl_slist_append(headers_, "Expect:");
  if (!token.empty()) headers_ = curl_slist_append(headers_, ("Authorization: " + token).c_str());
  for (CURL* easy : easy_) curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
}

int Http::OnSocket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  auto& watched = static_cast<Http*>(self)->watched_;
  const auto it = std::find_if(watched.begin(), watched.end(),
                               [socket](const Watched& one) { return one.socket == socket; });
  if (what == CURL_POLL_REMOVE) {
    if (it != watched.end()) watched.erase(it);
  } else if (it != watched.end()) {
    it->what = what;
  } else {
    watched.push_back({socket, what});
  }
  return 0;
}

int Http::OnTimer(CURLM*, long ms, void* self) {
  Http& http = *static_cast<Http*>(self);
  http.timer_us_ =
      ms < 0 ? -1 : http.host_.monotonic_us(http.host_.context) + std::int64_t{ms} * 1000;
  return 0;
}

std::size_t Http::OnData(char* data, std::size_t size, std::size_t count, void* call) {
  std::string& answer = static_cast<Call*>(call)->answer;
  if (answer.size() + size * count > kMostAnswer) return 0;
  answer.append(data, size * count);
  return size * count;
}

void Http::Abort() {
  for (int i = 0; i < kCalls; ++i) {
    if (added_[i]) curl_multi_remove_handle(multi_, easy_[i]);
    added_[i] = false;
  }
}

// Waits for one of the sockets, and lets libcurl do what it can. With several requests each socket
// is waited for in turn, which loses no time: all must answer.
bool Http::WaitOnce(std::int64_t deadline_us, Error& error) {
  const std::int64_t now_us = host_.monotonic_us(host_.context);
  if (now_us >= deadline_us) {
    SetError(error, "%s did not answer in time", server_.c_str());
    return false;
  }
  int running = 0;
  if (timer_us_ >= 0 && timer_us_ <= now_us) {
    timer_us_ = -1;
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    return true;
  }
  std::int64_t us = deadline_us - now_us;
  if (timer_us_ >= 0) us = std::min(us, timer_us_ - now_us);
  if (watched_.size() > 1) us = std::min<std::int64_t>(us, 20'000);
  bool stopped = false;
  if (watched_.empty()) {
    stopped = !host_.wait(host_.context, -1, false, false, us);
  } else {
    const Watched one = watched_[turn_++ % watched_.size()];
    stopped = !host_.wait(host_.context, one.socket, (one.what & CURL_POLL_IN) != 0,
                          (one.what & CURL_POLL_OUT) != 0, us);
    // Without flags libcurl looks itself what the socket is ready for.
    if (!stopped) curl_multi_socket_action(multi_, one.socket, 0, &running);
  }
  if (stopped) SetError(error, "stopped");
  return !stopped;
}

bool Http::Add(int i, Error& error) {
  call[i].answer.clear();
  call[i].status = 0;
  why_[i][0] = '\0';
  const std::string url = server_ + call[i].path;
  curl_easy_setopt(easy_[i], CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy_[i], CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(call[i].body.size()));
  curl_easy_setopt(easy_[i], CURLOPT_POSTFIELDS, call[i].body.data());
  added_[i] = curl_multi_add_handle(multi_, easy_[i]) == CURLM_OK;
  if (!added_[i]) {
    SetError(error, "libcurl refused a request");
    Abort();
  }
  return added_[i];
}

// Counts the calls that have their answers since the last time. False: one has failed.
bool Http::Ended(int& done, Error& error) {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto i = std::find(easy_, easy_ + kCalls, message->easy_handle) - easy_;
    if (message->data.result != CURLE_OK) {
      SetError(error, "%s: %s", server_.c_str(),
               why_[i][0] != '\0' ? why_[i] : curl_easy_strerror(message->data.result));
      Abort();
      return false;
    }
    curl_easy_getinfo(easy_[i], CURLINFO_RESPONSE_CODE, &call[i].status);
    curl_multi_remove_handle(multi_, easy_[i]);
    added_[i] = false;
    ++done;
  }
  return true;
}

bool Http::Post(int count, std::int64_t deadline_us, Error& error) {
  Abort();
  int running = 0;
  for (int i = 0; i < count; ++i) {
    if (!Add(i, error)) return false;
  }
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  for (int done = 0;;) {
    if (!Ended(done, error)) return false;
    if (done == count) return true;
    if (!WaitOnce(deadline_us, error)) {
      Abort();
      return false;
    }
  }
}

bool Http::Begin(Error& error) {
  Abort();
  int running = 0;
  if (!Add(0, error)) return false;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  return true;
}

Http::Heard Http::Listen(std::int64_t until_us, Error& error) {
  const std::size_t size = call[0].answer.size();
  // What came since the last call, even if there is no time.
  int running = 0;
  if (!watched_.empty()) curl_multi_socket_action(multi_, watched_[0].socket, 0, &running);
  for (int done = 0;;) {
    if (!Ended(done, error)) return Heard::kFailed;
    if (done != 0) return Heard::kAll;
    if (call[0].answer.size() != size) return Heard::kPart;
    if (!WaitOnce(until_us, error)) {
      error.message[0] = '\0';
      return Heard::kNothing;
    }
  }
}

}  // namespace idgen::registry

// Addresses that are wrong, and servers that answer nothing, nonsense, or half of it: every call
// ends at its deadline, with a message, and nothing is believed. Needs no registry.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "../harness.h"

namespace idgen::registry::test {
namespace {

int failures = 0;

void Check(bool right, const std::string& what, const char* message) {
  if (!right) ++failures;
  std::printf("%s%s%s%s\n", right ? "ok    " : "FAIL  ", what.c_str(),
              message[0] != '\0' ? ": " : "", message);
  std::fflush(stdout);
}

// A server on a port of its own. Each connection is given to `talk`, in a thread of its own.
class BadServer {
 public:
  using Talk = std::function<void(int)>;

  explicit BadServer(Talk talk) : talk_(std::move(talk)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener_, 16) != 0)
      std::abort();
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    accepter_ = std::thread([this] { Accept(); });
  }
  ~BadServer() {
    stop_ = true;
    accepter_.join();
    for (std::thread& thread : talkers_) thread.join();
    close(listener_);
  }
  BadServer(const BadServer&) = delete;
  BadServer& operator=(const BadServer&) = delete;

  [[nodiscard]] std::string At(const char* scheme) const {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(port_) + "/x";
  }

 private:
  void Accept() {
    while (!stop_) {
      pollfd ready = {listener_, POLLIN, 0};
      if (poll(&ready, 1, 20) <= 0) continue;
      const int peer = accept(listener_, nullptr, nullptr);
      if (peer < 0) continue;
      talkers_.emplace_back([this, peer] {
        talk_(peer);
        // What comes is thrown away until the other side closes.
        char buffer[4096];
        for (pollfd one = {peer, POLLIN, 0}; !stop_;) {
          if (poll(&one, 1, 20) > 0 && recv(peer, buffer, sizeof buffer, 0) <= 0) break;
        }
        close(peer);
      });
    }
  }

  Talk talk_;
  int listener_, port_ = 0;
  std::atomic<bool> stop_{false};
  std::thread accepter_;
  std::vector<std::thread> talkers_;
};

void Send(int peer, const std::string& bytes) {
  send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

// Reads something; false: the other side has gone.
bool Receive(int peer) {
  char buffer[65536];
  return recv(peer, buffer, sizeof buffer, 0) > 0;
}

// Answers every request with this body.
BadServer::Talk Http(const std::string& body, const char* status = "200 OK") {
  const std::string answer =
      std::string("HTTP/1.1 ") + status +
      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  return [answer](int peer) {
    while (Receive(peer)) Send(peer, answer);
  };
}

std::string Integer(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

// ZooKeeper's answer to a new session, and then this for every request.
BadServer::Talk Session(const std::string& then, bool unasked = false) {
  return [then, unasked](int peer) {
    for (int left = 4 + 45; left > 0;) {  // the request for a session, in two parts
      char buffer[49];
      const auto got = recv(peer, buffer, static_cast<std::size_t>(left), 0);
      if (got <= 0) return;
      left -= static_cast<int>(got);
    }
    Send(peer, Integer(37, 4) + Integer(0, 4) + Integer(30'000, 4) + Integer(77, 8) +
                   Integer(16, 4) + std::string(16, 'p') + '\0' + (unasked ? then : ""));
    while (Receive(peer)) Send(peer, then);
  };
}

constexpr std::int64_t kPatienceMs = 300;

// Everything that can be asked. Nothing may be granted, and all must end in time.
void AskAll(const std::string& what, const std::string& address, bool opens) {
  const Driver& driver = *FindDriver(address.c_str());
  Error error;
  std::int64_t start_ms = NowMs();
  const auto in_time = [&](int calls) { return NowMs() - start_ms < calls * (kPatienceMs + 3000); };
  Connection* connection =
      driver.open(address.c_str(), PollHost(nullptr), Server::In(kPatienceMs), error);
  if (!opens || connection == nullptr) {
    Check(connection == nullptr && in_time(1) && error.message[0] != '\0', what, error.message);
    if (connection != nullptr) driver.close(connection);
    return;
  }
  const Holder holder = MakeHolder("p", "a");
  const Identity identity = Machine(1);
  Claimed claimed;
  bool found = false, right = true;
  std::string said;
  const auto failed = [&](Status status, bool may_be_lost = true) {
    right = right && (status == Status::kFailed || (may_be_lost && status == Status::kLost));
    if (status == Status::kFailed) {
      right = right && error.message[0] != '\0';
      said = error.message;
    }
    driver.close(connection);
    connection = driver.open(address.c_str(), PollHost(nullptr), Server::In(2000), error);
    return connection != nullptr;
  };
  const auto in = [] { return Server::In(kPatienceMs); };
  SchemeVersions scheme;
  int told = 0;
  const auto tell = [](void* context, const auto&) { ++*static_cast<int*>(context); };
  bool written = false;
  // Without news a watch ends when its time is up, whatever the matter is.
  const auto watched = [&](Status status) {
    if (status != Status::kDone) return failed(status, false);
    right = right && scheme.latest == 0 && error.message[0] == '\0';
    return true;
  };
  start_ms = NowMs();
  static_cast<void>(
      failed(driver.enrol(connection, holder, 1, 1000, scheme, in(), error), false) &&
      failed(driver.renew(connection, holder, 1, 1000, scheme, in(), error)) &&
      failed(driver.read_scheme(connection, "p", kLatestScheme, tell, &told, in(), error), false) &&
      failed(driver.read_scheme(connection, "p", 1, tell, &told, in(), error), false) &&
      failed(driver.write_scheme(connection, "p", {1, "", "", 1}, written, in(), error), false) &&
      failed(driver.holders(connection, "p", true, tell, &told, in(), error), false) &&
      watched(driver.watch(connection, "p", scheme, in(), error)) &&
      failed(driver.holders(connection, "p", false, tell, &told, in(), error), false) &&
      failed(driver.claim(connection, holder, &identity, 1, &claimed, in(), error)) &&
      failed(driver.claim_any(connection, holder, 0, 1, 9, 5, claimed, in(), error)) &&
      failed(driver.evict(connection, "p", identity, found, in(), error), false) &&
      failed(driver.ban(connection, "p", identity, true, in(), error), false));
  if (connection != nullptr) driver.close(connection);
  Check(right && told == 0 && !written && in_time(18), what, said.c_str());
}

// An etcd that answers everything but what a watch asks for: there it says this, and then no more.
// The watch has no news, ends in time, and does not ask all the time; everything else works.
void BadStream(const std::string& what, const std::string& stream, bool closes) {
  constexpr std::int64_t kStreamMs = 150;
  std::atomic<int> asked{0};
  const BadServer server([&](int peer) {
    const std::string body = R"({"header":{"revision":"7"},"responses":[{"response_range":{}}]})";
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size());
    char buffer[65536];
    for (;;) {
      const auto size = recv(peer, buffer, sizeof buffer, 0);
      if (size <= 0) return;
      if (std::string(buffer, static_cast<std::size_t>(size)).find("/v3/watch") ==
          std::string::npos) {
        Send(peer, head + "\r\n\r\n" + body);
        continue;
      }
      ++asked;
      Send(peer, stream);
      if (closes) return static_cast<void>(shutdown(peer, SHUT_RDWR));
    }
  });
  const std::string address = server.At("etcd");
  const Driver& driver = *FindDriver(address.c_str());
  Error error;
  Connection* const connection =
      driver.open(address.c_str(), PollHost(nullptr), Server::In(2000), error);
  bool right = connection != nullptr;
  for (int i = 0; right && i < 2; ++i) {
    SchemeVersions scheme;
    const std::int64_t start_ms = NowMs();
    right = driver.watch(connection, "p", scheme, Server::In(kStreamMs), error) == Status::kDone &&
            scheme.latest == 0 && NowMs() - start_ms >= kStreamMs;
    int told = 0;
    const auto tell = [](void* context, const auto&) { ++*static_cast<int*>(context); };
    right = right &&
            driver.read_scheme(connection, "p", kLatestScheme, tell, &told, Server::In(2000),
                               error) == Status::kDone &&
            told == 0;
  }
  if (connection != nullptr) driver.close(connection);
  // libcurl may ask again where an old connection was closed.
  Check(right && asked >= 1 && asked <= 2, "etcd, a stream: " + what, error.message);
}

void Streams() {
  const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  const std::string created = R"({"result":{"created":true}})"
                              "\n";
  BadStream("nothing", "", false);
  BadStream("closed", "", true);
  BadStream("not found", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false);
  BadStream("a header", head, false);
  BadStream("closed after it began", head + created, true);
  BadStream("half a line", head + created + R"({"result":{"events":[)", false);
  BadStream("random bytes", head + "\x01\xff\n\n\n", false);
  BadStream("an endless line", head + std::string(3 << 20, '['), false);
  BadStream("an error",
            head + R"({"error":{"message":"no"}})"
                   "\n",
            false);
  BadStream("canceled",
            head + R"({"result":{"canceled":true,"compact_revision":"9"}})"
                   "\n",
            false);
}

void Bad(const std::string& what, const char* scheme, BadServer::Talk talk, bool opens = false) {
  const BadServer server(std::move(talk));
  AskAll(std::string(scheme) + ", " + what, server.At(scheme), opens);
}

void Servers() {
  for (const char* scheme : {"etcd", "zookeeper"}) {
    Bad("says nothing", scheme, [](int) {});
    Bad("closes at once", scheme, [](int peer) { shutdown(peer, SHUT_RDWR); });
    Bad("is another service", scheme, [](int peer) { Send(peer, "220 mail.example ESMTP\r\n"); });
    Bad("sends random bytes", scheme, [](int peer) {
      std::string bytes;
      for (unsigned i = 0; i < 5000; ++i) bytes += static_cast<char>(i * 2'654'435'761U >> 13);
      Send(peer, bytes);
    });
    Bad("sends zeros", scheme, [](int peer) { Send(peer, std::string(100'000, '\0')); });
  }
  Bad("half a header", "etcd", [](int peer) { Send(peer, "HTTP/1.1 200 OK\r\nConte"); });
  Bad("half a body", "etcd", [](int peer) {
    while (Receive(peer)) Send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"header\"");
  });
  Bad("a body without end", "etcd", [](int peer) {
    if (!Receive(peer)) return;
    Send(peer, "HTTP/1.1 200 OK\r\n\r\n");
    const std::string part(1 << 16, '[');
    while (send(peer, part.data(), part.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  Bad("a redirection", "etcd", Http("", "302 Found\r\nLocation: http://127.0.0.1:1/"));
  Bad("an error", "etcd",
      Http(R"({"error":"no\nleader","message":"no\nleader","code":14})",
           "503 Service Unavailable"));
  Bad("an error without words", "etcd", Http("<html>", "404 Not Found"));
  Bad("not JSON", "etcd", Http("<html>"));
  Bad("deep JSON", "etcd", Http(std::string(200'000, '[')));
  Bad("an empty object", "etcd", Http("{}"));
  Bad("null", "etcd", Http("null"));
  Bad("a list", "etcd", Http("[1,2]"));
  // "cGs=" is not a key of ours.
  const std::string header = R"({"header":{"revision":"7"})";
  for (const std::string& rest :
       {std::string("}"), std::string(R"(,"ID":"5","succeeded":1})"),
        std::string(R"(,"ID":"99999999999999999999"})"), std::string(R"(,"ID":[],"responses":{}})"),
        std::string(R"(,"ID":"5","responses":[{"response_range":{"kvs":7}}]})"),
        std::string(R"(,"ID":"5","kvs":[{"key":"!","mod_revision":"1"}],"responses":[1,2,3]})"),
        std::string(R"(,"ID":"5","kvs":[5],"responses":[{},{},{}]})")}) {
    Bad(header + rest, "etcd", Http(header + rest), true);
  }
  Bad("a revision that is none", "etcd",
      Http(R"({"header":{"revision":"-7"},"ID":"5","succeeded":true})"), true);

  Bad("an expired session for ever", "zookeeper", [](int peer) {
    while (Receive(peer)) Send(peer, Integer(37, 4) + std::string(37, '\0'));
  });
  Bad("nothing after the session", "zookeeper", Session(""), true);
  Bad("another request's answer", "zookeeper",
      Session(Integer(16, 4) + Integer(12345, 4) + Integer(1, 8) + Integer(0, 4)), true);
  Bad("an answer to nothing", "zookeeper",
      Session(Integer(16, 4) + Integer(12345, 4) + Integer(1, 8) + Integer(0, 4), true));
  const std::string event = Integer(0xffffffff, 4) + Integer(1, 8) + Integer(0, 4) + Integer(3, 4) +
                            Integer(3, 4) + Integer(2, 4) + "/x";
  Bad("an event that nobody asked for", "zookeeper",
      Session(Integer(event.size(), 4) + event, true), true);
  Bad("a length of 2 GB", "zookeeper", Session(Integer(0x7fffffff, 4) + "abc"), true);
  Bad("a negative length", "zookeeper", Session(Integer(0xffffffff, 4) + "abc"), true);
  Bad("short answers", "zookeeper", Session(Integer(3, 4) + "abc"), true);
}

void Addresses() {
  for (const char* address : {"etcd://",
                              "etcd:///path",
                              "etcd://h:0",
                              "etcd://h:65536",
                              "etcd://h:x",
                              "etcd://h,",
                              "etcd://,h",
                              "etcd://h h",
                              "etcd://h//x",
                              "etcd://h/../x",
                              "etcd://h/a b",
                              "etcd://[::1",
                              "etcd://[x]:1",
                              "etcd://h?tls=maybe",
                              "etcd://h?password=secret",
                              "etcd://h?ca=",
                              "etcd://u:secret%@h",
                              "etcd://u:secret%00@h",
                              "etcd://:secret@h",
                              "etcd://u:secret@",
                              "etcd://h:secret/x",
                              "etcd://u:sec/ret@h:x",
                              "zookeeper://",
                              "zookeeper://h?x=y",
                              "zookeeper://h:2181x/p",
                              "zookeeper://u:secret@h:99999/p"}) {
    Error error;
    const bool good = FindDriver(address)->check_address(address, error);
    Check(!good && error.message[0] != '\0' && std::strstr(error.message, "secret") == nullptr,
          address, error.message);
  }
  for (const char* address :
       {"etcd://h", "etcd://h:1,[::1]:2,10.0.0.1/a/b_c-d.e", "etcd://u:p%40%2F:x@h:1/p",
        "etcd://h/?tls=true", "etcd://h/p?ca=/etc/ca.pem&cert=c%20c&key=k", "etcd://h/p/",
        "zookeeper://h1,h2:2181,h3/a/b", "zookeeper://u:p@h"}) {
    Error error;
    const bool good = FindDriver(address)->check_address(address, error);
    Check(good, address, error.message);
  }
}

}  // namespace
}  // namespace idgen::registry::test

int main() {
  idgen::registry::test::Addresses();
  idgen::registry::test::Servers();
  idgen::registry::test::Streams();
  return idgen::registry::test::failures == 0 ? 0 : 1;
}

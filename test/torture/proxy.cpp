// The network between the servers of a fleet and their registry: a port for each server, and a link
// behind it that can be disturbed.
//
// usage: proxy links=FILE ports=FILE upstream=PATH|PORT names=NAME,...
//
// Listens on a port of 127.0.0.1 for each name, and writes "NAME PORT" into the ports file.
// Forwards to a Unix socket, or to a port of 127.0.0.1. The links file has a line for each name
// that is not "pass", and is read again whenever it is replaced:
//   NAME cut        connections break, and new ones are refused
//   NAME hang       nothing arrives, in either direction
//   NAME deaf       requests arrive at the registry, and no answer comes back
//   NAME delay MS   everything takes this long
// What was sent while a link hung arrives when it no longer does, even if the sender has left. So a
// registry gets requests that are long out of date, as from a real network.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <list>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kMostHeld = 1 << 20;  // bytes of one direction
constexpr int kPollMs = 5;

std::int64_t NowUs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

enum class Mode { kPass, kCut, kHang, kDeaf, kDelay };

struct Link {
  std::string name;
  int listener = -1;
  Mode mode = Mode::kPass;
  std::int64_t delay_us = 0;
};

struct Chunk {
  std::int64_t due_us;
  std::string bytes;  // none: the sender has closed
};

struct Direction {
  int from = -1;
  int to = -1;
  bool ended = false;  // nothing more will be read
  bool shut = false;   // and all of it was passed on
  std::size_t held = 0;
  std::deque<Chunk> chunks;
};

struct Connection {
  Link* link;
  std::array<Direction, 2> directions;  // requests, answers
};

std::map<std::string, std::string> options;
std::vector<Link> links;
std::list<Connection> connections;

[[noreturn]] void Die(const char* what) {
  perror(what);
  exit(2);
}

void ReadLinks() {
  std::ifstream file(options["links"]);
  for (Link& link : links) link.mode = Mode::kPass;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, mode;
    int ms = 0;
    words >> name >> mode >> ms;
    for (Link& link : links) {
      if (link.name != name) continue;
      link.mode = mode == "cut"     ? Mode::kCut
                  : mode == "hang"  ? Mode::kHang
                  : mode == "deaf"  ? Mode::kDeaf
                  : mode == "delay" ? Mode::kDelay
                                    : Mode::kPass;
      link.delay_us = std::int64_t{ms} * 1000;
    }
  }
}

void Prepare(int socket) {
  fcntl(socket, F_SETFL, O_NONBLOCK);
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

sockaddr_in Local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void Listen() {
  std::ofstream ports(options["ports"] + ".new");
  for (Link& link : links) {
    link.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Local(0);
    socklen_t size = sizeof(address);
    if (link.listener < 0 ||
        bind(link.listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(link.listener, 64) != 0 ||
        getsockname(link.listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      Die("listen");
    }
    Prepare(link.listener);
    ports << link.name << ' ' << ntohs(address.sin_port) << '\n';
  }
  ports.close();
  if (rename((options["ports"] + ".new").c_str(), options["ports"].c_str()) != 0) Die("ports");
}

// Returns a socket that is connected to the registry, or -1.
int Reach() {
  const std::string& place = options["upstream"];
  const bool local = place[0] == '/';
  const int upstream = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int failed = 0;
  if (local) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", place.c_str());
    failed = connect(upstream, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  } else {
    const sockaddr_in address = Local(atoi(place.c_str()));
    failed = connect(upstream, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  if (failed == 0) return upstream;
  close(upstream);
  return -1;
}

// Closes a connection so that the other end sees it break.
void Break(int socket) {
  const linger at_once{1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(socket);
}

void Accept(Link& link) {
  const int client = accept4(link.listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int upstream = link.mode == Mode::kCut ? -1 : Reach();
  if (upstream < 0) return Break(client);
  Prepare(client);
  Prepare(upstream);
  connections.emplace_back();
  Connection& connection = connections.back();
  connection.link = &link;
  connection.directions[0].from = connection.directions[1].to = client;
  connection.directions[0].to = connection.directions[1].from = upstream;
}

bool Moves(const Connection& connection, int direction) {
  const Mode mode = connection.link->mode;
  return mode != Mode::kHang && !(mode == Mode::kDeaf && direction == 1);
}

void Read(Connection& connection, Direction& way) {
  char buffer[16384];
  const ssize_t size = read(way.from, buffer, sizeof(buffer));
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const Link& link = *connection.link;
  way.chunks.push_back({NowUs() + (link.mode == Mode::kDelay ? link.delay_us : 0), {}});
  if (size <= 0) {
    way.ended = true;
    return;
  }
  way.chunks.back().bytes.assign(buffer, static_cast<std::size_t>(size));
  way.held += static_cast<std::size_t>(size);
}

void Write(Direction& way) {
  while (!way.chunks.empty() && way.chunks.front().due_us <= NowUs()) {
    Chunk& chunk = way.chunks.front();
    if (chunk.bytes.empty()) {
      shutdown(way.to, SHUT_WR);
      way.shut = true;
      way.chunks.pop_front();
      continue;
    }
    const ssize_t size = send(way.to, chunk.bytes.data(), chunk.bytes.size(), MSG_NOSIGNAL);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size < 0) {
      // Nobody reads it. What comes from there may still be wanted.
      way.chunks.clear();
      way.ended = way.shut = true;
      return;
    }
    way.held -= static_cast<std::size_t>(size);
    if (static_cast<std::size_t>(size) < chunk.bytes.size()) {
      chunk.bytes.erase(0, static_cast<std::size_t>(size));
      return;
    }
    way.chunks.pop_front();
  }
}

void Step() {
  std::vector<pollfd> sockets;
  for (const Link& link : links) sockets.push_back({link.listener, POLLIN, 0});
  for (const Connection& connection : connections) {
    for (const Direction& way : connection.directions) {
      const bool reads = !way.ended && way.held < kMostHeld;
      sockets.push_back({reads ? way.from : -1, POLLIN, 0});
    }
  }
  poll(sockets.data(), sockets.size(), kPollMs);
  std::size_t at = links.size();
  for (Connection& connection : connections) {
    for (Direction& way : connection.directions) {
      if (sockets[at++].revents != 0) Read(connection, way);
    }
    for (int i = 0; i < 2; ++i) {
      if (Moves(connection, i)) Write(connection.directions[static_cast<std::size_t>(i)]);
    }
  }
  for (auto connection = connections.begin(); connection != connections.end();) {
    const auto& [requests, answers] = connection->directions;
    const bool over = requests.shut && answers.shut;
    if (connection->link->mode == Mode::kCut || over) {
      Break(requests.from);
      Break(requests.to);
      connection = connections.erase(connection);
    } else {
      ++connection;
    }
  }
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (sockets[i].revents != 0) Accept(links[i]);
  }
}

}  // namespace

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    options[argument.substr(0, argument.find('='))] = argument.substr(argument.find('=') + 1);
  }
  std::istringstream names(options["names"]);
  for (std::string name; std::getline(names, name, ',');) links.push_back({name});
  if (links.empty() || options["upstream"].empty()) {
    fprintf(stderr, "usage: proxy links=FILE ports=FILE upstream=PATH|PORT names=NAME,...\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  Listen();
  struct stat last {};
  for (;;) {
    struct stat now {};
    if (stat(options["links"].c_str(), &now) == 0 && now.st_ino != last.st_ino) {
      last = now;
      ReadLinks();
    }
    Step();
  }
}

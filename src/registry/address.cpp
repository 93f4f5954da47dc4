#include "registry/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "registry/tree.h"

namespace idgen::registry {
namespace {

int Hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool Decode(const std::string& text, std::string& plain) {
  plain.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (i + 2 >= text.size() || Hex(text[i + 1]) < 0 || Hex(text[i + 2]) < 0) return false;
    plain += static_cast<char>(Hex(text[i + 1]) * 16 + Hex(text[i + 2]));
    if (plain.back() == '\0') return false;
    i += 2;
  }
  return true;
}

// Cuts what follows the first `mark` off, and returns it.
std::string CutAfter(std::string& text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return {};
  std::string rest = text.substr(at + 1);
  text.resize(at);
  return rest;
}

bool ParsePort(const std::string& port) {
  if (port.empty() || port.size() > 5) return false;
  if (port.find_first_not_of("0123456789") != std::string::npos) return false;
  const int number = std::atoi(port.c_str());
  return number > 0 && number < 65536;
}

bool ParseEndpoint(const std::string& text, const char* default_port, Endpoint& endpoint) {
  std::string rest = text;
  endpoint.port = default_port;
  if (!rest.empty() && rest[0] == '[') {
    const std::size_t end = rest.find(']');
    if (end == std::string::npos) return false;
    endpoint.host = rest.substr(1, end - 1);
    rest = rest.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return false;
    if (!rest.empty()) endpoint.port = rest.substr(1);
    if (endpoint.host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string::npos) {
      return false;
    }
  } else {
    const std::size_t colon = rest.find(':');
    if (colon != std::string::npos) endpoint.port = rest.substr(colon + 1);
    endpoint.host = rest.substr(0, colon);
    for (const char c : endpoint.host) {
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '.' || c == '_')) {
        return false;
      }
    }
  }
  return !endpoint.host.empty() && endpoint.host.size() < 256 && ParsePort(endpoint.port);
}

bool ParsePrefix(const std::string& prefix) {
  std::size_t begin = 1;
  while (begin <= prefix.size()) {
    const std::size_t end = std::min(prefix.find('/', begin), prefix.size());
    const std::string step = prefix.substr(begin, end - begin);
    if (step.empty() || step == "." || step == "..") return false;
    for (const char c : step) {
      if (c <= ' ' || c >= 0x7f) return false;
    }
    begin = end + 1;
  }
  return prefix.size() < 512;
}

}  // namespace

bool ParseAddress(const char* text, const char* default_port, Address& address, Error& error) {
  const char* const begin = std::strstr(text, "://");
  if (begin == nullptr) {
    SetError(error, "a registry's address begins with its kind, as in \"etcd://host\"");
    return false;
  }
  address = Address();
  address.scheme.assign(text, begin);
  std::string rest = begin + 3;

  // The password first: it may contain anything but '@' and '/'.
  const std::size_t authority = std::min(rest.find('/'), rest.size());
  const std::size_t at = rest.rfind('@', authority);
  if (at != std::string::npos && at < authority) {
    std::string user = rest.substr(0, at);
    rest = rest.substr(at + 1);
    const std::string password = CutAfter(user, ':');
    if (!Decode(user, address.user) || !Decode(password, address.password) ||
        address.user.empty()) {
      SetError(error,
               "user and password of a registry's address must be as in "
               "\"user:password@host\", with %%XX for special characters");
      return false;
    }
  }

  std::string options = CutAfter(rest, '?');
  const std::size_t slash = rest.find('/');
  std::string hosts = rest.substr(0, slash);
  address.prefix = slash == std::string::npos ? "" : rest.substr(slash);
  if (address.prefix.empty() || address.prefix == "/") address.prefix = "/idgen";
  if (address.prefix.back() == '/') address.prefix.pop_back();
  if (!ParsePrefix(address.prefix)) {
    SetError(error,
             "the path of a registry's address has an empty or special step, or a character "
             "that is not allowed");
    return false;
  }
  for (bool more = true; more;) {
    more = hosts.find(',') != std::string::npos;
    std::string next = CutAfter(hosts, ',');
    Endpoint endpoint;
    if (!ParseEndpoint(hosts, default_port, endpoint)) {
      SetError(error, "a registry's address needs hosts as in \"host:port,host:port\"");
      return false;
    }
    address.endpoints.push_back(endpoint);
    hosts = std::move(next);
  }
  while (!options.empty()) {
    std::string next = CutAfter(options, '&');
    const std::string text_of_value = CutAfter(options, '=');
    std::string value;
    if (!Decode(text_of_value, value)) {
      SetError(error, "an option of a registry's address has a wrong value");
      return false;
    }
    address.options.emplace_back(options, value);
    options = std::move(next);
  }
  return true;
}

std::vector<std::string> Resolve(const Endpoint& endpoint, Error& error) {
  std::vector<std::string> found;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int wrong = getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &list);
  if (wrong != 0) {
    SetError(error, "could not find the address of host \"%s\": %s", endpoint.host.c_str(),
             gai_strerror(wrong));
    return found;
  }
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    char numeric[NI_MAXHOST];
    if (getnameinfo(one->ai_addr, one->ai_addrlen, numeric, sizeof numeric, nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    found.push_back(one->ai_family == AF_INET6 ? '[' + std::string(numeric) + ']' : numeric);
  }
  freeaddrinfo(list);
  if (found.empty()) SetError(error, "host \"%s\" has no address", endpoint.host.c_str());
  return found;
}

}  // namespace idgen::registry

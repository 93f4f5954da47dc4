// Addresses of the registries that are trees:
//   scheme://[user:password@]host[:port][,host[:port] ...][/prefix][?option=value[&...]]
// User, password and values may have %XX in them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "registry/registry.h"

namespace idgen::registry {

struct Endpoint {
  std::string host;  // an IPv6 address without its brackets
  std::string port;
};

struct Address {
  std::string scheme;
  std::string user, password;
  std::vector<Endpoint> endpoints;  // at least one
  std::string prefix;               // begins with '/', does not end with one
  std::vector<std::pair<std::string, std::string>> options;
};

// Never shows more of the address than a host or an option's name: a password may be anywhere in an
// address that is wrong.
bool ParseAddress(const char* text, const char* default_port, Address& address, Error& error);

// The numeric addresses of an endpoint, an IPv6 one in brackets. Empty on failure. This is the one
// step that may wait without asking the host: the system's resolver has no other interface without
// threads, and the timeouts of its own (resolv.conf). Numeric hosts never wait.
std::vector<std::string> Resolve(const Endpoint& endpoint, Error& error);

}  // namespace idgen::registry

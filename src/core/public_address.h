// What of a registry's address may be shown to people: where it is, and never a password or
// anything else that may be one. An address that is unclear shows less than it could.
//
//   postgresql://user:password@host:port,host/database?...     (zookeeper, etcd and others alike)
//   host=... port=... dbname=... service=... password=...      (libpq's key and value)
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace idgen {

struct PublicAddress {
  std::string_view kind = {};  // empty: there is no address
  std::string_view hosts = {};
  std::string_view port = {};  // where it is not with the host
  std::string_view database = {};
  std::string_view service = {};
};

namespace public_address {

// substr(), but without the exception that it could throw.
constexpr std::string_view Head(std::string_view text, std::size_t length) {
  return {text.data(), std::min(length, text.size())};
}
constexpr std::string_view Tail(std::string_view text, std::size_t from) {
  text.remove_prefix(std::min(from, text.size()));
  return text;
}

constexpr bool IsPlain(std::string_view text) {
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') ||
                          std::string_view("-._:,[]%/").find(c) != std::string_view::npos;
    if (!is_plain) return false;
  }
  return text.find("://") == std::string_view::npos;
}

constexpr std::string_view PlainOrNothing(std::string_view text) {
  return IsPlain(text) ? text : std::string_view();
}

// The same for hosts, each with a port or none. What follows a colon and is no port may be a
// password without the rest of its address.
constexpr std::string_view HostsOrNothing(std::string_view text) {
  bool is_port = false;
  bool is_bracketed = false;
  for (const char c : text) {
    if (c == ',') is_port = false;
    if (is_port && (c < '0' || c > '9')) return {};
    if (c == '[') is_bracketed = true;
    if (c == ']') is_bracketed = false;
    if (c == ':' && !is_bracketed) is_port = true;
  }
  return PlainOrNothing(text);
}

constexpr bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr void SkipSpace(std::string_view& text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
}

// Cuts a word off the text: up to a space, or to `end` as well.
constexpr std::string_view CutWord(std::string_view& text, char end) {
  std::size_t length = 0;
  while (length < text.size() && !IsSpace(text[length]) && text[length] != end) ++length;
  const std::string_view word = Head(text, length);
  text.remove_prefix(length);
  return word;
}

// Cuts off a value, quoted or not. False if its quotes do not end.
constexpr bool CutValue(std::string_view& text, std::string_view& value) {
  if (text.empty() || text.front() != '\'') {
    // A backslash takes what follows along.
    std::size_t length = 0;
    while (length < text.size() && !IsSpace(text[length])) {
      length += text[length] == '\\' && length + 1 < text.size() ? std::size_t{2} : std::size_t{1};
    }
    value = Head(text, length);
    text.remove_prefix(length);
    return true;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '\'') {
      value = Head(Tail(text, 1), i - 1);
      text.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

constexpr PublicAddress OfPairs(std::string_view text) {
  const PublicAddress unclear{.kind = "postgresql"};
  PublicAddress address = unclear;
  for (SkipSpace(text); !text.empty(); SkipSpace(text)) {
    const std::string_view key = CutWord(text, '=');
    SkipSpace(text);
    if (text.empty() || text.front() != '=') return unclear;
    text.remove_prefix(1);
    SkipSpace(text);
    std::string_view value;
    if (!CutValue(text, value)) return unclear;
    value = PlainOrNothing(value);
    if (key == "host" || (key == "hostaddr" && address.hosts.empty())) address.hosts = value;
    if (key == "port") address.port = value;
    if (key == "dbname") address.database = value;
    if (key == "service") address.service = value;
  }
  return address;
}

constexpr PublicAddress OfUri(std::string_view kind, std::string_view rest) {
  const PublicAddress unclear{.kind = kind};
  PublicAddress address = unclear;
  const std::size_t slash = rest.find('/');
  std::string_view authority = Head(rest, slash);
  std::string_view path =
      slash == std::string_view::npos ? std::string_view() : Tail(rest, slash + 1);
  // A password with a slash: what looks like a host is a part of it.
  const std::size_t question = path.find('?');
  if (Head(path, question).find('@') != std::string_view::npos) return unclear;
  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  } else if (path.find('@') != std::string_view::npos) {
    return unclear;
  }
  const std::size_t parameters = authority.find('?');
  if (parameters != std::string_view::npos) path = {};
  address.hosts = HostsOrNothing(Head(authority, parameters));
  address.database = PlainOrNothing(Head(path, question));
  return address;
}

}  // namespace public_address

[[nodiscard]] constexpr PublicAddress PublicAddressOf(std::string_view address) {
  if (address.empty()) return {};
  const std::size_t scheme = address.find("://");
  if (scheme != std::string_view::npos && scheme < address.find_first_of("= ")) {
    return public_address::OfUri(
        public_address::PlainOrNothing(public_address::Head(address, scheme)),
        public_address::Tail(address, scheme + 3));
  }
  return public_address::OfPairs(address);
}

}  // namespace idgen

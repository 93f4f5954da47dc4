// What the files of the PostgreSQL registry's driver share: limits, parameters, names.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "postgresql_link.h"

namespace idgen::registry::postgresql {

// What a registry may lack, by its place in the list of the peer.
inline constexpr std::size_t kClock = 0;   // how far holders' clocks are off
inline constexpr std::size_t kScheme = 1;  // versions of the scheme

inline constexpr std::int64_t kLeastMs = 0;
inline constexpr std::int64_t kMostMs = 253'402'300'799'999;           // the end of the year 9999
inline constexpr std::int64_t kLongestMs = kMostMs * 2;                // of an interval in a row
inline constexpr std::int64_t kMostVersion = 999'999'999'999'999'999;  // as core/scheme.h reads it

inline Status Failed(Error& error, std::string_view what) noexcept {
  Fail(error, what);
  return Status::kFailed;
}

template <typename Function>
Status Guarded(Error& error, Function&& function) noexcept {
  return Guarded(error, Status::kFailed, std::forward<Function>(function));
}

inline bool CheckTime(std::int64_t ms, Error& error) {
  return (ms >= kLeastMs && ms <= kMostMs) ||
         Fail(error, "a time to tell the registry is not between the years 1970 and 9999");
}

inline bool CheckVersion(std::int64_t version, Error& error) {
  return (version >= 0 && version <= kMostVersion) ||
         Fail(error, "a version of the scheme is negative, or has more than 18 digits");
}

// A bounded copy, and only of what is readable everywhere: the registry may have any encoding.
template <std::size_t kSize>
void CopyName(char (&to)[kSize], std::string_view from) noexcept {
  const std::size_t size = std::min(from.size(), kSize - 1);
  std::transform(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size), to,
                 [](char c) { return c >= ' ' && c <= '~' ? c : '?'; });
  to[size] = '\0';
}

inline std::string_view ViewOf(const char* text, std::size_t size) noexcept {
  return {text, strnlen(text, size)};
}

// Whether it is one as NewToken makes them.
inline bool IsToken(std::string_view token) {
  return token.size() == kTokenSize - 1 && std::all_of(token.begin(), token.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// The first parameter of every statement.
inline bool AddPool(Link& link, const char* pool, Error& error) {
  const std::string_view name = ViewOf(pool, sizeof Holder::pool);
  if (name.empty() || name.size() == sizeof Holder::pool) {
    return Fail(error, "the name of the pool is not of 1 to 63 bytes");
  }
  link.Begin();
  return link.AddText(name, error);
}

inline bool AddHolder(Link& link, const Holder& holder, Error& error) {
  const std::string_view token = ViewOf(holder.token, sizeof holder.token);
  if (!IsToken(token)) {
    return Fail(error, "the token of the holder is not 32 lower-case hexadecimal digits");
  }
  return AddPool(link, holder.pool, error) && link.AddText(token, error);
}

}  // namespace idgen::registry::postgresql

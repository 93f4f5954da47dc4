// The texts of the tree's nodes: JSON, and names of identities.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "registry/tree.h"

namespace idgen::registry {

using Json = nlohmann::json;

inline constexpr std::int64_t kDayMs = 86'400'000;

// Names may be cut in the middle of a character; what cannot be written is replaced.
inline std::string Write(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

inline bool Get(const Json& json, const char* name, std::string& value) {
  const auto it = json.find(name);
  if (it == json.end() || !it->is_string()) return false;
  value = it->get_ref<const std::string&>();
  return true;
}

inline bool Get(const Json& json, const char* name, bool& value) {
  const auto it = json.find(name);
  if (it == json.end() || !it->is_boolean()) return false;
  value = it->get<bool>();
  return true;
}

// A time: an integer, not negative.
inline bool Get(const Json& json, const char* name, std::int64_t& value) {
  const auto it = json.find(name);
  if (it == json.end() || !it->is_number_unsigned()) return false;
  const auto number = it->get<std::uint64_t>();
  if (number > static_cast<std::uint64_t>(INT64_MAX)) return false;
  value = static_cast<std::int64_t>(number);
  return true;
}

inline std::string WriteHolder(const Tree::HolderRow& row) {
  return Write({{"name", row.name},
                {"used_until_ms", std::max<std::int64_t>(row.used_until_ms, 0)},
                {"ended", row.ended},
                {"ended_at_ms", std::max<std::int64_t>(row.ended_at_ms, 0)},
                {"acknowledged", std::max<std::int64_t>(row.acknowledged, 0)}});
}

inline std::string WriteLatest(std::int64_t version) { return Write({{"version", version}}); }

inline std::string WriteSwept(std::int64_t used_until_ms) {
  return Write({{"used_until_ms", used_until_ms}});
}

inline std::int64_t SystemMs() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

inline void End(Tree::HolderRow& row) {
  row.ended = true;
  row.ended_at_ms = SystemMs();
}

inline std::string WriteIdentity(const Tree::IdentityRow& row) {
  return Write({{"holder", row.token},
                {"name", row.name},
                {"used_until_ms", std::max<std::int64_t>(row.used_until_ms, 0)},
                {"banned", row.banned}});
}

inline std::string Step(const Identity& identity) {
  return std::to_string(identity.datacenter) + '.' + std::to_string(identity.machine) + '.' +
         std::to_string(identity.shard);
}

inline bool ReadStep(const std::string& step, Identity& identity) {
  const char* at = step.data();
  const char* const end = at + step.size();
  for (std::int32_t* field : {&identity.datacenter, &identity.machine, &identity.shard}) {
    if (field != &identity.datacenter && (at == end || *at++ != '.')) return false;
    const auto [rest, wrong] = std::from_chars(at, end, *field);
    if (wrong != std::errc{}) return false;
    at = rest;
  }
  return at == end && Step(identity) == step;  // one spelling only
}

template <std::size_t kSize>
void Copy(char (&to)[kSize], const std::string& from) {
  std::snprintf(to, kSize, "%s", from.c_str());
}

}  // namespace idgen::registry

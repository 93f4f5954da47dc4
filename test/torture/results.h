// Reads what the server sends to a session (client.cpp).
#pragma once

#include <libpq-fe.h>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <regex>
#include <string>
#include <vector>

namespace {

constexpr Oid kInt8 = 20;
constexpr Oid kInt8Array = 1016;
constexpr Oid kUuidArray = 2951;
constexpr std::int64_t kPostgresEpochUs = 946684800000000;

// Returns the SQLSTATE of a refused connection: its message has no field for it.
const char* StateOfRefusal(const std::string& message, bool wrong_setting) {
  const auto says = [&](const char* text) { return message.find(text) != std::string::npos; };
  if (says("permission denied to set")) return "42501";
  const bool invalid = says("nvalid value for parameter") ||
                       says("nvalid configuration parameter") || says("outside the valid range");
  return invalid && wrong_setting ? "F0000" : "08001";
}

const char* StateOf(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state != nullptr ? state : "08006";
}

// PostgreSQL does not lock functions. If a function is dropped after a statement's names were
// looked up and before the plan is kept, the plan contains the dropped function. That is an
// internal error; a prepared statement fails with it at each use, until something else makes all
// plans be built again. It can happen with any function, and idgen cannot prevent it.
bool IsStalePlan(const PGresult* result) {
  static const std::regex message("cache lookup failed for function [0-9]+");
  const char* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return text != nullptr && strcmp(StateOf(result), "XX000") == 0 &&
         std::regex_match(text, message);
}

std::int64_t Integer(const char* bytes, int size) {
  std::uint64_t value = 0;
  for (int i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return static_cast<std::int64_t>(value);
}

// What an operation returns.
enum class Form { kBigint, kUuidV7, kUuidV8, kUlid, kId128, kGregorian };

// Returns the position in an ID of 128 bits: its microsecond, and below that its number in it. Of
// the fraction of versions 7 and 8, the microsecond is the smallest that has it. What is no such ID
// becomes -1, which is no ID.
std::int64_t Position(const char* bytes, Form form) {
  const auto high = static_cast<std::uint64_t>(Integer(bytes, 8));
  const auto low = static_cast<std::uint64_t>(Integer(bytes + 8, 8));
  const std::uint64_t version = high >> 12 & 15;
  const bool is_rfc = low >> 62 == 2;
  std::uint64_t us = (high >> 16) * 1000;
  if (form == Form::kId128) {
    const bool is_such = high % 1000 == 0 && (low & 0xffff) < 2048;
    return is_such ? static_cast<std::int64_t>(high / 1000 << 11 | (low & 0xffff)) : -1;
  }
  if (form == Form::kUuidV7 || form == Form::kUuidV8) {
    if (!is_rfc || version != (form == Form::kUuidV7 ? 7 : 8)) return -1;
    us += ((high & 0xfff) * 1000 + 4095) / 4096;
    return static_cast<std::int64_t>(us << 11 | (low >> 51 & 0x7ff));
  }
  if (form == Form::kUlid) {
    us += high >> 5 & 0x7ff;
    return static_cast<std::int64_t>(us << 11 | (high & 31) << 6 | low >> 58);
  }
  if (!is_rfc || (version != 1 && version != 6)) return -1;
  const std::uint64_t time = version == 6
                                 ? high >> 16 << 12 | (high & 0xfff)
                                 : (high & 0xfff) << 48 | (high >> 16 & 0xffff) << 32 | high >> 32;
  const std::uint64_t since = time - 122192928000000000;
  if (since % 10 > 7) return -1;
  return static_cast<std::int64_t>(since / 10 << 3 | since % 10);
}

// Returns who made the ID: datacenter << 16 | machine.
std::int32_t NodeOf(const char* bytes, Form form) {
  const auto low = static_cast<std::uint64_t>(Integer(bytes + 8, 8));
  return static_cast<std::int32_t>(
      form == Form::kId128 ? std::min<std::uint64_t>(low >> 16, 1 << 24) : low >> 27 & 0xffffff);
}

// Adds the IDs of a result, and of those that show a node also the nodes.
void AddIds(const PGresult* result, int row, int column, Form form, std::vector<std::int64_t>& ids,
            std::vector<std::int32_t>& nodes) {
  const char* value = PQgetvalue(result, row, column);
  const Oid type = PQftype(result, column);
  if (type == kInt8) ids.push_back(Integer(value, 8));
  if ((type != kInt8Array && type != kUuidArray) || Integer(value, 4) == 0) return;
  // A binary array: dimensions, flags, type, size, lower bound; then each element with its length.
  const std::int64_t count = Integer(value + 12, 4);
  const std::int64_t size = type == kInt8Array ? 8 : 16;
  for (std::int64_t i = 0; i < count; ++i) {
    const char* const element = value + 24 + i * (4 + size);
    ids.push_back(form == Form::kBigint ? Integer(element, 8) : Position(element, form));
    const bool has_node = form == Form::kUuidV8 || form == Form::kId128;
    if (has_node) nodes.push_back(NodeOf(element, form));
  }
}

}  // namespace

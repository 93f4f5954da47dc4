// Reads what the server sends to a session (client.cpp).
#pragma once

#include <libpq-fe.h>
#include <cstdint>
#include <cstring>
#include <regex>
#include <string>
#include <vector>

namespace {

constexpr Oid kInt8 = 20;
constexpr Oid kInt8Array = 1016;
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

void AddIds(const PGresult* result, int row, int column, std::vector<std::int64_t>& ids) {
  const char* value = PQgetvalue(result, row, column);
  if (PQftype(result, column) == kInt8) ids.push_back(Integer(value, 8));
  if (PQftype(result, column) != kInt8Array || Integer(value, 4) == 0) return;
  // A binary array: dimensions, flags, type, size, lower bound; then each element with its length.
  const std::int64_t count = Integer(value + 12, 4);
  for (std::int64_t i = 0; i < count; ++i) ids.push_back(Integer(value + 24 + i * 12, 8));
}

}  // namespace

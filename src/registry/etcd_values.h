// The texts of etcd's JSON gateway: keys and values are base64.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>

#include <nlohmann/json.hpp>

namespace idgen::registry {

using Json = nlohmann::json;

inline constexpr char kBase64Digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

inline std::string ToBase64(const std::string& bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      group = group << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0U);
    }
    for (unsigned j = 0; j < 4; ++j) {
      text += i + j > bytes.size() ? '=' : kBase64Digits[group >> (18 - 6 * j) & 63];
    }
  }
  return text;
}

inline bool FromBase64(const std::string& text, std::string& bytes) {
  bytes.clear();
  unsigned group = 0, bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    const char* const digit = std::strchr(kBase64Digits, c);
    if (digit == nullptr || c == '\0') return false;
    group = (group << 6 | static_cast<unsigned>(digit - kBase64Digits)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(group >> bits & 0xff);
    }
  }
  return true;
}

// The gateway writes 64-bit numbers as strings, and leaves out what is 0, false or empty.
inline bool GetNumber(const Json& object, const char* name, std::int64_t& number) {
  number = 0;
  const auto it = object.find(name);
  if (it == object.end()) return true;
  if (it->is_number_integer()) {
    number = it->get<std::int64_t>();
    return true;
  }
  if (!it->is_string()) return false;
  const auto& text = it->get_ref<const std::string&>();
  const char* const end = text.data() + text.size();
  const auto [rest, wrong] = std::from_chars(text.data(), end, number);
  return wrong == std::errc{} && rest == end;
}

inline bool GetBytes(const Json& object, const char* name, std::string& bytes) {
  bytes.clear();
  const auto it = object.find(name);
  if (it == object.end()) return true;
  return it->is_string() && FromBase64(it->get_ref<const std::string&>(), bytes);
}

inline const Json* Find(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(name);
  return it == object.end() ? nullptr : &*it;
}

}  // namespace idgen::registry

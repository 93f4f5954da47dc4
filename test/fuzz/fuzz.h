// What the fuzzers share: reading an input, and ending when something is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace idgen::fuzz {

// Ends the fuzzer, which then shows the input.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// An input from its beginning to its end; zeros follow.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : bytes_(reinterpret_cast<const char*>(data), size) {}

  std::uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }

  std::uint64_t Number() {
    std::uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = number << 8 | Byte();
    return number;
  }

  // Of a few bits or of many, and near the largest as well as near 0.
  std::uint64_t AnyNumber() {
    const std::uint8_t how = Byte();
    const std::uint64_t number = Number() >> (how & 63U);
    return (how & 64U) != 0 ? ~number : number;
  }

  // Up to the first zero byte, which is left out.
  std::string_view Text() {
    const std::string_view text = bytes_.substr(0, bytes_.find('\0'));
    bytes_.remove_prefix(text.size() < bytes_.size() ? text.size() + 1 : text.size());
    return text;
  }

  [[nodiscard]] std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace idgen::fuzz

#include "description.h"

#include <array>
#include <chrono>

namespace idgen {

namespace {

// The units of a tick, longest first.
struct TickUnit {
  std::string_view name;
  std::int64_t us;
};
constexpr std::array<TickUnit, 5> kTickUnits = {
    {{"h", 3'600'000'000}, {"min", 60'000'000}, {"s", 1'000'000}, {"ms", 1000}, {"us", 1}}};

// Reads and removes what is at the front of a text.
class TextReader {
 public:
  constexpr explicit TextReader(std::string_view input) noexcept : rest_(input) { SkipSpace(); }

  [[nodiscard]] constexpr bool IsAtEnd() const noexcept { return rest_.empty(); }

  // Takes one character, or a word, in any case.
  constexpr bool Take(char wanted) noexcept {
    if (rest_.empty() || ToAsciiLower(rest_.front()) != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  constexpr bool Take(std::string_view wanted) noexcept {
    if (rest_.size() < wanted.size()) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (ToAsciiLower(rest_[i]) != wanted[i]) return false;
    }
    rest_.remove_prefix(wanted.size());
    return true;
  }
  constexpr void SkipSpace() noexcept {
    while (!rest_.empty() && IsAsciiSpace(rest_.front())) rest_.remove_prefix(1);
  }

  // Takes a decimal number of `least` to `most` digits, times `sign`. Returns false also if it does
  // not fit an int64.
  constexpr bool TakeNumber(std::size_t least, std::size_t most, std::int64_t& number,
                            int sign = 1) noexcept {
    std::size_t digits = 0;
    number = 0;
    while (digits < most && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      if (__builtin_mul_overflow(number, 10, &number) ||
          __builtin_add_overflow(number, sign * (rest_.front() - '0'), &number)) {
        return false;
      }
      rest_.remove_prefix(1);
      ++digits;
    }
    return digits >= least;
  }

 private:
  std::string_view rest_;
};

}  // namespace

bool ParseTick(std::string_view input, std::int64_t& tick_us) noexcept {
  TextReader reader(input);
  std::int64_t number = 0;
  if (!reader.TakeNumber(1, 19, number)) return false;
  reader.SkipSpace();
  for (const TickUnit& unit : kTickUnits) {
    TextReader after = reader;
    if (!after.Take(unit.name)) continue;
    after.SkipSpace();
    // "m" begins two of the units.
    if (after.IsAtEnd()) return !__builtin_mul_overflow(number, unit.us, &tick_us);
  }
  return false;
}

bool ParseInstant(std::string_view input, std::int64_t& time_us) noexcept {
  constexpr std::int64_t kSecondUs = 1'000'000;
  TextReader number(input);
  const bool is_negative = number.Take('-');
  std::int64_t us = 0;
  if (number.TakeNumber(1, 19, us, is_negative ? -1 : 1)) {
    number.SkipSpace();
    if (number.Take("us")) {
      number.SkipSpace();
      time_us = us;
      return number.IsAtEnd();
    }
  }

  TextReader reader(input);
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
  if (!reader.TakeNumber(4, 4, year) || !reader.Take('-') || !reader.TakeNumber(2, 2, month) ||
      !reader.Take('-') || !reader.TakeNumber(2, 2, day)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1) return false;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t fraction = 0;
  TextReader with_time = reader;
  const bool has_space = !with_time.Take('t');
  if (has_space) with_time.SkipSpace();
  if (with_time.TakeNumber(2, 2, hour)) {
    reader = with_time;
    if (!reader.Take(':') || !reader.TakeNumber(2, 2, minute)) return false;
    if (reader.Take(':')) {
      if (!reader.TakeNumber(2, 2, second)) return false;
      if (reader.Take('.')) {
        std::int64_t scale = kSecondUs;
        std::int64_t digit = 0;
        while (scale > 1 && reader.TakeNumber(1, 1, digit)) {
          scale /= 10;
          fraction += digit * scale;
        }
        if (scale == kSecondUs) return false;
      }
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  reader.SkipSpace();
  if (!reader.Take('z')) return false;
  reader.SkipSpace();
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  time_us = (((days * 24 + hour) * 60 + minute) * 60 + second) * kSecondUs + fraction;
  return reader.IsAtEnd();
}

ParsedDescription ParseDescription(std::string_view input) noexcept {
  ParsedDescription parsed;
  const auto fail = [&parsed](DescriptionError error, std::size_t at, std::size_t length) {
    parsed.error = error;
    parsed.at = at;
    parsed.length = length;
    return parsed;
  };
  // Commas divide the text: fields, ticks and epochs never contain one.
  bool has_tick = false;
  bool has_epoch = false;
  std::size_t fields_end = input.size();
  for (std::size_t begin = 0; begin <= input.size();) {
    std::size_t end = begin;
    while (end < input.size() && input[end] != ',') ++end;
    std::size_t first = begin;
    while (first < end && IsAsciiSpace(input[first])) ++first;
    std::size_t last = end;
    while (last > first && IsAsciiSpace(input[last - 1])) --last;
    const std::string_view item(input.data() + first, last - first);

    TextReader reader(item);
    const bool is_tick = reader.Take("tick");
    const bool is_epoch = !is_tick && reader.Take("epoch");
    // Reject a longer word that begins like this.
    const std::size_t word = is_tick ? 4 : 5;
    const bool is_word = (is_tick || is_epoch) &&
                         (item.size() == word || item[word] == ':' || IsAsciiSpace(item[word]));
    if (!is_word) {
      if (has_tick || has_epoch) {
        return fail(DescriptionError::kUnexpected, first, item.size());
      }
    } else {
      if (!has_tick && !has_epoch) fields_end = begin == 0 ? 0 : begin - 1;
      if (is_tick ? has_tick : has_epoch) {
        return fail(DescriptionError::kRepeated, first, word);
      }
      (is_tick ? has_tick : has_epoch) = true;
      reader.SkipSpace();
      if (!reader.Take(':')) return fail(DescriptionError::kNoColon, first, item.size());
      std::size_t value = first + word;
      while (input[value] != ':') ++value;
      for (++value; value < last && IsAsciiSpace(input[value]);) ++value;
      const std::string_view written(input.data() + value, last - value);
      const bool good =
          is_tick ? ParseTick(written, parsed.tick_us) : ParseInstant(written, parsed.epoch_us);
      if (!good) {
        return fail(is_tick ? DescriptionError::kBadTick : DescriptionError::kBadEpoch, value,
                    written.size());
      }
    }
    begin = end + 1;
  }
  parsed.fields = ParseFields({input.data(), fields_end});
  if (parsed.fields.error != FieldsError::kNone) {
    return fail(DescriptionError::kFields, parsed.fields.at, parsed.fields.length);
  }
  if (!has_epoch) return fail(DescriptionError::kNoEpoch, input.size(), 0);
  return parsed;
}

namespace {

// Appends to a text of a length that is known to be enough.
class TextWriter {
 public:
  constexpr explicit TextWriter(char* out) noexcept : out_(out) {}

  constexpr void Put(std::string_view word) noexcept {
    for (const char c : word) out_[length_++] = c;
  }
  // Writes leading zeros up to `width`.
  constexpr void PutNumber(std::uint64_t number, int width) noexcept {
    char digits[20] = {};
    int count = 0;
    for (; number > 0 || count < width; number /= 10) {
      digits[count++] = static_cast<char>('0' + number % 10);
    }
    while (count > 0) out_[length_++] = digits[--count];
  }
  constexpr void DropZeros() noexcept {
    while (out_[length_ - 1] == '0') --length_;
  }
  [[nodiscard]] constexpr std::size_t length() const noexcept { return length_; }

 private:
  char* out_;
  std::size_t length_ = 0;
};

}  // namespace

std::size_t WriteInstant(std::int64_t time_us, char* out) noexcept {
  TextWriter writer(out);
  constexpr std::int64_t kDayUs = 86'400'000'000;
  std::int64_t days = time_us / kDayUs;
  auto rest_us = static_cast<std::uint64_t>(time_us % kDayUs + kDayUs) % kDayUs;
  if (time_us % kDayUs < 0) --days;
  constexpr auto kFirst = std::chrono::sys_days(std::chrono::year(1) / 1 / 1);
  constexpr auto kLast = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);
  if (days < kFirst.time_since_epoch().count() || days > kLast.time_since_epoch().count()) {
    if (time_us < 0) writer.Put("-");
    const auto us = static_cast<std::uint64_t>(time_us);
    writer.PutNumber(time_us < 0 ? ~us + 1 : us, 1);
    writer.Put("us");
    return writer.length();
  }
  const std::chrono::year_month_day date(
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days))));
  writer.PutNumber(static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  writer.Put("-");
  writer.PutNumber(static_cast<unsigned>(date.month()), 2);
  writer.Put("-");
  writer.PutNumber(static_cast<unsigned>(date.day()), 2);
  if (rest_us != 0) {
    const std::uint64_t seconds = rest_us / 1'000'000;
    writer.Put("T");
    writer.PutNumber(seconds / 3600, 2);
    writer.Put(":");
    writer.PutNumber(seconds / 60 % 60, 2);
    writer.Put(":");
    writer.PutNumber(seconds % 60, 2);
    if (rest_us % 1'000'000 != 0) {
      writer.Put(".");
      writer.PutNumber(rest_us % 1'000'000, 6);
      writer.DropZeros();
    }
  }
  writer.Put("Z");
  return writer.length();
}

std::size_t WriteDescription(const Layout& layout, char* out) noexcept {
  const std::size_t fields = WriteFields(layout, out);
  TextWriter writer(out + fields);
  writer.Put(", tick:");
  for (const TickUnit& unit : kTickUnits) {
    if (layout.tick_us % unit.us != 0) continue;
    writer.PutNumber(static_cast<std::uint64_t>(layout.tick_us / unit.us), 1);
    writer.Put(unit.name);
    break;
  }
  writer.Put(", epoch:");
  const std::size_t length = fields + writer.length();
  return length + WriteInstant(layout.epoch_us, out + length);
}

}  // namespace idgen

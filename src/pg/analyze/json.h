// Writes JSON text, which PostgreSQL reads as jsonb.
#pragma once

#include "pg.h"

#include "convert.h"

namespace idgen::pg {

// As MAXDATELEN, whose header has macros of all too common names.
inline constexpr std::size_t kLongestTime = 128 + 1;

// Writes JSON. A comma stands before every value but the first of its object or array.
class Json {
 public:
  Json() { initStringInfo(&text_); }

  void Begin(char bracket) {
    appendStringInfoChar(&text_, bracket);
    is_first_ = true;
  }
  void End(char bracket) {
    appendStringInfoChar(&text_, bracket);
    is_first_ = false;
  }
  void Comma() {
    if (!is_first_) appendStringInfoChar(&text_, ',');
    is_first_ = false;
  }
  void Key(const char* key) {
    Comma();
    appendStringInfo(&text_, "\"%s\":", key);
  }
  void Number(const char* key, int64 number) {
    Key(key);
    appendStringInfo(&text_, "%lld", static_cast<long long>(number));
  }
  void Real(const char* key, double number) {
    Key(key);
    appendStringInfo(&text_, "%.3f", number);
  }
  void Text(const char* key, const char* text) {
    Key(key);
    if (text == nullptr) {
      appendStringInfoString(&text_, "null");
    } else {
      escape_json(&text_, text);
    }
  }
  // Beyond PostgreSQL's range: null.
  void Time(const char* key, int64 time_us) {
    TimestampTz time = 0;
    Key(key);
    if (!ToTimestamp(time_us, time)) {
      appendStringInfoString(&text_, "null");
      return;
    }
    char buffer[kLongestTime];
    JsonEncodeDateTime(buffer, TimestampTzGetDatum(time), TIMESTAMPTZOID, nullptr);
    appendStringInfo(&text_, "\"%s\"", buffer);
  }
  [[nodiscard]] Datum Value() const {
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(text_.data));
  }
  [[nodiscard]] StringInfo text() { return &text_; }

 private:
  StringInfoData text_;
  bool is_first_ = true;
};

}  // namespace idgen::pg

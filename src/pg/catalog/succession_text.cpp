#include "succession_text.h"

#include <algorithm>
#include <string_view>

#include "core/description.h"
#include "core/fields.h"
#include "definition.h"
#include "errors.h"

namespace idgen::pg {

namespace {

constexpr int kCode = ERRCODE_INVALID_PARAMETER_VALUE;
constexpr int kMostQuoted = 40;  // bytes of a word quoted in an error
constexpr char kExample[] = "Write a succession like this: snowflake until 2027-01-01Z, then wide.";

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsAsciiSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsAsciiSpace(text.back())) text.remove_suffix(1);
  return text;
}

// Not substr(), which would need the C++ library for its exception.
std::string_view Head(std::string_view text, std::size_t length) { return {text.data(), length}; }

// Whether a word, in any case, and a space stand at a place of a text.
bool IsWordAt(std::string_view text, std::size_t at, std::string_view word) {
  return at + word.size() < text.size() && IsAsciiSpace(text[at + word.size()]) &&
         std::equal(word.begin(), word.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, char b) { return a == ToAsciiLower(b); });
}

// Finds a word between spaces. Returns text.size() if it is not there.
std::size_t FindWord(std::string_view text, std::string_view word) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (IsAsciiSpace(text[at - 1]) && IsWordAt(text, at, word)) return at;
  }
  return text.size();
}

const char* Copied(std::string_view text) { return pnstrdup(text.data(), text.size()); }

Complaint Expected(const char* what, std::string_view found) {
  return {.code = kCode,
          .message =
              psprintf("expected %s, found %s", what,
                       found.empty() ? "the end" : psprintf("\"%s\"", Excerpt(found, kMostQuoted))),
          .hint = kExample};
}

Complaint ReadOne(std::string_view text, LayoutReader read, Succession& one) {
  if (text.empty()) return Expected("a layout", text);
  Complaint complaint = read(Copied(text), one);
  // It would point into a part of the text.
  complaint.text = nullptr;
  complaint.position = 0;
  if (complaint || one.count == 1) return complaint;
  return {
      .code = kCode,
      .message = psprintf("\"%s\" is itself a succession of layouts", Excerpt(text, kMostQuoted)),
      .hint = "Write its layouts one by one."};
}

// How fast IDs of a layout grow: one reason why they fall behind.
double IdsPerSecond(const Layout& layout) {
  return static_cast<double>(std::uint64_t{1} << layout[FieldKind::kTimestamp].shift) * 1e6 /
         static_cast<double>(layout.tick_us);
}

const char* WhyNever(const Layout& from, const Layout& to) {
  if (IdsPerSecond(to) < IdsPerSecond(from)) {
    return psprintf(
        "It is never possible: IDs of layout \"%s\" grow by %.0f a second, those of "
        "layout \"%s\" by %.0f, so they stay behind. Use more bits below the timestamp, "
        "a shorter tick, or an earlier epoch.",
        NameOf(to), IdsPerSecond(to), NameOf(from), IdsPerSecond(from));
  }
  if (to.epoch_us > from.epoch_us && IdsPerSecond(to) == IdsPerSecond(from)) {
    return "It is never possible: with a later epoch the same time is a smaller number, so the new "
           "IDs would repeat old ones. Keep the epoch, or use an earlier one.";
  }
  return psprintf("It is never possible: layout \"%s\" ends before its IDs are greater.",
                  NameOf(to));
}

}  // namespace

char* SuccessionText(const Succession& succession) {
  if (succession.count == 1) return LayoutText(succession.last());
  StringInfoData text;
  initStringInfo(&text);
  for (std::size_t i = 0; i < succession.count; ++i) {
    const Stage& stage = succession.stages[i];
    appendStringInfo(&text, "%s%s", i > 0 ? ", then " : "", LayoutText(stage.layout));
    if (i + 1 == succession.count) break;
    char instant[kLongestInstant];
    const std::size_t length = WriteInstant(stage.until_us, instant);
    appendStringInfo(&text, " until %.*s", static_cast<int>(length), instant);
  }
  return text.data;
}

bool IsSuccessionText(std::string_view text) { return FindWord(text, "until") != text.size(); }

Complaint ReadStages(const char* text, LayoutReader read, Succession& succession) {
  std::string_view rest = text;
  if (!IsSuccessionText(rest)) return read(text, succession);
  constexpr std::string_view kThen = "then";
  std::int64_t since_us = 0;
  for (bool is_first = true;; is_first = false) {
    const std::size_t until = FindWord(rest, "until");
    Succession one;
    Complaint complaint = ReadOne(Trimmed(Head(rest, until)), read, one);
    if (complaint) return complaint;
    if (is_first) {
      succession = one;
    } else {
      complaint = ComplaintOfChange(succession, one.last(), since_us);
      if (complaint) return complaint;
      succession.Append(one.last(), since_us);
    }
    if (until == rest.size()) return {};
    rest.remove_prefix(until + std::string_view("until").size());
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view instant = Trimmed(Head(rest, comma));
    if (!ParseInstant(instant, since_us))
      return Expected("an instant in UTC after \"until\"", instant);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    rest = Trimmed(rest);
    if (!IsWordAt(rest, 0, kThen)) return Expected("\"then\" and a layout", rest);
    rest.remove_prefix(kThen.size());
  }
}

std::int64_t EarliestChange(const Succession& from, const Layout& to, std::int64_t least_us) {
  if (from.count > 1) least_us = std::max(least_us, from.SinceOf(from.count - 1) + 1);
  return EarliestChange(from.last(), to, least_us);
}

Complaint ComplaintOfChange(const Succession& from, const Layout& to, std::int64_t at_us) {
  const Change change = from.Check(to, at_us);
  const char* const at = InstantText(at_us);
  switch (change.flaw) {
    case ChangeFlaw::kNone:
      return {};
    case ChangeFlaw::kTooMany:
      return {.code = ERRCODE_PROGRAM_LIMIT_EXCEEDED,
              .message = psprintf("a succession has at most %d layouts",
                                  static_cast<int>(Succession::kMostStages))};
    case ChangeFlaw::kNotLater:
      return {
          .code = kCode,
          .message = psprintf("a change of the layout at %s is not after the one before it", at),
          .detail = psprintf("That is at %s.", InstantText(from.SinceOf(from.count - 1)))};
    case ChangeFlaw::kNoTime:
      return {
          .code = kCode,
          .message = psprintf("layout \"%s\" has no IDs from %s on", NameOf(to), at),
          .detail = psprintf("Its last ID is of %s.", InstantText(to.StartOfTick(to.MaxTick())))};
    case ChangeFlaw::kNotGreater: {
      const std::int64_t earliest_us = EarliestChange(from, to, at_us);
      return {.code = kCode,
              .message = psprintf("IDs of layout \"%s\" from %s on are not greater than all IDs "
                                  "before",
                                  NameOf(to), at),
              .detail = psprintf("The smallest of them is %llu, and IDs up to %llu may exist.",
                                 static_cast<unsigned long long>(change.from),
                                 static_cast<unsigned long long>(change.before - 1)),
              .hint = earliest_us != kNever
                          ? psprintf("It is possible from %s on.", InstantText(earliest_us))
                          : WhyNever(from.last(), to)};
    }
  }
  pg_unreachable();
}

}  // namespace idgen::pg

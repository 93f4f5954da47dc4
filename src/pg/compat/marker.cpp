#include "marker.h"

#include <string_view>

#include "segment_page.h"

namespace idgen::pg {

namespace {

constexpr std::string_view kBlanks = " \t";

void SkipBlanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
}

// Takes the next word off.
std::string_view NextWord(std::string_view& text) {
  SkipBlanks(text);
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

// Takes a name off: a word, or anything in double quotes. Returns false if it is none.
bool NextName(std::string_view& text, char (&name)[NAMEDATALEN], bool& is_quoted) {
  SkipBlanks(text);
  std::size_t length = 0;
  const auto add = [&](char c) {
    if (length + 1 < sizeof(name)) name[length] = c;
    ++length;
  };
  is_quoted = !text.empty() && text.front() == '"';
  if (is_quoted) {
    for (text.remove_prefix(1);; text.remove_prefix(1)) {
      if (text.empty()) return false;
      if (text.front() == '"') {
        text.remove_prefix(1);
        if (text.empty() || text.front() != '"') break;
      }
      add(text.front());
    }
    if (!text.empty() && kBlanks.find(text.front()) == std::string_view::npos) return false;
  } else {
    for (const char c : NextWord(text)) {
      if (c == '"') return false;
      add(c);
    }
  }
  return length > 0 && length < sizeof(name);
}

// Takes off what every marker begins with, however it is written.
bool TakeBeginning(std::string_view& text) {
  constexpr std::string_view kBeginning = "idgen";
  while (!text.empty() && isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  if (text.size() < kBeginning.size() ||
      pg_strncasecmp(text.data(), kBeginning.data(), kBeginning.size()) != 0) {
    return false;
  }
  text.remove_prefix(kBeginning.size());
  SkipBlanks(text);
  if (text.empty() || text.front() != ':') return false;
  text.remove_prefix(1);
  return true;
}

// Reads what is behind the beginning.
bool ReadMarker(std::string_view text, Marker& marker) {
  text = text.substr(0, text.find_first_of("\r\n"));
  bool is_quoted = false;
  if (!NextName(text, marker.generator, is_quoted)) return false;
  const std::string_view end = NextWord(text);
  SkipBlanks(text);
  if (!text.empty()) return false;
  marker.source = !is_quoted && std::string_view(marker.generator) == "tickets"
                      ? Marker::Source::kTickets
                      : Marker::Source::kGenerator;
  if (end.empty()) return true;
  if (marker.source == Marker::Source::kTickets) return false;
  marker.end = end == "first" ? Marker::End::kFirst : Marker::End::kLast;
  return end == "first" || end == "last";
}

}  // namespace

Marker MarkerOf(Oid sequence) {
  Marker marker{};
  HeapTuple tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(sequence));
  if (!HeapTupleIsValid(tuple)) return marker;
  const auto& options = *reinterpret_cast<Form_pg_sequence>(GETSTRUCT(tuple));
  marker.increment = options.seqincrement;
  const bool is_fed = IsFed(options);
  ReleaseSysCache(tuple);

  char* const comment = GetComment(sequence, RelationRelationId, 0);
  std::string_view text = comment == nullptr ? "" : comment;
  if (TakeBeginning(text) && !ReadMarker(text, marker)) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("the comment of sequence \"%s\" does not say where its numbers come from",
                    get_rel_name(sequence)),
             errdetail("It is: %s", comment),
             errhint("Write 'idgen: GENERATOR', 'idgen: GENERATOR first', 'idgen: GENERATOR "
                     "last' or 'idgen: tickets'.")));
  }
  if (is_fed && marker.source == Marker::Source::kGenerator) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("sequence \"%s\" takes its numbers from a ticket server",
                           get_rel_name(sequence)),
                    errdetail("Its comment names generator \"%s\".", marker.generator),
                    errhint("Use another sequence for the generator.")));
  }
  if (is_fed) marker.source = Marker::Source::kTickets;
  if (comment != nullptr) pfree(comment);
  return marker;
}

}  // namespace idgen::pg

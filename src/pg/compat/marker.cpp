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

// Returns 0 if the word is no size.
std::int64_t SizeOf(std::string_view word) {
  constexpr std::size_t kMostDigits = 6;
  if (word.empty() || word.size() > kMostDigits || word.front() == '0') return 0;
  std::int64_t size = 0;
  for (const char c : word) {
    if (c < '0' || c > '9') return 0;
    size = 10 * size + (c - '0');
  }
  return size;
}

// Reads what is behind the beginning.
bool ReadMarker(std::string_view text, std::int64_t increment, Marker& marker) {
  text = text.substr(0, text.find_first_of("\r\n"));
  bool is_quoted = false;
  if (!NextName(text, marker.generator, is_quoted)) return false;
  const bool is_tickets = !is_quoted && std::string_view(marker.generator) == "tickets";
  marker.source = is_tickets ? Marker::Source::kTickets : Marker::Source::kGenerator;
  std::string_view word = NextWord(text);
  const std::int64_t size = SizeOf(word);
  if (size > 0) word = NextWord(text);
  SkipBlanks(text);
  if (!text.empty() || (size > 0 && increment != 1)) return false;
  marker.block = size > 0 ? size : is_tickets ? 1 : increment;
  if (word.empty()) return true;
  if (is_tickets && size == 0) return false;
  marker.end = word == "first" ? Marker::End::kFirst : Marker::End::kLast;
  return word == "first" || word == "last";
}

// What a marker was read from. Two snapshots of one backend with these numbers show the same: a
// transaction or savepoint that ends counts as soon as it has written anything, whosever it is (as
// in GetSnapshotDataReuse()), and what the own one has written counts from the next command on.
struct Origin {
  Oid sequence = InvalidOid;
  std::int64_t increment = 0;
  bool is_fed = false;
  std::uint64_t completions = 0;
  CommandId command = InvalidCommandId;

  friend bool operator==(const Origin&, const Origin&) = default;
};

Marker ReadComment(const Origin& origin) {
  Marker marker{};
  if (origin.is_fed) {
    marker.source = Marker::Source::kTickets;
    marker.block = 1;
  }
  char* const comment = GetComment(origin.sequence, RelationRelationId, 0);
  std::string_view text = comment == nullptr ? "" : comment;
  if (TakeBeginning(text) && !ReadMarker(text, origin.increment, marker)) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("the comment of sequence \"%s\" does not say where its numbers come from",
                    get_rel_name(origin.sequence)),
             errdetail("Its increment is %lld, and its comment: %s",
                       static_cast<long long>(origin.increment), comment),
             errhint("Write 'idgen: GENERATOR' or 'idgen: tickets'; then, only if the increment "
                     "is 1, the size of a block; then, only for blocks, first or last.")));
  }
  if (origin.is_fed && marker.source == Marker::Source::kGenerator) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("sequence \"%s\" takes its numbers from a ticket server",
                           get_rel_name(origin.sequence)),
                    errdetail("Its comment names generator \"%s\".", marker.generator),
                    errhint("Use another sequence for the generator.")));
  }
  if (comment != nullptr) pfree(comment);
  return marker;
}

}  // namespace

Marker MarkerOf(Oid sequence) {
  static constinit Origin known_origin;
  static constinit Marker known{};

  HeapTuple tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(sequence));
  if (!HeapTupleIsValid(tuple)) return {};
  const auto& options = *reinterpret_cast<Form_pg_sequence>(GETSTRUCT(tuple));
  Origin origin{.sequence = sequence, .increment = options.seqincrement, .is_fed = IsFed(options)};
  ReleaseSysCache(tuple);
  // As a lock on the catalog would: then the snapshot has what others have committed.
  AcceptInvalidationMessages();
  const SnapshotData& snapshot = *GetCatalogSnapshot(DescriptionRelationId);
  origin.completions = snapshot.snapXactCompletionCount;
  origin.command = snapshot.curcid;
  if (origin == known_origin) return known;
  const Marker marker = ReadComment(origin);
  known = marker;
  known_origin = origin;
  return marker;
}

}  // namespace idgen::pg

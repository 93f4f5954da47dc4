// The SQL functions that write IDs in other alphabets and read them again: bigint and uuid, with
// and without a prefix, and ULIDs.
#include "pg.h"

#include <algorithm>
#include <array>

#include "callsite.h"
#include "core/prefix.h"
#include "core/text.h"
#include "core/text128.h"
#include "errors.h"
#include "text_errors.h"
#include "uuid.h"

namespace idgen::pg {

namespace {

const TextFormat& FormatByName(std::string_view name) {
  const TextFormat* format = FindTextFormat(name);
  if (format != nullptr) return *format;
  std::array<std::string_view, kTextFormats.size()> names;
  std::transform(kTextFormats.begin(), kTextFormats.end(), names.begin(),
                 [](const TextFormat& known) { return known.name; });
  const char* const nearest = NearestName(name, names);
  ereport(
      ERROR,
      (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown text form \"%s\"", Excerpt(name)),
       nearest != nullptr
           ? errhint("Perhaps you meant \"%s\".", nearest)
           : errhint("The forms are: base62, base32 (Crockford's), base58, hex, decimal.")));
  pg_unreachable();
}

const TextFormat& FormatOfArgument(FunctionCallInfo fcinfo) {
  return NamedByArgument<const TextFormat>(fcinfo, 1, FormatByName);
}

// --- The two widths ---------------------------------------------------------------------------

struct Bits64 {
  static constexpr std::size_t kWidest = kWidestText;

  static std::uint64_t Argument(FunctionCallInfo fcinfo) {
    const int64 id = PG_GETARG_INT64(0);
    if (id < 0) ReportNegativeId(id);
    return static_cast<std::uint64_t>(id);
  }
  static DecodedText Read(std::string_view text, const TextFormat& format) {
    return DecodeText(text, format);
  }
  static Datum Result(std::uint64_t id) { return Int64GetDatum(static_cast<int64>(id)); }

  static TextKind KindOf(const TextFormat& format) {
    return {.noun = psprintf("an ID in form %s", format.name.data()),
            .largest_noun = "ID",
            .largest = "An ID is at most 9223372036854775807.",
            .alphabet = format.alphabet,
            .width = format.width,
            .may_be_shorter = format.may_be_shorter};
  }
};

struct Bits128 {
  static constexpr std::size_t kWidest = kWidestText128;

  static Id128 Argument(FunctionCallInfo fcinfo) { return UuidArgument(fcinfo, 0); }
  static DecodedText128 Read(std::string_view text, const TextFormat& format) {
    return DecodeText128(text, format);
  }
  static Datum Result(const Id128& id) { return UuidDatum(id); }

  static TextKind KindOf(const TextFormat& format) {
    char largest[kWidestText128];
    const auto length = static_cast<int>(EncodeText(kLargestId128, format, largest));
    return {
        .noun = psprintf("an ID of 128 bits in form %s", format.name.data()),
        .largest_noun = "ID of 128 bits",
        .largest = psprintf("The largest in form %s is %.*s.", format.name.data(), length, largest),
        .alphabet = format.alphabet,
        .width = format.width128,
        .may_be_shorter = format.may_be_shorter};
  }
};

// --- Writing ----------------------------------------------------------------------------------

template <typename Bits>
Datum Encode(FunctionCallInfo fcinfo) {
  const auto id = Bits::Argument(fcinfo);
  const TextFormat& format = FormatOfArgument(fcinfo);
  char text[Bits::kWidest];
  const std::size_t length = EncodeText(id, format, text);
  return TextDatum({text, length});
}

template <typename Bits>
Datum EncodeWithPrefix(FunctionCallInfo fcinfo) {
  const auto id = Bits::Argument(fcinfo);
  const TextFormat& format = FormatOfArgument(fcinfo);
  char text[kLongestPrefix + 1 + Bits::kWidest];
  const std::size_t length = WritePrefix(PrefixArgument(fcinfo, 2), text);
  return TextDatum({text, length + EncodeText(id, format, text + length)});
}

// --- Reading ----------------------------------------------------------------------------------

enum class Prefixes { kNone, kArgument };
// What a text that is no ID becomes. A form or a prefix that does not exist is an error always.
enum class Otherwise { kError, kNull };

template <typename Bits, Prefixes kPrefixes, Otherwise kOtherwise>
Datum Decode(FunctionCallInfo fcinfo) {
  const TextFormat& format = FormatOfArgument(fcinfo);
  const std::string_view text = ShortTextArgument(fcinfo, 0);
  std::string_view id_text = text;
  if constexpr (kPrefixes == Prefixes::kArgument) {
    const std::string_view prefix = PrefixArgument(fcinfo, 2);
    const PrefixedText split = SplitPrefix(text);
    if (unlikely(!HasPrefix(split, prefix))) {
      if (kOtherwise == Otherwise::kNull) PG_RETURN_NULL();
      ReportOtherPrefix(text, prefix);
    }
    id_text = split.id;
  }
  const auto decoded = Bits::Read(id_text, format);
  if (likely(decoded.error == TextError::kNone)) return Bits::Result(decoded.id);
  if (kOtherwise == Otherwise::kNull) PG_RETURN_NULL();
  const bool may_have_prefix =
      kPrefixes == Prefixes::kNone && text.find('_') != std::string_view::npos;
  ReportText(
      Bits::KindOf(format), id_text, decoded.error, decoded.at,
      may_have_prefix ? "To read a text with a prefix, name the prefix in the call." : nullptr);
}

template <Otherwise kOtherwise>
Datum DecodeUlid(FunctionCallInfo fcinfo) {
  const TextFormat& format = TextFormatOf(TextForm::kBase32);
  const std::string_view text = ShortTextArgument(fcinfo, 0);
  const DecodedText128 decoded = DecodeText128(text, format);
  if (likely(decoded.error == TextError::kNone)) return UuidDatum(decoded.id);
  if (kOtherwise == Otherwise::kNull) PG_RETURN_NULL();
  ReportText({.noun = "a ULID",
              .largest_noun = "ULID",
              .largest = "The largest is 7ZZZZZZZZZZZZZZZZZZZZZZZZZ.",
              .alphabet = format.alphabet,
              .width = format.width128},
             text, decoded.error, decoded.at);
}

}  // namespace

extern "C" {

#define IDGEN_TEXT_FUNCTION(name, ...) \
  IDGEN_SQL_FUNCTION(name);            \
  Datum name(PG_FUNCTION_ARGS) { return __VA_ARGS__(fcinfo); }

IDGEN_TEXT_FUNCTION(idgen_encode, Encode<Bits64>)
IDGEN_TEXT_FUNCTION(idgen_encode_with_prefix, EncodeWithPrefix<Bits64>)
IDGEN_TEXT_FUNCTION(idgen_encode_uuid, Encode<Bits128>)
IDGEN_TEXT_FUNCTION(idgen_encode_uuid_with_prefix, EncodeWithPrefix<Bits128>)

IDGEN_TEXT_FUNCTION(idgen_decode, Decode<Bits64, Prefixes::kNone, Otherwise::kError>)
IDGEN_TEXT_FUNCTION(idgen_decode_with_prefix,
                    Decode<Bits64, Prefixes::kArgument, Otherwise::kError>)
IDGEN_TEXT_FUNCTION(idgen_decode_uuid, Decode<Bits128, Prefixes::kNone, Otherwise::kError>)
IDGEN_TEXT_FUNCTION(idgen_decode_uuid_with_prefix,
                    Decode<Bits128, Prefixes::kArgument, Otherwise::kError>)

IDGEN_TEXT_FUNCTION(idgen_try_decode, Decode<Bits64, Prefixes::kNone, Otherwise::kNull>)
IDGEN_TEXT_FUNCTION(idgen_try_decode_with_prefix,
                    Decode<Bits64, Prefixes::kArgument, Otherwise::kNull>)
IDGEN_TEXT_FUNCTION(idgen_try_decode_uuid, Decode<Bits128, Prefixes::kNone, Otherwise::kNull>)
IDGEN_TEXT_FUNCTION(idgen_try_decode_uuid_with_prefix,
                    Decode<Bits128, Prefixes::kArgument, Otherwise::kNull>)

IDGEN_TEXT_FUNCTION(idgen_ulid_decode, DecodeUlid<Otherwise::kError>)
IDGEN_TEXT_FUNCTION(idgen_ulid_try_decode, DecodeUlid<Otherwise::kNull>)

#undef IDGEN_TEXT_FUNCTION

IDGEN_SQL_FUNCTION(idgen_ulid_encode);

Datum idgen_ulid_encode(PG_FUNCTION_ARGS) {
  const TextFormat& format = TextFormatOf(TextForm::kBase32);
  char text[kWidestText128];
  const std::size_t length = EncodeText(UuidArgument(fcinfo, 0), format, text);
  return TextDatum({text, length});
}

}  // extern "C"

}  // namespace idgen::pg

// The SQL functions that write and read IDs in other alphabets.
#include "pg.h"

#include <algorithm>
#include <array>

#include "callsite.h"
#include "core/text.h"
#include "errors.h"

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

[[noreturn]] void ReportText(std::string_view text, const TextFormat& format,
                             const DecodedText& decoded) {
  const char* const form = format.name.data();
  const char* const shown = Excerpt(text);
  const int width = format.width;
  const char* const width_text = psprintf("An ID in form %s has %s%d characters.", form,
                                          format.may_be_shorter ? "1 to " : "", width);
  switch (decoded.error) {
    case TextError::kNone:
      break;
    case TextError::kEmpty:
      ereport(ERROR,
              (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
               errmsg("empty text is not an ID in form %s", form), errdetail("%s", width_text)));
      break;
    case TextError::kBadCharacter: {
      const char* const at = text.data() + decoded.at;
      const int length = std::min(pg_mblen(at), static_cast<int>(text.size() - decoded.at));
      ereport(ERROR,
              (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
               errmsg("invalid character \"%.*s\" in \"%s\"", length, at, shown),
               errdetail("The characters of form %s are %s.", form, format.alphabet.data())));
      break;
    }
    case TextError::kTooShort:
    case TextError::kTooLong:
      ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                      decoded.error == TextError::kTooShort
                          ? errmsg("\"%s\" is too short for an ID in form %s", shown, form)
                          : errmsg("\"%s\" is too long for an ID in form %s", shown, form),
                      errdetail("%s", width_text)));
      break;
    case TextError::kOverflow:
      ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                      errmsg("\"%s\" is beyond the largest ID", shown),
                      errdetail("An ID is at most 9223372036854775807.")));
      break;
  }
  pg_unreachable();
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_encode);
IDGEN_SQL_FUNCTION(idgen_decode);

Datum idgen_encode(PG_FUNCTION_ARGS) {
  const int64 id = PG_GETARG_INT64(0);
  const TextFormat& format = FormatOfArgument(fcinfo);
  if (id < 0) ReportNegativeId(id);
  char text[kWidestText];
  const std::size_t length = EncodeText(static_cast<std::uint64_t>(id), format, text);
  return TextDatum({text, length});
}

Datum idgen_decode(PG_FUNCTION_ARGS) {
  const TextFormat& format = FormatOfArgument(fcinfo);
  const std::string_view text = ShortTextArgument(fcinfo, 0);
  const DecodedText decoded = DecodeText(text, format);
  if (decoded.error != TextError::kNone) ReportText(text, format, decoded);
  return Int64GetDatum(static_cast<int64>(decoded.id));
}

}  // extern "C"

}  // namespace idgen::pg

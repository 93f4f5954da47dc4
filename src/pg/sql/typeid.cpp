// The SQL functions of TypeIDs.
#include "pg.h"

#include "core/typeid.h"

#include "callsite.h"
#include "convert.h"
#include "text_errors.h"
#include "uuid.h"

namespace idgen::pg {

namespace {

// Reports a text that is no TypeID.
[[noreturn]] void ReportTypeId(std::string_view text, const DecodedTypeId& decoded) {
  if (decoded.empty_prefix) ReportOtherPrefix(text, {});
  if (decoded.prefix_check.error != PrefixError::kNone) {
    ReportPrefix(ERRCODE_INVALID_TEXT_REPRESENTATION, decoded.text.prefix, decoded.prefix_check);
  }
  ReportText({.noun = "the suffix of a TypeID",
              .largest_noun = "suffix of a TypeID",
              .largest = "The largest is 7zzzzzzzzzzzzzzzzzzzzzzzzz.",
              .alphabet = kTypeIdFormat.alphabet,
              .width = kTypeIdFormat.width128},
             decoded.text.id, decoded.suffix.error, decoded.suffix.at);
}

// Returns the TypeID in an argument, or reports what is wrong with it.
DecodedTypeId TypeIdArgument(FunctionCallInfo fcinfo, int argument) {
  const std::string_view text = ShortTextArgument(fcinfo, argument);
  const DecodedTypeId decoded = DecodeTypeId(text);
  if (unlikely(!decoded.IsGood())) ReportTypeId(text, decoded);
  return decoded;
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_typeid_encode);
IDGEN_SQL_FUNCTION(idgen_typeid_decode);
IDGEN_SQL_FUNCTION(idgen_typeid_decode_with_prefix);
IDGEN_SQL_FUNCTION(idgen_typeid_try_decode);
IDGEN_SQL_FUNCTION(idgen_typeid_try_decode_with_prefix);
IDGEN_SQL_FUNCTION(idgen_typeid_prefix);

Datum idgen_typeid_encode(PG_FUNCTION_ARGS) {
  char text[kLongestTypeId];
  const std::size_t length = EncodeTypeId(PrefixArgument(fcinfo, 0), UuidArgument(fcinfo, 1), text);
  return TextDatum({text, length});
}

Datum idgen_typeid_decode(PG_FUNCTION_ARGS) {
  return UuidDatum(TypeIdArgument(fcinfo, 0).suffix.id);
}

// A text that is no TypeID is reported as that, whatever its prefix.
Datum idgen_typeid_decode_with_prefix(PG_FUNCTION_ARGS) {
  const std::string_view prefix = PrefixArgument(fcinfo, 1);
  const DecodedTypeId decoded = TypeIdArgument(fcinfo, 0);
  if (unlikely(!HasPrefix(decoded.text, prefix))) {
    ReportOtherPrefix(ShortTextArgument(fcinfo, 0), prefix);
  }
  return UuidDatum(decoded.suffix.id);
}

Datum idgen_typeid_try_decode(PG_FUNCTION_ARGS) {
  const DecodedTypeId decoded = DecodeTypeId(ShortTextArgument(fcinfo, 0));
  if (!decoded.IsGood()) PG_RETURN_NULL();
  return UuidDatum(decoded.suffix.id);
}

Datum idgen_typeid_try_decode_with_prefix(PG_FUNCTION_ARGS) {
  const std::string_view prefix = PrefixArgument(fcinfo, 1);
  const DecodedTypeId decoded = DecodeTypeId(ShortTextArgument(fcinfo, 0));
  if (!decoded.IsGood() || !HasPrefix(decoded.text, prefix)) PG_RETURN_NULL();
  return UuidDatum(decoded.suffix.id);
}

Datum idgen_typeid_prefix(PG_FUNCTION_ARGS) {
  return TextDatum(TypeIdArgument(fcinfo, 0).text.prefix);
}

}  // extern "C"

}  // namespace idgen::pg

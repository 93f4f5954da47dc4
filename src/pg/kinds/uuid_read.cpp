// The SQL functions that read IDs of 128 bits: their time, their fields, and the range of an
// instant. They depend on nothing but their arguments, so they are IMMUTABLE.
#include "core/uuid.h"

#include "callsite.h"
#include "errors.h"
#include "row.h"
#include "uuid.h"

namespace idgen::pg {

namespace {

const char* TextOf(Id128 id) {
  return DatumGetCString(DirectFunctionCall1(uuid_out, UuidDatum(id)));
}

const char* VersionText(Id128 id) {
  if (!IsRfcVariant(id)) return "It has another variant than that of RFC 9562.";
  return psprintf("It is of version %u.", VersionOf(id));
}

Id128 CheckVersion(Id128 id, unsigned version) {
  if (!IsVersion(id, version)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("\"%s\" is not a UUID of version %u", TextOf(id), version),
                    errdetail("%s", VersionText(id))));
  }
  if (CarriesId(id)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("\"%s\" has no fields of its own", TextOf(id)),
                    errdetail("It carries an ID of 64 bits."), errhint("Use idgen_from_uuid().")));
  }
  return id;
}

std::int64_t UnixMs(Id128 id) { return static_cast<std::int64_t>(UnixMsOf(id)); }

Datum TimeDatum(std::int64_t us) {
  TimestampTz timestamp = 0;
  // What has 48 bits of milliseconds or 60 of 100 ns is within PostgreSQL's range; 64 of
  // nanoseconds are too.
  if (!ToTimestamp(us, timestamp)) elog(ERROR, "time is out of range");
  return TimestampTzGetDatum(timestamp);
}

std::int64_t UsOfId128(Id128 id) { return static_cast<std::int64_t>(id.high / 1000); }
std::int64_t GregorianUs(Id128 id) { return UsOfGregorian(GregorianOf(id)); }

// Returns an instant in microseconds since 1970, from `least_us` to `most_us`.
std::uint64_t InstantArgument(FunctionCallInfo fcinfo, std::int64_t least_us,
                              std::int64_t most_us) {
  const TimestampTz timestamp = PG_GETARG_TIMESTAMPTZ(0);
  std::int64_t us = 0;
  if (!FromTimestamp(timestamp, us) || us < least_us || us > most_us) {
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
                    errmsg("timestamp \"%s\" has no ID", timestamptz_to_str(timestamp)),
                    errhint("Use a timestamp from %s to %s.", InstantText(least_us),
                            InstantText(most_us))));
  }
  return static_cast<std::uint64_t>(us);
}

constexpr std::int64_t kMostNanosecondUs = static_cast<std::int64_t>(~std::uint64_t{0} / 1000) - 1;

std::uint64_t MsArgument(FunctionCallInfo fcinfo) {
  return InstantArgument(fcinfo, 0, kMostUnixUs) / 1000;
}

Datum Int(std::uint64_t value) { return Int32GetDatum(static_cast<int32>(value)); }

Datum NodeDatum(std::uint64_t node) {
  auto* const address = static_cast<macaddr*>(palloc(sizeof(macaddr)));
  unsigned char* const octets[] = {&address->a, &address->b, &address->c,
                                   &address->d, &address->e, &address->f};
  for (int i = 6; i-- > 0; node >>= 8) *octets[i] = static_cast<unsigned char>(node);
  return MacaddrPGetDatum(address);
}

// Reads the fields of version 7, or with `node` those of version 8.
Datum PartsOfUnix(FunctionCallInfo fcinfo, Id128 id, bool has_node) {
  const std::uint64_t node = NodeOfV8(id);
  const Datum time = TimeDatum(UnixMs(id) * 1000);
  const Datum unix_ms = Int64GetDatum(UnixMs(id));
  if (!has_node) {
    return RecordOf(fcinfo, {time, unix_ms, Int(MicrosecondOf(id)), Int(SequenceOf(id))});
  }
  return RecordOf(fcinfo, {time, unix_ms, Int(MicrosecondOf(id)), Int(node >> 16),
                           Int(node & 0xffff), Int(SequenceOf(id))});
}

Datum PartsOfGregorian(FunctionCallInfo fcinfo, Id128 id) {
  const GregorianNode node = GregorianNodeOf(id);
  return RecordOf(fcinfo,
                  {TimeDatum(GregorianUs(id)), Int(node.clock_sequence), NodeDatum(node.node)});
}

const char* VariantName(Id128 id) {
  if (id == Id128{0, 0}) return "nil";
  if (id == Id128{~std::uint64_t{0}, ~std::uint64_t{0}}) return "max";
  if (id.low >> 63 == 0) return "ncs";
  if (IsRfcVariant(id)) return "rfc9562";
  return id.low >> 61 == 6 ? "microsoft" : "reserved";
}

bool IsGregorian(Id128 id) { return IsVersion(id, 1) || IsVersion(id, 6); }

// Whether the version says where the time is. Version 8 leaves that to its maker.
bool HoldsTime(Id128 id) { return IsGregorian(id) || IsVersion(id, 7); }

Datum TimeOf(Id128 id) { return TimeDatum(IsGregorian(id) ? GregorianUs(id) : UnixMs(id) * 1000); }

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_uuid_parse);
IDGEN_SQL_FUNCTION(idgen_uuid_timestamp);
IDGEN_SQL_FUNCTION(idgen_to_uuid);
IDGEN_SQL_FUNCTION(idgen_from_uuid);
IDGEN_SQL_FUNCTION(idgen_uuidv1_timestamp);
IDGEN_SQL_FUNCTION(idgen_uuidv1_parse);
IDGEN_SQL_FUNCTION(idgen_uuidv6_timestamp);
IDGEN_SQL_FUNCTION(idgen_uuidv6_parse);
IDGEN_SQL_FUNCTION(idgen_uuidv6_min_id);
IDGEN_SQL_FUNCTION(idgen_uuidv6_max_id);
IDGEN_SQL_FUNCTION(idgen_uuidv7_timestamp);
IDGEN_SQL_FUNCTION(idgen_uuidv7_parse);
IDGEN_SQL_FUNCTION(idgen_uuidv7_min_id);
IDGEN_SQL_FUNCTION(idgen_uuidv7_max_id);
IDGEN_SQL_FUNCTION(idgen_uuidv8_timestamp);
IDGEN_SQL_FUNCTION(idgen_uuidv8_parse);
IDGEN_SQL_FUNCTION(idgen_uuidv8_min_id);
IDGEN_SQL_FUNCTION(idgen_uuidv8_max_id);
IDGEN_SQL_FUNCTION(idgen_ulid_timestamp);
IDGEN_SQL_FUNCTION(idgen_ulid_parse);
IDGEN_SQL_FUNCTION(idgen_ulid_min_id);
IDGEN_SQL_FUNCTION(idgen_ulid_max_id);
IDGEN_SQL_FUNCTION(idgen_id128_timestamp);
IDGEN_SQL_FUNCTION(idgen_id128_parse);
IDGEN_SQL_FUNCTION(idgen_id128_min_id);
IDGEN_SQL_FUNCTION(idgen_id128_max_id);

// --- Any UUID ----------------------------------------------------------------------------------

Datum idgen_uuid_parse(PG_FUNCTION_ARGS) {
  const Id128 id = UuidArgument(fcinfo, 0);
  const bool has_version = IsRfcVariant(id);
  const bool is_gregorian = IsGregorian(id);
  const GregorianNode node = GregorianNodeOf(id);
  return RecordOf(fcinfo, {{Int(VersionOf(id)), !has_version},
                           CStringGetTextDatum(VariantName(id)),
                           HoldsTime(id) ? Column{TimeOf(id)} : kNull,
                           {Int(is_gregorian ? node.clock_sequence : 0), !is_gregorian},
                           is_gregorian ? Column{NodeDatum(node.node)} : kNull});
}

Datum idgen_uuid_timestamp(PG_FUNCTION_ARGS) {
  const Id128 id = UuidArgument(fcinfo, 0);
  if (HoldsTime(id)) return TimeOf(id);
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("\"%s\" does not say when it was made", TextOf(id)),
                  errdetail("%s", VersionText(id)),
                  IsVersion(id, 8) && !CarriesId(id)
                      ? errhint("If uuidv8_nextval() made it, use uuidv8_timestamp().")
                      : errhint("UUIDs of versions 1, 6 and 7 do.")));
  pg_unreachable();
}

// --- A 64-bit ID in a UUID ---------------------------------------------------------------------

Datum idgen_to_uuid(PG_FUNCTION_ARGS) {
  const int64 id = PG_GETARG_INT64(0);
  if (id < 0) ReportNegativeId(id);
  return UuidDatum(UuidOfId(static_cast<std::uint64_t>(id)));
}

Datum idgen_from_uuid(PG_FUNCTION_ARGS) {
  const Id128 uuid = UuidArgument(fcinfo, 0);
  if (!CarriesId(uuid)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("\"%s\" does not carry an ID of 64 bits", TextOf(uuid)),
                    errhint("Only what idgen_to_uuid() returned does.")));
  }
  return Int64GetDatum(static_cast<int64>(IdInUuid(uuid)));
}

// --- Versions 1 and 6 --------------------------------------------------------------------------

Datum idgen_uuidv1_timestamp(PG_FUNCTION_ARGS) {
  return TimeDatum(GregorianUs(CheckVersion(UuidArgument(fcinfo, 0), 1)));
}
Datum idgen_uuidv1_parse(PG_FUNCTION_ARGS) {
  return PartsOfGregorian(fcinfo, CheckVersion(UuidArgument(fcinfo, 0), 1));
}
Datum idgen_uuidv6_timestamp(PG_FUNCTION_ARGS) {
  return TimeDatum(GregorianUs(CheckVersion(UuidArgument(fcinfo, 0), 6)));
}
Datum idgen_uuidv6_parse(PG_FUNCTION_ARGS) {
  return PartsOfGregorian(fcinfo, CheckVersion(UuidArgument(fcinfo, 0), 6));
}

// A microsecond has 10 units of 100 ns.
static std::uint64_t GregorianArgument(FunctionCallInfo fcinfo, std::uint64_t unit) {
  const std::uint64_t us =
      InstantArgument(fcinfo, UsOfGregorian(0), UsOfGregorian(kMostGregorian) - 1);
  return GregorianOfUs(static_cast<std::int64_t>(us), unit);
}
Datum idgen_uuidv6_min_id(PG_FUNCTION_ARGS) {
  return UuidDatum(UuidV6(GregorianArgument(fcinfo, 0), {}));
}
Datum idgen_uuidv6_max_id(PG_FUNCTION_ARGS) {
  return UuidDatum(UuidV6(GregorianArgument(fcinfo, 9), {~std::uint64_t{0}, ~std::uint64_t{0}}));
}

// --- Versions 7 and 8 --------------------------------------------------------------------------

Datum idgen_uuidv7_timestamp(PG_FUNCTION_ARGS) {
  return TimeDatum(UnixMs(CheckVersion(UuidArgument(fcinfo, 0), 7)) * 1000);
}
Datum idgen_uuidv7_parse(PG_FUNCTION_ARGS) {
  return PartsOfUnix(fcinfo, CheckVersion(UuidArgument(fcinfo, 0), 7), false);
}
Datum idgen_uuidv7_min_id(PG_FUNCTION_ARGS) { return UuidDatum(LeastOfMs(MsArgument(fcinfo), 7)); }
Datum idgen_uuidv7_max_id(PG_FUNCTION_ARGS) { return UuidDatum(MostOfMs(MsArgument(fcinfo), 7)); }

Datum idgen_uuidv8_timestamp(PG_FUNCTION_ARGS) {
  return TimeDatum(UnixMs(CheckVersion(UuidArgument(fcinfo, 0), 8)) * 1000);
}
Datum idgen_uuidv8_parse(PG_FUNCTION_ARGS) {
  return PartsOfUnix(fcinfo, CheckVersion(UuidArgument(fcinfo, 0), 8), true);
}
Datum idgen_uuidv8_min_id(PG_FUNCTION_ARGS) { return UuidDatum(LeastOfMs(MsArgument(fcinfo), 8)); }
Datum idgen_uuidv8_max_id(PG_FUNCTION_ARGS) { return UuidDatum(MostOfMs(MsArgument(fcinfo), 8)); }

// --- ULID --------------------------------------------------------------------------------------

Datum idgen_ulid_timestamp(PG_FUNCTION_ARGS) {
  return TimeDatum(UnixMs(UuidArgument(fcinfo, 0)) * 1000);
}
Datum idgen_ulid_parse(PG_FUNCTION_ARGS) {
  constexpr int kTimeBytes = 6;
  constexpr int kRandomBytes = 10;
  const Id128 id = UuidArgument(fcinfo, 0);
  auto* const random = static_cast<bytea*>(palloc(VARHDRSZ + kRandomBytes));
  SET_VARSIZE(random, VARHDRSZ + kRandomBytes);
  memcpy(VARDATA(random), PG_GETARG_UUID_P(0)->data + kTimeBytes, kRandomBytes);
  return RecordOf(
      fcinfo, {TimeDatum(UnixMs(id) * 1000), Int64GetDatum(UnixMs(id)), PointerGetDatum(random)});
}
Datum idgen_ulid_min_id(PG_FUNCTION_ARGS) { return UuidDatum(LeastUlid(MsArgument(fcinfo))); }
Datum idgen_ulid_max_id(PG_FUNCTION_ARGS) { return UuidDatum(MostUlid(MsArgument(fcinfo))); }

// --- id128 -------------------------------------------------------------------------------------

Datum idgen_id128_timestamp(PG_FUNCTION_ARGS) {
  return TimeDatum(UsOfId128(UuidArgument(fcinfo, 0)));
}
Datum idgen_id128_parse(PG_FUNCTION_ARGS) {
  const Id128 id = UuidArgument(fcinfo, 0);
  const std::uint64_t node = NodeOfId128(id);
  const bool fits = node >> kNodeBits == 0;  // as idgen makes it
  return RecordOf(fcinfo, {TimeDatum(UsOfId128(id)),
                           Int(id.high % 1000),
                           Int64GetDatum(static_cast<int64>(node)),
                           {Int(node >> 16), !fits},
                           {Int(node & 0xffff), !fits},
                           Int(id.low & 0xffff)});
}
Datum idgen_id128_min_id(PG_FUNCTION_ARGS) {
  return UuidDatum({InstantArgument(fcinfo, 0, kMostNanosecondUs) * 1000, 0});
}
Datum idgen_id128_max_id(PG_FUNCTION_ARGS) {
  return UuidDatum({InstantArgument(fcinfo, 0, kMostNanosecondUs) * 1000 + 999, ~std::uint64_t{0}});
}

}  // extern "C"

}  // namespace idgen::pg

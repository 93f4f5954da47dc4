#include "digest.h"

#include "errors.h"
#include "row.h"

namespace idgen::pg {

namespace {

constexpr char kMagic[] = {'i', 'd', 'g', 'b'};
constexpr unsigned char kDigestVersion = 1;

// The lowest byte first, on every machine.
std::uint64_t GetWord(const unsigned char* bytes) {
  std::uint64_t word = 0;
  for (int i = 8; i-- > 0;) word = word << 8 | bytes[i];
  return word;
}
void SetWord(unsigned char* bytes, std::uint64_t word) {
  for (int i = 0; i < 8; ++i, word >>= 8) bytes[i] = static_cast<unsigned char>(word);
}

[[noreturn]] void ReportDamaged(const char* detail) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("invalid digest of IDs"),
                  errdetail("%s", detail)));
}

Digest Read(unsigned char* bytes, std::size_t size) {
  if (size < kDigestHeader || memcmp(bytes, kMagic, sizeof(kMagic)) != 0) {
    ReportDamaged("It does not begin as a digest does.");
  }
  if (bytes[4] != kDigestVersion) {
    ReportDamaged(psprintf("Its version is %d, and this version of idgen reads %d.", bytes[4],
                           kDigestVersion));
  }
  Digest digest{};
  digest.shape = {GetWord(bytes + 8), bytes[5]};
  digest.kind = static_cast<DigestKind>(bytes[6]);
  digest.added = GetWord(bytes + 16);
  digest.bytes = bytes;
  digest.filter = bytes + kDigestHeader;
  const bool is_kind = digest.kind == DigestKind::kBigint || digest.kind == DigestKind::kUuid;
  if (!is_kind || bytes[7] != 0 || digest.shape.hashes == 0 ||
      digest.shape.hashes > kMostBloomHashes || digest.shape.bits == 0 ||
      digest.shape.bits % kBloomBlockBits != 0 || digest.shape.bits > kMostBloomBits) {
    ReportDamaged("Its header is damaged.");
  }
  if (size != kDigestHeader + digest.shape.bits / 8) {
    ReportDamaged(psprintf("It has %zu bytes, and should have %zu.", size,
                           kDigestHeader + static_cast<std::size_t>(digest.shape.bits / 8)));
  }
  return digest;
}

// Returns a value of this many bytes, none of them written yet.
bytea* NewValue(std::size_t size) {
  auto* const value = static_cast<bytea*>(palloc(VARHDRSZ + size));
  SET_VARSIZE(value, VARHDRSZ + size);
  return value;
}

unsigned char* BytesOf(bytea* value) {
  return reinterpret_cast<unsigned char*>(VARDATA_ANY(value));
}

}  // namespace

bytea* NewDigest(BloomShape shape, DigestKind kind) {
  const std::size_t size = kDigestHeader + static_cast<std::size_t>(shape.bits / 8);
  auto* const value = static_cast<bytea*>(palloc0(VARHDRSZ + size));
  SET_VARSIZE(value, VARHDRSZ + size);
  unsigned char* const bytes = BytesOf(value);
  memcpy(bytes, kMagic, sizeof(kMagic));
  bytes[4] = kDigestVersion;
  bytes[5] = static_cast<unsigned char>(shape.hashes);
  bytes[6] = static_cast<unsigned char>(kind);
  SetWord(bytes + 8, shape.bits);
  return value;
}

Digest DigestOf(bytea* value) { return Read(BytesOf(value), VARSIZE_ANY_EXHDR(value)); }

void SetAdded(const Digest& digest, std::uint64_t added) { SetWord(digest.bytes + 16, added); }

void Unite(const Digest& to, const Digest& from) {
  if (to.kind != from.kind) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("cannot unite a digest of bigint IDs with one of UUIDs")));
  }
  if (!(to.shape == from.shape)) {
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("cannot unite digests of different sizes"),
             errdetail("One has %llu bytes and %u hashes, the other %llu bytes and %u hashes.",
                       static_cast<unsigned long long>(to.shape.bits / 8), to.shape.hashes,
                       static_cast<unsigned long long>(from.shape.bits / 8), from.shape.hashes),
             errhint("Make both with the same expected number of IDs and error rate.")));
  }
  for (std::uint64_t i = 0; i < to.shape.bits / 8; ++i) to.filter[i] |= from.filter[i];
  SetAdded(to, to.added + from.added);
}

BloomShape DigestShapeFor(int64 expected, float8 error_rate) {
  if (expected < 1) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("expected number of IDs %lld is out of range",
                           static_cast<long long>(expected)),
                    errdetail("It is at least 1.")));
  }
  if (!(error_rate > 0 && error_rate < 1)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("error rate %g is out of range", error_rate),
                    errdetail("It is between 0 and 1.")));
  }
  const BloomShape shape = BloomShapeFor(static_cast<std::uint64_t>(expected), error_rate);
  if (shape.bits == 0) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("digest of %lld IDs with an error rate of %g is too large",
                           static_cast<long long>(expected), error_rate),
                    errdetail("A digest has at most %llu bytes.",
                              static_cast<unsigned long long>(kMostBloomBits / 8)),
                    errhint("Make digests of parts, or accept more errors.")));
  }
  return shape;
}

extern "C" {

IDGEN_SQL_FUNCTION(idgen_bloom_in);
IDGEN_SQL_FUNCTION(idgen_bloom_out);
IDGEN_SQL_FUNCTION(idgen_bloom_recv);
IDGEN_SQL_FUNCTION(idgen_bloom_send);
IDGEN_SQL_FUNCTION(idgen_bloom_info);
IDGEN_SQL_FUNCTION(idgen_bloom_union);

// As text a digest is in base64: two thirds of what bytea would take.
Datum idgen_bloom_in(PG_FUNCTION_ARGS) {
  const char* const text = PG_GETARG_CSTRING(0);
  const auto length = static_cast<int>(strlen(text));
  const int room = pg_b64_dec_len(length);
  bytea* const value = NewValue(static_cast<std::size_t>(room));
  const int size = DecodeBase64(text, length, BytesOf(value), room);
  if (size < 0) ReportDamaged("Its text is not base64.");
  SET_VARSIZE(value, VARHDRSZ + size);
  DigestOf(value);
  PG_RETURN_BYTEA_P(value);
}

Datum idgen_bloom_out(PG_FUNCTION_ARGS) {
  bytea* const value = PG_GETARG_BYTEA_PP(0);
  const auto size = static_cast<int>(VARSIZE_ANY_EXHDR(value));
  const int room = pg_b64_enc_len(size);
  auto* const text = static_cast<char*>(palloc(static_cast<std::size_t>(room) + 1));
  const int length = EncodeBase64(BytesOf(value), size, text, room);
  if (length < 0) elog(ERROR, "could not encode a digest");
  text[length] = '\0';
  PG_RETURN_CSTRING(text);
}

Datum idgen_bloom_recv(PG_FUNCTION_ARGS) {
  auto* const message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
  const int size = message->len - message->cursor;
  bytea* const value = NewValue(static_cast<std::size_t>(size));
  pq_copymsgbytes(message, VARDATA(value), size);
  DigestOf(value);
  PG_RETURN_BYTEA_P(value);
}

Datum idgen_bloom_send(PG_FUNCTION_ARGS) { PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0)); }

Datum idgen_bloom_info(PG_FUNCTION_ARGS) {
  bytea* const value = PG_GETARG_BYTEA_PP(0);
  const Digest digest = DigestOf(value);
  const std::uint64_t set = pg_popcount(reinterpret_cast<const char*>(digest.filter),
                                        static_cast<int>(digest.shape.bits / 8));
  return RecordOf(
      fcinfo, {CStringGetTextDatum(digest.kind == DigestKind::kBigint ? "bigint" : "uuid"),
               Int64GetDatum(static_cast<int64>(digest.added)),
               Int64GetDatum(static_cast<int64>(digest.shape.bits / 8)),
               Int32GetDatum(static_cast<int32>(digest.shape.hashes)),
               Float8GetDatum(static_cast<double>(set) / static_cast<double>(digest.shape.bits)),
               Float8GetDatum(BloomErrorRate(digest.shape, static_cast<double>(digest.added)))});
}

Datum idgen_bloom_union(PG_FUNCTION_ARGS) {
  const bool in_place = AggCheckCallContext(fcinfo, nullptr) != 0;
  bytea* const value = in_place ? PG_GETARG_BYTEA_PP(0) : PG_GETARG_BYTEA_P_COPY(0);
  const Digest to = DigestOf(value);
  const Digest from = DigestOf(PG_GETARG_BYTEA_PP(1));
  Unite(to, from);
  PG_RETURN_BYTEA_P(value);
}

}  // extern "C"

}  // namespace idgen::pg

// The aggregate idgen_bloom_agg(), and looking for IDs in digests.
#include "core/bloom.h"
#include "core/id128.h"
#include "digest.h"
#include "uuid.h"

namespace idgen::pg {

namespace {

constexpr int64 kDefaultExpected = 1'000'000;
constexpr float8 kDefaultErrorRate = 0.01;

// IDs are all over a filter, so each would wait for memory. Hence their hashes are kept while the
// memory of their blocks is fetched.
constexpr unsigned kMostPending = 32;
struct BloomState {
  bytea* value;
  Digest digest;
  unsigned pending;
  BloomHash hashes[kMostPending];
};

void AddPending(BloomState& state) {
  for (unsigned i = 0; i < state.pending; ++i) {
    AddToBloom(state.digest.filter, state.digest.shape, state.hashes[i]);
  }
  state.pending = 0;
  SetAdded(state.digest, state.digest.added);
}

void AddHash(BloomState& state, BloomHash hash) {
  __builtin_prefetch(state.digest.filter + BloomBlockOf(state.digest.shape, hash), 1);
  state.hashes[state.pending++] = hash;
  ++state.digest.added;
  if (state.pending == kMostPending) AddPending(state);
}

MemoryContext BloomMemory(FunctionCallInfo fcinfo) {
  MemoryContext memory = nullptr;
  if (AggCheckCallContext(fcinfo, &memory) == 0) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("aggregate function called in non-aggregate context")));
  }
  return memory;
}

BloomState* BloomArgument(FunctionCallInfo fcinfo, int argument) {
  return PG_ARGISNULL(argument) ? nullptr
                                : reinterpret_cast<BloomState*>(PG_GETARG_POINTER(argument));
}

BloomState* NewBloomState(bytea* value) {
  auto* const state = static_cast<BloomState*>(palloc(sizeof(BloomState)));
  state->value = value;
  state->digest = DigestOf(value);
  state->pending = 0;
  return state;
}

// Arguments: state, id[, expected, error_rate].
[[gnu::noinline]] BloomState* BeginDigest(FunctionCallInfo fcinfo, DigestKind kind,
                                          MemoryContext memory) {
  int64 expected = kDefaultExpected;
  float8 error_rate = kDefaultErrorRate;
  if (PG_NARGS() > 2) {
    if (!PG_ARGISNULL(2)) expected = PG_GETARG_INT64(2);
    if (!PG_ARGISNULL(3)) error_rate = PG_GETARG_FLOAT8(3);
  }
  const BloomShape shape = DigestShapeFor(expected, error_rate);
  MemoryContext caller = MemoryContextSwitchTo(memory);
  BloomState* const state = NewBloomState(NewDigest(shape, kind));
  MemoryContextSwitchTo(caller);
  return state;
}

template <typename HashOf>
Datum Accumulate(FunctionCallInfo fcinfo, DigestKind kind, HashOf&& hash_of) {
  MemoryContext memory = BloomMemory(fcinfo);
  BloomState* state = BloomArgument(fcinfo, 0);
  if (!PG_ARGISNULL(1)) {
    if (unlikely(state == nullptr)) state = BeginDigest(fcinfo, kind, memory);
    AddHash(*state, hash_of());
  }
  if (state == nullptr) PG_RETURN_NULL();
  PG_RETURN_POINTER(state);
}

[[noreturn]] void ReportKind(DigestKind kind) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg(kind == DigestKind::kUuid ? "digest is of bigint IDs, not of UUIDs"
                                                   : "digest is of UUIDs, not of bigint IDs")));
}

// A digest in a table is stored out of line, and reading it for every row that is compared with it
// would cost more than all the rest. So a call site keeps the last one.
struct DigestSite {
  varatt_external pointer;  // where the digest was
  bytea* value;
};

bytea* KeptDigest(FunctionCallInfo fcinfo) {
  varlena* const raw = PG_GETARG_RAW_VARLENA_P(0);
  if (!VARATT_IS_EXTERNAL_ONDISK(raw)) return PG_GETARG_BYTEA_PP(0);
  varatt_external pointer;
  VARATT_EXTERNAL_GET_POINTER(pointer, raw);
  auto* site = static_cast<DigestSite*>(fcinfo->flinfo->fn_extra);
  if (site != nullptr && memcmp(&site->pointer, &pointer, sizeof(pointer)) == 0) return site->value;
  MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
  if (site == nullptr) {
    site = static_cast<DigestSite*>(palloc0(sizeof(DigestSite)));
    fcinfo->flinfo->fn_extra = site;
  }
  if (site->value != nullptr) pfree(site->value);
  site->value = nullptr;
  site->pointer = {};
  site->value = PG_DETOAST_DATUM(PointerGetDatum(raw));
  site->pointer = pointer;
  MemoryContextSwitchTo(caller);
  return site->value;
}

Datum Contains(FunctionCallInfo fcinfo, DigestKind kind, BloomHash hash) {
  const Digest digest = DigestOf(KeptDigest(fcinfo));
  if (unlikely(digest.kind != kind)) ReportKind(kind);
  PG_RETURN_BOOL(MayBeInBloom(digest.filter, digest.shape, hash));
}

BloomHash HashOfBigint(FunctionCallInfo fcinfo) {
  return BloomHashOf(static_cast<std::uint64_t>(PG_GETARG_INT64(1)));
}
BloomHash HashOfUuid(FunctionCallInfo fcinfo) { return BloomHashOf(UuidArgument(fcinfo, 1)); }

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_bloom_accum);
IDGEN_SQL_FUNCTION(idgen_bloom_accum_uuid);
IDGEN_SQL_FUNCTION(idgen_bloom_combine);
IDGEN_SQL_FUNCTION(idgen_bloom_serialize);
IDGEN_SQL_FUNCTION(idgen_bloom_deserialize);
IDGEN_SQL_FUNCTION(idgen_bloom_final);
IDGEN_SQL_FUNCTION(idgen_bloom_contains);
IDGEN_SQL_FUNCTION(idgen_bloom_contains_uuid);

Datum idgen_bloom_accum(PG_FUNCTION_ARGS) {
  return Accumulate(fcinfo, DigestKind::kBigint, [fcinfo] { return HashOfBigint(fcinfo); });
}
Datum idgen_bloom_accum_uuid(PG_FUNCTION_ARGS) {
  return Accumulate(fcinfo, DigestKind::kUuid, [fcinfo] { return HashOfUuid(fcinfo); });
}

Datum idgen_bloom_combine(PG_FUNCTION_ARGS) {
  MemoryContext memory = BloomMemory(fcinfo);
  BloomState* to = BloomArgument(fcinfo, 0);
  // It was read by idgen_bloom_deserialize(), so nothing of it is pending.
  const BloomState* const from = BloomArgument(fcinfo, 1);
  if (from != nullptr) {
    if (to != nullptr) {
      AddPending(*to);
      Unite(to->digest, from->digest);
      to->digest.added += from->digest.added;
    } else {
      MemoryContext caller = MemoryContextSwitchTo(memory);
      const Datum copy = datumCopy(PointerGetDatum(from->value), false, -1);
      to = NewBloomState(reinterpret_cast<bytea*>(DatumGetPointer(copy)));
      MemoryContextSwitchTo(caller);
    }
  }
  if (to == nullptr) PG_RETURN_NULL();
  PG_RETURN_POINTER(to);
}

Datum idgen_bloom_serialize(PG_FUNCTION_ARGS) {
  BloomMemory(fcinfo);
  BloomState* const state = BloomArgument(fcinfo, 0);
  AddPending(*state);
  PG_RETURN_BYTEA_P(state->value);
}

Datum idgen_bloom_deserialize(PG_FUNCTION_ARGS) {
  BloomMemory(fcinfo);
  PG_RETURN_POINTER(NewBloomState(PG_GETARG_BYTEA_P(0)));
}

Datum idgen_bloom_final(PG_FUNCTION_ARGS) {
  BloomState* const state = BloomArgument(fcinfo, 0);
  const bool goes_on = AggCheckCallContext(fcinfo, nullptr) != AGG_CONTEXT_AGGREGATE;
  BloomMemory(fcinfo);
  if (state == nullptr) PG_RETURN_NULL();
  AddPending(*state);
  const Datum value = PointerGetDatum(state->value);
  return goes_on ? datumCopy(value, false, -1) : value;
}

Datum idgen_bloom_contains(PG_FUNCTION_ARGS) {
  return Contains(fcinfo, DigestKind::kBigint, HashOfBigint(fcinfo));
}
Datum idgen_bloom_contains_uuid(PG_FUNCTION_ARGS) {
  return Contains(fcinfo, DigestKind::kUuid, HashOfUuid(fcinfo));
}

}  // extern "C"

}  // namespace idgen::pg

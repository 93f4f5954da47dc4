// The SQL functions that make IDs of 128 bits, as the type uuid.
#include "count.h"
#include "kind.h"
#include "random.h"
#include "uuid.h"

namespace idgen::pg {

namespace {

// --- Makers: how the IDs of a kind come about --------------------------------------------------

// From positions of the kind, by `compose(position, node)`.
template <Kind& kind, auto compose>
struct FromPositions {
  using Run = KindRun;

  static Id128 One() {
    const Run run = TakeRun(kind, 1);
    CountId(*run.use);
    return Note(ComposeFirst(run));
  }
  // Of a run with what is left of `left` IDs.
  static Id128 Next(Run& run, std::uint64_t left) {
    if (run.taken.count == 0) {
      CHECK_FOR_INTERRUPTS();
      run = TakeRun(kind, left);
    }
    const Id128 id = Note(ComposeFirst(run));
    ++run.taken.first;
    --run.taken.count;
    return id;
  }
  static void CountRow(const Run& run, bool is_first) {
    if (is_first) CountCall(*run.use);
    CountId(*run.use);
  }
  static void CountArray(const Run& run, std::uint64_t count) { CountBatch(*run.use, count); }
  static Id128 Note(Id128 id) {
    kind.last = id;
    kind.handle.last_id = 0;
    return id;
  }
  static Datum Last() {
    if (kind.handle.last_id >= 0) return UuidDatum(kind.last);
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("no ID was made by %s_nextval() in this session yet", kind.name)));
    pg_unreachable();
  }

 private:
  static Id128 ComposeFirst(const Run& run) { return compose(run.taken.first, run.node); }
};

using V7 = FromPositions<uuidv7, [](std::uint64_t position, std::uint64_t) {
  return UuidV7(FineTimeOf(position), RandomBits());
}>;
using V8 = FromPositions<uuidv8, [](std::uint64_t position, std::uint64_t node) {
  return UuidV8(FineTimeOf(position), node, RandomBits());
}>;
using UlidMaker = FromPositions<ulid, [](std::uint64_t position, std::uint64_t) {
  return Ulid(FineTimeOf(position), RandomBits());
}>;
using Id128Maker = FromPositions<id128, [](std::uint64_t position, std::uint64_t node) {
  return MakeId128(FineTimeOf(position), node);
}>;

using V6 = FromPositions<uuidv6, [](std::uint64_t position, std::uint64_t node) {
  return UuidV6(GregorianOf(position), GregorianNodeOf(node));
}>;
using V1 = FromPositions<uuidv1, [](std::uint64_t position, std::uint64_t node) {
  return UuidV1(GregorianOf(position), GregorianNodeOf(node));
}>;

struct V4 {
  struct Run {};
  static Id128 One() {
    const std::uint64_t high = RandomBits();
    return WithVersion(high, 4, RandomBits());
  }
  static Id128 Next(Run&, std::uint64_t) { return One(); }
  // They are of no ID space.
  static void CountRow(const Run&, bool) {}
  static void CountArray(const Run&, std::uint64_t) {}
};

// --- What each kind's functions do -------------------------------------------------------------

// The memory first: what comes after the atomic operation on the position waits for it.
template <typename Maker>
Datum One() {
  auto* const uuid = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
  StoreBytes(Maker::One(), uuid->data);
  return UUIDPGetDatum(uuid);
}

// Rows: positions are taken as rows are fetched.
template <typename Maker>
Datum NextRow(FunctionCallInfo fcinfo) {
  struct Rows {
    std::uint64_t left;
    bool has_begun;
    typename Maker::Run run;
  };
  if (SRF_IS_FIRSTCALL()) BeginRows<Rows>(fcinfo, PG_GETARG_INT32(0));
  FuncCallContext* const call = SRF_PERCALL_SETUP();
  auto* const rows = static_cast<Rows*>(call->user_fctx);
  if (rows->left == 0) SRF_RETURN_DONE(call);
  const Id128 id = Maker::Next(rows->run, rows->left);
  Maker::CountRow(rows->run, !rows->has_begun);
  rows->has_begun = true;
  --rows->left;
  SRF_RETURN_NEXT(call, UuidDatum(id));
}

template <typename Maker>
Datum ArrayOf(int count) {
  const std::uint64_t wanted = CheckedCount(count);
  ArrayType* const array = NewArray(count, UUIDOID, sizeof(pg_uuid_t));
  auto* const bytes = reinterpret_cast<unsigned char*>(ARR_DATA_PTR(array));
  typename Maker::Run run{};
  for (std::uint64_t i = 0; i < wanted; ++i) {
    StoreBytes(Maker::Next(run, wanted - i), bytes + i * sizeof(pg_uuid_t));
  }
  Maker::CountArray(run, wanted);
  PG_RETURN_ARRAYTYPE_P(array);
}

// The time of an ID, moved by an interval.
FineTime Shifted(FineTime time, const Interval* shift) {
  TimestampTz timestamp = 0;
  std::int64_t us = -1;
  if (ToTimestamp(static_cast<std::int64_t>(time.us), timestamp)) {
    const Datum moved = DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(timestamp),
                                            IntervalPGetDatum(shift));
    if (!FromTimestamp(DatumGetTimestampTz(moved), us)) us = -1;
  }
  if (us < 0 || us > kMostUnixUs) {
    ereport(ERROR,
            (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("time of a UUID is out of range"),
             errdetail("Moved by the interval, it is before 1970 or after the year 10889.")));
  }
  return {static_cast<std::uint64_t>(us), time.sequence};
}

}  // namespace

extern "C" {

// A kind's functions: one ID, rows, an array.
#define IDGEN_UUID_MAKER(name, Maker)                                                     \
  IDGEN_SQL_FUNCTION(idgen_##name##_nextval);                                             \
  Datum idgen_##name##_nextval(PG_FUNCTION_ARGS) { return One<Maker>(); }                 \
  IDGEN_SQL_FUNCTION(idgen_##name##_nextval_batch);                                       \
  Datum idgen_##name##_nextval_batch(PG_FUNCTION_ARGS) { return NextRow<Maker>(fcinfo); } \
  IDGEN_SQL_FUNCTION(idgen_##name##_nextval_array);                                       \
  Datum idgen_##name##_nextval_array(PG_FUNCTION_ARGS) {                                  \
    return ArrayOf<Maker>(PG_GETARG_INT32(0));                                            \
  }
// And the last one of the session.
#define IDGEN_UUID_KIND(name, Maker)          \
  IDGEN_UUID_MAKER(name, Maker)               \
  IDGEN_SQL_FUNCTION(idgen_##name##_currval); \
  Datum idgen_##name##_currval(PG_FUNCTION_ARGS) { return Maker::Last(); }

IDGEN_UUID_KIND(uuidv1, V1)
IDGEN_UUID_KIND(uuidv6, V6)
IDGEN_UUID_KIND(uuidv7, V7)
IDGEN_UUID_KIND(uuidv8, V8)
IDGEN_UUID_KIND(ulid, UlidMaker)
IDGEN_UUID_KIND(id128, Id128Maker)
IDGEN_UUID_MAKER(uuidv4, V4)

IDGEN_SQL_FUNCTION(idgen_uuidv7_nextval_shifted);
Datum idgen_uuidv7_nextval_shifted(PG_FUNCTION_ARGS) {
  const KindRun run = TakeRun(uuidv7, 1);
  const FineTime time = Shifted(FineTimeOf(run.taken.first), PG_GETARG_INTERVAL_P(0));
  CountId(*run.use);
  return UuidDatum(V7::Note(UuidV7(time, RandomBits())));
}

}  // extern "C"

}  // namespace idgen::pg

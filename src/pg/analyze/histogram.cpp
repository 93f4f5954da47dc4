// idgen_histogram(): IDs per time as a picture of text.
//
// Two queries: the first and the last ID, which an index answers, and then how many IDs are in each
// of some equal periods between them.
#include "relation.h"

#include <algorithm>

#include "core/layout.h"
#include "core/uuid.h"
#include "errors.h"
#include "layout_value.h"
#include "row.h"
#include "uuid.h"

namespace idgen::pg {

namespace {

constexpr int kMostBuckets = 10'000;
constexpr int kLongestBar = 40;

constexpr int64 kSecond = USECS_PER_SEC;
constexpr int64 kMinute = USECS_PER_MINUTE;
constexpr int64 kHour = USECS_PER_HOUR;
constexpr int64 kDay = USECS_PER_DAY;
// Periods that people count in. They begin at multiples of themselves since 1970-01-01 UTC, a
// Thursday.
constexpr int64 kRound[] = {1,
                            2,
                            5,
                            10,
                            20,
                            50,
                            100,
                            200,
                            500,
                            1000,
                            2000,
                            5000,
                            10'000,
                            20'000,
                            50'000,
                            100'000,
                            200'000,
                            500'000,
                            kSecond,
                            2 * kSecond,
                            5 * kSecond,
                            10 * kSecond,
                            15 * kSecond,
                            30 * kSecond,
                            kMinute,
                            2 * kMinute,
                            5 * kMinute,
                            10 * kMinute,
                            15 * kMinute,
                            30 * kMinute,
                            kHour,
                            2 * kHour,
                            3 * kHour,
                            6 * kHour,
                            12 * kHour,
                            kDay,
                            2 * kDay,
                            7 * kDay,
                            14 * kDay,
                            28 * kDay,
                            91 * kDay,
                            182 * kDay,
                            365 * kDay,
                            730 * kDay,
                            1825 * kDay,
                            3650 * kDay,
                            36'500 * kDay,
                            365'000 * kDay};

struct Buckets {
  int64 begin_us;
  int64 length_us;
  int count;
};

int64 RoundDown(int64 time_us, int64 length_us) {
  const int64 rest = time_us % length_us;
  return time_us - (rest < 0 ? rest + length_us : rest);
}

// Returns the shortest round periods, of at least `tick_us`, of which `most` cover both instants.
Buckets BucketsFor(int64 first_us, int64 last_us, int64 tick_us, int most) {
  Buckets buckets{};
  for (const int64 length_us : kRound) {
    if (length_us < tick_us && length_us != kRound[std::size(kRound) - 1]) continue;
    buckets.length_us = length_us;
    buckets.begin_us = RoundDown(first_us, length_us);
    const int64 count = (last_us - buckets.begin_us) / length_us + 1;
    buckets.count = static_cast<int>(std::min<int64>(count, most));
    if (count <= most) break;
  }
  return buckets;
}

// How IDs of a column stand for times.
class Times {
 public:
  Times(FunctionCallInfo fcinfo, const IdColumn& table) : of_uuid_(table.type == UUIDOID) {
    const auto& stored = StoredArgument(fcinfo, 2);
    layout_ = LoadLayout(stored);
  }
  [[nodiscard]] int64 TickUs() const { return of_uuid_ ? 1000 : layout_.tick_us; }
  // Which numbers are IDs.
  [[nodiscard]] Datum Least() const { return of_uuid_ ? UuidDatum({0, 0}) : Int64GetDatum(0); }
  [[nodiscard]] Datum Most() const {
    return of_uuid_ ? UuidDatum({~std::uint64_t{0}, ~std::uint64_t{0}})
                    : Int64GetDatum(static_cast<int64>(layout_.MaxId()));
  }
  [[nodiscard]] int64 Of(Datum id) const {
    if (of_uuid_) {
      return static_cast<int64>(UnixMsOf(LoadBytes(DatumGetUUIDP(id)->data))) * 1000;
    }
    const auto bits = static_cast<std::uint64_t>(DatumGetInt64(id));
    return layout_.StartOfTick(layout_[FieldKind::kTimestamp].Get(bits));
  }
  // Returns the smallest ID of an instant or later.
  [[nodiscard]] Datum LeastOf(int64 time_us) const {
    if (of_uuid_) {
      return UuidDatum({static_cast<std::uint64_t>(std::max<int64>(time_us, 0) / 1000) << 16, 0});
    }
    // The tick in which it is, or the next if that began earlier.
    std::int64_t tick = layout_.TickAt(time_us);
    if (tick >= 0 && layout_.StartOfTick(static_cast<std::uint64_t>(tick)) < time_us) ++tick;
    tick = std::max<std::int64_t>(tick, 0);
    if (static_cast<std::uint64_t>(tick) > layout_.MaxTick()) return Most();
    return Int64GetDatum(layout_.MinId(static_cast<std::uint64_t>(tick)));
  }

 private:
  bool of_uuid_;
  Layout layout_;
};

const char* BarOf(int64 count, int64 most) {
  // At least one for any ID at all.
  const auto length = static_cast<std::size_t>(
      (static_cast<Int128>(count) * kLongestBar + most - 1) / std::max<int64>(most, 1));
  char* const bar = static_cast<char*>(palloc(length + 1));
  memset(bar, '#', length);
  bar[length] = '\0';
  return bar;
}

void PutBuckets(FunctionCallInfo fcinfo, const IdColumn& table, const Times& times,
                const Buckets& buckets) {
  auto* const counts =
      static_cast<int64*>(palloc0(static_cast<std::size_t>(buckets.count) * sizeof(int64)));
  auto* const bounds =
      static_cast<Datum*>(palloc(static_cast<std::size_t>(buckets.count) * sizeof(Datum)));
  for (int i = 0; i < buckets.count; ++i) {
    bounds[i] = times.LeastOf(buckets.begin_us + i * buckets.length_us);
  }
  const bool by_value = table.type == INT8OID;
  Oid types[] = {table.type, table.type, get_array_type(table.type)};
  Datum values[] = {times.Least(), times.Most(),
                    PointerGetDatum(construct_array(
                        bounds, buckets.count, table.type, by_value ? sizeof(int64) : UUID_LEN,
                        by_value && FLOAT8PASSBYVAL, by_value ? TYPALIGN_DOUBLE : TYPALIGN_CHAR))};
  const std::uint64_t rows = Query(
      psprintf(
          "SELECT pg_catalog.width_bucket(t.%s, $3), pg_catalog.count(*) FROM %s t "
          "WHERE t.%s OPERATOR(pg_catalog.>=) $1 AND t.%s OPERATOR(pg_catalog.<=) $2 GROUP BY 1",
          table.id, table.from, table.id, table.id),
      3, types, values);
  int64 most = 0;
  for (std::uint64_t i = 0; i < rows; ++i) {
    bool is_null = false;
    HeapTuple row = SPI_tuptable->vals[i];
    const int bucket = DatumGetInt32(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &is_null));
    // What came or went since the first query.
    if (bucket < 1 || bucket > buckets.count) continue;
    counts[bucket - 1] = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &is_null));
    most = std::max(most, counts[bucket - 1]);
  }
  for (int i = 0; i < buckets.count; ++i) {
    PutRow(fcinfo, {TimeOrNull(buckets.begin_us + i * buckets.length_us), Int64GetDatum(counts[i]),
                    CStringGetTextDatum(BarOf(counts[i], most))});
  }
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_histogram);

// Arguments: relation, column_name, layout, buckets.
Datum idgen_histogram(PG_FUNCTION_ARGS) {
  const int most = PG_GETARG_INT32(3);
  if (most < 1 || most > kMostBuckets) {
    ReportCount(most, kMostBuckets, psprintf("A histogram has 1 to %d buckets.", kMostBuckets));
  }
  const IdColumn table = FindIdColumn(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)));
  const Times times(fcinfo, table);
  InitMaterializedSRF(fcinfo, 0);

  SPI_connect();
  Oid types[] = {table.type, table.type};
  Datum values[] = {times.Least(), times.Most()};
  // Not min() and max(), which uuid has only since PostgreSQL 18.
  Query(
      psprintf("SELECT (SELECT t.%s FROM %s t WHERE t.%s OPERATOR(pg_catalog.>=) $1 AND "
               "t.%s OPERATOR(pg_catalog.<=) $2 ORDER BY 1 USING OPERATOR(pg_catalog.<) LIMIT 1), "
               "(SELECT t.%s FROM %s t WHERE t.%s OPERATOR(pg_catalog.>=) $1 AND "
               "t.%s OPERATOR(pg_catalog.<=) $2 ORDER BY 1 USING OPERATOR(pg_catalog.>) LIMIT 1)",
               table.id, table.from, table.id, table.id, table.id, table.from, table.id, table.id),
      2, types, values);
  bool is_null = false;
  const Datum first = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
  if (!is_null) {
    const Datum last = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &is_null);
    PutBuckets(fcinfo, table, times,
               BucketsFor(times.Of(first), times.Of(last), times.TickUs(), most));
  }
  SPI_finish();
  return Datum{0};
}

}  // extern "C"

}  // namespace idgen::pg

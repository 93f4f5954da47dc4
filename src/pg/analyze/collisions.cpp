// idgen_find_collisions(): IDs that are in more than one of several tables, which may be on several
// servers. Equal IDs are the exception, so what travels is not the IDs:
//
//   1. Each table says how many IDs of each identity it has. Two IDs of different identities
//   differ, so
//      only identities that several tables have are looked at further. In a fleet without a mistake
//      there are none.
//   2. Each table but the largest makes a digest of those IDs, where it is.
//   3. Each table finds its IDs that may be in a digest of a smaller one. These suspects travel.
//   4. Each table is asked which of the others' suspects it has. The answers are exact.
//
// A query on a foreign table is made so that postgres_fdw can leave all of it to the other server,
// if the server's option "extensions" names idgen. Wherever the queries run, the result is the
// same.
#include "relation.h"

#include <algorithm>
#include <span>

#include "analysis.h"
#include "core/id128.h"
#include "core/layout.h"
#include "digest.h"
#include "errors.h"
#include "layout_value.h"
#include "row.h"
#include "uuid.h"

namespace idgen::pg {

namespace {

// More identities than this are not worth their own transfer.
constexpr std::uint64_t kMostCounted = 100'000;
// A query is a text, which PostgreSQL limits to a gigabyte; and it lies in memory several times.
constexpr std::size_t kMostDigestBytes = std::size_t{128} << 20;
constexpr std::size_t kMostLookups = 100'000;

// Grows without a destructor: its memory is the caller's context's.
template <typename T>
class Rows {
 public:
  void Add(const T& element) {
    if (size_ == room_) {
      room_ = room_ == 0 ? 1024 : 2 * room_;
      const std::size_t bytes = room_ * sizeof(T);
      all_ = static_cast<T*>(all_ == nullptr ? MemoryContextAllocHuge(memory_, bytes)
                                             : repalloc_huge(all_, bytes));
    }
    all_[size_++] = element;
  }
  [[nodiscard]] std::span<T> all() const { return {all_, size_}; }

 private:
  T* all_ = nullptr;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
  MemoryContext memory_ = CurrentMemoryContext;
};

struct Table {
  IdColumn column;
  int place;  // in the caller's list
  int64 ids;  // of identities that several tables have
  Datum digest;
};

// An identity in a table, or an ID in a table.
struct IdentityCount {
  int64 who;
  int64 ids;
  std::size_t table;
};
struct Place {
  Id128 id;
  std::size_t table;
};

struct Search {
  std::span<Table> tables;
  const char* schema;
  Oid digest_type;
  Oid type;            // of the IDs
  std::uint64_t mask;  // of the identity's bits
  bool has_filter;     // only IDs of some identities are looked at
  Datum filter;        // those identities
  float8 error_rate;
  int64 suspects = 0;
  int64 bytes = 0;
};

// --- Values -------------------------------------------------------------------------------------

Datum ValueOf(std::uint64_t row, int column) {
  bool is_null = false;
  const Datum value =
      SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);
  return is_null ? Datum{0} : value;
}

Id128 IdOf(Oid type, Datum value) {
  if (type == UUIDOID) return LoadBytes(DatumGetUUIDP(value)->data);
  return {0, static_cast<std::uint64_t>(DatumGetInt64(value))};
}
Datum DatumOf(Oid type, Id128 id) {
  return type == UUIDOID ? UuidDatum(id) : Int64GetDatum(static_cast<int64>(id.low));
}

Datum ArrayOf(Oid type, Datum* values, std::size_t count) {
  int16 length = 0;
  bool by_value = false;
  char alignment = 0;
  get_typlenbyvalalign(type, &length, &by_value, &alignment);
  return PointerGetDatum(
      construct_array(values, static_cast<int>(count), type, length, by_value, alignment));
}

// Returns a condition on the identity, with the parameter of this number.
const char* FilterText(const Search& search, const Table& table, int parameter) {
  if (!search.has_filter) return "true";
  return psprintf(
      "(t.%s OPERATOR(pg_catalog.&) '%lld'::pg_catalog.int8) OPERATOR(pg_catalog.=) "
      "ANY ($%d)",
      table.column.id, static_cast<long long>(search.mask), parameter);
}

// --- Which tables -------------------------------------------------------------------------------

// Whether the server of a foreign table is told that it has idgen too.
bool IsLeftToServer(Oid relation) {
  const ForeignServer* const server = GetForeignServer(GetForeignTable(relation)->serverid);
  for (int i = 0; i < list_length(server->options); ++i) {
    auto* const option = static_cast<DefElem*>(list_nth(server->options, i));
    if (strcmp(option->defname, "extensions") != 0) continue;
    List* names = nullptr;
    if (!SplitIdentifierString(pstrdup(defGetString(option)), ',', &names)) return false;
    for (int n = 0; n < list_length(names); ++n) {
      if (strcmp(static_cast<const char*>(list_nth(names, n)), "idgen") == 0) return true;
    }
  }
  return false;
}

void WarnOfTransfer(const IdColumn& column) {
  if (column.kind != RELKIND_FOREIGN_TABLE || IsLeftToServer(column.oid)) return;
  ereport(WARNING,
          (errmsg("IDs of foreign table \"%s\" will be transferred", column.name),
           errdetail("Its server is not known to have idgen, which makes digests."),
           errhint("If it has, say so: ALTER SERVER ... OPTIONS (ADD extensions 'idgen').")));
}

std::span<Table> TablesOf(ArrayType* array, const char* column) {
  Datum* oids = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(array, REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT, &oids, &nulls, &count);
  if (count < 2) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("there must be at least two relations to compare")));
  }
  const std::span tables(
      static_cast<Table*>(palloc0(static_cast<std::size_t>(count) * sizeof(Table))),
      static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    if (nulls[i]) {
      ereport(ERROR,
              (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a relation must not be null")));
    }
    Table& table = tables[static_cast<std::size_t>(i)];
    table.place = i;
    table.column = FindIdColumn(DatumGetObjectId(oids[i]), column);
    for (const Table& other : tables.first(static_cast<std::size_t>(i))) {
      if (other.column.oid == table.column.oid) {
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("relation \"%s\" is named twice", table.column.name)));
      }
    }
    if (table.column.type != tables[0].column.type) {
      ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                      errmsg("columns \"%s\" of \"%s\" and \"%s\" are of different types", column,
                             tables[0].column.name, table.column.name)));
    }
    WarnOfTransfer(table.column);
  }
  return tables;
}

// --- 1. Identities ------------------------------------------------------------------------------

// Counts a table's IDs by identity. Returns false if there are too many identities.
bool CountIdentities(const Search& search, std::size_t number, Rows<IdentityCount>& counts) {
  const Table& table = search.tables[number];
  const std::uint64_t rows =
      Query(psprintf("SELECT t.%s OPERATOR(pg_catalog.&) '%lld'::pg_catalog.int8, "
                     "pg_catalog.count(*) FROM %s t WHERE t.%s IS NOT NULL GROUP BY 1 LIMIT %llu",
                     table.column.id, static_cast<long long>(search.mask), table.column.from,
                     table.column.id, static_cast<unsigned long long>(kMostCounted) + 1),
            0, nullptr, nullptr);
  if (rows > kMostCounted) return false;
  for (std::uint64_t i = 0; i < rows; ++i) {
    counts.Add({DatumGetInt64(ValueOf(i, 1)), DatumGetInt64(ValueOf(i, 2)), number});
  }
  SPI_freetuptable(SPI_tuptable);
  return true;
}

void CountAll(Table& table) {
  Query(psprintf("SELECT pg_catalog.count(t.%s) FROM %s t", table.column.id, table.column.from), 0,
        nullptr, nullptr);
  table.ids = DatumGetInt64(ValueOf(0, 1));
  SPI_freetuptable(SPI_tuptable);
}

// Sets the filter to the identities that several tables have, and counts the IDs behind it.
void FilterIdentities(Search& search) {
  Rows<IdentityCount> counts;
  search.has_filter = search.type == INT8OID;
  for (std::size_t i = 0; search.has_filter && i < search.tables.size(); ++i) {
    search.has_filter = CountIdentities(search, i, counts);
  }
  if (!search.has_filter) {
    for (Table& table : search.tables) CountAll(table);
    return;
  }
  const std::span<IdentityCount> all = counts.all();
  std::sort(all.begin(), all.end(),
            [](const IdentityCount& a, const IdentityCount& b) { return a.who < b.who; });
  auto* const shared = static_cast<Datum*>(palloc((all.size() + 1) * sizeof(Datum)));
  std::size_t count = 0;
  for (std::size_t i = 0, end = 0; i < all.size(); i = end) {
    for (end = i; end < all.size() && all[end].who == all[i].who;) ++end;
    if (end - i < 2) continue;
    shared[count++] = Int64GetDatum(all[i].who);
    for (const IdentityCount& found : all.subspan(i, end - i)) {
      search.tables[found.table].ids += found.ids;
    }
  }
  search.filter = ArrayOf(INT8OID, shared, count);
}

// --- 2. Digests, 3. suspects, 4. answers --------------------------------------------------------

// The IDs, of the type itself. If they were of a domain, a function that somebody has put into our
// schema for that domain would fit better than ours.
const char* ExactId(const Table& table) {
  return psprintf("t.%s::pg_catalog.%s", table.column.id,
                  table.column.type == INT8OID ? "int8" : "uuid");
}

void MakeDigest(Search& search, Table& table) {
  Oid types[] = {INT8OID, FLOAT8OID, INT8ARRAYOID};
  Datum values[] = {Int64GetDatum(table.ids), Float8GetDatum(search.error_rate), search.filter};
  // What is wrong with the numbers is reported here, not by another server.
  DigestShapeFor(table.ids, search.error_rate);
  Query(psprintf("SELECT %s.idgen_bloom_agg(%s, $1, $2) FROM %s t WHERE %s", search.schema,
                 ExactId(table), table.column.from, FilterText(search, table, 3)),
        search.has_filter ? 3 : 2, types, values);
  const Datum digest = ValueOf(0, 1);
  // Rows may have gone meanwhile.
  if (digest != Datum{0}) {
    table.digest = PointerGetDatum(palloc(VARSIZE_ANY(DatumGetPointer(digest))));
    memcpy(DatumGetPointer(table.digest), DatumGetPointer(digest),
           VARSIZE_ANY(DatumGetPointer(digest)));
    search.bytes += static_cast<int64>(VARSIZE_ANY(DatumGetPointer(digest)));
  }
  SPI_freetuptable(SPI_tuptable);
}

// Adds the IDs of a table that may be in some digests.
void FindSuspects(Search& search, std::size_t number, std::span<const Datum> digests,
                  Rows<Place>& found) {
  const Table& table = search.tables[number];
  const std::size_t count = digests.size() + 1;
  auto* const types = static_cast<Oid*>(palloc(count * sizeof(Oid)));
  auto* const values = static_cast<Datum*>(palloc(count * sizeof(Datum)));
  types[0] = INT8ARRAYOID;
  values[0] = search.filter;
  StringInfoData in_digests;
  initStringInfo(&in_digests);
  for (std::size_t i = 1; i < count; ++i) {
    types[i] = search.digest_type;
    values[i] = digests[i - 1];
    search.bytes += static_cast<int64>(VARSIZE_ANY(DatumGetPointer(values[i])));
    appendStringInfo(&in_digests, "%s%s.idgen_bloom_contains($%d, %s)", i > 1 ? " OR " : "",
                     search.schema, static_cast<int>(i + 1), ExactId(table));
  }
  if (!search.has_filter) values[0] = ArrayOf(INT8OID, nullptr, 0);
  const std::uint64_t rows =
      Query(psprintf("SELECT t.%s FROM %s t WHERE %s AND (%s)", table.column.id, table.column.from,
                     FilterText(search, table, 1), in_digests.data),
            static_cast<int>(count), types, values);
  for (std::uint64_t i = 0; i < rows; ++i) {
    found.Add({IdOf(search.type, ValueOf(i, 1)), number});
  }
  search.suspects += static_cast<int64>(rows);
  SPI_freetuptable(SPI_tuptable);
}

// Asks a table for the digests of all smaller ones, some at a time.
void FindSuspectsOf(Search& search, std::size_t number, Rows<Place>& found) {
  auto* const digests = static_cast<Datum*>(palloc((number + 1) * sizeof(Datum)));
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < number; ++i) {
    const Datum digest = search.tables[i].digest;
    if (digest == Datum{0}) continue;
    const std::size_t size = VARSIZE_ANY(DatumGetPointer(digest));
    if (count > 0 && bytes + size > kMostDigestBytes) {
      FindSuspects(search, number, {digests, count}, found);
      count = bytes = 0;
    }
    digests[count++] = digest;
    bytes += size;
  }
  if (count > 0) FindSuspects(search, number, {digests, count}, found);
}

// Adds which of the suspects a table has. They are of larger tables.
void LookUp(Search& search, std::size_t number, std::span<const Place> suspects,
            Rows<Place>& found) {
  const Table& table = search.tables[number];
  auto* const values = static_cast<Datum*>(palloc(kMostLookups * sizeof(Datum)));
  for (std::size_t at = 0; at < suspects.size();) {
    CHECK_FOR_INTERRUPTS();
    std::size_t count = 0;
    for (; at < suspects.size() && count < kMostLookups; ++at) {
      if (suspects[at].table > number) values[count++] = DatumOf(search.type, suspects[at].id);
    }
    if (count == 0) break;
    Oid types[] = {get_array_type(search.type)};
    Datum array[] = {ArrayOf(search.type, values, count)};
    const std::uint64_t rows =
        Query(psprintf("SELECT t.%s FROM %s t WHERE t.%s OPERATOR(pg_catalog.=) ANY ($1)",
                       table.column.id, table.column.from, table.column.id),
              1, types, array);
    for (std::uint64_t i = 0; i < rows; ++i) {
      found.Add({IdOf(search.type, ValueOf(i, 1)), number});
    }
    SPI_freetuptable(SPI_tuptable);
    pfree(DatumGetPointer(array[0]));
  }
  pfree(values);
}

// --- The result ---------------------------------------------------------------------------------

void PutCollisions(FunctionCallInfo fcinfo, const Search& search, std::span<Place> places) {
  const auto place_of = [&search](const Place& place) { return search.tables[place.table].place; };
  std::sort(places.begin(), places.end(), [&place_of](const Place& a, const Place& b) {
    if (a.id.high != b.id.high) return a.id.high < b.id.high;
    if (a.id.low != b.id.low) return a.id.low < b.id.low;
    return place_of(a) < place_of(b);
  });
  auto* const relations = static_cast<Datum*>(palloc((search.tables.size() + 1) * sizeof(Datum)));
  for (std::size_t i = 0, end = 0; i < places.size(); i = end) {
    std::size_t count = 0;
    for (end = i; end < places.size() && places[end].id == places[i].id; ++end) {
      // Once for each table, however often it has the ID.
      if (end > i && places[end].table == places[end - 1].table) continue;
      relations[count++] = ObjectIdGetDatum(search.tables[places[end].table].column.oid);
    }
    if (count < 2) continue;
    const Datum id = DatumOf(search.type, places[i].id);
    PutRow(fcinfo, {{id, search.type != INT8OID},
                    {id, search.type != UUIDOID},
                    ArrayOf(REGCLASSOID, relations, count)});
  }
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_find_collisions);

// Arguments: relations, column_name, layout, error_rate.
Datum idgen_find_collisions(PG_FUNCTION_ARGS) {
  Search search{};
  search.tables = TablesOf(PG_GETARG_ARRAYTYPE_P(0), NameStr(*PG_GETARG_NAME(1)));
  const Layout layout = LoadLayout(StoredArgument(fcinfo, 2));
  search.mask = IdentityMask(layout);
  const float8 error_rate = PG_GETARG_FLOAT8(3);
  DigestShapeFor(1, error_rate);
  // Each suspect costs the same, whichever digest it is in.
  search.error_rate = error_rate / static_cast<double>(search.tables.size() - 1);
  search.type = search.tables[0].column.type;
  search.schema = SchemaOf(fcinfo);
  InitMaterializedSRF(fcinfo, 0);

  SPI_connect();
  search.digest_type =
      GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("idgen_bloom"),
                      ObjectIdGetDatum(get_func_namespace(fcinfo->flinfo->fn_oid)));
  FilterIdentities(search);
  // The largest table makes no digest, and the others' travel to fewer places the smaller they are.
  std::sort(search.tables.begin(), search.tables.end(), [](const Table& a, const Table& b) {
    return a.ids != b.ids ? a.ids < b.ids : a.place < b.place;
  });
  Rows<Place> found;
  const std::size_t count = search.tables.size();
  int64 ids = 0;
  for (std::size_t i = 0; i < count; ++i) {
    ids += search.tables[i].ids;
    if (search.tables[i].ids == 0) continue;
    FindSuspectsOf(search, i, found);
    if (i + 1 < count) MakeDigest(search, search.tables[i]);
  }
  Rows<Place> answers;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    if (search.tables[i].digest != Datum{0}) LookUp(search, i, found.all(), answers);
  }
  for (const Place& answer : answers.all()) found.Add(answer);
  PutCollisions(fcinfo, search, found.all());
  SPI_finish();
  ereport(NOTICE, (errmsg("compared %lld IDs by %lld bytes of digests and %lld suspects",
                          static_cast<long long>(ids), static_cast<long long>(search.bytes),
                          static_cast<long long>(search.suspects))));
  return Datum{0};
}

}  // extern "C"

}  // namespace idgen::pg

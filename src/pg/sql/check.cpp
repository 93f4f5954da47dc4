// idgen_check_identity(): finds out whether another server makes IDs with an identity of this one,
// from the rows of a table that both write to.
//
// Two things reveal such a server:
//
//   - Rows that were inserted by replication: none may have an identity that this server uses. The
//     origin of a transaction is known if track_commit_timestamp is on. A row tells only the
//     transaction of its last change, so a row that this server made and another one updated has
//     the other one's origin. PostgreSQL's tables distinguish an update from an insertion, and
//     updates are left out.
//   - IDs that are later than this server's position in their ID space, since this server makes all
//     of that space's IDs. This needs no setting, but finds only a server that is ahead at this
//     moment.
//
// The nodes of a Citus cluster are also asked for their identities.
#include "pg.h"

#include <algorithm>
#include <span>

#include "callsite.h"
#include "citus.h"
#include "errors.h"
#include "named_relation.h"
#include "row.h"
#include "start_over.h"
#include "take.h"
#include "test_clock.h"
#include "core/mark.h"

namespace idgen::pg {

namespace {

// What the table contains of one identity, and how the identity relates to this server.
struct Found {
  bool of_layout;  // false: the numbers that are no IDs of the layout, whatever their bits
  std::uint64_t identity_bits;
  int64 ids;
  int64 first;
  int64 last;
  int64 replicated;  // rows whose last change came by replication; -1: not known
  bool own;
  int64 own_last;  // this server made nothing later
  bool came;       // a row was inserted by replication
};

constexpr long kRowsAtOnce = 1000;

// What is checked, and how queries name it.
struct Check {
  const Layout* layout;
  std::uint64_t identity_mask;
  int64 from;         // IDs below it are ignored
  const char* table;  // quoted, with its schema
  bool is_local;      // rows have PostgreSQL's system columns
  const char* id;     // quoted
};

// Locks the table until the end of the transaction, so that its name and columns stay.
void OpenTable(Oid relation, const char* column, Check& check) {
  const NamedRelation table = LockForReading(relation);
  if (table.kind != RELKIND_RELATION && table.kind != RELKIND_PARTITIONED_TABLE) {
    ereport(ERROR,
            (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table", table.name)));
  }
  if (TypeOfColumn(table, column) != INT8OID) {
    ereport(ERROR,
            (errcode(ERRCODE_DATATYPE_MISMATCH),
             errmsg("column \"%s\" of relation \"%s\" is not a bigint", column, table.name)));
  }
  check.table = table.from;
  check.id = quote_identifier(column);
}

// Returns the smallest ID to look at.
int64 FirstIdSince(const Layout& layout, TimestampTz since) {
  if (TIMESTAMP_IS_NOBEGIN(since)) return PG_INT64_MIN;
  std::int64_t since_us = 0;
  if (!FromTimestamp(since, since_us)) since_us = PG_INT64_MAX;
  const std::int64_t tick = std::max<std::int64_t>(layout.TickAt(since_us), 0);
  return layout.MinId(std::min(AsField(tick), layout.MaxTick()));
}

// Every name and operator in the queries is PostgreSQL's own, whatever the search_path is.

// Rows of a partition that is a foreign table have no transaction.
constexpr char kCameByReplication[] =
    "CASE WHEN t.xmin OPERATOR(pg_catalog.=) '0'::pg_catalog.xid THEN false ELSE "
    "(pg_catalog.pg_xact_commit_timestamp_origin(t.xmin)).roident OPERATOR(pg_catalog.<>) "
    "'0'::pg_catalog.oid END";

char* IdentitiesQuery(const Check& check) {
  const char* const replicated =
      track_commit_timestamp && check.is_local
          ? psprintf("pg_catalog.count(*) FILTER (WHERE %s)", kCameByReplication)
          : "'-1'::pg_catalog.int8";
  return psprintf(
      "SELECT CASE WHEN t.%s OPERATOR(pg_catalog.>=) '0'::pg_catalog.int8 AND "
      "t.%s OPERATOR(pg_catalog.<=) '%llu'::pg_catalog.int8 "
      "THEN t.%s OPERATOR(pg_catalog.&) '%llu'::pg_catalog.int8 END, "
      "pg_catalog.count(*), pg_catalog.min(t.%s), pg_catalog.max(t.%s), %s "
      "FROM %s t WHERE t.%s OPERATOR(pg_catalog.>=) $1 GROUP BY 1 ORDER BY 1",
      check.id, check.id, static_cast<unsigned long long>(check.layout->MaxId()), check.id,
      static_cast<unsigned long long>(check.identity_mask), check.id, check.id, replicated,
      check.table, check.id);
}

// Finds the rows of some identities that came by replication, and their places.
char* ReplicatedRowsQuery(const Check& check) {
  return psprintf(
      "SELECT t.%s, t.tableoid, t.ctid FROM %s t WHERE t.%s OPERATOR(pg_catalog.>=) $1 "
      "AND (t.%s OPERATOR(pg_catalog.&) '%llu'::pg_catalog.int8) OPERATOR(pg_catalog.=) ANY ($2) "
      "AND %s",
      check.id, check.table, check.id, check.id,
      static_cast<unsigned long long>(check.identity_mask), kCameByReplication);
}

// Returns a column of a row that a query returned; 0 if it is NULL.
Datum ColumnOf(HeapTuple row, int number) {
  bool is_null = false;
  const Datum value = SPI_getbinval(row, SPI_tuptable->tupdesc, number, &is_null);
  return is_null ? Datum{0} : value;
}

// Reads the table with the caller's rights and snapshot. Returns all identities in order; the
// numbers that are no IDs come last. It uses no cursor, which would prevent a parallel plan.
std::span<Found> ReadIdentities(const Check& check) {
  MemoryContext caller = CurrentMemoryContext;
  Oid types[] = {INT8OID};
  Datum values[] = {Int64GetDatum(check.from)};
  SPI_connect();
  const int result =
      SPI_execute_with_args(IdentitiesQuery(check), 1, types, values, nullptr, true, 0);
  if (result != SPI_OK_SELECT) {
    elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
  }
  const std::size_t count = SPI_processed;
  const std::span all(static_cast<Found*>(MemoryContextAllocExtended(caller, count * sizeof(Found),
                                                                     MCXT_ALLOC_HUGE)),
                      count);
  for (std::size_t i = 0; i < count; ++i) {
    HeapTuple row = SPI_tuptable->vals[i];
    Found& found = all[i];
    found = {};
    found.of_layout = !HeapTupleHasNulls(row);
    found.identity_bits = AsField(DatumGetInt64(ColumnOf(row, 1)));
    found.ids = DatumGetInt64(ColumnOf(row, 2));
    found.first = DatumGetInt64(ColumnOf(row, 3));
    found.last = DatumGetInt64(ColumnOf(row, 4));
    found.replicated = DatumGetInt64(ColumnOf(row, 5));
  }
  SPI_finish();
  return all;
}

// Fills in what this server knows about an identity. It is the server's own if the server uses it
// now, or has used it since its start and not only for IDs below those that are checked. Call it
// after taking the snapshot of the rows, so that later IDs of other sessions are not taken for
// another server's.
void LookUpOwn(const Handle& handle, const Check& check, Found& found) {
  const Layout& layout = *check.layout;
  const std::uint64_t start = PositionLimit(
      layout,
      FloorOf(layout.Has(FieldKind::kMachine)
                  ? static_cast<std::int64_t>(layout[FieldKind::kMachine].Get(found.identity_bits))
                  : kNoMachine));
  std::uint64_t position = start > 0 ? start - 1 : 0;
  bool used = false;
  const Slot* slot = FindSlot(SlotKeyOf(layout, found.identity_bits));
  if (slot != nullptr) {
    const std::uint64_t last = LoadPosition(slot->position);
    used = last > 0 && last >= LoadShared(slot->start);
    position = std::max(position, last);
  }
  found.own_last = layout.Compose(std::min(position, layout.MaxPosition()), found.identity_bits);
  // A slot that serves several shards does not tell which of them were used.
  if (layout[FieldKind::kShard].bits > kMostShardBits) used = false;
  const bool configured =
      handle.space != nullptr && handle.space->identity_bits == found.identity_bits;
  found.own = configured || (used && found.own_last >= check.from);
}

// Whether this version of a row is the first. PostgreSQL's tables mark the others. With another
// table access method every version counts as the first, in a foreign table none.
bool IsFirstVersion(Oid relation, ItemPointer place) {
  Relation table = table_open(relation, AccessShareLock);
  TupleTableSlot* slot = table_slot_create(table, nullptr);
  bool first = false;
  if (table->rd_tableam != nullptr &&
      table_tuple_fetch_row_version(table, place, GetActiveSnapshot(), slot)) {
    bool copied = false;
    HeapTuple tuple = ExecFetchSlotHeapTuple(slot, false, &copied);
    first = (tuple->t_data->t_infomask & HEAP_UPDATED) == 0;
    if (copied) heap_freetuple(tuple);
  }
  ExecDropSingleTupleTableSlot(slot);
  table_close(table, NoLock);
  return first;
}

// Returns what was found about an identity; nullptr if nothing was.
Found* FindIdentity(std::span<Found> all, std::uint64_t identity_bits) {
  const auto found = std::lower_bound(
      all.begin(), all.end(), identity_bits, [](const Found& candidate, std::uint64_t wanted) {
        return candidate.of_layout && candidate.identity_bits < wanted;
      });
  const bool there =
      found != all.end() && found->of_layout && found->identity_bits == identity_bits;
  return there ? &*found : nullptr;
}

// Notes which own identities have a row that was inserted by replication.
void FindInsertions(const Check& check, std::span<Found> all) {
  auto* suspects = static_cast<Datum*>(palloc(all.size() * sizeof(Datum)));
  int left = 0;
  for (const Found& found : all) {
    if (found.own && found.replicated > 0) {
      suspects[left++] = Int64GetDatum(static_cast<int64>(found.identity_bits));
    }
  }
  if (left == 0) return;
  Oid types[] = {INT8OID, INT8ARRAYOID};
  Datum values[] = {Int64GetDatum(check.from),
                    PointerGetDatum(construct_array(suspects, left, INT8OID, sizeof(int64),
                                                    FLOAT8PASSBYVAL, TYPALIGN_DOUBLE))};
  SPI_connect();
  Portal rows = SPI_cursor_open_with_args(nullptr, ReplicatedRowsQuery(check), 2, types, values,
                                          nullptr, true, 0);
  // The first such row of each identity is enough.
  while (left > 0) {
    SPI_cursor_fetch(rows, true, kRowsAtOnce);
    if (SPI_processed == 0) break;
    for (std::uint64_t i = 0; i < SPI_processed; ++i) {
      HeapTuple row = SPI_tuptable->vals[i];
      const std::uint64_t id = AsField(DatumGetInt64(ColumnOf(row, 1)));
      if (id > check.layout->MaxId()) continue;
      Found* found = FindIdentity(all, id & check.identity_mask);
      if (found == nullptr || found->came) continue;
      found->came =
          IsFirstVersion(DatumGetObjectId(ColumnOf(row, 2)),
                         reinterpret_cast<ItemPointer>(DatumGetPointer(ColumnOf(row, 3))));
      if (found->came) --left;
    }
    SPI_freetuptable(SPI_tuptable);
  }
  SPI_cursor_close(rows);
  SPI_finish();
}

const char* ProblemOf(const Found& found) {
  if (!found.of_layout) return "not IDs of this layout";
  if (!found.own) return nullptr;
  if (found.came) return "rows with this server's identity came from another server";
  if (found.last > found.own_last) {
    return "IDs with this server's identity are later than any it made";
  }
  return nullptr;
}

void PutFound(FunctionCallInfo fcinfo, const Layout& layout, const Found& found) {
  const Identity identity = layout.Parse(found.identity_bits).identity;
  const auto part = [&](FieldKind kind, std::uint64_t value) {
    return Column{Int32GetDatum(static_cast<int32>(value)), !found.of_layout || !layout.Has(kind)};
  };
  PutRow(fcinfo, {part(FieldKind::kDatacenter, identity.datacenter),
                  part(FieldKind::kMachine, identity.machine),
                  part(FieldKind::kShard, identity.shard),
                  {Int64GetDatum(found.ids)},
                  {Int64GetDatum(found.first)},
                  {Int64GetDatum(found.last)},
                  {BoolGetDatum(found.own)},
                  {Int64GetDatum(found.replicated), found.replicated < 0},
                  TextOrNull(ProblemOf(found))});
}

// Adds a row about an identity that several nodes of a Citus cluster have. It describes no rows.
void PutSharedIdentity(FunctionCallInfo fcinfo, const SharedIdentity& shared) {
  Column parts[] = {kNull, kNull, kNull};
  const char* field = shared.identity;
  for (Column& part : parts) {
    if (*field == '\0') break;
    if (*field != '-') part = {Int32GetDatum(static_cast<int32>(strtol(field, nullptr, 10)))};
    field += strcspn(field, " ");
    field += strspn(field, " ");
  }
  PutRow(fcinfo,
         {parts[0],
          parts[1],
          parts[2],
          kNull,
          kNull,
          kNull,
          {BoolGetDatum(shared.own)},
          kNull,
          TextOrNull(psprintf("nodes %s of the Citus cluster have this identity", shared.nodes))});
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_check_identity);
IDGEN_SQL_FUNCTION(idgen_get_identity);

Datum idgen_check_identity(PG_FUNCTION_ARGS) {
  Handle& handle = HandleOf(ShortTextArgument(fcinfo, 2));
  if (RecoveryInProgress()) ReportRecovery("check identities");
  if (TestClockIsOn()) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("cannot check identities while a test clock is on"),
                    errhint("Reset idgen.test_clock.")));
  }
  InitMaterializedSRF(fcinfo, 0);

  Check check{};
  OpenTable(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)), check);
  check.is_local = !IsCitusTable(PG_GETARG_OID(0));
  while (!IsPrepared(handle)) PrepareHandle(handle);
  const Layout& layout = handle.layout();
  check.layout = &layout;
  for (const IdentityField& field : kIdentityFields) {
    const Field& place = layout[field.kind];
    if (layout.Has(field.kind)) check.identity_mask |= place.Put(place.Largest());
  }
  check.from = FirstIdSince(layout, PG_GETARG_TIMESTAMPTZ(3));
  // IDs of layouts that the generator had before show identities elsewhere.
  check.from = std::max(check.from, FirstIdOfStage(handle));

  const std::span<Found> all = ReadIdentities(check);
  // Invalidations that the query processed may have changed the generator's identity.
  while (!IsPrepared(handle)) PrepareHandle(handle);
  for (Found& found : all) {
    if (found.of_layout) LookUpOwn(handle, check, found);
  }
  FindInsertions(check, all);
  for (const Found& found : all) PutFound(fcinfo, layout, found);
  const char* const schema = get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid));
  const List* shared = SharedIdentities(schema, handle.name);
  for (int i = 0; i < list_length(shared); ++i) {
    PutSharedIdentity(fcinfo, *static_cast<const SharedIdentity*>(list_nth(shared, i)));
  }
  return Datum{0};
}

// Returns the identity that idgen_check_identity() asks each node of a Citus cluster for.
Datum idgen_get_identity(PG_FUNCTION_ARGS) {
  const GeneratorDefinition generator = FindGenerator(ShortTextArgument(fcinfo, 0));
  PG_RETURN_TEXT_P(cstring_to_text(IdentityText(generator)));
}

}  // extern "C"

}  // namespace idgen::pg

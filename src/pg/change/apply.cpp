// Gives the generators of all databases the layouts that they have in the scheme. One process goes
// through the databases and starts another one in each, since a process can connect to one only.
//
// Nothing rests on their being in time: a session is fenced where its database and the scheme
// differ (session/scheme_fence.h).
#include "change.h"

#include "core/clock.h"
#include "errors.h"
#include "process.h"
#include "scheme.h"
#include "succession_text.h"

namespace idgen::pg {

namespace {

constexpr WorkerKind kInDatabase{"idgen scheme worker", "idgen_scheme_database_worker",
                                 "apply the scheme to a database"};

constexpr int kTries = 10;
constexpr long kPauseMs = 500;

// Returns the databases that can be connected to, as a list of OIDs in TopMemoryContext.
List* Databases() {
  List* all = NIL;
  StartTransactionCommand();
  Relation relation = table_open(DatabaseRelationId, AccessShareLock);
  TableScanDesc scan = table_beginscan_catalog(relation, 0, nullptr);
  for (HeapTuple row; (row = heap_getnext(scan, ForwardScanDirection)) != nullptr;) {
    const auto* const database = reinterpret_cast<Form_pg_database>(GETSTRUCT(row));
    // -2: its creation or removal was interrupted.
    if (!database->datallowconn || database->datconnlimit == -2) continue;
    MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
    all = lappend_oid(all, database->oid);
    MemoryContextSwitchTo(caller);
  }
  table_endscan(scan);
  table_close(relation, AccessShareLock);
  CommitTransactionCommand();
  return all;
}

// Returns false if no process is free.
bool ApplyIn(Oid database) {
  BackgroundWorkerHandle* const process = StartTask(kInDatabase, ObjectIdGetDatum(database));
  if (process == nullptr) return false;
  (void)WaitForBackgroundWorkerShutdown(process);
  return true;
}

void Pause() {
  (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kPauseMs,
                  PG_WAIT_EXTENSION);
  ResetLatch(MyLatch);
  CHECK_FOR_INTERRUPTS();
}

void Become() {
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
}

// Whether a generator has a layout from an instant on, or later, whose time has come: IDs of it may
// exist.
bool HasLived(const Succession& layouts, std::int64_t from_us) {
  const std::int64_t now_us = WallClockUs();
  for (std::size_t stage = 1; stage < layouts.count; ++stage) {
    if (layouts.SinceOf(stage) >= from_us && layouts.SinceOf(stage) <= now_us) return true;
  }
  return false;
}

// Whether a generator once had these layouts in the scheme. Then they were called off by an
// agreement, by which nobody has made or makes an ID of them from the first instant on at which
// they differ from what came after (core/scheme.h).
bool WasInScheme(const char* name, const Succession& layouts) {
  bool was = false;
  WithRegistry([&](RegistryAccess& access) {
    ListCell* cell;
    foreach (cell, VersionsOfScheme(access, registry::kAllSchemes)) {
      const char* const text = static_cast<const SchemeVersion*>(lfirst(cell))->text;
      const SchemeEntry entry = FindInScheme(text, SchemeKind::kGenerator, name);
      was = was || (!entry.value.empty() && LayoutsOfScheme(entry) == layouts);
    }
  });
  return was;
}

// Gives a generator the layouts of the scheme, if none that it may have used is taken from it.
void AlterTo(const Named& named, const Succession& layouts) {
  const Succession ours = LayoutsOf(named.definition);
  const std::int64_t from_us = FirstDifference(ours, layouts);
  if (from_us == kNever) return;
  const char* const database = get_database_name(MyDatabaseId);
  if (from_us == std::numeric_limits<std::int64_t>::min() ||
      (HasLived(ours, from_us) && !WasInScheme(named.name, ours))) {
    ereport(LOG, (errmsg("generator \"%s\" of database \"%s\" is another one than in the scheme",
                         named.name, database),
                  errdetail("Here: %s. In the scheme: %s.", SuccessionText(ours),
                            SuccessionText(layouts)),
                  errhint("It makes no IDs of a time for which they differ.")));
    return;
  }
  SetLayoutsOf(named, layouts);
  ereport(LOG, (errmsg("generator \"%s\" of database \"%s\" has the layouts of the scheme now",
                       named.name, database),
                errdetail("%s", SuccessionText(layouts))));
}

// Alters one generator, in a transaction of its own. An error is told to the log.
void Alter(const SchemeEntry& entry) {
  MemoryContext caller = CurrentMemoryContext;
  PG_TRY();
  {
    StartTransactionCommand();
    PushActiveSnapshot(GetTransactionSnapshot());
    const Named* const named = FindNamed(entry.name);
    if (named != nullptr && named->kind == NameKind::kGenerator && !named->flaw &&
        OidIsValid(named->owner)) {
      AlterTo(*named, LayoutsOfScheme(entry));
    }
    PopActiveSnapshot();
    CommitTransactionCommand();
  }
  PG_CATCH();
  {
    MemoryContextSwitchTo(caller);
    EmitErrorReport();
    FlushErrorState();
    AbortCurrentTransaction();
  }
  PG_END_TRY();
  MemoryContextSwitchTo(caller);
}

extern "C" {

PGDLLEXPORT void idgen_scheme_worker(Datum);
PGDLLEXPORT void idgen_scheme_database_worker(Datum);

void idgen_scheme_worker(Datum) {
  Become();
  BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
  List* const databases = Databases();
  ListCell* cell;
  foreach (cell, databases) {
    int tries = 0;
    while (!ApplyIn(lfirst_oid(cell))) {
      if (++tries == kTries) {
        ereport(LOG, (errmsg("no background worker is free to apply the scheme to the databases"),
                      errhint("Raise max_worker_processes.")));
        proc_exit(0);
      }
      Pause();
    }
    CHECK_FOR_INTERRUPTS();
  }
  proc_exit(0);
}

void idgen_scheme_database_worker(Datum database) {
  Become();
  BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);
  // Whatever the database or its roles have set.
  SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);
  SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
  SetConfigOption("lock_timeout", "5s", PGC_SUSET, PGC_S_OVERRIDE);
  SetConfigOption("idgen.max_lease_wait", "10s", PGC_SUSET, PGC_S_OVERRIDE);
  const SchemeCopy copy = CopyScheme();
  SchemeReader reader(copy.text);
  for (SchemeEntry entry; reader.Next(entry);) {
    if (entry.kind == SchemeKind::kGenerator) Alter(entry);
  }
  proc_exit(0);
}

}  // extern "C"

}  // namespace

}  // namespace idgen::pg

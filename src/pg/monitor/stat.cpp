// The rows of the statistics views, and their reset.
#include "convert.h"
#include "core/clock.h"
#include "core/kernel_clock.h"
#include "identities.h"
#include "kernel_clock_text.h"
#include "layout_value.h"
#include "lease.h"
#include "row.h"
#include "settings.h"
#include "space_use.h"

namespace idgen::pg {

namespace {

// As for pg_sequences.last_value: what is made elsewhere is not everybody's to see. Counts are, as
// PostgreSQL's own are.
bool SeesAll() { return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS); }

Column Count(const std::uint64_t& word) {
  return {Int64GetDatum(static_cast<int64>(LoadShared(word)))};
}

// PostgreSQL's views have milliseconds.
Column Ms(std::int64_t us) { return {Float8GetDatum(static_cast<double>(us) / 1000)}; }
Column MsOf(const std::uint64_t& word_us) { return Ms(LoadSharedMs(word_us)); }

Column TimeSince1970(std::int64_t us) { return us != 0 ? TimeOrNull(us) : kNull; }

Column ResetTime() { return TimeSince1970(LoadWord(SharedRoot().stats.reset_us)); }

// --- ID spaces ---------------------------------------------------------------------------------

struct Space {
  IdSpaceKey key;
  Slot* slot;
};

void KeepSpace(void* context, const IdSpaceKey& key, Slot& slot) {
  auto* const space = static_cast<Space*>(palloc(sizeof(Space)));
  *space = {key, &slot};
  auto& spaces = *static_cast<List**>(context);
  spaces = lappend(spaces, space);
}

List* AllSpaces() {
  List* spaces = NIL;
  ForEachSlot(KeepSpace, &spaces);
  return spaces;
}

// Families by their numbers (session/handle.h).
constexpr const char* kFamilies[] = {"id", "uuid", "hlc"};

Layout LayoutOf(const Space& space) {
  Layout layout;
  layout.tick_us = space.key.tick_us;
  layout.epoch_us = space.key.epoch_us;
  layout.fields = StatsOf(*space.slot).fields;
  return layout;
}

void PutSpace(FunctionCallInfo fcinfo, const Space& space, bool sees_all, const Column& reset) {
  const SpaceStats& stats = StatsOf(*space.slot);
  const Layout layout = LayoutOf(space);
  const Identity identity = layout.Parse(space.key.identity_bits).identity;
  const auto part = [&layout](FieldKind kind, std::uint64_t value) {
    return Column{Int32GetDatum(static_cast<int32>(value)), !layout.Has(kind)};
  };
  const std::uint64_t last = LoadPosition(space.slot->position);
  const bool has_last = last > 0 && last >= LoadShared(space.slot->start);
  const std::int64_t last_us = layout.StartOfTick(last >> layout.SequenceBits());
  const bool is_uuid = space.key.family == 1;
  PutRow(
      fcinfo,
      {CStringGetTextDatum(kFamilies[space.key.family]),
       // IDs of 128 bits with a node are of no layout that the type could hold.
       layout.TotalBits() > kMostLayoutBits ? kNull : Column{PointerGetDatum(StoreLayout(layout))},
       part(FieldKind::kDatacenter, identity.datacenter),
       part(FieldKind::kMachine, identity.machine), part(FieldKind::kShard, identity.shard),
       Count(stats.ids), Count(stats.batches), Count(stats.tick_waits), MsOf(stats.tick_wait_us),
       Count(stats.used_up_ticks), Count(stats.clock_waits), MsOf(stats.clock_wait_us),
       Ms(has_last ? std::max<std::int64_t>(last_us - WallClockUs(), 0) : 0),
       MsOf(stats.largest_lead_us), Count(stats.clock_errors), Count(stats.held_errors),
       Count(stats.end_errors), Count(stats.observe_errors),
       has_last && sees_all && !is_uuid
           ? Column{Int64GetDatum(layout.ComposerFor(space.key.identity_bits)(last))}
           : kNull,
       has_last ? TimeOrNull(last_us) : kNull, TimeSince1970(LoadSharedMs(stats.first_used_us)),
       TimeSince1970(LoadSharedMs(stats.last_used_us)), reset});
}

// --- Databases ---------------------------------------------------------------------------------

void KeepDatabase(void* context, DatabaseMark& mark) {
  auto& marks = *static_cast<List**>(context);
  marks = lappend(marks, &mark);
}

List* AllMarks() {
  List* marks = NIL;
  ForEachDatabase(KeepDatabase, &marks);
  return marks;
}

// --- The server --------------------------------------------------------------------------------

struct LeaseRow {
  const char* state;
  Column until;
  Column renewed;
  Column clock_offset;
  Column clock_error;
};

LeaseRow CurrentLease(LeaseState& state) {
  if (!LeasesAreOn()) return {"none", kNull, kNull, kNull, kNull};
  LWLockAcquire(&state.lock, LW_SHARED);
  const std::int64_t renewed_us = state.renewed_us;
  const bool fails = state.failed_us != 0;
  const Column offset = state.clock_known ? Ms(state.clock_offset_us) : kNull;
  const Column error = state.clock_known ? Ms(state.clock_error_us) : kNull;
  LWLockRelease(&state.lock);
  LeaseRow row{fails ? "no answer" : "not asked for", kNull, TimeSince1970(renewed_us), offset,
               error};
  const dsa_pointer place = LoadWord(state.grant);
  if (!DsaPointerIsValid(place)) return row;
  const Grant& grant = GrantAt(place);
  row.state = HasEnded(grant) ? "lost" : fails ? "no answer" : "granted";
  row.until = TimeOrNull(UntilMs(grant) * 1000);
  return row;
}

void PutServer(FunctionCallInfo fcinfo) {
  Root& shared = SharedRoot();
  const ServerStats& stats = shared.stats;
  KernelClock clock;
  const int denied = ReadKernelClock(clock);
  const std::int64_t last_step_at_us = LoadWord(stats.last_step_at_us);
  const bool is_known = LoadWord(shared.events.known) != 0;
  const std::int64_t shift_us = WallClockUs() - MonotonicUs() - LoadWord(stats.first_offset_us);
  const std::int64_t memory = SizeOfArea(SharedArea());
  const LeaseRow lease = CurrentLease(shared.lease);
  PutRow(fcinfo, {Count(stats.clock_steps),
                  Ms(LoadWord(stats.largest_step_us)),
                  last_step_at_us != 0 ? Ms(LoadWord(stats.last_step_us)) : kNull,
                  TimeSince1970(last_step_at_us),
                  Count(stats.step_errors),
                  is_known ? Ms(shift_us) : kNull,
                  CStringGetTextDatum(ClockStateText(clock, denied)),
                  denied == 0 ? Ms(clock.max_error_us) : kNull,
                  Int64GetDatum(list_length(AllSpaces())),
                  Int64GetDatum(list_length(AllMarks())),
                  Column{Int64GetDatum(memory), memory < 0},
                  CStringGetTextDatum(lease.state),
                  lease.until,
                  lease.renewed,
                  Count(stats.lease_renewals),
                  Count(stats.lease_failures),
                  BoolGetDatum(LoadShared(shared.lease.worker.worker) != 0),
                  ResetTime(),
                  lease.clock_offset,
                  lease.clock_error});
}

// --- Reset -------------------------------------------------------------------------------------

template <typename... Words>
void Zero(Words&... words) {
  (StoreWord(words, Words{0}), ...);
}

void ResetAll() {
  // What this session has made until now is of the time before.
  PublishUses();
  ListCell* cell;
  foreach (cell, AllSpaces()) {
    SpaceStats& s = StatsOf(*static_cast<const Space*>(lfirst(cell))->slot);
    Zero(s.ids, s.batches, s.tick_waits, s.tick_wait_us, s.clock_waits, s.clock_wait_us,
         s.used_up_ticks, s.largest_lead_us, s.clock_errors, s.held_errors, s.end_errors,
         s.observe_errors);
  }
  foreach (cell, AllMarks()) {
    MarkStats& s = static_cast<DatabaseMark*>(lfirst(cell))->stats;
    Zero(s.writes, s.flush_us, s.replication_us);
  }
  Root& shared = SharedRoot();
  ServerStats& s = shared.stats;
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  Zero(s.clock_steps, s.largest_step_us, s.last_step_us, s.last_step_at_us, s.step_errors,
       s.lease_renewals, s.lease_failures);
  StoreWord(s.reset_us, WallClockUs());
  LWLockRelease(&shared.lock);
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_get_stat);
IDGEN_SQL_FUNCTION(idgen_get_stat_database);
IDGEN_SQL_FUNCTION(idgen_get_stat_server);
IDGEN_SQL_FUNCTION(idgen_stat_reset);

Datum idgen_get_stat(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  PublishUses();
  const bool sees_all = SeesAll();
  const Column reset = ResetTime();
  ListCell* cell;
  foreach (cell, AllSpaces()) {
    PutSpace(fcinfo, *static_cast<const Space*>(lfirst(cell)), sees_all, reset);
  }
  return Datum{0};
}

Datum idgen_get_stat_database(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  const Column reset = ResetTime();
  ListCell* cell;
  foreach (cell, AllMarks()) {
    const auto& mark = *static_cast<const DatabaseMark*>(lfirst(cell));
    const std::int64_t mark_us = LoadSharedMs(mark.written_ms) * 1000;
    PutRow(fcinfo, {ObjectIdGetDatum(mark.database), TimeSince1970(mark_us),
                    mark_us != 0 ? Ms(mark_us - WallClockUs()) : kNull, Count(mark.stats.writes),
                    MsOf(mark.stats.flush_us), MsOf(mark.stats.replication_us), reset});
  }
  return Datum{0};
}

Datum idgen_get_stat_server(PG_FUNCTION_ARGS) {
  InitMaterializedSRF(fcinfo, 0);
  PutServer(fcinfo);
  return Datum{0};
}

Datum idgen_stat_reset(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  ResetAll();
  PG_RETURN_VOID();
}

}  // extern "C"

}  // namespace idgen::pg

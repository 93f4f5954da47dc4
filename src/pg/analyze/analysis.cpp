#include "analysis.h"

#include <algorithm>

#include "core/clock.h"
#include "convert.h"
#include "core/uuid.h"

namespace idgen::pg {

namespace {

constexpr int64 kHourUs = 3600 * int64{USECS_PER_SEC};

Tally NewTally(MemoryContext context, std::size_t cells) {
  auto* const memory =
      static_cast<TallyCell*>(MemoryContextAllocZero(context, cells * sizeof(TallyCell)));
  return Tally({memory, cells});
}

void Forget(Analysis& analysis) {
  for (std::size_t i = 0; i < analysis.count; ++i) analysis.figures[i].cell = nullptr;
}

// Makes room for more intervals, by a larger table or by longer intervals.
[[gnu::noinline]] void MakeRoom(Analysis& analysis) {
  Tally old = analysis.intervals;
  const bool grow = old.cells().size() < kMostCells;
  do {
    const unsigned halvings = grow ? 0 : 1;
    Tally wider = NewTally(analysis.context, old.cells().size() * (grow ? 2 : 1));
    Pour(old.cells(), halvings, wider);
    pfree(old.cells().data());
    old = wider;
    analysis.halvings += halvings;
    analysis.length <<= halvings;
  } while (old.used() > old.cells().size() / 2);
  analysis.intervals = old;
  Forget(analysis);
}

// Adds to the interval of a tick. Returns its cell, which is valid until there is no room.
TallyCell& AddTo(Analysis& analysis, std::size_t index, std::uint64_t interval, std::uint64_t ids) {
  for (;;) {
    const std::uint64_t key = IntervalKey{index, interval}.Packed();
    TallyCell& cell = analysis.intervals.Find(key);
    if (likely(cell.count != 0 || !analysis.intervals.IsFull())) {
      analysis.intervals.Add(cell, key, ids);
      return cell;
    }
    const unsigned before = analysis.halvings;
    MakeRoom(analysis);
    interval >>= analysis.halvings - before;
  }
}

[[gnu::noinline]] void CountInterval(Analysis& analysis, Figures& figures, std::uint64_t tick) {
  const auto index = static_cast<std::size_t>(&figures - analysis.figures);
  TallyCell& cell = AddTo(analysis, index, tick / analysis.length, 1);
  figures.begin = tick / analysis.length * analysis.length;
  // What was clamped is not this interval alone.
  figures.cell = tick / analysis.length < IntervalKey::kLast ? &cell : nullptr;
}

// Returns the figures of an identity; nullptr if it is one too many.
[[gnu::noinline]] Figures* FiguresOf(Analysis& analysis, std::uint64_t who) {
  TallyCell& known = analysis.numbers.Find(who);
  if (known.count != 0) return &analysis.figures[known.count - 1];
  if (analysis.count == kMostIdentities) return nullptr;
  if (analysis.count == analysis.room) {
    analysis.room = std::min(analysis.room * 2, kMostIdentities);
    analysis.figures =
        static_cast<Figures*>(repalloc(analysis.figures, analysis.room * sizeof(Figures)));
    analysis.latest = nullptr;
  }
  Figures& added = analysis.figures[analysis.count++];
  added = {};
  added.who = who;
  added.first = PG_INT64_MAX;
  added.last = PG_INT64_MIN;
  added.least_lag_us = PG_INT64_MAX;
  added.most_lag_us = PG_INT64_MIN;
  analysis.numbers.Add(known, who, analysis.count);
  return &added;
}

inline Figures* CountSighting(Analysis& analysis, const Sighting& sighting, const int64* other_us) {
  Figures* figures = analysis.latest;
  if (figures == nullptr || figures->who != sighting.who) {
    figures = FiguresOf(analysis, sighting.who);
    if (unlikely(figures == nullptr)) {
      ++analysis.unfollowed;
      return nullptr;
    }
    analysis.latest = figures;
  }
  ++figures->ids;
  figures->first = std::min(figures->first, sighting.ordinal);
  figures->last = std::max(figures->last, sighting.ordinal);
  if (unlikely(sighting.ordinal >= analysis.future_from)) ++figures->future;
  if (likely(figures->cell != nullptr && sighting.tick - figures->begin < analysis.length)) {
    ++figures->cell->count;
  } else {
    CountInterval(analysis, *figures, sighting.tick);
  }
  if (other_us != nullptr) {
    int64 lag = 0;
    if (!pg_sub_s64_overflow(*other_us, analysis.layout.StartOfTick(sighting.tick), &lag)) {
      ++figures->compared;
      figures->least_lag_us = std::min(figures->least_lag_us, lag);
      figures->most_lag_us = std::max(figures->most_lag_us, lag);
    }
  }
  return figures;
}

// A process of a parallel query that is no worker says how far it is.
constexpr int64 kRowsBetweenLooks = 1 << 16;
constexpr int64 kUsBetweenNotices = 10 * int64{USECS_PER_SEC};

[[gnu::noinline]] void TellProgress(Analysis& analysis) {
  const int64 now = MonotonicUs();
  if (now - analysis.told_us < kUsBetweenNotices || IsParallelWorker()) return;
  analysis.told_us = now;
  ereport(NOTICE, (errmsg("analyzed %lld rows in %lld s, without those of parallel workers",
                          static_cast<long long>(analysis.rows),
                          static_cast<long long>((now - analysis.began_us) / USECS_PER_SEC))));
}

}  // namespace

std::uint64_t IdentityMask(const Layout& layout) {
  std::uint64_t mask = 0;
  for (const FieldKind kind : {FieldKind::kDatacenter, FieldKind::kMachine, FieldKind::kShard}) {
    if (layout.Has(kind)) mask |= layout[kind].Put(layout[kind].Largest());
  }
  return mask;
}

Analysis* NewAnalysis(IdType type, const Layout& layout) {
  auto* const analysis = static_cast<Analysis*>(palloc0(sizeof(Analysis)));
  analysis->context = CurrentMemoryContext;
  analysis->type = type;
  analysis->layout = layout;
  analysis->layout.name = {};
  analysis->timestamp = layout[FieldKind::kTimestamp];
  analysis->sequence = layout[FieldKind::kSequence];
  analysis->identity_mask = IdentityMask(layout);
  analysis->max_id = static_cast<int64>(layout.MaxId());
  analysis->length = static_cast<std::uint64_t>(
      std::max<int64>(1, (USECS_PER_SEC + layout.tick_us - 1) / layout.tick_us));

  // After the snapshot was taken, so what it shows is not later unless some clock is ahead.
  TimestampTz now = GetCurrentTimestamp();
  FromTimestamp(now, analysis->now_us);
  const int64 tick = layout.TickAt(analysis->now_us);
  const int64 early_ticks = std::max<int64>(1, kHourUs / layout.tick_us);
  if (type == IdType::kLayout) {
    // IDs of the tick in which the clock is are not of the future.
    const bool ends = tick >= static_cast<int64>(layout.MaxTick());
    analysis->future_from = tick < 0 ? 0
                            : ends   ? PG_INT64_MAX
                                     : layout.MinId(static_cast<std::uint64_t>(tick + 1));
    // A layout that is younger than a day may have IDs in its first hour.
    const bool is_old = tick > 24 * early_ticks;
    analysis->early_below = is_old ? layout.MinId(static_cast<std::uint64_t>(early_ticks)) : 0;
  } else {
    analysis->future_from = tick + 1;
  }

  analysis->room = 16;
  analysis->figures = static_cast<Figures*>(palloc(analysis->room * sizeof(Figures)));
  // Never fuller than half: one identity less than cells would do.
  analysis->numbers = NewTally(analysis->context, 2 * kMostIdentities);
  analysis->intervals = NewTally(analysis->context, 1024);
  analysis->began_us = analysis->told_us = MonotonicUs();
  return analysis;
}

void CountRow(Analysis& analysis) {
  if (unlikely(++analysis.rows % kRowsBetweenLooks == 0)) TellProgress(analysis);
}

void CountId(Analysis& analysis, int64 id, const int64* other_us) {
  if (unlikely(id < analysis.early_below || id > analysis.max_id || id < 0)) {
    if (id < 0) {
      ++analysis.negative;
    } else if (id > analysis.max_id) {
      ++analysis.beyond;
    } else {
      ++analysis.early;
      analysis.most_early = std::max(analysis.most_early, id);
    }
    return;
  }
  const auto bits = static_cast<std::uint64_t>(id);
  Figures* const figures = CountSighting(
      analysis, {bits & analysis.identity_mask, analysis.timestamp.Get(bits), id}, other_us);
  if (figures == nullptr || analysis.sequence.bits == 0) return;
  const std::uint64_t sequence = analysis.sequence.Get(bits);
  if (sequence == 0) ++figures->sequence_zero;
  if (sequence == analysis.sequence.Largest()) ++figures->sequence_full;
  figures->sequence_most = std::max(figures->sequence_most, sequence);
  ++figures->sequence_parts[(sequence << kSequencePartBits) >> analysis.sequence.bits];
}

bool SightUuid(IdType type, Id128 id, Sighting& sighting) {
  if (type == IdType::kUlid) {
    sighting = {0, UnixMsOf(id), static_cast<int64>(UnixMsOf(id))};
    return true;
  }
  if (IsVersion(id, 7)) {
    sighting = {std::uint64_t{3} << kVersionShift, UnixMsOf(id), static_cast<int64>(UnixMsOf(id))};
    return true;
  }
  const std::uint64_t version = IsVersion(id, 1) ? 1 : 2;
  if (!IsVersion(id, 1) && !IsVersion(id, 6)) return false;
  const std::int64_t us = UsOfGregorian(GregorianOf(id));
  if (us < 0) return false;
  const auto ms = static_cast<std::uint64_t>(us / 1000);
  sighting = {version << kVersionShift | GregorianNodeOf(id).Bits(), ms, static_cast<int64>(ms)};
  return true;
}

void CountUuid(Analysis& analysis, Id128 id, const int64* other_us) {
  Sighting sighting{};
  if (!SightUuid(analysis.type, id, sighting)) {
    ++analysis.beyond;
    return;
  }
  CountSighting(analysis, sighting, other_us);
}

// --- Of several processes -----------------------------------------------------------------------

void AddAnalysis(Analysis& to, const Analysis& from) {
  to.now_us = std::max(to.now_us, from.now_us);
  to.rows += from.rows;
  to.nulls += from.nulls;
  to.negative += from.negative;
  to.beyond += from.beyond;
  to.early += from.early;
  to.unfollowed += from.unfollowed;
  to.most_early = std::max(to.most_early, from.most_early);

  constexpr std::size_t kNone = kMostIdentities;
  auto* const places = static_cast<std::size_t*>(palloc(from.count * sizeof(std::size_t) + 1));
  for (std::size_t i = 0; i < from.count; ++i) {
    const Figures& more = from.figures[i];
    Figures* const figures = FiguresOf(to, more.who);
    places[i] = figures == nullptr ? kNone : static_cast<std::size_t>(figures - to.figures);
    if (figures == nullptr) {
      to.unfollowed += more.ids;
      continue;
    }
    figures->ids += more.ids;
    figures->first = std::min(figures->first, more.first);
    figures->last = std::max(figures->last, more.last);
    figures->future += more.future;
    figures->sequence_zero += more.sequence_zero;
    figures->sequence_full += more.sequence_full;
    figures->sequence_most = std::max(figures->sequence_most, more.sequence_most);
    for (unsigned part = 0; part < kSequenceParts; ++part) {
      figures->sequence_parts[part] += more.sequence_parts[part];
    }
    figures->compared += more.compared;
    figures->least_lag_us = std::min(figures->least_lag_us, more.least_lag_us);
    figures->most_lag_us = std::max(figures->most_lag_us, more.most_lag_us);
  }

  while (to.halvings < from.halvings) {
    Tally wider = NewTally(to.context, to.intervals.cells().size());
    Pour(to.intervals.cells(), 1, wider);
    pfree(to.intervals.cells().data());
    to.intervals = wider;
    ++to.halvings;
    to.length <<= 1;
    Forget(to);
  }
  for (const TallyCell& cell : from.intervals.cells()) {
    if (cell.count == 0) continue;
    const IntervalKey key = IntervalKey::Of(cell.key);
    if (places[key.maker] == kNone) continue;
    // Both may have been merged further by now.
    AddTo(to, places[key.maker], key.interval >> (to.halvings - from.halvings), cell.count);
  }
  pfree(places);
}

bytea* WriteAnalysis(const Analysis& analysis) {
  const std::size_t figures_size = analysis.count * sizeof(Figures);
  const std::size_t cells_size = analysis.intervals.used() * sizeof(TallyCell);
  const std::size_t size = VARHDRSZ + sizeof(Analysis) + figures_size + cells_size;
  auto* const bytes = static_cast<bytea*>(palloc(size));
  SET_VARSIZE(bytes, size);
  char* to = VARDATA(bytes);
  memcpy(to, &analysis, sizeof(Analysis));
  to += sizeof(Analysis);
  memcpy(to, analysis.figures, figures_size);
  to += figures_size;
  for (const TallyCell& cell : analysis.intervals.cells()) {
    if (cell.count == 0) continue;
    memcpy(to, &cell, sizeof(cell));
    to += sizeof(cell);
  }
  return bytes;
}

Analysis* ReadAnalysis(const bytea* bytes) {
  const char* from = VARDATA_ANY(bytes);
  std::size_t left = VARSIZE_ANY_EXHDR(bytes);
  auto* const analysis = static_cast<Analysis*>(palloc(sizeof(Analysis)));
  if (left < sizeof(Analysis)) elog(ERROR, "invalid state of an analysis");
  memcpy(static_cast<void*>(analysis), from, sizeof(Analysis));
  from += sizeof(Analysis);
  left -= sizeof(Analysis);
  const std::size_t figures_size = analysis->count * sizeof(Figures);
  const std::size_t cells = analysis->intervals.used();
  if (analysis->count > kMostIdentities || cells > kMostCells ||
      left != figures_size + cells * sizeof(TallyCell)) {
    elog(ERROR, "invalid state of an analysis");
  }

  analysis->context = CurrentMemoryContext;
  analysis->latest = nullptr;
  analysis->room = std::max<std::size_t>(analysis->count, 1);
  analysis->figures = static_cast<Figures*>(palloc(analysis->room * sizeof(Figures)));
  memcpy(static_cast<void*>(analysis->figures), from, figures_size);
  from += figures_size;
  analysis->numbers = NewTally(CurrentMemoryContext, 2 * kMostIdentities);
  for (std::size_t i = 0; i < analysis->count; ++i) {
    const std::uint64_t who = analysis->figures[i].who;
    analysis->numbers.Add(analysis->numbers.Find(who), who, i + 1);
  }
  Forget(*analysis);
  std::size_t capacity = 1024;
  while (capacity < 2 * cells && capacity < kMostCells) capacity *= 2;
  analysis->intervals = NewTally(CurrentMemoryContext, capacity);
  for (std::size_t i = 0; i < cells; ++i, from += sizeof(TallyCell)) {
    TallyCell cell;
    memcpy(&cell, from, sizeof(cell));
    analysis->intervals.Add(analysis->intervals.Find(cell.key), cell.key, cell.count);
  }
  return analysis;
}

}  // namespace idgen::pg

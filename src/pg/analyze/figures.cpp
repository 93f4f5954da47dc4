#include "figures.h"

#include <algorithm>

#include "core/uuid.h"
#include "errors.h"

namespace idgen::pg {

namespace {

// Fills in the rates of one identity from its intervals, which are in order of time.
void FillRates(std::span<const TallyCell> cells, std::uint64_t length, std::uint64_t* counts,
               Rates& rates) {
  rates.intervals = cells.size();
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::uint64_t interval = IntervalKey::Of(cells[i].key).interval;
    counts[i] = cells[i].count;
    if (counts[i] > rates.peak) {
      rates.peak = counts[i];
      rates.peak_tick = interval * length;
    }
    if (i > 0 && interval - before - 1 > rates.gap) {
      rates.gap = interval - before - 1;
      rates.gap_tick = (before + 1) * length;
    }
    before = interval;
  }
  std::uint64_t* const middle = counts + (cells.size() - 1) / 2;
  std::nth_element(counts, middle, counts + cells.size());
  rates.median = *middle;
  for (const TallyCell& cell : cells) {
    if (cell.count >= kBurst * rates.median) ++rates.bursts;
  }
}

}  // namespace

std::span<Rates> RatesOf(const Analysis& analysis) {
  const std::size_t used = analysis.intervals.used();
  auto* const sorted = static_cast<TallyCell*>(palloc((used + 1) * sizeof(TallyCell)));
  auto* const counts = static_cast<std::uint64_t*>(palloc((used + 1) * sizeof(std::uint64_t)));
  std::copy_if(analysis.intervals.cells().begin(), analysis.intervals.cells().end(), sorted,
               [](const TallyCell& cell) { return cell.count != 0; });
  std::sort(sorted, sorted + used,
            [](const TallyCell& a, const TallyCell& b) { return a.key < b.key; });
  const std::span rates(static_cast<Rates*>(palloc0((analysis.count + 1) * sizeof(Rates))),
                        analysis.count);
  for (std::size_t i = 0; i < used;) {
    CHECK_FOR_INTERRUPTS();
    const std::uint64_t maker = IntervalKey::Of(sorted[i].key).maker;
    std::size_t end = i;
    while (end < used && IntervalKey::Of(sorted[end].key).maker == maker) ++end;
    FillRates({sorted + i, end - i}, analysis.length, counts, rates[maker]);
    i = end;
  }
  for (std::size_t i = 0; i < rates.size(); ++i) rates[i].figures = &analysis.figures[i];
  std::sort(rates.begin(), rates.end(),
            [](const Rates& a, const Rates& b) { return a.figures->who < b.figures->who; });
  pfree(sorted);
  pfree(counts);
  return rates;
}

std::uint64_t TickOfOrdinal(const Analysis& analysis, int64 ordinal) {
  return analysis.timestamp.Get(static_cast<std::uint64_t>(ordinal));
}

int64 TimeOfOrdinal(const Analysis& analysis, int64 ordinal) {
  return analysis.layout.StartOfTick(TickOfOrdinal(analysis, ordinal));
}

const char* WhoText(const Analysis& analysis, std::uint64_t who) {
  if (analysis.type == IdType::kUlid) return "ULIDs";
  if (analysis.type == IdType::kUuid) {
    const std::uint64_t version = kVersions[who >> kVersionShift];
    if (version == 7) return "version 7";
    const GregorianNode node = GregorianNodeOf(who);
    return psprintf("version %d, node %012llx, clock sequence %d", static_cast<int>(version),
                    static_cast<unsigned long long>(node.node),
                    static_cast<int>(node.clock_sequence));
  }
  StringInfoData text;
  initStringInfo(&text);
  const struct {
    FieldKind kind;
    const char* name;
  } fields[] = {{FieldKind::kDatacenter, "datacenter"},
                {FieldKind::kMachine, "machine"},
                {FieldKind::kShard, "shard"}};
  for (const auto& field : fields) {
    if (!analysis.layout.Has(field.kind)) continue;
    appendStringInfo(&text, "%s%s %llu", text.len > 0 ? ", " : "", field.name,
                     static_cast<unsigned long long>(analysis.layout[field.kind].Get(who)));
  }
  return text.len > 0 ? text.data : "all";
}

const char* PeriodText(int64 us) {
  Interval period{};
  period.day = static_cast<int32>(us / USECS_PER_DAY);
  period.time = us % USECS_PER_DAY;
  return DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(&period)));
}

double PerSecond(const Analysis& analysis, std::uint64_t ids) {
  return static_cast<double>(ids) * 1e6 / static_cast<double>(IntervalUs(analysis));
}

}  // namespace idgen::pg

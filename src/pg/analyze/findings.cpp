#include "findings.h"

#include <algorithm>

#include "errors.h"

namespace idgen::pg {

namespace {

constexpr char kInfo[] = "info";
constexpr char kWarning[] = "warning";
constexpr char kError[] = "error";

// Some of what follows needs enough IDs to mean anything.
constexpr int64 kFewIds = 100;
// As many identities are named for each finding.
constexpr int kMostNamed = 10;

void PutFinding(Json& json, const char* severity, const char* finding, const char* identity,
                const char* detail, const char* hint) {
  json.Comma();
  json.Begin('{');
  json.Text("severity", severity);
  json.Text("finding", finding);
  json.Text("identity", identity);
  json.Text("detail", detail);
  json.Text("hint", hint);
  json.End('}');
}

unsigned long long Number(int64 number) { return static_cast<unsigned long long>(number); }

// Returns "1 ID" or "5 IDs".
const char* Count(int64 count, const char* what) {
  return psprintf("%llu %s%s", Number(count), what, count == 1 ? "" : "s");
}

struct Finding {
  const char* severity = nullptr;  // nullptr: there is nothing to say
  const char* detail = nullptr;
};

struct Kind {
  const char* name;
  const char* hint;
  Finding (*look)(const Analysis&, const Figures&, const Rates&);
};

// --- of one identity

Finding LookForFuture(const Analysis& analysis, const Figures& figures, const Rates& rates) {
  if (figures.future == 0) return {};
  const int64 last_us = TimeOfOrdinal(analysis, figures.last);
  const int64 ahead_us = std::max<int64>(last_us - analysis.now_us, 0);
  return {ahead_us > USECS_PER_DAY ? kError : kWarning,
          psprintf("%s later than the clock, the last by %s.", Count(figures.future, "ID"),
                   PeriodText(ahead_us))};
}

// The share of IDs that were made in ticks that were used up.
Finding LookForFullTicks(const Analysis& analysis, const Figures& figures, const Rates& rates) {
  if (analysis.sequence.bits == 0 || figures.sequence_full == 0) return {};
  const double share = static_cast<double>(figures.sequence_full) *
                       static_cast<double>(analysis.layout.IdsPerTick()) /
                       static_cast<double>(figures.ids);
  return {share >= 0.01 ? kWarning : kInfo,
          psprintf("%s with the largest sequence number, %llu.", Count(figures.sequence_full, "ID"),
                   static_cast<unsigned long long>(analysis.sequence.Largest()))};
}

Finding LookForRate(const Analysis& analysis, const Figures& figures, const Rates& rates) {
  if (analysis.sequence.bits == 0) return {};
  const double most = static_cast<double>(analysis.layout.IdsPerTick()) * 1e6 /
                      static_cast<double>(analysis.layout.tick_us);
  const double peak = PerSecond(analysis, rates.peak);
  if (peak < 0.8 * most) return {};
  return {kWarning, psprintf("%.0f IDs in a second at %s; the layout has %.0f.", peak,
                             InstantText(analysis.layout.StartOfTick(rates.peak_tick)), most)};
}

Finding LookForZeros(const Analysis& analysis, const Figures& figures, const Rates& rates) {
  if (analysis.sequence.bits == 0 || figures.ids < kFewIds || figures.sequence_most > 0) return {};
  return {kInfo, psprintf("All %llu IDs have sequence number 0.", Number(figures.ids))};
}

Finding LookForNoZero(const Analysis& analysis, const Figures& figures, const Rates& rates) {
  if (analysis.sequence.bits == 0 || figures.ids < kFewIds || figures.sequence_zero > 0) return {};
  return {kInfo, psprintf("None of %llu IDs has sequence number 0.", Number(figures.ids))};
}

Finding LookForBursts(const Analysis& analysis, const Figures& figures, const Rates& rates) {
  if (rates.bursts == 0 || rates.intervals < kBurst) return {};
  return {kInfo, psprintf("%s of %s with at least %d times the median of %llu, at most %llu IDs.",
                          Count(static_cast<int64>(rates.bursts), "interval"),
                          PeriodText(IntervalUs(analysis)), static_cast<int>(kBurst),
                          static_cast<unsigned long long>(rates.median),
                          static_cast<unsigned long long>(rates.peak))};
}

// A gap is worth a word if it is a minute, and a tenth of the identity's life.
Finding LookForGap(const Analysis& analysis, const Figures& figures, const Rates& rates) {
  const int64 gap_us =
      analysis.layout.StartOfTick(rates.gap * analysis.length) - analysis.layout.epoch_us;
  const int64 life_us =
      TimeOfOrdinal(analysis, figures.last) - TimeOfOrdinal(analysis, figures.first);
  if (gap_us < USECS_PER_MINUTE || gap_us < life_us / 10) return {};
  return {kInfo, psprintf("No IDs for %s from %s on.", PeriodText(gap_us),
                          InstantText(analysis.layout.StartOfTick(rates.gap_tick)))};
}

constexpr Kind kKinds[] = {
    {"IDs of the future",
     "A clock was ahead, or the IDs are of another layout. Until the clock has passed them, IDs "
     "that are made now sort before them.",
     LookForFuture},
    {"sequence used up",
     "Calls waited for the next tick. A layout with a wider sequence, or more identities, have "
     "room for more.",
     LookForFullTicks},
    {"rate near the layout's limit",
     "A layout with a wider sequence, or more identities, have room for more.", LookForRate},
    {"sequence always 0", "There was at most one ID in a tick: little load.", LookForZeros},
    {"sequence never 0", "Whatever made them does not begin a tick with 0, or the rows are gone.",
     LookForNoZero},
    {"bursts", nullptr, LookForBursts},
    {"gap", nullptr, LookForGap},
};

void PutKind(Json& json, const Kind& kind, const Analysis& analysis, std::span<const Rates> all) {
  int found = 0;
  for (const Rates& rates : all) {
    const Finding finding = kind.look(analysis, *rates.figures, rates);
    if (finding.severity == nullptr || ++found > kMostNamed) continue;
    PutFinding(json, finding.severity, kind.name, WhoText(analysis, rates.figures->who),
               finding.detail, kind.hint);
  }
  if (found > kMostNamed) {
    PutFinding(json, kInfo, kind.name, nullptr,
               psprintf("It is the same with more identities: %d.", found - kMostNamed),
               "idgen_analyze_identities() shows them.");
  }
}

// --- of all of them

struct Whole {
  int64 ids = 0;
  int64 first_us = PG_INT64_MAX;
  int64 last_us = PG_INT64_MIN;
  int64 compared = 0;
  int64 least_lag_us = PG_INT64_MAX;
  int64 most_lag_us = PG_INT64_MIN;
};

Whole WholeOf(const Analysis& analysis) {
  Whole whole;
  for (std::size_t i = 0; i < analysis.count; ++i) {
    const Figures& figures = analysis.figures[i];
    whole.ids += figures.ids;
    whole.first_us = std::min(whole.first_us, TimeOfOrdinal(analysis, figures.first));
    whole.last_us = std::max(whole.last_us, TimeOfOrdinal(analysis, figures.last));
    whole.compared += figures.compared;
    whole.least_lag_us = std::min(whole.least_lag_us, figures.least_lag_us);
    whole.most_lag_us = std::max(whole.most_lag_us, figures.most_lag_us);
  }
  return whole;
}

void PutSummary(Json& json, const Analysis& analysis, const Whole& whole) {
  if (whole.ids == 0) {
    PutFinding(json, kInfo, "no IDs", nullptr,
               psprintf("%s, %s.", Count(analysis.rows, "row"), Count(analysis.nulls, "null")),
               nullptr);
    return;
  }
  PutFinding(json, kInfo, "summary", nullptr,
             psprintf("%s from %s to %s. Identities: %llu. Nulls: %llu.", Count(whole.ids, "ID"),
                      InstantText(whole.first_us), InstantText(whole.last_us),
                      static_cast<unsigned long long>(analysis.count), Number(analysis.nulls)),
             nullptr);
}

void PutStrangers(Json& json, const Analysis& analysis) {
  if (analysis.negative > 0) {
    PutFinding(json, kError, "negative numbers", nullptr,
               psprintf("%s below 0.", Count(analysis.negative, "number")),
               "Random numbers, or IDs of 64 bits that another system uses as unsigned.");
  }
  if (analysis.beyond > 0 && analysis.type == IdType::kLayout) {
    PutFinding(json, kError, "numbers beyond the layout", nullptr,
               psprintf("%s above %llu, the layout's last ID.", Count(analysis.beyond, "number"),
                        Number(analysis.max_id)),
               "Is this the layout that they were made with?");
  }
  if (analysis.beyond > 0 && analysis.type != IdType::kLayout) {
    PutFinding(json, kWarning, "UUIDs without a time", nullptr,
               psprintf("%s of other versions than 1, 6 and 7, or of a time before 1970.",
                        Count(analysis.beyond, "UUID")),
               "If they are ULIDs, say so: ulid => true.");
  }
  if (analysis.early > 0) {
    PutFinding(json, kWarning, "small numbers", nullptr,
               psprintf("%s, the largest %llu, of the first hour after the layout's epoch.",
                        Count(analysis.early, "number"), Number(analysis.most_early)),
               "A sequence made them, more likely than a generator. Their time means nothing.");
  }
  if (analysis.unfollowed > 0) {
    PutFinding(
        json, kWarning, "too many identities", nullptr,
        psprintf("%s of other identities than the %llu that were followed.",
                 Count(analysis.unfollowed, "ID"), static_cast<unsigned long long>(analysis.count)),
        "Numbers of another layout look like this, and random ones.");
  }
}

void PutOrder(Json& json, const Whole& whole) {
  if (whole.compared == 0) return;
  int64 apart_us = PG_INT64_MAX;
  if (pg_sub_s64_overflow(whole.most_lag_us, whole.least_lag_us, &apart_us)) {
    apart_us = PG_INT64_MAX;
  }
  PutFinding(
      json, apart_us > USECS_PER_MINUTE ? kWarning : kInfo, "order", nullptr,
      psprintf("Timestamps are from %s to %s after the IDs of their rows. Rows that are "
               "further apart than %s are in the same order by both.",
               PeriodText(whole.least_lag_us), PeriodText(whole.most_lag_us), PeriodText(apart_us)),
      apart_us > USECS_PER_MINUTE
          ? "Rows whose time was set by hand or whose ID was made long before do this, or a "
            "clock that was wrong."
          : nullptr);
}

}  // namespace

void PutFindings(Json& json, const Analysis& analysis, std::span<const Rates> all) {
  const Whole whole = WholeOf(analysis);
  PutSummary(json, analysis, whole);
  PutStrangers(json, analysis);
  for (const Kind& kind : kKinds) PutKind(json, kind, analysis, all);
  PutOrder(json, whole);
  if (analysis.halvings > 0) {
    PutFinding(json, kInfo, "long intervals", nullptr,
               psprintf("Rates are averages of intervals of %s.", PeriodText(IntervalUs(analysis))),
               "There are too many seconds with IDs to count each. Analyze a shorter time for "
               "rates of a second.");
  }
}

}  // namespace idgen::pg

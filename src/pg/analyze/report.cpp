#include "report.h"

#include "figures.h"
#include "findings.h"
#include "json.h"

namespace idgen::pg {

namespace {

void PutField(Json& json, const Analysis& analysis, FieldKind kind, const char* key,
              std::uint64_t who) {
  if (analysis.type != IdType::kLayout || !analysis.layout.Has(kind)) return;
  json.Number(key, static_cast<int64>(analysis.layout[kind].Get(who)));
}

void PutFigures(Json& json, const Analysis& analysis, const Rates& rates) {
  const Figures& figures = *rates.figures;
  json.Comma();
  json.Begin('{');
  json.Text("identity", WhoText(analysis, figures.who));
  PutField(json, analysis, FieldKind::kDatacenter, "datacenter_id", figures.who);
  PutField(json, analysis, FieldKind::kMachine, "machine_id", figures.who);
  PutField(json, analysis, FieldKind::kShard, "shard_id", figures.who);
  json.Number("ids", figures.ids);
  json.Time("first", TimeOfOrdinal(analysis, figures.first));
  json.Time("last", TimeOfOrdinal(analysis, figures.last));
  if (analysis.type == IdType::kLayout) {
    json.Number("first_id", figures.first);
    json.Number("last_id", figures.last);
  }
  json.Real("rate_median", PerSecond(analysis, rates.median));
  json.Real("rate_peak", PerSecond(analysis, rates.peak));
  json.Time("peak_at", analysis.layout.StartOfTick(rates.peak_tick));
  json.Number("bursts", static_cast<int64>(rates.bursts));
  if (rates.gap > 0) {
    json.Text("gap", PeriodText(analysis.layout.StartOfTick(rates.gap * analysis.length) -
                                analysis.layout.epoch_us));
    json.Time("gap_from", analysis.layout.StartOfTick(rates.gap_tick));
  }
  json.Number("future", figures.future);
  if (analysis.sequence.bits > 0) {
    json.Number("sequence_zero", figures.sequence_zero);
    json.Number("sequence_full", figures.sequence_full);
    json.Number("sequence_max", static_cast<int64>(figures.sequence_most));
    json.Key("sequence_parts");
    json.Begin('[');
    for (const int64 part : figures.sequence_parts) {
      json.Comma();
      appendStringInfo(json.text(), "%lld", static_cast<long long>(part));
    }
    json.End(']');
  }
  if (figures.compared > 0) {
    json.Number("compared", figures.compared);
    json.Text("lag_min", PeriodText(figures.least_lag_us));
    json.Text("lag_max", PeriodText(figures.most_lag_us));
  }
  json.End('}');
}

}  // namespace

Datum ReportOf(const Analysis& analysis) {
  const std::span<const Rates> all = RatesOf(analysis);
  Json json;
  json.Begin('{');
  json.Number("rows", analysis.rows);
  json.Number("nulls", analysis.nulls);
  json.Number("negative", analysis.negative);
  json.Number("beyond", analysis.beyond);
  json.Number("small", analysis.early);
  json.Number("not_followed", analysis.unfollowed);
  json.Text("interval", PeriodText(IntervalUs(analysis)));
  json.Key("findings");
  json.Begin('[');
  PutFindings(json, analysis, all);
  json.End(']');
  json.Key("identities");
  json.Begin('[');
  for (const Rates& rates : all) {
    CHECK_FOR_INTERRUPTS();
    PutFigures(json, analysis, rates);
  }
  json.End(']');
  json.End('}');
  return json.Value();
}

}  // namespace idgen::pg

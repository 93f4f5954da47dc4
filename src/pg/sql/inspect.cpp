// The SQL functions that show an ID to a person, or all its parts to a program.
#include "pg.h"

#include <algorithm>

#include "callsite.h"
#include "core/fields.h"
#include "errors.h"

namespace idgen::pg {

namespace {

// One group of an ID's bits.
struct Group {
  const char* name;
  std::uint8_t bits;
  std::uint8_t shift;
  std::uint64_t value;
};

// The groups from the highest bit down: the sign, the bits that the layout does not use, its
// fields.
struct Groups {
  Group group[kFieldKinds + 1];
  int count = 0;
};

Groups GroupsOf(const Layout& layout, std::uint64_t id) {
  Groups groups;
  const unsigned total = layout.TotalBits();
  groups.group[groups.count++] = {total == 63 ? "sign" : "unused",
                                  static_cast<std::uint8_t>(64 - total),
                                  static_cast<std::uint8_t>(total), 0};
  for (const FieldSpec& spec : FieldsFromTop(layout)) {
    const Field& field = layout[spec.kind];
    groups.group[groups.count++] = {NameOfField(spec.kind).data(), field.bits, field.shift,
                                    field.Get(id)};
  }
  return groups;
}

void AppendBits(StringInfo out, const Group& group) {
  for (unsigned bit = group.bits; bit-- > 0;) {
    appendStringInfoChar(out, ((group.value >> bit) & 1) != 0 ? '1' : '0');
  }
}

// Formats the time of an ID, always in UTC and in the same form, whatever the settings are.
char* TimeText(const Layout& layout, std::uint64_t id) {
  const std::int64_t time_us = layout.StartOfTick(layout.Parse(id).tick);
  TimestampTz timestamp = 0;
  pg_tm time{};
  fsec_t microseconds = 0;
  if (!ToTimestamp(time_us, timestamp) ||
      timestamp2tm(timestamp, nullptr, &time, &microseconds, nullptr, nullptr) != 0) {
    return pstrdup("infinity");
  }
  char* text =
      psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06d", time.tm_year, time.tm_mon, time.tm_mday,
               time.tm_hour, time.tm_min, time.tm_sec, static_cast<int>(microseconds));
  // Show microseconds only if the layout has them.
  if (layout.tick_us % 1000 == 0 && layout.epoch_us % 1000 == 0) text[strlen(text) - 3] = '\0';
  return psprintf("%sZ", text);
}

void AppendRow(StringInfo out, const Groups& groups, const int* widths,
               void (*append)(StringInfo, const Group&)) {
  for (int i = 0; i < groups.count; ++i) {
    if (i > 0) appendStringInfoString(out, " | ");
    const int before = out->len;
    append(out, groups.group[i]);
    if (i + 1 < groups.count) appendStringInfoSpaces(out, widths[i] - (out->len - before));
  }
  appendStringInfoChar(out, '\n');
}

text* ShowId(const Layout& layout, std::uint64_t id) {
  const Groups groups = GroupsOf(layout, id);
  int widths[kFieldKinds + 1];
  for (int i = 0; i < groups.count; ++i) {
    const Group& group = groups.group[i];
    const auto name = static_cast<int>(strlen(group.name));
    widths[i] = std::max(name, static_cast<int>(group.bits));
    widths[i] = std::max(
        widths[i], snprintf(nullptr, 0, "%llu", static_cast<unsigned long long>(group.value)));
  }
  StringInfoData out;
  initStringInfo(&out);
  appendStringInfo(&out, "%llu (%s), made at %s\n\n", static_cast<unsigned long long>(id),
                   NameOf(layout), TimeText(layout, id));
  AppendRow(&out, groups, widths,
            [](StringInfo to, const Group& group) { appendStringInfoString(to, group.name); });
  AppendRow(&out, groups, widths, AppendBits);
  AppendRow(&out, groups, widths, [](StringInfo to, const Group& group) {
    appendStringInfo(to, "%llu", static_cast<unsigned long long>(group.value));
  });
  return cstring_to_text_with_len(out.data, out.len - 1);
}

char* JsonOf(const Layout& layout, std::uint64_t id) {
  const std::int64_t time_us = layout.StartOfTick(layout.Parse(id).tick);
  StringInfoData out;
  initStringInfo(&out);
  // Layout names need no escapes (CheckName).
  appendStringInfo(&out,
                   "{\"id\": %llu, \"text\": \"%llu\", \"layout\": \"%s\", \"time\": \"%s\", "
                   "\"unix_us\": %lld, \"fields\": [",
                   static_cast<unsigned long long>(id), static_cast<unsigned long long>(id),
                   NameOf(layout), TimeText(layout, id), static_cast<long long>(time_us));
  const Groups groups = GroupsOf(layout, id);
  for (int i = 1; i < groups.count; ++i) {
    const Group& group = groups.group[i];
    appendStringInfo(&out,
                     "%s{\"name\": \"%s\", \"bits\": %d, \"shift\": %d, \"value\": %llu, "
                     "\"binary\": \"",
                     i > 1 ? ", " : "", group.name, group.bits, group.shift,
                     static_cast<unsigned long long>(group.value));
    AppendBits(&out, group);
    appendStringInfoString(&out, "\"}");
  }
  appendStringInfoString(&out, "]}");
  return out.data;
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_inspect);
IDGEN_SQL_FUNCTION(idgen_inspect_json);

Datum idgen_inspect(PG_FUNCTION_ARGS) {
  const Layout& layout = LayoutOfId(fcinfo, 1, PG_GETARG_INT64(0));
  PG_RETURN_TEXT_P(ShowId(layout, CheckId(layout, PG_GETARG_INT64(0))));
}

Datum idgen_inspect_json(PG_FUNCTION_ARGS) {
  const Layout& layout = LayoutOfId(fcinfo, 1, PG_GETARG_INT64(0));
  const char* const json = JsonOf(layout, CheckId(layout, PG_GETARG_INT64(0)));
  return DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
}

}  // extern "C"

}  // namespace idgen::pg

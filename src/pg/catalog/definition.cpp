#include "definition.h"

#include <algorithm>
#include <charconv>

#include "core/builtin_layouts.h"
#include "core/clock.h"
#include "core/description.h"
#include "errors.h"
#include "succession_text.h"

namespace idgen::pg {

namespace {

constexpr int kMostShown = 40;  // bytes of a word quoted in an error

// An option of a server and its value.
struct Option {
  const char* name;
  const char* value;
};

char* ListOf(std::span<const Option> options) {
  StringInfoData names;
  initStringInfo(&names);
  for (const Option& option : options) {
    appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", option.name);
  }
  return names.data;
}

// Returns the message and hint for an error in a field list.
Complaint ComplaintOfFields(const ParsedFields& parsed, const char* word) {
  constexpr int code = ERRCODE_INVALID_PARAMETER_VALUE;
  const char* const example = "Write the fields like this: timestamp:41, machine:10, sequence:12.";
  const char* const field = NameOfField(parsed.kind).data();
  const char* const found = parsed.length == 0 ? "the end" : psprintf("\"%s\"", word);
  const auto complain = [](const char* message, const char* hint) {
    return Complaint{.code = code, .message = message, .hint = hint};
  };
  switch (parsed.error) {
    case FieldsError::kNone:
    case FieldsError::kEmpty:
      return complain("layout has no fields", example);
    case FieldsError::kExpectedField:
      return complain(psprintf("expected the name of a field, found %s", found), example);
    case FieldsError::kUnknownField: {
      const char* const nearest = NearestName(word, kFieldNames);
      return complain(psprintf("unknown field \"%s\"", word),
                      nearest != nullptr
                          ? psprintf("Perhaps you meant \"%s\".", nearest)
                          : "The fields are: timestamp, datacenter, machine, shard, sequence, "
                            "tail.");
    }
    case FieldsError::kExpectedColon:
      return complain(psprintf("expected a colon after field \"%s\", found %s", field, found),
                      example);
    case FieldsError::kExpectedBits:
      return complain(
          psprintf("expected the number of bits of field \"%s\", found %s", field, found), example);
    case FieldsError::kZeroBits:
      return complain(psprintf("field \"%s\" has no bits", field),
                      "Leave out a field that is not wanted.");
    case FieldsError::kTooWide:
      return complain(psprintf("field \"%s\" has too many bits: %s", field, word),
                      psprintf("It can have %u at most.", MostBitsOf(parsed.kind)));
    case FieldsError::kRepeatedField:
      return complain(psprintf("field \"%s\" is repeated", field), nullptr);
    case FieldsError::kNoTimestamp:
      return complain("layout has no timestamp", example);
    case FieldsError::kTimestampNotFirst:
      return complain("timestamp is not the first field",
                      "IDs sort by time only with the timestamp in their highest bits.");
    case FieldsError::kTooManyBits:
      return complain(psprintf("fields have %u bits together", parsed.total_bits),
                      "An ID has 63 bits besides its sign.");
    case FieldsError::kExpectedComma:
      return complain(psprintf("expected a comma after field \"%s\", found %s", field, found),
                      example);
  }
  pg_unreachable();
}

Complaint ComplaintOfDescription(const ParsedDescription& parsed, const char* word) {
  constexpr int code = ERRCODE_INVALID_PARAMETER_VALUE;
  const char* const found = parsed.length == 0 ? "nothing" : psprintf("\"%s\"", word);
  const char* const example =
      "Describe a layout like this: timestamp:41, machine:10, sequence:12, tick:1ms, "
      "epoch:2024-01-01Z.";
  const auto complain = [](const char* message, const char* hint) {
    return Complaint{.code = code, .message = message, .hint = hint};
  };
  switch (parsed.error) {
    case DescriptionError::kNone:
    case DescriptionError::kFields:
      return ComplaintOfFields(parsed.fields, word);
    case DescriptionError::kRepeated:
      return complain(psprintf("%s of layout is repeated", word), nullptr);
    case DescriptionError::kUnexpected:
      return complain(psprintf("expected a tick or an epoch, found %s", found), example);
    case DescriptionError::kNoColon:
      return complain(psprintf("expected a colon in %s", found), example);
    case DescriptionError::kBadTick:
      return complain(psprintf("expected the length of a tick, found %s", found),
                      "Use a whole number of us, ms, s, min or h, for example 10ms.");
    case DescriptionError::kBadEpoch:
      return complain(psprintf("expected an instant in UTC, found %s", found),
                      "Write it like this: 2024-01-01Z, or 2010-11-04T01:42:54.657Z.");
    case DescriptionError::kNoEpoch:
      return complain("layout has no epoch", example);
  }
  pg_unreachable();
}

// Makes the complaint point at the wrong word.
Complaint PointingAt(Complaint complaint, const char* text, std::size_t at) {
  complaint.text = text;
  complaint.position = pg_mbstrlen_with_len(text, static_cast<int>(at)) + 1;
  return complaint;
}

// `name` is the quoted name, or empty.
Complaint ComplaintOfLayout(const char* name, const Layout& layout) {
  switch (CheckLayout(layout)) {
    case LayoutError::kNone:
    case LayoutError::kBadFields:  // ParseFields reports these
      break;
    case LayoutError::kBadTick:
      return BadTick(name,
                     psprintf("It is %lld microseconds.", static_cast<long long>(layout.tick_us)));
    case LayoutError::kEndsTooLate:
      return {.code = ERRCODE_INVALID_PARAMETER_VALUE,
              .message = psprintf("layout%s would end too late", name),
              .detail =
                  "Its last tick is beyond the last instant that PostgreSQL can hold, in "
                  "the year 294247.",
              .hint = "Give the timestamp fewer bits, and another field more."};
  }
  return {};
}

// The only reader of numbers, so that every source accepts the same ones.
bool ReadNumber(const char* text, std::int32_t& number) {
  const char* const end = text + strlen(text);
  const auto [last, error] = std::from_chars(text, end, number);
  return error == std::errc{} && last == end && number >= 0;
}

// Reads a layout that is kept by value: a name may stand for another layout tomorrow.
Complaint ReadValue(const char* text, Succession& succession) {
  const Layout* const reserved = FindReservedLayout(text);
  if (reserved != nullptr) {
    succession = Succession(*reserved);
    return {};
  }
  if (!IsDescription(text)) {
    return {.code = ERRCODE_INVALID_PARAMETER_VALUE,
            .message = psprintf("option \"layout\" is no description of a layout: \"%s\"",
                                Excerpt(text, kMostShown)),
            .hint = "idgen_create_generator() takes a name, and keeps what that stands for."};
  }
  Layout layout;
  const Complaint complaint = ReadDescription(text, layout);
  if (!complaint) succession = Succession(layout);
  return complaint;
}

// Returns what prevents a generator from making IDs of one of its layouts.
Complaint ComplaintOfOne(const GeneratorDefinition& definition, const Layout& layout) {
  if (!layout.CanGenerate()) return DecodeOnly(layout);
  for (const IdentityField& field : kIdentityFields) {
    const std::int32_t value = definition.*field.fixed;
    if (value < 0) continue;
    if (!layout.Has(field.kind)) {
      return NoField(layout, field.kind, psprintf("Leave out %s.", field.name));
    }
    if (AsField(value) > layout[field.kind].Largest()) {
      return Misfit(layout, field.kind, value);
    }
  }
  return {};
}

Complaint ReadOption(std::span<Option> known, const DefElem* element) {
  for (Option& option : known) {
    if (strcmp(option.name, element->defname) != 0 || element->arg == nullptr) continue;
    option.value = strVal(element->arg);
    return {};
  }
  return {.code = ERRCODE_FDW_INVALID_OPTION_NAME,
          .message = psprintf("invalid option \"%s\"", Excerpt(element->defname)),
          .hint = psprintf("The options are: %s.", ListOf(known))};
}

}  // namespace

std::size_t WriteLayoutText(const Layout& layout, char* out) {
  for (const BuiltinLayout& builtin : kBuiltinLayouts) {
    if (!builtin.is_reserved || builtin.layout != layout) continue;
    std::copy(builtin.layout.name.begin(), builtin.layout.name.end(), out);
    return builtin.layout.name.size();
  }
  return WriteDescription(layout, out);
}

char* LayoutText(const Layout& layout) {
  auto* const text = static_cast<char*>(palloc(kLongestLayoutText + 1));
  text[WriteLayoutText(layout, text)] = '\0';
  return text;
}

const Layout* FindReservedLayout(std::string_view name) {
  const BuiltinLayout* const builtin = FindBuiltin(name);
  return builtin != nullptr && builtin->is_reserved ? &builtin->layout : nullptr;
}

bool IsDescription(std::string_view text) {
  return std::find(text.begin(), text.end(), ':') != text.end();
}

Complaint ReadDescription(const char* text, Layout& layout) {
  const ParsedDescription parsed = ParseDescription(text);
  if (parsed.error != DescriptionError::kNone) {
    const char* const word = Excerpt({text + parsed.at, parsed.length}, kMostShown);
    return PointingAt(ComplaintOfDescription(parsed, word), text, parsed.at);
  }
  layout = parsed.ToLayout();
  const Complaint complaint = ComplaintOfLayout("", layout);
  if (!complaint) layout.name = LayoutText(layout);
  return complaint;
}

Complaint ReadFields(const char* name, const char* fields, std::int64_t tick_us,
                     std::int64_t epoch_us, Layout& layout) {
  const ParsedFields parsed = ParseFields(fields);
  if (parsed.error != FieldsError::kNone) {
    const char* const word = Excerpt({fields + parsed.at, parsed.length}, kMostShown);
    return PointingAt(ComplaintOfFields(parsed, word), fields, parsed.at);
  }
  layout = BuildLayout(name, tick_us, epoch_us, parsed.Specs());
  return ComplaintOfLayout(psprintf(" \"%s\"", name), layout);
}

Complaint ReadOptions(const List* options, GeneratorDefinition& definition) {
  Option known[] = {{"layout", nullptr},
                    {"datacenter_id", nullptr},
                    {"machine_id", nullptr},
                    {"shard_id", nullptr}};
  ListCell* cell;
  foreach (cell, options) {
    const Complaint complaint = ReadOption(known, static_cast<DefElem*>(lfirst(cell)));
    if (complaint) return complaint;
  }
  const char* const text = known[0].value;
  if (text == nullptr) {
    return {.code = ERRCODE_FDW_OPTION_NAME_NOT_FOUND, .message = "option \"layout\" is missing"};
  }
  Succession succession;
  const Complaint unreadable = ReadStages(text, ReadValue, succession);
  if (unreadable) return unreadable;
  SetLayouts(definition, succession);
  for (const IdentityField& field : kIdentityFields) {
    const Option& option = *std::find_if(known, std::end(known), [&field](const Option& each) {
      return strcmp(each.name, field.name) == 0;
    });
    if (option.value == nullptr || ReadNumber(option.value, definition.*field.fixed)) continue;
    return {.code = ERRCODE_INVALID_PARAMETER_VALUE,
            .message = psprintf("invalid value of option \"%s\": \"%s\"", option.name,
                                Excerpt(option.value, kMostShown)),
            .hint = "It is a whole number, and not negative."};
  }
  return {};
}

void SetLayouts(GeneratorDefinition& definition, const Succession& succession) {
  definition.layout = succession.stages[succession.StageAt(WallClockUs())].layout;
  definition.changes = nullptr;
  if (succession.count == 1) return;
  auto* const kept = static_cast<Succession*>(palloc(sizeof(Succession)));
  *kept = succession;
  definition.changes = kept;
}

Complaint ComplaintOf(const GeneratorDefinition& definition) {
  const Succession layouts = LayoutsOf(definition);
  for (std::size_t i = 0; i < layouts.count; ++i) {
    const Complaint complaint = ComplaintOfOne(definition, layouts.stages[i].layout);
    if (complaint) return complaint;
  }
  return {};
}

}  // namespace idgen::pg

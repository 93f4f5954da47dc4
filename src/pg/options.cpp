#include "options.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "errors.h"

namespace idgen::pg {

namespace {

constexpr int kMostShown = 40;  // bytes of a word that is quoted in an error

struct Option {
  const char* name;
  const char* value;
};

// Puts in the values of the options with these names. Returns one that is none of them, if any.
const DefElem* ReadOptions(const List* options, std::span<Option> known) {
  ListCell* cell;
  foreach (cell, options) {
    auto* element = static_cast<DefElem*>(lfirst(cell));
    const auto found = std::find_if(known.begin(), known.end(), [element](const Option& option) {
      return strcmp(option.name, element->defname) == 0;
    });
    if (found == known.end() || element->arg == nullptr) return element;
    found->value = defGetString(element);
  }
  return nullptr;
}

[[noreturn]] void ReportOption(const char* name, std::span<const Option> known) {
  StringInfoData names;
  initStringInfo(&names);
  for (const Option& option : known) {
    appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", option.name);
  }
  ereport(ERROR,
          (errcode(ERRCODE_FDW_INVALID_OPTION_NAME), errmsg("invalid option \"%s\"", Shown(name)),
           known.empty() ? errhint("There are no options here.")
                         : errhint("The options are: %s.", names.data)));
  pg_unreachable();
}

[[noreturn]] void ReportMissing(const char* name) {
  ereport(ERROR,
          (errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND), errmsg("option \"%s\" is missing", name)));
  pg_unreachable();
}

[[noreturn]] void ReportNumber(const char* name, const char* value) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("invalid value of option \"%s\": \"%s\"", name, Shown(value, kMostShown)),
                  errhint("It is a whole number.")));
  pg_unreachable();
}

// The one reader of numbers: what it takes, it takes wherever they come from.
template <typename Number>
bool ReadNumber(const char* text, Number& number) {
  const char* const end = text + strlen(text);
  const auto [last, error] = std::from_chars(text, end, number);
  return error == std::errc{} && last == end;
}

// Message and hint of an error in a field list.
struct Complaint {
  const char* message;
  const char* hint;  // nullptr: there is nothing to add
};

Complaint ComplaintOf(const ParsedFields& parsed, const char* word) {
  const char* const example = "Write the fields like this: timestamp:41, machine:10, sequence:12.";
  const char* const field = NameOfField(parsed.kind).data();
  const char* const found = parsed.length == 0 ? "the end" : psprintf("\"%s\"", word);
  switch (parsed.error) {
    case FieldsError::kNone:
    case FieldsError::kEmpty:
      return {"layout has no fields", example};
    case FieldsError::kExpectedField:
      return {psprintf("expected the name of a field, found %s", found), example};
    case FieldsError::kUnknownField: {
      const char* const nearest = NearestName(word, kFieldNames);
      return {psprintf("unknown field \"%s\"", word),
              nearest != nullptr
                  ? psprintf("Perhaps you meant \"%s\".", nearest)
                  : "The fields are: timestamp, datacenter, machine, shard, sequence, tail."};
    }
    case FieldsError::kExpectedColon:
      return {psprintf("expected a colon after field \"%s\", found %s", field, found), example};
    case FieldsError::kExpectedBits:
      return {psprintf("expected the number of bits of field \"%s\", found %s", field, found),
              example};
    case FieldsError::kZeroBits:
      return {psprintf("field \"%s\" has no bits", field), "Leave out a field that is not wanted."};
    case FieldsError::kTooWide:
      return {psprintf("field \"%s\" has too many bits: %s", field, word),
              psprintf("It can have %u at most.", MostBitsOf(parsed.kind))};
    case FieldsError::kRepeatedField:
      return {psprintf("field \"%s\" is repeated", field), nullptr};
    case FieldsError::kNoTimestamp:
      return {"layout has no timestamp", example};
    case FieldsError::kTimestampNotFirst:
      return {"timestamp is not the first field",
              "IDs sort by time only with the timestamp in their highest bits."};
    case FieldsError::kTooManyBits:
      return {psprintf("fields have %u bits together", parsed.total_bits),
              "An ID has 63 bits besides its sign."};
    case FieldsError::kExpectedComma:
      return {psprintf("expected a comma after field \"%s\", found %s", field, found), example};
  }
  pg_unreachable();
}

// The error of a field list, pointing at the wrong word.
[[noreturn]] void ReportFields(const char* fields, const ParsedFields& parsed) {
  const Complaint complaint =
      ComplaintOf(parsed, Shown({fields + parsed.at, parsed.length}, kMostShown));
  const int position = pg_mbstrlen_with_len(fields, static_cast<int>(parsed.at)) + 1;
  ereport(ERROR,
          (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg_internal("%s", complaint.message),
           complaint.hint == nullptr ? 0 : errhint("%s", complaint.hint), internalerrquery(fields),
           internalerrposition(position)));
  pg_unreachable();
}

bool IsName(const char* name) {
  const std::string_view text(name);
  return !text.empty() && text.size() <= kLongestName &&
         strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
             text.size();
}

// What keeps this from making IDs, with the field that it is about.
Flaw FlawOf(const Generator& generator, const IdentityField*& about) {
  const Layout& layout = *generator.layout;
  if (!layout.CanGenerate()) return Flaw::kDecodeOnly;
  for (const IdentityField& field : kIdentityFields) {
    const std::int32_t value = generator.*field.fixed;
    if (value < 0) continue;
    about = &field;
    if (!layout.Has(field.kind)) return Flaw::kNoField;
    Identity identity;
    identity.*field.value = AsField(value);
    if (layout.FindMisfit(identity) == field.kind) return Flaw::kOutOfRange;
  }
  return Flaw::kNone;
}

// The options that a validator gets. Nobody needs as much as this, and all of it would be in
// errors and in the log.
List* OptionsArgument(FunctionCallInfo fcinfo) {
  constexpr Size kMost = 4096;
  const Size size = toast_raw_datum_size(PG_GETARG_DATUM(0));
  if (size > kMost) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("options are too long"),
                    errdetail("They have %zu bytes, and can have %zu.", size, kMost)));
  }
  return untransformRelOptions(PG_GETARG_DATUM(0));
}

void RefuseOptions(const List* options) {
  const DefElem* unknown = ReadOptions(options, {});
  if (unknown != nullptr) ReportOption(unknown->defname, {});
}

}  // namespace

Layout ParseLayout(const char* name, const char* fields, std::int64_t tick_us,
                   std::int64_t epoch_us) {
  const ParsedFields parsed = ParseFields(fields);
  if (parsed.error != FieldsError::kNone) ReportFields(fields, parsed);
  const Layout layout = BuildLayout(name, tick_us, epoch_us, parsed.Specs());
  switch (CheckLayout(layout)) {
    case LayoutError::kNone:
    case LayoutError::kBadFields:  // ParseFields would have said so
      break;
    case LayoutError::kBadTick:
      ReportTick(name, psprintf("It is %lld microseconds.", static_cast<long long>(tick_us)));
    case LayoutError::kEndsTooLate:
      ereport(ERROR,
              (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
               errmsg("layout \"%s\" would end too late", name),
               errdetail("Its last tick is beyond the last instant that PostgreSQL can hold, "
                         "in the year 294247."),
               errhint("Give the timestamp fewer bits, and another field more.")));
      break;
  }
  return layout;
}

bool ReadLayoutOptions(const List* options, bool report, Layout& layout) {
  Option known[] = {
      {"layout", nullptr}, {"fields", nullptr}, {"tick_us", nullptr}, {"epoch_us", nullptr}};
  const auto& [name, fields, tick, epoch] = known;
  const DefElem* unknown = ReadOptions(options, known);
  if (unknown != nullptr) {
    if (report) ReportOption(unknown->defname, known);
    return false;
  }
  for (const Option& option : known) {
    if (option.value != nullptr) continue;
    if (report) ReportMissing(option.name);
    return false;
  }
  std::int64_t tick_us = 0;
  std::int64_t epoch_us = 0;
  for (const auto& [option, number] : {std::pair{&tick, &tick_us}, std::pair{&epoch, &epoch_us}}) {
    if (ReadNumber(option->value, *number)) continue;
    if (report) ReportNumber(option->name, option->value);
    return false;
  }
  if (report) {
    CheckName(kLayoutKind, name.value);
    layout = ParseLayout(name.value, fields.value, tick_us, epoch_us);
    return true;
  }
  const ParsedFields parsed = ParseFields(fields.value);
  if (!IsName(name.value) || parsed.error != FieldsError::kNone) return false;
  layout = BuildLayout(name.value, tick_us, epoch_us, parsed.Specs());
  return CheckLayout(layout) == LayoutError::kNone;
}

GeneratorOptions ReadGeneratorOptions(const List* options) {
  Option known[2 + std::size(kIdentityFields)] = {{"generator", nullptr}, {"layout", nullptr}};
  for (std::size_t i = 0; i < std::size(kIdentityFields); ++i) {
    known[2 + i] = {kIdentityFields[i].name, nullptr};
  }
  GeneratorOptions read;
  const auto flaw = [&read](Flaw which, const char* option, const char* value) {
    if (read.flaw != Flaw::kNone) return;
    read.flaw = which;
    read.option = option;
    read.value = value;
  };
  const DefElem* unknown = ReadOptions(options, known);
  if (unknown != nullptr) flaw(Flaw::kOption, unknown->defname, nullptr);
  read.name = known[0].value;
  read.layout = known[1].value;
  if (read.name == nullptr) flaw(Flaw::kMissingOption, "generator", nullptr);
  if (read.name != nullptr && !IsName(read.name)) flaw(Flaw::kName, "generator", read.name);
  if (read.layout == nullptr) {
    flaw(Flaw::kMissingOption, "layout", nullptr);
  } else {
    read.generator.layout = FindSoundLayout(read.layout);
    if (read.generator.layout == nullptr) flaw(Flaw::kUnknownLayout, "layout", read.layout);
  }
  for (std::size_t i = 0; i < std::size(kIdentityFields); ++i) {
    const Option& option = known[2 + i];
    if (option.value == nullptr) continue;
    std::int32_t value = -1;
    if (!ReadNumber(option.value, value) || value < 0) {
      flaw(Flaw::kNumber, option.name, option.value);
    } else {
      read.generator.*kIdentityFields[i].fixed = value;
    }
  }
  if (read.flaw == Flaw::kNone) read.flaw = FlawOf(read.generator, read.field);
  return read;
}

void ReportFlaw(const GeneratorOptions& read) {
  switch (read.flaw) {
    case Flaw::kNone:
      break;
    case Flaw::kOption: {
      Option known[2 + std::size(kIdentityFields)] = {{"generator", nullptr}, {"layout", nullptr}};
      for (std::size_t i = 0; i < std::size(kIdentityFields); ++i) {
        known[2 + i] = {kIdentityFields[i].name, nullptr};
      }
      ReportOption(read.option, known);
    }
    case Flaw::kMissingOption:
      ReportMissing(read.option);
    case Flaw::kName:
      CheckName(kGeneratorKind, read.name);
      break;
    case Flaw::kNumber:
      ReportNumber(read.option, read.value);
    case Flaw::kUnknownLayout:
      ReportUnknownLayout(read.layout);
    case Flaw::kDecodeOnly:
    case Flaw::kNoField:
    case Flaw::kOutOfRange:
      CheckGenerator(read.name, read.generator);
      break;
  }
  pg_unreachable();
}

char* FlawText(const GeneratorOptions& read) {
  const char* const field = NameOfField(read.field->kind).data();
  switch (read.flaw) {
    case Flaw::kNone:
      break;
    case Flaw::kOption:
      return psprintf("there is no option \"%s\"", Shown(read.option));
    case Flaw::kMissingOption:
      return psprintf("its option \"%s\" is missing", read.option);
    case Flaw::kName:
      return pstrdup("its name is invalid");
    case Flaw::kNumber:
      return psprintf("its option \"%s\" is invalid", read.option);
    case Flaw::kUnknownLayout:
      return psprintf("layout \"%s\" does not exist", Shown(read.layout));
    case Flaw::kDecodeOnly:
      return psprintf("IDs of layout \"%s\" cannot be generated", Shown(read.layout));
    case Flaw::kNoField:
      return psprintf("layout \"%s\" has no %s field", Shown(read.layout), field);
    case Flaw::kOutOfRange:
      return psprintf("%s ID %d is out of range for layout \"%s\"", field,
                      read.generator.*read.field->fixed, Shown(read.layout));
  }
  pg_unreachable();
}

void CheckGenerator(const char* name, const Generator& generator) {
  const Layout& layout = *generator.layout;
  const IdentityField* field = kIdentityFields;
  switch (FlawOf(generator, field)) {
    case Flaw::kDecodeOnly:
      ReportDecodeOnly(layout);
    case Flaw::kNoField:
      ReportNoField(layout, field->kind,
                    psprintf("Leave %s out of generator \"%s\".", field->name, name));
    case Flaw::kOutOfRange: {
      Identity identity;
      identity.*field->value = AsField(generator.*field->fixed);
      CheckIdentity(layout, identity, false);
      break;
    }
    default:
      break;
  }
}

void CheckName(const ServerKind& kind, const char* name) {
  if (IsName(name)) return;
  ereport(ERROR,
          (errcode(ERRCODE_INVALID_NAME),
           errmsg("invalid name of a %s: \"%s\"", kind.name, Shown(name, kMostShown + NAMEDATALEN)),
           errhint("Use 1 to %d letters (a to z, A to Z), digits, and the characters \"_\", "
                   "\"-\" and \".\".",
                   static_cast<int>(kLongestName))));
}

extern "C" {

IDGEN_SQL_FUNCTION(idgen_layout_validator);
IDGEN_SQL_FUNCTION(idgen_generator_validator);

// The wrappers themselves and user mappings have no options.
Datum idgen_layout_validator(PG_FUNCTION_ARGS) {
  List* options = OptionsArgument(fcinfo);
  Layout layout;
  if (PG_GETARG_OID(1) == ForeignServerRelationId) {
    (void)ReadLayoutOptions(options, true, layout);
  } else {
    RefuseOptions(options);
  }
  PG_RETURN_VOID();
}

Datum idgen_generator_validator(PG_FUNCTION_ARGS) {
  List* options = OptionsArgument(fcinfo);
  if (PG_GETARG_OID(1) == ForeignServerRelationId) {
    const GeneratorOptions read = ReadGeneratorOptions(options);
    if (read.flaw != Flaw::kNone) ReportFlaw(read);
  } else {
    RefuseOptions(options);
  }
  PG_RETURN_VOID();
}

}  // extern "C"

}  // namespace idgen::pg

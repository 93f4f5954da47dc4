#include "options.h"

#include "errors.h"

namespace idgen::pg {

namespace {

constexpr int kMostShown = 40;  // bytes of a word that is quoted in an error

struct Option {
  const char* name;
  const char* value;
};

// The values of the options with these names. Refuses others.
void ReadOptions(const List* options, std::span<Option> known) {
  ListCell* cell;
  foreach (cell, options) {
    auto* element = static_cast<DefElem*>(lfirst(cell));
    Option* found = nullptr;
    for (Option& option : known) {
      if (strcmp(option.name, element->defname) == 0) found = &option;
    }
    if (found == nullptr) {
      StringInfoData names;
      initStringInfo(&names);
      for (const Option& option : known) {
        appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", option.name);
      }
      ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
                      errmsg("invalid option \"%s\"", element->defname),
                      known.empty() ? errhint("There are no options here.")
                                    : errhint("The options are: %s.", names.data)));
    }
    found->value = defGetString(element);
  }
}

const char* Required(const Option& option) {
  if (option.value == nullptr) {
    ereport(ERROR, (errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
                    errmsg("option \"%s\" is missing", option.name)));
  }
  return option.value;
}

std::int64_t ReadInt64(const Option& option) {
  const char* value = Required(option);
  return DatumGetInt64(DirectFunctionCall1(int8in, CStringGetDatum(value)));
}

std::int32_t ReadFixedField(const Option& option) {
  if (option.value == nullptr) return -1;
  const std::int32_t value =
      DatumGetInt32(DirectFunctionCall1(int4in, CStringGetDatum(option.value)));
  if (value < 0) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("option \"%s\" is negative", option.name)));
  }
  return value;
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

Layout ReadLayoutOptions(const List* options) {
  Option known[] = {
      {"layout", nullptr}, {"fields", nullptr}, {"tick_us", nullptr}, {"epoch_us", nullptr}};
  ReadOptions(options, known);
  const char* const name = Required(known[0]);
  CheckName(kLayoutKind, name);
  return ParseLayout(name, Required(known[1]), ReadInt64(known[2]), ReadInt64(known[3]));
}

GeneratorOptions ReadGeneratorOptions(const List* options, bool missing_ok) {
  Option known[2 + std::size(kIdentityFields)] = {{"generator", nullptr}, {"layout", nullptr}};
  Option* const fixed = known + 2;
  for (std::size_t i = 0; i < std::size(kIdentityFields); ++i) {
    fixed[i] = {kIdentityFields[i].name, nullptr};
  }
  ReadOptions(options, known);
  GeneratorOptions read;
  read.name = Required(known[0]);
  CheckName(kGeneratorKind, read.name);
  const char* const layout = Required(known[1]);
  read.generator.layout = FindLayout(layout);
  if (read.generator.layout == nullptr) {
    if (!missing_ok) ReportUnknownLayout(layout);
    return read;
  }
  for (std::size_t i = 0; i < std::size(kIdentityFields); ++i) {
    read.generator.*kIdentityFields[i].fixed = ReadFixedField(fixed[i]);
  }
  CheckGenerator(read.name, read.generator);
  return read;
}

void CheckGenerator(const char* name, const Generator& generator) {
  const Layout& layout = *generator.layout;
  if (!layout.CanGenerate()) ReportDecodeOnly(layout);
  for (const IdentityField& field : kIdentityFields) {
    const std::int32_t value = generator.*field.fixed;
    if (value < 0) continue;
    if (!layout.Has(field.kind)) {
      ReportNoField(layout, field.kind,
                    psprintf("Leave %s out of generator \"%s\".", field.name, name));
    }
    Identity identity;
    identity.*field.value = AsField(value);
    CheckIdentity(layout, identity, false);
  }
}

void CheckName(const ServerKind& kind, const char* name) {
  const std::string_view text(name);
  const bool fits = !text.empty() && text.size() <= kLongestName;
  const bool legal =
      strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
      text.size();
  if (fits && legal) return;
  ereport(ERROR,
          (errcode(ERRCODE_INVALID_NAME),
           errmsg("invalid name of a %s: \"%s\"", kind.name, Shown(text, kMostShown + NAMEDATALEN)),
           errhint("Use 1 to %d letters (a to z, A to Z), digits, and the characters \"_\", "
                   "\"-\" and \".\".",
                   static_cast<int>(kLongestName))));
}

extern "C" {

IDGEN_SQL_FUNCTION(idgen_layout_validator);
IDGEN_SQL_FUNCTION(idgen_generator_validator);

// The wrappers themselves and user mappings have no options.
Datum idgen_layout_validator(PG_FUNCTION_ARGS) {
  List* options = untransformRelOptions(PG_GETARG_DATUM(0));
  if (PG_GETARG_OID(1) == ForeignServerRelationId) {
    (void)ReadLayoutOptions(options);
  } else {
    ReadOptions(options, {});
  }
  PG_RETURN_VOID();
}

Datum idgen_generator_validator(PG_FUNCTION_ARGS) {
  List* options = untransformRelOptions(PG_GETARG_DATUM(0));
  if (PG_GETARG_OID(1) == ForeignServerRelationId) {
    (void)ReadGeneratorOptions(options, false);
  } else {
    ReadOptions(options, {});
  }
  PG_RETURN_VOID();
}

}  // extern "C"

}  // namespace idgen::pg

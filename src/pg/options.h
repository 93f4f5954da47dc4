// What a user's layout or generator is made of, as the options of a foreign server: reading
// them, with every check that does not depend on the time. The same code reads what a user
// asks to be created and what the catalog has, so that neither is believed unchecked.
#pragma once

#include "pg.h"

#include "catalog.h"
#include "core/fields.h"
#include "core/layout.h"

namespace idgen::pg {

// layout 'orders', fields 'timestamp:42, ...', tick_us '1000', epoch_us '1704067200000000'
// The name of what is read points into the options. Options that make no layout are an error, or
// without `report` false.
bool ReadLayoutOptions(const List* options, bool report, Layout& layout);

// What keeps a generator from making IDs, as far as its options tell.
enum class Flaw : std::uint8_t {
  kNone,
  kOption,  // one that there is not
  kMissingOption,
  kName,
  kNumber,  // an option that is none, or negative
  kUnknownLayout,
  kDecodeOnly,  // the layout
  kNoField,     // the layout lacks a field that is fixed
  kOutOfRange,  // a fixed field does not fit the layout's
};

// generator 'orders_7', layout 'orders', and where it is fixed datacenter_id, machine_id,
// shard_id
struct GeneratorOptions {
  const char* name = nullptr;    // nullptr: it is not there
  const char* layout = nullptr;  // the same
  Generator generator;           // what could be read of it
  Flaw flaw = Flaw::kNone;       // the first
  // What the flaw is in.
  const char* option = nullptr;
  const char* value = nullptr;
  const IdentityField* field = kIdentityFields;  // of kNoField and kOutOfRange
};

// Reports nothing, whatever the catalog has: one generator that is broken must not break what is
// done with others.
GeneratorOptions ReadGeneratorOptions(const List* options);

// The flaw as an error of who asks for such a generator.
[[noreturn]] void ReportFlaw(const GeneratorOptions& read);

// The flaw in some words, for those who find such a generator; in the current memory context.
char* FlawText(const GeneratorOptions& read);

// The layout of a field list; errors point at the wrong word.
Layout ParseLayout(const char* name, const char* fields, std::int64_t tick_us,
                   std::int64_t epoch_us);

// Refuses a generator that could not work: a layout that only decodes, or a fixed field that
// the layout lacks or that does not fit.
void CheckGenerator(const char* name, const Generator& generator);

// Refuses what is no name of a layout or generator.
void CheckName(const ServerKind& kind, const char* name);

}  // namespace idgen::pg

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
// The name of what is read points into the options.
Layout ReadLayoutOptions(const List* options);

// generator 'orders_7', layout 'orders', and where it is fixed datacenter_id, machine_id,
// shard_id
struct GeneratorOptions {
  const char* name = nullptr;
  Generator generator;  // with `missing_ok`, without a layout where there is none of that name
};
GeneratorOptions ReadGeneratorOptions(const List* options, bool missing_ok);

// The layout of a field list; errors point at the wrong word.
Layout ParseLayout(const char* name, const char* fields, std::int64_t tick_us,
                   std::int64_t epoch_us);

// Refuses a generator that could not work: a layout that only decodes, or a fixed field that
// the layout lacks or that does not fit.
void CheckGenerator(const char* name, const Generator& generator);

// Refuses what is no name of a layout or generator.
void CheckName(const ServerKind& kind, const char* name);

}  // namespace idgen::pg

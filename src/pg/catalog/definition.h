// The text form of a user's layout or generator: reads it, with every check that does not depend on
// the time, and writes it. The same code reads a user's request and the catalog's rows, so both are
// checked.
#pragma once

#include "pg.h"

#include <string_view>

#include "complaint.h"
#include "core/description.h"
#include "core/layout.h"
#include "core/succession.h"
#include "layout_value.h"

namespace idgen::pg {

// What a generator's name stands for. A field of the identity is -1 if it comes from the settings
// or the layout lacks it.
struct GeneratorDefinition {
  Layout layout;  // of a succession: the one of the time when it was read
  // All layouts that it has, had and will have; nullptr: there is one. In the memory context of
  // whoever read it.
  const Succession* changes = nullptr;
  std::int32_t datacenter_id = -1;
  std::int32_t machine_id = -1;
  std::int32_t shard_id = -1;
};

// The fields of an identity, as settings, options and arguments name them.
struct IdentityField {
  FieldKind kind;
  const char* name;  // the name of an option or argument; the setting's name after "idgen."
  std::int32_t GeneratorDefinition::*fixed;
  std::uint64_t Identity::*value;
};
inline constexpr IdentityField kIdentityFields[] = {
    {FieldKind::kDatacenter, "datacenter_id", &GeneratorDefinition::datacenter_id,
     &Identity::datacenter},
    {FieldKind::kMachine, "machine_id", &GeneratorDefinition::machine_id, &Identity::machine},
    {FieldKind::kShard, "shard_id", &GeneratorDefinition::shard_id, &Identity::shard},
};

// Converts the value of a field that is known not to be negative.
constexpr std::uint64_t AsField(std::int64_t value) { return static_cast<std::uint64_t>(value); }

// The texts below are in the current memory context.

// Formats a layout as its type prints it: a reserved built-in name (BuiltinLayout::is_reserved) or
// the whole description. The text always reads back as the same layout, whatever names exist.
char* LayoutText(const Layout& layout);

// Writes the same text without a terminator to `out`, which has kLongestLayoutText bytes. Returns
// the length.
std::size_t WriteLayoutText(const Layout& layout, char* out);
inline constexpr std::size_t kLongestLayoutText = kLongestDescription;

// Returns the built-in layout of a reserved name; nullptr if the name is not reserved.
const Layout* FindReservedLayout(std::string_view name);

// Whether a text is a description of a layout and not a name: it has a colon.
bool IsDescription(std::string_view text);

// Reads a description. The layout's name becomes LayoutText().
Complaint ReadDescription(const char* text, Layout& layout);

// Reads a layout from a field list, a tick and an epoch. Complaints mention `name`.
Complaint ReadFields(const char* name, const char* fields, std::int64_t tick_us,
                     std::int64_t epoch_us, Layout& layout);

// Reads the options of a layout's or generator's foreign server:
//   layout 'timestamp:42, ...', and datacenter_id, machine_id, shard_id where they are fixed
Complaint ReadOptions(const List* options, GeneratorDefinition& definition);

// Sets the layout or the layouts, in the current memory context.
void SetLayouts(GeneratorDefinition& definition, const Succession& succession);

// Returns all layouts of a definition.
inline Succession LayoutsOf(const GeneratorDefinition& definition) {
  return definition.changes != nullptr ? *definition.changes : Succession(definition.layout);
}

// Returns what prevents a generator from making IDs.
Complaint ComplaintOf(const GeneratorDefinition& definition);

}  // namespace idgen::pg

// What a layout or a generator of a user is made of, as text: reading it with every check that does
// not depend on the time, and writing it. The same code reads what a user asks for and what the
// catalog has, so that neither is believed unchecked.
#pragma once

#include "pg.h"

#include <string_view>

#include "complaint.h"
#include "core/description.h"
#include "core/layout.h"

namespace idgen::pg {

// What the name of a generator stands for. The identity's fields are -1 where the settings
// say them, or where the layout lacks them.
struct GeneratorDefinition {
  Layout layout;
  std::int32_t datacenter_id = -1;
  std::int32_t machine_id = -1;
  std::int32_t shard_id = -1;
};

// The fields of an identity, as settings, options and arguments have them.
struct IdentityField {
  FieldKind kind;
  const char* name;  // an option's and an argument's; after "idgen." the setting's
  std::int32_t GeneratorDefinition::*fixed;
  std::uint64_t Identity::*value;
};
inline constexpr IdentityField kIdentityFields[] = {
    {FieldKind::kDatacenter, "datacenter_id", &GeneratorDefinition::datacenter_id,
     &Identity::datacenter},
    {FieldKind::kMachine, "machine_id", &GeneratorDefinition::machine_id, &Identity::machine},
    {FieldKind::kShard, "shard_id", &GeneratorDefinition::shard_id, &Identity::shard},
};

// The value of a field that is known not to be negative.
constexpr std::uint64_t AsField(std::int64_t value) { return static_cast<std::uint64_t>(value); }

// The texts below are in the current memory context.

// A layout as its type prints it: a reserved built-in name (Format::is_reserved), or the whole
// description. It reads back as the same layout, whatever names there are.
char* LayoutText(const Layout& layout);

// The same without a terminator, to a place of kLongestLayoutText bytes. Returns the length.
std::size_t WriteLayoutText(const Layout& layout, char* out);
inline constexpr std::size_t kLongestLayoutText = kLongestDescription;

// The built-in layout of that name, where only that can be meant; nullptr if there is none.
const Layout* FindReservedLayout(std::string_view name);

// A text is a description of a layout, and no name, where it has a colon.
bool IsDescription(std::string_view text);

// Reads a description. The layout's name is LayoutText().
Complaint ReadDescription(const char* text, Layout& layout);

// The same from a field list, a tick and an epoch; `name` for the complaint.
Complaint ReadFields(const char* name, const char* fields, std::int64_t tick_us,
                     std::int64_t epoch_us, Layout& layout);

// The options of a user's layout or generator, as those of a foreign server:
//   layout 'timestamp:42, ...', and where it is fixed datacenter_id, machine_id, shard_id
Complaint ReadOptions(const List* options, GeneratorDefinition& definition);

// What keeps a generator from making IDs.
Complaint ComplaintOf(const GeneratorDefinition& definition);

}  // namespace idgen::pg

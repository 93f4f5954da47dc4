// IDs: any number, read as an ID of each built-in layout.
//
// An input: which layout, and numbers.
#include <idgen/builtin_layouts.h>

#include "fuzz.h"
#include "properties.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  idgen::fuzz::Input input(data, size);
  const idgen::Layout& layout =
      idgen::kBuiltinLayouts[input.Byte() % idgen::kBuiltinLayouts.size()].layout;
  idgen::fuzz::CheckLayoutWith(layout, input);
  return 0;
}

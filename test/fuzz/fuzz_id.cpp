// IDs: any number, read as an ID of each built-in layout.
//
// An input: which layout, and numbers.
#include <idgen/formats.h>

#include "fuzz.h"
#include "properties.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  idgen::fuzz::Input input(data, size);
  const idgen::Layout& layout = idgen::kFormats[input.Byte() % idgen::kFormats.size()].layout;
  idgen::fuzz::CheckLayoutWith(layout, input);
  return 0;
}

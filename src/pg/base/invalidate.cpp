#include "invalidate.h"

namespace idgen::pg {

namespace {

constinit std::uint64_t of_handles = 1;
constinit std::uint64_t of_mark = 1;
constinit CloseHandles close_all = nullptr;

}  // namespace

void InvalidateHandles() {
  ++of_handles;
  if (close_all != nullptr) close_all();
}

void InvalidateMark() {
  ++of_mark;
  InvalidateHandles();
}

std::uint64_t HandleInvalidations() { return of_handles; }

std::uint64_t MarkInvalidations() { return of_mark; }

void WatchInvalidations(CloseHandles close) { close_all = close; }

}  // namespace idgen::pg

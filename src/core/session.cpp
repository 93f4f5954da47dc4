#include "session.h"

namespace idgen {

Status Session::TakeSlowly(const Request& request, Taken& taken) noexcept {
  const Status status = generator_.TakeSlowly(request, taken);
  if (status != Status::kOk) return status;
  // What is left of a block is below what was just taken.
  cursor_.DropBlock();
  allowance_.Open(LoadPosition(generator_.limit_));
  return Status::kOk;
}

Result Session::NextSlowly() noexcept {
  Taken taken;
  const Status status = TakeSlowly({}, taken);
  if (status != Status::kOk) return {status, 0};
  return {Status::kOk, composer_(taken.first)};
}

}  // namespace idgen

#include "start_over.h"

#include <algorithm>

namespace idgen::pg {

std::int64_t FreshOfBoth(std::int64_t held_until_ms, std::int64_t machine_id,
                         std::int64_t other_machine_id) {
  return held_until_ms == 0 || machine_id == other_machine_id ? other_machine_id : kNoMachine;
}

void AddHold(Root& shared, std::int64_t held_until_ms, std::int64_t machine_id) {
  if (held_until_ms <= 0) return;
  LWLockAcquire(&shared.lock, LW_EXCLUSIVE);
  StoreWord(shared.fresh_machine,
            FreshOfBoth(LoadSharedMs(shared.held_until_ms), shared.fresh_machine, machine_id));
  // Raise it after setting the machine ID: a reader that sees the hold also sees that ID or a
  // stricter one. And before releasing the lock: a second hold must not be mistaken for the first.
  RaiseSharedMs(shared.held_until_ms, held_until_ms);
  LWLockRelease(&shared.lock);
}

std::int64_t FloorOf(std::int64_t machine_id) {
  const Root& shared = SharedRoot();
  const std::uint64_t floor_ms = LoadShared(shared.floor_ms);
  const std::uint64_t held_until_ms = LoadShared(shared.held_until_ms);
  const bool is_fresh = machine_id == kFreshAnyway ||
                        (machine_id != kNoMachine && machine_id == LoadWord(shared.fresh_machine));
  return static_cast<std::int64_t>(is_fresh ? floor_ms : std::max(floor_ms, held_until_ms));
}

void CheckRestart(const Root& shared) {
  if (LoadShared(shared.restart_needed) == 0) return;
  ereport(ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
           errmsg("the server must be restarted before it makes IDs again"),
           errdetail("idgen_start_over() was called."),
           errhint("Set idgen.machine_id to the machine ID that was given to it, and restart "
                   "the server.")));
}

}  // namespace idgen::pg

// A session goes over from one layout of a generator to the next (core/succession.h).
#pragma once

#include "pg.h"

#include "core/loop.h"
#include "handle.h"

namespace idgen::pg {

// Whether the generator goes over to another layout some time.
inline bool HasNextStage(const Handle& handle) {
  return unlikely(handle.changes != nullptr) && handle.stage + 1 < handle.changes->count;
}

// Whether an ID is of a layout to come.
inline bool IsOfNextStage(const Handle& handle, std::uint64_t id) {
  return HasNextStage(handle) && handle.changes->StageOf(id) > handle.stage;
}

// Goes over to a later layout, for good; the handle must be prepared anew.
inline void EnterStage(Handle& handle, std::size_t stage) {
  handle.stage = stage;
  handle.preparation = 0;
  handle.allowance.Close();
}

// Goes over to the layout of the present, if that is a later one. Reads the clock only where there
// is one.
template <typename Clock>
void EnterPresentStage(Handle& handle, Clock&& clock) {
  if (!HasNextStage(handle)) return;
  const std::int64_t now_us = clock();
  if (now_us < handle.changes->SinceOf(handle.stage + 1)) return;
  EnterStage(handle, handle.changes->StageAt(now_us));
}

// Whether a layout that has no position left is followed by the next one: at this time, or because
// others have gone over before the clock was set back.
inline bool IsOver(const Handle& handle, std::int64_t now_us) {
  if (!HasNextStage(handle)) return false;
  return now_us >= handle.changes->SinceOf(handle.stage + 1) ||
         handle.layout().TickAt(now_us) <= static_cast<std::int64_t>(handle.layout().MaxTick());
}

// Takes positions of the present layout or a later one. The policy's Refresh and Extend go over
// where they find that the present one is over; its last position is the loop's to find.
template <LoopPolicy Policy>
LoopResult TakeOfStages(Policy& policy, Handle& handle, const Request& request) {
  for (;;) {
    const LoopResult result = TakeByLoop(policy, request);
    if (result.ending != Ending::kOutOfTime || !IsOver(handle, result.attempt.now_us))
      return result;
    EnterStage(handle, handle.stage + 1);
  }
}

}  // namespace idgen::pg

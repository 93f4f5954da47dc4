#include "test_take.h"

#include <algorithm>

#include "core/hlc.h"
#include "core/loop.h"
#include "errors.h"
#include "settings.h"
#include "stages.h"
#include "take.h"
#include "test_clock.h"

namespace idgen::pg {

namespace {

// The position of an ID space in a run of the test clock.
struct TestSpace {
  IdSpaceKey key;
  std::uint64_t run;
  std::uint64_t position;
};

std::uint64_t& PositionOf(const Handle& handle, std::uint64_t identity_bits) {
  static constinit HTAB* spaces = nullptr;
  if (spaces == nullptr) {
    HASHCTL control{};
    control.keysize = sizeof(IdSpaceKey);
    control.entrysize = sizeof(TestSpace);
    spaces = hash_create("idgen test ID spaces", 16, &control, HASH_ELEM | HASH_BLOBS);
  }
  const IdSpaceKey key = SlotKeyOf(handle, identity_bits);
  bool is_known = false;
  auto& space = *static_cast<TestSpace*>(hash_search(spaces, &key, HASH_ENTER, &is_known));
  if (!is_known || space.run != TestClockRun()) space.position = 0;
  space.run = TestClockRun();
  return space.position;
}

// What callers get to see for an ID space, to compose IDs with and to count them: nobody reads the
// counts.
SessionSlot& ViewOf(std::uint64_t identity_bits) {
  static constinit struct {
    Slot slot;
    SpaceStats stats;
  } nobody{};
  static constinit SessionSlot view;
  nobody.slot.to_stats =
      reinterpret_cast<char*>(&nobody.stats) - reinterpret_cast<char*>(&nobody.slot);
  view.identity_bits = identity_bits;
  view.use = &UseOf(nobody.slot);
  return view;
}

// The loop of one call. Nothing here waits, and there is no mark.
class TestPolicy {
 public:
  TestPolicy(Handle& handle, std::int64_t shard, const Request& request)
      : handle_(handle), shard_(shard), request_(request) {}

  Source Refresh() {
    Prepare();
    CheckTogether(handle_.layout(), request_);
    return SourceOf(IdentityBitsOf(handle_, shard_));
  }
  std::int64_t ClockUs() const noexcept { return TestClockUs(); }
  std::int64_t MonotonicUs() const noexcept { return waited_us_; }
  // The only limit is the end of the layout's time.
  bool Extend(std::uint64_t, std::int64_t) {
    if (!HasNextStage(handle_)) return false;
    EnterStage(handle_, handle_.stage + 1);
    return true;
  }
  bool Wait(std::int64_t us) {
    CHECK_FOR_INTERRUPTS();
    PassTestTime(us);
    waited_us_ += us;
    return true;
  }
  void NoteAttempt(const Attempt&) {}
  void NoteWait(std::int64_t) {}
  void NoteIssued(const Attempt&) {}

  [[nodiscard]] std::uint64_t identity_bits() const { return identity_bits_; }
  [[nodiscard]] const GuardSettings& guard() const { return guard_; }

 protected:
  void Prepare() {
    EnterPresentStage(handle_, TestClockUs);
    while (!IsPrepared(handle_)) PrepareHandle(handle_);
  }
  Source SourceOf(std::uint64_t identity_bits) {
    identity_bits_ = identity_bits;
    std::uint64_t& position = PositionOf(handle_, identity_bits);
    if (handle_.stage > 0) RaisePosition(position, handle_.changes->BeginOf(handle_.stage));
    guard_ = GuardFromSettings();
    if (handle_.is_clock()) guard_ = HlcGuard(guard_.max_clock_wait_us, MaxClockOffsetUs(), true);
    return {&position,
            &handle_.layout(),
            identity_bits,
            guard_,
            {.limit = std::min(handle_.layout().MaxPosition() + 1, handle_.stage_end)}};
  }

  Handle& handle_;

 private:
  std::int64_t shard_ = kNoShard;
  Request request_;
  std::uint64_t identity_bits_ = 0;
  GuardSettings guard_;
  std::int64_t waited_us_ = 0;
};

class ObservingTestPolicy : public TestPolicy {
 public:
  ObservingTestPolicy(Handle& handle, std::uint64_t id)
      : TestPolicy(handle, kNoShard, {}), id_(id) {}

  Source Refresh() {
    Prepare();
    while (IsOfNextStage(handle_, id_)) {
      CheckNotTooFarAhead(handle_, id_, ClockUs());
      EnterStage(handle_, handle_.stage + 1);
      Prepare();
    }
    return SourceOf(IdentityBitsOf(handle_, ShardOfId(handle_, id_)));
  }

 private:
  std::uint64_t id_ = 0;
};

}  // namespace

Issued TakeForTest(Handle& handle, std::int64_t shard, const Request& request) {
  NoteTestId();
  TestPolicy policy(handle, shard, request);
  const LoopResult result = TakeOfStages(policy, handle, request);
  const Attempt& attempt = result.attempt;
  if (result.ending == Ending::kOutOfTime) ReportOutOfTime(handle.layout(), attempt.now_us);
  if (result.ending != Ending::kDone) {
    ReportClockBehind(handle.layout(), handle.name, attempt, policy.guard(),
                      result.ending == Ending::kWaited);
  }
  return {attempt.taken, &ViewOf(policy.identity_bits())};
}

std::int64_t ObserveForTest(Handle& handle, std::uint64_t id) {
  NoteTestId();
  ObservingTestPolicy policy(handle, id);
  const Observed observed = ObserveId(policy, id);
  if (observed.ending != Ending::kDone) ReportTooFarAhead(handle, id, observed, policy.guard());
  const std::uint64_t bits = policy.identity_bits();
  return IdOf(handle, ViewOf(bits), PositionOf(handle, bits));
}

}  // namespace idgen::pg

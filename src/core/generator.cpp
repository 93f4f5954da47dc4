#include "generator.h"

#include <cerrno>

#include "loop.h"
#include "mark.h"

namespace idgen {

namespace {

Status RefusalFor(const Layout& layout, const Identity& identity) noexcept {
  if (CheckLayout(layout) != LayoutError::kNone) return Status::kBadLayout;
  if (!layout.CanGenerate()) return Status::kDecodeOnly;
  if (layout.FindMisfit(identity) != FieldKind::kTimestamp) return Status::kBadIdentity;
  return Status::kOk;
}

Status StatusOf(Ending ending) noexcept {
  switch (ending) {
    case Ending::kDone:
      return Status::kOk;
    case Ending::kMarkNotMoved:
      return Status::kMarkNotMoved;
    case Ending::kOutOfTime:
      return Status::kOutOfTime;
    case Ending::kTooFarAhead:
      return Status::kTooFarAhead;
    case Ending::kClockBehind:
    case Ending::kWaited:
    case Ending::kCancelled:
      break;
  }
  return Status::kClockBehind;
}

}  // namespace

// A sleep's end is late by some 60 us: hence the spin.
void PauseUs(std::int64_t us) noexcept {
  constexpr std::int64_t kSpinUs = 80;
  constexpr std::int64_t kLongestUs = 20'000;
  us = std::min(us, kLongestUs);
  const std::int64_t end = MonotonicUs() + us;
  if (us > kSpinUs) {
    timespec rest{};
    rest.tv_nsec = static_cast<decltype(rest.tv_nsec)>((us - kSpinUs) * 1000);
    while (nanosleep(&rest, &rest) == -1 && errno == EINTR) {
    }
  }
  while (MonotonicUs() < end) {
  }
}

const char* StatusText(Status status) noexcept {
  switch (status) {
    case Status::kOk:
      return "ok";
    case Status::kBadIdentity:
      return "the identity does not fit the layout";
    case Status::kBadCount:
      return "the count is out of range";
    case Status::kClockBehind:
      return "the clock is behind the last ID by more than the settings allow";
    case Status::kOutOfTime:
      return "the layout has no IDs left";
    case Status::kMarkNotMoved:
      return "the high-water mark could not be moved";
    case Status::kBadId:
      return "the number is not an ID of the layout";
    case Status::kTooFarAhead:
      return "the ID is too far ahead of the clock";
    case Status::kNotConsecutive:
      return "the layout's sequence is not its lowest field";
    case Status::kDecodeOnly:
      return "IDs of the layout can be read, but not made";
    case Status::kBadLayout:
      return "the layout is not valid";
  }
  return "unknown status";
}

Generator::Generator(const Layout& layout, const Options& options)
    : layout_(layout), options_(options), refusal_(RefusalFor(layout, options.identity)) {
  // A generator that refuses has no tick for any instant (TickDivider's default): Next ends in
  // the slow path, which checks. And nothing is computed from what is no layout.
  if (refusal_ != Status::kOk) return;
  divider_ = TickDivider(layout);
  composer_ = layout.ComposerFor(layout.IdentityBits(options.identity));
  start_ = PositionLimit(layout, options.not_before_ms);
  if (start_ > 0) position_ = start_ - 1;
  if (options.extend_mark == nullptr) limit_ = layout.MaxPosition() + 1;
}

// The loop over this generator: nothing in it changes but the position and the limit.
struct Generator::Policy {
  Generator& generator;

  [[nodiscard]] Source Refresh() const noexcept {
    return {&generator.position_,
            &generator.layout_,
            generator.composer_.identity_bits,
            generator.options_.guard,
            {LoadPosition(generator.limit_), generator.start_, generator.Overshoot(), {}}};
  }
  [[nodiscard]] std::int64_t ClockUs() const noexcept { return generator.options_.clock(); }
  [[nodiscard]] std::int64_t MonotonicUs() const noexcept {
    return generator.options_.monotonic_clock();
  }
  [[nodiscard]] bool Extend(std::uint64_t last, std::int64_t) const noexcept {
    return generator.ExtendLimit(last);
  }
  [[nodiscard]] bool Wait(std::int64_t us) const noexcept {
    generator.options_.pause(us);
    return true;
  }
  void NoteAttempt(const Attempt&) const noexcept {}
  void NoteWait(std::int64_t) const noexcept {}
  void NoteIssued(const Attempt&) const noexcept {}
};

bool Generator::ExtendLimit(std::uint64_t last) noexcept {
  const std::uint64_t needed = std::min(last, layout_.MaxPosition());
  const std::int64_t needed_ms = MarkCovering(layout_, needed);
  const std::int64_t mark_ms = options_.extend_mark(options_.mark_context, needed_ms);
  const std::uint64_t limit = PositionLimit(layout_, mark_ms);
  if (limit <= needed) return false;
  RaisePosition(limit_, limit);
  return true;
}

Status Generator::TakeSlowly(const Request& request, Taken& taken) noexcept {
  if (refusal_ != Status::kOk) return refusal_;
  Policy policy{*this};
  const LoopResult result = TakeByLoop(policy, request);
  taken = result.attempt.taken;
  return StatusOf(result.ending);
}

Status Generator::NextBatch(std::span<std::int64_t> ids, std::size_t& filled) noexcept {
  return FillBatch(ids, filled, [this](std::uint64_t count, Taken& taken) noexcept {
    return TakeAtOnce(count, taken) ? Status::kOk : TakeSlowly({count, false}, taken);
  });
}

Result Generator::Reserve(std::uint64_t count) noexcept {
  if (refusal_ != Status::kOk) return {refusal_, 0};
  if (count == 0 || count > layout_.IdsPerTick()) return {Status::kBadCount, 0};
  if (count > 1 && !layout_.SequenceIsLowest()) return {Status::kNotConsecutive, 0};
  Taken taken;
  const Status status = TakeSlowly({count, true}, taken);
  if (status != Status::kOk) return {status, 0};
  return {Status::kOk, composer_(taken.first)};
}

Status Generator::Observe(std::int64_t id) noexcept {
  if (refusal_ != Status::kOk) return refusal_;
  if (id < 0 || static_cast<std::uint64_t>(id) > layout_.MaxId()) return Status::kBadId;
  Policy policy{*this};
  return StatusOf(ObserveId(policy, static_cast<std::uint64_t>(id)).ending);
}

}  // namespace idgen

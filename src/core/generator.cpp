#include "generator.h"

#include <cerrno>

namespace idgen {

namespace {

Status RefusalFor(const Layout& layout, const Identity& identity) noexcept {
  if (CheckLayout(layout) != LayoutError::kNone) return Status::kBadLayout;
  if (!layout.CanGenerate()) return Status::kDecodeOnly;
  if (layout.FindMisfit(identity) != FieldKind::kTimestamp) return Status::kBadIdentity;
  return Status::kOk;
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
  start_ = layout.PositionLimit(options.not_before_ms);
  if (start_ > 0) position_ = start_ - 1;
  if (options.extend_mark == nullptr) limit_ = layout.MaxPosition() + 1;
}

Status Generator::ExtendLimit(std::uint64_t last) noexcept {
  const std::uint64_t needed = std::min(last, layout_.MaxPosition());
  const std::int64_t needed_ms = layout_.MarkCovering(needed);
  const std::int64_t mark_ms = options_.extend_mark(options_.mark_context, needed_ms);
  const std::uint64_t limit = layout_.PositionLimit(mark_ms);
  if (limit <= needed) return Status::kMarkNotMoved;
  RaisePosition(limit_, limit);
  return Status::kOk;
}

Status Generator::TakeSlowly(const Request& request, Taken& taken) noexcept {
  if (refusal_ != Status::kOk) return refusal_;
  WaitBudget budget;
  for (;;) {
    const Bounds bounds{LoadPosition(limit_), start_, 0, budget.Awaits(options_.monotonic_clock)};
    const Attempt attempt =
        TryTake(position_, layout_, options_.guard, bounds, request, options_.clock);
    switch (attempt.verdict) {
      case Verdict::kIssued:
        taken = attempt.taken;
        return Status::kOk;
      case Verdict::kReserve: {
        const std::uint64_t last = attempt.next + (request.together ? request.count - 1 : 0);
        const Status status = ExtendLimit(last);
        if (status != Status::kOk) return status;
        break;
      }
      case Verdict::kWaitForTick:
      case Verdict::kWaitForClock: {
        const std::int64_t left = budget.Left(attempt, options_.guard, options_.monotonic_clock());
        if (left <= 0) return Status::kClockBehind;
        options_.pause(std::min(attempt.wait_us, left));
        break;
      }
      case Verdict::kClockBehind:
        return Status::kClockBehind;
      case Verdict::kOutOfTime:
        return Status::kOutOfTime;
    }
  }
}

Status Generator::NextBatch(std::span<std::int64_t> ids, std::size_t& filled) noexcept {
  filled = 0;
  if (refusal_ != Status::kOk) return refusal_;
  if (ids.empty()) return Status::kBadCount;
  while (filled < ids.size()) {
    const std::uint64_t wanted = ids.size() - filled;
    Taken taken;
    if (!TakeAtOnce(wanted, taken)) {
      const Status status = TakeSlowly({wanted, false}, taken);
      if (status != Status::kOk) return status;
    }
    composer_.Fill(taken.first, taken.count, ids.data() + filled);
    filled += taken.count;
  }
  return Status::kOk;
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
  const auto bits = static_cast<std::uint64_t>(id);
  const std::int64_t ahead =
      DifferenceUs(layout_.StartOfTick(layout_.Parse(bits).tick), options_.clock());
  if (ahead > options_.guard.max_clock_lead_us) return Status::kTooFarAhead;
  const std::uint64_t position = layout_.PositionNotAbove(bits, composer_.identity_bits);
  // The mark first: what was observed is then remembered across a restart too.
  if (position >= LoadPosition(limit_)) {
    const Status status = ExtendLimit(position);
    if (status != Status::kOk) return status;
  }
  RaisePosition(position_, position);
  return Status::kOk;
}

}  // namespace idgen

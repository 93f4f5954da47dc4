// A generator for C++ programs: the same IDs as the database's, from the same core.
//
//   idgen::Generator generator(idgen::kSnowflake, {.identity = {.machine = 7}});
//   idgen::Result result = generator.Next();
//   if (result.status == idgen::Status::kOk) use(result.id);
//
// Thread-safe and lock-free: any number of threads may call one generator, and each
// ID is greater than every ID that was returned before the call began. Two
// generators on one layout and identity, in one process or in two, collide: give
// each process (and the database) a machine ID of its own.
//
// A generator keeps its position in memory. What survives the process is up to its
// owner: Options::not_before_ms is where the process before may have ended, and
// Options::extend_mark keeps that mark in durable storage ahead of its use.
// A thread that makes many IDs has a Session of its own (session.h), which is cheaper.
// docs/library.md has the whole of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "builtin_layouts.h"
#include "clock.h"
#include "guard.h"
#include "layout.h"
#include "position.h"

namespace idgen {

enum class Status : std::uint8_t {
  kOk,
  kBadIdentity,     // a field of the identity does not fit the layout
  kBadCount,        // a count of zero, or more than one tick holds
  kClockBehind,     // the clock is behind by more than the settings allow
  kOutOfTime,       // the layout has no IDs left
  kMarkNotMoved,    // extend_mark did not return a late enough mark
  kBadId,           // Observe: not an ID of the layout
  kTooFarAhead,     // Observe: later than max_clock_lead allows
  kNotConsecutive,  // Reserve: the layout's sequence is not its lowest field
  kDecodeOnly,      // the layout's IDs can be read, but not made (Layout::CanGenerate)
  kBadLayout        // what CheckLayout does not let pass is no layout
};

// A short English text for a status, for logs.
const char* StatusText(Status status) noexcept;

struct Result {
  Status status = Status::kOk;
  std::int64_t id = 0;  // with kOk
};

// Returns after about `us` microseconds by the monotonic clock, or sooner, but after 20 ms at
// the latest: in case the wall clock is set meanwhile. Ends in a spin.
void PauseUs(std::int64_t us) noexcept;

class Generator {
 public:
  struct Options {
    Identity identity{};
    GuardSettings guard{};
    // The first ID is of this time (milliseconds since 1970 UTC) or later: the mark
    // that the process before this one left behind.
    std::int64_t not_before_ms = 0;
    // Called before an ID just below the mark `needed_ms` is handed out for the first
    // time. Makes durable, and returns, a mark of `needed_ms` or later; the later, the
    // fewer the calls (and the longer the wait after a restart). Threads may call it side
    // by side, so it must serialize them itself where it needs to; it must not throw. Without it
    // there is no mark, and IDs are safe across a restart only if the clock does not go back.
    std::int64_t (*extend_mark)(void* context, std::int64_t needed_ms) = nullptr;
    void* mark_context = nullptr;
    // Microseconds since 1970 UTC.
    std::int64_t (*clock)() noexcept = &WallClockUs;
    // Microseconds on a clock that is never set, and how a call lets some of them pass: both or
    // none are to be replaced.
    std::int64_t (*monotonic_clock)() noexcept = &MonotonicUs;
    void (*pause)(std::int64_t us) noexcept = &PauseUs;
  };

  // A layout that is none, or an identity that does not fit, is refused by every call.
  explicit Generator(const Layout& layout) : Generator(layout, Options{}) {}
  Generator(const Layout& layout, const Options& options);
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // The next ID. Waits, as the settings allow, where the sequence of the tick is
  // used up or the clock is behind.
  [[nodiscard]] Result Next() noexcept {
    Taken taken;
    if (TakeAtOnce(1, taken)) [[likely]]
      return {Status::kOk, composer_(taken.first)};
    const Status status = TakeSlowly({}, taken);
    if (status != Status::kOk) return {status, 0};
    return {status, composer_(taken.first)};
  }

  // Fills `ids` with increasing IDs, a tick's worth at a time. On an error the first
  // `filled` are valid and the rest is untouched.
  [[nodiscard]] Status NextBatch(std::span<std::int64_t> ids, std::size_t& filled) noexcept;

  // The first of `count` consecutive integers, all the caller's: at most one tick's
  // worth, and only where the sequence is the lowest field.
  [[nodiscard]] Result Reserve(std::uint64_t count) noexcept;

  // Makes every later ID greater than `id`, which may be of another identity. An ID
  // of a time that is more than max_clock_lead ahead of the clock is refused.
  [[nodiscard]] Status Observe(std::int64_t id) noexcept;

  [[nodiscard]] const Layout& layout() const noexcept { return layout_; }

 private:
  friend class Session;
  struct Policy;

  // Up to `count` positions of the clock's tick; false when that takes more than a look at
  // the clock.
  [[nodiscard]] bool TakeAtOnce(std::uint64_t count, Taken& taken) noexcept {
    std::uint64_t tick = 0;
    if (!divider_.TickAt(options_.clock(), tick)) return false;
    const std::uint64_t base = tick << composer_.sequence_bits;
    const std::uint64_t end = std::min(base + composer_.sequence_mask + 1, LoadPosition(limit_));
    taken = TakeUpTo(position_, base, end, count);
    return taken.count > 0;
  }
  // Fills `ids` by `take(count, taken)`, which takes up to `count` positions of one tick.
  template <typename Take>
  [[nodiscard]] Status FillBatch(std::span<std::int64_t> ids, std::size_t& filled,
                                 Take&& take) noexcept {
    filled = 0;
    if (refusal_ != Status::kOk) return refusal_;
    if (ids.empty()) return Status::kBadCount;
    while (filled < ids.size()) {
      Taken taken;
      const Status status = take(ids.size() - filled, taken);
      if (status != Status::kOk) return status;
      composer_.Fill(taken.first, taken.count, ids.data() + filled);
      filled += taken.count;
    }
    return Status::kOk;
  }
  [[nodiscard]] Status TakeSlowly(const Request& request, Taken& taken) noexcept;
  // Moves the mark beyond a position; false when it stayed where it was.
  [[nodiscard]] bool ExtendLimit(std::uint64_t last) noexcept;

  // A session may take a position for nothing at the end of a tick in which it has taken one
  // before. So what counts are the sessions that there were at that moment, also where some are
  // gone by now: the most that there ever were at once. Counted before the session takes anything.
  void AddSession() noexcept {
    const std::uint64_t now = sessions_.fetch_add(1, std::memory_order_relaxed) + 1;
    std::uint64_t most = most_sessions_.load(std::memory_order_relaxed);
    while (most < now &&
           !most_sessions_.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
    }
  }
  void RemoveSession() noexcept { sessions_.fetch_sub(1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t Overshoot() const noexcept {
    const std::uint64_t most = most_sessions_.load(std::memory_order_relaxed);
    return most == 0 ? 0 : OvershootOf(layout_.IdsPerTick(), most);
  }

  Layout layout_;
  Options options_;
  TickDivider divider_;
  Composer composer_;
  std::uint64_t start_ = 0;       // the first position that this generator may issue
  Status refusal_ = Status::kOk;  // not kOk: what every call returns
  // What CyclesPerUs() said, for the sessions.
  static constexpr std::uint64_t kNotAsked = ~std::uint64_t{0};
  std::atomic<std::uint64_t> cycles_per_us_ = kNotAsked;
  std::atomic<std::uint64_t> sessions_ = 0;
  std::atomic<std::uint64_t> most_sessions_ = 0;
  // On lines of their own: the position is written by every call, the limit seldom.
  alignas(64) std::uint64_t limit_ = 0;
  alignas(64) std::uint64_t position_ = 0;
};

}  // namespace idgen

// 16 threads and a clock that runs and steps, for a given time: generators and their sessions as
// C++ programs have them, and sessions (an allowance and a cursor each) as the database has them.
// All that is issued in a round is held against the promises afterwards.
//
// usage: stress_test [seconds [seed]]      (default: 2 seconds)
#include <idgen/cursor.h>
#include <idgen/cycles.h>
#include <idgen/generator.h>
#include <idgen/guard.h>
#include <idgen/session.h>
#include <idgen/mark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <latch>
#include <limits>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace idgen {
namespace {

using enum FieldKind;

constexpr int kThreads = 16;
// What one thread makes in a round at most, so that the rounds are many.
constexpr std::size_t kMostCalls = 20'000;
constexpr auto kLongestRound = std::chrono::milliseconds(100);

constexpr Layout kWide =
    MakeLayout("wide", 1000, 1577836800000, {{kTimestamp, 41}, {kMachine, 4}, {kSequence, 18}});
constexpr Layout kNarrow =
    MakeLayout("narrow", 100, 1577836800000, {{kTimestamp, 46}, {kSequence, 3}, {kMachine, 4}});
// Two IDs in ten milliseconds.
constexpr Layout kSlow =
    MakeLayout("slow", 10'000, 1577836800000, {{kTimestamp, 40}, {kMachine, 4}, {kSequence, 1}});

[[noreturn]] void Fail(const char* what, std::uint64_t value) {
  std::fprintf(stderr, "FAILED: %s: %" PRIu64 "\n", what, value);
  std::exit(1);
}

template <typename Value>
void RaiseTo(std::atomic<Value>& largest, Value value) {
  Value seen = largest.load();
  while (seen < value && !largest.compare_exchange_weak(seen, value)) {
  }
}

std::int64_t TickOf(const Layout& layout, std::uint64_t position) {
  return static_cast<std::int64_t>(position >> layout.SequenceBits());
}

// --- The clock: the machine's, and an offset that a thread of its own steps ------------------

std::atomic<std::int64_t> offset_us = 0;
std::atomic<std::int64_t> largest_offset_us = 0;
// The latest reading that anybody got.
std::atomic<std::int64_t> latest_us = 0;
// The last that this thread got.
thread_local std::int64_t reading_us = 0;

std::int64_t SteppingClock() noexcept {
  const std::int64_t now = WallClockUs() + offset_us.load();
  RaiseTo(latest_us, now);
  reading_us = now;
  return now;
}

// Until it is told to stop: forth and back by up to 3 ms, seldom by up to 50.
void StepClock(const std::atomic<bool>& stops, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  while (!stops.load()) {
    const std::int64_t most = random() % 20 == 0 ? 50'000 : 3'000;
    const std::int64_t by_us =
        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * most + 1)) - most;
    RaiseTo(largest_offset_us, offset_us.load() + by_us);
    offset_us += by_us;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 2'000));
  }
}

// --- One round -----------------------------------------------------------------------

// Positions that a call returned, all of them below `next`.
struct Issued {
  std::uint64_t first = 0;
  std::uint64_t next = 0;
  std::uint64_t before = 0;  // the largest that had been returned when the call began
};
using Log = std::array<std::vector<Issued>, kThreads>;

// What the rounds of one ID space have in common.
struct IdSpaceState {
  std::atomic<std::uint64_t> largest = 0;  // of all that was returned
  std::atomic<std::uint64_t> durable = 0;  // positions below may be issued
  std::uint64_t largest_before = 0;        // when the round began
};

// `call(thread, log, random)` over and over on all threads.
template <typename Call>
Log RunRound(std::uint64_t seed, Call call) {
  Log log;
  std::atomic<bool> stops = false;
  std::thread stepper([&stops, seed] { StepClock(stops, seed); });
  const auto end = std::chrono::steady_clock::now() + kLongestRound;
  std::latch start(kThreads);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937_64 random(seed * kThreads + static_cast<std::uint64_t>(thread));
      std::vector<Issued>& mine = log[static_cast<std::size_t>(thread)];
      mine.reserve(kMostCalls);
      start.arrive_and_wait();
      while (mine.size() < kMostCalls && std::chrono::steady_clock::now() < end) {
        for (int i = 0; i < 16 && mine.size() < kMostCalls; ++i) call(thread, mine, random);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stops = true;
  stepper.join();
  return log;
}

// Holds a round to the promises. Returns how many positions it was.
std::uint64_t Check(const Log& log, IdSpaceState& space, bool in_order) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
  for (const std::vector<Issued>& mine : log) {
    for (const Issued& issued : mine) {
      if (issued.next > space.durable.load()) Fail("beyond the mark", issued.first);
      if (in_order && issued.first <= issued.before) Fail("out of order", issued.first);
      if (in_order && issued.first <= space.largest_before)
        Fail("of the round before", issued.first);
      all.emplace_back(issued.first, issued.next);
    }
  }
  std::sort(all.begin(), all.end());
  std::uint64_t count = 0;
  std::uint64_t next = 0;
  for (const auto& [first, its_next] : all) {
    if (first < next) Fail("issued twice", first);
    next = its_next;
    count += its_next - first;
  }
  space.largest_before = space.largest.load();
  return count;
}

// --- Generators --------------------------------------------------------------------------

// With a block size, each thread has a session of the generator.
std::uint64_t StressGenerator(const Layout& layout, ClockRegression mode, std::uint64_t seed,
                              std::uint64_t block_size = 0) {
  static std::atomic<std::uint64_t> marks = 0;
  struct Context {
    const Layout& layout;
    IdSpaceState space;
  } context{layout, {}};
  Generator::Options options;
  options.identity.machine = 5;
  options.guard.mode = mode;
  options.guard.max_clock_wait_us = 500;
  options.guard.max_clock_lead_us = 5'000;
  options.clock = &SteppingClock;
  options.mark_context = &context;
  options.extend_mark = [](void* of, std::int64_t needed_ms) {
    auto& its = *static_cast<Context*>(of);
    const std::int64_t mark_ms = needed_ms + 3;
    // What takes its time in earnest, too.
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    RaiseTo(its.space.durable, PositionLimit(its.layout, mark_ms));
    ++marks;
    return mark_ms;
  };
  Generator generator(layout, options);
  IdSpaceState& space = context.space;
  const auto position_of = [&layout](std::int64_t id) {
    const Parts parts = layout.Parse(static_cast<std::uint64_t>(id));
    return (parts.tick << layout.SequenceBits()) | parts.sequence;
  };
  const auto returned = [&](std::vector<Issued>& mine, std::int64_t id, std::uint64_t count,
                            std::uint64_t before) {
    const std::uint64_t first = position_of(id);
    if (first + count > space.durable.load()) Fail("issued before the mark was moved", first);
    const std::int64_t lead_us =
        mode == ClockRegression::kLead ? options.guard.max_clock_lead_us : 0;
    const std::int64_t start_us = layout.StartOfTick(first >> layout.SequenceBits());
    if (start_us > latest_us.load() + lead_us) Fail("ahead of the clock", first);
    // A lead comes from a clock that went back, and not from a burst.
    if (start_us > WallClockUs() + largest_offset_us.load() + layout.tick_us) {
      Fail("ahead of where the clock would be, had it never gone back", first);
    }
    RaiseTo(space.largest, first + count - 1);
    mine.push_back({first, first + count, before});
  };
  std::uint64_t issued = 0;
  for (std::uint64_t round = 0; round < 3; ++round) {
    // They come and go while others make IDs.
    std::array<std::optional<Session>, kThreads> sessions;
    const auto with_maker = [&](int thread, auto call) {
      if (block_size == 0) return call(generator);
      std::optional<Session>& session = sessions[static_cast<std::size_t>(thread)];
      if (!session) session.emplace(generator, Session::Options{block_size});
      call(*session);
    };
    const auto one_call = [&](auto& maker, std::vector<Issued>& mine, std::mt19937_64& random) {
      const std::uint64_t before = space.largest.load();
      // A session may use a reading that is older than one of another call.
      reading_us = std::numeric_limits<std::int64_t>::min();
      switch (random() % 16) {
        case 0: {
          std::array<std::int64_t, 20> ids{};
          std::size_t filled = 0;
          (void)maker.NextBatch(std::span(ids.data(), 1 + random() % ids.size()), filled);
          for (std::size_t i = 0; i < filled; ++i) {
            if (i > 0 && ids[i] <= ids[i - 1])
              Fail("a batch does not increase", position_of(ids[i]));
            returned(mine, ids[i], 1, before);
          }
          return;
        }
        case 1: {
          if (!layout.SequenceIsLowest()) return;
          const std::uint64_t count = 1 + random() % layout.IdsPerTick() % 50;
          const Result result = maker.Reserve(count);
          if (result.status == Status::kOk) returned(mine, result.id, count, before);
          return;
        }
        case 2: {
          // A little above the largest: that the next is greater still.
          if (before == 0 || random() % 8 != 0) return;
          const std::uint64_t seen = before + random() % 3;
          // What is observed may begin a tick, as a clock that was there does.
          RaiseTo(largest_offset_us,
                  layout.StartOfTick(seen >> layout.SequenceBits()) - WallClockUs());
          const std::uint64_t identity = layout.IdentityBits(options.identity);
          if (maker.Observe(layout.Compose(seen, identity)) == Status::kOk) {
            if (seen >= space.durable.load()) Fail("observed, and the mark does not know", seen);
            RaiseTo(space.largest, seen);
          }
          return;
        }
        default: {
          const Result result = maker.Next();
          if (result.status == Status::kOk) {
            returned(mine, result.id, 1, before);
            if (TickOf(layout, position_of(result.id)) < layout.TickAt(reading_us)) {
              Fail("of a tick that is past", position_of(result.id));
            }
          } else if (result.status != Status::kClockBehind) {
            Fail(StatusText(result.status), before);
          }
        }
      }
    };
    const Log log =
        RunRound(seed + round, [&](int thread, std::vector<Issued>& mine, std::mt19937_64& random) {
          if (random() % 256 == 0) sessions[static_cast<std::size_t>(thread)].reset();
          with_maker(thread, [&](auto& maker) { one_call(maker, mine, random); });
        });
    issued += Check(log, space, block_size <= 1);
  }
  return issued;
}

// --- Sessions ----------------------------------------------------------------------------

std::uint64_t StressSessions(const Layout& layout, std::uint64_t block_size, std::uint64_t seed) {
  IdSpaceState space;
  std::uint64_t word = 0;
  std::uint64_t limit = 0;
  std::uint64_t issued = 0;
  const std::uint64_t cycles_per_us = CyclesPerUs();
  for (std::uint64_t round = 0; round < 3; ++round) {
    struct alignas(64) Place {
      Allowance allowance;
      Cursor cursor;
    };
    std::vector<Place> sessions(kThreads);
    for (Place& session : sessions) {
      session.allowance = Allowance(layout, block_size, cycles_per_us);
    }
    const Log log =
        RunRound(seed + round, [&](int thread, std::vector<Issued>& mine, std::mt19937_64& random) {
          Place& session = sessions[static_cast<std::size_t>(thread)];
          const std::uint64_t before = space.largest.load();
          std::uint64_t next = 0;
          if (!session.cursor.Next(session.allowance, word, CycleCount, SteppingClock, next)) {
            const std::uint64_t known = LoadPosition(limit);
            const Attempt attempt = TryTake(
                word, layout, {}, {known, 0, OvershootOf(layout.IdsPerTick())}, {}, SteppingClock);
            if (attempt.verdict == Verdict::kReserve) {
              const std::uint64_t later = attempt.next + layout.IdsPerTick() * 3 / 2;
              RaiseTo(space.durable, later);
              RaisePosition(limit, later);
            }
            session.allowance.Open(LoadPosition(limit));
            if (attempt.verdict != Verdict::kIssued) {
              if (random() % 64 == 0) session.allowance.Close();
              std::this_thread::yield();
              return;
            }
            next = attempt.taken.first;
            if (next >= known) Fail("beyond the limit", next);
          }
          if (next >= space.durable.load()) Fail("issued before the mark was moved", next);
          if (layout.StartOfTick(next >> layout.SequenceBits()) > latest_us.load()) {
            Fail("ahead of the clock", next);
          }
          if (TickOf(layout, next) != layout.TickAt(reading_us)) Fail("of another tick", next);
          RaiseTo(space.largest, next);
          mine.push_back({next, next + 1, before});
        });
    issued += Check(log, space, block_size == 1);
  }
  return issued;
}

int Main(double seconds, std::uint64_t seed) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const std::vector<std::function<std::uint64_t(std::uint64_t)>> kinds = {
      [](auto of) { return StressGenerator(kWide, ClockRegression::kWait, of); },
      [](auto of) { return StressSessions(kWide, 1, of); },
      [](auto of) { return StressGenerator(kWide, ClockRegression::kWait, of, 1); },
      [](auto of) { return StressGenerator(kWide, ClockRegression::kLead, of); },
      [](auto of) { return StressSessions(kWide, 32, of); },
      [](auto of) { return StressGenerator(kNarrow, ClockRegression::kLead, of); },
      [](auto of) { return StressGenerator(kSlow, ClockRegression::kLead, of); },
      [](auto of) { return StressSessions(kNarrow, 1, of); },
      [](auto of) { return StressGenerator(kWide, ClockRegression::kError, of, 8); },
      [](auto of) { return StressGenerator(kNarrow, ClockRegression::kLead, of, 1); },
      [](auto of) { return StressGenerator(kWide, ClockRegression::kError, of); },
  };
  std::uint64_t issued = 0;
  std::uint64_t spaces = 0;
  // Each kind once at the least.
  for (; spaces < kinds.size() || elapsed() < seconds; ++spaces) {
    offset_us = 0;
    largest_offset_us = 0;
    latest_us = 0;
    const std::uint64_t of = kinds[spaces % kinds.size()](seed + spaces * 1000);
    if (of == 0) Fail("nothing was issued in an ID space, which is number", spaces);
    issued += of;
  }
  std::printf("%" PRIu64 " positions in %" PRIu64 " ID spaces by %d threads, %.1f s, seed %" PRIu64
              "\n",
              issued, spaces, kThreads, elapsed(), seed);
  return 0;
}

}  // namespace
}  // namespace idgen

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 2;
  const std::uint64_t seed =
      argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device{}();
  return idgen::Main(seconds, seed);
}

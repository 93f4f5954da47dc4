// One thread's way to the IDs of a generator that it shares with others: the cheap one.
//
//   idgen::Generator generator(idgen::kSnowflake, {.identity = {.machine = 7}});  // the process's
//   idgen::Session session(generator);                                            // each thread's
//   idgen::Result result = session.Next();
//
// A generator reads the clock for each ID. A session does what a session of the database does: a
// reading serves again while the CPU's cycle counter says that it is young (reading.h), and an ID
// is one atomic addition. What the calls promise is the generator's promise, over all sessions of
// it and its own calls together; with blocks (Options::block_size) order is by tick.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "cursor.h"
#include "cycles.h"
#include "generator.h"

namespace idgen {

// For one thread at a time. The generator outlives its sessions.
class alignas(64) Session {
 public:
  struct Options {
    // How many positions, all of one tick, the session takes from the generator at a time; 0 is 1.
    // With more than one, threads meet less often, IDs of different sessions may be out of order
    // within a tick, and what is left of a block at the end of its tick is dropped.
    std::uint64_t block_size = 1;
  };

  explicit Session(Generator& generator) noexcept : Session(generator, Options{}) {}
  Session(Generator& generator, const Options& options) noexcept : generator_(generator) {
    generator.AddSession();
    // What refuses every call has no layout to rely on, and its sessions' allowance stays closed.
    if (generator.refusal_ != Status::kOk) return;
    composer_ = generator.composer_;
    allowance_ = Allowance(generator.layout_, std::max<std::uint64_t>(options.block_size, 1),
                           KnownCyclesPerUs());
  }
  ~Session() { generator_.RemoveSession(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // As those of Generator. What fails in a session is what fails there.
  [[nodiscard]] Result Next() noexcept {
    std::uint64_t next = 0;
    if (cursor_.Next(allowance_, generator_.position_, Counter{}, generator_.options_.clock, next))
        [[likely]] {
      return {Status::kOk, composer_(next)};
    }
    return NextSlowly();
  }

  [[nodiscard]] Status NextBatch(std::span<std::int64_t> ids, std::size_t& filled) noexcept {
    return generator_.FillBatch(ids, filled, [this](std::uint64_t count, Taken& taken) noexcept {
      taken = cursor_.Take(allowance_, generator_.position_, Counter{}, generator_.options_.clock,
                           count);
      return taken.count > 0 ? Status::kOk : TakeSlowly({count, false}, taken);
    });
  }

  [[nodiscard]] Result Reserve(std::uint64_t count) noexcept {
    // What is left of a block is below what is taken.
    cursor_.DropBlock();
    return generator_.Reserve(count);
  }

  [[nodiscard]] Status Observe(std::int64_t id) noexcept {
    // What is left of a block may be below the ID. Other sessions' blocks of that tick stay.
    cursor_.DropBlock();
    return generator_.Observe(id);
  }

 private:
  // As a type, so that it is called directly.
  struct Counter {
    std::uint64_t operator()() const noexcept { return CycleCount(); }
  };

  // CyclesPerUs() reads a file: once for a generator.
  std::uint64_t KnownCyclesPerUs() noexcept {
    std::atomic<std::uint64_t>& known = generator_.cycles_per_us_;
    if (known.load(std::memory_order_relaxed) == Generator::kNotAsked) {
      known.store(CyclesPerUs(), std::memory_order_relaxed);
    }
    return known.load(std::memory_order_relaxed);
  }

  [[nodiscard]] Status TakeSlowly(const Request& request, Taken& taken) noexcept;
  [[nodiscard]] Result NextSlowly() noexcept;

  Allowance allowance_;
  Cursor cursor_;
  Composer composer_;
  Generator& generator_;
};

}  // namespace idgen

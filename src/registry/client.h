// A machine ID by lease, for programs that make IDs with the core (generator.h): no two programs or
// databases of one pool have the same, whatever their clocks say and whenever they are stopped.
//
//   idgen::LeasedMachine machine({.address = "postgresql://...", .pool = "orders", .name =
//   "api-7"}); if (!machine.Open()) ...                      // machine.error() says why
//   idgen::Generator generator(idgen::kSnowflake, machine.GeneratorOptions());
//   ...
//   machine.Poll();                               // often, from the program's loop or a thread
//
// The registry grants the machine ID until a time (`used_until`), which Poll moves ahead before it
// is used: as the generator's high-water mark. So an ID is never of a time that was not granted,
// even if Poll is never called again or another has the machine ID by now. The generator then
// returns kMarkNotMoved, until Poll succeeds; if the lease is lost (lost()), for ever: make a new
// LeasedMachine and a new Generator.
//
// A pool may have a scheme, which says among other things with which layouts its servers make IDs
// (docs/fleet.md). This library reads no schemes: the program says by which version it goes
// (scheme_version), and that is what the others rely on. Open fails if the pool has another one.
// The agreement on a change of a layout waits for every holder; so one that goes by an earlier
// version stands in the way of the change until it is closed. Poll goes on renewing it.
//
// All functions of a LeasedMachine but used_until_ms and what GeneratorOptions() points to are for
// one thread at a time. It must outlive its generators. docs/library.md has an example.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <idgen/generator.h>

#include "registry.h"

namespace idgen {

class LeasedMachine {
 public:
  struct Options {
    std::string address;  // of the registry, as in idgen.registry
    std::string pool = "idgen";
    std::string name;  // for people; of a machine ID that was held before, its name gets it again
    std::int32_t datacenter = 0;
    // Any free one of these. With least = most: that one and no other.
    std::int32_t least_machine = 0;
    std::int32_t most_machine = 31;
    // How far ahead time is granted, and how long the registry waits for a renewal before it gives
    // the machine ID to another. Renewals are made three times as often.
    std::int64_t term_ms = 30'000;
    // Of each Open, Poll and Close.
    std::int64_t timeout_ms = 5'000;
    // The version of the pool's scheme whose layouts this program makes IDs with; 0: there is none.
    std::int64_t scheme_version = 0;
    // Microseconds since 1970 UTC: the generator's.
    std::int64_t (*clock)() noexcept = &WallClockUs;
    // Null: the one of the address's scheme.
    const registry::Driver* driver = nullptr;
  };

  // A generator gets the granted time in steps of this length. So Close need not give up more.
  static constexpr std::int64_t kStepMs = 100;

  explicit LeasedMachine(const Options& options);
  ~LeasedMachine();
  LeasedMachine(const LeasedMachine&) = delete;
  LeasedMachine& operator=(const LeasedMachine&) = delete;

  // Takes a machine ID. False: error() says why; may be tried again.
  bool Open();

  // Renews if it is time: when a third of the term is gone, or a generator asked for more. Cheap if
  // not. False if a renewal failed (Poll tries again, once a second) or the lease is lost.
  bool Poll();

  // Gives the machine ID back, so that others need not wait for the end of the term. Generators may
  // make IDs for another kStepMs, which belong to them, and then get kMarkNotMoved. False if the
  // registry did not hear of it: then the lease ends by itself.
  bool Close();

  // The identity, where the generator may begin, and up to when it may go.
  [[nodiscard]] Generator::Options GeneratorOptions();

  [[nodiscard]] std::int32_t machine() const noexcept { return machine_; }
  // The latest version of the pool's scheme, by the last answer of the registry; 0: none. If it is
  // another one than scheme_version, this program is to be brought up to date and started anew.
  [[nodiscard]] std::int64_t latest_scheme_version() const noexcept { return scheme_.latest; }
  [[nodiscard]] bool lost() const noexcept { return lost_; }
  [[nodiscard]] const char* error() const noexcept { return error_.message; }

  // IDs are earlier than this, in ms since 1970. Thread-safe.
  [[nodiscard]] std::int64_t used_until_ms() const noexcept {
    return until_ms_.load(std::memory_order_acquire);
  }
  // When Poll has something to do next, in ms from now; 0: now.
  [[nodiscard]] std::int64_t PollInMs() const noexcept;

 private:
  static std::int64_t ExtendMark(void* context, std::int64_t needed_ms);
  bool Connect();
  void Disconnect();
  bool NewHolder();
  bool Fail(const char* message);
  bool Take();
  [[nodiscard]] std::int64_t NowMs() const noexcept { return options_.clock() / 1000; }
  [[nodiscard]] std::int64_t NextUntilMs() const noexcept;
  [[nodiscard]] std::int64_t DeadlineUs() const noexcept;

  Options options_;
  const registry::Driver* driver_;
  registry::Connection* connection_ = nullptr;
  registry::Holder holder_{};
  registry::SchemeVersions scheme_;
  registry::Error error_;
  std::int32_t machine_ = registry::kNone;
  std::int64_t floor_ms_ = 0;
  bool held_ = false;
  bool lost_ = false;
  std::int64_t poll_at_us_ = 0;  // by the monotonic clock
  // Written by the owner, read by generators' threads.
  std::atomic<std::int64_t> until_ms_ = 0;
  // How far generators were let go, and what they ask for: written by their threads.
  std::atomic<std::int64_t> let_ms_ = 0;
  std::atomic<std::int64_t> wanted_ms_ = 0;
};

}  // namespace idgen

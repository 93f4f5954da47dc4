#include "client.h"

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "drivers.h"
#include "poll_host.h"

namespace idgen {

namespace {

constexpr std::int64_t kRetryUs = 1'000'000;

// Raises an atomic number.
void Raise(std::atomic<std::int64_t>& number, std::int64_t to) {
  std::int64_t known = number.load();
  while (known < to && !number.compare_exchange_weak(known, to)) {
  }
}

}  // namespace

LeasedMachine::LeasedMachine(const Options& options)
    : options_(options),
      driver_(options.driver != nullptr ? options.driver
                                        : registry::FindDriver(options.address.c_str())) {
  scheme_.known = options.scheme_version;
}

LeasedMachine::~LeasedMachine() { Close(); }

bool LeasedMachine::Fail(const char* message) {
  std::snprintf(error_.message, sizeof error_.message, "%s", message);
  return false;
}

std::int64_t LeasedMachine::DeadlineUs() const noexcept {
  return registry::HostMonotonicUs() + options_.timeout_ms * 1000;
}

// What is used is what a generator asks for, and a clock that is behind asks for less than it has.
std::int64_t LeasedMachine::NextUntilMs() const noexcept {
  return std::max(NowMs(), wanted_ms_.load()) + options_.term_ms;
}

bool LeasedMachine::NewHolder() {
  unsigned char random[16];
  if (getentropy(random, sizeof random) != 0) return Fail("the system has no random numbers");
  holder_ = {};
  for (std::size_t i = 0; i < sizeof random; ++i) {
    std::snprintf(holder_.token + 2 * i, 3, "%02x", unsigned{random[i]});
  }
  std::snprintf(holder_.pool, sizeof holder_.pool, "%s", options_.pool.c_str());
  std::snprintf(holder_.name, sizeof holder_.name, "%s", options_.name.c_str());
  return true;
}

bool LeasedMachine::Connect() {
  if (connection_ != nullptr) return true;
  if (driver_ == nullptr) return Fail("no driver here understands the address of the registry");
  connection_ =
      driver_->open(options_.address.c_str(), registry::PollHost(nullptr), DeadlineUs(), error_);
  return connection_ != nullptr;
}

void LeasedMachine::Disconnect() {
  if (connection_ != nullptr) driver_->close(connection_);
  connection_ = nullptr;
}

bool LeasedMachine::Open() {
  if (held_) return true;
  if (lost_) return Fail("the lease was lost; take another LeasedMachine");
  if (options_.pool.size() >= sizeof holder_.pool) return Fail("the name of the pool is too long");
  if (!Connect()) return false;
  if (Take()) return true;
  // Whatever the registry did, it is the next try's as well, if that has the same token.
  Disconnect();
  return false;
}

bool LeasedMachine::Take() {
  using registry::Status;
  if (holder_.token[0] == '\0' && !NewHolder()) return false;
  const std::int64_t start_us = registry::HostMonotonicUs();
  const std::int64_t until_ms = NextUntilMs();
  Status status = driver_->enrol(connection_, holder_, until_ms, options_.term_ms, scheme_,
                                 DeadlineUs(), error_);
  registry::Claimed claimed;
  if (status == Status::kDone && options_.least_machine == options_.most_machine) {
    const registry::Identity identity{options_.datacenter, options_.least_machine, registry::kNone};
    status = driver_->claim(connection_, holder_, &identity, 1, &claimed, DeadlineUs(), error_);
  } else if (status == Status::kDone) {
    status = driver_->claim_any(connection_, holder_, options_.datacenter, options_.least_machine,
                                options_.most_machine, NowMs(), claimed, DeadlineUs(), error_);
  }
  if (status == Status::kFailed) return false;
  if (status == Status::kStale) {
    std::snprintf(error_.message, sizeof error_.message,
                  "pool \"%s\" has version %" PRId64
                  " of its scheme, and this program goes by %" PRId64
                  "; set Options::scheme_version once its layouts are those of that version",
                  holder_.pool, scheme_.latest, scheme_.known);
    return false;
  }
  if (status == Status::kLost) {
    // It took so long that somebody ended it. Nothing was used.
    holder_.token[0] = '\0';
    return Fail("the lease ended before it began");
  }
  switch (claimed.claim) {
    case registry::Claim::kGranted:
      break;
    case registry::Claim::kHeld:
      std::snprintf(error_.message, sizeof error_.message, "the machine ID is held by \"%s\"",
                    claimed.holder);
      return false;
    case registry::Claim::kBanned:
      return Fail("the machine ID is banned");
    case registry::Claim::kFull:
      return Fail("no machine ID of the range is free");
  }
  machine_ = claimed.identity.machine;
  floor_ms_ = claimed.used_until_ms;
  until_ms_.store(until_ms);
  poll_at_us_ = start_us + options_.term_ms * 1000 / 3;
  held_ = true;
  return true;
}

bool LeasedMachine::Poll() {
  if (lost_) return false;
  if (!held_) return Open();
  const std::int64_t start_us = registry::HostMonotonicUs();
  const bool wanted = wanted_ms_.load() > until_ms_.load() || NowMs() >= until_ms_.load();
  // After a failure a second passes, whatever is wanted.
  if (start_us < poll_at_us_ && (!wanted || connection_ == nullptr)) return true;
  poll_at_us_ = start_us + kRetryUs;
  if (!Connect()) return false;
  const std::int64_t until_ms = NextUntilMs();
  const registry::Status status = driver_->renew(connection_, holder_, until_ms, options_.term_ms,
                                                 scheme_, DeadlineUs(), error_);
  if (status == registry::Status::kFailed) {
    Disconnect();
    return false;
  }
  if (status == registry::Status::kLost) {
    // What was granted before is granted still: whoever has the machine ID now begins above it.
    Disconnect();
    lost_ = true;
    return Fail("the lease was lost: it was not renewed for a term, or somebody evicted it");
  }
  Raise(until_ms_, until_ms);
  poll_at_us_ = start_us + options_.term_ms * 1000 / 3;
  return true;
}

std::int64_t LeasedMachine::PollInMs() const noexcept {
  if (wanted_ms_.load() > until_ms_.load() && connection_ != nullptr) return 0;
  return std::max<std::int64_t>((poll_at_us_ - registry::HostMonotonicUs() + 999) / 1000, 0);
}

bool LeasedMachine::Close() {
  const bool held = held_;
  held_ = false;
  // From here on generators get no further. One that got further meanwhile is seen in let_ms_, or
  // sees this: both are sequentially consistent.
  until_ms_.store(0);
  bool released = !held || lost_;
  if (held && !lost_ && Connect()) {
    released = driver_->release(connection_, holder_, std::max(let_ms_.load(), floor_ms_),
                                DeadlineUs(), error_) == registry::Status::kDone;
  }
  Disconnect();
  if (held) lost_ = true;
  return released;
}

Generator::Options LeasedMachine::GeneratorOptions() {
  Generator::Options options;
  options.identity.datacenter = static_cast<std::uint64_t>(std::max(options_.datacenter, 0));
  options.identity.machine = static_cast<std::uint64_t>(std::max(machine_, 0));
  options.not_before_ms = floor_ms_;
  options.extend_mark = &LeasedMachine::ExtendMark;
  options.mark_context = this;
  options.clock = options_.clock;
  return options;
}

// A mark of the generator: as far as it asks and a step, if that is granted. Called by any thread.
std::int64_t LeasedMachine::ExtendMark(void* context, std::int64_t needed_ms) {
  LeasedMachine& self = *static_cast<LeasedMachine*>(context);
  const std::int64_t until_ms = self.until_ms_.load();
  if (needed_ms > until_ms) {
    Raise(self.wanted_ms_, needed_ms);
    return 0;
  }
  const std::int64_t let_ms = std::min(needed_ms + kStepMs, until_ms);
  Raise(self.let_ms_, let_ms);
  return self.until_ms_.load() >= let_ms ? let_ms : 0;
}

}  // namespace idgen

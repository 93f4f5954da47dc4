// Programs that make IDs with a leased machine ID: no ID is of a time that was not granted, and
// none is made twice, whatever happens to the lease.
#include "registry/client.h"

#include <atomic>
#include <memory>
#include <set>

#include "harness.h"

namespace idgen::registry::test {

namespace {

bool right = true;

void Check(bool condition, const char* what, int line) {
  if (condition) return;
  std::printf("      line %d: not so: %s\n", line, what);
  right = false;
}
#define CHECK(condition) Check(condition, #condition, __LINE__)

std::atomic<std::int64_t> clock_us = 0;
std::int64_t FakeClock() noexcept { return clock_us.load(); }

std::int64_t TimeMs(std::int64_t id) {
  return kSnowflake.StartOfTick(kSnowflake.Parse(static_cast<std::uint64_t>(id)).tick) / 1000;
}

}  // namespace

bool RunClient(const Settings& settings) {
  right = true;
  constexpr std::int64_t kTermMs = 10'000;
  constexpr std::int64_t kStartMs = 1'700'000'000'000;
  const std::string pool = "client-" + RandomToken().substr(0, 12);
  clock_us = kStartMs * 1000;
  LeasedMachine::Options options;
  options.address = settings.address;
  options.pool = pool;
  options.name = "a";
  options.least_machine = 5;
  options.most_machine = 6;
  options.term_ms = kTermMs;
  options.timeout_ms = 20'000;
  options.clock = &FakeClock;
  std::set<std::int64_t> ids;
  const auto add = [&](const Result& result, std::int64_t until_ms) {
    CHECK(result.status == idgen::Status::kOk);
    CHECK(ids.insert(result.id).second);
    CHECK(TimeMs(result.id) < until_ms);
  };

  auto a = std::make_unique<LeasedMachine>(options);
  CHECK(a->Open());
  if (!right) {
    std::printf("      %s\n", a->error());
    return false;
  }
  CHECK(a->Open());
  CHECK(a->used_until_ms() == kStartMs + kTermMs);
  Generator first(kSnowflake, a->GeneratorOptions());
  add(first.Next(), a->used_until_ms());

  options.name = "b";
  LeasedMachine b(options);
  CHECK(b.Open());
  CHECK(b.machine() != a->machine() && b.machine() >= 5 && b.machine() <= 6);
  LeasedMachine full(options);
  CHECK(!full.Open() && full.error()[0] != '\0');

  // Up to the end of what was granted, and no further, without a Poll.
  clock_us = (kStartMs + kTermMs - 1) * 1000;
  add(first.Next(), a->used_until_ms());
  clock_us = (kStartMs + kTermMs) * 1000;
  CHECK(first.Next().status == idgen::Status::kMarkNotMoved);
  CHECK(a->PollInMs() == 0);
  CHECK(a->Poll());
  add(first.Next(), a->used_until_ms());
  const std::int64_t granted_ms = a->used_until_ms();
  CHECK(granted_ms >= kStartMs + 2 * kTermMs);
  CHECK(a->Poll() && a->used_until_ms() == granted_ms);  // nothing to do

  // Evicted, and another has the machine ID. What was granted may be used up; the two stay apart.
  Server person(settings, pool, "person");
  CHECK(person.Evict(Machine(a->machine())));
  CHECK(full.Open());
  CHECK(full.machine() == a->machine());
  Generator second(kSnowflake, full.GeneratorOptions());
  clock_us = (granted_ms - 1) * 1000;
  for (int i = 0; i < 1000; ++i) add(first.Next(), granted_ms);
  clock_us = (granted_ms + 5) * 1000;
  CHECK(first.Next().status == idgen::Status::kMarkNotMoved);
  CHECK(!a->Poll() && a->lost());
  CHECK(first.Next().status == idgen::Status::kMarkNotMoved);
  CHECK(full.Poll());
  for (int i = 0; i < 1000; ++i) add(second.Next(), full.used_until_ms());
  CHECK(TimeMs(*ids.rbegin()) >= granted_ms);

  // Given back: the next one begins where it stopped, by its own word, and not at the end of the
  // term.
  const std::int32_t machine = full.machine();
  CHECK(full.Close());
  const std::int64_t closed_ms = clock_us / 1000 + LeasedMachine::kStepMs + 1;
  Result left = second.Next();
  while (left.status == idgen::Status::kOk) {
    add(left, closed_ms);
    clock_us += 10'000;
    left = second.Next();
  }
  CHECK(left.status == idgen::Status::kMarkNotMoved);
  options.name = "c";
  options.least_machine = options.most_machine = machine;
  LeasedMachine next(options);
  CHECK(next.Open() && next.machine() == machine);
  Generator third(kSnowflake, next.GeneratorOptions());
  CHECK(third.Next().status == idgen::Status::kOk);
  CHECK(next.GeneratorOptions().not_before_ms <= closed_ms);
  for (int i = 0; i < 1000; ++i) add(third.Next(), next.used_until_ms());

  // A version of the scheme is written: who goes by another one goes on and is not counted as
  // agreed, and cannot begin anew before the program says that it goes by it.
  CHECK(next.latest_scheme_version() == 0);
  CHECK(person.WriteScheme(1, "one"));
  clock_us = next.used_until_ms() * 1000;
  CHECK(third.Next().status == idgen::Status::kMarkNotMoved);
  CHECK(next.Poll() && next.latest_scheme_version() == 1);
  add(third.Next(), next.used_until_ms());
  const auto acknowledged = [&](const std::string& name) {
    for (const ListedHolder& holder : person.Holders()) {
      if (holder.lives && holder.name == name) return holder.acknowledged;
    }
    return std::int64_t{-1};
  };
  CHECK(acknowledged(options.name) == 0);
  CHECK(next.Close());
  LeasedMachine stale(options);
  CHECK(!stale.Open() && stale.latest_scheme_version() == 1);
  CHECK(std::strstr(stale.error(), "version 1") != nullptr);
  options.scheme_version = 2;
  LeasedMachine early(options);
  CHECK(!early.Open() && std::strstr(early.error(), "version 1") != nullptr);
  options.scheme_version = 1;
  LeasedMachine agreed(options);
  CHECK(agreed.Open() && agreed.latest_scheme_version() == 1);
  CHECK(acknowledged(options.name) == 1);

  options.address = "nonsense";
  LeasedMachine none(options);
  CHECK(!none.Open() && none.error()[0] != '\0' && !none.Poll());
  return right;
}

}  // namespace idgen::registry::test

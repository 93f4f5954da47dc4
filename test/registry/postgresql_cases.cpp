// What only the driver of PostgreSQL has: races between statements, made certain by locks that
// another session holds; rows that somebody edited; addresses.
#include "harness.h"

namespace idgen::registry::test {

#ifndef IDGEN_WITH_POSTGRESQL

const ExtraCase kPostgresqlCases[] = {{nullptr, nullptr, false}};

#else

}  // namespace idgen::registry::test

#include <thread>

#include "postgresql_person.h"

namespace idgen::registry::test {
namespace {

bool right = true;
int errors_shown = 2;  // how many errors are to be shown

void Check(bool condition, const char* what, int line) {
  if (condition) return;
  std::printf("      line %d: not so: %s\n", line, what);
  right = false;
}
#define CHECK(condition) Check(condition, #condition, __LINE__)

// A renewal that has not committed yet when another wants to end the holder.
bool Race(const Settings& settings, const std::string& pool) {
  right = true;
  Server a(settings, pool, "a"), b(settings, pool, "b");
  Person person(settings, right);
  a.Enrol(1000, 1);
  b.Enrol(0);
  CHECK(a.ClaimOne(Machine(1)).claim == Claim::kGranted);
  SleepMs(50);
  person.Do("BEGIN");
  person.Do(
      "UPDATE idgen_registry.holder SET used_until = '2020-01-01 00:00+00', expires = "
      "pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) interval '1 hour'" +
      Of(a.holder));
  Claimed got;
  std::thread other([&] { got = b.ClaimOne(Machine(1)); });
  SleepMs(300);
  person.Do("COMMIT");
  other.join();
  CHECK(got.claim == Claim::kHeld);
  CHECK(a.Renew(0) == Status::kDone);
  CHECK(b.ClaimOne(Machine(1)).claim == Claim::kHeld);
  // And an end that has not committed yet when the holder renews and claims.
  person.Do("BEGIN");
  person.Do("UPDATE idgen_registry.holder SET ended = pg_catalog.clock_timestamp()" + Of(a.holder));
  Status renewed = Status::kDone;
  std::thread renewal([&] { renewed = a.Renew(1'700'000'000'000); });
  Server again(settings, pool, "a");
  again.holder = a.holder;
  Claimed claimed;
  std::thread claim([&] { claimed = again.ClaimOne(Machine(2)); });
  SleepMs(300);
  person.Do("COMMIT");
  renewal.join();
  claim.join();
  CHECK(renewed == Status::kLost);
  CHECK(claimed.claim == kLostClaim);
  got = b.ClaimOne(Machine(1));
  CHECK(got.claim == Claim::kGranted && got.used_until_ms == 1'577'836'800'000);
  CHECK(b.ClaimOne(Machine(2)).used_until_ms == 0);
  // Two that claim one identity that nobody held: the second waits, and does not fail.
  person.Do("BEGIN");
  person.Do("INSERT INTO idgen_registry.identity VALUES ('" + pool + "', 0, 3, -1, '" +
            b.holder.token + "', 'epoch')");
  again.Restart();
  again.Enrol(0);
  std::thread second([&] { claimed = again.ClaimOne(Machine(3)); });
  SleepMs(300);
  person.Do("COMMIT");
  second.join();
  CHECK(claimed.claim == Claim::kHeld);
  return right;
}

// The clocks are compared with what the exchange took, the wait for a lock too, and the list has it
// from the next renewal on.
bool Clocks(const Settings& settings, const std::string& pool) {
  right = true;
  Server a(settings, pool, "a");
  Person person(settings, right);
  const auto own = [&] { return a.driver().clock(a.connection); };
  const auto same = [](const ClockOffset& x, const ClockOffset& y) {
    return x.known && y.known && x.offset_us == y.offset_us && x.error_us == y.error_us;
  };
  const ClockOffset opened = own();
  CHECK(opened.known && opened.error_us >= 0);
  a.Enrol(1000);
  CHECK(a.ClaimOne(Machine(1)).claim == Claim::kGranted);
  CHECK(same(a.List()[0].clock, opened));
  person.Do("BEGIN");
  person.Do("SELECT 1 FROM idgen_registry.holder" + Of(a.holder) + " FOR UPDATE");
  std::thread renewal([&] { CHECK(a.Renew(2000) == Status::kDone); });
  SleepMs(300);
  person.Do("COMMIT");
  renewal.join();
  // The registry's clock was read behind the lock, at the end: by this clock half of the wait late.
  const ClockOffset delayed = own();
  CHECK(delayed.error_us >= 100'000);
  CHECK(std::abs(delayed.offset_us) <= delayed.error_us + 50'000);
  CHECK(a.Renew(3000) == Status::kDone);
  CHECK(same(a.List()[0].clock, delayed) && !same(own(), delayed));
  // Whatever somebody wrote there.
  person.Do("UPDATE idgen_registry.holder SET clock_offset = NULL" + Of(a.holder));
  CHECK(!a.List()[0].clock.known);
  a.Release(3000);
  CHECK(!a.List()[0].clock.known);
  return right;
}

// Not a word of a password in what is said about an address, and no address that is none.
bool Addresses(const Settings& settings, const std::string&) {
  right = true;
  const Driver* driver = FindDriver("postgresql://x");
  struct {
    const char* address;
    bool good;
  } const cases[] = {
      {"postgresql://u:sEcReT@h1:5432,h2:5433/db?target_session_attrs=read-write", true},
      {"postgres://u@h/db", true},
      {"postgresql:///db?host=/var/run/postgresql", true},
      {"host=h1,h2 port=1,2 password='sEcReT' user=u", true},
      {"postgresql://u:sEcReT/x@h/db", false},
      {"postgresql://u:sE@cReT@h/db", false},
      {"postgresql://u:sEcReT%zz@h/db", false},
      {"postgresql://u:p@h/db?sEcReT=1", false},
      {"host=h password=my sEcReT user=u", false},
      {"host=h sEcReT=1", false},
      {"host=h port=sEcReT", false},
      {"host=h port=0", false},
      {"host=h1,h2,h3 port=1,2", false},
      {"host=h replication=database", false},
      {"zookeeper://h:2181/sEcReT", false},
      {"sEcReT", false},
      {"", false},
  };
  for (const auto& test : cases) {
    Error error;
    const bool good = driver->check_address(test.address, error);
    if (good != test.good || std::strstr(error.message, "sEc") != nullptr ||
        std::strstr(error.message, "cReT") != nullptr || good == (error.message[0] != '\0')) {
      std::printf("      \"%s\": %s\n", test.address, good ? "accepted" : error.message);
      right = false;
    }
  }
  // Nor when connecting fails.
  for (const char* address : {"postgresql://u:sEcReT@127.0.0.1:1/db?connect_timeout=1",
                              "host=/nowhere/at-all,/nor-here password=sEcReT user=u"}) {
    Error error;
    CHECK(driver->open(address, PollHost(nullptr), Server::In(5000), error) == nullptr);
    CHECK(error.message[0] != '\0' && std::strstr(error.message, "sEcReT") == nullptr &&
          std::strchr(error.message, '\n') == nullptr);
  }
  (void)settings;
  return right;
}

// To be run alone and by a superuser, because the tables have no checks afterwards.
bool Edited(const Settings& settings, const std::string& pool) {
  right = true;
  Person person(settings, right);
  person.Do(
      "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conrelid::pg_catalog.regclass AS t, conname "
      "FROM pg_catalog.pg_constraint "
      "WHERE connamespace::pg_catalog.regnamespace::text = 'idgen_registry' AND contype IN ('c', "
      "'f') LOOP "
      "EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP; "
      "END $$");
  for (const char* column : {"used_until", "expires", "name"}) {
    person.Do(std::string("ALTER TABLE idgen_registry.holder ALTER ") + column + " DROP NOT NULL");
  }
  for (const char* column : {"used_until", "banned"}) {
    person.Do(std::string("ALTER TABLE idgen_registry.identity ALTER ") + column +
              " DROP NOT NULL");
  }
  const char* nonsense[] = {"NULL",
                            "'-infinity'",
                            "'infinity'",
                            "'1969-12-31 23:59:59+00'",
                            "'10000-01-01 00:00+00'",
                            "'4000-01-01 BC'"};
  int machine = 0;
  const auto failed = [](Server& server, const char* what, Status status) {
    const bool good = status == Status::kFailed && server.error.message[0] != '\0' &&
                      std::strlen(server.error.message) < kErrorSize;
    if (!good) std::printf("      %s: status %d\n", what, static_cast<int>(status));
    if (errors_shown-- > 0) std::printf("      e.g. %s\n", server.error.message);
    right = right && good;
    server.error = {};
    server.Open();
  };
  for (const char* value : nonsense) {
    Server a(settings, pool, "a"), b(settings, pool, "b");
    const Driver& driver = a.driver();
    const Identity identity = Machine(++machine);
    Claimed claimed;
    a.Enrol(1000);
    b.Enrol(0);
    CHECK(a.ClaimOne(identity).claim == Claim::kGranted);
    a.Release(1000);
    // What earlier holders used, and then what the last one used.
    const std::string row = " WHERE pool = '" + pool + "' AND machine = " + std::to_string(machine);
    person.Do(std::string("UPDATE idgen_registry.identity SET used_until = ") + value + row);
    const bool below = std::strstr(value, "1969") != nullptr ||
                       std::strstr(value, "BC") != nullptr || std::strstr(value, "-inf") != nullptr;
    if (!below) {
      failed(b, "claim of an edited identity",
             driver.claim(b.connection, b.holder, &identity, 1, &claimed, Server::In(), b.error));
      CHECK(claimed.claim != Claim::kGranted);
    } else {
      // The last holder's word is later than it.
      CHECK(b.ClaimOne(identity).used_until_ms == 1000);
    }
    a.Restart();
    a.Enrol(1);
    person.Do(std::string("UPDATE idgen_registry.holder SET used_until = ") + value + Of(a.holder));
    if (!below) {
      failed(a, "renewal of an edited holder",
             driver.renew(a.connection, a.holder, 2000, 1000, a.scheme, Server::In(), a.error));
    } else {
      CHECK(a.Renew(2000) == Status::kDone);
    }
    person.Do(std::string("UPDATE idgen_registry.identity SET holder = '") + a.holder.token +
              "', used_until = " + value + row);
    person.Do(std::string("UPDATE idgen_registry.holder SET ended = 'epoch', used_until = ") +
              value + Of(a.holder));
    claimed = {};
    failed(b, "claim with both edited",
           driver.claim(b.connection, b.holder, &identity, 1, &claimed, Server::In(), b.error));
    CHECK(claimed.claim != Claim::kGranted);
    person.Do("DELETE FROM idgen_registry.identity" + row);
  }
  Server a(settings, pool, "a"), b(settings, pool, "b");
  const Driver& driver = a.driver();
  const Identity identity = Machine(++machine);
  Claimed claimed;
  a.Enrol(1000);
  b.Enrol(0);
  CHECK(a.ClaimOne(identity).claim == Claim::kGranted);
  // A holder whose row is gone: who knows what it used.
  person.Do("DELETE FROM idgen_registry.holder" + Of(a.holder));
  CHECK(b.ClaimOne(identity).claim == Claim::kHeld);
  CHECK(a.Renew(1) == Status::kLost);
  person.Do("UPDATE idgen_registry.identity SET banned = NULL, holder = NULL WHERE machine = " +
            std::to_string(machine));
  CHECK(b.ClaimOne(identity).claim != Claim::kGranted);
  // Columns of another type.
  a.Restart();
  a.Enrol(0);
  person.Do("ALTER TABLE idgen_registry.identity ALTER used_until TYPE text USING 'soon'");
  failed(b, "claim with texts for times",
         driver.claim(b.connection, b.holder, &identity, 1, &claimed, Server::In(), b.error));
  failed(
      b, "list with texts for times",
      driver.list(
          b.connection, pool.c_str(), [](void*, const Listed&) {}, nullptr, Server::In(), b.error));
  person.Do("ALTER TABLE idgen_registry.identity RENAME banned TO forbidden");
  failed(b, "claim without a column",
         driver.claim(b.connection, b.holder, &identity, 1, &claimed, Server::In(), b.error));
  return right;
}

// Whether the address can be opened, and the error: for scripts.
bool OpenOnly(const Settings& settings, const std::string&) {
  const Driver* driver = FindDriver(settings.address.c_str());
  Error error;
  Connection* connection =
      driver->open(settings.address.c_str(), PollHost(nullptr), Server::In(6000), error);
  if (connection != nullptr) driver->close(connection);
  std::printf("      %s\n", connection != nullptr ? "opened" : error.message);
  return connection != nullptr;
}

}  // namespace

const ExtraCase kPostgresqlCases[] = {{"race", Race, false},           {"clocks", Clocks, false},
                                      {"addresses", Addresses, false}, {"edited", Edited, true},
                                      {"open", OpenOnly, true},        {nullptr, nullptr, false}};

#endif

}  // namespace idgen::registry::test

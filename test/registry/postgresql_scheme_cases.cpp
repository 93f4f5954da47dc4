// Schemes in PostgreSQL registries: what waits for whom, made certain by locks that another session
// holds; registries that an earlier version has made; roles without rights; edited rows.
#include "harness.h"

namespace idgen::registry::test {

#ifndef IDGEN_WITH_POSTGRESQL

const ExtraCase kPostgresqlSchemeCases[] = {{nullptr, nullptr, false}};

#else

}  // namespace idgen::registry::test

#include <algorithm>
#include <atomic>
#include <thread>

#include "postgresql_person.h"
#include "registry/postgresql_schema.sql.h"

namespace idgen::registry::test {
namespace {

bool right = true;

void Check(bool condition, const char* what, int line) {
  if (condition) return;
  std::printf("      line %d: not so: %s\n", line, what);
  right = false;
}
#define CHECK(condition) Check(condition, #condition, __LINE__)

const ListedHolder* Find(const std::vector<ListedHolder>& all, const Holder& holder) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const ListedHolder& listed) {
    return std::strcmp(listed.token, holder.token) == 0;
  });
  return it != all.end() ? &*it : nullptr;
}

// An operation that has to wait for what the person has not committed.
template <typename Function>
class Waiting {
 public:
  // Returns when it waits, or is done.
  Waiting(Person& person, Function function)
      : thread_([this, function] {
          function();
          done_ = true;
        }) {
    const std::int64_t end_ms = NowMs() + 20'000;
    while (!done_ && NowMs() < end_ms &&
           person
               .Do("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY "
                   "(pg_blocking_pids(pid)) LIMIT 1")
               .empty()) {
      SleepMs(1);
    }
  }
  ~Waiting() { thread_.join(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  [[nodiscard]] bool done() const { return done_; }

 private:
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

std::string InsertHolder(const Holder& holder, int acknowledged) {
  return std::string(
             "INSERT INTO idgen_registry.holder (pool, token, name, used_until, expires, "
             "acknowledged) VALUES ('") +
         holder.pool + "', '" + holder.token +
         "', 'n', 'epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) interval '1 "
         "hour', " +
         std::to_string(acknowledged) + ")";
}

// As another writer does it.
std::string Write(const std::string& pool, int version) {
  const std::string number = std::to_string(version);
  return (version == 1 ? "INSERT INTO idgen_registry.pool VALUES ('" + pool + "', 1)"
                       : "UPDATE idgen_registry.pool SET version = " + number + " WHERE pool = '" +
                             pool + "'") +
         "; INSERT INTO idgen_registry.scheme VALUES ('" + pool + "', " + number +
         ", 'the person''s', 'person', 'epoch')";
}

bool Locks(const Settings& settings, const std::string& pool) {
  right = true;
  Person person(settings, right);
  Server a(settings, pool, "a"), b(settings, pool, "b");
  // A holder that enrols, and a writer: the first version, a later one.
  for (int version = 1; version <= 2; ++version) {
    const Holder other = MakeHolder(pool, "other");
    person.Do("BEGIN");
    person.Do(InsertHolder(other, version - 1));
    {
      bool written = false;
      Waiting write(person, [&] { written = a.WriteScheme(version, "a's"); });
      CHECK(!write.done());
      person.Do("COMMIT");
      while (!write.done()) SleepMs(1);
      CHECK(written);
    }
    const ListedHolder* seen = nullptr;
    const std::vector<ListedHolder> all = a.Holders();
    CHECK((seen = Find(all, other)) != nullptr && seen->acknowledged == version - 1);
  }
  // The other way about.
  for (int version = 1; version <= 2; ++version) {
    std::snprintf(b.holder.pool, sizeof b.holder.pool, "%s2", pool.c_str());
    b.Restart();
    b.scheme.known = version - 1;
    person.Do("BEGIN");
    person.Do(Write(b.holder.pool, version));
    Status status = Status::kDone;
    {
      Waiting enrol(person, [&] { status = b.Enrol(1); });
      CHECK(!enrol.done());
      person.Do("COMMIT");
    }
    CHECK(status == Status::kStale && b.scheme.latest == version);
    CHECK(b.Holders().empty());
  }
  // Two writers: the first version, a later one; the other commits, or not.
  for (int version = 1; version <= 2; ++version) {
    std::snprintf(b.holder.pool, sizeof b.holder.pool, "%s3", pool.c_str());
    for (const char* end : {"ROLLBACK", "COMMIT"}) {
      bool written = false;
      person.Do("BEGIN");
      person.Do(Write(b.holder.pool, version));
      {
        Waiting write(person, [&] { written = b.WriteScheme(version, "b's"); });
        CHECK(!write.done());
        person.Do(end);
      }
      CHECK(written == (*end == 'R'));
      CHECK(b.ReadScheme(kLatestScheme)[0].text == (written ? "b's" : "the person's"));
      if (written) ++version;
    }
  }
  // Renewals take no part in all that, and claims neither.
  a.scheme.known = 2;
  a.Enrol(1);
  person.Do("BEGIN");
  person.Do("SELECT 1 FROM idgen_registry.pool WHERE pool = '" + pool + "' FOR UPDATE");
  person.Do(Write(pool, 3));
  const std::int64_t start_ms = NowMs();
  CHECK(a.Renew(2) == Status::kDone && a.scheme.latest == 2);
  CHECK(a.ClaimOne(Machine(1)).claim == Claim::kGranted);
  CHECK(NowMs() - start_ms < 5000);
  person.Do("COMMIT");
  CHECK(a.Renew(2) == Status::kDone && a.scheme.latest == 3);
  // Nobody goes by what is not written.
  a.scheme.known = 5;
  CHECK(a.Renew(2) == Status::kDone && a.scheme.latest == 3);
  const std::vector<ListedHolder> all = a.Holders();
  CHECK(Find(all, a.holder) != nullptr && Find(all, a.holder)->acknowledged == 2);
  return right;
}

// Ended at once if its time is up, by the same call; not if it is renewed at this moment; and
// forgotten only when its used_until is long past.
bool Ends(const Settings& settings, const std::string& pool) {
  right = true;
  Person person(settings, right);
  Server a(settings, pool, "a"), b(settings, pool, "b"), c(settings, pool, "c");
  a.Enrol(1'700'000'000'000, 1);
  b.Enrol(5, 1);
  c.Enrol(5);
  SleepMs(50);
  person.Do("BEGIN");
  person.Do(
      "UPDATE idgen_registry.holder SET used_until = '2020-01-01 00:00+00', expires = "
      "pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) interval '1 hour'" +
      Of(b.holder));
  const std::int64_t start_ms = NowMs();
  std::vector<ListedHolder> all = c.Holders(true);
  CHECK(NowMs() - start_ms < 5000);
  CHECK(all.size() == 3 && !all[0].lives && all[0].used_until_ms == 1'700'000'000'000);
  CHECK(all.size() == 3 && all[1].lives && all[1].used_until_ms == 5);
  person.Do("COMMIT");
  CHECK(b.Renew(0) == Status::kDone && a.Renew(0) == Status::kLost);
  const auto set = [&](const char* column, const std::string& days) {
    person.Do(std::string("UPDATE idgen_registry.holder SET ") + column +
              " = pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) interval '" + days +
              " days'" + Of(a.holder));
  };
  std::int64_t own_until_ms = 5;
  const auto is_there = [&] {
    c.Restart();
    c.Enrol(own_until_ms);
    all = c.Holders();
    return Find(all, a.holder) != nullptr;
  };
  const char* const columns[] = {"ended", "expires", "used_until"};
  for (const char* late : columns) {
    for (const char* column : columns) set(column, "8");
    set(late, std::strcmp(late, "used_until") == 0 ? "-1" : "6");
    CHECK(is_there());
  }
  for (const char* column : columns) set(column, "8");
  // The clock of the registry may be far ahead: those who live say what time it is, too.
  CHECK(is_there());
  person.Do(
      "UPDATE idgen_registry.holder SET ended = pg_catalog.clock_timestamp() WHERE ended IS NULL "
      "AND pool = '" +
      pool + "'");
  own_until_ms = std::int64_t{std::time(nullptr)} * 1000;
  CHECK(!is_there());
  return right;
}

// A connection that breaks while nobody is asked anything.
bool Cut(const Settings& settings, const std::string& pool) {
  right = true;
  Person person(settings, right);
  Settings named = settings;
  named.address += " application_name=" + pool;
  Server a(named, pool, "a");
  a.Enrol(1);
  const auto cut = [&] {
    SleepMs(200);
    person.Do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '" +
              pool + "'");
  };
  for (int i = 0; i < 2; ++i) {  // that listens already, or begins with it
    if (i == 0) CHECK(a.Watch(1) == Status::kDone && a.Watch(20) == Status::kDone);
    std::thread other(cut);
    const std::int64_t start_ms = NowMs();
    CHECK(a.driver().watch(a.connection, pool.c_str(), a.scheme, Server::In(), a.error) ==
          Status::kFailed);
    CHECK(a.error.message[0] != '\0' && NowMs() - start_ms < 15'000);
    other.join();
    CHECK(a.driver().watch(a.connection, pool.c_str(), a.scheme, Server::In(), a.error) ==
          Status::kFailed);
    a.error = {};
    a.Open();
  }
  CHECK(a.Renew(2) == Status::kDone);
  return right;
}

// The lines of the schema's head that grant rights.
std::string Grants(const char* tables) {
  std::string all;
  const std::string text = kPostgresqlSchema;
  const std::string begin = "\n--   GRANT ";
  for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    const std::string line = text.substr(at + 6, text.find('\n', at + 1) - at - 6);
    if (line.find(tables) != std::string::npos) all += line;
  }
  return all;
}

// To be run by a superuser, who becomes the role of the servers: a registry whose tables are of an
// earlier version, and gets the new ones while servers are connected.
bool Upgrade(const Settings& settings, const std::string& pool) {
  right = true;
  Person owner(settings, right);
  Settings as_role = settings;
  as_role.address += " options='-c role=idgen_servers'";
  const auto says = [&](Server& server, const char* what) {
    CHECK(std::strstr(server.error.message, what) != nullptr);
    server.error = {};
  };
  const auto fails = [&](Server& server, const char* what) {
    bool written = false;
    CHECK(server.driver().write_scheme(server.connection, pool.c_str(), {1, "x", "", 1}, written,
                                       Server::In(), server.error) == Status::kFailed);
    CHECK(!written);
    says(server, what);
    server.Open();
  };
  owner.Do("DROP FUNCTION idgen_registry.check_scheme CASCADE");
  owner.Do("DROP TABLE idgen_registry.pool, idgen_registry.scheme");
  owner.Do("ALTER TABLE idgen_registry.holder DROP acknowledged");

  Server a(as_role, pool, "a"), b(as_role, pool, "b"), d(as_role, pool, "d"),
      reads(as_role, pool, "r");
  const auto old = [&](Server& server) {
    server.scheme.latest = 77;
    CHECK(server.Enrol(1) == Status::kDone && server.scheme.latest == 0);
    CHECK(server.Renew(2) == Status::kDone && server.scheme.latest == 0);
    CHECK(server.ReadScheme(kAllSchemes).empty());
    CHECK(server.Watch(20) == Status::kDone && server.scheme.latest == 0);
  };
  old(a);
  old(b);
  CHECK(a.ClaimOne(Machine(1)).claim == Claim::kGranted);
  d.scheme.known = 3;
  CHECK(d.Enrol(1) == Status::kStale && d.scheme.latest == 0);
  fails(reads, "idgen_registry_schema()");
  CHECK(reads.driver().holders(
            reads.connection, pool.c_str(), false, [](void*, const ListedHolder&) {}, nullptr,
            Server::In(), reads.error) == Status::kFailed);
  says(reads, "idgen_registry_schema()");

  // The tables are there, and the role may not use them.
  owner.Do(kPostgresqlSchema);
  owner.Do(kPostgresqlSchema);
  old(a);
  d.scheme.known = 0;
  old(d);
  fails(reads, "idgen_registry_schema()");
  Server super(settings, pool, "super");
  CHECK(super.WriteScheme(1, "one"));
  old(a);  // as renew
  d.Restart();
  for (int i = 0; i < 2; ++i) {
    CHECK(d.driver().enrol(d.connection, d.holder, 1, 1000, d.scheme, Server::In(), d.error) ==
          Status::kFailed);
    says(d, "grant");
    if (i == 0) d.Open();
  }
  std::vector<ListedHolder> all = super.Holders();
  CHECK(all.size() == 3 && all[0].acknowledged == 0);
  // What an earlier version does.
  const Holder earlier = MakeHolder(pool, "earlier");
  owner.Do("SET ROLE idgen_servers");
  CHECK(owner.State("INSERT INTO idgen_registry.holder (pool, token, name, used_until, expires) "
                    "VALUES ('" +
                    pool + "', '" + earlier.token +
                    "', 'e', 'epoch', pg_catalog.clock_timestamp())") == "ID001");
  owner.Do("RESET ROLE");

  // It may read them: enough for servers.
  owner.Do("GRANT SELECT ON idgen_registry.pool, idgen_registry.scheme TO idgen_servers");
  a.scheme = {};
  CHECK(a.Renew(3) == Status::kDone && a.scheme.latest == 1);  // the connection of before
  a.scheme.known = 1;
  CHECK(a.Renew(3) == Status::kDone);
  b.Restart();
  b.scheme = {};
  CHECK(b.Enrol(1) == Status::kStale && b.scheme.latest == 1);
  b.scheme.known = 1;
  CHECK(b.Enrol(1) == Status::kDone && b.scheme.latest == 1);
  CHECK(b.ReadScheme(kLatestScheme).size() == 1);
  all = b.Holders();
  CHECK(Find(all, a.holder) != nullptr && Find(all, a.holder)->acknowledged == 1);
  CHECK(Find(all, b.holder) != nullptr && Find(all, b.holder)->acknowledged == 1);
  fails(reads, "permission denied");
  owner.Do(Grants("idgen_registry.pool") + Grants("idgen_registry.scheme"));
  std::thread write([&] {
    SleepMs(200);
    CHECK(reads.WriteScheme(2, "two"));
  });
  CHECK(a.Watch(20'000) == Status::kDone && a.scheme.latest == 2);
  write.join();
  return right;
}

// To be run alone and by a superuser, because the tables have no checks afterwards.
bool EditedScheme(const Settings& settings, const std::string& pool) {
  right = true;
  Person person(settings, right);
  person.Do(
      "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conrelid::pg_catalog.regclass AS t, conname "
      "FROM pg_catalog.pg_constraint WHERE conrelid IN "
      "('idgen_registry.pool'::pg_catalog.regclass, "
      "'idgen_registry.scheme'::pg_catalog.regclass) AND contype = 'c' LOOP "
      "EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP; "
      "END $$");
  for (const char* column :
       {"pool ALTER version", "holder ALTER acknowledged", "scheme ALTER scheme",
        "scheme ALTER changed_by", "scheme ALTER changed_at"}) {
    person.Do(std::string("ALTER TABLE idgen_registry.") + column + " DROP NOT NULL");
  }
  Server a(settings, pool, "a");
  CHECK(a.WriteScheme(1, "one") && a.WriteScheme(2, "two"));
  a.scheme.known = 2;
  a.Enrol(1);
  const Driver& driver = a.driver();
  const auto failed = [&](const char* what, Status status) {
    const bool good = status == Status::kFailed && a.error.message[0] != '\0';
    if (!good) std::printf("      %s: status %d\n", what, static_cast<int>(status));
    right = right && good;
    a.error = {};
    a.Open();
  };
  const auto read = [&](std::int64_t version) {
    return driver.read_scheme(
        a.connection, pool.c_str(), version, [](void*, const Scheme&) {}, nullptr, Server::In(),
        a.error);
  };
  const auto set = [&](const char* table, const std::string& value, const char* more = "") {
    person.Do(std::string("UPDATE idgen_registry.") + table + " SET " + value + " WHERE pool = '" +
              pool + "'" + more);
  };
  for (const char* value : {"NULL", "-5", "2000000000000000000"}) {
    set("pool", std::string("version = ") + value);
    failed("renew", driver.renew(a.connection, a.holder, 1, 1000, a.scheme, Server::In(), a.error));
    failed("read the latest", read(kLatestScheme));
    failed("watch", driver.watch(a.connection, pool.c_str(), a.scheme, Server::In(), a.error));
  }
  set("pool", "version = 3");  // there is none
  failed("read the latest", read(kLatestScheme));
  failed("read all", read(kAllSchemes));
  failed("read the missing one", read(3));
  CHECK(a.ReadScheme(2).size() == 1);
  set("pool", "version = 2");
  const char* const nonsense[] = {
      "scheme = NULL",           "scheme = pg_catalog.repeat('x', 65536)",
      "changed_by = NULL",       "changed_at = NULL",
      "changed_at = 'infinity'", "changed_at = '1969-01-01 00:00+00'"};
  for (const char* value : nonsense) {
    set("scheme", value, " AND version = 1");
    failed(value, read(kAllSchemes));
    CHECK(a.ReadScheme(2).size() == 1);
    set("scheme", "scheme = 'x', changed_by = 'y', changed_at = 'epoch'");
  }
  for (const char* value : {"acknowledged = NULL", "acknowledged = -1", "token = 'x'",
                            "used_until = '1969-01-01 00:00+00'"}) {
    person.Do(
        "ALTER TABLE idgen_registry.holder DROP CONSTRAINT IF EXISTS holder_token_check, "
        "DROP CONSTRAINT IF EXISTS holder_used_until_check");
    set("holder", value);
    failed(value, driver.holders(
                      a.connection, pool.c_str(), false, [](void*, const ListedHolder&) {}, nullptr,
                      Server::In(), a.error));
  }
  return right;
}

}  // namespace

const ExtraCase kPostgresqlSchemeCases[] = {{"scheme_locks", Locks, false},
                                            {"scheme_ends", Ends, false},
                                            {"scheme_cut", Cut, false},
                                            {"upgrade", Upgrade, true},
                                            {"edited_scheme", EditedScheme, true},
                                            {nullptr, nullptr, false}};

#endif

}  // namespace idgen::registry::test

// Sessions that make IDs in every possible way, and record what they got and when.
//
// usage: client dir=DIRECTORY target=FILE [option=value ...], until SIGTERM
//
// The target file has a line for each database that sessions may use: the number of its server, a
// space, and a connection string. Whenever it changes, it is read again; all sessions then end
// their call and reconnect. If it has no line, they wait.
//
// Lists are separated by commas, those of SQL and of PGOPTIONS by bars. Each session picks from
// them:
//   users=ROLE,...      its role; all but postgres are plain roles
//   options=TEXT|...    its PGOPTIONS
//   before=SQL|...      what it runs first; an error there does not matter
//   plain_mode=MODE, plain_lead_ms=MS   what the server has for the plain roles
//   contested=PERCENT   of the calls that name one of three shards and name the same as on other
//                       servers; the others then name three of this server's own
//   spread_s=SECONDS    over which it spreads the IDs that it makes at most
//   reconnects=PERMILLE of the calls after which a session reconnects
//   between=PERCENT     of the calls after which it runs one of acts=SQL|...
//   discards=PERCENT    of the calls after which it runs DISCARD ALL or SEQUENCES
//   wraps=PERCENT       of the calls that begin a transaction with one of wrap=SQL|..., make IDs
//                       for one of wrap_ms=MS,..., and end it by one of ends=HOW,...: commit,
//                       rollback, savepoint (back to it, then commit), prepare (and perhaps
//                       decided)
#include <libpq-fe.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/stat.h>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "given.h"
#include "operations.h"
#include "options.h"
#include "results.h"

namespace {

std::int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void SleepMs(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// --- options and what the sessions share -----------------------------------------------------

struct Target {
  int server;
  std::string connection;
};

Options options;
std::vector<double> weights;  // of the operations
std::atomic<bool> stopping{false};
std::atomic<int> generation{0};  // of the targets
std::atomic<std::int64_t> ids_made{0};
std::mutex targets_mutex;
std::vector<Target> targets;

void ReadTargets() {
  std::ifstream file(options.target);
  std::vector<Target> read;
  for (std::string line; std::getline(file, line);) {
    const auto space = line.find(' ');
    if (space != std::string::npos) read.push_back({atoi(line.c_str()), line.substr(space + 1)});
  }
  const std::lock_guard lock(targets_mutex);
  targets = read;
  ++generation;
}

// --- one session ----------------------------------------------------------------------------

class Session {
 public:
  Session(int number, unsigned seed) : number_(number), random_(seed), pick_(PickFrom(weights)) {
    const std::string name = std::to_string(number);
    history_ = fopen((options.dir + "/history." + name).c_str(), "wb");
    messages_ = fopen((options.dir + "/messages." + name).c_str(), "w");
    sessions_ = fopen((options.dir + "/sessions." + name).c_str(), "w");
    if (history_ == nullptr || messages_ == nullptr || sessions_ == nullptr) {
      perror(options.dir.c_str());
      exit(2);
    }
  }

  void Run() {
    const int pause_us = options.Number("pause_us", 0);
    while (!stopping) {
      if (connection_ == nullptr || seen_ != generation) Connect();
      if (connection_ == nullptr) {
        SleepMs(Random(5, 40));
        continue;
      }
      OneCall();
      if (pause_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
      Pace();
      if (Random(1, 150) == 1) SleepMs(Random(1, 400));  // is idle and comes back
      if (PQstatus(connection_) != CONNECTION_OK ||
          Random(1, 1000) <= options.Number("reconnects", 1)) {
        Disconnect();
      }
    }
    Disconnect();
    fclose(history_);
    fclose(messages_);
    fclose(sessions_);
  }

 private:
  using Values = std::vector<int>;
  static std::discrete_distribution<int> PickFrom(const std::vector<double>& w) {
    return {w.begin(), w.end()};
  }

  int Random(int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random_);
  }
  bool Percent(int percent) { return Random(1, 100) <= percent; }
  template <typename List>
  const auto& OneOf(const List& list) {
    return list[static_cast<std::size_t>(Random(0, static_cast<int>(list.size()) - 1))];
  }

  // All sessions together make this many IDs in the usual time of a round, and make them more
  // slowly after it.
  void Pace() {
    static const std::int64_t began_ns = NowNs();
    const double most = options.Number("ids", 2'000'000);
    const double part =
        static_cast<double>(NowNs() - began_ns) / (1e9 * options.Number("spread_s", 4));
    if (static_cast<double>(ids_made) > most) {
      SleepMs(Random(10, 60));
    } else if (options.Number("paced", 1) != 0 &&
               static_cast<double>(ids_made) > most * (part + 0.1)) {
      SleepMs(Random(1, 8));
    }
  }

  void Disconnect() {
    if (connection_ != nullptr) PQfinish(connection_);
    connection_ = nullptr;
  }

  void Connect() {
    Disconnect();
    Target target;
    {
      const std::lock_guard lock(targets_mutex);
      seen_ = generation;
      if (targets.empty()) return;
      target = OneOf(targets);
    }
    server_ = target.server;
    // The two databases that scenarios use, and any other.
    const auto is_in = [&](const char* name) {
      return (target.connection + " ").find(name) != std::string::npos;
    };
    database_ = is_in("dbname=postgres ") ? 0 : is_in("dbname=other ") ? 1 : 2;
    user_ = OneOf(options.List("users", "postgres"));
    given_ = OneOf(options.List("options", "", '|'));
    const std::string before = OneOf(options.List("before", "", '|'));
    plain_ = user_ != "postgres";
    refused_ = false;
    settings_ = {};
    Expect(given_, plain_, settings_, refused_);
    connection_ = PQconnectdb((target.connection + " user=" + user_ + " options='" + given_ +
                               "' application_name=torture connect_timeout=20")
                                  .c_str());
    if (PQstatus(connection_) != CONNECTION_OK) {
      const std::string message = PQerrorMessage(connection_);
      const char* const state = StateOfRefusal(message, refused_);
      Note(state, message.c_str());
      RecordError(state, kOperations[0], NowNs());
      Disconnect();
      return;
    }
    // Include the place in the source that an error comes from.
    PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
    prepares_ = Percent(50);
    fprintf(sessions_, "%" PRId64 " %s, PGOPTIONS %s, %s\n", NowNs(), user_.c_str(), given_.c_str(),
            before.c_str());
    if (!before.empty()) {
      // What a superuser gave for the connection stays, whatever role the session takes later.
      plain_ = plain_ || before.find("SET ROLE") != std::string::npos;
      Expect(before, plain_, settings_, refused_);
      if (!Act(before)) return Disconnect();
    }
    SetUp();
  }

  // Gives every session its settings.
  void SetUp() {
    prepared_ = {};
    // Plain roles have the server's mode, or what the connection was given before SET ROLE.
    std::string mode = OneOf(options.List(plain_ ? "plain_mode" : "modes", "wait"));
    int lead_ms = atoi(OneOf(options.List(plain_ ? "plain_lead_ms" : "lead_ms", "10000")).c_str());
    if (plain_ && !settings_.mode.empty()) mode = settings_.mode;
    if (plain_ && settings_.lead_ms >= 0) lead_ms = settings_.lead_ms;
    mode_ = mode == "lead" ? Mode::kLead : mode == "error" ? Mode::kError : Mode::kWait;
    lead_us_ = mode_ == Mode::kLead ? std::int64_t{lead_ms} * 1000 : 0;
    std::string setup = "SET idgen.max_clock_wait = " + OneOf(options.List("wait_ms", "2000"));
    if (!plain_) {
      setup += "; LOAD 'idgen'; SET idgen.clock_regression = " + mode +
               "; SET idgen.max_clock_lead = " + std::to_string(lead_ms);
    }
    if (Percent(options.Number("blocks", 0))) {
      settings_.block_size = BlockSize();
      setup += "; SET idgen.block_size = " + std::to_string(settings_.block_size);
    }
    if (Percent(options.Number("timeouts", 0))) {
      setup += "; SET statement_timeout = " + std::to_string(Random(1, 60));
    }
    PGresult* result = PQexec(connection_, setup.c_str());
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
      RecordError(StateOf(result), kOperations[0], NowNs());
      PQclear(result);
      return Disconnect();
    }
    PQclear(result);
  }

  // Returns the statement's result, or nullptr if it takes so long that something hangs.
  PGresult* Await() {
    const std::int64_t end = NowNs() + std::int64_t{options.Number("stuck_s", 90)} * 1'000'000'000;
    PGresult* last = nullptr;
    for (;;) {
      while (PQisBusy(connection_) != 0) {
        pollfd socket{PQsocket(connection_), POLLIN, 0};
        if (socket.fd < 0) break;
        poll(&socket, 1, 1000);
        if (NowNs() > end) {
          if (last != nullptr) PQclear(last);
          return nullptr;
        }
        if (PQconsumeInput(connection_) == 0) break;
      }
      PGresult* next = PQgetResult(connection_);
      if (next == nullptr) return last;
      if (last != nullptr) PQclear(last);
      last = next;
    }
  }

  PGresult* Execute(int operation, const Values& values) {
    std::vector<std::string> texts;
    std::vector<const char*> parameters;
    for (const int value : values) texts.push_back(std::to_string(value));
    for (const auto& text : texts) parameters.push_back(text.c_str());
    const auto count = static_cast<int>(values.size());
    const Operation& what = kOperations[operation];
    if (!prepares_) {
      PQsendQueryParams(connection_, what.sql, count, nullptr, parameters.data(), nullptr, nullptr,
                        1);
      return Await();
    }
    if (!prepared_[operation]) {
      PQsendPrepare(connection_, what.name, what.sql, count, nullptr);
      PGresult* result = Await();
      // A cancel between a statement's preparation and the end of its message leaves it prepared.
      const bool is_there = strcmp(StateOf(result), "42P05") == 0;
      if (PQresultStatus(result) != PGRES_COMMAND_OK && !is_there) return result;
      PQclear(result);
      prepared_[operation] = true;
    }
    PQsendQueryPrepared(connection_, what.name, count, parameters.data(), nullptr, nullptr, 1);
    return Await();
  }

  bool Command(const std::string& sql) {
    PQsendQuery(connection_, sql.c_str());
    PGresult* result = Await();
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_FATAL_ERROR) Note(StateOf(result), PQerrorMessage(connection_));
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  }

  // Runs a statement that may fail. Returns false if the connection is gone.
  bool Act(const std::string& sql) {
    (void)Command(sql);
    return PQstatus(connection_) == CONNECTION_OK;
  }

  // After DISCARD the session is another client's, so what it made last must be forgotten.
  void Discard() {
    const bool all = Percent(50);
    if (!Command(all ? "DISCARD ALL" : "DISCARD SEQUENCES")) return Disconnect();
    PQsendQuery(connection_, "SELECT snowflake_currval()");
    PGresult* result = Await();
    if (PQresultStatus(result) == PGRES_TUPLES_OK) RecordError(kLeft, kOperations[0], NowNs());
    PQclear(result);
    if (PQstatus(connection_) != CONNECTION_OK) return Disconnect();
    if (all) BeginAnew();
  }

  // The machine ID is again the one given with the connection.
  void ForgetMachine() {
    const Settings others = settings_;
    settings_ = {};
    Expect(given_, plain_, settings_, refused_);
    settings_.datacenter = others.datacenter;
    settings_.block_size = others.block_size;
  }

  // The settings are again those given with the connection.
  void BeginAnew() {
    plain_ = user_ != "postgres";
    settings_ = {};
    Expect(given_, plain_, settings_, refused_);
    if (!Act("RESET ROLE; DEALLOCATE ALL")) return Disconnect();
    SetUp();
  }

  int BlockSize() { return atoi(OneOf(options.List("block_sizes", "64")).c_str()); }

  // Changes one of the settings that the next ID depends on, perhaps to the value that it has. With
  // "LOCAL ", until the transaction ends.
  bool ChangeSetting(const std::string& local) {
    const int which = Random(0, 3);
    const char* name = which == 0 ? "datacenter_id" : which == 1 ? "machine_id" : "block_size";
    int& value = which == 0   ? settings_.datacenter
                 : which == 1 ? settings_.machine
                              : settings_.block_size;
    value = which == 0 ? Random(1, 2) : which == 1 ? Random(3, 5) : Percent(50) ? 1 : BlockSize();
    return Command(("SET " + local + "idgen." + name + " = " + std::to_string(value)).c_str());
  }

  // Runs a transaction that changes idgen's own objects, and makes IDs before it ends.
  void Wrapped() {
    const std::string how = OneOf(options.List("ends", "rollback"));
    const bool savepoint = how == "savepoint";
    if (!Command(savepoint ? "BEGIN; SAVEPOINT torture" : "BEGIN")) return Disconnect();
    (void)Command(OneOf(options.List("wrap", "", '|')));
    prepared_ = {};
    prepares_ = false;
    const auto alive = [&] { return connection_ != nullptr && seen_ == generation && !stopping; };
    const auto works = [&] {
      return alive() && PQtransactionStatus(connection_) == PQTRANS_INTRANS;
    };
    const auto make = [&] {
      const std::int64_t end =
          NowNs() + std::int64_t{atoi(OneOf(options.List("wrap_ms", "200")).c_str())} * 1'000'000;
      while (works() && NowNs() < end) {
        MakeCall(false);
        Pace();
      }
    };
    make();
    if (connection_ == nullptr) return;
    if (savepoint && PQtransactionStatus(connection_) != PQTRANS_IDLE) {
      (void)Command("ROLLBACK TO torture");
      make();
      if (connection_ == nullptr) return;
    }
    const bool good = PQtransactionStatus(connection_) == PQTRANS_INTRANS;
    if (good && how == "prepare") {
      const std::string name = "'torture-" + std::to_string(number_) + "-" +
                               std::to_string(++transactions_) + "-" + std::to_string(server_) +
                               "'";
      if (!Command("PREPARE TRANSACTION " + name)) return Disconnect();
      SleepMs(Random(1, 500));
      // Otherwise another session ends it, perhaps after a crash.
      if (Percent(60)) (void)Command((Percent(60) ? "ROLLBACK" : "COMMIT") + (" PREPARED " + name));
    } else {
      (void)Command(good && how != "rollback" ? "COMMIT" : "ROLLBACK");
    }
    if (PQstatus(connection_) != CONNECTION_OK) Disconnect();
  }

  void OneCall() {
    if (Percent(options.Number("wraps", 0))) return Wrapped();
    MakeCall(Percent(15) && options.Number("acknowledged", 0) == 0);
    if (connection_ != nullptr && Percent(options.Number("between", 0))) {
      const std::string act = OneOf(options.List("acts", "", '|'));
      if (!Act(act)) return Disconnect();
      if (act == "RESET ALL") BeginAnew();
      if (act == "RESET idgen.machine_id") ForgetMachine();
    }
    if (connection_ != nullptr && Percent(options.Number("discards", 0))) Discard();
  }

  void MakeCall(bool transaction) {
    const int operation = pick_(random_);
    const Operation& what = kOperations[operation];
    Values values{Percent(25) ? 1 : Random(1, what.most)};
    Shards shards;
    if (IsOfDatabase(what)) shards.first = database_;
    if (what.how == How::kShard) {
      const bool own = !Percent(options.Number("contested", 100));
      values.push_back(shards.first = (own ? 3 * server_ : 0) + Random(0, 2));
    }
    if (what.how == How::kShards) {
      values.push_back(shards.first = Random(0, what.shards - 1));
      values.push_back(shards.stride = Random(1, what.shards - 1));
    }
    const int changes = options.Number("settings", 0);  // percent of the calls
    if (Percent(changes) && !ChangeSetting("")) return Disconnect();
    if (transaction && !Command("BEGIN")) return Disconnect();
    const Settings outside = settings_;
    if (transaction && Percent(changes) && !ChangeSetting("LOCAL ")) return Disconnect();

    const std::int64_t invoked_ns = NowNs();
    PGresult* result = Execute(operation, values);
    const std::int64_t completed_ns = NowNs();
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK) {
      Record(what, result, values[0], shards, invoked_ns, completed_ns);
    } else if (result == nullptr && PQstatus(connection_) == CONNECTION_OK) {
      RecordError(kStuck, what, invoked_ns);
      Disconnect();
    } else {
      const std::string state = IsStalePlan(result) ? kStale : StateOf(result);
      RecordError(state.c_str(), what, invoked_ns);
      Note(state.c_str(), PQerrorMessage(connection_));
    }
    PQclear(result);
    if (connection_ == nullptr || PQstatus(connection_) != CONNECTION_OK) return Disconnect();
    if (transaction && !Command(Percent(50) ? "COMMIT" : "ROLLBACK")) Disconnect();
    settings_ = outside;
  }

  // The shards that a call named: that of its first ID, or -1; and the step from one ID to the
  // next.
  struct Shards {
    int first = -1;
    int stride = 0;
  };

  void Record(const Operation& what, const PGresult* result, int count, const Shards& shards,
              std::int64_t invoked_ns, std::int64_t completed_ns) {
    ids_.clear();
    nodes_.clear();
    Call call = NewCall(what, invoked_ns);
    call.shard = shards.first;
    call.stride = shards.stride;
    call.completed_ns = completed_ns;
    if (PQnfields(result) == 3) {
      call.clock_before_us = Integer(PQgetvalue(result, 0, 0), 8) + kPostgresEpochUs;
      call.clock_after_us = Integer(PQgetvalue(result, 0, 2), 8) + kPostgresEpochUs;
      AddIds(result, 0, 1, what.form, ids_, nodes_);
    } else {
      for (int row = 0; row < PQntuples(result); ++row) {
        AddIds(result, row, 0, what.form, ids_, nodes_);
      }
    }
    if (what.kind == Kind::kReserve) {
      for (int i = 1; i < count; ++i) ids_.push_back(ids_[0] + i);
    }
    call.kind = what.kind;
    // A record for each node.
    std::size_t first = 0;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i] != nodes_[first]) {
        Write(call, first, i);
        first = i;
      }
      call.shard = nodes_[i];
    }
    Write(call, first, ids_.size());
    if (what.kind != Kind::kObserve) ids_made += static_cast<std::int64_t>(ids_.size());
  }

  void RecordError(const char* state, const Operation& what, std::int64_t invoked_ns) {
    ids_.clear();
    Call call = NewCall(what, invoked_ns);
    call.completed_ns = NowNs();
    call.kind = Kind::kError;
    snprintf(call.state, sizeof(call.state), "%s", state);
    Write(call, 0, 0);
  }

  [[nodiscard]] Call NewCall(const Operation& what, std::int64_t invoked_ns) const {
    Call call{};
    call.invoked_ns = invoked_ns;
    call.lead_us = lead_us_;
    call.session = static_cast<std::uint32_t>(number_);
    call.shard = -1;
    call.datacenter = static_cast<std::int16_t>(settings_.datacenter);
    call.machine = static_cast<std::int16_t>(settings_.machine);
    call.server = static_cast<std::uint8_t>(server_);
    call.asked = what.kind;
    call.layout = what.layout;
    call.mode = mode_;
    call.named = what.how == How::kNamed;
    call.blocks = settings_.block_size > 1 && what.how != How::kShared;
    call.plain = plain_;
    call.refused = refused_;
    return call;
  }

  // With the IDs from `first` to before `end`.
  void Write(Call& call, std::size_t first, std::size_t end) {
    call.count = static_cast<std::uint32_t>(end - first);
    fwrite(&call, sizeof(call), 1, history_);
    fwrite(ids_.data() + first, sizeof(ids_[0]), end - first, history_);
  }

  // Records the messages of errors, some of each kind.
  void Note(const char* state, const char* message) {
    if (++noted_[state] <= 20) fprintf(messages_, "%s %s", state, message);
  }

  int number_;
  std::mt19937 random_;
  std::discrete_distribution<int> pick_;
  FILE* history_ = nullptr;
  FILE* messages_ = nullptr;
  FILE* sessions_ = nullptr;  // each session's role, time and settings
  PGconn* connection_ = nullptr;
  int seen_ = -1;  // the generation of the targets
  int server_ = 0;
  int database_ = 0;
  Mode mode_ = Mode::kWait;
  std::int64_t lead_us_ = 0;
  Settings settings_;
  std::string user_;
  std::string given_;     // PGOPTIONS
  bool plain_ = false;    // no superuser
  bool refused_ = false;  // was given a setting that it may not have
  int transactions_ = 0;  // prepared ones
  bool prepares_ = false;
  std::array<bool, kOperationCount> prepared_{};
  std::vector<std::int64_t> ids_;
  std::vector<std::int32_t> nodes_;  // of IDs that have one
  std::map<std::string, int> noted_;
};

bool ReadOptions(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const char* equals = strchr(arguments[i], '=');
    if (equals == nullptr) return false;
    options.values[std::string(arguments[i], static_cast<std::size_t>(equals - arguments[i]))] =
        equals + 1;
  }
  options.dir = options.values["dir"];
  options.target = options.values["target"];
  // mix=NAME:WEIGHT,...
  const bool mixed = options.values.contains("mix");
  for (const Operation& what : kOperations) weights.push_back(mixed ? 0.0 : what.weight);
  for (const std::string& part : mixed ? options.List("mix", "") : std::vector<std::string>{}) {
    const auto colon = part.find(':');
    bool known = false;
    for (int i = 0; i < kOperationCount; ++i) {
      if (part.substr(0, colon) != kOperations[i].name) continue;
      weights[static_cast<std::size_t>(i)] = atof(part.c_str() + colon + 1);
      known = true;
    }
    if (!known) return false;
  }
  return !options.dir.empty() && !options.target.empty();
}

void Stop(int) { stopping = true; }

}  // namespace

int main(int count, char** arguments) {
  if (!ReadOptions(count, arguments)) {
    fprintf(stderr, "usage: client dir=DIRECTORY target=FILE [option=value ...]\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, Stop);
  signal(SIGINT, Stop);
  ReadTargets();
  std::vector<std::thread> threads;
  const auto seed = static_cast<unsigned>(options.Number("seed", 1));
  const int first = options.Number("first", 0);  // if there are several clients
  for (int i = first; i < first + options.Number("threads", 8); ++i) {
    threads.emplace_back([i, seed] { Session(i, seed * 1000U + static_cast<unsigned>(i)).Run(); });
  }
  struct stat last {};
  stat(options.target.c_str(), &last);
  while (!stopping) {
    SleepMs(5);
    struct stat now {};
    if (stat(options.target.c_str(), &now) == 0 && now.st_ino != last.st_ino) {
      last = now;
      ReadTargets();
    }
  }
  for (auto& thread : threads) thread.join();
  return 0;
}
